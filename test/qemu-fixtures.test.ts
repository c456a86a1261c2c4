/**
 * Every extension of examples/ and test/fixtures gives the same output, return value and final memory on the emulated
 * target as on QEMU's Cortex-M, where it calls newlib and libgcc instead of the base image.
 * For QEMU the extension is linked a second time, against the host program's symbols, at the same addresses.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { cpus, findCpu } from '../lib/arch';
import { ElfFile } from '../lib/elf/elf-file';
import { KHeap } from '../lib/kernel/k-heap';
import { baseImageConfig, DEFAULT_HEAP_SIZE_KIB, LLEXT_LIST, memoryMap } from '../lib/kernel/memory-map';
import { BufLoader } from '../lib/llext/buf-loader';
import type { LlextExtension } from '../lib/llext/extension';
import { LlextSubsystem } from '../lib/llext/llext';
import { PagedMemory } from '../lib/llext/paged-memory';
import { EmulatedTarget } from '../lib/target/emulated-target';
import type { TargetStop } from '../lib/target/target';
import { exampleBuilds, projectRoot, testFixtureBuilds } from './support/fixtures';
import { QemuHost, qemuMachines, type QemuJob, type QemuMachine } from './support/qemu';
import { requireTool } from './support/tools';

interface Case {
  readonly name: string;
  readonly cpu: string;
  /** Loaded in this order; the entry is the last one's. */
  readonly files: readonly string[];
  readonly entry: string;
  readonly args: readonly number[];
  /** r0 means nothing after it. */
  readonly returnsNothing?: boolean;
}

interface Outcome {
  readonly stop: TargetStop;
  readonly output: string;
  readonly stack: number;
  readonly entry: bigint;
  readonly init: readonly bigint[];
  readonly memory: readonly { readonly address: number; readonly bytes: Uint8Array }[];
}

/** Fixtures with other entries or arguments than entry(5); undefined = never returns by itself. */
const special: Record<string, Pick<Case, 'entry' | 'args' | 'returnsNothing'>[] | undefined> = {
  spin: undefined,
  endless: undefined,
  missing: undefined,
  dep_base: undefined,
  shared_first: undefined,
  faulting: [{ entry: 'entry', args: [99] }],
  faults: [{ entry: 'entry', args: [99] }],
  detached_fn: [{ entry: 'test_entry', args: [], returnsNothing: true }],
  entries: [
    { entry: 'none', args: [] },
    { entry: 'add_two', args: [40, 2] },
    { entry: 'weigh_four', args: [1, 2, 3, 4] },
    { entry: 'no_result', args: [], returnsNothing: true },
  ],
};
const usual = [{ entry: 'entry', args: [5] }];
const loadedBefore: Record<string, string> = { dep_user: 'dep_base', shared_second: 'shared_first' };

function cases(): Case[] {
  // Its imports are those of a firmware of its own.
  const builds = exampleBuilds.filter(({ folder }) => folder !== 'examples/with-base');
  return [...builds, ...testFixtureBuilds].flatMap((build) => {
    const source = basename(build.sources[0], '.c');
    const before = source in loadedBefore ? [build.output.replace(source, loadedBefore[source])] : [];
    const runs = source in special ? (special[source] ?? []) : usual;
    const entries = source === 'only' ? [{ ...runs[0], entry: onlyExport(build.folder, build.output) }] : runs;
    return entries.map((call) => ({
      ...call,
      name: `${build.output}:${call.entry}`,
      cpu: build.cpu.replace(/\+.*/, ''),
      files: [...before, build.output].map((file) => join(projectRoot, build.folder, file)),
    }));
  });
}

function onlyExport(folder: string, file: string): string {
  const elf = ElfFile.parse(readFileSync(join(projectRoot, folder, file)));
  const symbol = elf.symbols().find((candidate) => candidate.name.startsWith('__llext_sym_'));
  return (symbol?.name ?? '').replace('__llext_sym_', '');
}

async function runHere(run: Case): Promise<Outcome> {
  let output = '';
  const target = EmulatedTarget.create({
    cpu: findCpu(run.cpu) ?? cpus[0],
    listener: { output: (event) => (output += event.text) },
  });
  for (const file of run.files) {
    const outcome = target.loadExtension({ name: basename(file), bytes: readFileSync(file) });
    if (!outcome.loaded) throw new Error(`${file}: ${outcome.message}`);
  }
  const loaded = target.loadedExtensions.map(({ extension }) => extension);
  const entry = loaded.at(-1)?.expTab.symbols.find((symbol) => symbol.name === run.entry)?.address;
  assert.ok(entry !== undefined, `${run.name} is exported`);
  const init = target.bringUpCalls();
  target.prepareCall(
    entry,
    run.args.map((value) => BigInt(value)),
    init,
  );
  const stack = Number(await target.readRegister('sp'));
  const stop = await target.resume({ kind: 'continue' });
  const memory = writable(loaded).map(({ address, length }) => ({
    address,
    bytes: target.readMemoryNow(BigInt(address), length).data,
  }));
  return { stop, output, stack, entry, init: init.map(({ address }) => address), memory };
}

/** DATA and BSS of all extensions. */
function writable(extensions: readonly LlextExtension[]): { address: number; length: number }[] {
  return extensions.flatMap(({ mem, memSize }) =>
    [1, 3]
      .filter((region) => mem[region] !== 0n)
      .map((region) => ({ address: Number(mem[region]), length: Number(memSize[region]) })),
  );
}

/** What lies in the llext heap after the same loads, linked against the host's symbols. */
function relink(run: Case, host: QemuHost): { address: number; bytes: Uint8Array } {
  const map = memoryMap(DEFAULT_HEAP_SIZE_KIB);
  const memory = new PagedMemory([{ start: 0x2000_0000n, end: 0x2100_0000n }]);
  const heapMemory = {
    read: (address: number, length: number) => memory.read(BigInt(address), length),
    write: (address: number, bytes: Uint8Array) => memory.write(BigInt(address), bytes),
  };
  const heap = KHeap.init(heapMemory, map.llextHeap.base, map.llextHeap.size).asLlextHeap();
  const subsystem = new LlextSubsystem({
    memory,
    heaps: { metadata: heap, data: heap, instruction: heap },
    config: baseImageConfig(cpus[0]),
    exports: host.exports(),
    listAddress: BigInt(LLEXT_LIST),
  });
  let next = BigInt(map.elfBuffers);
  for (const file of run.files) {
    const bytes = readFileSync(file);
    memory.write(next, bytes);
    const loader = new BufLoader(memory, next, bytes.length, { storage: 'temporary' });
    assert.equal(subsystem.load(loader, basename(file)).ret, 0, `${file} links against the QEMU host`);
    next += BigInt(bytes.length + 0x1000) & ~0xfffn;
  }
  const ends = subsystem
    .extensions()
    .flatMap(({ mem, memSize }) => mem.map((address, i) => Number(address) + Number(memSize[i])));
  const length = Math.max(...ends) - map.llextHeap.base;
  return { address: map.llextHeap.base, bytes: heapMemory.read(map.llextHeap.base, length) };
}

function job(run: Case, here: Outcome, host: QemuHost): QemuJob {
  return {
    name: run.name,
    entry: Number(here.entry),
    stack: here.stack,
    args: run.args,
    init: here.init.map(Number),
    loads: [relink(run, host)],
    dumps: here.memory.map(({ address, bytes }) => ({ address, length: bytes.length })),
  };
}

function undefinedSymbols(runs: readonly Case[]): Set<string> {
  const files = new Set(runs.flatMap((run) => run.files));
  return new Set(
    [...files].flatMap((file) =>
      ElfFile.parse(readFileSync(file))
        .symbols()
        .filter((symbol) => symbol.index > 0 && symbol.st_shndx === 0)
        .map((symbol) => symbol.name),
    ),
  );
}

async function compareAll(t: TestContext, machine: QemuMachine, runs: readonly Case[]): Promise<void> {
  const gcc = requireTool(t, 'arm-none-eabi-gcc');
  const qemu = requireTool(t, 'qemu-system-arm');
  if (gcc === undefined || qemu === undefined) return;
  const host = QemuHost.build(machine, undefinedSymbols(runs), gcc, qemu);
  t.after(() => host.dispose());
  const here = new Map<string, Outcome>();
  for (const run of runs) here.set(run.name, await runHere(run));
  const there = host.run(runs.map((run) => job(run, here.get(run.name) as Outcome, host)));
  for (const { name, returnsNothing } of runs) {
    await t.test(name, () => {
      const outcome = here.get(name) as Outcome;
      const expected = there.get(name);
      assert.ok(expected !== undefined, 'QEMU ran it');
      assert.equal(
        outcome.stop.reason,
        'exited',
        JSON.stringify(outcome.stop, (_, value) => String(value)),
      );
      if (outcome.stop.reason === 'exited' && returnsNothing !== true) {
        assert.equal(outcome.stop.returnValue, BigInt(expected.result));
      }
      assert.equal(outcome.output.trimEnd(), expected.output.trimEnd());
      outcome.memory.forEach(({ address, bytes }, i) => {
        assert.deepEqual(bytes, expected.dumps[i], `memory at 0x${address.toString(16)}`);
      });
    });
  }
}

for (const machine of qemuMachines) {
  const runs = cases().filter((run) => (run.cpu === 'cortex-m33') === (machine.cpu === 'cortex-m33'));
  test(`${runs.length} runs equal QEMU's ${machine.name}`, async (t) => {
    assert.ok(runs.length > 0);
    await compareAll(t, machine, runs);
  });
}
