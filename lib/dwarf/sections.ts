/**
 * The .debug_* sections that one program's debug information consists of, by name, as bytes that are already
 * inflated and relocated to link addresses. Every reader of lib/dwarf gets its bytes here, so that an absent section
 * reads as an empty one and an error names the section.
 */
import {
  type ByteSource,
  type ByteWindow,
  bytesOf,
  type FindBytes,
  findBytes,
  Passing,
  Pieces,
  Scratch,
  WholeBytes,
} from '../byte-source';
import { ByteReader, stringIn } from '../bytes';
import { FormatError } from '../errors';
import { RawCursor } from './raw-cursor';
import { machineRegisters, type MachineRegisters } from './regnum';

export interface DwarfOptions {
  readonly littleEndian: boolean;
  readonly addressSize: 4 | 8;
  /** e_machine of the ELF file. */
  readonly machine: number;
  /** Link address of .eh_frame, to which its pointers are relative. */
  readonly ehFrameAddress?: bigint;
  /** Where problems are noted with those of others. */
  readonly problems?: string[];
}

const nothing = new WholeBytes(new Uint8Array(0));

/** Of these a little is read in many places far apart: the beginnings of units, short lists. Of others, what is read lies together. */
const scattered: ReadonlySet<string> = new Set([
  '.debug_info',
  '.debug_line',
  '.debug_rnglists',
  '.debug_ranges',
  '.debug_loclists',
  '.debug_loc',
]);
const scatteredPiece = 0x200;
const usualPiece = 0x4000;
/** What is passed over as a whole is read so much at a time. */
const passedAtOnce = 0x10000;

export class DwarfSections {
  readonly littleEndian: boolean;
  readonly addressSize: 4 | 8;
  readonly registers: MachineRegisters;
  /** What could not be read, in order of discovery, without repetition. */
  readonly problems: string[];
  private readonly sources = new Map<string, ByteSource>();
  private readonly whole = new Map<string, Uint8Array>();
  private readonly scratch = new Scratch();
  /** A linker makes one text of all that are equal: they are decoded once. */
  private readonly strings = new Map<string, Map<number, string>>();

  constructor(byName: ReadonlyMap<string, Uint8Array | ByteSource>, options: DwarfOptions) {
    this.littleEndian = options.littleEndian;
    this.addressSize = options.addressSize;
    this.registers = machineRegisters(options.machine);
    this.problems = options.problems ?? [];
    for (const [name, data] of byName) {
      const isWhole = data instanceof Uint8Array;
      const piece = scattered.has(name) ? scatteredPiece : usualPiece;
      this.sources.set(name, isWhole ? new WholeBytes(data) : new Pieces(data, piece));
    }
  }

  /** All of a section. */
  bytes(name: string): Uint8Array {
    let bytes = this.whole.get(name);
    if (bytes === undefined) {
      const source = this.source(name);
      this.whole.set(name, (bytes = bytesOf(source, 0, source.length)));
    }
    return bytes;
  }

  sizeOf(name: string): number {
    return this.source(name).length;
  }

  has(name: string): boolean {
    return this.sizeOf(name) > 0;
  }

  /** Bytes of a section that hold [start, end), which must be inside of it. */
  window(name: string, start: number, end: number): ByteWindow {
    return this.source(name).window(start, end);
  }

  /** A reader of one section at `offset`, which must be inside of it. */
  reader(name: string, offset = 0, end?: number): ByteReader {
    const source = this.source(name);
    checkOffset(name, offset, source.length);
    return new ByteReader(source, this.littleEndian, name, offset, end);
  }

  /** The same for all of the section, from its beginning; views of what it reads do not stay as they are. */
  passingReader(name: string): ByteReader {
    const source = this.source(name);
    const isWhole = source instanceof WholeBytes;
    return new ByteReader(isWhole ? source : new Passing(source, passedAtOnce), this.littleEndian, name);
  }

  /** For going over a range once, before the next one is gone over: without an end the section is read whole, and stays. */
  cursor(name: string, offset: number, end?: number): RawCursor {
    const { length } = this.source(name);
    checkOffset(name, offset, end ?? length);
    if (end !== undefined && end > length) throw new FormatError('bad-offset', name, end);
    const bytes =
      end === undefined ? this.bytes(name).subarray(offset) : bytesOf(this.source(name), offset, end, this.scratch);
    return new RawCursor(bytes, this.littleEndian, name, offset);
  }

  /** The string at `offset` of .debug_str or .debug_line_str. */
  string(name: string, offset: number): string {
    let known = this.strings.get(name);
    if (known === undefined) this.strings.set(name, (known = new Map()));
    let text = known.get(offset);
    if (text === undefined) {
      text = stringIn(this.source(name), offset);
      if (text === undefined) throw new FormatError('bad-string', name, offset);
      known.set(offset, text);
    }
    return text;
  }

  /** Whether a text occurs anywhere in a section. */
  contains(name: string, text: string): boolean {
    let isFound = false;
    this.search(name, new TextEncoder().encode(text), () => {
      isFound = true;
      return Infinity;
    });
    return isFound;
  }

  /** Visits all places of some bytes, with the byte behind them; the visitor may say where to go on. */
  search(name: string, wanted: Uint8Array, visit: SearchVisitor): void {
    this.searchEach(name, [{ wanted, visit }]);
  }

  /** The same for several, in one pass; the places of each are visited in order. */
  searchEach(name: string, all: readonly { readonly wanted: Uint8Array; readonly visit: SearchVisitor }[]): void {
    const known = this.whole.get(name);
    const source: ByteSource = known === undefined ? this.source(name) : new WholeBytes(known);
    const searches = all.filter(({ wanted }) => wanted.length > 0).map((one) => new Search(one.wanted, one.visit));
    const longest = Math.max(0, ...searches.map(({ wanted }) => wanted.length));
    for (let from = 0; from < source.length && searches.length > 0;) {
      const end = Math.min(from + Math.max(searchedAtOnce, 2 * longest), source.length);
      const bytes = bytesOf(source, from, end, this.scratch);
      for (const search of searches) search.goOn(bytes, from, end === source.length, source.find ?? findBytes);
      if (end === source.length) return;
      from = Math.min(...searches.map(({ next }) => next));
    }
  }

  private source(name: string): ByteSource {
    return this.sources.get(name) ?? nothing;
  }

  /** Runs `read`; a FormatError becomes a problem and `fallback`. Anything else is a defect of ours and passes. */
  guard<T>(what: string, read: () => T, fallback: T): T {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      this.report(`${what}: ${error.message}`);
      return fallback;
    }
  }

  /** At most 200 are kept: a damaged file would fill the memory with the consequences of one byte. */
  report(problem: string): void {
    if (this.problems.length < 200 && !this.problems.includes(problem)) this.problems.push(problem);
  }
}

/** Of what is searched, so much stays near the processor until all have looked at it. */
const searchedAtOnce = 0x40000;

type SearchVisitor = (offset: number, next: number | undefined) => number | undefined | void;

/** One of the searches of a pass. */
class Search {
  /** Where in the section it goes on. */
  next = 0;

  constructor(
    readonly wanted: Uint8Array,
    private readonly visit: SearchVisitor,
  ) {}

  goOn(bytes: Uint8Array, start: number, isLast: boolean, find: FindBytes): void {
    const { wanted } = this;
    // Of one at the very end the byte behind it is not there yet.
    const behind = isLast ? bytes.length - wanted.length + 1 : bytes.length - wanted.length;
    let at = this.next - start;
    while (at < behind) {
      at = find(bytes, wanted, at);
      if (at < 0 || at >= behind) break;
      const goOn = this.visit(start + at, bytes.at(at + wanted.length));
      at = Math.max(at + 1, (goOn ?? 0) - start);
    }
    this.next = Math.max(this.next, start + (at < 0 ? behind : Math.max(at, behind)));
  }
}

function checkOffset(section: string, offset: number, length: number): void {
  if (!Number.isSafeInteger(offset) || offset < 0 || offset > length) {
    throw new FormatError('bad-offset', section, Number.isFinite(offset) ? offset : 0);
  }
}

/** initial_length (7.4): 32-bit DWARF, or 0xffffffff and 64 bits. `offset` ends after it. */
export function readInitialLength(reader: ByteReader): { length: number; is64: boolean } {
  const start = reader.offset;
  const first = reader.u32();
  if (first < 0xfffffff0) return { length: first, is64: false };
  if (first !== 0xffffffff) throw new FormatError('bad-size', reader.section, start);
  return { length: toSafeNumber(reader.u64(), reader.section, start), is64: true };
}

/** An offset into another section: 4 bytes in 32-bit DWARF, 8 in 64-bit. */
export function readOffset(reader: ByteReader, is64: boolean): number {
  const start = reader.offset;
  return is64 ? toSafeNumber(reader.u64(), reader.section, start) : reader.u32();
}

export function toSafeNumber(value: bigint, section: string, offset: number): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER) || value < 0n) throw new FormatError('bad-size', section, offset);
  return Number(value);
}

/** A string offset table, address table or list table indexes fixed-size entries after a base. */
export function readTableEntry(
  sections: DwarfSections,
  section: string,
  base: number,
  index: number,
  size: number,
): bigint {
  const offset = base + index * size;
  if (!Number.isSafeInteger(offset) || offset + size > sections.sizeOf(section)) {
    throw new FormatError('bad-index', section, base);
  }
  return sections.reader(section, offset).unsigned(size);
}
