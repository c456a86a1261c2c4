/**
 * Reading and writing binary data: a bounds-checked cursor over bytes, which are in memory or fetched as windows of a ByteSource.
 * Width and byte order are the caller's (they come from the ELF), never the host's.
 * Reading past the end throws FormatError 'truncated' with the section name and offset.
 */
import { type ByteSource, bytesOf, WholeBytes } from './byte-source';
import { FormatError } from './errors';

/** Position-keeping reader of one section's bytes. Offsets are in bytes from the start of that section. */
export class ByteReader {
  /** End of the readable range (exclusive). */
  readonly end: number;
  private readonly source: ByteSource;
  /** The window that is open: where it begins, its bytes, and the same as a view. */
  private start = 0;
  private bytes: Uint8Array;
  private view: DataView;

  constructor(
    source: Uint8Array | ByteSource,
    readonly littleEndian: boolean,
    readonly section: string = '',
    public offset: number = 0,
    end?: number,
    opened?: ByteReader,
  ) {
    const isWhole = source instanceof Uint8Array;
    this.source = isWhole ? new WholeBytes(source) : source;
    this.end = Math.min(end ?? source.length, source.length);
    this.start = opened?.start ?? 0;
    this.bytes = opened?.bytes ?? (isWhole ? source : nothing);
    this.view = opened?.view ?? (isWhole ? viewOf(source) : viewOfNothing);
  }

  get atEnd(): boolean {
    return this.offset >= this.end;
  }

  /** A reader of the same bytes at another position, optionally with a nearer end. */
  at(offset: number, end: number = this.end): ByteReader {
    return new ByteReader(this.source, this.littleEndian, this.section, offset, end, this);
  }

  /** Has all up to an offset at once, because it will be read. */
  prefetch(end: number): void {
    const length = Math.min(end, this.end) - this.offset;
    if (length > 0 && !this.holds(this.offset, length)) this.open(this.offset, length);
  }

  u8(): number {
    const at = this.take(1);
    return this.view.getUint8(at);
  }

  i8(): number {
    const at = this.take(1);
    return this.view.getInt8(at);
  }

  u16(): number {
    const at = this.take(2);
    return this.view.getUint16(at, this.littleEndian);
  }

  i16(): number {
    const at = this.take(2);
    return this.view.getInt16(at, this.littleEndian);
  }

  u32(): number {
    const at = this.take(4);
    return this.view.getUint32(at, this.littleEndian);
  }

  i32(): number {
    const at = this.take(4);
    return this.view.getInt32(at, this.littleEndian);
  }

  u64(): bigint {
    const at = this.take(8);
    return this.view.getBigUint64(at, this.littleEndian);
  }

  i64(): bigint {
    const at = this.take(8);
    return this.view.getBigInt64(at, this.littleEndian);
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
    const at = this.take(length);
    return this.bytes.subarray(at, at + length);
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
    const begin = this.offset;
    let looked = begin;
    while (looked < this.end) {
      // Whatever is in memory from there on is searched; the window may end within the string.
      if (!this.holds(looked, 1)) this.open(looked, 1);
      const nul = this.bytes.indexOf(0, looked - this.start);
      const stop = nul < 0 ? this.start + this.bytes.length : this.start + nul;
      if (nul >= 0 && stop < this.end) return this.text(begin, stop);
      looked = stop;
    }
    throw new FormatError('truncated', this.section, begin);
  }

  skip(length: number): void {
    this.check(length);
    this.offset += length;
  }

  private text(begin: number, nul: number): string {
    if (!this.holds(begin, nul - begin)) this.open(begin, nul - begin);
    this.offset = nul + 1;
    return decodeText(this.bytes.subarray(begin - this.start, nul - this.start));
  }

  private check(length: number): void {
    if (length < 0 || this.offset + length > this.end) throw new FormatError('truncated', this.section, this.offset);
  }

  /** Goes on by so many bytes, and returns where they are in the window. */
  private take(length: number): number {
    const { offset } = this;
    this.check(length);
    if (!this.holds(offset, length)) this.open(offset, length);
    this.offset = offset + length;
    return offset - this.start;
  }

  private holds(offset: number, length: number): boolean {
    return offset >= this.start && offset + length <= this.start + this.bytes.length;
  }

  private open(offset: number, length: number): void {
    const { start, bytes } = this.source.window(offset, offset + length);
    this.start = start;
    this.bytes = bytes;
    this.view = viewOf(bytes);
  }
}

const nothing = new Uint8Array(0);

const viewOfNothing = new DataView(nothing.buffer);

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
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

/** The same of a source, of which no more than the string is read: a piece at a time. */
export function stringIn(source: ByteSource, offset: number): string | undefined {
  if (offset < 0 || offset >= source.length) return undefined;
  for (let end = offset; end < source.length;) {
    const { start, bytes } = source.window(end, end + 1);
    const nul = bytes.indexOf(0, end - start);
    end = nul < 0 ? start + bytes.length : start + nul;
    if (nul >= 0 || end >= source.length) return decodeText(bytesOf(source, offset, Math.min(end, source.length)));
  }
  return '';
}

const hostIsLittleEndian = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

/** Words of 32 bits, for those who go over many of them: a view of the bytes where they lie so, else a copy. What is left over is not there. */
export function wordsOf(bytes: Uint8Array, littleEndian: boolean): Uint32Array {
  const length = bytes.length >> 2;
  if (littleEndian === hostIsLittleEndian) {
    // Not slice(): that of Node's Buffer copies nothing.
    const aligned = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes);
    return new Uint32Array(aligned.buffer, aligned.byteOffset, length);
  }
  const view = viewOf(bytes);
  return Uint32Array.from({ length }, (_, n) => view.getUint32(4 * n, littleEndian));
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
