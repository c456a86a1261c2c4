/** Where breakpoints on source lines go, and why one has no place: by the source files that a client's path means. */
import type { SourceFile } from '../lib/dwarf/model';
import type { BoundLocation } from './breakpoints';
import type { SessionBase } from './base-image';
import type { BreakpointHost, Explanation } from './breakpoint-binding';
import type { Inferior, LoadedExtension, LoadedModule, SourceOwner } from './inferior';
import { baseName, folderOf } from '../lib/paths';
import type { ExtensionFile } from './program-files';
import type { SourceMatch } from './source-paths';

interface SourcePlace {
  readonly path: string;
  readonly line: number;
  readonly column: number | undefined;
}

type Matches = ReadonlyMap<SourceOwner, SourceMatch>;

export class SourcePlaces {
  /** Per path of a breakpoint: the source files that it means, in each ELF. */
  private readonly matches = new Map<string, Matches>();

  constructor(private readonly host: BreakpointHost) {}

  /** Other ELF files are open now. */
  forget(): void {
    this.matches.clear();
  }

  /** To be awaited before a path's lines are looked for. */
  async matchPath(path: string): Promise<void> {
    const { files, base, sourcePaths } = this.host;
    if (files === undefined || sourcePaths === undefined || this.matches.has(path)) return;
    const byOwner = new Map<SourceOwner, SourceMatch>();
    for (const owner of base === undefined ? files : [...files, base]) {
      const candidates = sourcesNamed(owner, baseName(path));
      for (const candidate of candidates) await sourcePaths.resolve(candidate, owner.folder);
      byOwner.set(owner, sourcePaths.match(path, candidates));
    }
    this.matches.set(path, byOwner);
  }

  /** The source files of one ELF that a path means; known when matchPath has been awaited. */
  filesOf(path: string, owner: SourceOwner): readonly SourceFile[] {
    const match = this.matches.get(path)?.get(owner);
    return match?.kind === 'match' ? match.files : [];
  }

  locate(place: SourcePlace, { id, file, program }: LoadedExtension): BoundLocation[] {
    return this.places(place, file, program).map((found) => ({ ...found, instance: id }));
  }

  /** In what of the base image the session runs: what the host performs in its place never does. */
  locateInBase(place: SourcePlace, { base, target }: Inferior): BoundLocation[] {
    const found = base === undefined ? [] : this.places(place, base, base.program);
    return found.filter(({ address }) => !target.isServed(address));
  }

  private places(
    { path, line, column }: SourcePlace,
    owner: SourceOwner,
    program: LoadedModule['program'],
  ): BoundLocation[] {
    const files = this.filesOf(path, owner);
    // Line 0 is code that is of no line.
    if (files.length === 0 || line < 1) return [];
    return program
      .breakpointLocations(files, line, column)
      .map(({ address, ...position }) => ({ instance: undefined, address, position, targetId: undefined }));
  }

  explain(place: SourcePlace, files: readonly ExtensionFile[]): Explanation {
    const { path, line } = place;
    const { base, inferior } = this.host;
    const matches = this.matches.get(path) ?? new Map<SourceOwner, SourceMatch>();
    const owners = files.filter((file) => matches.get(file)?.kind === 'match');
    const waiting = owners.filter((file) => !inferior?.extensions.some((loaded) => loaded.file === file));
    if (waiting.length > 0) return waitsFor(waiting);
    const isInBase = base !== undefined && matches.get(base)?.kind === 'match';
    if (isInBase && this.places(place, base, base.program).length > 0) {
      return inferior === undefined
        ? { reason: 'pending', message: 'waits for the session to start' }
        : {
            reason: 'failed',
            message: `the session performs the function at line ${line} of ${baseName(path)} itself: the base image's code of it does not run (a breakpoint on the function's name stops at its calls)`,
          };
    }
    if (owners.length > 0 || isInBase) {
      return {
        reason: 'failed',
        message: `no code at line ${line} or after it in ${baseName(path)}: the compiler made none (unused, optimized out, or behind the last function)`,
      };
    }
    return { reason: 'failed', message: noOwner(path, files, matches, base) };
  }
}

export function waitsFor(files: readonly ExtensionFile[]): Explanation {
  const names = files.map(({ config }) => `'${config.name}'`).join(', ');
  return { reason: 'pending', message: `waits for llext ${names} to load` };
}

function noOwner(
  path: string,
  files: readonly ExtensionFile[],
  matches: Matches,
  base: SessionBase | undefined,
): string {
  for (const match of matches.values()) {
    if (match.kind === 'ambiguous') {
      return `${baseName(path)} could be any of ${match.paths.join(', ')}: say which with "sourceMap" in the launch configuration`;
    }
  }
  const elsewhere = [...matches.values()].flatMap((match) => (match.kind === 'none' ? match.elsewhere : []));
  const names = files.map(({ config }) => `'${config.name}'`).join(', ');
  const without = files.filter(({ program }) => program.debug === undefined);
  if (without.length > 0) {
    return `llext ${without.map(({ config }) => `'${config.name}'`).join(', ')} has no debug information: build with -g, or name the file that has it in "debugElf"`;
  }
  if (elsewhere.length > 0) {
    const [own] = elsewhere;
    return `this is not the file that llext ${names} was compiled from, which is ${own}: set the breakpoint there, or say with "sourceMap": { "${folderOf(own)}": "${folderOf(path)}" } that it is a copy`;
  }
  const orBase = base?.program.debug === undefined ? '' : ' or of the base image';
  return `${baseName(path)} is no source of llext ${names}${orBase}: its debug information does not name this file`;
}

function sourcesNamed({ program }: SourceOwner, name: string): SourceFile[] {
  const wanted = name.toLowerCase();
  return (program.debug?.filesNear(name) ?? []).filter((source) => baseName(source.path).toLowerCase() === wanted);
}
