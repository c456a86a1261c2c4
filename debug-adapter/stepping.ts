/**
 * Step in, over and out, by source line or by instruction, with gdb's rules:
 *
 * - A line is left when pc is at the start of a statement of another line; in the middle of another line (after a
 *   return, usually) stepping goes on to that line's end.
 * - Arriving in a function that was called from the stepped frame is a call: step over runs to its return (compared by
 *   frame address, so that recursion does not stop early); step in goes behind its prologue, unless it has no lines.
 * - An inlined call counts as a call although nothing is called: it is entered without running, or run through.
 * - Step out runs to the instruction after the call; out of an inlined call, until its code is left.
 */
import type { ResumeMode, TargetStop } from '../lib/target/target';
import {
  covers,
  frameIdOf,
  isInlinedInto,
  type Line,
  positionNow,
  sameLine,
  type StepContext,
  type StepPosition,
  visibleLine,
} from './step-position';
import type { Frame } from '../lib/dwarf/unwind-frame';
import type { StepRange } from '../lib/program/loaded-program';

export type StepKind = 'in' | 'over' | 'out';

export interface StepResult {
  readonly stop: TargetStop;
  /** Inlined calls at the pc that are not shown as entered. */
  readonly hidden: number;
}

/** The line and frame being stepped; moves on when stepping finds itself in the middle of another line. */
interface SteppedLine {
  readonly frameId: string;
  readonly stackId: string;
  readonly line: Line | undefined;
  readonly ranges: readonly { readonly start: bigint; readonly end: bigint }[];
}

/** Milliseconds without a look at other events. */
const longestTurn = 15;

/** One step command, from the current stop on. */
export class Stepper {
  private cancelled = false;

  constructor(private readonly context: StepContext) {}

  /** Ends the step at the next opportunity with a pause stop. */
  cancel(): void {
    this.cancelled = true;
    this.context.target.pause();
  }

  /** `hidden`: of the current stop. */
  async step(kind: StepKind, byInstruction: boolean, hidden: number): Promise<StepResult> {
    if (kind === 'out') return this.stepOut(hidden);
    return byInstruction ? this.stepInstruction(kind) : this.stepLine(kind, hidden);
  }

  /** To where a breakpoint on the entry function stops. */
  async runToEntry(address: bigint): Promise<StepResult> {
    const place = this.context.programAt(address)?.functionBreak(address);
    return this.finish(await this.runToAddress(place ?? address, () => true));
  }

  private async stepInstruction(kind: 'in' | 'over'): Promise<StepResult> {
    const start = await positionNow(this.context, 0);
    let stop = await this.resume({ kind: 'step-instruction' });
    if (stop.reason !== 'step') return { stop, hidden: 0 };
    let here = await positionNow(this.context, 0);
    if (this.isHost(here.pc)) {
      // The call of a host function is one instruction with what the host does.
      stop = await this.resume({ kind: 'step-instruction' });
      if (stop.reason !== 'step') return { stop, hidden: 0 };
      here = await positionNow(this.context, 0);
    }
    if (kind === 'over' && isCallFrom(here, start.stackId) && here.caller !== undefined) {
      stop = (await this.runTo(here.caller)) ?? stop;
    }
    return { stop, hidden: 0 };
  }

  private async stepLine(kind: 'in' | 'over', hidden: number): Promise<StepResult> {
    const start = await positionNow(this.context, hidden);
    if (kind === 'in' && hidden > 0) return { stop: { reason: 'step' }, hidden: hidden - 1 };
    return this.stepUntilNewLine(kind, {
      frameId: frameIdOf(start),
      stackId: start.stackId,
      line: visibleLine(start),
      ranges: start.range === undefined ? this.functionRange(start) : [start.range],
    });
  }

  private async stepOut(hidden: number): Promise<StepResult> {
    const start = await positionNow(this.context, hidden);
    if (start.inlines.length > hidden) {
      // Stepping "over" in the calling frame, whose line is not known to be any.
      return this.stepUntilNewLine('over', {
        frameId: frameIdOf(start, 1),
        stackId: start.stackId,
        line: undefined,
        ranges: [],
      });
    }
    const caller = start.caller;
    const stop = caller?.module === undefined ? await this.resume({ kind: 'continue' }) : await this.runTo(caller);
    return this.finish(stop);
  }

  private async stepUntilNewLine(kind: 'in' | 'over', from: SteppedLine): Promise<StepResult> {
    let stepped = from;
    let mustMove = true;
    let yielded = performance.now();
    for (;;) {
      // A line may loop for ever in short runs of the target: a pause request must get its turn.
      if (performance.now() - yielded > longestTurn) {
        await new Promise((resolve) => setTimeout(resolve, 0));
        yielded = performance.now();
      }
      const pc = await this.pc();
      if (mustMove || covers(stepped.ranges[0] as StepRange | undefined, pc)) {
        const stop = await this.resume(resumeIn(stepped.ranges, pc));
        if (stop.reason !== 'step') return this.finish(stop);
      }
      mustMove = true;
      const here = await positionNow(this.context);
      const decision = await this.decide(kind, stepped, here);
      switch (decision.action) {
        case 'stop':
          return { stop: { reason: 'step' }, hidden: decision.hidden };
        case 'go-on':
          stepped = decision.stepped;
          break;
        case 'return': {
          const stop = await this.runTo(decision.to);
          if (stop !== undefined) return this.finish(stop);
          mustMove = false;
          break;
        }
        case 'enter':
          return this.finish(await this.runToAddress(decision.address, () => true));
      }
    }
  }

  /** What to do at a pc outside of the stepped line. */
  private async decide(kind: 'in' | 'over', stepped: SteppedLine, here: StepPosition): Promise<Decision> {
    if (stepped.ranges.some(({ start, end }) => here.pc >= start && here.pc < end)) return { action: 'go-on', stepped };
    if (isCallFrom(here, stepped.stackId) && here.caller !== undefined) {
      const body = kind === 'in' && here.range !== undefined ? bodyOf(here) : undefined;
      if (body === undefined) return { action: 'return', to: here.caller };
      return body === here.pc ? { action: 'stop', hidden: here.hidden } : { action: 'enter', address: body };
    }
    if (here.range === undefined) {
      // Code without lines that was not called but jumped to: when it returns, it returns to the caller.
      return here.caller === undefined ? { action: 'stop', hidden: 0 } : { action: 'return', to: here.caller };
    }
    return this.decideInlined(kind, stepped, here) ?? decideLine(stepped, here, here.range);
  }

  private decideInlined(kind: 'in' | 'over', stepped: SteppedLine, here: StepPosition): Decision | undefined {
    if (here.hidden > 0 && frameIdOf(here) === stepped.frameId) {
      const sameCall = sameLine(visibleLine(here), stepped.line);
      if (kind === 'in') return { action: 'stop', hidden: sameCall ? here.hidden - 1 : here.hidden };
      return sameCall ? { action: 'go-on', stepped } : { action: 'stop', hidden: here.hidden };
    }
    if (!isInlinedInto(here, stepped.frameId)) return undefined;
    return kind === 'in' ? { action: 'stop', hidden: here.hidden } : { action: 'go-on', stepped };
  }

  /** Runs until the frame `to` is active again; undefined when that is where it stopped. */
  private async runTo(to: Frame): Promise<TargetStop | undefined> {
    const { stackPointer } = to.machine.registers;
    const sp = to.registers.get(stackPointer);
    // Deeper activations of the same code have a lower stack pointer.
    return this.runToAddress(to.pc, (current) => sp === undefined || (current(stackPointer) ?? sp) >= sp);
  }

  private async runToAddress(
    address: bigint,
    arrived: (register: (number: number) => bigint | undefined) => boolean,
  ): Promise<TargetStop | undefined> {
    const { target } = this.context;
    const id = await target.setBreakpoint({
      address,
      condition: ({ registers }) => arrived((number) => registers.get(number)),
    });
    try {
      const stop = await this.resume({ kind: 'continue' });
      if (stop.reason !== 'breakpoint') return stop;
      const others = stop.ids.filter((other) => other !== id);
      return others.length === 0 ? undefined : { reason: 'breakpoint', ids: others };
    } finally {
      await target.clearBreakpoint(id);
    }
  }

  private async resume(mode: ResumeMode): Promise<TargetStop> {
    return this.cancelled ? { reason: 'pause' } : this.context.target.resume(mode);
  }

  /** A stop of the step itself shows its inlined calls as gdb does; any other shows where it is. */
  private async finish(stop: TargetStop | undefined): Promise<StepResult> {
    if (stop !== undefined && stop.reason !== 'step') return { stop, hidden: 0 };
    return { stop: { reason: 'step' }, hidden: (await positionNow(this.context)).hidden };
  }

  private async pc(): Promise<bigint> {
    return this.context.target.readRegister('pc');
  }

  private isHost(pc: bigint): boolean {
    return this.context.programAt(pc) === undefined && this.context.target.hostSymbol(pc) !== undefined;
  }

  /** For code without lines: all of its function. */
  private functionRange({ program, pc }: StepPosition): SteppedLine['ranges'] {
    const found = program?.symbolAt(pc);
    if (found === undefined || found.symbol.size === 0) return [];
    const start = pc - BigInt(found.offset);
    return [{ start, end: start + BigInt(found.symbol.size) }];
  }
}

type Decision =
  | { readonly action: 'stop'; readonly hidden: number }
  | { readonly action: 'go-on'; readonly stepped: SteppedLine }
  | { readonly action: 'return'; readonly to: Frame }
  | { readonly action: 'enter'; readonly address: bigint };

function decideLine(stepped: SteppedLine, here: StepPosition, range: StepRange): Decision {
  let line: Line | undefined = range;
  if (!sameLine(range, stepped.line)) {
    const atStart = here.pc === range.start;
    if (atStart && range.isStatement) return { action: 'stop', hidden: here.hidden };
    // No statement begins here: look for a better place, in this frame as in one that was returned to. There, a
    // statement of the same line that comes later is one to stop at.
    if (frameIdOf(here) === stepped.frameId) return { action: 'go-on', stepped };
    if (atStart) line = undefined;
  }
  return { action: 'go-on', stepped: { frameId: frameIdOf(here), stackId: here.stackId, line, ranges: [range] } };
}

function isCallFrom(here: StepPosition, stackId: string): boolean {
  return here.stackId !== stackId && here.callerStackId === stackId;
}

/** Where a step into the function at the pc stops. */
function bodyOf({ program, frame }: StepPosition): bigint | undefined {
  const entry = frame.function && frame.module?.toLoad(frame.function.entryPc);
  return entry === undefined ? undefined : program?.bodyStart(entry);
}

function resumeIn(ranges: SteppedLine['ranges'], pc: bigint): ResumeMode {
  const inside = ranges.some(({ start, end }) => pc >= start && pc < end);
  return inside ? { kind: 'step-range', ranges } : { kind: 'step-instruction' };
}
