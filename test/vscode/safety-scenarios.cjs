/** Memory safety: the exception widget of a stop before an unsafe access. */
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { project, writeLaunch } = require('./runtime.cjs');

const name = 'unsafe.m3-O0.elf';

/** test/safety-programs in the workspace, with a launch configuration that uses memory after it was freed. */
function prepare(folder) {
  for (const file of [name, 'unsafe.c']) {
    fs.copyFileSync(path.join(project, 'test/safety-programs', file), path.join(folder, file));
  }
  const program = '${workspaceFolder}/' + name;
  const configuration = { name: 'unsafe', type: 'llext', request: 'launch', program, args: [2, 0] };
  writeLaunch(folder, configuration);
}

const scenario = (theme) => ({
  title: `a use after free stops before the access, ${theme}: what, where, whose, the C lines of allocation and free`,
  theme,
  prepare,
  run: async (workbench) => {
    const { page } = workbench;
    await workbench.openFile('unsafe.c');
    await workbench.toggleBreakpoint('#ALLOCATION');
    await workbench.startDebugging();
    await workbench.waitForStop();
    const filter = page.locator('.debug-breakpoints .monaco-list-row', { hasText: 'Memory: access outside' }).first();
    const box = filter.getByRole('checkbox').first();
    // VS Code keeps the choice of an earlier session.
    if ((await box.getAttribute('aria-checked')) !== 'true') await box.click();
    await workbench.palette('Debug: Continue');
    const widget = page.locator('.exception-widget');
    await widget.waitFor();
    const text = (await widget.innerText()).replace(/\s+/g, ' ');
    for (const said of [
      /read of 1 byte at 0x[0-9a-f]+, which is not the extension's/,
      /in the block of 13 bytes at 0x[0-9a-f]+, which is freed/,
      /Allocated by malloc at unsafe\.c:24/,
      /Freed by free at unsafe\.c:32/,
    ]) {
      assert.match(text, said);
    }
    await workbench.shot(`unsafe-${theme}`);
  },
});

module.exports = { safetyScenarios: [scenario('dark'), scenario('light')] };
