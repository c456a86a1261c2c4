/** Range lists and location lists: every kind of entry of DWARF 5, and the lists of DWARF 2 to 4 with base selection. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { At, Form, Lle, Rle, Tag } from '../lib/dwarf/constants';
import { DebugInfo } from '../lib/dwarf/debug-info';
import type { LocationDescription } from '../lib/dwarf/model';
import { rangesOf } from '../lib/dwarf/ranges';
import type { Unit } from '../lib/dwarf/unit';
import { buildUnit, Bytes, type BuiltAttribute } from './support/dwarf-builder';

function open(attributes: readonly BuiltAttribute[], version: number, sections: Record<string, Uint8Array>): DebugInfo {
  const function_ = {
    tag: Tag.DW_TAG_subprogram,
    attributes: [
      [At.DW_AT_name, Form.DW_FORM_string, 'f'] as const,
      [At.DW_AT_low_pc, Form.DW_FORM_addr, 0x1000] as const,
      [At.DW_AT_high_pc, Form.DW_FORM_addr, 0x9000] as const,
    ],
    children: [
      { tag: Tag.DW_TAG_variable, attributes: [[At.DW_AT_name, Form.DW_FORM_string, 'v'] as const, ...attributes] },
    ],
  };
  const { info, abbrev } = buildUnit(
    {
      tag: Tag.DW_TAG_compile_unit,
      attributes: [
        [At.DW_AT_low_pc, Form.DW_FORM_addr, 0x1000],
        [At.DW_AT_addr_base, Form.DW_FORM_sec_offset, 8],
        [At.DW_AT_rnglists_base, Form.DW_FORM_sec_offset, 12],
        [At.DW_AT_loclists_base, Form.DW_FORM_sec_offset, 12],
      ],
      children: [function_],
    },
    { version },
  );
  const addr = new Bytes().sized(false, (body) => body.u16(5).u8(4).u8(0).u32(0x4000).u32(0x5000)).array;
  const all = { '.debug_info': info, '.debug_abbrev': abbrev, '.debug_addr': addr, ...sections };
  return new DebugInfo(new Map(Object.entries(all)), { littleEndian: true, addressSize: 4, machine: 40 });
}

/** A contribution of .debug_rnglists or .debug_loclists with one list, and the table of offsets before it. */
function listSection(list: Bytes): Uint8Array {
  return new Bytes().sized(false, (body) => body.u16(5).u8(4).u8(0).u32(1).u32(4).append(list.array)).array;
}

function variableRanges(debug: DebugInfo): string[] {
  const die = [...(debug.units[0] as Unit).dies.values()].find(({ tag }) => tag === Tag.DW_TAG_variable);
  assert.ok(die);
  return rangesOf(die).map(({ start, end }) => `${start.toString(16)}-${end.toString(16)}`);
}

function spell(location: LocationDescription | undefined): string {
  if (location === undefined) return 'none';
  const bytes = ({ bytes: code }: { bytes: Uint8Array }): string => Buffer.from(code).toString('hex');
  if (location.kind === 'expression') return bytes(location.expression);
  const entries = location.entries.map(
    ({ range, expression }) => `${range.start.toString(16)}-${range.end.toString(16)}:${bytes(expression)}`,
  );
  return [...entries, ...(location.default === undefined ? [] : [`default:${bytes(location.default)}`])].join(' ');
}

function variableLocation(debug: DebugInfo): string {
  return spell(debug.functions()[0].scope.variables[0].location);
}

const rangeEntries: Readonly<Record<keyof typeof Rle, readonly [write: (list: Bytes) => Bytes, expected: string[]]>> = {
  DW_RLE_end_of_list: [(list) => list, []],
  DW_RLE_base_addressx: [
    (list) => list.u8(Rle.DW_RLE_base_addressx).uleb(1).u8(Rle.DW_RLE_offset_pair).uleb(1).uleb(3),
    ['5001-5003'],
  ],
  DW_RLE_startx_endx: [(list) => list.u8(Rle.DW_RLE_startx_endx).uleb(0).uleb(1), ['4000-5000']],
  DW_RLE_startx_length: [(list) => list.u8(Rle.DW_RLE_startx_length).uleb(0).uleb(0x90), ['4000-4090']],
  DW_RLE_offset_pair: [(list) => list.u8(Rle.DW_RLE_offset_pair).uleb(0x10).uleb(0x20), ['1010-1020']],
  DW_RLE_base_address: [
    (list) => list.u8(Rle.DW_RLE_base_address).u32(0x7000).u8(Rle.DW_RLE_offset_pair).uleb(0).uleb(4),
    ['7000-7004'],
  ],
  DW_RLE_start_end: [(list) => list.u8(Rle.DW_RLE_start_end).u32(0x2000).u32(0x2008), ['2000-2008']],
  DW_RLE_start_length: [(list) => list.u8(Rle.DW_RLE_start_length).u32(0x2000).uleb(8), ['2000-2008']],
};

for (const [name, [write, expected]] of Object.entries(rangeEntries)) {
  test(`${name} of .debug_rnglists`, () => {
    const section = listSection(write(new Bytes()).u8(Rle.DW_RLE_end_of_list));
    const byIndex = open([[At.DW_AT_ranges, Form.DW_FORM_rnglistx, 0]], 5, { '.debug_rnglists': section });
    assert.deepEqual(variableRanges(byIndex), expected);
    const byOffset = open([[At.DW_AT_ranges, Form.DW_FORM_sec_offset, 16]], 5, { '.debug_rnglists': section });
    assert.deepEqual(variableRanges(byOffset), expected);
    assert.deepEqual(byOffset.problems, []);
  });
}

test('.debug_ranges with base selection, empty entries left out', () => {
  const section = new Bytes().u32(0x10).u32(0x20).u32(0x30).u32(0x30).u32(0xffffffff).u32(0x8000).u32(0).u32(4);
  const debug = open([[At.DW_AT_ranges, Form.DW_FORM_sec_offset, 0]], 4, {
    '.debug_ranges': section.u32(0).u32(0).array,
  });
  assert.deepEqual(variableRanges(debug), ['1010-1020', '8000-8004']);
});

const code = Uint8Array.of(0x50);
const locationEntries: Readonly<Record<keyof typeof Lle, readonly [write: (list: Bytes) => Bytes, expected: string]>> =
  {
    DW_LLE_end_of_list: [(list) => list, ''],
    DW_LLE_base_addressx: [
      (list) =>
        list.u8(Lle.DW_LLE_base_addressx).uleb(1).u8(Lle.DW_LLE_offset_pair).uleb(1).uleb(3).uleb(1).append(code),
      '5001-5003:50',
    ],
    DW_LLE_startx_endx: [
      (list) => list.u8(Lle.DW_LLE_startx_endx).uleb(0).uleb(1).uleb(1).append(code),
      '4000-5000:50',
    ],
    DW_LLE_startx_length: [
      (list) => list.u8(Lle.DW_LLE_startx_length).uleb(0).uleb(2).uleb(1).append(code),
      '4000-4002:50',
    ],
    DW_LLE_offset_pair: [
      (list) => list.u8(Lle.DW_LLE_offset_pair).uleb(0x10).uleb(0x20).uleb(1).append(code),
      '1010-1020:50',
    ],
    DW_LLE_default_location: [(list) => list.u8(Lle.DW_LLE_default_location).uleb(2).u8(0x91, 0), 'default:9100'],
    DW_LLE_base_address: [
      (list) =>
        list.u8(Lle.DW_LLE_base_address).u32(0x7000).u8(Lle.DW_LLE_offset_pair).uleb(0).uleb(4).uleb(1).append(code),
      '7000-7004:50',
    ],
    DW_LLE_start_end: [
      (list) => list.u8(Lle.DW_LLE_start_end).u32(0x2000).u32(0x2008).uleb(1).append(code),
      '2000-2008:50',
    ],
    DW_LLE_start_length: [
      (list) => list.u8(Lle.DW_LLE_start_length).u32(0x2000).uleb(8).uleb(1).append(code),
      '2000-2008:50',
    ],
    DW_LLE_GNU_view_pair: [
      (list) =>
        list
          .u8(Lle.DW_LLE_GNU_view_pair)
          .uleb(1)
          .uleb(200)
          .u8(Lle.DW_LLE_start_length)
          .u32(0)
          .uleb(8)
          .uleb(1)
          .append(code),
      '0-8:50',
    ],
  };

for (const [name, [write, expected]] of Object.entries(locationEntries)) {
  test(`${name} of .debug_loclists`, () => {
    const section = listSection(write(new Bytes()).u8(Lle.DW_LLE_end_of_list));
    const byIndex = open([[At.DW_AT_location, Form.DW_FORM_loclistx, 0]], 5, { '.debug_loclists': section });
    assert.equal(variableLocation(byIndex), expected);
    assert.equal(byIndex.hasLocationLists(byIndex.units[0]), true);
    const byOffset = open([[At.DW_AT_location, Form.DW_FORM_sec_offset, 16]], 5, { '.debug_loclists': section });
    assert.equal(variableLocation(byOffset), expected);
    assert.deepEqual(byOffset.problems, []);
  });
}

test('.debug_loc with base selection, by sec_offset and by the data4 of DWARF 3', () => {
  const list = new Bytes().u32(0x10).u32(0x20).u16(1).u8(0x50).u32(0xffffffff).u32(0x8000).u32(0).u32(4).u16(2);
  const section = list.u8(0x91, 0x10).u32(0).u32(0).array;
  for (const [form, version] of [
    [Form.DW_FORM_sec_offset, 4],
    [Form.DW_FORM_data4, 3],
  ]) {
    const debug = open([[At.DW_AT_location, form, 0]], version, { '.debug_loc': section });
    assert.equal(variableLocation(debug), '1010-1020:50 8000-8004:9110');
  }
});

test('an expression, an empty expression, an unknown kind of entry', () => {
  const at = (attribute: BuiltAttribute, list: Uint8Array = Uint8Array.of()): DebugInfo =>
    open([attribute], 5, { '.debug_loclists': list });
  assert.equal(variableLocation(at([At.DW_AT_location, Form.DW_FORM_exprloc, code])), '50');
  assert.equal(variableLocation(at([At.DW_AT_location, Form.DW_FORM_exprloc, Uint8Array.of()])), 'none');
  const damaged = at([At.DW_AT_location, Form.DW_FORM_sec_offset, 16], listSection(new Bytes().u8(0x77)));
  assert.deepEqual(damaged.functions()[0].scope.variables, []);
  assert.match(damaged.problems.join('\n'), /\.debug_loclists\+0x10/);
});
