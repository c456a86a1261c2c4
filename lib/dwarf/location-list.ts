/**
 * Location descriptions of attributes (2.6): a single expression, or a list from .debug_loc (DWARF 2 to 4) or
 * .debug_loclists (DWARF 5, 7.29). Lists are unfolded to address ranges here; expressions stay bytes, which
 * expression.ts evaluates.
 */
import type { ByteReader } from '../bytes';
import { FormatError } from '../errors';
import { At, Form, Lle } from './constants';
import type { Die } from './die';
import { losesSizes, lostSize } from './lost-sizes';
import type { ExpressionBytes, LocationDescription } from './model';
import { readTableEntry } from './sections';
import type { Unit } from './unit';

type ListLocation = Extract<LocationDescription, { kind: 'list' }>;
type Entry = ListLocation['entries'][number];

const mostEntries = 1 << 20;

/** undefined: the entry has no such attribute, or it is of class constant. An empty expression means optimized out. */
export function locationOf(die: Die, name: number): LocationDescription | undefined {
  const attribute = die.attribute(name);
  if (attribute === undefined) return undefined;
  const { unit } = die;
  if (attribute.value instanceof Uint8Array) {
    if (attribute.value.length === 0) return undefined;
    return { kind: 'expression', expression: { bytes: attribute.value, unit } };
  }
  const offset = listOffset(die, name);
  if (offset === undefined) return undefined;
  const { sections } = unit.context;
  if (unit.version >= 5) return readLoclist(unit, sections.reader('.debug_loclists', offset));
  const reader = sections.reader('.debug_loc', offset);
  return unit.skeleton === undefined ? readLoc(unit, reader) : readSplitLoc(unit, reader);
}

function listOffset(die: Die, name: number): number | undefined {
  const { unit } = die;
  const attribute = die.attribute(name);
  if (attribute?.form === Form.DW_FORM_loclistx && typeof attribute.value === 'number') {
    const size = unit.header.is64 ? 8 : 4;
    const base = unit.base(At.DW_AT_loclists_base, undefined, unit.header.is64 ? 20 : 12);
    return base + Number(readTableEntry(unit.context.sections, '.debug_loclists', base, attribute.value, size));
  }
  return die.sectionOffset(name);
}

/** Collects the entries of one list. Empty ranges stay: one at the entry of a function tells what holds there. */
class ListBuilder {
  readonly entries: Entry[] = [];
  default: ExpressionBytes | undefined;

  constructor(private readonly unit: Unit) {}

  add(start: bigint, end: bigint, bytes: Uint8Array): void {
    if (start <= end) this.entries.push({ range: { start, end }, expression: { bytes, unit: this.unit } });
  }

  setDefault(bytes: Uint8Array): void {
    this.default = { bytes, unit: this.unit };
  }

  done(): ListLocation {
    return { kind: 'list', entries: this.entries, default: this.default };
  }
}

/** .debug_loc: pairs of offsets from a base, that an entry beginning with the largest address replaces (DWARF 4, 2.6.2). */
function readLoc(unit: Unit, reader: ByteReader): ListLocation {
  const size = unit.addressSize;
  const selection = (1n << BigInt(8 * size)) - 1n;
  const list = new ListBuilder(unit);
  let base = unit.baseAddress;
  for (let n = 0; n < mostEntries; n++) {
    const start = reader.unsigned(size);
    const end = reader.unsigned(size);
    if (start === 0n && end === 0n) return list.done();
    if (start === selection) base = end;
    else list.add(base + start, base + end, reader.take8(reader.u16()));
  }
  throw new FormatError('bad-size', reader.section, reader.offset);
}

/** .debug_loc.dwo before DWARF 5: the same kinds of entries as of .debug_loclists, with other sizes (GNU). */
function readSplitLoc(unit: Unit, reader: ByteReader): ListLocation {
  const list = new ListBuilder(unit);
  let base = unit.baseAddress;
  const indexed = (): bigint => unit.addressAt(reader.ulebNumber());
  for (let n = 0; n < mostEntries; n++) {
    const kind = reader.u8();
    if (kind === Lle.DW_LLE_end_of_list) return list.done();
    if (kind === Lle.DW_LLE_base_addressx) base = indexed();
    else if (kind === Lle.DW_LLE_startx_endx) list.add(indexed(), indexed(), reader.take8(reader.u16()));
    else if (kind === Lle.DW_LLE_startx_length) {
      const [start, length] = [indexed(), reader.u32()];
      if (length === 0 && losesSizes(unit)) throw lostSize(unit, 'ranges in location lists');
      list.add(start, start + BigInt(length), reader.take8(reader.u16()));
    } else if (kind === Lle.DW_LLE_offset_pair) {
      const [start, end] = [BigInt(reader.u32()), BigInt(reader.u32())];
      list.add(base + start, base + end, reader.take8(reader.u16()));
    } else throw new FormatError('bad-opcode', reader.section, reader.offset - 1);
  }
  throw new FormatError('bad-size', reader.section, reader.offset);
}

/** .debug_loclists: each entry says of which kind it is. */
function readLoclist(unit: Unit, reader: ByteReader): ListLocation {
  const list = new ListBuilder(unit);
  let base = unit.baseAddress;
  const address = (): bigint => reader.unsigned(unit.addressSize);
  const indexed = (): bigint => unit.addressAt(reader.ulebNumber());
  const block = (): Uint8Array => reader.take8(reader.ulebNumber());
  for (let n = 0; n < mostEntries; n++) {
    const kind = reader.u8();
    let start: bigint;
    let end: bigint;
    switch (kind) {
      case Lle.DW_LLE_end_of_list:
        return list.done();
      case Lle.DW_LLE_base_addressx:
        base = indexed();
        break;
      case Lle.DW_LLE_base_address:
        base = address();
        break;
      case Lle.DW_LLE_startx_endx:
        start = indexed();
        end = indexed();
        list.add(start, end, block());
        break;
      case Lle.DW_LLE_startx_length:
        start = indexed();
        end = start + reader.uleb();
        list.add(start, end, block());
        break;
      case Lle.DW_LLE_offset_pair:
        start = base + reader.uleb();
        end = base + reader.uleb();
        list.add(start, end, block());
        break;
      case Lle.DW_LLE_default_location:
        list.setDefault(block());
        break;
      case Lle.DW_LLE_start_end:
        start = address();
        end = address();
        list.add(start, end, block());
        break;
      case Lle.DW_LLE_start_length:
        start = address();
        end = start + reader.uleb();
        list.add(start, end, block());
        break;
      case Lle.DW_LLE_GNU_view_pair:
        reader.uleb();
        reader.uleb();
        break;
      default:
        throw new FormatError('bad-opcode', reader.section, reader.offset - 1);
    }
  }
  throw new FormatError('bad-size', reader.section, reader.offset);
}
