/**
 * Abbreviation tables (.debug_abbrev, 7.5.3): for each code the tag, whether there are children, and the attributes
 * with their forms. Many units may share a table, so tables are kept by offset.
 */
import { ByteReader } from '../bytes';
import { FormatError } from '../errors';
import { Form } from './constants';
import type { RawCursor } from './raw-cursor';
import type { DwarfSections } from './sections';

export interface AttributeSpec {
  readonly name: number;
  readonly form: number;
  /** The value itself, of DW_FORM_implicit_const. */
  readonly implicitConst: bigint;
}

export interface Abbreviation {
  readonly tag: number;
  readonly hasChildren: boolean;
  readonly attributes: readonly AttributeSpec[];
}

const section = '.debug_abbrev';

/**
 * Where the abbreviations of a table are; one is read when it is asked for, and the table is looked through as far as that one. Of most
 * units only the first entry is ever looked at, whose abbreviation may be anywhere in the table.
 */
export class AbbreviationTable {
  private readonly known = new Map<number, Abbreviation>();
  /** Offsets behind the codes. */
  private readonly offsets = new Map<number, number>();
  private isComplete = false;

  constructor(private readonly cursor: RawCursor) {}

  /** Throws FormatError for a damaged table. */
  get(code: number): Abbreviation | undefined {
    let found = this.known.get(code);
    if (found !== undefined) return found;
    const offset = this.offsets.get(code) ?? this.search(code);
    if (offset === undefined) return undefined;
    found = this.readAt(offset);
    this.known.set(code, found);
    return found;
  }

  /** GNU as leaves out the terminator of the last table. */
  private search(wanted: number): number | undefined {
    const { cursor, offsets } = this;
    while (!this.isComplete && !cursor.atEnd) {
      const code = cursor.uleb();
      this.isComplete = code === 0;
      if (this.isComplete) break;
      const { offset } = cursor;
      if (offsets.has(code)) throw new FormatError('bad-abbreviation', section, offset, `code ${code} twice`);
      passOver(cursor);
      offsets.set(code, offset);
      if (code === wanted) return offset;
    }
    return undefined;
  }

  private readAt(offset: number): Abbreviation {
    const { bytes, littleEndian, start } = this.cursor;
    return readAbbreviation(new ByteReader(bytes, littleEndian, section, offset - start));
  }
}

/** From behind the code to behind the abbreviation. Nearly all numbers are of one byte. */
function passOver(cursor: RawCursor): void {
  const { bytes, start } = cursor;
  cursor.uleb();
  cursor.skip(1);
  for (let at = cursor.offset - start; ; at += 2) {
    const name = bytes[at];
    const form = bytes[at + 1];
    if (name < 0x80 && form < 0x80 && form !== Form.DW_FORM_implicit_const) {
      if (name !== 0 || form !== 0) continue;
      cursor.offset = start + at + 2;
      return;
    }
    cursor.offset = start + at;
    cursor.uleb();
    if (cursor.uleb() === Form.DW_FORM_implicit_const) cursor.uleb();
    at = cursor.offset - start - 2;
  }
}

function readAbbreviation(reader: ByteReader): Abbreviation {
  const tag = reader.ulebNumber();
  const hasChildren = reader.u8() !== 0;
  const attributes: AttributeSpec[] = [];
  for (;;) {
    const name = reader.ulebNumber();
    const form = reader.ulebNumber();
    const implicitConst = form === Form.DW_FORM_implicit_const ? reader.sleb() : 0n;
    if (name === 0 && form === 0) break;
    attributes.push({ name, form, implicitConst });
  }
  return { tag, hasChildren, attributes };
}

export class AbbreviationTables {
  private readonly tables = new Map<number, AbbreviationTable>();

  constructor(private readonly sections: DwarfSections) {}

  at(offset: number): AbbreviationTable {
    let table = this.tables.get(offset);
    if (table === undefined) {
      table = new AbbreviationTable(this.sections.cursor(section, offset));
      this.tables.set(offset, table);
    }
    return table;
  }
}
