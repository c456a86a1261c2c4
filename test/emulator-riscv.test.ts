/**
 * RISC-V beyond what runs on QEMU's user mode: environment calls, traps, interrupts, privilege, PMP, counters, stops.
 * Expected values are those of the specifications (unprivileged 20191213, privileged 20211203), by section.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { riscvCpus } from '../lib/arch';
import { RiscvMachine, type RiscvOptions } from '../lib/emulator/riscv/riscv-machine';
import { decoderRowsOf } from './support/riscv-rows';
import { isExecutable } from './support/riscv-words';

const base = 0x1000;
const data = 0x4000;
const handler = 0x2000;

function machineFor(xlen: 32 | 64, words: readonly number[], options: RiscvOptions = {}): RiscvMachine {
  const cpu = riscvCpus.filter(({ isa }) => isa.xlen === xlen).at(-1);
  assert.ok(cpu);
  const permissions = { read: true, write: true, execute: true };
  const machine = new RiscvMachine(cpu, [{ name: 'RAM', base, size: 0x8000, permissions }], options);
  const bytes = new Uint8Array(new Uint32Array(words).buffer);
  machine.memory.write(base, bytes);
  machine.state.write('pc', base);
  machine.state.write('mtvec', handler);
  return machine;
}

const nop = 0x00000013;
const ecall = 0x00000073;
const ebreak = 0x00100073;
const mret = 0x30200073;
const sret = 0x10200073;
const wfi = 0x10500073;
/** lw a0, 0(a1); sw a0, 0(a1) */
const load = 0x0005a503;
const store = 0x00a5a023;

for (const xlen of [32, 64] as const) {
  test(`RV${xlen}: ECALL, EBREAK, C.EBREAK and WFI end the run where they are, WFI behind it`, () => {
    for (const [word, reason, pc] of [
      [ecall, 'ecall', base],
      [ebreak, 'ebreak', base],
      [0x9002, 'ebreak', base],
      [wfi, 'wait', base + 4],
    ] as const) {
      const machine = machineFor(xlen, [word]);
      assert.equal(machine.run(10).reason, reason);
      assert.equal(machine.state.pc, pc);
    }
  });

  test(`RV${xlen}: an illegal instruction stops before it has any effect`, () => {
    for (const word of [0, sret, 0xffffffff, 0x0000_405b]) {
      const machine = machineFor(xlen, [nop, word]);
      const stop = machine.run(10);
      assert.equal(stop.reason === 'fault' && stop.fault.kind, 'undefined-instruction', word.toString(16));
      assert.deepEqual([machine.state.pc, machine.instructionCount], [base + 4, 1]);
    }
  });

  test(`RV${xlen}: exceptions enter the handler with mepc, mcause, mtval (3.1.14 to 3.1.16) and return`, () => {
    for (const [word, cause, value] of [
      [ecall, 11n, 0n],
      [ebreak, 3n, BigInt(base)],
      [sret, 2n, BigInt(sret)],
      [load, 5n, 0x10n],
      [store, 7n, 0x10n],
    ] as const) {
      const machine = machineFor(xlen, [word, nop], { traps: true });
      machine.memory.write(handler, new Uint8Array(new Uint32Array([mret]).buffer));
      machine.state.write('a1', 0x10);
      machine.state.write('mstatus', 8);
      machine.run(1);
      const read = (name: string) => machine.state.readWide(name);
      assert.deepEqual(
        [read('pc'), read('mcause'), read('mepc'), read('mtval')],
        [BigInt(handler), cause, BigInt(base), value],
      );
      // MIE to MPIE, MPP = machine.
      assert.equal(read('mstatus') & 0x1888n, 0x1880n);
      machine.state.write('mepc', base + 4);
      machine.run(1);
      assert.equal(machine.state.pc, base + 4);
      assert.equal(read('mstatus') & 0x1888n, 0x88n);
    }
  });

  test(`RV${xlen}: interrupts by priority, vectored (3.1.7, 3.1.9)`, () => {
    const machine = machineFor(xlen, [nop, nop, nop], { traps: true });
    machine.state.write('mtvec', handler | 1);
    machine.state.write('mie', 0x888);
    machine.state.write('mstatus', 8);
    machine.memory.write(handler + 12, new Uint8Array(new Uint32Array([nop]).buffer));
    machine.setInterrupt('timer', true);
    machine.setInterrupt('software', true);
    machine.run(1);
    const top = 1n << BigInt(xlen - 1);
    assert.equal(machine.state.readWide('mcause'), top | 3n);
    assert.equal(machine.state.readWide('mepc'), BigInt(base));
    assert.ok(machine.state.pc >= handler + 12);
  });

  test(`RV${xlen}: user mode may not touch machine CSRs, nor memory that no PMP entry allows (3.7)`, () => {
    // csrr a0, mstatus
    for (const [word, cause] of [
      [0x30002573, 2n],
      [mret, 2n],
      [load, 5n],
    ] as const) {
      const machine = machineFor(xlen, [word], { traps: true });
      machine.state.write('a1', data);
      // One NAPOT entry for the code alone: 0x1000 .. 0x1fff, executable and readable.
      machine.state.write('pmpaddr0', (base >> 2) | 0x1ff);
      machine.state.write('pmpcfg0', 0x1d);
      machine.state.write('priv', 0);
      machine.run(1);
      assert.equal(machine.state.readWide('mcause'), cause, word.toString(16));
      assert.equal(machine.state.readWide('priv'), 3n);
    }
  });

  test(`RV${xlen}: a locked PMP entry binds machine mode too, and keeps its value`, () => {
    const machine = machineFor(xlen, [store], { traps: true });
    machine.state.write('a1', data);
    machine.state.write('pmpaddr0', data >> 2);
    machine.state.write('pmpcfg0', 0x91);
    machine.state.write('pmpcfg0', 0);
    assert.equal(machine.state.readWide('pmpcfg0') & 0xffn, 0x91n);
    machine.run(1);
    assert.equal(machine.state.readWide('mcause'), 7n);
    assert.equal(machine.state.readWide('mtval'), BigInt(data));
  });

  test(`RV${xlen}: misaligned accesses are made, or trap where the hart is told so`, () => {
    const made = machineFor(xlen, [load]);
    made.state.write('a1', data + 1);
    made.memory.write(data, Uint8Array.of(1, 2, 3, 4, 5));
    assert.equal(made.run(1).reason, 'budget');
    assert.equal(made.state.read('a0'), 0x05040302);
    const trapping = machineFor(xlen, [load], { misaligned: 'trap', traps: true });
    trapping.state.write('a1', data + 1);
    trapping.run(1);
    assert.equal(trapping.state.readWide('mcause'), 4n);
  });

  test(`RV${xlen}: jumps through registers, with and without a link`, () => {
    // jalr ra, 4(a1); c.jr a1; c.jalr a1; jr 0(a1)
    for (const [word, target, link] of [
      [0x004580e7, data + 4, base + 4],
      [0x8582, data, 0],
      [0x9582, data, base + 2],
      [0x00058067, data, 0],
    ] as const) {
      const machine = machineFor(xlen, [word]);
      machine.state.write('a1', data);
      machine.run(1);
      assert.deepEqual([machine.state.pc, machine.state.read('ra')], [target, link]);
    }
  });

  test(`RV${xlen}: a reserved rounding mode is illegal, in the instruction or in frm (11.2)`, () => {
    // fadd.s ft0, ft0, ft0 with rm 5 and dynamic
    for (const [word, frm] of [
      [0x00005053, 0],
      [0x00007053, 6],
    ] as const) {
      const machine = machineFor(xlen, [word]);
      machine.state.write('frm', frm);
      const stop = machine.run(1);
      assert.equal(stop.reason === 'fault' && stop.fault.kind, 'undefined-instruction');
    }
  });

  test(`RV${xlen}: minstret counts what was executed before it`, () => {
    // csrr a0, minstret
    const machine = machineFor(xlen, [nop, nop, 0xb0202573]);
    machine.run(3);
    assert.equal(machine.state.read('a0'), 2);
  });

  test(`RV${xlen}: a breakpoint, a host call and the stack limit stop before their instruction`, () => {
    // addi sp, sp, -16
    const machine = machineFor(xlen, [nop, 0xff010113, nop]);
    machine.setBreakpoint(base + 4);
    assert.deepEqual(machine.run(10), { reason: 'breakpoint', address: base + 4 });
    machine.state.write('sp', data);
    machine.setStackLimit(data);
    const stop = machine.run(10, true);
    assert.equal(stop.reason === 'fault' && stop.fault.kind, 'stack-overflow');
    machine.setStackLimit(undefined);
    machine.setHostCall(base + 8);
    assert.deepEqual(machine.run(10, true), { reason: 'host-call', address: base + 8 });
    assert.equal(machine.state.read('sp'), data - 16);
  });
}

/** The rows that the random programs of riscv-differential leave out; each is in a test above. */
test('every row runs in the differential test or here', () => {
  const here = ['ecall', 'ebreak', 'mret', 'sret', 'wfi', 'jalr', 'c.jr', 'c.jalr', 'c.ebreak'];
  const left = new Set(
    decoderRowsOf()
      .filter((row) => !isExecutable(row))
      .map(({ name }) => name),
  );
  assert.deepEqual([...left].sort(), [...here].sort());
});
