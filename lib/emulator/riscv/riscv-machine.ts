/**
 * RiscvMachine: an emulated hart of memory, registers and the predecoded interpreter.
 *
 * run() drives interpret() in slices and turns the reason it stopped for into a RunStop with exact state: pc is the
 * instruction that did not execute. With `traps` a fault, ECALL or EBREAK enters the handler at mtvec, as on hardware, and
 * pending interrupts are taken; without (a debug session) they stop the run before they have any effect.
 */
import type { RiscvCpu } from '../../arch';
import { Accounts, type AccountedMachine, type BlockListener, type TranslatedListener } from '../accounts';
import { DirectAccess } from '../direct-access';
import { Jit, minimumBudget, type JitOptions } from '../jit/jit';
import { RiscvEmitter } from '../jit/riscv/riscv-emitter';
import { RiscvLifter } from '../jit/riscv/riscv-lifter';
import { GuestMemory } from '../memory';
import { Rewind } from '../rewind';
import { MemorySafety } from '../safety/memory-safety';
import { sliceLength, Stop, type PendingFault } from '../stop';
import type { Fault, Machine, MemoryRegion, RunStop, SafetyRule, TranslationStatistics } from '../types';
import { readBlock } from './blocks';
import { interpretRiscvCarefully } from './careful';
import { Core } from './core';
import { interpret as interpret32 } from './interpreter32.generated';
import { interpret as interpret64 } from './interpreter64.generated';
import { RegisterView } from './register-view';
import { Watchpoints } from '../watchpoints';
import { Mstatus, Privilege, State } from './state';
import { enterTrap, trapOf, type TrapCause } from './traps';

export interface RiscvOptions {
  /** Faults and environment calls are taken as traps instead of ending the run. */
  readonly traps?: boolean;
  /** 'supported' (the default): misaligned loads and stores are performed; else they trap. */
  readonly misaligned?: 'supported' | 'trap';
  readonly hartId?: number;
  /** Hot code is translated to WebAssembly; without it everything is interpreted. */
  readonly jit?: JitOptions;
}

/** Interrupts that a platform raises: bits of mip. */
export const Interrupt = { software: 3, timer: 7, external: 11 } as const;

export class RiscvMachine implements Machine {
  readonly cpu: RiscvCpu;
  readonly memory: GuestMemory;
  readonly state: RegisterView;
  readonly rewind: Rewind;
  readonly watchpoints: Watchpoints;
  readonly direct: DirectAccess;
  private readonly core: Core;
  private readonly traps: boolean;
  private readonly jit: Jit | undefined;
  private readonly accounted: AccountedMachine;
  private accounts: Accounts | undefined;
  private readonly interpret: (core: Core, budget: number) => number;

  constructor(cpu: RiscvCpu, regions: readonly MemoryRegion[], options: RiscvOptions = {}) {
    this.cpu = cpu;
    this.memory = new GuestMemory(regions);
    this.watchpoints = new Watchpoints(this.memory);
    this.direct = new DirectAccess(this.memory, 32, cpu.isa.xlen === 32 ? 1 : 2);
    const { traps = false, misaligned = 'supported', hartId = 0, jit } = options;
    this.core = new Core(cpu, this.memory, { misaligned: misaligned === 'supported', hartId });
    this.state = new RegisterView(cpu, this.memory, this.core);
    this.traps = traps;
    this.interpret = cpu.isa.xlen === 32 ? interpret32 : interpret64;
    this.memory.state[State.privilege] = Privilege.machine;
    // Extensions do not switch the floating-point unit on: the kernel has.
    if (cpu.isa.f) this.memory.state[State.mstatus] = Mstatus.FS & ~(1 << 14);
    if (jit) this.jit = this.makeJit(jit);
    this.accounted = this.makeAccounted();
    this.rewind = new Rewind(this.memory, (before) => this.core.stateReplaced(before));
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
      core.safety = rules && new MemorySafety(core, this.cpu.isa.xlen === 32 ? 2 : 4, rules);
    }
    core.code.clear();
    this.jit?.safetyChanged();
  }

  addFunctions(addresses: Iterable<number>): void {
    this.jit?.addFunctions(addresses);
  }

  get instructionCount(): number {
    const state = this.memory.state;
    return (state[State.countHigh] >>> 0) * 2 ** 32 + (state[State.countLow] >>> 0);
  }

  /** A trap counts as one against the budget, so that a handler that faults itself does not run for ever. */
  run(budget: number, skipBreakpoint = false): RunStop {
    const { core, memory } = this;
    let left = budget;
    core.stop = Stop.none;
    core.fault = undefined;
    core.limit = memory.state[State.stackLimit] >>> 0;
    const skips = skipBreakpoint && core.code.breakpoints.has(memory.state[State.pc] >>> 0);
    if (skips && left > 0) left -= this.watching(() => this.alone());
    while (left > 0 && core.stop === Stop.none) {
      const interrupt = this.traps ? core.csr.pendingInterrupt() : undefined;
      if (interrupt !== undefined) this.enter({ interrupt });
      left -= this.advance(Math.min(left, sliceLength));
      core.settle();
      if (core.stop !== Stop.none && this.traps) left -= this.trap();
    }
    return this.stopReason();
  }

  keepAccounts(listener: BlockListener | undefined, translated?: TranslatedListener): Accounts | undefined {
    this.accounts = listener && new Accounts(listener, translated);
    this.core.code.onChange = () => this.accounts?.forgetBlocks();
    this.jit?.accountsChanged();
    return this.accounts;
  }

  private makeAccounted(): AccountedMachine {
    const { core, cpu, memory } = this;
    return {
      get pc() {
        return memory.state[State.pc] >>> 0;
      },
      readBlock() {
        return readBlock(memory, core.code.decoder, this.pc, cpu.isa.xlen);
      },
      execute: (budget) => this.slice(budget),
    };
  }

  /** stepOver(), accounted for. */
  private alone(): number {
    const { pc } = this.accounted;
    const executed = this.stepOver();
    if (executed > 0) this.accounts?.single(pc, this.accounted.pc);
    return executed;
  }

  private go(budget: number): number {
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
    core.code.askAtBreakpoints(passes, (pc) => (memory.state[State.pc] = pc));
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

  /** Raises or lowers an interrupt of the platform; it is taken between instructions when it is enabled. */
  setInterrupt(which: keyof typeof Interrupt, pending: boolean): void {
    const bit = 1 << Interrupt[which];
    const state = this.memory.state;
    state[State.mip] = pending ? state[State.mip] | bit : state[State.mip] & ~bit;
  }

  /** Runs on from pc; returns the instructions executed. What they have put off is for core.settle(). */
  private slice(budget: number, untilTranslated = false): number {
    const { core } = this;
    const state = this.memory.state;
    core.position = core.code.enter(state[State.pc]);
    core.stopsAtTranslated = untilTranslated;
    core.sliceBudget = budget;
    core.left = budget;
    const { safety } = core;
    const executed = safety ? interpretRiscvCarefully(core, safety, budget) : this.interpret(core, budget);
    core.sliceBudget = 0;
    core.left = 0;
    // The interpreter may have mapped or grown memory by a call: the views are taken anew.
    const after = this.memory.state;
    after[State.pc] = core.target >= 0 ? core.target : core.code.addressOf(core.position);
    core.target = -1;
    this.count(executed);
    return executed;
  }

  private count(executed: number): void {
    const { state } = this.memory;
    const low = (state[State.countLow] >>> 0) + executed;
    state[State.countLow] = low;
    if (low >= 2 ** 32) state[State.countHigh]++;
  }

  private makeJit(options: JitOptions): Jit {
    const { core, memory, cpu } = this;
    const { xlen, d } = cpu.isa;
    return new Jit(
      {
        memory,
        code: core.code,
        access: core,
        // x0 is 0 always: there are no modes.
        words: { pc: State.pc, sp: xlen === 32 ? 2 : 4, stack: 2, mode: 0 },
        limit: () => core.limit,
        strictAlignment: () => core.alwaysAligned() || core.safety?.has('misaligned') === true,
        interpret: (budget, untilTranslated) => this.interpretPart(budget, untilTranslated),
        interpretOne: () => this.slice(1),
        accounts: () => this.accounts,
        count: (executed) => this.count(executed),
        frontEnd: (emitterOptions) => {
          const emitter = new RiscvEmitter(emitterOptions, xlen, d);
          return { emitter, lifter: new RiscvLifter(core, core.code, emitter) };
        },
      },
      options,
    );
  }

  /** Executes the instruction at pc though there is a breakpoint. */
  private stepOver(): number {
    const { code } = this.core;
    const pc = this.memory.state[State.pc] >>> 0;
    code.drop(pc);
    code.ignoredBreakpoint = pc;
    const executed = this.slice(1);
    this.core.settle();
    code.ignoredBreakpoint = -1;
    code.drop(pc);
    return executed;
  }

  /** Takes what has stopped the slice as a trap; 0 when it is none. */
  private trap(): number {
    const { core } = this;
    const cause = trapOf(core, this.fetchEncoding());
    if (cause === undefined) return 0;
    core.stop = Stop.none;
    core.fault = undefined;
    this.enter(cause);
    return 1;
  }

  private enter(cause: TrapCause): void {
    enterTrap(this.core, cause);
    this.core.settle();
  }

  private stopReason(): RunStop {
    const address = this.memory.state[State.pc] >>> 0;
    switch (this.core.stop) {
      case Stop.breakpoint:
        return { reason: 'breakpoint', address };
      case Stop.hostCall:
        return { reason: 'host-call', address };
      case Stop.debug:
        return { reason: 'ebreak', address };
      case Stop.call:
        return { reason: 'ecall', address };
      case Stop.wait:
        return { reason: 'wait' };
      case Stop.watched:
        return { reason: 'watchpoint', hits: this.watchpoints.hits };
      case Stop.fault:
        return { reason: 'fault', fault: this.describeFault(address, this.core.fault) };
      default:
        return { reason: 'budget' };
    }
  }

  /** The instruction at pc as far as it can be read; undefined where nothing is. */
  private fetchEncoding(): { readonly word: number; readonly length: 2 | 4 } | undefined {
    const bytes = this.memory.read(this.memory.state[State.pc] >>> 0, 4);
    if (bytes.length < 2) return undefined;
    const low = bytes[0] | (bytes[1] << 8);
    if ((low & 3) !== 3 || bytes.length < 4) return { word: low, length: 2 };
    return { word: (low | (bytes[2] << 16) | (bytes[3] << 24)) >>> 0, length: 4 };
  }

  private describeFault(pc: number, pending: PendingFault | undefined): Fault {
    const encoding = pending?.access === 'execute' && pending.kind !== 'unaligned' ? undefined : this.fetchEncoding();
    return {
      kind: pending?.kind ?? 'unhandled-exception',
      pc,
      access: pending?.access,
      address: pending?.address,
      wideAddress: pending?.wideAddress,
      size: pending?.size,
      encoding: encoding?.word,
      encodingLength: encoding?.length,
      message: pending?.message ?? '',
      ...(pending?.safety && { safety: pending.safety }),
    };
  }
}
