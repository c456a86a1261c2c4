/**
 * The host that an extension is loaded into and calls: the base image in flash, both heaps, virtual time, the
 * console, and the llext subsystem on the guest memory of one machine.
 * Everything that the guest can see is in guest memory; the rest of the state is the plain record `state`.
 */
import { Errno, LlextError } from '../errors';
import type { Machine } from '../emulator/types';
import { LlextSubsystem } from '../llext/llext';
import type { BaseExport, LlextListener, LlextMemory } from '../llext/types';
import { baseExports, baseFunctions, baseObjects, exportAddress } from './base-image';
import { Console, type ConsoleState, type OutputEvent } from './console';
import { flashImage } from './flash-image';
import { concatenate, GuestMemory, littleEndian } from './guest-memory';
import { HostCalls, type HostCallEnd, type HostCallRecord } from './host-calls';
import type { KernelServices, OutputStream } from './host-call';
import { implementations } from './implementations';
import { KHeap } from './k-heap';
import {
  baseImageConfig,
  CALL_FN_RETURN,
  FILES,
  FLASH_BASE,
  LLEXT_K_HEAP,
  LLEXT_LIST,
  PAGE_SIZE,
  STACK_BASE,
  SYSTEM_K_HEAP,
  type MemoryMap,
} from './memory-map';
import { SystemHeap } from './system-heap';
import { VirtualClock, type ClockState } from './virtual-clock';

/** What of the kernel is not in guest memory; plain and copyable. */
export interface KernelState {
  readonly clock: ClockState;
  readonly console: ConsoleState;
  random: number;
  /** Where the next ELF buffer is mapped. */
  nextBuffer: number;
}

export interface KernelOptions {
  /** Map that the machine was created with. */
  readonly map: MemoryMap;
  readonly onOutput: (event: OutputEvent) => void;
  readonly onLlext?: LlextListener;
}

const POINTER_SIZE = 4;
/** Bytes between the FILE objects. */
const FILE_SIZE = 16;
/** Any value does: code only compares it with itself. */
const STACK_CANARY = 0x5ac3_9d00;

export class Kernel {
  readonly memory: GuestMemory;
  readonly clock: VirtualClock;
  readonly llext: LlextSubsystem;
  /** Guest memory as the loader's file images are read from. */
  readonly llextMemory: LlextMemory;
  readonly state: KernelState;
  private readonly calls: HostCalls;
  private readonly console: Console;

  constructor(
    private readonly machine: Machine,
    options: KernelOptions,
  ) {
    this.state = {
      clock: { skippedCycles: 0 },
      console: { pending: [], stream: 'console', callerPc: 0 },
      random: 1,
      nextBuffer: options.map.elfBuffers,
    };
    this.memory = new GuestMemory(machine.memory);
    this.clock = new VirtualClock(this.state.clock, () => machine.instructionCount);
    this.console = new Console(this.state.console, options.onOutput);
    this.writeImage();
    const systemHeap = makeHeap(machine, options.map.systemHeap, SYSTEM_K_HEAP);
    const services = this.services(new SystemHeap(systemHeap, machine.memory, SYSTEM_K_HEAP));
    this.calls = new HostCalls(machine, this.memory, implementations, services);
    for (const entry of baseFunctions) this.calls.serve(entry);
    machine.setHostCall(CALL_FN_RETURN);
    machine.setStackLimit(STACK_BASE);

    const llextHeap = makeHeap(machine, options.map.llextHeap, LLEXT_K_HEAP).asLlextHeap();
    this.llextMemory = llextMemory(machine);
    this.llext = new LlextSubsystem({
      memory: this.llextMemory,
      heaps: { metadata: llextHeap, data: llextHeap, instruction: llextHeap },
      config: baseImageConfig,
      exports: baseExports.map(toBaseExport),
      listAddress: BigInt(LLEXT_LIST),
      listener: options.onLlext,
    });
  }

  /** Calls of the base image so far, oldest first; bounded. */
  get log(): readonly HostCallRecord[] {
    return this.calls.log;
  }

  /** Performs the function at a host-call address where the machine stopped. */
  hostCall(address: number): HostCallEnd {
    return this.calls.perform(address);
  }

  /** Gives what was printed without a newline yet; to be called whenever the target stops. */
  flushOutput(): void {
    this.console.flush();
  }

  /** Maps an ELF buffer and copies the file into it; zeros follow the file, as truncated files are read beyond. */
  placeFile(name: string, bytes: Uint8Array): number {
    const base = this.state.nextBuffer;
    const size = (Math.floor(bytes.length / PAGE_SIZE) + 2) * PAGE_SIZE;
    const permissions = { read: true, write: true, execute: true };
    this.machine.memory.map({ name: `ELF buffer of ${name}`, base, size, permissions });
    this.machine.memory.write(base, bytes);
    this.state.nextBuffer = base + size;
    return base;
  }

  private services(heap: SystemHeap): KernelServices {
    const { state, clock, machine } = this;
    return {
      clock,
      heap,
      saturatingDivide: machine.cpu.arch !== 'arm' || machine.cpu.isa.v7m,
      print: (bytes: Uint8Array, stream: OutputStream) =>
        this.console.print(bytes, stream, (machine.state.r[14] & ~1) >>> 0),
      get random() {
        return state.random;
      },
      set random(value: number) {
        state.random = value;
      },
    };
  }

  private writeImage(): void {
    const { memory } = this.machine;
    memory.write(FLASH_BASE, flashImage());
    baseObjects.slice(0, 3).forEach((stream, i) => {
      memory.write(stream.address, littleEndian(FILES + i * FILE_SIZE, POINTER_SIZE));
    });
    const canary = baseObjects.find((entry) => entry.name === '__stack_chk_guard');
    if (canary !== undefined) memory.write(canary.address, littleEndian(STACK_CANARY, POINTER_SIZE));
    memory.clearDirty();
  }
}

/** Initialises a heap and its struct k_heap, which begins with sys_heap {heap, init_mem, init_bytes}. */
function makeHeap(machine: Machine, { base, size }: { base: number; size: number }, kHeap: number): KHeap {
  const heap = KHeap.init(machine.memory, base, size, POINTER_SIZE);
  const words = [heap.base, base, size].map((word) => littleEndian(word, POINTER_SIZE));
  machine.memory.write(kHeap, concatenate(words));
  return heap;
}

function toBaseExport(symbol: (typeof baseExports)[number]): BaseExport {
  return { name: symbol.name, address: BigInt(exportAddress(symbol)) };
}

/** The machine's memory as the loader uses it. Addresses beyond 32 bits do not exist here. */
function llextMemory(machine: Machine): LlextMemory {
  const { memory } = machine;
  const prefix = (address: bigint, length: number): Uint8Array =>
    address > 0xffff_ffffn ? new Uint8Array() : memory.read(Number(address), length);
  return {
    readPrefix: prefix,
    read(address, length) {
      const bytes = prefix(address, length);
      if (bytes.length < length) throw new LlextError(Errno.EFAULT, outside('read', address, length));
      return bytes;
    },
    write(address, bytes) {
      const written = address > 0xffff_ffffn ? 0 : memory.write(Number(address), bytes);
      if (written < bytes.length) throw new LlextError(Errno.EFAULT, outside('write', address, bytes.length));
    },
  };
}

function outside(access: string, address: bigint, length: number): string {
  return `cannot ${access} ${length} bytes at 0x${address.toString(16)}: not all of it is mapped`;
}
