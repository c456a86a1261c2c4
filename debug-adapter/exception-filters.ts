/**
 * What stops the program without a breakpoint: faults, and the host ending the program (a panic, an abort, an exit).
 * Each filter can have a condition, a C expression in the frame where it happened; where it does not hold, the program
 * ends as it would without a debugger.
 */
import type { DebugProtocol } from '@vscode/debugprotocol';
import { compileCondition, evaluateCondition, ExpressionError, parseExpression } from '../lib/c-expression';
import type { TargetStop } from '../lib/target/target';
import { expressionMessage, scopeIn } from './expression-context';
import type { Stop } from './stop';

export const exceptionFilters: readonly DebugProtocol.ExceptionBreakpointsFilter[] = [
  {
    filter: 'faults',
    label: 'Faults',
    description: 'Stops before an instruction that faults: unmapped or forbidden memory, undefined instructions, ...',
    default: true,
    supportsCondition: true,
    conditionDescription: 'C expression in the faulting frame, such as level > 3',
  },
  {
    filter: 'aborts',
    label: 'Aborts',
    description: 'Stops where the host ends the program: k_panic, k_oops, abort, exit, a failed assertion.',
    default: false,
    supportsCondition: true,
    conditionDescription: 'C expression in the frame that asked for the end, such as $r0 != 0',
  },
];

interface ActiveFilter {
  readonly condition: string | undefined;
}

/** Whether to stop; `problem`: why its condition could not be evaluated. */
export interface FilterDecision {
  readonly stops: boolean;
  readonly problem?: string;
}

export class ExceptionFilters {
  private active: ReadonlyMap<string, ActiveFilter> = new Map(
    exceptionFilters.filter((one) => one.default === true).map(({ filter }) => [filter, { condition: undefined }]),
  );

  /** The states of the filters, then of those with options. */
  set({ filters, filterOptions = [] }: DebugProtocol.SetExceptionBreakpointsArguments): DebugProtocol.Breakpoint[] {
    const active = new Map<string, ActiveFilter>();
    const wanted = [...filters.map((filterId) => ({ filterId, condition: undefined })), ...filterOptions];
    const answered = wanted.map(({ filterId, condition }): DebugProtocol.Breakpoint => {
      const text = condition?.trim() === '' ? undefined : condition?.trim();
      const problem = problemOf(filterId, text);
      if (problem !== undefined) return { verified: false, reason: 'failed', message: problem };
      active.set(filterId, { condition: text });
      return { verified: true };
    });
    this.active = active;
    return answered;
  }

  /** `stop`: as the program would be shown. */
  async decide(stop: Stop): Promise<FilterDecision> {
    const filter = filterFor(stop.cause);
    const active = filter === undefined ? undefined : this.active.get(filter);
    if (active === undefined) return { stops: false };
    if (active.condition === undefined) return { stops: true };
    const frame = await stop.frame(0);
    try {
      const compiled = compileCondition(active.condition, scopeIn(stop.inferior, frame));
      const { target } = stop.inferior;
      const namedRegister = (name: string): bigint => target.readRegisterNow(name);
      if (frame === undefined) return { stops: true, problem: 'there is no frame to evaluate the condition in' };
      const query = evaluateCondition(compiled, { frame: frame.frame, namedRegister });
      return { stops: await stop.inferior.query(query) };
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      const why = expressionMessage(active.condition, error);
      return { stops: true, problem: `the condition '${active.condition}' cannot be evaluated: ${why}` };
    }
  }
}

function filterFor({ reason }: TargetStop): string | undefined {
  if (reason === 'fault') return 'faults';
  return reason === 'aborted' ? 'aborts' : undefined;
}

function problemOf(filter: string, condition: string | undefined): string | undefined {
  if (!exceptionFilters.some((one) => one.filter === filter)) return `there is no exception filter '${filter}'`;
  if (condition === undefined) return undefined;
  try {
    parseExpression(condition);
    return undefined;
  } catch (error) {
    if (error instanceof ExpressionError) return expressionMessage(condition, error);
    throw error;
  }
}
