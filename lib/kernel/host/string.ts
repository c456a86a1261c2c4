/** The str* functions of ISO C 7.24 and the POSIX ones that Zephyr's C libraries have, on bytes of guest memory. */
import { encodeInteger } from '../../bytes';
import { concatenate } from '../guest-memory';
import type { HostCall, ImplementationTable } from '../host-call';
import { compareBytes } from './memory';

const NUL = Uint8Array.of(0);
const terminated = (bytes: Uint8Array): Uint8Array => concatenate([bytes, NUL]);

const lower = (bytes: Uint8Array): Uint8Array =>
  bytes.map((byte) => (byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte));

/** Index of `needle` in `text`, or -1. */
function indexOfBytes(text: Uint8Array, needle: Uint8Array): number {
  for (let at = 0; at + needle.length <= text.length; at++) {
    if (needle.every((byte, i) => text[at + i] === byte)) return at;
  }
  return -1;
}

/** Length of the prefix of `text` whose bytes are in `set` (or are not, when `wanted` is false). */
function span(text: Uint8Array, set: Uint8Array, wanted: boolean): number {
  const end = text.findIndex((byte) => set.includes(byte) !== wanted);
  return end < 0 ? text.length : end;
}

function findCharacter(call: HostCall, last: boolean): number {
  const text = terminated(call.string(0));
  const value = call.u32(1) & 0xff;
  const index = last ? text.lastIndexOf(value) : text.indexOf(value);
  return index < 0 ? 0 : call.u32(0) + index;
}

function append(call: HostCall, limit?: number): number {
  const length = call.string(0).length;
  call.write(0, terminated(call.string(1, limit)), length);
  return call.u32(0);
}

/** strlcpy and strlcat: what fits into size, always terminated; the result is the length that was wanted. */
function copyLimited(call: HostCall, from: number): number {
  const source = call.string(1);
  const size = call.u32(2);
  if (from < size) call.write(0, terminated(source.subarray(0, size - from - 1)), from);
  return from + source.length;
}

/** ISO C strtok_r: the saved position is in guest memory, so that nothing is kept here. */
function nextToken(call: HostCall): number {
  const separators = call.string(1);
  const { longSize } = call.kernel.convention;
  const save = (next: number): void => call.write(2, encodeInteger(BigInt(next), longSize, true));
  call.checkWrite(2, longSize);
  const start = call.u32(0) !== 0 ? call.u32(0) : call.memory.u32(call.u32(2), call.parameter(2));
  if (start === 0) return 0;
  const text = call.memory.string(start, call.parameter(0));
  const begin = span(text, separators, true);
  if (begin === text.length) {
    save(0);
    return 0;
  }
  const end = begin + span(text.subarray(begin), separators, false);
  if (end < text.length) call.memory.write(start + end, NUL, call.parameter(0));
  save(end < text.length ? start + end + 1 : 0);
  return start + begin;
}

export const stringImplementations: ImplementationTable = {
  strlen: (call) => call.string(0).length,
  strnlen: (call) => call.string(0, call.u32(1)).length,
  strcpy(call) {
    call.write(0, terminated(call.string(1)));
    return call.u32(0);
  },
  stpcpy(call) {
    const text = call.string(1);
    call.write(0, terminated(text));
    return call.u32(0) + text.length;
  },
  strncpy(call) {
    const size = call.u32(2);
    call.checkWrite(0, size);
    const field = new Uint8Array(size);
    field.set(call.string(1, size));
    call.write(0, field);
    return call.u32(0);
  },
  strlcpy: (call) => copyLimited(call, 0),
  strcat: (call) => append(call),
  strncat: (call) => append(call, call.u32(2)),
  strlcat: (call) => copyLimited(call, call.string(0, call.u32(2)).length),
  strcmp: (call) => compareBytes(call.string(0), call.string(1)),
  strncmp: (call) => compareBytes(call.string(0, call.u32(2)), call.string(1, call.u32(2))),
  strcasecmp: (call) => compareBytes(lower(call.string(0)), lower(call.string(1))),
  strncasecmp: (call) => compareBytes(lower(call.string(0, call.u32(2))), lower(call.string(1, call.u32(2)))),
  strchr: (call) => findCharacter(call, false),
  strrchr: (call) => findCharacter(call, true),
  strstr(call) {
    const index = indexOfBytes(call.string(0), call.string(1));
    return index < 0 ? 0 : call.u32(0) + index;
  },
  strspn: (call) => span(call.string(0), call.string(1), true),
  strcspn: (call) => span(call.string(0), call.string(1), false),
  strpbrk(call) {
    const text = call.string(0);
    const index = span(text, call.string(1), false);
    return index === text.length ? 0 : call.u32(0) + index;
  },
  strtok_r: nextToken,
};
