/**
 * What a unit consists of, found in one pass that makes no objects of entries (7.5.2): where its top-level entries begin, and
 * which functions have code. From it one entry is read with the top-level entry around it, and nothing else of the unit.
 */
import { At, Form, Tag } from './constants';
import { EntrySkipper, type EntryPlan, type WantedAttribute } from './entry-skipper';
import { isCPlusPlus } from './qualified-name';
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

const isLocation = (_: number, name: number): boolean => name === At.DW_AT_location;

function openUnit(
  unit: Unit,
  isWanted: WantedAttribute,
): { readonly cursor: RawCursor; readonly skipper: EntrySkipper } {
  const { header, context } = unit;
  const cursor = context.sections.cursor(header.section, header.firstDie, header.end);
  return { cursor, skipper: EntrySkipper.of(unit.abbreviations, header, isWanted) };
}

/** A damaged entry ends the outline; what came before it stays. */
export function readOutline(unit: Unit): UnitOutline {
  return scanUnit(unit, () => false);
}

/** Without what is inside of functions and types, which DW_AT_sibling leads past: nested functions are missing. */
export function readSketch(unit: Unit): UnitOutline {
  return scanUnit(unit, (tag) => !descendedTags.has(tag));
}

const descendedTags: ReadonlySet<number> = new Set([
  Tag.DW_TAG_compile_unit,
  Tag.DW_TAG_partial_unit,
  Tag.DW_TAG_type_unit,
  Tag.DW_TAG_skeleton_unit,
  Tag.DW_TAG_namespace,
]);

function scanUnit(unit: Unit, isPassedBy: (tag: number) => boolean): UnitOutline {
  const tops: number[] = [];
  const functions: CodeEntry[] = [];
  const scan = (): void => scanEntries(unit, isPassedBy, tops, functions);
  unit.context.sections.guard(`unit ${unit.name ?? ''}`, scan, undefined);
  return { tops, functions };
}

function scanEntries(unit: Unit, isPassedBy: (tag: number) => boolean, tops: number[], functions: CodeEntry[]): void {
  const { cursor, skipper } = openUnit(unit, isCodeAttribute);
  const { bytes, start } = cursor;
  const unitStart = unit.header.offset - start;
  const { plans } = skipper;
  const entry = new EntryFacts();
  let depth = 0;
  let at = 0;
  do {
    if (bytes[at] === 0) {
      at++;
      depth--;
      continue;
    }
    const offset = start + at;
    let plan = plans[bytes[at]];
    let sibling = 0;
    // Nearly all entries have a code of one byte and operands of fixed size: these are passed over without calls.
    if (bytes[at] < 0x80 && plan !== undefined && plan.size >= 0 && at + 1 + plan.size <= bytes.length) {
      if (depth === 1) tops.push(offset);
      if (plan.siblingAt >= 0) sibling = cursor.wordAt(at + 1 + plan.siblingAt);
      at += 1 + plan.size;
    } else {
      cursor.offset = offset;
      plan = skipper.next(cursor);
      if (plan !== undefined) {
        if (depth === 1) tops.push(offset);
        readEntry(cursor, skipper, plan, entry);
        if (entry.hasCode) functions.push(codeOf(offset, entry));
        sibling = entry.sibling;
      } else depth--;
      at = cursor.offset - start;
    }
    if (plan?.hasChildren !== true) continue;
    const end = unitStart + sibling;
    if (sibling > 0 && end > at && end <= bytes.length && isPassedBy(plan.tag)) at = end;
    else depth++;
  } while (depth > 0 && at < bytes.length);
}

/** What is wanted of the entry that was passed over last. */
class EntryFacts {
  hasCode = false;
  low: number | undefined;
  high: number | undefined;
  size: number | undefined;
  /** From the beginning of the unit; 0: there is none. */
  sibling = 0;
}

function readEntry(cursor: RawCursor, skipper: EntrySkipper, plan: EntryPlan, entry: EntryFacts): void {
  entry.hasCode = false;
  entry.low = entry.high = entry.size = undefined;
  entry.sibling = 0;
  for (const step of plan.steps) {
    if (typeof step === 'number') {
      cursor.skip(step);
      continue;
    }
    const { name, form, implicitConst } = step;
    const value = skipper.operand(cursor, form, implicitConst);
    if (name === At.DW_AT_sibling) entry.sibling = form === Form.DW_FORM_ref_addr ? 0 : value;
    else if (plan.tag === Tag.DW_TAG_subprogram) noteCode(entry, name, form, value);
  }
}

function noteCode(entry: EntryFacts, name: number, form: number, value: number): void {
  if (name === At.DW_AT_low_pc) {
    entry.hasCode = true;
    if (form === Form.DW_FORM_addr) entry.low = value;
  } else if (name === At.DW_AT_high_pc) {
    if (form === Form.DW_FORM_addr) entry.high = value;
    else if (sizeForms.has(form)) entry.size = value;
  } else if (name === At.DW_AT_ranges) entry.hasCode = true;
}

function codeOf(offset: number, { low, high, size }: EntryFacts): CodeEntry {
  const end = low !== undefined && size !== undefined ? low + size : low === undefined ? undefined : high;
  // Bit 0 of a Thumb function's address is not part of it.
  return end === undefined || low === undefined
    ? { offset, low: 0, high: Infinity }
    : { offset, low: low - 1, high: end + 1 };
}

/** Whether the place of any variable changes from instruction to instruction; ends at the first one found. */
export function hasLocationLists(unit: Unit): boolean {
  const scan = (): boolean => {
    const { cursor, skipper } = openUnit(unit, isLocation);
    // Behind the types, which come first: most often the first function of optimized code has one.
    const first = unit.sketch.functions.at(0)?.offset ?? 0;
    const top = lastUpTo(unit.sketch.tops, first);
    if (top >= 0) {
      cursor.offset = unit.sketch.tops[top];
      if (findLocationList(unit, cursor, skipper, 1)) return true;
      cursor.offset = unit.header.firstDie;
    }
    return findLocationList(unit, cursor, skipper, 0);
  };
  return unit.context.sections.guard(`unit ${unit.name ?? ''}`, scan, false);
}

/** Index of the last of some numbers in order that is not above another one; -1: all are. */
export function lastUpTo(sorted: readonly number[], most: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] > most) high = middle;
    else low = middle + 1;
  }
  return low - 1;
}

/** From a depth in the tree on. */
function findLocationList(unit: Unit, cursor: RawCursor, skipper: EntrySkipper, from: number): boolean {
  // In C++ a type may have functions in it.
  const passedBy = isCPlusPlus(unit) ? noTags : typeTags;
  let depth = from;
  do {
    const plan = skipper.next(cursor);
    if (plan === undefined) {
      depth--;
      continue;
    }
    let sibling = 0;
    for (const step of plan.steps) {
      if (typeof step === 'number') cursor.skip(step);
      else {
        if (step.name === At.DW_AT_location && !blockForms.has(step.form)) return true;
        const value = skipper.operand(cursor, step.form, step.implicitConst);
        if (step.name === At.DW_AT_sibling && step.form !== Form.DW_FORM_ref_addr) sibling = value;
      }
    }
    const end = unit.header.offset + sibling;
    if (!plan.hasChildren) continue;
    // Members and enumerators have no places that change.
    if (passedBy.has(plan.tag) && end > cursor.offset && end <= cursor.end) cursor.offset = end;
    else depth++;
  } while (depth > 0 && !cursor.atEnd);
  return false;
}

const typeTags: ReadonlySet<number> = new Set([
  Tag.DW_TAG_structure_type,
  Tag.DW_TAG_union_type,
  Tag.DW_TAG_enumeration_type,
  Tag.DW_TAG_array_type,
  Tag.DW_TAG_subroutine_type,
]);

const noTags: ReadonlySet<number> = new Set();

const blockForms: ReadonlySet<number> = new Set([
  Form.DW_FORM_exprloc,
  Form.DW_FORM_block,
  Form.DW_FORM_block1,
  Form.DW_FORM_block2,
  Form.DW_FORM_block4,
]);
