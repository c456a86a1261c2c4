/**
 * Random instructions from random states, executed here and by native Unicorn: registers (of the FPU too), flags and memory equal;
 * where we fault, nothing has changed and Unicorn faults too. Then random straight sequences with IT blocks and
 * short branches. THUMB_SINGLES=10 and THUMB_CASES=20 run ten times as many.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { advanceIt } from '../lib/emulator/arm/code-cache';
import { Decoder } from '../lib/emulator/arm/decoder';
import type { Row } from '../lib/emulator/arm/rows';
import { codeBase, cpuNamed, hex, Lockstep, type Outcome, type Registers } from './support/lockstep';
import { Random } from './support/random';
import { randomWord, type Word } from './support/thumb-words';
import { batchNames, floatNames } from './support/unicorn';

const fpscrIndex = batchNames.length + floatNames.indexOf('fpscr');
/** Of sequences; 1000: 10 million instructions in groups of 8 and 100,000 sequences of 50, for each CPU. */
const scale = Number(process.env['THUMB_CASES'] ?? 1);
/** Of single instructions. */
const singlesScale = Number(process.env['THUMB_SINGLES'] ?? 1);
/** Another seed, other cases: for runs in pieces. */
const seed = Number(process.env['THUMB_SEED'] ?? 2);

/** Where Unicorn 2.0.1 differs from the architecture, or the architecture leaves it open. */
const exclusions: readonly {
  readonly why: string;
  readonly section: string;
  applies(word: Word, outcome: Outcome, fpscr: number, profile: string): boolean;
}[] = [
  {
    why: 'Unicorn makes unaligned LDM, STM, LDRD, STRD, PUSH, POP, VLDR, VSTR, VLDM and VSTM; they are UsageFault UNALIGNED',
    section: 'Armv7-M ARM A3.2.1',
    applies: ({ operation }, { stop }) =>
      /^(ldm|stm|push|pop|ldrd|strd|vldr|vstr|vldm|vstm)/.test(operation) &&
      stop.reason === 'fault' &&
      stop.fault.kind === 'unaligned',
  },
  {
    why: 'Unicorn does not check the alignment of all exclusive and acquire or release accesses',
    section: 'Armv7-M ARM A3.2.1',
    applies: ({ operation }, { stop }) =>
      ['ldrex', 'strex', 'lda', 'stl'].includes(operation) &&
      stop.reason === 'fault' &&
      stop.fault.kind === 'unaligned',
  },
  {
    why: 'an STREX that the monitor fails need not detect a memory fault (IMPLEMENTATION DEFINED); we do',
    section: 'Armv7-M ARM A3.4.5',
    applies: ({ operation }, { stop }) => operation === 'strex' && stop.reason === 'fault',
  },
  {
    why: 'bits 1:0 of sp are RAZ/WI; Unicorn keeps them',
    section: 'Armv7-M ARM B1.4.1',
    applies: ({ operation }, { differences }) => /^(ldr_sp|msr|sp_.*)$/.test(operation) && differences.every(isSpTail),
  },
  {
    why: 'YIELD ends a run of Unicorn with an error',
    section: 'Armv7-M ARM A5.2.5',
    applies: ({ operation }, { error }) => operation === 'nop' && error === 10,
  },
  {
    why: 'Armv8-M Baseline makes no unaligned access; the reference for it is a mainline core, which does',
    section: 'Armv8-M ARM B4.5, alignment',
    applies: (_, { stop }, __, profile) =>
      profile === 'v8m-base' && stop.reason === 'fault' && stop.fault.kind === 'unaligned',
  },
  {
    why: 'fixed-point to floating-point rounds to nearest; Unicorn rounds as FPSCR says',
    section: 'Armv7-M ARM A7.7, VCVT (between floating-point and fixed-point)',
    applies: ({ operation }, { differences }, fpscr) =>
      isFromFixed(operation) && (fpscr & 0xc00000) !== 0 && differences.every((line) => /^(s\d+|fpscr):/.test(line)),
  },
  {
    why: 'CONTROL.SFPA is of the Security Extension, which only Unicorn has',
    section: 'Armv8-M ARM D1.2.26, CONTROL',
    applies: (word) => isMrsControl(word),
  },
  {
    why: 'a branch to Thumb state 0 or to EXC_RETURN stops us at the branch, Unicorn at its target',
    section: 'Armv7-M ARM A2.3.1, B1.5.8',
    applies: (_, { stop }) =>
      stop.reason === 'fault' && (stop.fault.kind === 'invalid-state' || stop.fault.kind === 'unhandled-exception'),
  },
];

/** 'sp: ours, Unicorn theirs' that differ in bits 1:0 only, or in flags (those of the unmasked sum are equal). */
function isSpTail(line: string): boolean {
  const values = /^sp: (\w+), Unicorn (\w+)$/.exec(line);
  return values !== null && Number(values[1]) === (Number(values[2]) & ~3) >>> 0;
}

const isMrsControl = ({ operation, halfwords }: Word) => operation === 'mrs' && (halfwords[1] & 0xff) === 20;
const isFromFixed = (operation: string) => /^vcvt_f\d\d_fixed$/.test(operation);

/** Stop or sleep, and so have directed tests. */
const directedOnly = new Set(['wfi', 'wfe', 'sev', 'bkpt', 'svc', 'it', 'undefined', 'not_implemented', 'b_even']);

function rowsOf(decoder: Decoder): Row[] {
  return decoder.rows.filter((row) => !['coprocessor', 'fp-space', 'v8.1m'].includes(row.extension ?? ''));
}

/** What is wrong with an outcome of one instruction. */
function verdict({ stop, error, differences }: Outcome): string[] {
  if (stop.reason === 'fault')
    return error === 0 ? [...differences, `only we fault: ${stop.fault.message}`] : [...differences];
  if (stop.reason !== 'budget') return [`stopped with ${stop.reason}`];
  return [...differences];
}

/** A branch that left the code: Unicorn stops there, we at the next run. */
function leftTheCode(lockstep: Lockstep): boolean {
  const pc = lockstep.machine.state.read('pc');
  return lockstep.machine.memory.regionAt(pc)?.permissions.execute !== true;
}

for (const [cpu, cases] of [
  ['cortex-m3', 20_000],
  ['cortex-m4', 30_000],
  ['cortex-m7', 50_000],
  ['cortex-m0', 20_000],
  ['cortex-m33', 30_000],
  ['cortex-m23', 20_000],
] as const) {
  test(`${cpu}: single instructions as Unicorn`, (t) => {
    const lockstep = Lockstep.open(t, cpu);
    if (!lockstep) return;
    const random = new Random(seed);
    const decoder = new Decoder(cpuNamed(cpu).isa);
    const candidates = rowsOf(decoder);
    const used = new Map<string, number>();
    lockstep.fillData(random);
    const draw = (row: Row) => {
      const inIt = cpuNamed(cpu).isa.v7m && random.below(4) === 0;
      const it = inIt ? (random.below(14) << 4) | 8 : 0;
      const word = randomWord(row, decoder, random, { pc: codeBase, it });
      if (!word || directedOnly.has(word.operation)) return undefined;
      return { word, inIt, code: inIt ? [0xbf00 | it, ...word.halfwords] : [...word.halfwords] };
    };
    for (const { word, inIt, code, pc } of placed(lockstep, cases * singlesScale, (i) =>
      draw(candidates[i % candidates.length]),
    )) {
      const registers: Registers = lockstep.randomRegisters(random);
      const outcome: Outcome = lockstep.run(registers, pc, inIt ? 2 : 1, 1);
      const wrong = verdict(outcome);
      if (outcome.error !== 0 && outcome.stop.reason === 'budget' && !leftTheCode(lockstep))
        wrong.push(`Unicorn error ${outcome.error}`);
      if (wrong.length > 0 || outcome.error !== 0 || outcome.stop.reason !== 'budget') lockstep.resynchronize();
      if (wrong.length === 0) continue;
      const exclusion = exclusions.find((candidate) =>
        candidate.applies(word, outcome, registers[fpscrIndex], decoder.profile),
      );
      const text: string = `${word.row.name} ${code.map(hex).join(' ')} from ${[...registers].map(hex).join(' ')}: ${wrong.join('; ')}`;
      if (!exclusion) assert.fail(text);
      used.set(exclusion.why, (used.get(exclusion.why) ?? 0) + 1);
    }
    for (const [why, count] of used) t.diagnostic(`${count} excluded: ${why}`);
    lockstep.unicorn.close();
  });
}

/** Pieces of code as they are drawn, put to their places some hundred at a time. */
function* placed<T extends { readonly code: readonly number[] }>(
  lockstep: Lockstep,
  count: number,
  draw: (index: number) => T | undefined,
): Generator<T & { readonly pc: number }> {
  const batch = 256;
  for (let done = 0; done < count; done += batch) {
    const found = Array.from({ length: Math.min(batch, count - done) }, (_, i) => draw(done + i)).filter(
      (piece) => piece !== undefined,
    );
    const addresses = lockstep.placeAll(found.map(({ code }) => code));
    for (const [i, piece] of found.entries()) yield { ...piece, pc: addresses[i] };
  }
}

/** Instructions that may stand anywhere in a sequence: they go on to the next one. Unicorn forgets ITSTATE after an ISB. */
function straight(row: Row): boolean {
  return !/^(B|BL|BX|BLX|CBZ|CBNZ|TBB|SVC|BKPT|WFE|WFI|SEV|IT|UDF|CPS|MSR|NOP T1 and|NOP T2|ISB|LDM|LDR \(|POP|LDREX|STREX|LDAEX|STLEX)/.test(
    row.name,
  );
}

interface Piece {
  readonly code: readonly number[];
  /** Instructions that an execution counts, IT included. */
  readonly count: number;
}

function randomSequence(random: Random, decoder: Decoder, candidates: readonly Row[], length: number): Piece {
  const halfwords: number[] = [];
  let count = 0;
  const append = (it: number): void => {
    let word: Word | undefined;
    while (!word) {
      const row = random.pick(candidates);
      // Fewer accesses than the rows are: most sequences would end by a fault early.
      if (/^(LD|ST|PUSH|VLD|VST)/.test(row.name) && random.below(8) !== 0) continue;
      const candidate = randomWord(row, decoder, random, { pc: codeBase, it });
      // Loads to pc have rows of their own kind of end.
      if (
        candidate &&
        !isFromFixed(candidate.operation) &&
        !isMrsControl(candidate) &&
        !/^ldr_pc|^ldm_pc|^pop_pc|^b_|^b$|^ldr_sp|^sp_/.test(candidate.operation)
      )
        word = candidate;
    }
    halfwords.push(...word.halfwords);
    count++;
  };
  while (count < length) {
    if (decoder.profile !== 'v6m' && decoder.profile !== 'v8m-base' && random.below(6) === 0) {
      const itBlock = (random.below(14) << 4) | (1 + random.below(15));
      halfwords.push(0xbf00 | itBlock);
      count++;
      for (let it = itBlock; it !== 0; it = advanceIt(it)) append(it);
    } else {
      append(0);
    }
  }
  return { code: halfwords, count };
}

/** Short ones find more, as less of what they compute is overwritten. */
for (const [length, base] of [
  [8, 1250],
  [50, 100],
] as const) {
  for (const cpu of ['cortex-m3', 'cortex-m4', 'cortex-m7', 'cortex-m33', 'cortex-m0', 'cortex-m23']) {
    test(`${cpu}: sequences of some ${length} instructions as Unicorn`, (t) => {
      const lockstep = Lockstep.open(t, cpu);
      if (!lockstep) return;
      const random = new Random(seed + 1 + (length === 50 ? 0 : length));
      const decoder = new Decoder(cpuNamed(cpu).isa);
      const candidates = rowsOf(decoder).filter(straight);
      let executed = 0;
      let faults = 0;
      lockstep.fillData(random);
      const draw = () => randomSequence(random, decoder, candidates, length);
      for (const { code, count, pc } of placed(lockstep, base * scale, draw)) {
        const registers: Registers = lockstep.randomRegisters(random);
        const before = lockstep.machine.instructionCount;
        const outcome: Outcome = lockstep.runThrough(registers, pc, count, pc + 2 * code.length);
        executed += lockstep.machine.instructionCount - before;
        if (outcome.stop.reason === 'fault') {
          faults++;
          lockstep.resynchronize();
        }
        if (outcome.error === 0 && outcome.differences.length === 0) continue;
        const state: string = [...registers].map(hex).join(' ');
        assert.fail(
          `${code.map(hex).join(' ')} from ${state}: error ${outcome.error}; ${outcome.differences.join('; ')}`,
        );
      }
      t.diagnostic(`${executed} instructions, ${faults} sequences ended by a fault`);
      lockstep.unicorn.close();
    });
  }
}
