/**
 * Reading and writing binary data: LEB128 against the examples of DWARF 5 (tables 7.7 and 7.8), integers of every
 * width against Node's Buffer, and every read past the end refused.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteReader, decodeSigned, decodeUnsigned, encodeInteger, hex, stringAt, wordsOf } from '../lib/bytes';
import { FormatError } from '../lib/errors';

const reader = (...bytes: number[]): ByteReader => new ByteReader(Uint8Array.from(bytes), true, '.test');
const refusedWith =
  (code: string) =>
  (error: unknown): boolean =>
    error instanceof FormatError && error.code === code && error.section === '.test';

/** LEB128 as the standard's pseudo code writes it, independent of the reader. */
function leb(value: bigint, signed: boolean): number[] {
  const bytes: number[] = [];
  for (let rest = value; ;) {
    const low = Number(BigInt.asUintN(7, rest));
    rest >>= 7n;
    const last = signed ? (rest === 0n && low < 0x40) || (rest === -1n && low >= 0x40) : rest === 0n;
    bytes.push(last ? low : low | 0x80);
    if (last) return bytes;
  }
}

test('unsigned LEB128: the examples of the standard', () => {
  const examples: [number, number[]][] = [
    [2, [2]],
    [127, [0x7f]],
    [128, [0x80, 1]],
    [129, [0x81, 1]],
    [12857, [0xb9, 0x64]],
  ];
  for (const [value, bytes] of examples) {
    assert.equal(reader(...bytes).uleb(), BigInt(value));
    assert.equal(reader(...bytes).ulebNumber(), value);
  }
});

test('signed LEB128: the examples of the standard', () => {
  const examples: [bigint, number[]][] = [
    [2n, [2]],
    [-2n, [0x7e]],
    [127n, [0xff, 0]],
    [-127n, [0x81, 0x7f]],
    [128n, [0x80, 1]],
    [-128n, [0x80, 0x7f]],
    [129n, [0x81, 1]],
    [-129n, [0xff, 0x7e]],
  ];
  for (const [value, bytes] of examples) assert.equal(reader(...bytes).sleb(), value);
});

test('LEB128 of any value of 64 bits is read back, with padding too', () => {
  fc.assert(
    fc.property(fc.bigInt(0n, 2n ** 64n - 1n), fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), (unsigned, signed) => {
      assert.equal(reader(...leb(unsigned, false)).uleb(), unsigned);
      assert.equal(reader(...leb(signed, true)).sleb(), signed);
      const padded = leb(unsigned, false);
      padded[padded.length - 1] |= 0x80;
      assert.equal(reader(...padded, 0x80, 0).uleb(), unsigned);
    }),
  );
});

test('a number that does not fit is refused, not cut', () => {
  assert.throws(() => reader(...leb(2n ** 64n, false)).uleb(), refusedWith('leb128'));
  assert.throws(() => reader(...leb(2n ** 70n, false)).uleb(), refusedWith('leb128'));
  assert.throws(() => reader(...leb(2n ** 53n, false)).ulebNumber(), refusedWith('leb128'));
  assert.equal(reader(...leb(2n ** 53n - 1n, false)).ulebNumber(), 2 ** 53 - 1);
  assert.throws(() => reader(...Array<number>(12).fill(0xff), 0).ulebNumber(), refusedWith('leb128'));
});

test('integers of every width and byte order, against Buffer', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 8, maxLength: 8 }), fc.boolean(), (bytes, little) => {
      const buffer = Buffer.from(bytes);
      const at = (): ByteReader => new ByteReader(bytes, little, '.test');
      assert.equal(at().u8(), buffer.readUInt8());
      assert.equal(at().i8(), buffer.readInt8());
      assert.equal(at().u16(), little ? buffer.readUInt16LE() : buffer.readUInt16BE());
      assert.equal(at().i16(), little ? buffer.readInt16LE() : buffer.readInt16BE());
      assert.equal(at().u32(), little ? buffer.readUInt32LE() : buffer.readUInt32BE());
      assert.equal(at().i32(), little ? buffer.readInt32LE() : buffer.readInt32BE());
      assert.equal(at().u64(), little ? buffer.readBigUInt64LE() : buffer.readBigUInt64BE());
      assert.equal(at().i64(), little ? buffer.readBigInt64LE() : buffer.readBigInt64BE());
      for (let size = 1; size <= 6; size++) {
        const unsigned = little ? buffer.readUIntLE(0, size) : buffer.readUIntBE(0, size);
        const signed = little ? buffer.readIntLE(0, size) : buffer.readIntBE(0, size);
        const part = bytes.subarray(0, size);
        assert.equal(at().unsigned(size), BigInt(unsigned));
        assert.equal(decodeUnsigned(part, little), BigInt(unsigned));
        assert.equal(decodeSigned(part, little), BigInt(signed));
        assert.deepEqual(encodeInteger(BigInt(signed), size, little), Uint8Array.from(part));
        assert.deepEqual(encodeInteger(BigInt(unsigned), size, little), Uint8Array.from(part));
      }
    }),
  );
});

test('words wherever they lie, of an array and of a Buffer', () => {
  const whole = Buffer.from(Array.from({ length: 16 }, (_, n) => 0xf0 - 17 * n));
  for (const bytes of [whole, new Uint8Array(whole)]) {
    for (let start = 0; start < 4; start++) {
      const places = [start, start + 4, start + 8];
      const part = bytes.subarray(start, start + 12);
      const [little, big] = [true, false].map((order) => [...wordsOf(part, order)]);
      assert.deepEqual(
        little,
        places.map((at) => whole.readUInt32LE(at)),
      );
      assert.deepEqual(
        big,
        places.map((at) => whole.readUInt32BE(at)),
      );
    }
  }
});

test('integers wider than 64 bits keep every byte', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 9, maxLength: 20 }), fc.boolean(), (bytes, little) => {
      const big = Buffer.from(little ? Uint8Array.from(bytes).reverse() : bytes).toString('hex');
      assert.equal(decodeUnsigned(bytes, little), BigInt(`0x${big}`));
      assert.deepEqual(encodeInteger(decodeSigned(bytes, little), bytes.length, little), Uint8Array.from(bytes));
    }),
  );
});

test('every read past the end says where, and moves nothing', () => {
  const reads: ((at: ByteReader) => unknown)[] = [
    (at) => at.u16(),
    (at) => at.i16(),
    (at) => at.u32(),
    (at) => at.i32(),
    (at) => at.u64(),
    (at) => at.i64(),
    (at) => at.unsigned(3),
    (at) => at.take8(2),
    (at) => at.skip(2),
    (at) => at.skip(-1),
    (at) => at.cstring(),
    () => reader(1, 2, 3, 4, 5, 6, 7, 8).at(8).u8(),
    () => new ByteReader(Uint8Array.of(0x80), true, '.test').uleb(),
    () => new ByteReader(Uint8Array.of(0x80), true, '.test').sleb(),
  ];
  for (const read of reads) {
    const at = new ByteReader(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8), true, '.test', 7);
    assert.throws(() => read(at), refusedWith('truncated'));
    assert.equal(at.offset, 7);
  }
});

test('a nearer end hides what follows', () => {
  const whole = reader(1, 2, 3, 0, 5);
  const part = whole.at(1, 3);
  assert.equal(part.u16(), 0x0302);
  assert.ok(part.atEnd);
  assert.throws(() => part.u8(), refusedWith('truncated'));
  assert.throws(() => whole.at(0, 3).cstring(), refusedWith('truncated'));
  assert.equal(whole.at(0, 99).end, 5);
});

test('strings end at NUL, or at the end of a table', () => {
  const text = new ByteReader(new TextEncoder().encode('grün\0x'), true, '.test');
  assert.equal(text.cstring(), 'grün');
  assert.equal(text.u8(), 0x78);
  const table = new TextEncoder().encode('ab\0cd');
  assert.deepEqual(
    [0, 1, 2, 3, 5, -1].map((offset) => stringAt(table, offset)),
    ['ab', 'b', '', 'cd', undefined, undefined],
  );
});

test('hexadecimal as everywhere in the project', () => {
  assert.equal(hex(0), '0x0');
  assert.equal(hex(0x2000abcdn), '0x2000abcd');
  assert.equal(hex(0x1f, 8), '0x0000001f');
});
