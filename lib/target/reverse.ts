/**
 * Running backwards: what was recorded is executed forwards again, piece by piece from the last one on, and the last moment
 * in a piece at which the program would have stopped is where it goes back to.
 *
 * A piece begins at a snapshot. Going through one evaluates the conditions of the breakpoints that are met, but counts
 * and logs nothing: that is done afterwards, from the last arrival to the first, in the order that the user sees.
 */
import type { Machine, RunStop } from '../emulator/types';
import type { WatchHit, Watchpoint } from '../emulator/watchpoints';
import type { Arrival, Breakpoints } from './breakpoints';
import type { History } from './history';
import type { ResumeMode, SynchronousView, TargetStop, TargetWatchHit } from './target';
import type { TargetWatchpoints } from './watchpoints';

export interface ReverseParts {
  readonly machine: Machine;
  readonly breakpoints: Breakpoints;
  readonly watchpoints: TargetWatchpoints;
  readonly history: History<unknown>;
  readonly view: SynchronousView;
  /** Where the host's call into an extension returns to: nothing stops there. */
  readonly hostReturn: number;
  /** Performs what the machine stopped for; undefined = the run goes on. */
  handle(stop: RunStop): TargetStop | undefined;
  /** It is time for turn(). */
  isTurnDue(): boolean;
  /** Lets other events have their turn, and keeps snapshots; true = a pause was asked for. */
  turn(): Promise<boolean>;
}

/** Who wrote something last. */
export interface LastWrite {
  /** The moment before it. */
  readonly time: number;
  /** 'memcpy', 'the loader', 'the debugger'; undefined: the instruction at pc. */
  readonly by: string | undefined;
  /** The instruction, or the host function that was called. */
  readonly pc: bigint | undefined;
  /** Address of the first byte of `before` and `after`; what was asked for when it is absent. */
  readonly start?: bigint;
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

interface Watched {
  readonly hits: readonly WatchHit[];
  readonly host: string | undefined;
}

type Ranges = readonly { readonly start: number; readonly end: number }[];

/** A moment at which the program stops going backwards, unless nothing of it counts. */
interface Candidate {
  readonly time: number;
  readonly arrivals: readonly Arrival[];
  readonly otherwise: TargetStop | undefined;
}

const BUDGET = 500_000;
/** Instructions of the first piece that is gone through one by one, and of the longest. */
const shortestPiece = 256;
const longestPiece = 1 << 18;
const pause: TargetStop = { reason: 'pause' };

/** Not for a rule of memory safety that is switched off now. */
function isAsked(stop: TargetStop, { safety }: Machine): boolean {
  const rule = stop.reason === 'fault' && stop.fault.kind === 'memory-safety' ? stop.fault.safety?.rule : undefined;
  return rule === undefined || safety?.has(rule) === true;
}

export class Reverse {
  /** Hits of the last instruction or host call that was gone through. */
  private watched: Watched | undefined;

  constructor(private readonly parts: ReverseParts) {}

  noteWatched(hits: readonly WatchHit[], host: string | undefined): void {
    this.watched = { hits, host };
  }

  private takeWatched(): Watched | undefined {
    const { watched } = this;
    this.watched = undefined;
    return watched;
  }

  /** The data breakpoints that the last step has hit, as a stop before it. */
  private watchStop(): TargetStop | undefined {
    const watched = this.takeWatched();
    if (watched === undefined) return undefined;
    const hits: TargetWatchHit[] = this.parts.watchpoints.told(watched.hits, this.parts.view, watched.host);
    return hits.length === 0 ? undefined : { reason: 'watchpoint', hits, ids: [] };
  }

  /** To a moment that is recorded, forwards or backwards. */
  async goTo(time: number): Promise<void> {
    this.parts.history.restoreBefore(time);
    await this.replay(time);
  }

  async run(mode: Extract<ResumeMode, { kind: `reverse-${string}` }>): Promise<TargetStop> {
    const { history } = this.parts;
    if (history.refusal !== undefined) throw new RangeError(history.refusal);
    switch (mode.kind) {
      case 'reverse-continue':
        return this.continue();
      case 'reverse-step':
        return this.step();
      case 'reverse-step-range':
        return this.stepRange(
          mode.ranges.map(({ start, end }) => ({ start: Number(start), end: Number(end) })),
          new Set(mode.stopAt.map(Number)),
        );
    }
  }

  /** The last write before now to a range that the machine watches meanwhile; now is where it was afterwards. */
  async lastWrite(watchpoint: Watchpoint): Promise<LastWrite | undefined> {
    const { history, machine } = this.parts;
    if (history.refusal !== undefined) throw new RangeError(history.refusal);
    const { now } = history;
    machine.watchpoints?.add(watchpoint);
    try {
      let found: LastWrite | undefined;
      let end = now;
      while (end > history.start && found === undefined) {
        const from = history.snapshotBefore(end - 1) ?? history.start;
        await this.goTo(from);
        found = await this.lastWriteBefore(end, watchpoint);
        end = from;
      }
      return found;
    } finally {
      machine.watchpoints?.remove(watchpoint);
      await this.goTo(now);
    }
  }

  private async lastWriteBefore(end: number, watchpoint: Watchpoint): Promise<LastWrite | undefined> {
    const { history, machine } = this.parts;
    const { address, length } = watchpoint;
    const bytes = () => machine.memory.peek(address, length);
    let found: LastWrite | undefined;
    this.watched = undefined;
    while (history.now < end) {
      const time = history.now;
      const before = bytes();
      if (history.applyInput()) {
        const after = bytes();
        const same = before.length === after.length && before.every((byte, i) => byte === after[i]);
        if (!same) found = { time, by: history.inputBefore(history.now), pc: undefined, before, after };
        continue;
      }
      this.advance(end);
      const watched = this.takeWatched();
      const hit = watched?.hits.find((one) => one.watchpoint === watchpoint);
      const by = watched?.host;
      if (hit !== undefined) {
        const { before: old, after, pc, start } = hit;
        found = { time: history.now - 1, by, pc: BigInt(pc), start: BigInt(start), before: old, after };
      }
      if (this.parts.isTurnDue()) await this.parts.turn();
    }
    return found;
  }

  private async step(): Promise<TargetStop> {
    const { history } = this.parts;
    let time = history.now;
    do {
      time = this.beforeInputs(time) - 1;
      if (time < history.runStart) return this.atStart();
      await this.goBack(time);
    } while (this.pc === this.parts.hostReturn);
    return { reason: 'step' };
  }

  private async continue(): Promise<TargetStop> {
    const { history } = this.parts;
    let end = this.beforeInputs(history.now);
    while (end > history.runStart) {
      const from = Math.max(history.runStart, history.snapshotBefore(end - 1) ?? 0);
      await this.goTo(from);
      const candidates = await this.goThrough(end);
      if (candidates === undefined) return pause;
      const stop = await this.lastOf(candidates);
      if (stop !== undefined) return stop;
      end = from;
    }
    return this.atStart();
  }

  private async stepRange(ranges: Ranges, stopAt: ReadonlySet<number>): Promise<TargetStop> {
    const { history } = this.parts;
    const isOutside = (pc: number) =>
      pc !== this.parts.hostReturn && (stopAt.has(pc) || !ranges.some(({ start, end }) => pc >= start && pc < end));
    let end = this.beforeInputs(history.now);
    let length = shortestPiece;
    while (end > history.runStart) {
      const from = Math.max(history.runStart, end - length);
      await this.goBack(from);
      const candidates = await this.stepThrough(end, isOutside);
      if (candidates === undefined) return pause;
      const stop = await this.lastOf(candidates);
      if (stop !== undefined) return stop;
      end = from;
      length = Math.min(length * 8, longestPiece);
    }
    return this.atStart();
  }

  private async atStart(): Promise<TargetStop> {
    const { history } = this.parts;
    await this.goTo(history.runStart);
    return { reason: 'history-start', lost: history.hasLost };
  }

  /** Of several moments between which only inputs lie, the first. */
  private beforeInputs(time: number): number {
    let first = time;
    while (this.parts.history.isInput(first) && first > this.parts.history.runStart) first--;
    return first;
  }

  /** As goTo(), and leaves a snapshot a little before: the next step back will be near. */
  private async goBack(time: number): Promise<void> {
    const { history } = this.parts;
    const near = Math.max(history.runStart, time - shortestPiece);
    if ((history.snapshotBefore(time) ?? 0) < near - longestPiece) {
      await this.goTo(near);
      history.take(false);
    }
    await this.goTo(time);
  }

  /** The last candidate that counts, going backwards, with the machine at it. */
  private async lastOf(candidates: readonly Candidate[]): Promise<TargetStop | undefined> {
    for (const { time, arrivals, otherwise } of candidates.toReversed()) {
      // Each is asked, because it may count or log.
      const ids = arrivals.filter(({ stops }) => stops === undefined || stops()).map(({ id }) => id);
      const stop: TargetStop | undefined = ids.length > 0 ? { reason: 'breakpoint', ids } : otherwise;
      if (stop === undefined) continue;
      await this.goTo(time);
      return stop;
    }
    return undefined;
  }

  // --- Going forwards through what is recorded -----------------------------------------------------------------------

  private get pc(): number {
    return this.parts.machine.state.pc;
  }

  /** Without stops, to a moment. Not interrupted: where it would end is nowhere. */
  private async replay(time: number): Promise<void> {
    const { history } = this.parts;
    while (history.now < time) {
      if (history.applyInput()) continue;
      this.advance(time);
      if (this.parts.isTurnDue()) await this.parts.turn();
    }
  }

  /** Runs at most to `time`; `met` is told what the machine stopped for before that is performed. */
  private advance(time: number, skipBreakpoint = true, met?: (stop: RunStop) => void): RunStop {
    const { machine, history } = this.parts;
    const { now } = history;
    const { safety } = machine;
    // What broke a rule, or would by the rules of today, went on.
    if (safety !== undefined) safety.ignoring = true;
    try {
      const stop = machine.run(Math.min(BUDGET, time - now, history.nextBound - now), skipBreakpoint);
      met?.(stop);
      if (stop.reason === 'budget') history.applyPass();
      else if (stop.reason !== 'breakpoint') this.parts.handle(stop);
      if (history.now !== now || stop.reason === 'breakpoint') return stop;
      throw new Error(`the program does otherwise than it did before: it stops at step ${now} (${stop.reason})`);
    } finally {
      if (safety !== undefined) safety.ignoring = false;
    }
  }

  /** Runs from now to `end`: the moments before `end` at which there are breakpoints or was a fault. undefined = pause. */
  private async goThrough(end: number): Promise<Candidate[] | undefined> {
    const { history, breakpoints } = this.parts;
    const from = history.now;
    this.watched = undefined;
    let candidates: Candidate[] = [];
    /** Where an arrival at this moment, or before an input at it, was noted already. */
    let noted = { time: history.isInput(from) ? from : -1, address: this.pc };
    const arrive = (address: number): void => {
      const isNoted = noted.time === history.now && noted.address === address;
      if (history.now >= end || isNoted || !breakpoints.has(address)) return;
      const arrivals = breakpoints.arrivals(address, this.parts.view);
      // Going backwards nothing gets past a breakpoint that always stops.
      if (arrivals.some(({ stops }) => stops === undefined)) candidates = [];
      if (arrivals.length > 0) candidates.push({ time: history.now, arrivals, otherwise: undefined });
    };
    const met = (stop: RunStop): void => {
      if (stop.reason === 'breakpoint' || stop.reason === 'host-call') arrive(stop.address);
    };
    while (history.now < end) {
      if (history.nextInput === history.now) arrive(this.pc);
      if (history.applyInput()) {
        noted = { time: history.now, address: this.pc };
        continue;
      }
      const skips = noted.time === history.now && noted.address === this.pc;
      const stop = this.advance(end, skips, met);
      const watch = this.watchStop();
      // Going backwards stops before the access. It always does, unlike a breakpoint that counts.
      if (watch !== undefined) candidates = [{ time: history.now - 1, arrivals: [], otherwise: watch }];
      noted = { time: stop.reason === 'breakpoint' ? history.now : -1, address: this.pc };
      if (this.parts.isTurnDue() && (await this.parts.turn())) return undefined;
    }
    return this.withFaults(candidates, from, end);
  }

  private withFaults(candidates: readonly Candidate[], from: number, end: number): Candidate[] {
    const { history, machine } = this.parts;
    const faults = history.faults
      .filter(({ time, stop }) => time >= from && time < end && isAsked(stop, machine))
      .map(({ time, stop }): Candidate => ({ time, arrivals: [], otherwise: stop }));
    return [...candidates, ...faults].sort((a, b) => a.time - b.time);
  }

  /** As goThrough(), by single steps: the last moment outside, and arrivals at breakpoints after it. */
  private async stepThrough(end: number, isOutside: (pc: number) => boolean): Promise<Candidate[] | undefined> {
    const { history, breakpoints } = this.parts;
    let candidates: Candidate[] = [];
    let afterInput = history.isInput(history.now);
    let steps = 0;
    this.watched = undefined;
    while (history.now < end) {
      const { pc } = this;
      const arrivals = !afterInput && breakpoints.has(pc) ? breakpoints.arrivals(pc, this.parts.view) : [];
      const outside = isOutside(pc);
      if (outside) candidates = [];
      if (outside || arrivals.length > 0) {
        candidates.push({ time: history.now, arrivals, otherwise: outside ? { reason: 'step' } : undefined });
      }
      afterInput = history.applyInput();
      if (afterInput) continue;
      this.advance(history.now + 1);
      const watch = this.watchStop();
      if (watch !== undefined) candidates = [{ time: history.now - 1, arrivals: [], otherwise: watch }];
      if (++steps % 2000 === 0 && this.parts.isTurnDue() && (await this.parts.turn())) return undefined;
    }
    return candidates;
  }
}
