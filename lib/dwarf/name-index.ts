/**
 * Names of the whole program: types, functions, variables, enumerators, qualified as C++ writes them. Units are looked
 * through one after the other, as far as a search goes; a unit's entries are read only where a name is found.
 * Definitions win over declarations, file scope over function scope, the earlier unit over the later one.
 */
import { canonicalBaseName, templateBase, templateKey } from './base-type-name';
import { Tag } from './constants';
import type { Die } from './die';
import { NameSearch } from './name-search';
import { isCPlusPlus } from './qualified-name';
import type { Unit } from './unit';
import { NameTable, none, scopeTags, UnitNames, unnamedNamespace } from './unit-names';

type Test = (entry: number) => boolean;

/** Entries by name, without namespaces that need not be written (unnamed and inline ones). */
class NameLists {
  readonly table = new NameTable();
  /** Entries that a name finds, in order of their numbers; most names find one. */
  private readonly entries = new Map<string, number | number[]>();
  private readonly ranges = new Map<Unit, { readonly first: number; readonly end: number }>();

  constructor(private readonly inFunctions: boolean) {}

  get units(): number {
    return this.ranges.size;
  }

  /** First entry of the unit, and one past its last. */
  rangeOf(unit: Unit): { readonly first: number; readonly end: number } {
    let range = this.ranges.get(unit);
    if (range === undefined) {
      const first = this.table.size;
      if (unit.isReadable) new UnitNames(this.table, unit, this.inFunctions);
      range = { first, end: this.table.size };
      this.ranges.set(unit, range);
      for (let entry = first; entry < range.end; entry++) this.noteKeys(entry, first, unit);
    }
    return range;
  }

  /** Entries of a unit with that name, in order. */
  named(name: string, unit: Unit): number[] {
    const { first, end } = this.rangeOf(unit);
    const all = this.entries.get(templateKey(name)) ?? [];
    if (typeof all === 'number') return all >= first && all < end ? [all] : [];
    // A name of a header is in every unit: those of this unit are side by side.
    let [low, high] = [0, all.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (all[middle] < first) low = middle + 1;
      else high = middle;
    }
    const found: number[] = [];
    for (; low < all.length && all[low] < end; low++) found.push(all[low]);
    return found;
  }

  holderOf(entry: number, unit: Unit): number {
    return this.table.nameHolder(entry, this.rangeOf(unit).first);
  }

  /** `ns::Class::` */
  prefixOf(scope: number): string {
    const { table } = this;
    if (scope === none || !scopeTags.has(table.tagOf(scope))) return '';
    const name = table.nameOf(scope);
    const isTransparent = table.isInlineNamespace(scope) || name === '' || name === unnamedNamespace;
    return this.prefixOf(table.parentOf(scope)) + (isTransparent ? '' : `${name}::`);
  }

  private note(name: string, entry: number): void {
    const key = templateKey(name);
    const known = this.entries.get(key);
    if (known === undefined) this.entries.set(key, entry);
    else if (typeof known === 'number') this.entries.set(key, [known, entry]);
    else known.push(entry);
  }

  private noteKeys(entry: number, first: number, unit: Unit): void {
    const { table } = this;
    const holder = table.nameHolder(entry, first);
    const tag = table.tagOf(entry);
    let name = table.nameOf(holder);
    if (name === '') return;
    if (tag === Tag.DW_TAG_base_type) name = canonicalBaseName(name);
    // Clang puts what C declares within a structure below it, but C has no scopes there (6.2.1).
    const hasScopes = unit.language === undefined || isCPlusPlus(unit);
    const parent = hasScopes || tag === Tag.DW_TAG_enumerator ? table.parentOf(holder) : none;
    if (tag === Tag.DW_TAG_enumerator && parent !== none) {
      const around = hasScopes ? table.parentOf(parent) : none;
      this.note(this.prefixOf(around) + name, entry);
      // C++ lets an enumerator be written with its enumeration, and of a scoped one asks for it.
      const enumeration = table.nameOf(parent);
      if (enumeration !== '' && isCPlusPlus(unit)) this.note(`${this.prefixOf(around)}${enumeration}::${name}`, entry);
      return;
    }
    const qualified = this.prefixOf(parent) + name;
    this.note(qualified, entry);
    if (tag !== Tag.DW_TAG_subprogram) return;
    if (qualified !== name) this.note(name, entry);
    const base = templateBase(name);
    if (base !== undefined) {
      this.note(instanceKey(this.prefixOf(parent) + base), entry);
      if (qualified !== name) this.note(instanceKey(base), entry);
    }
    const linkageName = table.linkageNameOf(entry) ?? table.linkageNameOf(holder);
    if (linkageName !== undefined && linkageName !== name) this.note(linkageName, entry);
  }
}

/** What all instances of a template are found by; no name is one. */
export function instanceKey(template: string): string {
  return `${template}<`;
}

/** `largest` of `largest<int>`; an operator has no such name. */
export function templateName(name: string): string {
  return name.startsWith('operator') ? name : name.replace(/<.*$/, '');
}

/** `f` of `ns::f<int>`, as DW_AT_name begins; undefined for what is no plain name (operators, destructors, base types). */
function lastName(name: string): string | undefined {
  const word = /(?:^|::)([A-Za-z_]\w*)(<.*)?$/.exec(name)?.[1];
  return word === undefined || baseWords.test(word) ? undefined : word;
}

/** Of types that have many spellings. */
const baseWords = /^(int|char|short|long|signed|unsigned)$/;

export class NameIndex {
  private readonly lists = new NameLists(false);
  private readonly inFunctions = new NameLists(true);
  private readonly occurring = new Map<string, boolean>();
  private readonly search: NameSearch;

  private readonly units: readonly Unit[];

  /** `supplementary`: what dwz has moved to another file. */
  constructor(units: readonly Unit[], supplementary: readonly Unit[] = []) {
    this.units = [...units, ...supplementary];
    this.search = new NameSearch(this.units, supplementary);
  }

  /** Units whose names have been looked through. */
  get indexedUnits(): number {
    return this.lists.units;
  }

  /** Looks for a type of one of the tags. */
  type(tags: readonly number[], name: string): Die | undefined {
    // Base types have names of their own for what C writes.
    const isBase = tags.includes(Tag.DW_TAG_base_type);
    const key = isBase ? canonicalBaseName(name) : name;
    return this.best(
      key,
      isBase ? this.unitsSpelling(key) : this.unitsWith(key),
      (entry, { table }) => tags.includes(table.tagOf(entry)),
      (entry, { table }) => !table.isDeclaration(entry),
    );
  }

  /** The enumeration that has an enumerator of that name. */
  enumeration(enumerator: string): Die | undefined {
    const key = enumerator;
    const found = this.best(
      key,
      this.unitsWith(key),
      (entry, { table }) => table.tagOf(entry) === Tag.DW_TAG_enumerator,
      (entry, { table }) => !table.isDeclaration(table.parentOf(entry)),
    );
    return found?.parent;
  }

  globalDefinition(name: string): Die | undefined {
    return this.find(name, (entry) => this.isGlobal(entry) && this.lists.table.hasPlace(entry)).at(0);
  }

  /** All file-scope variables of a name that are more than declared. */
  globalsNamed(name: string): Die[] {
    return this.find(name, (entry) => this.isGlobal(entry) && this.isDefined(entry));
  }

  /** File-scope variables of a unit that have a place or a value there. A declaration that is completed is not one. */
  globalsOf(unit: Unit): Die[] {
    return this.entriesOf(unit, (entry) => this.isGlobal(entry) && this.isDefined(entry)).flatMap(
      (entry) => this.dieOf(entry, this.lists) ?? [],
    );
  }

  /** Names for completion: functions and variables of the unit. */
  namesOf(unit: Unit): readonly { readonly name: string; readonly isFunction: boolean }[] {
    const { table } = this.lists;
    const isFunction = (entry: number): boolean => table.tagOf(entry) === Tag.DW_TAG_subprogram;
    const shown = this.entriesOf(unit, (entry) =>
      isFunction(entry) ? table.hasPlace(entry) : this.isGlobal(entry) && this.isDefined(entry),
    );
    return shown.flatMap((entry) => {
      const holder = this.lists.holderOf(entry, unit);
      const name = table.nameOf(holder);
      if (name === '') return [];
      return [{ name: this.lists.prefixOf(table.parentOf(holder)) + name, isFunction: isFunction(entry) }];
    });
  }

  /** Whether the unit has, declares or only inlines a function whose name, qualified or not, passes. */
  namesFunction(unit: Unit, wanted: (name: string) => boolean): boolean {
    const { table } = this.lists;
    const isWanted = (entry: number): boolean => {
      if (table.tagOf(entry) !== Tag.DW_TAG_subprogram) return false;
      const holder = this.lists.holderOf(entry, unit);
      const name = table.nameOf(holder);
      // A name that is not found here is in another unit.
      if (name === '' || wanted(name) || wanted(templateName(name))) return true;
      const linkageName = table.linkageNameOf(entry) ?? table.linkageNameOf(holder);
      if (linkageName !== undefined && wanted(linkageName)) return true;
      return isCPlusPlus(unit) && wanted(this.lists.prefixOf(table.parentOf(holder)) + name);
    };
    return this.entriesOf(unit, isWanted, 1).length > 0;
  }

  /** Functions with code of that name: qualified, alone, or its linkage name; and those whose name another unit has. */
  functionsNamed(name: string): Die[] {
    const { table } = this.lists;
    const key = name;
    const hasCode = (entry: number): boolean => table.tagOf(entry) === Tag.DW_TAG_subprogram && table.hasPlace(entry);
    return this.unitsOfFunction(name).flatMap((unit) => {
      const named = this.lists.named(key, unit).filter(hasCode);
      const nameless = this.entriesOf(unit, (entry) => hasCode(entry) && table.nameOf(entry) === '').filter(
        (entry) => table.nameOf(this.lists.holderOf(entry, unit)) === '',
      );
      const all = nameless.length === 0 ? named : [...new Set([...named, ...nameless])].sort((a, b) => a - b);
      return all.flatMap((entry) => this.dieOf(entry, this.lists) ?? []);
    });
  }

  /** Functions of a name, declarations and abstract instances too. */
  functionEntries(name: string): Die[] {
    const { table } = this.lists;
    return this.unitsOfFunction(name).flatMap((unit) =>
      this.lists
        .named(name, unit)
        .filter((entry) => table.tagOf(entry) === Tag.DW_TAG_subprogram && this.isWhole(name, entry, unit))
        .flatMap((entry) => this.dieOf(entry, this.lists) ?? []),
    );
  }

  /** Whether that is the name with all scopes around it: a method is found by its own name alone too. */
  private isWhole(name: string, entry: number, unit: Unit): boolean {
    const { table } = this.lists;
    const holder = this.lists.holderOf(entry, unit);
    const whole = this.lists.prefixOf(table.parentOf(holder)) + table.nameOf(holder);
    return templateKey(whole) === templateKey(name) || instanceKey(templateBase(whole) ?? '') === name;
  }

  private entriesOf(unit: Unit, isWanted: Test, most = Infinity): number[] {
    const { first, end } = this.lists.rangeOf(unit);
    const found: number[] = [];
    for (let entry = first; entry < end && found.length < most; entry++) if (isWanted(entry)) found.push(entry);
    return found;
  }

  private find(key: string, isWanted: Test): Die[] {
    return this.unitsWith(key).flatMap((unit) =>
      this.lists
        .named(key, unit)
        .filter(isWanted)
        .flatMap((entry) => this.dieOf(entry, this.lists) ?? []),
    );
  }

  /** The first that is `complete`, else the first at all; bodies of functions last. */
  private best(
    key: string,
    units: readonly Unit[],
    isWanted: (entry: number, lists: NameLists) => boolean,
    isComplete: (entry: number, lists: NameLists) => boolean,
  ): Die | undefined {
    let first: Die | undefined;
    for (const lists of [this.lists, this.inFunctions]) {
      for (const unit of units) {
        for (const entry of lists.named(key, unit)) {
          if (!isWanted(entry, lists)) continue;
          const die = this.dieOf(entry, lists);
          if (isComplete(entry, lists) && die !== undefined) return die;
          first ??= die;
        }
      }
    }
    return first;
  }

  private dieOf(entry: number, { table }: NameLists): Die | undefined {
    return table.units[entry].dieAt(table.offsetOf(entry));
  }

  /** Units that may give an entry that name; their own names are looked through then. */
  private unitsWith(name: string): readonly Unit[] {
    const word = lastName(name);
    return word === undefined ? this.unitsSpelling(name) : this.search.unitsWith(word);
  }

  /** Units with functions, or inlined copies of functions, of a name. */
  unitsOfFunction(name: string): readonly Unit[] {
    const word = lastName(name);
    return word === undefined ? this.unitsSpelling(name) : this.search.unitsOfFunction(word);
  }

  private unitsSpelling(name: string): readonly Unit[] {
    return this.occurs(name) ? this.units : [];
  }

  /** Whether the last word of a name is written anywhere; most names that are asked for in vain are not. */
  private occurs(name: string): boolean {
    const word = /([A-Za-z_]\w*)(<.*)?$/.exec(name)?.[1] ?? '';
    if (word === '' || baseWords.test(word)) return true;
    let known = this.occurring.get(word);
    if (known === undefined) {
      const { sections } = this.units.at(0)?.context ?? {};
      const isWritten = (section: string): boolean => sections?.contains(section, word) === true;
      const isElsewhere = this.units.some(({ context }) => context.sections !== sections);
      const search = (): boolean => isElsewhere || ['.debug_str', '.debug_info', '.debug_types'].some(isWritten);
      known = sections?.guard(`search for ${word}`, search, false) === true;
      this.occurring.set(word, known);
    }
    return known;
  }

  /** In no function; of a class only what has its value there, since static members are defined outside of it. */
  private isGlobal(entry: number): boolean {
    const { table } = this.lists;
    const [tag, parent] = [table.tagOf(entry), table.parentOf(entry)];
    if (tag !== Tag.DW_TAG_variable && tag !== Tag.DW_TAG_member) return false;
    return parent === none || table.tagOf(parent) === Tag.DW_TAG_namespace || table.hasPlace(entry);
  }

  private isDefined(entry: number): boolean {
    return this.lists.table.hasPlace(entry) || !this.lists.table.isDeclaration(entry);
  }
}
