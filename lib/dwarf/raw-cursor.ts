/**
 * Reads what is passed over in bulk: abbreviations, entries, line programs. Plain numbers and no views, unlike ByteReader, which
 * costs several times as much.
 */
import { FormatError } from '../errors';

/** A position in a window of a section's bytes; every reading is checked against the window's end. */
export class RawCursor {
  /** Section offset of one past the last byte that may be read. */
  readonly end: number;
  /** In the window. */
  private at = 0;

  constructor(
    readonly bytes: Uint8Array,
    readonly littleEndian: boolean,
    readonly section: string,
    /** Offset in the section of the window's first byte. */
    readonly start: number,
  ) {
    this.end = start + bytes.length;
  }

  /** In the section. */
  get offset(): number {
    return this.start + this.at;
  }

  set offset(offset: number) {
    this.at = offset - this.start;
  }

  get atEnd(): boolean {
    return this.at >= this.bytes.length;
  }

  /** The next byte, which stays the next; undefined at the end. */
  get next(): number | undefined {
    return this.at < this.bytes.length ? this.bytes[this.at] : undefined;
  }

  /** 4 bytes at an index in the window, which are inside. */
  wordAt(at: number): number {
    const { bytes, littleEndian } = this;
    const word = littleEndian
      ? bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)
      : bytes[at + 3] | (bytes[at + 2] << 8) | (bytes[at + 1] << 16) | (bytes[at] << 24);
    return word >>> 0;
  }

  skip(length: number): void {
    this.at += length;
    if (this.at > this.bytes.length || length < 0) throw new FormatError('truncated', this.section, this.offset);
  }

  u8(): number {
    if (this.at >= this.bytes.length) throw new FormatError('truncated', this.section, this.offset);
    return this.bytes[this.at++];
  }

  /** Little or big endian, up to 4 bytes; of 8 bytes the value as a number. */
  unsigned(size: number): number {
    const { bytes, at } = this;
    this.skip(size);
    let value = 0;
    if (this.littleEndian) for (let i = at + size - 1; i >= at; i--) value = value * 256 + bytes[i];
    else for (let i = at; i < at + size; i++) value = value * 256 + bytes[i];
    return value;
  }

  uleb(): number {
    const { bytes } = this;
    // Nearly all are of one byte.
    if (this.at < bytes.length && bytes[this.at] < 0x80) return bytes[this.at++];
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      if (this.at >= bytes.length || scale > 2 ** 63) throw new FormatError('leb128', this.section, this.offset);
      const byte = bytes[this.at++];
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  /** A value beyond 32 bits keeps its low ones. */
  sleb32(): number {
    const { bytes } = this;
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      if (this.at >= bytes.length) throw new FormatError('leb128', this.section, this.offset);
      const byte = bytes[this.at++];
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return shift < 25 && (byte & 0x40) !== 0 ? value | (-1 << (shift + 7)) : value;
    }
  }

  /** Passes over a string that NUL ends; where it begins in the window. */
  cstring(): number {
    const { at, bytes } = this;
    const nul = bytes.indexOf(0, at);
    if (nul < 0) throw new FormatError('truncated', this.section, this.offset);
    this.at = nul + 1;
    return at;
  }
}
