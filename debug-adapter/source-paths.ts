/**
 * Which file on the client's side a path of the debug information stands for, and the reverse for breakpoints.
 *
 * A source file is looked for where the compiler saw it (relative directories start at the ELF's folder), then by the
 * launch attribute sourceMap, then by name near the ELF and in the workspace, where the longest common end of both
 * paths wins. A tie is no answer: it is reported once, with the candidates, because a wrong source is worse than none.
 * The reverse compares ends of paths too, so that roots, -ffile-prefix-map and the spelling of URIs do not matter.
 */
import type { DebugInfo } from '../lib/dwarf/debug-info';
import type { SourceFile } from '../lib/dwarf/model';
import { baseName, commonSuffix, folderOf, isAbsolutePath, joinPath, replacePrefix, samePath } from '../lib/paths';
import type { FileAccess } from './services';

export interface SourceSearch {
  readonly sourceMap: readonly (readonly [string, string])[];
  /** Folders whose trees are searched by name. */
  readonly folders: readonly string[];
}

/** What a path in a setBreakpoints request stands for among the source files of a program. */
export type SourceMatch =
  | { readonly kind: 'match'; readonly files: readonly SourceFile[] }
  /** `elsewhere`: where files of that name are that the program has. */
  | { readonly kind: 'none'; readonly elsewhere: readonly string[] }
  | { readonly kind: 'ambiguous'; readonly paths: readonly string[] };

/** Folders that no source is in, and how deep and far a search may go before it gives up. */
const skippedFolders = /^(\.git|node_modules|\.vscode|\.svn|__pycache__)\/$/;
const searchDepth = 8;
const searchLimit = 4000;

export class SourcePaths {
  private readonly resolved = new Map<SourceFile, string | undefined>();
  private readonly folders = new Map<string, Promise<readonly string[]>>();
  private index: Promise<ReadonlyMap<string, readonly string[]>> | undefined;

  constructor(
    private readonly files: FileAccess,
    private readonly search: SourceSearch,
    private readonly report: (text: string) => void,
  ) {}

  /** The client's path; undefined when the file is nowhere. Asked once for each file. */
  async resolve(file: SourceFile, elfFolder: string): Promise<string | undefined> {
    if (!this.resolved.has(file)) this.resolved.set(file, await this.find(file, elfFolder));
    return this.resolved.get(file);
  }

  /** Finds the files that have code, so that they are known from here on. */
  async resolveCode(debug: DebugInfo, elfFolder: string): Promise<void> {
    for (const file of debug.filesWithCode()) await this.resolve(file, elfFolder);
  }

  /** What is known without a search; for code that cannot wait. */
  known(file: SourceFile): string | undefined {
    return this.resolved.get(file);
  }

  /** The source files of `candidates` that a client's path means. */
  match(path: string, candidates: readonly SourceFile[]): SourceMatch {
    const exact = candidates.filter((file) => {
      const known = this.resolved.get(file);
      return known !== undefined && samePath(known, path);
    });
    if (exact.length > 0) return { kind: 'match', files: exact };
    return this.matchByEnd(path, candidates);
  }

  private matchByEnd(path: string, candidates: readonly SourceFile[]): SourceMatch {
    const scored = candidates
      // A file that was found elsewhere is that file, not this one.
      .filter((file) => this.resolved.get(file) === undefined)
      .map((file) => ({ file, path: spelled(file), score: commonSuffix(spelled(file), path) }))
      .filter(({ score }) => score > 0);
    const best = Math.max(0, ...scored.map(({ score }) => score));
    const winners = scored.filter(({ score }) => score === best);
    if (winners.length === 0) {
      return { kind: 'none', elsewhere: candidates.flatMap((file) => this.resolved.get(file) ?? []) };
    }
    const paths = [...new Set(winners.map((winner) => winner.path))];
    if (paths.length > 1) return { kind: 'ambiguous', paths };
    return { kind: 'match', files: winners.map(({ file }) => file) };
  }

  private async find(file: SourceFile, elfFolder: string): Promise<string | undefined> {
    const original = spelled(file);
    const here = isAbsolutePath(original) ? original : joinPath(elfFolder, original);
    // What the user says counts, also where something is at the compiler's place.
    for (const [from, to] of this.search.sourceMap) {
      const mapped = replacePrefix(original, from, to) ?? replacePrefix(here, from, to);
      if (mapped !== undefined && (await this.exists(mapped))) return mapped;
    }
    if (await this.exists(here)) return here;
    return this.findByName(original, elfFolder);
  }

  private async findByName(original: string, elfFolder: string): Promise<string | undefined> {
    this.index ??= this.buildIndex(elfFolder);
    const found = (await this.index).get(baseName(original)) ?? [];
    const best = Math.max(0, ...found.map((path) => commonSuffix(path, original)));
    const winners = found.filter((path) => commonSuffix(path, original) === best);
    if (winners.length > 1) {
      this.report(
        `${original} could be any of ${winners.join(', ')}: say which with "sourceMap" in the launch configuration.`,
      );
      return undefined;
    }
    return winners.at(0);
  }

  /** All files below the ELF's folder, its parent and the search folders, by name. */
  private async buildIndex(elfFolder: string): Promise<ReadonlyMap<string, readonly string[]>> {
    const roots = this.search.folders.length > 0 ? this.search.folders : [elfFolder, folderOf(elfFolder)];
    const byName = new Map<string, string[]>();
    const seen = new Set<string>();
    let pending = roots.filter((root) => root !== '').map((folder) => ({ folder, depth: 0 }));
    while (pending.length > 0 && seen.size < searchLimit) {
      const next: typeof pending = [];
      for (const { folder, depth } of pending) {
        if (seen.has(folder)) continue;
        seen.add(folder);
        for (const name of await this.namesIn(folder)) {
          const path = joinPath(folder, name.replace(/\/$/, ''));
          if (!name.endsWith('/')) {
            const paths = byName.get(name);
            if (paths === undefined) byName.set(name, [path]);
            else if (!paths.some((other) => samePath(other, path))) paths.push(path);
          } else if (depth < searchDepth && !skippedFolders.test(name)) next.push({ folder: path, depth: depth + 1 });
        }
      }
      pending = next;
    }
    return byName;
  }

  private async exists(path: string): Promise<boolean> {
    return (await this.namesIn(folderOf(path))).includes(baseName(path));
  }

  private namesIn(folder: string): Promise<readonly string[]> {
    let names = this.folders.get(folder);
    if (names === undefined) this.folders.set(folder, (names = this.files.list(folder)));
    return names;
  }
}

/** The path as the debug information has it: DW_AT_comp_dir joined with the file's own path. */
export function spelled(file: SourceFile): string {
  if (file.compilationDirectory === undefined || isAbsolutePath(file.path)) return file.path;
  const folder = file.compilationDirectory;
  // The line table's directory 0 is the compilation directory already (DWARF 5 6.2.4.1).
  return replacePrefix(file.path, folder, folder) ?? joinPath(folder, file.path);
}
