/**
 * Backwards and forwards in time while memory safety is checked: at every moment of random lives of unsafe programs what is known of each
 * byte, bit and block is what a target has that was led there by single steps.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findCpu } from '../lib/arch';
import { newLife } from './support/history-program';
import { Random } from './support/random';
import { liveUnsafely, passingBySteps, passingFreely, safetyFingerprint } from './support/safety-life';

const shared = [{ address: 0x2000_0800, size: 4, writable: true }];

async function checkLife(name: string, seed: number, jit: boolean, historyMiB?: number): Promise<void> {
  const cpu = findCpu(name);
  assert.ok(cpu !== undefined);
  const life = newLife(cpu, jit, historyMiB, shared);
  const { target } = life;
  await liveUnsafely(life, cpu, seed, passingFreely);
  const { end, start } = target.history;
  const random = new Random(seed + 1000);
  const times = Array.from({ length: 12 }, () => start + random.below(end - start + 1)).sort((a, b) => a - b);
  const expected = new Map<number, string>();
  // What is recorded has moments of its own for switching the checks: the reference records too.
  const reference = newLife(cpu, false, 32, shared);
  const look = () => expected.set(reference.target.history.now, safetyFingerprint(reference.target));
  await liveUnsafely(reference, cpu, seed, passingBySteps(times, look));
  assert.equal(reference.target.history.now, end, 'both lives have the same length');
  assert.deepEqual(reference.output, life.output);
  expected.set(end, safetyFingerprint(reference.target));
  assert.ok(expected.size > 5, `${expected.size} moments`);
  const moments = [...expected.keys()];
  const shuffled = moments.toSorted((a, b) => ((a * 7919) % 101) - ((b * 7919) % 101));
  for (const time of [...moments.toReversed(), ...moments, ...shuffled]) {
    await target.goTo(time);
    const text = `${name}, seed ${seed}, jit ${jit}: moment ${time} of ${end}`;
    assert.equal(safetyFingerprint(target), expected.get(time), text);
  }
}

for (const name of ['cortex-m3', 'cortex-m33', 'rv32imac', 'rv64imac']) {
  for (const jit of [false, true]) {
    test(`unsafe lives on ${name}, ${jit ? 'translated' : 'interpreted'}, are the same in every direction`, async () => {
      // 102: calls of the host that are refused and let pass, on RISC-V behind AUIPC ra and JALR ra.
      await checkLife(name, name === 'rv64imac' && jit ? 102 : jit ? 1 : 2, jit);
    });
  }
}
