/**
 * What stops the program without a breakpoint: faults, the host ending the program (a panic, an abort, an exit), and the rules of
 * memory safety, which are checked while one of their filters is on. Each filter can have a condition, a C expression in the
 * frame where it happened; where it does not hold, the program goes on as it would without a debugger: to its end after a fault.
 */
import type { DebugProtocol } from '@vscode/debugprotocol';
import { compileCondition, evaluateCondition, ExpressionError, parseExpression } from '../lib/c-expression';
import { safetyRules, type SafetyRule } from '../lib/emulator/types';
import type { TargetStop } from '../lib/target/target';
import { modeProblem } from './breakpoint-options';
import { expressionMessage, scopeIn } from './expression-context';
import type { Stop } from './stop';

const endFilters: readonly DebugProtocol.ExceptionBreakpointsFilter[] = [
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

const safetyLabels: Readonly<Record<SafetyRule, readonly [label: string, description: string]>> = {
  outside: [
    'Memory: access outside of the extension',
    "Stops before an access of what is not the extension's: beyond a heap block, freed or unloaded memory, a variable of a function that has returned, memory of the host.",
  ],
  'other-extension': [
    "Memory: another extension's data",
    'Stops before code of one extension accesses DATA or BSS of another one, other than objects that it exports. What extensions hand to each other by pointers on purpose is to be declared (sharedMemory), or is no matter for this filter.',
  ],
  'read-only': [
    'Memory: write to TEXT or RODATA',
    'Stops before a write to constants or instructions, which a board without an MPU would let through.',
  ],
  execute: ['Memory: execution outside of TEXT', 'Stops before a jump to what is no code.'],
  uninitialised: [
    'Memory: use of a value that was never written',
    'Stops before a branch, an address, a jump, an argument or an output that depends on it. Reading and copying it is no use.',
  ],
  misaligned: [
    'Memory: misaligned access',
    'Stops before an access that is not at a multiple of its size, although the core tolerates it.',
  ],
};

const safetyFilter = (rule: SafetyRule): string => `memory-${rule}`;

/** As the client is told them. */
export const exceptionFilters: readonly DebugProtocol.ExceptionBreakpointsFilter[] = [
  ...endFilters,
  ...safetyRules.map((rule) => ({
    filter: safetyFilter(rule),
    label: safetyLabels[rule][0],
    description: safetyLabels[rule][1],
    default: false,
    supportsCondition: true,
    conditionDescription: 'C expression in the frame of the access, such as level > 3',
  })),
];

interface ActiveFilter {
  readonly condition: string | undefined;
  readonly isOnce: boolean;
  /** It has stopped, and was to do so once. */
  isSpent: boolean;
}

const activeFilter = (condition: string | undefined, mode: string | undefined): ActiveFilter => ({
  condition,
  isOnce: mode === 'once',
  isSpent: false,
});

/** Whether to stop; `problem`: why its condition could not be evaluated. */
export interface FilterDecision {
  readonly stops: boolean;
  readonly problem?: string;
}

export class ExceptionFilters {
  private active: ReadonlyMap<string, ActiveFilter> = new Map(
    endFilters.filter((one) => one.default === true).map(({ filter }) => [filter, activeFilter(undefined, undefined)]),
  );
  private wasSet = false;

  /** What a client has set before it found this target; false: nothing, and these stay. */
  takeOver(other: ExceptionFilters): boolean {
    if (other.wasSet) this.active = other.active;
    return other.wasSet;
  }

  /** A fresh machine. */
  reset(): void {
    for (const filter of this.active.values()) filter.isSpent = false;
  }

  /** The rules of memory safety that are to be checked. */
  get safetyRules(): readonly SafetyRule[] {
    return safetyRules.filter((rule) => this.active.has(safetyFilter(rule)));
  }

  /** The states of the filters, then of those with options. `refusal`: why memory safety cannot be checked. */
  set(
    { filters, filterOptions = [] }: DebugProtocol.SetExceptionBreakpointsArguments,
    refusal: string | undefined,
  ): DebugProtocol.Breakpoint[] {
    const active = new Map<string, ActiveFilter>();
    const wanted = [
      ...filters.map((filterId): DebugProtocol.ExceptionFilterOptions => ({ filterId })),
      ...filterOptions,
    ];
    const answered = wanted.map(({ filterId, condition, mode }): DebugProtocol.Breakpoint => {
      const text = condition?.trim() === '' ? undefined : condition?.trim();
      const isSafety = safetyRules.some((rule) => safetyFilter(rule) === filterId);
      const problem = (isSafety ? refusal : undefined) ?? modeProblem(mode) ?? problemOf(filterId, text);
      if (problem !== undefined) return { verified: false, reason: 'failed', message: problem };
      active.set(filterId, activeFilter(text, mode));
      return { verified: true };
    });
    this.active = active;
    this.wasSet = true;
    return answered;
  }

  /** `stop`: as the program would be shown. */
  async decide(stop: Stop): Promise<FilterDecision> {
    const filter = filterFor(stop.cause);
    const active = filter === undefined ? undefined : this.active.get(filter);
    if (active === undefined || active.isSpent) return { stops: false };
    const decision = active.condition === undefined ? { stops: true } : await this.asked(active.condition, stop);
    active.isSpent = active.isOnce && decision.stops;
    return decision;
  }

  private async asked(condition: string, stop: Stop): Promise<FilterDecision> {
    const frame = await stop.frame(0);
    try {
      const compiled = compileCondition(condition, scopeIn(stop.inferior, frame));
      const { target } = stop.inferior;
      const namedRegister = (name: string): bigint => target.readRegisterNow(name);
      if (frame === undefined) return { stops: true, problem: 'there is no frame to evaluate the condition in' };
      const query = evaluateCondition(compiled, { frame: frame.frame, namedRegister });
      return { stops: await stop.inferior.query(query) };
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      const why = expressionMessage(condition, error);
      return { stops: true, problem: `the condition '${condition}' cannot be evaluated: ${why}` };
    }
  }
}

function filterFor(stop: TargetStop): string | undefined {
  if (stop.reason === 'fault') return isUnsafe(stop) ? `memory-${stop.fault.safety?.rule}` : 'faults';
  return stop.reason === 'aborted' ? 'aborts' : undefined;
}

/** A rule of memory safety is broken: the program could go on. */
export const isUnsafe = (stop: TargetStop): boolean => stop.reason === 'fault' && stop.fault.kind === 'memory-safety';

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
