/**
 * Abbreviation tables (.debug_abbrev, 7.5.3): for each code the tag, whether there are children, and the attributes
 * with their forms. Many units may share a table, so tables are kept by offset.
 */
import { ByteReader } from '../bytes';
import { FormatError } from '../errors';
import { Form, Tag } from './constants';
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
  /** Of its bytes, without the code. */
  readonly length: number;
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
  /** With the terminator; undefined: not known, or damaged. */
  private size: number | undefined;
  private same: AbbreviationTable | undefined;

  constructor(
    private readonly cursor: RawCursor,
    private readonly recent: RecentAbbreviations,
    private readonly originals: AbbreviationTable[],
  ) {}

  /** The first table with the same bytes, or this one: units of one source file that is in a program several times have equal ones. */
  get original(): AbbreviationTable {
    this.same ??= this.originals.find((one) => one.isStartOf(this.cursor.bytes)) ?? this.becomeOriginal();
    return this.same;
  }

  private becomeOriginal(): this {
    this.size = tableSize(this.cursor);
    if (this.size === undefined) return this;
    if (this.originals.length === mostRecent) this.originals.shift();
    this.originals.push(this);
    return this;
  }

  private isStartOf(bytes: Uint8Array): boolean {
    const { size = Infinity } = this;
    const own = this.cursor.bytes;
    let at = 0;
    while (at < size && own[at] === bytes[at]) at++;
    return at === size;
  }

  /** Throws FormatError for a damaged table. */
  get(code: number): Abbreviation | undefined {
    let found = this.known.get(code);
    if (found !== undefined) return found;
    if (this.original !== this) return this.original.get(code);
    const offset = this.offsets.get(code) ?? this.search(code);
    if (offset === undefined) return undefined;
    found = this.readAt(offset - this.cursor.start);
    this.known.set(code, found);
    return found;
  }

  /**
   * The same for a unit's first entry, which the table is not looked through for: its abbreviation is known by its bytes. Two zeros end
   * each abbreviation, and stand together before something that is not zero nowhere else.
   */
  first(code: number): Abbreviation | undefined {
    if (code >= 0x80 || this.known.has(code)) return this.get(code);
    const { bytes } = this.cursor;
    for (let at = bytes.indexOf(code); at >= 0; at = bytes.indexOf(code, at + 1)) {
      if (!unitTags.has(bytes[at + 1]) || bytes[at + 2] > 1) continue;
      if (at > 0 && (at < 2 || bytes[at - 1] !== 0 || bytes[at - 2] !== 0)) continue;
      const found = this.recent.find(bytes, at + 1) ?? this.recent.add(bytes, at + 1, this.readAt(at + 1));
      this.known.set(code, found);
      return found;
    }
    return this.get(code);
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

  private readAt(at: number): Abbreviation {
    const { bytes, littleEndian } = this.cursor;
    return readPlain(bytes, at) ?? readAbbreviation(new ByteReader(bytes, littleEndian, section, at));
  }
}

/** Of first entries: each unit has a table of its own, but what a compiler writes into them repeats. */
class RecentAbbreviations {
  private readonly encoded: Uint8Array[] = [];
  private readonly abbreviations: Abbreviation[] = [];
  private next = 0;

  /** One that is written in the same bytes. */
  find(bytes: Uint8Array, at: number): Abbreviation | undefined {
    const { encoded } = this;
    for (let n = 0; n < encoded.length; n++) {
      const one = encoded[n];
      let length = 0;
      while (length < one.length && one[length] === bytes[at + length]) length++;
      if (length === one.length) return this.abbreviations[n];
    }
    return undefined;
  }

  add(bytes: Uint8Array, at: number, abbreviation: Abbreviation): Abbreviation {
    this.encoded[this.next] = bytes.subarray(at, at + abbreviation.length);
    this.abbreviations[this.next] = abbreviation;
    this.next = (this.next + 1) % mostRecent;
    return abbreviation;
  }
}

const mostRecent = 8;

const unitTags: ReadonlySet<number> = new Set([
  Tag.DW_TAG_compile_unit,
  Tag.DW_TAG_partial_unit,
  Tag.DW_TAG_type_unit,
  Tag.DW_TAG_skeleton_unit,
]);

/** Bytes of a table with its terminator; undefined: it is damaged, which is told where its abbreviations are read. */
function tableSize({ bytes, littleEndian }: RawCursor): number | undefined {
  const cursor = new RawCursor(bytes, littleEndian, section, 0);
  try {
    while (cursor.uleb() !== 0) passOver(cursor);
    return cursor.offset;
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
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

/** Where all numbers are of one byte, as nearly everywhere; undefined: they are not, or the table ends. */
function readPlain(bytes: Uint8Array, start: number): Abbreviation | undefined {
  const [tag, children] = [bytes[start], bytes[start + 1]];
  if (!(tag < 0x80)) return undefined;
  const attributes: AttributeSpec[] = [];
  for (let at = start + 2; ; at += 2) {
    const [name, form] = [bytes[at], bytes[at + 1]];
    if (!(name < 0x80 && form < 0x80)) return undefined;
    if (name === 0 && form === 0) return { tag, hasChildren: children !== 0, attributes, length: at + 2 - start };
    let implicitConst = 0n;
    if (form === Form.DW_FORM_implicit_const) {
      const byte = bytes[at + 2];
      if (!(byte < 0x80)) return undefined;
      implicitConst = BigInt(byte < 0x40 ? byte : byte - 0x80);
      at++;
    }
    attributes.push({ name, form, implicitConst });
  }
}

function readAbbreviation(reader: ByteReader): Abbreviation {
  const start = reader.offset;
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
  return { tag, hasChildren, attributes, length: reader.offset - start };
}

export class AbbreviationTables {
  private readonly tables = new Map<number, AbbreviationTable>();
  private readonly recent = new RecentAbbreviations();
  private readonly originals: AbbreviationTable[] = [];

  constructor(private readonly sections: DwarfSections) {}

  at(offset: number): AbbreviationTable {
    let table = this.tables.get(offset);
    if (table === undefined) {
      table = new AbbreviationTable(this.sections.cursor(section, offset), this.recent, this.originals);
      this.tables.set(offset, table);
    }
    return table;
  }
}
