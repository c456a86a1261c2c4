/** The mem* functions and the run-time ABI's variants of them (IHI 0043, 5.3.4: memset has its arguments swapped). */
import type { HostCall, ImplementationTable } from '../host-call';

/** Destination 0, source 1, length 2; both ranges are checked before the copy. */
function copy(call: HostCall): number {
  call.copy(1, 0, call.u32(2));
  return call.u32(0);
}

function fill(call: HostCall, value: number, length: number): number {
  // Checked before the allocation: a wild length must not cost memory.
  call.checkWrite(0, length);
  call.write(0, new Uint8Array(length).fill(value & 0xff));
  return call.u32(0);
}

/** Reads up to the mapped end only as far as the answer needs it, as the C functions do. */
function find(call: HostCall, direction: 1 | -1): number {
  const length = call.u32(2);
  const value = call.u32(1) & 0xff;
  if (direction < 0) {
    const index = call.bytes(0, length).lastIndexOf(value);
    return index < 0 ? 0 : call.u32(0) + index;
  }
  const CHUNK = 4096;
  for (let at = 0; at < length; at += CHUNK) {
    const want = Math.min(CHUNK, length - at);
    const bytes = call.memory.memory.peek(call.u32(0) + at, want);
    const index = bytes.indexOf(value);
    call.memory.memory.noteRead?.(call.u32(0) + at, index >= 0 ? index + 1 : bytes.length);
    if (index >= 0) {
      call.memory.check(call.u32(0), at + index + 1, 'read', call.parameter(0));
      return call.u32(0) + at + index;
    }
    if (bytes.length < want) call.memory.check(call.u32(0), length, 'read', call.parameter(0));
  }
  call.memory.check(call.u32(0), length, 'read', call.parameter(0));
  return 0;
}

export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return (a[length] ?? 0) - (b[length] ?? 0);
}

export const memoryImplementations: ImplementationTable = {
  memcpy: copy,
  memmove: copy,
  mempcpy: (call) => copy(call) + call.u32(2),
  memset: (call) => fill(call, call.u32(1), call.u32(2)),
  __aeabi_memset: (call) => fill(call, call.u32(2), call.u32(1)),
  bzero: (call) => fill(call, 0, call.u32(1)),
  memcmp: (call) => compareBytes(call.bytes(0, call.u32(2)), call.bytes(1, call.u32(2))),
  memchr: (call) => find(call, 1),
  memrchr: (call) => find(call, -1),
};
