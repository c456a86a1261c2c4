/**
 * Reading and writing what a location holds, in bytes and in bits. Bits are numbered in memory order: on a
 * little-endian target bit 0 is the least significant of the first byte, on a big-endian one the most significant.
 * Writes are returned as data for the caller to perform: a query never changes the target.
 */
import { decodeUnsigned, encodeInteger, hex } from '../bytes';
import type { Query } from '../query';
import {
  beyondPieces,
  type Location,
  optimizedOut,
  type Piece,
  sliceLocation,
  type Unavailable,
  unavailable,
} from './location';
import { registerSize, type Frame } from './unwind-frame';

export type TargetWrite =
  | { readonly kind: 'memory'; readonly address: bigint; readonly bytes: Uint8Array }
  /** By DWARF number, of the innermost frame. */
  | { readonly kind: 'register'; readonly register: number; readonly value: bigint };

/** Larger objects are not read as a whole. */
const largestRead = 1 << 24;

export function isUnavailable(value: unknown): value is Unavailable {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'unavailable';
}

/** All bytes of an object of `byteSize` at `location`. */
export function* readBytes(location: Location, byteSize: number, frame: Frame): Query<Uint8Array | Unavailable> {
  if (byteSize > largestRead) return unavailable(`the object has ${byteSize} bytes`);
  switch (location.kind) {
    case 'memory':
      return yield* readMemory(location.address, byteSize);
    case 'bytes':
      if (byteSize <= location.bytes.length) return location.bytes.subarray(0, byteSize);
      return unavailable('the debug information gives fewer bytes than the type has');
    case 'value': {
      const fitted = encodeInteger(location.value, Math.max(byteSize, location.byteSize), frame.machine.littleEndian);
      return frame.machine.littleEndian ? fitted.subarray(0, byteSize) : fitted.subarray(fitted.length - byteSize);
    }
    case 'register':
      return readRegister(location.register, location.byteOffset, byteSize, frame);
    case 'implicit-pointer':
      return unavailable('a synthetic pointer has no address');
    case 'pieces': {
      const bits = yield* readBits(location, 0, byteSize * 8, frame);
      return typeof bits === 'bigint' ? encodeInteger(bits, byteSize, frame.machine.littleEndian) : bits;
    }
    case 'unavailable':
      return location;
  }
}

/** Nothing is asked for an object without bytes. */
function* readMemory(address: bigint, length: number): Query<Uint8Array | Unavailable> {
  if (length === 0) return new Uint8Array(0);
  return (yield { address, length }) ?? unavailable(`Cannot access memory at address ${hex(address)}`);
}

/** Bytes of a register; an object that is larger goes on in the registers that follow. */
function readRegister(register: number, offset: number, size: number, frame: Frame): Uint8Array | Unavailable {
  const { addressSize, littleEndian } = frame.machine;
  if (offset === 0 && size === addressSize && register < 32) {
    const whole = frame.register(register);
    if (whole !== undefined) return encodeInteger(whole, size, littleEndian);
  }
  const result = new Uint8Array(size);
  let current = register;
  let skip = offset;
  for (let done = 0; done < size; current++) {
    const width = registerSize(current, frame.machine);
    if (skip >= width) {
      skip -= width;
      continue;
    }
    const value = frame.register(current);
    if (value === undefined) return optimizedOut(`${registerName(current, frame)} was not saved`);
    const bytes = encodeInteger(value, width, frame.machine.littleEndian).subarray(skip, skip + size - done);
    result.set(bytes, done);
    done += bytes.length;
    skip = 0;
  }
  return result;
}

/** The assembler's name, for messages. */
export function registerName(register: number, frame: Frame): string {
  return frame.machine.registers.names.get(register) ?? `register ${register}`;
}

/** `bitSize` bits from bit `bitOffset` on, as an unsigned number. */
export function* readBits(
  location: Location,
  bitOffset: number,
  bitSize: number,
  frame: Frame,
): Query<bigint | Unavailable> {
  if (location.kind === 'pieces') return yield* readPieces(location.pieces, bitOffset, bitSize, frame);
  const firstByte = Math.floor(bitOffset / 8);
  const byteCount = Math.ceil((bitOffset + bitSize) / 8) - firstByte;
  const part = sliceLocation(location, firstByte, byteCount);
  const bytes = yield* readBytes(part, byteCount, frame);
  if (!(bytes instanceof Uint8Array)) return bytes;
  const { littleEndian } = frame.machine;
  const shift = shiftOf(bitOffset - firstByte * 8, bitSize, byteCount, littleEndian);
  return BigInt.asUintN(bitSize, decodeUnsigned(bytes, littleEndian) >> shift);
}

/** How far the bits are from the least significant bit of the number that their bytes make. */
function shiftOf(bitOffset: number, bitSize: number, byteCount: number, littleEndian: boolean): bigint {
  return BigInt(littleEndian ? bitOffset : byteCount * 8 - bitOffset - bitSize);
}

/** Parts are joined in memory order: the first is the low end on a little-endian target. */
function* readPieces(
  pieces: readonly Piece[],
  bitOffset: number,
  bitSize: number,
  frame: Frame,
): Query<bigint | Unavailable> {
  let result = 0n;
  let done = 0;
  for (const part of overlapping(pieces, bitOffset, bitSize)) {
    const bits = yield* readBits(part.location, part.bitOffset, part.bitSize, frame);
    if (typeof bits !== 'bigint') return bits;
    result = frame.machine.littleEndian ? result | (bits << BigInt(done)) : (result << BigInt(part.bitSize)) | bits;
    done += part.bitSize;
  }
  if (done === bitSize) return result;
  return done === 0 ? beyondPieces : optimizedOut('no piece describes all of this part');
}

/** The pieces' shares of a range of bits, in order. */
function overlapping(pieces: readonly Piece[], bitOffset: number, bitSize: number): Piece[] {
  const parts: Piece[] = [];
  let position = 0;
  for (const piece of pieces) {
    const from = Math.max(bitOffset, position);
    const to = Math.min(bitOffset + bitSize, position + piece.bitSize);
    if (from < to) {
      parts.push({ location: piece.location, bitOffset: piece.bitOffset + from - position, bitSize: to - from });
    }
    position += piece.bitSize;
  }
  return parts;
}

/** The writes that store `bits` into bits of a location. */
export function* writeBits(
  location: Location,
  bitOffset: number,
  bitSize: number,
  bits: bigint,
  frame: Frame,
): Query<readonly TargetWrite[] | Unavailable> {
  if (location.kind === 'pieces') return yield* writePieces(location.pieces, bitOffset, bitSize, bits, frame);
  if (location.kind === 'unavailable') return location;
  if (location.kind === 'register') return yield* writeRegister(location, bitOffset, bitSize, bits, frame);
  if (location.kind !== 'memory') return unavailable('the value has no place in the target: it cannot be changed');
  const firstByte = Math.floor(bitOffset / 8);
  const byteCount = Math.ceil((bitOffset + bitSize) / 8) - firstByte;
  const address = location.address + BigInt(firstByte);
  const { littleEndian } = frame.machine;
  const shift = shiftOf(bitOffset - firstByte * 8, bitSize, byteCount, littleEndian);
  let word = BigInt.asUintN(bitSize, bits) << shift;
  if (bitSize !== byteCount * 8) {
    const old = yield* readMemory(address, byteCount);
    if (!(old instanceof Uint8Array)) return old;
    word |= decodeUnsigned(old, littleEndian) & ~(((1n << BigInt(bitSize)) - 1n) << shift);
  }
  return [{ kind: 'memory', address, bytes: encodeInteger(word, byteCount, littleEndian) }];
}

/** All parts or nothing: a piece that can't be written refuses the whole. */
function* writePieces(
  pieces: readonly Piece[],
  bitOffset: number,
  bitSize: number,
  bits: bigint,
  frame: Frame,
): Query<readonly TargetWrite[] | Unavailable> {
  const writes: TargetWrite[] = [];
  let done = 0;
  for (const part of overlapping(pieces, bitOffset, bitSize)) {
    const shift = frame.machine.littleEndian ? done : bitSize - done - part.bitSize;
    const written = yield* writeBits(part.location, part.bitOffset, part.bitSize, bits >> BigInt(shift), frame);
    if (isUnavailable(written)) return written;
    writes.push(...written);
    done += part.bitSize;
  }
  return done === bitSize ? writes : beyondPieces;
}

/** In a caller's frame a register may live in memory, where the callee saved it. */
function* writeRegister(
  location: Extract<Location, { kind: 'register' }>,
  bitOffset: number,
  bitSize: number,
  bits: bigint,
  frame: Frame,
): Query<readonly TargetWrite[] | Unavailable> {
  const width = registerSize(location.register, frame.machine);
  const start = bitOffset + location.byteOffset * 8;
  if (start >= width * 8) {
    const next = { ...location, register: location.register + 1, byteOffset: location.byteOffset - width };
    return yield* writeRegister(next, bitOffset, bitSize, bits, frame);
  }
  if (start + bitSize > width * 8) {
    const pieces = [
      { location, bitOffset, bitSize: width * 8 - start },
      { location, bitOffset: bitOffset + width * 8 - start, bitSize: start + bitSize - width * 8 },
    ];
    return yield* writePieces(pieces, 0, bitSize, bits, frame);
  }
  const saved = frame.registers.savedAt(location.register);
  const name = registerName(location.register, frame);
  if (!saved) return optimizedOut(`${name} was not saved`);
  if (saved.kind === 'memory') {
    return yield* writeBits({ kind: 'memory', address: saved.address }, start, bitSize, bits, frame);
  }
  const old = frame.register(location.register);
  if (old === undefined) return optimizedOut(`${name} is not known`);
  const shift = shiftOf(start, bitSize, width, frame.machine.littleEndian);
  const mask = ((1n << BigInt(bitSize)) - 1n) << shift;
  const value = (old & ~mask) | ((bits << shift) & mask);
  return [{ kind: 'register', register: saved.register, value }];
}
