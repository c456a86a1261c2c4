/**
 * k_malloc and malloc on the system heap (kernel/mempool.c, 4.2): every block of k_malloc is preceded by the address
 * of its k_heap, by which k_free finds it. A pointer that no live block has is refused with a message; in Zephyr it
 * corrupts the heap in silence.
 */
import { hex } from '../bytes';
import { littleEndian } from './guest-memory';
import type { HostMisuse } from './host-call';

/** sys_heap on guest memory (KHeap has these); addresses are numbers, 0 = no room. */
export interface HeapAllocator {
  alloc(bytes: number): number;
  /** `align` may carry the rewind bit: align | 4 = four bytes before a multiple of align. */
  alignedAlloc(align: number, bytes: number): number;
  free(address: number): void;
  isAllocated(address: number): boolean;
  /** Bytes that an allocated block can hold. */
  usableSize(address: number): number;
}

/** Guest memory, as far as the heap functions touch it. */
/** Told of what is given and taken; sizes as they were asked for. */
export interface HeapObserver {
  /** Whether it was given and not taken yet: of all observed blocks, none else. */
  isLive(block: number): boolean;
  allocated(block: number, size: number): void;
  freed(block: number): void;
  /** realloc: the contents of one block are in another one now. */
  moved(from: number, to: number): void;
}

export interface HeapMemory {
  read(address: number, length: number): Uint8Array;
  write(address: number, bytes: Uint8Array): number;
}

const U32_MAX = 0xffff_ffff;

export class SystemHeap {
  observer: HeapObserver | undefined;

  constructor(
    private readonly heap: HeapAllocator,
    private readonly memory: HeapMemory,
    /** Address of its struct k_heap. */
    private readonly reference: number,
    /** Of the pointer to it. */
    private readonly referenceSize: 4 | 8,
  ) {}

  /** z_alloc_helper: the reference is the word below the (aligned) block. */
  kMalloc(size: number, align = 0): number {
    const total = size + this.referenceSize;
    if (total > U32_MAX) return 0;
    const start = align === 0 ? this.heap.alloc(total) : this.heap.alignedAlloc(align | this.referenceSize, total);
    if (start === 0) return 0;
    this.memory.write(start, littleEndian(this.reference, this.referenceSize));
    return this.given(start + this.referenceSize, size);
  }

  kCalloc(count: number, size: number): number {
    if (count * size > U32_MAX) return 0;
    return this.cleared(this.kMalloc(count * size), count * size);
  }

  kFree(name: string, block: number): HostMisuse | undefined {
    if (block === 0) return undefined;
    const start = this.startOf(block);
    if (start === undefined) return misuse(name, block, 'k_malloc');
    this.take(block, start);
    return undefined;
  }

  kRealloc(name: string, block: number, size: number): number | HostMisuse {
    if (block === 0) return this.kMalloc(size);
    const start = this.startOf(block);
    if (start === undefined) return misuse(name, block, 'k_malloc');
    if (size === 0) {
      this.take(block, start);
      return 0;
    }
    const available = this.heap.usableSize(start) - this.referenceSize;
    const moved = this.move(block, available, this.kMalloc(size), size);
    if (moved !== 0) this.take(block, start);
    return moved;
  }

  malloc(size: number, align = 2 * this.referenceSize): number {
    return this.given(this.heap.alignedAlloc(align, size), size);
  }

  calloc(count: number, size: number): number {
    if (count * size > U32_MAX) return 0;
    return this.cleared(this.malloc(count * size), count * size);
  }

  free(name: string, block: number): HostMisuse | undefined {
    if (block === 0) return undefined;
    if (!this.isLive(block, block)) return misuse(name, block, 'malloc');
    this.take(block, block);
    return undefined;
  }

  realloc(name: string, block: number, size: number): number | HostMisuse {
    if (block === 0) return this.malloc(size);
    if (!this.isLive(block, block)) return misuse(name, block, 'malloc');
    if (size === 0) {
      this.take(block, block);
      return 0;
    }
    const moved = this.move(block, this.heap.usableSize(block), this.malloc(size), size);
    if (moved !== 0) this.take(block, block);
    return moved;
  }

  private isLive(block: number, start: number): boolean {
    return this.heap.isAllocated(start) && this.observer?.isLive(block) !== false;
  }

  private given(block: number, size: number): number {
    if (block !== 0) this.observer?.allocated(block, size);
    return block;
  }

  private take(block: number, start: number): void {
    this.heap.free(start);
    this.observer?.freed(block);
  }

  /** From the start of a live allocation to the block that its user has. */
  offsetOfBlock(start: number): number {
    return this.startOf(start + this.referenceSize) === undefined ? 0 : this.referenceSize;
  }

  /** Start of the allocation that a block of k_malloc is in: live, and the word there refers to this heap. */
  private startOf(block: number): number | undefined {
    const start = block - this.referenceSize;
    if (start < 0 || !this.isLive(block, start)) return undefined;
    const word = this.memory.read(start, this.referenceSize);
    return littleEndian(this.reference, this.referenceSize).every((byte, i) => byte === word[i]) ? start : undefined;
  }

  private move(from: number, available: number, to: number, size: number): number {
    if (to === 0) return to;
    this.memory.write(to, this.memory.read(from, Math.min(available, size)));
    this.observer?.moved(from, to);
    return to;
  }

  private cleared(block: number, size: number): number {
    if (block !== 0) this.memory.write(block, new Uint8Array(size));
    return block;
  }
}

function misuse(name: string, block: number, allocator: string): HostMisuse {
  return {
    kind: 'misuse',
    address: block,
    message: `${name}: ${hex(block, 8)} is not a live block of ${allocator} (freed already, or never allocated)`,
  };
}
