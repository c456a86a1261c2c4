/**
 * Physical memory protection: privileged specification 3.7. Sixteen entries of 4-byte grain; the lowest-numbered one
 * that matches any byte of an access decides, and must match all of them.
 */
import type { GuestMemory } from '../memory';
import { Privilege, State } from './state';

export type PmpAccess = 'read' | 'write' | 'execute';

export const pmpEntries = 16;
/** Bits of a configuration byte. */
export const PmpConfig = { R: 1, W: 2, X: 4, A: 0x18, L: 0x80 } as const;
const bits: Readonly<Record<PmpAccess, number>> = { read: PmpConfig.R, write: PmpConfig.W, execute: PmpConfig.X };

interface Entry {
  readonly config: number;
  /** First byte and the one after the last. */
  readonly from: number;
  readonly to: number;
}

export class Pmp {
  /** A register was written since protection was last applied. */
  changed = false;
  /** Entries that are on, lowest number first; made anew when a register is written. */
  private active: readonly Entry[] | undefined;

  constructor(private readonly memory: GuestMemory) {}

  configByte(index: number): number {
    return (this.memory.state[State.pmpcfg + (index >> 2)] >>> (8 * (index & 3))) & 0xff;
  }

  /** A locked entry keeps its configuration. W without R is reserved: the field keeps its value. */
  writeConfigByte(index: number, value: number): void {
    const old = this.configByte(index);
    if (old & PmpConfig.L) return;
    const reserved = (value & (PmpConfig.R | PmpConfig.W)) === PmpConfig.W;
    const byte = reserved ? old : value & 0x9f;
    const word = State.pmpcfg + (index >> 2);
    const shift = 8 * (index & 3);
    this.memory.state[word] = (this.memory.state[word] & ~(0xff << shift)) | (byte << shift);
    this.forget();
  }

  /** Address bits 33:2 or 55:2. */
  address(index: number): bigint {
    const at = State.pmpaddr + 2 * index;
    return (BigInt(this.memory.state[at + 1] >>> 0) << 32n) | BigInt(this.memory.state[at] >>> 0);
  }

  /** Not when it is locked, or is the lower end of a locked top-of-range entry. */
  writeAddress(index: number, value: bigint): void {
    const next = index + 1 < pmpEntries ? this.configByte(index + 1) : 0;
    const isLocked = (this.configByte(index) & PmpConfig.L) !== 0;
    if (isLocked || ((next & PmpConfig.L) !== 0 && (next & PmpConfig.A) === 0x08)) return;
    const at = State.pmpaddr + 2 * index;
    this.memory.state[at] = Number(BigInt.asIntN(32, value));
    this.memory.state[at + 1] = Number(BigInt.asIntN(32, value >> 32n));
    this.forget();
  }

  /** Whether anything is checked at all: always in user mode, in machine mode locked entries only. */
  guards(privilege: number): boolean {
    return privilege !== Privilege.machine || this.entries().some(({ config }) => (config & PmpConfig.L) !== 0);
  }

  refuses(address: number, size: number, access: PmpAccess, privilege: number): boolean {
    if (!this.guards(privilege)) return false;
    const end = address + size;
    for (const { config, from, to } of this.entries()) {
      if (end <= from || address >= to) continue;
      if (address < from || end > to) return true;
      return (privilege !== Privilege.machine || (config & PmpConfig.L) !== 0) && (config & bits[access]) === 0;
    }
    return privilege !== Privilege.machine;
  }

  /** Whether an access to a part of a 4 KiB page may be refused. */
  refusesSomeOf(page: number, access: PmpAccess, privilege: number): boolean {
    return this.refuses(page * 4096, 4096, access, privilege);
  }

  /** The registers were written past the methods above. */
  replaced(): void {
    this.forget();
  }

  private forget(): void {
    this.active = undefined;
    this.changed = true;
  }

  private entries(): readonly Entry[] {
    if (this.active) return this.active;
    const found: Entry[] = [];
    for (let i = 0; i < pmpEntries; i++) {
      const config = this.configByte(i);
      const range = this.range(i, (config & PmpConfig.A) >> 3);
      if (range) found.push({ config, from: Number(range[0]), to: Number(range[1]) });
    }
    return (this.active = found);
  }

  /** A field: 0 off, 1 top of range, 2 four bytes, 3 naturally aligned power of two. */
  private range(index: number, mode: number): readonly [bigint, bigint] | undefined {
    const address = this.address(index);
    if (mode === 0) return undefined;
    if (mode === 1) {
      const from = index === 0 ? 0n : this.address(index - 1);
      return from < address ? [from << 2n, address << 2n] : undefined;
    }
    if (mode === 2) return [address << 2n, (address + 1n) << 2n];
    // Trailing ones give the size: yyy0 = 8 bytes, yy01 = 16, ...
    const ones = address ^ (address + 1n);
    const base = (address & ~ones) << 2n;
    return [base, base + ((ones + 1n) << 2n)];
  }
}
