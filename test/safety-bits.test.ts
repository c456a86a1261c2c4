/**
 * The undefined bits that the careful interpreters keep, by what undefined means: random instructions of every decoder row are executed
 * with random undefined bits in registers and flags, then by the plain interpreter with those bits chosen otherwise. What the
 * careful one calls defined is the same for every choice, and so is where control goes.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findCpu } from '../lib/arch';
import { ArmMachine } from '../lib/emulator/arm/arm-machine';
import { Decoder as ArmDecoder } from '../lib/emulator/arm/decoder';
import { State as ArmState } from '../lib/emulator/arm/state';
import { Decoder as RiscvDecoder } from '../lib/emulator/riscv/decoder';
import { State as RiscvState } from '../lib/emulator/riscv/state';
import { RiscvMachine } from '../lib/emulator/riscv/riscv-machine';
import { equalV } from '../lib/emulator/safety/bits';
import { bitsOffset } from '../lib/emulator/safety/memory-safety';
import type { MemoryRegion } from '../lib/emulator/types';
import { Random } from './support/random';
import { codeOf, draw } from './support/random-riscv';
import { isExecutable } from './support/riscv-words';
import { randomWord } from './support/thumb-words';

const codeBase = 0x0800_0000;
const dataBase = 0x2000_0000;
const regions: readonly MemoryRegion[] = [
  { name: 'code', base: codeBase, size: 0x1000, permissions: { read: true, write: false, execute: true } },
  { name: 'data', base: dataBase, size: 0x10000, permissions: { read: true, write: true, execute: false } },
];

interface Subject {
  readonly machine: ArmMachine | RiscvMachine;
  /** State words with undefined bits, and those that are compared. */
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly sp: number;
  /** Instructions of `words`. */
  readonly steps: number;
  readonly words: (random: Random) => readonly number[] | undefined;
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

const flagWords = [ArmState.flagN, ArmState.flagZ, ArmState.flagC, ArmState.flagV];

/** `isConditional`: each instruction is in an IT block. */
function armSubject(name: string, isConditional = false): Subject {
  const cpu = findCpu(name);
  assert.ok(cpu?.arch === 'arm');
  const decoder = new ArmDecoder(cpu.isa);
  const left = new Set(['wfi', 'wfe', 'bkpt', 'svc', 'it', 'msr', 'cps', 'b_even']);
  const rows = decoder.rows.filter((row) => !['coprocessor', 'fp-space', 'v8.1m'].includes(row.extension ?? ''));
  let next = 0;
  return {
    machine: new ArmMachine(cpu, regions),
    inputs: [...range(0, 13), 14, ...flagWords, ...(cpu.isa.fp === 'none' ? [] : range(64, 96))],
    outputs: [...range(0, 15), ...flagWords, ArmState.flagQ, ArmState.ge, ...range(64, 96)],
    sp: ArmState.sp,
    steps: isConditional ? 2 : 1,
    words(random) {
      const it = isConditional ? (random.below(14) << 4) | 8 : 0;
      const prefix = isConditional ? [0xbf00 | it] : [];
      const site = { pc: codeBase + 2 * prefix.length, it };
      const word = randomWord(rows[next++ % rows.length], decoder, random, site);
      return word === undefined || left.has(word.operation) ? undefined : [...prefix, ...word.halfwords];
    },
  };
}

function riscvSubject(name: string): Subject {
  const cpu = findCpu(name);
  assert.ok(cpu?.arch === 'riscv');
  const { xlen } = cpu.isa;
  const decoder = new RiscvDecoder(cpu.isa);
  const rows = decoder.rows.filter((row) => isExecutable(row) && !/csr|fence|uret/.test(row.name));
  let next = 0;
  const width = xlen / 32;
  const integers = range(width, 32 * width).filter((word) => Math.floor(word / width) !== 2);
  return {
    machine: new RiscvMachine(cpu, regions),
    inputs: [...integers, ...(cpu.isa.f ? range(68, 132) : [])],
    outputs: [...range(0, 32 * width), ...range(68, 132)],
    sp: 2 * width,
    steps: 1,
    words: (random) => codeOf([draw(rows[next++ % rows.length], random, decoder, false)]),
  };
}

/** Mostly no undefined bits, sometimes few, sometimes all. */
function someBits(random: Random): number {
  const kind = random.below(8);
  if (kind < 4) return 0;
  if (kind === 4) return -1;
  if (kind === 5) return 1 << random.below(32);
  return kind === 6 ? random.next() & random.next() & random.next() : 0xff << (8 * random.below(4));
}

/** Values that sums, comparisons and addresses of data are interesting with. */
function someValue(random: Random): number {
  const kind = random.below(6);
  if (kind === 0) return random.below(40);
  if (kind === 1) return -random.below(40);
  return kind === 2 ? (dataBase + 0x8000 + 4 * random.below(64)) | 0 : random.next() | 0;
}

function check(subject: Subject, cases: number, seed: number): { executed: number; undefinedResults: number } {
  const { machine, inputs, outputs, sp } = subject;
  const random = new Random(seed);
  const isArm = machine instanceof ArmMachine;
  const counts = { executed: 0, undefinedResults: 0 };
  for (let i = 0; i < cases; i++) {
    const words = subject.words(random);
    if (words === undefined) continue;
    const code = new Uint8Array(Uint16Array.from(words).buffer);
    machine.memory.write(codeBase, code);
    const values = new Map(inputs.map((word) => [word, someValue(random)]));
    const bits = new Map(inputs.map((word) => [word, someBits(random)]));
    if (isArm) {
      values.set(ArmState.flagC, random.below(2));
      bits.set(ArmState.flagC, random.below(4) === 0 ? 1 : 0);
    }
    const start = (choice: (word: number) => number): Int32Array => {
      const { state } = machine.memory;
      for (const [word, value] of values) state[word] = value ^ ((bits.get(word) ?? 0) & choice(word));
      state[sp] = dataBase + 0x8000;
      if (isArm) {
        state[ArmState.flagQ] = state[ArmState.ge] = state[ArmState.itState] = state[ArmState.monitorSize] = 0;
        state[39] = 0;
      } else {
        state[RiscvState.reservedSize] = 0;
        if (machine.cpu.isa.xlen === 64) state[sp + 1] = 0;
      }
      machine.state.write('pc', codeBase);
      machine.memory.write(dataBase + 0x7f00, new Uint8Array(0x400).fill(0x5a));
      return state;
    };
    machine.setSafety(['uninitialised']);
    const state = start(() => 0);
    const { safety } = machine;
    assert.ok(safety);
    safety.own(dataBase, 0x10000, true);
    safety.bits.fill(0);
    for (const [word, each] of bits) safety.bits[word] = each;
    const stop = machine.run(subject.steps);
    const after = outputs.map((word) => state[word]);
    const undefinedAfter = outputs.map((word) => state[word + bitsOffset]);
    const pc = machine.state.pc;
    const from = machine.memory.read(dataBase + 0x7f00, 0x400);
    const undefinedFrom = Array.from(from, (_, at) => safety.shadow.undefinedAt(dataBase + 0x7f00 + at));
    machine.setSafety(undefined);
    if (stop.reason !== 'budget') continue;
    counts.executed++;
    if (undefinedAfter.some((each) => each !== 0)) counts.undefinedResults++;
    for (let choice = 0; choice < 4; choice++) {
      const salt = [-1, ...range(0, 3).map(() => random.next())][choice];
      start((word) => (choice === 0 ? -1 : Math.imul(salt, word * 2 + 1)));
      const again = machine.run(subject.steps);
      const what: string = `${words.map((each) => each.toString(16)).join(' ')}, case ${i}`;
      assert.equal(again.reason, 'budget', what);
      assert.equal(machine.state.pc, pc, `${what}: goes elsewhere`);
      outputs.forEach((word, at) => {
        const [x, y, v] = [after[at], state[word], undefinedAfter[at]];
        const isFlag = isArm && flagWords.includes(word as (typeof flagWords)[number]);
        const difference = isFlag ? flagDifference(word, x, y, v) : (x ^ y) & ~v;
        assert.equal(difference, 0, `${what}: word ${word} is ${x >>> 0} or ${y >>> 0}, undefined ${v >>> 0}`);
      });
      const now = machine.memory.read(dataBase + 0x7f00, 0x400);
      now.forEach((each, at) => {
        assert.equal((each ^ from[at]) & ~undefinedFrom[at], 0, `${what}: byte ${at} of memory`);
      });
    }
  }
  return counts;
}

/** Of a flag only what it says counts: the sign of N and V, whether Z is 0. */
function flagDifference(word: number, x: number, y: number, v: number): number {
  if (word === ArmState.flagZ) return equalV(x, 0, v, 0) === 0 && (x === 0) !== (y === 0) ? 1 : 0;
  if (word === ArmState.flagC) return v === 0 && x !== y ? 1 : 0;
  return ((x ^ y) & ~v) >>> 31;
}

for (const [subject, cases, what = ''] of [
  [armSubject('cortex-m3'), 6000],
  [armSubject('cortex-m4', true), 2500, ', in IT blocks'],
  [armSubject('cortex-m4'), 8000],
  [armSubject('cortex-m7'), 8000],
  [riscvSubject('rv32imac'), 5000],
  [riscvSubject('rv64imafdc'), 8000],
] as const) {
  test(`${subject.machine.cpu.name}${what}: what is defined does not depend on what is not`, () => {
    const { executed, undefinedResults } = check(subject, cases, 7);
    assert.ok(executed > cases / 4, `${executed} executed`);
    assert.ok(undefinedResults > executed / 4, `${undefinedResults} of ${executed} with undefined results`);
  });
}
