/**
 * Abbreviation tables (.debug_abbrev, 7.5.3): for each code the tag, whether there are children, and the attributes
 * with their forms. Many units may share a table, so tables are kept by offset.
 */
import type { ByteReader } from '../bytes';
import { FormatError } from '../errors';
import { Form } from './constants';
import { RawCursor } from './raw-cursor';
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
 * Where the abbreviations of a table are; one is read when it is asked for. Of most units only the first entry is ever
 * looked at, whose abbreviation may be anywhere in the table.
 */
export class AbbreviationTable {
  private readonly known = new Map<number, Abbreviation>();
  /** Offsets behind the codes. */
  private offsets: ReadonlyMap<number, number> | undefined;

  constructor(private readonly reader: ByteReader) {}

  /** Throws FormatError for a damaged table. */
  get(code: number): Abbreviation | undefined {
    let found = this.known.get(code);
    if (found !== undefined) return found;
    this.offsets ??= findAbbreviations(this.reader);
    const offset = this.offsets.get(code);
    if (offset === undefined) return undefined;
    found = readAbbreviation(this.reader.at(offset));
    this.known.set(code, found);
    return found;
  }
}

function findAbbreviations(reader: ByteReader): ReadonlyMap<number, number> {
  const offsets = new Map<number, number>();
  const cursor = new RawCursor(reader.bytes, reader.littleEndian, section, reader.offset, reader.end);
  // GNU as leaves out the terminator of the last table.
  while (!cursor.atEnd) {
    const code = cursor.uleb();
    if (code === 0) break;
    if (offsets.has(code)) throw new FormatError('bad-abbreviation', section, cursor.offset, `code ${code} twice`);
    offsets.set(code, cursor.offset);
    cursor.uleb();
    cursor.skip(1);
    for (;;) {
      const name = cursor.uleb();
      const form = cursor.uleb();
      if (name === 0 && form === 0) break;
      if (form === Form.DW_FORM_implicit_const) cursor.uleb();
    }
  }
  return offsets;
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
      table = new AbbreviationTable(this.sections.reader(section, offset));
      this.tables.set(offset, table);
    }
    return table;
  }
}
