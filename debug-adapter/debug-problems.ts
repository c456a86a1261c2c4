/**
 * What of a file's debug information cannot be read is found while it is looked at, unit by unit: the values say so in their places, and
 * the Debug Console once a file, with what to do.
 */
import type { DebugInfo } from '../lib/dwarf/debug-info';
import type { SessionState } from './session-state';

/** More are counted only. */
const shown = 3;

/** To be called now and then: a file is told of when something of it turned out to be unreadable. */
export function tellDebugProblems(session: SessionState): void {
  const { files = [], base } = session;
  for (const { config, program, debugPath } of files)
    tell(session, `llext '${config.name}'`, debugPath ?? config.program, program.debug);
  if (base !== undefined) tell(session, 'base image', base.path, base.program.debug);
}

function tell({ output, toldProblems }: SessionState, what: string, path: string, debug: DebugInfo | undefined): void {
  if (debug === undefined || debug.problems.length === 0 || toldProblems.has(debug)) return;
  toldProblems.add(debug);
  const { problems } = debug;
  const more = problems.length > shown ? `\n  and ${problems.length - shown} more` : '';
  output.line(
    'important',
    `${what}: parts of the debug information in ${path} cannot be read; what needs them is missing or says so. Build the file again; if that does not help, please report it with the file.\n  ${problems.slice(0, shown).join('\n  ')}${more}`,
  );
}
