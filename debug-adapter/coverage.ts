/**
 * How often lines and functions were executed: counted when the launch asks for it, given on request 'llext/coverage', and with event
 * 'llext/coverage' when the session ends.
 */
import type { CoverageFile, CoverageResponse } from '../lib/protocol';
import { coverageOf, type FunctionCoverage, type LineCoverage, mergeLines } from '../lib/program/coverage';
import { errors } from './errors';
import { CoverageEvent } from './events';
import type { SessionState } from './session-state';

/** To be called when the machine is there and nothing has run. */
export function keepAccounts(session: SessionState): void {
  session.accounts = undefined;
  if (session.config?.coverage !== true) return;
  const { target } = session.requireInferior('launch');
  try {
    session.accounts = target.keepAccounts({ tracesCalls: false });
    session.output.line('console', 'Executions are counted ("coverage").');
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    session.output.line('important', `"coverage": ${error.message}; nothing is counted`);
  }
}

export function coverage(session: SessionState): CoverageResponse {
  const { accounts } = session;
  if (accounts === undefined) throw errors.noCoverage();
  return describe(session, accounts);
}

/** The session is over: what was counted is told once more. */
export function sendCoverage(session: SessionState): void {
  if (session.accounts !== undefined) session.send(new CoverageEvent(describe(session, session.accounts)));
}

interface Counted {
  readonly lines: (readonly LineCoverage[])[];
  readonly functions: FunctionCoverage[];
}

function describe(
  session: SessionState,
  { counts, stack, heaps }: NonNullable<SessionState['accounts']>,
): CoverageResponse {
  const inferior = session.requireInferior('llext/coverage');
  const byPath = new Map<string, Counted>();
  for (const { program } of inferior.extensions) {
    for (const { file, lines, functions } of coverageOf(program, counts)) {
      const path = session.sourcePaths?.known(file);
      if (path === undefined) continue;
      const known = byPath.get(path) ?? { lines: [], functions: [] };
      byPath.set(path, known);
      known.lines.push(lines);
      known.functions.push(...functions);
    }
  }
  const files = [...byPath].map(([path, { lines, functions }]): CoverageFile => ({
    path,
    lines: mergeLines(lines).map(({ line, count, instructions }) => [session.toClientLine(line), count, instructions]),
    functions: functions.map((one) => ({ ...one, line: session.toClientLine(one.line) })),
  }));
  const name = (pc: number): string => inferior.symbolText(BigInt(pc)) ?? `0x${pc.toString(16)}`;
  return {
    files,
    instructions: [...counts.values()].reduce((sum, count) => sum + count, 0),
    stack: stack && { bytes: stack.bytes, calls: stack.calls.map(name) },
    heaps: [...heaps].map(([owner, heap]) => ({ ...heap, owner })),
  };
}
