/**
 * Guest memory: one WebAssembly.Memory that holds the CPU state, the page tables and all guest bytes.
 *
 *   0x000000  CPU state (registers, flags, special registers): see arm/state.ts
 *   0x001000  words that translated code shares, and from 0x008000 its table of call targets: see jit/layout.ts
 *   0x010000  read table    one word for each 4 KiB page of the 4 GiB address space
 *   0x410000  write table   the same
 *   0x810000  code table    record index of the page's predecoded instructions, 0 = none
 *   0xC10000  attributes    one byte a page: permissions and why the page is slow
 *   0xD10000  counters of translated code: see jit/translated-accounts.ts
 *   0xE10000  guest bytes, page after page as regions are mapped
 *
 * A read or write entry is the page's host delta (host offset = delta + guest address, modulo 2^32) with its low bit set when
 * the page is fast. 0 = slow: nothing mapped, not permitted, a device or watch, or, for writes, predecoded instructions on
 * the page or the first write since clearDirty(). With `e = entry ^ 1`, `(e | address) & (size - 1 | 1)` is the whole check
 * of a fast access. So nobody has to touch the pages of the tables, which are 8 MiB, for addresses where nothing is.
 */
import type { MachineMemory, MemoryRegion, Permissions } from './types';

export const pageSize = 4096;
export const pageCount = 1 << 20;

/** Bits of the attribute byte. */
export const Attribute = {
  read: 1,
  write: 2,
  execute: 4,
  mapped: 8,
  code: 16,
  dirty: 32,
  watchRead: 64,
  watchWrite: 128,
} as const;

const accessBits = Attribute.read | Attribute.write;
const watchBits = Attribute.watchRead | Attribute.watchWrite;
const fastWrite = Attribute.write | Attribute.dirty;

/** Who is asked about accesses that take the slow path, and told of what the host does: see watchpoints.ts. */
export interface AccessWatcher {
  /** Whether the instruction must stop before the access, to be executed alone. */
  intervenes(address: number, size: number, access: 'read' | 'write'): boolean;
  /** The bytes are about to be written by the instruction in progress. */
  written(address: number, size: number): void;
  hostAccess(address: number, size: number, access: 'read' | 'write'): void;
}

export const readTableOffset = 0x10000;
export const writeTableOffset = readTableOffset + pageCount * 4;
const codeTableOffset = writeTableOffset + pageCount * 4;
const attributesOffset = codeTableOffset + pageCount * 4;
export const countersOffset = attributesOffset + pageCount;
export const counterCount = 1 << 17;
const guestOffset = countersOffset + counterCount * 8;
const wasmPage = 65536;
/** Room for regions that are mapped later without growing (growing detaches every view). */
const spare = 1 << 20;
/** Shadows are made of chunks of this length at least. */
const smallestChunk = 1 << 26;

function permissionBits({ read, write, execute }: Permissions): number {
  return (read ? Attribute.read : 0) | (write ? Attribute.write : 0) | (execute ? Attribute.execute : 0);
}

/** Host views of the one memory; made anew when it grows. */
export class GuestMemory implements MachineMemory {
  readonly buffer: WebAssembly.Memory;
  state!: Int32Array;
  readTable!: Int32Array;
  writeTable!: Int32Array;
  codeTable!: Int32Array;
  attributes!: Uint8Array;
  bytes!: Uint8Array;
  halfwords!: Uint16Array;
  words!: Int32Array;
  /** The state words as binary32 and binary64. */
  floats!: Float32Array;
  doubles!: Float64Array;
  /** Told of every change of bytes on a page that holds predecoded instructions. */
  onCodeWrite: (address: number, length: number) => void = () => undefined;

  /** Told of every page that becomes slow to read or no longer is. */
  onPermissions: (page: number) => void = () => undefined;

  watcher: AccessWatcher | undefined;
  /** read() and write() are accesses of the host, not of a debugger: the watcher is told of them. */
  observed = false;

  private readonly mappedRegions: MemoryRegion[] = [];
  private readonly dirtyList: number[] = [];
  private nextHost = guestOffset;
  private guard: ((page: number) => number) | undefined;
  /** Length of the chunks in which guest pages and their shadows alternate; 0 = there are no shadows. */
  private shadowChunk = 0;
  /** Pages whose shadow was changed by the host since clearDirty(), marked and listed. */
  private shadowMarks = new Uint8Array();
  private readonly shadowList: number[] = [];
  /** Translated code changes the shadow of this memory without telling. */
  shadowStack = { base: 0, size: 0 };
  /** Told of every page that is mapped, and of what the host or a debugger writes, while there are shadows. */
  shadow: { mapped(page: number): void; written(address: number, length: number): void } | undefined;

  constructor(regions: readonly MemoryRegion[]) {
    const size = regions.reduce((sum, region) => sum + region.size, guestOffset + spare);
    this.buffer = new WebAssembly.Memory({ initial: Math.ceil(size / wasmPage), maximum: 32768 });
    this.makeViews();
    for (const region of regions) this.map(region);
  }

  get regions(): readonly MemoryRegion[] {
    return this.mappedRegions;
  }

  /** Pages that are mapped already keep their bytes and get the new region's name and permissions. */
  map(region: MemoryRegion): void {
    const { base, size, permissions } = region;
    if (base % pageSize !== 0 || size % pageSize !== 0 || size <= 0 || base < 0 || base + size > 2 ** 32) {
      throw new RangeError(`region '${region.name}' is not made of whole 4 KiB pages of the 4 GiB address space`);
    }
    this.mappedRegions.push(region);
    this.reserve(size);
    const bits = permissionBits(permissions);
    for (let page = base / pageSize; page < (base + size) / pageSize; page++) {
      const isNew = (this.attributes[page] & Attribute.mapped) === 0;
      if (isNew) this.readTable[page] = (this.takeHostPage() - page * pageSize) | 0;
      const kept = this.attributes[page] & (Attribute.code | Attribute.dirty | watchBits);
      this.attributes[page] = Attribute.mapped | bits | kept;
      this.refresh(page);
      if (isNew) this.shadow?.mapped(page);
      if (kept & Attribute.code) this.onCodeWrite(page * pageSize, pageSize);
    }
  }

  /** Takes back what was mapped after the first `count` regions. Pages that only they had are not there any more. */
  keepRegions(count: number): void {
    const gone = this.mappedRegions.splice(count);
    for (const { base, size } of gone) {
      for (let page = base / pageSize; page < (base + size) / pageSize; page++) this.takeBack(page);
    }
    for (let i = this.dirtyList.length - 1; i >= 0; i--) {
      if ((this.attributes[this.dirtyList[i]] & Attribute.mapped) === 0) this.dirtyList.splice(i, 1);
    }
  }

  private takeBack(page: number): void {
    const attributes = this.attributes[page];
    if ((attributes & Attribute.mapped) === 0) return;
    const address = page * pageSize;
    if (attributes & Attribute.code) this.onCodeWrite(address, pageSize);
    const below = this.regionAt(address);
    if (below !== undefined) {
      const kept = this.attributes[page] & (Attribute.code | Attribute.dirty | watchBits);
      this.attributes[page] = Attribute.mapped | permissionBits(below.permissions) | kept;
      this.refresh(page);
      return;
    }
    const host = this.hostAddress(address);
    for (const plane of this.shadowChunk === 0 ? [0] : [0, 1, 2]) {
      const at = host + plane * this.shadowChunk;
      this.bytes.fill(0, at, at + pageSize);
    }
    this.attributes[page] &= watchBits;
    this.readTable[page] = 0;
    this.writeTable[page] = 0;
    // What was mapped last lies last.
    this.nextHost -= pageSize;
    this.onPermissions(page);
  }

  /**
   * Host offset of an aligned access that takes the slow path only because something else on its page is watched; -1 for any other. What
   * runs beside a watched variable comes here again and again.
   */
  besideWatched(address: number, size: number, access: 'read' | 'write'): number {
    const page = address >>> 12;
    const attributes = this.attributes[page];
    const [needed, looked] =
      access === 'write' ? [fastWrite, fastWrite | Attribute.code] : [Attribute.read, Attribute.read];
    if ((attributes & watchBits) === 0 || (attributes & looked) !== needed || (address & (size - 1)) !== 0) return -1;
    if (this.guard !== undefined || this.shadow !== undefined || this.watcher === undefined) return -1;
    if (this.watcher.intervenes(address, size, access)) return -1;
    return ((this.readTable[page] & ~0xfff) + address) >>> 0;
  }

  regionAt(address: number): MemoryRegion | undefined {
    // The region mapped last wins where regions overlap.
    for (let i = this.mappedRegions.length - 1; i >= 0; i--) {
      const region = this.mappedRegions[i];
      if (address >= region.base && address < region.base + region.size) return region;
    }
    return undefined;
  }

  /** Host offset of a guest address, or -1 where nothing is mapped. Permissions are not looked at. */
  hostAddress(address: number): number {
    const page = address >>> 12;
    if ((this.attributes[page] & Attribute.mapped) === 0) return -1;
    return ((this.readTable[page] & ~0xfff) + address) >>> 0;
  }

  read(address: number, length: number): Uint8Array {
    const result = this.peek(address, length);
    this.noteRead(address, result.length);
    return result;
  }

  noteRead(address: number, length: number): void {
    if (this.observed) this.watcher?.hostAccess(address, length, 'read');
  }

  peek(address: number, length: number): Uint8Array {
    if ((address & 0xfff) + length <= pageSize) {
      const host = this.hostAddress(address);
      if (host >= 0) return this.bytes.slice(host, host + length);
    }
    const result = new Uint8Array(this.mappedLength(address, length));
    for (let done = 0; done < result.length;) {
      const host = this.hostAddress(address + done);
      const part = Math.min(pageSize - ((address + done) & 0xfff), result.length - done);
      result.set(this.bytes.subarray(host, host + part), done);
      done += part;
    }
    return result;
  }

  write(address: number, bytes: Uint8Array): number {
    const length = this.mappedLength(address, bytes.length);
    if (this.observed) this.watcher?.hostAccess(address, length, 'write');
    for (let done = 0; done < length;) {
      const at = address + done;
      const part = Math.min(pageSize - (at & 0xfff), length - done);
      this.bytes.set(bytes.subarray(done, done + part), this.hostAddress(at));
      this.touched(at, part);
      done += part;
    }
    this.shadow?.written(address, length);
    return length;
  }

  get dirtyCount(): number {
    return this.dirtyList.length;
  }

  dirtyPages(): readonly number[] {
    return this.dirtyList.slice();
  }

  clearDirty(): void {
    for (const page of this.dirtyList.splice(0)) {
      this.attributes[page] &= ~Attribute.dirty;
      this.refresh(page);
    }
    for (const page of this.shadowList.splice(0)) this.shadowMarks[page] = 0;
  }

  /** Marks the page dirty and drops predecoded instructions; `length` bytes within one page have changed. */
  touched(address: number, length: number): void {
    const page = address >>> 12;
    if ((this.attributes[page] & Attribute.dirty) === 0) {
      this.attributes[page] |= Attribute.dirty;
      this.dirtyList.push(page);
      this.refresh(page);
    }
    if (this.attributes[page] & Attribute.code) this.onCodeWrite(address, length);
  }

  /** Stores to a page that holds predecoded instructions take the slow path, so that none is executed stale. */
  setCode(page: number, holdsCode: boolean): void {
    this.attributes[page] = holdsCode
      ? this.attributes[page] | Attribute.code
      : this.attributes[page] & ~Attribute.code;
    this.refresh(page);
  }

  /** Attribute.watchRead and watchWrite: a page with a byte that is watched for reading is slow for writing too, which an atomic does both. */
  setWatched(page: number, watched: number): void {
    this.attributes[page] = (this.attributes[page] & ~watchBits) | watched;
    this.refresh(page);
  }

  /**
   * What a protection unit (PMP, MPU) lets through on a whole page: Attribute.read and write. The other accesses take the
   * slow path, which asks the unit. undefined = everything.
   */
  setGuard(guard: ((page: number) => number) | undefined): void {
    if (guard === undefined && this.guard === undefined) return;
    this.guard = guard;
    for (const { base, size } of this.mappedRegions) {
      for (let page = base / pageSize; page < (base + size) / pageSize; page++) this.refresh(page);
    }
  }

  /** Computes the slow bits of a page from its attributes. */
  private refresh(page: number): void {
    const attributes = this.attributes[page] & (this.guard ? this.guard(page) | ~accessBits : ~0);
    if ((attributes & Attribute.mapped) === 0) return;
    const delta = this.readTable[page] & ~0xfff;
    const writeSlow = (attributes & fastWrite) !== fastWrite || (attributes & (Attribute.code | watchBits)) !== 0;
    const readFast = (attributes & (Attribute.read | Attribute.watchRead)) === Attribute.read ? 1 : 0;
    const changed = (this.readTable[page] & 1) !== readFast;
    this.readTable[page] = delta | readFast;
    this.writeTable[page] = delta | (writeSlow ? 0 : 1);
    if (changed) this.onPermissions(page);
  }

  /**
   * Makes room for two shadow bytes of every guest byte: the first at the distance that is returned, the second at twice that
   * (safety/shadow.ts). They are 0 until they are written, and cost nothing before.
   */
  openShadow(): number {
    const used = this.nextHost - guestOffset;
    if (this.shadowChunk === 0) this.shadowChunk = Math.ceil(Math.max(used, 1) / smallestChunk) * smallestChunk;
    this.grow(guestOffset + Math.ceil(Math.max(used, 1) / (3 * this.shadowChunk)) * 3 * this.shadowChunk);
    if (this.shadowMarks.length === 0) this.shadowMarks = new Uint8Array(pageCount);
    return this.shadowChunk;
  }

  /** What openShadow() returned; 0 = there was never a shadow. */
  get shadowDistance(): number {
    return this.shadowChunk;
  }

  shadowTouched(page: number): void {
    if (this.shadowMarks[page] !== 0) return;
    this.shadowMarks[page] = 1;
    this.shadowList.push(page);
  }

  /** Pages whose shadow may have changed since clearDirty(). */
  shadowPages(): readonly number[] {
    if (this.shadowChunk === 0) return [];
    const { base, size } = this.shadowStack;
    const stack = Array.from({ length: size / pageSize }, (_, i) => base / pageSize + i);
    return [...this.shadowList, ...stack];
  }

  private takeHostPage(): number {
    const chunk = this.shadowChunk;
    const place = this.nextHost - guestOffset;
    if (chunk !== 0 && place % (3 * chunk) === chunk) {
      this.nextHost += 2 * chunk;
      this.grow(this.nextHost + 3 * chunk);
    }
    this.nextHost += pageSize;
    return this.nextHost - pageSize;
  }

  private mappedLength(address: number, length: number): number {
    const end = Math.min(address + length, 2 ** 32);
    let at = address;
    while (at < end && this.hostAddress(at) >= 0) at = (Math.floor(at / pageSize) + 1) * pageSize;
    return Math.max(0, Math.min(at, end) - address);
  }

  private reserve(size: number): void {
    if (this.nextHost + size > this.buffer.buffer.byteLength) this.grow(this.nextHost + size + spare);
  }

  private grow(end: number): void {
    const missing = end - this.buffer.buffer.byteLength;
    if (missing <= 0) return;
    this.buffer.grow(Math.ceil(missing / wasmPage));
    this.makeViews();
  }

  private makeViews(): void {
    const buffer = this.buffer.buffer;
    this.state = new Int32Array(buffer, 0, 1024);
    this.floats = new Float32Array(buffer, 0, 1024);
    this.doubles = new Float64Array(buffer, 0, 512);
    this.readTable = new Int32Array(buffer, readTableOffset, pageCount);
    this.writeTable = new Int32Array(buffer, writeTableOffset, pageCount);
    this.codeTable = new Int32Array(buffer, codeTableOffset, pageCount);
    this.attributes = new Uint8Array(buffer, attributesOffset, pageCount);
    this.bytes = new Uint8Array(buffer);
    this.halfwords = new Uint16Array(buffer);
    this.words = new Int32Array(buffer);
  }
}
