/**
 * Number reading (ISO C 7.22.1), character classes of the C locale, and rand. strto* set errno to ERANGE and clamp;
 * with an invalid base they give 0 and EINVAL.
 */
import { encodeInteger } from '../../bytes';
import { Errno } from '../../errors';
import type { HostCall, HostImplementation, ImplementationTable } from '../host-call';

interface ParsedNumber {
  readonly value: bigint;
  readonly negative: boolean;
  /** Offset of the first character that is not part of the number; 0 = no number. */
  readonly end: number;
}

const isSpace = (byte: number): boolean => byte === 0x20 || (byte >= 9 && byte <= 13);

function digitValue(byte: number | undefined): number {
  if (byte === undefined) return 99;
  const value = parseInt(String.fromCharCode(byte), 36);
  return Number.isNaN(value) ? 99 : value;
}

/** Sign, prefix and digits; the subject sequence of 7.22.1.4. */
export function parseNumber(text: Uint8Array, requestedBase: number): ParsedNumber {
  let at = text.findIndex((byte) => !isSpace(byte));
  if (at < 0) return { value: 0n, negative: false, end: 0 };
  const negative = text[at] === 0x2d;
  if (negative || text[at] === 0x2b) at++;
  let base = requestedBase;
  const hexPrefix = text[at] === 0x30 && (text[at + 1] | 0x20) === 0x78 && digitValue(text[at + 2]) < 16;
  if (base === 0) base = hexPrefix ? 16 : text[at] === 0x30 ? 8 : 10;
  if (base === 16 && hexPrefix) at += 2;
  const first = at;
  let value = 0n;
  for (; digitValue(text[at]) < base; at++) value = value * BigInt(base) + BigInt(digitValue(text[at]));
  return { value, negative, end: at === first ? 0 : at };
}

/** Of `long`, or of `long long`. */
type Width = 'long' | 64;

const bitsOf = (width: Width, { kernel }: HostCall): number =>
  width === 'long' ? kernel.convention.longSize * 8 : width;

/** strtol and its kin for a width; an unsigned result is negated modulo 2^bits, as C has it. */
function readNumber(width: Width, signed: boolean): HostImplementation {
  return (call) => {
    const { longSize } = call.kernel.convention;
    const limit = 1n << BigInt(bitsOf(width, call));
    const maximum = signed ? limit / 2n - 1n : limit - 1n;
    const text = call.string(0);
    const base = call.i32(2);
    if (call.u32(1) !== 0) call.checkWrite(1, longSize);
    const valid = base === 0 || (base >= 2 && base <= 36);
    const { value, negative, end } = valid ? parseNumber(text, base) : { value: 0n, negative: false, end: 0 };
    if (call.u32(1) !== 0) call.write(1, encodeInteger(BigInt(call.u32(0) + end), longSize, true));
    const inRange = value <= maximum || (signed && negative && value === maximum + 1n);
    if (!valid) setErrno(call, Errno.EINVAL);
    else if (!inRange) setErrno(call, Errno.ERANGE);
    if (!inRange) return signed && negative ? -maximum - 1n : maximum;
    return negative ? -value : value;
  };
}

function setErrno(call: HostCall, value: number): void {
  call.memory.setU32(call.kernel.map.errno, value, 'errno');
}

const atoi =
  (width: 32 | Width): HostImplementation =>
  (call) => {
    const { value, negative } = parseNumber(call.string(0), 10);
    return BigInt.asIntN(width === 32 ? 32 : bitsOf(width, call), negative ? -value : value);
  };

const inRange = (low: number, high: number) => (c: number) => c >= low && c <= high;
const isDigit = inRange(0x30, 0x39);
const isUpper = inRange(0x41, 0x5a);
const isLower = inRange(0x61, 0x7a);
const isAlpha = (c: number): boolean => isUpper(c) || isLower(c);
const isAlnum = (c: number): boolean => isAlpha(c) || isDigit(c);
const isGraph = inRange(0x21, 0x7e);

function characterClass(test: (c: number) => boolean): HostImplementation {
  return (call) => Number(test(call.i32(0)));
}

/** The generator of ISO C's example, widened to 31 bits: x = x * 1103515245 + 12345. */
function nextRandom(seed: number): { seed: number; value: number } {
  const next = (Math.imul(seed, 1103515245) + 12345) >>> 0;
  const mixed = (next ^ (next >>> 16)) >>> 0;
  return { seed: next, value: mixed & 0x7fff_ffff };
}

export const stdlibImplementations: ImplementationTable = {
  atoi: atoi(32),
  atol: atoi('long'),
  atoll: atoi(64),
  strtol: readNumber('long', true),
  strtoul: readNumber('long', false),
  strtoll: readNumber(64, true),
  strtoull: readNumber(64, false),
  abs: (call) => Math.abs(call.i32(0)),
  labs(call) {
    const value = BigInt.asIntN(bitsOf('long', call), call.i64(0));
    return value < 0n ? -value : value;
  },
  llabs: (call) => (call.i64(0) < 0n ? -call.i64(0) : call.i64(0)),
  rand(call) {
    const { seed, value } = nextRandom(call.kernel.random);
    call.kernel.random = seed;
    return value;
  },
  srand(call) {
    call.kernel.random = call.u32(0);
    return undefined;
  },
  rand_r(call) {
    call.checkWrite(0, 4);
    const { seed, value } = nextRandom(call.memory.u32(call.u32(0), call.parameter(0)));
    call.memory.setU32(call.u32(0), seed, call.parameter(0));
    return value;
  },
  isalnum: characterClass(isAlnum),
  isalpha: characterClass(isAlpha),
  isblank: characterClass((c) => c === 0x20 || c === 9),
  iscntrl: characterClass((c) => (c >= 0 && c < 0x20) || c === 0x7f),
  isdigit: characterClass(isDigit),
  isgraph: characterClass(isGraph),
  islower: characterClass(isLower),
  isprint: characterClass(inRange(0x20, 0x7e)),
  ispunct: characterClass((c) => isGraph(c) && !isAlnum(c)),
  isspace: characterClass(isSpace),
  isupper: characterClass(isUpper),
  isxdigit: characterClass((c) => isDigit(c) || inRange(0x61, 0x66)(c | 0x20)),
  tolower: (call) => (isUpper(call.i32(0)) ? call.i32(0) + 0x20 : call.i32(0)),
  toupper: (call) => (isLower(call.i32(0)) ? call.i32(0) - 0x20 : call.i32(0)),
};
