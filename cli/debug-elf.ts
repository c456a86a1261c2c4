/** The unstripped file of a stripped extension, where Zephyr's build leaves it: `<name>_ext_debug.elf` or `<name>_debug.elf`. */
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ElfFile } from '../lib/elf/elf-file';
import { FormatError } from '../lib/errors';

export async function findDebugElf(file: string, bytes: Uint8Array): Promise<ElfFile | undefined> {
  const elf = parse(bytes);
  if (elf === undefined || hasDebugInfo(elf)) return undefined;
  const stem = basename(file).replace(/\.(llext|elf|so|o)$/i, '');
  const names = [...new Set([stem, stem.replace(/_ext$/, '')])].flatMap((name) => [
    `${name}_ext_debug.elf`,
    `${name}_debug.elf`,
  ]);
  for (const place of ['.', 'llext', '..', join('..', 'llext')]) {
    const folder = join(dirname(file), place);
    const there = await readdir(folder).catch((): string[] => []);
    const name = names.find((candidate) => there.includes(candidate));
    const found = name === undefined ? undefined : parse(await readFile(join(folder, name)));
    if (found !== undefined && hasDebugInfo(found)) return found;
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
