/**
 * The run-time helpers of the base image against libgcc's own code: a table of what libgcc did on seeded inputs under
 * QEMU always, fresh inputs live where the compiler and QEMU are there (libgcc of Armv7-M and of Armv6-M).
 * A NaN is compared as NaN: its sign and payload differ between libgcc's own variants.
 * The table is rewritten by `npx tsx test/kernel-eabi.test.ts --write`.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { baseFunctions } from '../lib/kernel/base-image';
import { bitsToDouble, bitsToFloat } from '../lib/kernel/calling-convention';
import { parseSignature } from '../lib/kernel/c-signature';
import { definedResult, helperCases, libgccHelpers, libgccResults, type HelperResult } from './support/eabi-cases';
import { hostBench } from './support/host-bench';
import { findTool, requireTool } from './support/tools';

const tablePath = join(import.meta.dirname, 'golden', 'kernel-eabi.json');
const seed = 4711;
const perHelper = 40;
const benches = { 'cortex-m3': hostBench(true), 'cortex-m0plus': hostBench(false) };
type Cpu = keyof typeof benches;

/** The ABI's names for what libgcc calls __gnu_*: the same implementations. */
const aliases = ['__aeabi_h2f', '__aeabi_f2h', '__aeabi_d2h'];

const word = (value: number): string => (value >>> 0).toString(16).padStart(8, '0');

/** What of a result is defined, as text; NaN of any kind is 'nan'. */
function visible(name: string, [r0, r1, r2, r3, xpsr]: HelperResult): string {
  const returns = parseSignature(baseFunctions.find((entry) => entry.name === name)?.signature ?? '').returns;
  if (returns === 'f32' && (r0 & 0x7fffffff) >>> 0 > 0x7f800000) return 'nan';
  if (returns === 'f64' && ((r1 & 0x7fffffff) >>> 0) + (r0 === 0 ? 0 : 0.5) > 0x7ff00000) return 'nan';
  if (/2h(_ieee)?$/.test(name) && (r0 & 0x7fff) > 0x7c00) return 'nan';
  // Of these only the sign is defined, or whether it is 0.
  if (/^__(eq|ne)[sd]f2$/.test(name)) return r0 === 0 ? 'equal' : 'unequal';
  if (/^__(lt|le|gt|ge|cmp)[sd]f2$/.test(name)) return String(Math.sign(r0 | 0));
  switch (definedResult(name)) {
    case 'flags':
      // The equality helpers define Z alone.
      return name.endsWith('cmpeq') ? `Z=${(xpsr >>> 30) & 1}` : `ZC=${(xpsr >>> 29) & 3}`;
    case 'r0':
      return word(r0);
    case 'r0r1':
      return word(r0) + word(r1);
    case 'r0-r3':
      return word(r0) + word(r1) + word(r2) + word(r3);
  }
}

function ours(cpu: Cpu, name: string, inputs: readonly (readonly number[])[]): string[] {
  return inputs.map((registers) => visible(name, benches[cpu].callRegisters(name, registers)));
}

function compare(
  cpu: Cpu,
  name: string,
  inputs: readonly (readonly number[])[],
  expected: readonly string[],
): string[] {
  const results = ours(cpu, name, inputs);
  assert.equal(expected.length, inputs.length, name);
  return results.flatMap((result, i) =>
    result === expected[i] || notCompared(cpu, name, inputs[i])
      ? []
      : [`${name}(${inputs[i].map(word).join(', ')}) = ${result}, libgcc: ${expected[i]}`],
  );
}

/** Conversions to integers of NaN and of values out of range are open in C; Armv7-M's libgcc saturates, the other not. */
function outOfRange(name: string, [low, high]: readonly number[]): boolean {
  if (!/2u?[il]z$|^__fix/.test(name)) return false;
  const isFloat = /_f2|sf[sd]i$/.test(name);
  const value = isFloat ? bitsToFloat(low) : bitsToDouble((BigInt(high >>> 0) << 32n) | BigInt(low >>> 0));
  const signed = !/2u|uns/.test(name);
  const bits = /lz$|di$/.test(name) ? 64 : 32;
  const limit = 2 ** (signed ? bits - 1 : bits);
  return !(value < limit && value > (signed ? -limit - 1 : -1));
}

/**
 * Where libgcc itself is wrong: Armv6-M's c?cmple inverts C (bpabi-v6m.S tests it with CMN of 0), and Armv7-M's
 * addition of doubles is one unit off where the exponents are more than 32 apart. There Armv6-M's counts.
 */
function notCompared(cpu: Cpu, name: string, registers: readonly number[]): boolean {
  if (cpu === 'cortex-m0plus') return /^__aeabi_c[fd]r?cmple$/.test(name) || outOfRange(name, registers);
  const exponent = (high: number): number => (high >>> 20) & 0x7ff;
  return /d(add|sub|rsub)$|(add|sub)df3$/.test(name) && Math.abs(exponent(registers[1]) - exponent(registers[3])) > 32;
}

interface Table {
  readonly seed: number;
  readonly perHelper: number;
  readonly results: Record<string, string>;
}

function live(gcc: string, nm: string, qemu: string, cpu: string, from: number, count: number): Map<string, string[]> {
  const have = libgccHelpers(gcc, nm, cpu);
  const cases = helperCases(from, count).filter(({ name }) => have.has(name));
  const results = libgccResults(gcc, qemu, cpu, cases);
  return new Map([...results].map(([name, values]) => [name, values.map((value) => visible(name, value))]));
}

if (process.argv.includes('--write')) {
  const [gcc, nm, qemu] = ['arm-none-eabi-gcc', 'arm-none-eabi-nm', 'qemu-system-arm'].map(findTool);
  if (gcc === undefined || nm === undefined || qemu === undefined) throw new Error('needs the Arm compiler and QEMU');
  const results = live(gcc, nm, qemu, 'cortex-m3', seed, perHelper);
  const lines = [...results].map(([name, values]) => `${JSON.stringify(name)}: ${JSON.stringify(values.join(' '))}`);
  writeFileSync(tablePath, `{"seed": ${seed}, "perHelper": ${perHelper}, "results": {\n${lines.join(',\n')}\n}}\n`);
}

test('every helper gives what libgcc gave', () => {
  const table = JSON.parse(readFileSync(tablePath, 'utf8')) as Table;
  const cases = helperCases(table.seed, table.perHelper);
  const covered = cases.filter(({ name }) => !aliases.includes(name)).map(({ name }) => name);
  assert.deepEqual(Object.keys(table.results).sort(), covered.sort());
  const tested = cases.filter(({ name }) => name in table.results);
  const wrong = tested.flatMap(({ name, inputs }) =>
    compare('cortex-m3', name, inputs, table.results[name].split(' ')),
  );
  assert.deepEqual(wrong.slice(0, 20), []);
});

for (const cpu of ['cortex-m3', 'cortex-m0plus'] as const) {
  test(`fresh inputs: every helper gives what libgcc for ${cpu} gives`, (t) => {
    const gcc = requireTool(t, 'arm-none-eabi-gcc');
    const nm = requireTool(t, 'arm-none-eabi-nm');
    const qemu = requireTool(t, 'qemu-system-arm');
    if (gcc === undefined || nm === undefined || qemu === undefined) return;
    const from = (Date.now() & 0x7fffffff) | 1;
    t.diagnostic(`seed ${from}`);
    const results = live(gcc, nm, qemu, cpu, from, 60);
    const wrong = helperCases(from, 60)
      .filter(({ name }) => results.has(name))
      .flatMap(({ name, inputs }) => compare(cpu, name, inputs, results.get(name) ?? []));
    assert.deepEqual(wrong.slice(0, 20), []);
  });
}
