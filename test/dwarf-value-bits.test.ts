/**
 * Reading and writing what has no plain address: bit-fields in both byte orders, pieces, registers (also saved ones),
 * values that are only in the debug information, synthetic pointers. Expected bytes of bit-fields come from GCC
 * (test/dwarf-values); the rest is laid out by hand after DWARF 5, 2.6.1.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { compileExpression, evaluateExpression } from '../lib/c-expression';
import { decodeUnsigned, encodeInteger } from '../lib/bytes';
import { formatValue } from '../lib/dwarf/format';
import { fitLocation, type Location, optimizedOut, sliceLocation } from '../lib/dwarf/location';
import { enumText } from '../lib/dwarf/format-number';
import type { EnumType, LocationDescription, Member, StructType } from '../lib/dwarf/model';
import { machineRegisters } from '../lib/dwarf/regnum';
import { Frame, type FrameRegisters, type UnwindMachine } from '../lib/dwarf/unwind-frame';
import { dereference, memberValues, readScalar, valueAt, type Value, writeValue } from '../lib/dwarf/value';
import { isUnavailable, type TargetWrite } from '../lib/dwarf/value-bits';
import { decodeFloat, encodeFloat } from '../lib/dwarf/value-float';
import { arrayOf, baseType, pointerTo, voidType } from '../lib/dwarf/value-types';
import { type MemoryRequest, type Query, runQuery } from '../lib/query';
import { staticProgram } from './support/static-program';

const EM_ARM = 40;
const int = baseType('int', 4, 5);
const unsigned = baseType('unsigned int', 4, 7);
const long = baseType('long long', 8, 5);
const char = baseType('char', 1, 8);

/** A frame over 256 bytes of memory at 0x1000 and registers 0 to 15. */
class Machine {
  readonly memory = new Uint8Array(256);
  readonly values = Array.from({ length: 16 }, (_, i) => BigInt(0x1111_1111 * (i % 15)));
  readonly frame: Frame;
  private readonly machine: UnwindMachine;

  constructor(
    readonly littleEndian = true,
    saved: Readonly<Record<number, bigint>> = {},
  ) {
    this.machine = { addressSize: 4, littleEndian, registers: machineRegisters(EM_ARM) };
    const registers: FrameRegisters = {
      get: (register) => {
        const address = saved[register] as bigint | undefined;
        if (address === undefined) return register === 12 ? undefined : this.values[register];
        return decodeUnsigned(this.read({ address, length: 4 }) ?? new Uint8Array(4), littleEndian);
      },
      savedAt: (register) => {
        const address = saved[register] as bigint | undefined;
        return address === undefined ? { kind: 'register', register } : { kind: 'memory', address };
      },
    };
    this.frame = new Frame(undefined, 0n, 0n, registers, this.machine, undefined, 0, false);
  }

  read = ({ address, length }: MemoryRequest): Uint8Array | undefined => {
    const start = Number(address) - 0x1000;
    return start < 0 || start + length > 256 ? undefined : this.memory.slice(start, start + length);
  };

  run<T>(query: Query<T>): T {
    return runQuery(query, this.read);
  }

  number(value: Value): bigint | number {
    const number = this.run(readScalar(value));
    return typeof number === 'object' ? assert.fail(number.reason) : number;
  }

  /** Writes a number into a value and performs the writes. */
  write(value: Value, number: bigint): readonly TargetWrite[] {
    const bytes = encodeInteger(number, value.type.byteSize ?? 0, this.littleEndian);
    const writes = this.run(writeValue(value, bytes));
    if (isUnavailable(writes)) return assert.fail(writes.reason);
    for (const write of writes) {
      if (write.kind === 'memory') this.memory.set(write.bytes, Number(write.address) - 0x1000);
      else this.values[write.register] = write.value;
    }
    return writes;
  }
}

const memory = (address: bigint): Location => ({ kind: 'memory', address });
const register = (number: number): Location => ({ kind: 'register', register: number, byteOffset: 0 });

function member(name: string, byteOffset: number, more: Partial<Member> = {}): Member {
  return { name, type: int, byteOffset, bitSize: undefined, bitOffset: undefined, declaration: undefined, ...more };
}

function struct(byteSize: number, members: readonly Member[]): StructType {
  const common = {
    displayName: 'struct s',
    name: 's',
    declaration: undefined,
    incomplete: false,
    staticMembers: [],
    virtualMethods: [],
    passedByReference: false,
  };
  return { kind: 'struct', byteSize, members, ...common };
}

for (const [variant, littleEndian] of [
  ['values', true],
  ['big-endian', false],
] as const) {
  test(`bit-fields that GCC laid out are changed one by one: ${variant}`, () => {
    const program = staticProgram(readFileSync(join(__dirname, 'dwarf-values', `${variant}.elf`)));
    const { scope } = program;
    let patched = new Map<bigint, number>();
    const read = (request: MemoryRequest): Uint8Array | undefined => {
      const known = program.read(request);
      const bytes = known && new Uint8Array(known);
      bytes?.forEach((_, i) => {
        bytes[i] = patched.get(request.address + BigInt(i)) ?? bytes[i];
      });
      return bytes;
    };
    const evaluate = (text: string): { value: Value; writes: readonly TargetWrite[] } =>
      runQuery(evaluateExpression(compileExpression(text, scope), { frame: scope.frame }), read);
    const before = { a: '1', b: '-7', k: '100', on: 'true', t: 'GREEN', w: '73588229205' };
    const changes: readonly (readonly [keyof typeof before, string, string])[] = [
      ['a', '0', '0'],
      ['b', '15', '15'],
      ['b', '-16', '-16'],
      ['k', '127', '127'],
      ['on', '0', 'false'],
      ['t', 'RED', 'RED'],
      ['w', '0x1fffffffff', '137438953471'],
      ['w', '0x1000000001', '68719476737'],
    ];
    for (const [name, assigned, shown] of changes) {
      patched = new Map();
      for (const write of evaluate(`bf.${name} = ${assigned}`).writes) {
        assert.ok(write.kind === 'memory');
        write.bytes.forEach((byte, i) => patched.set(write.address + BigInt(i), byte));
      }
      const wanted = Object.entries({ ...before, [name]: shown }).map(([field, text]) => `${field} = ${text}`);
      assert.equal(
        runQuery(formatValue(evaluate('bf').value), read),
        `{${wanted.join(', ')}}`,
        `${name} = ${assigned}`,
      );
    }
    assert.equal(scope.machine.littleEndian, littleEndian);
  });
}

test('an object in registers, one after the other', () => {
  const machine = new Machine();
  const value = valueAt(long, register(1), machine.frame);
  assert.equal(machine.number(value), 0x2222_2222_1111_1111n);
  const writes = machine.write(value, 0x0123_4567_89ab_cdefn);
  assert.deepEqual(writes, [
    { kind: 'register', register: 1, value: 0x89ab_cdefn },
    { kind: 'register', register: 2, value: 0x0123_4567n },
  ]);
  assert.equal(machine.number(value), 0x0123_4567_89ab_cdefn);
});

test('a small object in a register: its low bytes, also on a big-endian target', () => {
  for (const littleEndian of [true, false]) {
    const machine = new Machine(littleEndian);
    machine.values[3] = 0xaabb_ccddn;
    const location = fitLocation(register(3), 1, littleEndian, 4);
    const value = valueAt(char, location, machine.frame);
    assert.equal(machine.number(value), 0xddn);
    assert.deepEqual(machine.write(value, 0x11n), [{ kind: 'register', register: 3, value: 0xaabb_cc11n }]);
  }
});

test('a member of a structure in a register', () => {
  const machine = new Machine();
  machine.values[0] = 0x0004_0003n;
  const short = baseType('short', 2, 5);
  const type = struct(4, [member('x', 0, { type: short }), member('y', 2, { type: short })]);
  const value = valueAt(type, register(0), machine.frame);
  assert.equal(machine.run(formatValue(value)), '{x = 3, y = 4}');
  machine.write(memberValues(value)[1].value, -1n);
  assert.equal(machine.values[0], 0xffff_0003n);
});

test('a caller’s register that the callee saved is written where it was saved', () => {
  const machine = new Machine(true, { 4: 0x1010n });
  const value = valueAt(int, register(4), machine.frame);
  assert.deepEqual(machine.write(value, -2n), [
    { kind: 'memory', address: 0x1010n, bytes: Uint8Array.of(0xfe, 0xff, 0xff, 0xff) },
  ]);
  assert.equal(machine.number(value), -2n);
});

test('a register that was not saved', () => {
  const machine = new Machine();
  assert.equal(machine.run(formatValue(valueAt(int, register(12), machine.frame))), '<optimized out>');
});

test('pieces: register, memory, nothing, and a constant', () => {
  const machine = new Machine();
  machine.memory.set([1, 2, 3, 4], 0);
  const pieces: Location = {
    kind: 'pieces',
    pieces: [
      { location: register(1), bitOffset: 0, bitSize: 32 },
      { location: memory(0x1000n), bitOffset: 0, bitSize: 32 },
      { location: optimizedOut('gone'), bitOffset: 0, bitSize: 32 },
      { location: { kind: 'value', value: 7n, byteSize: 4 }, bitOffset: 0, bitSize: 32 },
    ],
  };
  const type = struct(16, [member('a', 0), member('b', 4), member('c', 8), member('d', 12)]);
  const value = valueAt(type, pieces, machine.frame);
  assert.equal(machine.run(formatValue(value)), '{a = 286331153, b = 67305985, c = <optimized out>, d = 7}');
  const [a, b, c, d] = memberValues(value).map((child) => child.value);
  assert.deepEqual(machine.write(a, 5n), [{ kind: 'register', register: 1, value: 5n }]);
  assert.deepEqual(machine.write(b, 6n), [{ kind: 'memory', address: 0x1000n, bytes: Uint8Array.of(6, 0, 0, 0) }]);
  assert.ok(isUnavailable(machine.run(writeValue(c, new Uint8Array(4)))));
  assert.ok(isUnavailable(machine.run(writeValue(d, new Uint8Array(4)))));
  // What lies behind the last piece, in gdb's words.
  const short = valueAt(type, { kind: 'pieces', pieces: pieces.pieces.slice(0, 2) }, machine.frame);
  assert.equal(machine.run(formatValue(short)), '{a = 5, b = 6, c = <synthetic pointer>, d = <synthetic pointer>}');
});

test('an object of two half pieces, in both byte orders', () => {
  for (const littleEndian of [true, false]) {
    const machine = new Machine(littleEndian);
    machine.memory.set([0x11, 0x22, 0x33, 0x44], 0);
    const pieces: Location = {
      kind: 'pieces',
      pieces: [
        { location: memory(0x1002n), bitOffset: 0, bitSize: 16 },
        { location: memory(0x1000n), bitOffset: 0, bitSize: 16 },
      ],
    };
    const value = valueAt(unsigned, pieces, machine.frame);
    assert.equal(machine.number(value), littleEndian ? 0x2211_4433n : 0x3344_1122n);
    machine.write(value, 0xaabb_ccddn);
    const expected = littleEndian ? [0xbb, 0xaa, 0xdd, 0xcc] : [0xcc, 0xdd, 0xaa, 0xbb];
    assert.deepEqual([...machine.memory.subarray(0, 4)], expected);
  }
});

test('bit pieces', () => {
  const machine = new Machine();
  machine.values[1] = 0b1011_0110n;
  const pieces: Location = {
    kind: 'pieces',
    pieces: [
      { location: register(1), bitOffset: 1, bitSize: 3 },
      { location: register(1), bitOffset: 4, bitSize: 4 },
      { location: { kind: 'value', value: 0n, byteSize: 4 }, bitOffset: 0, bitSize: 25 },
    ],
  };
  const value = valueAt(unsigned, pieces, machine.frame);
  assert.equal(machine.number(value), 0b1011_011n);
});

test('a number without a place is extended with zeros and cannot be changed', () => {
  const machine = new Machine();
  const location = fitLocation({ kind: 'value', value: 0xffff_ffffn, byteSize: 4 }, 8, true, 4);
  const value = valueAt(long, location, machine.frame);
  assert.equal(machine.number(value), 0xffff_ffffn);
  const writes = machine.run(writeValue(value, new Uint8Array(8)));
  assert.match(isUnavailable(writes) ? writes.reason : '', /cannot be changed/);
});

test('slices outside of what is known', () => {
  assert.equal(sliceLocation({ kind: 'bytes', bytes: new Uint8Array(2) }, 1, 2).kind, 'unavailable');
  assert.equal(sliceLocation({ kind: 'value', value: 1n, byteSize: 4 }, 4, 4).kind, 'unavailable');
  assert.deepEqual(sliceLocation(memory(8n), 4, 4), memory(12n));
});

test('a synthetic pointer shows as one and leads to what the compiler kept', () => {
  const machine = new Machine();
  const description = (value: number): LocationDescription => ({
    kind: 'expression',
    expression: { bytes: Uint8Array.of(0x30 + value, 0x9f), unit },
  });
  const unit = {
    addressSize: 4,
    littleEndian: true,
    version: 5,
    addressAt: () => 0n,
    typeAt: () => voidType,
    locationOf: (offset: number) => (offset === 0x40 ? description(9) : undefined),
  } as const;
  const pointer = (infoOffset: number): Value =>
    valueAt(pointerTo(int, 4), { kind: 'implicit-pointer', infoOffset, byteOffset: 0n, unit }, machine.frame);
  assert.equal(machine.run(formatValue(pointer(0x40))), '<synthetic pointer>');
  const target = machine.run(dereference(pointer(0x40)));
  assert.ok('type' in target);
  assert.equal(machine.number(target), 9n);
  assert.ok(isUnavailable(machine.run(dereference(pointer(0x44)))));
});

test('unreadable memory: an error in its place', () => {
  const machine = new Machine();
  const show = (value: Value): string => machine.run(formatValue(value));
  const error = (address: string): string => `<error: Cannot access memory at address ${address}>`;
  assert.equal(show(valueAt(int, memory(0x10fen), machine.frame)), error('0x10fe'));
  assert.equal(show(valueAt(arrayOf(int, 3), memory(0n), machine.frame)), error('0x0'));
  machine.memory.set([0x78, 0x56, 0x34, 0x12], 0);
  assert.equal(show(valueAt(pointerTo(char, 4), memory(0x1000n), machine.frame)), `0x12345678 ${error('0x12345678')}`);
  machine.memory.set([0xfe, 0x10, 0, 0, ...new Uint8Array(250).fill(0x41)], 0);
  machine.memory.fill(0x41, 0xfe);
  assert.equal(show(valueAt(pointerTo(char, 4), memory(0x1000n), machine.frame)), `0x10fe "AA"${error('0x1100')}`);
});

test('options: hexadecimal, fewer elements, less depth', () => {
  const machine = new Machine();
  machine.memory.set([1, 0xff, 0, 0, 0xff, 0xff, 0xff, 0xff], 0);
  const show = (value: Value, options: Parameters<typeof formatValue>[1]): string =>
    machine.run(formatValue(value, options));
  assert.equal(show(valueAt(arrayOf(int, 2), memory(0x1000n), machine.frame), { hex: true }), '{0xff01, 0xffffffff}');
  assert.equal(show(valueAt(arrayOf(char, 4), memory(0x1000n), machine.frame), { hex: true }), '{0x1, 0xff, 0x0, 0x0}');
  assert.equal(show(valueAt(arrayOf(char, 8), memory(0x1000n), machine.frame), { maxElements: 2 }), '"\\001\\377"...');
  assert.equal(show(valueAt(arrayOf(int, 9), memory(0x1000n), machine.frame), { maxElements: 2 }), '{65281, -1...}');
  const nested = struct(4, [member('in', 0, { type: struct(4, [member('x', 0)]) })]);
  assert.equal(show(valueAt(nested, memory(0x1000n), machine.frame), { maxDepth: 0 }), '{in = {...}}');
});

test('floating-point numbers of other sizes', () => {
  const half = (bits: number): number => decodeFloat(encodeInteger(BigInt(bits), 2, true), true);
  assert.deepEqual([0x3c00, 0xc000, 0x3555, 0x7c00, 0x0001, 0x8000].map(half), [
    1,
    -2,
    0.333251953125,
    Infinity,
    2 ** -24,
    -0,
  ]);
  assert.ok(Number.isNaN(half(0x7e00)));
  for (const size of [2, 4, 8, 10, 16]) {
    for (const number of [0, 1, -2.5, 1024, 0.125, Infinity, -Infinity]) {
      for (const littleEndian of [true, false]) {
        const bytes = encodeFloat(number, size, littleEndian);
        assert.equal(decodeFloat(bytes, littleEndian), number, `${number} in ${size} bytes`);
      }
    }
  }
  // binary128 and x87 extended of 1.0, as their standards lay them out.
  assert.equal(decodeUnsigned(encodeFloat(1, 16, true), true), 0x3fff_0000_0000_0000_0000_0000_0000_0000n);
  assert.equal(decodeUnsigned(encodeFloat(1, 10, true), true), 0x3fff_8000_0000_0000_0000n);
});

/** What a C developer wrote, not what gdb 13 shows: that takes a type with a name for two bits together as no flags. */
const flagTypes: readonly {
  readonly values: Readonly<Record<string, bigint>>;
  readonly shown: readonly (readonly [bigint, string])[];
}[] = [
  {
    values: { NONE: 0n, READ: 1n, WRITE: 2n, RW: 3n, EXEC: 4n, BIG: 0x80n },
    shown: [
      [0n, 'NONE'],
      [3n, 'RW'],
      [5n, '(READ | EXEC)'],
      [7n, '(READ | WRITE | EXEC)'],
      [0xc7n, '(READ | WRITE | EXEC | BIG | unknown: 0x40)'],
    ],
  },
  { values: { A: 1n, B: 2n, C: 8n }, shown: [[9n, '(A | C)']] },
  // Counted: 5 is none of them.
  { values: { ZERO: 0n, ONE: 1n, TWO: 2n, THREE: 3n, FOUR: 4n }, shown: [[5n, '5']] },
  { values: { ONE: 1n, TWO: 2n, THREE: 3n, FOUR: 4n, FIVE: 5n, EIGHT: 8n }, shown: [[9n, '(ONE | EIGHT)']] },
  // A mask over bits that have no names.
  { values: { ONE: 1n, TWO: 2n, MASK: 0xf0n }, shown: [[0x11n, '17']] },
  { values: { LOW: -1n, ONE: 1n, TWO: 2n, FOUR: 4n }, shown: [[3n, '3']] },
];

test('flags are shown by the bits that have names, also where several have one together', () => {
  for (const { values, shown } of flagTypes) {
    const enumerators = Object.entries(values).map(([name, value]) => ({ name, value }));
    const type: EnumType = { ...baseType('int', 4, 5), kind: 'enum', enumerators, signed: false };
    for (const [value, text] of shown) assert.equal(enumText(type, value), text);
  }
});
