/**
 * Where the debug information of an extension is: in itself; of a stripped one in the file that Zephyr's build leaves beside it,
 * `<name>_ext_debug.elf` or `<name>_debug.elf`; and of either in companions (program/debug-companions).
 */
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ElfFile } from '../lib/elf/elf-file';
import { FormatError } from '../lib/errors';
import { companionsOf } from '../lib/program/debug-companions';
import { Program } from '../lib/program/program';
import { nearbyFiles } from './nearby-files';

export interface DebugFiles {
  /** When the file is stripped. */
  readonly debugElf?: ElfFile;
  readonly companions: readonly ElfFile[];
}

export async function findDebugFiles(file: string, bytes: Uint8Array): Promise<DebugFiles> {
  const elf = parse(bytes);
  if (elf === undefined) return { companions: [] };
  if (hasDebugInfo(elf)) return { companions: await companionsOf(elf, file, nearbyFiles) };
  const found = await findDebugElf(file);
  if (found === undefined) return { companions: [] };
  return { debugElf: found.elf, companions: await companionsOf(found.elf, found.path, nearbyFiles) };
}

/** As `loaded` was found in `file`. Throws FormatError. */
export function openProgram(loaded: ElfFile, { debugElf, companions }: DebugFiles): Program {
  return Program.open(loaded, debugElf, companions);
}

async function findDebugElf(file: string): Promise<{ readonly path: string; readonly elf: ElfFile } | undefined> {
  const stem = basename(file).replace(/\.(llext|elf|so|o)$/i, '');
  const names = [...new Set([stem, stem.replace(/_ext$/, '')])].flatMap((name) => [
    `${name}_ext_debug.elf`,
    `${name}_debug.elf`,
  ]);
  for (const place of ['.', 'llext', '..', join('..', 'llext')]) {
    const folder = join(dirname(file), place);
    const there = await readdir(folder).catch((): string[] => []);
    const name = names.find((candidate) => there.includes(candidate));
    const path = join(folder, name ?? '');
    const elf = name === undefined ? undefined : parse(await readFile(path));
    if (elf !== undefined && hasDebugInfo(elf)) return { path, elf };
  }
  return undefined;
}

function hasDebugInfo(elf: ElfFile): boolean {
  return ['.debug_info', '.zdebug_info'].some((name) => elf.section(name) !== undefined);
}

function parse(bytes: Uint8Array): ElfFile | undefined {
  try {
    return ElfFile.parse(bytes);
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}
