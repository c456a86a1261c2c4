/**
 * What the generated interpreter works on: the machine's memory and state, the predecoded instructions, and
 * the slow halves of its operations. A method that cannot do its access sets `stop` and has changed nothing.
 *
 * Armv7-M ARM B3.1 / Armv6-M ARM B3.1 address map and alignment (A3.2); the local monitor is A3.4.1.
 */
import type { CpuInfo } from '../../arch';
import { Attribute, type GuestMemory } from '../memory';
import type { FaultKind } from '../types';
import { CodeCache } from './code-cache';
import { Shift } from './immediates';
import { changeProcessorState, readSpecialRegister, writeSpecialRegister } from './special-registers';
import { Ccr, State } from './state';

/** Why the interpreter left its loop. */
export const Stop = { none: 0, fault: 1, breakpoint: 2, hostCall: 3, bkpt: 4, svc: 5, wait: 6 } as const;

/** A fault as it is found; pc and encoding are added when the run ends. */
export interface PendingFault {
  readonly kind: FaultKind;
  readonly message: string;
  readonly access?: 'read' | 'write' | 'execute';
  readonly address?: number;
  readonly size?: number;
}

export class Core {
  readonly code: CodeCache;
  stop: number = Stop.none;
  fault: PendingFault | undefined;
  /** Record index at which the interpreter starts and where it has stopped. */
  position = 0;
  /** Target of a branch that a rare operation has made. */
  target = 0;
  /** Registers on their way from or to memory in the slow half of LDM and STM. */
  readonly transfer = new Int32Array(16);
  /** The limit that sp must not fall below: the greater of the user's and MSPLIM or PSPLIM. */
  limit = 0;
  /** Carry of the last shift(). */
  shiftCarry = 0;

  constructor(
    readonly cpu: CpuInfo,
    readonly memory: GuestMemory,
  ) {
    this.code = new CodeCache(cpu, memory, this);
  }

  fail(fault: PendingFault): void {
    this.stop = Stop.fault;
    this.fault = fault;
  }

  updateLimit(): void {
    const state = this.memory.state;
    const own = this.usesPsp() ? state[State.psplim] : state[State.msplim];
    this.limit = Math.max(state[State.stackLimit] >>> 0, own >>> 0);
  }

  usesPsp(): boolean {
    const state = this.memory.state;
    return (state[State.control] & 2) !== 0 && state[State.ipsr] === 0;
  }

  load32(address: number): number {
    const host = this.reach(address, 4, 'read', false);
    if (host < 0) return 0;
    if ((address & 3) === 0) return this.memory.words[host >>> 2];
    return (
      this.byteAt(address) |
      (this.byteAt(address + 1) << 8) |
      (this.byteAt(address + 2) << 16) |
      (this.byteAt(address + 3) << 24)
    );
  }

  load16(address: number): number {
    const host = this.reach(address, 2, 'read', false);
    return host < 0 ? 0 : this.byteAt(address) | (this.byteAt(address + 1) << 8);
  }

  load8(address: number): number {
    const host = this.reach(address, 1, 'read', false);
    return host < 0 ? 0 : this.memory.bytes[host];
  }

  store32(address: number, value: number): void {
    if (this.reach(address, 4, 'write', false) >= 0) this.storeBytes(address, value, 4);
  }

  store16(address: number, value: number): void {
    if (this.reach(address, 2, 'write', false) >= 0) this.storeBytes(address, value, 2);
  }

  store8(address: number, value: number): void {
    if (this.reach(address, 1, 'write', false) >= 0) this.storeBytes(address, value, 1);
  }

  /** LDM, POP, LDRD: `count` words into `transfer`; true when refused. */
  loadMultiple(address: number, count: number): boolean {
    if (this.reach(address, count * 4, 'read', true) < 0) return true;
    for (let i = 0; i < count; i++)
      this.transfer[i] = this.memory.words[this.memory.hostAddress(address + 4 * i) >>> 2];
    return false;
  }

  /** STM, PUSH, STRD: `count` words from `transfer`; true when refused. */
  storeMultiple(address: number, count: number): boolean {
    if (this.reach(address, count * 4, 'write', true) < 0) return true;
    for (let i = 0; i < count; i++) this.storeBytes(address + 4 * i, this.transfer[i], 4);
    return false;
  }

  /** The accesses that must be aligned whatever CCR says: exclusive, acquire and release. */
  loadAligned(address: number, size: number): number {
    if (this.reach(address, size, 'read', true) < 0) return 0;
    return size === 4 ? this.load32(address) : size === 2 ? this.load16(address) : this.load8(address);
  }

  storeAligned(address: number, size: number, value: number): void {
    if (this.reach(address, size, 'write', true) >= 0) this.storeBytes(address, value, size);
  }

  /** True, with the fault set, when a branch may not go there: Thumb state is the only one, EXC_RETURN is not a place. */
  refusesBranch(target: number): boolean {
    const top = target >>> 24;
    const special = top === 0xff || (this.cpu.isa.v8mBase && target >>> 1 === 0x7f7fffff);
    if (special) {
      const name = top === 0xff ? 'EXC_RETURN' : 'FNC_RETURN';
      const text = `branch to the ${name} value 0x${(target >>> 0).toString(16)}: there is no exception to return from`;
      this.fail({ kind: 'unhandled-exception', message: text });
    } else if ((target & 1) === 0) {
      const text = `branch to 0x${(target >>> 0).toString(16).padStart(8, '0')} with bit 0 clear would leave Thumb state (UsageFault INVSTATE)`;
      this.fail({ kind: 'invalid-state', message: text, access: 'execute', address: target >>> 0 });
    }
    return this.stop !== Stop.none;
  }

  /** sp is about to become `value`, below the limit. */
  failStack(value: number): void {
    const text = `sp would become 0x${(value >>> 0).toString(16)}, below the stack limit 0x${this.limit.toString(16)}`;
    this.fail({ kind: 'stack-overflow', message: text, access: 'write', address: value >>> 0 });
  }

  /** Shift_C(): the value; the carry is in shiftCarry. Types as in immediates.ts. */
  shift(value: number, type: number, amount: number, carry: number): number {
    this.shiftCarry = carry;
    if (type === Shift.RRX) {
      this.shiftCarry = value & 1;
      return (value >>> 1) | (carry << 31);
    }
    if (amount === 0) return value;
    const lastOut = type === Shift.LSL ? 32 - amount : amount - 1;
    this.shiftCarry = (value >>> lastOut) & 1;
    if (type === Shift.LSL) return value << amount;
    if (type === Shift.ROR) return (value >>> amount) | (value << (32 - amount));
    if (type === Shift.LSR) return amount === 32 ? 0 : (value >>> amount) | 0;
    return value >> Math.min(amount, 31);
  }

  /** SignedSatQ and UnsignedSatQ: sets Q when the value is out of range. */
  saturate(value: number, minimum: number, maximum: number): number {
    if (value >= minimum && value <= maximum) return value;
    this.memory.state[State.flagQ] = 1;
    return value < minimum ? minimum : maximum;
  }

  refusesDivision(): boolean {
    if ((this.memory.state[State.ccr] & Ccr.divideByZeroTrap) === 0) return false;
    this.fail({ kind: 'divide-by-zero', message: 'division by zero (UsageFault DIVBYZERO)' });
    return true;
  }

  /** LDR with sp as its destination; see the operation ldr_sp. True when refused. */
  loadSp(n: number, m: number, shift: number, offset: number, mode: number): boolean {
    const r = this.memory.state;
    const base = n < 0 ? 0 : r[n];
    const moved = (base + offset + (m < 0 ? 0 : r[m] << shift)) | 0;
    const value = this.load32(mode === 2 ? base : moved) & ~3;
    if (this.stop === Stop.none && value >>> 0 < this.limit) this.failStack(value);
    if (this.stop !== Stop.none) return true;
    if (mode !== 0) r[n] = moved;
    r[State.sp] = value;
    return false;
  }

  /** SetExclusiveMonitors; no bytes = ClearExclusiveLocal. */
  mark(address: number, bytes: number): void {
    this.memory.state[State.monitorAddress] = address;
    this.memory.state[State.monitorSize] = bytes;
  }

  /** STREX: 0 = stored, 1 = the monitor is not set for that address and size. */
  storeExclusive(address: number, size: number, value: number): number {
    const state = this.memory.state;
    const marked = state[State.monitorSize] === size && state[State.monitorAddress] === address;
    if (this.reach(address, size, 'write', true) < 0) return 1;
    if (marked) this.storeBytes(address, value, size);
    this.mark(0, 0);
    return marked ? 0 : 1;
  }

  waitForEvent(): void {
    const state = this.memory.state;
    if (state[State.event] === 0) this.stop = Stop.wait;
    state[State.event] = 0;
  }

  sendEvent(): void {
    this.memory.state[State.event] = 1;
  }

  readSpecial(SYSm: number): number {
    return readSpecialRegister(this.memory.state, SYSm, this.usesPsp());
  }

  /** True when refused. The interpreter sets N Z C V itself. */
  writeSpecial(SYSm: number, value: number, mask: number): boolean {
    const sp = writeSpecialRegister(this.memory.state, SYSm, value, mask, this);
    this.updateLimit();
    if (sp !== undefined) this.failStack(sp);
    return sp !== undefined;
  }

  changeState(disable: number, which: number): void {
    changeProcessorState(this.memory.state, disable, which);
  }

  failUndefined(reason: number): void {
    const message = [
      'the instruction is UNDEFINED (UsageFault UNDEFINSTR)',
      'the instruction is UNPREDICTABLE in this form',
      'the instruction is for a coprocessor that this core does not have (UsageFault NOCP)',
    ][reason];
    this.fail({ kind: 'undefined-instruction', message });
  }

  failNotImplemented(what: number): void {
    const name = ['TT of the Security Extension', 'the Floating-point Extension', 'the DSP Extension'][what];
    this.fail({ kind: 'not-implemented', message: `the instruction belongs to ${name}, which is not implemented` });
  }

  /**
   * Host offset of the first byte when the whole access is allowed, else -1 with the fault set. `aligned`: an
   * access that is never made in parts. On Armv6-M none is.
   */
  private reach(address: number, size: number, access: 'read' | 'write', aligned: boolean): number {
    const mask = size >= 4 ? 3 : size - 1;
    const alwaysAligned = aligned || !this.cpu.isa.v7m || (this.memory.state[State.ccr] & Ccr.unalignTrap) !== 0;
    if ((address & mask) !== 0 && alwaysAligned) {
      const text = `unaligned ${access} of ${size} bytes at 0x${(address >>> 0).toString(16).padStart(8, '0')}`;
      this.fail({ kind: 'unaligned', message: text, access, address: address >>> 0, size });
      return -1;
    }
    const first = address >>> 0;
    if (!this.permitted(first, first, size, access)) return -1;
    const last = (address + size - 1) >>> 0;
    if (last >>> 12 !== first >>> 12 && !this.permitted(last & ~0xfff, first, size, access)) return -1;
    return this.memory.hostAddress(first);
  }

  private permitted(at: number, address: number, size: number, access: 'read' | 'write'): boolean {
    const bit = access === 'read' ? Attribute.read : Attribute.write;
    if (this.memory.attributes[at >>> 12] & bit) return true;
    this.fail(this.accessFault(at >>> 0, address, size, access));
    return false;
  }

  /** Why `at` (the first byte of the access or of its second page) cannot be accessed. */
  accessFault(at: number, address: number, size: number, access: 'read' | 'write' | 'execute'): PendingFault {
    const region = this.memory.regionAt(at);
    const where = `0x${at.toString(16).padStart(8, '0')}`;
    const verb = access === 'execute' ? 'instruction fetch' : `${access} of ${size} byte${size === 1 ? '' : 's'}`;
    if (!region) return { kind: 'unmapped', message: `${verb} at ${where}, where no memory is`, access, address, size };
    if (region.stackGuard) {
      return { kind: 'stack-overflow', message: `${verb} at ${where} in ${region.name}`, access, address, size };
    }
    return {
      kind: 'forbidden',
      message: `${verb} at ${where} is not allowed in ${region.name}`,
      access,
      address,
      size,
    };
  }

  private byteAt(address: number): number {
    return this.memory.bytes[this.memory.hostAddress(address)];
  }

  private storeBytes(address: number, value: number, size: number): void {
    for (let i = 0; i < size; i++) {
      this.memory.bytes[this.memory.hostAddress(address + i)] = value >>> (8 * i);
    }
    const first = address >>> 0;
    this.memory.touched(first, Math.min(size, 4096 - (first & 0xfff)));
    if ((first & 0xfff) + size > 4096)
      this.memory.touched(((first + size - 1) & ~0xfff) >>> 0, (first + size) & 0xfff || 1);
  }
}
