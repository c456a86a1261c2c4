/** Every DW_FORM of the table, in 32- and 64-bit DWARF, both byte orders; and what the unit makes of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteReader } from '../lib/bytes';
import { readAttribute, type FormContext, type RawValue } from '../lib/dwarf/attribute';
import { At, Form, Tag } from '../lib/dwarf/constants';
import { DebugInfo } from '../lib/dwarf/debug-info';
import type { Unit } from '../lib/dwarf/unit';
import { FormatError } from '../lib/errors';
import { buildUnit, Bytes } from './support/dwarf-builder';

type FormName = keyof typeof Form;

/** Little-endian bytes in 32-bit DWARF 5 with 4-byte addresses, and the raw value. */
const encodings: Readonly<Record<FormName, readonly [bytes: readonly number[], value: RawValue]>> = {
  DW_FORM_addr: [[0x78, 0x56, 0x34, 0x12], 0x12345678n],
  DW_FORM_block2: [[2, 0, 7, 8], Uint8Array.of(7, 8)],
  DW_FORM_block4: [[1, 0, 0, 0, 9], Uint8Array.of(9)],
  DW_FORM_data2: [[0x34, 0x12], 0x1234n],
  DW_FORM_data4: [[0xff, 0xff, 0xff, 0xff], 0xffffffffn],
  DW_FORM_data8: [[1, 0, 0, 0, 0, 0, 0, 0x80], 0x8000000000000001n],
  DW_FORM_string: [[0x68, 0x69, 0], 'hi'],
  DW_FORM_block: [[3, 1, 2, 3], Uint8Array.of(1, 2, 3)],
  DW_FORM_block1: [[1, 0x55], Uint8Array.of(0x55)],
  DW_FORM_data1: [[0xff], 0xffn],
  DW_FORM_flag: [[1], true],
  DW_FORM_sdata: [[0x7f], -1n],
  DW_FORM_strp: [[4, 3, 2, 1], 0x01020304],
  DW_FORM_udata: [[0xe5, 0x8e, 0x26], 624485n],
  DW_FORM_ref_addr: [[1, 1, 0, 0], 0x101],
  DW_FORM_ref1: [[0x80], 0x80],
  DW_FORM_ref2: [[0, 0x80], 0x8000],
  DW_FORM_ref4: [[0, 0, 0, 0x80], 0x80000000],
  DW_FORM_ref8: [[1, 0, 0, 0, 1, 0, 0, 0], 0x100000001],
  DW_FORM_ref_udata: [[0x80, 1], 128],
  DW_FORM_indirect: [[Form.DW_FORM_data1, 7], 7n],
  DW_FORM_sec_offset: [[0x10, 0, 0, 0], 0x10],
  DW_FORM_exprloc: [[2, 0x91, 0x7c], Uint8Array.of(0x91, 0x7c)],
  DW_FORM_flag_present: [[], true],
  DW_FORM_strx: [[0x81, 1], 129],
  DW_FORM_addrx: [[5], 5],
  DW_FORM_ref_sup4: [[1, 2, 3, 4], 0x04030201],
  DW_FORM_strp_sup: [[1, 0, 0, 0], 1],
  DW_FORM_data16: [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    Uint8Array.from({ length: 16 }, (_, i) => i),
  ],
  DW_FORM_line_strp: [[2, 0, 0, 0], 2],
  DW_FORM_ref_sig8: [[8, 7, 6, 5, 4, 3, 2, 1], 0x0102030405060708n],
  DW_FORM_implicit_const: [[], -3n],
  DW_FORM_loclistx: [[1], 1],
  DW_FORM_rnglistx: [[2], 2],
  DW_FORM_ref_sup8: [[1, 0, 0, 0, 0, 0, 0, 0], 1],
  DW_FORM_strx1: [[0xfe], 0xfe],
  DW_FORM_strx2: [[1, 2], 0x201],
  DW_FORM_strx3: [[1, 2, 3], 0x30201],
  DW_FORM_strx4: [[1, 2, 3, 4], 0x4030201],
  DW_FORM_addrx1: [[0xfe], 0xfe],
  DW_FORM_addrx2: [[1, 2], 0x201],
  DW_FORM_addrx3: [[1, 2, 3], 0x30201],
  DW_FORM_addrx4: [[1, 2, 3, 4], 0x4030201],
  DW_FORM_GNU_addr_index: [[3], 3],
  DW_FORM_GNU_str_index: [[4], 4],
  DW_FORM_GNU_ref_alt: [[5, 0, 0, 0], 5],
  DW_FORM_GNU_strp_alt: [[6, 0, 0, 0], 6],
};

const dwarf32: FormContext = { version: 5, is64: false, addressSize: 4 };
const spec = (form: number) => ({ name: At.DW_AT_name, form, implicitConst: -3n });

for (const [name, form] of Object.entries(Form)) {
  test(`${name} is read`, () => {
    const [bytes, value] = encodings[name as FormName];
    const reader = new ByteReader(Uint8Array.from([...bytes, 0xaa]), true, '.debug_info');
    assert.deepEqual(readAttribute(reader, spec(form), dwarf32).value, value);
    assert.equal(reader.offset, bytes.length, 'consumed');
    for (let length = 0; length < bytes.length; length++) {
      const short = new ByteReader(Uint8Array.from(bytes.slice(0, length)), true, '.debug_info');
      assert.throws(() => readAttribute(short, spec(form), dwarf32), FormatError);
    }
  });
}

test('the table of encodings names every form', () => {
  assert.deepEqual(Object.keys(encodings).sort(), Object.keys(Form).sort());
});

test('offsets have 8 bytes in 64-bit DWARF, DW_FORM_ref_addr of DWARF 2 the size of an address', () => {
  const bytes = Uint8Array.of(1, 2, 0, 0, 0, 0, 0, 0);
  for (const form of [Form.DW_FORM_strp, Form.DW_FORM_sec_offset, Form.DW_FORM_ref_addr, Form.DW_FORM_line_strp]) {
    const reader = new ByteReader(bytes, true);
    assert.equal(readAttribute(reader, spec(form), { ...dwarf32, is64: true }).value, 0x201);
    assert.equal(reader.offset, 8);
  }
  const reader = new ByteReader(bytes, true);
  readAttribute(reader, spec(Form.DW_FORM_ref_addr), { version: 2, is64: false, addressSize: 8 });
  assert.equal(reader.offset, 8);
});

test('big-endian values', () => {
  const reader = new ByteReader(Uint8Array.of(0x12, 0x34, 1, 2, 3), false);
  assert.equal(readAttribute(reader, spec(Form.DW_FORM_data2), dwarf32).value, 0x1234n);
  assert.equal(readAttribute(reader, spec(Form.DW_FORM_strx3), dwarf32).value, 0x10203);
});

test('an unknown form, and an indirect one in an indirect one, are refused', () => {
  const reader = (bytes: number[]): ByteReader => new ByteReader(Uint8Array.from(bytes), true, '.debug_info');
  const isBadForm = (error: unknown): boolean => error instanceof FormatError && error.code === 'bad-form';
  assert.throws(() => readAttribute(reader([1]), spec(0x7f), dwarf32), isBadForm);
  assert.throws(
    () => readAttribute(reader([Form.DW_FORM_indirect, 1]), spec(Form.DW_FORM_indirect), dwarf32),
    isBadForm,
  );
});

function debugInfo(sections: Record<string, Uint8Array>, machine = 0): DebugInfo {
  return new DebugInfo(new Map(Object.entries(sections)), { littleEndian: true, addressSize: 4, machine });
}

test('strings and addresses by index and from every string section', () => {
  const debug_str = new Bytes().text('zero').text('one').array;
  const line_str = new Bytes().text('line').array;
  const str_offsets = new Bytes().sized(false, (body) => body.u16(5).u16(0).u32(0).u32(5)).array;
  const addr = new Bytes().sized(false, (body) => body.u16(5).u8(4).u8(0).u32(0x1000).u32(0x2000)).array;
  const { info, abbrev } = buildUnit({
    tag: Tag.DW_TAG_compile_unit,
    attributes: [
      [At.DW_AT_name, Form.DW_FORM_strx1, 1],
      [At.DW_AT_comp_dir, Form.DW_FORM_line_strp, 0],
      [At.DW_AT_producer, Form.DW_FORM_strp, 0],
      [At.DW_AT_low_pc, Form.DW_FORM_addrx, 1],
      [At.DW_AT_high_pc, Form.DW_FORM_data4, 0x10],
      [At.DW_AT_str_offsets_base, Form.DW_FORM_sec_offset, 8],
      [At.DW_AT_addr_base, Form.DW_FORM_sec_offset, 8],
    ],
  });
  const debug = debugInfo({
    ...{ '.debug_info': info, '.debug_abbrev': abbrev, '.debug_str': debug_str, '.debug_line_str': line_str },
    ...{ '.debug_str_offsets': str_offsets, '.debug_addr': addr },
  });
  const [unit] = debug.units;
  assert.deepEqual([unit.name, unit.compilationDirectory, unit.producer], ['one', 'line', 'zero']);
  assert.equal(debug.unitAt(0x200fn), unit);
  assert.equal(debug.unitAt(0x2010n), undefined);
  assert.deepEqual(debug.problems, []);
});

test('a supplementary file and split debug information are named as problems', () => {
  const { info, abbrev } = buildUnit({
    tag: Tag.DW_TAG_compile_unit,
    attributes: [
      [At.DW_AT_name, Form.DW_FORM_strp_sup, 1],
      [At.DW_AT_dwo_name, Form.DW_FORM_string, 'x.dwo'],
    ],
  });
  const debug = debugInfo({ '.debug_info': info, '.debug_abbrev': abbrev });
  assert.equal(debug.units[0].name, undefined);
  assert.match(debug.problems.join('\n'), /supplementary/);
  assert.match(debug.problems.join('\n'), /\.dwo/);
});

for (const version of [2, 3, 4, 5]) {
  for (const is64 of [false, true]) {
    test(`a unit header of DWARF ${version}, ${is64 ? 64 : 32}-bit`, () => {
      const { info, abbrev } = buildUnit(
        {
          tag: Tag.DW_TAG_compile_unit,
          attributes: [[At.DW_AT_name, Form.DW_FORM_string, 'a.c']],
          children: [{ tag: Tag.DW_TAG_base_type, attributes: [[At.DW_AT_name, Form.DW_FORM_string, 'int']] }],
        },
        { version, is64 },
      );
      const debug = debugInfo({ '.debug_info': new Bytes().append(info).append(info).array, '.debug_abbrev': abbrev });
      assert.deepEqual(debug.problems, []);
      assert.deepEqual(
        debug.units.map(({ name, version: read }) => [name, read]),
        [
          ['a.c', version],
          ['a.c', version],
        ],
      );
      assert.equal((debug.units[1] as Unit).dies.size, 2);
    });
  }
}
