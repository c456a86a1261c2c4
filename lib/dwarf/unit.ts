/**
 * One unit of .debug_info or .debug_types (7.5.1): its header, and on demand its first entry and the tree of all entries.
 * A unit knows the bases (DW_AT_str_offsets_base ...) by which its indexed forms are resolved.
 * The tree is read in one pass without recursion; where it breaks, what was read until then stays usable. A unit whose first entry
 * cannot be read has nothing in it.
 */
import type { ByteReader } from '../bytes';
import { FormatError } from '../errors';
import type { Abbreviation, AbbreviationTable } from './abbrev';
import { readAttribute, type RawAttribute } from './attribute';
import { At, Form, Tag, UnitType } from './constants';
import { Die } from './die';
import type { AddressRange, ExpressionUnit, LocationDescription, Type, UnitInfo } from './model';
import { readTableEntry, type DwarfSections } from './sections';
import type { Supplementary } from './supplementary';
import type { UnitHeader } from './unit-header';
import { lastUpTo, readOutline, readSketch, type UnitOutline } from './unit-outline';

/** What a unit needs from the rest of the debug information. */
export interface UnitContext {
  readonly sections: DwarfSections;
  abbreviations(offset: number): AbbreviationTable;
  dieAt(section: string, offset: number): Die | undefined;
  typeDieBySignature(signature: bigint): Die | undefined;
  typeOf(die: Die): Type;
  locationOf(die: Die): LocationDescription | undefined;
  /** The code that is described together with an address in call-frame information. */
  frameRangeAt(address: bigint): AddressRange | undefined;
  /** Throws FormatError where the program has none, or it was not given. */
  supplementary(): Supplementary;
  /** Of a partial unit that does not say it. */
  languageOfImport(unit: Unit): number | undefined;
}

/** undefined: not read yet. */
type Lazy<T> = { readonly value: T | undefined } | undefined;

const nothing: UnitOutline = { tops: [], functions: [] };

export class Unit implements UnitInfo, ExpressionUnit {
  readonly section: UnitHeader['section'];
  readonly version: number;
  readonly addressSize: 4 | 8;
  readonly littleEndian: boolean;
  /** Entries that have been read, with all that are in the same top-level entry. */
  private readonly read = new Map<number, Die>();
  /** By top-level entry. */
  private readonly isRead: boolean[] = [];
  private lazyOutline: UnitOutline | undefined;
  private lazySketch: UnitOutline | undefined;
  private tree: ReadonlyMap<number, Die> | undefined;

  /** Of a split unit: what the program's own file has of it, with addresses, ranges and the line table. */
  skeleton: Unit | undefined;
  private lazyRoot: Die | undefined;
  private isDamaged = false;
  private lazyName: Lazy<string>;
  private lazyDirectory: Lazy<string>;
  private lazyProducer: Lazy<string>;
  private lazyLanguage: Lazy<number>;

  constructor(
    readonly header: UnitHeader,
    readonly context: UnitContext,
  ) {
    this.section = header.section;
    this.version = header.version;
    this.addressSize = header.addressSize;
    this.littleEndian = context.sections.littleEndian;
  }

  get abbreviations(): AbbreviationTable {
    return this.context.abbreviations(this.header.abbrevOffset);
  }

  /** The first entry, without children until `dies` is read. */
  get root(): Die {
    this.lazyRoot ??= this.readRoot();
    return this.lazyRoot;
  }

  get name(): string | undefined {
    this.lazyName ??= this.fact(() => this.root.name);
    return this.lazyName.value;
  }

  get compilationDirectory(): string | undefined {
    this.lazyDirectory ??= this.fact(() => this.root.string(At.DW_AT_comp_dir) ?? this.skeleton?.compilationDirectory);
    return this.lazyDirectory.value;
  }

  get producer(): string | undefined {
    this.lazyProducer ??= this.fact(() => this.root.string(At.DW_AT_producer));
    return this.lazyProducer.value;
  }

  get language(): number | undefined {
    this.lazyLanguage ??= this.fact(
      () => this.root.number(At.DW_AT_language) ?? (this.isPartial ? this.context.languageOfImport(this) : undefined),
    );
    return this.lazyLanguage.value;
  }

  /** What several units have in common (3.1.1), or part of one. */
  get isPartial(): boolean {
    const { unitType } = this.header;
    return unitType === UnitType.DW_UT_partial || (this.version < 5 && this.root.tag === Tag.DW_TAG_partial_unit);
  }

  /** All entries by offset in the section. */
  get dies(): ReadonlyMap<number, Die> {
    this.tree ??= this.readTree();
    return this.tree;
  }

  /** Where its entries and functions are; makes no entries. */
  get outline(): UnitOutline {
    this.lazyOutline ??= this.isReadable ? readOutline(this) : nothing;
    return this.lazyOutline;
  }

  /** The same without what is nested in functions and types, which is most of a unit. */
  get sketch(): UnitOutline {
    this.lazySketch ??= this.lazyOutline ?? (this.isReadable ? readSketch(this) : nothing);
    return this.lazySketch;
  }

  /** Whether there is a first entry, without which nothing can be read. */
  get isReadable(): boolean {
    void this.root;
    return !this.isDamaged;
  }

  /** How many entries have been read. */
  get readEntries(): number {
    return this.tree?.size ?? this.read.size;
  }

  /** The entry at an offset in the section; only the top-level entry that it is in is read. */
  dieAt(offset: number): Die | undefined {
    if (offset === this.root.offset) return this.root;
    const known = this.read.get(offset);
    if (known !== undefined) return known;
    const top = lastUpTo(this.sketch.tops, offset);
    if (top >= 0) this.readTop(top);
    return this.read.get(offset);
  }

  /** DW_AT_low_pc of the unit: where its range and location lists start to count (3.1.1). */
  get baseAddress(): bigint {
    return (this.skeleton ?? this).root.address(At.DW_AT_low_pc) ?? 0n;
  }

  /** The value of a base attribute of the first entry; `fallback` is where a table without one starts. */
  base(name: number, gnuName: number | undefined, fallback: number): number {
    const offset = this.root.sectionOffset(name);
    return offset ?? (gnuName === undefined ? undefined : this.root.sectionOffset(gnuName)) ?? fallback;
  }

  addressAt(index: number): bigint {
    const base = (this.skeleton ?? this).base(At.DW_AT_addr_base, At.DW_AT_GNU_addr_base, 8);
    return readTableEntry(this.context.sections, '.debug_addr', base, index, this.addressSize);
  }

  typeAt(unitOffset: number): Type {
    const die = this.dieAt(this.header.offset + unitOffset);
    if (die === undefined) throw new FormatError('bad-reference', this.section, this.header.offset + unitOffset);
    return this.context.typeOf(die);
  }

  locationOf(infoOffset: number): LocationDescription | undefined {
    const die = this.context.dieAt('.debug_info', infoOffset);
    if (die === undefined) throw new FormatError('bad-reference', '.debug_info', infoOffset);
    return this.context.locationOf(die);
  }

  /** Text in place, in one of the string sections, or by way of the unit's string offsets (7.5.5). */
  stringOf(attribute: RawAttribute): string {
    const { form, value } = attribute;
    if (typeof value === 'string') return value;
    const { sections } = this.context;
    if (typeof value === 'number') {
      switch (form) {
        case Form.DW_FORM_strp:
          return sections.string('.debug_str', value);
        case Form.DW_FORM_line_strp:
          return sections.string('.debug_line_str', value);
        case Form.DW_FORM_strx:
        case Form.DW_FORM_strx1:
        case Form.DW_FORM_strx2:
        case Form.DW_FORM_strx3:
        case Form.DW_FORM_strx4:
        case Form.DW_FORM_GNU_str_index:
          return sections.string('.debug_str', this.stringOffset(value));
        case Form.DW_FORM_strp_sup:
        case Form.DW_FORM_GNU_strp_alt:
          return this.context.supplementary().sections.string('.debug_str', value);
      }
    }
    throw this.badForm(attribute, 'a string');
  }

  /** An address in place or in .debug_addr; always a link address. */
  addressOf(attribute: RawAttribute): bigint {
    const { form, value } = attribute;
    if (form === Form.DW_FORM_addr && typeof value === 'bigint') return value;
    if (typeof value === 'number') {
      switch (form) {
        case Form.DW_FORM_addrx:
        case Form.DW_FORM_addrx1:
        case Form.DW_FORM_addrx2:
        case Form.DW_FORM_addrx3:
        case Form.DW_FORM_addrx4:
        case Form.DW_FORM_GNU_addr_index:
          return this.addressAt(value);
      }
    }
    throw this.badForm(attribute, 'an address');
  }

  /** The entry that a reference at entry `from` means. */
  referenceOf(attribute: RawAttribute, from: number): Die {
    const { form, value } = attribute;
    let die: Die | undefined;
    if (form === Form.DW_FORM_ref_sig8 && typeof value === 'bigint') {
      die = this.context.typeDieBySignature(value);
    } else if (typeof value === 'number') {
      switch (form) {
        case Form.DW_FORM_ref1:
        case Form.DW_FORM_ref2:
        case Form.DW_FORM_ref4:
        case Form.DW_FORM_ref8:
        case Form.DW_FORM_ref_udata:
          die = this.dieAt(this.header.offset + value);
          break;
        case Form.DW_FORM_ref_addr:
          die = this.context.dieAt('.debug_info', value);
          break;
        case Form.DW_FORM_ref_sup4:
        case Form.DW_FORM_ref_sup8:
        case Form.DW_FORM_GNU_ref_alt:
          die = this.context.supplementary().dieAt('.debug_info', value);
          break;
        default:
          throw this.badForm(attribute, 'a reference');
      }
    } else throw this.badForm(attribute, 'a reference');
    if (die === undefined) throw new FormatError('bad-reference', this.section, from);
    return die;
  }

  /** Without a base (split units of DWARF 5) the table follows its header. */
  private stringOffset(index: number): number {
    const size = this.header.is64 ? 8 : 4;
    const base = this.base(At.DW_AT_str_offsets_base, undefined, this.header.version >= 5 ? 2 * size : 0);
    return Number(readTableEntry(this.context.sections, '.debug_str_offsets', base, index, size));
  }

  private fact<T>(read: () => T | undefined): { readonly value: T | undefined } {
    const { sections } = this.context;
    return { value: sections.guard(`unit at 0x${this.header.offset.toString(16)}`, read, undefined) };
  }

  private readRoot(): Die {
    const { firstDie } = this.header;
    const read = (): Die => {
      const { die } = this.readDie(this.reader(firstDie), undefined, true);
      if (die === undefined) throw new FormatError('bad-abbreviation', this.section, firstDie);
      return die;
    };
    const root = this.fact(read).value;
    this.isDamaged = root === undefined;
    return root ?? new Die(this, firstDie, Tag.DW_TAG_compile_unit, [], undefined);
  }

  private reader(offset: number): ByteReader {
    return this.context.sections.reader(this.section, offset, this.header.end);
  }

  /** `die` is undefined for the null entry that ends a list of siblings. */
  private readDie(
    reader: ByteReader,
    parent: Die | undefined,
    isFirst = false,
  ): { die: Die | undefined; entry?: Abbreviation } {
    const offset = reader.offset;
    const code = reader.ulebNumber();
    if (code === 0) return { die: undefined };
    const entry = isFirst ? this.abbreviations.first(code) : this.abbreviations.get(code);
    if (entry === undefined) throw new FormatError('bad-abbreviation', this.section, offset, `code ${code}`);
    const attributes = entry.attributes.map((spec) => readAttribute(reader, spec, this.header));
    return { die: new Die(this, offset, entry.tag, attributes, parent), entry };
  }

  /** All entries, in order; the root has its children from then on. */
  private readTree(): ReadonlyMap<number, Die> {
    const tree = new Map<number, Die>([[this.root.offset, this.root]]);
    const { tops } = this.sketch;
    tops.forEach((offset, top) => {
      this.readTop(top);
      const die = this.read.get(offset);
      if (die !== undefined) this.root.children.push(die);
    });
    const pending = [...this.root.children].reverse();
    for (let die = pending.pop(); die !== undefined; die = pending.pop()) {
      tree.set(die.offset, die);
      for (let n = die.children.length - 1; n >= 0; n--) pending.push(die.children[n]);
    }
    return tree;
  }

  /** The null entry that ends a list of siblings leads back to the parent; a damaged entry ends the top-level one. */
  private readTop(top: number): void {
    if (this.isRead[top]) return;
    this.isRead[top] = true;
    const { tops } = this.sketch;
    const reader = this.reader(tops[top]);
    reader.prefetch(tops.at(top + 1) ?? this.header.end);
    const read = (): void => {
      let parent: Die | undefined = this.root;
      do {
        const { die, entry }: ReturnType<Unit['readDie']> = this.readDie(reader, parent);
        if (die === undefined) {
          parent = parent?.parent;
          continue;
        }
        if (parent !== this.root) parent?.children.push(die);
        this.read.set(die.offset, die);
        if (entry?.hasChildren === true) parent = die;
      } while (parent !== this.root && parent !== undefined && !reader.atEnd);
    };
    this.context.sections.guard(`unit ${this.name ?? ''}`, read, undefined);
  }

  private badForm(attribute: RawAttribute, wanted: string): FormatError {
    const detail = `DW_FORM 0x${attribute.form.toString(16)} of DW_AT 0x${attribute.name.toString(16)} is not ${wanted}`;
    return new FormatError('bad-form', this.section, this.header.offset, detail);
  }
}
