/**
 * Compressed debug sections: gABI's SHF_COMPRESSED (an Elf_Chdr, then a zlib stream) and the older GNU form of
 * `.zdebug_*` sections ("ZLIB", the size as 8 big-endian bytes, then a zlib stream). Zstandard (RFC 8878) instead of zlib is what
 * GCC's -gz=zstd and newer distributions write. The announced size is held against what the algorithm can reach at most, so that a
 * small file cannot ask for gigabytes.
 */
import { decompress } from 'fzstd';
import { Inflate } from 'pako';
import { ByteReader } from '../bytes';
import { FormatError } from '../errors';
import { ELFCOMPRESS_ZLIB, ELFCOMPRESS_ZSTD, SHF_COMPRESSED } from './constants';

interface SectionLike {
  readonly name: string;
  readonly sh_flags: number;
}

interface Algorithm {
  readonly name: string;
  /** Bytes out for a byte in, at most. */
  readonly maximalRatio: number;
  inflate(stream: Uint8Array, out: Uint8Array): Uint8Array;
}

const zlib: Algorithm = {
  name: 'zlib',
  // Deflate codes at most 258 bytes in two bits.
  maximalRatio: 1032,
  inflate: inflateZlib,
};

/** The check sum at its end is looked at too (RFC 1950, 2.2). */
function inflateZlib(stream: Uint8Array, out: Uint8Array): Uint8Array {
  const inflator = new Inflate({ chunkSize: Math.max(out.length, 1) });
  let length = 0;
  inflator.onData = (chunk) => {
    const bytes = chunk as Uint8Array;
    // Here, and not at the end: a damaged stream may go on for gigabytes.
    if (length + bytes.length > out.length) throw new Error(`it has more than the announced ${out.length} bytes`);
    out.set(bytes, length);
    length += bytes.length;
  };
  inflator.push(stream, true);
  if (inflator.err !== 0) throw new Error(inflator.msg === '' ? 'it ends too early' : inflator.msg);
  return out.subarray(0, length);
}

const algorithms: ReadonlyMap<number, Algorithm> = new Map([
  [ELFCOMPRESS_ZLIB, zlib],
  // A block of at most 128 KiB takes four bytes: its header, and the byte that it repeats.
  [ELFCOMPRESS_ZSTD, { name: 'Zstandard', maximalRatio: 32768, inflate: (stream, out) => decompress(stream, out) }],
]);

/** By what the header says. */
export function mayBeCompressed(section: SectionLike): boolean {
  return (section.sh_flags & SHF_COMPRESSED) !== 0 || section.name.startsWith('.zdebug_');
}

export function isCompressed(section: SectionLike, bytes: Uint8Array): boolean {
  if ((section.sh_flags & SHF_COMPRESSED) !== 0) return true;
  return mayBeCompressed(section) && String.fromCharCode(...bytes.subarray(0, 4)) === 'ZLIB';
}

export function inflateSection(
  section: SectionLike,
  bytes: Uint8Array,
  is64: boolean,
  littleEndian: boolean,
): Uint8Array {
  const reader = new ByteReader(bytes, littleEndian, section.name);
  let size: number;
  let algorithm: Algorithm | undefined = zlib;
  if ((section.sh_flags & SHF_COMPRESSED) !== 0) {
    const ch_type = reader.u32();
    if (is64) reader.skip(4);
    size = Number(reader.unsigned(is64 ? 8 : 4));
    reader.skip(is64 ? 8 : 4);
    algorithm = algorithms.get(ch_type);
    if (algorithm === undefined) {
      throw new FormatError(
        'bad-compression',
        section.name,
        0,
        `compressed with ch_type ${ch_type}, which is not known`,
      );
    }
  } else {
    reader.skip(4);
    size = Number(new ByteReader(bytes, false, section.name, 4).u64());
    reader.skip(8);
  }
  const stream = bytes.subarray(reader.offset);
  if (size > stream.length * algorithm.maximalRatio) throw new FormatError('bad-size', section.name, reader.offset);
  return inflate(algorithm, stream, size, section.name, reader.offset);
}

function inflate(algorithm: Algorithm, stream: Uint8Array, size: number, section: string, offset: number): Uint8Array {
  let contents: Uint8Array;
  try {
    contents = algorithm.inflate(stream, new Uint8Array(size));
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new FormatError('bad-compression', section, offset, `cannot be inflated (${algorithm.name}): ${detail}`);
  }
  if (contents.length !== size) throw new FormatError('bad-compression', section, offset);
  return contents;
}
