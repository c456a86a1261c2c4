/** Where breakpoints on source lines go, and why one has no place: by the source files that a client's path means. */
import type { SourceFile } from '../lib/dwarf/model';
import type { BoundLocation } from './breakpoints';
import type { BreakpointHost, Explanation } from './breakpoint-binding';
import type { LoadedExtension } from './inferior';
import { baseName } from './paths';
import type { ExtensionFile } from './program-files';
import type { SourceMatch } from './source-paths';

interface SourcePlace {
  readonly path: string;
  readonly line: number;
  readonly column: number | undefined;
}

export class SourcePlaces {
  /** Per path of a breakpoint: the source files that it means, in each extension's ELF. */
  private readonly matches = new Map<string, Map<ExtensionFile, SourceMatch>>();

  constructor(private readonly host: BreakpointHost) {}

  /** Other ELF files are open now. */
  forget(): void {
    this.matches.clear();
  }

  /** To be awaited before a path's lines are looked for. */
  async matchPath(path: string): Promise<void> {
    const { files, sourcePaths } = this.host;
    if (files === undefined || sourcePaths === undefined || this.matches.has(path)) return;
    const byFile = new Map<ExtensionFile, SourceMatch>();
    for (const file of files) {
      const candidates = sourcesNamed(file, baseName(path));
      for (const candidate of candidates) await sourcePaths.resolve(candidate, file.folder);
      byFile.set(file, sourcePaths.match(path, candidates));
    }
    this.matches.set(path, byFile);
  }

  /** The source files of one ELF that a path means; known when matchPath has been awaited. */
  filesOf(path: string, file: ExtensionFile): readonly SourceFile[] {
    const match = this.matches.get(path)?.get(file);
    return match?.kind === 'match' ? match.files : [];
  }

  locate({ path, line, column }: SourcePlace, { id, file, program }: LoadedExtension): BoundLocation[] {
    const files = this.filesOf(path, file);
    if (files.length === 0) return [];
    return program
      .breakpointLocations(files, line, column)
      .map(({ address, ...position }) => ({ instance: id, address, position, targetId: undefined }));
  }

  explain({ path, line }: SourcePlace, files: readonly ExtensionFile[]): Explanation {
    const { inferior } = this.host;
    const matches = this.matches.get(path) ?? new Map<ExtensionFile, SourceMatch>();
    const owners = files.filter((file) => matches.get(file)?.kind === 'match');
    const waiting = owners.filter((file) => !inferior?.extensions.some((loaded) => loaded.file === file));
    if (waiting.length > 0) return waitsFor(waiting);
    if (owners.length > 0) {
      return {
        reason: 'failed',
        message: `no code at line ${line} or after it in ${baseName(path)}: the compiler made none (unused, optimized out, or behind the last function)`,
      };
    }
    return { reason: 'failed', message: noOwner(path, files, matches) };
  }
}

export function waitsFor(files: readonly ExtensionFile[]): Explanation {
  const names = files.map(({ config }) => `'${config.name}'`).join(', ');
  return { reason: 'pending', message: `waits for llext ${names} to load` };
}

function noOwner(
  path: string,
  files: readonly ExtensionFile[],
  matches: ReadonlyMap<ExtensionFile, SourceMatch>,
): string {
  for (const match of matches.values()) {
    if (match.kind === 'ambiguous') {
      return `${baseName(path)} could be any of ${match.paths.join(', ')}: say which with "sourceMap" in the launch configuration`;
    }
  }
  const names = files.map(({ config }) => `'${config.name}'`).join(', ');
  const without = files.filter(({ program }) => program.debug === undefined);
  if (without.length > 0) {
    return `llext ${without.map(({ config }) => `'${config.name}'`).join(', ')} has no debug information: build with -g, or name the file that has it in "debugElf"`;
  }
  return `${baseName(path)} is no source of llext ${names}: its debug information does not name this file`;
}

function sourcesNamed(file: ExtensionFile, name: string): SourceFile[] {
  const wanted = name.toLowerCase();
  return (file.program.debug?.files ?? []).filter((source) => baseName(source.path).toLowerCase() === wanted);
}
