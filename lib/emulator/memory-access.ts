/**
 * The slow half of loads and stores, for every CPU: accesses that are unaligned, cross a page, or touch a page whose
 * slow bit is set (see memory.ts). A method that cannot do its access sets `stop` and has changed nothing.
 */
import { Attribute, type GuestMemory } from './memory';
import type { MemorySafety } from './safety/memory-safety';
import { Stop, type PendingFault } from './stop';

export abstract class MemoryAccess {
  stop: number = Stop.none;
  fault: PendingFault | undefined;
  /** The interpreter leaves its loop where a translated function begins. */
  stopsAtTranslated = false;
  /** Instructions that the slice has left, while a rare operation runs. */
  left = 0;

  /** Checks the memory safety of what the extension does. */
  safety: MemorySafety | undefined;

  constructor(readonly memory: GuestMemory) {}

  fail(fault: PendingFault): void {
    this.stop = Stop.fault;
    this.fault = fault;
  }

  /** Whether unaligned accesses fault, whatever the instruction. */
  abstract alwaysAligned(): boolean;

  load32(address: number): number {
    const host = this.reach(address, 4, 'read', false);
    if (host < 0) return 0;
    if ((address & 3) === 0) return this.memory.words[host >>> 2];
    return (
      this.byteAt(address) |
      (this.byteAt(address + 1) << 8) |
      (this.byteAt(address + 2) << 16) |
      (this.byteAt(address + 3) << 24)
    );
  }

  load16(address: number): number {
    const host = this.reach(address, 2, 'read', false);
    return host < 0 ? 0 : this.byteAt(address) | (this.byteAt(address + 1) << 8);
  }

  load8(address: number): number {
    const host = this.reach(address, 1, 'read', false);
    return host < 0 ? 0 : this.memory.bytes[host];
  }

  store32(address: number, value: number): void {
    if (this.reach(address, 4, 'write', false) >= 0) this.storeBytes(address, value, 4);
  }

  store16(address: number, value: number): void {
    if (this.reach(address, 2, 'write', false) >= 0) this.storeBytes(address, value, 2);
  }

  store8(address: number, value: number): void {
    if (this.reach(address, 1, 'write', false) >= 0) this.storeBytes(address, value, 1);
  }

  /** Whether words may be stored there, without a fault being set. */
  mayWrite(address: number, bytes: number): boolean {
    if (this.reach(address, bytes, 'write', true) >= 0) return true;
    this.stop = Stop.none;
    this.fault = undefined;
    return false;
  }

  /**
   * Host offset of the first byte when the whole access is allowed, else -1 with the fault set. `aligned`: an
   * access that is never made in parts.
   */
  protected reach(address: number, size: number, access: 'read' | 'write', aligned: boolean): number {
    const mask = size >= 4 ? 3 : size - 1;
    if ((address & mask) !== 0 && (aligned || this.alwaysAligned())) {
      const text = `unaligned ${access} of ${size} bytes at 0x${(address >>> 0).toString(16).padStart(8, '0')}`;
      this.fail({ kind: 'unaligned', message: text, access, address: address >>> 0, size });
      return -1;
    }
    const first = address >>> 0;
    if (!this.permitted(first, first, size, access)) return -1;
    const last = (address + size - 1) >>> 0;
    if (last >>> 12 !== first >>> 12 && !this.permitted(last & ~0xfff, first, size, access)) return -1;
    if (this.safety?.refuses(first, size, access) === true) return -1;
    if (this.memory.watcher !== undefined && this.isWatched(first, size, access)) return -1;
    return this.memory.hostAddress(first);
  }

  /** True when the instruction has to be executed alone: `stop` says so. */
  protected isWatched(address: number, size: number, access: 'read' | 'write'): boolean {
    if (this.memory.watcher?.intervenes(address >>> 0, size, access) !== true) return false;
    this.stop = Stop.watch;
    return true;
  }

  protected permitted(at: number, address: number, size: number, access: 'read' | 'write'): boolean {
    const bit = access === 'read' ? Attribute.read : Attribute.write;
    if (this.memory.attributes[at >>> 12] & bit) return true;
    this.fail(this.accessFault(at >>> 0, address, size, access));
    return false;
  }

  /** Why `at` (the first byte of the access or of its second page) cannot be accessed. */
  accessFault(at: number, address: number, size: number, access: 'read' | 'write' | 'execute'): PendingFault {
    const region = this.memory.regionAt(at);
    const where = `0x${at.toString(16).padStart(8, '0')}`;
    const verb = access === 'execute' ? 'instruction fetch' : `${access} of ${size} byte${size === 1 ? '' : 's'}`;
    if (!region) return { kind: 'unmapped', message: `${verb} at ${where}, where no memory is`, access, address, size };
    if (region.stackGuard) {
      return { kind: 'stack-overflow', message: `${verb} at ${where} in ${region.name}`, access, address, size };
    }
    return {
      kind: 'forbidden',
      message: `${verb} at ${where} is not allowed in ${region.name}`,
      access,
      address,
      size,
    };
  }

  /** Why the instruction at pc may not be fetched from `address`, which is its own or that of its second half. */
  fetchFault(address: number, pc: number, size: number): PendingFault | undefined {
    const allowed = (this.memory.attributes[address >>> 12] & Attribute.execute) !== 0;
    return allowed ? this.safety?.fetchFault(address) : this.accessFault(address, pc, size, 'execute');
  }

  protected byteAt(address: number): number {
    return this.memory.bytes[this.memory.hostAddress(address)];
  }

  protected storeBytes(address: number, value: number, size: number): void {
    this.memory.watcher?.written(address >>> 0, size);
    for (let i = 0; i < size; i++) {
      this.memory.bytes[this.memory.hostAddress(address + i)] = value >>> (8 * i);
    }
    const first = address >>> 0;
    this.memory.touched(first, Math.min(size, 4096 - (first & 0xfff)));
    if ((first & 0xfff) + size > 4096)
      this.memory.touched(((first + size - 1) & ~0xfff) >>> 0, (first + size) & 0xfff || 1);
  }
}
