/** What a user sees of a check: squiggles, the Problems panel, the page of a finding, an ELF that cannot be read. */
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');

const problems = '.markers-panel';

async function openProblems(workbench) {
  await workbench.palette('View: Focus Problems (Errors, Warnings, Infos)');
  await workbench.page.locator(problems).first().waitFor();
}

/** Texts of the panel's rows, without the buttons. */
async function problemRows(workbench) {
  const rows = workbench.page.locator(`${problems} .monaco-list-row`);
  return (await rows.allInnerTexts()).map((text) => text.replaceAll(/\s+/g, ' ').trim());
}

async function waitForProblem(workbench, text) {
  await workbench.page.locator(`${problems} .monaco-list-row`, { hasText: text }).first().waitFor();
}

const findingScenarios = [
  {
    title: 'findings: imports that nothing provides are squiggles and problems, their code leads to a page',
    examples: { only: ['missing-import', 'hello'] },
    run: async (workbench) => {
      await workbench.openFile('missing-import/missing.c');
      await workbench.page.locator('.squiggly-error').nth(2).waitFor();
      await openProblems(workbench);
      await waitForProblem(workbench, "nothing provides 'prinkt'");
      const rows = await problemRows(workbench);
      assert.ok(
        rows.some((row) => row.includes("To do: write 'memcpy'") && row.includes('undefined-symbol')),
        rows.join('\n'),
      );
      await workbench.shot('findings-problems');
      await workbench.page
        .locator(`${problems} a`, { hasText: 'undefined-symbol' })
        .first()
        .click({ modifiers: ['Control'] });
      await workbench.line('# undefined-symbol: nothing provides an import').waitFor();
      await workbench.shot('findings-page');
    },
  },
  {
    title: 'findings: an ELF that cannot be read is one problem (light)',
    examples: { only: ['hello', 'missing-import'] },
    theme: 'light',
    prepare: (folder) => fs.writeFileSync(path.join(folder, 'hello/broken.llext'), 'not an ELF file at all'),
    run: async (workbench) => {
      await workbench.openFile('missing-import/missing.c');
      await openProblems(workbench);
      await waitForProblem(workbench, 'This extension ELF cannot be read');
      const rows = await problemRows(workbench);
      assert.equal(rows.filter((row) => row.includes('cannot be read')).length, 1, rows.join('\n'));
      await workbench.shot('findings-light');
    },
  },
];

module.exports = { findingScenarios };
