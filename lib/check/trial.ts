/**
 * Loads files one after another as the target would, on scratch memory with the real loader and the kernel's heap, and
 * keeps what a check needs of it: verdict, messages, places, allocations. A layout trial relocates nothing, so that its
 * memory holds the regions as they are before linking, and gives a heap in which nothing fails.
 */
import { LlextError } from '../errors';
import { KHeap } from '../kernel/k-heap';
import { BufLoader } from '../llext/buf-loader';
import type { Shdr } from '../llext/elf-records';
import type { LlextExtension } from '../llext/extension';
import { LlextSubsystem } from '../llext/llext';
import { defaultLoadParam } from '../llext/loader';
import type { AssumedRule } from '../llext/profile';
import { PagedMemory } from '../llext/paged-memory';
import type { AddressRange } from '../llext/paged-memory';
import type {
  AllocationPurpose,
  LlextConfig,
  LlextEvent,
  LlextHeap,
  LlextStorage,
  PlacedSection,
} from '../llext/types';
import type { CheckBase } from './base';

export interface TrialOptions {
  readonly storage: LlextStorage;
  readonly peek: boolean;
  /** Heap in place of the base image's. */
  readonly heapBytes?: number;
  readonly config?: LlextConfig;
  readonly relocate?: boolean;
  /** Each relocation among the events. */
  readonly relocationEvents?: boolean;
  /** Longest file, so that memory after it can be read as on the target. */
  readonly fileBytes: number;
}

export interface Allocation {
  readonly purpose: AllocationPurpose;
  readonly address: bigint;
  readonly size: number;
  readonly align: number;
}

export interface Trial {
  /** llext_load's return value. */
  readonly ret: number;
  readonly extension: LlextExtension | undefined;
  /** The machine faulted inside of the loader. */
  readonly fault: string | undefined;
  /** Messages of error and warning level, without their heads. */
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
  /** Also when linking failed afterwards. */
  readonly placed: readonly PlacedSection[];
  readonly sects: readonly Readonly<Shdr>[];
  readonly allocations: readonly Allocation[];
  /** Accesses of the loader outside of what it may touch, as Zephyr's makes them with this file. */
  readonly outOfBounds: readonly { readonly access: 'read' | 'write'; readonly what: string }[];
  readonly assumed: readonly AssumedRule[];
  /** The first allocation that failed. */
  readonly failed: Allocation | undefined;
  /** All that the loader told, in order. */
  readonly events: readonly LlextEvent[];
}

const windowSize = 0x100_0000n;
const filePage = 0x1000n;

export class TrialTarget {
  readonly memory: PagedMemory;
  readonly llext: LlextSubsystem;
  readonly config: LlextConfig;
  private readonly heap: KHeap;
  private nextBuffer: bigint;
  private events: LlextEvent[] = [];

  constructor(
    base: CheckBase,
    private readonly options: TrialOptions,
  ) {
    const config = options.config ?? base.config;
    // Warnings are wanted; only the debug level changes what the loader does.
    this.config = { ...config, logLevel: Math.max(config.logLevel, 2) };
    const heapBytes = options.heapBytes ?? base.heap.bytes;
    const heapStart = base.heap.address;
    const heapEnd = heapStart + BigInt(heapBytes);
    // A heap that is larger than the base image's grows over what lies behind it.
    const isInHeap = (at: bigint): boolean => at >= heapStart && at < heapEnd;
    const behind = ((heapEnd + filePage - 1n) / filePage) * filePage;
    const listAddress = isInHeap(base.listAddress) ? behind : base.listAddress;
    const pool = isInHeap(base.pool) ? behind + filePage : base.pool;
    const windows = [pool, listAddress].map((at) => windowAround(at, base, BigInt(options.fileBytes)));
    this.memory = new PagedMemory([...windows, { start: heapStart, end: heapEnd }]);
    this.nextBuffer = pool;
    this.heap = this.makeHeap(Number(heapStart), heapBytes);
    const heap: LlextHeap = this.heap.asLlextHeap();
    this.llext = new LlextSubsystem({
      memory: this.memory,
      heaps: { metadata: heap, data: heap, instruction: heap },
      config: this.config,
      exports: base.exports,
      listAddress,
      listener: (event) => this.events.push(event),
      relocationEvents: options.relocationEvents === true,
    });
  }

  freeBytes(): number {
    return this.heap.freeBytes();
  }

  load(bytes: Uint8Array, name: string): Trial {
    this.events = [];
    const loader = this.place(bytes);
    const parm = { ...defaultLoadParam, relocate_local: this.options.relocate !== false };
    const { ret, extension, fault, sects, assumed } = this.llext.load(loader, name, parm);
    const { events } = this;
    const allocations = events.flatMap((event): Allocation[] => (event.kind === 'allocation' ? [event] : []));
    return {
      ret,
      extension,
      fault: fault?.message,
      errors: messagesOf(events, 'err'),
      warnings: messagesOf(events, 'wrn'),
      placed: events.flatMap((event) => (event.kind === 'section-placed' ? [event] : [])),
      sects,
      allocations,
      outOfBounds: events.flatMap((event) => (event.kind === 'out-of-bounds' ? [event] : [])),
      assumed,
      failed: allocations.find(({ address }) => address === 0n),
      events,
    };
  }

  private place(bytes: Uint8Array): BufLoader {
    const address = this.nextBuffer;
    this.memory.share(address, bytes);
    this.nextBuffer = ((address + BigInt(bytes.length) + filePage - 1n) / filePage) * filePage;
    const { storage, peek } = this.options;
    return new BufLoader(this.memory, address, bytes.length, { storage, peek });
  }

  private makeHeap(address: number, bytes: number): KHeap {
    const { memory } = this;
    const access = {
      read: (at: number, length: number) => memory.read(BigInt(at), length),
      write: (at: number, contents: Uint8Array) => memory.write(BigInt(at), contents),
    };
    try {
      return KHeap.init(access, address, bytes, this.config.pointerSize);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new LlextError(12, error.message);
    }
  }
}

/** RAM of a board is larger than what is used of it: wild reads of the loader find zeros there. */
function windowAround(address: bigint, { config }: CheckBase, files: bigint): AddressRange {
  const start = address - (address % windowSize);
  const limit = 1n << BigInt(config.pointerSize * 8);
  const end = address + files + windowSize;
  return { start, end: end < limit ? end : limit };
}

function messagesOf(events: readonly LlextEvent[], level: 'err' | 'wrn'): string[] {
  return events.flatMap((event) =>
    event.kind === 'log' && event.level === level ? [event.text.replace(/^<\w+> \w+: /, '').trim()] : [],
  );
}
