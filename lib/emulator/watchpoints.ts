/**
 * Watched ranges of guest memory: any number, any length, compared exactly.
 *
 * Pages with a watched byte are slow (memory.ts), so code that touches none of them runs as ever. In the slow path an access that
 * a watchpoint may want stops the interpreter before the instruction (Stop.watch); the machine then executes that one
 * instruction with `recording` on, and what it has read and written is compared. So the run ends after the instruction, as with a
 * hardware watchpoint, and an instruction that is refused for another reason is no hit. Accesses of the host (its functions, the
 * loader) are recorded while observeHost() runs; a debugger's reads and writes are not.
 */
import { Attribute, pageSize, type AccessWatcher, type GuestMemory } from './memory';
import { Stop } from './stop';

/** `change`: a write after which the watched bytes differ. */
export type WatchKind = 'read' | 'write' | 'access' | 'change';

/** Compared by identity: two watchpoints may be alike. */
export interface Watchpoint {
  readonly address: number;
  /** In bytes, at least 1. */
  readonly length: number;
  readonly kind: WatchKind;
}

export interface WatchHit {
  readonly watchpoint: Watchpoint;
  /** An instruction of the guest, or a function of the host. */
  readonly by: 'guest' | 'host';
  /** The instruction that made the access; of a host call the address that was called. */
  readonly pc: number;
  /** 'write' when anything watched was written. */
  readonly access: 'read' | 'write';
  /** The whole access, the first of its kind that meets the watchpoint. */
  readonly address: number;
  readonly size: number;
  /** The watched bytes that were accessed, from this address on, before and after. */
  readonly start: number;
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

const readBit = 1;
const writeBit = 2;

function bitsOf(kind: WatchKind): number {
  return kind === 'read' ? readBit : kind === 'access' ? readBit | writeBit : writeBit;
}

/** One access, as far as it meets one watchpoint. */
interface Contact {
  readonly watchpoint: Watchpoint;
  readonly access: 'read' | 'write';
  readonly address: number;
  readonly size: number;
  readonly start: number;
  readonly before: Uint8Array;
}

export class Watchpoints implements AccessWatcher {
  private readonly watched = new Set<Watchpoint>();
  /** Bits of the kinds of access that are watched, for each byte of a page. */
  private readonly byteMaps = new Map<number, Uint8Array>();
  /** The page that was looked at last. */
  private lastPage = -1;
  private lastMap: Uint8Array | undefined;
  private contacts: Contact[] = [];
  private recording = false;
  private found: readonly WatchHit[] = [];

  constructor(private readonly memory: GuestMemory) {}

  get size(): number {
    return this.watched.size;
  }

  /** RangeError for a range that is empty or leaves the 4 GiB address space. */
  add(watchpoint: Watchpoint): void {
    const { address, length } = watchpoint;
    if (!Number.isInteger(length) || length < 1 || address < 0 || address + length > 2 ** 32) {
      throw new RangeError(`nothing can be watched in ${length} bytes at 0x${address.toString(16)}`);
    }
    this.watched.add(watchpoint);
    for (const page of pagesOf(watchpoint)) {
      let map = this.byteMaps.get(page);
      if (map === undefined) this.byteMaps.set(page, (map = new Uint8Array(pageSize)));
      mark(map, page, watchpoint);
      this.announce(page, map);
    }
    this.memory.watcher = this;
  }

  /** Nothing happens when it was not added. */
  remove(watchpoint: Watchpoint): void {
    if (!this.watched.delete(watchpoint)) return;
    for (const page of pagesOf(watchpoint)) {
      const map = this.byteMaps.get(page)?.fill(0);
      if (map === undefined) continue;
      for (const other of this.watched) mark(map, page, other);
      this.announce(page, map);
      if (!map.some((bits) => bits !== 0)) this.byteMaps.delete(page);
    }
    if (this.watched.size === 0) this.memory.watcher = undefined;
  }

  private announce(page: number, map: Uint8Array): void {
    this.lastPage = -1;
    const bits = map.reduce((all, byte) => all | byte, 0);
    const attributes = (bits & readBit ? Attribute.watchRead : 0) | (bits & writeBit ? Attribute.watchWrite : 0);
    this.memory.setWatched(page, attributes);
  }

  // --- What the slow path asks -----------------------------------------------------------------------------------------

  intervenes(address: number, size: number, access: 'read' | 'write'): boolean {
    if (!this.meets(address, size, access)) return false;
    if (!this.recording) return true;
    // A read is made where it is permitted; a write is noted when its bytes change hands.
    if (access === 'read') this.note(address, size, access);
    return false;
  }

  written(address: number, size: number): void {
    if (this.recording && this.meets(address, size, 'write')) this.note(address, size, 'write');
  }

  hostAccess(address: number, size: number, access: 'read' | 'write'): void {
    if (this.recording && this.meets(address, size, access)) this.note(address, size, access);
  }

  private meets(address: number, size: number, access: 'read' | 'write'): boolean {
    const bit = access === 'read' ? readBit : writeBit;
    if ((address & 0xfff) + size <= pageSize) return this.isMarked(address, size, bit);
    const attribute = access === 'read' ? Attribute.watchRead : Attribute.watchWrite;
    const end = address + size;
    for (let at = address; at < end;) {
      const page = (at >>> 12) & 0xfffff;
      const stop = Math.min(end, (Math.floor(at / pageSize) + 1) * pageSize);
      if (this.memory.attributes[page] & attribute) {
        const map = this.byteMaps.get(page);
        const from = at % pageSize;
        for (let i = from; map !== undefined && i < from + stop - at; i++) if (map[i] & bit) return true;
      }
      at = stop;
    }
    return false;
  }

  /** Within one page, mostly the same one. */
  private isMarked(address: number, size: number, bit: number): boolean {
    const page = address >>> 12;
    if (page !== this.lastPage) {
      this.lastPage = page;
      this.lastMap = this.byteMaps.get(page);
    }
    const map = this.lastMap;
    if (map === undefined) return false;
    const from = address & 0xfff;
    for (let i = from; i < from + size; i++) if (map[i] & bit) return true;
    return false;
  }

  private note(address: number, size: number, access: 'read' | 'write'): void {
    const bit = access === 'read' ? readBit : writeBit;
    for (const watchpoint of this.watched) {
      if ((bitsOf(watchpoint.kind) & bit) === 0) continue;
      const start = Math.max(address, watchpoint.address);
      const end = Math.min(address + size, watchpoint.address + watchpoint.length);
      if (end <= start) continue;
      const before = this.memory.peek(start, end - start);
      this.contacts.push({ watchpoint, access, address, size, start, before });
    }
  }

  // --- What the machine does -------------------------------------------------------------------------------------------

  /** Of the last instruction that stopped for Stop.watched. */
  get hits(): readonly WatchHit[] {
    return this.found;
  }

  /** Executes by `go`, and after it the instruction that it stopped before for its access, about which a debugger has been asked already. */
  advance(
    core: { stop: number; readonly code: { answered: number } },
    at: { readonly pc: number },
    budget: number,
    go: (budget: number) => number,
  ): number {
    const executed = go(budget);
    if (core.stop !== Stop.watch) return executed;
    core.code.answered = at.pc;
    const watched = this.execute(core, at.pc, () => go(1));
    core.code.answered = -1;
    return executed + watched;
  }

  /** Executes the instruction at pc by `step`, which tells whether it has, and compares what it accesses with what is watched. */
  execute(core: { stop: number }, pc: number, step: () => number): number {
    core.stop = Stop.none;
    this.begin();
    const executed = step();
    const hits = this.end(pc, 'guest');
    if (executed > 0 && core.stop === Stop.none && hits.length > 0) {
      core.stop = Stop.watched;
      this.found = hits;
    }
    return executed;
  }

  /** From here on accesses are recorded. */
  private begin(): void {
    this.contacts = [];
    this.recording = true;
  }

  private end(pc: number, by: 'guest' | 'host'): WatchHit[] {
    this.recording = false;
    if (this.contacts.length === 0) return [];
    const byWatchpoint = new Map<Watchpoint, Contact[]>();
    for (const contact of this.contacts) {
      const known = byWatchpoint.get(contact.watchpoint);
      if (known) known.push(contact);
      else byWatchpoint.set(contact.watchpoint, [contact]);
    }
    this.contacts = [];
    return [...byWatchpoint]
      .map(([watchpoint, contacts]) => this.hitOf(watchpoint, contacts, pc, by))
      .filter(({ watchpoint, before, after }) => watchpoint.kind !== 'change' || differ(before, after));
  }

  /** Runs a function of the host; `pc` is the address that was called. */
  observeHost<T>(pc: number, body: () => T): { readonly value: T; readonly hits: readonly WatchHit[] } {
    if (this.watched.size === 0) return { value: body(), hits: [] };
    this.begin();
    this.memory.observed = true;
    try {
      const value = body();
      return { value, hits: this.end(pc, 'host') };
    } finally {
      this.memory.observed = false;
      this.recording = false;
    }
  }

  private hitOf(watchpoint: Watchpoint, contacts: readonly Contact[], pc: number, by: 'guest' | 'host'): WatchHit {
    const writes = contacts.filter(({ access }) => access === 'write');
    const [{ access, address, size }] = writes.length > 0 ? writes : contacts;
    const start = Math.min(...contacts.map((contact) => contact.start));
    const end = Math.max(...contacts.map((contact) => contact.start + contact.before.length));
    const after = this.memory.peek(start, end - start);
    const before = after.slice();
    // Of bytes that were written twice, what the first write found.
    for (const contact of contacts.toReversed()) before.set(contact.before, contact.start - start);
    return { watchpoint, by, pc, access, address, size, start, before, after };
  }
}

function* pagesOf({ address, length }: Watchpoint): Generator<number> {
  const last = Math.floor((address + length - 1) / pageSize);
  for (let page = Math.floor(address / pageSize); page <= last; page++) yield page;
}

/** Sets the bits of a watchpoint's bytes on the page. */
function mark(map: Uint8Array, page: number, { address, length, kind }: Watchpoint): void {
  const from = Math.max(0, address - page * pageSize);
  const to = Math.min(pageSize, address + length - page * pageSize);
  for (let i = from; i < to; i++) map[i] |= bitsOf(kind);
}

const differ = (a: Uint8Array, b: Uint8Array): boolean => a.some((byte, i) => byte !== b[i]);
