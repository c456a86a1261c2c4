/**
 * Parallel arithmetic of the DSP Extension: the 36 combinations of Armv7-M ARM A5.3.13 and A5.3.14, SEL and the sums of
 * absolute differences. Lanes are numbers; a lane's result before it is wrapped, halved or saturated decides about GE.
 */
import { State } from './state';

/** op1 of the encoding. */
export const Parallel = { add8: 0, add16: 1, asx: 2, sub8: 4, sub16: 5, sax: 6 } as const;

/** U:op2 of the encoding: how lanes are read and what becomes of a result that does not fit. */
export const Prefix = { S: 0, Q: 1, SH: 2, U: 4, UQ: 5, UH: 6 } as const;

const lane8 = (x: number, i: number, signed: boolean) => (signed ? (x << (24 - 8 * i)) >> 24 : (x >>> (8 * i)) & 0xff);
const lane16 = (x: number, i: number, signed: boolean) =>
  signed ? (x << (16 - 16 * i)) >> 16 : (x >>> (16 * i)) & 0xffff;

const clamp = (x: number, low: number, high: number) => (x < low ? low : x > high ? high : x);

function narrow(x: number, bits: number, prefix: number): number {
  switch (prefix) {
    case Prefix.Q:
      return clamp(x, -(2 ** (bits - 1)), 2 ** (bits - 1) - 1);
    case Prefix.UQ:
      return clamp(x, 0, 2 ** bits - 1);
    case Prefix.SH:
    case Prefix.UH:
      return x >> 1;
    default:
      return x;
  }
}

/** GE of one lane: signed, the result is not negative; unsigned, there is a carry or no borrow. */
const isGe = (x: number, bits: number, adds: boolean, signed: boolean) => (signed || !adds ? x >= 0 : x >= 2 ** bits);

/** SADD8 .. UHSUB16, and ASX and SAX, which exchange the halves of b. */
export function parallel(state: Int32Array, a: number, b: number, op: number, prefix: number): number {
  const signed = prefix < Prefix.U;
  const setsGe = prefix === Prefix.S || prefix === Prefix.U;
  const bytes = op === Parallel.add8 || op === Parallel.sub8;
  const bits = bytes ? 8 : 16;
  let result = 0;
  let ge = 0;
  for (let i = 0; i < 32 / bits; i++) {
    // The upper half of ASX adds, its lower one subtracts; SAX the other way round.
    const exchanged = op === Parallel.asx || op === Parallel.sax;
    const adds = exchanged ? (op === Parallel.asx) === (i === 1) : op < Parallel.sub8;
    const x = bytes ? lane8(a, i, signed) : lane16(a, i, signed);
    const y = bytes ? lane8(b, i, signed) : lane16(b, exchanged ? 1 - i : i, signed);
    const sum = adds ? x + y : x - y;
    result |= (narrow(sum, bits, prefix) & (2 ** bits - 1)) << (bits * i);
    if (isGe(sum, bits, adds, signed)) ge |= bytes ? 1 << i : 3 << (2 * i);
  }
  if (setsGe) state[State.ge] = ge;
  return result;
}

/** Bytes of a where GE is set, of b elsewhere. */
export function select(ge: number, a: number, b: number): number {
  const mask = (ge & 1 ? 0xff : 0) | (ge & 2 ? 0xff00 : 0) | (ge & 4 ? 0xff0000 : 0) | (ge & 8 ? 0xff000000 : 0);
  return (a & mask) | (b & ~mask);
}

/** USAD8 without the accumulation. */
export function sumOfDifferences(a: number, b: number): number {
  let sum = 0;
  for (let i = 0; i < 4; i++) sum += Math.abs(lane8(a, i, false) - lane8(b, i, false));
  return sum;
}
