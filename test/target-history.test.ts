/**
 * Backwards and forwards in time: at every moment of random lives all of memory, the registers, the kernel and the list of
 * extensions are bit for bit what a target that was led there by single steps has; output is given once.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { findCpu } from '../lib/arch';
import { EmulatedTarget } from '../lib/target/emulated-target';
import { projectRoot } from './support/fixtures';
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

test('snapshots never take more bytes than they may; what is thinned out is reached from those that are left', async () => {
  const historyMiB = 0.25;
  const target = EmulatedTarget.create({ heapSizeKiB: 2048, historyMiB });
  const bytes = new Uint8Array(readFileSync(join(projectRoot, 'test/dap-programs/dirty.m3-O2.elf')));
  const outcome = target.loadExtension({ name: 'dirty', bytes });
  assert.ok(outcome.loaded);
  const entry = outcome.extension.expTab.symbols.find(({ address }) => outcome.extension.hasCodeAt(address));
  assert.ok(entry);
  target.prepareCall(entry.address, [200n]);
  const { history } = target;
  const expected = new Map<number, string>();
  for (let i = 0; i < 50; i++) {
    const stop = await target.resume({ kind: 'continue', until: history.now + 200_000 });
    assert.equal(stop.reason, 'pause');
    assert.ok(history.bytes <= historyMiB * 2 ** 20, `${history.bytes} bytes in ${history.snapshotCount} snapshots`);
    if (i % 12 === 1) expected.set(history.now, fingerprint(target));
  }
  assert.ok(history.snapshotCount > 1 && !history.hasLost);
  for (const [time, state] of [...expected].toReversed()) {
    await target.goTo(time);
    assert.equal(fingerprint(target), state, `moment ${time}`);
  }
  await target.goTo(history.start);
  assert.equal(target.machine.instructionCount, 0);
});
