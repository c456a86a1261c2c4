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
  STB_LOCAL,
  STT_FILE,
  STT_FUNC,
  STT_NOTYPE,
  STT_OBJECT,
  STT_SECTION,
} from '../elf/constants';
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

/** `a`, `t`, `x` and `d` of a mapping symbol's name. */
const mappingKinds: ReadonlyMap<number, CodeKind> = new Map([
  [0x61, 'code'],
  [0x74, 'thumb'],
  [0x78, 'code'],
  [0x64, 'data'],
]);

/** What follows the letter: nothing, or a suffix after `.` (RISC-V: the ISA string, after `r` or `R` here). */
const mappingSuffixes: ReadonlySet<number> = new Set([0, 0x2e, 0x72, 0x52]);

/** What rows of the table are sorted by. */
interface RowOrder {
  /** Beyond 2^53 rounded. */
  roughAddress(row: number): number;
  /** 0 to 3: which of several at one address comes first. */
  rank(row: number): number;
  address(row: number): bigint;
}

/** Rows of the table by link address, with their addresses. */
class Rows {
  readonly addresses: Float64Array;
  readonly numbers: Uint32Array;

  constructor(rows: Uint32Array, order: RowOrder | undefined) {
    const addresses = new Float64Array(rows.length);
    if (order !== undefined) for (let i = 0; i < rows.length; i++) addresses[i] = order.roughAddress(rows[i]);
    const sorted = order === undefined ? rows.keys() : sortedIndices(rows, addresses, order);
    this.addresses = new Float64Array(rows.length);
    this.numbers = new Uint32Array(rows.length);
    let to = 0;
    for (const from of sorted) {
      this.addresses[to] = addresses[from];
      this.numbers[to++] = rows[from];
    }
  }

  /** Index of the first whose number is after that of an address. */
  after(address: number): number {
    let [low, high] = [0, this.addresses.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.addresses[middle] > address) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/**
 * Comparing by a function costs more than everything else of an index. Address, rank and index of 32-bit programs fit into
 * one number, and numbers alone sort fast.
 */
function sortedIndices(rows: Uint32Array, addresses: Float64Array, order: RowOrder): Uint32Array {
  const indices = new Uint32Array(rows.length);
  if (rows.length <= 2 ** 19 && addresses.every((address) => address >= 0 && address < 2 ** 32)) {
    const keys = addresses.map((address, i) => address * 2 ** 21 + order.rank(rows[i]) * 2 ** 19 + i).sort();
    for (let at = 0; at < keys.length; at++) indices[at] = keys[at] % 2 ** 19;
    return indices;
  }
  for (let i = 0; i < indices.length; i++) indices[i] = i;
  return indices.sort(
    (a, b) =>
      addresses[a] - addresses[b] ||
      compare(order.address(rows[a]), order.address(rows[b])) ||
      order.rank(rows[a]) - order.rank(rows[b]),
  );
}

export class SymbolIndex {
  private readonly reader: SymbolReader | undefined;
  /** By link address; of several at one address, global before local and functions before others. */
  private readonly rows: Rows;
  private readonly mappings: Rows;
  private readonly made: ProgramSymbol[] = [];
  /** The highest end of this symbol and all before it: where a search backwards may stop. */
  private lazyReach: Float64Array | undefined;
  private lazySymbols: readonly ProgramSymbol[] | undefined;
  private lazyNames: ReadonlyMap<string, ProgramSymbol> | undefined;

  /** Throws FormatError where the symbol table cannot be read. */
  constructor(elf: ElfFile | undefined, layout: LinkLayout) {
    const columns = elf?.symbolColumns();
    const reader = elf && columns && new SymbolReader(elf, columns, layout);
    this.reader = reader;
    const { symbols, mappings } = reader?.select() ?? { symbols: new Uint32Array(0), mappings: new Uint32Array(0) };
    this.rows = new Rows(symbols, reader);
    this.mappings = new Rows(mappings, reader);
  }

  get size(): number {
    return this.rows.numbers.length;
  }

  /** All of them; who looks for one should ask for it. */
  get symbols(): readonly ProgramSymbol[] {
    this.lazySymbols ??= Array.from(this.rows.numbers, (_, at) => this.symbol(at));
    return this.lazySymbols;
  }

  named(name: string): ProgramSymbol | undefined {
    this.lazyNames ??= this.readNames();
    return this.lazyNames.get(name);
  }

  /** The symbol that covers a link address: one of known size that holds it, else the nearest sizeless one before. */
  at(address: bigint, sectionStart: bigint): { readonly symbol: ProgramSymbol; readonly offset: bigint } | undefined {
    const wanted = Number(address);
    this.lazyReach ??= this.reach();
    let best: ProgramSymbol | undefined;
    for (let at = this.rows.after(wanted) - 1; at >= 0 && this.lazyReach[at] >= wanted; at--) {
      const symbol = this.symbol(at);
      if (symbol.address > address) continue;
      // Symbols at one address are in order of preference.
      if (symbol.address < (best?.address ?? sectionStart)) break;
      if (symbol.size === 0 || address - symbol.address < BigInt(symbol.size)) best = symbol;
    }
    return best && { symbol: best, offset: address - best.address };
  }

  /** What the mapping symbols say of an address; undefined where there are none before it. */
  codeKindAt(address: bigint, sectionStart: bigint): CodeKind | undefined {
    const { reader, mappings } = this;
    for (let at = mappings.after(Number(address)) - 1; at >= 0; at--) {
      const row = mappings.numbers[at];
      const start = reader?.address(row) ?? 0n;
      if (start < sectionStart) break;
      if (start <= address) return reader?.mappingKind(row);
    }
    return undefined;
  }

  private symbol(at: number): ProgramSymbol {
    const { reader } = this;
    if (reader === undefined) throw new RangeError(`no symbol ${at}`);
    return (this.made[at] ??= reader.describe(this.rows.numbers[at]));
  }

  private readNames(): ReadonlyMap<string, ProgramSymbol> {
    const names = new Map<string, ProgramSymbol>();
    for (const symbol of this.symbols) {
      const known = names.get(symbol.name);
      if (known === undefined || (symbol.global && !known.global)) names.set(symbol.name, symbol);
    }
    return names;
  }

  private reach(): Float64Array {
    let highest = 0;
    return this.rows.addresses.map((address, at) => {
      const size = this.reader?.size(this.rows.numbers[at]) ?? 0;
      // One without a size goes on until the next one.
      highest = Math.max(highest, size === 0 ? Infinity : address + size);
      return highest;
    });
  }
}

/** Rows of one file's symbol table as what they mean at link addresses. */
class SymbolReader implements RowOrder {
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

  select(): { symbols: Uint32Array; mappings: Uint32Array } {
    const { types, sections, names, strings, count } = this.columns;
    const rows = new Uint32Array(count);
    // Symbols from the front, mapping symbols from the back.
    let [symbols, mappings] = [0, count];
    for (let row = 0; row < count; row++) {
      const type = types[row];
      const section = sections[row];
      const name = names[row];
      if (type === STT_SECTION || type === STT_FILE || this.bases[section] === undefined) continue;
      if (section === SHN_UNDEF || section >= SHN_LORESERVE || name >= strings.length || strings[name] === 0) continue;
      // .LC0 and its like: labels of the compiler that RISC-V's assembler keeps for the linker. Clang's .L.str is an object.
      if (type === STT_NOTYPE && strings[name] === 0x2e && strings[name + 1] === 0x4c) continue;
      if (this.hasMappings && this.mappingKind(row) !== undefined) rows[--mappings] = row;
      else rows[symbols++] = row;
    }
    return { symbols: rows.subarray(0, symbols), mappings: rows.subarray(mappings).reverse() };
  }

  mappingKind(row: number): CodeKind | undefined {
    const { names, strings } = this.columns;
    const name = names[row];
    if (strings[name] !== 0x24 || !mappingSuffixes.has(strings[name + 2] ?? 0)) return undefined;
    return mappingKinds.get(strings[name + 1]);
  }

  /** Beyond 2^53 rounded. */
  roughAddress(row: number): number {
    const { values } = this.columns;
    const value = this.isThumb(row) ? values[row] - 1 : values[row];
    return this.isRelocatable ? Number(this.bases[this.columns.sections[row]] ?? 0n) + value : value;
  }

  address(row: number): bigint {
    const stored = this.columns.valueAt(row);
    const value = this.isThumb(row) ? stored & ~1n : stored;
    // In a linked file values are addresses already.
    return this.isRelocatable ? (this.bases[this.columns.sections[row]] ?? 0n) + value : value;
  }

  size(row: number): number {
    return this.columns.sizeAt(row);
  }

  rank(row: number): number {
    return (this.kind(row) === 'notype' ? 2 : 0) + (this.isGlobal(row) ? 0 : 1);
  }

  describe(row: number): ProgramSymbol {
    return {
      name: this.columns.nameAt(row),
      address: this.address(row),
      size: this.size(row),
      kind: this.kind(row),
      section: this.layout.boundIndex(this.elf, this.columns.sections[row]) ?? 0,
      global: this.isGlobal(row),
      thumb: this.isThumb(row),
    };
  }

  private kind(row: number): SymbolKind {
    const type = this.columns.types[row];
    return type === STT_FUNC ? 'function' : type === STT_OBJECT ? 'object' : 'notype';
  }

  private isGlobal(row: number): boolean {
    return this.columns.bindings[row] !== STB_LOCAL;
  }

  private isThumb(row: number): boolean {
    const { types, values } = this.columns;
    return this.isArm && types[row] === STT_FUNC && values[row] % 2 === 1;
  }
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
