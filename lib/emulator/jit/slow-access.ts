/**
 * Accesses of translated code that its own checks do not allow: beside what is watched, on slow pages, to memory whose values are
 * checked. What faults or needs more than that is refused: the interpreter meets it again, at the exact instruction.
 */
import type { GuestMemory } from '../memory';
import type { MemoryAccess } from '../memory-access';
import type { RecordCache } from '../record-cache';
import { Stop } from '../stop';
import { REFUSED } from './layout';

/** PPB and vendor devices: what is there depends on the exact instruction, or changes how the CPU works. */
const devices = 0xe000_0000;

export class SlowAccess {
  constructor(
    private readonly memory: GuestMemory,
    private readonly access: MemoryAccess,
    private readonly code: RecordCache,
  ) {}

  load(address: number, code: number): number {
    const { access, memory } = this;
    const beside = memory.besideWatched(address >>> 0, Math.abs(code), 'read');
    if (beside >= 0) return loadAt(memory, beside, code);
    if (address >>> 0 < devices) {
      const value =
        code === 4 ? access.load32(address) : Math.abs(code) === 2 ? access.load16(address) : access.load8(address);
      // What has undefined bits is the careful interpreter's.
      const isUndefined = access.safety !== undefined && access.safety.loaded(address, Math.abs(code)) !== 0;
      if (access.stop === Stop.none && !isUndefined)
        return code === -2 ? (value << 16) >> 16 : code === -1 ? (value << 24) >> 24 : value;
      this.forgetFault();
    }
    memory.words[REFUSED >>> 2] = 1;
    return 0;
  }

  /** 1 = refused. */
  store(address: number, value: number, size: number): number {
    const { access, code, memory } = this;
    const beside = memory.besideWatched(address >>> 0, size, 'write');
    if (beside >= 0) return storeAt(memory, beside, value, size);
    if (address >>> 0 >= devices || code.isCode(address >>> 0, size)) return 1;
    if (size === 4) access.store32(address, value);
    else if (size === 2) access.store16(address, value);
    else access.store8(address, value);
    if (access.stop !== Stop.none) return this.forgetFault();
    access.safety?.stored(address, size, 0);
    return 0;
  }

  probeWrite(address: number, bytes: number): number {
    const { access, code } = this;
    if (address >= devices || code.isCode(address, bytes)) return 1;
    return access.mayWrite(address, bytes) ? 0 : 1;
  }

  /** The interpreter meets it again, at the exact instruction. */
  private forgetFault(): number {
    this.access.stop = Stop.none;
    this.access.fault = undefined;
    return 1;
  }
}

/** `code` as in Width (memory-ops.ts). */
function loadAt({ words, halfwords, bytes }: GuestMemory, host: number, code: number): number {
  if (code === 4) return words[host >>> 2];
  if (code === 2) return halfwords[host >>> 1];
  if (code === -2) return (halfwords[host >>> 1] << 16) >> 16;
  return code === 1 ? bytes[host] : (bytes[host] << 24) >> 24;
}

/** 0 = done. */
function storeAt({ words, halfwords, bytes }: GuestMemory, host: number, value: number, size: number): 0 {
  if (size === 4) words[host >>> 2] = value;
  else if (size === 2) halfwords[host >>> 1] = value;
  else bytes[host] = value;
  return 0;
}
