/**
 * What the machines of all processors have in common: a run in slices of predecoded or translated code, breakpoints and addresses of
 * the host in that code, accounts, watchpoints, memory safety, and why a run ended.
 */
import { Accounts, type AccountedMachine, type Block, type BlockListener, type TranslatedListener } from './accounts';
import { Jit, minimumBudget, type JitHost, type JitOptions } from './jit/jit';
import type { GuestMemory } from './memory';
import { MemorySafety, type CheckedCore } from './safety/memory-safety';
import { Stop } from './stop';
import type { Fault, RunStop, SafetyRule, TranslationStatistics } from './types';
import { Watchpoints } from './watchpoints';

export interface PredecodedCore extends CheckedCore {
  /** sp must not fall below it. */
  limit: number;
  updateLimit(): void;
}

/** Numbers of words of the state. */
type StateWords = JitHost['words'] & {
  readonly countLow: number;
  readonly countHigh: number;
  readonly stackLimit: number;
};

export abstract class PredecodedMachine<C extends PredecodedCore> {
  readonly watchpoints: Watchpoints;
  protected jit: Jit | undefined;
  private accounts: Accounts | undefined;
  private readonly accounted: AccountedMachine;

  constructor(
    readonly memory: GuestMemory,
    protected readonly core: C,
    private readonly words: StateWords,
  ) {
    this.watchpoints = new Watchpoints(memory);
    this.accounted = {
      get pc() {
        return memory.state[words.pc] >>> 0;
      },
      readBlock: () => this.readBlock(),
      execute: (budget) => this.slice(budget),
    };
  }

  /** Interprets at most `budget` instructions from pc, `untilTranslated` only before the next entry of translated code. */
  protected abstract slice(budget: number, untilTranslated?: boolean): number;
  /** Executes the instruction at pc though there is a breakpoint. */
  protected abstract stepOver(): number;
  /** Until `budget` instructions are executed or the core has stopped. */
  protected abstract runOn(budget: number): void;
  protected abstract readBlock(): Block;
  /** Of an instruction for debuggers (BKPT, EBREAK) or for the system (SVC, ECALL). */
  protected abstract callStop(isDebug: boolean, address: number): RunStop;
  protected abstract describeFault(pc: number): Fault;

  protected get pc(): number {
    return this.memory.state[this.words.pc] >>> 0;
  }

  get instructionCount(): number {
    const { state } = this.memory;
    return (state[this.words.countHigh] >>> 0) * 2 ** 32 + (state[this.words.countLow] >>> 0);
  }

  get translation(): TranslationStatistics | undefined {
    return this.jit?.statistics;
  }

  addFunctions(addresses: Iterable<number>): void {
    this.jit?.addFunctions(addresses);
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
      core.safety = rules && new MemorySafety(core, this.words.sp, rules);
    }
    core.code.clear();
    this.jit?.safetyChanged();
  }

  // --- Running -------------------------------------------------------------------------------------------------------

  run(budget: number, skipBreakpoint = false): RunStop {
    const { core } = this;
    let left = budget;
    core.stop = Stop.none;
    core.fault = undefined;
    core.updateLimit();
    const skips = skipBreakpoint && core.code.breakpoints.has(this.pc);
    if (skips && left > 0) {
      left -= this.watchpoints.execute(core, this.pc, () => this.alone(() => this.stepOver()));
    }
    this.runOn(left);
    return this.stopReason();
  }

  protected advance(budget: number): number {
    return this.watchpoints.advance(this.core, this.accounted, budget, (part) => this.go(part));
  }

  /** At most `budget` instructions from pc. */
  protected go(budget: number): number {
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

  /** One instruction that is executed in a way of its own, accounted for. */
  protected alone(step: () => number): number {
    const { pc } = this;
    const executed = step();
    if (executed > 0) this.accounts?.single(pc, this.pc);
    return executed;
  }

  protected count(executed: number): void {
    const { state } = this.memory;
    const low = (state[this.words.countLow] >>> 0) + executed;
    state[this.words.countLow] = low;
    if (low >= 2 ** 32) state[this.words.countHigh]++;
  }

  protected makeJit(options: JitOptions, frontEnd: JitHost['frontEnd']): Jit {
    const { core, memory, words } = this;
    return new Jit(
      {
        memory,
        code: core.code,
        access: core,
        words,
        limit: () => core.limit,
        strictAlignment: () => core.alwaysAligned() || core.safety?.has('misaligned') === true,
        interpret: (budget, untilTranslated) => this.interpretPart(budget, untilTranslated),
        interpretOne: () => this.slice(1),
        accounts: () => this.accounts,
        count: (executed) => this.count(executed),
        frontEnd,
      },
      options,
    );
  }

  private stopReason(): RunStop {
    const address = this.pc;
    switch (this.core.stop) {
      case Stop.breakpoint:
        return { reason: 'breakpoint', address };
      case Stop.hostCall:
        return { reason: 'host-call', address };
      case Stop.debug:
      case Stop.call:
        return this.callStop(this.core.stop === Stop.debug, address);
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

  // --- Where it stops, and what is counted -----------------------------------------------------------------------------

  setBreakpoint(address: number): void {
    this.core.code.breakpoints.add(address >>> 0);
    this.forgetCode(address);
  }

  clearBreakpoint(address: number): void {
    this.core.code.breakpoints.delete(address >>> 0);
    this.forgetCode(address);
  }

  onBreakpoint(passes: ((address: number) => boolean) | undefined): void {
    const { core, memory, words } = this;
    core.code.passes =
      passes &&
      ((pc) => {
        memory.state[words.pc] = pc;
        memory.state[words.mode] = 0;
        return passes(pc);
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

  private forgetCode(address: number): void {
    this.core.code.drop(address);
    this.jit?.drop(address >>> 0, 2);
  }

  setStackLimit(limit: number | undefined): void {
    this.memory.state[this.words.stackLimit] = limit ?? 0;
  }

  keepAccounts(listener: BlockListener | undefined, translated?: TranslatedListener): Accounts | undefined {
    this.accounts = listener && new Accounts(listener, translated);
    this.core.code.onChange = () => this.accounts?.forgetBlocks();
    this.jit?.accountsChanged();
    return this.accounts;
  }
}
