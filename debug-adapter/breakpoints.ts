/**
 * The breakpoints that the user has set: their numbers, options and state, from pending to verified and back. Where
 * they are in loaded code is found by breakpoint-binding.ts.
 */
import type { DebugProtocol } from '@vscode/debugprotocol';
import type { SourcePosition } from '../lib/dwarf/model';
import {
  type HitTest,
  type LogPart,
  modeProblem,
  parseHitCondition,
  parseLogMessage,
  unfinished,
} from './breakpoint-options';
import { type FunctionPattern, parseFunctionPattern } from './function-pattern';
import { samePath } from '../lib/paths';

/** Where the user wants it. */
export type BreakpointPlace =
  | { readonly kind: 'source'; readonly path: string; readonly line: number; readonly column: number | undefined }
  | { readonly kind: 'function'; readonly text: string; readonly pattern: FunctionPattern | string }
  /** `problem`: why what was written is no address. */
  | { readonly kind: 'instruction'; readonly address: bigint; readonly problem?: string };

/** What VS Code replaces as a whole: all breakpoints of a file, all on functions, all on instructions. */
export type BreakpointGroup =
  { readonly kind: 'source'; readonly path: string } | { readonly kind: 'function' } | { readonly kind: 'instruction' };

export interface BreakpointOptions {
  readonly condition?: string;
  readonly hitCondition?: string;
  readonly logMessage?: string;
  /** One of `breakpointModes`. */
  readonly mode?: string;
}

export interface RequestedBreakpoint {
  readonly place: BreakpointPlace;
  readonly options: BreakpointOptions;
}

/** One address of a breakpoint. */
export interface BoundLocation {
  /** Id of the loaded extension; undefined in the base image. */
  readonly instance: number | undefined;
  readonly address: bigint;
  readonly position: SourcePosition | undefined;
  /** Number of the target's breakpoint; known when the target has taken it. */
  targetId: number | undefined;
}

export interface UserBreakpoint extends RequestedBreakpoint {
  readonly id: number;
  readonly hitTest: HitTest | undefined;
  readonly log: readonly LogPart[] | undefined;
  /** Why it cannot be used as it was written; it is never bound then. */
  readonly problem: string | undefined;
  hits: number;
  /** Of mode `once`: it has stopped. */
  isSpent: boolean;
  locations: BoundLocation[];
  /** Why it is not verified. */
  reason: 'pending' | 'failed';
  message: string;
  /** Why its condition could not be evaluated at the last hit; the program stops there. */
  lastError: string | undefined;
}

export class BreakpointTable {
  private readonly all: UserBreakpoint[] = [];
  private nextId = 1;

  /** Numbers are unique among all kinds of breakpoints. */
  takeId(): number {
    return this.nextId++;
  }

  values(): readonly UserBreakpoint[] {
    return this.all;
  }

  /** Replaces the breakpoints of a group. Those that stay the same keep number, hits and locations. */
  replace(
    group: BreakpointGroup,
    requested: readonly RequestedBreakpoint[],
  ): { current: UserBreakpoint[]; added: UserBreakpoint[]; removed: UserBreakpoint[] } {
    const old = this.all.filter(({ place }) => belongsTo(place, group));
    const added: UserBreakpoint[] = [];
    const current = requested.map((request) => {
      const kept = old.findIndex((breakpoint) => sameRequest(breakpoint, request));
      if (kept >= 0) return old.splice(kept, 1)[0];
      const fresh = this.create(request);
      added.push(fresh);
      return fresh;
    });
    for (const breakpoint of old) this.all.splice(this.all.indexOf(breakpoint), 1);
    this.all.push(...added);
    return { current, added, removed: old };
  }

  /** All at once, as they are; returns them. */
  removeAll(): readonly UserBreakpoint[] {
    return this.all.splice(0);
  }

  /** Of a table that is given up: their numbers are known to the client. */
  takeOver(other: BreakpointTable): void {
    this.all.push(...other.removeAll());
    this.nextId = Math.max(this.nextId, other.nextId);
  }

  /** The breakpoints that have a location with one of these numbers of the target. */
  hitBy(targetIds: readonly number[]): UserBreakpoint[] {
    return this.all.filter(({ locations }) =>
      locations.some(({ targetId }) => targetId !== undefined && targetIds.includes(targetId)),
    );
  }

  private create({ place, options }: RequestedBreakpoint): UserBreakpoint {
    const hitTest = options.hitCondition?.trim() ? parseHitCondition(options.hitCondition) : undefined;
    const log = options.logMessage ? parseLogMessage(options.logMessage) : undefined;
    const pattern = place.kind === 'function' ? place.pattern : undefined;
    const noAddress = place.kind === 'instruction' ? place.problem : undefined;
    const condition = options.condition?.trim() ? unfinished(options.condition.trim()) : undefined;
    const problem = [noAddress, pattern, condition, hitTest, log, modeProblem(options.mode)].find(
      (result) => typeof result === 'string',
    );
    return {
      id: this.takeId(),
      place,
      options,
      hitTest: typeof hitTest === 'function' ? hitTest : undefined,
      log: typeof log === 'object' ? log : undefined,
      problem: typeof problem === 'string' ? problem : undefined,
      hits: 0,
      isSpent: false,
      locations: [],
      reason: 'pending',
      message: 'waits for the session to start',
      lastError: undefined,
    };
  }
}

/** `line` and `column` count from 1. */
export function sourceRequest(path: string, requested: DebugProtocol.SourceBreakpoint): RequestedBreakpoint {
  const { line, column } = requested;
  return { place: { kind: 'source', path, line, column }, options: requested };
}

export function functionRequest(requested: DebugProtocol.FunctionBreakpoint): RequestedBreakpoint {
  const { name } = requested;
  return { place: { kind: 'function', text: name, pattern: parseFunctionPattern(name) }, options: requested };
}

/** In words, for messages about it. */
export function placeText(place: BreakpointPlace): string {
  switch (place.kind) {
    case 'source':
      return `line ${place.line}`;
    case 'function':
      return `function ${place.text}`;
    case 'instruction':
      return `instruction 0x${place.address.toString(16)}`;
  }
}

function belongsTo(place: BreakpointPlace, group: BreakpointGroup): boolean {
  if (place.kind !== 'source' || group.kind !== 'source') return place.kind === group.kind;
  return samePath(place.path, group.path);
}

function sameRequest(a: RequestedBreakpoint, b: RequestedBreakpoint): boolean {
  return (
    placeKey(a.place) === placeKey(b.place) &&
    (a.options.condition ?? '') === (b.options.condition ?? '') &&
    (a.options.hitCondition ?? '') === (b.options.hitCondition ?? '') &&
    (a.options.logMessage ?? '') === (b.options.logMessage ?? '') &&
    a.options.mode === b.options.mode
  );
}

/** Within a group. */
function placeKey(place: BreakpointPlace): string {
  switch (place.kind) {
    case 'source':
      return `${place.line}:${place.column ?? 0}`;
    case 'function':
      return place.text;
    case 'instruction':
      return place.problem ?? place.address.toString();
  }
}
