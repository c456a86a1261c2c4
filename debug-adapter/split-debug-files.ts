/**
 * The files that a build with -gsplit-dwarf leaves the most of its debug information in: each .dwo where the compiler has written it, or
 * beside the ELF by its name alone; and a package of all of them, <elf>.dwp, beside the ELF. All that are there are read: which of two
 * of one name belongs to the program is told by its id (lib/dwarf/split-files).
 */
import { ElfFile } from '../lib/elf/elf-file';
import { FormatError } from '../lib/errors';
import type { DebugInfo } from '../lib/dwarf/debug-info';
import { baseName, folderOf, joinPath } from './paths';
import { openFile } from './read-file';
import type { FileAccess } from './services';

export async function splitFilesOf(
  debug: DebugInfo | undefined,
  elfPath: string,
  files: FileAccess,
): Promise<ElfFile[]> {
  const missing = debug?.missingSplitFiles ?? [];
  if (missing.length === 0) return [];
  const folder = folderOf(elfPath);
  const stem = elfPath.replace(/\.[^./\\]*$/, '');
  const places = new Set([`${elfPath}.dwp`, `${stem}.dwp`]);
  for (const { name, directory } of missing) {
    places.add(joinPath(joinPath(folder, directory ?? '.'), name));
    places.add(joinPath(folder, baseName(name)));
  }
  const there = new Map<string, readonly string[]>();
  const found: ElfFile[] = [];
  for (const place of places) {
    const around = folderOf(place);
    if (!there.has(around)) there.set(around, await files.list(around));
    const elf = there.get(around)?.includes(baseName(place)) === true ? await parsed(place, files) : undefined;
    if (elf !== undefined) found.push(elf);
  }
  return found;
}

/** undefined: it is damaged; what is missing then is said for each unit. */
async function parsed(path: string, files: FileAccess): Promise<ElfFile | undefined> {
  try {
    return ElfFile.parse(await openFile(path, files));
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}
