/** Going back: the debug toolbar's Step Back and Reverse, a checkpoint, and output that is not repeated. */
const assert = require('node:assert/strict');
const { markedLine } = require('./ui-scenarios.cjs');

const line = markedLine('hello/hello.c', 'BP1');

const backwardsScenarios = [
  {
    title: 'Step Back and Reverse by the toolbar: the line before, the breakpoint before, nothing printed twice',
    run: async (workbench) => {
      const { page } = workbench;
      const button = (name) => page.locator('.debug-toolbar').getByRole('button', { name });
      const waitForLine = async (expected) => {
        for (let i = 0; i < 100 && (await workbench.stoppedLine()) !== expected; i++) await page.waitForTimeout(100);
        assert.equal(await workbench.stoppedLine(), expected);
      };
      await workbench.openFile('hello/hello.c');
      await workbench.toggleBreakpoint('#BP1');
      await workbench.startDebugging();
      await workbench.waitForStop();
      assert.equal(await workbench.stoppedLine(), line);
      const waitForName = (name) =>
        page.locator('.debug-variables .monaco-list-row', { hasText: name }).first().waitFor();
      await workbench.variables('Locals', 'name');
      await waitForName('"Ada"');
      await workbench.palette('Debug: Continue');
      await waitForName('"Grace"');
      await button(/^Step Back/).click();
      await waitForLine(line - 1);
      await button(/^Reverse \(|^Reverse$/)
        .first()
        .click();
      await waitForName('"Ada"');
      await waitForLine(line);
      await workbench.shot('backwards');
      await workbench.palette('Remove All Breakpoints');
      await workbench.palette('Debug: Continue');
      await workbench.waitForEnd();
      const output = await workbench.console();
      for (const name of ['Ada', 'Grace', 'Edsger']) {
        const times = output.filter((text) => text.startsWith(`Hello ${name},`)).length;
        assert.equal(times, 1, output.join('\n'));
      }
      assert.ok(
        output.some((text) => text.startsWith('3 greetings')),
        output.join('\n'),
      );
    },
  },
];

module.exports = { backwardsScenarios };
