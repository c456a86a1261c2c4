/**
 * Ends of prologues against gdb 13.1 (test/thumb-prologues/gdb.json): `break` on naked functions of Debian's clang 14
 * that consist of the instructions in question, with a line entry behind them (marked.elf), without one (unmarked.elf),
 * and with prologue_end flags in several places (flagged.elf); and where `step` stopped in the sessions of gdb-truth.
 * Frames of RISC-V code without call-frame information against an account of its calls (support/call-record.ts).
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { CfiRow } from '../lib/dwarf/model';
import { STT_FUNC } from '../lib/elf/constants';
import { ElfFile } from '../lib/elf/elf-file';
import type { LoadedProgram } from '../lib/program/loaded-program';
import { type RiscvEffect, riscvCodeRows, riscvInstruction, riscvRow } from '../lib/program/riscv-code';
import { CodeFrames } from '../lib/program/code-frames';
import { Program } from '../lib/program/program';
import { thumbFrameRow } from '../lib/program/thumb-frame';
import { thumbFrameRule, thumbFrameRules } from '../lib/program/thumb-frame-rules';
import { thumbPrologueRules } from '../lib/program/thumb-prologue';
import { CallRecord } from './support/call-record';
import { loadScattered, truthCase, truthCases, truthElf } from './support/gdb-truth';

interface Recorded {
  /** Instructions, and where gdb stops in marked.elf and in unmarked.elf: bytes from the function's start. */
  readonly code: readonly (readonly [instructions: string, marked: number, unmarked: number])[];
  readonly flags: Readonly<Record<string, number>>;
  readonly steps: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

const folder = join(__dirname, 'thumb-prologues');
const fixtures = join(__dirname, 'fixtures');
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

async function assertFramesOf(bytes: Uint8Array, cpu: string, hidden: readonly string[]): Promise<Set<string>> {
  const record = await CallRecord.start(bytes, cpu, 3n);
  const programs = hidden.map((sections) => record.programWithout(sections));
  const [first] = programs;
  const visited = new Set<string>();
  do {
    const link = first.toLink(record.pc);
    const symbol = first.symbolAt(record.pc);
    if (link === undefined) continue;
    visited.add(symbol?.symbol.name ?? '');
    for (const [i, program] of programs.entries()) {
      const place = `${symbol?.symbol.name}+${symbol?.offset} without ${hidden[i]}*`;
      assert.deepEqual(record.unwind(program), record.expected(), place);
    }
  } while (await record.step());
  return visited;
}

for (const [name, cpu] of [
  ['forms.rv32', 'rv32imac'],
  ['forms.rv64', 'rv64imafdc'],
] as const) {
  test(`at each instruction of ${name} the code tells of all frames what the functions were entered with`, async () => {
    const elf = ElfFile.parse(new Uint8Array(readFileSync(join(__dirname, 'riscv-prologues', `${name}.elf`))));
    const functions = elf.symbols().flatMap(({ type, name: function_ }) => (type === STT_FUNC ? [function_] : []));
    const visited = await assertFramesOf(elf.bytes, cpu, ['.debug_']);
    assert.deepEqual([...visited].filter((label) => label !== 'again').sort(), functions.sort());
  });
}

for (const [name, cpu] of [
  ['shapes.rv32-O2', 'rv32imac'],
  ['inlines.rv32-Os', 'rv32imac'],
  ['inlines.m3-O0', 'cortex-m3'],
  ['deep.m3-O2', 'cortex-m3'],
  ['deep.m4f-O2', 'cortex-m4'],
]) {
  test(`frames of ${name} are the same without .debug_frame and without all debug information`, async () => {
    const { bytes } = truthElf(truthCase(name));
    await assertFramesOf(bytes, cpu, ['.none', '.debug_frame', '.debug_']);
  });
}

test('what Thumb code has done to a frame is what GCC says of it, at each instruction; every rule has a case', () => {
  const seen = new Set<unknown>();
  let compared = 0;
  // Of Cortex-M0+, as of Clang, the call-frame information leaves out epilogues.
  const names = readdirSync(fixtures).filter((one) => /\.(m3|m33|m4f|m7)-O[0-3gs]\.elf$/.test(one));
  for (const path of [...names.map((name) => join(fixtures, name)), join(folder, 'frames.m4f-O2.elf')]) {
    const { symbolIndex, debug, sections, elf } = Program.open(ElfFile.parse(new Uint8Array(readFileSync(path))));
    for (const { index, address: base, size } of sections.filter(({ executable }) => executable)) {
      const bytes = elf.sectionBytes(elf.sections[index]);
      const read = (at: bigint): number | undefined => {
        const offset = Number(at - base);
        return offset < 0 || offset + 1 >= size ? undefined : bytes[offset] | (bytes[offset + 1] << 8);
      };
      const isData = (at: bigint): boolean => symbolIndex.codeKindAt(at, base) === 'data';
      for (let pc = base; pc < base + BigInt(size);) {
        const first = read(pc) ?? 0;
        const isLong = first >>> 11 >= 0b11101;
        const code = isLong ? ((first << 16) | (read(pc + 2n) ?? 0)) >>> 0 : first;
        const row = isData(pc) ? undefined : debug?.cfiAt(pc);
        // What pads a function is never executed.
        if (row?.cfa?.kind === 'register' && ![0xbf00, 0xf3af8000].includes(code)) {
          const { start, end } = row.functionRange;
          const isOwn = (at: bigint): boolean => start <= at && at < end;
          const found = thumbFrameRow({ start, read, isData, isOwn, targetAt: () => undefined }, pc, false);
          assert.deepEqual(
            found && ruleTexts(found, row),
            ruleTexts(row, found),
            `${path} ${symbolIndex.at(pc, base)?.symbol.name} ${pc}`,
          );
          compared++;
          seen.add(thumbFrameRule(code, isLong));
        }
        pc += isLong ? 4n : 2n;
      }
    }
  }
  assert.ok(compared > 10_000, `${compared} places`);
  assert.deepEqual(
    thumbFrameRules.filter((rule) => !seen.has(rule)).map(({ bits }) => bits.toString(16)),
    [],
  );
});

test('of a function without a size its own code is looked through, not all behind it', () => {
  const program = Program.open(ElfFile.parse(new Uint8Array(readFileSync(join(folder, 'frames.m4f-O2.elf')))));
  const start = program.symbolIndex.named('unsized')?.address ?? assert.fail('no function');
  const section = program.sectionAt(start) ?? assert.fail('no section');
  const bytes = program.elf.sectionBytes(program.elf.sections[section.index]);
  let reads = 0;
  const read = (at: bigint): number => {
    reads++;
    return new DataView(bytes.buffer, bytes.byteOffset).getUint16(Number(at - section.address), true);
  };
  const frames = new CodeFrames(program, read, () => undefined);
  assert.deepEqual(frames.rowAt(start + 2n, false)?.registers.get(14), { kind: 'offset', offset: -4n });
  // Three instructions, one of 32 bits, gone through twice; behind them are a thousand.
  assert.ok(reads <= 8, `${reads} halfwords`);
});

/** The frame address, where both tell it by one register; where the registers are that a function must keep. */
function ruleTexts({ cfa, registers }: CfiRow, other: CfiRow | undefined): readonly string[] {
  const isSame = cfa?.kind === 'register' && other?.cfa?.kind === 'register' && cfa.register === other.cfa.register;
  const saved = [4, 5, 6, 7, 8, 9, 10, 11, 14].map((register) => registers.get(register));
  return [isSame ? `${cfa.offset}` : '', ...saved.map((rule) => (rule?.kind === 'offset' ? `${rule.offset}` : ''))];
}

/** [XLEN, what GNU as made the encoding of, encoding, what it does by the manual] */
type EffectCase = readonly [xlen: 32 | 64, text: string, code: string, effect: string];

const effectCases = JSON.parse(
  readFileSync(join(__dirname, 'riscv-prologues', 'effects.json'), 'utf8'),
) as readonly EffectCase[];

function spellEffect(effect: RiscvEffect | undefined): string {
  if (effect === undefined) return 'unknown';
  const fields = { rd: -1, rs2: -1, rs1: -1, imm: undefined, size: undefined, ...effect };
  const registers = [fields.rd, fields.rs2, fields.rs1].filter((register) => register >= 0).map((n) => `x${n}`);
  // Operands of additions in the order of the assembler.
  if (effect.kind === 'add' || effect.kind === 'subtract') registers.splice(1, 2, `x${effect.rs1}`, `x${effect.rs2}`);
  const numbers = [fields.imm, fields.size].filter((value) => value !== undefined);
  return [effect.kind, ...registers, ...numbers].join(' ');
}

test('what RISC-V instructions do to a frame is what the manual says; every row has a case', () => {
  const seen = new Set<unknown>();
  for (const [xlen, text, code, effect] of effectCases) {
    const word = parseInt(code, 16);
    const found = riscvInstruction(word & 0xffff, word >>> 16, xlen);
    assert.equal(`${found.size} ${spellEffect(found.effect)}`, `${code.length / 2} ${effect}`, text);
    seen.add(riscvRow(word, code.length === 8, xlen));
  }
  for (const row of riscvCodeRows) assert.ok(seen.has(row), row.bits.toString(16));
});
