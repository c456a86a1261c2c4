/**
 * Watchpoints of the engine. Random programs with random watchpoints, in both engines: where they stop, and with what, follows from the
 * accesses that each instruction makes (by the manual) and from the memory before and after it on a machine that watches
 * nothing and executes one instruction at a time.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findCpu, type CpuInfo } from '../lib/arch';
import { createMachine } from '../lib/emulator/machine';
import type { Machine, MemoryRegion } from '../lib/emulator/types';
import type { WatchHit, WatchKind, Watchpoint } from '../lib/emulator/watchpoints';
import { EnginePair } from './support/engine-pair';
import { Random } from './support/random';
import {
  riscvWatchProgram,
  thumbWatchProgram,
  type KnownInstruction,
  type Pointers,
  type WatchProgram,
} from './support/watch-programs';

const codeBase = 0x10000;
const dataBase = 0x2000_0000;
const end = 0x1ff00;
const regions: readonly MemoryRegion[] = [
  { name: 'code', base: codeBase, size: 0x10000, permissions: { read: true, write: false, execute: true } },
  { name: 'data', base: dataBase, size: 0x4000, permissions: { read: true, write: true, execute: false } },
];
const kinds: readonly WatchKind[] = ['read', 'write', 'access', 'change'];

const bytesOf = (halfwords: readonly number[]) => Uint8Array.from(halfwords.flatMap((h) => [h & 0xff, h >>> 8]));

interface Case {
  readonly cpu: CpuInfo;
  readonly program: WatchProgram;
  readonly pointers: Pointers;
  readonly watchpoints: readonly Watchpoint[];
  readonly rounds: number;
  readonly seed: number;
}

function cpuOf(name: string): CpuInfo {
  const cpu = findCpu(name);
  assert.ok(cpu, name);
  return cpu;
}

function makeCase(cpu: CpuInfo, seed: number): Case {
  const random = new Random(Math.imul(seed, 0x9e3779b1));
  // Accesses on both sides of a page's border.
  const data = dataBase + 0x2000 - 4 * random.below(0x100);
  const pointers = { code: codeBase, data, sp: dataBase + 0x3f00 };
  const program =
    cpu.arch === 'arm'
      ? thumbWatchProgram(random, pointers, cpu.isa.fp !== 'none')
      : riscvWatchProgram(random, pointers, cpu.isa.xlen);
  const accesses = program.body.flatMap((instruction) => instruction.accesses);
  const watchpoints = Array.from({ length: 1 + random.below(6) }, (): Watchpoint => {
    const length = random.below(3) === 0 ? 1 + random.below(200) : 1 + random.below(8);
    const address = (accesses.length > 0 ? random.pick(accesses).address : data) + random.below(8) - 4;
    return { address, length, kind: random.pick(kinds) };
  });
  return { cpu, program, pointers, watchpoints, rounds: 3 + random.below(30), seed };
}

function prepare({ cpu, program, pointers, rounds, seed }: Case, machine: Machine): void {
  const random = new Random(seed + 7);
  const { state, memory } = machine;
  memory.write(codeBase, bytesOf(program.halfwords));
  memory.write(
    dataBase,
    new Uint8Array(0x4000).map(() => random.next() >>> 11),
  );
  machine.setHostCall(end);
  const values = Array.from({ length: 6 }, () => random.word());
  const arm = cpu.arch === 'arm';
  values.forEach((value, i) => state.write(arm ? `r${i}` : `a${i}`, value));
  state.write(arm ? 'r7' : 't2', rounds);
  state.write(arm ? 'r8' : 's0', pointers.data);
  if (!arm) state.write('s1', (pointers.data + 7) & ~7);
  state.write('sp', pointers.sp);
  state.write(arm ? 'lr' : 'ra', arm ? end | 1 : end);
  state.write('pc', codeBase);
  if (arm) state.write('xpsr', 0x01000000);
}

/** What the instruction's accesses mean for a watchpoint, when it executed alone between `before` and `after`. */
function expectedHit(
  { accesses }: KnownInstruction,
  watchpoint: Watchpoint,
  before: (address: number, length: number) => Uint8Array,
  after: (address: number, length: number) => Uint8Array,
): Omit<WatchHit, 'pc' | 'by'> | undefined {
  const { kind, address, length } = watchpoint;
  const meets = accesses.filter(
    (one) =>
      one.address < address + length &&
      address < one.address + one.size &&
      (kind === 'access' || one.access === (kind === 'read' ? 'read' : 'write')),
  );
  if (meets.length === 0) return undefined;
  const start = Math.min(...meets.map((one) => Math.max(one.address, address)));
  const stop = Math.max(...meets.map((one) => Math.min(one.address + one.size, address + length)));
  const [old, now] = [before(start, stop - start), after(start, stop - start)];
  if (kind === 'change' && Buffer.from(old).equals(now)) return undefined;
  const shown = meets.find((one) => one.access === 'write') ?? meets[0];
  return { watchpoint, access: shown.access, address: shown.address, size: shown.size, start, before: old, after: now };
}

/** A write of several registers is reported as a whole or word by word: its parts are not the test's. */
function comparable(hit: Omit<WatchHit, 'pc' | 'by'>): unknown {
  const { watchpoint, access, start, before, after } = hit;
  return { watchpoint, access, start, before: [...before], after: [...after] };
}

interface Tally {
  hits: number;
  readonly byKind: Map<string, number>;
  share: number;
}

function runCase(one: Case, tally: Tally): void {
  const { cpu, program, watchpoints, rounds, seed } = one;
  const text = `${cpu.name}, seed ${seed}`;
  const pair = new EnginePair(cpu, regions);
  const reference = createMachine({ cpu, regions });
  pair.both((machine) => prepare(one, machine));
  prepare(one, reference);
  const random = new Random(seed + 99);
  // Set when there is translated code already, which must learn of it.
  const setAt = random.below(3);
  for (let round = 0; round < rounds; round++) {
    if (round === setAt) {
      runExactly(pair, reference.instructionCount, text);
      pair.both((machine) => watchpoints.forEach((watchpoint) => machine.watchpoints?.add(watchpoint)));
    }
    for (const instruction of program.body) {
      const pc = reference.state.pc;
      const old = reference.memory.read(dataBase, 0x4000);
      const oldCode = reference.memory.read(codeBase, 0x1000);
      const before = (address: number, length: number) =>
        address >= dataBase
          ? old.slice(address - dataBase, address - dataBase + length)
          : oldCode.slice(address - codeBase, address - codeBase + length);
      assert.equal(reference.run(1).reason, 'budget', text);
      const expected = watchpoints.flatMap((watchpoint) => {
        const hit = expectedHit(instruction, watchpoint, before, (at, length) => reference.memory.read(at, length));
        return hit === undefined ? [] : [hit];
      });
      if (expected.length === 0 || round < setAt) continue;
      const where = `${text}, round ${round}, pc ${pc.toString(16)}`;
      const stop = runTo(pair, reference.instructionCount, random, where);
      assert.ok(stop.reason === 'watchpoint', `${where}: ${stop.reason}`);
      assert.deepEqual(stop.hits.map(comparable).sort(byText), expected.map(comparable).sort(byText), where);
      for (const hit of stop.hits) {
        assert.deepEqual([hit.pc, hit.by], [pc, 'guest'], where);
        tally.hits++;
        tally.byKind.set(hit.watchpoint.kind, (tally.byKind.get(hit.watchpoint.kind) ?? 0) + 1);
      }
      assert.equal(pair.interpreted.instructionCount, reference.instructionCount, where);
    }
  }
  const last = runTo(pair, Infinity, random, `${text}, to the end`);
  assert.equal(last.reason, 'host-call', text);
  tally.share += pair.share;
}

const byText = (a: unknown, b: unknown): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);

function runExactly(pair: EnginePair, count: number, text: string): void {
  const budget = count - pair.interpreted.instructionCount;
  if (budget > 0) assert.equal(pair.run(budget, text).reason, 'budget', text);
}

/** Runs both in pieces, some of which end exactly at the instruction that is waited for. */
function runTo(pair: EnginePair, count: number, random: Random, text: string) {
  for (let i = 0; i < 10_000; i++) {
    const left = count - pair.interpreted.instructionCount;
    assert.ok(left > 0, `${text}: it ran past the hit`);
    const budget = random.below(2) === 0 ? 1 + random.below(80) : 64 + random.below(5000);
    const stop = pair.run(random.below(3) === 0 ? Math.min(left, budget) : budget, text);
    if (stop.reason !== 'budget') return stop;
  }
  return assert.fail(`${text}: no stop`);
}

for (const [name, cases] of [
  ['cortex-m3', 24],
  ['cortex-m7', 16],
  ['rv32imafdc', 16],
  ['rv64imafdc', 16],
] as const) {
  test(`${cases} programs with watchpoints on ${name}`, () => {
    const tally: Tally = { hits: 0, byKind: new Map(), share: 0 };
    for (let seed = 1; seed <= cases; seed++) runCase(makeCase(cpuOf(name), seed), tally);
    // Nothing was compared when there were no hits, or no translated code.
    for (const kind of kinds)
      assert.ok((tally.byKind.get(kind) ?? 0) > 20, `${kind}: ${tally.byKind.get(kind) ?? 0} hits`);
    assert.ok(tally.share / cases > 0.05, `${tally.share / cases} of the instructions were translated`);
  });
}

const r0 = 0x2000_0100;

/** STR r1, [r0]; LDR r2, [r0]; NOP at codeBase, r0 = 0x20000100. */
function smallMachine(): Machine {
  const machine = createMachine({ cpu: cpuOf('cortex-m3'), regions });
  machine.memory.write(codeBase, bytesOf([0x6001, 0x6802, 0xbf00, 0xbf00]));
  machine.state.write('r0', r0);
  machine.state.write('r1', 0x11223344);
  machine.state.write('pc', codeBase);
  return machine;
}

function watchpointsOf(machine: Machine) {
  assert.ok(machine.watchpoints);
  return machine.watchpoints;
}

test('an instruction that is continued from its breakpoint hits, and so does one that is stepped', () => {
  const machine = smallMachine();
  const watchpoints = watchpointsOf(machine);
  const written: Watchpoint = { address: r0 + 2, length: 1, kind: 'change' };
  const accessed: Watchpoint = { address: r0, length: 4, kind: 'read' };
  watchpoints.add(written);
  watchpoints.add(accessed);
  machine.setBreakpoint(codeBase);
  assert.equal(machine.run(10).reason, 'breakpoint');
  const store = machine.run(10, true);
  assert.ok(store.reason === 'watchpoint');
  assert.deepEqual(store.hits, [
    {
      watchpoint: written,
      by: 'guest',
      pc: codeBase,
      access: 'write',
      address: r0,
      size: 4,
      start: r0 + 2,
      before: Uint8Array.of(0),
      after: Uint8Array.of(0x22),
    },
  ]);
  assert.deepEqual([machine.state.pc, machine.instructionCount], [codeBase + 2, 1]);
  const load = machine.run(1);
  assert.ok(load.reason === 'watchpoint');
  assert.equal(load.hits[0].watchpoint, accessed);
  watchpoints.remove(written);
  watchpoints.remove(accessed);
  machine.state.write('pc', codeBase);
  machine.clearBreakpoint(codeBase);
  assert.equal(machine.run(3).reason, 'budget');
});

test("a debugger's own accesses are no hits, those of the host are, as far as it says", () => {
  const machine = smallMachine();
  const watchpoints = watchpointsOf(machine);
  const watchpoint: Watchpoint = { address: r0, length: 8, kind: 'access' };
  const change: Watchpoint = { address: r0 + 1, length: 1, kind: 'change' };
  watchpoints.add(watchpoint);
  watchpoints.add(change);
  machine.memory.write(r0, Uint8Array.of(1, 2, 3, 4));
  machine.memory.read(r0, 8);
  const { hits, value } = watchpoints.observeHost(0x400, () => {
    machine.memory.peek(r0, 8);
    machine.memory.write(r0 - 16, new Uint8Array(24).fill(7));
    machine.memory.write(r0, Uint8Array.of(9));
    return 'done';
  });
  assert.equal(value, 'done');
  assert.deepEqual(
    hits.map((hit) => [hit.watchpoint, hit.by, hit.pc, hit.access, hit.address, hit.size, hit.start]),
    [
      [watchpoint, 'host', 0x400, 'write', r0 - 16, 24, r0],
      [change, 'host', 0x400, 'write', r0 - 16, 24, r0 + 1],
    ],
  );
  assert.deepEqual(hits[0].before, Uint8Array.of(1, 2, 3, 4, 0, 0, 0, 0));
  assert.deepEqual(hits[0].after, Uint8Array.of(9, 7, 7, 7, 7, 7, 7, 7));
  assert.deepEqual(watchpoints.observeHost(0, () => machine.memory.peek(r0, 8)).hits, []);
  assert.equal(watchpoints.observeHost(0, () => machine.memory.read(r0 + 7, 1)).hits[0].access, 'read');
});

test('a thousand watchpoints, of which one is hit; ranges that cannot be watched', () => {
  const machine = smallMachine();
  const watchpoints = watchpointsOf(machine);
  for (let i = 0; i < 1000; i++) watchpoints.add({ address: 0x2000_0000 + 4 * i, length: 4, kind: 'write' });
  const stop = machine.run(10);
  assert.ok(stop.reason === 'watchpoint');
  assert.deepEqual(
    stop.hits.map(({ watchpoint }) => watchpoint.address),
    [r0],
  );
  for (const [address, length] of [
    [0, 0],
    [0xffff_fffc, 8],
    [-4, 8],
    [0, 1.5],
  ]) {
    assert.throws(() => watchpoints.add({ address, length, kind: 'read' }), RangeError, `${address}, ${length}`);
  }
  assert.equal(watchpoints.size, 1000);
});
