/**
 * What a user does and sees, in the workbench with the packaged VSIX installed: exact texts are asserted, and each
 * scenario leaves screenshots in test/vscode/run.
 * usage: node test/vscode/ui.cjs [name ...]   runs the scenarios whose title contains a name; without one most, --all: all
 */
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const {
  copyExamples,
  installRuntime,
  openBrowser,
  project,
  startServer,
  workbenchUrl,
  writeSettings,
} = require('./runtime.cjs');
const { backwardsScenarios } = require('./backwards-scenarios.cjs');
const { cppScenarios } = require('./cpp-scenarios.cjs');
const { findingScenarios } = require('./findings-scenarios.cjs');
const { safetyScenarios } = require('./safety-scenarios.cjs');
const { sidebarScenarios } = require('./sidebar-scenarios.cjs');
const { lostSourceScenarios } = require('./lost-source-scenarios.cjs');
const { riscvScenarios } = require('./riscv-scenarios.cjs');
const { watchScenarios } = require('./watch-scenarios.cjs');
const { scenarios: mainScenarios } = require('./ui-scenarios.cjs');
const { Workbench } = require('./workbench.cjs');

const scenarios = [
  ...mainScenarios,
  ...riscvScenarios,
  ...findingScenarios,
  ...watchScenarios,
  ...backwardsScenarios,
  ...sidebarScenarios,
  ...safetyScenarios,
  ...lostSourceScenarios,
  ...cppScenarios,
];
/** Only by name or with --all: other suites test the same without the workbench, and the whole run has to stay below 20 minutes. */
const alone = [
  'opens as an overview',
  "Zephyr's debugging page",
  'structures in the Variables view',
  'a breakpoint of another program',
  'missing imports are all told',
  'an empty folder',
  'hovers of a variable',
  'an ELF that cannot be read',
  'coverage and profile',
  'before the access, light',
  'a program without its source',
  'a C++ program',
];
const shots = path.join(__dirname, 'run');

function packageVsix() {
  const vsix = path.join(project, 'dist/llext-debugger.vsix');
  const vsce = path.join(project, 'node_modules/@vscode/vsce/vsce');
  const args = [vsce, 'package', '--no-dependencies', '--allow-missing-repository', '--no-rewrite-relative-links'];
  const { status, stdout, stderr } = spawnSync(process.execPath, [...args, '-o', vsix], {
    cwd: project,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`the VSIX cannot be made\n${stdout}${stderr}`);
  return vsix;
}

async function runScenario(scenario, server, browser) {
  const folder = scenario.workspace === 'empty' ? copyExamples({ only: [] }) : copyExamples(scenario.examples);
  scenario.prepare?.(folder);
  const theme = scenario.theme === 'light' ? 'Default Light Modern' : 'Default Dark Modern';
  writeSettings(server.home, { 'workbench.colorTheme': theme });
  const page = await browser.newPage();
  const workbench = new Workbench(page);
  workbench.shot = (name) => page.screenshot({ path: path.join(shots, `${name}.png`) });
  try {
    await workbench.open(workbenchUrl(server, folder));
    if (scenario.workspace !== 'empty') await workbench.waitForRow('.explorer-folders-view', 'hello');
    await scenario.run(workbench);
  } catch (error) {
    await workbench.shot(`failed-${scenario.title.replaceAll(/\W+/g, '-')}`).catch(() => undefined);
    throw error;
  } finally {
    await browser.closePage(page);
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * The workbench, its server and the browser share the machine with others: what fails is tried once more on a fresh
 * page, and the first failure is shown all the same.
 */
async function passes(scenario, server, browser) {
  for (const attempt of ['first', 'second']) {
    const begin = Date.now();
    const seconds = () => `${((Date.now() - begin) / 1000).toFixed(1)} s`;
    try {
      await runScenario(scenario, server, browser);
      console.log(`ok      ${scenario.title} (${seconds()}${attempt === 'first' ? '' : ', second attempt'})`);
      return true;
    } catch (error) {
      console.log(`FAILED  ${scenario.title} (${seconds()}, ${attempt} attempt)\n${error.stack}`);
    }
  }
  return false;
}

async function runAll(chosen) {
  const server = await startServer({ vsix: packageVsix() });
  const browser = await openBrowser();
  let failed = 0;
  for (const scenario of chosen) if (!(await passes(scenario, server, browser))) failed++;
  await browser.close();
  await server.stop();
  return failed;
}

async function run() {
  const started = Date.now();
  const wanted = process.argv.slice(2);
  const isWanted = ({ title }) =>
    wanted.length === 0 ? !alone.some((name) => title.includes(name)) : wanted.some((name) => title.includes(name));
  const chosen = scenarios.filter((scenario) => wanted.includes('--all') || isWanted(scenario));
  installRuntime();
  fs.mkdirSync(shots, { recursive: true });
  const failed = await runAll(chosen);
  console.log(`${chosen.length - failed} passed, ${failed} failed, 0 skipped`);
  console.log(`user interface: ${((Date.now() - started) / 1000).toFixed(1)} s`);
  process.exitCode = failed > 0 || chosen.length === 0 ? 1 : 0;
}

void run().catch((error) => {
  console.error(error.stack);
  console.log('0 passed, 1 failed, 0 skipped');
  process.exitCode = 1;
});
