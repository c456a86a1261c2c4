/** Data breakpoints from the Variables view, and coverage and profile in the editor. */
const assert = require('node:assert/strict');
const { markedLine } = require('./ui-scenarios.cjs');
const { sleep, writeLaunch } = require('./runtime.cjs');

const greetings = markedLine('hello/hello.c', 'BP1') - 1;

/** The launch configuration counts executions. */
function countExecutions(folder) {
  const configuration = {
    name: 'hello, counted',
    type: 'llext',
    request: 'launch',
    program: '${workspaceFolder}/hello/hello.llext',
    coverage: true,
  };
  writeLaunch(folder, configuration);
}

const watchScenarios = [
  {
    title: 'Break on Value Change from the Variables view: the stop says what has changed',
    run: async (workbench) => {
      const { page } = workbench;
      await workbench.openFile('hello/hello.c');
      await workbench.toggleBreakpoint('#BP2');
      await workbench.page.keyboard.press('F5');
      await workbench.waitForStop();
      await workbench.variables('Globals of hello.c', 'greetings');
      await page
        .locator('.debug-variables .monaco-list-row')
        .filter({ hasText: /^greetings\b/ })
        .first()
        .click({ button: 'right' });
      await workbench.menuItem('Break on Value Change');
      await page.locator('.debug-breakpoints', { hasText: 'greetings (4 bytes in llext hello)' }).waitFor();
      for (const values of ['0 -> 1', '1 -> 2']) {
        await workbench.palette('Debug: Continue');
        await page.getByText(`greetings: ${values}`, { exact: true }).first().waitFor();
        // After the store, whose next instruction is one of the following line.
        assert.equal(await workbench.stoppedLine(), greetings + 1);
      }
      await workbench.shot('data-breakpoint');
      const output = await workbench.console();
      assert.ok(
        output.some((text) => text.startsWith(`greetings: 1 -> 2, written by greet() at hello.c:${greetings}`)),
        output.join('\n'),
      );
      await workbench.palette('Remove All Breakpoints');
      await workbench.palette('Debug: Continue');
      await workbench.waitForEnd();
    },
  },
  {
    title: 'coverage and profile in the editor, on demand, and cleared',
    prepare: countExecutions,
    theme: 'light',
    run: async (workbench) => {
      const { page } = workbench;
      await workbench.openFile('hello/hello.c');
      // It may be over before its toolbar is seen.
      await page.keyboard.press('F5');
      await workbench.waitForConsole("entry 'entry' of llext");
      await workbench.waitForEnd();
      await workbench.focusEditor('greetings++');
      await workbench.palette('LLEXT: Show Coverage');
      const mark = (text) => page.locator('.view-line', { hasText: text }).locator('[class*="ced-"][class*="-"]');
      await page.waitForFunction(() => document.querySelectorAll('.view-overlays [class*="ced-"]').length > 5);
      assert.ok((await mark('greetings++').count()) > 0);
      await workbench.shot('coverage');
      await workbench.palette('LLEXT: Show Profile');
      await sleep(500);
      await workbench.shot('profile');
      await workbench.palette('LLEXT: Clear Coverage and Profile');
      await page.waitForFunction(() => document.querySelectorAll('.view-overlays [class*="ced-"]').length === 0);
    },
  },
];

module.exports = { watchScenarios };
