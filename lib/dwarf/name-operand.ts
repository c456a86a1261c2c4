/**
 * Whether bytes that look like a name, or like the offset of one, are that: entries are walked up to the place (7.5.2), past all that
 * DW_AT_sibling leads past. Offsets of strings are small numbers, as references and sizes are: most places where the bytes of one stand
 * in a large program are something else, and to look through all names of a unit in vain takes a hundred times as long.
 */
import { FormatError } from '../errors';
import { At, Form } from './constants';
import { EntrySkipper, type EntryPlan } from './entry-skipper';
import { RawCursor } from './raw-cursor';
import type { Unit } from './unit';

const nameAttributes: ReadonlySet<number> = new Set([At.DW_AT_name, At.DW_AT_linkage_name, At.DW_AT_MIPS_linkage_name]);

const isOfNames = (_: number, name: number): boolean => nameAttributes.has(name);

export class NameOperands {
  private readonly cursor: RawCursor;
  private readonly skipper: EntrySkipper;
  private readonly unitStart: number;

  /** Throws FormatError where the unit's abbreviations cannot be read. */
  constructor(unit: Unit) {
    const { header, context } = unit;
    const { firstDie, end, section, offset } = header;
    // The search that asks has the memory that is used again and again.
    const window = context.sections.window(section, firstDie, end);
    const bytes = window.bytes.subarray(firstDie - window.start, end - window.start);
    this.cursor = new RawCursor(bytes, unit.littleEndian, section, firstDie);
    this.skipper = EntrySkipper.of(unit.abbreviations, header, isOfNames);
    this.unitStart = offset;
  }

  /** Places, by their offset in the section, are asked for in order. Of a damaged unit any place may be one. */
  holds(place: number): boolean {
    const { cursor } = this;
    try {
      while (!cursor.atEnd) {
        const start = cursor.offset;
        const plan = this.skipper.next(cursor);
        if (plan === undefined) continue;
        const isHeld = this.passEntry(plan, place);
        if (isHeld !== undefined) {
          // The next place may be in the same entry.
          cursor.offset = start;
          return isHeld;
        }
      }
      return false;
    } catch (error) {
      if (error instanceof FormatError) return true;
      throw error;
    }
  }

  /** undefined: the place is behind the entry. */
  private passEntry(plan: EntryPlan, place: number): boolean | undefined {
    const { cursor, skipper } = this;
    const operands = cursor.offset;
    let sibling = 0;
    if (plan.size >= 0) {
      cursor.skip(plan.size);
      if (plan.siblingAt >= 0) sibling = cursor.wordAt(operands + plan.siblingAt - cursor.start);
    } else {
      for (const step of plan.steps) {
        if (typeof step === 'number') cursor.skip(step);
        else {
          const { offset } = cursor;
          const value = skipper.operand(cursor, step.form, step.implicitConst);
          if (offset <= place && place < cursor.offset && nameAttributes.has(step.name)) return true;
          if (step.name === At.DW_AT_sibling && step.form !== Form.DW_FORM_ref_addr) sibling = value;
        }
      }
    }
    if (place < cursor.offset) return false;
    const end = this.unitStart + sibling;
    if (sibling > 0 && end > cursor.offset && end <= place) cursor.offset = end;
    return undefined;
  }
}
