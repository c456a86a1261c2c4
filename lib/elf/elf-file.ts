/**
 * An ELF file's headers, sections, symbols and relocations (gABI chapters 4 and 5), both classes and both byte orders.
 * The file header and the section header table must be readable, else FormatError; everything below is read on first
 * use, and throws FormatError then. A section name that cannot be read is '' and noted in `problems`, because the
 * loader's view (lib/llext) of such a file is still of interest.
 */
import { type ByteSource, bytesOf, PartOfSource, WholeBytes } from '../byte-source';
import { ByteReader, stringAt } from '../bytes';
import { FormatError } from '../errors';
import { inflateSection, isCompressed, mayBeCompressed } from './compression';
import * as C from './constants';
import { readSymbolTable, SymbolColumns } from './symbol-table';
import type { ElfSymbol, SymbolTable } from './symbol-table';

export type { ElfSymbol } from './symbol-table';

export interface ElfHeader {
  readonly e_type: number;
  readonly e_machine: number;
  readonly e_version: number;
  readonly e_entry: bigint;
  readonly e_phoff: number;
  readonly e_shoff: number;
  readonly e_flags: number;
  readonly e_ehsize: number;
  readonly e_phentsize: number;
  readonly e_phnum: number;
  readonly e_shentsize: number;
  readonly e_shnum: number;
  readonly e_shstrndx: number;
}

/** Sizes and offsets of 2^53 and more lose their low bits; they are outside of any file, and refused when used. */
export interface SectionHeader {
  readonly index: number;
  readonly name: string;
  readonly sh_name: number;
  readonly sh_type: number;
  readonly sh_flags: number;
  readonly sh_addr: bigint;
  readonly sh_offset: number;
  readonly sh_size: number;
  readonly sh_link: number;
  readonly sh_info: number;
  readonly sh_addralign: number;
  readonly sh_entsize: number;
}

export interface ElfRelocation {
  readonly r_offset: bigint;
  readonly type: number;
  readonly symbolIndex: number;
  /** undefined for SHT_REL: the addend is in the place itself. */
  readonly addend: bigint | undefined;
}

/** Of the 64-bit class. */
const largestHeader = 64;

export class ElfFile {
  readonly problems: FormatError[] = [];
  readonly sections: readonly SectionHeader[];
  private readonly byName = new Map<string, SectionHeader>();
  private readonly contents = new Map<number, Uint8Array>();
  private lazyBytes: Uint8Array | undefined;
  private readonly symbolTables = new Map<number, readonly ElfSymbol[]>();
  private readonly relocationTables = new Map<number, readonly ElfRelocation[]>();

  private constructor(
    private readonly source: ByteSource,
    readonly is64: boolean,
    readonly littleEndian: boolean,
    readonly header: ElfHeader,
  ) {
    this.sections = this.readSectionHeaders();
    for (const section of this.sections) {
      if (section.name !== '' && !this.byName.has(section.name)) this.byName.set(section.name, section);
    }
  }

  /** Throws FormatError when the file header or the section header table cannot be read. */
  static parse(file: Uint8Array | ByteSource): ElfFile {
    const source = file instanceof Uint8Array ? new WholeBytes(file) : file;
    const bytes = bytesOf(source, 0, Math.min(source.length, largestHeader));
    const magic = [0x7f, 0x45, 0x4c, 0x46];
    if (bytes.length < 16 || magic.some((byte, i) => bytes[i] !== byte)) throw new FormatError('not-elf', '', 0);
    const elfClass = bytes[C.EI_CLASS];
    const data = bytes[C.EI_DATA];
    if (elfClass !== C.ELFCLASS32 && elfClass !== C.ELFCLASS64) {
      throw new FormatError('unsupported-class', 'ELF header', C.EI_CLASS);
    }
    if (data !== C.ELFDATA2LSB && data !== C.ELFDATA2MSB) {
      throw new FormatError('unsupported-encoding', 'ELF header', C.EI_DATA);
    }
    const is64 = elfClass === C.ELFCLASS64;
    const littleEndian = data === C.ELFDATA2LSB;
    const header = readHeader(new ByteReader(bytes, littleEndian, 'ELF header', 16), is64);
    return new ElfFile(source, is64, littleEndian, header);
  }

  get size(): number {
    return this.source.length;
  }

  /** All of the file. */
  get bytes(): Uint8Array {
    this.lazyBytes ??= bytesOf(this.source, 0, this.size);
    return this.lazyBytes;
  }

  /** The first section of that name. */
  section(name: string): SectionHeader | undefined {
    return this.byName.get(name);
  }

  /** Contents as a debugger wants them: inflated, SHT_NOBITS empty. */
  sectionBytes(section: SectionHeader): Uint8Array {
    if (section.sh_type === C.SHT_NOBITS || section.sh_type === C.SHT_NULL) return new Uint8Array(0);
    let contents = this.contents.get(section.index);
    if (contents === undefined) {
      const raw = this.rawBytes(section);
      contents = isCompressed(section, raw) ? inflateSection(section, raw, this.is64, this.littleEndian) : raw;
      this.contents.set(section.index, contents);
    }
    return contents;
  }

  /** The same to be read in parts; of what is compressed there is only the whole. */
  sectionSource(section: SectionHeader): ByteSource {
    const { sh_offset, sh_size, sh_type } = section;
    if (sh_type === C.SHT_NOBITS || sh_type === C.SHT_NULL || mayBeCompressed(section)) {
      return new WholeBytes(this.sectionBytes(section));
    }
    this.checkRange(section);
    return new PartOfSource(this.source, sh_offset, sh_size);
  }

  /** The symbols of SHT_SYMTAB, or of SHT_DYNSYM in a file without one; entry 0 is the null symbol. */
  symbols(): readonly ElfSymbol[] {
    const table = this.symbolTable;
    return table === undefined ? [] : this.symbolsOf(table);
  }

  /** The same symbols in columns; undefined: there is no table. */
  symbolColumns(): SymbolColumns | undefined {
    const table = this.symbolTable;
    return table && new SymbolColumns(this.describeSymbols(table));
  }

  private get symbolTable(): SectionHeader | undefined {
    return (
      this.sections.find((section) => section.sh_type === C.SHT_SYMTAB) ??
      this.sections.find((section) => section.sh_type === C.SHT_DYNSYM)
    );
  }

  /** The symbols of one symbol table section. */
  symbolsOf(table: SectionHeader): readonly ElfSymbol[] {
    let symbols = this.symbolTables.get(table.index);
    if (symbols === undefined) {
      symbols = readSymbolTable(this.describeSymbols(table));
      this.symbolTables.set(table.index, symbols);
    }
    return symbols;
  }

  /** All relocations whose target (sh_info) is that section, in file order. */
  relocationsFor(sectionIndex: number): readonly ElfRelocation[] {
    const tables = this.sections.filter(
      (section) =>
        (section.sh_type === C.SHT_REL || section.sh_type === C.SHT_RELA) && section.sh_info === sectionIndex,
    );
    return tables.flatMap((table) => this.relocationsOf(table));
  }

  /** The entries of one SHT_REL or SHT_RELA section. */
  relocationsOf(table: SectionHeader): readonly ElfRelocation[] {
    let relocations = this.relocationTables.get(table.index);
    if (relocations === undefined) {
      relocations = this.readRelocations(table);
      this.relocationTables.set(table.index, relocations);
    }
    return relocations;
  }

  private rawBytes(section: SectionHeader): Uint8Array {
    this.checkRange(section);
    return bytesOf(this.source, section.sh_offset, section.sh_offset + section.sh_size);
  }

  private checkRange({ sh_offset, sh_size, name }: SectionHeader): void {
    if (sh_offset + sh_size > this.size) throw new FormatError('truncated', name, sh_offset);
  }

  private readSectionHeaders(): SectionHeader[] {
    const { e_shoff, e_shentsize } = this.header;
    if (e_shoff === 0) return [];
    const size = this.is64 ? 64 : 40;
    if (e_shentsize < size) throw new FormatError('bad-size', 'ELF header', this.is64 ? 58 : 46);
    const table = new ByteReader(this.source, this.littleEndian, 'section header table');
    if (e_shoff + size > this.size) throw new FormatError('truncated', table.section, e_shoff);
    const first = readSectionHeader(table.at(e_shoff), 0, this.is64);
    // gABI: too many sections for 16 bits are counted in section 0; likewise the index of the name table.
    const count = this.header.e_shnum === 0 ? first.sh_size : this.header.e_shnum;
    const names = this.header.e_shstrndx === C.SHN_XINDEX ? first.sh_link : this.header.e_shstrndx;
    if (e_shoff + count * e_shentsize > this.size) {
      throw new FormatError('truncated', table.section, e_shoff);
    }
    table.offset = e_shoff;
    table.prefetch(e_shoff + count * e_shentsize);
    const raw: Omit<SectionHeader, 'name'>[] = [];
    for (let i = 0; i < count; i++) {
      raw.push(readSectionHeader(table.at(e_shoff + i * e_shentsize), i, this.is64));
    }
    return this.withNames(raw, names);
  }

  private withNames(raw: readonly Omit<SectionHeader, 'name'>[], nameIndex: number): SectionHeader[] {
    const table = raw.at(nameIndex);
    let strings = new Uint8Array(0);
    if (nameIndex === C.SHN_UNDEF || table === undefined) {
      this.problems.push(
        new FormatError('bad-index', 'ELF header', this.is64 ? 62 : 50, 'e_shstrndx names no section'),
      );
    } else if (table.sh_offset + table.sh_size > this.size) {
      this.problems.push(new FormatError('truncated', 'section name table', table.sh_offset));
    } else {
      strings = bytesOf(this.source, table.sh_offset, table.sh_offset + table.sh_size).slice();
    }
    return raw.map((section) => {
      const name = stringAt(strings, section.sh_name);
      if (name === undefined && strings.length > 0) {
        this.problems.push(new FormatError('bad-string', 'section header table', section.sh_name));
      }
      return { ...section, name: name ?? '' };
    });
  }

  private describeSymbols(table: SectionHeader): SymbolTable {
    const stringTable = this.sections.at(table.sh_link);
    const extended = this.sections.find(
      (section) => section.sh_type === C.SHT_SYMTAB_SHNDX && section.sh_link === table.index,
    );
    if (stringTable === undefined) throw new FormatError('bad-index', table.name, 0);
    return {
      name: table.name,
      bytes: this.sectionBytes(table),
      sh_entsize: table.sh_entsize,
      strings: this.sectionBytes(stringTable),
      extendedIndices: extended && this.sectionBytes(extended),
      extendedName: extended?.name ?? '',
      is64: this.is64,
      littleEndian: this.littleEndian,
    };
  }

  private readRelocations(table: SectionHeader): ElfRelocation[] {
    const rela = table.sh_type === C.SHT_RELA;
    const word = this.is64 ? 8 : 4;
    const size = word * (rela ? 3 : 2);
    const entry = table.sh_entsize === 0 ? size : table.sh_entsize;
    if (entry < size) throw new FormatError('bad-size', table.name, 0);
    const bytes = this.sectionBytes(table);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const read = this.is64 ? relocation64 : relocation32;
    const relocations: ElfRelocation[] = [];
    for (let at = 0; at + entry <= bytes.length; at += entry) relocations.push(read(view, at, this.littleEndian, rela));
    return relocations;
  }
}

function relocation32(view: DataView, at: number, littleEndian: boolean, rela: boolean): ElfRelocation {
  const r_info = view.getUint32(at + 4, littleEndian);
  return {
    r_offset: BigInt(view.getUint32(at, littleEndian)),
    type: r_info & 0xff,
    symbolIndex: r_info >>> 8,
    addend: rela ? BigInt(view.getInt32(at + 8, littleEndian)) : undefined,
  };
}

function relocation64(view: DataView, at: number, littleEndian: boolean, rela: boolean): ElfRelocation {
  return {
    r_offset: view.getBigUint64(at, littleEndian),
    type: view.getUint32(at + (littleEndian ? 8 : 12), littleEndian),
    symbolIndex: view.getUint32(at + (littleEndian ? 12 : 8), littleEndian),
    addend: rela ? view.getBigInt64(at + 16, littleEndian) : undefined,
  };
}

function readHeader(reader: ByteReader, is64: boolean): ElfHeader {
  const word = is64 ? 8 : 4;
  return {
    e_type: reader.u16(),
    e_machine: reader.u16(),
    e_version: reader.u32(),
    e_entry: reader.unsigned(word),
    e_phoff: reader.word(word),
    e_shoff: reader.word(word),
    e_flags: reader.u32(),
    e_ehsize: reader.u16(),
    e_phentsize: reader.u16(),
    e_phnum: reader.u16(),
    e_shentsize: reader.u16(),
    e_shnum: reader.u16(),
    e_shstrndx: reader.u16(),
  };
}

function readSectionHeader(reader: ByteReader, index: number, is64: boolean): Omit<SectionHeader, 'name'> {
  const word = is64 ? 8 : 4;
  return {
    index,
    sh_name: reader.u32(),
    sh_type: reader.u32(),
    sh_flags: reader.word(word),
    sh_addr: reader.unsigned(word),
    sh_offset: reader.word(word),
    sh_size: reader.word(word),
    sh_link: reader.u32(),
    sh_info: reader.u32(),
    sh_addralign: reader.word(word),
    sh_entsize: reader.word(word),
  };
}
