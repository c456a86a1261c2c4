/**
 * Which units have code at an address. .debug_aranges (6.1.2) is a list of exactly that; the ranges of a unit's own first
 * entry are only decoded where the list does not mention the unit. The list stays as it is: of some ranges at a time it is known
 * between which addresses they are, which one pass finds out, and an address is looked for in those few that may have it.
 * Addresses are numbers here: beyond 2^53 they round, and what was found is confirmed by the unit's own ranges.
 */
import { ByteReader, wordsOf } from '../bytes';
import { FormatError } from '../errors';
import type { AddressRange } from './model';
import { contains } from './ranges';
import { readInitialLength, readOffset, type DwarfSections } from './sections';
import type { Unit } from './unit';

const section = '.debug_aranges';
/** Ranges of a unit that are looked at together. */
const together = 64;

interface Found {
  readonly unit: Unit;
  readonly start: number;
}

export class AddressIndex {
  /** By group of ranges: the number of the unit, and the hull of their addresses. */
  private readonly owners: number[] = [];
  private readonly lows: number[] = [];
  private readonly highs: number[] = [];
  /** Where the group is: of tuples in the list, else starts and ends of the unit's own ranges. */
  private readonly groups: (Tuples | Float64Array)[] = [];
  private readonly listed = new Set<Unit>();

  constructor(
    private readonly sections: DwarfSections,
    private readonly units: readonly Unit[],
    private readonly rangesOf: (unit: Unit) => readonly AddressRange[],
  ) {
    sections.guard(section, () => this.readAranges(), undefined);
    for (const [number, unit] of units.entries()) if (!this.listed.has(unit)) this.addOwn(number, rangesOf(unit));
  }

  /** In order of where the range begins that holds the address; usually one. */
  unitsAt(address: bigint): readonly Unit[] {
    const wanted = Number(address);
    const found: Found[] = [];
    const { lows, highs } = this;
    for (let group = 0; group < lows.length; group++) {
      if (lows[group] <= wanted && wanted <= highs[group]) this.findIn(group, address, wanted, found);
    }
    if (found.length < 2) return found.map(({ unit }) => unit);
    found.sort((a, b) => a.start - b.start).reverse();
    return [...new Set(found.map(({ unit }) => unit))].reverse();
  }

  /** Whether the unit says where its code is. */
  hasRanges(unit: Unit): boolean {
    return this.listed.has(unit) || this.rangesOf(unit).length > 0;
  }

  private findIn(number: number, address: bigint, wanted: number, found: Found[]): void {
    const unit = this.units[this.owners[number]];
    const group = this.groups[number];
    const note = (start: number, end: number): void => {
      if (start > wanted || end < wanted) return;
      // Exact numbers need no confirmation.
      const isInside = Number.isSafeInteger(end) ? end > wanted : contains(this.rangesOf(unit), address);
      if (isInside) found.push({ unit, start });
    };
    if (group instanceof Float64Array) for (let at = 0; at < group.length; at += 2) note(group[at], group[at + 1]);
    else visitTuples(group, note);
  }

  private add(owner: number, group: Tuples | Float64Array, low: number, high: number): void {
    this.owners.push(owner);
    this.groups.push(group);
    this.lows.push(low);
    this.highs.push(high);
  }

  private addOwn(owner: number, ranges: readonly AddressRange[]): void {
    if (ranges.length === 0) return;
    const numbers = Float64Array.from(ranges.flatMap(({ start, end }) => [Number(start), Number(end)]));
    let [low, high] = [Infinity, 0];
    for (let at = 0; at < numbers.length; at += 2) {
      low = Math.min(low, numbers[at]);
      high = Math.max(high, numbers[at + 1]);
    }
    this.add(owner, numbers, low, high);
  }

  /** A damaged set ends the list; units of which nothing was read are asked themselves. */
  private readAranges(): void {
    const numbers = new Map<number, number>();
    for (const [number, unit] of this.units.entries()) {
      const { section: of, header, context } = unit.skeleton ?? unit;
      if (of === '.debug_info' && context.sections === this.sections) numbers.set(header.offset, number);
    }
    const { littleEndian } = this.sections;
    const bytes = this.sections.bytes(section);
    const words = wordsOf(bytes, littleEndian);
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
      // Tuples begin at a multiple of their size, counted from the beginning of the set.
      const tuples = first + Math.ceil((set.offset - first) / (2 * size)) * 2 * size;
      if (unit !== undefined) {
        const inWords = tuples % 4 === 0 ? words : wordsOf(bytes.subarray(tuples, end), littleEndian);
        const at = tuples % 4 === 0 ? tuples / 4 : 0;
        this.readTuples({ words: inWords, at, end: at + Math.max(0, (end - tuples) >> 2), size, littleEndian }, unit);
      }
    }
  }

  private readTuples(tuples: Tuples, owner: number): void {
    const { words, size, end, littleEndian } = tuples;
    const step = size / 2;
    let isOver = false;
    for (let at = tuples.at; at + step <= end && !isOver;) {
      const first = at;
      const last = Math.min(at + together * step, end - step + 1);
      let [low, high] = [Infinity, 0];
      for (; at < last; at += step) {
        const start = size === 4 ? words[at] : addressAt(tuples, at);
        const length = size === 4 ? words[at + 1] : addressAt(tuples, at + 2);
        if (length === 0) {
          isOver = start === 0;
          if (isOver) break;
          continue;
        }
        if (start < low) low = start;
        if (start + length > high) high = start + length;
      }
      if (high === 0) continue;
      this.add(owner, { words, at: first, end: at, size, littleEndian }, low, high);
      this.listed.add(this.units[owner]);
    }
  }
}

/** Some of a set: words from `at` to `end`, two for each range, of 64-bit addresses four. */
interface Tuples {
  readonly words: Uint32Array;
  readonly at: number;
  readonly end: number;
  readonly size: 4 | 8;
  readonly littleEndian: boolean;
}

function visitTuples(tuples: Tuples, visit: (start: number, end: number) => void): void {
  const { words, size, end } = tuples;
  const step = size / 2;
  for (let at = tuples.at; at + step <= end; at += step) {
    const start = size === 4 ? words[at] : addressAt(tuples, at);
    const length = size === 4 ? words[at + 1] : addressAt(tuples, at + 2);
    if (length > 0) visit(start, start + length);
  }
}

/** Of 64 bits, rounded beyond 2^53. */
function addressAt({ words, littleEndian }: Tuples, at: number): number {
  const [low, high] = littleEndian ? [words[at], words[at + 1]] : [words[at + 1], words[at]];
  return high * 2 ** 32 + low;
}
