/** A heap that tells what is taken from it and given back. */
import type { HeapAllocator } from './system-heap';

export interface HeapEvent {
  readonly kind: 'alloc' | 'free';
  readonly address: number;
  /** As many as the block can hold. */
  readonly bytes: number;
}

export function observedHeap(heap: HeapAllocator, tell: (event: HeapEvent) => void): HeapAllocator {
  const taken = (address: number): number => {
    if (address !== 0) tell({ kind: 'alloc', address, bytes: heap.usableSize(address) });
    return address;
  };
  return {
    alloc: (bytes) => taken(heap.alloc(bytes)),
    alignedAlloc: (align, bytes) => taken(heap.alignedAlloc(align, bytes)),
    free(address) {
      tell({ kind: 'free', address, bytes: heap.usableSize(address) });
      heap.free(address);
    },
    isAllocated: (address) => heap.isAllocated(address),
    usableSize: (address) => heap.usableSize(address),
  };
}
