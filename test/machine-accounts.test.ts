/**
 * Accounts of the engine beside a machine that keeps none and executes one instruction at a time: executions of each instruction, the
 * deepest stack pointer, calls. Random programs, run in pieces of random length, with watchpoints and breakpoints in between; interpreted, and
 * translated, where nobody is told of the blocks and the calls that are open at the deepest stack must be the same.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExecutionCounts } from '../lib/emulator/accounts';
import { createMachine } from '../lib/emulator/machine';
import type { JitOptions } from '../lib/emulator/jit/jit';
import type { Machine } from '../lib/emulator/types';
import { RunAccounts } from '../lib/target/accounts';
import { cpuNamed } from './support/lockstep';
import { Random } from './support/random';
import {
  bytesOf,
  codeBase,
  dataBase,
  end,
  type MakeMachine,
  regions,
  riscvMachine,
  singleSteps,
  thumbMachine,
} from './support/random-machines';

/** In pieces, with a breakpoint for a while and data watched. */
function runInPieces(machine: Machine, stopAt: number, seed: number, end: string): void {
  const random = new Random(seed + 3);
  machine.setBreakpoint(stopAt);
  const data = dataBase + (machine.cpu.arch === 'arm' ? 0x800 : 0x1e80);
  machine.watchpoints?.add({ address: data + random.below(0x180), length: 16, kind: 'access' });
  let reason = '';
  for (let i = 0; i < 1_000_000 && reason !== end; i++) {
    if (i === 50) machine.clearBreakpoint(stopAt);
    reason = machine.run(random.below(4) === 0 ? 1 : 1 + random.below(3000), true).reason;
  }
}

const sorted = (counts: ExecutionCounts): [number, number][] => [...counts].sort(([a], [b]) => a - b);

function compare(make: MakeMachine, seed: number, text: string): number {
  const expected = singleSteps(make());
  const machine = make();
  let lowest = machine.state.read('sp');
  let calls = 0;
  const accounts = machine.keepAccounts?.((_from, to, returnAddress) => {
    lowest = Math.min(lowest, machine.state.read('sp'));
    if (returnAddress === undefined) return;
    calls++;
    assert.notEqual(to, returnAddress, text);
  });
  assert.ok(accounts);
  const [stopAt] = [...expected.counts.keys()].slice(new Random(seed).below(expected.counts.size));
  runInPieces(machine, stopAt, seed, expected.reason);
  assert.deepEqual(sorted(accounts.counts), sorted(expected.counts), text);
  assert.equal(lowest, expected.lowest, text);
  const [interpreted, translated] = [true, false].map((tracesCalls) => {
    const other = make();
    const stackEnd = other.state.read('sp');
    const run = new RunAccounts(
      other,
      stackEnd,
      (address) => address === end,
      () => '',
      tracesCalls,
    );
    runInPieces(other, stopAt, seed, expected.reason);
    const { translated: instructions = 0 } = other.translation ?? {};
    assert.equal(instructions > 0, !tracesCalls, text);
    return run;
  });
  assert.deepEqual(sorted(translated.counts), sorted(expected.counts), `${text}, translated`);
  assert.deepEqual(translated.stack, interpreted.stack, `${text}, translated`);
  return calls;
}

test('executions, stack pointer and calls of random programs', () => {
  let calls = 0;
  for (let seed = 1; seed <= 10; seed++) {
    const name = ['cortex-m3', 'cortex-m33'][seed % 2];
    calls += compare(thumbMachine(name, seed), seed, `${name}, seed ${seed}`);
  }
  assert.ok(calls > 20, `${calls} calls`);
  for (let seed = 1; seed <= 14; seed++) {
    const name = ['rv32imafdc', 'rv64imafdc'][seed % 2];
    compare(riscvMachine(name, seed), seed, `${name}, seed ${seed}`);
  }
});

test('code that has been written is counted as what it is now', () => {
  // NOP; STRH r1, [r0]; ISB; a NOP that becomes the first half of NOP.W; its second half; BX lr.
  const writable = regions.map((region) => ({ ...region, permissions: { read: true, write: true, execute: true } }));
  const make = () => {
    const machine = createMachine({ cpu: cpuNamed('cortex-m3'), regions: writable });
    machine.memory.write(codeBase, bytesOf([0xbf00, 0x8001, 0xf3bf, 0x8f6f, 0xbf00, 0x8000, 0x4770]));
    machine.setHostCall(end);
    for (const [register, value] of Object.entries({ r0: codeBase + 8, r1: 0xf3af, lr: end | 1, pc: codeBase })) {
      machine.state.write(register, value);
    }
    return machine;
  };
  const expected = singleSteps(make());
  const machine = make();
  const accounts = machine.keepAccounts?.(() => undefined);
  assert.equal(machine.run(100).reason, 'host-call');
  assert.deepEqual(new Map(accounts?.counts), expected.counts);
  machine.keepAccounts?.(undefined);
});

test('what translated code leaves to the interpreter, and that faults, is not counted', () => {
  // loop: VLDR s0, [r0]; ADDS r0, #4; B loop, beyond the end of the data.
  const make = (jit?: JitOptions) => {
    const machine = createMachine({ cpu: cpuNamed('cortex-m4'), regions, jit });
    machine.memory.write(codeBase, bytesOf([0xed90, 0x0a00, 0x3004, 0xe7fb]));
    const start = { r0: dataBase + 0x3000, sp: dataBase + 0x1000, pc: codeBase };
    for (const [register, value] of Object.entries(start)) machine.state.write(register, value);
    return machine;
  };
  const expected = singleSteps(make());
  const machine = make({ threshold: 0 });
  const accounts = new RunAccounts(
    machine,
    dataBase + 0x1000,
    () => false,
    () => '',
    false,
  );
  assert.equal(machine.run(1_000_000).reason, 'fault');
  assert.ok((machine.translation?.translated ?? 0) > 1000);
  assert.deepEqual(new Map(accounts.counts), expected.counts);
});
