/**
 * Entries of a symbol table (gABI chapter 4, "Symbol Table"). Big files have tens of thousands, so that names are slices of one decoded
 * string table, and fields are read from one view.
 */
import { decodeText, wordsOf } from '../bytes';
import { FormatError } from '../errors';
import * as C from './constants';

export interface ElfSymbol {
  readonly index: number;
  readonly name: string;
  readonly st_value: bigint;
  readonly st_size: number;
  readonly st_info: number;
  /** STT_ number: low 4 bits of st_info. */
  readonly type: number;
  /** STB_ number: high 4 bits of st_info. */
  readonly binding: number;
  /** Section index, or SHN_ABS, SHN_COMMON ...; an SHN_XINDEX is already looked up. */
  readonly st_shndx: number;
  /** STV_ number. */
  readonly visibility: number;
}

export interface SymbolTable {
  /** Of the section, for errors. */
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly sh_entsize: number;
  readonly strings: Uint8Array;
  /** SHT_SYMTAB_SHNDX */
  readonly extendedIndices: Uint8Array | undefined;
  readonly extendedName: string;
  readonly is64: boolean;
  readonly littleEndian: boolean;
}

/** A string table without NUL would otherwise make reading all names quadratic in the file's size. */
const longestName = 0x10000;

/** Throws FormatError. */
export function readSymbolTable(table: SymbolTable): ElfSymbol[] {
  const { bytes, is64, littleEndian: le } = table;
  const size = is64 ? 24 : 16;
  const entry = table.sh_entsize === 0 ? size : table.sh_entsize;
  if (entry < size) throw new FormatError('bad-size', table.name, 0);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const names = new NameReader(table.strings);
  const count = Math.floor(bytes.length / entry);
  const symbols: ElfSymbol[] = [];
  for (let index = 0; index < count; index++) {
    const at = index * entry;
    // The two classes order the fields differently: 64-bit has st_info, st_other, st_shndx before value and size.
    const rest = is64 ? at + 4 : at + 12;
    const st_name = view.getUint32(at, le);
    const name = names.at(st_name);
    if (name === undefined && st_name !== 0) throw new FormatError('bad-string', table.name, at + size);
    const st_info = view.getUint8(rest);
    const st_shndx = view.getUint16(rest + 2, le);
    symbols.push({
      index,
      name: name ?? '',
      st_value: is64 ? view.getBigUint64(at + 8, le) : BigInt(view.getUint32(at + 4, le)),
      st_size: is64 ? Number(view.getBigUint64(at + 16, le)) : view.getUint32(at + 8, le),
      st_info,
      type: st_info & 0xf,
      binding: st_info >> 4,
      st_shndx: st_shndx === C.SHN_XINDEX ? extendedIndex(table, index) : st_shndx,
      visibility: view.getUint8(rest + 1) & 3,
    });
  }
  return symbols;
}

/** The same table without an object for each symbol: for those who look at all of them and need few. */
export class SymbolColumns {
  readonly count: number;
  readonly strings: Uint8Array;
  readonly view: DataView;
  readonly littleEndian: boolean;
  /** Bytes of an entry, and where its fields are (the classes have them in different orders). */
  readonly entry: number;
  readonly infoAt: number;
  readonly valueAt: number;
  private lazyWords: { readonly value: Uint32Array | undefined } | undefined;

  /** Throws FormatError where the table has no entries of its class. */
  constructor(private readonly table: SymbolTable) {
    const { bytes, is64, sh_entsize } = table;
    const size = is64 ? 24 : 16;
    this.entry = sh_entsize === 0 ? size : sh_entsize;
    if (this.entry < size) throw new FormatError('bad-size', table.name, 0);
    this.infoAt = is64 ? 4 : 12;
    this.valueAt = is64 ? 8 : 4;
    this.strings = table.strings;
    this.littleEndian = table.littleEndian;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.count = Math.floor(bytes.length / this.entry);
  }

  /** Of the 32-bit class all entries as words, four each: name, value, size, and the rest; undefined: entries are of another size. */
  get words(): Uint32Array | undefined {
    const { bytes, littleEndian } = this.table;
    this.lazyWords ??= { value: this.entry === 16 && !this.table.is64 ? wordsOf(bytes, littleEndian) : undefined };
    return this.lazyWords.value;
  }

  /** Throws FormatError where a name begins outside of the strings, or the table of section numbers is too short. */
  check(): void {
    const { words, count } = this;
    if (words === undefined || this.table.extendedIndices !== undefined) {
      for (let index = 0; index < count; index++) if (this.nameOffset(index) !== 0) this.section(index);
      return;
    }
    const { length } = this.strings;
    for (let index = 0, at = 0; index < count; index++, at += 4) if (words[at] >= length) this.nameOffset(index);
  }

  /** Beyond 2^53 rounded. */
  roughValue(index: number): number {
    const at = index * this.entry + this.valueAt;
    return this.table.is64
      ? Number(this.view.getBigUint64(at, this.littleEndian))
      : this.view.getUint32(at, this.littleEndian);
  }

  value(index: number): bigint {
    const { is64 } = this.table;
    return is64
      ? this.view.getBigUint64(index * this.entry + this.valueAt, this.littleEndian)
      : BigInt(this.roughValue(index));
  }

  size(index: number): number {
    const { is64, littleEndian } = this.table;
    const at = index * this.entry;
    return is64 ? Number(this.view.getBigUint64(at + 16, littleEndian)) : this.view.getUint32(at + 8, littleEndian);
  }

  /** STT_ number. */
  type(index: number): number {
    return this.view.getUint8(index * this.entry + this.infoAt) & 0xf;
  }

  /** STB_ number. */
  binding(index: number): number {
    return this.view.getUint8(index * this.entry + this.infoAt) >> 4;
  }

  /** As in ElfSymbol. */
  section(index: number): number {
    const section = this.view.getUint16(index * this.entry + this.infoAt + 2, this.littleEndian);
    return section === C.SHN_XINDEX ? extendedIndex(this.table, index) : section;
  }

  /** SHN_ABS, SHN_COMMON and others that are no section. */
  isReserved(index: number): boolean {
    const section = this.view.getUint16(index * this.entry + this.infoAt + 2, this.littleEndian);
    return section >= C.SHN_LORESERVE && section !== C.SHN_XINDEX;
  }

  /** Offset in the string table. */
  nameOffset(index: number): number {
    const name = this.view.getUint32(index * this.entry, this.littleEndian);
    if (name >= this.strings.length && name !== 0) {
      throw new FormatError('bad-string', this.table.name, index * this.entry);
    }
    return name;
  }

  name(index: number): string {
    const start = this.nameOffset(index);
    const limit = Math.min(this.strings.length, start + longestName);
    let end = start;
    while (end < limit && this.strings[end] !== 0) end++;
    return decodeText(this.strings.subarray(start, end));
  }
}

function extendedIndex({ extendedIndices, extendedName, littleEndian }: SymbolTable, index: number): number {
  if (extendedIndices === undefined) return C.SHN_XINDEX;
  const { buffer, byteOffset, byteLength } = extendedIndices;
  if (index * 4 + 4 > byteLength) throw new FormatError('truncated', extendedName, index * 4);
  return new DataView(buffer, byteOffset, byteLength).getUint32(index * 4, littleEndian);
}

const ascii = new TextDecoder('latin1');

class NameReader {
  /** All of the table; undefined = it has more than ASCII. */
  private readonly text: string | undefined;

  constructor(private readonly strings: Uint8Array) {
    if (strings.every((byte) => byte < 0x80)) this.text = ascii.decode(strings);
  }

  /** Up to NUL or the table's end; undefined = outside. */
  at(start: number): string | undefined {
    const { strings, text } = this;
    if (start >= strings.length) return undefined;
    const limit = Math.min(strings.length, start + longestName);
    let end = start;
    while (end < limit && strings[end] !== 0) end++;
    return text === undefined ? decodeText(strings.subarray(start, end)) : text.slice(start, end);
  }
}
