/** The scenarios of ui.cjs: a title, the workspace, and what is done and must be seen. */
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { project, sleep } = require('./runtime.cjs');

function markedLine(file, marker) {
  const lines = fs.readFileSync(path.join(project, 'examples', file), 'utf8').split('\n');
  return lines.findIndex((line) => line.includes(`#${marker}`)) + 1;
}

async function openSidebar(workbench) {
  await workbench.view('LLEXT', '.customview-tree');
}

/** Opens the row that begins with `label` and returns the texts of the rows below it. */
async function expand(workbench, label) {
  const row = workbench.page.locator('.customview-tree .monaco-list-row').filter({ hasText: label }).first();
  await row.waitFor();
  if ((await row.getAttribute('aria-expanded')) === 'false') await row.locator('.monaco-tl-twistie').click();
  await sleep(400);
}

const scenarios = [
  {
    title: 'sidebar without a session',
    run: async (workbench) => {
      await openSidebar(workbench);
      await workbench.waitForRow('.customview-tree', 'sensor.llext');
      console.log(await workbench.rows('.customview-tree'));
      await expand(workbench, 'hello.llext');
      await expand(workbench, 'TEXT');
      await expand(workbench, 'Exported Symbols');
      await expand(workbench, 'Imported Symbols');
      console.log(await workbench.rows('.customview-tree'));
      await workbench.shot('sidebar-static');
    },
  },
  {
    title: 'F5 in a C file',
    run: async (workbench) => {
      await workbench.openFile('hello/hello.c');
      await workbench.toggleBreakpoint('#BP1');
      await workbench.focusEditor('greetings++');
      await workbench.startDebugging();
      await workbench.waitForStop();
      console.log(await workbench.stoppedLine(), await workbench.callStack());
      console.log(await workbench.variables('Locals'));
      await workbench.shot('stopped');
      console.log(await workbench.console());
      await openSidebar(workbench);
      await sleep(1000);
      console.log(await workbench.rows('.customview-tree'));
      await workbench.shot('sidebar-live');
    },
  },
];

module.exports = { scenarios };
