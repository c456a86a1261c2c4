/**
 * Reads what is passed over in bulk: abbreviations, entries, line programs. Plain numbers and no views, unlike ByteReader, which
 * costs several times as much.
 */
import { FormatError } from '../errors';

/** A position in a section's bytes; every reading is checked against the end of the unit. */
export class RawCursor {
  constructor(
    readonly bytes: Uint8Array,
    readonly littleEndian: boolean,
    readonly section: string,
    public offset: number,
    readonly end: number,
  ) {}

  get atEnd(): boolean {
    return this.offset >= this.end;
  }

  skip(length: number): void {
    this.offset += length;
    if (this.offset > this.end || length < 0) throw new FormatError('truncated', this.section, this.offset);
  }

  /** Little or big endian, up to 4 bytes; of 8 bytes the value as a number. */
  unsigned(size: number): number {
    const start = this.offset;
    this.skip(size);
    let value = 0;
    for (let i = 0; i < size; i++) {
      value = value * 256 + this.bytes[this.littleEndian ? start + size - 1 - i : start + i];
    }
    return value;
  }

  uleb(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      if (this.offset >= this.end || scale > 2 ** 63) throw new FormatError('leb128', this.section, this.offset);
      const byte = this.bytes[this.offset++];
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }
}
