/**
 * Registers and memory as plain numbers, without objects and messages: what a breakpoint's condition reads, a million times a
 * second. Permissions are not looked at and watchpoints do not notice, as for every reader that is a debugger.
 */
import type { GuestMemory } from './memory';

export class DirectAccess {
  /** Something could not be read since it was cleared; it read as 0. */
  failed = false;

  /** `wordsOfRegister`: 2 where registers are pairs of state words, the low one first. */
  constructor(
    private readonly memory: GuestMemory,
    readonly registerCount: number,
    private readonly wordsOfRegister: 1 | 2,
  ) {}

  /** Low 32 bits of a core register by its number, signed. */
  register(number: number): number {
    return this.memory.state[number * this.wordsOfRegister];
  }

  /** Bits 32 to 63, signed; of a 32-bit register there are none. */
  registerHigh(number: number): number {
    return this.wordsOfRegister === 2 ? this.memory.state[number * 2 + 1] : 0;
  }

  load8(address: number): number {
    const host = address === address >>> 0 ? this.memory.hostAddress(address) : -1;
    if (host >= 0) return this.memory.bytes[host];
    this.failed = true;
    return 0;
  }

  load16(address: number): number {
    return this.load8(address) | (this.load8(address + 1) << 8);
  }

  /** Unsigned. */
  load32(address: number): number {
    if ((address & 3) === 0 && address === address >>> 0) {
      const host = this.memory.hostAddress(address);
      if (host >= 0) return this.memory.words[host >>> 2] >>> 0;
    }
    return (this.load16(address) | (this.load16(address + 2) << 16)) >>> 0;
  }
}
