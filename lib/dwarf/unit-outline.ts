/**
 * What a unit consists of, found in one pass that makes no objects of entries (7.5.2): where its top-level entries begin, and
 * which functions have code. From it one entry is read with the top-level entry around it, and nothing else of the unit.
 */
import { At, Form, Tag } from './constants';
import { EntrySkipper, type EntryPlan } from './entry-skipper';
import type { RawCursor } from './raw-cursor';
import type { Unit } from './unit';

/** A function with code, at any depth. */
export interface CodeEntry {
  readonly offset: number;
  /** Where it may have code, as far as the entry itself says; addresses beyond 2^53 are rounded. */
  readonly low: number;
  readonly high: number;
}

export interface UnitOutline {
  /** Offsets of the top-level entries, in order. */
  readonly tops: readonly number[];
  readonly functions: readonly CodeEntry[];
}

const sizeForms: ReadonlySet<number> = new Set([
  Form.DW_FORM_data1,
  Form.DW_FORM_data2,
  Form.DW_FORM_data4,
  Form.DW_FORM_data8,
  Form.DW_FORM_udata,
]);

const isCodeAttribute = (tag: number, name: number): boolean =>
  tag === Tag.DW_TAG_subprogram && (name === At.DW_AT_low_pc || name === At.DW_AT_high_pc || name === At.DW_AT_ranges);

function openUnit(
  unit: Unit,
  isWanted: (tag: number, name: number) => boolean,
): { readonly cursor: RawCursor; readonly skipper: EntrySkipper } {
  const { header, context } = unit;
  const cursor = context.sections.cursor(header.section, header.firstDie, header.end);
  return { cursor, skipper: new EntrySkipper(unit.abbreviations, header, isWanted) };
}

/** A damaged entry ends the outline; what came before it stays. */
export function readOutline(unit: Unit): UnitOutline {
  const tops: number[] = [];
  const functions: CodeEntry[] = [];
  const { cursor, skipper } = openUnit(unit, isCodeAttribute);
  const scan = (): void => {
    let depth = 0;
    do {
      const offset = cursor.offset;
      const plan = skipper.next(cursor);
      if (plan === undefined) {
        depth--;
        continue;
      }
      if (depth === 1) tops.push(offset);
      const found = readCode(cursor, skipper, plan, offset);
      if (found !== undefined) functions.push(found);
      if (plan.hasChildren) depth++;
    } while (depth > 0 && !cursor.atEnd);
  };
  unit.context.sections.guard(`unit ${unit.name ?? ''}`, scan, undefined);
  return { tops, functions };
}

/** Passes over the entry; undefined: it is no function with code. */
function readCode(cursor: RawCursor, skipper: EntrySkipper, plan: EntryPlan, offset: number): CodeEntry | undefined {
  let low: number | undefined;
  let high: number | undefined;
  let size: number | undefined;
  let hasCode = false;
  for (const step of plan.steps) {
    if (typeof step === 'number') {
      cursor.skip(step);
      continue;
    }
    const { name, form, implicitConst } = step;
    const value = skipper.operand(cursor, form, implicitConst);
    if (plan.tag !== Tag.DW_TAG_subprogram) continue;
    if (name === At.DW_AT_low_pc) {
      hasCode = true;
      if (form === Form.DW_FORM_addr) low = value;
    } else if (name === At.DW_AT_high_pc) {
      if (form === Form.DW_FORM_addr) high = value;
      else if (sizeForms.has(form)) size = value;
    } else if (name === At.DW_AT_ranges) hasCode = true;
  }
  if (!hasCode) return undefined;
  const end = low !== undefined && size !== undefined ? low + size : low === undefined ? undefined : high;
  // Bit 0 of a Thumb function's address is not part of it.
  return end === undefined || low === undefined
    ? { offset, low: 0, high: Infinity }
    : { offset, low: low - 1, high: end + 1 };
}

/** Whether the place of any variable changes from instruction to instruction; ends at the first one found. */
export function hasLocationLists(unit: Unit): boolean {
  const { cursor, skipper } = openUnit(unit, (_, name) => name === At.DW_AT_location);
  const scan = (): boolean => {
    let depth = 0;
    do {
      const plan = skipper.next(cursor);
      if (plan === undefined) {
        depth--;
        continue;
      }
      for (const step of plan.steps) {
        if (typeof step === 'number') cursor.skip(step);
        else {
          if (step.name === At.DW_AT_location && !blockForms.has(step.form)) return true;
          skipper.operand(cursor, step.form, step.implicitConst);
        }
      }
      if (plan.hasChildren) depth++;
    } while (depth > 0 && !cursor.atEnd);
    return false;
  };
  return unit.context.sections.guard(`unit ${unit.name ?? ''}`, scan, false);
}

const blockForms: ReadonlySet<number> = new Set([
  Form.DW_FORM_exprloc,
  Form.DW_FORM_block,
  Form.DW_FORM_block1,
  Form.DW_FORM_block2,
  Form.DW_FORM_block4,
]);
