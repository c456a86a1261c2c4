/**
 * Zephyr's sys_heap, which k_heap wraps: a heap of 8-byte units with chunk headers and power-of-two free lists, kept in
 * guest memory byte for byte, so that addresses and even the garbage in fresh allocations are the target's.
 * A chunk header is {left size, size << 1 | used} of 16 bits each in a small heap (32-bit target, at most 0x7fff units),
 * of 32 bits in a big one; a free chunk continues with {previous, next} of its list. The ring of a list is entered at
 * the bucket's `next` and grows before it. Not modelled: statistics, waiting, CONFIG_SYS_HEAP_VALIDATE.
 */
import { Errno, LlextError } from '../errors';
import type { LlextHeap } from '../llext/types';

const CHUNK_UNIT = 8;
/** CONFIG_SYS_HEAP_ALLOC_LOOPS: chunks of the smallest possible bucket that are tried. */
const ALLOC_LOOPS = 3;
/** struct z_heap: chunk 0's header (two words), end_chunk, avail_buckets, then the buckets. */
const END_CHUNK = 8;
const AVAIL_BUCKETS = 12;
const BUCKETS = 16;
// Fields of a chunk, in units of the header's field size.
const LEFT_SIZE = 0;
const SIZE_AND_USED = 1;
const FREE_PREV = 2;
const FREE_NEXT = 3;

export interface HeapMemory {
  read(address: number, length: number): Uint8Array;
  write(address: number, bytes: Uint8Array): unknown;
}

/** A heap that can also be told where to allocate, for a placement that the user dictates. */
export interface PlacingHeap extends LlextHeap {
  contains(address: number): boolean;
  /** Not Zephyr's: exactly there, or 0. */
  allocAt(address: number, bytes: number, ext?: bigint): number;
  freeBytes(): number;
}

export class KHeap {
  /** Bytes of a chunk's header: 4 or 8. */
  private readonly header: number;
  private readonly endChunk: number;

  private constructor(
    private readonly memory: HeapMemory,
    /** Address of struct z_heap, the heap's start rounded up. */
    readonly base: number,
    endChunk: number,
    private readonly big: boolean,
  ) {
    this.endChunk = endChunk;
    this.header = big ? 8 : 4;
  }

  /** k_heap_init: formats the memory. `bytes` includes the heap's own structures. */
  static init(memory: HeapMemory, mem: number, bytes: number, pointerSize: 4 | 8 = 4): KHeap {
    const heap = KHeap.attach(memory, mem, bytes, pointerSize);
    heap.format();
    return heap;
  }

  /** A heap that init() has formatted before, as after a snapshot is restored. */
  static attach(memory: HeapMemory, mem: number, bytes: number, pointerSize: 4 | 8 = 4): KHeap {
    const big = pointerSize === 8 || Math.floor(bytes / CHUNK_UNIT) > 0x7fff;
    const footer = big ? 8 : 4;
    const base = Math.ceil(mem / CHUNK_UNIT) * CHUNK_UNIT;
    const end = Math.floor((mem + bytes - footer) / CHUNK_UNIT) * CHUNK_UNIT;
    const units = (end - base) / CHUNK_UNIT;
    const heap = new KHeap(memory, base, units, big);
    if (units <= heap.chunk0Size()) throw new RangeError(`a heap of ${bytes} bytes is too small`);
    return heap;
  }

  /** sys_heap_alloc: an address, or 0. */
  alloc(bytes: number): number {
    if (bytes === 0 || this.sizeTooBig(bytes)) return 0;
    const units = this.bytesToUnits(bytes, 0);
    const chunk = this.allocChunk(units);
    if (chunk === 0) return 0;
    this.freeBehind(chunk, chunk + units);
    this.setUsed(chunk, true);
    return this.chunkMem(chunk);
  }

  /** sys_heap_aligned_alloc; `align` may carry Zephyr's rewind bit (32 | 8 = 8 bytes before a multiple of 32). */
  alignedAlloc(align: number, bytes: number): number {
    let rewind = align & -align;
    let boundary = align;
    let gap = this.header;
    if (align !== rewind) {
      boundary -= rewind;
      gap = Math.min(rewind, this.header);
    } else {
      if (align <= this.header) return this.alloc(bytes);
      rewind = 0;
    }
    if (bytes === 0 || this.sizeTooBig(bytes)) return 0;
    // Enough for any position of the boundary; what is not needed is freed again.
    const chunk = this.allocChunk(this.bytesToUnits(bytes, boundary - gap));
    if (chunk === 0) return 0;
    const mem = Math.ceil((this.chunkMem(chunk) + rewind) / boundary) * boundary - rewind;
    return this.carve(chunk, mem, bytes);
  }

  /**
   * Not Zephyr's: allocates exactly there, for a placement that the user dictates. 0 when something of it is in use or
   * the address cannot be the start of an allocation.
   */
  allocAt(mem: number, bytes: number): number {
    const wanted = this.memToChunk(mem);
    if (bytes === 0 || mem % 4 !== 0 || wanted < this.chunk0Size()) return 0;
    for (const c of this.chunks()) {
      if (this.used(c) || c > wanted || mem + bytes > this.base + this.rightChunk(c) * CHUNK_UNIT) continue;
      this.freeListRemove(c);
      return this.carve(c, mem, bytes);
    }
    return 0;
  }

  /** sys_heap_free; 0 is allowed. Throws LlextError for what is not an allocation in use. */
  free(mem: number): void {
    if (mem === 0) return;
    const chunk = this.memToChunk(mem);
    const inside = chunk >= this.chunk0Size() && chunk < this.endChunk;
    if (!inside || !this.used(chunk)) {
      // Zephyr's assertion; without assertions the heap would break later.
      const text = `unexpected heap state (double-free?) for memory at 0x${mem.toString(16)}`;
      throw new LlextError(Errno.EFAULT, text);
    }
    this.setUsed(chunk, false);
    this.freeChunk(chunk);
  }

  /** sys_heap_usable_size */
  usableSize(mem: number): number {
    const chunk = this.memToChunk(mem);
    return this.base + this.rightChunk(chunk) * CHUNK_UNIT - mem;
  }

  /** Whether the address is an allocation of this heap that is in use. */
  isAllocated(mem: number): boolean {
    const wanted = this.memToChunk(mem);
    for (const c of this.chunks()) if (c === wanted) return this.used(c);
    return false;
  }

  contains(address: number): boolean {
    return address >= this.base && address < this.base + this.endChunk * CHUNK_UNIT;
  }

  /** Bytes of free chunks, headers included. */
  freeBytes(): number {
    let units = 0;
    for (const c of this.chunks()) if (!this.used(c)) units += this.size(c);
    return units * CHUNK_UNIT;
  }

  /** What is allocated, as far as it can hold. */
  *usedBlocks(): Iterable<{ readonly address: number; readonly size: number }> {
    for (const c of this.chunks()) {
      const address = this.chunkMem(c);
      if (this.used(c)) yield { address, size: this.usableSize(address) };
    }
  }

  /** All chunks but the first, in order of address; ends early where a program has overwritten a header. */
  private *chunks(): Iterable<number> {
    for (let c = this.chunk0Size(); c < this.endChunk && this.size(c) > 0; c = this.rightChunk(c)) yield c;
  }

  /** This heap as the loader wants one. */
  asLlextHeap(): PlacingHeap {
    return {
      alignedAlloc: (align, bytes) => BigInt(this.alignedAlloc(align, bytes)),
      free: (address) => this.free(Number(address)),
      contains: (address) => this.contains(address),
      allocAt: (address, bytes) => this.allocAt(address, bytes),
      freeBytes: () => this.freeBytes(),
    };
  }

  private format(): void {
    const chunk0 = this.chunk0Size();
    this.setWord(this.base + END_CHUNK, this.endChunk);
    this.setWord(this.base + AVAIL_BUCKETS, 0);
    const buckets = this.bucketIndex(this.endChunk) + 1;
    for (let i = 0; i < buckets; i++) this.setWord(this.base + BUCKETS + 4 * i, 0);
    this.setSize(0, chunk0);
    this.setLeftSize(0, 0);
    this.setUsed(0, true);
    this.setSize(chunk0, this.endChunk - chunk0);
    this.setLeftSize(chunk0, chunk0);
    // The end marker, of size 0 and never free.
    this.setSize(this.endChunk, 0);
    this.setLeftSize(this.endChunk, this.endChunk - chunk0);
    this.setUsed(this.endChunk, true);
    this.freeListAdd(chunk0);
  }

  /** Units of struct z_heap with its buckets. */
  private chunk0Size(): number {
    return Math.ceil((BUCKETS + 4 * (this.bucketIndex(this.endChunk) + 1)) / CHUNK_UNIT);
  }

  /** Keeps [mem, mem + bytes) of an unlisted free chunk and frees what is before and behind. */
  private carve(first: number, mem: number, bytes: number): number {
    const end = Math.ceil((mem + bytes - this.base) / CHUNK_UNIT);
    const chunk = this.memToChunk(mem);
    if (chunk > first) {
      this.split(first, chunk);
      this.freeListAdd(first);
    }
    this.freeBehind(chunk, end);
    this.setUsed(chunk, true);
    return mem;
  }

  private freeBehind(chunk: number, end: number): void {
    if (this.rightChunk(chunk) <= end) return;
    this.split(chunk, end);
    this.freeListAdd(end);
  }

  private allocChunk(units: number): number {
    const index = this.bucketIndex(units);
    if (index > this.bucketIndex(this.endChunk)) return 0;
    const first = this.bucket(index);
    if (first !== 0) {
      let tries = ALLOC_LOOPS;
      do {
        const chunk = this.bucket(index);
        if (this.size(chunk) >= units) {
          this.freeListRemoveFrom(chunk, index);
          return chunk;
        }
        this.setBucket(index, this.get(chunk, FREE_NEXT));
      } while (--tries > 0 && this.bucket(index) !== first);
    }
    // Any chunk of a bucket above is large enough.
    const above = index >= 31 ? 0 : this.word(this.base + AVAIL_BUCKETS) & ~((2 << index) - 1);
    if (above === 0) return 0;
    const smallest = 31 - Math.clz32(above & -above);
    const chunk = this.bucket(smallest);
    this.freeListRemoveFrom(chunk, smallest);
    return chunk;
  }

  private freeChunk(chunk: number): void {
    const right = this.rightChunk(chunk);
    if (!this.used(right)) {
      this.freeListRemove(right);
      this.merge(chunk, right);
    }
    const left = chunk - this.get(chunk, LEFT_SIZE);
    if (!this.used(left)) {
      this.freeListRemove(left);
      this.merge(left, chunk);
      this.freeListAdd(left);
      return;
    }
    this.freeListAdd(chunk);
  }

  private split(left: number, right: number): void {
    const size = this.size(left);
    const leftSize = right - left;
    this.setSize(left, leftSize);
    this.setSize(right, size - leftSize);
    this.setLeftSize(right, leftSize);
    this.setLeftSize(this.rightChunk(right), size - leftSize);
  }

  private merge(left: number, right: number): void {
    const size = this.size(left) + this.size(right);
    this.setSize(left, size);
    this.setLeftSize(this.rightChunk(right), size);
  }

  /** A chunk of one unit has no room for list fields in a big heap: it stays free, but unlisted. */
  private isSolo(chunk: number): boolean {
    return this.big && this.size(chunk) === 1;
  }

  private freeListAdd(chunk: number): void {
    if (this.isSolo(chunk)) return;
    const index = this.bucketIndex(this.size(chunk));
    const second = this.bucket(index);
    if (second === 0) {
      const available = this.base + AVAIL_BUCKETS;
      this.setWord(available, this.word(available) | (1 << index));
      this.setBucket(index, chunk);
      this.set(chunk, FREE_PREV, chunk);
      this.set(chunk, FREE_NEXT, chunk);
      return;
    }
    const first = this.get(second, FREE_PREV);
    this.set(chunk, FREE_PREV, first);
    this.set(chunk, FREE_NEXT, second);
    this.set(first, FREE_NEXT, chunk);
    this.set(second, FREE_PREV, chunk);
  }

  private freeListRemove(chunk: number): void {
    if (!this.isSolo(chunk)) this.freeListRemoveFrom(chunk, this.bucketIndex(this.size(chunk)));
  }

  private freeListRemoveFrom(chunk: number, index: number): void {
    const next = this.get(chunk, FREE_NEXT);
    if (next === chunk) {
      const available = this.base + AVAIL_BUCKETS;
      this.setWord(available, this.word(available) & ~(1 << index));
      this.setBucket(index, 0);
      return;
    }
    const previous = this.get(chunk, FREE_PREV);
    this.setBucket(index, next);
    this.set(previous, FREE_NEXT, next);
    this.set(next, FREE_PREV, previous);
  }

  private bucketIndex(units: number): number {
    const smallest = this.big ? 2 : 1;
    return 31 - Math.clz32(units - smallest + 1);
  }

  private bytesToUnits(bytes: number, extra: number): number {
    const whole = Math.floor(bytes / CHUNK_UNIT) + Math.floor(extra / CHUNK_UNIT);
    const rest = (bytes % CHUNK_UNIT) + (extra % CHUNK_UNIT) + this.header;
    return Math.min(whole + Math.ceil(rest / CHUNK_UNIT), this.endChunk);
  }

  private sizeTooBig(bytes: number): boolean {
    return bytes / CHUNK_UNIT >= this.endChunk;
  }

  private chunkMem(chunk: number): number {
    return this.base + chunk * CHUNK_UNIT + this.header;
  }

  private memToChunk(mem: number): number {
    return Math.floor((mem - this.header - this.base) / CHUNK_UNIT);
  }

  private rightChunk(chunk: number): number {
    return chunk + this.size(chunk);
  }

  private size(chunk: number): number {
    return this.get(chunk, SIZE_AND_USED) >>> 1;
  }

  private used(chunk: number): boolean {
    return (this.get(chunk, SIZE_AND_USED) & 1) !== 0;
  }

  private setUsed(chunk: number, used: boolean): void {
    this.set(chunk, SIZE_AND_USED, (this.size(chunk) << 1) | (used ? 1 : 0));
  }

  /** Leaves the chunk marked free, as chunk_set does: sizes change only while it is. */
  private setSize(chunk: number, size: number): void {
    this.set(chunk, SIZE_AND_USED, size << 1);
  }

  private setLeftSize(chunk: number, size: number): void {
    this.set(chunk, LEFT_SIZE, size);
  }

  private bucket(index: number): number {
    return this.word(this.base + BUCKETS + 4 * index);
  }

  private setBucket(index: number, chunk: number): void {
    this.setWord(this.base + BUCKETS + 4 * index, chunk);
  }

  private get(chunk: number, field: number): number {
    const address = this.base + chunk * CHUNK_UNIT;
    if (this.big) return this.word(address + 4 * field);
    const [low, high] = this.memory.read(address + 2 * field, 2);
    return low | (high << 8);
  }

  private set(chunk: number, field: number, value: number): void {
    const address = this.base + chunk * CHUNK_UNIT;
    if (this.big) this.setWord(address + 4 * field, value);
    else this.memory.write(address + 2 * field, Uint8Array.of(value, value >> 8));
  }

  private word(address: number): number {
    const [b0, b1, b2, b3] = this.memory.read(address, 4);
    return (b0 | (b1 << 8) | (b2 << 16) | (b3 << 24)) >>> 0;
  }

  private setWord(address: number, value: number): void {
    this.memory.write(address, Uint8Array.of(value, value >> 8, value >> 16, value >> 24));
  }
}
