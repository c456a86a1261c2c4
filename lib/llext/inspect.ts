/**
 * What the loader would make of a file, without a target: regions with their sections, exports, imports, and the reason
 * why it would be refused. The regions come from a load into scratch memory with every import provided nearby, so they
 * are the loader's own and not a second opinion.
 */
import { ET_DYN, SHF_ALLOC, SHN_UNDEF, SHT_DYNSYM, SHT_REL, SHT_RELA, SHT_SYMTAB } from '../elf/constants';
import type { ElfFile } from '../elf/elf-file';
import { errnoName } from '../errors';
import { BufLoader } from './buf-loader';
import { exportedSymbols } from './exported-symbols';
import type { ExportedSymbol } from './exported-symbols';
import { displayName } from './guest';
import { LlextSubsystem } from './llext';
import { regionNameOf } from './llext-map';
import type { LlextLoadResult } from './llext';
import { defaultLoadParam } from './loader';
import { PagedMemory } from './paged-memory';
import { machineArch, relocatorFor } from './reloc/index';
import type { LlextConfig, LlextHeap, RegionName } from './types';

export interface InspectedSection {
  readonly index: number;
  readonly name: string;
  readonly size: number;
  /** In its region; undefined when the file is refused before that is known. */
  readonly offset: number | undefined;
}

export interface InspectedRegion {
  readonly name: RegionName;
  /** With padding, and with everything that lies between its sections in the file. */
  readonly size: number;
  readonly align: number;
  /** Padding in front. */
  readonly prepad: number;
  readonly fileOffset: number;
  readonly sections: readonly InspectedSection[];
}

export interface Inspection {
  readonly regions: readonly InspectedRegion[];
  readonly exports: readonly ExportedSymbol[];
  /** Undefined symbols that relocations of loaded sections need, sorted. */
  readonly imports: readonly string[];
  /** Why llext_load refuses the file whatever the base image exports; undefined when it does not. */
  readonly problem: string | undefined;
}

/** FormatError where the file's tables cannot be read. */
export function inspectRegions(elf: ElfFile): Inspection {
  const imports = importedNames(elf);
  const errors: string[] = [];
  const result = scratchLoad(elf, imports, errors);
  return {
    regions: regionsOf(elf, result),
    exports: exportedSymbols(elf),
    imports,
    problem: result.ret === 0 ? undefined : describeFailure(result, errors),
  };
}

/** Undefined symbols that relocations of allocated sections refer to: only those does the loader resolve. */
export function importedNames(elf: ElfFile): string[] {
  const names = new Set<string>();
  for (const table of elf.sections) {
    if (table.sh_type !== SHT_REL && table.sh_type !== SHT_RELA) continue;
    const target = elf.sections.at(table.sh_info);
    // In a shared object the dynamic relocations name no section.
    const applies = elf.header.e_type === ET_DYN || ((target?.sh_flags ?? 0) & SHF_ALLOC) !== 0;
    const symtab = elf.sections.at(table.sh_link);
    if (!applies || symtab === undefined) continue;
    const isSymtab = symtab.sh_type === SHT_SYMTAB || symtab.sh_type === SHT_DYNSYM;
    const symbols = isSymtab ? elf.symbolsOf(symtab) : elf.symbols();
    for (const { symbolIndex } of elf.relocationsOf(table)) {
      const symbol = symbols.at(symbolIndex);
      if (symbol !== undefined && symbolIndex > 0 && symbol.st_shndx === SHN_UNDEF) names.add(displayName(symbol.name));
    }
  }
  return [...names].sort();
}

function regionsOf(elf: ElfFile, result: LlextLoadResult): InspectedRegion[] {
  return result.regionNames.flatMap((name, i) => {
    const descriptor = result.sects[i];
    if (descriptor.sh_type === 0 || descriptor.sh_size === 0n) return [];
    const placed = result.extension?.sections;
    const isTable = name === 'SYMTAB' || name === 'STRTAB' || name === 'SHSTRTAB';
    const sections = elf.sections.filter((section) => {
      const known = placed?.find(({ index }) => index === section.index);
      if (placed !== undefined) return known?.region === name;
      if (isTable) return BigInt(section.sh_offset) === descriptor.sh_offset;
      const flags = BigInt(section.sh_flags);
      if ((section.sh_flags & SHF_ALLOC) === 0 || section.sh_size === 0) return false;
      return regionNameOf(section.sh_type, flags, section.name) === name;
    });
    return [
      {
        name,
        size: Number(descriptor.sh_size),
        align: Number(descriptor.sh_addralign),
        prepad: placed === undefined ? 0 : descriptor.sh_info,
        fileOffset: Number(descriptor.sh_offset),
        sections: sections.map((section) => ({
          index: section.index,
          name: section.name,
          size: section.sh_size,
          offset: placed === undefined ? undefined : section.sh_offset - Number(descriptor.sh_offset),
        })),
      },
    ];
  });
}

function describeFailure(result: LlextLoadResult, errors: readonly string[]): string {
  if (result.fault !== undefined) return result.fault.message;
  // The last message only says which step failed.
  const reason = errors.find((text) => text.trim() !== '') ?? 'refused without a message';
  const name = errnoName(result.ret);
  return `${reason.trim()} (-${name ?? result.ret})`;
}

const listAddress = 0x0f00_0000n;
const fileAddress = 0x1000_0000n;
const importsAddress = 0x2000_0000n;
const heapAddress = 0x2010_0000n;
const heapSize = 0x0400_0000n;

function scratchLoad(elf: ElfFile, imports: readonly string[], errors: string[]): LlextLoadResult {
  const memory = new PagedMemory([
    { start: listAddress, end: listAddress + 0x1000n },
    { start: fileAddress, end: fileAddress + BigInt(elf.bytes.length) + 0x40_0000n },
    { start: heapAddress, end: heapAddress + heapSize },
  ]);
  memory.share(fileAddress, elf.bytes);
  const heap = growingHeap();
  const arch = machineArch.get(elf.header.e_machine) ?? 'arm';
  const config: LlextConfig = {
    pointerSize: elf.is64 ? 8 : 4,
    arch,
    bigEndian: !elf.littleEndian,
    page: 32,
    armMpu: false,
    mmu: false,
    importAllGlobals: false,
    logLevel: 1,
  };
  const llext = new LlextSubsystem({
    memory,
    heaps: { metadata: heap, data: heap, instruction: heap },
    config,
    exports: imports.map((name, i) => ({ name, address: importsAddress + BigInt(i * 16) + 1n })),
    listAddress,
    relocationEvents: false,
    listener: (event) => {
      if (event.kind === 'log' && event.level === 'err') errors.push(event.text.replace(/^<err> \w+: /, ''));
    },
  });
  const loader = new BufLoader(memory, fileAddress, elf.bytes.length, { storage: 'temporary' });
  // Without the CPU's relocations, the regions are still right.
  const relocate_local = relocatorFor(arch, config.pointerSize) !== undefined && machineArch.has(elf.header.e_machine);
  return llext.load(loader, 'inspected', { ...defaultLoadParam, relocate_local });
}

function growingHeap(): LlextHeap {
  let next = heapAddress;
  return {
    alignedAlloc: (align, bytes) => {
      const boundary = BigInt(Math.max(align, 8));
      const address = ((next + boundary - 1n) / boundary) * boundary;
      if (bytes === 0 || address + BigInt(bytes) > heapAddress + heapSize) return 0n;
      next = address + BigInt(bytes);
      return address;
    },
    free: () => undefined,
  };
}
