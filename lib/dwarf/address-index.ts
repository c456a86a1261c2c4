/**
 * Which units have code at an address. .debug_aranges (6.1.2) is a list of exactly that; the ranges of a unit's own first
 * entry are only decoded where the list does not mention the unit, and to confirm what was found.
 * Addresses are numbers here: beyond 2^53 they round, which can only let through what is then not confirmed.
 */
import { FormatError } from '../errors';
import type { AddressRange } from './model';
import { contains } from './ranges';
import { readInitialLength, readOffset, type DwarfSections } from './sections';
import type { Unit } from './unit';

const section = '.debug_aranges';

export class AddressIndex {
  private readonly starts: number[] = [];
  private readonly ends: number[] = [];
  /** Numbers of units. */
  private readonly owners: number[] = [];
  /** By start; undefined: the ranges are in that order already, as a linker writes them. */
  private readonly order: readonly number[] | undefined;
  /** Highest end of this and all ranges before it, where a search backwards may stop: damaged and duplicated units overlap. */
  private readonly reach: number[] = [];
  private readonly listed = new Set<Unit>();

  constructor(
    private readonly sections: DwarfSections,
    private readonly units: readonly Unit[],
    private readonly rangesOf: (unit: Unit) => readonly AddressRange[],
  ) {
    sections.guard(section, () => this.readAranges(), undefined);
    for (const [number, unit] of units.entries()) {
      if (this.listed.has(unit)) continue;
      for (const { start, end } of rangesOf(unit)) this.add(Number(start), Number(end), number);
    }
    this.order = this.sortedOrder();
    let highest = 0;
    for (let at = 0; at < this.starts.length; at++) {
      highest = Math.max(highest, this.ends[this.numberAt(at)]);
      this.reach.push(highest);
    }
  }

  /** In order of where the range begins that holds the address; usually one. */
  unitsAt(address: bigint): readonly Unit[] {
    const wanted = Number(address);
    const found: Unit[] = [];
    for (let at = this.after(wanted) - 1; at >= 0 && this.reach[at] >= wanted; at--) {
      const range = this.numberAt(at);
      const unit = this.units[this.owners[range]];
      if (this.ends[range] < wanted || found.includes(unit)) continue;
      if (contains(this.rangesOf(unit), address)) found.unshift(unit);
    }
    return found;
  }

  /** Whether the unit says where its code is. */
  hasRanges(unit: Unit): boolean {
    return this.listed.has(unit) || this.rangesOf(unit).length > 0;
  }

  private add(start: number, end: number, unit: number): void {
    this.starts.push(start);
    this.ends.push(end);
    this.owners.push(unit);
  }

  private numberAt(at: number): number {
    return this.order?.[at] ?? at;
  }

  private sortedOrder(): readonly number[] | undefined {
    const { starts } = this;
    if (starts.every((start, i) => i === 0 || starts[i - 1] <= start)) return undefined;
    return starts.map((_, i) => i).sort((a, b) => starts[a] - starts[b]);
  }

  /** Index of the first range that begins after the address. */
  private after(address: number): number {
    let [low, high] = [0, this.starts.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.starts[this.numberAt(middle)] > address) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** A damaged set ends the list; units of which nothing was read are asked themselves. */
  private readAranges(): void {
    const numbers = new Map<number, number>();
    for (const [number, { section: of, header }] of this.units.entries()) {
      if (of === '.debug_info') numbers.set(header.offset, number);
    }
    const reader = this.sections.passingReader(section);
    while (!reader.atEnd) {
      const first = reader.offset;
      const { length, is64 } = readInitialLength(reader);
      const end = reader.offset + length;
      if (end > reader.end) throw new FormatError('bad-size', section, first);
      const set = reader.at(reader.offset, end);
      reader.offset = end;
      const version = set.u16();
      if (version !== 2) throw new FormatError('bad-version', section, first, `address ranges of version ${version}`);
      const unit = numbers.get(readOffset(set, is64));
      const size = set.u8();
      if (size !== 4 && size !== 8) throw new FormatError('bad-size', section, first, `address size ${size}`);
      if (set.u8() !== 0) throw new FormatError('bad-size', section, first, 'segment selectors are not known');
      if (unit === undefined) continue;
      // Tuples begin at a multiple of their size, counted from the beginning of the set.
      set.offset = first + Math.ceil((set.offset - first) / (2 * size)) * 2 * size;
      while (set.offset + 2 * size <= end) {
        const start = set.word(size);
        const bytes = set.word(size);
        if (start === 0 && bytes === 0) break;
        if (bytes === 0) continue;
        this.add(start, start + bytes, unit);
        this.listed.add(this.units[unit]);
      }
    }
  }
}
