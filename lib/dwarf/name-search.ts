/**
 * Which units a name can be in, found without looking at entries: a name stands in the unit itself (DW_FORM_string), or its offset in
 * the string section does (DW_FORM_strp), so that a search for these few bytes leaves out nearly all units of a large program. What is
 * found may be anything else by accident, which the entry around it tells; what is not found is not there.
 */
import { encodeInteger } from '../bytes';
import { At, Form } from './constants';
import { NameOperands } from './name-operand';
import type { DwarfSections } from './sections';
import type { Unit } from './unit';

/** More places in the string sections than these are not worth a pass over all units each. */
const mostTexts = 6;

const stringSections = ['.debug_str', '.debug_line_str'];
const unitSections = ['.debug_info', '.debug_types'] as const;

/** References that may lead to another unit, where the name of an entry then is. */
const crossingForms = [
  Form.DW_FORM_ref_addr,
  Form.DW_FORM_ref_sig8,
  Form.DW_FORM_ref_sup4,
  Form.DW_FORM_ref_sup8,
  Form.DW_FORM_indirect,
  // The first byte of the number.
  (Form.DW_FORM_GNU_ref_alt & 0x7f) | 0x80,
];

const none: ReadonlySet<Unit> = new Set();

export class NameSearch {
  private readonly known = new Map<string, ReadonlySet<Unit>>();
  private readonly sections: DwarfSections | undefined;
  /** The program's own, and those of its supplementary file, which has strings and units for it. */
  private readonly searched: readonly DwarfSections[];
  private lazyCrossing: readonly Unit[] | undefined;

  constructor(
    private readonly units: readonly Unit[],
    supplementary: readonly Unit[],
  ) {
    this.sections = units.at(0)?.context.sections;
    this.searched = [...new Set([...units.slice(0, 1), ...supplementary].map(({ context }) => context.sections))];
  }

  /** Units that may give that name to something, in order; the word is all of the name, or all before its template arguments. */
  unitsWith(word: string): readonly Unit[] {
    const found = this.find(word);
    return found.size === this.units.length ? this.units : this.units.filter((unit) => found.has(unit));
  }

  /** The same, and units whose functions may have their names in other units. */
  unitsOfFunction(word: string): readonly Unit[] {
    const found = new Set([...this.find(word), ...this.crossing]);
    return this.units.filter((unit) => found.has(unit));
  }

  private find(word: string): ReadonlySet<Unit> {
    let found = this.known.get(word);
    if (found === undefined) {
      const search = (): ReadonlySet<Unit> => this.search(word);
      // A file that can no longer be read has no names.
      found = this.sections?.guard(`search for ${word}`, search, none) ?? none;
      this.known.set(word, found);
    }
    return found;
  }

  private search(word: string): ReadonlySet<Unit> {
    const found = new Set<Unit>();
    // Those of .dwo files have string sections of their own, and are few.
    for (const unit of this.units) if (!this.searched.includes(unit.context.sections)) found.add(unit);
    const text = new TextEncoder().encode(word);
    const offsets = new Set<number>();
    for (const sections of this.searched) {
      for (const section of stringSections) {
        sections.search(section, text, (at, next) => {
          if (!isWordCharacter(next)) offsets.add(at);
        });
      }
    }
    // Units with a table of string offsets name its entries, which are different numbers in each.
    const isIndexed = offsets.size > 0 && this.searched.some((sections) => sections.has('.debug_str_offsets'));
    if (isIndexed || offsets.size > mostTexts) return new Set(this.units);
    for (const sections of this.searched) this.collect(sections, text, offsets, found);
    return found;
  }

  private collect(sections: DwarfSections, text: Uint8Array, offsets: ReadonlySet<number>, found: Set<Unit>): void {
    const patterns = [...offsets].map((offset) => encodeInteger(BigInt(offset), 4, sections.littleEndian));
    for (const section of unitSections) {
      const units = this.units.filter((unit) => unit.section === section && unit.context.sections === sections);
      if (units.length === 0) continue;
      // Of a .dwo file the type units stand before the unit in whose skeleton's place they are not.
      units.sort((one, other) => one.header.offset - other.header.offset);
      sections.searchEach(section, [
        { wanted: text, visit: collector(units, found, (next) => !isWordCharacter(next)) },
        ...patterns.map((wanted) => ({ wanted, visit: collector(units, found, () => true) })),
      ]);
    }
  }

  /** By their abbreviations; the pair of bytes may also be something else there. */
  private get crossing(): readonly Unit[] {
    this.lazyCrossing ??= this.sections?.guard('abbreviations', () => this.findCrossing(), []) ?? [];
    return this.lazyCrossing;
  }

  private findCrossing(): readonly Unit[] {
    const { sections, units } = this;
    if (sections === undefined) return [];
    const starts = [...new Set(units.map(({ header }) => header.abbrevOffset))].sort((a, b) => a - b);
    const tables = new Set<number>();
    for (const attribute of [At.DW_AT_abstract_origin, At.DW_AT_specification]) {
      let table = 0;
      sections.search('.debug_abbrev', Uint8Array.of(attribute), (at, form) => {
        while (table + 1 < starts.length && starts[table + 1] <= at) table++;
        if (form !== undefined && crossingForms.includes(form)) tables.add(starts[table]);
      });
    }
    return units.filter(({ header }) => tables.has(header.abbrevOffset));
  }
}

/** Notes the units that have what is visited as a name. */
function collector(
  units: readonly Unit[],
  found: Set<Unit>,
  isFound: (next: number | undefined) => boolean,
): (at: number, next: number | undefined) => number | undefined {
  let number = 0;
  let operands: NameOperands | undefined;
  return (at, next) => {
    for (; number < units.length && units[number].header.end <= at; number++) operands = undefined;
    if (number === units.length) return Infinity;
    const unit = units[number];
    const { header } = unit;
    if (at < header.firstDie || !isFound(next)) return undefined;
    if (!found.has(unit)) {
      operands ??= unit.context.sections.guard('names', () => new NameOperands(unit), undefined);
      if (operands?.holds(at) === false) return undefined;
      found.add(unit);
    }
    return header.end;
  };
}

function isWordCharacter(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  const isLetter = (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a;
  return isLetter || (byte >= 0x30 && byte <= 0x39) || byte === 0x5f || byte >= 0x80;
}
