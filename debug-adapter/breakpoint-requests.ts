/** The requests about breakpoints; their state is in breakpoints.ts, their addresses come from breakpoint-binding.ts. */
import type { DebugProtocol } from '@vscode/debugprotocol';
import { errors } from './errors';
import { baseName } from './paths';
import type { SessionState } from './session-state';

export async function setBreakpoints(
  session: SessionState,
  args: DebugProtocol.SetBreakpointsArguments,
): Promise<DebugProtocol.SetBreakpointsResponse['body']> {
  const path = (args.source as DebugProtocol.Source | undefined)?.path;
  if (path === undefined) throw errors.badArguments('setBreakpoints', 'the source has no path');
  // The answer can say what they wait for as soon as the files are read; if they can't be, the launch says why.
  await session.opening.catch(() => undefined);
  const requested = args.breakpoints ?? (args.lines ?? []).map((line) => ({ line }));
  const breakpoints = await session.breakpoints.setBreakpoints(
    path,
    requested.map((breakpoint) => ({ ...breakpoint, line: session.fromClientLine(breakpoint.line) })),
  );
  return { breakpoints: breakpoints.map((breakpoint) => toClient(session, breakpoint)) };
}

function toClient(session: SessionState, breakpoint: DebugProtocol.Breakpoint): DebugProtocol.Breakpoint {
  return breakpoint.line === undefined ? breakpoint : { ...breakpoint, line: session.toClientLine(breakpoint.line) };
}

/** The lines of a range that have code: where a breakpoint would stay on the line it was set on. */
export async function breakpointLocations(
  session: SessionState,
  args: DebugProtocol.BreakpointLocationsArguments,
): Promise<DebugProtocol.BreakpointLocationsResponse['body']> {
  const { path } = args.source;
  if (path === undefined) throw errors.badArguments('breakpointLocations', 'the source has no path');
  const first = session.fromClientLine(args.line);
  const last = session.fromClientLine(args.endLine ?? args.line);
  const lines = new Set<number>();
  for (const file of session.files ?? []) {
    const debug = file.program.debug;
    if (debug === undefined || session.sourcePaths === undefined) continue;
    const candidates = debug.files.filter((source) => baseName(source.path) === baseName(path));
    for (const candidate of candidates) await session.sourcePaths.resolve(candidate, file.folder);
    const match = session.sourcePaths.match(path, candidates);
    if (match.kind !== 'match') continue;
    for (const sequence of debug.lineRows()) {
      for (const row of sequence) {
        const wanted = row.line >= first && row.line <= last && row.isStatement && !row.endSequence;
        if (wanted && match.files.includes(row.file)) lines.add(row.line);
      }
    }
  }
  return { breakpoints: [...lines].sort((a, b) => a - b).map((line) => ({ line: session.toClientLine(line) })) };
}

export function setExceptionBreakpoints(
  session: SessionState,
  args: DebugProtocol.SetExceptionBreakpointsArguments,
): DebugProtocol.SetExceptionBreakpointsResponse['body'] {
  session.faultsStop = args.filters.includes('faults');
  return { breakpoints: args.filters.map((filter) => ({ verified: filter === 'faults' })) };
}
