/**
 * ELF symbols at link addresses. The mapping symbols of the Arm ELF specification ($t, $a, $d; 5.5.5) are no names
 * of anything and are hidden, but say what the bytes from there on are; RISC-V has $x and $d.
 * A large program has tens of thousands of symbols: they are numbers of their table's rows until somebody asks for one.
 */
import {
  EM_ARM,
  EM_RISCV,
  ET_REL,
  SHN_LORESERVE,
  SHN_UNDEF,
  SHN_XINDEX,
  STB_LOCAL,
  STT_FILE,
  STT_FUNC,
  STT_NOTYPE,
  STT_OBJECT,
  STT_SECTION,
} from '../elf/constants';
import { findBytes } from '../byte-source';
import type { ElfFile } from '../elf/elf-file';
import type { SymbolColumns } from '../elf/symbol-table';
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

export interface Neighbours {
  readonly before: bigint | undefined;
  readonly after: bigint | undefined;
}

/** `a`, `t`, `x` and `d` of a mapping symbol's name. */
const mappingKinds: ReadonlyMap<number, CodeKind> = new Map([
  [0x61, 'code'],
  [0x74, 'thumb'],
  [0x78, 'code'],
  [0x64, 'data'],
]);

/** What follows the letter: nothing, or a suffix after `.` (RISC-V: the ISA string, after `r` or `R` here). */
const mappingSuffixes: ReadonlySet<number> = new Set([0, 0x2e, 0x72, 0x52]);

/** Rows of the table by link address. */
class Rows {
  readonly count: number;
  /** Where all that they are sorted by fits into one number. */
  private readonly keys: Float64Array | undefined;
  private readonly rows: Uint32Array;
  private readonly addresses: Float64Array | undefined;

  constructor(rows: Uint32Array, reader: SymbolReader | undefined) {
    this.count = rows.length;
    // Numbers alone sort fast; comparing by a function costs more than everything else of an index.
    this.keys = reader?.keys(rows)?.sort();
    this.rows = rows;
    if (this.keys !== undefined || reader === undefined) return;
    this.rows = rows
      .slice()
      .sort((a, b) => compare(reader.address(a), reader.address(b)) || reader.rank(a) - reader.rank(b));
    this.addresses = Float64Array.from(this.rows, (row) => Number(reader.address(row)));
  }

  /** Number of a row. */
  at(index: number): number {
    return this.rows[this.keys === undefined ? index : this.keys[index] % rowUnit];
  }

  /** Beyond 2^53 rounded. */
  address(index: number): number {
    return this.keys === undefined
      ? (this.addresses?.[index] ?? 0)
      : Math.floor(this.keys[index] / (rankUnit * rowUnit));
  }

  /** Index of the first whose number is after that of an address. */
  after(address: number): number {
    let [low, high] = [0, this.count];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.address(middle) > address) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** Address, rank and position among the rows of a 32-bit program fit into one number. */
const rowUnit = 2 ** 19;
const rankUnit = 4;

/** So many questions are answered by going over all rows; who asks more is given an order of them. */
const mostPasses = 8;

export class SymbolIndex {
  private readonly reader: SymbolReader | undefined;
  private lazySelection: Selection | undefined;
  /** By link address; of several at one address, global before local and functions before others. */
  private lazyRows: Rows | undefined;
  private lazyMappings: Rows | undefined;
  private readonly made: ProgramSymbol[] = [];
  /** The highest end of this symbol and all before it: where a search backwards may stop. */
  private lazyReach: Float64Array | undefined;
  private lazySymbols: readonly ProgramSymbol[] | undefined;
  private lazyNames: ReadonlyMap<string, ProgramSymbol> | undefined;
  private passes = 0;

  /** Throws FormatError where the symbol table cannot be read. */
  constructor(elf: ElfFile | undefined, layout: LinkLayout) {
    const columns = elf?.symbolColumns();
    columns?.check();
    this.reader = elf && columns && new SymbolReader(elf, columns, layout);
  }

  get size(): number {
    return this.rows.count;
  }

  get isEmpty(): boolean {
    return this.reader?.hasSymbols !== true;
  }

  /** Whether all rows have been put in order. */
  get isOrdered(): boolean {
    return this.lazyRows !== undefined;
  }

  private get selection(): Selection {
    this.lazySelection ??= this.reader?.select() ?? { symbols: noRows, mappings: noRows };
    return this.lazySelection;
  }

  private get rows(): Rows {
    this.lazyRows ??= new Rows(this.selection.symbols, this.reader);
    return this.lazyRows;
  }

  /** All of them; who looks for one should ask for it. */
  get symbols(): readonly ProgramSymbol[] {
    this.lazySymbols ??= Array.from({ length: this.size }, (_, at) => this.symbol(at));
    return this.lazySymbols;
  }

  /** Functions of a name, or of names that pass; by link address. */
  functions(wanted: ((name: string) => boolean) & { readonly exact?: string }): readonly ProgramSymbol[] {
    const { reader } = this;
    if (wanted.exact === undefined || reader === undefined) {
      return this.symbols.filter(({ kind, name }) => kind === 'function' && wanted(name));
    }
    const named = this.passNamed(wanted.exact);
    if (named !== undefined) return named.filter(({ kind }) => kind === 'function');
    const text = new TextEncoder().encode(wanted.exact);
    const found: ProgramSymbol[] = [];
    for (let at = 0; at < this.size; at++) {
      const row = this.rows.at(at);
      if (reader.isNamed(row, text) && reader.kind(row) === 'function') found.push(this.symbol(at));
    }
    return found;
  }

  named(name: string): ProgramSymbol | undefined {
    const named = this.lazyNames === undefined ? this.passNamed(name) : undefined;
    if (named !== undefined) return named.find(({ global }) => global) ?? named.at(0);
    this.lazyNames ??= this.readNames();
    return this.lazyNames.get(name);
  }

  /** The symbol that covers a link address: one of known size that holds it, else the nearest sizeless one before. */
  at(address: bigint, sectionStart: bigint): { readonly symbol: ProgramSymbol; readonly offset: bigint } | undefined {
    const { reader } = this;
    if (reader?.canPass !== true || !this.mayPass()) return this.inOrder(address, sectionStart);
    const row = reader.covering(Number(address), Number(sectionStart));
    const symbol = row === undefined ? undefined : reader.describe(row);
    return symbol && { symbol, offset: address - symbol.address };
  }

  /** The same of rows in order. */
  private inOrder(
    address: bigint,
    sectionStart: bigint,
  ): { readonly symbol: ProgramSymbol; readonly offset: bigint } | undefined {
    const wanted = Number(address);
    let best: ProgramSymbol | undefined;
    const nearest = this.rows.after(wanted) - 1;
    for (let at = nearest; at >= 0; at--) {
      // Most addresses are in the nearest symbol; how far others reach is asked after that.
      if (this.rows.address(at) !== this.rows.address(nearest) && (best !== undefined || this.reachAt(at) < wanted))
        break;
      const symbol = this.symbol(at);
      if (symbol.address > address) continue;
      // Symbols at one address are in order of preference.
      if (symbol.address < (best?.address ?? sectionStart)) break;
      if (symbol.size === 0 || address - symbol.address < BigInt(symbol.size)) best = symbol;
    }
    return best && { symbol: best, offset: address - best.address };
  }

  private mayPass(): boolean {
    return this.lazyRows === undefined && ++this.passes <= mostPasses;
  }

  /** Those of a name, in order; undefined: the rows are in order, or have been gone over often enough. */
  private passNamed(name: string): readonly ProgramSymbol[] | undefined {
    const { reader } = this;
    if (reader?.canPass !== true || !this.mayPass()) return undefined;
    return reader.named(new TextEncoder().encode(name)).map((row) => reader.describe(row));
  }

  /** Addresses of the last symbol at or before an address, and of the first after it. */
  around(address: bigint): Neighbours {
    return this.neighbours(this.rows, address);
  }

  /** The same of mapping symbols. */
  mappingsAround(address: bigint): Neighbours {
    return this.neighbours(this.mappings, address);
  }

  private neighbours(rows: Rows, address: bigint): Neighbours {
    const next = rows.after(Number(address));
    const addressAt = (at: number): bigint | undefined =>
      at < 0 || at >= rows.count ? undefined : this.reader?.address(rows.at(at));
    return { before: addressAt(next - 1), after: addressAt(next) };
  }

  private get mappings(): Rows {
    this.lazyMappings ??= new Rows(this.selection.mappings, this.reader);
    return this.lazyMappings;
  }

  /** What the mapping symbols say of an address; undefined where there are none before it. */
  codeKindAt(address: bigint, sectionStart: bigint): CodeKind | undefined {
    const { reader, mappings } = this;
    for (let at = mappings.after(Number(address)) - 1; at >= 0; at--) {
      const row = mappings.at(at);
      const start = reader?.address(row) ?? 0n;
      if (start < sectionStart) break;
      if (start <= address) return reader?.mappingKind(row);
    }
    return undefined;
  }

  private symbol(at: number): ProgramSymbol {
    const { reader } = this;
    if (reader === undefined) throw new RangeError(`no symbol ${at}`);
    return (this.made[at] ??= reader.describe(this.rows.at(at)));
  }

  private readNames(): ReadonlyMap<string, ProgramSymbol> {
    const names = new Map<string, ProgramSymbol>();
    for (const symbol of this.symbols) {
      const known = names.get(symbol.name);
      if (known === undefined || (symbol.global && !known.global)) names.set(symbol.name, symbol);
    }
    return names;
  }

  private reachAt(at: number): number {
    this.lazyReach ??= this.reach();
    return this.lazyReach[at];
  }

  private reach(): Float64Array {
    const { rows } = this;
    const reach = new Float64Array(rows.count);
    let highest = 0;
    for (let at = 0; at < reach.length; at++) {
      const size = this.reader?.size(rows.at(at)) ?? 0;
      // One without a size goes on until the next one.
      reach[at] = highest = Math.max(highest, size === 0 ? Infinity : rows.address(at) + size);
    }
    return reach;
  }
}

const noRows = new Uint32Array(0);

interface Selection {
  readonly symbols: Uint32Array;
  readonly mappings: Uint32Array;
}

const dollar = 0x24;

/** Rows of one file's symbol table as what they mean at link addresses. */
class SymbolReader {
  private readonly isRelocatable: boolean;
  private readonly isArm: boolean;
  private readonly hasMappings: boolean;
  /** Link address of each section that symbols of it have one. */
  private readonly bases: (bigint | undefined)[];

  constructor(
    private readonly elf: ElfFile,
    private readonly columns: SymbolColumns,
    private readonly layout: LinkLayout,
  ) {
    const { e_type, e_machine } = elf.header;
    this.isRelocatable = e_type === ET_REL;
    this.isArm = e_machine === EM_ARM;
    this.hasMappings = e_machine === EM_ARM || e_machine === EM_RISCV;
    this.bases = elf.sections.map(({ index }) =>
      layout.boundIndex(elf, index) === undefined ? undefined : layout.addressIn(elf, index),
    );
  }

  select(): Selection {
    const { columns, bases, hasMappings } = this;
    const { count, strings, view, littleEndian, entry, infoAt } = columns;
    const rows = new Uint32Array(count);
    // Symbols from the front, mapping symbols from the back.
    let [symbols, mappings] = [0, count];
    for (let row = 0, at = 0; row < count; row++, at += entry) {
      const name = view.getUint32(at, littleEndian);
      const first = strings[name];
      // Outside of the strings: refused with words.
      if (first === undefined) columns.nameOffset(row);
      const index = view.getUint16(at + infoAt + 2, littleEndian);
      const section = index === SHN_XINDEX ? columns.section(row) : index;
      // 0 or nothing: no name.
      if (!first || section === SHN_UNDEF || bases[section] === undefined) continue;
      if (index >= SHN_LORESERVE && index !== SHN_XINDEX) continue;
      const type = view.getUint8(at + infoAt) & 0xf;
      if (type === STT_SECTION || type === STT_FILE) continue;
      // .LC0 and its like: labels of the compiler that RISC-V's assembler keeps for the linker. Clang's .L.str is an object.
      if (type === STT_NOTYPE && first === 0x2e && strings[name + 1] === 0x4c) continue;
      if (hasMappings && first === 0x24 && this.mappingKind(row) !== undefined) rows[--mappings] = row;
      else rows[symbols++] = row;
    }
    return { symbols: rows.slice(0, symbols), mappings: rows.slice(mappings).reverse() };
  }

  /** Whether questions can be answered by going over the rows: they are words, and values are addresses. */
  get canPass(): boolean {
    return !this.isRelocatable && this.columns.words !== undefined;
  }

  get hasSymbols(): boolean {
    for (let row = 0; row < this.columns.count; row++) if (this.isSymbol(row)) return true;
    return false;
  }

  /** Whether select() takes it for a symbol. */
  private isSymbol(row: number): boolean {
    const { columns } = this;
    const name = columns.nameOffset(row);
    const first = columns.strings[name];
    const section = columns.section(row);
    const type = columns.type(row);
    if (!first || section === SHN_UNDEF || this.bases[section] === undefined || columns.isReserved(row)) return false;
    if (type === STT_SECTION || type === STT_FILE) return false;
    if (type === STT_NOTYPE && first === 0x2e && columns.strings[name + 1] === 0x4c) return false;
    return !this.hasMappings || first !== dollar || this.mappingKind(row) === undefined;
  }

  /** The row that at() means, found by one pass. */
  covering(wanted: number, from: number): number | undefined {
    const { hasMappings } = this;
    const { strings, count } = this.columns;
    const words = this.columns.words ?? noRows;
    let best: number | undefined;
    let [bestAddress, bestRank] = [from, Infinity];
    for (let row = 0, at = 0; row < count; row++, at += 4) {
      const value = words[at + 1];
      // Bit 0 of a Thumb function's value is not part of its address.
      if (value > wanted + 1 || value < bestAddress) continue;
      const size = words[at + 2];
      if (size !== 0 && value + size <= wanted) continue;
      // Nearly all of the rest are mapping symbols.
      if (hasMappings && size === 0 && strings[words[at]] === dollar && this.mappingKind(row) !== undefined) continue;
      const address = this.roughAddress(row);
      if (address > wanted || address < bestAddress || !this.isSymbol(row)) continue;
      if (size !== 0 && address + size <= wanted) continue;
      const rank = this.rank(row);
      if (address === bestAddress && rank >= bestRank) continue;
      [best, bestAddress, bestRank] = [row, address, rank];
    }
    return best;
  }

  /** Rows of a name, by address, found by one pass. */
  named(text: Uint8Array): number[] {
    const { strings, count } = this.columns;
    const words = this.columns.words ?? noRows;
    const names = new Set<number>();
    // A linker lets a name begin inside of a longer one that ends with it.
    const whole = Uint8Array.of(...text, 0);
    for (let at = findBytes(strings, whole, 0); at >= 0; at = findBytes(strings, whole, at + 1)) names.add(at);
    const rows: number[] = [];
    if (names.size === 0 || text.length === 0) return rows;
    const [only] = names.size === 1 ? names : [-1];
    for (let row = 0, at = 0; row < count; row++, at += 4) {
      const name = words[at];
      if ((name === only || (only < 0 && names.has(name))) && this.isSymbol(row)) rows.push(row);
    }
    return rows.sort((a, b) => this.roughAddress(a) - this.roughAddress(b) || this.rank(a) - this.rank(b));
  }

  /** What to sort rows by; undefined where it does not fit into numbers. */
  keys(rows: Uint32Array): Float64Array | undefined {
    if (rows.length > rowUnit) return undefined;
    const keys = new Float64Array(rows.length);
    for (let i = 0; i < rows.length; i++) {
      const address = this.roughAddress(rows[i]);
      if (address < 0 || address >= 2 ** 32) return undefined;
      keys[i] = (address * rankUnit + this.rank(rows[i])) * rowUnit + i;
    }
    return keys;
  }

  mappingKind(row: number): CodeKind | undefined {
    const { strings } = this.columns;
    const name = this.columns.nameOffset(row);
    if (strings[name] !== 0x24 || !mappingSuffixes.has(strings[name + 2] ?? 0)) return undefined;
    return mappingKinds.get(strings[name + 1]);
  }

  isNamed(row: number, text: Uint8Array): boolean {
    const { strings } = this.columns;
    const name = this.columns.nameOffset(row);
    if ((strings[name + text.length] ?? 0) !== 0) return false;
    for (let i = 0; i < text.length; i++) if (strings[name + i] !== text[i]) return false;
    return true;
  }

  address(row: number): bigint {
    const stored = this.columns.value(row);
    const value = this.isThumb(row) ? stored & ~1n : stored;
    // In a linked file values are addresses already.
    return this.isRelocatable ? (this.bases[this.columns.section(row)] ?? 0n) + value : value;
  }

  size(row: number): number {
    return this.columns.size(row);
  }

  /** 0 to 3: which of several at one address comes first. */
  rank(row: number): number {
    return (this.kind(row) === 'notype' ? 2 : 0) + (this.isGlobal(row) ? 0 : 1);
  }

  describe(row: number): ProgramSymbol {
    return {
      name: this.columns.name(row),
      address: this.address(row),
      size: this.size(row),
      kind: this.kind(row),
      section: this.layout.boundIndex(this.elf, this.columns.section(row)) ?? 0,
      global: this.isGlobal(row),
      thumb: this.isThumb(row),
    };
  }

  kind(row: number): SymbolKind {
    const type = this.columns.type(row);
    return type === STT_FUNC ? 'function' : type === STT_OBJECT ? 'object' : 'notype';
  }

  /** Beyond 2^53 rounded. */
  private roughAddress(row: number): number {
    const stored = this.columns.roughValue(row);
    const value = this.isThumb(row) ? stored - 1 : stored;
    return this.isRelocatable ? Number(this.bases[this.columns.section(row)] ?? 0n) + value : value;
  }

  private isGlobal(row: number): boolean {
    return this.columns.binding(row) !== STB_LOCAL;
  }

  private isThumb(row: number): boolean {
    return this.isArm && this.columns.type(row) === STT_FUNC && this.columns.roughValue(row) % 2 === 1;
  }
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
