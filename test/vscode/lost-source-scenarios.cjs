/** A program whose source is not there: its instructions by line, its macros, the base of numbers, and the saved replay of the session. */
const fs = require('node:fs');
const path = require('node:path');
const { project, writeLaunch } = require('./runtime.cjs');

const name = 'macros.m3-g3.elf';

function prepare(folder) {
  fs.copyFileSync(path.join(project, 'test/dap-programs', name), path.join(folder, name));
  const configuration = {
    name: 'macros',
    type: 'llext',
    request: 'launch',
    program: '${workspaceFolder}/' + name,
    args: [300],
    stopOnEntry: true,
  };
  writeLaunch(folder, configuration);
}

async function run(workbench) {
  const { page } = workbench;
  const row = (text) => page.locator('.debug-variables .monaco-list-row', { hasText: text }).first();
  const quick = (text) => page.locator('.quick-input-widget:visible .monaco-list-row', { hasText: text }).first();
  await workbench.openFile('hello/hello.c');
  await workbench.startDebugging();
  await workbench.view('Run and Debug', '.debug-call-stack');
  await workbench.waitForStop();
  await page
    .locator('.repl')
    .getByText('macros.c was not found: its lines are shown as instructions')
    .first()
    .waitFor();
  await workbench.shot('lost-source');

  // The view may be there too late for VS Code to open the first scope by itself.
  await workbench.variables('Locals', 'what');
  // The view shows a part of its rows only.
  await row('Locals').locator('.monaco-tl-twistie').click();
  await workbench.variables(/^Macros/, '[A-Z_]+');
  await workbench.shot('macros-scope');
  await row(/^Macros/)
    .locator('.monaco-tl-twistie')
    .click();
  await row('Locals').locator('.monaco-tl-twistie').click();

  await workbench.palette('LLEXT: Toggle Hex/Binary/Decimal Display');
  await quick('Binary').click();
  await row('0b100101100').waitFor();
  await workbench.shot('binary-display');

  await workbench.palette('LLEXT: Save Replay of This Session');
  const dialog = page.locator('.quick-input-widget:visible input').first();
  await dialog.waitFor();
  await page.waitForTimeout(1000);
  await workbench.shot('save-replay');
  await page.keyboard.press('Enter');
  await page.getByText('Saved. A launch configuration with').waitFor();
  // The toast may be gone already; the bell has it.
  await page.locator('#status\\.notifications').click();
  await page.locator('.notifications-center').getByText('Replay Now').click();
  const session = page.locator('.debug-call-stack .monaco-list-row', { hasText: 'Replay session' });
  await session.getByText(/^Paused/).waitFor();
  await workbench.shot('replayed');
}

const title = 'a program without its source: instructions by line, macros, binary display, its replay saved and run';

module.exports = { lostSourceScenarios: [{ title, prepare, run }] };
