/**
 * The line tables of all units, read when somebody asks for them. For a breakpoint in a source file nearly all of a large program's tables
 * are of no interest: those are read in whose headers the file's name stands, or, where headers have offsets of names (DWARF 5,
 * 6.2.4.1), its offset in .debug_line_str does. What this leaves out cannot have the file; of what it finds the names are compared.
 */
import { encodeInteger } from '../bytes';
import { fixedSize } from './entry-skipper';
import { At, Form, Line } from './constants';
import type { Abbreviation } from './abbrev';
import { readLineTable, type RawLineTable } from './line';
import { FileTable, resolveRows, splitSequences, UnitFiles } from './line-index';
import type { LineRow, SourceFile, UnitInfo } from './model';
import type { DwarfSections } from './sections';
import type { Unit } from './unit';

/** The line table of a unit, with the files by the numbers that DW_AT_decl_file uses. */
export interface UnitLines {
  readonly unit: UnitInfo;
  readonly table: RawLineTable;
  readonly files: UnitFiles;
  /** Sequences in the program's order; each ends with its endSequence row. */
  readonly sequences: readonly (readonly LineRow[])[];
}

const section = '.debug_line';
const nameSection = '.debug_line_str';
/** More places of a name are not worth a look at all headers for each. */
const mostPlaces = 200;

export class LineTables {
  private readonly tables = new Map<number, UnitLines | undefined>();
  private readonly offsets = new Map<Unit, number | undefined>();
  private owners: Map<number, Unit> | undefined;
  private readonly places = new Map<Abbreviation, Place>();
  private readonly naming = new Map<string, readonly Unit[]>();

  constructor(
    private readonly sections: DwarfSections,
    private readonly units: readonly Unit[],
    private readonly fileTable = new FileTable(),
  ) {}

  /** Line tables that have been read. */
  get count(): number {
    return this.tables.size;
  }

  /** Units that share a table share the object. */
  of(unit: Unit): UnitLines | undefined {
    const offset = this.offsetOf(unit);
    if (offset === undefined) return undefined;
    if (!this.tables.has(offset)) this.tables.set(offset, this.read(this.ownerOf(unit, offset), offset));
    return this.tables.get(offset);
  }

  /** Of the units that share a table the one that has the code: type units and partial units have only declarations. */
  private ownerOf(unit: Unit, offset: number): Unit {
    if (hasCode(unit)) return unit;
    if (this.owners === undefined) {
      this.owners = new Map();
      for (const one of this.units.filter(hasCode)) {
        const its = this.offsetOf(one);
        if (its !== undefined && !this.owners.has(its)) this.owners.set(its, one);
      }
    }
    return this.owners.get(offset) ?? unit;
  }

  /** One that several units share appears once. */
  all(): readonly UnitLines[] {
    return this.ofUnits(this.units);
  }

  /** Files of all tables. */
  files(): readonly SourceFile[] {
    return this.filesOf(this.units);
  }

  /** All files in whose paths the name stands, in whatever case, and others; the caller selects. */
  filesNear(name: string): readonly SourceFile[] {
    return this.filesOf(this.unitsNaming(name.toLowerCase()));
  }

  /** Units whose line tables have the file, in order. */
  unitsOf(file: SourceFile): readonly Unit[] {
    return this.unitsNaming(lastPart(file.path).toLowerCase()).filter(
      (unit) => this.of(unit)?.files.has(file) === true,
    );
  }

  private ofUnits(units: readonly Unit[]): readonly UnitLines[] {
    const all = new Set<UnitLines>();
    for (const unit of units) {
      const lines = this.of(unit);
      if (lines !== undefined) all.add(lines);
    }
    return [...all];
  }

  private filesOf(units: readonly Unit[]): readonly SourceFile[] {
    for (const { files } of this.ofUnits(units))
      for (let number = 0; number < files.count; number++) files.file(number);
    return this.fileTable.all;
  }

  private read(unit: Unit, offset: number): UnitLines | undefined {
    const read = (): RawLineTable => readLineTable(this.sections, offset);
    const table = this.sections.guard(`line table of unit ${unit.name ?? ''}`, read, undefined);
    if (table === undefined) return undefined;
    const files = new UnitFiles(table.header, unit.compilationDirectory, this.fileTable);
    let sequences: readonly (readonly LineRow[])[] | undefined;
    return {
      unit,
      table,
      files,
      get sequences(): readonly (readonly LineRow[])[] {
        sequences ??= splitSequences(resolveRows(table.rows, files));
        return sequences;
      },
    };
  }

  /** DW_AT_stmt_list. Compilers put it where only operands of fixed size are before it: the first entry is not read for it. */
  private offsetOf(unit: Unit): number | undefined {
    if (!this.offsets.has(unit)) {
      const own = unit.skeleton ?? unit;
      // Type units of .dwo files have tables of their own that no code is in (.debug_line.dwo).
      const isHere = own.context.sections === this.sections;
      const read = (): number | undefined =>
        isHere ? (this.quickOffset(own) ?? own.root.sectionOffset(At.DW_AT_stmt_list)) : undefined;
      this.offsets.set(unit, this.sections.guard('line table', read, undefined));
    }
    return this.offsets.get(unit);
  }

  /** undefined: the first entry is of another shape, or damaged. */
  private quickOffset(unit: Unit): number | undefined {
    const { header, section: name } = unit;
    const { firstDie, end, is64 } = header;
    if (is64 || firstDie >= end) return undefined;
    const { start, bytes } = this.sections.window(name, firstDie, firstDie + 1);
    const code = bytes[firstDie - start];
    const abbreviation = code === 0 || code >= 0x80 ? undefined : unit.abbreviations.first(code);
    if (abbreviation === undefined) return undefined;
    const at = firstDie + 1 + this.placeIn(abbreviation, unit);
    if (Number.isNaN(at) || at + 4 > end) return undefined;
    const window = this.sections.window(name, at, at + 4);
    return wordAt(window.bytes, at - window.start, this.sections.littleEndian);
  }

  /** How far behind the code of such an entry the offset of its line table is; NaN: not in a fixed place. */
  private placeIn(abbreviation: Abbreviation, { header }: Unit): number {
    const known = this.places.get(abbreviation);
    if (known?.version === header.version && known.addressSize === header.addressSize) return known.at;
    let at = 0;
    for (const { name, form } of abbreviation.attributes) {
      if (name === At.DW_AT_stmt_list) {
        if (form !== Form.DW_FORM_sec_offset && (form !== Form.DW_FORM_data4 || header.version >= 4)) at = NaN;
        break;
      }
      at += fixedSize(form, header) ?? NaN;
    }
    const hasOne = abbreviation.attributes.some(({ name }) => name === At.DW_AT_stmt_list);
    if (!hasOne) at = NaN;
    this.places.set(abbreviation, { version: header.version, addressSize: header.addressSize, at });
    return at;
  }

  private unitsNaming(wanted: string): readonly Unit[] {
    let found = this.naming.get(wanted);
    if (found === undefined) {
      const search = (): readonly Unit[] => this.search(wanted);
      found = this.sections.guard(`search for ${wanted}`, search, this.units);
      this.naming.set(wanted, found);
    }
    return found;
  }

  private search(wanted: string): readonly Unit[] {
    // Letters beyond ASCII change with their case in ways that bytes do not show.
    const text = (/[ -~]+/g.exec(wanted) ?? [''])[0];
    const test = text === '' ? undefined : this.headerTest(text);
    if (test === undefined) return this.units;
    const answers = new Map<number, boolean>();
    return this.units.filter((unit) => {
      const offset = this.offsetOf(unit);
      if (offset === undefined) return false;
      let answer = answers.get(offset);
      if (answer === undefined)
        answers.set(offset, (answer = this.sections.guard('line table', () => test(offset), true)));
      return answer;
    });
  }

  /** Whether the header at an offset may have a file whose name has the text, which is lower-case; undefined: no test helps. */
  private headerTest(text: string): ((offset: number) => boolean) | undefined {
    const { sections } = this;
    const places = this.placesOf(text);
    if (places === undefined) return undefined;
    const patterns = places.map((place) => latin1.decode(encodeInteger(BigInt(place), 4, sections.littleEndian)));
    return (offset) => {
      const end = headerEnd(sections, offset);
      if (end === undefined) return true;
      const window = sections.window(section, offset, end);
      const header = latin1.decode(window.bytes.subarray(offset - window.start, end - window.start));
      return (
        header.toLowerCase().includes(text) ||
        otherNames.some((one) => header.includes(one)) ||
        patterns.some((pattern) => header.includes(pattern))
      );
    };
  }

  /** Where in .debug_line_str strings begin that have the text, from the string's own beginning on. */
  private placesOf(text: string): number[] | undefined {
    if (!this.sections.has(nameSection)) return [];
    const strings = latin1.decode(this.sections.bytes(nameSection));
    const lower = strings.toLowerCase();
    const places: number[] = [];
    // A case that takes more letters than the other moves everything behind it.
    if (lower.length !== strings.length) return undefined;
    for (let at = lower.indexOf(text); at >= 0; at = lower.indexOf(text, at + 1)) {
      // A linker lets a string begin inside of a longer one that ends with it.
      for (let start = at; start >= 0 && lower[start] !== '\0'; start--) places.push(start);
      if (places.length > mostPlaces) return undefined;
    }
    return places;
  }
}

const hasCode = ({ header, isPartial }: Unit): boolean => header.signature === undefined && !isPartial;

interface Place {
  readonly version: number;
  readonly addressSize: number;
  readonly at: number;
}

/** Forms of names that are neither in the header nor in .debug_line_str, behind the mark of a path. */
const otherForms = [
  Form.DW_FORM_strp,
  Form.DW_FORM_strx,
  Form.DW_FORM_strx1,
  Form.DW_FORM_strx2,
  Form.DW_FORM_strx3,
  Form.DW_FORM_strx4,
];

/** One byte, one letter; which one does not matter where both sides have it. */
const latin1 = new TextDecoder('latin1');
const otherNames = otherForms.map((form) => latin1.decode(Uint8Array.of(Line.DW_LNCT_path, form)));

/** One past the last byte of a header's tables; undefined: it is to be read to know. */
function headerEnd(sections: DwarfSections, offset: number): number | undefined {
  const { littleEndian } = sections;
  const most = 12;
  if (offset + most > sections.sizeOf(section)) return undefined;
  const { start, bytes } = sections.window(section, offset, offset + most);
  const at = offset - start;
  const length = wordAt(bytes, at, littleEndian);
  const version = bytes[at + (littleEndian ? 4 : 5)];
  const before = version >= 5 ? 8 : 6;
  const end = offset + before + 4 + wordAt(bytes, at + before, littleEndian);
  return length < 0xfffffff0 && end <= offset + 4 + length && end <= sections.sizeOf(section) ? end : undefined;
}

function wordAt(bytes: Uint8Array, at: number, littleEndian: boolean): number {
  const word = littleEndian
    ? bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)
    : bytes[at + 3] | (bytes[at + 2] << 8) | (bytes[at + 1] << 16) | (bytes[at] << 24);
  return word >>> 0;
}

/** Compilers run on Windows too. */
function lastPart(path: string): string {
  return path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
}
