/**
 * The host that an extension is loaded into and calls: the base image in flash, both heaps, virtual time, the
 * console, and the llext subsystem on the guest memory of one machine.
 * Everything that the guest can see is in guest memory; the rest of the state is the plain record `state`.
 */
import { Errno, LlextError } from '../errors';
import type { MemorySafety, SafetyState } from '../emulator/safety/memory-safety';
import type { Machine, SafetyRule } from '../emulator/types';
import { LlextSubsystem } from '../llext/llext';
import type { SubsystemState } from '../llext/llext';
import type { LlextListener, LlextMemory } from '../llext/types';
import { Console, type ConsoleState, type OutputEvent } from './console';
import type { GuestImage } from './guest-image';
import { conventionOf } from './convention-of';
import { GuestMemory } from './guest-memory';
import { HostCalls, type HostCallEnd, type HostCallRecord } from './host-calls';
import type { KernelServices, OutputStream } from './host-call';
import { baseImageImplementations } from './host/base-image-calls';
import { implementations } from './implementations';
import type { KHeap } from './k-heap';
import { initKHeap } from './k-heap-record';
import { HostSafety } from './host-safety';
import { MemoryOwners, type BlockEvent, type OwnersState, type SharedMemory } from './memory-owners';
import { FILE_SIZE, PAGE_SIZE } from './memory-map';
import { observedHeap, type HeapEvent } from './observed-heap';
import { SystemHeap, type HeapObserver } from './system-heap';
import { VirtualClock, type ClockState } from './virtual-clock';

/** What of the kernel is not in guest memory; plain and copyable. */
export interface KernelState {
  readonly clock: ClockState;
  readonly console: ConsoleState;
  random: number;
  /** Where the next ELF buffer is mapped. */
  nextBuffer: number;
}

/** A copy of all that the kernel keeps outside of guest memory. */
export interface KernelSnapshot {
  readonly skippedCycles: number;
  readonly written: number;
  readonly random: number;
  readonly nextBuffer: number;
  readonly calls: number;
  readonly llext: SubsystemState;
  /** While memory safety is checked. */
  readonly checks: { readonly owners: OwnersState; readonly safety: SafetyState } | undefined;
}

export interface KernelOptions {
  /** The image whose regions the machine was created with. */
  readonly image: GuestImage;
  readonly onOutput: (event: OutputEvent) => void;
  readonly onLlext?: LlextListener;
  /** Where rand() begins; 1 as in C when it is not given. */
  readonly seed?: number;
}

const table = { ...implementations, ...baseImageImplementations };

export class Kernel {
  readonly image: GuestImage;
  readonly memory: GuestMemory;
  readonly clock: VirtualClock;
  readonly llext: LlextSubsystem;
  /** Guest memory as the loader's file images are read from. */
  readonly llextMemory: LlextMemory;
  readonly state: KernelState;
  /** Told of what is taken of the system heap. */
  onHeap: ((event: HeapEvent) => void) | undefined;
  /** While memory safety is checked. */
  owners: MemoryOwners | undefined;
  private readonly calls: HostCalls;
  private readonly kHeap: KHeap;
  private readonly systemHeap: SystemHeap;
  private readonly console: Console;

  constructor(
    private readonly machine: Machine,
    options: KernelOptions,
  ) {
    const { image } = options;
    const { map } = image;
    this.image = image;
    this.state = {
      clock: { skippedCycles: 0 },
      console: { written: 0 },
      random: options.seed ?? 1,
      nextBuffer: map.elfBuffers,
    };
    this.memory = new GuestMemory(machine.memory);
    this.clock = new VirtualClock(this.state.clock, () => machine.instructionCount);
    this.console = new Console(this.state.console, options.onOutput);
    for (const { address, bytes } of image.contents) machine.memory.write(address, bytes);
    machine.memory.clearDirty();
    this.kHeap = makeHeap(machine, map.systemHeap, map.systemKHeap);
    this.systemHeap = new SystemHeap(
      observedHeap(this.kHeap, (event) => this.onHeap?.(event)),
      machine.memory,
      map.systemKHeap,
      machine.cpu.pointerSize,
    );
    const services = this.services(this.systemHeap);
    this.calls = new HostCalls(machine, this.memory, table, services, map.callFn.returnAddress);
    for (const entry of image.served) this.calls.serve(entry);
    machine.setHostCall(map.callFn.returnAddress);
    machine.setStackLimit(map.stack.base);

    const llextHeap = makeHeap(machine, map.llextHeap, map.llextKHeap).asLlextHeap();
    this.llextMemory = llextMemory(machine);
    this.llext = new LlextSubsystem({
      memory: this.llextMemory,
      heaps: { metadata: llextHeap, data: llextHeap, instruction: llextHeap },
      config: image.config,
      exports: image.exports,
      listAddress: BigInt(map.llextList),
      listener: options.onLlext,
      relocationEvents: false,
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

  snapshot(): KernelSnapshot {
    const { clock, console, random, nextBuffer } = this.state;
    const { skippedCycles } = clock;
    const calls = this.calls.count;
    const { owners } = this;
    const { safety } = this.machine;
    const checks = owners && safety && { owners: owners.state, safety: safety.state };
    return { skippedCycles, written: console.written, random, nextBuffer, calls, llext: this.llext.state, checks };
  }

  /** Together with the machine's memory and state; memory safety is checked as it was. */
  restore({ skippedCycles, written, random, nextBuffer, calls, llext, checks }: KernelSnapshot): void {
    const { state } = this;
    state.clock.skippedCycles = skippedCycles;
    state.console.written = written;
    state.random = random;
    state.nextBuffer = nextBuffer;
    this.calls.forgetAfter(calls);
    this.llext.state = llext;
    const { owners } = this;
    const { safety } = this.machine;
    if (checks === undefined || owners === undefined || safety === undefined) return;
    owners.state = checks.owners;
    safety.state = checks.safety;
    owners.markPrivate();
  }

  /** What is printed from now on is given to this listener; undefined: it is the program's output again. */
  printAside(listener: ((event: OutputEvent) => void) | undefined): void {
    this.console.writeAside(listener);
  }

  /** The program will not do again what it did from here on. */
  startAnew(): void {
    this.console.startAnew();
  }

  isServed(address: number): boolean {
    return this.calls.nameAt(address) !== undefined;
  }

  /**
   * Begins to check the memory safety of the extensions that the owners are told of, by these rules; undefined = ends it. What
   * is allocated already counts as written.
   */
  checkMemory(rules: readonly SafetyRule[] | undefined, shared: readonly SharedMemory[] = []): void {
    const { machine, image, systemHeap } = this;
    systemHeap.observer = undefined;
    const blocks = [...this.systemBlocks()];
    machine.setSafety?.(rules);
    const { safety } = machine;
    this.memory.safety = safety && new HostSafety(safety, () => this.callSite());
    this.owners = safety && new MemoryOwners(safety, image.map.stack);
    systemHeap.observer = this.owners && this.heapObserver(this.owners);
    if (safety === undefined || this.owners === undefined) return;
    lendImage(safety, image, machine);
    for (const { address, size } of blocks) this.owners.adopt(address, size);
    for (const block of shared) this.owners.share(block);
  }

  /** What of the system heap is in use, as its users know it: a block of k_malloc is behind the reference to its heap. */
  private *systemBlocks(): Iterable<{ readonly address: number; readonly size: number }> {
    for (const { address, size } of this.kHeap.usedBlocks()) {
      const offset = this.systemHeap.offsetOfBlock(address);
      yield { address: address + offset, size: size - offset };
    }
  }

  private heapObserver(owners: MemoryOwners): HeapObserver {
    const event = (what: BlockEvent['what']): BlockEvent => {
      const { state } = this.machine;
      // After a tail call: the call of the function that made it, in front of where that returns to.
      const pc = this.callSite() ?? conventionOf(this.machine.cpu).returnAddress(state) - 2;
      return { what, by: this.calls.nameAt(state.pc) ?? 'the host', pc };
    };
    return {
      isLive: (block) => owners.isLive(block),
      allocated: (block, size) => owners.allocated(block, size, event('allocated')),
      freed: (block) => owners.released(block, event('freed')),
      moved: (from, to) => owners.moved(from, to),
    };
  }

  /** The instruction that called the host's function in progress. */
  private callSite(): number | undefined {
    const { state, cpu } = this.machine;
    return conventionOf(cpu).callSite(state, this.memory, this.image.map.callFn.returnAddress);
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
    const convention = conventionOf(machine.cpu);
    return {
      convention,
      clock,
      heap,
      map: this.image.map,
      saturatingDivide: machine.cpu.arch !== 'arm' || machine.cpu.isa.v7m,
      print: (bytes: Uint8Array, stream: OutputStream) =>
        this.console.print(bytes, stream, convention.returnAddress(machine.state)),
      get random() {
        return state.random;
      },
      set random(value: number) {
        state.random = value;
      },
    };
  }
}

/** What of the base image extensions may touch: the objects that it exports, errno, its streams; and whose code is its own. */
function lendImage(safety: MemorySafety, { map, exports, symbols, served }: GuestImage, { memory }: Machine): void {
  const hosts = new Set(['stack', 'stack guard', 'llext heap', 'system heap']);
  for (const { name, base, size, permissions } of memory.regions) {
    if (!hosts.has(name)) safety.addHost(base, size, permissions.execute && !permissions.write);
  }
  safety.lend(map.errno, 4, true);
  safety.lend(map.files, 3 * FILE_SIZE, true);
  const functions = new Set(served.map(({ address }) => address));
  const sizes = new Map(symbols.map(({ address, size }) => [address, size]));
  for (const { address } of exports) {
    const at = Number(address);
    const size = sizes.get(at);
    if (size === undefined || functions.has(at)) continue;
    safety.lend(at, size, memory.regionAt(at)?.permissions.write === true);
  }
}

function makeHeap(machine: Machine, { base, size }: { base: number; size: number }, kHeap: number): KHeap {
  return initKHeap(machine.memory, kHeap, { address: base, bytes: size }, machine.cpu.pointerSize);
}

/** The machine's memory as the loader uses it. Addresses beyond 32 bits do not exist here. */
function llextMemory(machine: Machine): LlextMemory {
  const { memory } = machine;
  const prefix = (address: bigint, length: number): Uint8Array =>
    address > 0xffff_ffffn ? new Uint8Array() : memory.peek(Number(address), length);
  return {
    readPrefix: prefix,
    noteRead: (address, length) => memory.noteRead?.(Number(address), length),
    read(address, length) {
      const bytes = prefix(address, length);
      memory.noteRead?.(Number(address), bytes.length);
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
