/** Machines with random programs in them, made again and again alike: for what is compared with itself, run in another way. */
import assert from 'node:assert/strict';
import { findCpu } from '../../lib/arch';
import { createMachine } from '../../lib/emulator/machine';
import type { JitOptions } from '../../lib/emulator/jit/jit';
import type { Machine, MemoryRegion } from '../../lib/emulator/types';
import { cpuNamed } from './lockstep';
import { Random } from './random';
import { ThumbProgram } from './random-thumb';
import { riscvWatchProgram } from './watch-programs';

export const codeBase = 0x10000;
export const dataBase = 0x2000_0000;
export const end = 0x1ff00;
export const regions: readonly MemoryRegion[] = [
  { name: 'code', base: codeBase, size: 0x10000, permissions: { read: true, write: false, execute: true } },
  { name: 'data', base: dataBase, size: 0x4000, permissions: { read: true, write: true, execute: false } },
];
export const bytesOf = (halfwords: readonly number[]) => Uint8Array.from(halfwords.flatMap((h) => [h & 0xff, h >>> 8]));

/** A machine that translates from the first instruction on, unless told otherwise. */
export type MakeMachine = (jit?: JitOptions | 'off') => Machine;

const everything: JitOptions = { threshold: 0 };
const optionsOf = (jit: JitOptions | 'off' = everything) => (jit === 'off' ? undefined : jit);

export function thumbMachine(name: string, seed: number): MakeMachine {
  const random = new Random(Math.imul(seed, 0x9e3779b1));
  const { halfwords, entry } = new ThumbProgram(cpuNamed(name), random, codeBase).make();
  const values = Array.from({ length: 7 }, () => random.word());
  return (jit) => {
    const machine = createMachine({ cpu: cpuNamed(name), regions, jit: optionsOf(jit) });
    machine.memory.write(codeBase, bytesOf(halfwords));
    machine.setHostCall(end);
    values.forEach((value, i) => machine.state.write(`r${i}`, value));
    const start = { r8: dataBase + 0x800, sp: dataBase + 0x3f00, lr: end | 1, pc: entry };
    for (const [register, value] of Object.entries(start)) machine.state.write(register, value);
    machine.state.write('xpsr', 0x01000000);
    return machine;
  };
}

export function riscvMachine(name: string, seed: number): MakeMachine {
  const cpu = findCpu(name);
  assert.ok(cpu?.arch === 'riscv');
  const pointers = { code: codeBase, data: dataBase + 0x1f00, sp: dataBase + 0x3f00 };
  const random = new Random(Math.imul(seed, 0x9e3779b1));
  const { halfwords } = riscvWatchProgram(random, pointers, cpu.isa.xlen);
  return (jit) => {
    const machine = createMachine({ cpu, regions, jit: optionsOf(jit) });
    machine.memory.write(codeBase, bytesOf(halfwords));
    machine.setHostCall(end);
    const start = { t2: 5 + (seed % 20), s0: pointers.data, s1: (pointers.data + 7) & ~7, sp: pointers.sp, ra: end };
    for (const [register, value] of Object.entries(start)) machine.state.write(register, value);
    machine.state.write('pc', codeBase);
    return machine;
  };
}

/** Executions by pc, and the lowest sp after any instruction. */
export function singleSteps(machine: Machine) {
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
