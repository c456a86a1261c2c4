/** Random programs in both engines, stopped at random instruction counts: all registers, flags, memory and counts are equal. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MemoryRegion } from '../lib/emulator/types';
import { EnginePair } from './support/engine-pair';
import { cpuNamed } from './support/lockstep';
import { Random } from './support/random';
import { ThumbProgram } from './support/random-thumb';

const codeBase = 0x10000;
const dataBase = 0x2000_0000;
const end = 0x1ff00;

const regions: readonly MemoryRegion[] = [
  { name: 'code', base: codeBase, size: 0x10000, permissions: { read: true, write: false, execute: true } },
  { name: 'data', base: dataBase, size: 0x4000, permissions: { read: true, write: true, execute: false } },
];

const bytesOf = (halfwords: readonly number[]) => Uint8Array.from(halfwords.flatMap((h) => [h & 0xff, h >>> 8]));

function runProgram(cpu: string, seed: number): EnginePair {
  const random = new Random(seed);
  const { halfwords, entry } = new ThumbProgram(cpuNamed(cpu), random, codeBase).make();
  const pair = new EnginePair(cpuNamed(cpu), regions);
  const data = new Uint8Array(0x4000).map(() => random.next() >>> 11);
  const registers = Array.from({ length: 7 }, () => random.word());
  const xpsr = (random.next() & 0xf8000000) | 0x01000000;
  pair.both((machine) => {
    machine.memory.write(codeBase, bytesOf(halfwords));
    machine.memory.write(dataBase, data);
    machine.setHostCall(end);
    registers.forEach((value, i) => machine.state.write(`r${i}`, value));
    machine.state.write('r8', dataBase + 0x800 + (seed % 2 === 0 ? 0 : 0x400));
    machine.state.write('sp', dataBase + 0x3f00);
    machine.state.write('lr', end | 1);
    machine.state.write('pc', entry);
    machine.state.write('xpsr', xpsr);
    if (seed % 3 === 0) machine.setStackLimit(dataBase + 0x3e00);
  });
  for (let runs = 0; runs < 30; runs++) {
    const budget = random.below(4) === 0 ? random.below(100) : 64 + random.below(3000);
    const stop = pair.run(budget, `${cpu}, seed ${seed}, run ${runs}`);
    if (stop.reason !== 'budget') break;
  }
  return pair;
}

for (const [cpu, programs] of [
  ['cortex-m3', 50],
  ['cortex-m33', 20],
] as const) {
  test(`${programs} programs on ${cpu}`, () => {
    let share = 0;
    for (let seed = 1; seed <= programs; seed++) share += runProgram(cpu, seed).share;
    // Most of it must have been translated code, else nothing was compared.
    assert.ok(share / programs > 0.5, `${share / programs} of the instructions were translated`);
  });
}
