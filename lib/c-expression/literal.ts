/**
 * Constants of C (C11 6.4.4, 6.4.5): what a number, character or text literal means. The type of an integer constant
 * depends on the target, so it is only narrowed to a list of candidates here.
 */
import type { BasicTypeName } from '../dwarf/value-types';
import { fail, type Span } from './errors';
import type { Token } from './lexer';

export interface IntegerLiteral {
  readonly value: bigint;
  /** The first that can represent the value is the constant's type (table of 6.4.4.1). */
  readonly candidates: readonly BasicTypeName[];
}

export interface FloatLiteral {
  readonly value: number;
  readonly type: BasicTypeName;
}

const decimalCandidates: Readonly<Record<string, readonly BasicTypeName[]>> = {
  '': ['int', 'long', 'long long'],
  u: ['unsigned int', 'unsigned long', 'unsigned long long'],
  l: ['long', 'long long'],
  ul: ['unsigned long', 'unsigned long long'],
  ll: ['long long'],
  ull: ['unsigned long long'],
};

const otherCandidates: Readonly<Record<string, readonly BasicTypeName[]>> = {
  ...decimalCandidates,
  '': ['int', 'unsigned int', 'long', 'unsigned long', 'long long', 'unsigned long long'],
  l: ['long', 'unsigned long', 'long long', 'unsigned long long'],
  ll: ['long long', 'unsigned long long'],
};

export function parseNumber(token: Token): IntegerLiteral | FloatLiteral {
  const integer = /^(0[xX][0-9a-fA-F]+|0[bB][01]+|[0-9]+)([uUlL]*)$/.exec(token.text);
  if (integer) return parseInteger(integer[1], integer[2].toLowerCase(), token);
  const hexFloat = /^0[xX]([0-9a-fA-F]*)\.?([0-9a-fA-F]*)[pP]([+-]?[0-9]+)([fFlL]?)$/.exec(token.text);
  if (hexFloat && (hexFloat[1] !== '' || hexFloat[2] !== '')) {
    const [, whole, fraction, exponent, suffix] = hexFloat;
    const mantissa = Number(BigInt(`0x${whole}${fraction}`));
    return floatLiteral(mantissa * 2 ** (Number(exponent) - 4 * fraction.length), suffix);
  }
  const float = /^((?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)([fFlL]?)$/.exec(token.text);
  if (float) return floatLiteral(Number(float[1]), float[2]);
  return fail(`'${token.text}' is not a number`, token);
}

/** GNU: a number with `i` or `j` among its suffixes; undefined: it has none. */
export function imaginaryPart(token: Token): IntegerLiteral | FloatLiteral | undefined {
  const match = /^((?:0[xX])?[^_]*?)([uUlLfF]*)[iIjJ]([uUlLfF]*)$/.exec(token.text);
  return match === null ? undefined : parseNumber({ ...token, text: match[1] + match[2] + match[3] });
}

function floatLiteral(value: number, suffix: string): FloatLiteral {
  if (/[fF]/.test(suffix)) return { value: Math.fround(value), type: 'float' };
  return { value, type: suffix === '' ? 'double' : 'long double' };
}

function parseInteger(digits: string, suffix: string, token: Token): IntegerLiteral {
  const order = suffix.replace(/^(l+)u$/, 'u$1');
  const isDecimal = /^[1-9]/.test(digits);
  const candidates = (isDecimal ? decimalCandidates : otherCandidates)[order] as readonly BasicTypeName[] | undefined;
  if (!candidates) return fail(`'${suffix}' is no suffix of an integer`, token);
  const isOctal = /^0[0-9]/.test(digits);
  if (isOctal && /[89]/.test(digits)) return fail(`'${token.text}' is not an octal number`, token);
  const value = BigInt(isOctal ? `0o${digits.slice(1)}` : digits);
  if (value >= 1n << 64n) return fail('the number does not fit 64 bits', token);
  return { value, candidates };
}

/** Code units of a character or text literal: bytes of UTF-8 without prefix, wider units with u, U or L. */
export interface TextLiteral {
  readonly units: readonly number[];
  readonly prefix: '' | 'u8' | 'u' | 'U' | 'L';
}

const escapes: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  e: 27,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  v: 11,
  '\\': 92,
  "'": 39,
  '"': 34,
  '?': 63,
};

const utf8 = new TextEncoder();

export function parseText(token: Token): TextLiteral {
  const start = /^(u8|[uUL]?)(?=['"])/.exec(token.text);
  const prefix = (start?.[1] ?? '') as TextLiteral['prefix'];
  const body = token.text.slice(prefix.length + 1, -1);
  const units: number[] = [];
  const pattern = /\\(x[0-9a-fA-F]+|[0-7]{1,3}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)|[^\\]/gsu;
  for (const match of body.matchAll(pattern)) {
    const escape = match[1] as string | undefined;
    const span = { offset: token.offset + prefix.length + 1 + match.index, length: match[0].length };
    if (escape === undefined) units.push(...encode(match[0].codePointAt(0) ?? 0, prefix));
    else if (/^[0-7]/.test(escape)) units.push(unitInRange(parseInt(escape, 8), prefix, span));
    else if (/^x./.test(escape)) units.push(unitInRange(parseInt(escape.slice(1), 16), prefix, span));
    else if (/^[uU]./.test(escape)) units.push(...encode(codePoint(escape, span), prefix));
    else units.push(escapes[escape] ?? fail(`'\\${escape}' is no escape sequence`, span));
  }
  return { units, prefix };
}

function codePoint(escape: string, span: Span): number {
  const value = parseInt(escape.slice(1), 16);
  return value <= 0x10ffff ? value : fail(`there is no character ${escape}`, span);
}

function unitInRange(value: number, prefix: TextLiteral['prefix'], span: Span): number {
  const largest = prefix === 'u' ? 0xffff : prefix === 'U' || prefix === 'L' ? 0xffffffff : 0xff;
  return value <= largest ? value : fail('the escape sequence is out of range', span);
}

function encode(character: number, prefix: TextLiteral['prefix']): readonly number[] {
  const text = String.fromCodePoint(character);
  if (prefix === 'U' || prefix === 'L') return [character];
  if (prefix === 'u') return Array.from(text.split(''), (unit) => unit.charCodeAt(0));
  return [...utf8.encode(text)];
}
