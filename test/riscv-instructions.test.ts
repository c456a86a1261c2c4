/**
 * A directed case for every decoder row of RISC-V (support/riscv-cases.ts), assembled by GNU as and run here, on QEMU and,
 * where it has the row, on native Unicorn; what traps or changes the mode on QEMU's board instead. Then names: what
 * llvm-mc disassembles of random words.
 */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { fieldsOf } from '../lib/emulator/bit-diagram';
import { Decoder, rows } from '../lib/emulator/riscv/decoder';
import { Site, type Row } from '../lib/emulator/riscv/rows';
import { Random } from './support/random';
import { assemble } from './support/riscv-assembler';
import { casesOf, caseNames, type CaseKind } from './support/riscv-cases';
import { Here, largestCpu, runOnBoard, runOnQemu, runOnUnicorn, type RiscvRun } from './support/riscv-engines';
import { exclusionOf, isOnUnicorn } from './support/riscv-exclusions';
import {
  dataSize,
  emptyState,
  RiscvProgram,
  type ProgramKind,
  type RiscvState,
  type Xlen,
} from './support/riscv-program';
import { requireTool } from './support/tools';
import { UnicornRiscv } from './support/unicorn-riscv';

const codeBytes = 48;
/** c.addi t0, 1 */
const marker = 0x0285;

interface Case {
  readonly row: Row;
  readonly kind: CaseKind;
  readonly text: string;
  readonly halfwords: readonly number[];
}

/** The last instruction of a case. */
function lastWord(halfwords: readonly number[]): number {
  const [before, last] = [halfwords.at(-2) ?? 0, halfwords.at(-1) ?? 0];
  let at = 0;
  while (at + ((halfwords[at] & 3) === 3 ? 2 : 1) < halfwords.length) at += (halfwords[at] & 3) === 3 ? 2 : 1;
  return at === halfwords.length - 1 ? last : ((last << 16) | before) >>> 0;
}

/** Every row of a width with its cases. */
function casesFor(as: string, xlen: Xlen, decoder: Decoder): Case[] {
  const listed = decoder.rows.flatMap((row) => {
    const found = casesOf(row, xlen);
    assert.ok(found, `${row.name} has no case`);
    return found.lines.map((text) => ({ row, kind: found.kind, text }));
  });
  const code = assemble(
    as,
    xlen,
    listed.map(({ text }) => text),
  );
  assert.equal(code.length, listed.length);
  return listed.map((one, i) => {
    const word = lastWord(code[i]);
    assert.equal(decoder.find(word), one.row, `${one.text} is ${word.toString(16)}`);
    return { ...one, halfwords: code[i] };
  });
}

const integerOperands: readonly (readonly [bigint, bigint])[] = [
  [0n, 0n],
  [1n, 2n],
  [-1n, 1n],
  [7n, -3n],
  [-0x80000000n, -1n],
  [-0x80000000n, 31n],
  [0x7fffffffn, 0x80000000n],
  [0x12345678_9abcdef0n, 33n],
  [-(1n << 63n), -1n],
  [(1n << 63n) - 1n, -(1n << 63n)],
  [-0xf0f0f0f0f0f0f10n, 0x00ff00ff_00ff00ffn],
  [0x8000_0001n, 0xffff_ffffn],
];
const boxed = 0xffffffffn << 32n;
const single = (bits: number) => boxed | BigInt(bits);
const [one, minusThree, infinity, nan] = [0x3f800000, 0xc0400000, 0x7f800000, 0x7fc00000].map(single);
const double = (bits: number, low = 0) => (BigInt(bits) << 32n) | BigInt(low);
/** fa1, fa2, fa3: singles, then doubles. */
const floatOperands: readonly (readonly [bigint, bigint, bigint])[] = [
  [one, minusThree, single(0x40000000)],
  [single(0x3fc00000), single(0x33800000), single(0xb3800000)],
  [single(0x4f000000), single(0x3eaaaaab), one],
  [single(0xcf000001), single(0x00000001), single(0x80000001)],
  [infinity, single(0x80000000), nan],
  [single(0x7f7fffff), single(0x7f7fffff), infinity],
  [single(0), single(0x80000000), single(0)],
  [single(0x5f800000), single(0x007fffff), minusThree],
  [double(0x3ff00000), double(0xc0080000), double(0x40000000)],
  [double(0x3ff80000), double(0x3ca00000), double(0xbca00000, 1)],
  [double(0x41dfffff, 0xffe00000), double(0x3fd55555, 0x55555555), double(0x41e00000)],
  [double(0x43e00000), double(0, 1), double(0x80000000, 1)],
  [double(0x7ff00000), double(0x80000000), double(0x7ff80000)],
  [double(0x7fefffff, 0xffffffff), double(0x47efffff, 0xf0000000), double(0x36900000, 1)],
];

function setWide(words: Uint32Array, register: number, value: bigint): void {
  words[2 * register] = Number(BigInt.asUintN(32, value));
  words[2 * register + 1] = Number(BigInt.asUintN(32, value >> 32n));
}

/** Operand sets of a kind of case. */
const sets: Readonly<Record<CaseKind, number>> = {
  integers: integerOperands.length,
  floats: floatOperands.length,
  memory: 4,
  privileged: 1,
};

/** See support/riscv-cases.ts for which register holds what. */
function prepare(state: RiscvState, program: RiscvProgram, { kind, halfwords }: Case, index: number): void {
  const { integers, floats } = state;
  for (let x = 1; x < 32; x++) setWide(integers, x, BigInt(x) * 0x01010101_01010101n);
  for (let f = 0; f < 32; f++) setWide(floats, f, single(0x3f800000 + f * 0x10101));
  const at = program.codeOf(program.count);
  const [a1, a2] = integerOperands[index % integerOperands.length];
  for (const x of [11, 8]) setWide(integers, x, a1);
  for (const x of [12, 9]) setWide(integers, x, a2);
  setWide(integers, 13, 5n);
  setWide(integers, 6, BigInt(at + 2 * halfwords.length + 2));
  setWide(integers, 7, BigInt(at));
  setWide(integers, 28, 0x1800n);
  setWide(integers, 29, -1n);
  setWide(integers, 30, 1n << 21n);
  if (kind === 'memory') {
    const data = BigInt(program.dataAddress + 0x1000 + 264 * index);
    for (const x of [11, 8, 2]) setWide(integers, x, data);
  }
  floatOperands[index % floatOperands.length].forEach((value, i) => setWide(floats, 11 + i, value));
  state.fcsr = ((index % 5) << 5) | (index % 2 === 0 ? 0 : 0x10);
}

type Reference = readonly [name: string, run: (program: RiscvProgram) => RiscvRun];

function runCases(
  t: TestContext,
  xlen: Xlen,
  kind: ProgramKind,
  cases: readonly Case[],
  references: readonly Reference[],
): void {
  const program = new RiscvProgram(xlen, codeBytes, kind);
  const here = new Here(largestCpu(xlen), program);
  const state = emptyState();
  const random = new Random(3);
  program.begin(random);
  let listed: Case[] = [];
  const flush = () => {
    program.finish();
    const ours = here.run(program);
    for (const [engine, run] of references) {
      const theirs = run(program);
      assert.deepEqual([...ours.faults], [...theirs.faults], engine);
      for (const i of program.unequal(ours.output, theirs.output)) {
        const lines = program.differences(i, ours.output, theirs.output, engine);
        const { row, text, halfwords } = listed[i];
        const isBoxed = (f: number) => program.isBoxed(i, f);
        if (exclusionOf({ row, word: lastWord(halfwords), engine, lines, isBoxed })) continue;
        assert.fail(`${text}: ${lines.join('; ')}`);
      }
      const data = ({ output }: RiscvRun) => output.subarray(0, dataSize);
      assert.ok(Buffer.compare(data(ours), data(theirs)) === 0, `${engine}: memory differs`);
    }
    program.begin(random);
    listed = [];
  };
  let count = 0;
  for (const one of cases) {
    for (let index = 0; index < sets[one.kind]; index++) {
      prepare(state, program, one, index);
      program.add([...one.halfwords, marker], state);
      listed.push(one);
      count++;
      if (program.count === program.capacity) flush();
    }
  }
  flush();
  t.diagnostic(`${count} cases, ${references.map(([name]) => name).join(' and ')}`);
}

for (const xlen of [32, 64] as const) {
  const decoder = new Decoder(largestCpu(xlen).isa);

  test(`RV${xlen}: every row as QEMU and Unicorn`, (t) => {
    const as = requireTool(t, 'riscv64-unknown-elf-as');
    const qemu = requireTool(t, `qemu-riscv${xlen}`);
    const size = new RiscvProgram(xlen, codeBytes);
    const unicorn = UnicornRiscv.open(t, xlen, size.base, size.image.length);
    if (as === undefined || qemu === undefined || unicorn === undefined) return;
    const cases = casesFor(as, xlen, decoder).filter(({ kind }) => kind !== 'privileged');
    const onUnicorn = cases.filter(({ row }) => isOnUnicorn(row, xlen));
    const others = cases.filter(({ row }) => !isOnUnicorn(row, xlen));
    const qemuRun: Reference = ['QEMU', (program) => runOnQemu(qemu, program)];
    runCases(t, xlen, 'user', onUnicorn, [qemuRun, ['Unicorn', (program) => runOnUnicorn(unicorn, program)]]);
    runCases(t, xlen, 'user', others, [qemuRun]);
    unicorn.close();
  });

  test(`RV${xlen}: rows that trap or change the mode as QEMU's board`, (t) => {
    const as = requireTool(t, 'riscv64-unknown-elf-as');
    const qemu = requireTool(t, `qemu-system-riscv${xlen}`);
    if (as === undefined || qemu === undefined) return;
    const cases = casesFor(as, xlen, decoder).filter(({ kind }) => kind === 'privileged');
    runCases(t, xlen, 'bare', cases, [['QEMU', (program) => runOnBoard(qemu, program)]]);
  });
}

test('every row has a case, every case a row', () => {
  const names = new Set(rows.map(({ name }) => name));
  assert.deepEqual([...names].sort(), [...caseNames].sort());
});

test('rows name only fields of their diagrams', () => {
  const random = new Random(6);
  for (const row of rows) {
    for (let i = 0; i < 200; i++) {
      const word = ((random.next() & ~row.diagram.mask) | row.diagram.value) >>> 0;
      const known = fieldsOf(row.diagram, word);
      const fields = new Proxy(known, {
        get: (_, name) =>
          typeof name === 'string' && name in known ? known[name] : assert.fail(`${row.name}: no ${String(name)}`),
      });
      for (const xlen of row.xlen ? [row.xlen] : ([32, 64] as const)) {
        const [, ...operands] = row.exec(fields, new Site(0x1000, xlen));
        assert.ok(operands.length <= 6 && operands.every(Number.isInteger), row.name);
      }
    }
  }
});
