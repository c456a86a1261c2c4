/**
 * Exceptions as the architecture has them: Armv7-M ARM B1.5 (entry, return, priorities, escalation, lockup), FP context and its lazy
 * preservation (B1.5.7); Armv8-M ARM B3 without the Security Extension. Only machines made with `exceptions:
 * 'architectural'` have this; in others a fault stops before its effect. Priorities have eight bits (two in Armv6-M and
 * Armv8-M Baseline), there are 240 interrupts.
 */
import type { ArmIsa } from '../../arch';
import type { PendingFault } from '../stop';
import { mpuAllows } from './mpu';
import { Fpccr, readXpsr, State, updateFpAttention, writeXpsr } from './state';
import { bitsOf, CcrBits, Cfsr, Exception, hasBit, Hfsr, priorityByte, setBit, System } from './system-state';

/** What the model needs of the core: memory as the processor reaches it, refusing by a fault or not at all. */
export interface ExceptionCore {
  readonly state: Int32Array;
  /** undefined = not accessible (a BusFault). */
  readWord(address: number): number | undefined;
  writeWord(address: number, value: number): boolean;
  /** Privilege or sp has changed. */
  changed(): void;
}

const fpca = 4;
const idle = 256;

export class Exceptions {
  /** True after an exception at a priority where none can be taken. */
  lockedUp = false;

  constructor(
    private readonly isa: ArmIsa,
    private readonly core: ExceptionCore,
  ) {}

  get isV8(): boolean {
    return this.isa.v8mBase;
  }

  private get state(): Int32Array {
    return this.core.state;
  }

  // ---- priorities ----

  private groupOf(priority: number): number {
    return priority < 0 ? priority : priority & ~((2 << (this.state[System.prigroup] & 7)) - 1);
  }

  priorityOf(number: number): number {
    if (number === Exception.NMI) return -2;
    if (number === Exception.HardFault) return -1;
    return priorityByte(this.state, number);
  }

  /** ExecutionPriority(): of the active exceptions and the masks. */
  executionPriority(): number {
    const { state } = this;
    let priority = idle;
    for (const number of bitsOf(state, System.active))
      priority = Math.min(priority, this.groupOf(this.priorityOf(number)));
    if (state[State.basepri] !== 0) priority = Math.min(priority, this.groupOf(state[State.basepri]));
    if (state[State.primask] !== 0) priority = Math.min(priority, 0);
    if (state[State.faultmask] !== 0) priority = Math.min(priority, -1);
    return priority;
  }

  private isEnabled(number: number): boolean {
    if (number >= 16) return hasBit(this.state, System.enabled, number);
    const shift = { [Exception.MemManage]: 16, [Exception.BusFault]: 17, [Exception.UsageFault]: 18 }[number];
    return shift === undefined || ((this.state[System.shcsrEnable] >>> shift) & 1) === 1;
  }

  /** The pending exception that would be taken next, whatever executes now. */
  highestPending(): number | undefined {
    let best: number | undefined;
    for (const number of bitsOf(this.state, System.pending)) {
      if (!this.isEnabled(number)) continue;
      if (best === undefined || this.priorityOf(number) < this.priorityOf(best)) best = number;
    }
    return best;
  }

  /** The pending exception that preempts now. */
  preempting(): number | undefined {
    const best = this.highestPending();
    return best !== undefined && this.groupOf(this.priorityOf(best)) < this.executionPriority() ? best : undefined;
  }

  /** A synchronous exception: pending at its priority, or escalated to HardFault. False: lockup. */
  raise(number: number): boolean {
    const { state } = this;
    const executes = this.executionPriority();
    const taken = this.isEnabled(number) && this.groupOf(this.priorityOf(number)) < executes;
    if (taken) {
      setBit(state, System.pending, number, true);
      return true;
    }
    if (executes <= -1) {
      this.lockedUp = true;
      return false;
    }
    if (number !== Exception.HardFault) state[System.hfsr] |= Hfsr.FORCED;
    setBit(state, System.pending, Exception.HardFault, true);
    return true;
  }

  // ---- faults ----

  /** Registers of a fault, and its exception. Armv6-M and Baseline have but HardFault. */
  raiseFault(fault: PendingFault): boolean {
    if (!this.isa.v7m) return this.raise(Exception.HardFault);
    const status = statusOf(fault);
    this.note(status, fault.address);
    return this.raise(exceptionOf(status));
  }

  private note(status: number, address: number | undefined): void {
    const { state } = this;
    state[System.cfsr] |= status;
    if (status & Cfsr.MMARVALID) state[System.mmfar] = address ?? 0;
    if (status & Cfsr.BFARVALID) state[System.bfar] = address ?? 0;
  }

  // ---- entry ----

  private usesPsp(): boolean {
    return (this.state[State.control] & 2) !== 0 && this.state[State.ipsr] === 0;
  }

  private swapStacks(): void {
    const { state } = this;
    const other = state[State.otherSp];
    state[State.otherSp] = state[State.sp];
    state[State.sp] = other;
  }

  /** ExceptionEntry: stacks for `returnAddress`, then takes the pending exception that is highest then (late arrival). */
  enter(returnAddress: number, thumb = true): void {
    const { state } = this;
    const excReturn = this.excReturnValue();
    const failed = this.pushStack(returnAddress, thumb);
    const stackFault = failed === undefined ? undefined : this.isa.v7m ? exceptionOf(failed) : Exception.HardFault;
    if (failed !== undefined && this.isa.v7m) state[System.cfsr] |= failed;
    if (stackFault !== undefined) this.raise(stackFault);
    this.take(this.preempting() ?? this.highestPending() ?? Exception.HardFault, excReturn);
  }

  private excReturnValue(): number {
    const { state } = this;
    const handler = state[State.ipsr] !== 0;
    const basic = (state[State.control] & fpca) === 0 ? 0x10 : 0;
    const target = handler ? 1 : this.usesPsp() ? 13 : 9;
    if (!this.isV8) return 0xffffffe0 | basic | target | 0;
    // Non-secure: ES and S clear, DCRS set.
    return 0xffffffa0 | basic | (target & 12) | 0;
  }

  /** PushStack; the CFSR bits of what went wrong. */
  private pushStack(returnAddress: number, thumb: boolean): number | undefined {
    const { state } = this;
    const fp = (state[State.control] & fpca) !== 0;
    const aligned = fp || this.isV8 || !this.isa.v7m || (state[State.ccr] & CcrBits.STKALIGN) !== 0;
    const size = fp ? 0x68 : 0x20;
    const sp = state[State.sp];
    const align = aligned && (sp & 4) !== 0;
    const frame = (sp - size) & (aligned ? ~7 : ~3);
    const limit = this.usesPsp() ? state[State.psplim] : state[State.msplim];
    const overflows = frame >>> 0 < limit >>> 0;
    const xpsr = (readXpsr(state) & ~((1 << 9) | (1 << 24))) | (align ? 1 << 9 : 0) | (thumb ? 1 << 24 : 0);
    const words = [state[0], state[1], state[2], state[3], state[12], state[State.lr], returnAddress, xpsr];
    state[State.sp] = overflows ? limit : frame;
    if (overflows) return Cfsr.STKOF;
    let failed: number | undefined;
    words.forEach((word, i) => (failed = this.stack(frame + 4 * i, word) ?? failed));
    if (fp) failed = this.stackFloats(frame) ?? failed;
    return failed;
  }

  private stack(address: number, value: number): number | undefined {
    if (!this.allows(address, 'write')) return Cfsr.MSTKERR;
    return this.core.writeWord(address >>> 0, value) ? undefined : Cfsr.STKERR;
  }

  private allows(address: number, access: 'read' | 'write'): boolean {
    const { state } = this;
    const privileged = (state[State.control] & 1) === 0 || state[State.ipsr] !== 0;
    const priority = this.executionPriority();
    return mpuAllows(state, this.isV8, { address: address >>> 0, access, privileged, priority });
  }

  /** With FPCCR.LSPEN only the place is kept: the first instruction that needs the registers has them saved. */
  private stackFloats(frame: number): number | undefined {
    const { state } = this;
    if ((state[State.fpccr] & Fpccr.LSPEN) !== 0) {
      state[State.fpcar] = frame + 0x20;
      const privileged = (state[State.control] & 1) === 0 || state[State.ipsr] !== 0;
      const thread = state[State.ipsr] === 0;
      const kept = state[State.fpccr] & (Fpccr.ASPEN | Fpccr.LSPEN);
      state[State.fpccr] = kept | Fpccr.LSPACT | (privileged ? 0 : 2) | (thread ? 8 : 0);
      return undefined;
    }
    return this.storeFloats(frame + 0x20);
  }

  private storeFloats(address: number): number | undefined {
    const { state } = this;
    let failed: number | undefined;
    for (let i = 0; i < 16; i++) failed = this.stack(address + 4 * i, state[State.s0 + i]) ?? failed;
    return this.stack(address + 0x40, state[State.fpscr]) ?? failed;
  }

  /** PreserveFPState, when an instruction of the extension finds LSPACT set. */
  preserveFloats(): void {
    const { state } = this;
    const failed = this.storeFloats(state[State.fpcar]);
    state[State.fpccr] &= ~Fpccr.LSPACT;
    if (failed === undefined) return;
    const status = failed === Cfsr.MSTKERR ? Cfsr.MLSPERR : Cfsr.LSPERR;
    state[System.cfsr] |= status;
    this.raise(exceptionOf(status));
  }

  /** ExceptionTaken: mode, stack and vector. */
  private take(number: number, excReturn: number): void {
    const { state } = this;
    const psp = this.usesPsp();
    setBit(state, System.pending, number, false);
    setBit(state, System.active, number, true);
    state[State.ipsr] = number;
    state[State.itState] = 0;
    state[State.lr] = excReturn;
    state[State.control] &= ~(fpca | 2);
    if (psp) this.swapStacks();
    state[State.event] = 1;
    state[State.monitorSize] = 0;
    updateFpAttention(state);
    this.core.changed();
    const vector = this.core.readWord((state[System.vtor] + 4 * number) >>> 0);
    if (vector === undefined) {
      state[System.hfsr] |= Hfsr.VECTTBL;
      if (number === Exception.HardFault || this.executionPriority() <= -1) this.lockedUp = true;
      else setBit(state, System.pending, Exception.HardFault, true);
      return;
    }
    state[State.pc] = vector & ~1;
    if ((vector & 1) === 0) this.invalid(Cfsr.INVSTATE);
  }

  private invalid(status: number): void {
    if (this.isa.v7m) this.state[System.cfsr] |= status;
    this.raise(this.isa.v7m ? Exception.UsageFault : Exception.HardFault);
  }

  // ---- return ----

  /** ExceptionReturn for the EXC_RETURN value; pc and mode are those of the interrupted code, or of the next exception. */
  return(excReturn: number): void {
    const { state } = this;
    const number = state[State.ipsr];
    const isActive = hasBit(state, System.active, number);
    const target = excReturn & 15;
    const toHandler = (target & 8) === 0;
    setBit(state, System.active, number, false);
    if (number !== Exception.NMI) state[State.faultmask] = 0;
    const nested = bitsOf(state, System.active).length;
    const mayReturn = toHandler ? nested > 0 : nested === 0 || (state[State.ccr] & CcrBits.NONBASETHRDENA) !== 0;
    if (!isActive || !mayReturn || !this.isExcReturn(excReturn)) {
      // The exception is left all the same; UsageFault is taken with lr as it is, without stacking.
      this.invalid(Cfsr.INVPC);
      this.take(this.highestPending() ?? Exception.HardFault, excReturn);
      return;
    }
    state[State.event] = 1;
    state[State.monitorSize] = 0;
    // Tail-chaining: what is stacked stays so.
    const next = this.preempting();
    if (next !== undefined) return this.take(next, excReturn);
    this.leave(excReturn, toHandler);
  }

  private isExcReturn(value: number): boolean {
    if (this.isV8) return value >>> 8 === 0xffffff;
    const target = value & 15;
    const upper = value >>> 5 === 0x7ffffff;
    return upper && (target === 1 || target === 9 || target === 13) && (this.isa.fp !== 'none' || (value & 16) !== 0);
  }

  private leave(excReturn: number, toHandler: boolean): void {
    const { state } = this;
    const wantsPsp = !toHandler && (excReturn & 4) !== 0;
    const outer = toHandler
      ? bitsOf(state, System.active).sort((a, b) => this.priorityOf(a) - this.priorityOf(b))[0]
      : 0;
    state[State.ipsr] = outer;
    state[State.control] = (state[State.control] & ~2) | (wantsPsp ? 2 : 0);
    if (wantsPsp) this.swapStacks();
    const failed = this.popStack((excReturn & 16) === 0);
    this.core.changed();
    if (failed === undefined) return;
    if (this.isa.v7m) state[System.cfsr] |= failed;
    this.raise(this.isa.v7m ? exceptionOf(failed) : Exception.HardFault);
    // What was popped is pushed again; what could not be popped is still there.
    if (failed === Cfsr.INVPC) this.enter(state[State.pc]);
    else this.take(this.highestPending() ?? Exception.HardFault, excReturn);
  }

  private popStack(fp: boolean): number | undefined {
    const { state } = this;
    const frame = state[State.sp];
    const words: number[] = [];
    for (let i = 0; i < 8; i++) {
      if (!this.allows(frame + 4 * i, 'read')) return Cfsr.MUNSTKERR;
      const word = this.core.readWord((frame + 4 * i) >>> 0);
      if (word === undefined) return Cfsr.UNSTKERR;
      words.push(word);
    }
    const xpsr = words[7];
    const handler = state[State.ipsr];
    [state[0], state[1], state[2], state[3], state[12], state[State.lr]] = words;
    state[State.pc] = words[6] & ~1;
    if (fp) this.popFloats(frame + 0x20);
    state[State.control] = (state[State.control] & ~fpca) | (fp ? fpca : 0);
    state[State.sp] = (frame + (fp ? 0x68 : 0x20)) | (xpsr & (1 << 9) ? 4 : 0);
    writeXpsr(state, this.isa.dsp ? xpsr : xpsr & ~0xf0000);
    updateFpAttention(state);
    // The mode of EXC_RETURN has to be that of the stacked IPSR.
    if ((state[State.ipsr] === 0) !== (handler === 0)) {
      state[State.ipsr] = handler;
      return Cfsr.INVPC;
    }
    if ((xpsr & (1 << 24)) === 0) this.invalid(Cfsr.INVSTATE);
    return undefined;
  }

  private popFloats(address: number): void {
    const { state } = this;
    if ((state[State.fpccr] & Fpccr.LSPACT) !== 0) {
      // Never saved, so still there.
      state[State.fpccr] &= ~Fpccr.LSPACT;
      return;
    }
    for (let i = 0; i < 16; i++) state[State.s0 + i] = this.core.readWord((address + 4 * i) >>> 0) ?? 0;
    state[State.fpscr] = this.core.readWord((address + 0x40) >>> 0) ?? 0;
  }
}

function exceptionOf(status: number): number {
  if (status & 0xff) return Exception.MemManage;
  return status & 0xff00 ? Exception.BusFault : Exception.UsageFault;
}

/** The CFSR bits that a fault sets. */
export function statusOf(fault: PendingFault): number {
  const { access } = fault;
  switch (fault.kind) {
    case 'undefined-instruction':
      return /NOCP/.test(fault.message) ? Cfsr.NOCP : Cfsr.UNDEFINSTR;
    case 'unaligned':
      return Cfsr.UNALIGNED;
    case 'invalid-state':
      return Cfsr.INVSTATE;
    case 'divide-by-zero':
      return Cfsr.DIVBYZERO;
    case 'stack-overflow':
      return Cfsr.STKOF;
    case 'unmapped':
      return access === 'execute' ? Cfsr.IBUSERR : Cfsr.PRECISERR | Cfsr.BFARVALID;
    case 'forbidden':
      return access === 'execute' ? Cfsr.IACCVIOL : Cfsr.DACCVIOL | Cfsr.MMARVALID;
    default:
      return Cfsr.UNDEFINSTR;
  }
}
