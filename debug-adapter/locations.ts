/** The locations request: places in sources that values and output refer to, where something is declared or defined. */
import { Source } from '@vscode/debugadapter';
import type { DebugProtocol } from '@vscode/debugprotocol';
import type { SourcePosition } from '../lib/dwarf/model';
import { errors } from './errors';
import { Handles } from './handles';
import { baseName } from './paths';
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
  if (path === undefined) throw errors.fileNotFound(position.file.path);
  const column = position.column > 0 ? { column: session.toClientColumn(position.column) } : {};
  return { source: new Source(baseName(path), path), line: session.toClientLine(position.line), ...column };
}

async function findFile(session: SessionState, { file }: SourcePosition): Promise<string | undefined> {
  const owners = session.files?.filter(({ program }) => program.debug?.files.includes(file) === true) ?? [];
  const folder = owners.at(0)?.folder ?? session.base?.folder;
  return folder === undefined ? undefined : session.sourcePaths?.resolve(file, folder);
}
