/**
 * Setting a machine back: its state page, its pages and its regions are replaced by those of a snapshot. Predecoded and
 * translated instructions follow memory as they do after any write; what else a CPU derives from its state, it derives anew
 * when it is told.
 */
import { Attribute, pageSize, type GuestMemory } from './memory';
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

  page(number: number): Uint8Array {
    const host = this.memory.hostAddress(number * pageSize);
    return host < 0 ? new Uint8Array() : this.memory.bytes.subarray(host, host + pageSize);
  }

  replacePage(number: number, bytes: Uint8Array | undefined): void {
    const now = this.page(number);
    if (now.length === 0) return;
    if (bytes === undefined) now.fill(0);
    else now.set(bytes);
    // The page's records go as a whole: a comparison halfword by halfword would cost more than decoding anew.
    if ((this.memory.attributes[number] & Attribute.code) !== 0) this.memory.onCodeWrite(number * pageSize, pageSize);
  }

  replaceRegions(regions: readonly MemoryRegion[]): void {
    const { memory } = this;
    let same = 0;
    while (same < regions.length && memory.regions[same] === regions[same]) same++;
    if (same < memory.regions.length) memory.keepRegions(same);
    for (const region of regions.slice(same)) memory.map(region);
  }
}
