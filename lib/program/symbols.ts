/**
 * ELF symbols at link addresses. The mapping symbols of the Arm ELF specification ($t, $a, $d; 5.5.5) are no names
 * of anything and are hidden, but say what the bytes from there on are; RISC-V has $x and $d.
 */
import {
  EM_ARM,
  EM_RISCV,
  ET_REL,
  SHN_ABS,
  SHN_LORESERVE,
  SHN_UNDEF,
  STB_LOCAL,
  STT_FILE,
  STT_FUNC,
  STT_NOTYPE,
  STT_OBJECT,
  STT_SECTION,
} from '../elf/constants';
import type { ElfFile, ElfSymbol } from '../elf/elf-file';
import type { LinkLayout } from './link-layout';

export type SymbolKind = 'function' | 'object' | 'notype';
export type CodeKind = 'thumb' | 'code' | 'data';

export interface ProgramSymbol {
  readonly name: string;
  /** Link address; bit 0 of a Thumb function is cleared. */
  readonly address: bigint;
  readonly size: number;
  readonly kind: SymbolKind;
  /** Index of its section in the loaded ELF. */
  readonly section: number;
  readonly global: boolean;
  readonly thumb: boolean;
}

interface Mapping {
  readonly address: bigint;
  readonly kind: CodeKind;
}

const mappingName = /^\$([atdx])([.rR].*|$)/;
const mappingKinds: Readonly<Record<string, CodeKind>> = { a: 'code', t: 'thumb', x: 'code', d: 'data' };

export class SymbolIndex {
  /** By link address; of several at one address, global before local and functions before others. */
  readonly symbols: readonly ProgramSymbol[];
  private readonly mappings: readonly Mapping[];
  private readonly byName = new Map<string, ProgramSymbol>();

  constructor(elf: ElfFile | undefined, layout: LinkLayout) {
    const { symbols, mappings } = elf === undefined ? { symbols: [], mappings: [] } : collect(elf, layout);
    this.symbols = symbols.sort(byAddress);
    this.mappings = mappings.sort((a, b) => compare(a.address, b.address));
    for (const symbol of this.symbols) {
      const known = this.byName.get(symbol.name);
      if (known === undefined || (symbol.global && !known.global)) this.byName.set(symbol.name, symbol);
    }
  }

  named(name: string): ProgramSymbol | undefined {
    return this.byName.get(name);
  }

  /** The symbol that covers a link address: one of known size that holds it, else the nearest sizeless one before. */
  at(address: bigint, sectionStart: bigint): { readonly symbol: ProgramSymbol; readonly offset: bigint } | undefined {
    let best: ProgramSymbol | undefined;
    for (const symbol of this.symbols) {
      if (symbol.address > address) break;
      if (symbol.address < sectionStart) continue;
      const offset = address - symbol.address;
      const covers = symbol.size === 0 || offset < BigInt(symbol.size);
      // Symbols at one address are in order of preference.
      if (covers && (best === undefined || symbol.address > best.address)) best = symbol;
    }
    return best && { symbol: best, offset: address - best.address };
  }

  /** What the mapping symbols say of an address; undefined where there are none before it. */
  codeKindAt(address: bigint, sectionStart: bigint): CodeKind | undefined {
    let kind: CodeKind | undefined;
    for (const mapping of this.mappings) {
      if (mapping.address > address) break;
      if (mapping.address >= sectionStart) kind = mapping.kind;
    }
    return kind;
  }
}

function collect(elf: ElfFile, layout: LinkLayout): { symbols: ProgramSymbol[]; mappings: Mapping[] } {
  const symbols: ProgramSymbol[] = [];
  const mappings: Mapping[] = [];
  for (const symbol of elf.symbols()) {
    const base = layout.addressIn(elf, symbol.st_shndx);
    const section = layout.boundIndex(elf, symbol.st_shndx);
    if (base === undefined || section === undefined || !isNamed(symbol)) continue;
    const address = addressOf(elf, symbol, base);
    const mapping = hasMappingSymbols(elf) ? mappingName.exec(symbol.name) : null;
    if (mapping !== null) mappings.push({ address, kind: mappingKinds[mapping[1]] });
    else symbols.push(describe(elf, symbol, address, section));
  }
  return { symbols, mappings };
}

function hasMappingSymbols(elf: ElfFile): boolean {
  return elf.header.e_machine === EM_ARM || elf.header.e_machine === EM_RISCV;
}

function isNamed(symbol: ElfSymbol): boolean {
  // .LC0 and its like: labels of the compiler that RISC-V's assembler keeps for the linker. Clang's .L.str is an object.
  const isLabel = symbol.type === STT_NOTYPE && symbol.name.startsWith('.L');
  if (symbol.name === '' || isLabel || symbol.type === STT_SECTION || symbol.type === STT_FILE) return false;
  return symbol.st_shndx !== SHN_UNDEF && symbol.st_shndx !== SHN_ABS && symbol.st_shndx < SHN_LORESERVE;
}

function isThumb(elf: ElfFile, symbol: ElfSymbol): boolean {
  return elf.header.e_machine === EM_ARM && symbol.type === STT_FUNC && (symbol.st_value & 1n) === 1n;
}

function addressOf(elf: ElfFile, symbol: ElfSymbol, base: bigint): bigint {
  const value = isThumb(elf, symbol) ? symbol.st_value & ~1n : symbol.st_value;
  // In a linked file values are addresses already.
  return elf.header.e_type === ET_REL ? base + value : value;
}

function describe(elf: ElfFile, symbol: ElfSymbol, address: bigint, section: number): ProgramSymbol {
  const kind = symbol.type === STT_FUNC ? 'function' : symbol.type === STT_OBJECT ? 'object' : 'notype';
  const { name, st_size: size } = symbol;
  return { name, address, size, kind, section, global: symbol.binding !== STB_LOCAL, thumb: isThumb(elf, symbol) };
}

function byAddress(a: ProgramSymbol, b: ProgramSymbol): number {
  const rank = ({ kind, global }: ProgramSymbol): number => (kind === 'notype' ? 2 : 0) + (global ? 0 : 1);
  return compare(a.address, b.address) || rank(a) - rank(b);
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
