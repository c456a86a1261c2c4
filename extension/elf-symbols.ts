/** Symbols and relocations of an ELF file by section and offset, as listings and descriptions need them. */
import { ET_REL, STT_FILE, STT_FUNC, STT_OBJECT, STT_SECTION } from '../lib/elf/constants';
import { relocationName } from '../lib/elf/relocation-names';
import { demangle } from '../lib/program/demangle';
import type { ElfFile, ElfSymbol } from '../lib/elf/elf-file';

export interface PlacedSymbol {
  readonly name: string;
  readonly kind: 'function' | 'object' | 'notype';
  readonly section: number;
  /** From the section's start; without the Thumb bit. */
  readonly offset: number;
  readonly size: number;
}

/** Mapping symbols (ELF for the Arm Architecture, 5.5.5): $a, $t, $d, optionally with a suffix. */
const mapping = /^\$[atd](\.|$)/;

export class ElfSymbols {
  private readonly bySection = new Map<number, PlacedSymbol[]>();
  private readonly kinds = new Map<number, { offset: number; data: boolean }[]>();

  constructor(private readonly elf: ElfFile) {
    for (const symbol of elf.symbols()) this.add(symbol);
    for (const list of this.bySection.values()) list.sort((a, b) => a.offset - b.offset);
    for (const list of this.kinds.values()) list.sort((a, b) => a.offset - b.offset);
  }

  inSection(index: number): readonly PlacedSymbol[] {
    return this.bySection.get(index) ?? [];
  }

  kindsIn(index: number): readonly { readonly offset: number; readonly data: boolean }[] {
    return this.kinds.get(index) ?? [];
  }

  /** 'greet' or 'greet+0x4'. */
  nameAt(section: number, offset: number): string | undefined {
    const found = this.inSection(section)
      .filter((symbol) => symbol.offset <= offset && (offset < symbol.offset + symbol.size || offset === symbol.offset))
      .at(-1);
    if (found === undefined) return undefined;
    const name = demangle(found.name);
    return offset === found.offset ? name : `${name}+0x${(offset - found.offset).toString(16)}`;
  }

  relocationsOf(section: number): { offset: number; type: string; symbol: string }[] {
    const symbols = this.elf.symbols();
    const base = this.elf.header.e_type === ET_REL ? 0n : (this.elf.sections[section]?.sh_addr ?? 0n);
    return this.elf.relocationsFor(section).map(({ r_offset, type, symbolIndex }) => ({
      offset: Number(r_offset - base),
      type: relocationName(this.elf.header.e_machine, type),
      symbol: this.nameOf(symbols[symbolIndex]),
    }));
  }

  /** A section symbol has its section's name. */
  private nameOf(symbol: ElfSymbol | undefined): string {
    if (symbol === undefined) return '';
    if (symbol.name !== '' || symbol.type !== STT_SECTION) return symbol.name;
    return this.elf.sections[symbol.st_shndx]?.name ?? '';
  }

  private add(symbol: ElfSymbol): void {
    const section = this.elf.sections[symbol.st_shndx];
    if (section === undefined || symbol.st_shndx === 0 || symbol.name === '') return;
    const base = this.elf.header.e_type === ET_REL ? 0n : section.sh_addr;
    const offset = Number(symbol.st_value - base);
    if (mapping.test(symbol.name)) {
      push(this.kinds, section.index, { offset, data: symbol.name.startsWith('$d') });
      return;
    }
    if (symbol.type === STT_SECTION || symbol.type === STT_FILE) return;
    const kind = symbol.type === STT_FUNC ? 'function' : symbol.type === STT_OBJECT ? 'object' : 'notype';
    push(this.bySection, section.index, {
      name: symbol.name,
      kind,
      section: section.index,
      offset: kind === 'function' ? offset - (offset % 2) : offset,
      size: symbol.st_size,
    });
  }
}

function push<T>(lists: Map<number, T[]>, key: number, item: T): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [item]);
  else list.push(item);
}
