/**
 * Reading and writing binary data: a bounds-checked cursor over a byte array.
 * Width and byte order are the caller's (they come from the ELF), never the host's.
 * Reading past the end throws FormatError 'truncated' with the section name and offset.
 */
import { FormatError } from './errors';

/** Position-keeping reader of one section's bytes. Offsets are in bytes from the start of that section. */
export class ByteReader {
  constructor(
    readonly bytes: Uint8Array,
    readonly littleEndian: boolean,
    readonly section: string = '',
    public offset: number = 0,
    /** End of the readable range (exclusive). */
    readonly end: number = bytes.length,
    private readonly view: DataView = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
  ) {}

  get atEnd(): boolean {
    return this.offset >= this.end;
  }

  /** A reader of the same bytes at another position, optionally with a nearer end. */
  at(offset: number, end: number = this.end): ByteReader {
    const { bytes, littleEndian, section, view } = this;
    return new ByteReader(bytes, littleEndian, section, offset, Math.min(end, bytes.length), view);
  }

  u8(): number {
    return this.view.getUint8(this.take(1));
  }

  i8(): number {
    return this.view.getInt8(this.take(1));
  }

  u16(): number {
    return this.view.getUint16(this.take(2), this.littleEndian);
  }

  i16(): number {
    return this.view.getInt16(this.take(2), this.littleEndian);
  }

  u32(): number {
    return this.view.getUint32(this.take(4), this.littleEndian);
  }

  i32(): number {
    return this.view.getInt32(this.take(4), this.littleEndian);
  }

  u64(): bigint {
    return this.view.getBigUint64(this.take(8), this.littleEndian);
  }

  i64(): bigint {
    return this.view.getBigInt64(this.take(8), this.littleEndian);
  }

  /** Unsigned integer of 4 or 8 bytes; 2^53 and more lose their low bits. */
  word(size: 4 | 8): number {
    return size === 4 ? this.u32() : Number(this.u64());
  }

  /** Unsigned integer of 1 to 8 bytes. */
  unsigned(size: number): bigint {
    if (size === 4) return BigInt(this.u32());
    if (size === 8) return this.u64();
    return decodeUnsigned(this.take8(size), this.littleEndian);
  }

  /** A view (not a copy) of the next `length` bytes. */
  take8(length: number): Uint8Array {
    const start = this.take(length);
    return this.bytes.subarray(start, start + length);
  }

  /** DWARF 7.6 unsigned LEB128; a value beyond 64 bits is a FormatError 'leb128'. */
  uleb(): bigint {
    // Nearly all are of one to four bytes, and arithmetic on bigint is slow.
    let low = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.u8();
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt(low);
    }
    let result = BigInt(low);
    for (let shift = 28n; ; shift += 7n) {
      const byte = this.u8();
      result |= BigInt(byte & 0x7f) << shift;
      if (shift >= 63n && result >> 64n !== 0n) throw new FormatError('leb128', this.section, this.offset);
      if ((byte & 0x80) === 0) return result;
    }
  }

  /** Unsigned LEB128 as a number; a value of 2^53 or more is a FormatError 'leb128'. */
  ulebNumber(): number {
    let result = 0;
    let scale = 1;
    for (;;) {
      const byte = this.u8();
      result += (byte & 0x7f) * scale;
      if ((byte & 0x80) === 0) break;
      scale *= 128;
      if (scale > 2 ** 70) throw new FormatError('leb128', this.section, this.offset);
    }
    if (!Number.isSafeInteger(result)) throw new FormatError('leb128', this.section, this.offset);
    return result;
  }

  /** DWARF 7.6 signed LEB128. */
  sleb(): bigint {
    let result = 0n;
    let shift = 0n;
    for (;;) {
      const byte = this.u8();
      if (shift <= 63n) result |= BigInt(byte & 0x7f) << shift;
      shift += 7n;
      if ((byte & 0x80) === 0) {
        return (byte & 0x40) !== 0 ? BigInt.asIntN(64, result - (1n << shift)) : BigInt.asIntN(64, result);
      }
    }
  }

  /** NUL-terminated UTF-8 string; the terminator is consumed. */
  cstring(): string {
    const start = this.offset;
    const nul = this.bytes.indexOf(0, start);
    if (nul < 0 || nul >= this.end) throw new FormatError('truncated', this.section, start);
    this.offset = nul + 1;
    return decodeText(this.bytes.subarray(start, nul));
  }

  skip(length: number): void {
    this.take(length);
  }

  private take(length: number): number {
    const start = this.offset;
    if (length < 0 || start + length > this.end) throw new FormatError('truncated', this.section, start);
    this.offset = start + length;
    return start;
  }
}

const utf8 = new TextDecoder('utf-8');

export function decodeText(bytes: Uint8Array): string {
  return utf8.decode(bytes);
}

/** The string at `offset` of a string table, up to NUL or the table's end; undefined when offset is outside. */
export function stringAt(table: Uint8Array, offset: number): string | undefined {
  if (offset < 0 || offset >= table.length) return undefined;
  const nul = table.indexOf(0, offset);
  return decodeText(table.subarray(offset, nul < 0 ? table.length : nul));
}

/** Unsigned integer held by all of `bytes`. */
export function decodeUnsigned(bytes: Uint8Array, littleEndian: boolean): bigint {
  const { length } = bytes;
  if (length <= 4) return BigInt(decodeWord(bytes, 0, length, littleEndian));
  let value = 0n;
  // Words of four bytes from the most significant end: arithmetic on bigint is slow.
  for (let done = 0; done < length;) {
    const size = (length - done) % 4 || 4;
    const start = littleEndian ? length - done - size : done;
    value = (value << BigInt(size * 8)) | BigInt(decodeWord(bytes, start, size, littleEndian));
    done += size;
  }
  return value;
}

/** Up to four bytes. */
function decodeWord(bytes: Uint8Array, start: number, size: number, littleEndian: boolean): number {
  let word = 0;
  for (let i = 0; i < size; i++) word = (word << 8) | bytes[start + (littleEndian ? size - 1 - i : i)];
  return word >>> 0;
}

/** Two's complement integer held by all of `bytes`. */
export function decodeSigned(bytes: Uint8Array, littleEndian: boolean): bigint {
  return BigInt.asIntN(bytes.length * 8, decodeUnsigned(bytes, littleEndian));
}

/** The low `size` bytes of `value`. */
export function encodeInteger(value: bigint, size: number, littleEndian: boolean): Uint8Array {
  const bytes = new Uint8Array(size);
  let rest = value;
  for (let done = 0; done < size; done += 4) {
    let word = Number(BigInt.asUintN(32, rest));
    for (let i = done; i < size && i < done + 4; i++) {
      bytes[littleEndian ? i : size - 1 - i] = word & 0xff;
      word >>>= 8;
    }
    if (done + 4 < size) rest >>= 32n;
  }
  return bytes;
}

/** `0x` and lower-case hexadecimal digits, at least `digits` of them. */
export function hex(value: bigint | number, digits = 1): string {
  return '0x' + value.toString(16).padStart(digits, '0');
}
