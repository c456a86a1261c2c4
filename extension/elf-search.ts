/**
 * The extension ELFs of the workspace, and which of them were compiled from a source file.
 * An extension ELF is relocatable or shared, and is called `.llext` or has a section of exported symbols; a build
 * folder's other objects stay out of the list. `<name>_ext_debug.elf` and `<name>_debug.elf` belong to `<name>.llext`.
 */
import * as vscode from 'vscode';
import { ET_DYN, ET_REL } from '../lib/elf/constants';
import { isBroken, programOf, type BrokenElf, type ElfCache, type ElfEntry } from './elf-cache';
import { openLog } from './log';
import { matchSource } from './source-locator';
import { baseName, exists, parentOf } from './workspace-files';

const exportSections = ['.exported_sym', '.export_sym'];

/** One extension: the file that is loaded, and the file with its debug information if that is another. */
export interface ExtensionFile {
  readonly loaded: ElfEntry;
  readonly debug: ElfEntry | undefined;
}

export async function findFiles(): Promise<vscode.Uri[]> {
  const settings = vscode.workspace.getConfiguration('llext.search');
  const include = settings.get<string>('include', '**/*.{llext,elf,o,obj}');
  const exclude = settings.get<string>('exclude', '**/{.git,node_modules}/**');
  const limit = settings.get<number>('limit', 1000);
  const found = await vscode.workspace.findFiles(include, exclude, limit);
  if (found.length >= limit) openLog().warn(`The search for ELF files stopped after ${limit} (llext.search.limit).`);
  return found.sort((a, b) => a.path.localeCompare(b.path));
}

/** Those of the workspace, and the files that are called `.llext` but cannot be read. */
export async function findExtensions(cache: ElfCache): Promise<{ files: ExtensionFile[]; broken: BrokenElf[] }> {
  const entries = await Promise.all((await findFiles()).map((uri) => cache.get(uri)));
  const readable = entries.filter((entry): entry is ElfEntry => !isBroken(entry)).filter(isExtension);
  const broken = entries.filter(isBroken).filter((entry) => isLlextName(entry.uri));
  const files = readable.map((loaded) => ({ loaded, debug: debugFileOf(loaded.uri, readable) }));
  const companions = new Set(files.map((file) => file.debug));
  return { files: files.filter((file) => !companions.has(file.loaded)), broken };
}

function isLlextName(uri: vscode.Uri): boolean {
  return uri.path.endsWith('.llext');
}

export function isExtension(entry: ElfEntry): boolean {
  const type = entry.elf.header.e_type;
  if (type !== ET_REL && type !== ET_DYN) return false;
  return isLlextName(entry.uri) || exportSections.some((name) => entry.elf.section(name) !== undefined);
}

/** Names that Zephyr's build gives to the unstripped file of `hello.llext`. */
function debugNames(uri: vscode.Uri): string[] {
  const stem = baseName(uri).replace(/\.[^.]*$/, '');
  return [`${stem}_ext_debug.elf`, `${stem}_debug.elf`];
}

/** The nearest of the candidates: the longest common folder wins. */
function debugFileOf(uri: vscode.Uri, candidates: readonly ElfEntry[]): ElfEntry | undefined {
  const names = debugNames(uri);
  const fitting = candidates.filter((entry) => names.includes(baseName(entry.uri)) && entry.uri.path !== uri.path);
  const common = (entry: ElfEntry) => commonPrefix(entry.uri.path, uri.path);
  return fitting.sort((a, b) => common(b) - common(a))[0];
}

function commonPrefix(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return length;
}

/** The file that is loaded, for an open `<name>_ext_debug.elf`: `<name>.llext` beside it or above it. */
export async function loadedFileOf(debugElf: vscode.Uri): Promise<vscode.Uri | undefined> {
  const stem = /^(.*?)(?:_ext)?_debug\.elf$/.exec(baseName(debugElf))?.[1];
  if (stem === undefined) return undefined;
  for (const folder of ['..', '../..', '../llext', '../../llext']) {
    const candidate = vscode.Uri.joinPath(debugElf, folder, `${stem}.llext`);
    if (await exists(candidate)) return candidate;
  }
  return undefined;
}

/**
 * The extensions whose line table names this source file, best matches only. Of those that match equally, the ones in its own folder:
 * elsewhere the same source may be built for other machines.
 */
export async function extensionsOfSource(cache: ElfCache, source: vscode.Uri): Promise<ExtensionFile[]> {
  const { files } = await findExtensions(cache);
  const scored = files.map((file) => ({ file, score: sourceScore(file, source) })).filter(({ score }) => score > 0);
  const best = Math.max(0, ...scored.map(({ score }) => score));
  const matches = scored.filter(({ score }) => score === best).map(({ file }) => file);
  const folder = parentOf(source).path;
  const beside = matches.filter(({ loaded }) => parentOf(loaded.uri).path === folder);
  return beside.length > 0 ? beside : matches;
}

/** How well the debug information names the file: 0 not at all, more is better. */
function sourceScore(file: ExtensionFile, source: vscode.Uri): number {
  const entry = file.debug ?? file.loaded;
  try {
    const files = programOf(file.loaded, file.debug).debug?.files ?? [];
    return Math.max(0, ...files.map((candidate) => matchSource(candidate, entry.uri, source)));
  } catch (error) {
    openLog().warn(`${entry.uri.toString(true)}: ${String(error)}`);
    return 0;
  }
}
