/**
 * Golden cases to the end: what exported functions returned and printed in the real Zephyr, what init and fini
 * functions did, and the extension's memory after that. The loader works on the memory of the emulated machine at the
 * image's addresses; the image's builtins are served as host functions.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { findCpu } from '../lib/arch';
import { aapcs } from '../lib/kernel/aapcs';
import { createMachine } from '../lib/emulator/machine';
import type { Machine } from '../lib/emulator/types';
import { Console } from '../lib/kernel/console';
import { GuestMemory, littleEndian } from '../lib/kernel/guest-memory';
import type { ImplementationTable, KernelServices } from '../lib/kernel/host-call';
import { HostCalls } from '../lib/kernel/host-calls';
import { implementations } from '../lib/kernel/implementations';
import { KHeap } from '../lib/kernel/k-heap';
import { CALL_FN_RETURN, memoryMap } from '../lib/kernel/memory-map';
import { SystemHeap } from '../lib/kernel/system-heap';
import { VirtualClock } from '../lib/kernel/virtual-clock';
import { BufLoader } from '../lib/llext/buf-loader';
import type { LlextExtension } from '../lib/llext/extension';
import { LlextSubsystem } from '../lib/llext/llext';
import type { LlextMemory, LlextStorage } from '../lib/llext/types';
import { LlextError } from '../lib/errors';
import { goldenCases, goldenElf, goldenImage, isArmImage, trimmedRoot, wholeRoot } from './support/golden';
import type { GoldenOp, GoldenRun, LocatedCase } from './support/golden';

const RAM_SIZE = 0x10_0000;
const FLASH_SIZE = 0x1_0000;
const BUDGET = 100_000;
const COUNTER_START = 1000;

/** Prototypes of the builtins that are not the base image's; the header golden/src/oracle_ext.h declares them. */
const builtins: Record<string, { signature: string; implementation: string }> = {
  printk: { signature: 'void printk(const char *fmt, ...)', implementation: 'printk' },
  memcmp: { signature: 'int memcmp(const void *a, const void *b, size_t n)', implementation: 'memcmp' },
  memcpy: { signature: 'void *memcpy(void *a, const void *b, size_t n)', implementation: 'memcpy' },
  memset: { signature: 'void *memset(void *a, int c, size_t n)', implementation: 'memset' },
  strcmp: { signature: 'int strcmp(const char *a, const char *b)', implementation: 'strcmp' },
  strcpy: { signature: 'char *strcpy(char *a, const char *b)', implementation: 'strcpy' },
  strlen: { signature: 'size_t strlen(const char *a)', implementation: 'strlen' },
  oracle_add: { signature: 'int oracle_add(int a, int b)', implementation: 'oracle_add' },
  oracle_near_add: { signature: 'int oracle_near_add(int a, int b)', implementation: 'oracle_near_add' },
  oracle_log: { signature: 'int oracle_log(int v)', implementation: 'oracle_log' },
};

const oracle: ImplementationTable = {
  ...implementations,
  oracle_add: (call) => call.i32(0) + call.i32(1),
  oracle_near_add: (call) => call.i32(0) + call.i32(1) + 1,
  oracle_log(call) {
    call.kernel.print(new TextEncoder().encode(`[ext] log ${call.i32(0)}\n`), 'console');
    return call.i32(0);
  },
};

/** oracle_apply(fn, v) calls back into the extension: MOV r3,r0; MOV r0,r1; BX r3. */
const applyCode = [0x4603, 0x4608, 0x4718];

function rangeOf(address: number, size: number): { base: number; size: number } {
  return { base: address - (address % size), size };
}

/** The image's machine with its builtins, and the loader on its memory. */
class GoldenMachine {
  readonly llext: LlextSubsystem;
  readonly memory: LlextMemory;
  readonly lines: string[] = [];
  private readonly machine: Machine;
  private readonly calls: HostCalls;
  private readonly counter: number;
  private readonly returnAddress: number;
  private readonly stackTop: number;

  constructor(located: LocatedCase, imageName: string) {
    const image = goldenImage(located.root, imageName);
    const addressOf = (name: string): number =>
      Number(image.exports.find((entry) => entry.name === name)?.address ?? 0n);
    const flash = rangeOf(addressOf('printk'), FLASH_SIZE);
    const ram = rangeOf(Number(image.pool), RAM_SIZE);
    const permissions = { read: true, write: true, execute: true };
    const cpu = findCpu(imageName === 'arm-m33' ? 'cortex-m33' : 'cortex-m3');
    assert.ok(cpu !== undefined);
    this.machine = createMachine({
      cpu,
      regions: [
        { name: 'flash', ...flash, permissions: { ...permissions, write: false } },
        { name: 'RAM', ...ram, permissions },
      ],
    });
    const { memory } = this.machine;
    this.counter = addressOf('oracle_counter');
    this.returnAddress = flash.base + FLASH_SIZE - 16;
    this.stackTop = ram.base + RAM_SIZE;
    memory.write(this.counter, littleEndian(COUNTER_START, 4));
    memory.write(addressOf('oracle_apply') & ~1, new Uint8Array(new Uint16Array(applyCode).buffer));
    this.calls = this.serve(addressOf);
    this.machine.setHostCall(this.returnAddress);

    const heap = KHeap.init(memory, Number(image.heap.address), image.heap.bytes).asLlextHeap();
    this.memory = {
      readPrefix: (address, length) => memory.read(Number(address & 0xffff_ffffn), length),
      read: (address, length) => complete(memory.read(Number(address & 0xffff_ffffn), length), length),
      write: (address, bytes) => void memory.write(Number(address), bytes),
    };
    this.llext = new LlextSubsystem({
      memory: this.memory,
      heaps: { metadata: heap, data: heap, instruction: heap },
      config: image.config,
      exports: image.exports,
      listAddress: image.listAddress,
    });
  }

  placeFile(address: number, bytes: Uint8Array): void {
    this.machine.memory.write(address, bytes);
    this.machine.memory.write(address + bytes.length, new Uint8Array(4096));
  }

  get counterValue(): number {
    return Buffer.from(this.machine.memory.read(this.counter, 4)).readInt32LE();
  }

  /** r0 after the call, or what stopped it. */
  call(address: bigint, argument = 0): number | string {
    const { state } = this.machine;
    state.r[0] = argument;
    state.write('sp', this.stackTop);
    state.write('lr', this.returnAddress | 1);
    state.write('pc', Number(address & ~1n));
    for (;;) {
      const stop = this.machine.run(BUDGET);
      if (stop.reason !== 'host-call') return stop.reason === 'fault' ? stop.fault.message : stop.reason;
      if (stop.address === this.returnAddress) return state.r[0];
      const end = this.calls.perform(stop.address);
      if (end.kind !== 'returned') return JSON.stringify(end);
    }
  }

  private serve(addressOf: (name: string) => number): HostCalls {
    const guest = new GuestMemory(this.machine.memory);
    const clock = new VirtualClock({ skippedCycles: 0 }, () => this.machine.instructionCount);
    const output = new Console({ written: 0 }, ({ text }) => this.lines.push(text.replace(/\n$/, '')));
    const none = {
      alloc: () => 0,
      alignedAlloc: () => 0,
      free: () => undefined,
      isAllocated: () => false,
      usableSize: () => 0,
    };
    const services: KernelServices = {
      clock,
      heap: new SystemHeap(none, this.machine.memory, 0, 4),
      convention: aapcs,
      saturatingDivide: true,
      random: 1,
      map: memoryMap(64),
      print: (bytes, stream) => output.print(bytes, stream, 0),
    };
    const calls = new HostCalls(this.machine, guest, oracle, services, CALL_FN_RETURN);
    for (const [name, entry] of Object.entries(builtins)) {
      calls.serve({ name, ...entry, address: addressOf(name) & ~1 });
    }
    return calls;
  }
}

function complete(bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.length < length) throw new LlextError(14, 'not mapped');
  return bytes;
}

const storages: readonly LlextStorage[] = ['temporary', 'persistent', 'writable'];

interface Counts {
  calls: number;
  functions: number;
  regions: number;
}

interface DumpedRegion {
  readonly idx: number;
  readonly region: string;
  readonly addr: string;
  /** Absent for the tables. */
  readonly hex?: string;
}

class Replay {
  private readonly target: GoldenMachine;
  private readonly loaded = new Map<string, LlextExtension>();

  constructor(
    private readonly located: LocatedCase,
    run: GoldenRun,
    private readonly counts: Counts,
  ) {
    this.target = new GoldenMachine(located, run.image);
  }

  perform(op: GoldenOp, where: string): void {
    switch (op.op) {
      case 'load':
        return this.load(op);
      case 'unload': {
        const extension = this.loaded.get(op.name ?? '');
        if (extension !== undefined && this.target.llext.unload(extension) === 0) this.loaded.delete(op.name ?? '');
        return;
      }
      case 'call':
        return this.call(op, where);
      case 'bringup':
      case 'teardown':
        return this.functions(op, where);
      case 'dump':
        return this.dump(op, where);
    }
  }

  private load(op: GoldenOp): void {
    const bytes = goldenElf(this.located, op);
    const buffer = Number(op.buf ?? '0x0');
    this.target.placeFile(buffer, bytes);
    const options = { storage: storages[op.storage ?? 0], peek: op.nopeek !== 1 };
    const loader = new BufLoader(this.target.memory, BigInt(buffer), bytes.length, options);
    const result = this.target.llext.load(loader, op.req_name ?? '', {
      relocate_local: op.relocate_local !== 0,
      pre_located: op.pre_located !== 0,
      keep_section_info: op.keep !== 0,
    });
    if (result.extension === undefined) return;
    this.loaded.set(op.req_name ?? '', result.extension);
    if (op.sect_map !== undefined) this.target.llext.freeInspectionData(loader, result.extension);
  }

  private call(op: GoldenOp, where: string): void {
    if (op.result === undefined) return;
    this.target.lines.length = 0;
    const result = this.target.call(BigInt(String(op.addr)), Number(op.arg));
    assert.equal(result, op.result, `${where} ${String(op.sym)}(${String(op.arg)})`);
    assert.deepEqual(this.target.lines, op.log, `${where} output`);
    assert.equal(this.target.counterValue, op.oracle_counter, `${where} oracle_counter`);
    this.counts.calls++;
  }

  private functions(op: GoldenOp, where: string): void {
    const extension = this.loaded.get(op.name ?? '');
    if (op.ext === '0x0' || extension === undefined) return;
    const { llext } = this.target;
    for (const { address } of op.op === 'bringup' ? llext.bringup(extension) : llext.teardown(extension)) {
      const end = this.target.call(address);
      assert.equal(typeof end, 'number', `${where}: ${end}`);
      this.counts.functions++;
    }
    assert.equal(this.target.counterValue, op.oracle_counter, `${where} oracle_counter`);
  }

  /** Every region byte for byte, what the called functions wrote included. */
  private dump(op: GoldenOp, where: string): void {
    const extension = this.loaded.get(op.name ?? '');
    if (extension === undefined) return;
    for (const region of (op.regions ?? []) as unknown as readonly DumpedRegion[]) {
      assert.equal(`0x${extension.mem[region.idx].toString(16)}`, region.addr, `${where} ${region.region}`);
      if (region.hex === undefined) continue;
      const bytes = Buffer.from(extension.regionBytes(region.idx)).toString('hex');
      assert.equal(bytes, region.hex, `${where} ${region.region}`);
      this.counts.regions++;
    }
  }
}

/** Code for Arm state (a7-arm, arm7) loads, but runs on no Cortex-M. */
const isThumb = ({ golden }: LocatedCase): boolean => !/^(a7-arm|arm7)$/.test(golden.elf_variant ?? golden.variant);

function replayRoot(root: string): Counts {
  const counts: Counts = { calls: 0, functions: 0, regions: 0 };
  for (const located of goldenCases(root, isArmImage)) {
    if (!isThumb(located)) continue;
    for (const run of located.golden.runs) {
      if (!run.completed || !run.ops.some(({ op }) => op === 'call' || op === 'bringup')) continue;
      const replay = new Replay(located, run, counts);
      run.ops.forEach((op, i) => replay.perform(op, `${located.id} ${run.image} ${run.mode} op ${i} ${op.op}`));
    }
  }
  return counts;
}

// The trimmed set is part of the whole one.
const root = existsSync(wholeRoot) ? wholeRoot : trimmedRoot;

test('calls into extensions return, print and write what the real Zephyr saw', (t) => {
  const counts = replayRoot(root);
  const which = root === wholeRoot ? 'whole' : 'trimmed';
  t.diagnostic(
    `${which} set: ${counts.calls} calls, ${counts.functions} init and fini functions, ${counts.regions} regions`,
  );
  assert.ok(counts.calls > 0 && counts.functions > 0 && counts.regions > 0);
});
