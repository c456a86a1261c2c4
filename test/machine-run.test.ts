/**
 * The engine's promises that no single instruction shows: exact counts at every budget, faults before any effect,
 * breakpoints (in IT blocks, set while decoded), host calls, stack limits, and code that is written over.
 * Encodings are written as arm-none-eabi-as assembles the comment beside them.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Ccr, State } from '../lib/emulator/arm/state';
import { createMachine } from '../lib/emulator/machine';
import type { GuestMemory } from '../lib/emulator/memory';
import type { Fault, FaultKind, Machine, RunStop } from '../lib/emulator/types';
import { cpuNamed } from './support/lockstep';

const code = 0x08000000;
const ram = 0x20000000;
const guard = 0x20003000;
const stack = 0x20004000;

function machineOf(cpu = 'cortex-m3'): Machine {
  const rx = { read: true, write: false, execute: true };
  const rwx = { read: true, write: true, execute: true };
  return createMachine({
    cpu: cpuNamed(cpu),
    regions: [
      { name: 'flash', base: code, size: 0x4000, permissions: rx },
      { name: 'RAM', base: ram, size: 0x3000, permissions: rwx },
      {
        name: 'stack guard',
        base: guard,
        size: 0x1000,
        permissions: { read: false, write: false, execute: false },
        stackGuard: true,
      },
      { name: 'stack', base: stack, size: 0x2000, permissions: { read: true, write: true, execute: false } },
    ],
  });
}

function put(machine: Machine, address: number, ...halfwords: number[]): void {
  machine.memory.write(address, Uint8Array.from(halfwords.flatMap((h) => [h & 0xff, h >>> 8])));
}

function start(machine: Machine, ...halfwords: number[]): Machine {
  put(machine, code, ...halfwords);
  machine.state.write('sp', stack + 0x1000);
  machine.state.write('pc', code);
  return machine;
}

const pc = (machine: Machine) => machine.state.read('pc');
const registers = (machine: Machine) => machine.state.registerNames.map((name) => machine.state.read(name));

function faultOf(stop: RunStop): Fault {
  return stop.reason === 'fault' ? stop.fault : assert.fail(`stopped with ${stop.reason}`);
}

/** Runs into a fault and checks that neither registers nor memory have changed by the faulting instruction. */
function faults(machine: Machine, kind: FaultKind, budget = 1): Fault {
  const before = registers(machine);
  const bytes = [machine.memory.read(ram, 0x3000), machine.memory.read(stack, 0x2000)];
  const count = machine.instructionCount;
  const fault = faultOf(machine.run(budget));
  assert.equal(fault.kind, kind, fault.message);
  assert.equal(fault.pc, pc(machine));
  assert.deepEqual(registers(machine), before);
  assert.deepEqual([machine.memory.read(ram, 0x3000), machine.memory.read(stack, 0x2000)], bytes);
  assert.equal(machine.instructionCount, count);
  return fault;
}

/** A countdown with an IT block: 1 + 10 * 5 instructions. */
const loop = [
  0x200a, // movs r0, #10
  0x3801, // 1: subs r0, #1
  0xbf14, // ite ne
  0x3103, // addne r1, #3
  0x3205, // addeq r2, #5
  0xd1fa, // bne 1b
  0xbe00, // bkpt
];

describe('counts and budgets', () => {
  test('every budget executes exactly that many instructions', () => {
    const whole = start(machineOf(), ...loop);
    assert.equal(whole.run(1000).reason, 'bkpt');
    assert.equal(whole.instructionCount, 51);
    for (let budget = 0; budget <= 51; budget++) {
      const machine = start(machineOf(), ...loop);
      const single = start(machineOf(), ...loop);
      assert.deepEqual(machine.run(budget), { reason: 'budget' });
      for (let i = 0; i < budget; i++) single.run(1);
      assert.equal(machine.instructionCount, budget);
      assert.deepEqual(registers(machine), registers(single), `after ${budget}`);
      machine.run(1000);
      assert.deepEqual(registers(machine), registers(whole), `resumed after ${budget}`);
      assert.equal(machine.instructionCount, 51);
    }
  });

  test('ITSTATE is in xPSR inside of the block', () => {
    const machine = start(machineOf(), ...loop);
    machine.run(3);
    // ITE NE: firstcond 0001, mask 0100 (an instruction later 1000).
    assert.equal(machine.state.read('xpsr') & 0x0600fc00, 0x00001400);
    machine.run(1);
    assert.equal(machine.state.read('xpsr') & 0x0600fc00, 0x00000800);
    machine.run(1);
    assert.equal(machine.state.read('xpsr') & 0x0600fc00, 0);
  });

  test('a budget larger than one slice is exact too', () => {
    const machine = start(machineOf(), 0xe7fe); // b .
    assert.deepEqual(machine.run(5_000_001), { reason: 'budget' });
    assert.equal(machine.instructionCount, 5_000_001);
  });

  test('a debugger that writes pc into an IT block leaves ITSTATE', () => {
    const machine = start(machineOf(), 0x2000, 0xbf1c, 0x2101, 0x2202, 0xbe00); // movs; itt ne; movne; movne; bkpt
    machine.run(9);
    assert.deepEqual([...machine.state.r.subarray(1, 3)], [0, 0]);
    machine.state.write('pc', code + 4);
    machine.run(9);
    assert.deepEqual([...machine.state.r.subarray(1, 3)], [1, 2]);
    // The block itself is as it was.
    machine.state.write('pc', code);
    machine.state.r[1] = machine.state.r[2] = 0;
    machine.run(9);
    assert.deepEqual([...machine.state.r.subarray(1, 3)], [0, 0]);
  });

  test('ITSTATE written by the debugger holds for the next instructions', () => {
    const machine = start(machineOf(), 0x2101, 0x2202, 0x2303, 0xbe00); // movs r1, r2, r3
    machine.state.write('xpsr', 0x01000000 | (0x04 << 8)); // EQ, two instructions, Z clear
    machine.run(9);
    assert.deepEqual([...machine.state.r.subarray(1, 4)], [0, 0, 3]);
  });
});

describe('faults come before effects', () => {
  const end = ram + 0x2ff8; // The guard page follows 8 bytes later.

  test('LDM and STM that reach into a page without access', () => {
    for (const [halfword, base] of [
      [0xc81e, end], // ldm r0!, {r1-r4}
      [0xc01e, end], // stm r0!, {r1-r4}
    ]) {
      const machine = start(machineOf(), halfword);
      machine.state.r[0] = base;
      machine.state.r[4] = 7;
      const fault = faults(machine, 'stack-overflow');
      assert.equal(fault.address, base);
      assert.equal(fault.size, 16);
    }
  });

  test('PUSH into the guard page and below a limit', () => {
    const machine = start(machineOf(), 0xb51f); // push {r0-r4, lr}
    machine.state.write('sp', stack + 8);
    assert.equal(faults(machine, 'stack-overflow').access, 'write');
    const limited = start(machineOf(), 0xb51f);
    limited.setStackLimit(stack + 0xff0);
    assert.match(faults(limited, 'stack-overflow').message, /below the stack limit 0x20004ff0/);
    limited.setStackLimit(stack + 0xfe8);
    assert.equal(limited.run(1).reason, 'budget');
  });

  test('every way of moving sp below the limit', () => {
    for (const halfwords of [
      [0xb09f], // sub sp, #124
      [0xf5ad, 0x7d80], // sub.w sp, sp, #256
      [0x4685], // mov sp, r0
      [0xf84d, 0x0d04], // str r0, [sp, #-4]!
      [0xe96d, 0x0102], // strd r0, r1, [sp, #-8]!
      [0xf380, 0x8808], // msr MSP, r0
      [0xf8d1, 0xd000], // ldr.w sp, [r1]
      [0xebad, 0x0d02], // sub.w sp, sp, r2
    ]) {
      const machine = start(machineOf(), ...halfwords);
      machine.state.r[0] = stack;
      machine.state.r[1] = ram;
      machine.state.r[2] = 64;
      machine.setStackLimit(stack + 0x1000);
      faults(machine, 'stack-overflow');
    }
  });

  test('Armv8-M: sp below MSPLIM', () => {
    const machine = start(machineOf('cortex-m33'), 0xb082); // sub sp, #8
    machine.state.write('msplim', stack + 0x1000);
    faults(machine, 'stack-overflow');
    machine.state.write('msplim', stack + 0xff8);
    assert.equal(machine.run(1).reason, 'budget');
  });

  test('loads and stores with write-back, exclusive, dual, table branch', () => {
    for (const [kind, ...halfwords] of [
      ['unmapped', 0xf850, 0x1b04], // ldr r1, [r0], #4
      ['unmapped', 0xf840, 0x1f04], // str r1, [r0, #4]!
      ['unmapped', 0xe9d0, 0x1200], // ldrd r1, r2, [r0]
      ['unmapped', 0xe8d0, 0xf001], // tbb [r0, r1]
      ['unmapped', 0xe850, 0x1f00], // ldrex r1, [r0]
      ['unmapped', 0x6801], // ldr r1, [r0]
      ['unmapped', 0x7001], // strb r1, [r0]
    ] as const) {
      const machine = start(machineOf(), ...halfwords);
      machine.state.r[0] = 0x30000000;
      faults(machine, kind);
    }
  });

  test('a word across the end of memory names the access, an unaligned one inside succeeds', () => {
    const machine = start(machineOf(), 0x6001, 0x6802); // str r1, [r0]; ldr r2, [r0]
    machine.state.r[0] = ram + 0x2ffe;
    machine.state.r[1] = 0x11223344;
    faults(machine, 'stack-overflow');
    machine.state.r[0] = ram + 0xffe; // Across a page border.
    assert.equal(machine.run(2).reason, 'budget');
    assert.equal(machine.state.r[2], 0x11223344);
  });

  test('alignment', () => {
    for (const halfwords of [
      [0xc802], // ldm r0!, {r1}
      [0xe9d0, 0x1200], // ldrd r1, r2, [r0]
      [0xe850, 0x1f00], // ldrex r1, [r0]
    ]) {
      const machine = start(machineOf(), ...halfwords);
      machine.state.r[0] = ram + 2;
      faults(machine, 'unaligned');
    }
    const v6 = start(machineOf('cortex-m0'), 0x6801); // ldr r1, [r0]
    v6.state.r[0] = ram + 2;
    faults(v6, 'unaligned');
  });

  test('the traps of CCR: unaligned access and division by zero', () => {
    const machine = start(machineOf(), 0x6801, 0xfb90, 0xf2f3); // ldr r1, [r0]; sdiv r2, r0, r3
    const { state } = machine.memory as GuestMemory;
    machine.state.r[0] = ram + 2;
    state[State.ccr] = Ccr.unalignTrap | Ccr.divideByZeroTrap;
    faults(machine, 'unaligned');
    state[State.ccr] = Ccr.divideByZeroTrap;
    machine.run(1);
    faults(machine, 'divide-by-zero');
    state[State.ccr] = 0;
    assert.equal(machine.run(1).reason, 'budget');
    assert.equal(machine.state.r[2], 0);
  });

  test('writes to flash, fetches from a page without execute permission and from nowhere', () => {
    const machine = start(machineOf(), 0x6001); // str r1, [r0]
    machine.state.r[0] = code;
    assert.match(faults(machine, 'forbidden').message, /not allowed in flash/);
    for (const [target, kind] of [
      [stack, 'forbidden'],
      [0x30000000, 'unmapped'],
      [guard, 'stack-overflow'],
    ] as const) {
      machine.state.write('pc', target);
      const fault = faults(machine, kind);
      assert.equal(fault.access, 'execute');
      assert.equal(fault.address, target);
    }
  });

  test('a 32-bit instruction whose second half is not there', () => {
    const machine = machineOf();
    put(machine, code + 0x3ffe, 0xf000);
    machine.state.write('pc', code + 0x3ffe);
    assert.equal(faults(machine, 'unmapped').address, code + 0x3ffe);
  });

  test('branches that would leave Thumb state', () => {
    for (const [halfwords, memory] of [
      [[0x4700]], // bx r0
      [[0x4780]], // blx r0
      [[0xbd06], 3], // pop {r1, r2, pc}
      [[0xf8d2, 0xf000], 1], // ldr.w pc, [r2]
      [[0xe892, 0x8003], 3], // ldm.w r2, {r0, r1, pc}
      [[0xf85d, 0xfb04], 1], // ldr pc, [sp], #4
    ] as const) {
      const machine = start(machineOf(), ...halfwords);
      machine.state.r[0] = code + 0x100;
      machine.state.r[2] = stack + 0x1000;
      put(machine, stack + 0x1000 + 4 * ((memory ?? 1) - 1), 0x0100, 0x0800);
      assert.equal(faults(machine, 'invalid-state').address, code + 0x100);
      put(machine, stack + 0x1000 + 4 * ((memory ?? 1) - 1), 0x0101, 0x0800);
      machine.state.r[0] = code + 0x101;
      assert.equal(machine.run(1).reason, 'budget');
      assert.equal(pc(machine), code + 0x100);
    }
  });

  test('EXC_RETURN and FNC_RETURN are no places to go', () => {
    for (const [cpu, target] of [
      ['cortex-m3', 0xfffffffd],
      ['cortex-m33', 0xfeffffff],
    ] as const) {
      const machine = start(machineOf(cpu), 0x4700); // bx r0
      machine.state.write('r0', target);
      assert.match(faults(machine, 'unhandled-exception').message, /_RETURN value 0xf/);
    }
  });

  test('a fault in an IT block happens only when its condition holds', () => {
    const machine = start(machineOf(), 0xbf08, 0x6801, 0xbe00); // it eq; ldreq r1, [r0]; bkpt
    machine.state.r[0] = 0x30000000;
    assert.equal(machine.run(9).reason, 'bkpt');
    machine.state.write('pc', code);
    machine.state.write('xpsr', 0x41000000);
    assert.equal(faultOf(machine.run(9)).pc, code + 2);
  });
});

describe('breakpoints and host calls', () => {
  test('set before, while decoded, cleared; continuing from one', () => {
    const machine = start(machineOf(), ...loop);
    machine.setBreakpoint(code + 2);
    assert.deepEqual(machine.run(1000), { reason: 'breakpoint', address: code + 2 });
    assert.deepEqual(machine.run(1000), { reason: 'breakpoint', address: code + 2 });
    assert.equal(machine.instructionCount, 1);
    assert.deepEqual(machine.run(1000, true), { reason: 'breakpoint', address: code + 2 });
    assert.equal(machine.instructionCount, 6);
    machine.setBreakpoint(code + 10);
    assert.deepEqual(machine.run(1000, true), { reason: 'breakpoint', address: code + 10 });
    machine.clearBreakpoint(code + 2);
    machine.clearBreakpoint(code + 10);
    assert.equal(machine.run(1000, true).reason, 'bkpt');
    assert.equal(machine.instructionCount, 51);
  });

  test('in an IT block, also where the condition fails, and the block goes on as it should', () => {
    const machine = start(machineOf(), ...loop);
    machine.setBreakpoint(code + 6);
    machine.setBreakpoint(code + 8);
    let stops = 0;
    let stop = machine.run(1000);
    while (stop.reason === 'breakpoint') {
      stops++;
      stop = machine.run(1000, true);
    }
    assert.equal(stops, 20);
    assert.equal(machine.instructionCount, 51);
    assert.deepEqual([...machine.state.r.subarray(0, 3)], [0, 27, 5]);
  });

  test('on an instruction that branches to itself', () => {
    const machine = start(machineOf(), 0xe7fe); // b .
    machine.setBreakpoint(code);
    assert.equal(machine.run(10, true).reason, 'breakpoint');
    assert.equal(machine.instructionCount, 1);
  });

  test('the budget comes first', () => {
    const machine = start(machineOf(), 0xbf00, 0xbf00);
    machine.setBreakpoint(code + 2);
    assert.deepEqual(machine.run(1), { reason: 'budget' });
    assert.deepEqual(machine.run(0), { reason: 'budget' });
    assert.deepEqual(machine.run(1), { reason: 'breakpoint', address: code + 2 });
  });

  test('a host call is recognised by its address, also where no memory is, and never skipped', () => {
    const machine = start(machineOf(), 0x4780, 0xbe00); // blx r0
    machine.state.r[0] = 0x70000001;
    machine.setHostCall(0x70000000);
    assert.deepEqual(machine.run(10), { reason: 'host-call', address: 0x70000000 });
    assert.deepEqual(machine.run(10, true), { reason: 'host-call', address: 0x70000000 });
    assert.equal(machine.instructionCount, 1);
    machine.state.write('pc', machine.state.read('lr'));
    assert.equal(machine.run(10).reason, 'bkpt');
    machine.state.write('pc', code);
    machine.clearHostCall(0x70000000);
    assert.equal(faultOf(machine.run(10)).kind, 'unmapped');
  });
});

describe('code that changes', () => {
  test('the program writes over its next instruction', () => {
    const machine = machineOf();
    // strh r1, [r0]; movs r2, #1 (becomes movs r2, #7); bkpt
    put(machine, ram, 0x8001, 0x2201, 0xbe00);
    for (const expected of [0x2207, 0x2209]) {
      machine.state.write('pc', ram);
      machine.state.r[0] = ram + 2;
      machine.state.r[1] = expected;
      assert.equal(machine.run(9).reason, 'bkpt');
      assert.equal(machine.state.r[2], expected & 0xff);
    }
  });

  test('data beside the code is written without harm', () => {
    const machine = machineOf();
    put(machine, ram, 0x6001, 0x3101, 0x2914, 0xd1fb, 0xbe00); // 1: str r1, [r0]; adds r1, #1; cmp r1, #20; bne 1b
    machine.state.r[0] = ram + 0x80;
    machine.state.write('pc', ram);
    assert.equal(machine.run(1000).reason, 'bkpt');
    assert.equal(machine.memory.read(ram + 0x80, 1)[0], 19);
    assert.equal(machine.instructionCount, 80);
  });

  test('the debugger writes: 16 bits, the second half of 32 bits across a page, an IT', () => {
    const machine = machineOf();
    put(machine, ram + 0xffe, 0xf04f, 0x0001, 0xbe00); // mov.w r0, #1
    machine.state.write('pc', ram + 0xffe);
    machine.run(9);
    put(machine, ram + 0x1000, 0x0002);
    machine.state.write('pc', ram + 0xffe);
    machine.run(9);
    assert.equal(machine.state.r[0], 2);
    put(machine, ram + 0xffe, 0xbf18, 0x2105, 0xbe00); // it ne; movne r1, #5
    machine.state.write('xpsr', 0x41000000);
    machine.state.write('pc', ram + 0xffe);
    machine.run(9);
    assert.equal(machine.state.r[1], 0);
    put(machine, ram + 0xffe, 0xbf00); // Now unconditional.
    machine.state.write('pc', ram + 0xffe);
    machine.run(9);
    assert.equal(machine.state.r[1], 5);
  });

  test('a branch into the middle of a 32-bit instruction', () => {
    const machine = machineOf();
    put(machine, ram, 0xf04f, 0x2001, 0xbe00); // mov.w r0, #0x01000100; its second half is movs r0, #1
    for (const [at, value] of [
      [0, 0x01000100],
      [2, 1],
      [0, 0x01000100],
      [2, 1],
    ]) {
      machine.state.write('pc', ram + at);
      assert.equal(machine.run(9).reason, 'bkpt');
      assert.equal(machine.state.r[0], value);
    }
  });

  test('more pages of code than the cache holds', () => {
    const pages = 1100;
    const machine = createMachine({
      cpu: cpuNamed('cortex-m3'),
      regions: [
        { name: 'flash', base: code, size: pages * 4096, permissions: { read: true, write: false, execute: true } },
      ],
    });
    for (let i = 0; i < pages; i++) put(machine, code + i * 4096, 0x3001, 0xf000, 0xbffd); // adds r0, #1; b.w +0xffe
    put(machine, code + (pages - 1) * 4096 + 2, 0xbe00);
    for (const round of [1, 2]) {
      machine.state.write('pc', code);
      assert.equal(machine.run(1e6).reason, 'bkpt');
      assert.equal(machine.state.r[0], pages * round);
    }
  });
});

describe('special registers', () => {
  test('sp is MSP or PSP by CONTROL, in the state and in the program', () => {
    const machine = start(machineOf(), 0xf380, 0x8809, 0xf381, 0x8814, 0xb082, 0xbe00); // msr PSP, r0; msr CONTROL, r1; sub sp, #8
    machine.state.r[0] = stack + 0x800;
    machine.state.r[1] = 2;
    machine.run(9);
    assert.equal(machine.state.read('sp'), stack + 0x7f8);
    assert.equal(machine.state.read('psp'), stack + 0x7f8);
    assert.equal(machine.state.read('msp'), stack + 0x1000);
    machine.state.write('control', 0);
    assert.equal(machine.state.read('sp'), stack + 0x1000);
  });

  test('unprivileged code reads zero and writes nothing', () => {
    const machine = start(machineOf(), 0xf380, 0x8814, 0xf380, 0x8810, 0xf3ef, 0x8210, 0xbe00); // msr CONTROL, r0; msr PRIMASK, r0; mrs r2, PRIMASK
    machine.state.r[0] = 1;
    machine.state.r[2] = 5;
    machine.run(9);
    assert.equal(machine.state.read('primask'), 0);
    assert.equal(machine.state.r[2], 0);
  });

  test('CPS and BASEPRI_MAX', () => {
    const machine = start(machineOf(), 0xb672, 0xb661, 0xf380, 0x8812, 0xf381, 0x8812, 0xbe00); // cpsid i; cpsie f; msr BASEPRI_MAX, r0 and r1
    machine.state.write('faultmask', 1);
    machine.state.r[0] = 0x40;
    machine.state.r[1] = 0x80;
    machine.run(9);
    assert.deepEqual(
      ['primask', 'faultmask', 'basepri'].map((name) => machine.state.read(name)),
      [1, 0, 0x40],
    );
  });

  test('exclusive accesses: stored once after a load, not after CLREX', () => {
    const machine = start(
      machineOf(),
      0xe850,
      0x1f00,
      0xe840,
      0x3200,
      0xe840,
      0x3400,
      0xe850,
      0x1f00,
      0xf3bf,
      0x8f2f,
      0xe840,
      0x3500,
      0xbe00,
    );
    machine.state.r[0] = ram;
    machine.state.r[3] = 9;
    machine.run(99);
    // r2: stored, r4: no longer marked, r5: after CLREX.
    assert.deepEqual(
      [2, 4, 5].map((n) => machine.state.r[n]),
      [0, 1, 1],
    );
    assert.equal(machine.memory.read(ram, 1)[0], 9);
  });

  test('the registers that a core has', () => {
    assert.ok(!machineOf('cortex-m0').state.registerNames.includes('basepri'));
    assert.ok(machineOf('cortex-m33').state.registerNames.includes('psplim'));
    assert.throws(() => machineOf().state.read('msplim'), RangeError);
    assert.throws(() => machineOf().state.write('r16', 0), RangeError);
  });
});
