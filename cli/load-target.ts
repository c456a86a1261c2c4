/**
 * A target to load into, without a machine: memory around the base image's pool and heap, its heaps, and the llext
 * subsystem. Placements given by the user replace the heap's choice for a region; the rest stays Zephyr's.
 */
import { KHeap } from '../lib/kernel/k-heap';
import type { HeapMemory, PlacingHeap } from '../lib/kernel/k-heap';
import { makeHeaps, planHeaps } from '../lib/kernel/llext-heaps';
import type { HeapConfig, HeapPlan, PlacingHeaps } from '../lib/kernel/llext-heaps';
import { SHT_NOBITS, SHT_NULL } from '../lib/elf/constants';
import { BufLoader } from '../lib/llext/buf-loader';
import type { LlextLayout } from '../lib/llext/layout';
import { LlextSubsystem } from '../lib/llext/llext';
import { configuredLayout } from '../lib/llext/subsystem';
import { allocationOf, isAligned } from '../lib/llext/llext-mem';
import { PagedMemory } from '../lib/llext/paged-memory';
import type { AddressRange } from '../lib/llext/paged-memory';
import type {
  AllocationPurpose,
  LlextConfig,
  LlextEvent,
  LlextHeap,
  LlextHeaps,
  LlextStorage,
  RegionName,
} from '../lib/llext/types';
import type { BaseImage } from './base-image-file';
import { UsageError } from './usage-error';

/** --place [NAME:]REGION=ADDRESS */
export interface Placement {
  /** Of one extension; undefined = of any. */
  readonly name: string | undefined;
  readonly region: RegionName;
  readonly address: bigint;
}

/** A stretch of the heap that is kept free for a placement. */
export interface Reservation {
  /** Which region of which extension, in words. */
  readonly purpose: string;
  readonly address: bigint;
  readonly bytes: number;
}

/** Zephyr's own allocations took a place that the user wants for a region: to be reserved in another attempt. */
export class PlacementConflict extends UsageError {
  constructor(readonly wanted: Reservation) {
    super(`cannot place ${wanted.purpose}: the heap has something else there`);
    this.name = 'PlacementConflict';
  }
}

export interface LoadTargetOptions {
  readonly placements?: readonly Placement[];
  readonly reservations?: readonly Reservation[];
  /** Where the first file image goes, if not at the base image's pool. */
  readonly firstBuffer?: bigint;
  /** How the build configures its heaps; one k_heap where the base image has it when absent. */
  readonly heap?: HeapConfig;
  /** Of a build with CONFIG_LLEXT_HEAP_DYNAMIC: the application does not call llext_heap_init. */
  readonly leaveHeapUninitialised?: boolean;
  readonly listener?: (event: LlextEvent) => void;
  /** Whether the listener hears of each relocation, which links them one by one; true when there is one. */
  readonly relocationEvents?: boolean;
  /** Nobody hears what the loader tells: no messages, no events, but faster. */
  readonly silent?: boolean;
  /** Allocations that fail as if the heap were full; for checks of what the loader does then. */
  readonly refuses?: (purpose: AllocationPurpose) => boolean;
}

const windowSize = 0x100_0000n;
const filePage = 0x1000n;

export class LoadTarget {
  readonly memory: PagedMemory;
  readonly llext: LlextSubsystem;
  /** Messages since the last takeLog(). */
  private messages: string[] = [];
  private nextBuffer: bigint;
  private loadingName = '';
  private placements: readonly Placement[];
  /** Occupied by placements outside of the heap, and by file images. */
  private readonly occupied: { start: bigint; end: bigint; what: string }[] = [];

  private readonly heaps: PlacingHeaps;
  /** Of heaps that are not the base image's one k_heap. */
  private readonly plan: HeapPlan | undefined;
  private readonly config: LlextConfig;
  private readonly reserved = new Set<string>();
  private readonly refused = new Set<AllocationPurpose>();

  constructor(
    image: BaseImage,
    private readonly options: LoadTargetOptions = {},
  ) {
    const { placements = [], firstBuffer = image.pool } = options;
    this.placements = placements;
    this.plan = options.heap ? planHeaps(options.heap, Number(image.heap.address)) : image.heapPlan;
    this.config = withHeapOptions(image.config, options.heap);
    const starts = [image.pool, firstBuffer, image.listAddress, ...placements.map(({ address }) => address)];
    this.memory = new PagedMemory([
      ...starts.map((start) => windowAround(start, image)),
      ...heapRanges(image, this.plan),
    ]);
    this.nextBuffer = firstBuffer;
    this.heaps = this.makeHeaps(image);
    for (const reservation of options.reservations ?? []) this.reserve(reservation);
    this.llext = new LlextSubsystem({
      memory: this.memory,
      heaps: this.llextHeaps(),
      config: this.config,
      exports: image.exports,
      listAddress: image.listAddress,
      ...(options.silent === true ? {} : { listener: (event) => this.hear(event) }),
      relocationEvents: options.relocationEvents ?? options.listener !== undefined,
    });
    if (options.leaveHeapUninitialised !== true) this.initialiseHeap();
  }

  /** What the application of a build with dynamic heaps does at first. */
  private initialiseHeap(): void {
    const { plan } = this;
    if (plan?.kind !== 'dynamic') return;
    if (plan.harvard) this.llext.heapInitHarvard(plan.instruction, plan.data);
    else this.llext.heapInit(plan.data);
  }

  /** A file into memory (not copied: it must not change), at the next page or at the given address, and makes a loader for it. */
  placeFile(bytes: Uint8Array, storage: LlextStorage, peek: boolean, at?: bigint): BufLoader {
    const address = at ?? this.nextBuffer;
    const end = address + BigInt(bytes.length);
    this.occupy(address, end, 'the file image');
    // RAM may be smaller than a file that is looked at.
    this.memory.include({ start: address, end });
    this.memory.share(address, bytes);
    this.nextBuffer = ((end + filePage - 1n) / filePage) * filePage;
    const mustCopy = (position: bigint): boolean => this.isPlacedElsewhere(loader, position);
    const loader = new BufLoader(this.memory, address, bytes.length, { storage, peek, mustCopy });
    return loader;
  }

  /** A placement also wins over the use of a region inside of the file image. */
  private isPlacedElsewhere(loader: BufLoader, position: bigint): boolean {
    const { sects } = loader.state;
    const index = sects.findIndex(({ sh_type, sh_offset }) => {
      return sh_type !== SHT_NULL && sh_type !== SHT_NOBITS && sh_offset === position;
    });
    if (index < 0) return false;
    const placement = this.placementFor(`region ${this.llext.regions.names[index]}`);
    const address = loader.address + position;
    if (placement === undefined || placement.address === address) return false;
    // What is not aligned there is copied anyway, with Zephyr's warning.
    const allocation = allocationOf(this.config, sects[index]);
    return typeof allocation !== 'number' && isAligned(address, allocation.align);
  }

  /** Placements are chosen by the name of the extension that is loaded next. */
  announce(name: string, placements: readonly Placement[] = this.placements): void {
    this.loadingName = name;
    this.placements = placements;
  }

  /** From now on allocations of this kind fail. */
  refuse(purpose: AllocationPurpose): void {
    this.refused.add(purpose);
  }

  /** struct llext of this target. */
  get layout(): LlextLayout {
    return configuredLayout(this.config).layout;
  }

  freeHeapBytes(): number {
    const distinct = new Set([this.heaps.metadata, this.heaps.data, this.heaps.instruction]);
    return [...distinct].reduce((sum, heap) => sum + heap.freeBytes(), 0);
  }

  /** The loader's messages since the last call, a line each; a line feed of Zephyr's own makes an empty line. */
  takeLog(): string[] {
    const lines = this.messages;
    this.messages = [];
    return lines;
  }

  private hear(event: LlextEvent): void {
    if (event.kind === 'log') this.messages.push(...event.text.split('\n'));
    this.options.listener?.(event);
  }

  private makeHeaps(image: BaseImage): PlacingHeaps {
    const { memory, plan } = this;
    const { pointerSize } = this.config;
    const access: HeapMemory = {
      read: (address, length) => memory.read(BigInt(address), length),
      write: (address, bytes) => memory.write(BigInt(address), bytes),
    };
    if (plan === undefined) {
      const heap = KHeap.init(access, Number(image.heap.address), image.heap.bytes, pointerSize).asLlextHeap();
      return { metadata: heap, data: heap, instruction: heap };
    }
    const { layout, regions } = configuredLayout(this.config);
    const offset = layout.mem_alloc_map;
    return makeHeaps(
      access,
      plan,
      pointerSize,
      offset === undefined ? undefined : { pointerSize, offset, regions: regions.COUNT },
    );
  }

  private llextHeaps(): LlextHeaps {
    const { metadata, data, instruction, ...rest } = this.heaps;
    return {
      ...rest,
      metadata: this.llextHeap(metadata),
      data: this.llextHeap(data),
      instruction: this.llextHeap(instruction),
    };
  }

  private llextHeap(heap: PlacingHeap): LlextHeap {
    return {
      alignedAlloc: (align, bytes, purpose, ext) => {
        if (this.refused.has(purpose) || this.options.refuses?.(purpose) === true) return 0n;
        const placement = this.placementFor(purpose);
        if (placement === undefined) return heap.alignedAlloc(align, bytes, purpose, ext);
        return this.place(heap, placement, align, bytes, ext);
      },
      free: (address, ext) => {
        if (heap.contains(Number(address))) heap.free(address, ext);
        else this.vacate(address);
      },
    };
  }

  private placementFor(purpose: AllocationPurpose): Placement | undefined {
    const forRegion = this.placements.filter(({ region }) => purpose === `region ${region}`);
    return forRegion.find(({ name }) => name === this.loadingName) ?? forRegion.find(({ name }) => name === undefined);
  }

  private place(
    heap: PlacingHeap,
    { region, address }: Placement,
    align: number,
    bytes: number,
    ext: bigint | undefined,
  ): bigint {
    const where = `${region} of '${this.loadingName}' at 0x${address.toString(16)}`;
    if (bytes === 0) return 0n;
    if (align > 1 && address % BigInt(align) !== 0n) {
      throw new UsageError(`cannot place ${where}: it must be aligned to ${align}`);
    }
    if (!heap.contains(Number(address))) {
      this.occupy(address, address + BigInt(bytes), where);
      return address;
    }
    if (this.reserved.delete(where)) return address;
    if (this.plan?.kind !== 'memblk') {
      // Where the heap would put it anyway, it keeps its lists as Zephyr's would be.
      const chosen = heap.alignedAlloc(align, bytes, `region ${region}`, ext);
      if (chosen === address) return address;
      if (chosen !== 0n) heap.free(chosen, ext);
    }
    if (heap.allocAt(Number(address), bytes, ext) === 0) {
      throw new PlacementConflict({ purpose: where, address, bytes });
    }
    return address;
  }

  private reserve({ purpose, address, bytes }: Reservation): void {
    const heap = [this.heaps.data, this.heaps.instruction].find((each) => each.contains(Number(address)));
    if (this.plan?.kind === 'memblk' || heap === undefined || heap.allocAt(Number(address), bytes) === 0) {
      throw new UsageError(`cannot place ${purpose}: ${bytes} bytes are not free there`);
    }
    this.reserved.add(purpose);
  }

  private occupy(start: bigint, end: bigint, what: string): void {
    const other = this.occupied.find((range) => start < range.end && range.start < end);
    if (other !== undefined) throw new UsageError(`cannot place ${what}: ${other.what} is there`);
    this.occupied.push({ start, end, what });
  }

  private vacate(start: bigint): void {
    const index = this.occupied.findIndex((range) => range.start === start);
    if (index >= 0) this.occupied.splice(index, 1);
  }
}

/**
 * RAM of a board is larger than what is used of it: wild reads of the loader find zeros there. Behind an MMU they only
 * do as far as the base image goes; it is not known exactly, but its heap is in it.
 */
function windowAround(address: bigint, { config, heap }: BaseImage): AddressRange {
  const start = address - (address % windowSize);
  const limit = 1n << BigInt(config.pointerSize * 8);
  const end = start + 2n * windowSize;
  const heapEnd = heap.address + BigInt(heap.bytes);
  if (config.mmu && heapEnd > address && heapEnd < end) {
    const page = BigInt(config.page);
    return { start, end: ((heapEnd + page - 1n) / page) * page };
  }
  return { start, end: end < limit ? end : limit };
}

function heapRanges({ heap }: BaseImage, plan: HeapPlan | undefined): AddressRange[] {
  if (plan === undefined) return [{ start: heap.address, end: heap.address + BigInt(heap.bytes) }];
  const { data, instruction, metadata, records, end } = plan;
  const heaps = plan.kind === 'memblk' ? [data, instruction, metadata] : [data, instruction];
  return [
    ...heaps.map(({ address, bytes }) => ({ start: BigInt(address), end: BigInt(address + bytes) })),
    { start: BigInt(records), end: BigInt(end) },
  ];
}

/** The loader asks the configuration, not the heaps. */
function withHeapOptions(config: LlextConfig, heap: HeapConfig | undefined): LlextConfig {
  if (heap === undefined) return config;
  const memblkBlockSize = heap.kind === 'memblk' ? heap.sizes.HEAP_MEMBLK_BLOCK_SIZE : undefined;
  return { ...config, harvard: heap.harvard, memblkBlockSize };
}
