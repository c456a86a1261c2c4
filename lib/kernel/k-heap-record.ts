/**
 * struct k_heap in guest memory, which begins with struct sys_heap {heap, init_mem, init_bytes}: enough to find the heap
 * again after a snapshot or for somebody who reads the target's memory.
 */
import { decodeUnsigned, encodeInteger } from '../bytes';
import type { HeapMemory } from './k-heap';
import { KHeap } from './k-heap';

/** Bytes of the words that are kept. */
export function kHeapRecordSize(pointerSize: 4 | 8): number {
  return 3 * pointerSize;
}

/** k_heap_init */
export function initKHeap(
  memory: HeapMemory,
  kHeap: number,
  { address, bytes }: { readonly address: number; readonly bytes: number },
  pointerSize: 4 | 8,
): KHeap {
  const heap = KHeap.init(memory, address, bytes, pointerSize);
  [heap.base, address, bytes].forEach((word, i) => {
    memory.write(kHeap + i * pointerSize, encodeInteger(BigInt(word), pointerSize, true));
  });
  return heap;
}

/** The heap that a struct k_heap describes. */
export function attachKHeap(memory: HeapMemory, kHeap: number, pointerSize: 4 | 8): KHeap {
  const word = (i: number): number => Number(decodeUnsigned(memory.read(kHeap + i * pointerSize, pointerSize), true));
  return KHeap.attach(memory, word(1), word(2), pointerSize);
}
