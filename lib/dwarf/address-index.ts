/**
 * Which units have code at an address. .debug_aranges (6.1.2) is a list of exactly that; the ranges of a unit's own first
 * entry are only decoded where the list does not mention the unit.
 * Addresses are numbers here: beyond 2^53 they round, and what was found is confirmed by the unit's own ranges.
 */
import { ByteReader } from '../bytes';
import { FormatError } from '../errors';
import type { AddressRange } from './model';
import { contains } from './ranges';
import { readInitialLength, readOffset, type DwarfSections } from './sections';
import type { Unit } from './unit';

const section = '.debug_aranges';
/** Bytes of a start and a length. */
const smallestTuple = 8;

export class AddressIndex {
  private count = 0;
  private starts: Float64Array;
  private ends: Float64Array;
  /** Numbers of units. */
  private owners: Uint32Array;
  /** By start; undefined: the ranges are in that order already, as a linker writes them. */
  private readonly order: Uint32Array | undefined;
  /**
   * Highest end of this and all ranges before it, where a search backwards may stop: damaged and duplicated units overlap.
   * undefined: none do.
   */
  private readonly reach: Float64Array | undefined;
  private readonly listed = new Set<Unit>();

  constructor(
    private readonly sections: DwarfSections,
    private readonly units: readonly Unit[],
    private readonly rangesOf: (unit: Unit) => readonly AddressRange[],
  ) {
    // Memory that is not written costs nothing.
    const most = Math.ceil(sections.sizeOf(section) / smallestTuple);
    this.starts = new Float64Array(most);
    this.ends = new Float64Array(most);
    this.owners = new Uint32Array(most);
    sections.guard(section, () => this.readAranges(), undefined);
    for (const [number, unit] of units.entries()) {
      if (this.listed.has(unit)) continue;
      for (const { start, end } of rangesOf(unit)) this.add(Number(start), Number(end), number);
    }
    this.order = this.sortedOrder();
    this.reach = this.highestEnds();
  }

  /** In order of where the range begins that holds the address; usually one. */
  unitsAt(address: bigint): readonly Unit[] {
    const wanted = Number(address);
    const found: Unit[] = [];
    for (let at = this.after(wanted) - 1; at >= 0 && this.reachAt(at) >= wanted; at--) {
      const range = this.numberAt(at);
      const unit = this.units[this.owners[range]];
      if (this.ends[range] < wanted || found.includes(unit)) continue;
      // Exact numbers need no confirmation.
      const isExact = Number.isSafeInteger(this.ends[range]);
      const isInside = isExact ? this.ends[range] > wanted : contains(this.rangesOf(unit), address);
      if (isInside) found.unshift(unit);
    }
    return found;
  }

  /** Whether the unit says where its code is. */
  hasRanges(unit: Unit): boolean {
    return this.listed.has(unit) || this.rangesOf(unit).length > 0;
  }

  private add(start: number, end: number, unit: number): void {
    if (this.count === this.starts.length) this.grow();
    this.starts[this.count] = start;
    this.ends[this.count] = end;
    this.owners[this.count++] = unit;
  }

  private grow(): void {
    const { starts, ends, owners } = this;
    const length = 2 * starts.length + 64;
    this.starts = new Float64Array(length);
    this.ends = new Float64Array(length);
    this.owners = new Uint32Array(length);
    this.starts.set(starts);
    this.ends.set(ends);
    this.owners.set(owners);
  }

  private numberAt(at: number): number {
    return this.order === undefined ? at : this.order[at];
  }

  private sortedOrder(): Uint32Array | undefined {
    const { starts, count } = this;
    let isSorted = true;
    for (let at = 1; at < count && isSorted; at++) isSorted = starts[at - 1] <= starts[at];
    return isSorted
      ? undefined
      : Uint32Array.from({ length: count }, (_, at) => at).sort((a, b) => starts[a] - starts[b]);
  }

  private highestEnds(): Float64Array | undefined {
    const { starts, ends, count } = this;
    let overlaps = this.order !== undefined;
    for (let at = 1; at < count && !overlaps; at++) overlaps = ends[at - 1] > starts[at];
    if (!overlaps) return undefined;
    const reach = new Float64Array(count);
    let highest = 0;
    for (let at = 0; at < reach.length; at++) reach[at] = highest = Math.max(highest, ends[this.numberAt(at)]);
    return reach;
  }

  private reachAt(at: number): number {
    return this.reach === undefined ? this.ends[this.numberAt(at)] : this.reach[at];
  }

  /** Index of the first range that begins after the address. */
  private after(address: number): number {
    let [low, high] = [0, this.count];
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
    const { littleEndian } = this.sections;
    const { bytes } = this.sections.cursor(section, 0, this.sections.sizeOf(section));
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const reader = new ByteReader(bytes, littleEndian, section);
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
      this.readTuples(view, { at: set.offset, end, size }, unit);
      if (this.count > 0 && this.owners[this.count - 1] === unit) this.listed.add(this.units[unit]);
    }
  }

  private readTuples(view: DataView, { at, end, size }: { at: number; end: number; size: 4 | 8 }, unit: number): void {
    const { littleEndian } = this.sections;
    for (let tuple = at; tuple + 2 * size <= end; tuple += 2 * size) {
      let start: number;
      let length: number;
      if (size === 4) {
        start = view.getUint32(tuple, littleEndian);
        length = view.getUint32(tuple + 4, littleEndian);
      } else {
        start = Number(view.getBigUint64(tuple, littleEndian));
        length = Number(view.getBigUint64(tuple + 8, littleEndian));
      }
      if (start === 0 && length === 0) return;
      if (length > 0) this.add(start, start + length, unit);
    }
  }
}
