/**
 * Numbers, characters and enumerators as text, in gdb's words: `65 'A'`, `0.100000001`, `nan(0x400000)`,
 * `(M_A | M_C)`, `(M_A | unknown: 0x8)`.
 */
import type { EnumType } from './model';
import { floatParts } from './value-float';

const named: ReadonlyMap<number, string> = new Map([
  [7, '\\a'],
  [8, '\\b'],
  [9, '\\t'],
  [10, '\\n'],
  [11, '\\v'],
  [12, '\\f'],
  [13, '\\r'],
  [0x5c, '\\\\'],
]);

/** One byte as C would write it between quotes of this kind. */
export function characterText(byte: number, quote: string): string {
  const name = named.get(byte);
  if (name) return name;
  const character = String.fromCharCode(byte);
  if (character === quote) return `\\${quote}`;
  return byte >= 0x20 && byte < 0x7f ? character : `\\${byte.toString(8).padStart(3, '0')}`;
}

export function quotedText(bytes: Uint8Array): string {
  let text = '"';
  for (const byte of bytes) text += characterText(byte, '"');
  return text + '"';
}

/** Decimal digits that tell every value of the format apart, as %g prints them. */
function digitsFor(byteSize: number): number {
  switch (byteSize) {
    case 2:
      return 5;
    case 4:
      return 9;
    case 8:
      return 17;
    default:
      return 18;
  }
}

export function floatText(bytes: Uint8Array, value: number, littleEndian: boolean): string {
  const { negative, fraction, layout } = floatParts(bytes, littleEndian);
  const sign = negative ? '-' : '';
  if (Number.isNaN(value)) {
    const payload = layout.explicitOne ? BigInt.asUintN(63, fraction) : fraction;
    return `${sign}nan(0x${payload.toString(16)})`;
  }
  if (!Number.isFinite(value)) return `${sign}inf`;
  return generalText(value, digitsFor(bytes.length));
}

/** C's %.<digits>g. */
export function generalText(value: number, digits: number): string {
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const [mantissa, exponentText] = value.toExponential(digits - 1).split('e');
  const exponent = Number(exponentText);
  if (exponent < -4 || exponent >= digits) {
    const power = Math.abs(exponent).toString().padStart(2, '0');
    return `${withoutTrailingZeros(mantissa)}e${exponent < 0 ? '-' : '+'}${power}`;
  }
  return withoutTrailingZeros(value.toFixed(Math.max(digits - 1 - exponent, 0)));
}

function withoutTrailingZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

export function enumText(type: EnumType, value: bigint): string {
  const exact = type.enumerators.find((enumerator) => enumerator.value === value);
  if (exact) return exact.name;
  if (!isFlags(type)) return value.toString();
  const names: string[] = [];
  let rest = BigInt.asUintN((type.byteSize ?? 4) * 8, value);
  for (const { name, value: flag } of type.enumerators) {
    if (!isOneBit(flag) || (rest & flag) === 0n) continue;
    names.push(name);
    rest &= ~flag;
  }
  if (rest !== 0n) names.push(`unknown: 0x${rest.toString(16)}`);
  return names.length === 0 ? '0' : `(${names.join(' | ')})`;
}

/**
 * The type is meant to be combined by `|`: every enumerator is zero or one bit, or a name for several of those bits together, of which gdb
 * knows nothing. Such names alone are no sign: 3 is 1 | 2 where one counts 0, 1, 2, 3.
 */
function isFlags({ enumerators }: EnumType): boolean {
  const values = new Set(enumerators.map(({ value }) => value));
  if (values.size === 0 || [...values].some((value) => value < 0n)) return false;
  const bits = [...values].filter(isOneBit);
  const all = bits.reduce((sum, bit) => sum | bit, 0n);
  const combined = [...values].filter((value) => value !== 0n && !isOneBit(value));
  if (combined.length === 0) return true;
  const isCounted = [...values].every((value) => value <= BigInt(values.size));
  return !isCounted && combined.length < bits.length && combined.every((value) => (value & ~all) === 0n);
}

function isOneBit(value: bigint): boolean {
  return value > 0n && (value & (value - 1n)) === 0n;
}
