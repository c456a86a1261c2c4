/**
 * What test/qemu/exceptions.c cannot show: SysTick to the instruction (one executed instruction is one cycle), the same at every
 * budget; sleeping; lockup; a return that is none; and that machines without architectural exceptions still stop at a fault.
 * Encodings are written as arm-none-eabi-as assembles the comment beside them; expectations are the manual's.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ArmMachine } from '../lib/emulator/arm/arm-machine';
import type { SystemLevel } from '../lib/emulator/arm/system-level';
import { createMachine } from '../lib/emulator/machine';
import { cpuNamed } from './support/lockstep';

const permissions = { read: true, write: true, execute: true };
const regions = [
  { name: 'flash', base: 0, size: 0x1000, permissions },
  { name: 'RAM', base: 0x20000000, size: 0x2000, permissions },
];
const handlerAt = 0x200;
const INVPC = 1 << 18;
const cfsr = 0xe000ed28;

/** The program at reset, and handlers by exception number, each 32 bytes after the one before. */
function machineWith(program: readonly number[], handlers: Readonly<Record<number, readonly number[]>> = {}) {
  const machine = new ArmMachine(cpuNamed('cortex-m3'), regions, {});
  const halfwords = (address: number, code: readonly number[]) =>
    machine.memory.write(address, Uint8Array.from(code.flatMap((h) => [h & 0xff, h >>> 8])));
  const vectors = new Uint32Array(64);
  vectors.set([0x20001000, 0x101]);
  for (const [number, code] of Object.entries(handlers)) {
    const at = handlerAt + 32 * Number(number);
    vectors[Number(number)] = at | 1;
    halfwords(at, code);
  }
  machine.memory.write(0, new Uint8Array(vectors.buffer));
  halfwords(0x100, program);
  const { system } = machine;
  if (!system) throw new Error('no system level');
  system.reset();
  return { machine, system };
}

const count = [0x2000, 0x3001, 0xe7fd]; // movs r0, #0; 1: adds r0, #1; b 1b
const countTicks = [0x3701, 0x4770]; // adds r7, #1; bx lr

function startTicks(system: SystemLevel, reload: number): void {
  system.control.write(0xe000e014, reload, 4);
  system.control.write(0xe000e018, 0, 4);
  system.control.write(0xe000e010, 7, 4);
}

test('SysTick expires every RVR + 1 instructions', () => {
  const { machine, system } = machineWith(count, { 15: countTicks });
  startTicks(system, 9);
  // At 10, 20, ... 100; the handler's first instruction is the one after.
  assert.deepEqual(machine.run(100), { reason: 'budget' });
  assert.equal(machine.state.r[7], 9);
  machine.run(1);
  assert.equal(machine.state.r[7], 10);
  assert.equal(machine.state.read('xpsr') & 0x1ff, 15);
  machine.run(1);
  assert.equal(machine.instructionCount, 102);
});

test('exceptions come at the same instruction at every budget', () => {
  const run = (step: number) => {
    const { machine, system } = machineWith(count, { 15: countTicks });
    startTicks(system, 16);
    for (let left = 1000; left > 0; left -= step) machine.run(Math.min(step, left));
    return machine.state.registerNames.map((name) => machine.state.read(name));
  };
  const whole = run(1000);
  for (const step of [1, 2, 3, 7, 17, 100]) assert.deepEqual(run(step), whole, `steps of ${step}`);
});

test('WFI waits for SysTick, or for ever', () => {
  const asleep = machineWith([0xbf30, 0x3001, 0xe7fc]); // 1: wfi; adds r0, #1; b 1b
  assert.deepEqual(asleep.machine.run(10), { reason: 'wait' });
  const ticking = machineWith([0xbf30, 0x3001, 0xe7fc], { 15: countTicks });
  startTicks(ticking.system, 1_000_000);
  assert.deepEqual(ticking.machine.run(50), { reason: 'budget' });
  assert.ok(ticking.machine.state.r[7] >= 9, 'time passes while the core sleeps');
});

test('an interrupt from outside', () => {
  const { machine, system } = machineWith(count, { 21: countTicks });
  system.setPending(5);
  machine.run(10);
  assert.equal(machine.state.r[7], 0, 'not enabled');
  system.control.write(0xe000e100, 1 << 5, 4);
  machine.run(10);
  assert.equal(machine.state.r[7], 1);
});

test('a fault in HardFault locks the core up', () => {
  const { machine } = machineWith([0xde00], { 3: [0xde01] }); // udf; the handler: udf
  const stop = machine.run(10);
  assert.equal(stop.reason, 'fault');
  if (stop.reason === 'fault') assert.match(stop.fault.message, /locked up/);
  assert.equal(machine.state.read('xpsr') & 0x1ff, 3);
});

test('a return with no valid EXC_RETURN is UsageFault INVPC', () => {
  // svc: mvn r0, #12 (0xfffffff3); bx r0. UsageFault: adds r7, #1; b .
  const { machine, system } = machineWith([0xdf00], { 11: [0xf06f, 0x000c, 0x4700], 6: [0x3701, 0xe7fe] });
  system.control.write(0xe000ed24, 1 << 18, 4);
  machine.run(20);
  assert.equal(machine.state.r[7], 1);
  assert.equal(system.control.read(cfsr, 4), INVPC);
  assert.equal(machine.state.read('xpsr') & 0x1ff, 6);
});

test('without architectural exceptions a fault stops before its effect', () => {
  const machine = createMachine({ cpu: cpuNamed('cortex-m3'), regions });
  machine.memory.write(0x100, Uint8Array.of(0x00, 0xde));
  machine.state.write('pc', 0x100);
  const stop = machine.run(5);
  assert.equal(stop.reason, 'fault');
  assert.equal(machine.state.read('pc'), 0x100);
  const architectural = createMachine({ cpu: cpuNamed('cortex-m3'), regions, exceptions: 'architectural' });
  assert.ok(architectural instanceof ArmMachine && architectural.system !== undefined);
});
