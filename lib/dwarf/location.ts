/**
 * Where an object is (DWARF 5, 2.6): the result of a location description, in terms of the running target.
 * Addresses are load addresses. `bytes` and `value` have no place in the target: the compiler only kept what the
 * object would hold. Part of an object is found by slicing its location, down to single bits for pieces and bit-fields.
 */
import type { ExpressionUnit } from './model';

export interface Piece {
  readonly location: Location;
  /** From the start of `location`, in bits in memory order. */
  readonly bitOffset: number;
  readonly bitSize: number;
}

export type Location =
  | { readonly kind: 'memory'; readonly address: bigint }
  /** `byteOffset` into the register's bytes as they would be stored to memory. */
  | { readonly kind: 'register'; readonly register: number; readonly byteOffset: number }
  /** `address`: where they were read. */
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array; readonly address?: bigint }
  /** A number (DW_OP_stack_value) not yet laid out in the size of its object. */
  | { readonly kind: 'value'; readonly value: bigint; readonly byteSize: number }
  /** A pointer to something that has no address: DW_OP_implicit_pointer (2.6.1.1.4). */
  | {
      readonly kind: 'implicit-pointer';
      readonly infoOffset: number;
      readonly byteOffset: bigint;
      readonly unit: ExpressionUnit;
    }
  | { readonly kind: 'pieces'; readonly pieces: readonly Piece[] }
  | Unavailable;

/** The object, or this part of it, can't be had. `optimizedOut`: the compiler did not keep it; otherwise an error. */
export interface Unavailable {
  readonly kind: 'unavailable';
  readonly optimizedOut: boolean;
  readonly reason: string;
}

export function optimizedOut(reason: string): Unavailable {
  return { kind: 'unavailable', optimizedOut: true, reason };
}

/** Of what lies behind the last piece of an object. */
export const beyondPieces: Unavailable = optimizedOut('no piece describes this part');

export function unavailable(reason: string): Unavailable {
  return { kind: 'unavailable', optimizedOut: false, reason };
}

/** The part of `location` that starts `byteOffset` bytes into the object and is `byteSize` bytes long. */
export function sliceLocation(location: Location, byteOffset: number, byteSize: number): Location {
  switch (location.kind) {
    case 'memory':
      return { kind: 'memory', address: location.address + BigInt(byteOffset) };
    case 'register':
      return { ...location, byteOffset: location.byteOffset + byteOffset };
    case 'bytes':
      return sliceBytes(location, byteOffset, byteSize);
    case 'value':
    case 'implicit-pointer':
      return byteOffset === 0 ? location : unavailable('part of a value that has no address');
    case 'pieces':
      return slicePieces(location.pieces, byteOffset * 8, byteSize * 8);
    case 'unavailable':
      return location;
  }
}

/** Where the bytes of a location are, or were read. */
export function addressOf(location: Location): bigint | undefined {
  return location.kind === 'memory' || location.kind === 'bytes' ? location.address : undefined;
}

function sliceBytes(
  { bytes, address }: Extract<Location, { kind: 'bytes' }>,
  byteOffset: number,
  byteSize: number,
): Location {
  if (byteOffset + byteSize > bytes.length) {
    return unavailable('the debug information gives fewer bytes than the type has');
  }
  const part = bytes.subarray(byteOffset, byteOffset + byteSize);
  if (address === undefined) return { kind: 'bytes', bytes: part };
  return { kind: 'bytes', bytes: part, address: address + BigInt(byteOffset) };
}

function slicePieces(pieces: readonly Piece[], start: number, size: number): Location {
  const found: Piece[] = [];
  let position = 0;
  for (const piece of pieces) {
    const from = Math.max(start, position);
    const to = Math.min(start + size, position + piece.bitSize);
    if (from < to) {
      found.push({ location: piece.location, bitOffset: piece.bitOffset + from - position, bitSize: to - from });
    }
    position += piece.bitSize;
  }
  if (position < start + size) {
    const missing = start + size - Math.max(start, position);
    const location = found.length === 0 ? beyondPieces : optimizedOut('no piece describes all of this part');
    found.push({ location, bitOffset: 0, bitSize: missing });
  }
  if (found.length !== 1 || found[0].bitOffset % 8 !== 0 || size % 8 !== 0) return { kind: 'pieces', pieces: found };
  return sliceLocation(found[0].location, found[0].bitOffset / 8, size / 8);
}

/**
 * Fits a location to an object of `byteSize` bytes: a number gets its bytes, and a big-endian register that is wider
 * than the object holds it in its last bytes. A number shorter than the object is extended with zeros, as gdb does.
 */
export function fitLocation(location: Location, byteSize: number, littleEndian: boolean, wordSize: number): Location {
  if (location.kind === 'value') {
    const bytes = new Uint8Array(byteSize);
    let rest = BigInt.asUintN(location.byteSize * 8, location.value);
    for (let i = 0; i < byteSize && rest !== 0n; i++) {
      bytes[littleEndian ? i : byteSize - 1 - i] = Number(rest & 0xffn);
      rest >>= 8n;
    }
    return { kind: 'bytes', bytes };
  }
  if (location.kind === 'register' && !littleEndian && byteSize < wordSize) {
    return { ...location, byteOffset: wordSize - byteSize };
  }
  if (location.kind === 'pieces') {
    const pieces = location.pieces.map((piece) => ({
      ...piece,
      location: fitLocation(piece.location, Math.ceil((piece.bitOffset + piece.bitSize) / 8), littleEndian, wordSize),
    }));
    return { kind: 'pieces', pieces };
  }
  return location;
}
