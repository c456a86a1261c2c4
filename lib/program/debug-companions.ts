/**
 * Files that hold parts of an ELF file's debug information, and where they are looked for: the .dwo files that a build with -gsplit-dwarf
 * leaves the most of it in, each where the compiler has written it or beside the ELF by its name alone; a package of all of them,
 * <elf>.dwp; and the supplementary file of dwz, where the program says, beside it, or by its build-id. All that are there are read:
 * which of two of one name belongs to the program is told by its id (lib/dwarf/split-files, supplementary).
 */
import type { ByteSource } from '../byte-source';
import { DebugInfo } from '../dwarf/debug-info';
import type { SupplementaryLink } from '../dwarf/supplementary';
import { ElfFile } from '../elf/elf-file';
import { FormatError } from '../errors';
import { baseName, folderOf, joinPath } from '../paths';
import { readDebugSections } from './debug-sections';

/** The file system, as far as it is needed. */
export interface NearbyFiles {
  read(path: string): Promise<Uint8Array>;
  open?(path: string): Promise<Uint8Array | ByteSource>;
  /** Names in a folder; empty where there is none. */
  list(folder: string): Promise<readonly string[]>;
}

/** `companions`: what companionsOf has found. What cannot be read of any of them is reported. */
export function openDebugInfo(
  elf: ElfFile,
  linkAddress: (index: number) => bigint | undefined,
  companions: readonly ElfFile[],
  report: (problem: string) => void,
): DebugInfo {
  const ehFrame = elf.section('.eh_frame');
  const options = {
    littleEndian: elf.littleEndian,
    addressSize: elf.is64 ? 8 : 4,
    machine: elf.header.e_machine,
    ehFrameAddress: ehFrame && linkAddress(ehFrame.index),
  } as const;
  // Nothing is relocated in companions: what has an address is an index into the program's own .debug_addr.
  const others = companions.map((file) => readDebugSections(file, () => undefined));
  const own = readDebugSections(elf, linkAddress);
  for (const problem of [own, ...others].flatMap(({ problems }) => problems)) report(problem);
  return new DebugInfo(
    own.sections,
    options,
    others.map(({ sections }) => sections),
  );
}

/** Those of the file with the debug information that are there. */
export async function companionsOf(elf: ElfFile, path: string, files: NearbyFiles): Promise<ElfFile[]> {
  if (!mayHaveCompanions(elf)) return [];
  const { missingSplitFiles, missingSupplementary } = openDebugInfo(
    elf,
    () => undefined,
    [],
    () => undefined,
  );
  const folder = folderOf(path);
  const places = new Set<string>();
  if (missingSplitFiles.length > 0) {
    const stem = path.replace(/\.[^./\\]*$/, '');
    for (const start of [path, stem]) places.add(`${start}.dwp`);
  }
  for (const { name, directory } of missingSplitFiles) {
    places.add(joinPath(joinPath(folder, directory ?? '.'), name));
    places.add(joinPath(folder, baseName(name)));
  }
  if (missingSupplementary !== undefined) {
    for (const place of supplementaryPlaces(folder, missingSupplementary)) places.add(place);
  }
  return readThere(places, files);
}

/** Without looking at the debug information itself: most files have none, and no time should go into asking. */
function mayHaveCompanions(elf: ElfFile): boolean {
  return elf.sections.some(({ name }) => companionSigns.has(name.replace(/^\.zdebug_/, '.debug_')));
}

/** Skeletons have their addresses in .debug_addr, in all versions. */
const companionSigns: ReadonlySet<string> = new Set(['.debug_addr', '.debug_sup', '.gnu_debugaltlink']);

/** As gdb and elfutils look for it. */
function supplementaryPlaces(folder: string, { name, id }: SupplementaryLink): string[] {
  const byId = `.build-id/${id.slice(0, 2)}/${id.slice(2)}.debug`;
  return [joinPath(folder, name), joinPath(folder, baseName(name)), joinPath(folder, byId), `/usr/lib/debug/${byId}`];
}

async function readThere(places: ReadonlySet<string>, files: NearbyFiles): Promise<ElfFile[]> {
  const there = new Map<string, ReadonlySet<string>>();
  const found: ElfFile[] = [];
  for (const place of places) {
    const around = folderOf(place);
    const names = there.get(around) ?? new Set(await files.list(around));
    there.set(around, names);
    const elf = names.has(baseName(place)) ? await parsed(place, files) : undefined;
    if (elf !== undefined) found.push(elf);
  }
  return found;
}

/** undefined: it is damaged or cannot be read; what is missing then is said for each unit. */
async function parsed(path: string, files: NearbyFiles): Promise<ElfFile | undefined> {
  let bytes: Uint8Array | ByteSource;
  try {
    bytes = await (files.open?.(path) ?? files.read(path));
  } catch {
    return undefined;
  }
  try {
    return ElfFile.parse(bytes);
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}
