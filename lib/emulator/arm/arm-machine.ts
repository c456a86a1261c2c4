/**
 * ArmMachine: an emulated Cortex-M of memory, registers and the predecoded interpreter.
 *
 * run() drives interpret() in slices and turns the reason it stopped for into a RunStop with exact state: pc is the
 * instruction that did not execute, ITSTATE is that of its slot. Two cases need an instruction decoded otherwise than its
 * slot has it, and are executed alone: the breakpoint that a run continues from, and an instruction in an IT block
 * whose ITSTATE differs from the static one (after a debugger has written pc or xpsr).
 */
import type { ArmCpu } from '../../arch';
import { Accounts, type AccountedMachine, type BlockListener, type TranslatedListener } from '../accounts';
import { DirectAccess } from '../direct-access';
import { Jit, minimumBudget, type JitOptions } from '../jit/jit';
import { ThumbEmitter } from '../jit/thumb/thumb-emitter';
import { ThumbLifter } from '../jit/thumb/thumb-lifter';
import { GuestMemory } from '../memory';
import { Rewind } from '../rewind';
import { MemorySafety } from '../safety/memory-safety';
import { sliceLength, Stop } from '../stop';
import type { Fault, Machine, MemoryRegion, RunStop, SafetyRule, TranslationStatistics } from '../types';
import { readBlock } from './blocks';
import { advanceIt } from './code-cache';
import { interpretThumbCarefully } from './careful';
import { Core } from './core';
import { interpret } from './interpreter.generated';
import { RegisterView } from './register-view';
import { SystemLevel, type SystemOptions } from './system-level';
import { Watchpoints } from '../watchpoints';
import { Fpccr, State, updateFpAttention } from './state';

export class ArmMachine implements Machine {
  readonly cpu: ArmCpu;
  readonly memory: GuestMemory;
  readonly state: RegisterView;
  /** undefined when exceptions are architectural: the system level keeps more than the state page. */
  readonly rewind: Rewind | undefined;
  readonly watchpoints: Watchpoints;
  readonly direct: DirectAccess;
  private readonly core: Core;
  private readonly jit: Jit | undefined;
  private readonly accounted: AccountedMachine;
  private accounts: Accounts | undefined;

  constructor(cpu: ArmCpu, regions: readonly MemoryRegion[], system?: SystemOptions, jit?: JitOptions) {
    this.cpu = cpu;
    this.memory = new GuestMemory(regions);
    this.watchpoints = new Watchpoints(this.memory);
    this.direct = new DirectAccess(this.memory, 16, 1);
    this.state = new RegisterView(cpu, this.memory);
    this.core = new Core(cpu, this.memory);
    // All flags clear: Z is set while its word is 0.
    this.memory.state[State.flagZ] = 1;
    this.enableFloatingPoint();
    if (system) this.addSystem(system);
    else if (jit) this.jit = this.makeJit(jit);
    this.accounted = this.makeAccounted();
    // run() derives the stack limit anew; nothing else is derived from the state.
    this.rewind = system ? undefined : new Rewind(this.memory, () => undefined);
  }

  get translation(): TranslationStatistics | undefined {
    return this.jit?.statistics;
  }

  get safety(): MemorySafety | undefined {
    return this.core.safety;
  }

  setSafety(rules: readonly SafetyRule[] | undefined): void {
    const { core } = this;
    if (core.safety !== undefined && rules !== undefined) {
      core.safety.rules = rules;
    } else {
      core.safety?.close();
      core.safety = rules && new MemorySafety(core, State.sp, rules);
    }
    core.code.clear();
    this.jit?.safetyChanged();
  }

  addFunctions(addresses: Iterable<number>): void {
    this.jit?.addFunctions(addresses);
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

  get instructionCount(): number {
    const state = this.memory.state;
    return (state[State.countHigh] >>> 0) * 2 ** 32 + (state[State.countLow] >>> 0);
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

  run(budget: number, skipBreakpoint = false): RunStop {
    const { core, memory } = this;
    let left = budget;
    core.stop = Stop.none;
    core.fault = undefined;
    core.updateLimit();
    const skips = skipBreakpoint && core.code.breakpoints.has(memory.state[State.pc] >>> 0);
    if (skips && left > 0) left -= this.watching(() => this.alone(true));
    if (core.system) this.runWithExceptions(core.system, left);
    else while (left > 0 && core.stop === Stop.none) left -= this.advance(Math.min(left, sliceLength));
    return this.stopReason();
  }

  /** At most `budget` instructions from pc; one alone where its ITSTATE is not that of its slot. */
  private go(budget: number): number {
    if (this.itStateDiffers()) return this.alone(false);
    const { accounts, jit } = this;
    const translates = jit !== undefined && budget >= minimumBudget && (!accounts || accounts.translated !== undefined);
    return translates ? jit.advance(budget) : this.interpretPart(budget, false);
  }

  /** Block by block where accounts are kept. */
  private interpretPart(budget: number, untilTranslated: boolean): number {
    const { accounts, core } = this;
    if (!accounts) return this.slice(budget, untilTranslated);
    const { translated } = core.code;
    return accounts.run(budget, this.accounted, core, (pc) => untilTranslated && translated?.has(pc) === true);
  }

  private advance(budget: number): number {
    return this.watchpoints.advance(this.core, this.accounted, budget, (part) => this.go(part));
  }

  private watching(step: () => number): number {
    return this.watchpoints.execute(this.core, this.memory.state[State.pc] >>> 0, step);
  }

  keepAccounts(listener: BlockListener | undefined, translated?: TranslatedListener): Accounts | undefined {
    this.accounts = listener && new Accounts(listener, translated);
    this.core.code.onChange = () => this.accounts?.forgetBlocks();
    this.jit?.accountsChanged();
    return this.accounts;
  }

  private makeAccounted(): AccountedMachine {
    const { core, memory } = this;
    return {
      get pc() {
        return memory.state[State.pc] >>> 0;
      },
      readBlock() {
        return readBlock(memory, core.code.decoder, this.pc, memory.state[State.itState]);
      },
      execute: (budget) => this.slice(budget),
    };
  }

  /** stepAlone(), accounted for. */
  private alone(ignoreBreakpoint: boolean): number {
    const { pc } = this.accounted;
    const executed = this.stepAlone(ignoreBreakpoint);
    if (executed > 0) this.accounts?.single(pc, this.accounted.pc);
    return executed;
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

  setBreakpoint(address: number): void {
    this.core.code.breakpoints.add(address >>> 0);
    this.forgetCode(address);
  }

  clearBreakpoint(address: number): void {
    this.core.code.breakpoints.delete(address >>> 0);
    this.forgetCode(address);
  }

  onBreakpoint(passes: ((address: number) => boolean) | undefined): void {
    const { core, memory } = this;
    core.code.askAtBreakpoints(passes, (pc) => {
      memory.state[State.pc] = pc;
      memory.state[State.itState] = 0;
    });
  }

  setHostCall(address: number): void {
    this.core.code.hostCalls.add(address >>> 0);
    this.forgetCode(address);
  }

  clearHostCall(address: number): void {
    this.core.code.hostCalls.delete(address >>> 0);
    this.forgetCode(address);
  }

  setStackLimit(limit: number | undefined): void {
    this.memory.state[State.stackLimit] = limit ?? 0;
  }

  private forgetCode(address: number): void {
    this.core.code.drop(address);
    this.jit?.drop(address >>> 0, 2);
  }

  /** Runs on from pc; returns the instructions executed. */
  private slice(budget: number, untilTranslated = false): number {
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

  private count(executed: number): void {
    const state = this.memory.state;
    const low = (state[State.countLow] >>> 0) + executed;
    state[State.countLow] = low;
    if (low >= 2 ** 32) state[State.countHigh]++;
  }

  private makeJit(options: JitOptions): Jit {
    const { core, memory } = this;
    return new Jit(
      {
        memory,
        code: core.code,
        access: core,
        words: { pc: State.pc, sp: State.sp, stack: State.sp, mode: State.itState },
        limit: () => core.limit,
        strictAlignment: () => core.alwaysAligned() || core.safety?.has('misaligned') === true,
        interpret: (budget, untilTranslated) => this.interpretPart(budget, untilTranslated),
        interpretOne: () => this.slice(1),
        accounts: () => this.accounts,
        count: (executed) => this.count(executed),
        frontEnd: (emitterOptions) => {
          const emitter = new ThumbEmitter(emitterOptions);
          return { emitter, lifter: new ThumbLifter(memory, core.code, emitter) };
        },
      },
      options,
    );
  }

  private itStateDiffers(): boolean {
    const state = this.memory.state;
    const k = this.core.code.enter(state[State.pc]);
    return this.core.code.itState[k >> 2] !== state[State.itState];
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

  private isItInstruction(pc: number): boolean {
    const host = this.memory.hostAddress(pc);
    const halfword = host < 0 ? 0 : this.memory.halfwords[host >>> 1];
    return halfword >>> 8 === 0xbf && (halfword & 0xf) !== 0;
  }

  private stopReason(): RunStop {
    const address = this.memory.state[State.pc] >>> 0;
    switch (this.core.stop) {
      case Stop.breakpoint:
        return { reason: 'breakpoint', address };
      case Stop.hostCall:
        return { reason: 'host-call', address };
      case Stop.debug:
      case Stop.call:
        return {
          reason: this.core.stop === Stop.debug ? 'bkpt' : 'svc',
          immediate: this.memory.read(address, 1)[0],
          address,
        };
      case Stop.wait:
        return { reason: 'wait' };
      case Stop.watched:
        return { reason: 'watchpoint', hits: this.watchpoints.hits };
      case Stop.fault:
        return { reason: 'fault', fault: this.describeFault(address) };
      default:
        return { reason: 'budget' };
    }
  }

  private describeFault(pc: number): Fault {
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
