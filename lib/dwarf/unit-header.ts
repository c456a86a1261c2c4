/**
 * Headers of the units of .debug_info and .debug_types (7.5.1): what version and sizes a unit has, and where it ends. All of a section
 * are read at once, because each says where the next one is; nearly all are of one shape, which is read without a reader.
 */
import type { ByteReader } from '../bytes';
import { FormatError } from '../errors';
import { UnitType } from './constants';
import { readInitialLength, readOffset, type DwarfSections } from './sections';

export interface UnitHeader {
  readonly section: '.debug_info' | '.debug_types';
  readonly offset: number;
  /** One past its last byte. */
  readonly end: number;
  readonly version: number;
  readonly is64: boolean;
  readonly addressSize: 4 | 8;
  readonly unitType: number;
  readonly abbrevOffset: number;
  /** Offset in the section of the first entry. */
  readonly firstDie: number;
  /** DW_UT_type: signature, and offset in the section of the entry that describes the type. */
  readonly signature: bigint | undefined;
  readonly typeDie: number | undefined;
  /** DW_UT_skeleton, DW_UT_split_compile: what the two have in common. */
  readonly dwoId: bigint | undefined;
}

function readUnitHeader(reader: ByteReader, section: UnitHeader['section']): UnitHeader {
  const offset = reader.offset;
  const { length, is64 } = readInitialLength(reader);
  const end = reader.offset + length;
  if (end > reader.end) throw new FormatError('bad-size', section, offset);
  const version = reader.u16();
  if (version < 2 || version > 5) throw new FormatError('bad-version', section, offset, `DWARF version ${version}`);
  let unitType: number = section === '.debug_types' ? UnitType.DW_UT_type : UnitType.DW_UT_compile;
  let abbrevOffset: number;
  let addressSize: number;
  if (version >= 5) {
    unitType = reader.u8();
    addressSize = reader.u8();
    abbrevOffset = readOffset(reader, is64);
  } else {
    abbrevOffset = readOffset(reader, is64);
    addressSize = reader.u8();
  }
  if (addressSize !== 4 && addressSize !== 8) {
    throw new FormatError('bad-size', section, offset, `address size ${addressSize}`);
  }
  let signature: bigint | undefined;
  let typeDie: number | undefined;
  let dwoId: bigint | undefined;
  if (unitType === UnitType.DW_UT_type || unitType === UnitType.DW_UT_split_type) {
    signature = reader.u64();
    typeDie = offset + readOffset(reader, is64);
  } else if (unitType === UnitType.DW_UT_skeleton || unitType === UnitType.DW_UT_split_compile) {
    dwoId = reader.u64();
  }
  const firstDie = reader.offset;
  return {
    section,
    offset,
    end,
    version,
    is64,
    addressSize,
    unitType,
    abbrevOffset,
    firstDie,
    signature,
    typeDie,
    dwoId,
  };
}

/** Of a unit of 32-bit DWARF that is no type unit and not split: the longest, of version 5. */
const plainHeader = 12;

/** A damaged header ends the section, as its length is lost. */
export function readUnitHeaders(sections: DwarfSections, section: UnitHeader['section']): UnitHeader[] {
  const headers: UnitHeader[] = [];
  const size = sections.sizeOf(section);
  const readAll = (): void => {
    for (let at = 0; at < size;) {
      const header = readPlain(sections, section, at, size) ?? readUnitHeader(sections.reader(section, at), section);
      headers.push(header);
      at = header.end;
    }
  };
  sections.guard(section, readAll, undefined);
  return headers;
}

/** undefined: it has another shape, or is damaged. */
function readPlain(
  sections: DwarfSections,
  section: UnitHeader['section'],
  offset: number,
  size: number,
): UnitHeader | undefined {
  if (section !== '.debug_info' || offset + plainHeader > size) return undefined;
  const { littleEndian } = sections;
  const { start, bytes } = sections.window(section, offset, offset + plainHeader);
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset - start, plainHeader);
  const length = view.getUint32(0, littleEndian);
  const end = offset + 4 + length;
  const version = view.getUint16(4, littleEndian);
  const isNew = version === 5;
  const addressSize = view.getUint8(isNew ? 7 : 10);
  if (length >= 0xfffffff0 || end > size || length < plainHeader || version < 2 || version > 5) return undefined;
  if (isNew && view.getUint8(6) !== UnitType.DW_UT_compile) return undefined;
  if (addressSize !== 4 && addressSize !== 8) return undefined;
  return {
    section,
    offset,
    end,
    version,
    is64: false,
    addressSize,
    unitType: UnitType.DW_UT_compile,
    abbrevOffset: view.getUint32(isNew ? 8 : 6, littleEndian),
    firstDie: offset + (isNew ? 12 : 11),
    signature: undefined,
    typeDie: undefined,
    dwoId: undefined,
  };
}
