/**
 * Random instructions of every row from random states, single and in sequences of 50, on QEMU's user mode, native Unicorn and
 * here, by the interpreter and (of sequences of 50) by translated code: all registers, fcsr and memory equal.
 * RISCV_CASES=20 runs twenty times as many, RISCV_SEED another selection.
 *
 * Not drawn, with the manual's section: values of frm that are no rounding mode (11.2: reserved; a directed test has them),
 * accesses by LR, SC and AMO that are not aligned (8.2: they trap; see riscv-faults), and the rows of `excluded` in
 * support/riscv-words.ts. What Unicorn cannot do is in `exclusions`.
 */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { Decoder } from '../lib/emulator/riscv/decoder';
import type { Row } from '../lib/emulator/riscv/rows';
import { Random } from './support/random';
import { codeOf, draw, fillState, ReservationPairs } from './support/random-riscv';
import { Here, largestCpu, runOnQemu, runOnUnicorn, type RiscvRun } from './support/riscv-engines';
import { dataSize, emptyState, programBase, RiscvProgram, type Xlen } from './support/riscv-program';
import { exclusionOf, isFused, isOnUnicorn, isUnboxed, lacksInvalid, notOnUnicorn } from './support/riscv-exclusions';
import { isExecutable, type RiscvWord } from './support/riscv-words';
import { requireTool } from './support/tools';
import { UnicornRiscv } from './support/unicorn-riscv';

/** 1000: 10 million instructions in groups of 8 and 100,000 sequences of 50, for each width and reference. */
const scale = Number(process.env['RISCV_CASES'] ?? 1);
const seed = Number(process.env['RISCV_SEED'] ?? 7);
/** RISCV_TRANSLATED=0: without translated code, which is most of the time of a long run. */
const translatesToo = process.env['RISCV_TRANSLATED'] !== '0';

/** Programs of one kind on this engine and on a reference, with what differs. */
class Comparison {
  readonly program: RiscvProgram;
  private readonly here: Here;
  /** Each case becomes a region of its own, which takes a while. */
  private readonly translated: Here | undefined;
  private readonly state = emptyState();
  private sequences: (readonly RiscvWord[])[] = [];
  readonly problems: string[] = [];
  readonly excluded = new Map<string, number>();

  constructor(
    xlen: Xlen,
    codeBytes: number,
    private readonly references: References,
    private readonly random: Random,
    translates = false,
  ) {
    this.program = new RiscvProgram(xlen, codeBytes);
    this.here = new Here(largestCpu(xlen), this.program);
    if (translates && translatesToo) this.translated = new Here(largestCpu(xlen), this.program, { threshold: 0 });
    this.program.begin(random);
  }

  add(words: readonly RiscvWord[], allBoxed = false): void {
    fillState(this.state, this.random, words, allBoxed);
    this.program.add(codeOf(words), this.state);
    this.sequences.push(words);
    if (this.program.count === this.program.capacity) this.run();
  }

  run(): void {
    const { program } = this;
    if (program.count === 0) return;
    program.finish();
    const here = this.here.run(program);
    for (const [engine, run] of Object.entries(this.references)) this.compare(engine, here, run(program));
    if (this.translated) this.compare('translated code', here, this.translated.run(program));
    this.sequences = [];
    program.begin(this.random);
  }

  private compare(engine: string, here: RiscvRun, there: RiscvRun): void {
    const { program } = this;
    const faulted = [...here.faults, ...there.faults].map(([index]) => index);
    const unequal = new Set([...faulted, ...program.unequal(here.output, there.output)]);
    for (const index of unequal) {
      let differences = program.differences(index, here.output, there.output, engine);
      // Of a sequence, what `exclusions` say of its single instructions.
      if (engine === 'Unicorn' && this.sequences[index].length > 1)
        differences = differences.filter(
          (line) => !isUnboxed(line) && !(hasFused(this.sequences[index]) && lacksInvalid(line)),
        );
      const fault = there.faults.get(index)?.kind;
      if (fault !== undefined) differences.unshift(`${engine} faults: ${fault}`);
      if (differences.length === 0) continue;
      const words = this.sequences[index];
      const [{ row, word }] = words;
      const isBoxed = (f: number) => program.isBoxed(index, f);
      const found = words.length === 1 && exclusionOf({ row, word, engine, lines: differences, isBoxed });
      if (found) this.excluded.set(found.why, (this.excluded.get(found.why) ?? 0) + 1);
      else this.problems.push(`${describe(words)}: ${differences.slice(0, 4).join('; ')}`);
    }
    const data = (run: RiscvRun) => run.output.subarray(0, dataSize);
    if (Buffer.compare(data(here), data(there)) !== 0) this.problems.push(`memory differs from ${engine}`);
  }

  finish(t: TestContext): void {
    this.run();
    if (this.translated) {
      // What is not: floating-point arithmetic and CSRs.
      const share = this.translated.translatedShare;
      assert.ok(share > 0.8, `${share} of the instructions were translated`);
    }
    for (const [why, count] of this.excluded) t.diagnostic(`${count} excluded: ${why}`);
    const { problems } = this;
    assert.equal(problems.length, 0, `seed ${seed}, ${problems.length} differ:\n${problems.slice(0, 30).join('\n')}`);
  }
}

const hasFused = (words: readonly RiscvWord[]) => words.some(({ row }) => isFused(row));

function describe(words: readonly RiscvWord[]): string {
  return words.map(({ row, word }) => `${row.name} ${word.toString(16)}`).join(', ');
}

/**
 * Rows that a sequence on Unicorn may mix. Unicorn neither boxes nor checks boxes, so that a sequence has singles or doubles;
 * FMIN, FMAX and a flag that is read (see `exclusions`) would spoil what follows.
 */
function sequenceRows(rows: readonly Row[], xlen: Xlen, format: 'F' | 'D'): Row[] {
  const other = format === 'F' ? 'D' : 'F';
  return rows.filter(
    (row) =>
      isOnUnicorn(row, xlen) &&
      row.extension !== 'Zicsr' &&
      ![row.extension, row.also].includes(other) &&
      !/^f(min|max)\.|^fcvt\.(s\.d|d\.s)$/.test(row.name),
  );
}

type References = Readonly<Record<string, (program: RiscvProgram) => RiscvRun>>;

/** The engines to compare with, by name; undefined when one is not installed. */
function openReferences(
  t: TestContext,
  xlen: Xlen,
  codeBytes: number,
  names: readonly ('QEMU' | 'Unicorn')[],
): References | undefined {
  const found: Record<string, (program: RiscvProgram) => RiscvRun> = {};
  if (names.includes('QEMU')) {
    const qemu = requireTool(t, `qemu-riscv${xlen}`);
    if (qemu === undefined) return undefined;
    found['QEMU'] = (program) => runOnQemu(qemu, program);
  }
  if (names.includes('Unicorn')) {
    const unicorn = UnicornRiscv.open(t, xlen, programBase, new RiscvProgram(xlen, codeBytes).image.length);
    if (unicorn === undefined) return undefined;
    t.after(() => unicorn.close());
    found['Unicorn'] = (program) => runOnUnicorn(unicorn, program);
  }
  return found;
}

/** Lengths of sequences, with how many of them there are. Short ones find more, as less of what they compute is overwritten. */
const sequences = [
  { length: 8, base: 1250, codeBytes: 64 },
  { length: 50, base: 100, codeBytes: 400 },
] as const;

function compareSequences(
  t: TestContext,
  xlen: Xlen,
  engine: 'QEMU' | 'Unicorn',
  { length, base, codeBytes }: (typeof sequences)[number],
  choices: readonly (readonly Row[])[],
): void {
  const count = base * scale;
  const references = openReferences(t, xlen, codeBytes, [engine]);
  if (references === undefined) return;
  const random = new Random(seed + (engine === 'QEMU' ? 2 : 3) * xlen + length);
  const decoder = new Decoder(largestCpu(xlen).isa);
  const comparison = new Comparison(xlen, codeBytes, references, random, length === 50);
  const pairs = new ReservationPairs();
  for (let i = 0; i < count; i++) {
    const rows = choices[i % choices.length];
    const words = Array.from({ length }, () => {
      let row = random.pick(rows);
      while (!pairs.allows(row)) row = random.pick(rows);
      return draw(row, random, decoder, true);
    });
    comparison.add(words, engine === 'Unicorn');
  }
  comparison.finish(t);
  t.diagnostic(`seed ${seed}: ${count} sequences of ${length}`);
}

for (const xlen of [32, 64] as const) {
  const decoder = new Decoder(largestCpu(xlen).isa);
  const rows = decoder.rows.filter(isExecutable);

  test(`RV${xlen}: single instructions of every row as QEMU and Unicorn`, (t) => {
    const both = openReferences(t, xlen, 8, ['QEMU', 'Unicorn']);
    const qemu = openReferences(t, xlen, 8, ['QEMU']);
    if (both === undefined || qemu === undefined) return;
    const random = new Random(seed + xlen);
    const withUnicorn = new Comparison(xlen, 8, both, random);
    const withoutUnicorn = new Comparison(xlen, 8, qemu, random);
    const pairs = new ReservationPairs();
    let next = 0;
    for (let count = 0; count < 1_200 * scale; count++) {
      while (!pairs.allows(rows[next % rows.length])) next++;
      const row = rows[next++ % rows.length];
      (isOnUnicorn(row, xlen) ? withUnicorn : withoutUnicorn).add([draw(row, random, decoder, false)]);
    }
    withUnicorn.finish(t);
    withoutUnicorn.finish(t);
    t.diagnostic(`seed ${seed}: ${1_200 * scale} instructions of ${rows.length} rows`);
    for (const { why, section, has } of notOnUnicorn)
      t.diagnostic(`${rows.filter((row) => has(row, xlen)).length} rows as QEMU only: ${why} (${section})`);
  });

  for (const kind of sequences) {
    test(`RV${xlen}: sequences of ${kind.length} as QEMU`, (t) => {
      // C.ADDI16SP moves a pointer; of CTZW see `exclusions`.
      const left = ['c.addi16sp', 'ctzw'];
      compareSequences(t, xlen, 'QEMU', kind, [rows.filter(({ name }) => !left.includes(name))]);
    });

    test(`RV${xlen}: sequences of ${kind.length} as Unicorn`, (t) => {
      const straight = rows.filter(({ name }) => name !== 'c.addi16sp');
      compareSequences(
        t,
        xlen,
        'Unicorn',
        kind,
        (['F', 'D'] as const).map((format) => sequenceRows(straight, xlen, format)),
      );
    });
  }
}
