/**
 * Runs the machine until something that a session is told: a breakpoint whose condition holds, a fault, a pause
 * request, the end of the call sequence, the end of a step. Host calls are performed in between. The machine runs in
 * slices of a few milliseconds; between them the event loop has its turn.
 */
import type { Fault, Machine, RunStop } from '../emulator/types';
import type { WatchHit, Watchpoint } from '../emulator/watchpoints';
import type { Kernel } from '../kernel/kernel';
import type { RunAccounts } from './accounts';
import type { AddressNames } from './address-names';
import type { Breakpoints } from './breakpoints';
import type { CallSequence } from './call-sequence';
import type { CallEnd } from './excursion';
import { faultReport } from './fault-report';
import type { History } from './history';
import { Reverse, type LastWrite } from './reverse';
import type { Scheduler } from './scheduler';
import type { FaultReport, ResumeMode, SynchronousView, TargetStop, TargetWatchHit } from './target';
import type { TargetWatchpoints } from './watchpoints';

const SLICE_MILLISECONDS = 15;
/** Instructions between two looks at the clock: a few milliseconds of the interpreter. */
const BUDGET = 500_000;
/** Steps and host calls between two looks at the clock. */
const STEPS = 2000;
/** Breakpoints gone through between two looks at the clock. */
const ASKED = 256;
const noIds: readonly number[] = [];
/** SVC number of ARCH_EXCEPT: k_oops and k_panic end here, r0 is the reason. */
const SVC_RUNTIME_EXCEPT = 2;
/** RV_ECALL_RUNTIME_EXCEPT. */
const ECALL_RUNTIME_EXCEPT = 0;

export interface RunLoopParts {
  readonly machine: Machine;
  readonly kernel: Kernel;
  readonly breakpoints: Breakpoints;
  readonly watchpoints: TargetWatchpoints;
  readonly calls: CallSequence;
  readonly names: AddressNames;
  readonly view: SynchronousView;
  readonly scheduler: Scheduler;
  readonly history: History<unknown>;
}

interface Range {
  readonly start: number;
  readonly end: number;
}

type ReverseMode = Extract<ResumeMode, { kind: `reverse-${string}` }>;
type ForwardMode = Exclude<ResumeMode, ReverseMode>;

const isReverse = (mode: ResumeMode): mode is ReverseMode => mode.kind.startsWith('reverse-');

type StepCheck = (pc: number) => TargetStop | undefined;

export class RunLoop {
  private pauseRequested = false;
  private running = false;
  /** pc of the last stop that was told: resuming from there does not hit its breakpoints again. */
  private stoppedAt: number | undefined;
  /** Told of host calls, while they are kept. */
  accounts: RunAccounts | undefined;
  /** That stop was for a rule of memory safety: resuming from there lets the instruction pass. */
  private stoppedUnsafe = false;
  /** What the loader has hit: the next run ends at once. */
  private loaderHits: TargetWatchHit[] = [];

  /** Where the host's call into an extension returns to. */
  private readonly hostReturn: number;
  private readonly reverse: Reverse;
  /** What runs has run before: it is not told again. */
  private goesThroughPast = false;
  /** Arrivals that the machine has asked about, and what it was told when it stopped for the last one. */
  private asked = 0;
  private askedIds: readonly number[] | undefined;
  /** When the event loop is to have its turn. */
  private turnEnds = 0;

  constructor(private readonly parts: RunLoopParts) {
    this.hostReturn = parts.kernel.image.map.callFn.returnAddress;
    const { hostReturn } = this;
    this.reverse = new Reverse({
      ...parts,
      hostReturn,
      handle: (stop) => this.handle(stop),
      isTurnDue: () => this.isTurnDue(),
      turn: () => this.turn(),
    });
  }

  pause(): void {
    if (this.running) this.pauseRequested = true;
  }

  /** The machine was set to somewhere else: a breakpoint there is hit. */
  moved(): void {
    this.stoppedAt = undefined;
  }

  /** Runs the loader with its accesses noticed. */
  loading<T>(body: () => T): T {
    const { value, hits } = this.parts.watchpoints.observe(this.pc, body);
    this.loaderHits.push(...this.parts.watchpoints.told(hits, this.parts.view, 'the loader'));
    return value;
  }

  async resume(mode: ResumeMode): Promise<TargetStop> {
    return this.alone(async () => {
      const stop = await this.runToStop(mode);
      if (stop.reason === 'fault') this.parts.history.noteFault(stop);
      this.stoppedUnsafe = stop.reason === 'fault' && stop.fault.kind === 'memory-safety';
      return stop;
    });
  }

  /** To a recorded moment, forwards or backwards; RangeError when it is not recorded. */
  async goTo(time: number): Promise<void> {
    await this.alone(() => this.inPast(() => this.reverse.goTo(time)));
    this.stoppedUnsafe = false;
  }

  async lastWrite(watchpoint: Watchpoint): Promise<LastWrite | undefined> {
    return this.alone(() => this.inPast(() => this.reverse.lastWrite(watchpoint)));
  }

  /** Runs a function that returns to the host, to its end; `limit` instructions at most. The caller puts everything back. */
  async callAside(limit: number): Promise<CallEnd> {
    const { stoppedAt, stoppedUnsafe } = this;
    try {
      const run = (): Promise<CallEnd> => this.parts.history.aside(() => this.alone(() => this.runAside(limit)));
      return await (this.accounts?.aside(run) ?? run());
    } finally {
      Object.assign(this, { stoppedAt, stoppedUnsafe });
    }
  }

  private async runAside(limit: number): Promise<CallEnd> {
    const { machine, scheduler } = this.parts;
    const end = machine.instructionCount + limit;
    let skip = true;
    for (;;) {
      const left = end - machine.instructionCount;
      if (left <= 0) return { reason: 'limit' };
      const stop = machine.run(Math.min(BUDGET, left), skip);
      skip = stop.reason === 'breakpoint';
      if (stop.reason === 'host-call' && stop.address === this.hostReturn) return { reason: 'returned' };
      const stopped = stop.reason === 'host-call' ? this.hostCallAside(stop.address) : this.handleAside(stop);
      if (stopped !== undefined) return stopped;
      if (!this.isTurnDue()) continue;
      await scheduler.yield();
      this.turnEnds = scheduler.now() + SLICE_MILLISECONDS;
      if (this.pauseRequested) return { reason: 'pause' };
    }
  }

  private handleAside(stop: RunStop): CallEnd | undefined {
    if (stop.reason === 'watchpoint') return undefined;
    const end = this.handle(stop);
    return end?.reason === 'fault' || end?.reason === 'aborted' ? end : undefined;
  }

  private hostCallAside(address: number): CallEnd | undefined {
    const end = this.parts.watchpoints.observe(address, () => this.parts.kernel.hostCall(address)).value;
    if (end.kind === 'fault' || end.kind === 'refused') return { reason: 'fault', fault: this.faultReport(end.fault) };
    return end.kind === 'aborted' ? { reason: 'aborted', message: end.message } : undefined;
  }

  /** What is run through again is in the accounts already. */
  private async inPast<T>(run: () => Promise<T>): Promise<T> {
    this.goesThroughPast = true;
    try {
      return await (this.accounts?.aside(run) ?? run());
    } finally {
      this.goesThroughPast = false;
    }
  }

  private async alone<T>(run: () => Promise<T>): Promise<T> {
    if (this.running) throw new Error('the target is running already');
    this.running = true;
    this.pauseRequested = false;
    this.parts.history.open();
    this.turnEnds = this.parts.scheduler.now() + SLICE_MILLISECONDS;
    try {
      const result = await run();
      this.parts.kernel.flushOutput();
      this.stoppedAt = this.pc;
      this.parts.history.reach();
      return result;
    } finally {
      this.running = false;
    }
  }

  private isTurnDue(): boolean {
    return this.parts.scheduler.now() >= this.turnEnds;
  }

  /** A snapshot is taken when it is time, and other events have their turn; true = a pause was asked for. */
  private async turn(): Promise<boolean> {
    const { scheduler, history } = this.parts;
    history.takeIfDue(scheduler.now());
    await scheduler.yield();
    this.turnEnds = scheduler.now() + SLICE_MILLISECONDS;
    return this.pauseRequested;
  }

  private get pc(): number {
    return this.parts.machine.state.pc;
  }

  /** Where the program is shown: a function of the host that has refused its arguments, where it is called. */
  get shownPc(): number {
    const { pc } = this;
    const { history, kernel } = this.parts;
    if (!kernel.isServed(pc)) return pc;
    const stop = history.faultAt(history.now);
    return stop?.reason === 'fault' ? Number(stop.fault.pc) : pc;
  }

  private async runToStop(mode: ResumeMode): Promise<TargetStop> {
    if (isReverse(mode)) return this.inPast(() => this.reverse.run(mode));
    if (!this.parts.calls.state.active && !this.parts.history.applyInput()) return this.notRunnable();
    const hits = this.loaderHits.splice(0);
    if (hits.length > 0) return { reason: 'watchpoint', hits, ids: [] };
    const slice = this.sliceOf(mode);
    if (this.stoppedUnsafe && this.stoppedAt === this.pc) {
      const stop = this.passUnsafe(this.checkOf(mode));
      if (stop !== undefined) return stop;
    }
    for (;;) {
      do {
        const stop = slice();
        // What the host did when the function returned it does again, when this is the past.
        const { history } = this.parts;
        const isAgain = stop?.reason === 'exited' && !history.isFirstTime;
        if (stop !== undefined && !(isAgain && history.applyInput())) return stop;
      } while (!this.isTurnDue());
      if (await this.turn()) return { reason: 'pause' };
    }
  }

  private notRunnable(): TargetStop {
    return { reason: 'aborted', message: 'nothing to run: no call into an extension is in progress' };
  }

  /** The instruction at pc, which breaks a rule of memory safety, and the host call that it makes. */
  private passUnsafe(check: StepCheck): TargetStop | undefined {
    const { history, machine } = this.parts;
    const { safety } = machine;
    if (safety === undefined) return undefined;
    const { isPast } = history;
    safety.ignoring = true;
    try {
      const callee = this.parts.kernel.isServed(this.pc);
      const stop = this.step(() => undefined);
      if (stop !== undefined) return stop;
      const calls = !callee && this.parts.kernel.isServed(this.pc);
      return calls ? this.step(check) : check(this.pc);
    } finally {
      safety.ignoring = false;
      if (!isPast) history.notePass();
    }
  }

  /** What ends a run of this kind behind an instruction. */
  private checkOf(mode: ForwardMode): StepCheck {
    if (mode.kind === 'continue') return () => undefined;
    if (mode.kind === 'step-instruction') return (): TargetStop => ({ reason: 'step' });
    return outsideOf(rangesOf(mode));
  }

  /** One short piece of the run; undefined = goes on. */
  private sliceOf(mode: ForwardMode): () => TargetStop | undefined {
    switch (mode.kind) {
      case 'continue':
        return this.continueSlice(mode.until ?? Infinity);
      case 'step-instruction':
        return () => this.step((): TargetStop => ({ reason: 'step' }));
      case 'step-range':
        return this.stepRangeSlice(rangesOf(mode));
    }
  }

  private continueSlice(until: number): () => TargetStop | undefined {
    let skip = this.stoppedAt === this.pc;
    const { history } = this.parts;
    return () => {
      while (history.nextInput === history.now) {
        const { pc } = this;
        const ids = skip ? noIds : this.hits(pc);
        if (ids.length > 0) return { reason: 'breakpoint', ids };
        history.applyInput();
        skip = this.pc === pc;
      }
      this.accounts?.setAside(history.isPast);
      const { now } = history;
      if (now >= until) return { reason: 'pause' };
      const from = skip ? this.pc : undefined;
      const stop = this.runAsking(Math.min(BUDGET, history.nextBound - now, until - now), skip);
      skip = false;
      if (stop.reason === 'budget') {
        history.applyPass();
        return undefined;
      }
      // The host's functions can have breakpoints too; the machine only knows that the host acts there.
      const isArrival = stop.reason === 'breakpoint' || (stop.reason === 'host-call' && stop.address !== from);
      if (!isArrival) return this.handle(stop);
      const ids = this.askedIds ?? this.hits(stop.address);
      if (ids.length > 0) return { reason: 'breakpoint', ids };
      if (stop.reason === 'host-call') return this.handle(stop);
      skip = true;
      return undefined;
    };
  }

  /** The machine asks about the breakpoints that it meets, so that it need not stop where no condition holds. */
  private runAsking(budget: number, skip: boolean): RunStop {
    const { machine } = this.parts;
    this.askedIds = undefined;
    machine.onBreakpoint?.(this.passes);
    try {
      return machine.run(budget, skip);
    } finally {
      machine.onBreakpoint?.(undefined);
    }
  }

  private readonly passes = (address: number): boolean => {
    const ids = this.hits(address, true);
    const isPassed = ids.length === 0 && (++this.asked % ASKED !== 0 || !this.isTurnDue());
    if (!isPassed) this.askedIds = ids;
    return isPassed;
  };

  private stepRangeSlice(ranges: readonly Range[]): () => TargetStop | undefined {
    const outside = outsideOf(ranges);
    return () => {
      for (let i = 0; i < STEPS; i++) {
        const stop = this.step(outside);
        if (stop !== undefined) return stop;
      }
      return undefined;
    };
  }

  /** One instruction, or one host call; then the breakpoints at the new pc, then `check`. */
  private step(check: StepCheck): TargetStop | undefined {
    const { history } = this.parts;
    while (history.applyInput());
    this.accounts?.setAside(history.isPast);
    const stop = this.parts.machine.run(1, true);
    if (stop.reason === 'budget') {
      history.applyPass();
    } else {
      const end = this.handle(stop);
      if (end !== undefined) return end;
    }
    // Returning to the host ends the call at once: there is nothing to see at the return address.
    if (this.pc === this.hostReturn) {
      const end = this.callReturned();
      if (end !== undefined) return end;
    }
    const { pc } = this;
    const ids = this.hits(pc);
    return ids.length > 0 ? { reason: 'breakpoint', ids } : check(pc);
  }

  /** A logpoint's line must not overtake text that was printed before it. */
  private readonly flush = (): void => this.parts.kernel.flushOutput();

  private hits(address: number, isExecuted = this.parts.machine.passesOver !== true): readonly number[] {
    return this.parts.breakpoints.hit(address, this.parts.view, this.flush, isExecuted);
  }

  /** Everything but budget and breakpoints; undefined = the run goes on. */
  private handle(stop: RunStop): TargetStop | undefined {
    switch (stop.reason) {
      case 'budget':
      case 'breakpoint':
        return undefined;
      case 'host-call':
        return stop.address === this.hostReturn ? this.callReturned() : this.hostCall(stop.address);
      case 'watchpoint':
        return this.watched(stop.hits, undefined);
      case 'wait':
        // Nothing but the timer can wake the core: the next tick does.
        this.parts.kernel.clock.sleepTicks(0);
        return undefined;
      case 'svc':
        return this.supervisorCall(stop.immediate, stop.address);
      case 'bkpt':
        return this.fault(unhandled(stop.address, `BKPT #${stop.immediate} was executed`));
      case 'ecall':
        return this.environmentCall(stop.address);
      case 'ebreak':
        return this.fault(unhandled(stop.address, 'EBREAK was executed'));
      case 'fault':
        return this.fault(stop.fault);
    }
  }

  /** `host`: who acted, if not the guest. */
  private watched(found: readonly WatchHit[], host: string | undefined): TargetStop | undefined {
    if (found.length === 0) return undefined;
    if (this.goesThroughPast) {
      this.reverse.noteWatched(found, host);
      return undefined;
    }
    const hits = this.parts.watchpoints.told(found, this.parts.view, host);
    return hits.length === 0 ? undefined : { reason: 'watchpoint', hits, ids: this.hits(this.pc) };
  }

  private hostCall(address: number): TargetStop | undefined {
    const { kernel, watchpoints, names, history } = this.parts;
    const { value: end, hits } = watchpoints.observe(address, () => kernel.hostCall(address));
    // It has taken no time: what runs on from here, or is run through again, makes the call.
    if (end.kind === 'refused') return this.fault(end.fault);
    history.step();
    history.applyPass();
    switch (end.kind) {
      case 'returned':
        this.tellAccounts(address);
        if (hits.length === 0) return undefined;
        return this.watched(hits, names.baseSymbolAt(address)?.name ?? 'the host');
      case 'fault':
        return this.fault(end.fault);
      case 'aborted':
        return this.abort(end.message, false);
    }
  }

  private tellAccounts(address: number): void {
    const record = this.accounts && this.parts.kernel.log.at(-1);
    if (record !== undefined) this.accounts?.hostCall(record, address);
  }

  private callReturned(): TargetStop | undefined {
    const returnValue = this.parts.calls.returned();
    this.parts.history.step();
    if (returnValue === undefined) return undefined;
    return { reason: 'exited', returnValue };
  }

  private supervisorCall(immediate: number, address: number): TargetStop {
    if (immediate !== SVC_RUNTIME_EXCEPT) {
      return this.fault(unhandled(address, `SVC #${immediate} was executed, and the base image has no handler for it`));
    }
    return this.abort(`fatal error ${this.parts.machine.state.r[0] >>> 0} (k_oops or k_panic)`);
  }

  /** ARCH_EXCEPT of RISC-V: an ECALL whose t0 says that it is one, a0 is the reason. */
  private environmentCall(address: number): TargetStop {
    const { state } = this.parts.machine;
    if (state.read('t0') !== ECALL_RUNTIME_EXCEPT) {
      return this.fault(unhandled(address, 'ECALL was executed, and the base image has no handler for it'));
    }
    return this.abort(`fatal error ${state.read('a0')} (k_oops or k_panic)`);
  }

  /** `isStep`: nothing else was done that is a step. */
  private abort(message: string, isStep = true): TargetStop {
    this.parts.calls.state.active = false;
    if (isStep) this.parts.history.step();
    return { reason: 'aborted', message };
  }

  private faultReport(fault: Fault): FaultReport {
    const { machine, names, kernel } = this.parts;
    const { base, size } = kernel.image.map.stack;
    const used = Math.min(size, base + size - machine.state.read('sp'));
    const stack = fault.kind === 'stack-overflow' ? { used, size } : undefined;
    return faultReport(fault, names, kernel.owners, stack);
  }

  private fault(fault: Fault): TargetStop {
    return { reason: 'fault', fault: this.faultReport(fault) };
  }
}

const rangesOf = ({ ranges }: Extract<ResumeMode, { kind: 'step-range' }>): Range[] =>
  ranges.map(({ start, end }) => ({ start: Number(start), end: Number(end) }));

const outsideOf =
  (ranges: readonly Range[]): StepCheck =>
  (pc) =>
    ranges.some(({ start, end }) => pc >= start && pc < end) ? undefined : { reason: 'step' };

function unhandled(pc: number, message: string): Fault {
  return {
    kind: 'unhandled-exception',
    pc,
    access: undefined,
    address: undefined,
    size: undefined,
    encoding: undefined,
    encodingLength: undefined,
    message,
  };
}
