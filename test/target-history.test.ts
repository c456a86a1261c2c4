/**
 * Backwards and forwards in time: at every moment of random lives all of memory, the registers, the kernel and the list of
 * extensions are bit for bit what a target that was led there by single steps has; output is given once.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findCpu } from '../lib/arch';
import { fingerprint, live, newLife, runFreely, steppingThrough } from './support/history-program';
import { Random } from './support/random';

async function checkLife(name: string, seed: number, jit: boolean, historyMiB?: number): Promise<void> {
  const cpu = findCpu(name);
  assert.ok(cpu !== undefined);
  const life = newLife(cpu, jit, historyMiB);
  const { target } = life;
  await live(life, cpu, seed, runFreely);
  const { end, start } = target.history;
  const printed = life.output.join('');
  const random = new Random(seed + 1000);
  const times = Array.from({ length: 14 }, () => start + random.below(end - start + 1)).sort((a, b) => a - b);
  const expected = new Map<number, string>();
  const reference = newLife(cpu, false, 0);
  const look = () => expected.set(reference.target.history.now, fingerprint(reference.target));
  await live(reference, cpu, seed, steppingThrough(times, look));
  assert.equal(reference.target.history.now, end, 'both lives have the same length');
  assert.equal(reference.output.join(''), printed);
  expected.set(end, fingerprint(reference.target));
  assert.ok(expected.size > 6, `${expected.size} moments`);
  const moments = [...expected.keys()];
  for (const time of [end, ...moments.toReversed(), ...moments, ...shuffled(moments, random)]) {
    await target.goTo(time);
    assert.equal(
      fingerprint(target),
      expected.get(time),
      `${name}, seed ${seed}, jit ${jit}: moment ${time} of ${end}`,
    );
  }
  await target.goTo(start);
  await target.goTo(end);
  assert.equal(fingerprint(target), expected.get(end));
  assert.equal(life.output.join(''), printed, 'nothing is printed again');
}

function shuffled(moments: readonly number[], random: Random): number[] {
  return moments
    .map((time) => [random.next(), time])
    .sort(([a], [b]) => a - b)
    .map(([, time]) => time);
}

for (const name of ['cortex-m3', 'cortex-m33', 'rv32imac', 'rv64imafdc']) {
  for (const jit of [false, true]) {
    test(`random lives on ${name}, ${jit ? 'translated' : 'interpreted'}, are the same in every direction`, async () => {
      await checkLife(name, jit ? 1 : 2, jit);
    });
  }
}
