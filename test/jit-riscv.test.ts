/** Translated RISC-V code: kernels, and what a debugger, a host and the privileged architecture do around it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { riscvCpus, type RiscvCpu } from '../lib/arch';
import { riscvEmitters, translatedControl } from '../lib/emulator/jit/riscv/riscv-lifter';
import { operationNames } from '../lib/emulator/riscv/operations';
import { RiscvMachine, type RiscvOptions } from '../lib/emulator/riscv/riscv-machine';
import type { Machine, MemoryRegion } from '../lib/emulator/types';
import { kernelMachine, kernelNames, kernelProgram } from '../scripts/bench/kernel-program';
import { EnginePair } from './support/engine-pair';
import { hex } from './support/lockstep';
import { programs } from './support/riscv-programs';

// --- Which instructions ------------------------------------------------------------------------------------------------

/** What the interpreter executes: everything else has an emitter. */
const interpreted =
  /^(csr|ecall|ebreak|illegal|mret|wfi)$|^f(add|sub|mul|div|sqrt|n?madd|n?msub|min|max|eq|lt|le|class|cvt_\w+)_[sdwl]u?$/;

test('every operation is translated or in the list of those that are not', () => {
  const missing = operationNames.filter((name) => !(name in riscvEmitters) && !translatedControl.has(name));
  assert.deepEqual(
    missing.filter((name) => !interpreted.test(name)),
    [],
  );
  assert.deepEqual(
    operationNames.filter((name) => interpreted.test(name) && !missing.includes(name)),
    [],
  );
});

// --- Kernels -----------------------------------------------------------------------------------------------------------

/** As qemu-system-riscv32 prints them for three rounds. */
const checksums = [
  0x00edc14f, 0x78582f75, 0x9ba1a254, 0x00000402, 0xfe868b6f, 0x005853a0, 0xa774d009, 0x792e85e8, 0x4e8baf97,
];

for (const level of ['O0', 'O2'] as const) {
  test(`kernels, -${level}: QEMU's checksums, the interpreter's counts, 99 % as WebAssembly`, () => {
    const program = kernelProgram('rv32', level);
    for (const [kernel, name] of kernelNames.entries()) {
      const counts = [undefined, {}].map((jit) => {
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
    const { translated, interpreted: rest } = machine.translation ?? { translated: 0, interpreted: 1 };
    const share = translated / (translated + rest);
    assert.ok(share >= 0.99, `${(100 * share).toFixed(2)} % of the instructions`);
  });
}

// --- Debugging ---------------------------------------------------------------------------------------------------------

const base = 0x2000_0000;
const data = base + 0x1000;
const stackTop = base + 0x3f00;
const end = base + 0xf00;
const permissions = { read: true, write: true, execute: true };
const ram: MemoryRegion = { name: 'RAM', base, size: 0x4000, permissions };

const bytesOf = (words: readonly number[]) => new Uint8Array(Uint32Array.from(words).buffer);
const largest = (xlen: 32 | 64): RiscvCpu => {
  const found = riscvCpus.filter(({ isa }) => isa.xlen === xlen).at(-1);
  assert.ok(found);
  return found;
};

interface Start {
  readonly options?: RiscvOptions;
  readonly more?: readonly MemoryRegion[];
  readonly registers?: Readonly<Record<string, number>>;
  /** Translated as in a session: when it is hot. */
  readonly sampled?: boolean;
}

function pairOf(
  xlen: 32 | 64,
  code: readonly number[],
  { options, more = [], registers, sampled }: Start = {},
): EnginePair {
  const cpu = largest(xlen);
  const regions = [ram, ...more];
  const pair = new EnginePair(
    cpu,
    regions,
    (jit) => new RiscvMachine(cpu, regions, { ...options, jit: jit && (sampled === true ? {} : jit) }),
  );
  pair.both((machine) => {
    machine.memory.write(base, bytesOf(code));
    machine.memory.write(
      data,
      new Uint8Array(0x1000).map((_, i) => i * 7),
    );
    machine.setHostCall(end);
    const start = { sp: stackTop, ra: end, a2: data, ...registers, pc: base };
    for (const [name, value] of Object.entries(start)) machine.state.write(name, value);
  });
  return pair;
}

const atEnd = { reason: 'host-call', address: end } as const;
const read = (machine: Machine, name: string) => machine.state.read(name);

for (const xlen of [32, 64] as const) {
  test(`RV${xlen}: a breakpoint in a hot loop stops every time, at the same counts, and comes and goes`, () => {
    const pair = pairOf(xlen, programs.countingLoop);
    pair.run(1000, 'warm');
    assert.ok(pair.share > 0.9);
    pair.both((machine) => machine.setBreakpoint(base + 12));
    for (let i = 0; i < 20; i++) {
      const stop = pair.run(10_000, `hit ${i}`, i > 0);
      assert.deepEqual(stop, { reason: 'breakpoint', address: base + 12 });
    }
    pair.both((machine) => machine.clearBreakpoint(base + 12));
    const before = pair.translated.translation?.translated ?? 0;
    assert.deepEqual(pair.run(10_000, 'to the end'), atEnd);
    assert.ok((pair.translated.translation?.translated ?? 0) > before + 1000);
  });

  test(`RV${xlen}: every budget ends at its instruction`, () => {
    const pair = pairOf(xlen, programs.countingLoop);
    for (let budget = 0; budget < 200; budget++) pair.run(budget, `budget ${budget}`);
  });

  test(`RV${xlen}: code that changes itself is executed as it is`, () => {
    const pair = pairOf(xlen, programs.rewritingLoop);
    assert.deepEqual(pair.run(100_000, 'to the end'), atEnd);
    // 200 + 199 + ... + 1
    assert.equal(read(pair.translated, 'a0'), 20100);
  });

  test(`RV${xlen}: a fault in the middle of a loop leaves the state before its instruction`, () => {
    const pair = pairOf(xlen, programs.storing, { registers: { a1: data } });
    assert.equal(pair.run(1_000_000, 'fault').reason, 'fault');
    assert.ok(pair.share > 0.9);
  });

  test(`RV${xlen}: stack limits and read-only memory fault alike`, () => {
    const pair = pairOf(xlen, programs.pushing);
    pair.both((machine) => machine.setStackLimit(base + 0x2800));
    const stop = pair.run(100_000, 'limit');
    assert.ok(stop.reason === 'fault' && stop.fault.kind === 'stack-overflow');
    const rom = { name: 'ROM', base: 0x3000_0000, size: 0x1000, permissions: { ...permissions, write: false } };
    const other = pairOf(xlen, programs.readOnly, { more: [rom], registers: { a1: rom.base + 16, a2: 0 } });
    const second = other.run(100_000, 'read-only');
    assert.ok(second.reason === 'fault' && second.fault.kind === 'forbidden');
    assert.ok(pair.share > 0.8 && other.share > 0.9);
  });

  test(`RV${xlen}: recursion deeper than WebAssembly frames may be`, () => {
    const pair = pairOf(xlen, xlen === 32 ? programs.sum32 : programs.sum64, { registers: { a0: 700 } });
    assert.deepEqual(pair.run(1_000_000, 'deep'), atEnd);
    assert.equal(read(pair.translated, 'a0'), (700 * 701) / 2);
    assert.ok(pair.share > 0.9);
  });

  test(`RV${xlen}: minstret is exact from within a region, and WFI waits behind itself`, () => {
    const pair = pairOf(xlen, programs.counting, { registers: { a1: 500 } });
    assert.deepEqual(pair.run(100_000, 'to WFI'), { reason: 'wait' });
    assert.deepEqual(pair.run(100_000, 'to the end'), atEnd);
    assert.ok(pair.share > 0.7);
  });

  test(`RV${xlen}: reservations, atomics, and their misaligned fault`, () => {
    const pair = pairOf(xlen, programs.atomics, { registers: { a1: 300 } });
    for (let i = 0; i < 20; i++) pair.run(97, `slice ${i}`);
    const stop = pair.run(100_000, 'misaligned');
    assert.ok(stop.reason === 'fault' && stop.fault.kind === 'unaligned');
    assert.ok(pair.share > 0.7, `${pair.share}`);
  });

  test(`RV${xlen}: misaligned accesses are made, over pages too, or trap where the hart is told so`, () => {
    const registers = { a1: 200, a2: base + 0x1f80 };
    const pair = pairOf(xlen, programs.misaligned, { registers });
    assert.deepEqual(pair.run(100_000, 'made'), atEnd);
    const refused = pairOf(xlen, programs.misaligned, { registers, options: { misaligned: 'trap' } });
    const stop = refused.run(100_000, 'refused');
    assert.ok(stop.reason === 'fault' && stop.fault.kind === 'unaligned');
  });

  test(`RV${xlen}: a jump through a table of addresses, which changes`, () => {
    const pair = pairOf(xlen, xlen === 32 ? programs.table32 : programs.table64, { registers: { a1: 2000 } });
    const entries = [28, 36, 44, 52].flatMap((offset) => (xlen === 32 ? [base + offset] : [base + offset, 0]));
    const table = base + 0x400;
    pair.both((machine) => machine.memory.write(table, bytesOf(entries)));
    pair.run(1500, 'warm');
    const modules = pair.translated.translation?.translated ?? 0;
    pair.run(8000, 'in the loop');
    assert.ok((pair.translated.translation?.translated ?? 0) - modules > 7900);
    pair.both((machine) => machine.memory.write(table, bytesOf(entries.slice(xlen / 32))));
    pair.run(1000, 'rotated');
    pair.both((machine) => machine.memory.write(table, bytesOf([end])));
    assert.deepEqual(pair.run(1000, 'away'), atEnd);
  });

  test(`RV${xlen}: calls by AUIPC and JALR stay in translated code`, () => {
    const pair = pairOf(xlen, programs.far, { registers: { a1: 1000 } });
    assert.equal(pair.run(100_000, 'to EBREAK').reason, 'ebreak');
    assert.equal(read(pair.translated, 'a0'), 2000);
    assert.ok(pair.share > 0.95);
  });

  test(`RV${xlen}: a function that begins with its loop is sampled and translated`, () => {
    const pair = pairOf(xlen, programs.nothingButALoop, { sampled: true, registers: { a0: 0, a1: 300_000 } });
    pair.both((machine) => machine.addFunctions?.([base]));
    assert.equal(pair.run(1_000_000, 'to EBREAK').reason, 'ebreak');
    assert.equal(read(pair.translated, 'a0'), 300_000);
    assert.ok(pair.share > 0.5);
  });

  test(`RV${xlen}: floating-point registers are moved by translated code, arithmetic is the interpreter's`, () => {
    const pair = pairOf(xlen, programs.floats, { registers: { a1: 200 } });
    for (let i = 0; i < 10; i++) pair.run(150, `slice ${i}`);
    assert.deepEqual(pair.run(100_000, 'to the end'), atEnd);
    assert.ok(pair.share > 0.6);
    // With the unit off they are illegal.
    pair.both((machine) => {
      machine.state.write('mstatus', 0);
      machine.state.write('pc', base);
    });
    const stop = pair.run(1000, 'off');
    assert.ok(stop.reason === 'fault' && stop.fault.kind === 'undefined-instruction');
  });

  // --- Traps ---------------------------------------------------------------------------------------------------------

  const handler = base + 0x800;
  /** The program with a handler that skips the instruction which has trapped. */
  function trapping(code: readonly number[], registers: Readonly<Record<string, number>>): EnginePair {
    const pair = pairOf(xlen, code, { options: { traps: true }, registers });
    pair.both((machine) => {
      machine.memory.write(handler, bytesOf(programs.skipping));
      machine.state.write('mtvec', handler);
    });
    return pair;
  }

  test(`RV${xlen}: environment calls are trapped and return`, () => {
    const pair = trapping(programs.calling, { a1: 300 });
    for (let i = 0; i < 10; i++) pair.run(70 + i, `slice ${i}`);
    assert.deepEqual(pair.run(100_000, 'to the end'), atEnd);
    assert.deepEqual([read(pair.translated, 'a0'), read(pair.translated, 's2')], [300, 300]);
    assert.ok(pair.share > 0.5, `${pair.share}`);
  });

  test(`RV${xlen}: what PMP refuses traps in the middle of a loop, in machine mode too when it is locked`, () => {
    const pair = trapping(programs.loading, { a1: 900 });
    pair.run(600, 'warm');
    // NA4, locked, no permissions: one word further on; and later the code itself.
    pair.both((machine) => {
      machine.state.write('pmpaddr0', (data + 0x800) >>> 2);
      machine.state.write('pmpcfg0', 0x90);
    });
    for (let i = 0; i < 5; i++) pair.run(300, `slice ${i}`);
    assert.deepEqual(pair.run(100_000, 'to the end'), atEnd);
    assert.equal(read(pair.translated, 's2'), 1);
    assert.ok(pair.share > 0.4, `${pair.share}`);
  });

  test(`RV${xlen}: user mode runs into machine mode and back, by its own permissions`, () => {
    const pair = trapping(programs.switching, { a1: 150 });
    pair.both((machine) => {
      // User mode may do everything below the data's second half, and read what is behind it.
      machine.state.write('pmpaddr0', (data + 0x800) >>> 2);
      machine.state.write('pmpaddr1', 0x3fff_ffff);
      machine.state.write('pmpcfg0', 0x0f | (0x09 << 8));
      machine.state.write('priv', 0);
    });
    for (let i = 0; i < 12; i++) {
      pair.run(200 + i, `slice ${i}`);
      pair.both((machine) => machine.state.write('a1', 100));
    }
    // Nothing executable any more: the fetch traps.
    pair.both((machine) => {
      machine.state.write('priv', 0);
      machine.state.write('pmpcfg0', 0x0b | (0x09 << 8));
    });
    pair.run(5, 'refused');
    assert.equal(read(pair.translated, 'mcause'), 1);
  });

  test(`RV${xlen}: interrupts are taken between runs and when they are enabled`, () => {
    const pair = trapping(programs.countingLoop, {});
    pair.both((machine) => {
      // The handler masks the timer: csrw mie, zero; mret
      machine.memory.write(handler, bytesOf([0x30401073, 0x30200073]));
      machine.state.write('mstatus', 8);
    });
    for (let i = 0; i < 8; i++) {
      pair.run(200 + i, `slice ${i}`);
      pair.both((machine) => {
        assert.ok(machine instanceof RiscvMachine);
        machine.setInterrupt('timer', i % 2 === 0);
        machine.state.write('mie', 0x80);
      });
    }
    assert.equal(pair.translated.state.readWide('mcause') & 0xffn, 7n);
    assert.deepEqual(pair.run(100_000, 'to the end'), atEnd);
  });

  test(`RV${xlen}: random stops in programs with traps`, () => {
    for (let seed = 0; seed < 6; seed++) {
      const pair = trapping(seed % 2 === 0 ? programs.calling : programs.misaligned, { a1: 400, a2: base + 0x1f80 });
      for (let runs = 0; runs < 25; runs++) pair.run(60 + ((seed * 131 + runs * 37) % 90), `seed ${seed}, ${runs}`);
    }
  });
}

test('RV64: an address beyond 32 bits is refused in the instruction that has it', () => {
  const pair = pairOf(64, programs.beyond, { registers: { a1: 500 } });
  const stop = pair.run(100_000, 'beyond');
  assert.ok(stop.reason === 'fault' && stop.fault.wideAddress === 2n ** 32n + BigInt(data));
  assert.ok(pair.share > 0.9);
});

test('RV64: doublewords beside the code, unaligned ones, and at the end of memory', () => {
  const besideCode = base + 0x800;
  for (const a2 of [besideCode, besideCode + 4, base + 0x3ff0, base + 0x3ffc, base - 8]) {
    const pair = pairOf(64, programs.doublewords, { registers: { a1: 2000, a2 } });
    const { reason } = pair.run(100_000, hex(a2));
    assert.equal(reason, a2 > base + 0x3ff0 || a2 < base ? 'fault' : 'ebreak', hex(a2));
    if (a2 === besideCode) assert.ok(pair.share > 0.95, `${100 * pair.share} % translated`);
  }
});

test('code and data in the upper half of the address space', () => {
  const cpu = largest(32);
  const high = 0x8000_0000;
  const region = { name: 'RAM', base: high, size: 0x2000, permissions };
  const pair = new EnginePair(cpu, [region]);
  pair.both((machine) => {
    machine.memory.write(high, bytesOf(programs.rewritingLoop));
    machine.setHostCall(high + 0x1000);
    machine.state.write('ra', high + 0x1000);
    machine.state.write('pc', high);
  });
  assert.deepEqual(pair.run(100_000, 'to the end'), { reason: 'host-call', address: high + 0x1000 });
  assert.equal(read(pair.translated, 'a0'), 20100);
});

test('where compilation is refused, the interpreter serves', () => {
  const { machine, start, finish } = kernelMachine(kernelProgram('rv32', 'O2'), {
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
