#!/usr/bin/env node
/**
 * Stands where @vscode/test-electron expects the VS Code executable (vscodeExecutablePath): takes the desktop's command
 * line, runs it in the server build with a headless browser, and ends with the exit code of the tests. The suite in a
 * web worker cannot write its report: it prints it, and it is written here.
 */
const fs = require('node:fs');
const path = require('node:path');
const util = require('node:util');
const { openBrowser, remoteUri, startServer, workbenchUrl } = require('./runtime.cjs');

function parseCommandLine(argv) {
  const parsed = { development: [], tests: undefined, folder: undefined };
  for (let i = 0; i < argv.length; i++) {
    const option = /^--([^=]+)(?:=(.*))?$/.exec(argv[i]);
    if (!option) parsed.folder ??= argv[i];
    else if (option[1] === 'extensionDevelopmentPath') parsed.development.push(option[2] ?? argv[++i]);
    else if (option[1] === 'extensionTestsPath') parsed.tests = option[2] ?? argv[++i];
  }
  return parsed;
}

/** Lines of the workbench that say nothing about the tests. */
const noise = /^(Resolv|Creating a socket|\[|Updating additional|getaddrinfo|Failed to fetch)/;

async function run() {
  const { development, tests, folder } = parseCommandLine(process.argv.slice(2));
  const server = await startServer({ userSettings: JSON.parse(process.env.VSCODE_SHIM_SETTINGS ?? '{}') });
  const browser = await openBrowser();
  const page = await browser.newPage();
  let timer;
  try {
    const finished = new Promise((resolve, reject) => {
      timer = setTimeout(
        () => reject(new Error('the tests did not finish in time')),
        Number(process.env.TMO ?? 270_000),
      );
      page.on('crash', () => reject(new Error('the page crashed')));
      void page.exposeFunction('codeAutomationExit', resolve);
      void page.exposeFunction('codeAutomationLog', (_type, values) => {
        const text = util.format(...values);
        const states = /^LLEXT-REPORT (.*)$/.exec(text)?.[1];
        if (states) return fs.writeFileSync(process.env.VSCODE_TEST_REPORT, states);
        if (process.env.VERBOSE || !noise.test(text)) process.stdout.write(`${text}\n`);
      });
    });
    const payload = development.map((file) => ['extensionDevelopmentPath', remoteUri(server, path.resolve(file))]);
    if (tests) payload.push(['extensionTestsPath', remoteUri(server, path.resolve(tests))]);
    await page.goto(workbenchUrl(server, folder && path.resolve(folder), payload));
    return await finished;
  } catch (error) {
    console.error(error.message);
    await page.screenshot({ path: path.join(__dirname, 'run/host-suite-failed.png') }).catch(() => undefined);
    return 1;
  } finally {
    clearTimeout(timer);
    await browser.close();
    await server.stop();
  }
}

if (process.argv.includes('--version')) console.log('1.139.1');
else void run().then((code) => process.exit(code));
