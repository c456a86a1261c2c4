/**
 * The breakpoints that the user has set: their numbers, options and state, from pending to verified and back. What a
 * client shows of one is made here and nowhere else. Where they are in loaded code is found by breakpoint-binding.ts.
 */
import { Source } from '@vscode/debugadapter';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { hex } from '../lib/bytes';
import type { SourceFile } from '../lib/dwarf/model';
import { type HitTest, type LogPart, parseHitCondition, parseLogMessage } from './breakpoint-options';
import { baseName, samePath } from './paths';

/** One address of a breakpoint, in one loaded extension. */
export interface BoundLocation {
  readonly instance: number;
  readonly address: bigint;
  readonly file: SourceFile;
  readonly line: number;
  readonly column: number;
  /** Number of the target's breakpoint; known when the target has taken it. */
  targetId: number | undefined;
}

export interface SourceBreakpoint {
  readonly id: number;
  readonly path: string;
  readonly requested: DebugProtocol.SourceBreakpoint;
  readonly hitTest: HitTest | undefined;
  readonly log: readonly LogPart[] | undefined;
  /** Why its options cannot be used; it is never bound then. */
  readonly optionProblem: string | undefined;
  hits: number;
  locations: BoundLocation[];
  /** Why it is not verified. */
  reason: 'pending' | 'failed';
  message: string;
  /** Why its condition could not be evaluated at the last hit; the program stops there. */
  lastError: string | undefined;
}

export class BreakpointTable {
  private readonly all: SourceBreakpoint[] = [];
  private nextId = 1;

  values(): readonly SourceBreakpoint[] {
    return this.all;
  }

  /** Replaces the breakpoints of a file. Those that stay the same keep number, hits and locations. */
  replace(
    path: string,
    requested: readonly DebugProtocol.SourceBreakpoint[],
  ): { current: SourceBreakpoint[]; added: SourceBreakpoint[]; removed: SourceBreakpoint[] } {
    const old = this.all.filter((breakpoint) => samePath(breakpoint.path, path));
    const added: SourceBreakpoint[] = [];
    const current = requested.map((request) => {
      const kept = old.findIndex((breakpoint) => sameRequest(breakpoint.requested, request));
      if (kept >= 0) return old.splice(kept, 1)[0];
      const fresh = this.create(path, request);
      added.push(fresh);
      return fresh;
    });
    for (const breakpoint of old) this.all.splice(this.all.indexOf(breakpoint), 1);
    this.all.push(...added);
    return { current, added, removed: old };
  }

  /** The breakpoints that have a location with one of these numbers of the target. */
  hitBy(targetIds: readonly number[]): SourceBreakpoint[] {
    return this.all.filter(({ locations }) =>
      locations.some(({ targetId }) => targetId !== undefined && targetIds.includes(targetId)),
    );
  }

  private create(path: string, requested: DebugProtocol.SourceBreakpoint): SourceBreakpoint {
    const hitTest = requested.hitCondition?.trim() ? parseHitCondition(requested.hitCondition) : undefined;
    const log = requested.logMessage ? parseLogMessage(requested.logMessage) : undefined;
    const optionProblem = [hitTest, log].find((result) => typeof result === 'string');
    return {
      id: this.nextId++,
      path,
      requested,
      hitTest: typeof hitTest === 'function' ? hitTest : undefined,
      log: typeof log === 'object' ? log : undefined,
      optionProblem: typeof optionProblem === 'string' ? optionProblem : undefined,
      hits: 0,
      locations: [],
      reason: 'pending',
      message: 'waits for the session to start',
      lastError: undefined,
    };
  }
}

function sameRequest(a: DebugProtocol.SourceBreakpoint, b: DebugProtocol.SourceBreakpoint): boolean {
  return (
    a.line === b.line &&
    (a.column ?? 0) === (b.column ?? 0) &&
    (a.condition ?? '') === (b.condition ?? '') &&
    (a.hitCondition ?? '') === (b.hitCondition ?? '') &&
    (a.logMessage ?? '') === (b.logMessage ?? '')
  );
}

/** The breakpoint as the client shows it. */
export function describeBreakpoint(breakpoint: SourceBreakpoint): DebugProtocol.Breakpoint {
  const { id, path, requested, locations } = breakpoint;
  const source = new Source(baseName(path), path);
  const first = locations.at(0);
  if (first === undefined) {
    const { line } = requested;
    return { id, verified: false, source, line, reason: breakpoint.reason, message: breakpoint.message };
  }
  return {
    id,
    verified: true,
    source,
    line: first.line,
    instructionReference: hex(first.address, 8),
    ...(locations.length > 1 ? { message: `at ${locations.length} places in the loaded code` } : {}),
  };
}
