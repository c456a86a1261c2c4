/**
 * Compressed debug sections: gABI's SHF_COMPRESSED (an Elf_Chdr, then a zlib stream) and the older GNU form of
 * `.zdebug_*` sections ("ZLIB", the size as 8 big-endian bytes, then a zlib stream). Zstandard is refused by name.
 * The announced size is held against what deflate can reach at most, so that a small file cannot ask for gigabytes.
 */
import { unzlibSync } from 'fflate';
import { ByteReader } from '../bytes';
import { FormatError } from '../errors';
import { ELFCOMPRESS_ZLIB, ELFCOMPRESS_ZSTD, SHF_COMPRESSED } from './constants';

interface SectionLike {
  readonly name: string;
  readonly sh_flags: number;
}

/** Deflate codes at most 258 bytes in two bits. */
const maximalRatio = 1032;

export function isCompressed(section: SectionLike, bytes: Uint8Array): boolean {
  if ((section.sh_flags & SHF_COMPRESSED) !== 0) return true;
  return section.name.startsWith('.zdebug_') && String.fromCharCode(...bytes.subarray(0, 4)) === 'ZLIB';
}

export function inflateSection(
  section: SectionLike,
  bytes: Uint8Array,
  is64: boolean,
  littleEndian: boolean,
): Uint8Array {
  const reader = new ByteReader(bytes, littleEndian, section.name);
  let size: number;
  if ((section.sh_flags & SHF_COMPRESSED) !== 0) {
    const ch_type = reader.u32();
    if (is64) reader.skip(4);
    size = Number(reader.unsigned(is64 ? 8 : 4));
    reader.skip(is64 ? 8 : 4);
    if (ch_type !== ELFCOMPRESS_ZLIB) {
      const name = ch_type === ELFCOMPRESS_ZSTD ? 'ELFCOMPRESS_ZSTD' : `ch_type ${ch_type}`;
      throw new FormatError('bad-compression', section.name, 0, `compressed with ${name}, which is not supported`);
    }
  } else {
    reader.skip(4);
    size = Number(new ByteReader(bytes, false, section.name, 4).u64());
    reader.skip(8);
  }
  const stream = bytes.subarray(reader.offset);
  if (size > stream.length * maximalRatio) throw new FormatError('bad-size', section.name, reader.offset);
  return inflate(stream, size, section.name, reader.offset);
}

function inflate(stream: Uint8Array, size: number, section: string, offset: number): Uint8Array {
  let contents: Uint8Array;
  try {
    contents = unzlibSync(stream, { out: new Uint8Array(size) });
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new FormatError('bad-compression', section, offset, `cannot be inflated: ${detail}`);
  }
  if (contents.length !== size) throw new FormatError('bad-compression', section, offset);
  return contents;
}
