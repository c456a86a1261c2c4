/**
 * The register side of the Floating-point Extension. Registers are given by the index of their first state word. An operation
 * whose result and flags host arithmetic gives exactly is done by it; else float-arithmetic.ts does it.
 *
 * Host arithmetic is exact for binary32 because binary64 has more than twice its bits: the sum, product, quotient or root in
 * binary64, rounded once more, is the correctly rounded one, and what the roundings change tells whether it is inexact. For
 * binary64 the error of a sum or product is itself a number (TwoSum, Dekker). All of that holds for results that are zero
 * or normal, to nearest and without flush-to-zero; NaNs never pass through host numbers, which may change their bits.
 */
import type { GuestMemory } from '../memory';
import { binary16, binary32, binary64, Flag, Rounding, type Format } from '../soft-float';
import { FloatArithmetic, Fpscr } from './float-arithmetic';
import { State } from './state';

const smallest32 = 2 ** -126;
const largest32 = 3.4028234663852886e38;
const smallest64 = 2 ** -1022;
/** Between these the error of a product is a number that Dekker's splitting finds. */
const productLow = 2 ** -480;
const productHigh = 2 ** 480;

/** With either nothing is done by host arithmetic. */
const careful = Fpscr.FZ | Fpscr.RMode;

function sumIsExact(a: number, b: number, s: number): boolean {
  const t = s - a;
  return a - (s - t) + (b - t) === 0;
}

function high(x: number): number {
  const t = 134217729 * x;
  return t - (t - x);
}

/** a * b is p without rounding, for moderate a and b. */
function productIsExact(a: number, b: number, p: number): boolean {
  const ah = high(a);
  const bh = high(b);
  const al = a - ah;
  const bl = b - bh;
  return a * b === p && al * bl - (p - ah * bh - al * bh - ah * bl) === 0;
}

function isModerate(x: number): boolean {
  const size = Math.abs(x);
  return size > productLow && size < productHigh;
}

/** Which of a fused or chained multiply-add's terms change sign. */
export const Negate = { none: 0, product: 1, addend: 2 } as const;

export class FloatUnit {
  private readonly slow = new FloatArithmetic();

  constructor(private readonly memory: GuestMemory) {}

  /** True when s, the result rounded to binary64 (`exact`: not changed by that), is all that is needed. */
  private put32(d: number, s: number, exact: boolean): boolean {
    const { state, floats } = this.memory;
    const size = Math.abs(s);
    if (!(size > smallest32 && size <= largest32) && s !== 0) return false;
    if ((state[State.fpscr] & careful) !== 0) return false;
    const t = Math.fround(s);
    if (!exact || t !== s) state[State.fpscr] |= Flag.inexact;
    floats[d] = t;
    return true;
  }

  private put64(d: number, s: number, exact: boolean): boolean {
    const { state, doubles } = this.memory;
    const size = Math.abs(s);
    if (!(size > smallest64 && size <= Number.MAX_VALUE) && s !== 0) return false;
    if ((state[State.fpscr] & careful) !== 0) return false;
    if (!exact) state[State.fpscr] |= Flag.inexact;
    doubles[d >> 1] = s;
    return true;
  }

  add32(d: number, n: number, m: number): void {
    const { floats } = this.memory;
    const a = floats[n];
    const b = floats[m];
    const s = a + b;
    if (!this.put32(d, s, sumIsExact(a, b, s)))
      this.run(binary32, d, () => this.slow.add(binary32, this.get(n), this.get(m)));
  }

  sub32(d: number, n: number, m: number): void {
    const { floats } = this.memory;
    const a = floats[n];
    const b = floats[m];
    const s = a - b;
    if (!this.put32(d, s, sumIsExact(a, -b, s)))
      this.run(binary32, d, () => this.slow.subtract(binary32, this.get(n), this.get(m)));
  }

  /** VMUL, and with `negate` VNMUL. */
  mul32(d: number, n: number, m: number, negate: number): void {
    const { floats } = this.memory;
    const s = floats[n] * floats[m];
    if (this.put32(d, negate !== 0 ? -s : s, true)) return;
    this.run(binary32, d, () => this.product(binary32, n, m, negate));
  }

  div32(d: number, n: number, m: number): void {
    const { floats } = this.memory;
    const a = floats[n];
    const b = floats[m];
    const s = a / b;
    if (s === 0 || !this.put32(d, s, Math.fround(s) * b === a))
      this.run(binary32, d, () => this.slow.divide(binary32, this.get(n), this.get(m)));
  }

  sqrt32(d: number, m: number): void {
    const a = this.memory.floats[m];
    const s = Math.sqrt(a);
    const t = Math.fround(s);
    if (s === 0 || !this.put32(d, s, t * t === a))
      this.run(binary32, d, () => this.slow.squareRoot(binary32, this.get(m)));
  }

  add64(d: number, n: number, m: number): void {
    const { doubles } = this.memory;
    const a = doubles[n >> 1];
    const b = doubles[m >> 1];
    const s = a + b;
    if (!this.put64(d, s, sumIsExact(a, b, s)))
      this.run(binary64, d, () => this.slow.add(binary64, this.get64(n), this.get64(m)));
  }

  sub64(d: number, n: number, m: number): void {
    const { doubles } = this.memory;
    const a = doubles[n >> 1];
    const b = doubles[m >> 1];
    const s = a - b;
    if (!this.put64(d, s, sumIsExact(a, -b, s)))
      this.run(binary64, d, () => this.slow.subtract(binary64, this.get64(n), this.get64(m)));
  }

  /** Once IXC is set nobody asks whether a result is exact. */
  private get knownInexact(): boolean {
    return (this.memory.state[State.fpscr] & Flag.inexact) !== 0;
  }

  mul64(d: number, n: number, m: number, negate: number): void {
    const { doubles } = this.memory;
    const a = doubles[n >> 1];
    const b = doubles[m >> 1];
    const p = a * b;
    const known = this.knownInexact || (isModerate(a) && isModerate(b));
    const done = p !== 0 && known && this.put64(d, negate !== 0 ? -p : p, this.knownInexact || productIsExact(a, b, p));
    if (!done) this.run(binary64, d, () => this.product(binary64, n, m, negate));
  }

  div64(d: number, n: number, m: number): void {
    const { doubles } = this.memory;
    const a = doubles[n >> 1];
    const b = doubles[m >> 1];
    const s = a / b;
    const known = this.knownInexact || (isModerate(s) && isModerate(b));
    const done = s !== 0 && known && this.put64(d, s, this.knownInexact || productIsExact(s, b, a));
    if (!done) this.run(binary64, d, () => this.slow.divide(binary64, this.get64(n), this.get64(m)));
  }

  sqrt64(d: number, m: number): void {
    const a = this.memory.doubles[m >> 1];
    const s = Math.sqrt(a);
    const known = this.knownInexact || isModerate(s);
    const done = s !== 0 && known && this.put64(d, s, this.knownInexact || productIsExact(s, s, a));
    if (!done) this.run(binary64, d, () => this.slow.squareRoot(binary64, this.get64(m)));
  }

  private product(format: Format, n: number, m: number, negate: number): bigint {
    const product = this.slow.multiply(format, this.read(format, n), this.read(format, m));
    return negate !== 0 ? this.slow.negate(format, product) : product;
  }

  /** VMLA, VMLS, VNMLA, VNMLS: rounded twice. */
  mla32(d: number, n: number, m: number, negate: number): void {
    const { state, floats } = this.memory;
    const p = floats[n] * floats[m];
    const t = Math.fround(negate & Negate.product ? -p : p);
    const c = negate & Negate.addend ? -floats[d] : floats[d];
    const size = Math.abs(p);
    const isPlain = p === 0 || (size > smallest32 && size <= largest32);
    const s = c + t;
    if (isPlain && this.put32(d, s, sumIsExact(c, t, s))) {
      if (Math.abs(t) !== size) state[State.fpscr] |= Flag.inexact;
    } else {
      this.run(binary32, d, () => this.chained(binary32, d, n, m, negate));
    }
  }

  mla64(d: number, n: number, m: number, negate: number): void {
    this.run(binary64, d, () => this.chained(binary64, d, n, m, negate));
  }

  private chained(format: Format, d: number, n: number, m: number, negate: number): bigint {
    const product = this.product(format, n, m, negate & Negate.product);
    const addend = this.read(format, d);
    return this.slow.add(format, negate & Negate.addend ? this.slow.negate(format, addend) : addend, product);
  }

  /** VFMA, VFMS, VFNMA, VFNMS: rounded once. */
  fma32(d: number, n: number, m: number, negate: number): void {
    const { floats } = this.memory;
    const p = negate & Negate.product ? -floats[n] * floats[m] : floats[n] * floats[m];
    const c = negate & Negate.addend ? -floats[d] : floats[d];
    const s = c + p;
    const exact = sumIsExact(c, p, s);
    // What the first rounding has lost decides a tie of the second one.
    const isTie = !exact && Math.fround(s) !== s && 2 * s - Math.fround(s) === Math.fround(2 * s - Math.fround(s));
    if (isTie || !this.put32(d, s, exact)) this.run(binary32, d, () => this.fused(binary32, d, n, m, negate));
  }

  fma64(d: number, n: number, m: number, negate: number): void {
    this.run(binary64, d, () => this.fused(binary64, d, n, m, negate));
  }

  private fused(format: Format, d: number, n: number, m: number, negate: number): bigint {
    const { slow } = this;
    const addend = this.read(format, d);
    const first = this.read(format, n);
    return slow.multiplyAdd(
      format,
      negate & Negate.addend ? slow.negate(format, addend) : addend,
      negate & Negate.product ? slow.negate(format, first) : first,
      this.read(format, m),
    );
  }

  /** VCMP and VCMPE; m < 0 compares with zero. N Z C V of FPSCR. */
  compare(width: number, d: number, m: number, signaling: number): void {
    const { state } = this.memory;
    const format = formatOf(width);
    const second = m < 0 ? 0n : this.read(format, m);
    const flags = this.compute(() => this.slow.compare(format, this.read(format, d), second, signaling !== 0));
    state[State.fpscr] = (state[State.fpscr] & 0x0fffffff) | flags;
  }

  compare32(d: number, m: number, signaling: number): void {
    const { state, floats } = this.memory;
    const a = floats[d];
    const b = m < 0 ? 0 : floats[m];
    const known = (state[State.fpscr] & Fpscr.FZ) === 0;
    if (known && a === b) state[State.fpscr] = (state[State.fpscr] & 0x0fffffff) | 0x60000000;
    else if (known && a < b) state[State.fpscr] = (state[State.fpscr] & 0x0fffffff) | 0x80000000;
    else if (known && a > b) state[State.fpscr] = (state[State.fpscr] & 0x0fffffff) | 0x20000000;
    else this.compare(32, d, m, signaling);
  }

  /** VMAXNM (1) and VMINNM (-1). */
  maximum(width: number, d: number, n: number, m: number, sign: number): void {
    const format = formatOf(width);
    this.run(format, d, () => this.slow.maximum(format, this.read(format, n), this.read(format, m), sign < 0 ? -1 : 1));
  }

  /** VRINT*; `mode` -1: FPSCR's. */
  roundToIntegral(width: number, d: number, m: number, mode: number, exact: number): void {
    const format = formatOf(width);
    this.run(format, d, () =>
      this.slow.roundToIntegral(format, this.read(format, m), mode < 0 ? this.slow.mode : mode, exact !== 0),
    );
  }

  /** VCVT, VCVTR, VCVTA, VCVTN, VCVTP, VCVTM to an integer in Sd. */
  toInteger(width: number, d: number, m: number, signed: number, mode: number): void {
    const { state, floats, doubles } = this.memory;
    const x = width === 32 ? floats[m] : doubles[m >> 1];
    const t = Math.trunc(x);
    const inRange = signed !== 0 ? t >= -2147483648 && t <= 2147483647 : t >= 0 && t <= 4294967295;
    if (mode === Rounding.zero && inRange && (state[State.fpscr] & Fpscr.FZ) === 0) {
      if (t !== x) state[State.fpscr] |= Flag.inexact;
      state[d] = t;
      return;
    }
    const format = formatOf(width);
    const value = this.compute(() =>
      this.slow.toFixed(format, this.read(format, m), mode < 0 ? this.slow.mode : mode, 32, signed !== 0),
    );
    state[d] = Number(value & 0xffffffffn);
  }

  /** VCVT from an integer in Sm. */
  fromInteger(width: number, d: number, m: number, signed: number): void {
    const { state, doubles } = this.memory;
    const x = signed !== 0 ? state[m] : state[m] >>> 0;
    if (width === 64) doubles[d >> 1] = x;
    else if (!this.put32(d, x, true))
      this.run(binary32, d, () => this.slow.fromFixed(binary32, BigInt(x), 0, this.slow.mode));
  }

  /** VCVT between floating-point and fixed-point, in one register: `size` 16 or 32 bits. To fixed-point rounds to zero. */
  toFixed(width: number, d: number, size: number, signed: number, fraction: number): void {
    const format = formatOf(width);
    this.run(format, d, () =>
      this.slow.toFixed(format, this.read(format, d), Rounding.zero, size, signed !== 0, fraction),
    );
  }

  fromFixed(width: number, d: number, size: number, signed: number, fraction: number): void {
    const format = formatOf(width);
    const word = this.get(d);
    const value = signed !== 0 ? BigInt.asIntN(size, word) : BigInt.asUintN(size, word);
    this.run(format, d, () => this.slow.fromFixed(format, value, fraction, Rounding.nearest));
  }

  toDouble(d: number, m: number): void {
    const { state, floats, doubles } = this.memory;
    const x = floats[m];
    const size = Math.abs(x);
    if (x === 0 || (size >= smallest32 && size <= largest32 && (state[State.fpscr] & Fpscr.FZ) === 0))
      doubles[d >> 1] = x;
    else this.run(binary64, d, () => this.slow.convert(binary32, binary64, this.get(m)));
  }

  toSingle(d: number, m: number): void {
    if (!this.put32(d, this.memory.doubles[m >> 1], true))
      this.run(binary32, d, () => this.slow.convert(binary64, binary32, this.get64(m)));
  }

  /** VCVTB, VCVTT: `shift` 0 or 16 is the half of the single register. */
  fromHalf(width: number, d: number, m: number, shift: number): void {
    const format = formatOf(width);
    this.run(format, d, () => this.slow.convert(binary16, format, (this.get(m) >> BigInt(shift)) & 0xffffn));
  }

  toHalf(width: number, d: number, m: number, shift: number): void {
    const { state } = this.memory;
    const format = formatOf(width);
    const half = this.compute(() => this.slow.convert(format, binary16, this.read(format, m)));
    state[d] = (state[d] & ~(0xffff << shift)) | (Number(half) << shift);
  }

  private get(word: number): bigint {
    return BigInt(this.memory.state[word] >>> 0);
  }

  private get64(word: number): bigint {
    return (this.get(word + 1) << 32n) | this.get(word);
  }

  private read(format: Format, word: number): bigint {
    return format.width === 64 ? this.get64(word) : this.get(word);
  }

  /** The exact side's result to register d; a negative one (fixed-point) is sign-extended. */
  private run(format: Format, d: number, operation: () => bigint): void {
    const { state } = this.memory;
    const bits = this.compute(operation);
    state[d] = Number(bits & 0xffffffffn);
    if (format.width === 64) state[d + 1] = Number((bits >> 32n) & 0xffffffffn);
  }

  private compute<T>(operation: () => T): T {
    const { state } = this.memory;
    this.slow.fpscr = state[State.fpscr];
    this.slow.flags = 0;
    const result = operation();
    state[State.fpscr] |= this.slow.flags;
    return result;
  }
}

const formatOf = (width: number): Format => (width === 64 ? binary64 : binary32);
