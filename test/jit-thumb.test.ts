/** Translated Thumb code: the vectors of every decoder row, and what a debugger and a host do around it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMachine } from '../lib/emulator/machine';
import type { Machine, MemoryRegion } from '../lib/emulator/types';
import { kernelMachine, kernelNames, kernelProgram } from '../scripts/bench/kernel-program';
import { EnginePair } from './support/engine-pair';
import { apsrOf, codeBase, cpuNamed, dataBase, dataSize, hex } from './support/lockstep';
import { changedBytes, readVectors, vectorAddress, vectorData, type Vector } from './support/thumb-vectors';
import { batchNames } from './support/unicorn';

const executable = { read: true, write: false, execute: true };
const writable = { read: true, write: true, execute: false };
const everything = { read: true, write: true, execute: true };
const bytesOf = (halfwords: readonly number[]) => Uint8Array.from(halfwords.flatMap((h) => [h & 0xff, h >>> 8]));

// --- The suite of the decoder's rows ---------------------------------------------------------------------------------

const regions: readonly MemoryRegion[] = [
  { name: 'code', base: codeBase, size: 0x1000000, permissions: executable },
  { name: 'data', base: dataBase, size: dataSize, permissions: writable },
];

/** Executes the vector's instruction up to where it leads; undefined when that is the instruction itself. */
function check(machine: Machine, vector: Vector, names: readonly string[]): boolean | undefined {
  const { state, memory } = machine;
  const next = Number(vector.after['pc']);
  if (next === vectorAddress) return undefined;
  if (names.includes('fpscr')) state.write('control', 4);
  const registers = names.filter((name) => name !== 'pc');
  registers.forEach((name, i) => state.write(name, Number(vector.before[i])));
  memory.write(dataBase, vectorData());
  memory.write(vectorAddress, bytesOf([...vector.code.map(Number), 0xe7fe]));
  state.write('pc', vectorAddress);
  machine.setHostCall(next);
  const count = machine.instructionCount;
  const translated = machine.translation?.translated ?? 0;
  const text = `${vector.row}: ${vector.code.join(' ')}`;
  assert.deepEqual(machine.run(1000), { reason: 'host-call', address: next }, text);
  machine.clearHostCall(next);
  assert.equal(machine.instructionCount - count, 1, text);
  const apsr = apsrOf(cpuNamed(vector.cpu));
  const expected = Object.fromEntries(registers.map((name, i) => [name, Number(vector.before[i])]));
  for (const [name, value] of Object.entries(vector.after)) expected[name] = Number(value);
  for (const [name, value] of Object.entries(expected)) {
    const [ours, theirs] = [state.read(name), value].map((x) => (name === 'xpsr' ? (x & apsr) >>> 0 : x));
    assert.equal(hex(ours), hex(theirs), `${text}: ${name}`);
  }
  assert.deepEqual(changedBytes(vectorData(), memory.read(dataBase, dataSize)), vector.memory, text);
  return (machine.translation?.translated ?? 0) > translated;
}

test('vectors of every row, as Unicorn executed them, by translated code', () => {
  const machines = new Map<string, Machine>();
  const make = (cpu: string) => createMachine({ cpu: cpuNamed(cpu), regions, jit: { threshold: 0 } });
  let [done, translated, itself] = [0, 0, 0];
  for (const vector of readVectors()) {
    // Floating-point vectors have more registers; special registers of one vector are not those of the next.
    if (vector.before.length >= batchNames.length) continue;
    const fresh = /^(MSR|CPS|MRS)/.test(vector.row);
    const machine = (!fresh && machines.get(vector.cpu)) || make(vector.cpu);
    if (!fresh) machines.set(vector.cpu, machine);
    const result = check(machine, vector, batchNames);
    if (result === undefined) itself++;
    else done++;
    if (result === true) translated++;
  }
  // What is not translated: the DSP and system instructions, which the interpreter does from within a region.
  assert.ok(itself * 50 < done, `${itself} vectors lead to themselves`);
  assert.ok(translated > done * 0.6, `${translated} of ${done} vectors were translated`);
});

// --- Kernels -----------------------------------------------------------------------------------------------------------

/** As qemu-system-arm and qemu-system-riscv32 print them for three rounds. */
const checksums = [
  0x00edc14f, 0x78582f75, 0x9ba1a254, 0x00000402, 0xfe868b6f, 0x005853a0, 0xa774d009, 0x792e85e8, 0x4e8baf97,
];

for (const level of ['O0', 'O2'] as const) {
  test(`kernels, -${level}: QEMU's checksums, the interpreter's counts, 99 % as WebAssembly`, () => {
    const program = kernelProgram('thumb', level);
    for (const [kernel, name] of kernelNames.entries()) {
      const counts = [undefined, { threshold: 0 }].map((jit) => {
        const { machine, start, finish } = kernelMachine(program, jit);
        start(kernel, 3);
        assert.equal(hex(finish()), hex(checksums[kernel]), name);
        return machine.instructionCount;
      });
      assert.equal(counts[1], counts[0], name);
    }
    const { machine, start, finish } = kernelMachine(program, {});
    kernelNames.forEach((_, kernel) => {
      start(kernel, kernel === 5 ? 200 : 400);
      finish();
    });
    const { translated, interpreted } = machine.translation ?? { translated: 0, interpreted: 1 };
    const share = translated / (translated + interpreted);
    assert.ok(share >= 0.99, `${(100 * share).toFixed(2)} % of the instructions`);
  });
}

// --- Debugging ---------------------------------------------------------------------------------------------------------

const base = 0x2000_0000;
const end = base + 0x1f00;

function pairOf(code: readonly number[], more: readonly MemoryRegion[] = []): EnginePair {
  const ram = { name: 'RAM', base, size: 0x4000, permissions: everything };
  const pair = new EnginePair(cpuNamed('cortex-m3'), [ram, ...more]);
  pair.both((machine) => {
    machine.memory.write(base, bytesOf(code));
    machine.setHostCall(end);
    machine.state.write('sp', base + 0x3000);
    machine.state.write('lr', end | 1);
    machine.state.write('pc', base);
  });
  return pair;
}

/** movs r0, #0; movw r1, #1000; loop: adds r0, #3; subs r1, #1; bne loop; bx lr */
const countingLoop = [0x2000, 0xf240, 0x31e8, 0x3003, 0x3901, 0xd1fc, 0x4770];

test('a breakpoint in a hot loop stops every time, at the same counts, and comes and goes', () => {
  const pair = pairOf(countingLoop);
  pair.run(1000, 'warm');
  assert.ok(pair.share > 0.9);
  pair.both((machine) => machine.setBreakpoint(base + 8));
  for (let i = 0; i < 20; i++) {
    const stop = pair.run(10_000, `hit ${i}`, i > 0);
    assert.deepEqual(stop, { reason: 'breakpoint', address: base + 8 });
  }
  pair.both((machine) => machine.clearBreakpoint(base + 8));
  const before = pair.translated.translation?.translated ?? 0;
  assert.deepEqual(pair.run(10_000, 'to the end'), { reason: 'host-call', address: end });
  assert.ok((pair.translated.translation?.translated ?? 0) > before + 1000);
});

test('every budget ends at its instruction', () => {
  const pair = pairOf(countingLoop);
  for (let budget = 0; budget < 200; budget++) pair.run(budget, `budget ${budget}`);
});

test('code that changes itself is executed as it is', () => {
  // r2 = address of the adds; the loop stores its immediate anew: strb r1, [r2]; adds r0, #n; subs r1; bne; bx lr
  const code = [0x2000, 0x21c8, 0xa201, 0x46c0, 0x7011, 0x46c0, 0x3003, 0x3901, 0xd1fa, 0x4770];
  const pair = pairOf(code);
  // adr r2 gives base + 8 + 4; the instruction's low byte is at base + 12.
  const stop = pair.run(100_000, 'to the end');
  assert.deepEqual(stop, { reason: 'host-call', address: end });
  // 200 + 199 + ... + 1
  assert.equal(pair.translated.state.read('r0'), 20100);
});

test('a literal that is written over is read anew', () => {
  // loop: ldr r0, [pc, #8]; adds r2, r2, r0; subs r1, #1; bne; bx lr; literal
  const code = [0x4802, 0x1812, 0x3901, 0xd1fb, 0x4770, 0xbf00, 5, 0];
  const pair = pairOf(code);
  pair.both((machine) => machine.state.write('r1', 1000));
  pair.run(400, 'with 5');
  pair.both((machine) => machine.memory.write(base + 12, Uint8Array.of(7)));
  assert.deepEqual(pair.run(10_000, 'with 7'), { reason: 'host-call', address: end });
  assert.equal(pair.translated.state.read('r2'), 100 * 5 + 900 * 7);
});

test('a fault in the middle of a loop leaves the state before its instruction', () => {
  // loop: stmia r1!, {r0, r2}; adds r0, #1; b loop, until the end of memory
  const pair = pairOf([0xc105, 0x3001, 0xe7fc]);
  pair.both((machine) => machine.state.write('r1', base + 0x200));
  const stop = pair.run(1_000_000, 'fault');
  assert.equal(stop.reason, 'fault');
  assert.ok(pair.share > 0.9);
});

test('stack limits and read-only memory fault alike', () => {
  // loop: push {r0, r1}; b loop
  const pair = pairOf([0xb403, 0xe7fd]);
  pair.both((machine) => machine.setStackLimit(base + 0x2800));
  const stop = pair.run(100_000, 'limit');
  assert.ok(stop.reason === 'fault' && stop.fault.kind === 'stack-overflow');
  const rom = {
    name: 'ROM',
    base: 0x3000_0000,
    size: 0x1000,
    permissions: { read: true, write: false, execute: false },
  };
  // loop: ldr r0, [r1]; adds r2, #1; cmp r2, #100; bne loop; str r0, [r1]
  const other = pairOf([0x6808, 0x3201, 0x2a64, 0xd1fb, 0x6008], [rom]);
  other.both((machine) => machine.state.write('r1', 0x3000_0010));
  const second = other.run(100_000, 'read-only');
  assert.ok(second.reason === 'fault' && second.fault.kind === 'forbidden');
});

test('recursion deeper than WebAssembly frames may be', () => {
  // f: push {r4, lr}; adds r4, r0, #0; beq out; subs r0, #1; bl f; adds r0, r0, r4; out: pop {r4, pc}
  const code = [0xb510, 0x1c04, 0xd003, 0x3801, 0xf7ff, 0xfffa, 0x1900, 0xbd10];
  const pair = pairOf(code);
  pair.both((machine) => machine.state.write('r0', 900));
  const stop = pair.run(1_000_000, 'deep');
  assert.deepEqual(stop, { reason: 'host-call', address: end });
  assert.equal(pair.translated.state.read('r0'), (900 * 901) / 2);
});

test('registers, WFI and pages with code and data inside of a region', () => {
  // loop: mrs r3, apsr; str r3, [r2]; ldr r4, [r2]; subs r1, #1; bne loop; wfi; bx lr
  const code = [0xf3ef, 0x8300, 0x6013, 0x6814, 0x3901, 0xd1f9, 0xbf30, 0x4770];
  const pair = pairOf(code);
  pair.both((machine) => {
    machine.state.write('r1', 500);
    machine.state.write('r2', base + 0x800);
  });
  assert.deepEqual(pair.run(100_000, 'to WFI'), { reason: 'wait' });
  assert.deepEqual(pair.run(100_000, 'to the end'), { reason: 'host-call', address: end });
  assert.ok(pair.share > 0.6);
});

test('modules are bounded: functions beyond the bound are translated and right', () => {
  const count = 700;
  const ram = { name: 'RAM', base, size: 0x10000, permissions: everything };
  const machine = createMachine({ cpu: cpuNamed('cortex-m3'), regions: [ram], jit: { threshold: 0 } });
  machine.setHostCall(base + 0xff00);
  // Each: adds r0, #1; bx lr
  machine.memory.write(base, bytesOf(Array.from({ length: count * 2 }, (_, i) => (i % 2 === 0 ? 0x3001 : 0x4770))));
  machine.state.write('r0', 0);
  machine.state.write('lr', (base + 0xff00) | 1);
  for (let i = 0; i < count; i++) {
    machine.state.write('pc', base + 4 * i);
    assert.equal(machine.run(1000).reason, 'host-call');
  }
  assert.equal(machine.state.read('r0'), count);
  const { modules = 0, translated = 0 } = machine.translation ?? {};
  assert.equal(translated, 2 * count);
  assert.ok(modules > 0 && modules <= 256, `${modules} modules`);
});

test('where compilation is refused, the interpreter serves', () => {
  const { machine, start, finish } = kernelMachine(kernelProgram('thumb', 'O2'), {
    threshold: 0,
    compile: () => {
      throw new WebAssembly.CompileError('Wasm code generation disallowed by embedder');
    },
  });
  start(0, 3);
  assert.equal(hex(finish()), hex(checksums[0]));
  assert.equal(machine.translation?.translated, 0);
  assert.match(machine.translation.refusal ?? '', /disallowed/);
});
