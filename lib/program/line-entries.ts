/**
 * The entries of one file's line table in columns: a large program has hundreds of thousands, of which few are ever looked at.
 * Sorted by address; at one address the end of what came before stands first, the rest keeps the program's order.
 */
import { addressOf } from '../dwarf/line';

/** Bits of an entry. */
export const STATEMENT = 1;
export const PROLOGUE_END = 2;

export interface LineEntry {
  readonly address: bigint;
  /** 0 ends the code of this file. */
  readonly line: number;
  readonly column: number;
  readonly isStatement: boolean;
}

export class LineEntries {
  readonly count: number;
  private readonly low: Uint32Array;
  /** Absent where all addresses have 32 bits. */
  private readonly high: Uint32Array | undefined;
  private readonly lines: Uint32Array;
  private readonly columns: Uint32Array;
  private readonly flags: Uint8Array;

  constructor({ low, high, lines, columns, flags }: LineColumns) {
    this.count = low.length;
    const order = sortedOrder(low, high, lines);
    const pick = <T extends Uint32Array | Uint8Array>(column: T): T =>
      order === undefined ? column : permuted(column, order);
    this.low = pick(low);
    this.high = hasHigh(high) ? pick(high.slice()) : undefined;
    this.lines = pick(lines);
    this.columns = pick(columns);
    this.flags = pick(flags);
  }

  at(index: number): LineEntry {
    return {
      address: this.address(index),
      line: this.lines[index],
      column: this.columns[index],
      isStatement: this.isStatement(index),
    };
  }

  address(index: number): bigint {
    return addressOf(this.low[index], this.high?.[index] ?? 0);
  }

  line(index: number): number {
    return this.lines[index];
  }

  isStatement(index: number): boolean {
    return (this.flags[index] & STATEMENT) !== 0;
  }

  /** Where the compiler says that a function's prologue is over. */
  endsPrologue(index: number): boolean {
    return (this.flags[index] & PROLOGUE_END) !== 0;
  }

  /** Those that begin a statement of a line. */
  statementsOf(line: number): LineEntry[] {
    const found: LineEntry[] = [];
    for (let at = this.lines.indexOf(line); at >= 0; at = this.lines.indexOf(line, at + 1)) {
      if (this.isStatement(at)) found.push(this.at(at));
    }
    return found;
  }

  /** The smallest line behind that one at which a statement begins. */
  lineBehind(line: number): number | undefined {
    let next = Infinity;
    this.lines.forEach((one, at) => {
      if (one > line && one < next && this.isStatement(at)) next = one;
    });
    return next === Infinity ? undefined : next;
  }

  /** Index of the first entry after an address. */
  after(address: bigint): number {
    const wanted = Number(address);
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.isAfter(middle, address, wanted)) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  private isAfter(index: number, address: bigint, rounded: number): boolean {
    return this.high === undefined ? this.low[index] > rounded : this.address(index) > address;
  }
}

/** What a builder collects. */
export interface LineColumns {
  readonly low: Uint32Array;
  readonly high: Uint32Array;
  readonly lines: Uint32Array;
  readonly columns: Uint32Array;
  readonly flags: Uint8Array;
}

/** Entries in the program's order, of which the last ones may be taken away again. */
export class LineEntriesBuilder {
  length = 0;
  private columns = emptyColumns(1024);

  /** Line and address of the last entry; there must be one. */
  get lastLine(): number {
    return this.columns.lines[this.length - 1];
  }

  isLastAt(low: number, high: number): boolean {
    const last = this.length - 1;
    return last >= 0 && this.columns.low[last] === low && this.columns.high[last] === high;
  }

  push(low: number, high: number, line: number, column: number, flags: number): void {
    if (this.length === this.columns.low.length) this.grow();
    const at = this.length++;
    const { columns } = this;
    columns.low[at] = low;
    columns.high[at] = high;
    columns.lines[at] = line;
    columns.columns[at] = column;
    columns.flags[at] = flags;
  }

  pop(): void {
    this.length--;
  }

  /** For another file; the memory stays. */
  clear(): this {
    this.length = 0;
    return this;
  }

  finish(): LineEntries {
    const { length, columns } = this;
    // One piece of memory for all of them: each costs more than its bytes.
    const memory = new ArrayBuffer(13 * length);
    const words = (number: number, column: Uint32Array): Uint32Array => {
      const copy = new Uint32Array(memory, 4 * number * length, length);
      copy.set(column.subarray(0, length));
      return copy;
    };
    const flags = new Uint8Array(memory, 12 * length, length);
    flags.set(columns.flags.subarray(0, length));
    return new LineEntries({
      low: words(0, columns.low),
      high: columns.high.subarray(0, length),
      lines: words(1, columns.lines),
      columns: words(2, columns.columns),
      flags,
    });
  }

  private grow(): void {
    const { low, high, lines, columns, flags } = this.columns;
    this.columns = emptyColumns(4 * low.length);
    this.columns.low.set(low);
    this.columns.high.set(high);
    this.columns.lines.set(lines);
    this.columns.columns.set(columns);
    this.columns.flags.set(flags);
  }
}

function emptyColumns(capacity: number): LineColumns {
  return {
    low: new Uint32Array(capacity),
    high: new Uint32Array(capacity),
    lines: new Uint32Array(capacity),
    columns: new Uint32Array(capacity),
    flags: new Uint8Array(capacity),
  };
}

function hasHigh(high: Uint32Array): boolean {
  for (let at = 0; at < high.length; at++) if (high[at] !== 0) return true;
  return false;
}

/** undefined: they are in order already, as a linker writes them. */
function sortedOrder(low: Uint32Array, high: Uint32Array, lines: Uint32Array): Uint32Array | undefined {
  const compare = (a: number, b: number): number =>
    high[a] - high[b] || low[a] - low[b] || (lines[a] === 0 ? 0 : 1) - (lines[b] === 0 ? 0 : 1);
  const runs = [0];
  for (let at = 1; at < low.length; at++) if (compare(at - 1, at) > 0) runs.push(at);
  if (runs.length === 1) return undefined;
  return orderOfRuns(runs, low.length, compare) ?? sortAll(low.length, compare);
}

/** Each function's code is in order by itself and apart from others': then only the runs are sorted. undefined: some overlap. */
function orderOfRuns(runs: readonly number[], count: number, compare: Compare): Uint32Array | undefined {
  const order = new Uint32Array(count);
  let at = 0;
  for (const run of runs.map((_, number) => number).sort((a, b) => compare(runs[a], runs[b]))) {
    const first = runs[run];
    if (at > 0 && compare(order[at - 1], first) >= 0) return undefined;
    for (let one = first; one < (runs.at(run + 1) ?? count); one++) order[at++] = one;
  }
  return order;
}

type Compare = (a: number, b: number) => number;

function sortAll(count: number, compare: Compare): Uint32Array {
  const order = new Uint32Array(count);
  for (let at = 0; at < order.length; at++) order[at] = at;
  // Sorting typed arrays is stable (ECMA-262 23.2.3.29).
  return order.sort(compare);
}

function permuted<T extends Uint32Array | Uint8Array>(column: T, order: Uint32Array): T {
  const result = column.slice() as T;
  for (let at = 0; at < order.length; at++) result[at] = column[order[at]];
  return result;
}
