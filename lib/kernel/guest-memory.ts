/**
 * Guest memory as a function of the base image uses it: typed little-endian access that checks the region's
 * permissions first and throws BadPointer, which the kernel turns into a fault of the calling instruction.
 * Functions check everything that they will touch before they write anything: a fault leaves no side effect.
 */
import type { MachineMemory } from '../emulator/types';
import type { HostSafety } from './host-safety';

export type Access = 'read' | 'write';

/** An argument that points where it must not. */
export class BadPointer extends Error {
  constructor(
    readonly address: number,
    readonly size: number,
    readonly access: Access,
    readonly unmapped: boolean,
    /** Filled in by the caller that knows the parameter's name. */
    readonly argument: string,
  ) {
    super(`${argument}: cannot ${access} 0x${address.toString(16).padStart(8, '0')}`);
    this.name = 'BadPointer';
  }
}

const STRING_CHUNK = 256;

export class GuestMemory {
  /** Looks whether what is accessed is the caller's. */
  safety: HostSafety | undefined;

  constructor(readonly memory: MachineMemory) {}

  /**
   * Throws BadPointer at the first byte of the range that does not allow the access. `uses`: what is read decides something, it is
   * not only copied.
   */
  check(address: number, length: number, access: Access, argument: string, uses = true): void {
    this.checkPermissions(address, length, access, argument);
    this.safety?.check(address >>> 0, length, access, argument, uses);
  }

  private checkPermissions(address: number, length: number, access: Access, argument: string): void {
    let at = address >>> 0;
    let left = length;
    while (left > 0) {
      const allowed = this.allowedFrom(at, access);
      if (typeof allowed === 'string') throw new BadPointer(at, length, access, allowed === 'unmapped', argument);
      left -= allowed;
      at += allowed;
      // Beyond the last address there is nothing to wrap around to.
      if (left > 0 && at > 0xffff_ffff) throw new BadPointer(0xffff_ffff, length, access, true, argument);
    }
  }

  /** Checked copy of exactly `length` bytes. */
  bytes(address: number, length: number, argument: string): Uint8Array {
    this.check(address, length, 'read', argument);
    return this.memory.read(address >>> 0, length);
  }

  /** Copies bytes, written or not. */
  copy(from: number, to: number, length: number, source: string, destination: string): void {
    this.check(from, length, 'read', source, false);
    const undefinedBits = this.safety?.undefinedBits(from >>> 0, length);
    this.write(to, this.memory.read(from >>> 0, length), destination);
    if (undefinedBits !== undefined) this.safety?.copied(to >>> 0, undefinedBits);
  }

  write(address: number, bytes: Uint8Array, argument: string): void {
    this.check(address, bytes.length, 'write', argument);
    this.memory.write(address >>> 0, bytes);
  }

  /** The bytes before the NUL, or the first `limit` bytes when there is none among them. */
  string(address: number, argument: string, limit = Number.MAX_SAFE_INTEGER): Uint8Array {
    const parts: Uint8Array[] = [];
    let at = address >>> 0;
    let left = limit;
    while (left > 0) {
      const allowed = at > 0xffff_ffff ? 'unmapped' : this.allowedFrom(at, 'read');
      if (typeof allowed === 'string') throw new BadPointer(at >>> 0, 1, 'read', allowed === 'unmapped', argument);
      const chunk = this.memory.peek(at, Math.min(allowed, left, STRING_CHUNK));
      const nul = chunk.indexOf(0);
      const used = nul >= 0 ? nul + 1 : chunk.length;
      this.safety?.check(at, used, 'read', argument);
      this.memory.noteRead?.(at, used);
      if (nul >= 0) {
        parts.push(chunk.subarray(0, nul));
        break;
      }
      parts.push(chunk);
      at += chunk.length;
      left -= chunk.length;
    }
    return concatenate(parts);
  }

  u8(address: number, argument: string): number {
    return this.bytes(address, 1, argument)[0];
  }

  u16(address: number, argument: string): number {
    const bytes = this.bytes(address, 2, argument);
    return bytes[0] | (bytes[1] << 8);
  }

  u32(address: number, argument: string): number {
    const bytes = this.bytes(address, 4, argument);
    return (bytes[0] | (bytes[1] << 8) | (bytes[2] << 16) | (bytes[3] << 24)) >>> 0;
  }

  setU32(address: number, value: number, argument: string): void {
    this.write(address, littleEndian(value, 4), argument);
  }

  /** How many bytes from `address` on allow the access, or why none does. */
  private allowedFrom(address: number, access: Access): number | 'unmapped' | 'forbidden' {
    const region = this.memory.regionAt(address);
    if (region === undefined) return 'unmapped';
    return region.permissions[access] ? region.base + region.size - address : 'forbidden';
  }
}

export function littleEndian(value: number | bigint, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let rest = BigInt.asUintN(size * 8, BigInt(value));
  for (let i = 0; i < size; i++) {
    bytes[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}

export function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0];
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
