/**
 * The printf formatter against glibc: a table of seeded cases with glibc's output always, fresh cases live where gcc
 * is there. The points where Zephyr's cbprintf differs from ISO C are listed with what cbprintf prints.
 * The table is rewritten by `npx tsx test/kernel-printf.test.ts --write`.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { GuestMemory as EngineMemory } from '../lib/emulator/memory';
import { aapcs } from '../lib/kernel/aapcs';
import { BadPointer, concatenate, GuestMemory, littleEndian } from '../lib/kernel/guest-memory';
import { formatPrintf, MAX_OUTPUT } from '../lib/kernel/printf';
import { glibcOutput, printfCases, type PrintfCase } from './support/printf-cases';
import { findTool, requireTool } from './support/tools';

const tablePath = join(import.meta.dirname, 'golden', 'kernel-printf.json');
const seed = 20250711;
const count = 3000;

const BASE = 0x2000_0000;
const engineMemory = new EngineMemory([
  { name: 'RAM', base: BASE, size: 0x10000, permissions: { read: true, write: true, execute: false } },
]);
const memory = new GuestMemory(engineMemory);
const latin1 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));

/** Lays the arguments out as a va_list, texts behind it, and formats. */
function format({ format: text, arguments: values }: PrintfCase): { text: string; stores: readonly object[] } {
  let textAt = BASE + 0x4000;
  let at = BASE;
  const put = (bytes: Uint8Array, align: number): void => {
    at = (at + align - 1) & -align;
    engineMemory.write(at, bytes);
    at += bytes.length;
  };
  for (const value of values) {
    if ('word' in value) put(littleEndian(value.word, 4), 4);
    else if ('long' in value) put(littleEndian(BigInt(value.long), 8), 8);
    else if ('double' in value) put(littleEndian(BigInt(value.double), 8), 8);
    else {
      put(littleEndian(textAt, 4), 4);
      engineMemory.write(textAt, concatenate([latin1(value.text), Uint8Array.of(0)]));
      textAt += value.text.length + 1;
    }
  }
  const read = (address: number, limit: number, name: string): Uint8Array => memory.string(address, name, limit);
  const { bytes, stores } = formatPrintf(latin1(text), aapcs.variableArguments(BASE, memory), read);
  return { text: Buffer.from(bytes).toString('latin1'), stores };
}

function compare(cases: readonly PrintfCase[], expected: readonly string[]): void {
  const wrong = cases.flatMap((entry, i) => {
    const { text } = format(entry);
    return text === expected[i] ? [] : [{ ...entry, got: text, expected: expected[i] }];
  });
  assert.equal(cases.length, expected.length);
  assert.deepEqual(wrong.slice(0, 10), []);
}

if (process.argv.includes('--write')) {
  const gcc = findTool('gcc');
  if (gcc === undefined) throw new Error('needs gcc');
  const output = glibcOutput(gcc, printfCases(seed, count));
  writeFileSync(tablePath, JSON.stringify({ seed, output }, undefined, 0).replaceAll('","', '",\n"') + '\n');
}

void test(`${count} seeded cases print what glibc printed`, () => {
  const table = JSON.parse(readFileSync(tablePath, 'utf8')) as { seed: number; output: string[] };
  compare(printfCases(table.seed, count), table.output);
});

void test('fresh cases print what glibc prints', (t) => {
  const gcc = requireTool(t, 'gcc');
  if (gcc === undefined) return;
  const live = (Date.now() & 0x7fffffff) | 1;
  t.diagnostic(`seed ${live}`);
  const cases = printfCases(live, 2000);
  compare(cases, glibcOutput(gcc, cases));
});

const cbprintf: readonly [string, PrintfCase['arguments'], string][] = [
  ['%.0d', [{ word: 0 }], '0'],
  ['%#x %#X', [{ word: 0 }, { word: 255 }], '0x0 0XFF'],
  ['%#o %#.3o', [{ word: 0 }, { word: 5 }], '00 0005'],
  ['%05s|%03c', [{ text: 'ab' }, { word: 65 }], '000ab|00A'],
  ['%p %8p|%-8p|', [{ word: 0 }, { word: 0 }, { word: 0x20000010 }], '(nil)    (nil)|0x20000010|'],
  ['%012p', [{ word: 0x1234 }], '0x0000001234'],
  ['%ls %d', [{ word: 1 }, { word: 2 }], '%ls 2'],
  ['%Lf %d', [{ double: '0x3ff0000000000000' }, { word: 2 }], '%Lf 2'],
  ['%y%d', [{ word: 3 }], '%y3'],
  ['50% %', [], '50% %'],
  [
    '%#g %#G %#.3g',
    [{ double: '0x412e847f00000000' }, { double: '0x3ff0000000000000' }, { double: '0x0' }],
    '1.00000e+06 1.00000 0.00',
  ],
  ['%ld %zu %td %lx', [{ word: -5 }, { word: 6 }, { word: -7 }, { word: -1 }], '-5 6 -7 ffffffff'],
];

void test('the points where cbprintf differs from ISO C', () => {
  for (const [text, values, expected] of cbprintf) {
    assert.equal(format({ format: text, arguments: values }).text, expected, text);
  }
});

void test('%n becomes a store of the count, by its length modifier', () => {
  const values = [{ word: BASE + 0x100 }, { word: BASE + 0x200 }, { word: BASE + 0x300 }, { word: BASE + 0x400 }];
  const { text, stores } = format({ format: 'abc%n-%hhn%hn%lln', arguments: values });
  assert.equal(text, 'abc-');
  assert.deepEqual(stores, [
    { address: BASE + 0x100, size: 4, value: 3 },
    { address: BASE + 0x200, size: 1, value: 4 },
    { address: BASE + 0x300, size: 2, value: 4 },
    { address: BASE + 0x400, size: 8, value: 4 },
  ]);
});

void test('a bad string is named, a precision keeps it from being read on, a wild width is refused', () => {
  assert.throws(
    () => format({ format: '%s', arguments: [{ word: 0x10 }] }),
    (error: unknown) => error instanceof BadPointer && error.address === 0x10 && error.argument === '%s',
  );
  engineMemory.write(BASE + 0xfffe, latin1('xy'));
  assert.equal(format({ format: '%.2s', arguments: [{ word: BASE + 0xfffe }] }).text, 'xy');
  assert.throws(() => format({ format: '%.3s', arguments: [{ word: BASE + 0xfffe }] }), BadPointer);
  assert.throws(() => format({ format: `%${MAX_OUTPUT + 1}d`, arguments: [{ word: 1 }] }), RangeError);
  assert.throws(() => format({ format: '%*d', arguments: [{ word: -0x80000000 }, { word: 1 }] }), RangeError);
});
