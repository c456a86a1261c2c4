/**
 * Abbreviation tables (.debug_abbrev, 7.5.3): for each code the tag, whether there are children, and the attributes
 * with their forms. Many units may share a table, so tables are kept by offset.
 */
import { FormatError } from '../errors';
import { Form } from './constants';
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

export type AbbreviationTable = ReadonlyMap<number, Abbreviation>;

const section = '.debug_abbrev';

export class AbbreviationTables {
  private readonly tables = new Map<number, AbbreviationTable>();

  constructor(private readonly sections: DwarfSections) {}

  at(offset: number): AbbreviationTable {
    let table = this.tables.get(offset);
    if (table === undefined) {
      table = this.read(offset);
      this.tables.set(offset, table);
    }
    return table;
  }

  private read(offset: number): AbbreviationTable {
    const reader = this.sections.reader(section, offset);
    const table = new Map<number, Abbreviation>();
    for (;;) {
      // GNU as leaves out the terminator of the last table.
      if (reader.atEnd) return table;
      const code = reader.ulebNumber();
      if (code === 0) return table;
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
      if (table.has(code)) throw new FormatError('bad-abbreviation', section, reader.offset, `code ${code} twice`);
      table.set(code, { tag, hasChildren, attributes });
    }
  }
}
