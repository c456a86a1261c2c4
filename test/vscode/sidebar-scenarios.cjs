/** What the sidebar changes in a stopped session: extensions are loaded and unloaded, moments are kept and returned to. */
const assert = require('node:assert/strict');
const { markedLine, openSidebar, sidebar, sidebarRow } = require('./ui-scenarios.cjs');

const line = markedLine('hello/hello.c', 'BP1');

async function icon(workbench, label, title) {
  const row = sidebarRow(workbench, label);
  await row.hover();
  await row.getByRole('button', { name: title }).click();
}

const sidebarScenarios = [
  {
    title: 'the sidebar loads and unloads an extension, sets, returns to and deletes a checkpoint',
    run: async (workbench) => {
      const { page } = workbench;
      await workbench.openFile('hello/hello.c');
      await workbench.toggleBreakpoint('#BP1');
      await workbench.startDebugging();
      await workbench.waitForStop();
      await openSidebar(workbench);
      await workbench.waitForRow(sidebar, 'Checkpoints');

      await icon(workbench, 'Checkpoints', 'Set Checkpoint');
      const input = page.locator('.quick-input-widget:visible input').first();
      await input.waitFor();
      await input.fill('before');
      await page.keyboard.press('Enter');
      await workbench.waitForRow(sidebar, 'before');

      await page.getByRole('button', { name: 'Load Extension...' }).first().click();
      await page
        .locator('.quick-input-widget:visible .monaco-list-row', { hasText: 'init_fini.llext' })
        .first()
        .click();
      await workbench.waitForRow(sidebar, 'init_fini');
      await workbench.shot('session-sidebar');
      await icon(workbench, 'init_fini', 'Unload Extension');
      await sidebarRow(workbench, 'init_fini').waitFor({ state: 'detached' });
      const output = await workbench.console();
      for (const text of ['first init', 'fini']) assert.ok(output.includes(text), output.join('\n'));

      await workbench.palette('Debug: Step Over');
      for (let i = 0; i < 100 && (await workbench.stoppedLine()) === line; i++) await page.waitForTimeout(100);
      await openSidebar(workbench);
      await icon(workbench, 'before', 'Return to Checkpoint');
      for (let i = 0; i < 100 && (await workbench.stoppedLine()) !== line; i++) await page.waitForTimeout(100);
      assert.equal(await workbench.stoppedLine(), line);
      await openSidebar(workbench);
      await icon(workbench, 'before', 'Delete Checkpoint');
      await sidebarRow(workbench, 'before').waitFor({ state: 'detached' });
    },
  },
];

module.exports = { sidebarScenarios };
