/**
 * The DWARF expression machine: a case for every operator (DWARF 5, 2.5 and 2.6; expected values from the standard's
 * text), broken expressions as values with a reason, and random bytes, which must always end.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeInteger } from '../lib/bytes';
import { evaluateLocation, evaluateNumber, type ExpressionContext } from '../lib/dwarf/expression';
import { DW_OP, operatorName } from '../lib/dwarf/expression-opcodes';
import type { Location } from '../lib/dwarf/location';
import type { ExpressionBytes, ExpressionUnit, Type } from '../lib/dwarf/model';
import { baseType, voidType } from '../lib/dwarf/value-types';
import { runQuery } from '../lib/query';

const signed = 5;
const unsigned = 7;
const float = 4;

const types: Readonly<Record<number, Type>> = {
  0x10: baseType('int', 4, signed),
  0x20: baseType('long long', 8, signed),
  0x30: baseType('double', 8, float),
  0x40: baseType('float', 4, float),
  0x50: baseType('unsigned char', 1, unsigned),
  0x60: voidType,
  0x70: baseType('unsigned long long', 8, unsigned),
  0x90: baseType('long double', 16, float),
};

function unitOf(littleEndian: boolean, addressSize: 4 | 8 = 4, version = 5): ExpressionUnit {
  return {
    addressSize,
    littleEndian,
    version,
    addressAt: (index) => 0x1000n + BigInt(index) * 0x10n,
    typeAt: (offset) => types[offset] ?? voidType,
    locationOf: (offset) =>
      offset === 0x77
        ? { kind: 'expression', expression: { bytes: Uint8Array.of(DW_OP.lit0 + 7, DW_OP.plus), unit: unit } }
        : offset === 0x99
          ? { kind: 'expression', expression: { bytes: Uint8Array.of(DW_OP.call2, 0x99, 0), unit: unit } }
          : undefined,
  };
}

const unit = unitOf(true);

const context: ExpressionContext = {
  register: (register) => (register < 16 ? 0x2000_0000n + BigInt(register) : undefined),
  toLoad: (link) => (link < 0x10000n ? link + 0x2000_0000n : undefined),
  *frameBase() {
    return 0x2000_8000n;
  },
  cfa: () => 0x2000_9000n,
  *entryRegister(register) {
    return register === 0 ? 5n : { kind: 'unavailable', optimizedOut: true, reason: 'not recorded' };
  },
  *entryParameter(offset) {
    return BigInt(offset) + 1n;
  },
  select: (description) => {
    if (description.kind === 'expression') return description.expression;
    return { kind: 'unavailable', optimizedOut: true, reason: 'none' };
  },
  objectAddress: 0x2000_a000n,
};

/** Memory whose byte at address a is the low byte of a, from 0x20000000 to 0x20010000. */
function read({ address, length }: { address: bigint; length: number }): Uint8Array | undefined {
  if (address < 0x2000_0000n || address + BigInt(length) > 0x2001_0000n) return undefined;
  return Uint8Array.from({ length }, (_, i) => Number((address + BigInt(i)) & 0xffn));
}

function locate(bytes: readonly number[], of: ExpressionUnit = unit): Location {
  const expression: ExpressionBytes = { bytes: Uint8Array.from(bytes), unit: of };
  return runQuery(evaluateLocation(expression, context), read);
}

const { lit0, stack_value } = DW_OP;
const lit = (value: number): number => lit0 + value;
const u32 = (value: number): number[] => [...encodeInteger(BigInt(value), 4, true)];
const u64 = (value: bigint): number[] => [...encodeInteger(value, 8, true)];
const int = (value: number): number[] => [DW_OP.const4s, ...u32(value)];
const typed = (offset: number, bytes: number[]): number[] => [DW_OP.const_type, offset, bytes.length, ...bytes];
const double = (value: number): number[] => {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value, true);
  return typed(0x30, [...bytes]);
};
const value = (number: bigint, byteSize = 4): Location => ({ kind: 'value', value: number, byteSize });
const memory = (address: bigint): Location => ({ kind: 'memory', address });
const bits = (number: number): bigint => {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, number);
  return view.getBigUint64(0);
};

type Name = keyof typeof DW_OP;

/** Operator -> expressions that end in DW_OP_stack_value unless they describe a location, and what they give. */
const cases: readonly (readonly [Name, readonly number[], Location])[] = [
  ['addr', [DW_OP.addr, ...u32(0x44)], memory(0x2000_0044n)],
  ['addrx', [DW_OP.addrx, 2], memory(0x2000_1020n)],
  ['GNU_addr_index', [DW_OP.GNU_addr_index, 1], memory(0x2000_1010n)],
  ['constx', [DW_OP.constx, 2, stack_value], value(0x1020n)],
  ['GNU_const_index', [DW_OP.GNU_const_index, 3, stack_value], value(0x1030n)],
  ['deref', [...int(0x2000_0010), DW_OP.deref, stack_value], value(0x13121110n)],
  ['deref_size', [...int(0x2000_0010), DW_OP.deref_size, 2, stack_value], value(0x1110n)],
  ['deref_type', [...int(0x2000_0080), DW_OP.deref_type, 1, 0x50, stack_value], value(0x80n, 1)],
  ['GNU_deref_type', [...int(0x2000_0080), DW_OP.GNU_deref_type, 4, 0x10, stack_value], value(0x83828180n)],
  ['const1u', [DW_OP.const1u, 0xfe, stack_value], value(0xfen)],
  ['const1s', [DW_OP.const1s, 0xfe, stack_value], value(0xfffffffen)],
  ['const2u', [DW_OP.const2u, 0xfe, 0xff, stack_value], value(0xfffen)],
  ['const2s', [DW_OP.const2s, 0xfe, 0xff, stack_value], value(0xfffffffen)],
  ['const4u', [DW_OP.const4u, 1, 2, 3, 4, stack_value], value(0x04030201n)],
  ['const4s', [DW_OP.const4s, 0xff, 0xff, 0xff, 0xff, stack_value], value(0xffffffffn)],
  ['const8u', [DW_OP.const8u, ...u64(0x1_0000_0002n), stack_value], value(2n)],
  ['const8s', [DW_OP.const8s, ...u64(-1n), stack_value], value(0xffffffffn)],
  ['constu', [DW_OP.constu, 0xe5, 0x8e, 0x26, stack_value], value(624485n)],
  ['consts', [DW_OP.consts, 0x80, 0x7f, stack_value], value(0xffffff80n)],
  ['dup', [lit(3), DW_OP.dup, DW_OP.plus, stack_value], value(6n)],
  ['drop', [lit(3), lit(4), DW_OP.drop, stack_value], value(3n)],
  ['over', [lit(3), lit(4), DW_OP.over, stack_value], value(3n)],
  ['pick', [lit(17), lit(29), lit(31), DW_OP.pick, 2, stack_value], value(17n)],
  ['swap', [lit(9), lit(2), DW_OP.swap, DW_OP.minus, stack_value], value(0xfffffff9n)],
  // The standard's example: 17 29 1000 (top first) becomes 29 1000 17.
  ['rot', [lit(30), lit(29), lit(17), DW_OP.rot, stack_value], value(29n)],
  ['rot', [lit(30), lit(29), lit(17), DW_OP.rot, DW_OP.drop, stack_value], value(30n)],
  ['rot', [lit(30), lit(29), lit(17), DW_OP.rot, DW_OP.drop, DW_OP.drop, stack_value], value(17n)],
  ['abs', [...int(-5), DW_OP.abs, stack_value], value(5n)],
  ['and', [lit(12), lit(10), DW_OP.and, stack_value], value(8n)],
  ['div', [...int(-7), lit(2), DW_OP.div, stack_value], value(0xfffffffdn)],
  ['minus', [lit(5), lit(9), DW_OP.minus, stack_value], value(0xfffffffcn)],
  ['mod', [...int(-7), lit(5), DW_OP.mod, stack_value], value(4294967289n % 5n)],
  ['mul', [...int(0x10001), ...int(0x10001), DW_OP.mul, stack_value], value(0x20001n)],
  ['neg', [lit(5), DW_OP.neg, stack_value], value(0xfffffffbn)],
  ['not', [lit(0), DW_OP.not, stack_value], value(0xffffffffn)],
  ['or', [lit(12), lit(10), DW_OP.or, stack_value], value(14n)],
  ['plus', [...int(-1), lit(2), DW_OP.plus, stack_value], value(1n)],
  ['plus_uconst', [lit(1), DW_OP.plus_uconst, 0x80, 0x01, stack_value], value(129n)],
  ['shl', [lit(1), lit(31), DW_OP.shl, stack_value], value(0x80000000n)],
  ['shl', [lit(1), ...int(32), DW_OP.shl, stack_value], value(0n)],
  ['shr', [...int(-1), lit(28), DW_OP.shr, stack_value], value(15n)],
  ['shra', [...int(-256), lit(4), DW_OP.shra, stack_value], value(0xfffffff0n)],
  ['xor', [lit(12), lit(10), DW_OP.xor, stack_value], value(6n)],
  ['bra', [lit(1), DW_OP.bra, 2, 0, lit(5), DW_OP.nop, lit(6), stack_value], value(6n)],
  ['bra', [lit(0), DW_OP.bra, 2, 0, lit(5), DW_OP.skip, 1, 0, lit(6), stack_value], value(5n)],
  ['skip', [DW_OP.skip, 1, 0, lit(5), lit(6), stack_value], value(6n)],
  ['eq', [lit(2), lit(2), DW_OP.eq, stack_value], value(1n)],
  ['ge', [...int(-1), lit(1), DW_OP.ge, stack_value], value(0n)],
  ['gt', [lit(1), ...int(-1), DW_OP.gt, stack_value], value(1n)],
  ['le', [...int(-1), lit(1), DW_OP.le, stack_value], value(1n)],
  ['lt', [...int(-1), lit(1), DW_OP.lt, stack_value], value(1n)],
  ['ne', [lit(2), lit(2), DW_OP.ne, stack_value], value(0n)],
  ['lit0', [lit0, stack_value], value(0n)],
  ['lit31', [DW_OP.lit31, stack_value], value(31n)],
  ['reg0', [DW_OP.reg0], { kind: 'register', register: 0, byteOffset: 0 }],
  ['reg31', [DW_OP.reg31], { kind: 'register', register: 31, byteOffset: 0 }],
  ['regx', [DW_OP.regx, 0x90, 0x02], { kind: 'register', register: 272, byteOffset: 0 }],
  ['breg0', [DW_OP.breg0 + 13, 0x7c], memory(0x2000_0009n)],
  [
    'breg31',
    [DW_OP.breg31, 0],
    { kind: 'unavailable', optimizedOut: true, reason: 'register 31 is not known in this frame' },
  ],
  ['bregx', [DW_OP.bregx, 3, 4], memory(0x2000_0007n)],
  ['fbreg', [DW_OP.fbreg, 0x70], memory(0x2000_7ff0n)],
  ['call_frame_cfa', [DW_OP.call_frame_cfa], memory(0x2000_9000n)],
  ['push_object_address', [DW_OP.push_object_address, DW_OP.plus_uconst, 4], memory(0x2000_a004n)],
  ['nop', [lit(4), DW_OP.nop, stack_value], value(4n)],
  ['GNU_uninit', [DW_OP.reg0 + 1, DW_OP.GNU_uninit], { kind: 'register', register: 1, byteOffset: 0 }],
  ['call2', [lit(2), DW_OP.call2, 0x77, 0, stack_value], value(9n)],
  ['call4', [lit(2), DW_OP.call4, ...u32(0x77), stack_value], value(9n)],
  ['call_ref', [lit(2), DW_OP.call_ref, ...u32(0x55), stack_value], value(2n)],
  ['implicit_value', [DW_OP.implicit_value, 3, 1, 2, 3], { kind: 'bytes', bytes: Uint8Array.of(1, 2, 3) }],
  ['stack_value', [lit(4), stack_value], value(4n)],
  [
    'implicit_pointer',
    [DW_OP.implicit_pointer, ...u32(0x123), 0x7e],
    { kind: 'implicit-pointer', infoOffset: 0x123, byteOffset: -2n, unit },
  ],
  [
    'GNU_implicit_pointer',
    [DW_OP.GNU_implicit_pointer, ...u32(9), 4],
    { kind: 'implicit-pointer', infoOffset: 9, byteOffset: 4n, unit },
  ],
  ['entry_value', [DW_OP.entry_value, 1, DW_OP.reg0, DW_OP.plus_uconst, 2, stack_value], value(7n)],
  ['entry_value', [DW_OP.entry_value, 2, DW_OP.breg0, 3, stack_value], value(8n)],
  [
    'GNU_entry_value',
    [DW_OP.GNU_entry_value, 1, DW_OP.reg0 + 1, stack_value],
    { kind: 'unavailable', optimizedOut: true, reason: 'not recorded' },
  ],
  ['GNU_parameter_ref', [DW_OP.GNU_parameter_ref, ...u32(0x20), stack_value], value(0x21n)],
  ['const_type', [...typed(0x20, u64(-2n)), stack_value], value(0xffff_ffff_ffff_fffen, 8)],
  ['GNU_const_type', [DW_OP.GNU_const_type, 0x50, 1, 0xff, stack_value], value(0xffn, 1)],
  ['regval_type', [DW_OP.regval_type, 4, 0x10, stack_value], value(0x20000004n)],
  ['GNU_regval_type', [DW_OP.GNU_regval_type, 4, 0x50, stack_value], value(4n, 1)],
  ['convert', [...typed(0x10, u32(-3)), DW_OP.convert, 0x20, stack_value], value(0xffff_ffff_ffff_fffdn, 8)],
  ['convert', [...typed(0x10, u32(-3)), DW_OP.convert, 0, stack_value], value(0xffff_fffdn)],
  ['convert', [...double(-2.75), DW_OP.convert, 0x10, stack_value], value(0xffff_fffen)],
  ['GNU_convert', [...typed(0x10, u32(5)), DW_OP.GNU_convert, 0x30, stack_value], value(bits(5), 8)],
  ['reinterpret', [...double(1), DW_OP.reinterpret, 0x20, stack_value], value(0x3ff0_0000_0000_0000n, 8)],
  ['GNU_reinterpret', [...int(0x3f800000), DW_OP.GNU_reinterpret, 0x40, DW_OP.convert, 0x10, stack_value], value(1n)],
  ['plus', [...double(1.5), ...double(2.25), DW_OP.plus, stack_value], value(bits(3.75), 8)],
  ['div', [...double(1), ...double(4), DW_OP.div, stack_value], value(bits(0.25), 8)],
  [
    'div',
    [...typed(0x70, u64(-1n)), ...typed(0x70, u64(2n)), DW_OP.div, stack_value],
    value(0x7fff_ffff_ffff_ffffn, 8),
  ],
  ['mod', [...typed(0x10, u32(-7)), ...typed(0x10, u32(5)), DW_OP.mod, stack_value], value(0xffff_fffen)],
  ['lt', [...double(-1), ...double(1), DW_OP.lt, stack_value], value(1n)],
  [
    'piece',
    [DW_OP.reg0, DW_OP.piece, 4, DW_OP.piece, 4],
    {
      kind: 'pieces',
      pieces: [
        { location: { kind: 'register', register: 0, byteOffset: 0 }, bitOffset: 0, bitSize: 32 },
        {
          location: { kind: 'unavailable', optimizedOut: true, reason: 'the compiler kept no place for this part' },
          bitOffset: 0,
          bitSize: 32,
        },
      ],
    },
  ],
  [
    'bit_piece',
    [lit(5), stack_value, DW_OP.bit_piece, 3, 1, DW_OP.fbreg, 0, DW_OP.bit_piece, 29, 0],
    {
      kind: 'pieces',
      pieces: [
        { location: value(5n), bitOffset: 1, bitSize: 3 },
        { location: memory(0x2000_8000n), bitOffset: 0, bitSize: 29 },
      ],
    },
  ],
];

/** Operators that this target has no use for: always an error. */
const refused: readonly (readonly [Name, readonly number[]])[] = [
  ['xderef', [lit(0), lit(0), DW_OP.xderef]],
  ['xderef_size', [lit(0), lit(0), DW_OP.xderef_size, 1]],
  ['xderef_type', [lit(0), lit(0), DW_OP.xderef_type, 1, 0x10]],
  ['form_tls_address', [lit(0), DW_OP.form_tls_address]],
  ['GNU_push_tls_address', [lit(0), DW_OP.GNU_push_tls_address]],
  ['GNU_variable_value', [DW_OP.GNU_variable_value, 0, 0, 0, 0]],
];

for (const [name, bytes, expected] of cases) {
  test(`DW_OP_${name}: ${Buffer.from(bytes).toString('hex')}`, () => {
    assert.deepEqual(locate(bytes), expected);
  });
}

for (const [name, bytes] of refused) {
  test(`DW_OP_${name} is refused with a reason`, () => {
    const location = locate(bytes);
    assert.equal(location.kind, 'unavailable');
    assert.ok(location.kind === 'unavailable' && !location.optimizedOut && location.reason.length > 10);
  });
}

test('every operator has a case', () => {
  const covered = new Set<string>([...cases.map(([name]) => name), ...refused.map(([name]) => name)]);
  assert.deepEqual(
    Object.keys(DW_OP).filter((name) => !covered.has(name)),
    [],
  );
});

test('operators have their names', () => {
  assert.equal(operatorName(0x7d), 'DW_OP_breg13');
  assert.equal(operatorName(0x9c), 'DW_OP_call_frame_cfa');
  assert.equal(operatorName(0xe5), 'DW_OP 0xe5');
});

const broken: readonly (readonly [string, readonly number[], RegExp])[] = [
  ['an operand is cut off', [DW_OP.const4u, 1, 2], /damaged.*truncated|damaged/],
  ['the stack is empty', [DW_OP.plus], /stack is empty/],
  ['an unknown operator', [0xe5], /DW_OP 0xe5 is not known/],
  ['a jump out of the expression', [DW_OP.skip, 0x40, 0], /leaves the expression/],
  ['an endless loop', [DW_OP.skip, 0xfd, 0xff], /does not end/],
  ['an endless recursion', [DW_OP.call2, 0x99, 0], /circle/],
  ['division by zero', [lit(1), lit(0), DW_OP.div, stack_value], /division by zero/],
  ['remainder of a division by zero', [lit(1), lit(0), DW_OP.mod, stack_value], /division by zero/],
  ['operands of different types', [...double(1), lit(1), DW_OP.plus], /Incompatible types on DWARF stack/],
  ['bits of a floating-point number', [...double(1), ...double(1), DW_OP.and], /integer is needed/],
  ['memory that is not there', [lit(1), DW_OP.deref], /0x1 cannot be read/],
  ['an address that is not loaded', [DW_OP.addr, ...u32(0x20000)], /in no loaded section/],
  ['a type that is no base type', [DW_OP.convert, 0x60], /base type|stack is empty/],
  ['a type that is not computed', [lit(1), DW_OP.convert, 0x90, 0x01], /base type|not computed/],
  ['a stack that grows for ever', [lit(1), DW_OP.skip, 0xfc, 0xff], /overflows/],
];

for (const [what, bytes, reason] of broken) {
  test(`broken: ${what}`, () => {
    const location = locate(bytes);
    assert.ok(
      location.kind === 'unavailable',
      JSON.stringify(location, (_, v: unknown) => (typeof v === 'bigint' ? `${v}` : v)),
    );
    assert.match(location.reason, reason);
  });
}

test('an empty expression: the object was optimized out', () => {
  assert.deepEqual(locate([]), { kind: 'unavailable', optimizedOut: true, reason: 'the location is empty' });
});

test('the byte order and the address size are the unit’s', () => {
  assert.deepEqual(locate([DW_OP.const2u, 0x12, 0x34, stack_value], unitOf(false)), value(0x1234n));
  assert.deepEqual(locate([...int(-1), stack_value], unitOf(true, 8)), value(0xffff_ffff_ffff_ffffn, 8));
});

test('numbers: registers stand for their contents, initial values are on the stack', () => {
  const number = (bytes: number[], initial: bigint[] = []): bigint | Location =>
    runQuery(evaluateNumber({ bytes: Uint8Array.from(bytes), unit }, context, initial), read);
  assert.equal(number([DW_OP.reg0 + 7]), 0x2000_0007n);
  assert.equal(number([DW_OP.plus_uconst, 8], [0x100n]), 0x108n);
  assert.equal(number([DW_OP.implicit_value, 2, 1, 2]), 0x201n);
  assert.equal(typeof number([DW_OP.reg31]), 'object');
});

/** A small seeded generator (mulberry32), so that a failure can be repeated. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

test('random bytes always end, with a location or a reason', () => {
  const seed = Number(process.env['SEED'] ?? 20260601);
  const next = random(seed);
  const opcodes = Object.values(DW_OP);
  for (let i = 0; i < 20_000; i++) {
    const bytes = Array.from({ length: Math.floor(next() * 24) }, () =>
      next() < 0.7 ? opcodes[Math.floor(next() * opcodes.length)] : Math.floor(next() * 256),
    );
    const location = locate(bytes);
    assert.equal(typeof location.kind, 'string', `seed ${seed}, case ${i}`);
  }
});
