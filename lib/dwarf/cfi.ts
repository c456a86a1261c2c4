/**
 * Call-frame information (6.4.1): CIEs and FDEs of .debug_frame, and of .eh_frame, which differs (LSB 10.6): ids count
 * backwards from their own field, the augmentation describes pointer encodings, and a zero length ends the section.
 * A section is looked through as far as a question needs, and what was seen is kept as stretches with the hull of their code: few
 * frames of a large program are ever asked for. The first of them are found by the bytes of the function's range (frame-search.ts).
 * Instructions are executed in cfi-row.ts.
 */
import { type ByteReader, wordsOf } from '../bytes';
import { FormatError } from '../errors';
import { executeFde } from './cfi-row';
import { EhPe } from './constants';
import { FrameSearch, isPlainCie } from './frame-search';
import type { AddressRange, CfiRow, ExpressionUnit } from './model';
import { readInitialLength, readOffset, type DwarfSections } from './sections';

export interface Cie {
  readonly version: number;
  readonly addressSize: 4 | 8;
  readonly codeAlignment: bigint;
  readonly dataAlignment: bigint;
  readonly returnAddressRegister: number;
  readonly signalFrame: boolean;
  /** Augmentation 'z': each FDE has augmentation data of its own. */
  readonly hasFdeAugmentation: boolean;
  readonly fdeEncoding: number;
  readonly instructions: ByteReader;
  /** For expressions in rules. */
  readonly unit: ExpressionUnit;
}

export interface Fde {
  readonly cie: Cie;
  readonly range: AddressRange;
  readonly instructions: ByteReader;
}

const frameSections = ['.debug_frame', '.eh_frame'] as const;
type FrameSection = (typeof frameSections)[number];

/** Entries side by side, and between which numbers the code of their FDEs may be. */
interface Stretch {
  readonly section: FrameSection;
  readonly start: number;
  readonly end: number;
  /** Whether words in place tell all of it; else it is one entry. */
  readonly isPlain: boolean;
  readonly low: number;
  readonly high: number;
}

const covers = ({ range }: Fde, pc: bigint): boolean => range.start <= pc && pc < range.end;

export class FrameTable {
  private lazyFdes: readonly Fde[] | undefined;
  private readonly stretches: Stretch[] = [];
  /** What is looked through next. */
  private section = 0;
  private position = 0;
  private readonly cies = new Map<number, Cie>();
  private readonly plainCies = new Set<number>();
  private readonly opened = new Map<number, Fde | undefined>();
  private readonly tables = new Map<Fde, readonly CfiRow[]>();
  private readonly search: FrameSearch;
  /** By the search. */
  private readonly found: Fde[] = [];

  constructor(
    private readonly sections: DwarfSections,
    /** Link address of .eh_frame, for its pc-relative pointers. */
    private readonly ehFrameAddress: bigint | undefined = undefined,
  ) {
    this.search = new FrameSearch(sections);
  }

  /** All FDEs, .debug_frame first. */
  get fdes(): readonly Fde[] {
    if (this.lazyFdes === undefined) {
      while (this.lookFurther());
      const places = this.stretches.flatMap((stretch) => this.placesIn(stretch));
      this.lazyFdes = places.flatMap((place) => this.open(place) ?? []);
    }
    return this.lazyFdes;
  }

  /** Bytes that were looked through. */
  get looked(): number {
    const before = frameSections.slice(0, this.section);
    return before.reduce((sum, section) => sum + this.sections.sizeOf(section), this.position);
  }

  /**
   * The row for pc; undefined where no FDE covers it, or where its instructions are damaged. `rangeOf` knows the code whose frame is
   * probably described together with pc's.
   */
  rowAt(pc: bigint, rangeOf?: () => AddressRange | undefined): CfiRow | undefined {
    const fde = this.foundBefore(pc) ?? (rangeOf && this.searchFde(pc, rangeOf)) ?? this.fdeAt(pc);
    return fde && this.rows(fde).find(({ range }) => range.start <= pc && pc < range.end);
  }

  /** The code that has its frame described together with pc's: of compilers' output, one function. */
  rangeAt(pc: bigint): AddressRange | undefined {
    return this.fdeAt(pc)?.range;
  }

  private foundBefore(pc: bigint): Fde | undefined {
    return this.found.find((fde) => covers(fde, pc));
  }

  /** Only in what has not been looked through. */
  private searchFde(pc: bigint, rangeOf: () => AddressRange | undefined): Fde | undefined {
    if (this.section > 0 || !this.search.isWorthwhile(this.position)) return undefined;
    const range = rangeOf();
    if (range === undefined) return undefined;
    const places = this.sections.guard('.debug_frame', () => this.search.placesOf(range), []);
    for (const place of places) {
      const fde = this.open(entryKey('.debug_frame', place));
      if (fde === undefined || !covers(fde, pc)) continue;
      this.found.push(fde);
      return fde;
    }
    return undefined;
  }

  private fdeAt(pc: bigint): Fde | undefined {
    const wanted = Number(pc);
    for (let n = 0; n < this.stretches.length || this.lookFurther(); n++) {
      // Looking further may have found nothing but CIEs.
      const stretch = this.stretches.at(n);
      if (stretch === undefined) n--;
      else if (stretch.low <= wanted && wanted <= stretch.high) {
        const fde = this.fdeIn(stretch, pc);
        if (fde !== undefined) return fde;
      }
    }
    return undefined;
  }

  private fdeIn(stretch: Stretch, pc: bigint): Fde | undefined {
    for (const place of this.placesIn(stretch, Number(pc))) {
      const fde = this.open(place);
      if (fde !== undefined && covers(fde, pc)) return fde;
    }
    return undefined;
  }

  /** The whole table of an FDE. */
  rows(fde: Fde): readonly CfiRow[] {
    let rows = this.tables.get(fde);
    if (rows === undefined) {
      const what = `call-frame information at 0x${fde.range.start.toString(16)}`;
      rows = this.sections.guard(what, () => executeFde(fde, this.sections.registers), []);
      this.tables.set(fde, rows);
    }
    return rows;
  }

  /** False: all of the sections has been looked through. What is damaged ends its section. */
  private lookFurther(): boolean {
    for (; this.section < frameSections.length; this.section++, this.position = 0) {
      const section = frameSections[this.section];
      const size = this.sections.sizeOf(section);
      const at = this.position;
      if (at >= size) continue;
      this.position = this.sections.guard(section, () => this.nextStretch(section, at, size), size);
      return true;
    }
    return false;
  }

  /** Returns where the one behind it begins. */
  private nextStretch(section: FrameSection, at: number, size: number): number {
    const end = section === '.debug_frame' ? this.plainStretch(at, size) : at;
    return end > at ? end : this.singleEntry(section, at);
  }

  /** Any entry. */
  private singleEntry(section: FrameSection, at: number): number {
    const reader = this.sections.reader(section, at);
    const { length } = readInitialLength(reader);
    const end = reader.offset + length;
    if (end > reader.end) throw new FormatError('bad-size', section, at);
    const range = length === 0 ? undefined : this.open(entryKey(section, at))?.range;
    if (range !== undefined) {
      const [low, high] = [Number(range.start), Number(range.end)];
      this.stretches.push({ section, start: at, end, isPlain: false, low, high });
    }
    return end;
  }

  /**
   * CIEs without augmentation, and FDEs whose addresses are words in place, as nearly all of .debug_frame are: without objects, some
   * of the section at a time. Returns where another entry begins, or one that goes beyond what was looked at.
   */
  private plainStretch(start: number, size: number): number {
    const { littleEndian } = this.sections;
    const { bytes } = this.sections.cursor('.debug_frame', start, Math.min(start + lookedAtOnce, size));
    const words = wordsOf(bytes, littleEndian);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = 0;
    let lastCie = -1;
    let [low, high] = [Infinity, 0];
    while (at + shortestPlain <= words.length) {
      const length = words[at];
      const end = at + 1 + (length >>> 2);
      if (length < 4 * (shortestPlain - 1) || length % 4 !== 0 || end > words.length) break;
      const cie = words[at + 1];
      if (cie === 0xffffffff) {
        if (!isPlainCie(view, 4 * at + 8, this.sections.addressSize)) break;
        this.plainCies.add(start + 4 * at);
      } else {
        if (cie !== lastCie && !this.plainCies.has(cie)) break;
        lastCie = cie;
        const first = words[at + 2];
        const behind = first + words[at + 3];
        // Bit 0 of a Thumb function's address may be set.
        if (first - 1 < low) low = first - 1;
        if (behind > high) high = behind;
      }
      at = end;
    }
    const end = start + 4 * at;
    if (high > 0) this.stretches.push({ section: '.debug_frame', start, end, isPlain: true, low, high });
    return end;
  }

  /** Keys of the FDEs of a stretch, or of those that may be of the code at an address. */
  private placesIn({ section, start, end, isPlain }: Stretch, wanted?: number): number[] {
    if (!isPlain) return [entryKey(section, start)];
    const words = wordsOf(this.sections.cursor(section, start, end).bytes, this.sections.littleEndian);
    const found: number[] = [];
    for (let at = 0; at < words.length; at += 1 + (words[at] >>> 2)) {
      if (words[at + 1] === 0xffffffff) continue;
      const first = words[at + 2];
      if (wanted === undefined || (first - 1 <= wanted && wanted <= first + words[at + 3])) {
        found.push(entryKey(section, start + 4 * at));
      }
    }
    return found;
  }

  /** undefined for a CIE, which is read when an FDE needs it, and for what is damaged. */
  private open(place: number): Fde | undefined {
    if (!this.opened.has(place)) {
      const section = place % 2 === 1 ? '.eh_frame' : '.debug_frame';
      const read = (): Fde | undefined => {
        const reader = this.sections.reader(section, Math.floor(place / 2));
        const { length, is64 } = readInitialLength(reader);
        return this.readEntry(reader.at(reader.offset, reader.offset + length), section, is64);
      };
      const fde = this.sections.guard(`${section} entry`, read, undefined);
      this.opened.set(place, fde === undefined || fde.range.start >= fde.range.end ? undefined : fde);
    }
    return this.opened.get(place);
  }

  private readEntry(entry: ByteReader, section: FrameSection, is64: boolean): Fde | undefined {
    const idOffset = entry.offset;
    const id = readOffset(entry, is64);
    let cieOffset: number;
    if (section === '.eh_frame') {
      if (id === 0) return undefined;
      cieOffset = idOffset - id;
    } else {
      if (id === 0xffffffff && !is64) return undefined;
      cieOffset = id;
    }
    const key = entryKey(section, cieOffset);
    let cie = this.cies.get(key);
    if (cie === undefined) {
      cie = this.readCie(section, cieOffset);
      this.cies.set(key, cie);
    }
    const start = this.sections.registers.codeAddress(this.pointer(entry, cie, section, cie.fdeEncoding));
    const length = this.pointer(entry, cie, section, cie.fdeEncoding & 0x0f);
    if (cie.hasFdeAugmentation) entry.skip(entry.ulebNumber());
    return { cie, range: { start, end: start + length }, instructions: entry };
  }

  /** Version 1 is DWARF 2's and .eh_frame's, 3 and 4 those of DWARF 3 to 5. */
  private readCie(section: FrameSection, offset: number): Cie {
    const whole = this.sections.reader(section, offset);
    const { length, is64 } = readInitialLength(whole);
    const reader = whole.at(whole.offset, whole.offset + length);
    if (whole.offset + length > whole.end) throw new FormatError('bad-size', section, offset);
    const id = is64 ? reader.u64() : BigInt(reader.u32());
    const expected = section === '.eh_frame' ? 0n : is64 ? 0xffffffffffffffffn : 0xffffffffn;
    if (id !== expected) throw new FormatError('bad-reference', section, offset, 'there is no CIE');
    const version = reader.u8();
    if (version !== 1 && version !== 3 && version !== 4) throw new FormatError('bad-version', section, offset);
    const augmentation = reader.cstring();
    let { addressSize } = this.sections;
    if (version >= 4) {
      const size = reader.u8();
      if (size !== 4 && size !== 8) throw new FormatError('bad-size', section, reader.offset);
      addressSize = size;
      reader.u8(); // segment selector size
    }
    const codeAlignment = reader.uleb();
    const dataAlignment = reader.sleb();
    const returnAddressRegister = version === 1 ? reader.u8() : reader.ulebNumber();
    const parsed = this.readAugmentation(reader, augmentation, section);
    const unit = cfiUnit(addressSize, this.sections.littleEndian, section);
    return {
      ...{ version, addressSize, codeAlignment, dataAlignment, returnAddressRegister, unit },
      ...parsed,
      instructions: reader,
    };
  }

  /** Only with 'z' is the length of unknown augmentation data known, so that it can be skipped. */
  private readAugmentation(
    reader: ByteReader,
    augmentation: string,
    section: FrameSection,
  ): Pick<Cie, 'signalFrame' | 'hasFdeAugmentation' | 'fdeEncoding'> {
    let fdeEncoding: number = EhPe.DW_EH_PE_absptr;
    let signalFrame = false;
    if (augmentation === '') return { signalFrame, hasFdeAugmentation: false, fdeEncoding };
    if (!augmentation.startsWith('z')) {
      throw new FormatError('bad-version', section, reader.offset, `the augmentation '${augmentation}' is not known`);
    }
    const length = reader.ulebNumber();
    const end = reader.offset + length;
    const data = reader.at(reader.offset, end);
    for (const letter of augmentation.slice(1)) {
      if (letter === 'R') fdeEncoding = data.u8();
      else if (letter === 'P') this.skipPointer(data, data.u8());
      else if (letter === 'L') data.u8();
      else if (letter === 'S') signalFrame = true;
      else if (letter !== 'B' && letter !== 'G') break; // The length says where it ends.
    }
    reader.skip(length);
    return { signalFrame, hasFdeAugmentation: true, fdeEncoding };
  }

  private skipPointer(reader: ByteReader, encoding: number): void {
    this.encoded(reader, this.sections.addressSize, encoding & 0x0f);
  }

  /** .debug_frame has absolute addresses only; .eh_frame usually counts from the field itself. */
  private pointer(reader: ByteReader, cie: Cie, section: FrameSection, encoding: number): bigint {
    const fieldOffset = reader.offset;
    const value = this.encoded(reader, cie.addressSize, encoding & 0x0f);
    const bits = cie.addressSize * 8;
    switch (encoding & 0x70) {
      case EhPe.DW_EH_PE_absptr:
        return BigInt.asUintN(bits, value);
      case EhPe.DW_EH_PE_pcrel:
        return BigInt.asUintN(bits, (this.ehFrameAddress ?? 0n) + BigInt(fieldOffset) + value);
      default:
        throw new FormatError('bad-form', section, fieldOffset, `pointer encoding 0x${encoding.toString(16)}`);
    }
  }

  private encoded(reader: ByteReader, addressSize: number, format: number): bigint {
    switch (format) {
      case EhPe.DW_EH_PE_absptr:
        return reader.unsigned(addressSize);
      case EhPe.DW_EH_PE_uleb128:
        return reader.uleb();
      case EhPe.DW_EH_PE_udata2:
        return BigInt(reader.u16());
      case EhPe.DW_EH_PE_udata4:
        return BigInt(reader.u32());
      case EhPe.DW_EH_PE_udata8:
        return reader.u64();
      case EhPe.DW_EH_PE_sleb128:
        return reader.sleb();
      case EhPe.DW_EH_PE_sdata2:
        return BigInt(reader.i16());
      case EhPe.DW_EH_PE_sdata4:
        return BigInt(reader.i32());
      case EhPe.DW_EH_PE_sdata8:
        return reader.i64();
      default:
        throw new FormatError('bad-form', reader.section, reader.offset, `pointer format ${format}`);
    }
  }
}

/** Of .debug_frame; the last entry in there may be cut off, and is looked at again. */
const lookedAtOnce = 0x10000;
/** Words of a CIE or an FDE. */
const shortestPlain = 4;

/** One number for an entry of either section. */
function entryKey(section: FrameSection, offset: number): number {
  return 2 * offset + (section === '.eh_frame' ? 1 : 0);
}

/** Expressions of frame rules may use neither types nor tables of a unit (6.4.2). */
function cfiUnit(addressSize: 4 | 8, littleEndian: boolean, section: string): ExpressionUnit {
  const refuse = (): never => {
    throw new FormatError('bad-opcode', section, 0, 'an expression of a frame rule refers to a unit');
  };
  return { addressSize, littleEndian, version: 5, addressAt: refuse, typeAt: refuse, locationOf: refuse };
}
