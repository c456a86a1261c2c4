/**
 * A core with architectural exceptions: what the interpreter stops for is turned into exceptions, between slices of instructions
 * that end where SysTick does. Accesses to the System Control Space stop the interpreter before them and are executed
 * alone, so that what they change holds from the next instruction on.
 */
import type { ArmCpu } from '../../arch';
import type { PendingFault } from '../stop';
import { Exceptions, type ExceptionCore } from './exceptions';
import { mpuAllows, mpuEnabled } from './mpu';
import { State } from './state';
import { CcrBits, Exception, setBit, System } from './system-state';
import { SystemControl, systemSpace } from './system-control';

export interface SystemOptions {
  /** VTOR after reset. */
  readonly vectorTable?: number;
}

/** What the system level uses of the core. */
export interface SystemCore extends ExceptionCore {
  /** Memory permissions or privilege have changed: predecoded instructions are stale. */
  protect(guarded: boolean, forgetCode: boolean): void;
}

export class SystemLevel {
  readonly exceptions: Exceptions;
  readonly control: SystemControl;
  /** An access to the System Control Space is being executed alone. */
  open = false;
  /** LDRT and STRT: as unprivileged code would. */
  unprivileged = false;
  private guarded = false;
  private configuration = '';

  constructor(
    private readonly cpu: ArmCpu,
    private readonly core: SystemCore,
    private readonly options: SystemOptions,
  ) {
    this.exceptions = new Exceptions(cpu.isa, core);
    this.control = new SystemControl(cpu, this.exceptions, () => core.state);
  }

  /** TakeReset: registers, stack and entry from the vector table. */
  reset(): void {
    const { state } = this.core;
    const hasFp = this.cpu.isa.fp !== 'none';
    state.fill(0, 0, State.countLow);
    state.fill(0, State.ge, 512);
    state[State.flagZ] = 1;
    state[State.controlMask] = hasFp ? 7 : 3;
    if (hasFp) state[State.fpccr] = 0xc0000000;
    state[State.fpAttention] = 1;
    state[State.ccr] = CcrBits.STKALIGN | (this.cpu.isa.v8mBase ? 1 : 0);
    if (!this.cpu.isa.v7m) state[State.ccr] |= 8;
    state[System.vtor] = this.options.vectorTable ?? 0;
    state[State.lr] = -1;
    state[State.sp] = (this.core.readWord(state[System.vtor] >>> 0) ?? 0) & ~3;
    state[State.pc] = (this.core.readWord((state[System.vtor] + 4) >>> 0) ?? 0) & ~1;
    this.exceptions.lockedUp = false;
    this.control.resetRequested = false;
    this.changed();
  }

  covers(address: number): boolean {
    return address >>> 12 === systemSpace >>> 12;
  }

  get privileged(): boolean {
    const { state } = this.core;
    return !this.unprivileged && ((state[State.control] & 1) === 0 || state[State.ipsr] !== 0);
  }

  /** What the MPU (or the default memory map) says; undefined = allowed. */
  refuses(address: number, access: 'read' | 'write' | 'execute'): PendingFault | undefined {
    const { state } = this.core;
    // Only what is looked at: computing the priority of every access would be slow.
    const priority = mpuEnabled(state) ? this.exceptions.executionPriority() : 0;
    const allowed = mpuAllows(state, this.cpu.isa.v8mBase, {
      address: address >>> 0,
      access,
      privileged: this.privileged,
      priority,
    });
    if (allowed) return undefined;
    const message = `the memory protection unit does not allow ${access} of 0x${(address >>> 0).toString(16)}`;
    return { kind: 'forbidden', message, access, address: address >>> 0 };
  }

  /** After a change of CONTROL, IPSR or the system registers. */
  changed(): void {
    const { state } = this.core;
    const guarded = mpuEnabled(state);
    if (!guarded && !this.guarded) return;
    const parts = [state.subarray(System.mpuRbar, System.mpuRbar + 32).join(), state[System.mpuCtrl], this.privileged];
    const configuration = `${parts.join()} ${this.exceptions.executionPriority() < 0 ? 'off' : ''}`;
    const different = configuration !== this.configuration;
    this.configuration = configuration;
    if (different || guarded !== this.guarded) this.core.protect(guarded, different);
    this.guarded = guarded;
  }

  /** The exception that preempts before the next instruction, if any, is taken. */
  takePending(): void {
    if (this.exceptions.lockedUp || this.exceptions.preempting() === undefined) return;
    this.exceptions.enter(this.core.state[State.pc]);
  }

  /** A fault of the instruction at pc. False: it is not the architecture's (not implemented), or the core locks up. */
  raise(fault: PendingFault): boolean {
    if (fault.kind === 'not-implemented') return false;
    if (!this.exceptions.raiseFault(fault)) return false;
    // A branch to an address with bit 0 clear has executed: its target faults.
    const left = fault.kind === 'invalid-state' && fault.address !== undefined;
    if (left) this.exceptions.enter(fault.address & ~1, false);
    else this.takePending();
    return !this.exceptions.lockedUp;
  }

  /** SVC: the return address is behind it. */
  supervisorCall(): boolean {
    this.core.state[State.pc] += 2;
    return this.exceptions.raise(Exception.SVCall);
  }

  /** WFI and WFE: true when something wakes the core; with SysTick running time passes until then. */
  wakes(): boolean {
    if (this.hasPending()) return true;
    const ticks = this.control.untilTick();
    if (ticks === undefined || (this.core.state[System.systCsr] & 2) === 0) return false;
    for (let i = 0; i < 2 && !this.hasPending(); i++) this.control.advance(this.control.untilTick() ?? 0);
    return this.hasPending();
  }

  /** PRIMASK does not keep the core asleep. */
  private hasPending(): boolean {
    return this.exceptions.highestPending() !== undefined;
  }

  setPending(interrupt: number): void {
    setBit(this.core.state, System.pending, 16 + interrupt, true);
  }
}
