/**
 * Guest memory without a machine: ranges of zeros, of which pages come into being when they are written. For loading
 * a file only to look at the result (command line, checks), where an engine's memory would be a waste.
 */
import { unmapped } from './guest';
import type { AddressRange, LlextMemory } from './types';

export type { AddressRange };

const pageSize = 4096;
/** From here on the pages of one write share an allocation. */
const longWrite = 0x1_0000;

export class PagedMemory implements LlextMemory {
  private readonly pages = new Map<number, Uint8Array>();

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
      const from = at % pageSize;
      const size = Math.min(pageSize - from, bytes.length - offset);
      const page = this.pages.get((at - from) / pageSize);
      if (page !== undefined) copy(page, from, bytes, offset, size);
      at += size;
      offset += size;
    }
    return bytes;
  }

  write(address: bigint, bytes: Uint8Array): void {
    const mapped = this.mappedLength(address, bytes.length);
    if (mapped < bytes.length) throw unmapped(address + BigInt(mapped));
    let at = Number(address);
    if (bytes.length >= longWrite)
      this.addPages(Math.floor(at / pageSize), Math.floor((at + bytes.length - 1) / pageSize));
    for (let offset = 0; offset < bytes.length;) {
      const from = at % pageSize;
      const size = Math.min(pageSize - from, bytes.length - offset);
      copy(bytes, offset, this.pageFor((at - from) / pageSize), from, size);
      at += size;
      offset += size;
    }
  }

  /** What was never written is zero already. */
  clear(address: bigint, length: number): void {
    const mapped = this.mappedLength(address, length);
    let at = Number(address);
    for (const end = at + mapped; at < end;) {
      const from = at % pageSize;
      const size = Math.min(pageSize - from, end - at);
      const number = (at - from) / pageSize;
      if (size === pageSize) this.pages.delete(number);
      else this.pages.get(number)?.fill(0, from, from + size);
      at += size;
    }
    if (mapped < length) throw unmapped(address + BigInt(mapped));
  }

  private addPages(first: number, last: number): void {
    const block = new Uint8Array((last - first + 1) * pageSize);
    for (let number = first; number <= last; number++) {
      const start = (number - first) * pageSize;
      if (!this.pages.has(number)) this.pages.set(number, block.subarray(start, start + pageSize));
    }
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
