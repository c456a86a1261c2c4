/**
 * Floating-point helpers (IHI 0043, 5.1): IEEE 754 with rounding to nearest even. Binary32 results are computed in
 * binary64 and rounded once more, which is exact for + - * / because binary64 has more than twice the digits.
 * Conversions to integers saturate and give 0 for NaN, as libgcc's do; those to 64 bits are made of two words.
 */
import type { HostCall, HostImplementation, ImplementationTable } from '../host-call';

type Letter = 'f' | 'd';

const rounders: Readonly<Record<Letter, (value: number) => number>> = { f: Math.fround, d: (value) => value };

function binary(letter: Letter, operation: (a: number, b: number) => number): HostImplementation {
  const round = rounders[letter];
  return (call) => round(operation(call.float(0), call.float(1)));
}

const ordered = (call: HostCall): boolean => !Number.isNaN(call.float(0)) && !Number.isNaN(call.float(1));

function relation(test: (a: number, b: number) => boolean): HostImplementation {
  return (call) => Number(test(call.float(0), call.float(1)));
}

/** -1, 0 or 1, and `unordered` when one is NaN (libgcc: positive for cmp lt le eq ne, negative for ge gt). */
function threeWay(unordered: number): HostImplementation {
  return (call) => {
    if (!ordered(call)) return unordered;
    const [a, b] = [call.float(0), call.float(1)];
    return Number(a > b) - Number(a < b);
  };
}

const N_FLAG = 1 << 31;
const Z_FLAG = 1 << 30;
const C_FLAG = 1 << 29;
const V_FLAG = 1 << 28;

/** Result in Z and C (5.1.2): equal Z C, less neither, greater or unordered C. All registers are preserved. */
function flagCompare(swap: boolean): HostImplementation {
  return (call) => {
    const [a, b] = swap ? [call.float(1), call.float(0)] : [call.float(0), call.float(1)];
    const flags = a === b ? Z_FLAG | C_FLAG : a < b ? N_FLAG : C_FLAG;
    const cleared = call.cpu.read('xpsr') & ~(N_FLAG | Z_FLAG | C_FLAG | V_FLAG);
    call.cpu.write('xpsr', (cleared | flags) >>> 0);
    return undefined;
  };
}

function toSigned(value: number): number {
  if (Number.isNaN(value)) return 0;
  return Math.max(-0x8000_0000, Math.min(0x7fff_ffff, Math.trunc(value)));
}

function toUnsigned(value: number): number {
  if (Number.isNaN(value)) return 0;
  return Math.max(0, Math.min(0xffff_ffff, Math.trunc(value)));
}

/** High and low word converted apart, each saturating: beyond the range both are all ones. */
function toUnsigned64(value: number): bigint {
  const high = toUnsigned(value / 2 ** 32);
  const low = toUnsigned(value - high * 2 ** 32);
  return (BigInt(high) << 32n) | BigInt(low);
}

function toSigned64(value: number): bigint {
  return value < 0 ? -toUnsigned64(-value) : toUnsigned64(value);
}

/** Rounds once: more than 53 bits are cut to 40 whose lowest says whether anything was lost, then rounded to 24. */
function bigToFloat(value: bigint): number {
  const magnitude = value < 0n ? -value : value;
  const excess = BigInt(Math.max(0, magnitude.toString(2).length - 40));
  const kept = magnitude >> excess;
  const sticky = kept << excess === magnitude ? kept : kept | 1n;
  const rounded = Math.fround(Number(sticky)) * 2 ** Number(excess);
  return value < 0n ? -rounded : rounded;
}

/** Only the sign bit changes, that of a NaN too: the register is flipped, not the number. */
function negate(register: 0 | 1): HostImplementation {
  return (call) => {
    call.cpu.r[call.kernel.convention.firstArgumentWord + register] ^= N_FLAG;
    return undefined;
  };
}

function helpers(letter: Letter, mode: 'sf' | 'df'): ImplementationTable {
  const round = rounders[letter];
  const name = (suffix: string): string => `__aeabi_${letter}${suffix}`;
  return {
    [name('add')]: binary(letter, (a, b) => a + b),
    [name('sub')]: binary(letter, (a, b) => a - b),
    [name('rsub')]: binary(letter, (a, b) => b - a),
    [name('mul')]: binary(letter, (a, b) => a * b),
    [name('div')]: binary(letter, (a, b) => a / b),
    [name('neg')]: negate(letter === 'f' ? 0 : 1),
    [name('cmpeq')]: relation((a, b) => a === b),
    [name('cmplt')]: relation((a, b) => a < b),
    [name('cmple')]: relation((a, b) => a <= b),
    [name('cmpge')]: relation((a, b) => a >= b),
    [name('cmpgt')]: relation((a, b) => a > b),
    [name('cmpun')]: (call) => Number(!ordered(call)),
    [`__aeabi_c${letter}cmpeq`]: flagCompare(false),
    [`__aeabi_c${letter}cmple`]: flagCompare(false),
    [`__aeabi_c${letter}rcmple`]: flagCompare(true),
    [`cmp${mode}`]: threeWay(1),
    [`gcmp${mode}`]: threeWay(-1),
    [name('2iz')]: (call) => toSigned(call.float(0)),
    [name('2uiz')]: (call) => toUnsigned(call.float(0)),
    [name('2lz')]: (call) => toSigned64(call.float(0)),
    [name('2ulz')]: (call) => toUnsigned64(call.float(0)),
    [`__aeabi_i2${letter}`]: (call) => round(call.i32(0)),
    [`__aeabi_ui2${letter}`]: (call) => round(call.u32(0)),
    [`__aeabi_l2${letter}`]: (call) => (letter === 'f' ? bigToFloat(call.i64(0)) : Number(call.i64(0))),
    [`__aeabi_ul2${letter}`]: (call) => (letter === 'f' ? bigToFloat(call.u64(0)) : Number(call.u64(0))),
  };
}

/** libgcc's order of multiplications, each rounded: by the bits of the exponent, lowest first. */
function power(letter: Letter): HostImplementation {
  const round = rounders[letter];
  return (call) => {
    let base = call.float(0);
    const exponent = call.i32(1);
    let n = Math.abs(exponent);
    let result = n % 2 === 1 ? base : 1;
    while ((n = Math.floor(n / 2)) > 0) {
      base = round(base * base);
      if (n % 2 === 1) result = round(result * base);
    }
    return exponent < 0 ? round(1 / result) : result;
  };
}

function roundToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return floor + (rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? 1 : 0);
}

const HALF_INFINITY = 0x7c00;
const HALF_NAN = 0x7e00;

/** Bits of the half nearest to a value; scaling by powers of two is exact, so that it is rounded once. */
function toHalf(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  if (Number.isNaN(value)) return HALF_NAN;
  if (magnitude < 2 ** -14) return sign | roundToEven(magnitude * 2 ** 24);
  if (magnitude >= 65520) return sign | HALF_INFINITY;
  let exponent = Math.floor(Math.log2(magnitude));
  // log2 can be off by one next to a power of two.
  if (2 ** exponent > magnitude) exponent--;
  else if (2 ** (exponent + 1) <= magnitude) exponent++;
  const significand = roundToEven(magnitude * 2 ** (10 - exponent));
  // A significand that was rounded up to 2048 carries into the exponent by itself.
  return sign | (((exponent + 14) << 10) + significand);
}

function fromHalf(bits: number): number {
  const sign = (bits & 0x8000) !== 0 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (fraction + 1024) * 2 ** (exponent - 25));
}

export const floatImplementations: ImplementationTable = {
  ...helpers('f', 'sf'),
  ...helpers('d', 'df'),
  __aeabi_f2d: (call) => call.float(0),
  __aeabi_d2f: (call) => Math.fround(call.float(0)),
  __powisf2: power('f'),
  __powidf2: power('d'),
  __aeabi_h2f: (call) => fromHalf(call.u32(0)),
  to_half: (call) => toHalf(call.float(0)),
};
