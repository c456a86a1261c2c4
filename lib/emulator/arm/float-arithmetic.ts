/**
 * The floating-point pseudocode of Armv7-M ARM A2.5.3 to A2.5.11 and Armv8-M ARM E2.1 (FPAdd, FPMulAdd, FPMaxNum, FPToFixed, ...) on
 * the bits of operands: NaN rules, flush-to-zero, default NaN. Exact by soft-float.ts; float-unit.ts comes here for what
 * its fast paths do not take.
 */
import {
  alternative16,
  compare,
  exactProduct,
  exactSum,
  Flag,
  infinityOf,
  isSubnormal,
  quotient,
  round,
  Rounding,
  squareRoot,
  toInteger,
  unpack,
  zeroOf,
  type Format,
  type Real,
  type Rounded,
} from '../soft-float';

/** FPSCR control bits. */
export const Fpscr = { AHP: 1 << 26, DN: 1 << 25, FZ: 1 << 24, RMode: 3 << 22 } as const;

const isNan = (x: Real) => x.kind === 'quiet' || x.kind === 'signaling';
const isZero = (x: Real) => x.kind === 'finite' && x.significand === 0n;
const signBit = (format: Format) => 1n << BigInt(format.width - 1);
const quietBit = (format: Format) => 1n << BigInt(format.precision - 2);
const defaultNan = (format: Format) => infinityOf(format, 0) | quietBit(format);

export class FloatArithmetic {
  /** Control bits in force. */
  fpscr = 0;
  /** Exceptions since it was cleared. */
  flags = 0;

  get mode(): number {
    return (this.fpscr >>> 22) & 3;
  }

  private get flushes(): boolean {
    return (this.fpscr & Fpscr.FZ) !== 0;
  }

  /** FPUnpack: flush-to-zero is not for binary16. */
  private unpack(format: Format, bits: bigint): Real {
    const x = unpack(format, bits);
    if (!this.flushes || format.width === 16 || !isSubnormal(format, x)) return x;
    this.flags |= Flag.inputDenormal;
    return { ...x, significand: 0n };
  }

  private take({ bits, flags }: Rounded): bigint {
    this.flags |= flags;
    return bits;
  }

  private round(format: Format, x: Real, mode = this.mode): bigint {
    const flush = this.flushes && format.width !== 16;
    return this.take(round(format, x.sign, x.exponent, x.significand, mode, flush));
  }

  private invalid(format: Format): bigint {
    this.flags |= Flag.invalid;
    return defaultNan(format);
  }

  /** FPProcessNaNs: the first signaling one, else the first quiet one; undefined when there is none. */
  private nanOf(format: Format, ...operands: readonly (readonly [Real, bigint])[]): bigint | undefined {
    const chosen = operands.find(([x]) => x.kind === 'signaling') ?? operands.find(([x]) => x.kind === 'quiet');
    if (!chosen) return undefined;
    if (chosen[0].kind === 'signaling') this.flags |= Flag.invalid;
    return this.fpscr & Fpscr.DN ? defaultNan(format) : chosen[1] | quietBit(format);
  }

  negate(format: Format, bits: bigint): bigint {
    return bits ^ signBit(format);
  }

  absolute(format: Format, bits: bigint): bigint {
    return bits & ~signBit(format);
  }

  add(format: Format, first: bigint, second: bigint): bigint {
    const a = this.unpack(format, first);
    const b = this.unpack(format, second);
    return this.nanOf(format, [a, first], [b, second]) ?? this.sum(format, a, b);
  }

  /** FPSub: not the sum with a negated NaN. */
  subtract(format: Format, first: bigint, second: bigint): bigint {
    const a = this.unpack(format, first);
    const b = this.unpack(format, second);
    return this.nanOf(format, [a, first], [b, second]) ?? this.sum(format, a, { ...b, sign: b.sign === 1 ? 0 : 1 });
  }

  private sum(format: Format, a: Real, b: Real): bigint {
    if (a.kind === 'infinity' && b.kind === 'infinity' && a.sign !== b.sign) return this.invalid(format);
    if (a.kind === 'infinity' || b.kind === 'infinity')
      return infinityOf(format, a.kind === 'infinity' ? a.sign : b.sign);
    return this.round(format, exactSum(a, b, this.mode));
  }

  multiply(format: Format, first: bigint, second: bigint): bigint {
    const a = this.unpack(format, first);
    const b = this.unpack(format, second);
    const nan = this.nanOf(format, [a, first], [b, second]);
    if (nan !== undefined) return nan;
    const infinite = a.kind === 'infinity' || b.kind === 'infinity';
    if (infinite && (isZero(a) || isZero(b))) return this.invalid(format);
    return infinite ? infinityOf(format, a.sign ^ b.sign) : this.round(format, exactProduct(a, b));
  }

  divide(format: Format, first: bigint, second: bigint): bigint {
    const a = this.unpack(format, first);
    const b = this.unpack(format, second);
    const nan = this.nanOf(format, [a, first], [b, second]);
    if (nan !== undefined) return nan;
    const sign = a.sign ^ b.sign;
    if ((a.kind === 'infinity' && b.kind === 'infinity') || (isZero(a) && isZero(b))) return this.invalid(format);
    if (a.kind === 'infinity') return infinityOf(format, sign);
    if (b.kind === 'infinity' || isZero(a)) return zeroOf(format, sign);
    if (!isZero(b)) return this.round(format, quotient(a, b));
    this.flags |= Flag.divideByZero;
    return infinityOf(format, sign);
  }

  squareRoot(format: Format, bits: bigint): bigint {
    const a = this.unpack(format, bits);
    const nan = this.nanOf(format, [a, bits]);
    if (nan !== undefined) return nan;
    if (isZero(a)) return zeroOf(format, a.sign);
    if (a.sign === 1) return this.invalid(format);
    return a.kind === 'infinity' ? infinityOf(format, 0) : this.round(format, squareRoot(a));
  }

  /** FPMulAdd(addend, op1, op2): rounded once. */
  multiplyAdd(format: Format, addend: bigint, first: bigint, second: bigint): bigint {
    const c = this.unpack(format, addend);
    const a = this.unpack(format, first);
    const b = this.unpack(format, second);
    const infinite = a.kind === 'infinity' || b.kind === 'infinity';
    const meaningless = infinite && (isZero(a) || isZero(b));
    const nan = this.nanOf(format, [c, addend], [a, first], [b, second]);
    // A quiet addend does not hide the product of infinity and zero.
    if (meaningless && (nan === undefined || c.kind === 'quiet')) return this.invalid(format);
    if (nan !== undefined) return nan;
    const sign = a.sign === b.sign ? 0 : 1;
    if (infinite && c.kind === 'infinity' && c.sign !== sign) return this.invalid(format);
    if (infinite) return infinityOf(format, sign);
    if (c.kind === 'infinity') return infinityOf(format, c.sign);
    return this.round(format, exactSum(c, exactProduct(a, b), this.mode));
  }

  /** FPMaxNum and FPMinNum: a quiet NaN beside a number is ignored. */
  maximum(format: Format, first: bigint, second: bigint, sign: 1 | -1): bigint {
    const a = this.unpack(format, first);
    const b = this.unpack(format, second);
    const bothNan = isNan(a) && isNan(b);
    const signaling = a.kind === 'signaling' || b.kind === 'signaling';
    if (bothNan || signaling) return this.nanOf(format, [a, first], [b, second]) ?? 0n;
    const chosen = a.kind === 'quiet' ? b : b.kind === 'quiet' ? a : this.greater(a, b, sign);
    return chosen.kind === 'infinity' ? infinityOf(format, chosen.sign) : this.round(format, chosen);
  }

  /** -0 is less than +0 here. */
  private greater(a: Real, b: Real, sign: 1 | -1): Real {
    if (isZero(a) && isZero(b)) return (a.sign === 1) === (sign === 1) ? b : a;
    return compare(a, b) * sign >= 0 ? a : b;
  }

  /** FPCompare: N Z C V as the top bits. `signaling`: a quiet NaN is invalid too (VCMPE). */
  compare(format: Format, first: bigint, second: bigint, signaling: boolean): number {
    const a = this.unpack(format, first);
    const b = this.unpack(format, second);
    if (isNan(a) || isNan(b)) {
      if (signaling || a.kind === 'signaling' || b.kind === 'signaling') this.flags |= Flag.invalid;
      return 0x30000000;
    }
    const order = compare(a, b);
    return order === 0 ? 0x60000000 : order < 0 ? 0x80000000 : 0x20000000;
  }

  /** FPRoundInt. `exact`: a changed value is inexact. */
  roundToIntegral(format: Format, bits: bigint, mode: number, exact: boolean): bigint {
    const a = this.unpack(format, bits);
    const nan = this.nanOf(format, [a, bits]);
    if (nan !== undefined) return nan;
    if (a.kind === 'infinity') return infinityOf(format, a.sign);
    const integer = toInteger(a, mode);
    if (exact && !integer.exact) this.flags |= Flag.inexact;
    const significand = integer.value < 0n ? -integer.value : integer.value;
    return round(format, a.sign, 0, significand, Rounding.nearest).bits;
  }

  /** FPToFixed: saturated, as a value of `width` bits (signed or not) with `fraction` bits after the point. */
  toFixed(format: Format, bits: bigint, mode: number, width: number, signed: boolean, fraction = 0): bigint {
    const a = this.unpack(format, bits);
    const highest = (1n << BigInt(signed ? width - 1 : width)) - 1n;
    const lowest = signed ? -highest - 1n : 0n;
    if (isNan(a)) {
      this.flags |= Flag.invalid;
      return 0n;
    }
    const integer =
      a.kind === 'infinity'
        ? { value: a.sign === 1 ? lowest - 1n : highest + 1n, exact: true }
        : toInteger({ ...a, exponent: a.exponent + fraction }, mode);
    if (integer.value < lowest || integer.value > highest) {
      this.flags |= Flag.invalid;
      return integer.value < lowest ? lowest : highest;
    }
    if (!integer.exact) this.flags |= Flag.inexact;
    return integer.value;
  }

  /** FixedToFP. */
  fromFixed(format: Format, value: bigint, fraction: number, mode: number): bigint {
    const sign = value < 0n ? 1 : 0;
    return this.take(round(format, sign, -fraction, value < 0n ? -value : value, mode));
  }

  /** FPConvert between formats; binary16 is the alternative one when FPSCR.AHP is set. */
  convert(from: Format, to: Format, bits: bigint): bigint {
    const source = this.halfFormat(from);
    const target = this.halfFormat(to);
    const a = this.unpack(source, bits);
    if (isNan(a)) return this.convertNan(source, target, a);
    if (a.kind === 'infinity' && target !== alternative16) return infinityOf(target, a.sign);
    // Beyond the alternative format's largest number.
    if (a.kind === 'infinity') return this.round(target, { ...a, kind: 'finite', exponent: 99, significand: 1n });
    return this.round(target, a);
  }

  private halfFormat(format: Format): Format {
    return format.width === 16 && (this.fpscr & Fpscr.AHP) !== 0 ? alternative16 : format;
  }

  private convertNan(source: Format, target: Format, a: Real): bigint {
    if (a.kind === 'signaling' || target === alternative16) this.flags |= Flag.invalid;
    if (target === alternative16) return zeroOf(target, a.sign);
    if (this.fpscr & Fpscr.DN) return defaultNan(target);
    const shift = BigInt(target.precision - source.precision);
    const fraction = shift >= 0n ? a.significand << shift : a.significand >> -shift;
    return infinityOf(target, a.sign) | fraction | quietBit(target);
  }
}
