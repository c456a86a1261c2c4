/**
 * What the generated interpreter works on: the machine's memory and state, the predecoded instructions, and
 * the slow halves of its operations. A method that cannot do its access sets `stop` and has changed nothing.
 *
 * Armv7-M ARM B3.1 / Armv6-M ARM B3.1 address map and alignment (A3.2); the local monitor is A3.4.1.
 */
import type { ArmCpu } from '../../arch';
import { Attribute, type GuestMemory } from '../memory';
import { MemoryAccess } from '../memory-access';
import { Stop, type PendingFault } from '../stop';
import { CodeCache } from './code-cache';
import { Fpscr } from './float-arithmetic';
import { FloatUnit } from './float-unit';
import { Shift } from './immediates';
import { notImplementedNames } from './mve';
import { changeProcessorState, readSpecialRegister, writeSpecialRegister } from './special-registers';
import { parallel, select, sumOfDifferences } from './simd';
import type { SystemCore, SystemLevel } from './system-level';
import { Ccr, cp10Access, Fpccr, State, updateFpAttention } from './state';

export class Core extends MemoryAccess implements SystemCore {
  readonly code: CodeCache;
  readonly fpu: FloatUnit;
  /** Architectural exceptions; without, faults stop before their effect. */
  system: SystemLevel | undefined;
  /** Record index at which the interpreter starts and where it has stopped. */
  position = 0;
  /** Target of a branch that a rare operation has made. */
  target = 0;
  /** Registers on their way from or to memory in the slow half of LDM, STM, VLDM and VSTM. */
  readonly transfer = new Int32Array(32);
  /** The limit that sp must not fall below: the greater of the user's and MSPLIM or PSPLIM. */
  limit = 0;
  /** Carry of the last shift(). */
  shiftCarry = 0;

  constructor(
    readonly cpu: ArmCpu,
    memory: GuestMemory,
  ) {
    super(memory);
    this.code = new CodeCache(cpu, memory, this);
    this.fpu = new FloatUnit(memory);
  }

  // ---- the system level ----

  get state(): Int32Array {
    return this.memory.state;
  }

  readWord(address: number): number | undefined {
    const host = this.memory.hostAddress(address);
    return host < 0 || (this.memory.attributes[address >>> 12] & Attribute.read) === 0
      ? undefined
      : this.memory.words[host >>> 2];
  }

  writeWord(address: number, value: number): boolean {
    if ((this.memory.attributes[address >>> 12] & Attribute.write) === 0) return false;
    this.storeBytes(address, value, 4);
    return true;
  }

  changed(): void {
    this.updateLimit();
    this.system?.changed();
  }

  protect(guarded: boolean, forgetCode: boolean): void {
    this.memory.setGuard(guarded ? () => 0 : undefined);
    if (forgetCode) this.code.clear();
  }

  private systemRead(address: number, size: number): number {
    if (!this.system || this.keepsOut(address, size, 'read')) return 0;
    return this.system.control.read(address, size);
  }

  private systemWrite(address: number, value: number, size: number): void {
    if (this.system && !this.keepsOut(address, size, 'write')) this.system.control.write(address, value, size);
  }

  private keepsOut(address: number, size: number, access: 'read' | 'write'): boolean {
    if (this.system?.open !== true) {
      this.stop = Stop.device;
      return true;
    }
    if (this.system.privileged) return false;
    const message = `unprivileged ${access} of a system register at 0x${(address >>> 0).toString(16)}`;
    this.fail({ kind: 'unmapped', message, access, address: address >>> 0, size });
    return true;
  }

  override load32(address: number): number {
    return this.system?.covers(address) ? this.systemRead(address, 4) : super.load32(address);
  }

  override load16(address: number): number {
    return this.system?.covers(address) ? this.systemRead(address, 2) : super.load16(address);
  }

  override load8(address: number): number {
    return this.system?.covers(address) ? this.systemRead(address, 1) : super.load8(address);
  }

  override store32(address: number, value: number): void {
    if (this.system?.covers(address)) this.systemWrite(address, value, 4);
    else super.store32(address, value);
  }

  override store16(address: number, value: number): void {
    if (this.system?.covers(address)) this.systemWrite(address, value, 2);
    else super.store16(address, value);
  }

  override store8(address: number, value: number): void {
    if (this.system?.covers(address)) this.systemWrite(address, value, 1);
    else super.store8(address, value);
  }

  protected override permitted(at: number, address: number, size: number, access: 'read' | 'write'): boolean {
    const refused = this.system?.refuses(at, access) ?? this.system?.refuses(address + size - 1, access);
    if (!refused) return super.permitted(at, address, size, access);
    this.fail({ ...refused, size });
    return false;
  }

  override fetchFault(address: number, pc: number, size: number): PendingFault | undefined {
    if (this.system && address >>> 24 === 0xff) return this.fetchFromReturn(address);
    return this.system?.refuses(address, 'execute') ?? super.fetchFault(address, pc, size);
  }

  /** An EXC_RETURN value in Handler mode; elsewhere that space is never executed. */
  private fetchFromReturn(address: number): PendingFault {
    const message = `instruction fetch from 0x${address.toString(16)}, which is never executed`;
    return { kind: 'forbidden', message, access: 'execute', address };
  }

  /** LDRT, STRT and their kin: the access that unprivileged code would make. */
  loadUnprivileged(address: number, size: number, signed: number): number {
    if (this.system) this.system.unprivileged = true;
    const x = size === 4 ? this.load32(address) : size === 2 ? this.load16(address) : this.load8(address);
    if (this.system) this.system.unprivileged = false;
    return signed === 0 || size === 4 ? x : (x << (32 - 8 * size)) >> (32 - 8 * size);
  }

  storeUnprivileged(address: number, size: number, value: number): void {
    if (this.system) this.system.unprivileged = true;
    if (size === 4) this.store32(address, value);
    else if (size === 2) this.store16(address, value);
    else this.store8(address, value);
    if (this.system) this.system.unprivileged = false;
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

  /** LDM, POP, LDRD: `count` words into `transfer`; true when refused. */
  loadMultiple(address: number, count: number): boolean {
    if (this.system?.covers(address)) {
      for (let i = 0; i < count && this.stop === Stop.none; i++) this.transfer[i] = this.systemRead(address + 4 * i, 4);
      return this.stop !== Stop.none;
    }
    if (this.reach(address, count * 4, 'read', true) < 0) return true;
    for (let i = 0; i < count; i++)
      this.transfer[i] = this.memory.words[this.memory.hostAddress(address + 4 * i) >>> 2];
    return false;
  }

  /** STM, PUSH, STRD: `count` words from `transfer`; true when refused. */
  storeMultiple(address: number, count: number): boolean {
    if (this.system?.covers(address)) {
      for (let i = 0; i < count && this.stop === Stop.none; i++) this.systemWrite(address + 4 * i, this.transfer[i], 4);
      return this.stop !== Stop.none;
    }
    if (this.reach(address, count * 4, 'write', true) < 0) return true;
    for (let i = 0; i < count; i++) this.storeBytes(address + 4 * i, this.transfer[i], 4);
    return false;
  }

  /** The accesses that must be aligned whatever CCR says: exclusive, acquire and release. */
  loadAligned(address: number, size: number): number {
    if (this.system?.covers(address)) return this.systemRead(address, size);
    if (this.reach(address, size, 'read', true) < 0) return 0;
    return size === 4 ? this.load32(address) : size === 2 ? this.load16(address) : this.load8(address);
  }

  storeAligned(address: number, size: number, value: number): void {
    if (this.system?.covers(address)) return this.systemWrite(address, value, size);
    if (this.reach(address, size, 'write', true) >= 0) this.storeBytes(address, value, size);
  }

  /** True, with the fault set, when a branch may not go there: Thumb state is the only one, EXC_RETURN is not a place. */
  refusesBranch(target: number): boolean {
    // The fetch from there is what returns, or faults.
    const mayReturn = this.state[State.ipsr] !== 0 || (target & 1) === 1;
    if (this.system && target >>> 24 === 0xff && mayReturn) return false;
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

  parallel(a: number, b: number, op: number, prefix: number): number {
    return parallel(this.memory.state, a, b, op, prefix);
  }

  select(a: number, b: number): number {
    return select(this.memory.state[State.ge], a, b);
  }

  sumOfDifferences(a: number, b: number): number {
    return sumOfDifferences(a, b);
  }

  /** Whether a floating-point instruction is refused; the first one of a context sets FPCA. Called when fpAttention is set. */
  refusesFp(): boolean {
    const state = this.memory.state;
    const access = cp10Access(state);
    const isPrivileged = (state[State.control] & 1) === 0 || state[State.ipsr] !== 0;
    if (access !== 3 && !(access === 1 && isPrivileged)) {
      this.fail({
        kind: 'undefined-instruction',
        message: 'the Floating-point Extension is not enabled in CPACR (UsageFault NOCP)',
      });
      return true;
    }
    if ((state[State.control] & 4) === 0) {
      const control = Fpscr.AHP | Fpscr.DN | Fpscr.FZ | Fpscr.RMode;
      state[State.fpscr] = (state[State.fpscr] & ~control) | (state[State.fpdscr] & control);
      state[State.control] |= 4;
    }
    if (this.system && (state[State.fpccr] & Fpccr.LSPACT) !== 0) this.system.exceptions.preserveFloats();
    updateFpAttention(state);
    return false;
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
    else if (this.system) this.stop = Stop.again;
    return sp !== undefined;
  }

  changeState(disable: number, which: number): void {
    changeProcessorState(this.memory.state, disable, which);
    if (this.system) this.stop = Stop.again;
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
    const name = notImplementedNames[what];
    this.fail({ kind: 'not-implemented', message: `the instruction belongs to ${name}, which is not implemented` });
  }

  /** On Armv6-M no access is made in parts. */
  alwaysAligned(): boolean {
    return !this.cpu.isa.v7m || (this.memory.state[State.ccr] & Ccr.unalignTrap) !== 0;
  }
}
