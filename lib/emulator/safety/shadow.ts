/**
 * What is known of every guest byte while memory safety is checked: a byte of flags at a constant distance behind it in the same
 * WebAssembly.Memory, so that translated code finds it by one addition, and at twice that distance its undefined bits.
 *
 *   flags 0        the extension may access it, and it was written
 *   undefined bits count only where the flag `partial` is set; with `unwritten` all 8 are undefined
 *
 * The planes are part of the machine's memory and follow it: snapshots keep their pages beside those of the guest bytes (rewind.ts),
 * so each change here is told to the memory.
 * Guest pages, flags and undefined bits alternate in chunks of one length, so that nothing moves when pages are mapped later.
 */
import { pageSize, type GuestMemory } from '../memory';

/** Bits of a flags byte. */
export const Shadow = {
  /** No byte was ever stored there: all of its bits are undefined. */
  unwritten: 1,
  /** Not the extension's. */
  foreign: 2,
  /** TEXT and RODATA: the extension may read it. */
  readOnly: 4,
  /** Some of its bits are undefined. */
  partial: 8,
  /** Instructions that may be executed. */
  executable: 16,
  /** The base image's. */
  host: 32,
  /** Data of one extension that others have no business with; only marked where that is asked for. */
  private: 64,
} as const;

export const undefinedFlags = Shadow.unwritten | Shadow.partial;
/** What a load must not meet, and what a store must not. */
export const loadFlags = undefinedFlags | Shadow.foreign;
export const storeFlags = Shadow.foreign | Shadow.readOnly;

export class ShadowMemory {
  /** From a guest byte to its flags, and from those to its undefined bits. */
  readonly distance: number;

  constructor(readonly memory: GuestMemory) {
    this.distance = memory.openShadow();
    for (const { base, size } of memory.regions) this.setAll(base, size, Shadow.foreign);
  }

  flagsAt(address: number): number {
    const host = this.memory.hostAddress(address >>> 0);
    return host < 0 ? Shadow.foreign : this.memory.bytes[host + this.distance];
  }

  /** All flags of the bytes of an access, together. */
  flagsOf(address: number, size: number): number {
    let flags = 0;
    for (let i = 0; i < size; i++) flags |= this.flagsAt(address + i);
    return flags;
  }

  /** The undefined bits of a byte. */
  undefinedAt(address: number): number {
    const host = this.memory.hostAddress(address >>> 0);
    if (host < 0) return 0;
    const flags = this.memory.bytes[host + this.distance];
    if ((flags & undefinedFlags) === 0) return 0;
    return flags & Shadow.unwritten ? 0xff : this.memory.bytes[host + 2 * this.distance];
  }

  setUndefinedAt(address: number, bits: number): void {
    const host = this.memory.hostAddress(address >>> 0);
    if (host < 0) return;
    const { bytes } = this.memory;
    const kind = bits === 0 ? 0 : bits === 0xff ? Shadow.unwritten : Shadow.partial;
    this.memory.shadowTouched(address >>> 12);
    bytes[host + this.distance] = (bytes[host + this.distance] & ~undefinedFlags) | kind;
    if (kind === Shadow.partial) bytes[host + 2 * this.distance] = bits;
  }

  /** Flags of [address, address + length) become these. */
  setAll(address: number, length: number, flags: number): void {
    this.eachPart(address, length, (host, part) => this.memory.bytes.fill(flags, host, host + part));
  }

  /** Clears and sets flags of [address, address + length). */
  change(address: number, length: number, clear: number, set: number): void {
    this.eachPart(address, length, (host, part) => {
      const { bytes } = this.memory;
      for (let at = host; at < host + part; at++) bytes[at] = (bytes[at] & ~clear) | set;
    });
  }

  /** The first address of [address, address + length) with one of the flags, or -1. */
  find(address: number, length: number, flags: number): number {
    for (let i = 0; i < length; i++) if (this.flagsAt(address + i) & flags) return (address + i) >>> 0;
    return -1;
  }

  /** The undefined bits of `length` bytes go along with them. */
  copyUndefined(from: number, to: number, length: number): void {
    const bits = Uint8Array.from({ length }, (_, i) => this.undefinedAt(from + i));
    bits.forEach((each, i) => this.setUndefinedAt(to + i, each));
  }

  private eachPart(address: number, length: number, visit: (host: number, part: number) => void): void {
    for (let done = 0; done < length;) {
      const at = address + done;
      const part = Math.min(pageSize - (at & (pageSize - 1)), length - done);
      const host = this.memory.hostAddress(at >>> 0);
      if (host >= 0) {
        this.memory.shadowTouched(at >>> 12);
        visit(host + this.distance, part);
      }
      done += part;
    }
  }
}
