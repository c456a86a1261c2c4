/** The tree of entries against llvm-dwarfdump 14: every entry, attribute, form and value, in every extension. */
import { relative } from 'node:path';
import { test } from 'node:test';
import { compareEntriesOf } from './support/compare-entries';
import { allExtensionPaths, projectRoot } from './support/fixtures';
import { ownTruthCases, truthElfPath } from './support/gdb-truth';
import { requireTool } from './support/tools';

for (const path of [...ownTruthCases().map(truthElfPath), ...allExtensionPaths()]) {
  test(`the entries of ${relative(projectRoot, path)} are llvm-dwarfdump's`, (t) => {
    const dwarfdump = requireTool(t, 'llvm-dwarfdump-14');
    if (dwarfdump !== undefined) compareEntriesOf(dwarfdump, path);
  });
}
