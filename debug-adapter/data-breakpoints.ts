/**
 * Data breakpoints: what the client wants watched, from pending to verified and back. A place is watched as soon as it is known where it
 * is: addresses from the start, so that the loader's accesses count, objects of an extension when it is loaded. What was in
 * a frame ends with the frame, as in gdb; the stop says so.
 */
import { BreakpointEvent } from '@vscode/debugadapter';
import type { DebugProtocol } from '@vscode/debugprotocol';
import type { Value } from '../lib/dwarf/value';
import type { WatchKind } from '../lib/emulator/watchpoints';
import type { TargetStop } from '../lib/target/target';
import type { Explanation } from './breakpoint-binding';
import { type HitTest, parseHitCondition } from './breakpoint-options';
import { objectAtFileScope } from './data-breakpoint-info';
import { watchCondition } from './data-conditions';
import type { Inferior } from './inferior';
import type { SessionState } from './session-state';
import { dataIdOf, type DataPlace, parseDataId } from './watched-data';
import { type WatchedFrame, WatchedFrames } from './watched-frames';

export interface UserDataBreakpoint {
  readonly id: number;
  readonly request: DebugProtocol.DataBreakpoint;
  readonly place: DataPlace | undefined;
  readonly hitTest: HitTest | undefined;
  /** Why it cannot be used as it was written. */
  readonly problem: string | undefined;
  hits: number;
  /** Where it is watched now. */
  bound: { readonly address: bigint; readonly targetId: number; readonly instance: number | undefined } | undefined;
  /** Why it is not. */
  reason: 'pending' | 'failed';
  message: string;
  /** Why its condition could not be evaluated at the last hit. */
  lastError: string | undefined;
}

/** A place that was found, or why it was not. */
type Found = { readonly address: bigint; readonly instance: number | undefined } | Explanation;

const kinds: Record<DebugProtocol.DataBreakpointAccessType, WatchKind> = {
  read: 'read',
  // The client calls it "value change".
  write: 'change',
  readWrite: 'access',
};

const notStarted: Explanation = { reason: 'pending', message: 'waits for the session to start' };

export class DataBreakpoints {
  readonly frames: WatchedFrames;
  private all: UserDataBreakpoint[] = [];
  private readonly values = new Map<string, Value>();
  /** The target's breakpoint where a frame's caller goes on, by frame. */
  private readonly frameEnds = new Map<WatchedFrame, number>();
  private enabled = true;

  constructor(private readonly session: SessionState) {
    this.frames = new WatchedFrames(session);
  }

  /** For a run without debugging. */
  disable(): void {
    this.enabled = false;
  }

  /** The object that a dataId stands for, for messages. */
  remember(dataId: string, value: Value): void {
    this.values.set(dataId, value);
  }

  valueOf({ request }: UserDataBreakpoint): Value | undefined {
    return this.values.get(request.dataId);
  }

  problemOfEngine(): string | undefined {
    const { inferior } = this.session;
    if (inferior === undefined || inferior.target.watches) return undefined;
    return 'this engine cannot watch memory: choose the built-in one ("engine": "builtin")';
  }

  /** Replaces all; those that stay the same keep number and hits. */
  async set(requested: readonly DebugProtocol.DataBreakpoint[]): Promise<DebugProtocol.Breakpoint[]> {
    const old = [...this.all];
    this.all = requested.map((request) => {
      const kept = old.findIndex((one) => sameRequest(one.request, request));
      return kept >= 0 ? old.splice(kept, 1)[0] : this.create(request);
    });
    for (const breakpoint of old) this.unbind(breakpoint);
    for (const breakpoint of this.all) await this.bind(breakpoint);
    return this.all.map(describe);
  }

  /** What a client has set before it found this target. */
  async takeOver(other: DataBreakpoints): Promise<void> {
    this.all.push(...other.all.splice(0));
    await this.bindAll(() => true);
  }

  /** A machine is there with nothing loaded: addresses are known. */
  async machineCreated(): Promise<void> {
    await this.bindAll(({ place }) => place?.kind === 'address');
  }

  /** An extension is there with all of its bytes; nothing of it has run. */
  async extensionLoaded(): Promise<void> {
    await this.bindAll(() => true);
  }

  private async bindAll(which: (breakpoint: UserDataBreakpoint) => boolean): Promise<void> {
    for (const breakpoint of this.all.filter(which)) {
      const before = breakpoint.message;
      if ((await this.bind(breakpoint)) || breakpoint.message !== before) this.announce(breakpoint);
    }
  }

  extensionGone(instance: number, why: string): void {
    for (const breakpoint of this.all) {
      if (breakpoint.bound?.instance !== instance) continue;
      this.unbind(breakpoint);
      this.explain(breakpoint, { reason: 'pending', message: why });
      this.announce(breakpoint);
    }
  }

  /** A new machine: nothing is watched, hits count from the start. */
  reset(): void {
    this.frameEnds.clear();
    for (const breakpoint of this.all) {
      breakpoint.hits = 0;
      breakpoint.lastError = undefined;
      if (breakpoint.bound === undefined) continue;
      breakpoint.bound = undefined;
      this.explain(breakpoint, notStarted);
      this.announce(breakpoint);
    }
  }

  /** Those that a stop is about, with their hits. */
  hitBy(stop: Extract<TargetStop, { reason: 'watchpoint' }>) {
    return stop.hits.flatMap((hit) => {
      const breakpoint = this.all.find(({ bound }) => bound?.targetId === hit.id);
      return breakpoint === undefined ? [] : [{ breakpoint, hit }];
    });
  }

  /** The frames whose end the stop is: what was watched in them is watched no more. */
  frameEnded(stop: TargetStop): UserDataBreakpoint[] {
    const ids = stop.reason === 'breakpoint' || stop.reason === 'watchpoint' ? stop.ids : [];
    const ended = [...this.frameEnds].filter(([, id]) => ids.includes(id)).map(([frame]) => frame);
    const gone = this.all.filter(({ place, bound }) => {
      const frame = place?.kind === 'frame' ? this.frames.get(place.frame) : undefined;
      return bound !== undefined && frame !== undefined && ended.includes(frame);
    });
    for (const breakpoint of gone) {
      this.unbind(breakpoint);
      this.explain(breakpoint, this.frameIsOver(breakpoint));
      this.announce(breakpoint);
    }
    return gone;
  }

  private create(request: DebugProtocol.DataBreakpoint): UserDataBreakpoint {
    const place = parseDataId(request.dataId);
    const hitTest = request.hitCondition?.trim() ? parseHitCondition(request.hitCondition) : undefined;
    const problem =
      place === undefined
        ? `'${request.dataId}' is no data that this debugger has named`
        : typeof hitTest === 'string'
          ? hitTest
          : undefined;
    return {
      id: this.session.breakpoints.table.takeId(),
      request,
      place,
      hitTest: typeof hitTest === 'function' ? hitTest : undefined,
      problem,
      hits: 0,
      bound: undefined,
      ...notStarted,
      lastError: undefined,
    };
  }

  /** True when it is watched from now on. */
  private async bind(breakpoint: UserDataBreakpoint): Promise<boolean> {
    if (breakpoint.bound !== undefined) return false;
    const { place, problem, request } = breakpoint;
    const { inferior } = this.session;
    const unusable = problem ?? this.problemOfEngine();
    if (unusable !== undefined || place === undefined) {
      this.explain(breakpoint, { reason: 'failed', message: unusable ?? '' });
      return false;
    }
    if (inferior === undefined || !this.enabled) return false;
    const found = await this.locate(place, inferior);
    if ('reason' in found) {
      this.explain(breakpoint, found);
      return false;
    }
    const targetId = await inferior.target.setWatchpoint({
      address: found.address,
      length: place.length,
      kind: kinds[request.accessType ?? 'write'],
      condition: watchCondition(breakpoint, inferior, this.session.output, this.frameOf(place)),
    });
    breakpoint.bound = { ...found, targetId };
    await this.watchFrame(place, inferior);
    return true;
  }

  private frameOf(place: DataPlace): WatchedFrame | undefined {
    return place.kind === 'frame' ? this.frames.get(place.frame) : undefined;
  }

  private async locate(place: DataPlace, inferior: Inferior): Promise<Found> {
    switch (place.kind) {
      case 'address':
        return { address: BigInt(place.address), instance: undefined };
      case 'frame': {
        const frame = this.frames.get(place.frame);
        const isAlive = frame !== undefined && (await this.frames.isAlive(frame));
        if (!isAlive) return { reason: 'failed', message: overText(place.text, frame) };
        return { address: BigInt(place.address), instance: undefined };
      }
      case 'static':
        return this.locateStatic(place, inferior);
    }
  }

  private async locateStatic(place: Extract<DataPlace, { kind: 'static' }>, inferior: Inferior): Promise<Found> {
    const { module, text, symbol, offset = 0, link } = place;
    const extension = inferior.extensions.findLast(({ instance }) => instance.name === module);
    const program = module === '' ? inferior.base?.program : extension?.program;
    const instance = extension?.id;
    if (program === undefined) {
      const name = module === '' ? 'a base image with debug information' : `llext '${module}'`;
      return { reason: 'pending', message: `waits for ${name} to be loaded` };
    }
    if (place.isExpression) {
      const found = await objectAtFileScope(inferior, program, text);
      if (found !== undefined && program.toLink(found.address) !== undefined) {
        if (found.value.type.byteSize === place.length) this.remember(dataIdOf(place), found.value);
        return { address: found.address, instance };
      }
      return { reason: 'failed', message: `there is no '${text}' in ${module === '' ? 'the base image' : module} now` };
    }
    const address = program.toLoad(BigInt(link));
    const there = address === undefined ? undefined : program.symbolAt(address);
    const isSame = symbol === undefined || (there?.symbol.name === symbol && Number(there.offset) === offset);
    if (address !== undefined && isSame) return { address, instance };
    const moved = symbol === undefined ? undefined : program.symbolNamed(symbol);
    if (moved !== undefined) return { address: moved + BigInt(offset), instance };
    return {
      reason: 'failed',
      message: `'${text}' is not where it was: the file has changed. Set the breakpoint again`,
    };
  }

  private async watchFrame(place: DataPlace, inferior: Inferior): Promise<void> {
    const frame = this.frameOf(place);
    if (frame?.caller === undefined || this.frameEnds.has(frame)) return;
    const { pc, sp } = frame.caller;
    const { stackPointer } = inferior.unwindOptions.machine.registers;
    const id = await inferior.target.setBreakpoint({
      address: pc,
      condition: ({ registers }) => (registers.get(stackPointer) ?? sp) >= sp,
    });
    this.frameEnds.set(frame, id);
  }

  private unbind(breakpoint: UserDataBreakpoint): void {
    const { bound, place } = breakpoint;
    if (bound === undefined) return;
    breakpoint.bound = undefined;
    const target = this.session.inferior?.target;
    target?.removeWatchpoint(bound.targetId);
    const frame = place && this.frameOf(place);
    const isShared = this.all.some((one) => one.bound !== undefined && one.place && this.frameOf(one.place) === frame);
    const end = frame && !isShared ? this.frameEnds.get(frame) : undefined;
    if (frame === undefined || end === undefined) return;
    target?.removeBreakpoint(end);
    this.frameEnds.delete(frame);
  }

  private frameIsOver({ place }: UserDataBreakpoint): Explanation {
    return { reason: 'failed', message: overText(place?.text ?? '', place && this.frameOf(place)) };
  }

  private explain(breakpoint: UserDataBreakpoint, { reason, message }: Explanation): void {
    breakpoint.reason = reason;
    breakpoint.message = message;
  }

  private announce(breakpoint: UserDataBreakpoint): void {
    this.session.send(new BreakpointEvent('changed', describe(breakpoint)));
  }
}

function overText(text: string, frame: WatchedFrame | undefined): string {
  return `the call of ${frame?.name ?? 'the function'} that '${text}' was in is over`;
}

function describe({ id, bound, reason, message }: UserDataBreakpoint): DebugProtocol.Breakpoint {
  return bound === undefined ? { id, verified: false, reason, message } : { id, verified: true };
}

function sameRequest(a: DebugProtocol.DataBreakpoint, b: DebugProtocol.DataBreakpoint): boolean {
  return (
    a.dataId === b.dataId &&
    (a.accessType ?? 'write') === (b.accessType ?? 'write') &&
    (a.condition ?? '') === (b.condition ?? '') &&
    (a.hitCondition ?? '') === (b.hitCondition ?? '')
  );
}
