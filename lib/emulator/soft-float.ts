/**
 * IEEE 754 arithmetic that host numbers cannot give: every rounding mode, every flag, fused operations, binary16. Values
 * are exact: a sign and an integer times a power of two, of any size; rounding to a format is the last step. What
 * becomes of NaNs and of subnormals differs between CPUs and is theirs. Slow (about a microsecond), so for what the
 * fast paths of a CPU leave over. Used with IEEE 754-2019 sections 4.3 and 7; tininess is detected before or after rounding.
 */
export interface Format {
  /** Of the significand, with the hidden bit. */
  readonly precision: number;
  readonly minimumExponent: number;
  readonly maximumExponent: number;
  readonly width: 16 | 32 | 64;
}

export const binary16: Format = { precision: 11, minimumExponent: -14, maximumExponent: 15, width: 16 };
/** Arm's alternative half precision: no infinities and NaNs, one exponent more. */
export const alternative16: Format = { ...binary16, maximumExponent: 16 };
export const binary32: Format = { precision: 24, minimumExponent: -126, maximumExponent: 127, width: 32 };
export const binary64: Format = { precision: 53, minimumExponent: -1022, maximumExponent: 1023, width: 64 };

/** To nearest with ties to even, up, down, to zero (Arm's FPSCR.RMode in this order), to nearest with ties away. */
export const Rounding = { nearest: 0, up: 1, down: 2, zero: 3, away: 4 } as const;

/** Exceptions, as the bits of Arm's FPSCR. */
export const Flag = {
  invalid: 1,
  divideByZero: 2,
  overflow: 4,
  underflow: 8,
  inexact: 16,
  inputDenormal: 128,
} as const;

/** (-1)^sign * significand * 2^exponent, or what is no number. */
export interface Real {
  readonly kind: 'finite' | 'infinity' | 'quiet' | 'signaling';
  readonly sign: 0 | 1;
  readonly exponent: number;
  /** 0 for zeros; the fraction bits of a NaN. */
  readonly significand: bigint;
}

export interface Rounded {
  readonly bits: bigint;
  readonly flags: number;
}

const fractionBits = (format: Format) => BigInt(format.precision - 1);
const exponentOnes = (format: Format) => 2 ** (format.width - format.precision) - 1;
const bias = (format: Format) => 1 - format.minimumExponent;

/** Number of bits up to the highest set one. */
export function bitLength(x: bigint): number {
  let length = 0;
  let rest = x;
  while (rest >= 0x1_0000_0000n) {
    rest >>= 32n;
    length += 32;
  }
  return length + 32 - Math.clz32(Number(rest));
}

export function unpack(format: Format, bits: bigint): Real {
  const sign = (bits >> BigInt(format.width - 1)) & 1n ? 1 : 0;
  const fraction = bits & ((1n << fractionBits(format)) - 1n);
  const biased = Number((bits >> fractionBits(format)) & BigInt(exponentOnes(format)));
  // The alternative format has no special exponent.
  if (biased === exponentOnes(format) && format.maximumExponent + bias(format) < biased) {
    if (fraction === 0n) return { kind: 'infinity', sign, exponent: 0, significand: 0n };
    const quiet = (fraction >> (fractionBits(format) - 1n)) & 1n;
    return { kind: quiet ? 'quiet' : 'signaling', sign, exponent: 0, significand: fraction };
  }
  const exponent = Math.max(biased, 1) - bias(format) - (format.precision - 1);
  const significand = biased === 0 ? fraction : fraction | (1n << fractionBits(format));
  return { kind: 'finite', sign, exponent, significand };
}

const pack = (format: Format, sign: number, biased: number, fraction: bigint) =>
  (BigInt(sign) << BigInt(format.width - 1)) | (BigInt(biased) << fractionBits(format)) | fraction;

export const zeroOf = (format: Format, sign: number) => pack(format, sign, 0, 0n);
export const infinityOf = (format: Format, sign: number) => pack(format, sign, exponentOnes(format), 0n);
export const isSubnormal = (format: Format, x: Real) =>
  x.kind === 'finite' && x.significand !== 0n && x.significand >> fractionBits(format) === 0n;

function roundsUp(mode: number, sign: number, odd: boolean, rest: bigint, half: bigint): boolean {
  switch (mode) {
    case Rounding.nearest:
      return rest > half || (rest === half && odd);
    case Rounding.up:
      return sign === 0 && rest !== 0n;
    case Rounding.down:
      return sign === 1 && rest !== 0n;
    case Rounding.away:
      return rest >= half && rest !== 0n;
    default:
      return false;
  }
}

function overflowed(format: Format, sign: number, mode: number): Rounded {
  const ones = (1n << fractionBits(format)) - 1n;
  // The alternative format has nothing beyond its largest number, and says "invalid" instead.
  if (format.maximumExponent + bias(format) === exponentOnes(format))
    return { bits: pack(format, sign, exponentOnes(format), ones), flags: Flag.invalid };
  const toInfinity =
    mode === Rounding.nearest || mode === Rounding.away || mode === (sign === 0 ? Rounding.up : Rounding.down);
  const bits = toInfinity ? infinityOf(format, sign) : pack(format, sign, exponentOnes(format) - 1, ones);
  return { bits, flags: Flag.overflow | Flag.inexact };
}

/** How a CPU treats results below the normal range. */
export interface TinyResults {
  /** Tininess is detected before rounding (Arm, the default) or after, as if the exponent had no bounds (RISC-V). */
  readonly tiny?: 'before' | 'after';
}

/** Whether a number just below the normal range rounds up into it when the exponent has no bounds. */
function roundsToNormal(format: Format, sign: number, significand: bigint, mode: number): boolean {
  const excess = BigInt(bitLength(significand) - format.precision);
  if (excess <= 0n) return false;
  const kept = significand >> excess;
  const rest = significand - (kept << excess);
  const all = (1n << BigInt(format.precision)) - 1n;
  return kept === all && roundsUp(mode, sign, true, rest, 1n << (excess - 1n));
}

/** The number sign, significand * 2^exponent in a format. `flush`: subnormal results become zero, with underflow. */
export function round(
  format: Format,
  sign: number,
  exponent: number,
  significand: bigint,
  mode: number,
  flush = false,
  { tiny: tininess = 'before' }: TinyResults = {},
): Rounded {
  if (significand === 0n) return { bits: zeroOf(format, sign), flags: 0 };
  const leading = exponent + bitLength(significand) - 1;
  const tiny = leading < format.minimumExponent;
  if (tiny && flush) return { bits: zeroOf(format, sign), flags: Flag.underflow };
  let unit = Math.max(leading, format.minimumExponent) - (format.precision - 1);
  const shift = BigInt(unit - exponent);
  let kept = shift > 0n ? significand >> shift : significand << -shift;
  const rest = shift > 0n ? significand - (kept << shift) : 0n;
  if (shift > 0n && roundsUp(mode, sign, (kept & 1n) === 1n, rest, 1n << (shift - 1n))) kept++;
  if (kept >> BigInt(format.precision) !== 0n) {
    kept >>= 1n;
    unit++;
  }
  if (unit + format.precision - 1 > format.maximumExponent) return overflowed(format, sign, mode);
  const normal = kept >> fractionBits(format) !== 0n;
  const biased = normal ? unit + format.precision - 1 + bias(format) : 0;
  const fraction = normal ? kept - (1n << fractionBits(format)) : kept;
  const becomesNormal =
    tininess === 'after' && leading === format.minimumExponent - 1 && roundsToNormal(format, sign, significand, mode);
  const flags = rest === 0n ? 0 : Flag.inexact | (tiny && !becomesNormal ? Flag.underflow : 0);
  return { bits: pack(format, sign, biased, fraction), flags };
}

/** The sum of two finite numbers; an exact zero has the sign that the mode gives it. */
export function exactSum(a: Real, b: Real, mode: number): Real {
  const exponent = Math.min(a.exponent, b.exponent);
  const aligned = (x: Real) => {
    const value = x.significand << BigInt(x.exponent - exponent);
    return x.sign === 1 ? -value : value;
  };
  const sum = aligned(a) + aligned(b);
  const bothNegative = a.sign === 1 && b.sign === 1;
  const zeroSign = bothNegative || (mode === Rounding.down && !(a.sign === 0 && b.sign === 0)) ? 1 : 0;
  const sign = sum === 0n ? zeroSign : sum < 0n ? 1 : 0;
  return { kind: 'finite', sign, exponent, significand: sum < 0n ? -sum : sum };
}

export function exactProduct(a: Real, b: Real): Real {
  const sign = a.sign === b.sign ? 0 : 1;
  return { kind: 'finite', sign, exponent: a.exponent + b.exponent, significand: a.significand * b.significand };
}

/** A quotient to more bits than any format has, the last one sticky. b is not zero. */
export function quotient(a: Real, b: Real): Real {
  const sign = a.sign === b.sign ? 0 : 1;
  const shift = BigInt(Math.max(0, 70 + bitLength(b.significand) - bitLength(a.significand)));
  const numerator = a.significand << shift;
  const whole = numerator / b.significand;
  const sticky = whole * b.significand === numerator ? 0n : 1n;
  const exponent = a.exponent - b.exponent - Number(shift) - 1;
  return { kind: 'finite', sign, exponent, significand: (whole << 1n) | sticky };
}

/** A square root to more bits than any format has, the last one sticky. a is not negative. */
export function squareRoot(a: Real): Real {
  if (a.significand === 0n) return a;
  let shift = 140 - bitLength(a.significand);
  if ((a.exponent - shift) % 2 !== 0) shift++;
  const value = a.significand << BigInt(shift);
  let root = BigInt(Math.floor(Math.sqrt(Number(value))));
  // Newton's iteration from a root that is right in its upper 50 bits.
  for (let i = 0; i < 4; i++) root = (root + value / root) >> 1n;
  while (root * root > value) root--;
  while ((root + 1n) * (root + 1n) <= value) root++;
  const sticky = root * root === value ? 0n : 1n;
  return { kind: 'finite', sign: 0, exponent: (a.exponent - shift) / 2 - 1, significand: (root << 1n) | sticky };
}

/** A finite number as an integer in the mode, without bounds; `exact` when nothing is lost. */
export function toInteger(a: Real, mode: number): { readonly value: bigint; readonly exact: boolean } {
  const shift = BigInt(-a.exponent);
  let value = shift > 0n ? a.significand >> shift : a.significand << -shift;
  const rest = shift > 0n ? a.significand - (value << shift) : 0n;
  if (shift > 0n && roundsUp(mode, a.sign, (value & 1n) === 1n, rest, 1n << (shift - 1n))) value++;
  return { value: a.sign === 1 ? -value : value, exact: rest === 0n };
}

/** -1, 0 or 1 for finite numbers and infinities. */
export function compare(a: Real, b: Real): number {
  const rank = (x: Real) => (x.kind === 'infinity' ? (x.sign === 1 ? -2 : 2) : 0);
  if (a.kind === 'infinity' || b.kind === 'infinity') return Math.sign(rank(a) - rank(b));
  const difference = exactSum(a, { ...b, sign: b.sign === 1 ? 0 : 1 }, Rounding.nearest);
  return difference.significand === 0n ? 0 : difference.sign === 1 ? -1 : 1;
}
