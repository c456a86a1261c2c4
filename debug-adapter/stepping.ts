/**
 * Step in, over and out, by source line or by instruction, with gdb's rules:
 *
 * - A line is left when pc is at the start of a statement of another line; in the middle of another line (after a
 *   return, usually) stepping goes on to that line's end.
 * - Arriving in a function that was called from the stepped frame is a call: step over runs to its return (compared by
 *   frame address, so that recursion does not stop early); step in goes behind its prologue, unless it has no lines.
 * - An inlined call counts as a call although nothing is called: it is entered without running, or run through.
 * - A step in can be told which of a line's calls to enter (step-in-targets.ts); what a filter skips is stepped over.
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
  steppedRange,
  visibleLine,
} from './step-position';
import type { FunctionInfo, Scope, SourcePosition } from '../lib/dwarf/model';
import type { Frame } from '../lib/dwarf/unwind-frame';
import type { LoadedProgram, StepRange } from '../lib/program/loaded-program';
import type { StepFilter } from './step-filter';

export type StepKind = 'in' | 'over' | 'out';
/** 'statement' also stops where another column of the same line begins. */
export type StepUnit = 'statement' | 'line' | 'instruction';

/** The one call that a step in is to enter: a real one by where it returns to, an inlined one by its scope. */
export type CallTarget = { readonly returnPc: bigint } | { readonly scope: Scope };

export interface StepOptions {
  readonly unit: StepUnit;
  /** Of the current stop. */
  readonly hidden: number;
  readonly target?: CallTarget;
}

/** A function that was stepped out of, with what only it knew of its result. */
export interface Returned {
  readonly function: FunctionInfo;
  readonly program: LoadedProgram;
  /** The address that it was given for a result in memory. */
  readonly memory: bigint | undefined;
}

export interface StepResult {
  readonly stop: TargetStop;
  /** Inlined calls at the pc that are not shown as entered. */
  readonly hidden: number;
  readonly returned?: Returned;
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

  private unit: StepUnit = 'line';
  private target: CallTarget | undefined;
  private startPc = 0n;

  constructor(
    private readonly context: StepContext,
    private readonly skips: StepFilter,
  ) {}

  get isCancelled(): boolean {
    return this.cancelled;
  }

  /** Ends the step at the next opportunity with a pause stop. */
  cancel(): void {
    this.cancelled = true;
    this.context.target.pause();
  }

  async step(kind: StepKind, { unit, hidden, target }: StepOptions): Promise<StepResult> {
    if (kind === 'out') return this.stepOut(hidden);
    this.unit = unit;
    this.target = target;
    return unit === 'instruction' && target === undefined ? this.stepInstruction(kind) : this.stepLine(kind, hidden);
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
      stop = (await this.runTo(here.caller, here.frame)) ?? stop;
    }
    return { stop, hidden: 0 };
  }

  private async stepLine(kind: 'in' | 'over', hidden: number): Promise<StepResult> {
    const start = await positionNow(this.context, hidden);
    this.startPc = start.pc;
    const entered = kind === 'in' && hidden > 0 ? this.enteredAt(start) : undefined;
    if (entered !== undefined) return { stop: { reason: 'step' }, hidden: entered };
    const range = steppedRange(start);
    return this.stepUntilNewLine(kind, {
      frameId: frameIdOf(start),
      stackId: start.stackId,
      line: visibleLine(start),
      ranges: range === undefined ? this.functionRange(start) : [range],
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
    const { caller, frame, program } = start;
    if (caller?.module === undefined) return this.finish(await this.resume({ kind: 'continue' }));
    const memory = await this.resultMemory(frame);
    const result = await this.finish(await this.runTo(caller, frame));
    if (result.stop.reason !== 'step' || frame.function === undefined || program === undefined) return result;
    return { ...result, returned: { function: frame.function, program, memory } };
  }

  /** What the first argument register held at the call: the place of a result in memory. */
  private async resultMemory(frame: Frame): Promise<bigint | undefined> {
    const { firstArgument } = frame.machine.registers;
    if (firstArgument === undefined) return undefined;
    const value = await this.context.query(frame.entryRegister(firstArgument));
    return typeof value === 'bigint' ? value : undefined;
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
          const stop = await this.runTo(decision.to, here.frame);
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
      const behindThunk = kind === 'in' ? this.enteredBehindThunk(here) : undefined;
      if (behindThunk !== undefined) return { action: 'enter', address: behindThunk };
      const enters = kind === 'in' && this.entersCall(here);
      if (enters && isThunk(here)) return { action: 'go-on', stepped };
      const body = enters ? bodyOf(here) : undefined;
      if (body === undefined) return { action: 'return', to: here.caller };
      return body === here.pc ? { action: 'stop', hidden: here.hidden } : { action: 'enter', address: body };
    }
    if (here.range === undefined) {
      // Code without lines that was not called but jumped to: when it returns, it returns to the caller.
      return here.caller === undefined ? { action: 'stop', hidden: 0 } : { action: 'return', to: here.caller };
    }
    const decision = this.decideInlined(kind, stepped, here) ?? decideLine(stepped, here, here.range, this.unit);
    if (decision.action !== 'stop' || !this.isOnTheWay(stepped, here)) return decision;
    return { action: 'go-on', stepped: { ...stepped, ranges: [here.range] } };
  }

  /** Optimized code mixes the code of other lines with that of the line whose call is to be entered. */
  private isOnTheWay(stepped: SteppedLine, here: StepPosition): boolean {
    const { target } = this;
    if (target === undefined || here.stackId !== stepped.stackId || this.enteredAt(here) !== undefined) return false;
    const call = 'returnPc' in target ? target.returnPc : here.program?.toLoad(target.scope.ranges[0]?.start ?? -1n);
    return call !== undefined && here.pc > this.startPc && here.pc < call;
  }

  private entersCall(here: StepPosition): boolean {
    if (here.range === undefined) return false;
    const { target } = this;
    if (target !== undefined) return 'returnPc' in target && here.caller?.pc === target.returnPc;
    const { function: called } = here.frame;
    return !this.skipsFunction(here, called?.name, called?.declaration);
  }

  /** Clang's thunks have no lines, and no frame that could be unwound: the function that is meant is in their name. */
  private enteredBehindThunk(here: StepPosition): bigint | undefined {
    const { program, caller } = here;
    if (program === undefined || here.range !== undefined || !isThunk(here)) return undefined;
    const name = thunkTarget(program.symbolAt(here.pc)?.symbol.name ?? '');
    const address = name === undefined ? undefined : program.symbolNamed(name);
    const entry = address === undefined ? undefined : here.frame.machine.registers.codeAddress(address);
    const meant = entry === undefined ? undefined : program.functionAt(entry);
    if (entry === undefined || meant === undefined) return undefined;
    const { target } = this;
    const isEntered =
      target === undefined
        ? !this.skipsFunction({ ...here, pc: entry }, meant.name, meant.declaration)
        : 'returnPc' in target && caller?.pc === target.returnPc;
    return isEntered ? program.bodyStart(entry) : undefined;
  }

  private skipsFunction({ pc, range }: StepPosition, name: string | undefined, declared?: SourcePosition): boolean {
    const { file } = declared ?? range ?? { file: undefined };
    return this.skips({ isExtension: this.context.isExtension(pc), name, file });
  }

  /** How many inlined calls that begin at the pc stay hidden when the next one is entered; undefined: none is. */
  private enteredAt(here: StepPosition): number | undefined {
    const { target } = this;
    if (target !== undefined) {
      const index = 'scope' in target ? here.inlines.findIndex((scope) => scope === target.scope) : -1;
      return index < 0 ? undefined : Math.min(index, here.hidden);
    }
    const next = here.hidden > 0 ? here.inlines[here.hidden - 1].inline : undefined;
    return next === undefined || this.skipsFunction(here, next.name, next.declaration) ? undefined : here.hidden - 1;
  }

  /** Whether the inlined call that is visible at the pc may be shown as entered. */
  private entersInlined(here: StepPosition): boolean {
    if (this.target !== undefined) return this.enteredAt(here) !== undefined;
    const visible = here.inlines.at(here.hidden)?.inline;
    return visible === undefined || !this.skipsFunction(here, visible.name, visible.declaration);
  }

  private decideInlined(kind: 'in' | 'over', stepped: SteppedLine, here: StepPosition): Decision | undefined {
    if (here.hidden > 0 && frameIdOf(here) === stepped.frameId) {
      const sameCall = sameLine(visibleLine(here), stepped.line);
      if (!sameCall) return { action: 'stop', hidden: here.hidden };
      const entered = kind === 'in' ? this.enteredAt(here) : undefined;
      return entered === undefined ? { action: 'go-on', stepped } : { action: 'stop', hidden: entered };
    }
    if (!isInlinedInto(here, stepped.frameId)) return undefined;
    if (kind !== 'in' || !this.entersInlined(here)) return { action: 'go-on', stepped };
    return { action: 'stop', hidden: this.target === undefined ? here.hidden : (this.enteredAt(here) ?? here.hidden) };
  }

  /** Runs from a frame until the frame `to` is active again; undefined when that is where it stopped. */
  private async runTo(to: Frame, from: Frame): Promise<TargetStop | undefined> {
    const { stackPointer } = to.machine.registers;
    // Deeper activations of the same code have a lower stack pointer.
    const sp = isPartOfPrologue(from) ? undefined : to.registers.get(stackPointer);
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

function decideLine(stepped: SteppedLine, here: StepPosition, range: StepRange, unit: StepUnit): Decision {
  let line: Line | undefined = range;
  const isOther = !sameLine(range, stepped.line) || (unit === 'statement' && range.column !== stepped.line?.column);
  if (isOther) {
    const atStart = here.pc === range.start;
    if (atStart && range.isStatement) return { action: 'stop', hidden: here.hidden };
    // No statement begins here: look for a better place, in this frame as in one that was returned to. There, a
    // statement of the same line that comes later is one to stop at. In the middle of a line, that line is stepped.
    if (atStart && frameIdOf(here) === stepped.frameId) {
      return { action: 'go-on', stepped: { ...stepped, ranges: [range] } };
    }
    if (atStart) line = undefined;
  }
  return { action: 'go-on', stepped: { frameId: frameIdOf(here), stackId: here.stackId, line, ranges: [range] } };
}

/**
 * Code that a prologue calls by another register than functions are called by (-msave-restore of RISC-V): it comes back with what it has
 * saved left on the stack.
 */
function isPartOfPrologue({ row, machine }: Frame): boolean {
  return row !== undefined && row.returnAddressRegister !== machine.registers.returnAddress;
}

function isCallFrom(here: StepPosition, stackId: string): boolean {
  return here.stackId !== stackId && here.callerStackId === stackId;
}

/** Code of the C++ compiler that moves `this` and jumps on to the function that was meant (Itanium C++ ABI 5.1.4.4). */
function isThunk({ pc, program, frame }: StepPosition): boolean {
  // Clang describes it as a function without a name.
  const name = (frame.function?.name ?? '') === '' ? program?.symbolAt(pc)?.symbol.name : undefined;
  return name !== undefined && /^_ZT[hvc]/.test(name);
}

/** The linkage name of the function behind a thunk: what follows the offsets (Itanium C++ ABI, 5.1.4.4). */
function thunkTarget(name: string): string | undefined {
  const rest = /^_ZT(?:c(?:hn?\d+_|vn?\d+_n?\d+_){2}|hn?\d+_|vn?\d+_n?\d+_)(.+)$/.exec(name)?.[1];
  return rest === undefined ? undefined : `_Z${rest}`;
}

/** Where a step into the function at the pc stops. */
function bodyOf({ pc, program, frame }: StepPosition): bigint | undefined {
  const entry = frame.function && frame.module?.toLoad(frame.function.entryPc);
  if (entry !== undefined) return program?.bodyStart(entry);
  // Assembler code has lines, and often only a symbol.
  const found = program?.symbolAt(pc);
  return found && pc - BigInt(found.offset);
}

function resumeIn(ranges: SteppedLine['ranges'], pc: bigint): ResumeMode {
  const inside = ranges.some(({ start, end }) => pc >= start && pc < end);
  return inside ? { kind: 'step-range', ranges } : { kind: 'step-instruction' };
}
