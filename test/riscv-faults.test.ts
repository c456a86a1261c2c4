/**
 * What faults here faults on native Unicorn, and changes nothing: every encoding that the decoder calls illegal in a random selection
 * (all of 16 bits), and accesses of every row to where no memory is, over the end of it, or misaligned by atomics.
 * RISCV_CASES=10 runs ten times as many, RISCV_SEED another selection.
 */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { fieldsOf } from '../lib/emulator/bit-diagram';
import { Decoder } from '../lib/emulator/riscv/decoder';
import { Random } from './support/random';
import { draw, fillState } from './support/random-riscv';
import { Here, largestCpu, runOnUnicorn } from './support/riscv-engines';
import { emptyState, programBase, RiscvProgram, type Xlen } from './support/riscv-program';
import { accessesMemory, pointers } from './support/riscv-words';
import { UnicornRiscv } from './support/unicorn-riscv';

const scale = Number(process.env['RISCV_CASES'] ?? 1);
const seed = Number(process.env['RISCV_SEED'] ?? 7);

interface Exclusion {
  readonly why: string;
  readonly section: string;
  applies(difference: {
    readonly word: number;
    readonly xlen: Xlen;
    readonly here: string | undefined;
    readonly there: string | undefined;
  }): boolean;
}

const isAtomic = (word: number) => (word & 0x7f) === 0x2f;
const isConditional = (word: number) => isAtomic(word) && word >>> 27 === 3;

/** Where Unicorn 2.0.1 executes what is reserved, or the architecture leaves it open. */
const exclusions: readonly Exclusion[] = [
  {
    why: 'Unicorn shifts by amounts that RV32C reserves for custom extensions (bit 5 set)',
    section: 'unprivileged 16.5, C.SLLI, C.SRLI, C.SRAI',
    applies: ({ word, xlen, there }) =>
      xlen === 32 && there === undefined && ((word & 0xf003) === 0x1002 || (word & 0xf803) === 0x9001),
  },
  {
    why: 'Unicorn executes reserved encodings of quadrant 0 (funct3 = 100) and quadrant 1 (funct6 = 100111) as nothing',
    section: 'unprivileged 16.8, tables 16.5 and 16.6',
    applies: ({ word, there }) => there === undefined && ((word & 0xe003) === 0x8000 || (word & 0xfc03) === 0x9c01),
  },
  {
    why: 'an AMO to no memory is a store/AMO fault; Unicorn reads first',
    section: 'privileged 3.1.15, table 3.6',
    applies: ({ word, here, there }) => isAtomic(word) && here === 'write unmapped' && there === 'read unmapped',
  },
  {
    why: 'misaligned and no memory: either exception may have priority; Unicorn takes the other one',
    section: 'privileged 3.1.15, table 3.7',
    applies: ({ word, here, there }) => isAtomic(word) && here === 'exception' && there === 'read unmapped',
  },
  {
    why: 'Unicorn does not access memory for an SC that fails; a misaligned one has to fault, the other may',
    section: 'unprivileged 8.2',
    applies: ({ word, there }) => isConditional(word) && there === undefined,
  },
];

const halfwordsOf = (word: number) => ((word & 3) === 3 ? [word & 0xffff, word >>> 16] : [word & 0xffff]);

/** Runs cases that fault here on Unicorn too. */
class FaultComparison {
  readonly program: RiscvProgram;
  private readonly here: Here;
  private readonly unicorn: UnicornRiscv | undefined;
  private readonly names: string[] = [];
  private words: number[] = [];
  readonly state = emptyState();
  readonly problems: string[] = [];
  readonly excluded = new Map<string, number>();
  count = 0;

  constructor(
    private readonly t: TestContext,
    xlen: Xlen,
    readonly random: Random,
  ) {
    this.program = new RiscvProgram(xlen, 8);
    this.here = new Here(largestCpu(xlen), this.program);
    this.unicorn = UnicornRiscv.open(t, xlen, programBase, this.program.image.length);
    this.program.begin(random);
  }

  add(name: string, word: number): void {
    this.program.add(halfwordsOf(word), this.state);
    this.names.push(name);
    this.words.push(word);
    if (this.program.count === this.program.capacity) this.run();
  }

  run(): void {
    const { program, unicorn } = this;
    if (program.count === 0 || unicorn === undefined) return;
    program.finish();
    const here = this.here.run(program);
    const there = runOnUnicorn(unicorn, program);
    const unequal = new Set(program.unequal(here.output, there.output));
    for (let i = 0; i < program.count; i++) {
      const [ours, theirs] = [here.faults.get(i)?.kind, there.faults.get(i)?.kind];
      const lines = unequal.has(i) ? program.differences(i, here.output, there.output, 'Unicorn') : [];
      if (ours === theirs && lines.length === 0) continue;
      const exclusion = exclusions.find(({ applies }) =>
        applies({ word: this.words[i], xlen: program.xlen, here: ours, there: theirs }),
      );
      if (exclusion) this.excluded.set(exclusion.why, (this.excluded.get(exclusion.why) ?? 0) + 1);
      else {
        const what = `${this.names[i]} ${this.words[i].toString(16)}: ${ours ?? 'executed'}, Unicorn ${theirs ?? 'executed'}`;
        this.problems.push(`${what}; ${lines.slice(0, 4).join('; ')}`);
      }
    }
    this.count += program.count;
    this.names.length = 0;
    this.words = [];
    program.begin(this.random);
  }

  finish(): void {
    this.run();
    this.unicorn?.close();
    for (const [why, count] of this.excluded) this.t.diagnostic(`${count} excluded: ${why}`);
    const { problems } = this;
    assert.equal(problems.length, 0, `seed ${seed}, ${problems.length} differ:\n${problems.slice(0, 30).join('\n')}`);
    this.t.diagnostic(`seed ${seed}: ${this.count} cases`);
  }
}

for (const xlen of [32, 64] as const) {
  const decoder = new Decoder(largestCpu(xlen).isa);

  test(`RV${xlen}: what is illegal here is on Unicorn`, (t) => {
    const comparison = new FaultComparison(t, xlen, new Random(seed + xlen));
    const { random, state } = comparison;
    const addIllegal = (word: number) => {
      const row = decoder.find(word);
      const rm = row && fieldsOf(row.diagram, word)['rm'];
      const isReserved = rm === 5 || rm === 6;
      if (!isReserved && decoder.decode(word, 0x1000, false)[0] !== 'illegal') return;
      fillState(state, random, []);
      comparison.add(row?.name ?? 'no row', word);
    };
    for (let half = 0; half < 0x10000; half++) if ((half & 3) !== 3) addIllegal(half);
    for (let i = 0; i < 20_000 * scale; i++) {
      // Half of them under an opcode that the decoder has.
      const random32 = (random.next() | 3) >>> 0;
      const { diagram } = random.pick(decoder.rows);
      const near = (random32 & ~0x7f) | (diagram.value & 0x7f);
      addIllegal((i % 2 === 0 && diagram.length === 32 ? near : random32) >>> 0);
    }
    comparison.finish();
  });
}

for (const xlen of [32, 64] as const) {
  const decoder = new Decoder(largestCpu(xlen).isa);
  const rows = decoder.rows.filter(accessesMemory);

  test(`RV${xlen}: accesses to no memory and misaligned atomics as on Unicorn`, (t) => {
    const comparison = new FaultComparison(t, xlen, new Random(seed + 2 * xlen));
    const { random, state, program } = comparison;
    const end = programBase + Math.ceil(program.image.length / 4096) * 4096;
    const places = [
      () => random.next(),
      () => end + random.below(64) - 32,
      () => end + random.below(0x2000),
      () => programBase - 1 - random.below(0x1000),
      () => random.below(0x1000),
    ];
    for (let i = 0; i < 10_000 * scale; i++) {
      const { row, word } = draw(rows[i % rows.length], random, decoder, false);
      fillState(state, random, []);
      for (const x of pointers) {
        state.integers[2 * x] = random.pick(places)();
        state.integers[2 * x + 1] = random.below(8) === 0 ? random.next() : 0;
      }
      comparison.add(row.name, word);
    }
    comparison.finish();
  });
}
