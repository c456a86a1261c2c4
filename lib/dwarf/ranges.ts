/**
 * Address ranges of entries (2.17): DW_AT_low_pc with DW_AT_high_pc, .debug_ranges of DWARF 2 to 4 (DWARF 4, 2.17.3),
 * .debug_rnglists of DWARF 5 (7.25). Empty ranges are left out; the order is the producer's.
 */
import type { ByteReader } from '../bytes';
import { FormatError } from '../errors';
import { At, Form, Rle } from './constants';
import type { Die } from './die';
import { losesSizes, lostEnd } from './lost-sizes';
import type { AddressRange } from './model';
import { readTableEntry } from './sections';
import type { Unit } from './unit';

/** A list that was not written by a compiler may go on for its whole section. */
const mostEntries = 1 << 20;

export function rangesOf(die: Die): readonly AddressRange[] {
  if (die.has(At.DW_AT_ranges)) return rangeList(die);
  const { unit } = die;
  const start = die.address(At.DW_AT_low_pc);
  if (start === undefined) return [];
  const high = die.attribute(At.DW_AT_high_pc);
  if (high === undefined) return [];
  // A constant is the size (DWARF 4 and later), an address the end.
  const size = die.constant(At.DW_AT_high_pc);
  const code = (address: bigint): bigint => unit.context.sections.registers.codeAddress(address);
  if (size === 0n && losesSizes(unit)) return nonEmpty(code(start), lostEnd(die, code(start)));
  const end = size === undefined ? code(unit.addressOf(high)) : code(start) + size;
  return nonEmpty(code(start), end);
}

function nonEmpty(start: bigint, end: bigint): AddressRange[] {
  return start < end ? [{ start, end }] : [];
}

export function contains(ranges: readonly AddressRange[], address: bigint): boolean {
  return ranges.some((range) => range.start <= address && address < range.end);
}

function rangeList(die: Die): readonly AddressRange[] {
  const { unit } = die;
  const { sections } = unit.context;
  if (unit.version >= 5) return readRnglist(unit, sections.reader('.debug_rnglists', rnglistOffset(die)));
  const offset = die.sectionOffset(At.DW_AT_ranges);
  if (offset === undefined) throw new FormatError('bad-form', unit.section, die.offset);
  const base = die === unit.root ? 0 : (unit.skeleton ?? unit).base(At.DW_AT_GNU_ranges_base, undefined, 0);
  return readRanges(unit, sections.reader('.debug_ranges', base + offset));
}

/** DW_FORM_rnglistx goes through the table of offsets that DW_AT_rnglists_base points to. */
function rnglistOffset(die: Die): number {
  const { unit } = die;
  const attribute = die.attribute(At.DW_AT_ranges);
  if (attribute?.form === Form.DW_FORM_rnglistx && typeof attribute.value === 'number') {
    const size = unit.header.is64 ? 8 : 4;
    const base = unit.base(At.DW_AT_rnglists_base, undefined, unit.header.is64 ? 20 : 12);
    return base + Number(readTableEntry(unit.context.sections, '.debug_rnglists', base, attribute.value, size));
  }
  const offset = die.sectionOffset(At.DW_AT_ranges);
  if (offset === undefined) throw new FormatError('bad-form', unit.section, die.offset);
  return offset;
}

/** .debug_ranges: pairs of offsets from a base, that an entry beginning with the largest address replaces. */
function readRanges(unit: Unit, reader: ByteReader): readonly AddressRange[] {
  const size = unit.addressSize;
  const selection = (1n << BigInt(8 * size)) - 1n;
  const ranges: AddressRange[] = [];
  let base = unit.baseAddress;
  for (let n = 0; n < mostEntries; n++) {
    const start = reader.unsigned(size);
    const end = reader.unsigned(size);
    if (start === 0n && end === 0n) return ranges;
    if (start === selection) base = end;
    else ranges.push(...nonEmpty(base + start, base + end));
  }
  throw new FormatError('bad-size', reader.section, reader.offset);
}

/** .debug_rnglists: each entry says of which kind it is. */
function readRnglist(unit: Unit, reader: ByteReader): readonly AddressRange[] {
  const ranges: AddressRange[] = [];
  let base = unit.baseAddress;
  const address = (): bigint => reader.unsigned(unit.addressSize);
  const indexed = (): bigint => unit.addressAt(reader.ulebNumber());
  for (let n = 0; n < mostEntries; n++) {
    const kind = reader.u8();
    let start: bigint;
    switch (kind) {
      case Rle.DW_RLE_end_of_list:
        return ranges;
      case Rle.DW_RLE_base_addressx:
        base = indexed();
        break;
      case Rle.DW_RLE_base_address:
        base = address();
        break;
      case Rle.DW_RLE_startx_endx:
        start = indexed();
        ranges.push(...nonEmpty(start, indexed()));
        break;
      case Rle.DW_RLE_startx_length:
        start = indexed();
        ranges.push(...nonEmpty(start, start + reader.uleb()));
        break;
      case Rle.DW_RLE_offset_pair:
        start = base + reader.uleb();
        ranges.push(...nonEmpty(start, base + reader.uleb()));
        break;
      case Rle.DW_RLE_start_end:
        start = address();
        ranges.push(...nonEmpty(start, address()));
        break;
      case Rle.DW_RLE_start_length:
        start = address();
        ranges.push(...nonEmpty(start, start + reader.uleb()));
        break;
      default:
        throw new FormatError('bad-opcode', reader.section, reader.offset - 1);
    }
  }
  throw new FormatError('bad-size', reader.section, reader.offset);
}
