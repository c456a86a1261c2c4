/**
 * Walks the entries of a unit without making objects of them (7.5.2, 7.5.5): what an abbreviation does not want is
 * passed over by the sizes of its forms. An index of a large program is made this way; entries are only read where
 * somebody looks.
 */
import { FormatError } from '../errors';
import type { Abbreviation, AbbreviationTable } from './abbrev';
import type { FormContext } from './attribute';
import { At, Form } from './constants';
import type { RawCursor } from './raw-cursor';

/** Runs of attributes of fixed size are one number: the bytes to skip. */
type Step = number | { readonly name: number; readonly form: number; readonly implicitConst: bigint };

export interface EntryPlan {
  readonly tag: number;
  readonly hasChildren: boolean;
  /** What is wanted or of variable size, in order. */
  readonly steps: readonly Step[];
  /** Bytes of all operands; -1: they have no fixed size, or something besides DW_AT_sibling is wanted. */
  readonly size: number;
  /** Where in such operands a DW_AT_sibling of 4 bytes stands; -1: there is none. */
  readonly siblingAt: number;
}

/** Bytes of a form's operand; undefined: it says itself how long it is. */
export function fixedSize(form: number, { version, is64, addressSize }: FormContext): number | undefined {
  switch (form) {
    case Form.DW_FORM_flag_present:
    case Form.DW_FORM_implicit_const:
      return 0;
    case Form.DW_FORM_data1:
    case Form.DW_FORM_flag:
    case Form.DW_FORM_ref1:
    case Form.DW_FORM_strx1:
    case Form.DW_FORM_addrx1:
      return 1;
    case Form.DW_FORM_data2:
    case Form.DW_FORM_ref2:
    case Form.DW_FORM_strx2:
    case Form.DW_FORM_addrx2:
      return 2;
    case Form.DW_FORM_strx3:
    case Form.DW_FORM_addrx3:
      return 3;
    case Form.DW_FORM_data4:
    case Form.DW_FORM_ref4:
    case Form.DW_FORM_strx4:
    case Form.DW_FORM_addrx4:
    case Form.DW_FORM_ref_sup4:
      return 4;
    case Form.DW_FORM_data8:
    case Form.DW_FORM_ref8:
    case Form.DW_FORM_ref_sig8:
    case Form.DW_FORM_ref_sup8:
      return 8;
    case Form.DW_FORM_data16:
      return 16;
    case Form.DW_FORM_addr:
      return addressSize;
    case Form.DW_FORM_ref_addr:
      return version <= 2 ? addressSize : is64 ? 8 : 4;
    case Form.DW_FORM_strp:
    case Form.DW_FORM_line_strp:
    case Form.DW_FORM_sec_offset:
    case Form.DW_FORM_strp_sup:
    case Form.DW_FORM_GNU_ref_alt:
    case Form.DW_FORM_GNU_strp_alt:
      return is64 ? 8 : 4;
    default:
      return undefined;
  }
}

const mostPlans = 0xffff;

/** Whether an attribute is asked for; always answers the same. */
export type WantedAttribute = (tag: number, name: number) => boolean;

const skippers = new WeakMap<AbbreviationTable, EntrySkipper[]>();

function isSameContext(one: FormContext, other: FormContext): boolean {
  return one.version === other.version && one.is64 === other.is64 && one.addressSize === other.addressSize;
}

export class EntrySkipper {
  /** By code, as far as they have been needed. */
  readonly plans: (EntryPlan | undefined)[] = [];

  private constructor(
    private readonly abbreviations: AbbreviationTable,
    private readonly context: FormContext,
    private readonly isWanted: WantedAttribute,
  ) {}

  /** One for all units whose abbreviations and sizes are the same: of a large program many have equal tables. */
  static of(abbreviations: AbbreviationTable, context: FormContext, isWanted: WantedAttribute): EntrySkipper {
    const { original } = abbreviations;
    let known = skippers.get(original);
    if (known === undefined) skippers.set(original, (known = []));
    let found = known.find((one) => one.isWanted === isWanted && isSameContext(one.context, context));
    if (found === undefined) known.push((found = new EntrySkipper(original, context, isWanted)));
    return found;
  }

  /** The plan of the next entry, whose code is consumed; undefined: the null entry that ends a list of siblings. */
  next(cursor: RawCursor): EntryPlan | undefined {
    const start = cursor.offset;
    const code = cursor.uleb();
    if (code === 0) return undefined;
    return this.plans[code] ?? this.planOf(code, cursor.section, start);
  }

  private planOf(code: number, section: string, start: number): EntryPlan {
    const abbreviation = this.abbreviations.get(code);
    if (abbreviation === undefined) throw new FormatError('bad-abbreviation', section, start, `code ${code}`);
    const plan = this.makePlan(abbreviation);
    // Compilers number them from 1 on; others would make the list a sparse one.
    if (code <= mostPlans) this.plans[code] = plan;
    return plan;
  }

  private makePlan({ tag, hasChildren, attributes }: Abbreviation): EntryPlan {
    const steps: Step[] = [];
    let [total, siblingAt] = [0, -1];
    for (const { name, form, implicitConst } of attributes) {
      const fixed = fixedSize(form, this.context);
      const isSibling = name === At.DW_AT_sibling;
      const size = isSibling || this.isWanted(tag, name) ? undefined : fixed;
      const last = steps.at(-1);
      if (size === undefined) steps.push({ name, form, implicitConst });
      else if (typeof last === 'number') steps[steps.length - 1] = last + size;
      else if (size > 0) steps.push(size);
      if (isSibling && form === Form.DW_FORM_ref4 && siblingAt < 0) siblingAt = total;
      else if (size === undefined) total = NaN;
      total += fixed ?? NaN;
    }
    return { tag, hasChildren, steps, size: Number.isNaN(total) ? -1 : total, siblingAt };
  }

  /** Reads an operand of reference, constant, string-offset or index class; of anything else it is passed over. */
  operand(cursor: RawCursor, form: number, implicitConst: bigint): number {
    const size = fixedSize(form, this.context);
    if (size !== undefined && size <= 8 && form !== Form.DW_FORM_implicit_const) {
      return size === 0 ? 1 : cursor.unsigned(size);
    }
    switch (form) {
      case Form.DW_FORM_implicit_const:
        return Number(implicitConst);
      case Form.DW_FORM_udata:
      case Form.DW_FORM_ref_udata:
      case Form.DW_FORM_strx:
      case Form.DW_FORM_addrx:
      case Form.DW_FORM_loclistx:
      case Form.DW_FORM_rnglistx:
      case Form.DW_FORM_GNU_addr_index:
      case Form.DW_FORM_GNU_str_index:
      case Form.DW_FORM_sdata:
        return cursor.uleb();
      case Form.DW_FORM_string:
        // Where it begins in the cursor's window.
        return cursor.cstring();
      case Form.DW_FORM_block1:
        cursor.skip(cursor.unsigned(1));
        return 1;
      case Form.DW_FORM_block2:
        cursor.skip(cursor.unsigned(2));
        return 1;
      case Form.DW_FORM_block4:
        cursor.skip(cursor.unsigned(4));
        return 1;
      case Form.DW_FORM_block:
      case Form.DW_FORM_exprloc:
        cursor.skip(cursor.uleb());
        return 1;
      case Form.DW_FORM_data16:
        cursor.skip(16);
        return 1;
      case Form.DW_FORM_indirect: {
        const actual = cursor.uleb();
        if (actual === Form.DW_FORM_indirect) throw new FormatError('bad-form', cursor.section, cursor.offset);
        if (actual === Form.DW_FORM_implicit_const) return cursor.uleb();
        return this.operand(cursor, actual, 0n);
      }
      default:
        throw new FormatError('bad-form', cursor.section, cursor.offset, `DW_FORM 0x${form.toString(16)} is not known`);
    }
  }
}
