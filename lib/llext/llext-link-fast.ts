/**
 * Links one section when nobody wants to hear of each relocation: the relocation table and the symbols are read once, every symbol is resolved
 * once, and the section is patched in place, or in one copy of its bytes. What is not plain (an entry that fails or patches outside of
 * its section, a rule that asks the loader) is left to the entry-by-entry way of llext-link.ts, in its turn, so that
 * the result is the same in every case.
 */
import { SHN_LORESERVE, SHN_UNDEF, SHT_RELA } from '../elf/constants';
import { LlextError } from '../errors';
import * as X from './context';
import type { LoadContext } from './context';
import type { Rela, Shdr } from './elf-records';
import { SymCursor, elfSizes } from './elf-records';
import { isThumb } from './arch-elf-relocate';
import { loadBias } from './llext-dyn';
import { lookupSymbol } from './llext-link-symbol';
import type { LinkSymbols } from './link-symbols';
import { findRow, isAccepted, ruleOf, store } from './reloc/apply';
import { formulas } from './reloc/formula';
import type { Formula } from './reloc/formula';
import { relocatorFor } from './reloc/index';
import type { Relocator, Rule } from './reloc/relocator';

/** Below, one copy of the section costs more than it saves. */
const fewEntries = 4;
/** Beyond, a section's size is as likely absurd. */
const largestSection = 0x1000_0000n;
/** Entries that are left to the slow way; each may cost two copies of the section. */
const mostDelegated = 16;

interface Compiled {
  readonly rule: Rule;
  readonly formula: Formula;
  readonly size: number;
  /** T is a letter of its own. */
  readonly hasT: boolean;
  /** X is that of another relocation. */
  readonly isPaired: boolean;
}

/** Another way to link the entry: 0 or a negative errno. */
export type LinkOne = (relocation: Rela) => number;

/** What the table says of an entry, without making an object of it. */
class Entries {
  private readonly view: DataView;
  readonly count: number;

  constructor(
    bytes: Uint8Array,
    private readonly entsize: number,
    private readonly word: 4 | 8,
    private readonly littleEndian: boolean,
    private readonly hasAddend: boolean,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.count = Math.floor(bytes.byteLength / entsize);
  }

  /** Beyond 2^53 it is no offset in any section. */
  offset(j: number): number {
    const at = j * this.entsize;
    if (this.word === 4) return this.view.getUint32(at, this.littleEndian);
    return Number(this.view.getBigUint64(at, this.littleEndian));
  }

  type(j: number): number {
    const at = j * this.entsize;
    if (this.word === 4) return this.view.getUint32(at + 4, this.littleEndian) & 0xff;
    return this.view.getUint32(at + (this.littleEndian ? 8 : 12), this.littleEndian);
  }

  symbol(j: number): number {
    const at = j * this.entsize;
    if (this.word === 4) return this.view.getUint32(at + 4, this.littleEndian) >>> 8;
    return this.view.getUint32(at + (this.littleEndian ? 12 : 8), this.littleEndian);
  }

  addend32(j: number): number {
    return this.hasAddend ? this.view.getInt32(j * this.entsize + 8, this.littleEndian) : 0;
  }

  addend64(j: number): bigint {
    return this.hasAddend ? this.view.getBigInt64(j * this.entsize + 16, this.littleEndian) : 0n;
  }

  entry(j: number): Rela {
    const wide = this.word === 8;
    return {
      r_offset: wide ? this.view.getBigUint64(j * this.entsize, this.littleEndian) : BigInt(this.offset(j)),
      type: this.type(j),
      symbolIndex: this.symbol(j),
      r_addend: wide ? this.addend64(j) : BigInt(this.addend32(j)),
    };
  }
}

/** undefined = nothing was done: the slow way is to do all of it. */
export function linkSectionFast(
  context: LoadContext,
  section: Shdr,
  target: Shdr,
  linkOne: LinkOne,
): number | undefined {
  const { subsystem, guest } = context;
  const { arch, pointerSize } = subsystem.config;
  const relocator = relocatorFor(arch, pointerSize);
  if (subsystem.tellsRelocations || relocator === undefined || target.sh_size > largestSection) return undefined;
  const entries = readEntries(context, section, target);
  const symbols = entries && readSymbols(context);
  if (entries === undefined || symbols === undefined || !X.canSpend(context, entries.count)) return undefined;
  const address = X.loadedSectPtr(context, section.sh_info);
  const whole =
    guest.memory.view?.(guest.wrap(address), Number(target.sh_size)) ??
    guest.memory.readPrefix(guest.wrap(address), Number(target.sh_size));
  // Memory that ends within the section: only what is patched need be there.
  if (whole.length < Number(target.sh_size)) return undefined;
  X.spend(context, entries.count);
  return new SectionLinker(context, {
    section,
    relocator,
    entries,
    symbols,
    linkOne,
    address,
    bytes: whole,
  }).run();
}

/** undefined = few, or not all there, or patching may change the tables. */
function readEntries({ ldr, guest, regions }: LoadContext, section: Shdr, target: Shdr): Entries | undefined {
  const { sh_offset, sh_size, sh_entsize } = section;
  if (sh_size < BigInt(fewEntries) * sh_entsize) return undefined;
  if (ldr.storage === 'writable') {
    const end = target.sh_offset + target.sh_size;
    const tables = [section, ldr.state.sects[regions.SYMTAB], ldr.state.sects[regions.STRTAB]];
    if (tables.some((table) => table.sh_offset < end && target.sh_offset < table.sh_offset + table.sh_size))
      return undefined;
  }
  const bytes = ldr.slice?.(sh_offset, sh_size);
  if (bytes === undefined) return undefined;
  const hasAddend = section.sh_type === SHT_RELA;
  return new Entries(bytes, Number(sh_entsize), guest.pointerSize, guest.littleEndian, hasAddend);
}

function readSymbols(context: LoadContext): LinkSymbols | undefined {
  const { ldr, guest, regions } = context;
  if (context.linkSymbols !== undefined) return context.linkSymbols;
  const { sh_offset, sh_size } = ldr.state.sects[regions.SYMTAB];
  const bytes = ldr.slice?.(sh_offset, sh_size);
  if (bytes === undefined) return undefined;
  const count = Math.floor(bytes.length / elfSizes(guest.pointerSize).sym);
  return (context.linkSymbols = {
    cursor: new SymCursor(bytes, guest.pointerSize, guest.littleEndian),
    count,
    S32: new Int32Array(guest.pointerSize === 4 ? count : 0),
    S64: new BigInt64Array(count),
    state: new Uint8Array(count),
  });
}

const unknown = 0;
const known = 1;
const knownThumb = 2;

interface SectionWork {
  readonly section: Shdr;
  readonly relocator: Relocator;
  readonly entries: Entries;
  readonly symbols: LinkSymbols;
  readonly linkOne: LinkOne;
  readonly address: bigint;
  readonly bytes: Uint8Array;
}

class SectionLinker {
  private readonly place: { view: DataView; at: number; littleEndian: boolean };
  private readonly compiled = new Map<number, Compiled | undefined>();
  private readonly B: bigint;
  private readonly wide: boolean;
  private pairs: Map<number, number | undefined> | undefined;
  private delegated = 0;

  constructor(
    private readonly context: LoadContext,
    private readonly work: SectionWork,
  ) {
    const { guest } = context;
    this.wide = guest.pointerSize === 8;
    this.place = {
      view: new DataView(work.bytes.buffer, work.bytes.byteOffset, work.bytes.byteLength),
      at: 0,
      littleEndian: guest.littleEndian,
    };
    this.B = loadBias(context);
  }

  run(): number {
    const { entries, linkOne } = this.work;
    const { collectsLinkErrors } = this.context.profile;
    let first = 0;
    for (let j = 0; j < entries.count; j++) {
      if (this.delegated > mostDelegated) {
        const ret = linkOne(entries.entry(j));
        if (ret !== 0 && first === 0) first = ret;
      } else if (!this.apply(j)) {
        const ret = this.delegate(j);
        if (ret !== 0 && first === 0) first = ret;
      }
      if (first !== 0 && !collectsLinkErrors) return first;
    }
    if (this.delegated <= mostDelegated) this.flush();
    return first;
  }

  private flush(): void {
    if (!this.isInPlace()) this.context.guest.write(this.work.address, this.work.bytes);
  }

  /** Whether the bytes at hand are still the memory itself. */
  private isInPlace(): boolean {
    const { address, bytes } = this.work;
    const { guest } = this.context;
    const now = guest.memory.view?.(guest.wrap(address), bytes.length);
    return now?.buffer === bytes.buffer && now.byteOffset === bytes.byteOffset;
  }

  /** What the slow way does may depend on all before, and change any byte. */
  private delegate(j: number): number {
    const { entries, linkOne, address, bytes } = this.work;
    this.flush();
    this.delegated++;
    const ret = linkOne(entries.entry(j));
    if (ret === 0 && entries.offset(j) >= bytes.length) {
      // It may have hit the tables: nothing that was read before is sure any more.
      this.context.linkSymbols = undefined;
      this.delegated = mostDelegated + 1;
    }
    if (!this.isInPlace()) bytes.set(this.context.guest.bytes(address, bytes.length));
    return ret;
  }

  /** false = this entry is not plain, and nothing was done. */
  private apply(j: number): boolean {
    const { entries, bytes, symbols } = this.work;
    const compiled = this.compiledFor(entries.type(j));
    const offset = entries.offset(j);
    if (compiled === undefined || offset + Math.max(compiled.size, 1) > bytes.length) return false;
    const source = compiled.isPaired ? this.pairOf(entries.symbol(j)) : j;
    if (source === undefined) return false;
    const symbol = entries.symbol(source);
    if (symbol >= symbols.count) return false;
    if (symbols.state[symbol] === unknown && !this.resolve(source, symbol)) return false;
    this.place.at = offset;
    const result =
      this.wide || compiled.rule.field.write64 !== undefined
        ? this.value64(source, compiled)
        : this.value32(source, compiled);
    if (!isAccepted(compiled.rule, result)) return false;
    store(compiled.rule, this.place, result);
    return true;
  }

  /** Index of the one relocation that applies where the label points; undefined = none, or several. */
  private pairOf(label: number): number | undefined {
    const { entries, symbols, relocator } = this.work;
    if (label >= symbols.count) return undefined;
    if (this.pairs === undefined) {
      this.pairs = new Map();
      for (let j = 0; j < entries.count; j++) {
        if (relocator.pairTypes?.includes(entries.type(j)) !== true) continue;
        this.pairs.set(entries.offset(j), this.pairs.has(entries.offset(j)) ? undefined : j);
      }
    }
    symbols.cursor.index = label;
    const pair = this.pairs.get(Number(symbols.cursor.st_value));
    if (pair !== undefined) this.context.lastPair = pair;
    return pair;
  }

  /** undefined = unknown, or it needs more than its letters. */
  private compiledFor(type: number): Compiled | undefined {
    const { compiled, context } = this;
    if (compiled.has(type)) return compiled.get(type);
    const { relocator } = this.work;
    const { mode = 'exact' } = context.subsystem.config;
    const row = findRow(relocator, type, context.profile.profileName);
    const rule = row?.abiByPlace === undefined ? ruleOf(row, mode) : undefined;
    const isPlain = rule !== undefined && rule.refusal === undefined && rule.formula !== 'Loaded(V)';
    const result = isPlain
      ? {
          rule,
          formula: formulas[rule.formula],
          size: rule.field.size,
          hasT: rule.formula.includes('T'),
          isPaired: rule.formula === 'X(HI20 at S)',
        }
      : undefined;
    if (result !== undefined && row?.assumed === true) context.subsystem.assumedRelocations.add(row.name);
    compiled.set(type, result);
    return result;
  }

  private resolve(j: number, index: number): boolean {
    const { context } = this;
    const { symbols, section, entries } = this.work;
    symbols.cursor.index = index;
    let S: bigint | number;
    try {
      S = this.definedSymbol() ?? lookupSymbol(context, section, entries.entry(j), symbols.cursor);
    } catch (error) {
      // The slow way will meet it too.
      if (error instanceof LlextError) return false;
      throw error;
    }
    if (typeof S === 'number') return false;
    const { st_shndx, st_value } = symbols.cursor;
    if (index > 0 && isOrdinary(st_shndx)) this.sectionBases.set(st_shndx, S - st_value);
    if (!this.wide) symbols.S32[index] = Number(BigInt.asIntN(32, S));
    symbols.S64[index] = BigInt.asIntN(this.wide ? 64 : 32, S);
    symbols.state[index] = isThumb(context, symbols.cursor, S) ? knownThumb : known;
    return true;
  }

  /** S - st_value of the symbols of a section: the same for all of them. */
  private readonly sectionBases = new Map<number, bigint>();

  private definedSymbol(): bigint | undefined {
    const { st_shndx, st_value } = this.work.symbols.cursor;
    const base = this.sectionBases.get(st_shndx);
    return base === undefined ? undefined : this.context.guest.wrap(base + st_value);
  }

  private readonly letters32 = { S: 0, A: 0, P: 0, B: 0, V: 0, T: 0 };

  private value32(j: number, { rule, formula, hasT, isPaired }: Compiled): number {
    const { letters32: letters, place } = this;
    const { entries, symbols, relocator, address } = this.work;
    const symbol = entries.symbol(j);
    const V = formula.usesV || relocator.addendInPlace ? (rule.field.read?.(place) ?? 0) : 0;
    letters.V = V;
    letters.A = relocator.addendInPlace ? V : entries.addend32(j);
    letters.T = hasT && symbols.state[symbol] === knownThumb ? 1 : 0;
    letters.S = symbols.S32[symbol] - letters.T;
    letters.P = (Number(address) + (isPaired ? entries.offset(j) : place.at)) | 0;
    letters.B = Number(BigInt.asIntN(32, this.B));
    return (isPaired ? letters.S + letters.A - letters.P : formula.word32(letters)) | 0;
  }

  private readonly letters64 = { S: 0n, A: 0n, P: 0n, B: 0n, V: 0n, T: 0n };

  private value64(j: number, { rule, formula, hasT, isPaired }: Compiled): bigint {
    const { letters64: letters, place, wide } = this;
    const { entries, symbols, relocator, address } = this.work;
    const symbol = entries.symbol(j);
    const readsPlace = formula.usesV || relocator.addendInPlace;
    const V = readsPlace ? (rule.field.read64?.(place) ?? BigInt(rule.field.read?.(place) ?? 0)) : 0n;
    letters.V = V;
    letters.A = relocator.addendInPlace ? V : wide ? entries.addend64(j) : BigInt(entries.addend32(j));
    letters.T = hasT && symbols.state[symbol] === knownThumb ? 1n : 0n;
    letters.S = symbols.S64[symbol] - letters.T;
    letters.P = BigInt.asIntN(wide ? 64 : 32, address + BigInt(isPaired ? entries.offset(j) : place.at));
    letters.B = BigInt.asIntN(wide ? 64 : 32, this.B);
    return BigInt.asIntN(64, isPaired ? letters.S + letters.A - letters.P : formula.word64(letters));
  }
}

function isOrdinary(st_shndx: number): boolean {
  return st_shndx !== SHN_UNDEF && st_shndx < SHN_LORESERVE;
}
