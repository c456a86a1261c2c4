/**
 * Steps backwards, with gdb's rules for reverse-step, reverse-next and reverse-finish:
 *
 * - A line is gone back to its first instruction; from there to that of the line executed before it. The first line of a function is
 *   not stopped at when it is the function's entry: that goes on to the line of the call.
 * - Arriving at the end of a function that was called from the stepped frame: over goes back to before the call, in stops at the
 *   start of the last line that the function has executed.
 * - Out goes back to the instruction that made the call.
 */
import type { ResumeMode, TargetStop } from '../lib/target/target';
import type { StepRange } from '../lib/program/loaded-program';
import { frameIdOf, isInlinedInto, positionNow, sameLine, type StepContext, type StepPosition } from './step-position';
import type { StepKind, StepResult, StepUnit } from './stepping';

/** As one row of a line table is seldom all of a line: the rows of it that lie side by side. */
function wholeLine({ program, range }: StepPosition, unit: StepUnit): StepRange | undefined {
  if (program === undefined || range === undefined) return range;
  const isSame = (other: StepRange | undefined): other is StepRange =>
    sameLine(other, range) && (unit !== 'statement' || other?.column === range.column);
  const entry = functionEntry(program, range.start);
  let { start, end } = range;
  for (let before = program.stepRangeAt(start - 1n); isSame(before) && start !== entry;) {
    start = before.start;
    before = program.stepRangeAt(start - 1n);
  }
  for (let after = program.stepRangeAt(end); isSame(after); after = program.stepRangeAt(end)) end = after.end;
  return { ...range, start, end };
}

function functionEntry(program: StepPosition['program'], pc: bigint): bigint | undefined {
  const found = program?.symbolAt(pc);
  return found === undefined ? undefined : pc - BigInt(found.offset);
}

export class ReverseStepper {
  constructor(
    private readonly context: StepContext,
    private readonly isCancelled: () => boolean,
  ) {}

  async step(kind: StepKind, unit: StepUnit, hidden: number): Promise<StepResult> {
    const start = await positionNow(this.context, unit === 'instruction' ? 0 : hidden);
    if (kind === 'out') return this.finish(await this.out(start));
    return this.finish(
      unit === 'instruction' ? await this.instruction(kind, start) : await this.line(kind, unit, start),
    );
  }

  /** undefined = the step has ended where it should. */
  private async instruction(kind: 'in' | 'over', start: StepPosition): Promise<TargetStop | undefined> {
    const stop = await this.back();
    if (stop !== undefined) return stop;
    const here = await positionNow(this.context, 0);
    return kind === 'over' && isCallFrom(here, start.stackId) ? this.backToCall(here) : undefined;
  }

  private async out(start: StepPosition): Promise<TargetStop | undefined> {
    if (start.inlines.length <= start.hidden) return this.backToCall(start);
    // Out of an inlined call: back until what was executed before it.
    const outer = frameIdOf(start, 1);
    for (let here = start; ; here = await positionNow(this.context)) {
      const isInside = here === start || isInlinedInto(here, outer);
      if (!isInside && !isCallFrom(here, start.stackId)) return undefined;
      const stop = isCallFrom(here, start.stackId)
        ? await this.backToCall(here)
        : await this.backIn(here.range === undefined ? [] : [here.range], []);
      if (stop !== undefined) return stop;
    }
  }

  private async line(kind: 'in' | 'over', unit: StepUnit, start: StepPosition): Promise<TargetStop | undefined> {
    let here = start;
    let { stackId } = start;
    let frameId = frameIdOf(start);
    for (let moved = false; ; moved = true) {
      const line = wholeLine(here, unit);
      const isInlined = kind === 'over' && isInlinedInto(here, frameId);
      if (moved && !isInlined && line !== undefined && this.isStart(here, line)) return undefined;
      const isAtStart = line === undefined || here.pc === line.start;
      const ranges = line === undefined ? functionRange(here) : [line];
      const stop =
        isAtStart && line !== undefined ? await this.back() : await this.backIn(ranges, line ? [line.start] : []);
      if (stop !== undefined) return stop;
      here = await positionNow(this.context);
      if (isCallFrom(here, stackId) && (kind === 'over' || here.range === undefined)) {
        const other = await this.backToCall(here);
        if (other !== undefined) return other;
        here = await positionNow(this.context);
      }
      if (here.stackId !== stackId) {
        stackId = here.stackId;
        frameId = frameIdOf(here);
      }
    }
  }

  /** The user may be shown the line from here on. */
  private isStart(here: StepPosition, line: StepRange): boolean {
    return here.pc === line.start && line.isStatement && here.pc !== functionEntry(here.program, here.pc);
  }

  /** To the instruction that called the function at `here`. */
  private async backToCall(here: StepPosition): Promise<TargetStop | undefined> {
    const { frame, program } = here;
    const entry = (frame.function && frame.module?.toLoad(frame.function.entryPc)) ?? functionEntry(program, here.pc);
    if (entry === undefined) return this.back();
    const { canonicalFrameAddress: cfa, machine } = frame;
    if (here.pc !== entry) {
      const { target } = this.context;
      const id = await target.setBreakpoint({
        address: entry,
        // Where a function begins its frame is empty: other activations have another stack pointer.
        condition: ({ registers }) => cfa === undefined || registers.get(machine.registers.stackPointer) === cfa,
      });
      try {
        const stop = await this.resume({ kind: 'reverse-continue' });
        if (stop.reason !== 'breakpoint') return stop;
        const others = stop.ids.filter((other) => other !== id);
        if (others.length > 0) return { reason: 'breakpoint', ids: others };
      } finally {
        await target.clearBreakpoint(id);
      }
    }
    return this.back();
  }

  /** One instruction, with what the host does for it. */
  private async back(): Promise<TargetStop | undefined> {
    const stop = await this.resume({ kind: 'reverse-step' });
    if (stop.reason !== 'step') return stop;
    return (await this.isHost()) ? this.back() : undefined;
  }

  private async backIn(
    ranges: readonly { readonly start: bigint; readonly end: bigint }[],
    stopAt: readonly bigint[],
  ): Promise<TargetStop | undefined> {
    const stop = await this.resume({ kind: 'reverse-step-range', ranges, stopAt });
    if (stop.reason !== 'step') return stop;
    return (await this.isHost()) ? this.back() : undefined;
  }

  private async isHost(): Promise<boolean> {
    const pc = await this.context.target.readRegister('pc');
    return this.context.programAt(pc) === undefined && this.context.target.hostSymbol(pc) !== undefined;
  }

  private async resume(mode: ResumeMode): Promise<TargetStop> {
    return this.isCancelled() ? { reason: 'pause' } : this.context.target.resume(mode);
  }

  private async finish(stop: TargetStop | undefined): Promise<StepResult> {
    if (stop !== undefined) return { stop, hidden: 0 };
    return { stop: { reason: 'step' }, hidden: (await positionNow(this.context)).hidden };
  }
}

function isCallFrom(here: StepPosition, stackId: string): boolean {
  return here.stackId !== stackId && here.callerStackId === stackId;
}

/** For code without lines: all of its function. */
function functionRange({ program, pc }: StepPosition): readonly { readonly start: bigint; readonly end: bigint }[] {
  const found = program?.symbolAt(pc);
  if (found === undefined || found.symbol.size === 0) return [];
  const start = pc - BigInt(found.offset);
  return [{ start, end: start + BigInt(found.symbol.size) }];
}
