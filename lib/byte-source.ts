/**
 * Bytes that need not be in memory: a file of 50 MB is opened for the sake of a few hundred kilobytes of it, and on many machines
 * the memory that a file is read into costs more than the reading. Whoever reads asks for a range and gets a window.
 * Where the bytes come from is not known here; what cannot be read is a FormatError 'unreadable' or 'file-changed' of the source.
 */

/** Some of the bytes: `bytes[0]` is the one at `start`. */
export interface ByteWindow {
  readonly start: number;
  readonly bytes: Uint8Array;
}

export interface ByteSource {
  readonly length: number;
  /**
   * A window that holds [start, end), which must be inside, and may hold more. It stays as it is, unless `scratch` was used for it:
   * memory for those who look at a range once and keep nothing.
   */
  window(start: number, end: number, scratch?: Scratch): ByteWindow;
  /** Where some bytes stand in others, from an index on; -1: nowhere. There where the platform has a search of its own. */
  readonly find?: FindBytes | undefined;
}

export type FindBytes = (bytes: Uint8Array, wanted: Uint8Array, from: number) => number;

/** By the byte of it that is likely to be rare. */
export function findBytes(bytes: Uint8Array, wanted: Uint8Array, from: number): number {
  const anchor = wanted.length > 1 && wanted[0] === 0 ? 1 : 0;
  for (let at = bytes.indexOf(wanted[anchor], from + anchor); at >= 0; at = bytes.indexOf(wanted[anchor], at + 1)) {
    const start = at - anchor;
    let length = 0;
    while (length < wanted.length && bytes[start + length] === wanted[length]) length++;
    if (length === wanted.length) return start;
  }
  return -1;
}

/** Memory that is used again and again; it grows to the largest range that was asked for. */
export class Scratch {
  private memory = new Uint8Array(0);

  take(length: number): Uint8Array {
    if (this.memory.length < length) this.memory = new Uint8Array(Math.max(length, 2 * this.memory.length));
    return this.memory.subarray(0, length);
  }
}

const slabSize = 0x10000;

/** Memory for small windows that stay: for each a buffer of its own costs several times what reading it does. */
class Slabs extends Scratch {
  private slab = new Uint8Array(0);

  override take(length: number): Uint8Array {
    if (this.slab.length < length) this.slab = new Uint8Array(Math.max(length, slabSize));
    const taken = this.slab.subarray(0, length);
    // Words stay aligned.
    this.slab = this.slab.subarray((length + 7) & ~7);
    return taken;
  }
}

export class WholeBytes implements ByteSource {
  private readonly all: ByteWindow;

  constructor(bytes: Uint8Array) {
    this.all = { start: 0, bytes };
  }

  get length(): number {
    return this.all.bytes.length;
  }

  window(): ByteWindow {
    return this.all;
  }
}

/** The range [start, start + length) of a source as a source. */
export class PartOfSource implements ByteSource {
  constructor(
    private readonly source: ByteSource,
    private readonly start: number,
    readonly length: number,
  ) {}

  get find(): FindBytes | undefined {
    return this.source.find;
  }

  window(start: number, end: number, scratch?: Scratch): ByteWindow {
    const { start: at, bytes } = this.source.window(this.start + start, this.start + end, scratch);
    const window = { start: at - this.start, bytes };
    const before = Math.max(-window.start, 0);
    const behind = Math.max(window.start + bytes.length - this.length, 0);
    // What lies around the part is none of the reader's business.
    if (before === 0 && behind === 0) return window;
    return { start: Math.max(window.start, 0), bytes: bytes.subarray(before, bytes.length - behind) };
  }
}

/** Keeps what was read in pieces, for many small readings; larger ones and those across a border go by. */
export class Pieces implements ByteSource {
  private readonly pieces = new Map<number, ByteWindow>();
  private readonly slabs = new Slabs();

  constructor(
    private readonly source: ByteSource,
    private readonly size: number,
  ) {}

  get length(): number {
    return this.source.length;
  }

  get find(): FindBytes | undefined {
    return this.source.find;
  }

  window(start: number, end: number, scratch?: Scratch): ByteWindow {
    const number = Math.floor(start / this.size);
    const first = number * this.size;
    if (scratch !== undefined || end > first + this.size) return this.source.window(start, end, scratch);
    let piece = this.pieces.get(number);
    if (piece === undefined) {
      piece = this.source.window(first, Math.min(first + this.size, this.length), this.slabs);
      this.pieces.set(number, piece);
    }
    return piece;
  }
}

/** The whole as windows of a size at least, in order: for those who go through all of it and keep nothing. */
export class Passing implements ByteSource {
  private readonly scratch = new Scratch();

  constructor(
    private readonly source: ByteSource,
    private readonly size: number,
  ) {}

  get length(): number {
    return this.source.length;
  }

  window(start: number, end: number): ByteWindow {
    return this.source.window(start, Math.min(Math.max(end, start + this.size), this.length), this.scratch);
  }
}

export function bytesOf(source: ByteSource, start: number, end: number, scratch?: Scratch): Uint8Array {
  const window = source.window(start, end, scratch);
  return window.bytes.subarray(start - window.start, end - window.start);
}
