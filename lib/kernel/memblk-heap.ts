/**
 * llext_memblk.c: regions in whole blocks of a sys_mem_blocks (CONFIG_LLEXT_HEAP_MEMBLK, specification 1.11). What an
 * extension has is listed in its mem_alloc_map {idx, map[LLEXT_MEM_COUNT] {num_blocks, memblk_ptr}} in struct llext, where
 * an entry that was freed is not used again before llext_heap_reset.
 */
import { decodeUnsigned, encodeInteger } from '../bytes';
import { Errno, LlextError } from '../errors';
import type { AllocationPurpose } from '../llext/types';
import type { HeapMemory, PlacingHeap } from './k-heap';
import type { MemBlocks } from './mem-blocks';

export interface AllocMapLayout {
  readonly pointerSize: 4 | 8;
  /** Offset of mem_alloc_map in struct llext. */
  readonly offset: number;
  /** LLEXT_MEM_COUNT */
  readonly regions: number;
}

export class MemblkHeap implements PlacingHeap {
  /** Takes the messages that Zephyr logs as errors. */
  report: (message: string) => void = () => undefined;

  constructor(
    private readonly memory: HeapMemory,
    private readonly blocks: MemBlocks,
    private readonly map: AllocMapLayout,
  ) {}

  alignedAlloc(align: number, bytes: number, _purpose: AllocationPurpose, ext?: bigint): bigint {
    return this.allocate(align, bytes, ext, (count) => this.blocks.allocContiguous(count));
  }

  allocAt(address: number, bytes: number, ext?: bigint): number {
    return Number(this.allocate(1, bytes, ext, (count) => this.blocks.get(address, count)));
  }

  free(address: bigint, ext?: bigint): void {
    const struct = this.structOf(ext);
    const used = this.int(struct);
    for (let i = 0; i < used; i++) {
      const entry = this.entry(struct, i);
      if (this.pointer(entry) !== address) continue;
      this.blocks.freeContiguous(Number(address), this.int(entry));
      this.setEntry(entry, 0, 0n);
      return;
    }
    this.report(`Could not find sys_mem_blocks alloc to free pointer 0x${address.toString(16)}`);
  }

  /** llext_heap_reset */
  reset(ext: bigint): void {
    this.setInt(this.structOf(ext), 0);
  }

  contains(address: number): boolean {
    return this.blocks.contains(address);
  }

  freeBytes(): number {
    return this.blocks.freeBytes();
  }

  private allocate(align: number, bytes: number, ext: bigint | undefined, take: (count: number) => number): bigint {
    const struct = this.structOf(ext);
    const used = this.int(struct);
    const { blockSize } = this.blocks;
    if (bytes === 0 || used >= this.map.regions) return 0n;
    // The remainder of a division by zero is the dividend on Arm.
    if (align === 0 || blockSize % align !== 0) {
      this.report(`Requested alignment ${align} not possible with block alignment ${blockSize}`);
      return 0n;
    }
    const entry = this.entry(struct, used);
    const count = Math.ceil(bytes / blockSize);
    this.setInt(entry, count);
    const address = take(count);
    if (address <= 0) return 0n;
    this.setEntry(entry, count, BigInt(address));
    this.setInt(struct, used + 1);
    return BigInt(address);
  }

  private structOf(ext: bigint | undefined): number {
    if (ext === undefined) throw new LlextError(Errno.EFAULT, 'blocks are allocated for an extension only');
    return Number(ext) + this.map.offset;
  }

  /** idx is an int, the entries are aligned as pointers are. */
  private entry(struct: number, i: number): number {
    const { pointerSize } = this.map;
    return struct + pointerSize + i * 2 * pointerSize;
  }

  private int(address: number): number {
    return Number(BigInt.asIntN(32, decodeUnsigned(this.memory.read(address, 4), true)));
  }

  private setInt(address: number, value: number): void {
    this.memory.write(address, encodeInteger(BigInt(value), 4, true));
  }

  private pointer(entry: number): bigint {
    const { pointerSize } = this.map;
    return decodeUnsigned(this.memory.read(entry + pointerSize, pointerSize), true);
  }

  private setEntry(entry: number, count: number, address: bigint): void {
    const { pointerSize } = this.map;
    this.setInt(entry, count);
    this.memory.write(entry + pointerSize, encodeInteger(address, pointerSize, true));
  }
}
