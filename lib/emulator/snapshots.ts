/**
 * Snapshots of a machine along a time that only grows: the CPU's state, and of memory only the pages that have changed.
 *
 * A page has versions, each from its time on until the next one; before the first it is all zeros. A snapshot is a time
 * at which all versions are known, so that one can be taken out (thinning) or put in between (after going back) at any
 * place: the versions that no snapshot needs any more are what is saved. Memory's dirty pages are those that differ from the
 * snapshot that was taken or restored last.
 */
import { PagePool } from './page-pool';
import type { Machine, MachineRewind, MemoryRegion } from './types';

export interface Snapshot<T> {
  readonly time: number;
  readonly words: Int32Array;
  readonly regions: readonly MemoryRegion[];
  /** What belongs to it and is not the machine's: plain data that nobody changes. */
  readonly rest: T;
  readonly restBytes: number;
  /** Not taken out by thinning. */
  pinned: boolean;
}

interface Version {
  readonly time: number;
  /** undefined: all zeros. */
  readonly bytes: Uint8Array | undefined;
  /** What it takes: nothing for bytes that many pages share. Else they are its own, out of the pool. */
  readonly size: number;
}

export interface TakeOptions {
  readonly pinned: boolean;
  /** What `rest` takes. */
  readonly restBytes: number;
}

export interface SnapshotOptions {
  /** Bytes that pages and states may take; a snapshot more than that is kept for the moment of taking it. */
  readonly limit: number;
  /** The first snapshot was given up because there was no room for it: what was before this time cannot be reached. */
  readonly onLost?: (start: number) => void;
}

const pageSize = 4096;
/** The state page and the objects around it. */
const snapshotBytes = 5000;
/** What shadows of untouched memory are made of, and more. */
const sharedPages = 16;

/** Pages lie at multiples of 4 in their buffers. */
const wordsOf = ({ buffer, byteOffset, length }: Uint8Array) => new Int32Array(buffer, byteOffset, length >>> 2);

function isZero(bytes: Uint8Array): boolean {
  const words = wordsOf(bytes);
  let i = 0;
  while (i < words.length && words[i] === 0) i++;
  return i === words.length;
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  const [x, y] = [wordsOf(a), wordsOf(b)];
  let i = 0;
  while (i < x.length && x[i] === y[i]) i++;
  return i === x.length;
}

/** Whether all words are the same, as in shadows of memory that nobody has touched. */
function isUniform(bytes: Uint8Array): boolean {
  const words = wordsOf(bytes);
  let i = 1;
  while (i < words.length && words[i] === words[0]) i++;
  return i === words.length;
}

/** Index of the first entry whose time is after `time`. */
function indexAfter(list: readonly { readonly time: number }[], time: number): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (list[middle].time <= time) low = middle + 1;
    else high = middle;
  }
  return low;
}

export class SnapshotStore<T> {
  private readonly rewind: MachineRewind;
  private list: Snapshot<T>[] = [];
  private readonly versions = new Map<number, Version[]>();
  /** Memory is as it was at this snapshot, but for the dirty pages; undefined when that one is gone. */
  private current: Snapshot<T> | undefined;
  private pageBytes = 0;
  private restBytes = 0;
  private readonly pool = new PagePool();
  /** Pages that are one word over and over, by that word: a few. */
  private readonly uniform = new Map<number, Uint8Array>();

  /** RangeError for an engine without rewind. */
  constructor(
    private readonly machine: Machine,
    private readonly options: SnapshotOptions,
  ) {
    if (machine.rewind === undefined) throw new RangeError('this engine cannot be set back');
    this.rewind = machine.rewind;
  }

  get snapshots(): readonly Snapshot<T>[] {
    return this.list;
  }

  /** What is kept takes about so many bytes. */
  get bytes(): number {
    return this.pageBytes + this.restBytes + this.list.length * snapshotBytes;
  }

  /** The last one at or before a time. */
  at(time: number): Snapshot<T> | undefined {
    return this.list[indexAfter(this.list, time) - 1];
  }

  /** `time` must be where the machine is. One at the same time is replaced. */
  take(time: number, rest: T, { pinned, restBytes }: TakeOptions): Snapshot<T> {
    const { memory } = this.machine;
    const at = indexAfter(this.list, time);
    const existing = this.list[at - 1]?.time === time ? this.list[at - 1] : undefined;
    const next = this.list.at(at);
    const pages = this.list.length === 0 ? this.rewind.pages() : this.rewind.changedPages();
    for (const page of pages) this.keepPage(page, time, next?.time);
    memory.clearDirty();
    const snapshot: Snapshot<T> = {
      time,
      words: this.rewind.stateWords(),
      regions: memory.regions.slice(),
      rest,
      restBytes,
      pinned: pinned || existing?.pinned === true,
    };
    this.restBytes += restBytes - (existing?.restBytes ?? 0);
    this.list.splice(existing === undefined ? at : at - 1, existing === undefined ? 0 : 1, snapshot);
    this.current = snapshot;
    this.thin(time);
    return snapshot;
  }

  restore(snapshot: Snapshot<T>): void {
    const { memory } = this.machine;
    this.rewind.replaceRegions(snapshot.regions);
    const pages = new Set(this.rewind.changedPages());
    for (const [page, versions] of this.versions) if (this.mayDiffer(versions, snapshot.time)) pages.add(page);
    for (const page of pages) this.restorePage(page, snapshot.time);
    this.rewind.replaceState(snapshot.words);
    memory.clearDirty();
    this.current = snapshot;
  }

  /** Forgets what is after a time. */
  dropAfter(time: number): void {
    const gone = this.list.splice(indexAfter(this.list, time));
    if (this.current !== undefined && gone.includes(this.current)) {
      throw new RangeError('memory is as at a snapshot that would be dropped');
    }
    for (const { restBytes } of gone) this.restBytes -= restBytes;
    for (const page of this.versions.keys()) this.prune(page, time, Infinity, -Infinity);
  }

  // --- Pages ---------------------------------------------------------------------------------------------------------

  private mayDiffer(versions: readonly Version[], time: number): boolean {
    if (this.current === undefined) return true;
    return indexAfter(versions, time) !== indexAfter(versions, this.current.time);
  }

  private versionAt(page: number, time: number): Version | undefined {
    const versions = this.versions.get(page);
    return versions?.[indexAfter(versions, time) - 1];
  }

  private versionOf(time: number, now: Uint8Array): Version {
    if (isZero(now)) return { time, bytes: undefined, size: 0 };
    const shared = isUniform(now) ? this.sharedPage(now) : undefined;
    if (shared !== undefined) return { time, bytes: shared, size: 0 };
    return { time, bytes: this.pool.keep(now), size: pageSize };
  }

  /** undefined: there are enough of others. */
  private sharedPage(now: Uint8Array): Uint8Array | undefined {
    const [word] = wordsOf(now);
    const known = this.uniform.get(word);
    if (known !== undefined || this.uniform.size === sharedPages) return known;
    const shared = now.slice();
    this.uniform.set(word, shared);
    return shared;
  }

  private restorePage(page: number, time: number): void {
    const wanted = this.versionAt(page, time)?.bytes;
    const now = this.rewind.page(page);
    if (now.length === 0 || (wanted === undefined ? isZero(now) : isSame(now, wanted))) return;
    this.rewind.replacePage(page, wanted);
  }

  /** `next`: time of the snapshot after it, whose pages stay as they are. */
  private keepPage(page: number, time: number, next: number | undefined): void {
    const now = this.rewind.page(page);
    const { bytes: before, size = 0 } = this.versionAt(page, time) ?? {};
    if (now.length === 0 || (before === undefined ? isZero(now) : isSame(now, before))) return;
    if (next !== undefined && this.versionAfter(page, time) > next) {
      const own = before === undefined || size === 0 ? before : this.pool.keep(before);
      this.addVersion(page, { time: next, bytes: own, size });
    }
    this.addVersion(page, this.versionOf(time, now));
  }

  private versionAfter(page: number, time: number): number {
    const versions = this.versions.get(page) ?? [];
    return versions.at(indexAfter(versions, time))?.time ?? Infinity;
  }

  private addVersion(page: number, version: Version): void {
    let versions = this.versions.get(page);
    if (versions === undefined) this.versions.set(page, (versions = []));
    const at = indexAfter(versions, version.time);
    const replaced = versions[at - 1]?.time === version.time ? versions[at - 1] : undefined;
    this.pageBytes += version.size;
    if (replaced !== undefined) this.giveUp(replaced);
    versions.splice(replaced === undefined ? at : at - 1, replaced === undefined ? 0 : 1, version);
  }

  /** Drops versions of (after, to] that no snapshot sees: those replaced before or at `next`, the time of the snapshot that follows. */
  private prune(page: number, after: number, to: number, next: number): void {
    const versions = this.versions.get(page);
    if (versions === undefined) return;
    for (let i = versions.length - 1; i >= 0 && versions[i].time > after; i--) {
      if (versions[i].time > to) continue;
      const replacedAt = versions.at(i + 1)?.time ?? Infinity;
      if (next !== -Infinity && replacedAt > next) continue;
      this.giveUp(versions[i]);
      versions.splice(i, 1);
    }
    if (versions.length === 0) this.versions.delete(page);
  }

  private giveUp({ bytes, size }: Version): void {
    this.pageBytes -= size;
    if (bytes !== undefined && size > 0) this.pool.giveBack(bytes);
  }

  // --- Room ----------------------------------------------------------------------------------------------------------

  private thin(now: number): void {
    while (this.bytes > this.options.limit && this.list.length > 2) {
      const victim = this.leastUseful(now);
      if (victim > 0) this.remove(victim);
      else if (!this.giveUpFirst()) return;
    }
  }

  /**
   * The one whose neighbours are nearest to each other, compared with how far in the past they are: what is long ago has
   * few snapshots, what was just now many. 0 = none.
   */
  private leastUseful(now: number): number {
    let best = 0;
    let least = Infinity;
    for (let i = 1; i < this.list.length - 1; i++) {
      const snapshot = this.list[i];
      if (snapshot.pinned || snapshot === this.current) continue;
      const gap = this.list[i + 1].time - this.list[i - 1].time;
      const use = gap / (1 + Math.abs(now - snapshot.time));
      if (use < least) [best, least] = [i, use];
    }
    return best;
  }

  private remove(index: number): void {
    const [before, gone, next] = this.list.slice(index - 1, index + 2);
    this.list.splice(index, 1);
    this.restBytes -= gone.restBytes;
    for (const page of this.versions.keys()) this.prune(page, before.time, gone.time, next.time);
  }

  private giveUpFirst(): boolean {
    const [first, second] = this.list;
    if (first === this.current) return false;
    this.list.shift();
    this.restBytes -= first.restBytes;
    for (const page of this.versions.keys()) this.prune(page, -Infinity, first.time, second.time);
    this.options.onLost?.(second.time);
    return true;
  }
}
