/**
 * Control and status registers: unprivileged specification 9 and 10, privileged specification chapter 2 and 3.1, for a
 * hart with machine and user mode. A register that has no row does not exist: accessing it is an illegal instruction.
 * Values are unsigned, of XLEN bits.
 */
import { Stop } from '../stop';
import type { Core } from './core';
import { pmpEntries } from './pmp';
import { CsrAccess } from './rows-base';
import { Mstatus, Privilege, State } from './state';

export interface Csr {
  readonly number: number;
  readonly name: string;
  /** Only on RV32: the upper half of a 64-bit counter, or mstatush. */
  readonly only32?: true;
  readonly float?: true;
  /** Bit of mcounteren that lets user mode read it. */
  readonly counter?: number;
  /** The PMP registers of RV64 have even numbers only. */
  readonly evenOn64?: true;
  read(core: Core): bigint;
  /** Absent: writes have no effect (WARL). Registers whose number says read-only refuse the write before. */
  write?(core: Core, value: bigint): void;
}

const pair = (core: Core, word: number): bigint =>
  (BigInt(core.memory.state[word + 1] >>> 0) << 32n) | BigInt(core.memory.state[word] >>> 0);

function setPair(core: Core, word: number, value: bigint): void {
  core.memory.state[word] = Number(BigInt.asIntN(32, value));
  core.memory.state[word + 1] = Number(BigInt.asIntN(32, value >> 32n));
}

const masked = (number: number, name: string, word: number, mask: number): Csr => ({
  number,
  name,
  read: (core) => BigInt(core.memory.state[word] & mask),
  write: (core, value) => {
    core.memory.state[word] = Number(BigInt.asUintN(32, value)) & mask;
  },
});

const zero = (number: number, name: string, more?: Partial<Csr>): Csr => ({ number, name, read: () => 0n, ...more });

const whole = (number: number, name: string, word: number): Csr => ({
  number,
  name,
  read: (core) => pair(core, word),
  write: (core, value) => setPair(core, word, value),
});

const floats: readonly Csr[] = [
  { ...masked(0x001, 'fflags', State.fflags, 0x1f), float: true },
  { ...masked(0x002, 'frm', State.frm, 7), float: true },
  {
    number: 0x003,
    name: 'fcsr',
    float: true,
    read: ({ memory: { state } }) => BigInt((state[State.frm] << 5) | state[State.fflags]),
    write({ memory: { state } }, value) {
      state[State.fflags] = Number(value & 0x1fn);
      state[State.frm] = Number((value >> 5n) & 7n);
    },
  },
];

/** Interrupts that a hart without supervisor mode has: software 3, timer 7, external 11. */
export const interruptBits = 0x888;
const priorities = [11, 3, 7];

const extensionBit = (letter: string) => 1 << (letter.charCodeAt(0) - 'A'.charCodeAt(0));

function readMisa({ cpu: { isa } }: Core): bigint {
  const letters = ['I', 'C', 'U', ...(isa.m ? ['M'] : []), ...(isa.a ? ['A'] : [])];
  const all = [...letters, ...(isa.f ? ['F'] : []), ...(isa.d ? ['D'] : [])];
  const bits = all.reduce((sum, letter) => sum | extensionBit(letter), 0);
  return (isa.xlen === 32 ? 1n << 30n : 2n << 62n) | BigInt(bits);
}

/** SD summarises FS; UXL of RV64 says 64. */
function readMstatus({ memory: { state }, cpu: { isa } }: Core): bigint {
  const low = BigInt(state[State.mstatus] >>> 0);
  const dirty = (state[State.mstatus] & Mstatus.FS) === Mstatus.FS;
  const uxl = isa.xlen === 64 ? 2n << 32n : 0n;
  return low | uxl | (dirty ? 1n << BigInt(isa.xlen - 1) : 0n);
}

function writeMstatus(core: Core, value: bigint): void {
  const state = core.memory.state;
  const { MIE, MPIE, MPP, FS, MPRV, TW } = Mstatus;
  const before = state[State.mstatus];
  const wanted = Number(BigInt.asIntN(32, value));
  const mask = MIE | MPIE | MPRV | TW | (core.cpu.isa.f ? FS : 0);
  const mode = (wanted & MPP) >>> 11;
  const known = mode === Privilege.user || mode === Privilege.machine;
  state[State.mstatus] = (before & ~(mask | MPP)) | (wanted & mask) | ((known ? wanted : before) & MPP);
  if (((before ^ state[State.mstatus]) & FS) !== 0) core.recordsAreStale = true;
  if (core.recordsAreStale) core.stop = Stop.again;
  if (((before ^ state[State.mstatus]) & (MPRV | MPP)) !== 0) core.protectionChanged();
}

const traps: readonly Csr[] = [
  { number: 0x300, name: 'mstatus', read: readMstatus, write: writeMstatus },
  { number: 0x301, name: 'misa', read: readMisa, write: () => undefined },
  masked(0x304, 'mie', State.mie, interruptBits),
  {
    number: 0x305,
    name: 'mtvec',
    read: (core) => pair(core, State.mtvec),
    // Modes 2 and 3 are reserved.
    write: (core, value) => {
      if ((value & 2n) === 0n) setPair(core, State.mtvec, value);
    },
  },
  masked(0x306, 'mcounteren', State.mcounteren, -1),
  zero(0x310, 'mstatush', { only32: true, write: () => undefined }),
  whole(0x340, 'mscratch', State.mscratch),
  {
    number: 0x341,
    name: 'mepc',
    read: (core) => pair(core, State.mepc),
    write: (core, value) => setPair(core, State.mepc, value & ~1n),
  },
  whole(0x342, 'mcause', State.mcause),
  whole(0x343, 'mtval', State.mtval),
  // What is pending is the platform's to say.
  {
    number: 0x344,
    name: 'mip',
    read: ({ memory: { state } }) => BigInt(state[State.mip] & interruptBits),
    write: () => undefined,
  },
];

/** A counter of instructions (a cycle each); see State.cycleOffset. */
interface Counter {
  readonly offset: number;
  readonly bit: number;
}
const cycles: Counter = { offset: State.cycleOffset, bit: 0 };
const instructions: Counter = { offset: State.instretOffset, bit: 2 };

const isInhibited = (core: Core, { bit }: Counter) => (core.memory.state[State.mcountinhibit] >>> bit) & 1;

function readCounter(core: Core, counter: Counter): bigint {
  const offset = pair(core, counter.offset);
  return BigInt.asUintN(64, isInhibited(core, counter) ? offset : core.executed + offset);
}

/** The instruction that writes a counter does not count: the next one reads the value. */
function writeCounter(core: Core, counter: Counter, value: bigint): void {
  const offset = isInhibited(core, counter) ? value : value - core.executed - 1n;
  setPair(core, counter.offset, BigInt.asUintN(64, offset));
}

function counter(number: number, name: string, kind: Counter, more: Partial<Csr>): Csr[] {
  const low: Csr = {
    number,
    name,
    read: (core) => BigInt.asUintN(core.cpu.isa.xlen, readCounter(core, kind)),
    write: (core, value) =>
      writeCounter(core, kind, core.cpu.isa.xlen === 64 ? value : ((readCounter(core, kind) >> 32n) << 32n) | value),
    ...more,
  };
  const high: Csr = {
    number: number + 0x80,
    name: `${name}h`,
    only32: true,
    read: (core) => readCounter(core, kind) >> 32n,
    write: (core, value) => writeCounter(core, kind, (value << 32n) | (readCounter(core, kind) & 0xffff_ffffn)),
    ...more,
  };
  return [low, high];
}

function writeInhibit(core: Core, value: bigint): void {
  const kept = [cycles, instructions].map((kind) => readCounter(core, kind));
  core.memory.state[State.mcountinhibit] = Number(value & 5n);
  [cycles, instructions].forEach((kind, i) => {
    // Stopped counters keep their value; started ones count from the next instruction on.
    const offset = isInhibited(core, kind) ? kept[i] + 1n : kept[i] - core.executed - 1n;
    setPair(core, kind.offset, BigInt.asUintN(64, offset));
  });
}

const numbered = (count: number, from: number) => Array.from({ length: count }, (_, i) => from + i);

const counters: readonly Csr[] = [
  ...counter(0xb00, 'mcycle', cycles, {}),
  ...counter(0xb02, 'minstret', instructions, {}),
  ...counter(0xc00, 'cycle', cycles, { counter: 0 }),
  ...counter(0xc01, 'time', cycles, { counter: 1 }),
  ...counter(0xc02, 'instret', instructions, { counter: 2 }),
  {
    number: 0x320,
    name: 'mcountinhibit',
    read: ({ memory: { state } }) => BigInt(state[State.mcountinhibit]),
    write: writeInhibit,
  },
  // No events to count: the registers read as zero.
  ...numbered(29, 3).flatMap((n) => [
    zero(0x320 + n, `mhpmevent${n}`, { write: () => undefined }),
    zero(0xb00 + n, `mhpmcounter${n}`, { write: () => undefined }),
    zero(0xb80 + n, `mhpmcounter${n}h`, { only32: true, write: () => undefined }),
    zero(0xc00 + n, `hpmcounter${n}`, { counter: n }),
    zero(0xc80 + n, `hpmcounter${n}h`, { counter: n, only32: true }),
  ]),
];

const protection: readonly Csr[] = [
  ...numbered(pmpEntries / 4, 0).map((n): Csr => ({
    number: 0x3a0 + n,
    name: `pmpcfg${n}`,
    evenOn64: true,
    read: (core) =>
      core.cpu.isa.xlen === 32 ? BigInt(core.memory.state[State.pmpcfg + n] >>> 0) : pair(core, State.pmpcfg + n),
    write(core, value) {
      for (let i = 0; i < core.cpu.isa.xlen / 8; i++) {
        core.pmp.writeConfigByte(4 * n + i, Number((value >> BigInt(8 * i)) & 0xffn));
      }
      core.protectionChanged();
    },
  })),
  ...numbered(pmpEntries, 0).map((n): Csr => ({
    number: 0x3b0 + n,
    name: `pmpaddr${n}`,
    read: ({ pmp }) => pmp.address(n),
    write(core, value) {
      // 56-bit physical addresses on RV64, 34-bit ones on RV32.
      core.pmp.writeAddress(n, core.cpu.isa.xlen === 32 ? value : BigInt.asUintN(54, value));
      core.protectionChanged();
    },
  })),
];

const identity: readonly Csr[] = [
  zero(0xf11, 'mvendorid'),
  zero(0xf12, 'marchid'),
  zero(0xf13, 'mimpid'),
  { number: 0xf14, name: 'mhartid', read: ({ options }) => BigInt(options.hartId) },
  zero(0xf15, 'mconfigptr'),
];

/** Every register, by number. */
export const csrs: readonly Csr[] = [...floats, ...traps, ...counters, ...protection, ...identity];
const byNumber = new Map(csrs.map((csr) => [csr.number, csr]));

export class CsrFile {
  constructor(private readonly core: Core) {}

  get floatIsOff(): boolean {
    return (this.core.memory.state[State.mstatus] & Mstatus.FS) === 0;
  }

  /** mepc as an address; of RV64 more than 32 bits are refused when the instruction is fetched. */
  get exceptionPc(): number {
    return this.core.memory.state[State.mepc] >>> 0;
  }

  find(name: string): Csr | undefined {
    return csrs.find((csr) => csr.name === name && this.exists(csr));
  }

  exists(csr: Csr): boolean {
    const { isa } = this.core.cpu;
    if (csr.float && !isa.f) return false;
    return isa.xlen === 32 || (!csr.only32 && !(csr.evenOn64 && csr.number & 1));
  }

  /** The operation `csr`. True, with the fault set, when the access is illegal. */
  access(rd: number, source: number, immediate: number, kind: number, number: number, what: number): boolean {
    const csr = byNumber.get(number);
    if (!csr || !this.isAllowed(csr, what)) {
      this.core.illegal();
      return true;
    }
    const operand = source < 0 ? BigInt(immediate) : this.register(source);
    const old = (what & 2) !== 0 || kind !== CsrAccess.write ? csr.read(this.core) : 0n;
    if ((what & 1) !== 0) {
      const value = kind === CsrAccess.write ? operand : kind === CsrAccess.set ? old | operand : old & ~operand;
      csr.write?.(this.core, BigInt.asUintN(this.core.cpu.isa.xlen, value));
      if (csr.float) this.markFloatDirty();
      if (this.pendingInterrupt() !== undefined) this.core.stop = Stop.again;
    }
    if ((what & 2) !== 0) this.setRegister(rd, old);
    return false;
  }

  markFloatDirty(): void {
    this.core.memory.state[State.mstatus] |= Mstatus.FS;
  }

  /** The interrupt to be taken now, 3.1.9: external, software, timer. */
  pendingInterrupt(): number | undefined {
    const state = this.core.memory.state;
    const enabled = this.core.privilege !== Privilege.machine || (state[State.mstatus] & Mstatus.MIE) !== 0;
    return enabled ? priorities.find((bit) => (state[State.mip] & state[State.mie] & (1 << bit)) !== 0) : undefined;
  }

  private isAllowed(csr: Csr, what: number): boolean {
    const { number } = csr;
    if (!this.exists(csr) || this.core.privilege < ((number >> 8) & 3)) return false;
    if ((what & 1) !== 0 && number >> 10 === 3) return false;
    if (csr.float && this.floatIsOff) return false;
    if (csr.counter === undefined || this.core.privilege === Privilege.machine) return true;
    return ((this.core.memory.state[State.mcounteren] >>> csr.counter) & 1) !== 0;
  }

  private register(word: number): bigint {
    const { cpu, memory, wide } = this.core;
    return isa64(cpu.isa.xlen) ? BigInt.asUintN(64, wide[word >> 1]) : BigInt(memory.state[word] >>> 0);
  }

  private setRegister(word: number, value: bigint): void {
    if (isa64(this.core.cpu.isa.xlen)) this.core.wide[word >> 1] = value;
    else this.core.memory.state[word] = Number(value);
  }
}

const isa64 = (xlen: number) => xlen === 64;
