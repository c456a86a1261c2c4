/**
 * All units of the program: headers are read at once, entries on demand. Finds entries across units (DW_FORM_ref_addr),
 * type units by signature, and the unit that holds an address. Where a .dwo file has the rest of a unit, the two are one.
 */
import { FormatError } from '../errors';
import { AddressIndex } from './address-index';
import { AbbreviationTables, type AbbreviationTable } from './abbrev';
import { At, Form, UnitType } from './constants';
import type { Die } from './die';
import type { AddressRange } from './model';
import { rangesOf } from './ranges';
import type { DwarfSections } from './sections';
import { idOf, isSkeleton, type MakeUnits, type SplitFiles } from './split-files';
import { Unit, type UnitContext } from './unit';
import { readUnitHeaders, type UnitHeader } from './unit-header';

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

/** What does not depend on the sections that a unit is in. */
export type UnitReaders = Omit<UnitContext, 'sections' | 'abbreviations' | 'dieAt' | 'typeDieBySignature'>;

export class UnitTable {
  readonly units: readonly Unit[];
  /** Files with the rest of units that nobody has given. */
  readonly missing: SplitName[] = [];
  private readonly infoUnits: readonly Unit[];
  private readonly typeUnits: readonly Unit[];
  private lazyAddresses: AddressIndex | undefined;
  private lazyMaySplit: boolean | undefined;
  private readonly abbreviationTables: AbbreviationTables;
  private readonly lazyRanges = new Map<Unit, readonly AddressRange[]>();

  constructor(
    readonly sections: DwarfSections,
    private readonly readers: UnitReaders,
    private readonly splitFiles?: (makeUnits: MakeUnits) => SplitFiles,
    private readonly signatures = new Map<bigint, Unit>(),
  ) {
    this.abbreviationTables = new AbbreviationTables(sections);
    this.infoUnits = this.readUnits('.debug_info');
    this.typeUnits = this.readUnits('.debug_types');
    const own = [...this.infoUnits, ...this.typeUnits];
    const skeletons =
      splitFiles === undefined ? [] : own.filter((unit) => this.mayBeSkeleton(unit) && isSkeleton(unit));
    this.units = skeletons.length === 0 ? own : this.joined(own, new Set(skeletons));
  }

  /** What the units that are only skeletons here lack, in their places. */
  private joined(own: readonly Unit[], skeletons: ReadonlySet<Unit>): readonly Unit[] {
    const makeUnits: MakeUnits = (sections) => new UnitTable(sections, this.readers, undefined, this.signatures).units;
    const files = this.splitFiles?.(makeUnits);
    const units = own.map((unit) => {
      if (!skeletons.has(unit)) return unit;
      const full = files?.unitOf(this.sections.guard('id of a .dwo file', () => idOf(unit), undefined));
      if (full === undefined) this.reportMissing(unit);
      else full.skeleton = unit;
      return full ?? unit;
    });
    return [...units, ...(files?.typeUnits ?? [])];
  }

  private mayBeSkeleton({ header }: Unit): boolean {
    return this.maySplit || header.unitType >= UnitType.DW_UT_skeleton;
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
      ranges = this.sections.guard(
        `ranges of unit ${unit.name ?? ''}`,
        () => rangesOf((unit.skeleton ?? unit).root),
        [],
      );
      this.lazyRanges.set(unit, ranges);
    }
    return ranges;
  }

  private readUnits(section: UnitHeader['section']): Unit[] {
    const context = this.context;
    return readUnitHeaders(this.sections, section).map((header) => {
      const unit = new Unit(header, context);
      if (header.signature !== undefined) this.signatures.set(header.signature, unit);
      return unit;
    });
  }

  /** Whether any abbreviation may have the attribute that names a .dwo file. */
  private get maySplit(): boolean {
    this.lazyMaySplit ??= this.sections.guard('abbreviations', () => this.findDwoNames(), true);
    return this.lazyMaySplit;
  }

  private findDwoNames(): boolean {
    const names = [Uint8Array.of(At.DW_AT_dwo_name), encodeUleb(At.DW_AT_GNU_dwo_name)];
    return names.some((name) => {
      let isFound = false;
      this.sections.search('.debug_abbrev', name, (_, form) => {
        isFound ||= form !== undefined && stringForms.has(form);
        return isFound ? Infinity : undefined;
      });
      return isFound;
    });
  }

  /** Files and lines are known without the other file. */
  private reportMissing(unit: Unit): void {
    const { header, root } = unit;
    const split = this.sections.guard('name of a .dwo file', () => splitNameOf(root), undefined);
    if (split !== undefined) this.missing.push(split);
    const { name: dwo, directory } = split ?? { name: 'a .dwo file', directory: undefined };
    const place = directory === undefined ? '' : ` (compiled in ${directory})`;
    const source = this.sections.guard('name', () => root.name, undefined) ?? 'this unit';
    const detail = `split debug information (-gsplit-dwarf): functions, variables and types of ${source} are in ${dwo}${place}, which is not there, damaged or of another build; put it, or a .dwp of all, beside the ELF, or build without -gsplit-dwarf (lines are known)`;
    this.sections.report(new FormatError('bad-version', header.section, header.offset, detail).message);
  }
}

/** What a skeleton calls the file with the rest, and where it was compiled. */
export interface SplitName {
  readonly name: string;
  readonly directory: string | undefined;
}

function splitNameOf(root: Die): SplitName | undefined {
  const name = root.string(At.DW_AT_dwo_name) ?? root.string(At.DW_AT_GNU_dwo_name);
  return name === undefined ? undefined : { name, directory: root.string(At.DW_AT_comp_dir) };
}

/** Forms that a name has, as one byte. */
const stringForms: ReadonlySet<number> = new Set([
  Form.DW_FORM_string,
  Form.DW_FORM_strp,
  Form.DW_FORM_line_strp,
  Form.DW_FORM_strx,
  Form.DW_FORM_strx1,
  Form.DW_FORM_strx2,
  Form.DW_FORM_strx3,
  Form.DW_FORM_strx4,
  Form.DW_FORM_indirect,
  // The first bytes of numbers.
  (Form.DW_FORM_GNU_str_index & 0x7f) | 0x80,
  (Form.DW_FORM_GNU_strp_alt & 0x7f) | 0x80,
]);

/** Of a number of two bytes (7.6). */
function encodeUleb(value: number): Uint8Array {
  return Uint8Array.of((value & 0x7f) | 0x80, value >> 7);
}
