/**
 * A RISC-V hart on the unicorn.js API, with native libunicorn behind it, beside the built-in one: stops, steps, faults, registers.
 * (emulator-unicorn runs whole programs.) Words are encoded by hand after the unprivileged specification's instruction listings.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import { findCpu, type RiscvCpu } from '../lib/arch';
import { createMachine, type MachineOptions } from '../lib/emulator/machine';
import type { Machine, RunStop } from '../lib/emulator/types';
import { createUnicornMachine } from '../lib/emulator/unicorn/unicorn-machine';
import { EmulatedTarget } from '../lib/target/emulated-target';
import { riscvFixture } from './support/fixtures';
import { unicornJs } from './support/unicorn-js';

const code = 0x1_0000;
const data = 0x2000_0000;
const regions = [
  { name: 'code', base: code, size: 0x1000, permissions: { read: true, write: false, execute: true } },
  { name: 'data', base: data, size: 0x2000, permissions: { read: true, write: true, execute: false } },
];

function hart(name: string): RiscvCpu {
  const cpu = findCpu(name);
  assert.ok(cpu?.arch === 'riscv');
  return cpu;
}

/** A machine of either engine that is about to run these words; only the built-in one without libunicorn. */
function both(t: Pick<TestContext, 'skip'>, cpuName: string, ...words: number[]): Machine[] {
  const module = unicornJs(t);
  const cpu = hart(cpuName);
  const machines = [createMachine({ cpu, regions })];
  if (module !== undefined) machines.push(createUnicornMachine(module, cpu, regions));
  for (const machine of machines) {
    machine.memory.write(code, new Uint8Array(new Uint32Array(words).buffer));
    machine.state.write('sp', data + 0x1000);
    machine.state.write('pc', code);
  }
  return machines;
}

function alike(machines: readonly Machine[], act: (machine: Machine) => unknown): unknown {
  const [expected, ...others] = machines.map((machine) => {
    const result = act(machine);
    const names = machine.state.registerNames.filter((name) =>
      /^(zero|ra|[sgt]p|[sat]\d+|f[sat]\d+|pc|fcsr)$/.test(name),
    );
    return {
      result,
      registers: names.map((name) => [name, machine.state.readWide(name), machine.state.widthOf(name)]),
    };
  });
  for (const other of others) assert.deepEqual(other, expected);
  return expected.result;
}

/** Unicorn does not know the address, and gives no sentence. */
function comparable(stop: RunStop): unknown {
  if (stop.reason !== 'fault') return stop;
  const { kind, access, pc, encoding, encodingLength } = stop.fault;
  return { kind, access, pc, encoding, encodingLength };
}

const addA0 = 0x0015_0513; // addi a0, a0, 1
const back = 0xffdf_f06f; // j .-4

for (const cpu of ['rv32imac', 'rv64imafdc']) {
  describe(cpu, () => {
    it('stops at breakpoints and host calls, before their instruction, and goes on from them', (t) => {
      const machines = both(t, cpu, addA0, 0x0025_8593, back);
      const run = (budget: number, skip = false) => alike(machines, (machine) => machine.run(budget, skip));
      for (const machine of machines) machine.setBreakpoint(code + 4);
      assert.deepEqual(run(100), { reason: 'breakpoint', address: code + 4 });
      run(100);
      run(1, true);
      run(100);
      for (const machine of machines) {
        machine.clearBreakpoint(code + 4);
        machine.setHostCall(code + 4);
      }
      assert.deepEqual(run(100, true), { reason: 'host-call', address: code + 4 });
      for (const machine of machines) machine.clearHostCall(code + 4);
      assert.deepEqual(run(7), { reason: 'budget' });
      run(0);
    });

    it('steps one instruction, and stops at ECALL, EBREAK and behind WFI', (t) => {
      const machines = both(t, cpu, addA0, addA0, 0x0000_0073);
      for (const reason of ['budget', 'budget', 'ecall']) {
        assert.equal((alike(machines, (machine) => machine.run(1)) as RunStop).reason, reason);
      }
      for (const [word, reason] of [
        [0x0000_0073, 'ecall'],
        [0x0010_0073, 'ebreak'],
        [0x9002_9002, 'ebreak'],
        [0x1050_0073, 'wait'],
      ] as const) {
        const stop = alike(both(t, cpu, addA0, word, addA0), (machine) => machine.run(100)) as RunStop;
        assert.equal(stop.reason, reason);
      }
    });

    it('stops at faults, with their kind, access, place and encoding', (t) => {
      const kinds = [
        // lw a0,0(a1); sw a0,0(a1); jr a1; all ones; a compressed zero
        [0x0005_a503, 0x3000_0000, 'unmapped'],
        [0x00a5_a023, 0x3000_0000, 'unmapped'],
        [0x00a5_a023, code, 'forbidden'],
        [0x0005_8067, 0x3000_0000, 'unmapped'],
        [0x0005_8067, data, 'forbidden'],
        [0xffff_ffff, 0, 'undefined-instruction'],
        [0x0001_0000, 0, 'undefined-instruction'],
      ] as const;
      for (const [word, address, kind] of kinds) {
        const machines = both(t, cpu, addA0, word, addA0, addA0);
        const stop = alike(machines, (machine) => {
          machine.state.write('a1', address);
          return comparable(machine.run(100));
        });
        assert.equal((stop as { kind?: string }).kind, kind);
      }
    });

    it('has registers by both of their names, and refuses others', (t) => {
      for (const machine of both(t, cpu, addA0)) {
        const { state } = machine;
        state.write('x10', 0x1234_5678);
        assert.equal(state.read('a0'), 0x1234_5678);
        state.write('fp', 5);
        assert.deepEqual([state.read('s0'), state.r[cpu.startsWith('rv32') ? 8 : 16]], [5, 5]);
        state.write('zero', 7);
        assert.equal(state.read('zero'), 0);
        state.write('mscratch', 0x42);
        assert.equal(state.read('mscratch'), 0x42);
        assert.equal(machine.state.pc, code);
        for (const name of ['r0', 'x32', 'f32']) assert.throws(() => state.read(name), RangeError);
      }
    });
  });
}

it('64-bit registers keep all of their bits', (t) => {
  // slli a0, a0, 1
  const machines = both(t, 'rv64imac', 0x0015_1513);
  for (const machine of machines) machine.state.writeWide('a0', 0x8123_4567_89ab_cdefn);
  alike(machines, (machine) => machine.run(1));
  for (const machine of machines) assert.equal(machine.state.readWide('a0'), 0x0246_8acf_1357_9bden);
});

it('a hart without F has no floating point, one with it has it switched on', (t) => {
  // fadd.s fa0, fa1, fa2
  const add = 0x00c5_f553;
  for (const machine of both(t, 'rv32imac', add)) {
    assert.throws(() => machine.state.read('fa0'), RangeError);
    assert.equal(machine.run(1).reason, 'fault');
  }
  for (const cpu of ['rv32imafc', 'rv64imafdc']) {
    const boxed = (bits: bigint) => (cpu === 'rv32imafc' ? bits : bits | (0xffff_ffffn << 32n));
    for (const machine of both(t, cpu, add)) {
      machine.state.writeWide('fa1', boxed(0x3fc0_0000n));
      machine.state.writeWide('f12', boxed(0x4010_0000n));
      machine.run(1);
      // 1.5 + 2.25 = 3.75; Unicorn does not NaN-box results ("NaN Boxing of Narrower Values"), so only the single is compared.
      assert.equal(machine.state.read('fa0'), 0x4070_0000);
      assert.equal(machine.state.read('fcsr'), 0);
    }
  }
});

it('Unicorn has none of the bit manipulation extensions, and says so by the fault', (t) => {
  // sh1add a0, a0, a1
  const [builtin, unicorn] = both(t, 'rv32imac', 0x20b5_2533);
  assert.equal(builtin.run(1).reason, 'budget');
  if (unicorn === undefined) return;
  const stop = unicorn.run(1);
  assert.ok(stop.reason === 'fault' && stop.fault.kind === 'undefined-instruction' && stop.fault.pc === code);
});

describe('faults of C code stop both engines at the same instruction', () => {
  for (const variant of ['rv32imac-O0', 'rv64imac-O0']) {
    it(variant, async (t) => {
      const module = unicornJs(t);
      if (module === undefined) return;
      const bytes = new Uint8Array(readFileSync(riscvFixture('riscv_faults', variant)));
      const cpu = hart(variant.slice(0, 8));
      const stopOf = async (machine: (options: MachineOptions) => Machine, kind: number) => {
        const target = EmulatedTarget.create({ cpu, machine });
        const loaded = target.loadExtension({ name: 'ext', bytes });
        assert.ok(loaded.loaded);
        target.prepareCall(loaded.extension.expTab.symbols[0].address, [BigInt(kind)], []);
        const stop = await target.resume({ kind: 'continue' });
        const fault = stop.reason === 'fault' ? stop.fault : undefined;
        return { reason: stop.reason, kind: fault?.kind, access: fault?.access, pc: target.readRegisterNow('pc') };
      };
      const unicorn = ({ regions: mapped }: MachineOptions) => createUnicornMachine(module, cpu, mapped);
      for (let kind = 0; kind < 9; kind++) {
        const expected = await stopOf(createMachine, kind);
        // The built-in engine stops at the limit of the stack, Unicorn at the guard page below it.
        if (kind === 7) {
          const actual = await stopOf(unicorn, kind);
          assert.deepEqual([expected.kind, actual.reason], ['stack-overflow', 'fault']);
        } else assert.deepEqual(await stopOf(unicorn, kind), expected, `kind ${kind}`);
      }
    });
  }
});

describe('a module without RISC-V', () => {
  for (const [cpu, module, message] of [
    ['rv32imac', { Unicorn: class {}, ARCH_ARM: 1 }, /lacks the constants ARCH_RISCV, MODE_RISCV32, HOOK_CODE/],
    ['rv64imac', { Unicorn: class {}, ARCH_RISCV: 8, MODE_RISCV32: 4, HOOK_CODE: 4 }, /MODE_RISCV64, RISCV_REG_X0/],
  ] as const) {
    it(`is refused for ${cpu} with what it lacks`, () => {
      assert.throws(() => createUnicornMachine(module, hart(cpu), regions), message);
    });
  }
});
