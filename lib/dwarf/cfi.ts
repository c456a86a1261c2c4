/**
 * Call-frame information (6.4.1): CIEs and FDEs of .debug_frame, and of .eh_frame, which differs (LSB 10.6): ids count
 * backwards from their own field, the augmentation describes pointer encodings, and a zero length ends the section.
 * The index over all FDEs is built at first use; instructions are executed in cfi-row.ts.
 */
import type { ByteReader } from '../bytes';
import { FormatError } from '../errors';
import { executeFde } from './cfi-row';
import { EhPe } from './constants';
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

/** FDEs in order, with the numbers between which their code may be. */
class FrameIndex {
  count = 0;
  /** Keys, as of CIEs. */
  readonly places: Float64Array;
  readonly starts: Float64Array;
  readonly ends: Float64Array;

  /** Memory that is not written costs nothing. */
  constructor(most: number) {
    this.places = new Float64Array(most);
    this.starts = new Float64Array(most);
    this.ends = new Float64Array(most);
  }

  add(place: number, start: number, end: number): void {
    if (start >= end) return;
    this.places[this.count] = place;
    this.starts[this.count] = start;
    this.ends[this.count++] = end;
  }
}

/** Bytes of the smallest entry: a length, and an offset or the end mark. */
const smallestEntry = 4;

export class FrameTable {
  private lazyFdes: readonly Fde[] | undefined;
  private lazyIndex: FrameIndex | undefined;
  private readonly cies = new Map<number, Cie>();
  private readonly plainCies = new Set<number>();
  private readonly opened = new Map<number, Fde | undefined>();
  private readonly tables = new Map<Fde, readonly CfiRow[]>();

  constructor(
    private readonly sections: DwarfSections,
    /** Link address of .eh_frame, for its pc-relative pointers. */
    private readonly ehFrameAddress: bigint | undefined = undefined,
  ) {}

  /** All FDEs, .debug_frame first. */
  get fdes(): readonly Fde[] {
    const { places, count } = this.index;
    this.lazyFdes ??= Array.from(places.subarray(0, count)).flatMap((place) => this.open(place) ?? []);
    return this.lazyFdes;
  }

  /** The row for pc; undefined where no FDE covers it, or where its instructions are damaged. */
  rowAt(pc: bigint): CfiRow | undefined {
    const wanted = Number(pc);
    const { places, starts, ends, count } = this.index;
    for (let n = 0; n < count; n++) {
      if (starts[n] > wanted || ends[n] < wanted) continue;
      const fde = this.open(places[n]);
      if (fde === undefined || pc < fde.range.start || pc >= fde.range.end) continue;
      return this.rows(fde).find(({ range }) => range.start <= pc && pc < range.end);
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

  private get index(): FrameIndex {
    if (this.lazyIndex === undefined) {
      const bytes = frameSections.reduce((sum, section) => sum + this.sections.sizeOf(section), 0);
      const index = (this.lazyIndex = new FrameIndex(Math.ceil(bytes / smallestEntry)));
      for (const section of frameSections) {
        this.sections.guard(section, () => this.indexSection(section, index), undefined);
      }
    }
    return this.lazyIndex;
  }

  private indexSection(section: FrameSection, index: FrameIndex): void {
    const size = this.sections.sizeOf(section);
    for (let at = 0; at < size;) {
      if (section === '.debug_frame') at = this.indexPlainEntries(at, size, index);
      if (at < size) at = this.indexEntry(section, at, index);
    }
  }

  /** Any entry. Returns where the next one begins. */
  private indexEntry(section: FrameSection, at: number, index: FrameIndex): number {
    const reader = this.sections.reader(section, at);
    const { length } = readInitialLength(reader);
    const end = reader.offset + length;
    if (end > reader.end) throw new FormatError('bad-size', section, at);
    const range = length === 0 ? undefined : this.open(entryKey(section, at))?.range;
    if (range !== undefined) index.add(entryKey(section, at), Number(range.start), Number(range.end));
    return end;
  }

  /**
   * CIEs without augmentation, and FDEs whose addresses are words in place, as nearly all of .debug_frame are: without objects, some
   * of the section at a time. Returns where another entry begins, or one that goes beyond what was looked at.
   */
  private indexPlainEntries(start: number, size: number, index: FrameIndex): number {
    const { littleEndian } = this.sections;
    const { bytes } = this.sections.cursor('.debug_frame', start, Math.min(start + indexedAtOnce, size));
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const shortest = 12;
    let at = 0;
    let lastCie = -1;
    while (at + 4 + shortest <= bytes.length) {
      const length = view.getUint32(at, littleEndian);
      const end = at + 4 + length;
      if (length < shortest || end > bytes.length) break;
      const cie = view.getUint32(at + 4, littleEndian);
      if (cie === 0xffffffff) {
        if (this.isPlainCie(view, at + 8)) this.plainCies.add(start + at);
        else break;
      } else {
        if (cie !== lastCie && !this.plainCies.has(cie)) break;
        lastCie = cie;
        const low = view.getUint32(at + 8, littleEndian);
        const count = view.getUint32(at + 12, littleEndian);
        // Bit 0 of a Thumb function's address may be set.
        if (count > 0) index.add(entryKey('.debug_frame', start + at), Math.max(low - 1, 0), low + count);
      }
      at = end;
    }
    return start + at;
  }

  /** From the version on: addresses of 4 bytes, and no augmentation that says how they are written. */
  private isPlainCie(view: DataView, at: number): boolean {
    const version = view.getUint8(at);
    if (view.getUint8(at + 1) !== 0) return false;
    if (version === 1 || version === 3) return this.sections.addressSize === 4;
    return version === 4 && view.getUint8(at + 2) === 4 && view.getUint8(at + 3) === 0;
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
const indexedAtOnce = 0x10000;

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
