/**
 * Zephyr's sys_mem_blocks: a buffer of equal blocks and a bit a block, kept in guest memory as sys_bitarray's 32-bit
 * bundles. Allocation takes the lowest run of free blocks that is long enough (specification 1.11, CONFIG_LLEXT_HEAP_MEMBLK).
 * Not modelled: locking, listeners, statistics.
 */
import { Errno } from '../errors';
import type { HeapMemory } from './k-heap';

export interface MemBlocksOptions {
  /** Address of the first block. */
  readonly buffer: number;
  readonly blockSize: number;
  readonly blocks: number;
  /** Address of the bitmap: a word for each 32 blocks. */
  readonly bitmap: number;
}

const BITS_PER_BUNDLE = 32;

export class MemBlocks {
  private constructor(
    private readonly memory: HeapMemory,
    private readonly options: MemBlocksOptions,
  ) {}

  /** Bytes that the bitmap takes. */
  static bitmapSize(blocks: number): number {
    return 4 * Math.ceil(blocks / BITS_PER_BUNDLE);
  }

  /** SYS_MEM_BLOCKS_DEFINE: all blocks free. */
  static init(memory: HeapMemory, options: MemBlocksOptions): MemBlocks {
    const blocks = MemBlocks.attach(memory, options);
    memory.write(options.bitmap, new Uint8Array(MemBlocks.bitmapSize(options.blocks)));
    return blocks;
  }

  /** Of memory that init() has set up before, as after a snapshot is restored. */
  static attach(memory: HeapMemory, options: MemBlocksOptions): MemBlocks {
    const { blockSize, blocks } = options;
    // The block's size is kept as a shift.
    if (blockSize < 1 || (blockSize & (blockSize - 1)) !== 0) {
      throw new RangeError(`a block of ${blockSize} bytes is not a power of two`);
    }
    if (blocks < 1) throw new RangeError('a heap without blocks');
    return new MemBlocks(memory, options);
  }

  get blockSize(): number {
    return this.options.blockSize;
  }

  /** sys_mem_blocks_alloc_contiguous: an address, 0 for zero blocks, or -ENOMEM. */
  allocContiguous(count: number): number {
    const { buffer, blockSize, blocks } = this.options;
    if (count === 0) return 0;
    const bits = this.bits();
    for (let first = 0; first + count <= blocks;) {
      const taken = bits.lastIndexOf(true, first + count - 1);
      if (taken < first) {
        this.set(first, count, true);
        return buffer + first * blockSize;
      }
      first = taken + 1;
    }
    return -Errno.ENOMEM;
  }

  /** sys_mem_blocks_get: exactly these blocks, or -ENOMEM. */
  get(address: number, count: number): number {
    const { buffer, blockSize, blocks } = this.options;
    const first = (address - buffer) / blockSize;
    if (!Number.isInteger(first) || first < 0 || first + count > blocks) return -Errno.ENOMEM;
    if (
      this.bits()
        .slice(first, first + count)
        .includes(true)
    )
      return -Errno.ENOMEM;
    this.set(first, count, true);
    return address;
  }

  /** sys_mem_blocks_free_contiguous: -EINVAL for too many blocks, -EFAULT for what is not allocated here. */
  freeContiguous(address: number, count: number): number {
    const { buffer, blockSize, blocks } = this.options;
    if (count === 0) return 0;
    if (count > blocks) return -Errno.EINVAL;
    const first = Math.floor((address - buffer) / blockSize);
    if (first < 0 || first >= blocks) return -Errno.EFAULT;
    // sys_bitarray_free: -EINVAL beyond the end, -EFAULT when a block of them is free.
    if (first + count > blocks) return -Errno.EINVAL;
    if (
      this.bits()
        .slice(first, first + count)
        .includes(false)
    )
      return -Errno.EFAULT;
    this.set(first, count, false);
    return 0;
  }

  freeBytes(): number {
    return this.bits().filter((taken) => !taken).length * this.options.blockSize;
  }

  contains(address: number): boolean {
    const { buffer, blockSize, blocks } = this.options;
    return address >= buffer && address < buffer + blocks * blockSize;
  }

  private bits(): boolean[] {
    const { bitmap, blocks } = this.options;
    const bytes = this.memory.read(bitmap, MemBlocks.bitmapSize(blocks));
    return Array.from({ length: blocks }, (_, i) => ((bytes[i >> 3] >> (i & 7)) & 1) !== 0);
  }

  private set(first: number, count: number, taken: boolean): void {
    const { bitmap, blocks } = this.options;
    // Bundles are little-endian words here, so that bit i is bit i % 8 of byte i / 8.
    const bytes = this.memory.read(bitmap, MemBlocks.bitmapSize(blocks)).slice();
    for (let i = first; i < first + count; i++) {
      bytes[i >> 3] = taken ? bytes[i >> 3] | (1 << (i & 7)) : bytes[i >> 3] & ~(1 << (i & 7));
    }
    this.memory.write(bitmap, bytes);
  }
}
