/**
 * The System Control Space, 0xE000E000 to 0xE000EFFF, as words: SysTick, NVIC, system control block, MPU and the registers of the
 * Floating-point Extension. Armv7-M ARM B3.2 to B3.5, Armv8-M ARM D1.2. SysTick counts executed instructions: one is a
 * clock cycle, so that runs are repeatable. Addresses without a register read as zero and ignore writes.
 */
import type { ArmCpu } from '../../arch';
import type { Exceptions } from './exceptions';
import { mpuEnabled, mpuRegions } from './mpu';
import { State, updateFpAttention } from './state';
import { CcrBits, Exception, hasBit, priorityByte, setBit, setPriorityByte, System, Systick } from './system-state';

export const systemSpace = 0xe000e000;

/** CPUID of the releases that QEMU's boards have too. */
const cpuids: Readonly<Record<string, number>> = {
  'cortex-m0': 0x410cc200,
  'cortex-m0plus': 0x410cc600,
  'cortex-m1': 0x410cc210,
  'cortex-m3': 0x410fc231,
  'cortex-m4': 0x410fc240,
  'cortex-m7': 0x411fc272,
  'cortex-m23': 0x411cd200,
  'cortex-m33': 0x410fd213,
};

/** Registers that are a state word as it is: offset -> word, writable bits. */
const plain: ReadonlyMap<number, readonly [number, number]> = new Map([
  [0x014, [System.systRvr, 0xffffff]],
  [0xd08, [System.vtor, ~0x7f]],
  [0xd10, [System.scr, 0x16]],
  [0xd34, [System.mmfar, -1]],
  [0xd38, [System.bfar, -1]],
  [0xd3c, [System.afsr, -1]],
  [0xd98, [System.mpuRnr, mpuRegions - 1]],
  [0xdc0, [System.mpuMair0, -1]],
  [0xdc4, [System.mpuMair1, -1]],
  [0xf38, [State.fpcar, ~7]],
  [0xf3c, [State.fpdscr, 0x07c00000]],
]);

/** ICSR's write-one bits: [bit, exception, pending or not]. */
const icsrWrites = [
  [31, Exception.NMI, true],
  [28, Exception.PendSV, true],
  [27, Exception.PendSV, false],
  [26, Exception.SysTick, true],
  [25, Exception.SysTick, false],
] as const;

/** SHCSR: [bit, exception, which bitmap]. */
const shcsrBits = [
  [0, Exception.MemManage, System.active],
  [1, Exception.BusFault, System.active],
  [3, Exception.UsageFault, System.active],
  [7, Exception.SVCall, System.active],
  [8, Exception.DebugMonitor, System.active],
  [10, Exception.PendSV, System.active],
  [11, Exception.SysTick, System.active],
  [12, Exception.UsageFault, System.pending],
  [13, Exception.MemManage, System.pending],
  [14, Exception.BusFault, System.pending],
  [15, Exception.SVCall, System.pending],
] as const;

export class SystemControl {
  /** SYSRESETREQ has been written. */
  resetRequested = false;

  constructor(
    private readonly cpu: ArmCpu,
    private readonly exceptions: Exceptions,
    private readonly stateOf: () => Int32Array,
  ) {}

  private get state(): Int32Array {
    return this.stateOf();
  }

  read(address: number, size: number): number {
    const offset = address & 0xfff;
    const word = this.readWord(offset & ~3);
    const part = word >>> (8 * (offset & 3));
    return size === 4 ? word : size === 2 ? part & 0xffff : part & 0xff;
  }

  write(address: number, value: number, size: number): void {
    const offset = address & 0xfff;
    const shift = 8 * (offset & 3);
    const mask = size === 4 ? -1 : ((1 << (8 * size)) - 1) << shift;
    this.writeWord(offset & ~3, (value << shift) & mask, mask);
    updateFpAttention(this.state);
  }

  // ---- SysTick ----

  /** Instructions until SysTick does something; undefined when it is off. */
  untilTick(): number | undefined {
    const { state } = this;
    if ((state[System.systCsr] & Systick.ENABLE) === 0) return undefined;
    if (state[System.systCvr] !== 0) return state[System.systCvr];
    return state[System.systRvr] === 0 ? undefined : state[System.systRvr] + 1;
  }

  advance(instructions: number): void {
    const { state } = this;
    let left = instructions;
    while (left > 0) {
      const next = this.untilTick();
      if (next === undefined) return;
      if (state[System.systCvr] === 0) {
        state[System.systCvr] = state[System.systRvr];
        left--;
        continue;
      }
      const step = Math.min(next, left);
      state[System.systCvr] -= step;
      left -= step;
      if (state[System.systCvr] === 0) this.tick();
    }
  }

  private tick(): void {
    const { state } = this;
    state[System.systCsr] |= Systick.COUNTFLAG;
    if (state[System.systCsr] & Systick.TICKINT) setBit(state, System.pending, Exception.SysTick, true);
  }

  // ---- reading ----

  private readWord(offset: number): number {
    const { state } = this;
    const known = plain.get(offset);
    if (known) return state[known[0]];
    if (offset >= 0x100 && offset < 0x400) return this.readInterrupts(offset);
    if (offset >= 0x400 && offset < 0x500) return state[System.priorities + ((offset - 0x400 + 16) >>> 2)];
    if (offset >= 0xd90 && offset < 0xdc0) return this.readMpu(offset);
    switch (offset) {
      case 0x004:
        return 7; // INTLINESNUM: 256 lines, of which 240 exist
      case 0x010: {
        const csr = state[System.systCsr] | 4;
        state[System.systCsr] &= ~Systick.COUNTFLAG;
        return csr;
      }
      case 0x018:
        return state[System.systCvr];
      case 0xd00:
        return cpuids[this.cpu.name] ?? 0;
      case 0xd04:
        return this.readIcsr();
      case 0xd0c:
        return 0xfa050000 | (state[System.prigroup] << 8);
      case 0xd14:
        return state[State.ccr];
      case 0xd18:
      case 0xd1c:
      case 0xd20:
        return state[System.priorities + ((offset - 0xd14) >>> 2)];
      case 0xd24:
        return this.readShcsr();
      case 0xd28:
        return state[System.cfsr];
      case 0xd2c:
        return state[System.hfsr];
      case 0xd88:
        return state[State.cpacr];
      case 0xf34:
        return state[State.fpccr];
      default:
        return 0;
    }
  }

  /** ISER, ICER, ISPR, ICPR, IABR: interrupt n is exception n + 16. */
  private readInterrupts(offset: number): number {
    if ((offset & 0x60) !== 0) return 0;
    const base = this.interruptBitmap((offset - 0x100) >>> 7);
    let word = 0;
    for (let i = 0; i < 32; i++) {
      const number = 16 + (offset & 0x1f) * 8 + i;
      if (number < 256 && hasBit(this.state, base, number)) word |= 1 << i;
    }
    return word;
  }

  private interruptBitmap(block: number): number {
    return block < 2 ? System.enabled : block < 4 ? System.pending : System.active;
  }

  private readIcsr(): number {
    const { state } = this;
    const pending = this.exceptions.highestPending() ?? 0;
    const nested = [...Array(256).keys()].filter((number) => hasBit(state, System.active, number)).length;
    let word = state[State.ipsr] | (pending << 12) | (nested <= 1 ? 1 << 11 : 0);
    if (pending >= 16) word |= 1 << 22;
    for (const [bit, number, set] of icsrWrites) if (set && hasBit(state, System.pending, number)) word |= 1 << bit;
    return word;
  }

  private readShcsr(): number {
    let word = this.state[System.shcsrEnable];
    for (const [bit, number, bitmap] of shcsrBits) if (hasBit(this.state, bitmap, number)) word |= 1 << bit;
    return word;
  }

  private readMpu(offset: number): number {
    const { state } = this;
    if (!this.cpu.isa.v7m && !this.cpu.isa.v8mBase) return 0;
    if (offset === 0xd90) return mpuRegions << 8;
    if (offset === 0xd94) return state[System.mpuCtrl];
    if (((offset - 0xd9c) & 7) !== 0) return state[System.mpuRlar + this.aliasedRegion(offset - 4)];
    const region = this.aliasedRegion(offset);
    return state[System.mpuRbar + region] | (this.cpu.isa.v8mBase ? 0 : region);
  }

  /** MPU_RBAR_A1 .. A3: in PMSAv8 regions of the same group of four, in PMSAv7 that of RNR. */
  private aliasedRegion(offset: number): number {
    const rnr = this.state[System.mpuRnr];
    const alias = (offset - 0xd9c) >>> 3;
    return this.cpu.isa.v8mBase && alias > 0 ? (rnr & ~3) | alias : rnr;
  }

  // ---- writing ----

  private writeWord(offset: number, value: number, mask: number): void {
    const { state } = this;
    const known = plain.get(offset);
    if (known) {
      const writable = known[1] & mask;
      state[known[0]] = (state[known[0]] & ~writable) | (value & writable);
      return;
    }
    if (offset >= 0x100 && offset < 0x300) return this.writeInterrupts(offset, value);
    if (offset >= 0x400 && offset < 0x500) return this.writePriorities(offset - 0x400 + 16, value, mask);
    if (offset >= 0xd18 && offset < 0xd24) return this.writePriorities(offset - 0xd14, value, mask);
    if (offset >= 0xd94 && offset < 0xdc0) return this.writeMpu(offset, value);
    this.writeOther(offset, value, mask);
  }

  private writeOther(offset: number, value: number, mask: number): void {
    const { state } = this;
    switch (offset) {
      case 0x010:
        state[System.systCsr] = (state[System.systCsr] & Systick.COUNTFLAG) | (value & 7);
        break;
      case 0x018:
        state[System.systCvr] = 0;
        state[System.systCsr] &= ~Systick.COUNTFLAG;
        break;
      case 0xd04:
        for (const [bit, number, set] of icsrWrites)
          if ((value >>> bit) & 1) setBit(state, System.pending, number, set);
        break;
      case 0xd0c:
        // Without the key nothing is written.
        if (value >>> 16 !== 0x05fa) break;
        state[System.prigroup] = this.cpu.isa.v7m ? (value >>> 8) & 7 : 0;
        this.resetRequested = (value & 4) !== 0;
        break;
      case 0xd14:
        this.writeCcr(value, mask);
        break;
      case 0xd24:
        state[System.shcsrEnable] = value & 0x70000;
        for (const [bit, number, bitmap] of shcsrBits) setBit(state, bitmap, number, ((value >>> bit) & 1) === 1);
        break;
      case 0xd28:
        state[System.cfsr] &= ~value;
        break;
      case 0xd2c:
        state[System.hfsr] &= ~value;
        break;
      case 0xd88:
        if (this.cpu.isa.fp !== 'none') state[State.cpacr] = value & 0xf00000;
        break;
      case 0xf00:
        setBit(state, System.pending, 16 + (value & 0x1ff), true);
        break;
      case 0xf34:
        if (this.cpu.isa.fp !== 'none') state[State.fpccr] = value & (0xc0000000 | 0x17b);
        break;
    }
  }

  private writeCcr(value: number, mask: number): void {
    if (!this.cpu.isa.v7m) return;
    const writable = mask & 0x31b;
    const fixed = this.cpu.isa.v8mBase ? CcrBits.STKALIGN | 1 : 0;
    this.state[State.ccr] = (this.state[State.ccr] & ~writable) | (value & writable) | fixed;
  }

  private writeInterrupts(offset: number, value: number): void {
    const block = (offset - 0x100) >>> 7;
    if ((offset & 0x60) !== 0) return;
    for (let i = 0; i < 32; i++) {
      const number = 16 + (offset & 0x1f) * 8 + i;
      if (number < 256 && (value >>> i) & 1) setBit(this.state, this.interruptBitmap(block), number, block % 2 === 0);
    }
  }

  private writePriorities(first: number, value: number, mask: number): void {
    const bits = this.cpu.isa.v7m ? 0xff : 0xc0;
    for (let i = 0; i < 4; i++) {
      if ((mask >>> (8 * i)) & 0xff) setPriorityByte(this.state, first + i, (value >>> (8 * i)) & bits);
    }
    // Exceptions with a fixed priority, and reserved ones.
    for (const number of [0, 1, 2, 3])
      if (priorityByte(this.state, number) !== 0) setPriorityByte(this.state, number, 0);
  }

  private writeMpu(offset: number, value: number): void {
    const { state } = this;
    if (offset === 0xd94) {
      state[System.mpuCtrl] = value & 7;
      return;
    }
    if (offset < 0xd9c) return;
    const isBase = ((offset - 0xd9c) & 7) === 0;
    if (!isBase) {
      state[System.mpuRlar + this.aliasedRegion(offset - 4)] = value;
    } else if (this.cpu.isa.v8mBase) {
      state[System.mpuRbar + this.aliasedRegion(offset)] = value;
    } else {
      // VALID: the region's number comes with its base.
      if (value & 16) state[System.mpuRnr] = value & (mpuRegions - 1);
      state[System.mpuRbar + state[System.mpuRnr]] = value & ~31;
    }
  }

  get mpuEnabled(): boolean {
    return mpuEnabled(this.state);
  }
}
