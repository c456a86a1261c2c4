/**
 * Typed access to guest memory with the target's pointer width and byte order, and the arithmetic of its size_t.
 * C strings are handled as byte strings (one character a byte), because that is how the loader compares them;
 * displayName() turns one into text for people.
 */
import { decodeUnsigned, encodeInteger } from '../bytes';
import { LlextError } from '../errors';
import type { LlextMemory } from './types';

/** A longer name than this is garbage: the loader followed a wild pointer. */
const longestString = 4096;

const clearedAtOnce = 0x1_0000n;

export class Guest {
  private readonly addressBits: number;

  constructor(
    readonly memory: LlextMemory,
    readonly pointerSize: 4 | 8,
    readonly littleEndian: boolean,
  ) {
    this.addressBits = pointerSize * 8;
  }

  /** Value of an expression of type size_t or uintptr_t. */
  wrap(value: bigint): bigint {
    return BigInt.asUintN(this.addressBits, value);
  }

  u8(address: bigint): number {
    return this.memory.read(this.wrap(address), 1)[0];
  }

  u32(address: bigint): number {
    return Number(decodeUnsigned(this.memory.read(this.wrap(address), 4), this.littleEndian));
  }

  /** A pointer or a size_t. */
  ptr(address: bigint): bigint {
    return decodeUnsigned(this.memory.read(this.wrap(address), this.pointerSize), this.littleEndian);
  }

  setU8(address: bigint, value: number): void {
    this.memory.write(this.wrap(address), Uint8Array.of(value));
  }

  setU32(address: bigint, value: number): void {
    this.memory.write(this.wrap(address), encodeInteger(BigInt(value), 4, this.littleEndian));
  }

  setPtr(address: bigint, value: bigint): void {
    this.memory.write(this.wrap(address), encodeInteger(value, this.pointerSize, this.littleEndian));
  }

  bytes(address: bigint, length: number): Uint8Array {
    return this.memory.read(this.wrap(address), length);
  }

  write(address: bigint, bytes: Uint8Array): void {
    if (bytes.length > 0) this.memory.write(this.wrap(address), bytes);
  }

  /** memset(address, 0, length); an absurd length ends where memory ends. */
  clear(address: bigint, length: bigint): void {
    const { memory } = this;
    for (let done = 0n; done < length; done += clearedAtOnce) {
      const left = length - done;
      const size = Number(left < clearedAtOnce ? left : clearedAtOnce);
      const at = this.wrap(address + done);
      if (memory.clear === undefined) memory.write(at, new Uint8Array(size));
      else memory.clear(at, size);
    }
  }

  /** A string that the loader compares: reading it from unmapped memory is the machine's fault. */
  cstring(address: bigint): string {
    const text = this.printable(address);
    if (text === undefined) throw unmapped(this.wrap(address));
    return text;
  }

  /** A string that is only shown: '' where it cannot be read, as in a base image whose flash is not known. */
  shownString(address: bigint): string {
    return this.printable(address) ?? '';
  }

  private printable(address: bigint): string | undefined {
    let at = this.wrap(address);
    let text = '';
    while (text.length < longestString) {
      const chunk = this.memory.readPrefix(at, 64);
      if (chunk.length === 0) return text === '' ? undefined : text;
      const nul = chunk.indexOf(0);
      const end = nul < 0 ? chunk.length : nul;
      this.memory.noteRead?.(at, nul < 0 ? end : end + 1);
      // No spread: names are short, and a call with many arguments is slower than the loop.
      for (let i = 0; i < end; i++) text += String.fromCharCode(chunk[i]);
      if (nul >= 0) return text;
      at = this.wrap(at + BigInt(chunk.length));
    }
    return text;
  }
}

export function unmapped(address: bigint): LlextError {
  return new LlextError(14, `the machine faults: there is no memory at 0x${address.toString(16)}`);
}

/** The byte string of a text, as a C compiler puts it into a file. */
export function byteString(text: string): string {
  return String.fromCharCode(...new TextEncoder().encode(text));
}

/** Text of a byte string: UTF-8 where it is that, else one character a byte. */
export function displayName(bytes: string): string {
  // Plain ASCII is both.
  if (/^[\x20-\x7e]*$/.test(bytes)) return bytes;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(bytes, (c) => c.charCodeAt(0)));
  } catch {
    return bytes;
  }
}
