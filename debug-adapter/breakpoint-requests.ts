/** The requests about breakpoints; their state is in breakpoints.ts, their addresses come from breakpoint-binding.ts. */
import type { DebugProtocol } from '@vscode/debugprotocol';
import { findLocations, statementColumns } from '../lib/program/breakpoint-locations';
import { functionRequest, type RequestedBreakpoint, sourceRequest } from './breakpoints';
import { errors } from './errors';
import { addressIn } from './memory';
import type { SessionState } from './session-state';

interface BreakpointsBody {
  readonly breakpoints: DebugProtocol.Breakpoint[];
}

export async function setBreakpoints(
  asked: SessionState,
  args: DebugProtocol.SetBreakpointsArguments,
): Promise<BreakpointsBody> {
  const session = await opened(asked);
  const { sourceReference: lost, ...given } = (args.source as DebugProtocol.Source | undefined) ?? {};
  const path = (lost ? session.lostSources.fileOf(lost)?.path : undefined) ?? given.path;
  if (path === undefined) throw errors.badArguments('setBreakpoints', 'the source has no path');
  const requested: readonly DebugProtocol.SourceBreakpoint[] =
    args.breakpoints ?? (args.lines ?? []).map((line) => ({ line }));
  const own = requested.map((breakpoint) => {
    const { line, column } = breakpoint;
    const place = { line: session.fromClientLine(line), column: column && session.fromClientColumn(column) };
    return sourceRequest(path, { ...breakpoint, ...place });
  });
  return { breakpoints: await session.breakpoints.set({ kind: 'source', path }, own) };
}

export async function setFunctionBreakpoints(
  asked: SessionState,
  args: DebugProtocol.SetFunctionBreakpointsArguments,
): Promise<BreakpointsBody> {
  const session = await opened(asked);
  const requested = args.breakpoints.map((breakpoint) => functionRequest(breakpoint));
  return { breakpoints: await session.breakpoints.set({ kind: 'function' }, requested) };
}

export async function setInstructionBreakpoints(
  asked: SessionState,
  args: DebugProtocol.SetInstructionBreakpointsArguments,
): Promise<BreakpointsBody> {
  const session = await opened(asked);
  const requested = args.breakpoints.map((breakpoint) => instructionRequest(breakpoint));
  return { breakpoints: await session.breakpoints.set({ kind: 'instruction' }, requested) };
}

function instructionRequest(requested: DebugProtocol.InstructionBreakpoint): RequestedBreakpoint {
  const { instructionReference, offset = 0 } = requested;
  const address = addressIn(instructionReference);
  const place =
    address === undefined
      ? { address: 0n, problem: errors.badMemoryReference(instructionReference).message }
      : { address: address + BigInt(offset) };
  return { place: { kind: 'instruction', ...place }, options: requested };
}

/**
 * The answer can say what breakpoints wait for as soon as the files are read; if they can't be, the launch says why. With an attach
 * the client goes on with another session.
 */
async function opened(session: SessionState): Promise<SessionState> {
  const { client } = session;
  await session.opening.catch(() => undefined);
  return client.session ?? session;
}

/** Lines and columns of a range where a breakpoint would stay where it was set. */
export async function breakpointLocations(
  session: SessionState,
  args: DebugProtocol.BreakpointLocationsArguments,
): Promise<DebugProtocol.BreakpointLocationsResponse['body']> {
  const { path } = args.source;
  if (path === undefined) throw errors.badArguments('breakpointLocations', 'the source has no path');
  const first = session.fromClientLine(args.line);
  const last = session.fromClientLine(args.endLine ?? args.line);
  const begin = args.column === undefined ? 0 : session.fromClientColumn(args.column);
  const end = args.endColumn === undefined ? Infinity : session.fromClientColumn(args.endColumn);
  const found = new Map<string, DebugProtocol.BreakpointLocation>();
  const { base } = session;
  const modules = [
    ...(session.files ?? []).map((file) => ({ owner: file, program: file.program })),
    ...(base === undefined ? [] : [{ owner: base, program: base.program.program }]),
  ];
  for (const { owner, program } of modules) {
    const { debug, lines } = program;
    if (debug === undefined || lines === undefined) continue;
    const files = await session.breakpoints.sourceFiles(path, owner);
    for (const { line, column } of statementColumns(lines, files, first, last)) {
      if ((line === first && column < begin) || (line === last && column > end)) continue;
      // What would be moved behind a prologue is no place of its own.
      const stays = findLocations(debug, lines, files, line, column).some((one) => one.line === line);
      if (!stays) continue;
      const own = session.toClientColumn(column);
      const place = { line: session.toClientLine(line), ...(column > 0 ? { column: own } : {}) };
      found.set(`${line}:${column}`, place);
    }
  }
  const breakpoints = [...found.values()].sort((a, b) => a.line - b.line || (a.column ?? 0) - (b.column ?? 0));
  return { breakpoints };
}

export async function setDataBreakpoints(
  asked: SessionState,
  args: DebugProtocol.SetDataBreakpointsArguments,
): Promise<BreakpointsBody> {
  const session = await opened(asked);
  return { breakpoints: await session.dataBreakpoints.set(args.breakpoints) };
}

export function setExceptionBreakpoints(
  session: SessionState,
  args: DebugProtocol.SetExceptionBreakpointsArguments,
): BreakpointsBody {
  const target = session.inferior?.target;
  const breakpoints = session.exceptions.set(args, target?.safetyRefusal);
  target?.setMemorySafety(session.exceptions.safetyRules);
  return { breakpoints };
}
