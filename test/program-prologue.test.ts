/**
 * Ends of prologues against gdb 13.1 (test/thumb-prologues/gdb.json): `break` on naked functions of Debian's clang 14
 * that consist of the instructions in question, with a line entry behind them (marked.elf), without one (unmarked.elf),
 * and with prologue_end flags in several places (flagged.elf); and where `step` stopped in the sessions of gdb-truth.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ElfFile } from '../lib/elf/elf-file';
import type { LoadedProgram } from '../lib/program/loaded-program';
import { thumbPrologueRules } from '../lib/program/thumb-prologue';
import { loadScattered, truthCases, truthElf } from './support/gdb-truth';

interface Recorded {
  /** Instructions, and where gdb stops in marked.elf and in unmarked.elf: bytes from the function's start. */
  readonly code: readonly (readonly [instructions: string, marked: number, unmarked: number])[];
  readonly flags: Readonly<Record<string, number>>;
  readonly steps: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

const folder = join(__dirname, 'thumb-prologues');
const recorded = JSON.parse(readFileSync(join(folder, 'gdb.json'), 'utf8')) as Recorded;

function load(name: string): LoadedProgram {
  return loadScattered(ElfFile.parse(new Uint8Array(readFileSync(join(folder, name)))));
}

function entryOf(program: LoadedProgram, name: string): bigint {
  const entry = program.symbolNamed(name);
  assert.ok(entry !== undefined, name);
  return entry;
}

function breakOffset(program: LoadedProgram, name: string): number {
  const [place] = program.functionPlaces(Object.assign((one: string) => one === name, { exact: name }));
  return Number(place.address - entryOf(program, name));
}

for (const [column, file] of [
  [1, 'marked.elf'],
  [2, 'unmarked.elf'],
] as const) {
  test(`a breakpoint goes through a prologue's instructions as far as gdb's in ${file}`, () => {
    const program = load(file);
    const found = recorded.code.map(([instructions], i) => [instructions, breakOffset(program, `f${i}`)]);
    assert.deepEqual(
      found,
      recorded.code.map((row) => [row[0], row[column]]),
    );
  });
}

test('every rule about Thumb prologues has a case', () => {
  const program = load('marked.elf');
  const read = program.program.lines?.readThumb;
  assert.ok(read);
  const codes: number[] = [];
  for (const i of recorded.code.keys()) {
    const start = program.toLink(entryOf(program, `f${i}`)) ?? 0n;
    // Two NOPs stand behind the instructions in question.
    for (let at = start; read(at) !== 0xbf00 || read(at + 2n) !== 0xbf00;) {
      const first = read(at) ?? 0;
      const isLong = first >>> 11 >= 0b11101;
      codes.push(isLong ? ((first << 16) | (read(at + 2n) ?? 0)) >>> 0 : first);
      at += isLong ? 4n : 2n;
    }
  }
  for (const { mask, bits } of thumbPrologueRules) {
    assert.ok(
      codes.some((code) => (code & mask) >>> 0 === bits && code > 0xffff === bits > 0xffff),
      bits.toString(16),
    );
  }
});

test('a breakpoint goes to the first prologue_end flag of a function', () => {
  const program = load('flagged.elf');
  const found = Object.keys(recorded.flags).map((name) => [name, breakOffset(program, `f_${name}`)]);
  assert.deepEqual(found, Object.entries(recorded.flags));
});

test('a step into a function of a vendor clang stops where gdb does, whatever the flags say', () => {
  const cases = truthCases().filter(({ name }) => name in recorded.steps);
  assert.equal(cases.length, Object.keys(recorded.steps).length);
  for (const truth of cases) {
    const program = loadScattered(truthElf(truth));
    for (const [name, offset] of Object.entries(recorded.steps[truth.name])) {
      const entry = entryOf(program, name);
      assert.equal(program.bodyStart(entry), entry + BigInt(offset), `${truth.name} ${name}`);
    }
  }
});
