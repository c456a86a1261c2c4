/**
 * Loads and stores of translated code, whose checks several of them share: at the ends of memory, across pages, on pages with
 * code, read-only and clean ones, both engines do the same to the instruction.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MemoryRegion } from '../lib/emulator/types';
import { EnginePair } from './support/engine-pair';
import { cpuNamed } from './support/lockstep';
import { Random } from './support/random';

const base = 0x2000_0000;
const size = 0x4000;
const rom = 0x3000_0000;
const end = base + 0x1f00;
const everything = { read: true, write: true, execute: true };
const readable = { read: true, write: false, execute: false };
const regions: readonly MemoryRegion[] = [
  { name: 'RAM', base, size, permissions: everything },
  { name: 'ROM', base: rom, size: 0x1000, permissions: readable },
];

const bytesOf = (halfwords: readonly number[]) => Uint8Array.from(halfwords.flatMap((h) => [h & 0xff, h >>> 8]));

function pairOf(code: readonly number[], registers: Readonly<Record<string, number>>, cpu = 'cortex-m3'): EnginePair {
  const pair = new EnginePair(cpuNamed(cpu), regions);
  pair.both((machine) => {
    machine.memory.write(base, bytesOf(code));
    machine.memory.write(
      rom,
      new Uint8Array(0x1000).map((_, i) => i * 7),
    );
    machine.setHostCall(end);
    machine.state.write('lr', end | 1);
    machine.state.write('pc', base);
    for (const [name, value] of Object.entries({ sp: base + 0x3000, ...registers })) machine.state.write(name, value);
  });
  return pair;
}

const load = (t: number, n: number, words: number) => 0x6800 | (words << 6) | (n << 3) | t;
const store = (t: number, n: number, words: number) => 0x6000 | (words << 6) | (n << 3) | t;
/** subs r0, #1; bne to the begin; bx lr, behind so many halfwords. */
const loopEnd = (halfwords: number) => [0x3801, 0xd100 | (-(halfwords + 3) & 0xff), 0x4770];

test('a group of accesses that runs out of memory faults at its instruction', () => {
  // ldr r4, [r1]; str r4, [r1, #4]; ldr r5, [r1, #8]; adds r1, #4
  const body = [load(4, 1, 0), store(4, 1, 1), load(5, 1, 2), 0x3104];
  const pair = pairOf([...body, ...loopEnd(body.length)], { r0: 3000, r1: base + 0x2000 });
  const stop = pair.run(100_000, 'up');
  assert.ok(stop.reason === 'fault' && stop.fault.kind === 'unmapped');
  assert.equal(stop.fault.pc, base + 4);
  assert.ok(pair.share > 0.9);
});

test('a frame across the border of two pages is as fast as another one', () => {
  // push {r4, r5}; str r0, [sp, #4]; ldr r4, [sp, #4]; str r4, [sp]; pop {r4, r5}
  const body = [0xb430, 0x9001, 0x9c01, 0x9400, 0xbc30];
  const pair = pairOf([...body, ...loopEnd(body.length)], { r0: 2000, sp: base + 0x3004 });
  assert.deepEqual(pair.run(100_000, 'frames'), { reason: 'host-call', address: end });
  assert.ok(pair.share > 0.99, `${pair.share}`);
});

test('a frame pointer that comes to point elsewhere costs only a few ways out', () => {
  // ldr r4, [r7]; str r4, [sp]; at first r7 is near sp, then in ROM
  const body = [load(4, 7, 0), 0x9400];
  const pair = pairOf([...body, ...loopEnd(body.length)], { r0: 1000, r7: base + 0x3010 });
  pair.run(500, 'on the stack');
  pair.both((machine) => machine.state.write('r7', rom + 0x20));
  assert.deepEqual(pair.run(100_000, 'in ROM'), { reason: 'host-call', address: end });
  assert.ok(pair.share > 0.95, `${pair.share}`);
});

test('pages are dirty again after their first store', () => {
  const body = [store(0, 1, 0), store(0, 1, 1)];
  const pair = pairOf([...body, ...loopEnd(body.length)], { r0: 4000, r1: base + 0x2ffc });
  for (let i = 0; i < 20; i++) {
    pair.both((machine) => machine.memory.clearDirty());
    pair.run(300, `run ${i}`);
    const [ours, theirs] = [pair.translated, pair.interpreted].map(({ memory }) => [...memory.dirtyPages()].sort());
    assert.deepEqual(ours, theirs);
    assert.deepEqual(ours, [0x20002, 0x20003]);
  }
  assert.ok(pair.share > 0.9, `${pair.share}`);
});

test('data beside code on one page is stored to from within the region', () => {
  const body = [store(0, 1, 0), load(4, 1, 0), store(4, 1, 3)];
  const pair = pairOf([...body, ...loopEnd(body.length)], { r0: 5000, r1: base + 0x800 });
  assert.deepEqual(pair.run(100_000, 'stores'), { reason: 'host-call', address: end });
  assert.ok(pair.share > 0.99, `${pair.share}`);
});

// --- Random blocks ------------------------------------------------------------------------------------------------------

/** Bases r1, r2, r3 and r7, data r4 to r6. */
function randomInstruction(random: Random): number[] {
  const n = [1, 2, 3, 7][random.below(4)];
  const t = 4 + random.below(3);
  const offset = random.below(32);
  const access = [0x6800, 0x6000, 0x7800, 0x7000, 0x8800, 0x8000][random.below(6)] | (offset << 6) | (n << 3) | t;
  switch (random.below(12)) {
    case 0:
      // adds and subs of a base
      return [(random.below(2) === 0 ? 0x3000 : 0x3800) | (n << 8) | random.below(16)];
    case 1:
      // mov of one base to another one
      return [0x4600 | ((n & 7) << 3) | [1, 2, 3, 7][random.below(4)]];
    case 2:
      // str and ldr at sp
      return [0x9000 | (t << 8) | random.below(16), 0x9800 | (t << 8) | random.below(16)];
    case 3:
      // push and pop of r4, r5
      return [0xb430, access, 0xbc30];
    case 4:
      // it eq or ne
      return [random.below(2) === 0 ? 0xbf08 : 0xbf18, access];
    case 5:
      // ldr.w and str.w with write-back, before and after
      return [(random.below(2) === 0 ? 0xf850 : 0xf840) | n, (t << 12) | 0xb00 | (random.below(2) << 10) | 4];
    case 6:
      // ldrd and strd
      return [(random.below(2) === 0 ? 0xe9d0 : 0xe9c0) | n, 0x4500 | random.below(8)];
    case 7:
      // ldmia and stmia of r4, r5
      return [(random.below(2) === 0 ? 0xc800 : 0xc000) | (n << 8) | 0x30];
    default:
      return [access];
  }
}

for (const cpu of ['cortex-m3', 'cortex-m0']) {
  test(`random blocks on ${cpu}`, () => {
    let share = 0;
    const programs = 60;
    for (let seed = 1; seed <= programs; seed++) {
      const random = new Random(seed);
      const body: number[] = [];
      while (body.length < 24) {
        const one = randomInstruction(random);
        // Armv6-M has none of the 32-bit ones and no IT.
        if (cpu !== 'cortex-m0' || !one.some((halfword) => halfword >>> 11 >= 0x1d || halfword >>> 8 === 0xbf)) {
          body.push(...one);
        }
      }
      const pair = pairOf([...body, ...loopEnd(body.length)], {}, cpu);
      const data = Uint8Array.from({ length: size - 0x1000 }, () => random.below(256));
      pair.both(({ memory }) => memory.write(base + 0x1000, data));
      // A page that is slow to read between the stack and what else is read.
      const watched = { address: base + 0x1800, length: 4, kind: 'read' } as const;
      if (seed % 2 === 0) pair.both(({ watchpoints }) => watchpoints?.add(watched));
      for (let run = 0; run < 12; run++) {
        const word = (at: number) => (at + random.below(0x40) * (random.below(4) === 0 ? 1 : 4)) >>> 0;
        const values = [
          word(base + 0x2800),
          word(base + size - 0x100),
          word([rom, base + 0x2fc0, base + 0x400][random.below(3)]),
        ];
        const r7 = word(base + 0x3000);
        pair.both(({ state }) => {
          values.forEach((value, i) => state.write(`r${i + 1}`, value));
          state.write('r0', 200);
          state.write('r7', r7);
          state.write('sp', base + 0x2f00 + 4 * (seed % 80));
          state.write('pc', base);
        });
        pair.run(64 + random.below(4000), `${cpu}, seed ${seed}, run ${run}`);
      }
      share += pair.share;
    }
    // Bases run away and fault soon: far from all is translated code.
    assert.ok(share / programs > 0.3, `${share / programs} of the instructions were translated`);
  });
}
