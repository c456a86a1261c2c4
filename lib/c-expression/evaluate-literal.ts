/** Evaluation of compound literals: the bytes of the object, part by part in the order of the list, zero elsewhere (C11 6.7.9). */
import { decodeUnsigned, encodeInteger } from '../bytes';
import { encodeScalar } from '../dwarf/value';
import { isScalar } from '../dwarf/value-types';
import type { Evaluation } from './evaluate';
import type { ExpressionQuery } from './requests';
import type { LiteralPart, TypedNode } from './typed';

export function* evaluateLiteral(
  { parts, size }: Extract<TypedNode, { kind: 'literal' }>,
  evaluation: Evaluation,
): ExpressionQuery<Uint8Array> {
  const bytes = new Uint8Array(size);
  for (const part of parts) {
    const value = yield* partBytes(part, evaluation);
    if (part.bitField === undefined) bytes.set(value.subarray(0, part.limit), part.offset);
    else
      setBits(bytes.subarray(part.offset), part.bitField, decodeUnsigned(value, evaluation.littleEndian), evaluation);
  }
  return bytes;
}

function* partBytes({ type, value, limit }: LiteralPart, evaluation: Evaluation): ExpressionQuery<Uint8Array> {
  if (limit !== undefined || !isScalar(type)) return yield* evaluation.bytesOf(value);
  return encodeScalar(yield* evaluation.number(value), type, evaluation.littleEndian);
}

/** Bits are numbered in memory order. */
function setBits(
  bytes: Uint8Array,
  { bitOffset, bitSize }: NonNullable<LiteralPart['bitField']>,
  value: bigint,
  { littleEndian }: Evaluation,
): void {
  const first = Math.floor(bitOffset / 8);
  const length = Math.ceil((bitOffset + bitSize) / 8) - first;
  const within = bitOffset - first * 8;
  const shift = BigInt(littleEndian ? within : length * 8 - within - bitSize);
  const mask = ((1n << BigInt(bitSize)) - 1n) << shift;
  const part = bytes.subarray(first, first + length);
  const old = decodeUnsigned(part, littleEndian);
  part.set(encodeInteger((old & ~mask) | ((value << shift) & mask), length, littleEndian));
}
