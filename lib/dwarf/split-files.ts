/**
 * Split debug information (DWARF 5, 7.3.2; before that GNU's "DebugFission"): what a skeleton unit leaves out is in the .debug_*.dwo
 * sections of a .dwo file, of the object itself (-gsplit-dwarf=single), or of a .dwp package, whose indices say which parts of its
 * sections belong together (7.3.5). A unit is found by its id alone, so that a file of another build is never taken for it. Addresses
 * and the ranges of version 4 stay in the program's own sections, which are put beside those of the .dwo under their names.
 */
import { type ByteSource, bytesOf } from '../byte-source';
import { ByteReader } from '../bytes';
import { FormatError } from '../errors';
import { At, UnitType } from './constants';
import { DwarfSections, type DwarfOptions } from './sections';
import type { Unit } from './unit';

/** A file's sections by name. */
export type Sections = ReadonlyMap<string, Uint8Array | ByteSource>;

/** The units of some sections, made by the table that they are for. */
export type MakeUnits = (sections: DwarfSections) => readonly Unit[];

const suffix = '.dwo';
/** Of the program itself. */
const shared = ['.debug_addr', '.debug_ranges'];

export class SplitFiles {
  private readonly byId = new Map<bigint, Unit>();
  /** Type units of all files. */
  readonly typeUnits: Unit[] = [];

  constructor(
    private readonly main: Sections,
    files: readonly Sections[],
    private readonly options: DwarfOptions & { readonly problems: string[] },
    private readonly makeUnits: MakeUnits,
  ) {
    for (const file of [main, ...files]) this.addFile(file);
  }

  /** The unit with the contents of a skeleton. */
  unitOf(id: bigint | undefined): Unit | undefined {
    return id === undefined ? undefined : this.byId.get(id);
  }

  private addFile(file: Sections): void {
    const parts = [...packageParts(file, '.debug_cu_index', this), ...packageParts(file, '.debug_tu_index', this)];
    for (const part of isPackage(file) ? parts : [file]) this.addSections(part);
  }

  private addSections(part: Sections): void {
    const named = new Map<string, Uint8Array | ByteSource>();
    for (const [name, data] of part) if (name.endsWith(suffix)) named.set(name.slice(0, -suffix.length), data);
    if (named.size === 0) return;
    for (const name of shared) {
      const data = this.main.get(name);
      if (data !== undefined) named.set(name, data);
    }
    for (const unit of this.makeUnits(new DwarfSections(named, this.options))) {
      if (unit.header.signature !== undefined) this.typeUnits.push(unit);
      else {
        const id = idOf(unit);
        if (id !== undefined) this.byId.set(id, unit);
      }
    }
  }

  get littleEndian(): boolean {
    return this.options.littleEndian;
  }

  report(problem: string): void {
    this.options.problems.push(problem);
  }
}

/** What a skeleton and its contents have in common: in the header since DWARF 5, before that an attribute. */
export function idOf(unit: Unit): bigint | undefined {
  return unit.header.dwoId ?? unit.root.constant(At.DW_AT_GNU_dwo_id);
}

/** Whether the unit says that the most of it is in another file. */
export function isSkeleton({ header, root }: Unit): boolean {
  return header.unitType === UnitType.DW_UT_skeleton || root.has(At.DW_AT_dwo_name) || root.has(At.DW_AT_GNU_dwo_name);
}

// ---- packages ----

function isPackage(file: Sections): boolean {
  return file.has('.debug_cu_index') || file.has('.debug_tu_index');
}

/** By the numbers that stand for sections in an index (7.3.5.3, and GNU's of version 2). */
const sectionNames: Readonly<Record<number, readonly string[]>> = {
  2: ['', 'info', 'types', 'abbrev', 'line', 'loc', 'str_offsets', 'macinfo', 'macro'],
  5: ['', 'info', '', 'abbrev', 'line', 'loclists', 'str_offsets', 'macro', 'rnglists'],
};

/** More columns and rows than these are damage. */
const mostColumns = 32;

/** The sections of each unit of an index; a damaged index has none. */
function packageParts(
  file: Sections,
  indexName: string,
  files: { readonly littleEndian: boolean; report(problem: string): void },
): Sections[] {
  const index = file.get(indexName);
  if (index === undefined) return [];
  try {
    const bytes = index instanceof Uint8Array ? index : bytesOf(index, 0, index.length);
    return readIndex(file, new ByteReader(bytes, files.littleEndian, indexName));
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    files.report(error.message);
    return [];
  }
}

/** Header, a hash table of ids and rows that is not needed here, columns, and for each row the offsets and then the sizes. */
function readIndex(file: Sections, reader: ByteReader): Sections[] {
  const { section } = reader;
  // A version of 4 bytes before DWARF 5, and of 2 with padding since then: the same bytes on little-endian targets only.
  const first = reader.u16();
  const version = first === 0 ? reader.u16() : (reader.skip(2), first);
  const names = sectionNames[version];
  if (names === undefined) throw new FormatError('bad-version', section, 0, `index of version ${version}`);
  const [columns, rows, slots] = [reader.u32(), reader.u32(), reader.u32()];
  // Rows without columns would take no bytes.
  if ((columns === 0 && rows > 0) || columns > mostColumns || slots * 12 + rows * columns * 8 > reader.end) {
    throw new FormatError('bad-size', section, 4);
  }
  reader.skip(slots * 12);
  const kinds = Array.from({ length: columns }, () => reader.u32());
  const table = (): number[][] =>
    Array.from({ length: rows }, () => Array.from({ length: columns }, () => reader.u32()));
  const [offsets, sizes] = [table(), table()];
  return offsets.map((row, at) => {
    const part = new Map<string, Uint8Array | ByteSource>();
    const strings = file.get('.debug_str.dwo');
    if (strings !== undefined) part.set('.debug_str.dwo', strings);
    kinds.forEach((kind, column) => {
      const name = `.debug_${names[kind] ?? ''}.dwo`;
      const whole = file.get(name);
      if (whole !== undefined) part.set(name, slice(whole, row[column], sizes[at][column], name));
    });
    return part;
  });
}

function slice(whole: Uint8Array | ByteSource, offset: number, size: number, name: string): Uint8Array {
  if (offset + size > whole.length) throw new FormatError('bad-offset', name, offset);
  return whole instanceof Uint8Array ? whole.subarray(offset, offset + size) : bytesOf(whole, offset, offset + size);
}
