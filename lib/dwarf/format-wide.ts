/**
 * Characters wider than a byte, which are told by their names as gdb does it: `wchar_t`, `char16_t` and `char32_t`, typedefs in C and
 * types of their own in C++. Written as literals of the language: `L"hi"`, `65 u'A'`.
 */
import { decodeUnsigned } from '../bytes';
import { characterText } from './format-number';
import { isQualified, type Type } from './model';

export type WidePrefix = 'L' | 'u' | 'U';

const prefixes: Readonly<Record<string, WidePrefix | undefined>> = { wchar_t: 'L', char16_t: 'u', char32_t: 'U' };

/** undefined: no such character. */
export function widePrefix(type: Type): WidePrefix | undefined {
  for (let inner = type; ; inner = inner.target) {
    const isNamed = inner.kind === 'typedef' || inner.kind === 'base';
    const prefix = isNamed && inner.name !== undefined ? prefixes[inner.name] : undefined;
    if (prefix !== undefined) return prefix;
    if (!isQualified(inner)) return undefined;
  }
}

export function wideUnits(bytes: Uint8Array, size: number, littleEndian: boolean): number[] {
  const units: number[] = [];
  for (let at = 0; at + size <= bytes.length; at += size) {
    units.push(Number(decodeUnsigned(bytes.subarray(at, at + size), littleEndian)));
  }
  return units;
}

/** Units of UTF-16 or UTF-32; what is no character is written as a number. */
export function wideText(units: readonly number[], prefix: WidePrefix, quote: string): string {
  const texts: string[] = [];
  for (let at = 0; at < units.length; at++) {
    const [unit, next] = [units[at], units.at(at + 1) ?? 0];
    const isPair = prefix === 'u' && unit >> 10 === 0x36 && next >> 10 === 0x37;
    if (isPair) at++;
    texts.push(unitText(isPair ? 0x10000 + ((unit & 0x3ff) << 10) + (next & 0x3ff) : unit, quote));
  }
  return `${prefix}${quote}${texts.join('')}${quote}`;
}

function unitText(unit: number, quote: string): string {
  if (unit < 0x80) return characterText(unit, quote);
  const isCharacter = unit >= 0xa0 && unit < 0x110000 && (unit < 0xd800 || unit > 0xdfff);
  if (isCharacter && /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(String.fromCodePoint(unit)))
    return String.fromCodePoint(unit);
  return unit < 0o1000 ? `\\${unit.toString(8).padStart(3, '0')}` : `\\x${unit.toString(16)}`;
}
