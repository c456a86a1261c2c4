/**
 * What a relocatable file exports (LL_EXTENSION_SYMBOL), read without loading it: each entry of `.exported_sym` is two
 * pointers that relocations fill, the first with the address of the name, the second with that of the symbol.
 */
import { ByteReader, stringAt } from '../bytes';
import { FormatError } from '../errors';
import { SHN_LORESERVE, STT_SECTION } from '../elf/constants';
import type { ElfFile, ElfRelocation, SectionHeader } from '../elf/elf-file';
import { displayName } from './guest';

export interface ExportedSymbol {
  /** The name under which others find it. */
  readonly name: string;
  /** The symbol that it stands for; usually of the same name. */
  readonly symbol: string;
  readonly section: string | undefined;
  /** Offset in that section, with the Thumb bit of an Arm function. */
  readonly value: bigint;
  readonly size: number;
}

export function exportedSymbols(elf: ElfFile): ExportedSymbol[] {
  const table = elf.section('.exported_sym');
  if (table === undefined) return [];
  const word = elf.is64 ? 8n : 4n;
  const names = new Map<bigint, string>();
  const exported: ExportedSymbol[] = [];
  const relocations = [...elf.relocationsFor(table.index)].sort((a, b) => (a.r_offset < b.r_offset ? -1 : 1));
  for (const relocation of relocations) {
    const entry = relocation.r_offset / (2n * word);
    if (relocation.r_offset % (2n * word) === 0n) {
      const name = stringOf(elf, table, relocation);
      if (name !== undefined) names.set(entry, name);
      continue;
    }
    const symbol = elf.symbols().at(relocation.symbolIndex);
    if (symbol === undefined) continue;
    const section = symbol.st_shndx < SHN_LORESERVE ? elf.sections.at(symbol.st_shndx)?.name : undefined;
    const name = names.get(entry) ?? symbol.name;
    exported.push({ name, symbol: symbol.name, section, value: symbol.st_value, size: symbol.st_size });
  }
  return exported;
}

function stringOf(elf: ElfFile, table: SectionHeader, relocation: ElfRelocation): string | undefined {
  const symbol = elf.symbols().at(relocation.symbolIndex);
  const section = symbol && elf.sections.at(symbol.st_shndx);
  if (symbol === undefined || section === undefined) return undefined;
  try {
    const addend = relocation.addend ?? addendInPlace(elf, table, relocation);
    const base = symbol.type === STT_SECTION ? 0n : symbol.st_value;
    const bytes = elf.sectionBytes(section);
    const name = stringAt(bytes, Number(base + addend));
    return name === undefined ? undefined : displayName(name);
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

function addendInPlace(elf: ElfFile, table: SectionHeader, relocation: ElfRelocation): bigint {
  const reader = new ByteReader(elf.sectionBytes(table), elf.littleEndian, table.name, Number(relocation.r_offset));
  return reader.unsigned(elf.is64 ? 8 : 4);
}
