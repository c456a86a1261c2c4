/**
 * Seeded cases for the printf formatter, and glibc as the reference that says what they print. Long and size_t are
 * 32 bits on the target: the reference formats them with int's conversion. Points where Zephyr's cbprintf differs
 * from ISO C on purpose (see lib/kernel/printf.ts) are not generated.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runTool } from './tools';

export type PrintfArgument =
  { readonly word: number } | { readonly long: string } | { readonly double: string } | { readonly text: string };

export interface PrintfCase {
  readonly format: string;
  readonly arguments: readonly PrintfArgument[];
}

/** xorshift32: the same cases from the same seed everywhere. */
export function randomSource(seed: number): (below: number) => number {
  let state = seed >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % below;
  };
}

const words = [
  0, 1, -1, 7, 42, 255, 256, -128, 127, 32767, -32768, 65535, 0x7fffffff, -0x80000000, 0xdeadbeef, 1000000,
];
const doubles = [
  0,
  -0,
  1,
  -1,
  0.5,
  1.5,
  2.5,
  0.1,
  1 / 3,
  9.995,
  99.5,
  999999.5,
  1e6,
  1e5,
  123456789,
  1e-4,
  9.99995e-5,
  1e-5,
];
const extremes = [
  Infinity,
  -Infinity,
  NaN,
  5e-324,
  2.2250738585072014e-308,
  1.7976931348623157e308,
  1e22,
  1e23,
  4.35,
  0.000123,
];

type Random = (below: number) => number;

function wordValue(random: Random): number {
  return random(2) === 0 ? words[random(words.length)] | 0 : (random(0x10000) * 0x10000 + random(0x10000)) | 0;
}

function doubleBits(random: Random): string {
  const view = new DataView(new ArrayBuffer(8));
  const kind = random(4);
  if (kind === 0) view.setFloat64(0, doubles[random(doubles.length)]);
  else if (kind === 1) view.setFloat64(0, extremes[random(extremes.length)]);
  else if (kind === 2) view.setFloat64(0, (random(2) ? 1 : -1) * random(1 << 30) * 10 ** (random(30) - 15));
  else view.setBigUint64(0, (BigInt(wordValue(random) >>> 0) << 32n) | BigInt(wordValue(random) >>> 0));
  return '0x' + view.getBigUint64(0).toString(16).padStart(16, '0');
}

const texts = ['', 'a', 'hello', 'a longer text with spaces', '%d', 'tab\tquote"', 'ÿ¶'];

function oneConversion(random: Random): { text: string; arguments: PrintfArgument[] } {
  const specifier = 'diuoxXcspeEfFgGaA%'[random(18)];
  if (specifier === '%') return { text: '%%', arguments: [] };
  const found: PrintfArgument[] = [];
  const integer = 'diuoxX'.includes(specifier);
  const floating = 'eEfFgGaA'.includes(specifier);
  let flags = '';
  for (const flag of '-+ #0') if (random(4) === 0) flags += flag;
  if (!integer && !floating) flags = flags.replace(/[+ #0]/g, '');
  if (specifier === 'd' || specifier === 'i' || specifier === 'u') flags = flags.replace('#', '');
  // glibc 2.36 drops digits of %#g when rounding carries (999999.5 gives '1.e+06').
  if (specifier === 'g' || specifier === 'G') flags = flags.replace('#', '');
  let width = '';
  const kind = random(4);
  if (kind === 1) width = String(random(20) + 1);
  if (kind === 2) {
    width = '*';
    found.push({ word: random(24) - 8 });
  }
  let precision = '';
  if (random(3) === 0 && specifier !== 'c' && specifier !== 'p') {
    precision = random(5) === 0 ? '.*' : `.${random(12)}`;
    if (precision === '.*') found.push({ word: random(12) - 3 });
  }
  if (specifier === 'o' && precision !== '') flags = flags.replace('#', '');
  let length = '';
  if (integer) length = ['', '', 'hh', 'h', 'l', 'll', 'j', 'z', 't'][random(9)];
  if (floating && random(4) === 0) length = 'l';
  found.push(argumentFor(random, specifier, length, flags + precision));
  return { text: `%${flags}${width}${precision}${length}${specifier}`, arguments: found };
}

function argumentFor(random: Random, specifier: string, length: string, options: string): PrintfArgument {
  if ('eEfFgGaA'.includes(specifier)) return { double: doubleBits(random) };
  if (specifier === 's') return { text: texts[random(texts.length)] };
  if (specifier === 'c') return { word: 32 + random(95) };
  // 0 with '#' or a precision is where cbprintf differs.
  const avoidZero = options.includes('#') || options.includes('.') || specifier === 'p';
  const word = avoidZero ? wordValue(random) | 0x01010101 : wordValue(random);
  if (length === 'll' || length === 'j') {
    return { long: '0x' + ((BigInt(wordValue(random) >>> 0) << 32n) | BigInt(word >>> 0)).toString(16) };
  }
  return { word };
}

export function printfCases(seed: number, count: number): PrintfCase[] {
  const random = randomSource(seed);
  return Array.from({ length: count }, () => {
    const pieces = Array.from({ length: 1 + random(3) }, () => oneConversion(random));
    const text = pieces.map((piece, i) => `${piece.text}${i % 2 === 0 ? '|' : ' x '}`).join('');
    return { format: `<${text}`, arguments: pieces.flatMap((piece) => piece.arguments) };
  });
}

/** The format as a C library with 64-bit long has to be asked. */
function referenceFormat(format: string): string {
  return format.replace(/%([-+ #0]*)(\*|\d+)?(\.(?:\*|\d*))?(hh|h|ll|l|j|z|t)?([a-zA-Z%])/g, (all, ...groups) => {
    const [flags, width = '', precision = '', length = '', specifier] = groups as string[];
    if (specifier === '%') return all as string;
    if (specifier === 'p') return `%${flags}#${width}x`;
    const kept = ['l', 'z', 't'].includes(length) ? '' : length;
    return `%${flags}${width}${precision}${kept}${specifier}`;
  });
}

function cString(text: string): string {
  const bytes = Array.from(text, (character) => character.charCodeAt(0));
  return '"' + bytes.map((byte) => '\\' + byte.toString(8).padStart(3, '0')).join('') + '"';
}

function cArgument(argument: PrintfArgument): string {
  if ('word' in argument) return `(int)0x${(argument.word >>> 0).toString(16)}u`;
  if ('long' in argument) return `(long long)${argument.long}ull`;
  if ('double' in argument) return `bits(${argument.double}ull)`;
  return cString(argument.text);
}

/** What glibc prints for each case, by a program that `gcc` makes. */
export function glibcOutput(gcc: string, cases: readonly PrintfCase[]): string[] {
  const lines = cases.map(({ format, arguments: values }) => {
    const list = [cString(referenceFormat(format)), ...values.map(cArgument)].join(', ');
    return `  show(snprintf(buffer, sizeof buffer, ${list}));`;
  });
  const source = [
    '#include <stdio.h>\n#include <string.h>\nstatic char buffer[65536];',
    'static double bits(unsigned long long b) { double d; memcpy(&d, &b, 8); return d; }',
    'static void show(int n) { for (int i = 0; i < n; i++) printf("%02x", buffer[i] & 255); printf("\\n"); }',
    'int main(void)\n{',
    ...lines,
    '  return 0;\n}\n',
  ].join('\n');
  const folder = mkdtempSync(join(tmpdir(), 'printf-'));
  try {
    writeFileSync(join(folder, 'cases.c'), source);
    runTool(gcc, ['-w', '-O0', '-o', join(folder, 'cases'), join(folder, 'cases.c')]);
    const output = runTool(join(folder, 'cases'), []).split('\n').slice(0, cases.length);
    return output.map((line) => Buffer.from(line, 'hex').toString('latin1'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
