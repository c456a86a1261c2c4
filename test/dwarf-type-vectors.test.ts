/** Types by hand: what compilers here do not emit, what a damaged file may contain, and how each is spelled in C. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalBaseName } from '../lib/dwarf/base-type-name';
import { At, Encoding, Form, Tag, UnitType } from '../lib/dwarf/constants';
import { DebugInfo } from '../lib/dwarf/debug-info';
import { stripType, type StructType, type Type } from '../lib/dwarf/model';
import { spellType } from '../lib/dwarf/type-name';
import { buildUnit, Bytes, type BuiltAttribute, type BuiltDie, type BuiltUnitOptions } from './support/dwarf-builder';

const named = (name: string): BuiltAttribute => [At.DW_AT_name, Form.DW_FORM_string, name];
const typed = (label: string): BuiltAttribute => [At.DW_AT_type, Form.DW_FORM_ref4, label];
const size = (bytes: number): BuiltAttribute => [At.DW_AT_byte_size, Form.DW_FORM_data1, bytes];

const base = (label: string, name: string, bytes: number, encoding: number): BuiltDie => ({
  tag: Tag.DW_TAG_base_type,
  label,
  attributes: [named(name), size(bytes), [At.DW_AT_encoding, Form.DW_FORM_data1, encoding]],
});

const int = base('int', 'int', 4, Encoding.DW_ATE_signed);
const char = base('char', 'char', 1, Encoding.DW_ATE_unsigned_char);

function derived(tag: number, label: string, target?: string, children: readonly BuiltDie[] = []): BuiltDie {
  return { tag, label, attributes: target === undefined ? [] : [typed(target)], children };
}

function variable(name: string, type: string): BuiltDie {
  return {
    tag: Tag.DW_TAG_variable,
    attributes: [named(name), typed(type), [At.DW_AT_location, Form.DW_FORM_exprloc, Uint8Array.of(3, 0, 0, 0, 0)]],
  };
}

function open(children: readonly BuiltDie[], options: BuiltUnitOptions = {}, littleEndian = true): DebugInfo {
  const root = { tag: Tag.DW_TAG_compile_unit, attributes: [named('t.c')], children };
  const { info, abbrev } = buildUnit(root, { ...options, littleEndian });
  const sections = new Map([
    ['.debug_info', info],
    ['.debug_abbrev', abbrev],
  ]);
  return new DebugInfo(sections, { littleEndian, addressSize: 4, machine: 40 });
}

function typeOf(debug: DebugInfo, name: string): Type {
  const found = debug.globals().find((candidate) => candidate.name === name);
  assert.ok(found, name);
  return found.type;
}

function subrange(...attributes: BuiltAttribute[]): BuiltDie {
  return { tag: Tag.DW_TAG_subrange_type, attributes };
}

const count = (n: number): BuiltDie => subrange([At.DW_AT_count, Form.DW_FORM_data1, n]);
const upper = (n: number): BuiltDie => subrange([At.DW_AT_upper_bound, Form.DW_FORM_data1, n]);
const parameter = (type: string): BuiltDie => ({ tag: Tag.DW_TAG_formal_parameter, attributes: [typed(type)] });

const chain: readonly BuiltDie[] = [
  int,
  char,
  derived(Tag.DW_TAG_const_type, 'cchar', 'char'),
  derived(Tag.DW_TAG_pointer_type, 'pcchar', 'cchar'),
  derived(Tag.DW_TAG_const_type, 'cpcchar', 'pcchar'),
  derived(Tag.DW_TAG_array_type, 'names', 'cpcchar', [count(4)]),
  derived(Tag.DW_TAG_pointer_type, 'pcpcchar', 'cpcchar'),
  derived(Tag.DW_TAG_volatile_type, 'vint', 'int'),
  derived(Tag.DW_TAG_const_type, 'cvint', 'vint'),
  derived(Tag.DW_TAG_pointer_type, 'pvoid'),
  derived(Tag.DW_TAG_restrict_type, 'rpvoid', 'pvoid'),
  derived(Tag.DW_TAG_const_type, 'cvoid'),
  derived(Tag.DW_TAG_pointer_type, 'pcvoid', 'cvoid'),
  derived(Tag.DW_TAG_atomic_type, 'aint', 'int'),
  derived(Tag.DW_TAG_array_type, 'grid', 'int', [upper(1), count(3)]),
  derived(Tag.DW_TAG_pointer_type, 'pgrid', 'grid'),
  derived(Tag.DW_TAG_array_type, 'flexible', 'pcchar', [subrange()]),
  derived(Tag.DW_TAG_array_type, 'empty', 'int', [subrange([At.DW_AT_upper_bound, Form.DW_FORM_data4, 0xffffffff])]),
  { ...derived(Tag.DW_TAG_subroutine_type, 'f', 'int', [parameter('int'), parameter('pcchar')]) },
  derived(Tag.DW_TAG_pointer_type, 'pf', 'f'),
  derived(Tag.DW_TAG_array_type, 'apf', 'pf', [count(2)]),
  {
    tag: Tag.DW_TAG_subroutine_type,
    label: 'gv',
    attributes: [typed('pf'), [At.DW_AT_prototyped, Form.DW_FORM_flag_present]],
  },
  derived(Tag.DW_TAG_pointer_type, 'pgv', 'gv'),
  {
    tag: Tag.DW_TAG_subroutine_type,
    label: 'vararg',
    attributes: [],
    children: [parameter('pcchar'), { tag: Tag.DW_TAG_unspecified_parameters, attributes: [] }],
  },
  derived(Tag.DW_TAG_subroutine_type, 'old', 'int'),
  derived(Tag.DW_TAG_reference_type, 'ref', 'int'),
  derived(Tag.DW_TAG_rvalue_reference_type, 'rref', 'int'),
  { tag: Tag.DW_TAG_typedef, label: 'td', attributes: [named('grid_t'), typed('grid')] },
  derived(Tag.DW_TAG_const_type, 'ctd', 'td'),
  { tag: Tag.DW_TAG_structure_type, label: 'anon', attributes: [size(4)] },
  { tag: Tag.DW_TAG_unspecified_type, label: 'null', attributes: [named('decltype(nullptr)')] },
  { tag: Tag.DW_TAG_string_type, label: 'string', attributes: [size(9)] },
];

const spellings: Readonly<Record<string, readonly [text: string, size: number | undefined]>> = {
  pcchar: ['const char *', 4],
  cpcchar: ['const char * const', 4],
  names: ['const char * const[4]', 16],
  pcpcchar: ['const char * const *', 4],
  cvint: ['const volatile int', 4],
  pvoid: ['void *', 4],
  rpvoid: ['void * restrict', 4],
  pcvoid: ['const void *', 4],
  aint: ['_Atomic int', 4],
  grid: ['int [2][3]', 24],
  pgrid: ['int (*)[2][3]', 4],
  flexible: ['const char *[]', undefined],
  empty: ['int [0]', 0],
  pf: ['int (*)(int, const char *)', 4],
  apf: ['int (*[2])(int, const char *)', 8],
  pgv: ['int (*(*)(void))(int, const char *)', 4],
  vararg: ['void (const char *, ...)', undefined],
  old: ['int ()', undefined],
  ref: ['int &', 4],
  rref: ['int &&', 4],
  td: ['grid_t', 24],
  ctd: ['const grid_t', 24],
  anon: ['struct {...}', 4],
  null: ['decltype(nullptr)', undefined],
  string: ['<unknown type>', 9],
};

test('types are spelled as in C', () => {
  const debug = open([...chain, ...Object.keys(spellings).map((label) => variable(`v_${label}`, label))]);
  for (const [label, [text, bytes]] of Object.entries(spellings)) {
    const type = typeOf(debug, `v_${label}`);
    assert.equal(type.displayName, text, label);
    assert.equal(type.byteSize, bytes, label);
  }
  assert.equal(spellType(typeOf(debug, 'v_apf'), 'table'), 'int (*table[2])(int, const char *)');
  assert.equal(spellType(typeOf(debug, 'v_cpcchar'), 'name'), 'const char * const name');
  assert.deepEqual(debug.problems, []);
});

test('integer types have one spelling', () => {
  const all: Readonly<Record<string, string>> = {
    'short int': 'short',
    'short unsigned int': 'unsigned short',
    'long int': 'long',
    'long unsigned int': 'unsigned long',
    'long long int': 'long long',
    'long long unsigned int': 'unsigned long long',
    'unsigned int': 'unsigned int',
    unsigned: 'unsigned int',
    signed: 'int',
    'signed char': 'signed char',
    'unsigned char': 'unsigned char',
    char: 'char',
    _Bool: '_Bool',
    'long double': 'long double',
    __int128: '__int128',
  };
  for (const [written, shown] of Object.entries(all)) assert.equal(canonicalBaseName(written), shown);
  const debug = open([base('l', 'long long unsigned int', 8, Encoding.DW_ATE_unsigned)]);
  assert.equal(debug.typeNamed('base', 'unsigned long long')?.name, 'long long unsigned int');
  assert.equal(debug.typeNamed('base', 'long unsigned long int')?.byteSize, 8);
});

function bitFields(
  debug: DebugInfo,
): (readonly [string | undefined, number, number | undefined, number | undefined])[] {
  const type = debug.typeNamed('struct', 's') as StructType;
  return type.members.map(({ name, byteOffset, bitOffset, bitSize }) => [name, byteOffset, bitOffset, bitSize]);
}

function bitField(name: string, ...attributes: BuiltAttribute[]): BuiltDie {
  return { tag: Tag.DW_TAG_member, attributes: [named(name), typed('int'), ...attributes] };
}

const data1 = (name: number, value: number): BuiltAttribute => [name, Form.DW_FORM_data1, value];

test('bit-fields of DWARF 2 to 5 have one convention', () => {
  const members = [
    bitField('new', data1(At.DW_AT_bit_size, 3), data1(At.DW_AT_data_bit_offset, 37)),
    // Bits 4 to 8 of the int at 4, counted from its most significant bit.
    bitField(
      'old',
      data1(At.DW_AT_bit_size, 5),
      data1(At.DW_AT_bit_offset, 23),
      data1(At.DW_AT_data_member_location, 4),
    ),
    bitField('sized', data1(At.DW_AT_bit_size, 2), data1(At.DW_AT_bit_offset, 1), data1(At.DW_AT_byte_size, 1)),
    bitField('plain', [At.DW_AT_data_member_location, Form.DW_FORM_block1, Uint8Array.of(0x23, 0x88, 1)]),
    bitField('negative', data1(At.DW_AT_bit_size, 8), [At.DW_AT_bit_offset, Form.DW_FORM_sdata, -4]),
  ];
  const struct: BuiltDie = {
    tag: Tag.DW_TAG_structure_type,
    attributes: [named('s'), size(140)],
    children: members,
  };
  assert.deepEqual(bitFields(open([int, struct])), [
    ['new', 4, 37, 3],
    ['old', 4, 36, 5],
    ['sized', 0, 5, 2],
    ['plain', 136, undefined, undefined],
    ['negative', 0, 28, 8],
  ]);
  const big = bitFields(open([int, struct], {}, false));
  assert.deepEqual(big[1], ['old', 4, 55, 5], 'in memory order of a big-endian target');
});

test('enumerations: sign by underlying type or by a negative value', () => {
  const enumerator = (name: string, form: number, value: number): BuiltDie => ({
    tag: Tag.DW_TAG_enumerator,
    attributes: [named(name), [At.DW_AT_const_value, form, value]],
  });
  const make = (name: string, attributes: BuiltAttribute[], children: BuiltDie[]): BuiltDie => ({
    tag: Tag.DW_TAG_enumeration_type,
    attributes: [named(name), ...attributes],
    children,
  });
  const debug = open([
    int,
    make('negative', [size(4)], [enumerator('A', Form.DW_FORM_sdata, -1)]),
    make('positive', [size(1)], [enumerator('B', Form.DW_FORM_data1, 200)]),
    make('underlying', [typed('int')], [enumerator('C', Form.DW_FORM_data1, 1)]),
  ]);
  const enums = ['negative', 'positive', 'underlying'].map((name) => {
    const type = debug.typeNamed('enum', name);
    assert.ok(type?.kind === 'enum');
    return [type.signed, type.byteSize, type.enumerators[0].value];
  });
  assert.deepEqual(enums, [
    [true, 4, -1n],
    [false, 1, 200n],
    [true, 4, 1n],
  ]);
  assert.deepEqual(debug.enumeratorNamed('B')?.enumerator, { name: 'B', value: 200n });
  assert.equal(debug.enumeratorNamed('D'), undefined);
});

test('types that refer to themselves end', () => {
  const debug = open([
    derived(Tag.DW_TAG_const_type, 'a', 'b'),
    derived(Tag.DW_TAG_volatile_type, 'b', 'a'),
    derived(Tag.DW_TAG_pointer_type, 'p', 'p'),
    derived(Tag.DW_TAG_array_type, 'array', 'array', [count(3)]),
    derived(Tag.DW_TAG_subroutine_type, 'f', 'f', [parameter('f')]),
    {
      tag: Tag.DW_TAG_structure_type,
      label: 's',
      attributes: [named('s'), size(8)],
      children: [bitFieldOf('self', 's'), bitFieldOf('list', 'many'), bitFieldOf('next', 'ps')],
    },
    derived(Tag.DW_TAG_array_type, 'many', 's', [count(3)]),
    derived(Tag.DW_TAG_pointer_type, 'ps', 's'),
    ...['a', 'p', 'array', 'f', 's'].map((label) => variable(`v_${label}`, label)),
  ]);
  for (const name of ['v_a', 'v_p', 'v_array', 'v_f']) {
    const type = typeOf(debug, name);
    assert.ok(type.displayName.length < 100);
    stripType(type);
  }
  const struct = stripType(typeOf(debug, 'v_s')) as StructType;
  assert.deepEqual(
    struct.members.map(({ type }) => type.kind),
    ['unknown', 'unknown', 'pointer'],
  );
});

function bitFieldOf(name: string, type: string): BuiltDie {
  return { tag: Tag.DW_TAG_member, attributes: [named(name), typed(type)] };
}

test('a chain of a thousand pointers ends in an unknown type', () => {
  const pointers = Array.from({ length: 1000 }, (_, i) => derived(Tag.DW_TAG_pointer_type, `p${i}`, `p${i + 1}`));
  const debug = open([...pointers, variable('v', 'p0')]);
  let type: Type = typeOf(debug, 'v');
  while (type.kind === 'pointer') type = type.target;
  assert.equal(type.kind, 'unknown');
});

test('a declared struct is completed by its definition in another unit, or by its type unit', () => {
  const declaration: BuiltDie = {
    tag: Tag.DW_TAG_structure_type,
    label: 's',
    attributes: [named('s'), [At.DW_AT_declaration, Form.DW_FORM_flag_present]],
  };
  const bySignature: BuiltDie = {
    tag: Tag.DW_TAG_structure_type,
    label: 't',
    attributes: [
      [At.DW_AT_declaration, Form.DW_FORM_flag_present],
      [At.DW_AT_signature, Form.DW_FORM_ref_sig8, 0x1122334455667788n],
    ],
  };
  const missing: BuiltDie = { ...declaration, label: 'm', attributes: [named('m'), declaration.attributes[1]] };
  const root = (children: readonly BuiltDie[]): BuiltDie => ({
    tag: Tag.DW_TAG_compile_unit,
    attributes: [named('u.c')],
    children,
  });
  const definition = (name: string, bytes: number): BuiltDie => ({
    tag: Tag.DW_TAG_structure_type,
    label: 'd',
    attributes: [named(name), size(bytes)],
  });
  const users = ['s', 't', 'm'].map((label) => variable(`v_${label}`, label));
  const units = [
    buildUnit(root([declaration, bySignature, missing, ...users])),
    buildUnit(root([definition('s', 12)])),
    buildUnit(
      { ...root([definition('t', 16)]), tag: Tag.DW_TAG_type_unit },
      {
        unitType: UnitType.DW_UT_type,
        signature: 0x1122334455667788n,
        typeLabel: 'd',
      },
    ),
  ];
  // Each unit has its own abbreviations, one after the other.
  const info = new Bytes();
  const abbrev = new Bytes();
  for (const unit of units) {
    const bytes = unit.info.slice();
    new DataView(bytes.buffer).setUint32(8, abbrev.length, true);
    info.append(bytes);
    abbrev.append(unit.abbrev);
  }
  const sections = new Map([
    ['.debug_info', info.array],
    ['.debug_abbrev', abbrev.array],
  ]);
  const debug = new DebugInfo(sections, { littleEndian: true, addressSize: 4, machine: 40 });
  assert.equal(typeOf(debug, 'v_s').byteSize, 12);
  assert.equal(typeOf(debug, 'v_t').byteSize, 16);
  const incomplete = typeOf(debug, 'v_m');
  assert.ok(incomplete.kind === 'struct' && incomplete.incomplete);
  assert.equal(incomplete.byteSize, undefined);
  assert.deepEqual(debug.problems, []);
});

test('a variable-length array: the value of the expression is the element count', () => {
  const bound = Uint8Array.of(0x91, 0x7c, 0x06);
  const holder: BuiltDie = {
    tag: Tag.DW_TAG_variable,
    label: 'n',
    attributes: [named('n'), typed('int'), [At.DW_AT_location, Form.DW_FORM_exprloc, Uint8Array.of(0x53)]],
  };
  const debug = open([
    int,
    holder,
    derived(Tag.DW_TAG_array_type, 'x', 'int', [subrange([At.DW_AT_upper_bound, Form.DW_FORM_exprloc, bound])]),
    derived(Tag.DW_TAG_array_type, 'y', 'int', [subrange([At.DW_AT_count, Form.DW_FORM_ref4, 'n'])]),
    variable('v_x', 'x'),
    variable('v_y', 'y'),
  ]);
  const expression = (name: string): string => {
    const type = typeOf(debug, name);
    assert.ok(type.kind === 'array' && typeof type.count === 'object' && type.count.kind === 'expression');
    return Buffer.from(type.count.expression.bytes).toString('hex');
  };
  assert.equal(expression('v_x'), '917c062301');
  assert.equal(expression('v_y'), '7300');
});

test('a damaged reference leaves an unknown type and a problem', () => {
  const debug = open([
    int,
    { tag: Tag.DW_TAG_pointer_type, label: 'p', attributes: [[At.DW_AT_type, Form.DW_FORM_ref_addr, 0x9999]] },
    variable('v', 'p'),
  ]);
  const type = typeOf(debug, 'v');
  assert.ok(type.kind === 'pointer');
  assert.equal(type.target.kind, 'unknown');
  assert.match(debug.problems.join('\n'), /points to no entry/);
});
