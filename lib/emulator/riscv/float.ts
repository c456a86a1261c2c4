/**
 * F and D arithmetic (unprivileged specification 11 and 12) on ../soft-float.ts: NaN boxing, the canonical NaN, fmin and
 * fmax of version 2.2, saturating conversions, tininess after rounding. One FloatUnit a format.
 *
 * Where the inexact flag is set already and rounding is to nearest, a result in the normal range is what the host
 * computes: that is the fast path of add, sub, mul and div.
 */
import {
  binary32,
  binary64,
  compare,
  exactProduct,
  exactSum,
  Flag,
  infinityOf,
  isSubnormal,
  quotient,
  Rounding,
  round,
  squareRoot,
  toInteger,
  unpack,
  zeroOf,
  type Format,
  type Real,
  type Rounded,
} from '../soft-float';
import type { Core } from './core';
import { Mstatus, State } from './state';

/** Rounding modes by the numbers of frm: to nearest even, to zero, down, up, to nearest away. */
const modes = [Rounding.nearest, Rounding.zero, Rounding.down, Rounding.up, Rounding.away];
const dynamic = 7;

/** Bits of fflags. */
const Accrued = { NX: 1, UF: 2, OF: 4, DZ: 8, NV: 16 } as const;

function accruedOf(flags: number): number {
  return (
    (flags & Flag.inexact ? Accrued.NX : 0) |
    (flags & Flag.underflow ? Accrued.UF : 0) |
    (flags & Flag.overflow ? Accrued.OF : 0) |
    (flags & Flag.divideByZero ? Accrued.DZ : 0) |
    (flags & Flag.invalid ? Accrued.NV : 0)
  );
}

const isNaN = (x: Real) => x.kind === 'quiet' || x.kind === 'signaling';
const negated = (x: Real): Real => ({ ...x, sign: x.sign === 1 ? 0 : 1 });
const isZero = (x: Real) => x.kind === 'finite' && x.significand === 0n;

export type Binary = 'add' | 'sub' | 'mul' | 'div';

class FloatUnit {
  private readonly canonical: bigint;
  private readonly width: number;
  private hostValues: Float32Array | Float64Array = new Float32Array(0);

  constructor(
    private readonly core: Core,
    private readonly format: Format,
    /** Singles in registers of 64 bits are NaN-boxed. */
    private readonly isBoxed: boolean,
  ) {
    this.width = format.width;
    this.canonical = infinityOf(format, 0) | (1n << BigInt(format.precision - 2));
  }

  get(word: number): bigint {
    const state = this.core.memory.state;
    if (this.width === 64) return (BigInt(state[word + 1] >>> 0) << 32n) | BigInt(state[word] >>> 0);
    return this.isBoxed && state[word + 1] !== -1 ? this.canonical : BigInt(state[word] >>> 0);
  }

  put(word: number, bits: bigint): void {
    const state = this.core.memory.state;
    state[word] = Number(BigInt.asIntN(32, bits));
    state[word + 1] = this.width === 64 ? Number(BigInt.asIntN(32, bits >> 32n)) : -1;
    state[State.mstatus] |= Mstatus.FS;
  }

  real(word: number): Real {
    return unpack(this.format, this.get(word));
  }

  /** Adds to fflags what an operation has raised. */
  raise(flags: number): void {
    if (flags === 0) return;
    const state = this.core.memory.state;
    state[State.fflags] |= accruedOf(flags);
    state[State.mstatus] |= Mstatus.FS;
  }

  /** Soft-float's mode of an rm field, or -1 with the fault of a reserved one. */
  mode(rm: number): number {
    const number = rm === dynamic ? this.core.memory.state[State.frm] : rm;
    if (number < modes.length) return modes[number];
    this.core.illegal();
    return -1;
  }

  /** rd = rs1 op rs2. True when the rounding mode is reserved. */
  binary(operation: Binary, rd: number, rs1: number, rs2: number, rm: number): boolean {
    const mode = this.mode(rm);
    if (mode < 0) return true;
    if (mode === Rounding.nearest && this.hostCan(operation, rd, rs1, rs2)) return false;
    const [a, b] = [this.real(rs1), this.real(rs2)];
    if (!this.propagates(rd, a, b)) this.arithmetic(operation, rd, a, b, mode);
    return false;
  }

  /** rd = ±(rs1 * rs2) ± rs3. */
  fused(rd: number, rs1: number, rs2: number, rs3: number, rm: number, negateProduct: boolean, negateAddend: boolean) {
    const mode = this.mode(rm);
    if (mode < 0) return true;
    const [a, b, addend] = [this.real(rs1), this.real(rs2), this.real(rs3)];
    const undefinedProduct = (a.kind === 'infinity' && isZero(b)) || (b.kind === 'infinity' && isZero(a));
    // Infinity times zero is invalid even when a quiet NaN is added.
    if (undefinedProduct) this.invalid(rd);
    if (undefinedProduct || this.propagates(rd, a, b, addend)) return false;
    const sign = (a.sign ^ b.sign ^ Number(negateProduct)) as 0 | 1;
    const c = negateAddend ? negated(addend) : addend;
    if (a.kind === 'infinity' || b.kind === 'infinity') {
      if (c.kind === 'infinity' && c.sign !== sign) this.invalid(rd);
      else this.put(rd, infinityOf(this.format, sign));
    } else if (c.kind === 'infinity') {
      this.put(rd, infinityOf(this.format, c.sign));
    } else {
      this.putRounded(rd, exactSum({ ...exactProduct(a, b), sign }, c, mode), mode);
    }
    return false;
  }

  squareRoot(rd: number, rs1: number, rm: number): boolean {
    const mode = this.mode(rm);
    if (mode < 0) return true;
    const a = this.real(rs1);
    if (this.propagates(rd, a)) return false;
    if (a.sign === 1 && !isZero(a)) this.invalid(rd);
    else if (a.kind === 'infinity') this.put(rd, infinityOf(this.format, 0));
    else this.putRounded(rd, squareRoot(a), mode);
    return false;
  }

  /** FSGNJ 0, FSGNJN 1, FSGNJX 2. */
  injectSign(kind: number, rd: number, rs1: number, rs2: number): void {
    const top = 1n << BigInt(this.width - 1);
    const [a, b] = [this.get(rs1), this.get(rs2)];
    const sign = kind === 0 ? b & top : kind === 1 ? ~b & top : (a ^ b) & top;
    this.put(rd, (a & ~top) | sign);
  }

  /** The NaN that is no number gives way to the other operand; -0 is less than +0. */
  extreme(isMaximum: boolean, rd: number, rs1: number, rs2: number): void {
    const [a, b] = [this.real(rs1), this.real(rs2)];
    if (a.kind === 'signaling' || b.kind === 'signaling') this.raise(Flag.invalid);
    if (isNaN(a) || isNaN(b)) {
      this.put(rd, isNaN(a) ? (isNaN(b) ? this.canonical : this.get(rs2)) : this.get(rs1));
      return;
    }
    const order = compare(a, b) || b.sign - a.sign;
    this.put(rd, this.get(order < 0 === isMaximum ? rs2 : rs1));
  }

  /** FEQ is quiet; FLT and FLE are signaling. The result is 0 or 1. */
  compare(relation: 'eq' | 'lt' | 'le', rs1: number, rs2: number): number {
    const [a, b] = [this.real(rs1), this.real(rs2)];
    const signals = a.kind === 'signaling' || b.kind === 'signaling';
    const unordered = isNaN(a) || isNaN(b);
    if (signals || (unordered && relation !== 'eq')) this.raise(Flag.invalid);
    if (unordered) return 0;
    const order = compare(a, b);
    return (relation === 'eq' ? order === 0 : relation === 'lt' ? order < 0 : order <= 0) ? 1 : 0;
  }

  /** FCLASS: one bit of ten. */
  classify(rs1: number): number {
    const x = this.real(rs1);
    if (x.kind === 'signaling') return 1 << 8;
    if (x.kind === 'quiet') return 1 << 9;
    const magnitude = x.kind === 'infinity' ? 0 : isZero(x) ? 3 : isSubnormal(this.format, x) ? 2 : 1;
    return 1 << (x.sign === 1 ? magnitude : 7 - magnitude);
  }

  /** The integer that rs1 rounds to, saturated; undefined when the rounding mode is reserved. */
  toInteger(rs1: number, rm: number, bits: 32 | 64, isSigned: boolean): bigint | undefined {
    const mode = this.mode(rm);
    if (mode < 0) return undefined;
    const x = this.real(rs1);
    const [minimum, maximum] = isSigned
      ? [-(1n << BigInt(bits - 1)), (1n << BigInt(bits - 1)) - 1n]
      : [0n, (1n << BigInt(bits)) - 1n];
    const whole = x.kind === 'finite' ? toInteger(x, mode) : undefined;
    if (whole && whole.value >= minimum && whole.value <= maximum) {
      if (!whole.exact) this.raise(Flag.inexact);
      return whole.value;
    }
    this.raise(Flag.invalid);
    return x.sign === 1 && !isNaN(x) ? minimum : maximum;
  }

  fromInteger(rd: number, value: bigint, rm: number): boolean {
    const mode = this.mode(rm);
    if (mode < 0) return true;
    const sign = value < 0n ? 1 : 0;
    this.putRounded(rd, { kind: 'finite', sign, exponent: 0, significand: sign ? -value : value }, mode);
    return false;
  }

  /** FCVT.S.D and FCVT.D.S. */
  fromOther(rd: number, other: FloatUnit, rs1: number, rm: number): boolean {
    const mode = this.mode(rm);
    if (mode < 0) return true;
    const x = other.real(rs1);
    if (this.propagates(rd, x)) return false;
    if (x.kind === 'infinity') this.put(rd, infinityOf(this.format, x.sign));
    else this.putRounded(rd, x, mode);
    return false;
  }

  private arithmetic(operation: Binary, rd: number, a: Real, second: Real, mode: number): void {
    const b = operation === 'sub' ? negated(second) : second;
    const infinite = a.kind === 'infinity' || b.kind === 'infinity';
    const sign = a.sign ^ b.sign;
    if (operation === 'add' || operation === 'sub') {
      if (!infinite) this.putRounded(rd, exactSum(a, b, mode), mode);
      else if (a.kind === b.kind && a.sign !== b.sign) this.invalid(rd);
      else this.put(rd, infinityOf(this.format, a.kind === 'infinity' ? a.sign : b.sign));
    } else if (operation === 'mul') {
      if (!infinite) this.putRounded(rd, exactProduct(a, b), mode);
      else if (isZero(a) || isZero(b)) this.invalid(rd);
      else this.put(rd, infinityOf(this.format, sign));
    } else if ((isZero(a) && isZero(b)) || (a.kind === 'infinity' && b.kind === 'infinity')) {
      this.invalid(rd);
    } else if (a.kind === 'infinity' || isZero(b)) {
      if (a.kind !== 'infinity') this.raise(Flag.divideByZero);
      this.put(rd, infinityOf(this.format, sign));
    } else if (b.kind === 'infinity' || isZero(a)) {
      this.put(rd, zeroOf(this.format, sign));
    } else {
      this.putRounded(rd, quotient(a, b), mode);
    }
  }

  /** A NaN among the operands makes the result the canonical one. */
  private propagates(rd: number, ...operands: readonly Real[]): boolean {
    if (operands.some((x) => x.kind === 'signaling')) this.raise(Flag.invalid);
    if (!operands.some(isNaN)) return false;
    this.put(rd, this.canonical);
    return true;
  }

  private invalid(rd: number): void {
    this.raise(Flag.invalid);
    this.put(rd, this.canonical);
  }

  private putRounded(rd: number, x: Real, mode: number): void {
    const { bits, flags }: Rounded = round(this.format, x.sign, x.exponent, x.significand, mode, false, {
      tiny: 'after',
    });
    this.raise(flags);
    this.put(rd, bits);
  }

  /** The host's own arithmetic, where its result cannot differ and no flag can change. */
  private hostCan(operation: Binary, rd: number, rs1: number, rs2: number): boolean {
    const state = this.core.memory.state;
    if ((state[State.fflags] & Accrued.NX) === 0) return false;
    if (this.isBoxed && (state[rs1 + 1] & state[rs2 + 1]) !== -1) return false;
    const values = this.values(state.buffer);
    const scale = this.width === 64 ? 1 : 0;
    const [a, b] = [values[rs1 >> scale], values[rs2 >> scale]];
    const exact = operation === 'add' ? a + b : operation === 'sub' ? a - b : operation === 'mul' ? a * b : a / b;
    const result = this.width === 64 ? exact : Math.fround(exact);
    const size = Math.abs(result);
    // Twice the smallest normal number: nothing that rounds there can have been tiny. Zeros and NaNs fail the test.
    if (!(size >= (this.width === 64 ? 2 ** -1021 : 2 ** -125) && size < Infinity && b !== 0)) return false;
    values[rd >> scale] = result;
    if (this.width === 32) state[rd + 1] = -1;
    state[State.mstatus] |= Mstatus.FS;
    return true;
  }

  private values(buffer: ArrayBufferLike): Float32Array | Float64Array {
    if (this.hostValues.buffer !== buffer) {
      const length = State.f + 64;
      this.hostValues =
        this.width === 64 ? new Float64Array(buffer, 0, length / 2) : new Float32Array(buffer, 0, length);
    }
    return this.hostValues;
  }
}

/** What the operations of operations-float.ts call. */
export class Float {
  readonly s: FloatUnit;
  readonly d: FloatUnit;

  constructor(core: Core) {
    this.s = new FloatUnit(core, binary32, core.cpu.isa.d);
    this.d = new FloatUnit(core, binary64, false);
  }
}
