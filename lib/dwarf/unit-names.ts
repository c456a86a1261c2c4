/**
 * The names that units give to types, functions, variables and enumerators, found without reading entries into objects.
 * The bodies of functions are passed over unless they are asked for. A large program has millions of names, so an entry
 * is a number here, and its facts are in columns.
 */
import { stringAt } from '../bytes';
import { canonicalTypeText } from './base-type-name';
import { At, Form, Tag } from './constants';
import { type EntryPlan, EntrySkipper } from './entry-skipper';
import type { RawCursor } from './raw-cursor';
import type { Unit } from './unit';

/** Declared here and defined elsewhere, or described by a type unit. */
const DECLARATION = 1;
/** DW_AT_location, DW_AT_const_value, DW_AT_low_pc or DW_AT_ranges. */
const PLACE = 2;
/** DW_AT_export_symbols: an inline namespace, whose names are also those of the namespace around it. */
const INLINE = 4;

export const none = -1;
export const unnamedNamespace = '(anonymous namespace)';

/** Columns by entry. */
export class NameTable {
  readonly units: Unit[] = [];
  private readonly offsets: number[] = [];
  private readonly tags: number[] = [];
  private readonly flags: number[] = [];
  private readonly parents: number[] = [];
  private readonly completed: number[] = [];
  private readonly names: string[] = [];
  private readonly linkageNames = new Map<number, string>();

  get size(): number {
    return this.tags.length;
  }

  /** Returns the number of the entry. */
  add(unit: Unit, offset: number, tag: number, facts: Facts, name: string, parent: number): number {
    const entry = this.tags.length;
    this.units.push(unit);
    this.offsets.push(offset);
    this.tags.push(tag);
    const { isDeclaration, hasPlace, isInlineNamespace, linkageName } = facts;
    this.flags.push((isDeclaration ? DECLARATION : 0) | (hasPlace ? PLACE : 0) | (isInlineNamespace ? INLINE : 0));
    this.parents.push(parent);
    this.completed.push(facts.completes ?? none);
    this.names.push(name);
    if (linkageName !== undefined) this.linkageNames.set(entry, linkageName);
    return entry;
  }

  offsetOf(entry: number): number {
    return this.offsets[entry];
  }

  tagOf(entry: number): number {
    return this.tags[entry];
  }

  /** DW_AT_name, of a template in canonical spelling; '' where only the completed entry has one. */
  nameOf(entry: number): string {
    return this.names[entry];
  }

  linkageNameOf(entry: number): string | undefined {
    return this.linkageNames.get(entry);
  }

  /** The namespace, class or function around it. */
  parentOf(entry: number): number {
    return this.parents[entry];
  }

  isDeclaration(entry: number): boolean {
    return (this.flags[entry] & DECLARATION) !== 0;
  }

  hasPlace(entry: number): boolean {
    return (this.flags[entry] & PLACE) !== 0;
  }

  isInlineNamespace(entry: number): boolean {
    return (this.flags[entry] & INLINE) !== 0;
  }

  /** The entry that has the name: itself, or the one of its unit (entries from `first` on) that it completes. */
  nameHolder(entry: number, first: number): number {
    let holder = entry;
    for (let steps = 0; this.names[holder] === '' && steps < 8; steps++) {
      const next = this.find(this.completed[holder], first);
      if (next === none) break;
      holder = next;
    }
    return holder;
  }

  /** Entries of a unit are in order of their offsets. */
  private find(offset: number, first: number): number {
    if (offset === none) return none;
    let [low, high] = [first, this.size];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.units[middle] === this.units[first] && this.offsets[middle] < offset) low = middle + 1;
      else high = middle;
    }
    return low < this.size && this.units[low] === this.units[first] && this.offsets[low] === offset ? low : none;
  }
}

export const scopeTags: ReadonlySet<number> = new Set([
  Tag.DW_TAG_namespace,
  Tag.DW_TAG_structure_type,
  Tag.DW_TAG_class_type,
  Tag.DW_TAG_union_type,
  Tag.DW_TAG_interface_type,
]);

const namedTags: ReadonlySet<number> = new Set([
  ...scopeTags,
  Tag.DW_TAG_enumeration_type,
  Tag.DW_TAG_enumerator,
  Tag.DW_TAG_typedef,
  Tag.DW_TAG_template_alias,
  Tag.DW_TAG_base_type,
  Tag.DW_TAG_unspecified_type,
  Tag.DW_TAG_subprogram,
  Tag.DW_TAG_variable,
  // A static member, before DWARF 5; no other one is kept.
  Tag.DW_TAG_member,
]);

const descended: ReadonlySet<number> = new Set([
  ...scopeTags,
  Tag.DW_TAG_enumeration_type,
  Tag.DW_TAG_compile_unit,
  Tag.DW_TAG_partial_unit,
  Tag.DW_TAG_type_unit,
  Tag.DW_TAG_skeleton_unit,
]);

const functionBodies: ReadonlySet<number> = new Set([
  Tag.DW_TAG_subprogram,
  Tag.DW_TAG_lexical_block,
  Tag.DW_TAG_inlined_subroutine,
]);

const wanted: ReadonlySet<number> = new Set([
  At.DW_AT_name,
  At.DW_AT_linkage_name,
  At.DW_AT_MIPS_linkage_name,
  At.DW_AT_declaration,
  At.DW_AT_signature,
  At.DW_AT_location,
  At.DW_AT_const_value,
  At.DW_AT_low_pc,
  At.DW_AT_ranges,
  At.DW_AT_specification,
  At.DW_AT_abstract_origin,
  At.DW_AT_export_symbols,
]);

const isOfNames = (tag: number, name: number): boolean => namedTags.has(tag) && wanted.has(name);

/** References that do not count from the unit's beginning, nor within its section. */
const elsewhereForms: ReadonlySet<number> = new Set([
  Form.DW_FORM_ref_sig8,
  Form.DW_FORM_ref_sup4,
  Form.DW_FORM_ref_sup8,
  Form.DW_FORM_GNU_ref_alt,
]);

interface Parent {
  readonly entry: number;
  readonly isIndexed: boolean;
  readonly inFunction: boolean;
}

/** Collected from one entry's attributes. */
interface Facts {
  name: string | undefined;
  linkageName: string | undefined;
  isDeclaration: boolean;
  hasPlace: boolean;
  isInlineNamespace: boolean;
  completes: number | undefined;
  sibling: number | undefined;
}

type NamedStep = Exclude<EntryPlan['steps'][number], number>;

/** Adds the names of one unit to a table. */
export class UnitNames {
  private readonly skipper: EntrySkipper;
  /** One object for all entries, of which there are many. */
  private readonly facts: Facts = {
    name: undefined,
    linkageName: undefined,
    isDeclaration: false,
    hasPlace: false,
    isInlineNamespace: false,
    completes: undefined,
    sibling: undefined,
  };

  /** `inFunctions`: what is declared in bodies of functions, and nothing else but what is around it. A damaged entry ends the list. */
  constructor(
    private readonly table: NameTable,
    private readonly unit: Unit,
    private readonly inFunctions: boolean,
  ) {
    this.skipper = EntrySkipper.of(unit.abbreviations, unit.header, isOfNames);
    unit.context.sections.guard(`names of unit ${unit.name ?? ''}`, () => this.scan(), undefined);
  }

  /** Parents are kept in a stack: where children begin, null entries end them. */
  private scan(): void {
    const { header, context } = this.unit;
    const cursor = context.sections.cursor(header.section, header.firstDie, header.end);
    const parents: Parent[] = [];
    do {
      const offset = cursor.offset;
      const plan = this.skipper.next(cursor);
      if (plan === undefined) {
        parents.pop();
        continue;
      }
      const parent = parents.at(-1);
      const facts = this.read(cursor, plan);
      const isNamed = this.isKept(parent, plan.tag, facts);
      const entry = isNamed ? this.add(offset, plan.tag, facts, parent?.entry ?? none) : undefined;
      if (!plan.hasChildren) continue;
      const isIndexed = descended.has(plan.tag) || (this.inFunctions && functionBodies.has(plan.tag));
      const end = facts.sibling;
      if (!isIndexed && end !== undefined && end > offset && end <= header.end) cursor.offset = end;
      else {
        const inFunction = parent?.inFunction === true || functionBodies.has(plan.tag);
        const isWithin = isIndexed && (parent?.isIndexed ?? true);
        parents.push({ entry: entry ?? parent?.entry ?? none, isIndexed: isWithin, inFunction });
      }
    } while (parents.length > 0 && !cursor.atEnd);
  }

  /** Of what is in no function the shallow index knows. */
  private isKept(parent: Parent | undefined, tag: number, { isDeclaration }: Facts): boolean {
    if (parent?.isIndexed !== true || !namedTags.has(tag)) return false;
    if (tag === Tag.DW_TAG_member) return isDeclaration;
    return !this.inFunctions || parent.inFunction || scopeTags.has(tag) || tag === Tag.DW_TAG_subprogram;
  }

  private read(cursor: RawCursor, { steps }: EntryPlan): Facts {
    const { facts } = this;
    facts.name = undefined;
    facts.linkageName = undefined;
    facts.isDeclaration = false;
    facts.hasPlace = false;
    facts.isInlineNamespace = false;
    facts.completes = undefined;
    facts.sibling = undefined;
    for (const step of steps) {
      if (typeof step === 'number') {
        cursor.skip(step);
        continue;
      }
      const value = this.skipper.operand(cursor, step.form, step.implicitConst);
      this.note(facts, cursor, step, value);
    }
    return facts;
  }

  private note(facts: Facts, cursor: RawCursor, { name, form }: NamedStep, value: number): void {
    switch (name) {
      case At.DW_AT_name:
        facts.name = this.text(cursor, form, value);
        break;
      case At.DW_AT_linkage_name:
      case At.DW_AT_MIPS_linkage_name:
        facts.linkageName = this.text(cursor, form, value);
        break;
      case At.DW_AT_declaration:
        facts.isDeclaration ||= value !== 0;
        break;
      case At.DW_AT_signature:
        facts.isDeclaration = true;
        break;
      case At.DW_AT_location:
      case At.DW_AT_const_value:
      case At.DW_AT_low_pc:
      case At.DW_AT_ranges:
        facts.hasPlace = true;
        break;
      case At.DW_AT_export_symbols:
        facts.isInlineNamespace = true;
        break;
      case At.DW_AT_specification:
      case At.DW_AT_abstract_origin:
        facts.completes ??= this.target(form, value);
        break;
      case At.DW_AT_sibling:
        facts.sibling = this.target(form, value);
        break;
    }
  }

  private target(form: number, value: number): number {
    if (form === Form.DW_FORM_ref_addr) return value;
    return elsewhereForms.has(form) ? none : this.unit.header.offset + value;
  }

  private text(cursor: RawCursor, form: number, value: number): string | undefined {
    // An indirect form was passed over with its operand; names are never written that way.
    if (form === Form.DW_FORM_indirect) return undefined;
    if (form === Form.DW_FORM_string) return stringAt(cursor.bytes, value);
    return this.unit.stringOf({ name: At.DW_AT_name, form, value });
  }

  private add(offset: number, tag: number, facts: Facts, parent: number): number | undefined {
    let { name } = facts;
    if (name === undefined) {
      if (tag === Tag.DW_TAG_namespace) name = unnamedNamespace;
      else if (facts.completes === undefined && !descended.has(tag)) return undefined;
    } else if (name.includes('<')) name = canonicalTypeText(name);
    return this.table.add(this.unit, offset, tag, facts, name ?? '', parent);
  }
}
