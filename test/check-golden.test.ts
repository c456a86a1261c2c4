/**
 * `llext check` against Zephyr's own loader (test/golden): an error for every load that it refused, and none for those
 * that it took. Files are checked in the order in which a case loads them, on the image of the case.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import test from 'node:test';
import type { CheckBase } from '../lib/check/base';
import { checkFiles } from '../lib/check/check';
import type { LlextStorage } from '../lib/llext/types';
import { goldenCases, goldenElf, goldenImage, trimmedRoot, wholeRoot } from './support/golden';
import type { GoldenOp, GoldenRun, LocatedCase } from './support/golden';

const storages: readonly LlextStorage[] = ['temporary', 'persistent', 'writable'];

/** Parameters that a check does not have: what it supposes is the default. */
function isOrdinary({ relocate_local, pre_located, ret = 0 }: GoldenOp): boolean {
  // A positive result is the use count of a name that is taken, which the check calls an error of its own.
  return relocate_local !== 0 && pre_located !== 1 && ret <= 0;
}

/** undefined: another kind of run, such as one that unloads in between. */
function loadsOf(run: GoldenRun): GoldenOp[] | undefined {
  const loads = run.ops.filter(({ op }) => op === 'load');
  const first = run.ops.findIndex(({ op }) => op === 'unload');
  const last = run.ops.findLastIndex(({ op }) => op === 'load');
  const storage = loads[0]?.storage;
  const same = loads.every((op) => op.storage === storage && op.nopeek === loads[0].nopeek);
  return loads.length > 0 && loads.every(isOrdinary) && same && (first < 0 || first > last) ? loads : undefined;
}

function compare(located: LocatedCase, run: GoldenRun, loads: readonly GoldenOp[]): string[] {
  const image = goldenImage(located.root, run.image);
  const base: CheckBase = { ...image, addressesKnown: true, heapKnown: true };
  const inputs = loads.map((op) => ({
    file: op.file ?? '',
    name: op.req_name ?? '',
    bytes: goldenElf(located, op),
  }));
  const { storage = 0, nopeek } = loads[0];
  const report = checkFiles(inputs, { base, storage: storages[storage], peek: nopeek !== 1 });
  return report.files.flatMap(({ findings, ret }, i) => {
    const errors = findings.filter(({ severity }) => severity === 'error').map(({ code }) => code);
    const refused = (loads[i].ret ?? -1) < 0;
    if (refused === errors.length > 0) return [];
    return [
      `${located.id} ${run.image} ${loads[i].file ?? ''}: Zephyr ${loads[i].ret ?? 'faulted'}, here ${ret}, errors ${errors.join(' ')}`,
    ];
  });
}

function runAll(root: string): { refused: number; taken: number; codes: number } {
  const wrong: string[] = [];
  let [refused, taken, codes] = [0, 0, 0];
  const seen = new Set<string>();
  for (const located of goldenCases(root, () => true)) {
    for (const run of located.golden.runs) {
      const loads = loadsOf(run);
      // One image of a kind says it; the others differ in their log level.
      const key = `${located.id} ${run.image.replace('-err', '')} ${String(loads?.[0]?.storage)} ${String(loads?.[0]?.nopeek)}`;
      if (loads === undefined || seen.has(key)) continue;
      seen.add(key);
      wrong.push(...compare(located, run, loads));
      for (const { ret } of loads) {
        if ((ret ?? -1) < 0) refused++;
        else taken++;
      }
      codes++;
    }
  }
  assert.deepEqual(wrong.slice(0, 20), [], `${wrong.length} differences`);
  return { refused, taken, codes };
}

test('an error for every load that Zephyr refused, none for those that it took', () => {
  const { refused, taken } = runAll(trimmedRoot);
  assert.ok(refused > 40 && taken > 100, `${refused} refused, ${taken} taken`);
});

test(
  'the same for the whole collection',
  { skip: existsSync(wholeRoot) ? false : 'the whole collection is not here' },
  () => {
    const { refused, taken } = runAll(wholeRoot);
    assert.ok(refused > 100 && taken > 300, `${refused} refused, ${taken} taken`);
  },
);
