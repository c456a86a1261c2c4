/** C++ as the sidebar, the views of a stop and hovers show it, and a breakpoint that stops once. */
const fs = require('node:fs');
const path = require('node:path');
const { expand, openSidebar } = require('./ui-scenarios.cjs');
const { project, writeLaunch } = require('./runtime.cjs');

const name = 'operators.llext';

function prepare(folder) {
  for (const [from, to] of [
    ['operators.m3-O0.elf', name],
    ['operators.cpp', 'operators.cpp'],
  ])
    fs.copyFileSync(path.join(project, 'test/cpp', from), path.join(folder, to));
  const configuration = {
    name: 'operators',
    type: 'llext',
    request: 'launch',
    program: '${workspaceFolder}/' + name,
    entry: 'entry',
    args: [6],
  };
  writeLaunch(folder, configuration);
}

async function run(workbench) {
  const { page } = workbench;
  await workbench.openFile('operators.cpp');
  await openSidebar(workbench);
  for (const label of [name, 'TEXT']) await expand(workbench, label);
  await workbench.shot('cpp-sidebar');

  // Which modes there are a client knows from the first session on.
  await workbench.goToLine(24);
  await workbench.toggleBreakpoint('int operator()(int a');
  await workbench.startDebugging();
  await workbench.waitForStop();
  await workbench.variables('Locals', 'this');
  await workbench.shot('cpp-stop');
  await page
    .locator('.debug-breakpoints .monaco-list-row', { hasText: 'operators.cpp' })
    .first()
    .click({ button: 'right' });
  await workbench.menuItem('Edit Mode');
  await page.locator('.quick-input-widget:visible .monaco-list-row', { hasText: 'Once' }).first().click();
  await workbench.shot('cpp-once');
  await workbench.palette('Debug: Stop');
  await workbench.waitForEnd();
  // The operator is called twice.
  await workbench.startDebugging();
  await workbench.waitForStop();
  await workbench.palette('Debug: Continue');
  await workbench.waitForEnd();
  await workbench.waitForConsole("'entry' of llext 'operators' returned");
  await workbench.shot('cpp-end');
}

const title = 'a C++ program: its names in the sidebar, a breakpoint that stops once';

module.exports = { cppScenarios: [{ title, prepare, run }] };
