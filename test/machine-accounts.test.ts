/**
 * Accounts of the engine beside a machine that keeps none and executes one instruction at a time: executions of each instruction, the
 * deepest stack pointer, calls. Random programs, run in pieces of random length, with watchpoints and breakpoints in between.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMachine } from '../lib/emulator/machine';
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
  const random = new Random(seed + 3);
  const [stopAt] = [...expected.counts.keys()].slice(random.below(expected.counts.size));
  machine.setBreakpoint(stopAt);
  machine.watchpoints?.add({ address: dataBase + 0x800 + random.below(0x300), length: 16, kind: 'access' });
  let reason = '';
  for (let i = 0; i < 1_000_000 && reason !== expected.reason; i++) {
    if (i === 50) machine.clearBreakpoint(stopAt);
    reason = machine.run(random.below(4) === 0 ? 1 : 1 + random.below(3000), true).reason;
  }
  assert.deepEqual(
    [...accounts.counts].sort(([a], [b]) => a - b),
    [...expected.counts].sort(([a], [b]) => a - b),
    text,
  );
  assert.equal(lowest, expected.lowest, text);
  return calls;
}

test('executions, stack pointer and calls of random programs', () => {
  let calls = 0;
  for (let seed = 1; seed <= 24; seed++) {
    const name = ['cortex-m3', 'cortex-m33'][seed % 2];
    calls += compare(thumbMachine(name, seed), seed, `${name}, seed ${seed}`);
  }
  assert.ok(calls > 50, `${calls} calls`);
  for (let seed = 1; seed <= 16; seed++) {
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
