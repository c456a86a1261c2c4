/**
 * The recorded time of a target: what it takes to bring it back to any moment since it was made.
 *
 * Time counts instructions, calls that the host serves or makes, and inputs: each is one step, and from one moment to the next
 * everything but an input follows from the state. An input is what came from outside: a load or unload, the host's call
 * of a function, a debugger's write. So a moment is reached by restoring the last snapshot before it and running on, with
 * the inputs applied at their times. An input in the past makes another future: what was recorded of the old one is dropped.
 */
import type { Machine } from '../emulator/types';
import { SnapshotStore } from '../emulator/snapshots';
import type { GuestCall } from '../llext/llext-handlers';
import type { LlextStorage } from '../llext/types';
import type { TargetStop } from './target';

export type Input =
  | { readonly kind: 'load'; readonly name: string; readonly bytes: Uint8Array; readonly storage: LlextStorage }
  | { readonly kind: 'unload'; readonly instance: number }
  | { readonly kind: 'call'; readonly calls: readonly GuestCall[] }
  | { readonly kind: 'memory'; readonly address: bigint; readonly bytes: Uint8Array }
  | { readonly kind: 'register'; readonly name: string; readonly value: bigint }
  /** From here on it is known whose memory is what, or no longer. Which rules stop is no input, as breakpoints are none. */
  | { readonly kind: 'checks'; readonly on: boolean };

export interface RecordedInput {
  /** The moment before it. */
  readonly time: number;
  readonly input: Input;
}

/** A moment that the user wants to come back to. */
export interface Checkpoint {
  readonly id: number;
  readonly time: number;
  readonly name: string;
}

/** What a snapshot holds beside the machine. */
export interface HistoryHost<T> {
  snapshot(): T;
  /** Bytes that it takes. */
  sizeOf(rest: T): number;
  /** Memory and registers are about to be restored. */
  prepare(rest: T): void;
  restore(rest: T): void;
  /** Performs an input that changes nothing but memory and registers, or sets off calls. */
  apply(input: Extract<Input, { kind: 'call' | 'memory' | 'register' | 'checks' }>): void;
  /** The program will not do again what it has done after now. */
  startAnew(dropped: readonly Checkpoint[]): void;
  /** There was no room for what was before `start`. */
  lost(start: number): void;
}

export interface HistoryOptions {
  /** Bytes that snapshots may take. 0 = nothing is kept, and there is no way back. */
  readonly limit: number;
}

interface Rest<T> {
  readonly steps: number;
  readonly host: T;
}

/** Milliseconds of running between two snapshots: about what going back to between them takes. */
const snapshotPeriod = 30;
/** A snapshot costs as much as so many interpreted instructions, so that more of them are between two. */
const snapshotDistance = 100_000;

/** It is not done again: the snapshot behind it is restored. */
const isRestored = (input: Input): input is Extract<Input, { kind: 'load' | 'unload' | 'checks' }> =>
  input.kind === 'load' || input.kind === 'unload' || input.kind === 'checks';

export class History<T> {
  readonly inputs: RecordedInput[] = [];
  readonly checkpoints: Checkpoint[] = [];
  /** The moments at which a fault stopped the program. */
  readonly faults: { readonly time: number; readonly stop: TargetStop }[] = [];
  /** Moments, ascending, behind an instruction that broke a rule of memory safety and was let pass: registers count as written from there. */
  readonly passes: number[] = [];
  /** Something that was recorded had to be given up, to keep within the limit. */
  hasLost = false;
  /** Steps that are no instructions. */
  private steps = 0;
  private furthest = 0;
  /** The last moment that was ever reached: a schedule goes beyond. */
  private reached = 0;
  private nextCheckpoint = 1;
  private lastSnapshot = { clock: 0, time: 0 };
  private store: SnapshotStore<Rest<T>> | undefined;

  constructor(
    private readonly machine: Machine,
    private readonly host: HistoryHost<T>,
    private readonly options: HistoryOptions,
  ) {}

  /** Why there is no way back; undefined when there is one. */
  get refusal(): string | undefined {
    const { machine } = this;
    if (machine.rewind === undefined) return 'this engine cannot run backwards: only the embedded one can';
    return this.options.limit <= 0 ? 'history is switched off (launch attribute history)' : undefined;
  }

  /** Anything was recorded. */
  get isOpen(): boolean {
    return this.store !== undefined || this.inputs.length > 0;
  }

  /** Now is before something that was recorded. */
  get isPast(): boolean {
    return this.now < this.furthest;
  }

  get now(): number {
    return this.machine.instructionCount + this.steps;
  }

  /** The last moment that was ever reached and not dropped. */
  get end(): number {
    return Math.max(this.furthest, this.now);
  }

  /** The first moment that can be reached. */
  get start(): number {
    return this.store?.snapshots.at(0)?.time ?? this.now;
  }

  /** The host's first call begins there: before it nothing has run. */
  get runStart(): number {
    const first = this.inputs.find(({ input }) => input.kind === 'call');
    return Math.max(this.start, first === undefined ? 0 : first.time + 1);
  }

  /** Bytes that snapshots take now. */
  get bytes(): number {
    return this.store?.bytes ?? 0;
  }

  get snapshotCount(): number {
    return this.store?.snapshots.length ?? 0;
  }

  /** A step that is no instruction was made. */
  step(): void {
    this.steps++;
  }

  /** Runs what is undone afterwards: it takes no time. */
  async aside<R>(run: () => Promise<R>): Promise<R> {
    const { steps } = this;
    try {
      return await run();
    } finally {
      this.steps = steps;
    }
  }

  // --- Inputs --------------------------------------------------------------------------------------------------------

  record<R>(input: Input, perform: () => R): R {
    this.open();
    if (this.isScheduled(input)) return this.performed(input, perform);
    this.startAnew();
    this.inputs.push({ time: this.now, input });
    this.furthest = this.now;
    return this.performed(input, perform);
  }

  private performed<R>(input: Input, perform: () => R): R {
    const result = perform();
    this.steps++;
    if (isRestored(input)) this.take(true);
    this.furthest = Math.max(this.furthest, this.now);
    return result;
  }

  // --- What is going to happen ---------------------------------------------------------------------------------------

  /** Inputs and passes after now, ascending, up to a moment, as though they had been recorded. */
  schedule(inputs: readonly RecordedInput[], passes: readonly number[], end: number): void {
    if (this.refusal !== undefined) throw new RangeError(this.refusal);
    this.inputs.push(...inputs.filter(({ time }) => time >= this.now));
    this.passes.push(...passes);
    this.furthest = Math.max(end, this.now);
  }

  /** Now is a moment where nobody has been: what the host does at it is still to be told. */
  get isFirstTime(): boolean {
    return this.now > this.reached;
  }

  /** Somebody has looked at now. */
  reach(): void {
    this.reached = Math.max(this.reached, this.now);
  }

  /** The host calls a function where that is recorded, for the first time. */
  private isScheduled(input: Input): boolean {
    const { now } = this;
    const recorded = this.inputs.find(({ time }) => time === now)?.input;
    if (input.kind !== 'call' || recorded?.kind !== 'call' || !this.isPast) return false;
    const text = ({ calls }: typeof input): string =>
      calls.map(({ address, arguments: values }) => [address, ...values].join(' ')).join();
    return text(input) === text(recorded);
  }

  /** The time of the next input that is to be applied; Infinity = none is recorded. */
  get nextInput(): number {
    const { now } = this;
    if ((this.inputs.at(-1)?.time ?? -1) < now) return Infinity;
    return this.inputs.find(({ time }) => time >= now)?.time ?? Infinity;
  }

  /** Whether the step before a moment was an input. */
  isInput(before: number): boolean {
    return this.inputs.some(({ time }) => time === before - 1);
  }

  /** Who made the input before a moment, in words. */
  inputBefore(moment: number): string {
    const kind = this.inputs.find(({ time }) => time === moment - 1)?.input.kind;
    return kind === 'load' || kind === 'unload' ? 'the loader' : kind === 'call' ? 'the host' : 'the debugger';
  }

  /** Applies the recorded input of this moment; false = there is none. */
  applyInput(): boolean {
    const { now } = this;
    if (this.nextInput !== now) return false;
    const { input } = this.inputs.find(({ time }) => time === now) ?? {};
    if (input === undefined) return false;
    if (isRestored(input) && this.store?.at(now + 1)?.time === now + 1) {
      this.restoreAt(now + 1);
    } else if (input.kind === 'load' || input.kind === 'unload') {
      throw new RangeError(`the ${input.kind} at step ${now} is not recorded with its result`);
    } else {
      this.host.apply(input);
      this.steps++;
      if (isRestored(input)) this.take(true);
    }
    return true;
  }

  private startAnew(): void {
    const { now } = this;
    if (now >= this.furthest) return;
    this.inputs.splice(0, Infinity, ...this.inputs.filter(({ time }) => time < now));
    this.faults.splice(0, Infinity, ...this.faults.filter(({ time }) => time <= now));
    this.passes.length = this.passesTo(now);
    const dropped = this.checkpoints.filter(({ time }) => time > now);
    this.checkpoints.splice(0, Infinity, ...this.checkpoints.filter(({ time }) => time <= now));
    this.store?.dropAfter(now);
    this.furthest = now;
    this.host.startAnew(dropped);
  }

  /** The program stopped for a fault now. */
  noteFault(stop: TargetStop): void {
    const { now } = this;
    if (this.faultAt(now) === undefined) this.faults.push({ time: now, stop });
  }

  faultAt(moment: number): TargetStop | undefined {
    return this.faults.find(({ time }) => time === moment)?.stop;
  }

  // --- What was let pass -----------------------------------------------------------------------------------------------

  /** How many are at or before a moment. */
  private passesTo(time: number): number {
    let [low, high] = [0, this.passes.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.passes[middle] <= time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** An instruction that broke a rule was let pass until now, which no past has seen. */
  notePass(): void {
    if (this.store !== undefined) this.passes.push(this.now);
    this.machine.safety?.defineRegisters();
  }

  /** To be called at each moment that bounds a run: nextBound is one. */
  applyPass(): void {
    const { now } = this;
    if (this.passes[this.passesTo(now) - 1] === now) this.machine.safety?.defineRegisters();
  }

  /** A run must not go beyond without applyInput() or applyPass() there, and the past ends there. */
  get nextBound(): number {
    const end = this.isPast ? this.furthest : Infinity;
    return Math.min(this.nextInput, this.passes.at(this.passesTo(this.now)) ?? Infinity, end);
  }

  // --- Snapshots -----------------------------------------------------------------------------------------------------

  /** To be called before anything runs. */
  open(): void {
    if (this.store !== undefined || this.machine.rewind === undefined || this.options.limit <= 0) return;
    this.store = new SnapshotStore(this.machine, {
      limit: this.options.limit,
      onLost: (start) => {
        this.checkpoints.splice(0, Infinity, ...this.checkpoints.filter(({ time }) => time >= start));
        this.hasLost = true;
        this.host.lost(start);
      },
    });
    this.take(true);
  }

  /** Between two slices of a run. `clock` in milliseconds. */
  takeIfDue(clock: number): void {
    const { now } = this;
    this.furthest = Math.max(this.furthest, now);
    const { lastSnapshot } = this;
    if (this.store === undefined || clock - lastSnapshot.clock < snapshotPeriod) return;
    if (now - lastSnapshot.time < snapshotDistance && now >= lastSnapshot.time) return;
    this.lastSnapshot = { clock, time: now };
    // What runs through a known time again finds the snapshots that were taken there.
    const before = this.store.at(now);
    if (before === undefined || now - before.time >= snapshotDistance) this.take(false);
  }

  /** Keeps this moment, so that going back to soon after it is quick. */
  take(pinned: boolean): void {
    this.furthest = Math.max(this.furthest, this.now);
    if (this.store === undefined) return;
    const host = this.host.snapshot();
    this.store.take(this.now, { steps: this.steps, host }, { pinned, restBytes: this.host.sizeOf(host) });
  }

  /** Time of the last snapshot at or before a moment. */
  snapshotBefore(time: number): number | undefined {
    return this.store?.at(time)?.time;
  }

  /** Brings everything back to the last snapshot at or before a moment, unless now is between them. */
  restoreBefore(time: number): void {
    const { now } = this;
    this.furthest = Math.max(this.furthest, now);
    const snapshot = this.snapshotBefore(time);
    if (snapshot === undefined) throw new RangeError(`the moment ${time} is before what is recorded`);
    if (now > time || snapshot > now) this.restoreAt(snapshot);
  }

  private restoreAt(time: number): void {
    this.furthest = Math.max(this.furthest, this.now);
    const snapshot = this.store?.at(time);
    if (snapshot?.time !== time) throw new RangeError(`there is no snapshot of the moment ${time}`);
    this.host.prepare(snapshot.rest.host);
    this.store?.restore(snapshot);
    this.steps = snapshot.rest.steps;
    this.host.restore(snapshot.rest.host);
  }

  // --- Checkpoints ---------------------------------------------------------------------------------------------------

  addCheckpoint(name?: string): Checkpoint {
    this.open();
    const id = this.nextCheckpoint++;
    const checkpoint = { id, time: this.now, name: name ?? `checkpoint ${id}` };
    this.take(true);
    this.checkpoints.push(checkpoint);
    return checkpoint;
  }

  /** False when there is none of that number. */
  removeCheckpoint(id: number): boolean {
    const at = this.checkpoints.findIndex((checkpoint) => checkpoint.id === id);
    if (at < 0) return false;
    const [{ time }] = this.checkpoints.splice(at, 1);
    const snapshot = this.store?.at(time);
    const isNeeded = this.inputs.some((entry) => entry.time + 1 === time && isRestored(entry.input));
    const isNamed = this.checkpoints.some((other) => other.time === time);
    if (snapshot?.time === time && !isNeeded && !isNamed && time !== this.start) snapshot.pinned = false;
    return true;
  }
}
