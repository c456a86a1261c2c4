/**
 * The debug information of one program, static part: units, files, line tables, functions, scopes, types, variables and
 * frame rows, all at link addresses. Unit headers are read at once, everything else at first use and then kept.
 * Damaged data never throws from here: it becomes an entry of `problems` and an absent or 'unknown' value.
 */
import { FormatError } from '../errors';
import { templateBase, templateKey } from './base-type-name';
import { FrameTable } from './cfi';
import { At, Tag } from './constants';
import type { Die } from './die';
import { scopesAt, Subprogram, type FunctionContext } from './function';
import { filesOfRows } from './line-files';
import { languagesOfImports, withImports } from './imported-units';
import { FileTable } from './line-index';
import { LineTables, type UnitLines } from './line-tables';
import { macinfoEvents, type MacroEvent, macroEvents, type MacroSections } from './macro';
import { type MacroDefinition, type MacroPosition, MacroTable } from './macro-table';
import type {
  CfiRow,
  Enumerator,
  EnumType,
  FunctionInfo,
  LineRow,
  LocationDescription,
  Scope,
  SourceFile,
  SourcePosition,
  Type,
  UnitInfo,
  VariableInfo,
} from './model';
import { instanceKey, NameIndex } from './name-index';
import { isCPlusPlus, qualifiedName } from './qualified-name';
import { contains, rangesOf } from './ranges';
import type { MachineRegisters } from './regnum';
import { DwarfSections, type DwarfOptions } from './sections';
import { type Sections, SplitFiles } from './split-files';
import { isLinked, missingSupplementary, supplementaryLink, type SupplementaryLink } from './supplementary';
import { TypeReader } from './type';
import type { Unit } from './unit';
import { hasLocationLists, type UnitOutline } from './unit-outline';
import { type SplitName, type UnitReaders, UnitTable } from './unit-table';
import { readVariable, variableLocation, type GlobalVariable } from './variable';

export type { UnitLines } from './line-tables';
export type { GlobalVariable } from './variable';

export type TypeNamespace = 'struct' | 'union' | 'enum' | 'class' | 'typedef' | 'base' | 'any';

/** `struct` and `class` are one in C++. 'any': what a C++ name alone can mean, typedefs included. */
const tagsOfNamespace: Readonly<Record<TypeNamespace, readonly number[]>> = {
  struct: [Tag.DW_TAG_structure_type, Tag.DW_TAG_class_type],
  class: [Tag.DW_TAG_class_type, Tag.DW_TAG_structure_type],
  union: [Tag.DW_TAG_union_type],
  enum: [Tag.DW_TAG_enumeration_type],
  typedef: [Tag.DW_TAG_typedef, Tag.DW_TAG_template_alias],
  base: [Tag.DW_TAG_base_type],
  any: [
    Tag.DW_TAG_structure_type,
    Tag.DW_TAG_class_type,
    Tag.DW_TAG_union_type,
    Tag.DW_TAG_enumeration_type,
    Tag.DW_TAG_typedef,
    Tag.DW_TAG_template_alias,
  ],
};

/** DW_INL_inlined, DW_INL_declared_inlined (7.20). */
const inlinedOnly = 1;
const declaredInlined = 3;

/** What has been read so far. */
export interface ReadCounts {
  readonly units: number;
  /** Units whose tree of entries was read, and those entries. */
  readonly trees: number;
  readonly entries: number;
  /** Units whose names were looked through without reading their entries. */
  readonly indexed: number;
  readonly lineTables: number;
}

interface SupplementaryUnits {
  readonly sections: DwarfSections;
  readonly units: UnitTable;
  readonly lines: LineTables;
}

export class DebugInfo {
  readonly littleEndian: boolean;
  readonly addressSize: 4 | 8;
  private readonly sections: DwarfSections;
  private readonly unitTable: UnitTable;
  private readonly types: TypeReader;
  private readonly frames: FrameTable;
  private readonly lines: LineTables;
  /** What dwz has moved to another file. */
  private readonly shared: SupplementaryUnits | undefined;
  /** The file with it, where that was not given. */
  readonly missingSupplementary: SupplementaryLink | undefined;
  private lazyLanguages: ReadonlyMap<Unit, number> | undefined;
  private readonly functionsOfUnit = new Map<Unit, readonly Subprogram[]>();
  private readonly functionByDie = new Map<Die, Subprogram | undefined>();
  private readonly locationLists = new Map<UnitInfo, boolean>();
  private lazyNames: NameIndex | undefined;
  private readonly globalsOfUnit = new Map<UnitInfo, readonly GlobalVariable[]>();
  private readonly globalByDie = new Map<Die, readonly GlobalVariable[]>();
  private readonly macroTables = new Map<UnitInfo, MacroTable | undefined>();
  private lazyUnitsWithoutRanges: readonly Unit[] | undefined;
  private lazyGlobals: readonly GlobalVariable[] | undefined;
  private lazyFunctions: readonly FunctionInfo[] | undefined;

  /** `companions`: sections of .dwo and .dwp files and of supplementary ones, in any order; what is of another build is not used. */
  constructor(sections: Sections, options: DwarfOptions, companions: readonly Sections[] = []) {
    this.sections = new DwarfSections(sections, options);
    this.littleEndian = options.littleEndian;
    this.addressSize = options.addressSize;
    const guard = this.guard;
    this.types = new TypeReader({
      guard,
      positionOf: (die) => this.positionOf(die),
      definitionOf: (tag, name) => this.definitionOf(tag, name),
      staticMember: (die) => this.staticMember(die),
    });
    const link = guard('supplementary file', () => supplementaryLink(sections, this.littleEndian), undefined);
    const readers: UnitReaders = {
      typeOf: (die) => this.types.typeOf(die),
      locationOf: (die) => this.locationOf(die),
      frameRangeAt: (address) => this.frames.rangeAt(address),
      languageOfImport: (unit) => this.languages.get(unit),
      supplementary: () => {
        if (this.shared !== undefined) return this.shared.units;
        const where = link === undefined ? 'that the program does not name' : `${link.name}, which is not there`;
        throw new FormatError('bad-form', '.debug_info', 0, `it is in the supplementary file ${where}`);
      },
    };
    const together = { ...options, problems: this.sections.problems };
    const files = new FileTable();
    const other = link && companions.find((file) => isLinked(file, this.littleEndian, link));
    if (other !== undefined) {
      const its = new DwarfSections(other, together);
      const units = new UnitTable(its, readers);
      this.shared = { sections: its, units, lines: new LineTables(its, units.units, files) };
    } else if (link !== undefined) {
      this.missingSupplementary = link;
      this.sections.report(missingSupplementary(link));
    }
    this.unitTable = new UnitTable(
      this.sections,
      readers,
      (makeUnits) => new SplitFiles(sections, companions, together, makeUnits),
    );
    this.lines = new LineTables(this.sections, this.unitTable.units, files);
    this.frames = new FrameTable(this.sections, options.ehFrameAddress);
  }

  get units(): readonly UnitInfo[] {
    return this.unitTable.units;
  }

  /** .dwo files with the most of some units, which were not among the given ones. */
  get missingSplitFiles(): readonly SplitName[] {
    return this.unitTable.missing;
  }

  /** Register numbers and names of this machine. */
  get registers(): MachineRegisters {
    return this.sections.registers;
  }

  /** What could not be read so far; reading more may add to it. */
  get problems(): readonly string[] {
    return this.sections.problems;
  }

  /** Files of all line tables that name code or declarations. */
  get files(): readonly SourceFile[] {
    return this.lines.files();
  }

  /** The same of the line tables that may have a file of that name, in whatever case; the caller selects. */
  filesNear(name: string): readonly SourceFile[] {
    return this.lines.filesNear(name);
  }

  /** Units whose line tables have the file, in order. */
  unitsOfFile(file: SourceFile): readonly UnitInfo[] {
    return this.lines.unitsOf(file);
  }

  /** Those that code is of; no rows are made for it. */
  filesWithCode(): ReadonlySet<SourceFile> {
    const found = new Set<SourceFile>();
    for (const { table, files } of this.unitLines()) {
      const numbers = this.guard('files of a line table', () => filesOfRows(this.sections, table.header), new Set());
      for (const number of numbers) {
        const file = files.file(number);
        if (file !== undefined) found.add(file);
      }
    }
    return found;
  }

  /** The line tables of all units; units that share one appear once. */
  unitLines(): readonly UnitLines[] {
    return this.lines.all();
  }

  /** All sequences of all line tables. */
  *lineRows(): IterableIterator<readonly LineRow[]> {
    for (const { sequences } of this.unitLines()) yield* sequences;
  }

  /** The last row whose instructions include pc, as the table says it (stepping wants program/'s rules instead). */
  rowAt(pc: bigint): LineRow | undefined {
    const own = this.unitAt(pc);
    for (const sequence of (own && this.linesOf(own)?.sequences) ?? this.lineRows()) {
      if (pc < sequence[0].address || pc >= sequence[sequence.length - 1].address) continue;
      let found: LineRow | undefined;
      for (const row of sequence) if (row.address <= pc) found = row;
      return found;
    }
    return undefined;
  }

  functions(): readonly FunctionInfo[] {
    this.lazyFunctions ??= this.unitTable.units.flatMap((unit) => this.subprograms(unit));
    return this.lazyFunctions;
  }

  functionAt(pc: bigint): FunctionInfo | undefined {
    return this.functionIn(this.unitTable.unitsAt(pc), pc) ?? this.functionIn(this.unitsWithoutRanges, pc);
  }

  /** Nested functions are looked for where no other one holds pc. */
  private functionIn(units: readonly Unit[], pc: bigint): FunctionInfo | undefined {
    for (const unit of units) {
      const found = this.functionAmong(unit, unit.sketch, pc) ?? this.functionAmong(unit, unit.outline, pc);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Of the functions of a unit only those are read that may hold pc. */
  private functionAmong(unit: Unit, { functions }: UnitOutline, pc: bigint): FunctionInfo | undefined {
    const wanted = Number(pc);
    for (const { offset, low, high } of functions) {
      if (wanted < low || wanted > high) continue;
      const found = this.functionAtOffset(unit, offset);
      if (found !== undefined && contains(found.ranges, pc)) return found;
    }
    return undefined;
  }

  /** The unit whose code holds pc. */
  unitAt(pc: bigint): UnitInfo | undefined {
    return this.unitTable.unitsAt(pc).at(0) ?? this.functionAt(pc)?.unit;
  }

  /** They may still have functions: producers of assembly and damaged files. */
  private get unitsWithoutRanges(): readonly Unit[] {
    this.lazyUnitsWithoutRanges ??= this.unitTable.units.filter(
      (unit) => !this.unitTable.hasRanges(unit) && unit.outline.functions.length > 0,
    );
    return this.lazyUnitsWithoutRanges;
  }

  /** Functions with code of one unit. */
  functionsOf(unit: UnitInfo): readonly FunctionInfo[] {
    return this.subprograms(unit as Unit);
  }

  /** Functions of the units that have, declare or inline one whose name passes, qualified or not; the caller selects. */
  functionsNear(wanted: ((name: string) => boolean) & { readonly exact?: string }): readonly FunctionInfo[] {
    const { exact } = wanted;
    const candidates = exact === undefined ? this.unitTable.units : this.names.unitsOfFunction(exact);
    const units = candidates.filter((unit) => this.names.namesFunction(unit, wanted));
    return units.flatMap((unit) => this.subprograms(unit));
  }

  /** Functions with code of that name, in C++ qualified or not, or of that linkage name. */
  functionsNamed(name: string): readonly FunctionInfo[] {
    const key = templateKey(name);
    const isNamed = (one: FunctionInfo): boolean =>
      templateKey(one.name) === key || templateKey(one.shortName) === key || one.linkageName === name;
    return this.names.functionsNamed(name).flatMap((die) => {
      const found = this.functionOf(die);
      return found !== undefined && isNamed(found) ? [found] : [];
    });
  }

  /** Functions with code that a template of that name, in C++ qualified or not, was made into: `largest<int>`. */
  instancesNamed(template: string): readonly FunctionInfo[] {
    const key = templateKey(template);
    const isNamed = (name: string): boolean => templateKey(templateBase(name) ?? '') === key;
    return this.names.functionsNamed(instanceKey(template)).flatMap((die) => {
      const found = this.functionOf(die);
      return found !== undefined && (isNamed(found.name) || isNamed(found.shortName)) ? [found] : [];
    });
  }

  /** A function of that name that is only declared, or of which every call was inlined (DW_AT_inline, 3.3.8.1). */
  codelessFunction(name: string): { readonly isInlined: boolean } | undefined {
    const dies = [name, instanceKey(name)].flatMap((key) => this.names.functionEntries(key));
    if (dies.length === 0) return undefined;
    const inlined = (die: Die): boolean => {
      const mode = die.number(At.DW_AT_inline);
      return mode === inlinedOnly || mode === declaredInlined;
    };
    return { isInlined: dies.some((die) => this.guard('DW_AT_inline', () => inlined(die), false)) };
  }

  /** Scopes that hold pc, innermost first, the function's own last; empty outside of functions. */
  scopesAt(pc: bigint): readonly Scope[] {
    const found = this.functionAt(pc);
    return found === undefined ? [] : scopesAt(found.scope, pc);
  }

  /** Variables of file scope, static ones included. */
  globals(): readonly GlobalVariable[] {
    this.lazyGlobals ??= this.unitTable.units.flatMap((unit) => this.globalsOf(unit));
    return this.lazyGlobals;
  }

  globalsOf(unit: UnitInfo): readonly GlobalVariable[] {
    let found = this.globalsOfUnit.get(unit);
    if (found === undefined) {
      found = this.names.globalsOf(unit as Unit).flatMap((die) => this.globalOf(die));
      this.globalsOfUnit.set(unit, found);
    }
    return found;
  }

  /** Those of a name, qualified in C++, in the order of the units. */
  globalsNamed(name: string): readonly GlobalVariable[] {
    return this.names.globalsNamed(name).flatMap((die) => this.globalOf(die));
  }

  /** The macros of a unit at a line of it; undefined: the compiler kept none (it does with -g3). */
  macrosAt(unit: UnitInfo, position: MacroPosition | undefined): ReadonlyMap<string, MacroDefinition> | undefined {
    if (!this.macroTables.has(unit)) this.macroTables.set(unit, this.readMacros(unit as Unit));
    return this.macroTables.get(unit)?.at(position);
  }

  /** Without reading any. */
  hasMacros(unit: UnitInfo): boolean {
    const { root } = unit as Unit;
    const attributes = [At.DW_AT_macros, At.DW_AT_GNU_macros, At.DW_AT_macro_info];
    return attributes.some((attribute) => root.sectionOffset(attribute) !== undefined);
  }

  private readMacros(unit: Unit): MacroTable | undefined {
    const { root } = unit;
    const { littleEndian } = this;
    const sections = this.macroSectionsOf(unit.context.sections);
    const at = root.sectionOffset(At.DW_AT_macros) ?? root.sectionOffset(At.DW_AT_GNU_macros);
    const old = root.sectionOffset(At.DW_AT_macro_info);
    const read = (): MacroEvent[] =>
      at === undefined ? macinfoEvents(sections, littleEndian, old ?? 0) : macroEvents(sections, littleEndian, at);
    const events = at === undefined && old === undefined ? undefined : this.guard('macros', read, undefined);
    return events && new MacroTable(events, (number) => this.linesOf(unit)?.files.file(number));
  }

  /** Namespaces that `using namespace` names in a unit, wherever it stands there (DWARF 5, 3.2.4). */
  usedNamespaces(unit: UnitInfo): readonly string[] {
    if (!isCPlusPlus(unit)) return [];
    const entries = [...withImports(unit as Unit)].flatMap(({ dies }) => [...dies.values()]);
    const imports = entries.filter(({ tag }) => tag === Tag.DW_TAG_imported_module);
    const names = imports.flatMap((die) => {
      const what = `using directive at 0x${die.offset.toString(16)}`;
      const namespace = this.guard(what, () => die.reference(At.DW_AT_import), undefined);
      return (namespace && qualifiedName(namespace)?.replaceAll('(anonymous namespace)::', '')) ?? [];
    });
    return [...new Set(names)];
  }

  /** Names of functions and variables of file scope; no entry is read for it. */
  globalNames(): readonly { readonly name: string; readonly isFunction: boolean }[] {
    return this.unitTable.units.flatMap((unit) => this.names.namesOf(unit));
  }

  private globalOf(die: Die): readonly GlobalVariable[] {
    let known = this.globalByDie.get(die);
    if (known === undefined) {
      const variable = readVariable(die, this.functionContext);
      known =
        variable === undefined ? [] : [{ ...variable, name: qualifiedName(die) ?? variable.name, unit: die.unit }];
      this.globalByDie.set(die, known);
    }
    return known;
  }

  typeNamed(namespace: TypeNamespace, name: string): Type | undefined {
    const die = this.names.type(tagsOfNamespace[namespace], name);
    return die && this.types.typeOf(die);
  }

  enumeratorNamed(name: string): { readonly type: EnumType; readonly enumerator: Enumerator } | undefined {
    const die = this.names.enumeration(name);
    const type = die && this.types.typeOf(die);
    if (type?.kind !== 'enum') return undefined;
    const last = name.replace(/^.*::/, '');
    const enumerator = type.enumerators.find((one) => one.name === last || one.name.endsWith(`::${last}`));
    return enumerator && { type, enumerator };
  }

  /** The rules for the frame of the function at pc (6.4). */
  cfiAt(pc: bigint): CfiRow | undefined {
    return this.frames.rowAt(pc, () => this.functionAt(pc)?.ranges.find((range) => contains([range], pc)));
  }

  /** All rows of all functions. */
  cfiRows(): readonly CfiRow[] {
    return this.frames.fdes.flatMap((fde) => this.frames.rows(fde));
  }

  /** Whether the place of any variable of the unit changes from instruction to instruction, as in optimized code. */
  hasLocationLists(unit: UnitInfo): boolean {
    let known = this.locationLists.get(unit);
    if (known === undefined) this.locationLists.set(unit, (known = hasLocationLists(unit as Unit)));
    return known;
  }

  linesOf(unit: UnitInfo): UnitLines | undefined {
    const { context } = unit as Unit;
    const tables = context.sections === this.shared?.sections ? this.shared.lines : this.lines;
    return tables.of(unit as Unit);
  }

  /** By partial units of dwz, which leaves it out. */
  private get languages(): ReadonlyMap<Unit, number> {
    this.lazyLanguages ??= languagesOfImports(this.unitTable.units);
    return this.lazyLanguages;
  }

  /** What the units' macros are in: the program's sections, and those of each companion. */
  get macroSources(): readonly MacroSections[] {
    const units = [...this.unitTable.units, ...(this.shared?.units.units ?? [])];
    const all = new Set([this.sections, ...units.map(({ context }) => context.sections)]);
    return [...all].map((sections) => this.macroSectionsOf(sections));
  }

  private macroSectionsOf(sections: DwarfSections): MacroSections {
    const read = (from: DwarfSections): Pick<MacroSections, 'get'> => ({ get: (name) => from.bytes(name) });
    const shared = this.shared && read(this.shared.sections);
    return { ...read(sections), ...(shared === undefined ? {} : { supplementary: shared }) };
  }

  private readonly guard = <T>(what: string, read: () => T, fallback: T): T =>
    this.sections.guard(what, read, fallback);

  private get names(): NameIndex {
    this.lazyNames ??= new NameIndex(this.unitTable.units, this.shared?.units.units);
    return this.lazyNames;
  }

  get readCounts(): ReadCounts {
    const read = this.unitTable.units.map((unit) => unit.readEntries).filter((count) => count > 0);
    return {
      units: this.unitTable.units.length,
      trees: read.length,
      entries: read.reduce((sum, count) => sum + count, 0),
      indexed: this.lazyNames?.indexedUnits ?? 0,
      lineTables: this.lines.count,
    };
  }

  private definitionOf(tag: number, name: string): Die | undefined {
    const die = this.names.type([tag], name);
    return die?.flag(At.DW_AT_declaration) === true ? undefined : die;
  }

  /** The definition outside of the class has the place; one that was not kept may have its value in the class. */
  private staticMember(die: Die): VariableInfo | undefined {
    const name = this.guard('name of a static member', () => qualifiedName(die), undefined);
    const definition = name === undefined ? undefined : this.names.globalDefinition(name);
    const declared = readVariable(die, this.functionContext);
    const defined = definition && readVariable(definition, this.functionContext);
    return declared && { ...(defined ?? declared), name: declared.name, declaration: declared.declaration };
  }

  private locationOf(die: Die): LocationDescription | undefined {
    const declared = die.flag(At.DW_AT_declaration) ? die.holderOf(At.DW_AT_name)?.name : undefined;
    return variableLocation((declared && this.names.globalDefinition(declared)) || die);
  }

  private positionOf(die: Die): SourcePosition | undefined {
    const holder = this.guard('declaration', () => die.holderOf(At.DW_AT_decl_line), undefined);
    return holder && this.positionFrom(holder, At.DW_AT_decl_file, At.DW_AT_decl_line, At.DW_AT_decl_column);
  }

  private positionFrom(die: Die, file: number, line: number, column: number): SourcePosition | undefined {
    const read = (): SourcePosition | undefined => {
      const number = die.number(file);
      const source = number === undefined ? undefined : this.linesOf(die.unit)?.files.file(number);
      return source && { file: source, line: die.number(line) ?? 0, column: die.number(column) ?? 0 };
    };
    return this.guard(`position at 0x${die.offset.toString(16)}`, read, undefined);
  }

  private readonly functionContext: FunctionContext = {
    guard: this.guard,
    targetOf: (die) => this.types.targetOf(die),
    positionOf: (die) => this.positionOf(die),
    positionFrom: (die, file, line, column) => this.positionFrom(die, file, line, column),
    globalDefinition: (name) => this.names.globalDefinition(name),
    functionOf: (die) => this.functionOf(die),
  };

  private subprograms(unit: Unit): readonly Subprogram[] {
    let found = this.functionsOfUnit.get(unit);
    if (found === undefined) {
      found = unit.outline.functions.flatMap(({ offset }) => this.functionAtOffset(unit, offset) ?? []);
      this.functionsOfUnit.set(unit, found);
    }
    return found;
  }

  private functionAtOffset(unit: Unit, offset: number): Subprogram | undefined {
    const die = unit.dieAt(offset);
    return die && this.functionOf(die);
  }

  /** One object for each entry of a function. */
  private functionOf(die: Die): Subprogram | undefined {
    if (die.tag !== Tag.DW_TAG_subprogram) return undefined;
    if (!this.functionByDie.has(die)) {
      const what = `function at 0x${die.offset.toString(16)}`;
      this.functionByDie.set(
        die,
        this.guard(what, () => this.openFunction(die), undefined),
      );
    }
    return this.functionByDie.get(die);
  }

  /** undefined for declarations and for abstract instances: they have no code. */
  private openFunction(die: Die): Subprogram | undefined {
    if (!die.has(At.DW_AT_low_pc) && !die.has(At.DW_AT_ranges)) return undefined;
    const ranges = rangesOf(die);
    return ranges.length === 0 ? undefined : new Subprogram(die, ranges, this.functionContext);
  }
}
