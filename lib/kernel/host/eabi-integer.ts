/**
 * Integer helpers of the run-time ABI (IHI 0043, 5.2 and 5.3) and of libgcc. Division by zero does what libgcc does
 * with its default __aeabi_idiv0, which returns: for Armv7-M and later the quotient saturates in the sign of the
 * numerator (0 / 0 is 0) and the remainder is the divisor; for Armv6-M the quotient is 0, the remainder the numerator.
 */
import { writePair } from '../calling-convention';
import { littleEndian } from '../guest-memory';
import type { HostCall, HostImplementation, ImplementationTable } from '../host-call';

const INT64_MAX = 0x7fff_ffff_ffff_ffffn;
const UINT64_MAX = 0xffff_ffff_ffff_ffffn;

function divideSigned(call: HostCall): number {
  const [n, d] = [call.i32(0), call.i32(1)];
  if (d !== 0) return (n / d) | 0;
  if (n === 0 || !call.kernel.saturatingDivide) return 0;
  return n < 0 ? -0x8000_0000 : 0x7fff_ffff;
}

function divideUnsigned(call: HostCall): number {
  const [n, d] = [call.u32(0), call.u32(1)];
  if (d !== 0) return Math.floor(n / d);
  return n === 0 || !call.kernel.saturatingDivide ? 0 : 0xffff_ffff;
}

function divideSigned64(n: bigint, d: bigint): bigint {
  if (d !== 0n) return BigInt.asIntN(64, n / d);
  if (n === 0n) return 0n;
  return n < 0n ? -INT64_MAX - 1n : INT64_MAX;
}

function divideUnsigned64(n: bigint, d: bigint): bigint {
  if (d !== 0n) return n / d;
  return n === 0n ? 0n : UINT64_MAX;
}

/** What stays in r1 after a division: with a zero divisor either that or the numerator. */
function remainder(call: HostCall, quotient: number): number {
  if (call.u32(1) === 0 && call.kernel.saturatingDivide) return 0;
  return (call.i32(0) - Math.imul(quotient, call.i32(1))) | 0;
}

/** Quotient and remainder in r0 and r1. */
function divmod(divide: (call: HostCall) => number): HostImplementation {
  return (call) => {
    const quotient = divide(call);
    call.cpu.r[0] = quotient | 0;
    call.cpu.r[1] = remainder(call, quotient);
    return undefined;
  };
}

/** By zero these give what r0 has when __aeabi_idiv0 returns: the quotient. */
function modulo(divide: (call: HostCall) => number): HostImplementation {
  return (call) => {
    const quotient = divide(call);
    return call.u32(1) === 0 ? quotient : remainder(call, quotient);
  };
}

/** Quotient in r0:r1, remainder in r2:r3. */
function divmod64(divide: (n: bigint, d: bigint) => bigint, unsigned: boolean): HostImplementation {
  return (call) => {
    const [n, d] = unsigned ? [call.u64(0), call.u64(1)] : [call.i64(0), call.i64(1)];
    const quotient = divide(n, d);
    writePair(call.cpu, 0, quotient);
    writePair(call.cpu, 2, d === 0n ? 0n : n - quotient * d);
    return undefined;
  };
}

/** libgcc's shifts by registers: 64 and more gives 0 or the sign, and only the low byte of the count matters. */
const shiftCount = (call: HostCall): bigint => BigInt(call.u32(1) & 0xff);

const compare = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);

const wide: ImplementationTable = {
  __aeabi_lmul: (call) => call.i64(0) * call.i64(1),
  __aeabi_llsl: (call) => BigInt.asUintN(64, call.u64(0) << shiftCount(call)),
  __aeabi_llsr: (call) => call.u64(0) >> shiftCount(call),
  __aeabi_lasr: (call) => call.i64(0) >> shiftCount(call),
  __aeabi_lcmp: (call) => compare(call.i64(0), call.i64(1)),
  __aeabi_ulcmp: (call) => compare(call.u64(0), call.u64(1)),
  __cmpdi2: (call) => compare(call.i64(0), call.i64(1)) + 1,
  __ucmpdi2: (call) => compare(call.u64(0), call.u64(1)) + 1,
  __negdi2: (call) => -call.i64(0),
  __aeabi_uread4: (call) => call.memory.u32(call.u32(0), call.parameter(0)),
  __aeabi_uread8: (call) => new DataView(call.bytes(0, 8).slice().buffer).getBigInt64(0, true),
  __aeabi_uwrite4(call) {
    call.write(1, littleEndian(call.u32(0), 4));
    return call.i32(0);
  },
  __aeabi_uwrite8(call) {
    call.write(1, littleEndian(call.u64(0), 8));
    return call.i64(0);
  },
};

const division: ImplementationTable = {
  __aeabi_idiv: divideSigned,
  __aeabi_uidiv: divideUnsigned,
  __modsi3: modulo(divideSigned),
  __umodsi3: modulo(divideUnsigned),
  __aeabi_idivmod: divmod(divideSigned),
  __aeabi_uidivmod: divmod(divideUnsigned),
  __aeabi_ldivmod: divmod64(divideSigned64, false),
  __aeabi_uldivmod: divmod64(divideUnsigned64, true),
  __divdi3: (call) => divideSigned64(call.i64(0), call.i64(1)),
  __udivdi3: (call) => divideUnsigned64(call.u64(0), call.u64(1)),
  __moddi3: (call) => (call.i64(1) === 0n ? 0n : call.i64(0) % call.i64(1)),
  __umoddi3: (call) => (call.u64(1) === 0n ? 0n : call.u64(0) % call.u64(1)),
  __aeabi_idiv0: (call) => call.i32(0),
  __aeabi_ldiv0: (call) => call.i64(0),
};

function ones(value: bigint): number {
  let count = 0;
  for (let rest = value; rest !== 0n; rest >>= 1n) count += Number(rest & 1n);
  return count;
}

const bitLength = (value: bigint): number => (value === 0n ? 0 : value.toString(2).length);
const lowestBit = (value: bigint): number => bitLength(value & -value);
const swapBytes = (value: bigint, size: number): bigint =>
  littleEndian(value, size).reduce((swapped, byte) => (swapped << 8n) | BigInt(byte), 0n);

const bits: ImplementationTable = {
  __clzsi2: (call) => Math.clz32(call.u32(0)),
  __clzdi2: (call) => 64 - bitLength(call.u64(0)),
  // libgcc: clz of the isolated lowest bit, subtracted from 31; that of 0 is -1.
  __ctzsi2: (call) => lowestBit(call.u64(0)) - 1,
  __ctzdi2: (call) => lowestBit(call.u64(0)) - 1,
  __ffssi2: (call) => lowestBit(call.u64(0)),
  __ffsdi2: (call) => lowestBit(call.u64(0)),
  __popcountsi2: (call) => ones(call.u64(0)),
  __popcountdi2: (call) => ones(call.u64(0)),
  __paritysi2: (call) => ones(call.u64(0)) & 1,
  __paritydi2: (call) => ones(call.u64(0)) & 1,
  __clrsbsi2: (call) => 31 - bitLength(BigInt(call.i32(0) < 0 ? ~call.i32(0) : call.i32(0))),
  __clrsbdi2: (call) => 63 - bitLength(call.i64(0) < 0n ? ~call.i64(0) : call.i64(0)),
  __bswapsi2: (call) => swapBytes(call.u64(0), 4),
  __bswapdi2: (call) => swapBytes(call.u64(0), 8),
};

/**
 * libgcc's switch tables of Thumb-1: the table follows the BL, r0 is the index, and the jump distance is in
 * halfwords (bytes from the table for `si`). No register but lr changes.
 */
function thumb1Case(size: 1 | 2 | 4, signed: boolean): HostImplementation {
  return (call) => {
    const { r } = call.cpu;
    // The word table starts at the next word boundary.
    const table = size === 4 ? (((r[14] & ~1) + 2) & ~3) >>> 0 : (r[14] & ~1) >>> 0;
    const entry = call.memory.bytes((table + r[0] * size) >>> 0, size, 'the switch table');
    const raw = entry.reduceRight((value, byte) => value * 256 + byte, 0);
    const offset = signed && raw >= 2 ** (size * 8 - 1) ? raw - 2 ** (size * 8) : raw;
    r[14] = size === 4 ? (table + offset) | 1 : (r[14] + offset * 2) | 1;
    return undefined;
  };
}

export const integerImplementations: ImplementationTable = {
  ...division,
  ...wide,
  ...bits,
  __gnu_thumb1_case_uqi: thumb1Case(1, false),
  __gnu_thumb1_case_sqi: thumb1Case(1, true),
  __gnu_thumb1_case_uhi: thumb1Case(2, false),
  __gnu_thumb1_case_shi: thumb1Case(2, true),
  __gnu_thumb1_case_si: thumb1Case(4, true),
  // _URC_FAILURE: extensions are not unwound by C++ exceptions here.
  __aeabi_unwind_cpp_pr: () => 9,
};
