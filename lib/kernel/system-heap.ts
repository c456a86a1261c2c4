/**
 * k_malloc and malloc on the system heap (kernel/mempool.c, 4.2): every block of k_malloc is preceded by the address
 * of its k_heap, by which k_free finds it. A pointer that no live block has is refused with a message; in Zephyr it
 * corrupts the heap in silence.
 */
import { hex } from '../bytes';
import type { HostMisuse } from './host-call';

/** sys_heap on guest memory; addresses are numbers, 0 = no room. */
export interface HeapAllocator {
  alignedAlloc(align: number, bytes: number): number;
  free(address: number): void;
  /** Bytes that the block at an address can hold; undefined when no allocated block starts there. */
  usableSize(address: number): number | undefined;
}

/** Guest memory, as far as the heap functions touch it. */
export interface HeapMemory {
  read(address: number, length: number): Uint8Array;
  write(address: number, bytes: Uint8Array): number;
}

const REFERENCE_SIZE = 4;
const U32_MAX = 0xffff_ffff;

export class SystemHeap {
  constructor(
    private readonly heap: HeapAllocator,
    private readonly memory: HeapMemory,
    /** Address of its struct k_heap. */
    private readonly reference: number,
  ) {}

  /** z_alloc_helper: the reference is the word below the (aligned) block. */
  kMalloc(size: number, align = REFERENCE_SIZE): number {
    if (size > U32_MAX - REFERENCE_SIZE) return 0;
    // An aligned block leaves room for the reference by one alignment unit in front of it.
    const front = Math.max(align, REFERENCE_SIZE);
    const start = this.heap.alignedAlloc(align, size + front);
    if (start === 0) return 0;
    const block = start + front;
    const words = new Uint32Array([start, this.reference]);
    if (front >= 8) this.memory.write(block - 8, new Uint8Array(words.buffer));
    else this.memory.write(block - REFERENCE_SIZE, new Uint8Array(words.buffer, 4));
    return block;
  }

  kCalloc(count: number, size: number): number {
    if (count * size > U32_MAX) return 0;
    return this.cleared(this.kMalloc(count * size), count * size);
  }

  kFree(name: string, block: number): HostMisuse | undefined {
    if (block === 0) return undefined;
    const start = this.startOf(block);
    if (start === undefined) return misuse(name, block, 'k_malloc');
    this.heap.free(start);
    return undefined;
  }

  kRealloc(name: string, block: number, size: number): number | HostMisuse {
    if (block === 0) return this.kMalloc(size);
    const start = this.startOf(block);
    if (start === undefined) return misuse(name, block, 'k_malloc');
    if (size === 0) {
      this.heap.free(start);
      return 0;
    }
    const available = (this.heap.usableSize(start) ?? 0) - (block - start);
    const moved = this.move(block, available, this.kMalloc(size), size);
    if (moved !== 0) this.heap.free(start);
    return moved;
  }

  malloc(size: number, align = 8): number {
    return this.heap.alignedAlloc(align, size);
  }

  calloc(count: number, size: number): number {
    if (count * size > U32_MAX) return 0;
    return this.cleared(this.malloc(count * size), count * size);
  }

  free(name: string, block: number): HostMisuse | undefined {
    if (block === 0) return undefined;
    if (this.heap.usableSize(block) === undefined) return misuse(name, block, 'malloc');
    this.heap.free(block);
    return undefined;
  }

  realloc(name: string, block: number, size: number): number | HostMisuse {
    if (block === 0) return this.malloc(size);
    const available = this.heap.usableSize(block);
    if (available === undefined) return misuse(name, block, 'malloc');
    if (size === 0) {
      this.heap.free(block);
      return 0;
    }
    const moved = this.move(block, available, this.malloc(size), size);
    if (moved !== 0) this.heap.free(block);
    return moved;
  }

  private startOf(block: number): number | undefined {
    return this.heap.usableSize(block - REFERENCE_SIZE) === undefined ? undefined : block - REFERENCE_SIZE;
  }

  private move(from: number, available: number, to: number, size: number): number {
    if (to !== 0) this.memory.write(to, this.memory.read(from, Math.min(available, size)));
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
    message: `${name}: ${hex(block, 8)} is not a live block of ${allocator} (freed already, or never allocated)`,
  };
}
