/**
 * ArmMachine: an emulated Cortex-M of memory, registers and the predecoded interpreter.
 *
 * run() drives interpret() in slices and turns the reason it stopped for into a RunStop with exact state: pc is the
 * instruction that did not execute, ITSTATE is that of its slot. Two cases need an instruction decoded otherwise than its
 * slot has it, and are executed alone: the breakpoint that a run continues from, and an instruction in an IT block
 * whose ITSTATE differs from the static one (after a debugger has written pc or xpsr).
 */
import type { ArmCpu } from '../../arch';
import type { Block } from '../accounts';
import { DirectAccess } from '../direct-access';
import type { JitOptions } from '../jit/jit';
import { ThumbEmitter } from '../jit/thumb/thumb-emitter';
import { ThumbLifter } from '../jit/thumb/thumb-lifter';
import { GuestMemory } from '../memory';
import { PredecodedMachine } from '../predecoded-machine';
import { Rewind } from '../rewind';
import { sliceLength, Stop } from '../stop';
import type { Fault, Machine, MemoryRegion, RunStop } from '../types';
import { readBlock } from './blocks';
import { advanceIt } from './code-cache';
import { interpretThumbCarefully } from './careful';
import { conditionPassed } from './condition';
import { Core } from './core';
import { interpret } from './interpreter.generated';
import { RegisterView } from './register-view';
import { SystemLevel, type SystemOptions } from './system-level';
import { Fpccr, State, updateFpAttention } from './state';

/** Translated code is entered with ITSTATE 0. */
const words = { ...State, stack: State.sp, mode: State.itState };

export class ArmMachine extends PredecodedMachine<Core> implements Machine {
  readonly state: RegisterView;
  /** undefined when exceptions are architectural: the system level keeps more than the state page. */
  readonly rewind: Rewind | undefined;
  readonly direct: DirectAccess;

  constructor(
    readonly cpu: ArmCpu,
    regions: readonly MemoryRegion[],
    system?: SystemOptions,
    jit?: JitOptions,
  ) {
    const memory = new GuestMemory(regions);
    super(memory, new Core(cpu, memory), words);
    this.direct = new DirectAccess(memory, 16, 1);
    this.state = new RegisterView(cpu, memory);
    // All flags clear: Z is set while its word is 0.
    memory.state[State.flagZ] = 1;
    this.enableFloatingPoint();
    if (system) this.addSystem(system);
    else if (jit) {
      this.jit = this.makeJit(jit, (options) => {
        const emitter = new ThumbEmitter(options);
        return { emitter, lifter: new ThumbLifter(memory, this.core.code, emitter) };
      });
    }
    // run() derives the stack limit anew; nothing else is derived from the state.
    this.rewind = system ? undefined : new Rewind(memory, () => undefined);
  }

  /** As a kernel leaves it: accessible, with automatic and lazy preservation. */
  private enableFloatingPoint(): void {
    const state = this.memory.state;
    const hasFp = this.cpu.isa.fp !== 'none';
    state[State.controlMask] = hasFp ? 7 : 3;
    if (!hasFp) return;
    state[State.cpacr] = 0xf00000;
    state[State.fpccr] = Fpccr.ASPEN | Fpccr.LSPEN;
    updateFpAttention(state);
  }

  private addSystem(options: SystemOptions): void {
    const { core } = this;
    core.system = new SystemLevel(this.cpu, core, options);
    core.code.returnsFromException = () => {
      if (core.state[State.ipsr] === 0) return false;
      core.stop = Stop.exceptionReturn;
      return true;
    };
  }

  /** The system level; undefined when exceptions are not architectural. */
  get system(): SystemLevel | undefined {
    return this.core.system;
  }

  protected override runOn(budget: number): void {
    const { core } = this;
    if (core.system) return this.runWithExceptions(core.system, budget);
    let left = budget;
    while (left > 0 && core.stop === Stop.none) left -= this.advance(Math.min(left, sliceLength));
  }

  /** One alone where its ITSTATE is not that of its slot. */
  protected override go(budget: number): number {
    return this.itStateDiffers() ? this.alone(() => this.stepAlone(false)) : super.go(budget);
  }

  protected override readBlock(): Block {
    const { core, memory } = this;
    return readBlock(memory, core.code.decoder, this.pc, memory.state[State.itState]);
  }

  private runWithExceptions(system: SystemLevel, budget: number): void {
    const { core } = this;
    let left = budget;
    // A breakpoint was continued from: what that instruction stopped for comes first.
    if (core.stop !== Stop.none) left -= this.resolve(system);
    while (left > 0 && core.stop === Stop.none) {
      system.takePending();
      core.updateLimit();
      const executed = this.advance(Math.min(left, sliceLength, system.control.untilTick() ?? sliceLength));
      system.control.advance(executed);
      left -= executed;
      if (core.stop !== Stop.none) left -= this.resolve(system);
    }
  }

  /** Turns what the interpreter stopped for into exceptions. core.stop stays set for what is the debugger's. */
  private resolve(system: SystemLevel): number {
    const { core } = this;
    const { stop } = core;
    const goesOn = (when: boolean): void => {
      if (when) core.stop = Stop.none;
    };
    switch (stop) {
      case Stop.device:
        return this.accessSystem(system);
      case Stop.again:
        core.stop = Stop.none;
        core.changed();
        return 0;
      case Stop.exceptionReturn:
        core.stop = Stop.none;
        system.exceptions.return(core.state[State.pc] | 1);
        this.stopWhenLockedUp(system);
        return 0;
      case Stop.call:
        this.count(1);
        goesOn(system.supervisorCall());
        this.stopWhenLockedUp(system);
        return 1;
      case Stop.wait:
        goesOn(system.wakes());
        return 0;
      case Stop.fault:
        goesOn(core.fault !== undefined && system.raise(core.fault));
        this.stopWhenLockedUp(system);
        return 0;
      default:
        return 0;
    }
  }

  private accessSystem(system: SystemLevel): number {
    const { core } = this;
    core.stop = Stop.none;
    system.open = true;
    const executed = this.go(1);
    system.open = false;
    core.changed();
    if (core.stop === Stop.fault) this.resolve(system);
    return executed;
  }

  private stopWhenLockedUp(system: SystemLevel): void {
    if (!system.exceptions.lockedUp) return;
    const message = 'the core has locked up: a fault at the priority of HardFault or NMI';
    this.core.fail({ kind: 'unhandled-exception', message });
  }

  protected override slice(budget: number, untilTranslated = false): number {
    const { core } = this;
    const state = this.memory.state;
    core.position = core.code.enter(state[State.pc]);
    core.stopsAtTranslated = untilTranslated;
    const { safety } = core;
    const executed = safety ? interpretThumbCarefully(core, safety, budget) : interpret(core, budget);
    state[State.pc] = core.code.addressOf(core.position);
    // By the address: at a page's end the position is one of the slots that lead to the next page.
    state[State.itState] = core.code.itState[core.code.enter(state[State.pc]) >> 2];
    this.count(executed);
    return executed;
  }

  private itStateDiffers(): boolean {
    const state = this.memory.state;
    const k = this.core.code.enter(state[State.pc]);
    return this.core.code.itState[k >> 2] !== state[State.itState];
  }

  protected override stepOver(): number {
    return this.stepAlone(true);
  }

  /** Executes the instruction at pc with ITSTATE as it is in the state, then leaves its slot to be decoded anew. */
  private stepAlone(ignoreBreakpoint: boolean): number {
    const { code } = this.core;
    const state = this.memory.state;
    const pc = state[State.pc] >>> 0;
    const it = state[State.itState];
    const slot = code.enter(pc) >> 2;
    const usual = code.itState[slot];
    const startsIt = this.isItInstruction(pc);
    code.drop(pc);
    code.itState[slot] = it;
    if (ignoreBreakpoint) code.ignoredBreakpoint = pc;
    const executed = this.slice(1);
    code.ignoredBreakpoint = -1;
    // The page may have been written to by the instruction itself; its slot is decoded again in any case.
    if (code.enter(pc) >> 2 === slot) code.itState[slot] = usual;
    code.drop(pc);
    if (it !== usual && executed === 1 && !startsIt) state[State.itState] = advanceIt(it);
    return executed;
  }

  get passesOver(): boolean {
    const { state } = this.memory;
    const it = state[State.itState];
    return it !== 0 && !conditionPassed(state, it >> 4);
  }

  private isItInstruction(pc: number): boolean {
    const host = this.memory.hostAddress(pc);
    const halfword = host < 0 ? 0 : this.memory.halfwords[host >>> 1];
    return halfword >>> 8 === 0xbf && (halfword & 0xf) !== 0;
  }

  protected override callStop(isDebug: boolean, address: number): RunStop {
    return { reason: isDebug ? 'bkpt' : 'svc', immediate: this.memory.read(address, 1)[0], address };
  }

  protected override describeFault(pc: number): Fault {
    const pending = this.core.fault ?? { kind: 'unhandled-exception' as const, message: '' };
    const fetched = pending.access !== 'execute' || pending.kind === 'invalid-state';
    const bytes = fetched ? this.memory.read(pc, 4) : new Uint8Array();
    const first = bytes.length >= 2 ? bytes[0] | (bytes[1] << 8) : undefined;
    const wide = first !== undefined && first >>> 11 >= 0x1d;
    const second = wide && bytes.length === 4 ? bytes[2] | (bytes[3] << 8) : undefined;
    return {
      kind: pending.kind,
      pc,
      access: pending.access,
      address: pending.address,
      size: pending.size,
      encoding: first === undefined || second === undefined ? first : ((first << 16) | second) >>> 0,
      encodingLength: first === undefined ? undefined : wide ? 4 : 2,
      message: pending.message,
      ...(pending.safety && { safety: pending.safety }),
    };
  }
}
