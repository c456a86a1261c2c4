/**
 * Which bits of a result are undefined, when bits of the operands are: one word of "V bits" beside each value, 1 = the bit
 * was never written. The generated careful operations (scripts/careful-operations.ts) call these beside the arithmetic itself.
 *
 * Exact where C compilers rely on it: a bit is defined when no choice of the undefined bits changes it (and, or, sums by
 * their least and greatest value, comparisons by ranges), so that bit-fields, flags in a word and word-at-a-time string code do not
 * count as uses. Elsewhere the result may say more bits than are undefined, never fewer.
 */

export const anyV = (va: number, vb: number): number => ((va | vb) === 0 ? 0 : -1);

/** A sum's bit is defined when the sums of the least and of the greatest operands agree in it. */
export function addV(a: number, b: number, va: number, vb: number): number {
  if ((va | vb) === 0) return 0;
  return va | vb | (((a & ~va) + (b & ~vb)) ^ ((a | va) + (b | vb)));
}

export function subV(a: number, b: number, va: number, vb: number): number {
  if ((va | vb) === 0) return 0;
  return va | vb | (((a & ~va) - (b | vb)) ^ ((a | va) - (b & ~vb)));
}

/** From the lowest undefined bit on. */
export function mulV(va: number, vb: number): number {
  const v = va | vb;
  return v | -v;
}

/** Undefined unless an operand has a defined 0. */
export function andV(a: number, b: number, va: number, vb: number): number {
  return (va | vb) & (a | va) & (b | vb);
}

/** Undefined unless an operand has a defined 1. */
export function orV(a: number, b: number, va: number, vb: number): number {
  return (va | vb) & (~a | va) & (~b | vb);
}

/** A boolean: defined when defined bits differ. */
export function equalV(a: number, b: number, va: number, vb: number): number {
  const v = va | vb;
  return v === 0 || ((a ^ b) & ~v) !== 0 ? 0 : 1;
}

const sign = -0x8000_0000;
const least = (x: number, v: number, flip: number): number => ((x ^ flip) & ~v) >>> 0;
const greatest = (x: number, v: number, flip: number): number => ((x ^ flip) | v) >>> 0;

/** a < b or a >= b; `isSigned`: of signed numbers. */
export function lessV(a: number, b: number, va: number, vb: number, isSigned: boolean): number {
  if ((va | vb) === 0) return 0;
  const flip = isSigned ? sign : 0;
  const never = least(a, va, flip) >= greatest(b, vb, flip);
  return never || greatest(a, va, flip) < least(b, vb, flip) ? 0 : 1;
}

/** condition ? x : y, with the undefined bits of the condition and of both values. */
export function chooseV(condition: boolean, x: number, y: number, vc: number, vx: number, vy: number): number {
  if (vc !== 0) return (x ^ y) | vx | vy;
  return condition ? vx : vy;
}

/** Defined when a defined 1 lies above all that is undefined. */
export function clzV(x: number, v: number): number {
  return v === 0 || Math.clz32(x & ~v) < Math.clz32(v) ? 0 : 63;
}

/** A shift by an amount: of `v`, shifted as the value is. */
export const shiftedV = (shifted: number, amountV: number): number => (amountV === 0 ? shifted : -1);
