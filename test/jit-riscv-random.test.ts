/** Random RISC-V programs in both engines, stopped at random instruction counts: all registers, memory and counts are equal. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findCpu, type RiscvCpu } from '../lib/arch';
import type { MemoryRegion } from '../lib/emulator/types';
import { EnginePair } from './support/engine-pair';
import { Random } from './support/random';
import { ControlProgram } from './support/riscv-control-program';

const codeBase = 0x10000;
const dataBase = 0x2000_0000;
const stackTop = 0x3000_3f00;
const end = 0x1ff00;

const regions: readonly MemoryRegion[] = [
  { name: 'code', base: codeBase, size: 0x10000, permissions: { read: true, write: false, execute: true } },
  { name: 'data', base: dataBase, size: 0x4000, permissions: { read: true, write: true, execute: false } },
  { name: 'stack', base: 0x3000_0000, size: 0x4000, permissions: { read: true, write: true, execute: false } },
];

const bytesOf = (halfwords: readonly number[]) => Uint8Array.from(halfwords.flatMap((h) => [h & 0xff, h >>> 8]));

function runProgram(cpu: RiscvCpu, seed: number): EnginePair {
  const random = new Random(seed);
  const { halfwords, entry } = new ControlProgram(cpu, random, codeBase).make();
  const pair = new EnginePair(cpu, regions);
  const data = new Uint8Array(0x4000).map(() => random.next() >>> 11);
  const values = pair.interpreted.state.registerNames
    .filter((name) => /^([ast]\d+|f[ast]\d+)$/.test(name))
    .map((name) => [name, BigInt(random.word()) | (BigInt(random.word()) << 32n)] as const);
  pair.both(({ memory, state }) => {
    memory.write(codeBase, bytesOf(halfwords));
    memory.write(dataBase, data);
    for (const [name, value] of values) state.writeWide(name, value);
    state.write('s0', dataBase + 0x1000);
    state.write('s1', dataBase + 0x2400);
    state.write('sp', stackTop);
    state.write('ra', end);
    state.write('pc', entry);
  });
  pair.both((machine) => {
    machine.setHostCall(end);
    if (seed % 3 === 0) machine.setStackLimit(stackTop - 0x50);
  });
  for (let runs = 0; runs < 30; runs++) {
    const budget = random.below(4) === 0 ? random.below(100) : 64 + random.below(3000);
    const stop = pair.run(budget, `${cpu.name}, seed ${seed}, run ${runs}`);
    if (stop.reason !== 'budget') break;
  }
  return pair;
}

for (const [name, programs] of [
  ['rv32imac', 24],
  ['rv32imafdc', 10],
  ['rv64imac', 14],
  ['rv64imafdc', 8],
] as const) {
  test(`${programs} programs on ${name}`, () => {
    const cpu = findCpu(name);
    assert.ok(cpu?.arch === 'riscv');
    let share = 0;
    for (let seed = 1; seed <= programs; seed++) share += runProgram(cpu, seed).share;
    // Most of it must have been translated code, else nothing was compared.
    assert.ok(share / programs > 0.4, `${share / programs} of the instructions were translated`);
  });
}
