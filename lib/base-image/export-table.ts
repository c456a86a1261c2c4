/**
 * The export table of a linked image (specification 3.1): entries {name or SLID, address} of two words in the section
 * llext_const_symbol_area. It is found by its bounds' symbols, by the section's name in a stripped file, by the entries'
 * own symbols, or by the entries' variables in the debug information.
 */
import { hex } from '../bytes';
import { SHN_UNDEF, STB_GLOBAL, STT_OBJECT } from '../elf/constants';
import type { ElfFile, ElfSymbol } from '../elf/elf-file';
import type { DebugInfo } from '../dwarf/debug-info';
import { BaseImageError } from './base-image-error';
import { fixedAddress } from './debug-facts';
import type { BaseImageEvidence } from './description';
import type { ImageMemory } from './image-memory';

export const EXPORT_SECTION = 'llext_const_symbol_area';
export const EXPORT_START = '_llext_const_symbol_list_start';
export const EXPORT_END = '_llext_const_symbol_list_end';
/** Before the name of each entry's variable. */
export const ENTRY_PREFIX = '__llext_sym_';

/** One llext_const_symbol. */
export interface TableEntry {
  readonly at: bigint;
  /** The union of name and slid. */
  readonly key: bigint;
  readonly address: bigint;
}

export interface ExportTable {
  readonly foundBy: BaseImageEvidence;
  readonly entries: readonly TableEntry[];
  /** Names of exports that the symbol table or the debug information tells by the entries' variables. */
  readonly variableNames: readonly string[];
}

const advice = 'Build Zephyr with CONFIG_LLEXT=y and give the zephyr.elf of its build folder';

export function readExportTable(elf: ElfFile, memory: ImageMemory, debug: DebugInfo | undefined): ExportTable {
  const entrySize = 2 * memory.pointerSize;
  const entrySymbols = elf.symbols().filter((symbol) => isEntry(symbol, entrySize));
  const debugEntries = entryVariables(debug, entrySize);
  const variableNames = [
    ...new Set([...entrySymbols, ...debugEntries].map(({ name }) => name.slice(ENTRY_PREFIX.length))),
  ];
  const range = symbolRange(elf) ?? sectionRange(elf);
  if (range !== undefined) {
    const entries = entriesIn(range, memory, entrySize);
    return { foundBy: range.foundBy, entries, variableNames };
  }
  const [single, foundBy] =
    entrySymbols.length > 0
      ? [entrySymbols.map(({ st_value }) => st_value), 'symbols' as const]
      : [debugEntries.map(({ address }) => address), 'debug information' as const];
  if (single.length === 0) {
    throw new BaseImageError(
      'no-export-table',
      `no export table: neither the section ${EXPORT_SECTION}, nor symbols ${EXPORT_START} or ${ENTRY_PREFIX}*, nor such variables in the debug information. ${advice}`,
    );
  }
  const entries = single.sort((a, b) => (a < b ? -1 : 1)).map((at) => entryAt(at, memory));
  return { foundBy, entries, variableNames };
}

interface Range {
  readonly start: bigint;
  readonly end: bigint;
  readonly foundBy: BaseImageEvidence;
}

function symbolRange(elf: ElfFile): Range | undefined {
  const defined = (name: string): ElfSymbol | undefined =>
    elf.symbols().find((symbol) => symbol.name === name && symbol.st_shndx !== SHN_UNDEF);
  const start = defined(EXPORT_START);
  const end = defined(EXPORT_END);
  return start && end && { start: start.st_value, end: end.st_value, foundBy: 'symbols' };
}

function sectionRange(elf: ElfFile): Range | undefined {
  const section = elf.section(EXPORT_SECTION);
  if (section === undefined) return undefined;
  return { start: section.sh_addr, end: section.sh_addr + BigInt(section.sh_size), foundBy: 'section' };
}

function entriesIn({ start, end, foundBy }: Range, memory: ImageMemory, entrySize: number): TableEntry[] {
  const size = Number(end - start);
  if (size < 0 || size % entrySize !== 0) {
    const bounds = foundBy === 'symbols' ? `${EXPORT_START} .. ${EXPORT_END}` : EXPORT_SECTION;
    throw new BaseImageError(
      'export-table',
      `the export table (${bounds}, ${hex(start)} .. ${hex(end)}) is not made of entries of ${entrySize} bytes: the file is damaged, or of a Zephyr whose entries are other ones`,
    );
  }
  if (size > 0 && memory.read(start, size) === undefined) {
    throw new BaseImageError(
      'export-table',
      `the export table at ${hex(start)} is in no section of the file that has contents: give the zephyr.elf as the linker made it`,
    );
  }
  return Array.from({ length: size / entrySize }, (_, i) => entryAt(start + BigInt(i * entrySize), memory));
}

function entryAt(at: bigint, memory: ImageMemory): TableEntry {
  const key = memory.word(at);
  const address = memory.word(at + BigInt(memory.pointerSize));
  if (key === undefined || address === undefined) {
    throw new BaseImageError(
      'export-table',
      `the export entry at ${hex(at)} is in no section of the file that has contents`,
    );
  }
  return { at, key, address };
}

/** Strings of names have such symbols too (__llext_sym_name_<name>); they are local. */
function isEntry(symbol: ElfSymbol, entrySize: number): boolean {
  const { name, type, binding, st_size, st_shndx } = symbol;
  if (!name.startsWith(ENTRY_PREFIX) || st_shndx === SHN_UNDEF) return false;
  return type === STT_OBJECT && binding === STB_GLOBAL && st_size === entrySize;
}

function entryVariables(debug: DebugInfo | undefined, entrySize: number): { name: string; address: bigint }[] {
  const names = new Set(
    (debug?.globalNames() ?? []).map(({ name }) => name).filter((name) => name.startsWith(ENTRY_PREFIX)),
  );
  const variables = [...names].flatMap((name) => debug?.globalsNamed(name) ?? []);
  return variables.flatMap((variable) => {
    const { name, type, external } = variable;
    const isEntry = external && type.byteSize === entrySize;
    const address = isEntry ? fixedAddress(variable) : undefined;
    return address === undefined ? [] : [{ name, address }];
  });
}
