/**
 * Accounts of the engine beside a machine that keeps none and executes one instruction at a time: executions of each instruction, the
 * deepest stack pointer, calls. Random programs, run in pieces of random length, with watchpoints and breakpoints in between.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findCpu } from '../lib/arch';
import { createMachine } from '../lib/emulator/machine';
import type { Machine, MemoryRegion } from '../lib/emulator/types';
import { cpuNamed } from './support/lockstep';
import { Random } from './support/random';
import { ThumbProgram } from './support/random-thumb';
import { riscvWatchProgram } from './support/watch-programs';

const codeBase = 0x10000;
const dataBase = 0x2000_0000;
const end = 0x1ff00;
const regions: readonly MemoryRegion[] = [
  { name: 'code', base: codeBase, size: 0x10000, permissions: { read: true, write: false, execute: true } },
  { name: 'data', base: dataBase, size: 0x4000, permissions: { read: true, write: true, execute: false } },
];
const bytesOf = (halfwords: readonly number[]) => Uint8Array.from(halfwords.flatMap((h) => [h & 0xff, h >>> 8]));

function thumb(name: string, seed: number): () => Machine {
  const random = new Random(Math.imul(seed, 0x9e3779b1));
  const { halfwords, entry } = new ThumbProgram(cpuNamed(name), random, codeBase).make();
  const values = Array.from({ length: 7 }, () => random.word());
  return () => {
    const machine = createMachine({ cpu: cpuNamed(name), regions, jit: { threshold: 0 } });
    machine.memory.write(codeBase, bytesOf(halfwords));
    machine.setHostCall(end);
    values.forEach((value, i) => machine.state.write(`r${i}`, value));
    const start = { r8: dataBase + 0x800, sp: dataBase + 0x3f00, lr: end | 1, pc: entry };
    for (const [register, value] of Object.entries(start)) machine.state.write(register, value);
    machine.state.write('xpsr', 0x01000000);
    return machine;
  };
}

function riscv(name: string, seed: number): () => Machine {
  const cpu = findCpu(name);
  assert.ok(cpu?.arch === 'riscv');
  const pointers = { code: codeBase, data: dataBase + 0x1f00, sp: dataBase + 0x3f00 };
  const random = new Random(Math.imul(seed, 0x9e3779b1));
  const { halfwords } = riscvWatchProgram(random, pointers, cpu.isa.xlen);
  return () => {
    const machine = createMachine({ cpu, regions, jit: { threshold: 0 } });
    machine.memory.write(codeBase, bytesOf(halfwords));
    machine.setHostCall(end);
    const start = { t2: 5 + (seed % 20), s0: pointers.data, s1: (pointers.data + 7) & ~7, sp: pointers.sp, ra: end };
    for (const [register, value] of Object.entries(start)) machine.state.write(register, value);
    machine.state.write('pc', codeBase);
    return machine;
  };
}

/** Executions by pc, and the lowest sp after any instruction. */
function singleSteps(machine: Machine) {
  const counts = new Map<number, number>();
  let lowest = machine.state.read('sp');
  for (;;) {
    const { pc } = machine.state;
    const before = machine.instructionCount;
    const stop = machine.run(1);
    if (machine.instructionCount === before) return { counts, lowest, reason: stop.reason };
    counts.set(pc, (counts.get(pc) ?? 0) + 1);
    lowest = Math.min(lowest, machine.state.read('sp'));
  }
}

function compare(make: () => Machine, seed: number, text: string): number {
  const expected = singleSteps(make());
  const machine = make();
  let lowest = machine.state.read('sp');
  let calls = 0;
  const accounts = machine.keepAccounts?.((_from, to, returnAddress) => {
    lowest = Math.min(lowest, machine.state.read('sp'));
    if (returnAddress === undefined) return;
    calls++;
    assert.notEqual(to, returnAddress, text);
  });
  assert.ok(accounts);
  const random = new Random(seed + 3);
  const [stopAt] = [...expected.counts.keys()].slice(random.below(expected.counts.size));
  machine.setBreakpoint(stopAt);
  machine.watchpoints?.add({ address: dataBase + 0x800 + random.below(0x300), length: 16, kind: 'access' });
  let reason = '';
  for (let i = 0; i < 1_000_000 && reason !== expected.reason; i++) {
    if (i === 50) machine.clearBreakpoint(stopAt);
    reason = machine.run(random.below(4) === 0 ? 1 : 1 + random.below(3000), true).reason;
  }
  assert.deepEqual(
    [...accounts.counts].sort(([a], [b]) => a - b),
    [...expected.counts].sort(([a], [b]) => a - b),
    text,
  );
  assert.equal(lowest, expected.lowest, text);
  return calls;
}

test('executions, stack pointer and calls of random programs', () => {
  let calls = 0;
  for (let seed = 1; seed <= 24; seed++) {
    const name = ['cortex-m3', 'cortex-m33'][seed % 2];
    calls += compare(thumb(name, seed), seed, `${name}, seed ${seed}`);
  }
  assert.ok(calls > 50, `${calls} calls`);
  for (let seed = 1; seed <= 16; seed++) {
    const name = ['rv32imafdc', 'rv64imafdc'][seed % 2];
    compare(riscv(name, seed), seed, `${name}, seed ${seed}`);
  }
});

test('code that has been written is counted as what it is now', () => {
  // NOP; STRH r1, [r0]; ISB; a NOP that becomes the first half of NOP.W; its second half; BX lr.
  const writable = regions.map((region) => ({ ...region, permissions: { read: true, write: true, execute: true } }));
  const make = () => {
    const machine = createMachine({ cpu: cpuNamed('cortex-m3'), regions: writable });
    machine.memory.write(codeBase, bytesOf([0xbf00, 0x8001, 0xf3bf, 0x8f6f, 0xbf00, 0x8000, 0x4770]));
    machine.setHostCall(end);
    for (const [register, value] of Object.entries({ r0: codeBase + 8, r1: 0xf3af, lr: end | 1, pc: codeBase })) {
      machine.state.write(register, value);
    }
    return machine;
  };
  const expected = singleSteps(make());
  const machine = make();
  const accounts = machine.keepAccounts?.(() => undefined);
  assert.equal(machine.run(100).reason, 'host-call');
  assert.deepEqual(new Map(accounts?.counts), expected.counts);
  machine.keepAccounts?.(undefined);
});
