/**
 * The emulator and Unicorn side by side: same code, data and registers, one run on each, results compared.
 *
 *   0x00010000  code, not writable, a slot for each case so that nothing is translated twice
 *   0x20000000  data, 16 KiB, whose bytes go on from case to case
 */
import type { TestContext } from 'node:test';
import { findCpu, type ArmCpu } from '../../lib/arch';
import { ArmMachine } from '../../lib/emulator/arm/arm-machine';
import { State } from '../../lib/emulator/arm/state';
import type { RunStop } from '../../lib/emulator/types';
import type { Random } from './random';
import { randomFloats } from './random-floats';
import { batchNames, floatNames, Unicorn, UC_CPU_ARM } from './unicorn';

export const codeBase = 0x10000;
export const slotSize = 256;
const codeSize = 0x1000000;
export const dataBase = 0x20000000;
export const dataSize = 0x4000;
/** N Z C V Q, and GE where there is the DSP Extension. */
export const apsrOf = (cpu: ArmCpu) => (cpu.isa.dsp ? 0xf80f0000 : 0xf8000000);

const models: Readonly<Record<string, number>> = {
  'cortex-m3': UC_CPU_ARM.CORTEX_M3,
  'cortex-m0': UC_CPU_ARM.CORTEX_M0,
  'cortex-m33': UC_CPU_ARM.CORTEX_M33,
  // Baseline is the mainline core restricted to its rows; Unicorn has no Cortex-M23.
  'cortex-m23': UC_CPU_ARM.CORTEX_M33,
  'cortex-m4': UC_CPU_ARM.CORTEX_M4,
  'cortex-m7': UC_CPU_ARM.CORTEX_M7,
};

export function cpuNamed(name: string): ArmCpu {
  const cpu = findCpu(name);
  if (cpu?.arch !== 'arm') throw new Error(`no CPU ${name}`);
  return cpu;
}

export interface Outcome {
  readonly stop: RunStop;
  /** uc_err. */
  readonly error: number;
  /** What differs, one line each. Registers and memory are compared when both have executed. */
  readonly differences: readonly string[];
}

/** r0..r12, sp, lr, pc, xpsr: 17 words; then s0..s31 and fpscr where there is the Floating-point Extension. */
export type Registers = Uint32Array;

const fpca = 4;
const comparePeriod = 50;

/** The first floating-point instruction sets FPCA; a write of CONTROL would not reach what Unicorn translates by. */
export function startFloats(unicorn: Unicorn): void {
  unicorn.write(codeBase, Uint8Array.of(0xb0, 0xee, 0x40, 0x0a)); // vmov.f32 s0, s0
  unicorn.run(codeBase, 1);
}

export class Lockstep {
  readonly machine: ArmMachine;
  private readonly theirs: Registers;
  private slot = 0;
  private uncompared = 0;
  private readonly apsr: number;
  /** What Registers hold. */
  readonly names: readonly string[];
  private readonly hasFloats: boolean;
  private readonly specials: readonly string[];

  static open(t: Pick<TestContext, 'skip'>, cpu: string): Lockstep | undefined {
    const unicorn = Unicorn.open(t, models[cpu]);
    return unicorn && new Lockstep(unicorn, cpuNamed(cpu));
  }

  private constructor(
    readonly unicorn: Unicorn,
    cpu: ArmCpu,
  ) {
    this.apsr = apsrOf(cpu);
    this.hasFloats = cpu.isa.fp !== 'none';
    this.names = this.hasFloats ? [...batchNames, ...floatNames] : batchNames;
    const code = {
      name: 'code',
      base: codeBase,
      size: codeSize,
      permissions: { read: true, write: false, execute: true },
    };
    const data = {
      name: 'data',
      base: dataBase,
      size: dataSize,
      permissions: { read: true, write: true, execute: false },
    };
    this.machine = new ArmMachine(cpu, [code, data]);
    this.theirs = new Uint32Array(this.names.length);
    const specials = ['control', 'msp', 'psp', 'primask', 'basepri', 'faultmask', 'msplim', 'psplim'];
    this.specials = specials.filter((name) => this.machine.state.registerNames.includes(name));
    unicorn.map(codeBase, codeSize, 5);
    unicorn.map(dataBase, dataSize, 3);
    if (this.hasFloats) startFloats(unicorn);
    unicorn.save();
  }

  fillData(random: Random): void {
    const bytes = new Uint8Array(dataSize).map(() => random.next() >>> 11);
    this.machine.memory.write(dataBase, bytes);
    this.unicorn.write(dataBase, bytes);
  }

  /** Puts halfwords at a fresh address, followed by a branch to itself, and returns it. */
  place(halfwords: readonly number[]): number {
    return this.placeAll([halfwords])[0];
  }

  /** Pieces of code in slots beside each other: writing to code that is not writable is dear in Unicorn. */
  placeAll(pieces: readonly (readonly number[])[]): number[] {
    if (this.slot + pieces.length > codeSize / slotSize) this.slot = 0;
    const address = codeBase + this.slot * slotSize;
    this.slot += pieces.length;
    const bytes = new Uint8Array(pieces.length * slotSize);
    const halves = new Uint16Array(bytes.buffer);
    pieces.forEach((halfwords, i) => halves.set([...halfwords, 0xe7fe, 0xe7fe], (i * slotSize) / 2));
    this.machine.memory.write(address, bytes);
    this.unicorn.write(address, bytes);
    // An earlier branch may have led here.
    this.unicorn.forget(address, address + bytes.length);
    return pieces.map((_, i) => address + i * slotSize);
  }

  /** Registers for a case: half of them point into the data, so that loads and stores find memory. */
  randomRegisters(random: Random): Registers {
    const registers = new Uint32Array(this.names.length);
    for (let i = 0; i < 15; i++) registers[i] = random.below(2) === 0 ? this.dataAddress(random) : random.word();
    registers[13] = (dataBase + 0x1000 + random.below(0x2000)) & ~3;
    if (random.below(4) === 0) registers[14] |= 1;
    registers[16] = (random.next() & this.apsr) | 0x01000000;
    if (this.hasFloats) registers.set(randomFloats(random), batchNames.length);
    return registers;
  }

  private dataAddress(random: Random): number {
    const address = dataBase + 0x800 + random.below(dataSize - 0x1000);
    return random.below(4) === 0 ? address : address & ~3;
  }

  /** Runs `count` instructions from pc on both; Unicorn's hook does not count an IT, so its number may differ. */
  run(registers: Registers, pc: number, count: number, theirCount = count): Outcome {
    const { machine, unicorn } = this;
    registers[15] = pc;
    this.setTheirs(registers);
    this.setRegisters(registers);
    const stop = machine.run(count);
    const error = unicorn.run(pc, theirCount);
    this.readTheirs();
    const differences = stop.reason === 'fault' ? this.unchanged(registers) : error === 0 ? this.compare() : [];
    return { stop, error, differences };
  }

  /**
   * A straight piece of code of `count` instructions from pc to `end`. Where we stop early for a fault, Unicorn runs up to
   * that instruction: all registers and memory must be equal there.
   */
  runThrough(registers: Registers, pc: number, count: number, end: number): Outcome {
    const { machine, unicorn } = this;
    registers[15] = pc;
    this.setRegisters(registers);
    const stop = machine.run(count);
    const until = machine.state.read('pc');
    if (stop.reason !== 'fault' && until !== end)
      return { stop, error: 0, differences: [`pc ${hex(until)}, not ${hex(end)}`] };
    this.setTheirs(registers);
    const error = until === pc ? 0 : unicorn.run(pc, 8 * count, until);
    this.readTheirs();
    const differences = error === 0 ? this.compare() : [];
    // Unicorn does not always stop in or after an IT block: then it meets the fault itself.
    return { stop, error: stop.reason === 'fault' ? 0 : error, differences };
  }

  private setRegisters(registers: Registers): void {
    const { state, memory } = this.machine;
    // As in the context that Unicorn goes back to: an LDREX of an earlier case is forgotten.
    memory.state[State.monitorSize] = 0;
    for (const name of this.specials) state.write(name, 0);
    // FPCA, so that the first instruction does not load FPSCR from FPDSCR.
    if (this.hasFloats) state.write('control', fpca);
    this.names.forEach((name, i) => state.write(name, registers[i]));
  }

  setTheirs(registers: Registers): void {
    const { unicorn } = this;
    unicorn.restore();
    unicorn.batch.set(registers.subarray(0, batchNames.length));
    unicorn.writeBatch();
    if (!this.hasFloats) return;
    unicorn.floats.set(registers.subarray(batchNames.length));
    unicorn.writeFloats();
  }

  readTheirs(): Registers {
    this.unicorn.readBatch();
    this.theirs.set(this.unicorn.batch);
    if (this.hasFloats) {
      this.unicorn.readFloats();
      this.theirs.set(this.unicorn.floats, batchNames.length);
    }
    return this.theirs;
  }

  /** After a fault: no register of ours may have changed. */
  private unchanged(registers: Registers): string[] {
    return this.names.flatMap((name, i) => {
      const value = this.machineValue(name);
      const before = name === 'xpsr' ? (registers[i] & this.apsr) >>> 0 : registers[i];
      // The fault may be in an IT block, whose IT has executed.
      if (name === 'pc') return [];
      return value === before ? [] : [`${name} changed by a fault: ${hex(before)} -> ${hex(value)}`];
    });
  }

  private compare(): string[] {
    const differences = this.names.flatMap((name, i) => {
      const ours = this.machineValue(name);
      const theirs = name === 'xpsr' ? (this.theirs[i] & this.apsr) >>> 0 : this.theirs[i] & (name === 'pc' ? ~1 : -1);
      return ours === theirs >>> 0 ? [] : [`${name}: ${hex(ours)}, Unicorn ${hex(theirs >>> 0)}`];
    });
    return [...differences, ...this.compareMemory()];
  }

  /** A stray store that neither engine should have made is found some cases later: reading all data is the slowest part. */
  private compareMemory(): string[] {
    const written = this.machine.memory.dirtyPages().length > 0;
    if (!written && ++this.uncompared < comparePeriod) return [];
    this.uncompared = 0;
    this.machine.memory.clearDirty();
    const ours = this.machine.memory.read(dataBase, dataSize);
    const theirs = this.unicorn.read(dataBase, dataSize);
    if (Buffer.compare(ours, theirs) !== 0) {
      const at = ours.findIndex((byte, i) => byte !== theirs[i]);
      return [`memory at ${hex(dataBase + at)}: ${ours[at]}, Unicorn ${theirs[at]}`];
    }
    return [];
  }

  private machineValue(name: string): number {
    const value = this.machine.state.read(name);
    return name === 'xpsr' ? (value & this.apsr) >>> 0 : value;
  }

  /** Makes the data of both equal again after a case that only one of them has executed. */
  resynchronize(): void {
    this.unicorn.write(dataBase, this.machine.memory.read(dataBase, dataSize));
  }
}

export const hex = (value: number) => `0x${value.toString(16)}`;
