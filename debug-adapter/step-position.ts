/**
 * Where a stopped program is, as stepping compares it. Two identities matter: the physical frame (function and
 * canonical frame address, so that a recursive call is another frame), and the frame that the user sees, which may be
 * an inlined call in it. Inlined calls that begin at the pc are "hidden" first: the user sees their caller and steps
 * into them without running, as gdb shows it.
 */
import { inlineFramesStartingAt, StackUnwinder, type UnwindOptions } from '../lib/dwarf/unwind';
import type { Frame } from '../lib/dwarf/unwind-frame';
import type { InlineInfo, Scope, SourceFile } from '../lib/dwarf/model';
import type { LoadedProgram, StepRange } from '../lib/program/loaded-program';
import type { Query } from '../lib/query';
import type { Target } from '../lib/target/target';

/** What stepping needs to know of the session. */
export interface StepContext {
  readonly target: Target;
  readonly unwindOptions: UnwindOptions;
  programAt(pc: bigint): LoadedProgram | undefined;
  /** Whether the pc is in an extension, and not in the base image. */
  isExtension(pc: bigint): boolean;
  query<T>(query: Query<T>): Promise<T>;
}

export interface StepPosition {
  readonly pc: bigint;
  readonly frame: Frame;
  /** The next physical frame outwards. */
  readonly caller: Frame | undefined;
  /** Identity of the physical frame. */
  readonly stackId: string;
  readonly callerStackId: string | undefined;
  /** Inlined calls at the pc, innermost first. */
  readonly inlines: readonly InlinedScope[];
  readonly hidden: number;
  readonly program: LoadedProgram | undefined;
  /** The line table's row at the pc, with the addresses that it covers. */
  readonly range: StepRange | undefined;
}

type InlinedScope = Scope & { readonly inline: InlineInfo };

export interface Line {
  readonly file: SourceFile;
  readonly line: number;
  readonly column: number;
}

/** `hidden`: inlined calls not shown as entered; by default those that begin at the pc. */
export async function positionNow(context: StepContext, hidden?: number): Promise<StepPosition> {
  const unwinder = new StackUnwinder(await context.target.registerFile(), context.unwindOptions);
  const frame = unwinder.innermost;
  const program = context.programAt(frame.pc);
  let caller = await context.query(unwinder.callerOf(frame));
  while (caller?.tailCall === true) caller = await context.query(unwinder.callerOf(caller));
  // A caller knows its own frame address once its caller has been asked for.
  if (caller !== undefined) await context.query(unwinder.callerOf(caller));
  const inlines = frame.scopes().filter(isInlined);
  return {
    pc: frame.pc,
    frame,
    caller,
    stackId: stackIdOf(frame),
    callerStackId: caller && stackIdOf(caller),
    inlines,
    hidden: hidden ?? startingInlines(frame),
    program,
    range: program?.stepRangeAt(frame.pc),
  };
}

/** How many inlined calls begin at the innermost pc. */
export function startingInlines(frame: Frame): number {
  const debug = frame.module?.debug;
  return debug === undefined || frame.linkPc === undefined ? 0 : inlineFramesStartingAt(debug, frame.linkPc);
}

function isInlined(scope: Scope): scope is InlinedScope {
  return scope.inline !== undefined;
}

function stackIdOf(frame: Frame): string {
  const where = frame.canonicalFrameAddress ?? frame.registers.get(frame.machine.registers.stackPointer) ?? 0n;
  const entry = frame.function && frame.module?.toLoad(frame.function.entryPc);
  return `${entry === undefined ? 'unknown' : entry.toString(16)}@${where.toString(16)}`;
}

const scopeNumbers = new WeakMap<Scope, number>();
let lastScopeNumber = 0;

function scopeNumber(scope: Scope): number {
  let number = scopeNumbers.get(scope);
  if (number === undefined) scopeNumbers.set(scope, (number = ++lastScopeNumber));
  return number;
}

/** Identity of the frame that the user sees, `outwards` inlined calls further out. */
export function frameIdOf(position: StepPosition, outwards = 0): string {
  const entered = position.inlines.slice(position.hidden + outwards);
  return `${position.stackId}/${entered.map(scopeNumber).reverse().join('/')}`;
}

/** True when the visible frame is an inlined call that the frame `frameId` made, directly or through others. */
export function isInlinedInto(position: StepPosition, frameId: string): boolean {
  const entered = position.inlines.length - position.hidden;
  for (let outwards = 1; outwards <= entered; outwards++) if (frameIdOf(position, outwards) === frameId) return true;
  return false;
}

/**
 * The addresses that a step from here leaves: the line table's row, but none beyond the inlined call that begins here and is not entered.
 * Compilers leave rows out where one inlined call follows another.
 */
export function steppedRange({ pc, range, inlines, hidden, frame }: StepPosition): StepRange | undefined {
  if (range === undefined || hidden === 0) return range;
  // Parts of the call may lie in other sections.
  const lasts = inlines[hidden - 1].ranges.map((part) => frame.module?.toLoad(part.end - 1n) ?? 0n);
  const end = lasts.reduce((highest, last) => (last > highest ? last : highest)) + 1n;
  return end < range.end && end > pc ? { ...range, end } : range;
}

/** The line that the user sees: that of the call when an inlined call is hidden, else the line table's. */
export function visibleLine(position: StepPosition): Line | undefined {
  const skipped = position.hidden > 0 ? position.inlines[position.hidden - 1].inline.call : undefined;
  return skipped ?? position.range;
}

export function sameLine(a: Line | undefined, b: Line | undefined): boolean {
  return a !== undefined && b !== undefined && a.line === b.line && a.file === b.file;
}

export function covers(range: StepRange | undefined, pc: bigint): boolean {
  return range !== undefined && pc >= range.start && pc < range.end;
}
