/** The locations request: places in sources that values and output refer to, where something is declared or defined. */
import type { DebugProtocol } from '@vscode/debugprotocol';
import type { SourcePosition } from '../lib/dwarf/model';
import { clientSource } from './client-source';
import { errors } from './errors';
import { Handles } from './handles';
import type { SessionState } from './session-state';

/** Numbers stay valid: a place in a source does not change with the program's state. */
export class LocationReferences {
  private readonly positions = new Handles<SourcePosition>();

  /** undefined: there is no line. */
  of(position: SourcePosition | undefined): number | undefined {
    if (position === undefined || position.line === 0) return undefined;
    const { file, line, column } = position;
    return this.positions.set(`${file.compilationDirectory ?? ''} ${file.path}:${line}:${column}`, position);
  }

  get(reference: number): SourcePosition | undefined {
    return this.positions.get(reference);
  }
}

export async function locations(
  session: SessionState,
  args: DebugProtocol.LocationsArguments,
): Promise<DebugProtocol.LocationsResponse['body']> {
  const position = session.locations.get(args.locationReference);
  if (position === undefined) throw errors.unknownLocation(args.locationReference);
  const path = await findFile(session, position);
  const column = position.column > 0 ? { column: session.toClientColumn(position.column) } : {};
  const source = path === undefined ? session.lostSources.sourceOf(position.file) : clientSource(path, position.file);
  return { source, line: session.toClientLine(position.line), ...column };
}

async function findFile(session: SessionState, { file }: SourcePosition): Promise<string | undefined> {
  const owners = session.files?.filter(({ program }) => program.debug?.files.includes(file) === true) ?? [];
  const folder = owners.at(0)?.folder ?? session.base?.folder;
  return folder === undefined ? undefined : session.sourcePaths?.resolve(file, folder);
}
