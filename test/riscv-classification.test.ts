/**
 * The decoder against llvm-mc: all encodings of 16 bits and a random selection of those of 32, for every RISC-V CPU: what
 * decodes there decodes here, and has that mnemonic. Differences have to be in the list of exclusions, each with the
 * manual's section. RISCV_CASES=10 takes ten times as many.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { riscvCpus, type RiscvIsa } from '../lib/arch';
import { Decoder } from '../lib/emulator/riscv/decoder';
import { Random } from './support/random';
import { requireTool } from './support/tools';

const scale = Number(process.env['RISCV_CASES'] ?? 1);
const seed = Number(process.env['RISCV_SEED'] ?? 7);

const isWide = (word: number) => (word & 3) === 3;

interface Difference {
  readonly word: number;
  readonly xlen: 32 | 64;
  /** Mnemonics; undefined = not an instruction. */
  readonly ours: string | undefined;
  readonly theirs: string | undefined;
}

interface Exclusion {
  readonly why: string;
  readonly section: string;
  applies(difference: Difference): boolean;
}

const rm = (word: number) => (word >>> 12) & 7;

const exclusions: readonly Exclusion[] = [
  {
    why: 'llvm-mc calls hints and forms by names of their own: C.NOP, C.SLLI64, C.SRLI64, C.SRAI64',
    section: 'unprivileged 16.5',
    applies: ({ ours, theirs }) =>
      (ours === 'c.addi' && theirs === 'c.nop') ||
      (/^c\.s(ll|rl|ra)i$/.test(ours ?? '') && theirs === `${ours ?? ''}64`),
  },
  {
    why: 'C.UNIMP is the name of an encoding that is defined to be illegal',
    section: 'unprivileged 16.8, table 16.5',
    applies: ({ word, ours, theirs }) => word === 0 && ours === undefined && theirs === 'c.unimp',
  },
  {
    why: 'shifts with bit 5 of the amount set are reserved for custom extensions on RV32C; llvm-mc has them',
    section: 'unprivileged 16.5, C.SLLI, C.SRLI, C.SRAI',
    applies: ({ xlen, ours, theirs }) => xlen === 32 && ours === undefined && /^c\.s(ll|rl|ra)i$/.test(theirs ?? ''),
  },
  {
    why: 'RV32 has no amounts of 32 and more (bit 25 set); llvm-mc 14 decodes them',
    section: 'unprivileged 2.4.1; Bit-Manipulation ISA-extensions 1.0.0, RORI, BCLRI, BEXTI, BINVI, BSETI',
    applies: ({ word, xlen, ours, theirs }) =>
      xlen === 32 &&
      ours === undefined &&
      (word & (1 << 25)) !== 0 &&
      /^(slli|srli|srai|rori|bclri|bexti|binvi|bseti)$/.test(theirs ?? ''),
  },
  {
    why: 'C.LUI with an immediate of 0 is reserved; llvm-mc has it',
    section: 'unprivileged 16.5, C.LUI',
    applies: ({ word, ours, theirs }) => (word & 0x107c) === 0 && ours === undefined && theirs === 'c.lui',
  },
  {
    why: 'instructions of supervisor mode and of user-level interrupts, which this hart does not have',
    section: 'privileged 1.2, 3.3.2',
    applies: ({ ours, theirs }) => ours === undefined && ['sret', 'uret', 'sfence.vma'].includes(theirs ?? ''),
  },
  {
    why: 'unused fields of FENCE and FENCE.I are to be ignored; llvm-mc wants them to be 0',
    section: 'unprivileged 2.7 and 3.1',
    applies: ({ ours, theirs }) => (ours === 'fence' || ours === 'fence.i') && theirs === undefined,
  },
  {
    why: 'rounding modes 5 and 6 are refused when the instruction is executed (riscv-faults.test.ts), not by the decoder',
    section: 'unprivileged 11.2',
    applies: ({ word, ours, theirs }) =>
      /^f/.test(ours ?? '') && theirs === undefined && (rm(word) === 5 || rm(word) === 6),
  },
  {
    why: 'conversions that are exact have a rounding mode too; llvm-mc 14 knows them with 0 alone',
    section: 'unprivileged 12.5',
    applies: ({ ours, theirs }) => /^fcvt\.d\.(s|wu?)$/.test(ours ?? '') && theirs === undefined,
  },
];

const attributes = (isa: RiscvIsa) =>
  ['m', 'a', 'f', 'd', 'zba', 'zbb', 'zbc', 'zbs'].map((name) => `${isa[name as 'm'] ? '+' : '-'}${name}`);

/** llvm-mc's mnemonic of each word that it knows, by its bytes. */
function disassemble(tool: string, isa: RiscvIsa, words: readonly number[]): Map<number, string> {
  const bytesOf = (word: number) =>
    isWide(word) ? [word & 255, (word >>> 8) & 255, (word >>> 16) & 255, word >>> 24] : [word & 255, word >>> 8];
  // Brackets: each word for itself, whatever is unknown before.
  const input = words.map((word) => `[${bytesOf(word).join(' ')}]`).join('\n');
  const { stdout } = spawnSync(
    tool,
    [
      ...['--disassemble', `-triple=riscv${isa.xlen}`, `-mattr=+c,${attributes(isa).join(',')}`],
      ...['-M', 'no-aliases', '--show-encoding'],
    ],
    { input, encoding: 'utf8', maxBuffer: 1 << 28 },
  );
  const found = new Map<number, string>();
  for (const [, mnemonic, encoding] of stdout.matchAll(/^\t(\S+).*# encoding: \[(.*?)\]/gm)) {
    const value = encoding.split(',').reduce((sum, byte, i) => sum + Number(byte) * 256 ** i, 0);
    found.set(value, mnemonic);
  }
  return found;
}

/** All of 16 bits; of 32 bits random ones, most of them near a row: with its fixed bits but for one. */
function sample(random: Random, decoder: Decoder): number[] {
  const words = new Set<number>();
  for (let half = 0; half < 0x10000; half++) if (!isWide(half)) words.add(half);
  const wide = decoder.rows.filter(({ diagram }) => diagram.length === 32);
  // All fields 0: FENCE with its unused ones.
  for (const { diagram } of wide) words.add(diagram.value);
  for (let i = 0; i < 20_000 * scale; i++) {
    const { diagram } = wide[i % wide.length];
    const near = ((random.next() & ~diagram.mask) | diagram.value) >>> 0;
    const flipped = random.below(2) === 0 ? near : (near ^ (1 << (2 + random.below(30)))) >>> 0;
    words.add(i % 10 === 0 ? (random.next() | 3) >>> 0 : flipped);
  }
  return [...words];
}

const used = new Set<Exclusion>();

for (const cpu of riscvCpus) {
  test(`${cpu.name}: encodings are classified and named as llvm-mc does`, (t) => {
    const tool = requireTool(t, 'llvm-mc-14');
    if (tool === undefined) return;
    const decoder = new Decoder(cpu.isa);
    const words = sample(new Random(seed), decoder);
    const known = disassemble(tool, cpu.isa, words);
    const counts = new Map<string, number>();
    const confirmed = new Set<string>();
    const problems: string[] = [];
    for (const word of words) {
      const isLegal = decoder.decode(word, 0x1000, false)[0] !== 'illegal';
      const ours = isLegal ? decoder.find(word)?.name : undefined;
      const theirs = known.get(word)?.replace(/\.(aqrl|aq|rl)$/, '');
      if (ours === theirs) {
        if (ours !== undefined) confirmed.add(ours);
        continue;
      }
      const difference = { word, xlen: cpu.isa.xlen, ours, theirs };
      const exclusion = exclusions.find(({ applies }) => applies(difference));
      if (exclusion === undefined)
        problems.push(`${word.toString(16)}: ${ours ?? 'illegal'}, llvm-mc ${theirs ?? 'none'}`);
      else counts.set(exclusion.why, (counts.get(exclusion.why) ?? 0) + 1);
      if (exclusion) used.add(exclusion);
    }
    assert.equal(problems.length, 0, `${problems.length} differ:\n${problems.slice(0, 30).join('\n')}`);
    const rows = new Set(decoder.rows.map(({ name }) => name));
    assert.deepEqual(
      [...rows].filter((name) => !confirmed.has(name)),
      // It is illegal on a hart without supervisor mode.
      ['sret'],
    );
    for (const [why, count] of counts) t.diagnostic(`${count} excluded: ${why}`);
    t.diagnostic(`${words.length} words, ${known.size} of them instructions of ${confirmed.size} names`);
  });
}

test('no exclusion is stale', (t) => {
  if (used.size === 0) return t.skip('nothing was classified');
  assert.deepEqual(
    exclusions.filter((one) => !used.has(one)).map(({ why }) => why),
    [],
  );
});
