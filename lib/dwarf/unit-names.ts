/**
 * The names that one unit gives to types, functions, variables and enumerators, found without reading its entries into
 * objects. Names are qualified as C++ writes them, `ns::Class::member`; the bodies of functions are passed over unless
 * they are asked for.
 */
import { At, Form, Tag } from './constants';
import { EntrySkipper, RawCursor } from './entry-skipper';
import { canonicalTypeText } from './base-type-name';
import type { Unit } from './unit';

/** An entry with a name; `unit.dies` has it at `offset`. */
export interface NamedEntry {
  readonly unit: Unit;
  readonly offset: number;
  readonly tag: number;
  /** DW_AT_name, of a template in canonical spelling; '' for an unnamed type that has members with names. */
  readonly name: string;
  readonly linkageName: string | undefined;
  /** The namespace, class or function around it. */
  readonly parent: NamedEntry | undefined;
  /** The offset of the entry that this one completes. */
  readonly completes: number | undefined;
  /** Declared here and defined elsewhere, or described by a type unit. */
  readonly isDeclaration: boolean;
  /** DW_AT_export_symbols: its names are also those of the namespace around it. */
  readonly isInlineNamespace: boolean;
  /** DW_AT_location, DW_AT_const_value, DW_AT_low_pc or DW_AT_ranges. */
  readonly hasPlace: boolean;
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

export class UnitNames {
  readonly entries: NamedEntry[] = [];
  private readonly skipper: EntrySkipper;

  /** `inFunctions`: also what is declared in bodies of functions. Throws FormatError where an entry is damaged. */
  constructor(
    private readonly unit: Unit,
    private readonly inFunctions: boolean,
  ) {
    this.skipper = new EntrySkipper(
      unit.abbreviations,
      unit.header,
      (tag, name) => namedTags.has(tag) && wanted.has(name),
    );
    unit.context.sections.guard(`names of unit ${unit.name ?? ''}`, () => this.scan(), undefined);
  }

  /** Parents are kept in a stack: where children begin, null entries end them. */
  private scan(): void {
    const { header, context } = this.unit;
    const bytes = context.sections.bytes(header.section);
    const cursor = new RawCursor(bytes, context.sections.littleEndian, header.section, header.firstDie, header.end);
    const parents: { readonly entry: NamedEntry | undefined; readonly isIndexed: boolean }[] = [];
    do {
      const offset = cursor.offset;
      const plan = this.skipper.next(cursor);
      if (plan === undefined) {
        parents.pop();
        continue;
      }
      const parent = parents.at(-1);
      const facts = this.read(cursor, plan);
      const isNamed = (parent?.isIndexed ?? false) && namedTags.has(plan.tag);
      const entry = isNamed ? this.add(offset, plan.tag, facts, parent?.entry) : undefined;
      if (!plan.hasChildren) continue;
      const isIndexed = descended.has(plan.tag) || (this.inFunctions && functionBodies.has(plan.tag));
      const end = facts.sibling;
      if (!isIndexed && end !== undefined && end > offset && end <= header.end) cursor.offset = end;
      else parents.push({ entry: entry ?? parent?.entry, isIndexed: isIndexed && (parent?.isIndexed ?? true) });
    } while (parents.length > 0 && !cursor.atEnd);
  }

  private read(cursor: RawCursor, { steps }: ReturnType<EntrySkipper['next']> & object): Facts {
    const facts: Facts = {
      name: undefined,
      linkageName: undefined,
      isDeclaration: false,
      hasPlace: false,
      isInlineNamespace: false,
      completes: undefined,
      sibling: undefined,
    };
    for (const step of steps) {
      if (typeof step === 'number') {
        cursor.skip(step);
        continue;
      }
      const value = this.skipper.operand(cursor, step.form, step.implicitConst);
      this.note(facts, step.name, step.form, value);
    }
    return facts;
  }

  private note(facts: Facts, name: number, form: number, value: number): void {
    switch (name) {
      case At.DW_AT_name:
        facts.name = this.text(form, value);
        break;
      case At.DW_AT_linkage_name:
      case At.DW_AT_MIPS_linkage_name:
        facts.linkageName = this.text(form, value);
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
    return form === Form.DW_FORM_ref_addr ? value : this.unit.header.offset + value;
  }

  private text(form: number, value: number): string | undefined {
    const { context, header } = this.unit;
    // An indirect form was passed over with its operand; names are never written that way.
    if (form === Form.DW_FORM_indirect) return undefined;
    if (form === Form.DW_FORM_string) return context.sections.string(header.section, value);
    return this.unit.stringOf({ name: At.DW_AT_name, form, value });
  }

  private add(offset: number, tag: number, facts: Facts, parent: NamedEntry | undefined): NamedEntry | undefined {
    const { unit } = this;
    const { linkageName, completes, isDeclaration, hasPlace, isInlineNamespace } = facts;
    let { name } = facts;
    if (name === undefined) {
      if (tag === Tag.DW_TAG_namespace) name = '(anonymous namespace)';
      else if (completes === undefined && !descended.has(tag)) return undefined;
    } else if (name.includes('<')) name = canonicalTypeText(name);
    const place = { unit, offset, tag, parent, completes };
    const entry = { ...place, name: name ?? '', linkageName, isDeclaration, hasPlace, isInlineNamespace };
    this.entries.push(entry);
    return entry;
  }
}
