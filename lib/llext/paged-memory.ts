/**
 * Guest memory without a machine: ranges of zeros, of which pages come into being when they are written. For loading
 * a file only to look at the result (command line, checks), where an engine's memory would be a waste.
 */
import { unmapped } from './guest';
import type { LlextMemory } from './types';

const pageSize = 4096;

export interface AddressRange {
  readonly start: bigint;
  /** Exclusive. */
  readonly end: bigint;
}

export class PagedMemory implements LlextMemory {
  private readonly pages = new Map<number, Uint8Array>();

  private readonly ranges: readonly AddressRange[];

  /** Ranges may overlap. */
  constructor(ranges: readonly AddressRange[]) {
    this.ranges = merged(ranges);
  }

  read(address: bigint, length: number): Uint8Array {
    const bytes = this.readPrefix(address, length);
    if (bytes.length < length) throw unmapped(address + BigInt(bytes.length));
    return bytes;
  }

  readPrefix(address: bigint, length: number): Uint8Array {
    const bytes = new Uint8Array(this.mappedLength(address, length));
    this.forEachPage(Number(address), bytes.length, (number, from, to, offset) => {
      const page = this.pages.get(number);
      if (page !== undefined) bytes.set(page.subarray(from, to), offset);
    });
    return bytes;
  }

  write(address: bigint, bytes: Uint8Array): void {
    const mapped = this.mappedLength(address, bytes.length);
    if (mapped < bytes.length) throw unmapped(address + BigInt(mapped));
    this.forEachPage(Number(address), bytes.length, (number, from, to, offset) => {
      let page = this.pages.get(number);
      if (page === undefined) {
        page = new Uint8Array(pageSize);
        this.pages.set(number, page);
      }
      page.set(bytes.subarray(offset, offset + to - from), from);
    });
  }

  private mappedLength(address: bigint, length: number): number {
    const range = this.ranges.find(({ start, end }) => address >= start && address < end);
    return range === undefined ? 0 : Math.min(length, Number(range.end - address));
  }

  private forEachPage(
    address: number,
    length: number,
    visit: (page: number, from: number, to: number, offset: number) => void,
  ): void {
    for (let offset = 0; offset < length;) {
      const at = address + offset;
      const from = at % pageSize;
      const to = Math.min(pageSize, from + length - offset);
      visit(Math.floor(at / pageSize), from, to, offset);
      offset += to - from;
    }
  }
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
