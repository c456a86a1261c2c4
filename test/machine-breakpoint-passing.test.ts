/**
 * Breakpoints that the machine asks about while it runs (Machine.onBreakpoint): with random breakpoints in random programs, the machine
 * that asks ends as the one that stops at each of them and goes on, and has asked where that one has stopped, with the same registers.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JitOptions } from '../lib/emulator/jit/jit';
import type { Machine, RunStop } from '../lib/emulator/types';
import { Random } from './support/random';
import { dataBase, type MakeMachine, riscvMachine, singleSteps, thumbMachine } from './support/random-machines';

interface Outcome {
  readonly stop: RunStop;
  readonly count: number;
  readonly registers: string;
  readonly memory: Buffer;
  readonly asked: readonly (readonly [address: number, registers: string])[];
}

const registersOf = ({ state }: Machine): string =>
  state.registerNames.map((name) => `${name} ${state.readWide(name).toString(16)}`).join(' ');

function outcome(machine: Machine, stop: RunStop, asked: Outcome['asked']): Outcome {
  const memory = machine.memory.regions
    .filter(({ permissions }) => permissions.write)
    .map(({ base, size }) => machine.memory.peek(base, size));
  const count = machine.instructionCount;
  return { stop, count, registers: registersOf(machine), memory: Buffer.concat(memory), asked };
}

/** Stops at every arrival, and behind what is watched, and goes on. */
function stopping(machine: Machine, budget: number): Outcome {
  const asked: [number, string][] = [];
  let stop = machine.run(budget);
  while (stop.reason === 'breakpoint' || stop.reason === 'watchpoint') {
    if (stop.reason === 'breakpoint') asked.push([stop.address, registersOf(machine)]);
    const left = budget - machine.instructionCount;
    stop = machine.run(left, stop.reason === 'breakpoint');
  }
  return outcome(machine, stop, asked);
}

/** Asks, and stops now and then. */
function asking(machine: Machine, budget: number, stopsAt: (arrival: number) => boolean): Outcome {
  const asked: [number, string][] = [];
  machine.onBreakpoint?.((address) => {
    asked.push([address, registersOf(machine)]);
    return !stopsAt(asked.length);
  });
  let stop = machine.run(budget);
  while (stop.reason === 'breakpoint' || stop.reason === 'watchpoint') {
    // In an IT block the machine does not ask: there it stops.
    const isArrival = stop.reason === 'breakpoint' && asked.at(-1)?.[1] !== registersOf(machine);
    if (isArrival) asked.push([machine.state.pc, registersOf(machine)]);
    stop = machine.run(budget - machine.instructionCount, stop.reason === 'breakpoint');
  }
  return outcome(machine, stop, asked);
}

/** Both machines with random breakpoints on what the program executes, and data watched in every second one; arrivals. */
function check(make: MakeMachine, seed: number, random: Random, jit: JitOptions | 'off', text: string): number {
  const addresses = [...singleSteps(make('off')).counts.keys()];
  const breakpoints = Array.from({ length: 1 + random.below(4) }, () => random.pick(addresses));
  const [plain, other] = (['off', jit] as const).map((options) => {
    const machine = make(options);
    for (const address of breakpoints) machine.setBreakpoint(address);
    // What accesses it is executed twice by the engine, and asked about once.
    if (seed % 4 > 1) machine.watchpoints?.add({ address: dataBase + 0x800, length: 0x100, kind: 'access' });
    return machine;
  });
  const budget = 8000;
  const expected = stopping(plain, budget);
  const modulus = 2 + random.below(50);
  const given = asking(other, budget, (arrival) => arrival % modulus === 0);
  // Piece by piece: a difference between long lists takes for ever to be shown.
  expected.asked.forEach((arrival, i) => assert.deepEqual(given.asked.at(i), arrival, `${text}: arrival ${i}`));
  assert.equal(given.asked.length, expected.asked.length, text);
  assert.deepEqual(given.stop, expected.stop, text);
  assert.equal(given.count, expected.count, text);
  assert.equal(given.registers, expected.registers, text);
  assert.ok(given.memory.equals(expected.memory), text);
  return expected.asked.length;
}

const makers = { thumb: thumbMachine, riscv: riscvMachine };

for (const jit of ['off', { threshold: 0 }] as const) {
  test(`${jit === 'off' ? 'interpreted' : 'translated'}: asking is stopping and going on`, () => {
    const random = new Random(20261128);
    for (const [kind, names] of [
      ['thumb', ['cortex-m3', 'cortex-m33']],
      ['riscv', ['rv32imafdc', 'rv64imafdc']],
    ] as const) {
      let arrivals = 0;
      // Those of machine-accounts.test.ts: others may not end.
      for (let seed = 1; seed <= 24; seed++) {
        const name = names[seed % 2];
        arrivals += check(makers[kind](name, seed), seed, random, jit, `${name}, seed ${seed}`);
      }
      assert.ok(arrivals > 500, `${kind}: ${arrivals} arrivals`);
    }
  });
}
