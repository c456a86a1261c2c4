/** `npm start -- --smoke`: F5 on examples/hello as a user presses it, and what the debugger shows, on the terminal. */
const fs = require('node:fs');
const path = require('node:path');
const { copyExamples, installRuntime, openBrowser, startServer, workbenchUrl } = require('./runtime.cjs');
const { Workbench } = require('./workbench.cjs');

const source = fs.readFileSync(path.join(__dirname, '../../examples/hello/hello.c'), 'utf8').split('\n');

/** The line with `// #BP1`. */
const marked = (marker) => source.findIndex((line) => line.includes(`#${marker}`)) + 1;

function show(title, lines) {
  console.log(`\n${title}`);
  for (const line of lines) console.log(`  ${line}`);
}

function expect(condition, what) {
  if (!condition) throw new Error(`the debugger did not show ${what}`);
}

async function drive(workbench) {
  await workbench.openFile('hello/hello.c');
  await workbench.toggleBreakpoint('#BP1');
  await workbench.focusEditor('greetings++');
  await workbench.startDebugging();
  await workbench.waitForStop();
  const line = await workbench.stoppedLine();
  show('Stopped at', [`hello.c:${line}`]);
  expect(line === marked('BP1'), `a stop at hello.c:${marked('BP1')}`);

  const stack = await workbench.callStack();
  show('Call stack', stack);
  expect(
    ['greet', 'entry'].every((name) => stack.some((row) => row.startsWith(name))),
    'greet called by entry',
  );

  const variables = await workbench.variables('Locals', 'name');
  show('Variables', variables);
  expect(
    variables.some((row) => /^name\s*[=:].*"Ada"/.test(row)),
    'name = "Ada"',
  );

  await workbench.palette('Remove All Breakpoints');
  await workbench.palette('Continue');
  await workbench.waitForEnd();
  const output = await workbench.console();
  show('Debug Console', output);
  expect(
    output.some((text) => text.includes('Hello Edsger, you are number 3')),
    'what the extension printed',
  );
}

async function smoke(vsix) {
  installRuntime();
  const folder = copyExamples();
  const server = await startServer({ vsix });
  const browser = await openBrowser();
  const workbench = new Workbench(await browser.newPage());
  try {
    await workbench.open(workbenchUrl(server, folder));
    await drive(workbench);
    console.log('\nF5 works.');
    return 0;
  } catch (error) {
    console.error(`\n${error.message}`);
    fs.mkdirSync(path.join(__dirname, 'run'), { recursive: true });
    await workbench.page.screenshot({ path: path.join(__dirname, 'run/smoke-failed.png') });
    return 1;
  } finally {
    await browser.close();
    await server.stop();
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

module.exports = { smoke };
