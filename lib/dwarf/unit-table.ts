/**
 * All units of the program: headers are read at once, entries on demand. Finds entries across units (DW_FORM_ref_addr),
 * type units by signature, and the unit that holds an address.
 */
import { FormatError } from '../errors';
import { AddressIndex } from './address-index';
import { AbbreviationTables, type AbbreviationTable } from './abbrev';
import { At, UnitType } from './constants';
import type { Die } from './die';
import type { AddressRange } from './model';
import { rangesOf } from './ranges';
import type { DwarfSections } from './sections';
import { readUnitHeader, Unit, type UnitContext, type UnitHeader } from './unit';

/** The first index for which `isAfter` holds; it holds for all behind. */
function upperBound(count: number, isAfter: (index: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isAfter(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

export class UnitTable {
  readonly units: readonly Unit[];
  private readonly infoUnits: readonly Unit[];
  private readonly typeUnits: readonly Unit[];
  private lazyAddresses: AddressIndex | undefined;
  private readonly abbreviationTables: AbbreviationTables;
  private readonly signatures = new Map<bigint, Unit>();
  private readonly lazyRanges = new Map<Unit, readonly AddressRange[]>();

  constructor(
    private readonly sections: DwarfSections,
    private readonly readers: Pick<UnitContext, 'typeOf' | 'locationOf'>,
  ) {
    this.abbreviationTables = new AbbreviationTables(sections);
    this.infoUnits = this.readUnits('.debug_info');
    this.typeUnits = this.readUnits('.debug_types');
    this.units = [...this.infoUnits, ...this.typeUnits];
  }

  get context(): UnitContext {
    return {
      sections: this.sections,
      abbreviations: (offset: number): AbbreviationTable => this.abbreviationTables.at(offset),
      dieAt: (section, offset) => this.dieAt(section, offset),
      typeDieBySignature: (signature) => this.typeDieBySignature(signature),
      ...this.readers,
    };
  }

  dieAt(section: string, offset: number): Die | undefined {
    const units = section === '.debug_types' ? this.typeUnits : this.infoUnits;
    const after = upperBound(units.length, (n) => units[n].header.offset > offset);
    const unit = units.at(after - 1);
    return after > 0 && unit !== undefined && offset < unit.header.end ? unit.dieAt(offset) : undefined;
  }

  /** Units whose ranges hold an address; usually one. */
  unitsAt(address: bigint): readonly Unit[] {
    return this.addresses.unitsAt(address);
  }

  /** Whether the unit says where its code is. */
  hasRanges(unit: Unit): boolean {
    return this.addresses.hasRanges(unit);
  }

  private get addresses(): AddressIndex {
    this.lazyAddresses ??= new AddressIndex(this.sections, this.units, (unit) => this.rangesOf(unit));
    return this.lazyAddresses;
  }

  /** The entry that a DW_FORM_ref_sig8 means (7.32). */
  typeDieBySignature(signature: bigint): Die | undefined {
    const unit = this.signatures.get(signature);
    return unit?.header.typeDie === undefined ? undefined : unit.dieAt(unit.header.typeDie);
  }

  /** Ranges of code that the unit's first entry gives; empty where it gives none. */
  rangesOf(unit: Unit): readonly AddressRange[] {
    let ranges = this.lazyRanges.get(unit);
    if (ranges === undefined) {
      ranges = this.sections.guard(`ranges of unit ${unit.name ?? ''}`, () => rangesOf(unit.root), []);
      this.lazyRanges.set(unit, ranges);
    }
    return ranges;
  }

  /** A unit whose first entry is damaged is left out; a damaged header ends the section, as its length is lost. */
  private readUnits(section: UnitHeader['section']): Unit[] {
    const units: Unit[] = [];
    const context = this.context;
    const reader = this.sections.reader(section);
    const readAll = (): void => {
      while (!reader.atEnd) {
        const header = readUnitHeader(reader, section);
        reader.offset = header.end;
        const what = `unit at 0x${header.offset.toString(16)}`;
        const unit = this.sections.guard(what, () => this.open(header, context), undefined);
        if (unit === undefined) continue;
        units.push(unit);
        if (header.signature !== undefined) this.signatures.set(header.signature, unit);
      }
    };
    this.sections.guard(section, readAll, undefined);
    return units;
  }

  /** Split units are opened for what little they have, with a word about the rest. */
  private open(header: UnitHeader, context: UnitContext): Unit {
    const unit = new Unit(header, context);
    const { unitType } = header;
    const isSplit = unit.root.has(At.DW_AT_dwo_name) || unit.root.has(At.DW_AT_GNU_dwo_name);
    if (isSplit || (unitType >= UnitType.DW_UT_skeleton && unitType <= UnitType.DW_UT_split_type)) {
      const name = (): string | undefined =>
        unit.root.string(At.DW_AT_dwo_name) ?? unit.root.string(At.DW_AT_GNU_dwo_name);
      const dwo = this.sections.guard('name of a .dwo file', name, undefined) ?? 'a .dwo file';
      const detail = `split debug information (-gsplit-dwarf): functions, variables and types of ${unit.name ?? 'this unit'} are in ${dwo}, which is not read; build without -gsplit-dwarf (lines are known)`;
      this.sections.report(new FormatError('bad-version', header.section, header.offset, detail).message);
    }
    return unit;
  }
}
