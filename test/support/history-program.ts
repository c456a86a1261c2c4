/**
 * A random life of a target: extensions that are loaded, run and unloaded, random programs that are written into memory and called,
 * a debugger's writes and its own calls in between. The same seed makes the same life on every target. A target can also be led through it
 * step by step, to look at it at chosen moments: that is what running backwards and forwards is compared with.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CpuInfo } from '../../lib/arch';
import { createMachine } from '../../lib/emulator/machine';
import type { SharedMemory } from '../../lib/kernel/memory-owners';
import { LLEXT_HEAP_BASE } from '../../lib/kernel/memory-map';
import { EmulatedTarget } from '../../lib/target/emulated-target';
import type { LoadedExtension } from '../../lib/target/load';
import { Random } from './random';
import { ThumbProgram } from './random-thumb';
import { ControlProgram } from './riscv-control-program';

/** Above what the loader takes of the heap. */
const codeBase = LLEXT_HEAP_BASE + 0x1_8000;
const dataBase = LLEXT_HEAP_BASE + 0x2_0000;

export interface Life {
  readonly target: EmulatedTarget;
  readonly output: string[];
}

export function newLife(cpu: CpuInfo, jit: boolean, historyMiB?: number, sharedMemory?: readonly SharedMemory[]): Life {
  const output: string[] = [];
  const target = EmulatedTarget.create({
    cpu,
    heapSizeKiB: 256,
    historyMiB,
    sharedMemory,
    machine: (options) => createMachine({ ...options, jit: jit ? { threshold: 0 } : undefined }),
    listener: { output: ({ text }) => output.push(text) },
  });
  return { target, output };
}

/** Runs until the call has returned, or failed, or the moment is reached. */
export type Run = (target: EmulatedTarget, until: number) => Promise<void>;

export const runFreely: Run = async (target, until) => {
  await target.resume({ kind: 'continue', until });
};

/** Not every random program ends. */
const longestRun = 8000;

const filesOf = (cpu: CpuInfo): readonly string[] => {
  if (cpu.arch === 'arm') return ['hello/hello.llext', 'sensor/sensor.llext', 'init-fini/init_fini.llext'];
  const isa = `rv${cpu.isa.xlen}imac`;
  return [`riscv/hello.${isa}.llext`, `riscv/sensor.${isa}.llext`];
};

export async function live({ target }: Life, cpu: CpuInfo, seed: number, run: Run): Promise<void> {
  const random = new Random(seed);
  const loaded: LoadedExtension[] = [];
  for (let i = 0; i < 12; i++) {
    const [chosen] = loaded.slice(-1);
    const what = i === 0 ? 0 : random.below(6);
    if (what === 0 || chosen === undefined) loaded.push(...load(target, cpu, random));
    else if (what === 1) await callExtension(target, chosen, run);
    else if (what === 2) target.unloadExtension(loaded.pop() ?? chosen);
    else if (what === 3) await callAside(target, chosen);
    else await callProgram(target, cpu, random, run);
  }
}

function load(target: EmulatedTarget, cpu: CpuInfo, random: Random): LoadedExtension[] {
  const files = filesOf(cpu);
  const file = files[random.below(files.length)];
  const bytes = readFileSync(join(import.meta.dirname, '..', '..', 'examples', file));
  const outcome = target.loadExtension({ name: `ext${random.below(1000)}`, bytes });
  assert.ok(outcome.loaded, outcome.loaded ? '' : outcome.message);
  return [outcome];
}

function entryOf({ extension }: LoadedExtension): { readonly address: bigint } {
  const symbol = extension.expTab.symbols.find(({ address }) => extension.hasCodeAt(address));
  assert.ok(symbol !== undefined);
  return symbol;
}

async function callExtension(target: EmulatedTarget, chosen: LoadedExtension, run: Run): Promise<void> {
  target.prepareCall(entryOf(chosen).address, [], target.bringUpCalls([chosen]));
  await run(target, target.history.now + longestRun);
}

/** As an expression of the Debug Console calls a function: it is undone, and takes no time. */
async function callAside(target: EmulatedTarget, chosen: LoadedExtension): Promise<void> {
  const { address } = entryOf(chosen);
  const { base, size } = target.kernel.image.map.stack;
  const stackPointer = BigInt(base + size - 1024);
  const [time, output] = [target.history.now, [] as string[]];
  const call = { address, stackPointer, registers: new Map<string, bigint>() };
  await target.excursion((excursion) => excursion.call(call, () => Promise.resolve()), {
    limit: longestRun,
    output: ({ text }) => output.push(text),
  });
  assert.equal(target.history.now, time);
  assert.ok(output.length > 0, 'it has run');
}

const bytesOf = (halfwords: readonly number[]) => Uint8Array.from(halfwords.flatMap((h) => [h & 0xff, h >>> 8]));

async function callProgram(target: EmulatedTarget, cpu: CpuInfo, random: Random, run: Run): Promise<void> {
  const { halfwords, entry } =
    cpu.arch === 'arm'
      ? new ThumbProgram(cpu, random, codeBase).make()
      : new ControlProgram(cpu, random, codeBase).make();
  target.writeMemoryNow(BigInt(codeBase), bytesOf(halfwords));
  target.writeMemoryNow(
    BigInt(dataBase),
    new Uint8Array(0x4000).map(() => random.next() >>> 11),
  );
  target.prepareCall(BigInt(entry));
  const registers: readonly (readonly [string, number])[] =
    cpu.arch === 'arm'
      ? [['r8', dataBase + 0x800], ...[0, 1, 2, 3, 4, 5, 6].map((i) => [`r${i}`, random.word()] as const)]
      : [
          ['s0', dataBase + 0x1000],
          ['s1', dataBase + 0x2400],
          ...['a0', 'a3', 's5'].map((r) => [r, random.word()] as const),
        ];
  for (const [name, value] of registers) target.writeRegisterNow(name, BigInt(value >>> 0));
  await run(target, target.history.now + longestRun);
}

/** Led step by step, looked at as soon as it is at or after each of the times (ascending). */
export function steppingThrough(times: readonly number[], look: (target: EmulatedTarget) => void): Run {
  let next = 0;
  return async (target, until) => {
    while (target.history.now < until) {
      while (next < times.length && times[next] < target.history.now) next++;
      if (times[next] === target.history.now) {
        look(target);
        next++;
      }
      const { reason } = await target.resume({ kind: 'step-instruction' });
      if (reason !== 'step') return;
    }
  };
}

/** All that can be seen or has an effect later, of a target at one moment. */
export function fingerprint(target: EmulatedTarget): string {
  const { machine, kernel } = target;
  const hash = createHash('sha1');
  for (const { name, base, size } of machine.memory.regions) {
    hash.update(`${name} ${base} ${size}`);
    hash.update(machine.memory.peek(base, size));
  }
  const registers = machine.state.registerNames.map((name) => `${name}=${machine.state.readWide(name)}`).join(' ');
  const { llext, checks, ...rest } = kernel.snapshot();
  const loaded = target.loadedExtensions.map(({ name, instance }) => `${name}#${instance.id}`).join(' ');
  const records = llext.records.map(({ id, name, address }) => `${id} ${name} ${address}`).join(', ');
  return JSON.stringify({
    time: target.history.now,
    instructions: machine.instructionCount,
    registers,
    memory: hash.digest('hex'),
    rest,
    isChecked: checks !== undefined,
    nextId: llext.nextId,
    records,
    loaded,
  });
}
