/**
 * What decides at a breakpoint whether the program stops: condition, then hit count, then log message (which never
 * stops). Expressions are compiled at the first arrival and kept, and everything runs inside of the engine's loop
 * without waiting for anybody.
 */
import {
  type CompiledExpression,
  compileCondition,
  compileExpression,
  directCondition,
  type DirectCondition,
  evaluateCondition,
  evaluateExpression,
  type EvaluationContext,
  ExpressionError,
} from '../lib/c-expression';
import { formatValue } from '../lib/dwarf/format';
import { StackUnwinder, unwindStack } from '../lib/dwarf/unwind';
import type { Frame } from '../lib/dwarf/unwind-frame';
import type { Query } from '../lib/query';
import type { SynchronousView } from '../lib/target/target';
import type { LogPart } from './breakpoint-options';
import { type BoundLocation, placeText, type UserBreakpoint } from './breakpoints';
import { expressionMessage, scopeIn } from './expression-context';
import { splitFormatSuffix } from './format-suffix';
import type { Inferior } from './inferior';
import type { SessionOutput } from './output';
import { formatOptions } from './value-text';

/** What an arrival comes to: nothing, or what is to be counted and logged, which tells whether the program stops. */
export type Arrival = (view: SynchronousView) => (() => boolean) | undefined;

/** undefined: the breakpoint always stops. */
export function arrivalAt(
  breakpoint: UserBreakpoint,
  location: BoundLocation,
  inferior: Inferior,
  output: SessionOutput,
): Arrival | undefined {
  const { options, hitTest, log } = breakpoint;
  const condition = options.condition?.trim();
  const isOnce = options.mode === 'once';
  if (!condition && hitTest === undefined && log === undefined && !isOnce) return undefined;
  const evaluator = new LocationEvaluator(inferior);
  return (view) => {
    if (breakpoint.isSpent) return undefined;
    const holds = condition ? evaluator.condition(condition, view) : true;
    if (holds === false) {
      breakpoint.lastError = undefined;
      return undefined;
    }
    const text = typeof holds === 'string' ? undefined : log?.map((part) => evaluator.logPart(part, view)).join('');
    return () => {
      breakpoint.lastError = undefined;
      if (typeof holds === 'string') {
        // A condition that cannot be evaluated must not be skipped silently: the program stops and says why.
        breakpoint.lastError = `the condition '${condition}' cannot be evaluated: ${holds}`;
        const where = placeText(breakpoint.place);
        output.line('important', `Breakpoint at ${where}: ${breakpoint.lastError}`, location.position);
        return true;
      }
      breakpoint.hits++;
      if (hitTest !== undefined && !hitTest(breakpoint.hits)) return false;
      if (text === undefined) breakpoint.isSpent = isOnce;
      else output.line('console', text, location.position);
      return text === undefined;
    };
  };
}

/** Evaluates in the innermost frame of one code address; each text is compiled once. */
export class LocationEvaluator {
  private readonly compiled = new Map<string, CompiledExpression | string>();

  /** The condition without the evaluator, where it is simple enough; made when it was first evaluated. */
  private direct: { readonly text: string; readonly holds: DirectCondition | undefined } | undefined;

  /** At this address: its function and rules are looked up once. */
  private frame: Frame | undefined;

  private readonly namedRegister = (name: string): bigint => this.inferior.target.readRegisterNow(name);

  constructor(private readonly inferior: Inferior) {}

  /** Whether it holds, or why it cannot be told. */
  condition(text: string, view: SynchronousView): boolean | string {
    if (this.direct?.text === text) {
      const holds = this.direct.holds?.();
      if (holds !== undefined) return holds;
    }
    const holds = this.evaluate(text, view, true, (compiled, context) => evaluateCondition(compiled, context));
    this.direct ??= this.makeDirect(text, view);
    return holds;
  }

  private makeDirect(text: string, { direct }: SynchronousView): LocationEvaluator['direct'] {
    const compiled = this.compiled.get(text);
    if (this.frame === undefined || direct === undefined || typeof compiled !== 'object')
      return { text, holds: undefined };
    return { text, holds: directCondition(compiled, this.frame, direct) };
  }

  logPart(part: LogPart, view: SynchronousView): string {
    if ('text' in part) return part.text;
    const { expression, options: own } = splitFormatSuffix(part.expression);
    const options = { ...formatOptions(this.inferior), ...own };
    const result = this.evaluate(expression, view, false, function* (compiled, context): Query<{ text: string }> {
      const { value } = yield* evaluateExpression(compiled, context);
      return { text: yield* formatValue(value, options) };
    });
    return typeof result === 'string' ? `<${result}>` : result.text;
  }

  private evaluate<T>(
    text: string,
    view: SynchronousView,
    isCondition: boolean,
    query: (compiled: CompiledExpression, context: EvaluationContext) => Query<T>,
  ): T | string {
    const compiled = this.compile(text, view, isCondition);
    if (typeof compiled === 'string' || this.frame === undefined) return String(compiled);
    const { namedRegister } = this;
    const run = (frame: Frame): T => this.inferior.queryNow(query(compiled, { frame, namedRegister }), view);
    try {
      return run(this.frame.withRegisters(view.registers));
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
    }
    // What the compiler kept only in the caller's frame needs the unwinder; rare, and slow.
    try {
      const unwinder = new StackUnwinder(view.registers, this.inferior.unwindOptions);
      this.inferior.queryNow(unwinder.callerOf(unwinder.innermost), view);
      return run(unwinder.innermost);
    } catch (error) {
      if (error instanceof ExpressionError) return expressionMessage(text, error);
      throw error;
    }
  }

  /** The names at one address are always the same ones. */
  private compile(text: string, view: SynchronousView, isCondition: boolean): CompiledExpression | string {
    const known = this.compiled.get(text);
    if (known !== undefined) return known;
    const options = { ...this.inferior.unwindOptions, limit: 1 };
    const { frames } = this.inferior.queryNow(unwindStack(view.registers, options), view);
    this.frame ??= frames.at(0)?.frame;
    const scope = scopeIn(this.inferior, frames.at(0));
    let result: CompiledExpression | string;
    try {
      result = isCondition ? compileCondition(text, scope) : compileExpression(text, scope, { sideEffects: 'forbid' });
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      result = expressionMessage(text, error);
    }
    this.compiled.set(text, result);
    return result;
  }
}
