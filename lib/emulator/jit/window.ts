/**
 * The window: guest memory around the stack that translated code reads without a look at the page tables, because its pages lie one
 * behind the other in the host. It may have one gap of pages that are slow to read (watched ones, between the stack and the data): what
 * is known to be on the stack is looked for on the stack's side of the gap only, everything else on the other side first, where the
 * data are, then on the stack's; the tables have the rest.
 */
import { pageCount, pageSize } from '../memory';

export interface Range {
  readonly start: number;
  readonly end: number;
}

/** Guest memory [start, end) lies at `host` + (address - start). */
export interface Window extends Range {
  readonly host: number;
  /** The part around the stack that has no gap. */
  readonly stack: Range;
  /** The part for accesses that may be anywhere: behind the gap; all where there is none. */
  readonly elsewhere: Range;
}

/** Pages [first, end) that a run of fast pages, from `page` on in one direction, ends with. */
function fastEnd(readTable: Int32Array, page: number, step: 1 | -1, entry: number): number {
  let at = page;
  while (at + step >= 0 && at + step < pageCount - 1 && readTable[at + step] === entry) at += step;
  return at;
}

/** The first fast page behind slow ones that lie in the host as their neighbours do; undefined = there is none. */
function beyondGap(readTable: Int32Array, page: number, step: 1 | -1, entry: number): number | undefined {
  let at = page + step;
  while (at >= 0 && at < pageCount - 1 && readTable[at] === (entry & ~1)) at += step;
  // 0 is what is not mapped: nothing lies there.
  return entry >>> 1 !== 0 && readTable[at] === entry ? at : undefined;
}

/** `page`: the stack pointer's. undefined: it is slow itself. */
export function findWindow(readTable: Int32Array, page: number): Window | undefined {
  const entry = readTable[page];
  if ((entry & 1) === 0) return undefined;
  const low = fastEnd(readTable, page, -1, entry);
  const high = fastEnd(readTable, page, 1, entry);
  const stack = { start: low * pageSize, end: (high + 1) * pageSize };
  const below = beyondGap(readTable, low, -1, entry);
  const above = beyondGap(readTable, high, 1, entry);
  const lowest = below === undefined ? low : fastEnd(readTable, below, -1, entry);
  const highest = above === undefined ? high : fastEnd(readTable, above, 1, entry);
  const hostOf = (start: number): number => ((entry & ~1) + start) >>> 0;
  if (below !== undefined && (above === undefined || below - lowest >= highest - above)) {
    const start = lowest * pageSize;
    return { start, end: stack.end, host: hostOf(start), stack, elsewhere: { start, end: (below + 1) * pageSize } };
  }
  const end = (highest + 1) * pageSize;
  const elsewhere = { start: above === undefined ? stack.start : above * pageSize, end };
  return { start: stack.start, end, host: hostOf(stack.start), stack, elsewhere };
}
