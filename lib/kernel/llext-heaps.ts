/**
 * The heaps of llext as the build configures them (specification 1.11): one k_heap for everything; with CONFIG_HARVARD
 * one for instructions and one for data; with CONFIG_LLEXT_HEAP_MEMBLK blocks for regions and a k_heap for metadata;
 * with CONFIG_LLEXT_HEAP_DYNAMIC nothing until llext_heap_init gives memory. All of their state is in guest memory.
 */
import { Errno, LlextError } from '../errors';
import type { DynamicHeaps, HeapRange, LlextHeaps } from '../llext/types';
import { attachKHeap, initKHeap, kHeapRecordSize } from './k-heap-record';
import type { HeapMemory, KHeap, PlacingHeap } from './k-heap';
import { MemBlocks } from './mem-blocks';
import { MemblkHeap } from './memblk-heap';
import type { AllocMapLayout } from './memblk-heap';

export const heapKinds = ['kheap', 'memblk', 'dynamic'] as const;
export type HeapKind = (typeof heapKinds)[number];

export interface PlacingHeaps extends LlextHeaps {
  readonly metadata: PlacingHeap;
  readonly data: PlacingHeap;
  readonly instruction: PlacingHeap;
}

/** In bytes; the names are Kconfig's without CONFIG_LLEXT_, the values its defaults. */
export interface HeapSizes {
  readonly HEAP_SIZE: number;
  readonly INSTR_HEAP_SIZE: number;
  readonly DATA_HEAP_SIZE: number;
  readonly EXT_HEAP_SIZE: number;
  readonly METADATA_HEAP_SIZE: number;
  readonly HEAP_MEMBLK_BLOCK_SIZE: number;
}

const KIB = 1024;
export const defaultHeapSizes: HeapSizes = {
  HEAP_SIZE: 8 * KIB,
  INSTR_HEAP_SIZE: 4 * KIB,
  DATA_HEAP_SIZE: 8 * KIB,
  EXT_HEAP_SIZE: 16 * KIB,
  METADATA_HEAP_SIZE: 4 * KIB,
  HEAP_MEMBLK_BLOCK_SIZE: 32,
};

export interface HeapConfig {
  readonly kind: HeapKind;
  /** CONFIG_HARVARD */
  readonly harvard: boolean;
  readonly sizes: HeapSizes;
}

/** Where the heaps and their bookkeeping lie. */
export interface HeapPlan extends HeapConfig {
  /** Of data, and of everything without CONFIG_HARVARD; for kind dynamic what llext_heap_init is to be given. */
  readonly data: HeapRange;
  readonly instruction: HeapRange;
  /** For kind memblk. */
  readonly metadata: HeapRange;
  /** Memory for struct k_heap, bitmaps and llext_heap_inited. */
  readonly records: number;
  /** Exclusive. */
  readonly end: number;
}

/** Lays the heaps out from an address on, as a linker would: static buffers one after the other. */
export function planHeaps(config: HeapConfig, start: number): HeapPlan {
  const { kind, harvard, sizes } = config;
  const boundary = kind === 'memblk' ? sizes.HEAP_MEMBLK_BLOCK_SIZE : 8;
  const align = (address: number): number => Math.ceil(address / boundary) * boundary;
  const dataBytes = harvard ? sizes.DATA_HEAP_SIZE : kind === 'memblk' ? sizes.EXT_HEAP_SIZE : sizes.HEAP_SIZE;
  const instruction = { address: align(start), bytes: sizes.INSTR_HEAP_SIZE };
  const data = { address: harvard ? align(start + instruction.bytes) : align(start), bytes: dataBytes };
  const metadata = { address: align(data.address + data.bytes), bytes: sizes.METADATA_HEAP_SIZE };
  const records =
    Math.ceil((kind === 'memblk' ? metadata.address + metadata.bytes : data.address + data.bytes) / 8) * 8;
  const bitmaps =
    kind === 'memblk' ? MemBlocks.bitmapSize((instruction.bytes + data.bytes) / sizes.HEAP_MEMBLK_BLOCK_SIZE) : 0;
  const end = records + RECORDS_SIZE + bitmaps + 8;
  return { ...config, data, instruction: harvard ? instruction : data, metadata, records, end };
}

/** The heaps of a linked image, by the names of their variables; undefined = the one k_heap, or none that is known. */
export function planOfImage(
  heaps: readonly { readonly name: string; readonly address: bigint; readonly bytes: number }[],
  { harvard = false, memblkBlockSize }: { readonly harvard?: boolean; readonly memblkBlockSize?: number },
  records: number,
): HeapPlan | undefined {
  const range = (name: string): HeapRange | undefined => {
    const found = heaps.find((heap) => heap.name === name);
    return found && { address: Number(found.address), bytes: found.bytes };
  };
  const kind = memblkBlockSize === undefined ? 'kheap' : 'memblk';
  const data = range(harvard ? 'llext_data_heap' : 'llext_ext_heap');
  const instruction = harvard ? range('llext_instr_heap') : data;
  const metadata = range('llext_metadata_heap') ?? data;
  if (data === undefined || instruction === undefined || metadata === undefined) return undefined;
  const sizes = {
    ...defaultHeapSizes,
    HEAP_MEMBLK_BLOCK_SIZE: memblkBlockSize ?? defaultHeapSizes.HEAP_MEMBLK_BLOCK_SIZE,
  };
  const blocks = Math.ceil((data.bytes + instruction.bytes) / sizes.HEAP_MEMBLK_BLOCK_SIZE);
  const end = records + RECORDS_SIZE + MemBlocks.bitmapSize(blocks) + 8;
  return { kind, harvard, sizes, data, instruction, metadata, records, end };
}

/** Three k_heap records of either width, and a word for llext_heap_inited. */
const RECORDS_SIZE = 3 * 24 + 8;
const INITED = 3 * 24;

/** Formats the heaps of a plan. `map` says where struct llext has mem_alloc_map: kind memblk needs it. */
export function makeHeaps(memory: HeapMemory, plan: HeapPlan, pointerSize: 4 | 8, map?: AllocMapLayout): PlacingHeaps {
  const record = (i: number): number => plan.records + i * kHeapRecordSize(pointerSize);
  const kHeap = (i: number, range: HeapRange): PlacingHeap =>
    initKHeap(memory, record(i), range, pointerSize).asLlextHeap();
  switch (plan.kind) {
    case 'kheap': {
      const data = kHeap(0, plan.data);
      return { metadata: data, data, instruction: plan.harvard ? kHeap(1, plan.instruction) : data };
    }
    case 'memblk': {
      if (map === undefined) {
        throw new LlextError(
          Errno.ENOSYS,
          'this version of Zephyr has no CONFIG_LLEXT_HEAP_MEMBLK: use profile V44 or S',
        );
      }
      return memblkHeaps(memory, plan, map, kHeap(2, plan.metadata));
    }
    case 'dynamic':
      return dynamicHeaps(memory, plan, pointerSize, record);
  }
}

function memblkHeaps(memory: HeapMemory, plan: HeapPlan, map: AllocMapLayout, metadata: PlacingHeap): PlacingHeaps {
  const blockSize = plan.sizes.HEAP_MEMBLK_BLOCK_SIZE;
  let bitmap = plan.records + RECORDS_SIZE;
  const blocksOf = ({ address, bytes }: HeapRange): MemblkHeap => {
    if (bytes % blockSize !== 0) {
      // BUILD_ASSERT of llext_memblk.c.
      throw new LlextError(Errno.EINVAL, `a heap of ${bytes} bytes is not a multiple of the block size ${blockSize}`);
    }
    const blocks = MemBlocks.init(memory, { buffer: address, blockSize, blocks: bytes / blockSize, bitmap });
    bitmap += MemBlocks.bitmapSize(bytes / blockSize);
    return new MemblkHeap(memory, blocks, map);
  };
  const data = blocksOf(plan.data);
  const instruction = plan.harvard ? blocksOf(plan.instruction) : data;
  return {
    metadata,
    data,
    instruction,
    reset: (ext) => data.reset(ext),
    setReport(report) {
      data.report = report;
      instruction.report = report;
    },
  };
}

/** Heaps that exist while llext_heap_inited is set, wherever llext_heap_init was told. */
function dynamicHeaps(
  memory: HeapMemory,
  plan: HeapPlan,
  pointerSize: 4 | 8,
  record: (i: number) => number,
): PlacingHeaps {
  const inited = plan.records + INITED;
  const setInited = (value: number): void => void memory.write(inited, Uint8Array.of(value));
  const isInited = (): boolean => memory.read(inited, 1)[0] !== 0;
  setInited(0);
  const give = (i: number, range: HeapRange): void => {
    try {
      initKHeap(memory, record(i), range, pointerSize);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new LlextError(Errno.EFAULT, `llext_heap_init: ${error.message}`);
    }
  };
  const dynamic: DynamicHeaps = {
    get initialised() {
      return isInited();
    },
    init(data, instruction) {
      give(0, data);
      if (instruction !== undefined) give(1, instruction);
      setInited(1);
    },
    uninit: () => setInited(0),
  };
  const data = lateHeap(() => (isInited() ? attachKHeap(memory, record(0), pointerSize) : undefined));
  const instruction = plan.harvard
    ? lateHeap(() => (isInited() ? attachKHeap(memory, record(1), pointerSize) : undefined))
    : data;
  return { metadata: data, data, instruction, dynamic };
}

/** Nothing is allocated or freed while there is no heap. */
function lateHeap(heap: () => KHeap | undefined): PlacingHeap {
  return {
    alignedAlloc: (align, bytes) => BigInt(heap()?.alignedAlloc(align, bytes) ?? 0),
    free: (address) => heap()?.free(Number(address)),
    contains: (address) => heap()?.contains(address) ?? false,
    allocAt: (address, bytes) => heap()?.allocAt(address, bytes) ?? 0,
    freeBytes: () => heap()?.freeBytes() ?? 0,
  };
}
