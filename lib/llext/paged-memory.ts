/**
 * Guest memory without a machine: ranges of zeros, of which pages come into being when they are written. For loading
 * a file only to look at the result (command line, checks), where an engine's memory would be a waste. Where something
 * long is written, a block takes the place of pages: sections are copied and linked in one piece. A file image, and
 * what is copied out of a block, is shared until somebody writes there: most of a load's time is first touches of memory.
 */
import { unmapped } from './guest';
import type { AddressRange, LlextMemory } from './types';

export type { AddressRange };

const pageSize = 4096;
/** From here on a write starts a block. */
const longWrite = 0x1_0000;
/** Room for what follows is as long as what starts the block, and at most this: the host may have to clear it. */
const mostRoomBehind = 0x400_0000;

interface Block {
  readonly start: number;
  end: number;
  bytes: Uint8Array;
  /** The bytes are also somebody else's: copied before they change. */
  isShared: boolean;
  /** Nothing from here on was ever written. */
  used: number;
}

export class PagedMemory implements LlextMemory {
  /** Outside of the blocks. */
  private readonly pages = new Map<number, Uint8Array>();
  private readonly blocks: Block[] = [];

  private ranges: readonly AddressRange[];

  /** Accesses come in runs: start and end of the range of the last one. */
  private lastStart = 0;
  private lastEnd = 0;

  /** Ranges may overlap. */
  constructor(ranges: readonly AddressRange[]) {
    this.ranges = merged(ranges);
  }

  /** More memory. */
  include(range: AddressRange): void {
    this.ranges = merged([...this.ranges, range]);
    this.lastStart = this.lastEnd = 0;
  }

  read(address: bigint, length: number): Uint8Array {
    const bytes = this.readPrefix(address, length);
    if (bytes.length < length) throw unmapped(address + BigInt(bytes.length));
    return bytes;
  }

  readPrefix(address: bigint, length: number): Uint8Array {
    const bytes = new Uint8Array(this.mappedLength(address, length));
    let at = Number(address);
    for (let offset = 0; offset < bytes.length;) {
      const block = this.blockAt(at);
      const page = block?.bytes ?? this.pages.get(Math.floor(at / pageSize));
      const size = Math.min((block?.end ?? this.pageEnd(at)) - at, bytes.length - offset);
      if (page !== undefined) copy(page, block ? at - block.start : at % pageSize, bytes, offset, size);
      at += size;
      offset += size;
    }
    return bytes;
  }

  write(address: bigint, bytes: Uint8Array): void {
    const mapped = this.mappedLength(address, bytes.length);
    if (mapped < bytes.length) throw unmapped(address + BigInt(mapped));
    let at = Number(address);
    if (bytes.length >= longWrite) this.startBlock(at, at + bytes.length);
    for (let offset = 0; offset < bytes.length;) {
      const block = this.blockAt(at);
      const size = Math.min((block?.end ?? this.pageEnd(at)) - at, bytes.length - offset);
      if (block === undefined) copy(bytes, offset, this.pageFor(Math.floor(at / pageSize)), at % pageSize, size);
      else {
        own(block);
        copy(bytes, offset, block.bytes, at - block.start, size);
        block.used = Math.max(block.used, at + size);
      }
      at += size;
      offset += size;
    }
  }

  /** What was never written is zero already. */
  clear(address: bigint, length: number): void {
    const mapped = this.mappedLength(address, length);
    let at = Number(address);
    for (const end = at + mapped; at < end;) {
      const block = this.blockAt(at);
      const size = Math.min((block?.end ?? this.pageEnd(at)) - at, end - at);
      const number = Math.floor(at / pageSize);
      if (block !== undefined) {
        own(block);
        block.bytes.fill(0, at - block.start, Math.min(at + size, block.used) - block.start);
      } else if (size === pageSize) this.pages.delete(number);
      else this.pages.get(number)?.fill(0, at % pageSize, (at % pageSize) + size);
      at += size;
    }
    if (mapped < length) throw unmapped(address + BigInt(mapped));
  }

  /** As write, but where nothing long is yet without a copy: the bytes must not change as long as this memory is in use. */
  share(address: bigint, bytes: Uint8Array): void {
    this.shareOrWrite(address, bytes);
  }

  copy(target: bigint, source: bigint, length: number): void {
    const block = this.blockWith(source, length);
    const distance = target > source ? target - source : source - target;
    // What overlaps is not written piece by piece over itself.
    if (block === undefined || distance < BigInt(length)) {
      this.write(target, this.read(source, length));
      return;
    }
    const from = Number(source) - block.start;
    block.used = Math.max(block.used, Number(source) + length);
    if (this.shareOrWrite(target, block.bytes.subarray(from, from + length))) block.isShared = true;
  }

  view(address: bigint, length: number): Uint8Array | undefined {
    const block = this.blockWith(address, length);
    if (block === undefined) return undefined;
    own(block);
    const at = Number(address);
    block.used = Math.max(block.used, at + length);
    return block.bytes.subarray(at - block.start, at - block.start + length);
  }

  private blockWith(address: bigint, length: number): Block | undefined {
    if (length === 0 || this.mappedLength(address, length) < length) return undefined;
    const at = Number(address);
    const block = this.blockAt(at);
    return block === undefined || at + length > block.end ? undefined : block;
  }

  /** Where the page ends, or a block takes over. */
  private pageEnd(at: number): number {
    let end = at - (at % pageSize) + pageSize;
    for (const { start } of this.blocks) if (start > at && start < end) end = start;
    return end;
  }

  private blockAt(at: number): Block | undefined {
    for (const block of this.blocks) if (at >= block.start && at < block.end) return block;
    return undefined;
  }

  /** true = shared. */
  private shareOrWrite(address: bigint, bytes: Uint8Array): boolean {
    const start = Number(address);
    const end = start + bytes.length;
    const before = this.blockAt(start);
    const isFree =
      (before === undefined || before.used <= start) &&
      !this.blocks.some((block) => block.start >= start && block.start < end);
    if (bytes.length < longWrite || !isFree || this.mappedLength(address, bytes.length) < bytes.length) {
      this.write(address, bytes);
      return false;
    }
    if (before !== undefined) before.end = start;
    for (const number of this.pages.keys())
      if (number * pageSize >= start && (number + 1) * pageSize <= end) this.pages.delete(number);
    this.blocks.push({ start, end, bytes, isShared: true, used: end });
    return true;
  }

  /** Where there is none yet: a block for [at, end), and as far behind it as the memory and the blocks allow. */
  private startBlock(at: number, end: number): void {
    const start = at - (at % pageSize);
    const before = this.blockAt(start);
    // What begins in the room of a block and does not fit in takes the room over, with what little was written there.
    if (before !== undefined && (end <= before.end || before.used - start > pageSize)) return;
    const behind = this.blocks.filter((block) => block !== before && block.end > start).map((block) => block.start);
    const next = Math.min(this.lastEnd, ...behind);
    if (next < end) return;
    const wanted = end + Math.min(end - start, mostRoomBehind);
    const limit = wanted < next ? wanted - (wanted % pageSize) : next;
    const bytes = new Uint8Array(limit - start);
    this.adopt({ start, end: limit, bytes, isShared: false, used: end });
    if (before !== undefined) {
      // After the pages: where a block is, they may be out of date.
      bytes.set(before.bytes.subarray(start - before.start, Math.max(before.used, start) - before.start));
      before.end = start;
      before.used = Math.min(before.used, start);
    }
  }

  /** The pages that are there already become part of the block. */
  private adopt(block: Block): void {
    for (const [number, page] of this.pages) {
      const at = number * pageSize;
      if (at < block.start || at >= block.end) continue;
      block.bytes.set(page.subarray(0, block.end - at), at - block.start);
      block.used = Math.max(block.used, Math.min(at + pageSize, block.end));
      if (at + pageSize <= block.end) this.pages.delete(number);
    }
    this.blocks.push(block);
  }

  private pageFor(number: number): Uint8Array {
    let page = this.pages.get(number);
    if (page === undefined) {
      page = new Uint8Array(pageSize);
      this.pages.set(number, page);
    }
    return page;
  }

  private mappedLength(address: bigint, length: number): number {
    const at = Number(address);
    if (at < this.lastStart || at >= this.lastEnd) {
      const found = this.ranges.find(({ start, end }) => address >= start && address < end);
      if (found === undefined) return 0;
      this.lastStart = Number(found.start);
      this.lastEnd = Number(found.end);
    }
    return Math.min(length, this.lastEnd - at);
  }
}

/** Makes the bytes the block's own, to be changed. */
function own(block: Block): void {
  if (!block.isShared) return;
  block.bytes = block.bytes.slice();
  block.isShared = false;
}

/** Most accesses are a word, for which a view costs more than the copy. */
function copy(source: Uint8Array, from: number, target: Uint8Array, to: number, size: number): void {
  if (size > 32) target.set(source.subarray(from, from + size), to);
  else for (let i = 0; i < size; i++) target[to + i] = source[from + i];
}

function merged(ranges: readonly AddressRange[]): AddressRange[] {
  const result: AddressRange[] = [];
  for (const range of [...ranges].sort((a, b) => (a.start < b.start ? -1 : 1))) {
    const last = result.at(-1);
    if (last === undefined || range.start > last.end) result.push(range);
    else if (range.end > last.end) result[result.length - 1] = { start: last.start, end: range.end };
  }
  return result;
}
