/**
 * The loader against Zephyr's own (test/golden): return codes, messages, every byte and address of regions and tables,
 * use counts, dependencies, unloading, malformed files. Twice: with the addresses that the heap model predicts, and
 * with every region placed where Zephyr had it.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import test from 'node:test';
import { compareRun, goldenCases, goldenImage, isArmImage, trimmedRoot, wholeRoot } from './support/golden';
import { llextLayout } from '../lib/llext/layout';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

function runAll(root: string, placed: boolean): { runs: number; variants: Set<string> } {
  const variants = new Set<string>();
  const failures: string[] = [];
  let runs = 0;
  for (const located of goldenCases(root, isArmImage)) {
    variants.add(located.golden.variant);
    for (const run of located.golden.runs) {
      runs++;
      for (const difference of compareRun(located, run, placed)) failures.push(`${located.id}: ${difference}`);
    }
  }
  assert.deepEqual(failures.slice(0, 20), [], `${failures.length} differences in ${runs} runs`);
  return { runs, variants };
}

const variants = 'a7-arm arm7 m0plus m3 m3-O0 m3-direct m3-fsec m3-ldr m3-movw m3-pic-so m3-reord m3-reord-direct';
const expectedVariants = [...variants.split(' '), 'm3-unwind', 'm4', 'sequences'];

for (const placed of [false, true]) {
  const how = placed ? 'every region placed where Zephyr had it' : 'addresses predicted by the heap model';
  test(`selected Arm cases, ${how}`, () => {
    const { runs, variants: seen } = runAll(trimmedRoot, placed);
    assert.deepEqual([...seen].sort(), expectedVariants);
    assert.ok(runs > 250, `${runs} runs`);
  });
  test(`all Arm cases, ${how}`, { skip: existsSync(wholeRoot) ? false : 'the whole collection is not here' }, () => {
    const { runs } = runAll(wholeRoot, placed);
    assert.ok(runs >= 960, `${runs} runs`);
  });
}

test('struct llext has the offsets that the images show', () => {
  for (const root of [trimmedRoot, wholeRoot]) {
    if (!existsSync(root)) continue;
    for (const file of readdirSync(join(root, 'images'))) {
      const image = JSON.parse(readFileSync(join(root, 'images', file), 'utf8')) as {
        ptr_size: 4 | 8;
        struct_llext: object;
      };
      assert.deepEqual({ ...llextLayout(image.ptr_size) }, image.struct_llext, file);
    }
  }
});

test('the MPU image rounds, the plain one does not', () => {
  assert.equal(goldenImage(trimmedRoot, 'arm-mpu').config.armMpu, true);
  assert.equal(goldenImage(trimmedRoot, 'arm').config.armMpu, false);
});
