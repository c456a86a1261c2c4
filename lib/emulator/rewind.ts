/**
 * Setting a machine back: its state page, its pages and its regions are replaced by those of a snapshot. Predecoded and
 * translated instructions follow memory as they do after any write; what else a CPU derives from its state, it derives anew
 * when it is told.
 *
 * Page p of the guest is number p; with 2^20 more its flags of memory safety are meant, with twice that its undefined bits (safety/shadow.ts).
 */
import { Attribute, pageCount, pageSize, type GuestMemory } from './memory';
import type { MachineRewind, MemoryRegion } from './types';

export class Rewind implements MachineRewind {
  constructor(
    private readonly memory: GuestMemory,
    /** Told after the state was replaced, with what it was before. */
    private readonly stateReplaced: (before: Int32Array) => void,
  ) {}

  stateWords(): Int32Array {
    return this.memory.state.slice();
  }

  replaceState(words: Int32Array): void {
    const before = this.stateWords();
    this.memory.state.set(words);
    this.stateReplaced(before);
  }

  *pages(): Iterable<number> {
    const planes = this.memory.shadowDistance === 0 ? [0] : [0, 1, 2];
    for (const { base, size } of this.memory.regions) {
      for (let page = base / pageSize; page < (base + size) / pageSize; page++) {
        for (const plane of planes) yield page + plane * pageCount;
      }
    }
  }

  changedPages(): readonly number[] {
    const shadows = this.memory.shadowPages().flatMap((page) => [page + pageCount, page + 2 * pageCount]);
    // A store in translated code marks its bytes as written.
    const written = this.memory.dirtyPages();
    const flags = this.memory.shadowDistance === 0 ? [] : written.map((page) => page + pageCount);
    return [...written, ...flags, ...shadows];
  }

  page(number: number): Uint8Array {
    const { memory } = this;
    const host = memory.hostAddress((number % pageCount) * pageSize);
    const distance = number < pageCount ? 0 : memory.shadowDistance * Math.floor(number / pageCount);
    if (host < 0 || (distance === 0 && number >= pageCount)) return new Uint8Array();
    return memory.bytes.subarray(host + distance, host + distance + pageSize);
  }

  replacePage(number: number, bytes: Uint8Array | undefined): void {
    const now = this.page(number);
    if (now.length === 0) return;
    if (bytes === undefined) now.fill(0);
    else now.set(bytes);
    // The page's records go as a whole: a comparison halfword by halfword would cost more than decoding anew.
    const page = number % pageCount;
    if ((this.memory.attributes[page] & Attribute.code) !== 0) this.memory.onCodeWrite(page * pageSize, pageSize);
  }

  replaceRegions(regions: readonly MemoryRegion[]): void {
    const { memory } = this;
    let same = 0;
    while (same < regions.length && memory.regions[same] === regions[same]) same++;
    if (same < memory.regions.length) memory.keepRegions(same);
    for (const region of regions.slice(same)) memory.map(region);
  }
}
