/**
 * Names of the whole program: types, functions, variables, enumerators. Units are searched one after the other, by an
 * index of each unit's names that is made at its first use; a unit's entries are read only where a name is found.
 * Definitions win over declarations, file scope over function scope, the earlier unit over the later one.
 */
import { canonicalBaseName, canonicalTypeText } from './base-type-name';
import { Tag } from './constants';
import type { Die } from './die';
import type { Unit } from './unit';
import { type NamedEntry, scopeTags, UnitNames } from './unit-names';

/** By name, without namespaces that need not be written (unnamed and inline ones). */
class UnitIndex {
  readonly entries: readonly NamedEntry[];
  private readonly byOffset = new Map<number, NamedEntry>();
  private readonly byName = new Map<string, NamedEntry[]>();

  constructor(unit: Unit, inFunctions: boolean) {
    this.entries = new UnitNames(unit, inFunctions).entries;
    for (const entry of this.entries) this.byOffset.set(entry.offset, entry);
    for (const entry of this.entries) for (const key of this.keysOf(entry)) this.note(key, entry);
  }

  named(name: string): readonly NamedEntry[] {
    return this.byName.get(name) ?? [];
  }

  /** The entry that has the name: itself, or the one that it completes. */
  nameHolder(entry: NamedEntry): NamedEntry {
    let holder = entry;
    for (let steps = 0; holder.name === '' && holder.completes !== undefined && steps < 8; steps++) {
      holder = this.byOffset.get(holder.completes) ?? { ...holder, completes: undefined };
    }
    return holder;
  }

  private note(key: string, entry: NamedEntry): void {
    const known = this.byName.get(key);
    if (known === undefined) this.byName.set(key, [entry]);
    else known.push(entry);
  }

  private keysOf(entry: NamedEntry): string[] {
    const holder = this.nameHolder(entry);
    if (holder.name === '') return [];
    const name = entry.tag === Tag.DW_TAG_base_type ? canonicalBaseName(holder.name) : holder.name;
    const { parent } = holder;
    const isEnumerator = entry.tag === Tag.DW_TAG_enumerator;
    const keys = [prefixOf(isEnumerator ? parent?.parent : parent) + name];
    // C++ lets an enumerator be written with its enumeration, and of a scoped one asks for it.
    if (isEnumerator && parent !== undefined && parent.name !== '')
      keys.push(`${prefixOf(parent.parent)}${parent.name}::${name}`);
    return keys;
  }
}

/** `ns::Class::` */
function prefixOf(scope: NamedEntry | undefined): string {
  if (scope === undefined || !scopeTags.has(scope.tag)) return '';
  const isTransparent = scope.isInlineNamespace || scope.name === '' || scope.name === '(anonymous namespace)';
  return prefixOf(scope.parent) + (isTransparent ? '' : `${scope.name}::`);
}

export class NameIndex {
  private readonly shallow = new Map<Unit, UnitIndex>();
  private readonly deep = new Map<Unit, UnitIndex>();

  constructor(private readonly units: readonly Unit[]) {}

  /** Units whose names have been looked through. */
  get indexedUnits(): number {
    return this.shallow.size;
  }

  /** Looks for a type of one of the tags. */
  type(tags: readonly number[], name: string): Die | undefined {
    const key = tags.includes(Tag.DW_TAG_base_type) ? canonicalBaseName(name) : canonicalTypeText(name);
    const isWanted = ({ tag }: NamedEntry): boolean => tags.includes(tag);
    return dieOf(this.best(key, isWanted, (entry) => !entry.isDeclaration));
  }

  /** The enumeration that has an enumerator of that name. */
  enumeration(enumerator: string): Die | undefined {
    const found = this.best(
      canonicalTypeText(enumerator),
      ({ tag }) => tag === Tag.DW_TAG_enumerator,
      ({ parent }) => parent?.isDeclaration !== true,
    );
    return dieOf(found)?.parent;
  }

  globalDefinition(name: string): Die | undefined {
    const found = this.best(canonicalTypeText(name), isGlobal, (entry) => entry.hasPlace, false);
    return dieOf(found);
  }

  /** All file-scope variables of a name that are more than declared. */
  globalsNamed(name: string): Die[] {
    const key = canonicalTypeText(name);
    return this.units.flatMap((unit) =>
      this.of(unit)
        .named(key)
        .filter((entry) => isGlobal(entry) && isDefined(entry))
        .flatMap((entry) => dieOf(entry) ?? []),
    );
  }

  /** File-scope variables of a unit that have a place or a value there. A declaration that is completed is not one. */
  globalsOf(unit: Unit): Die[] {
    return this.of(unit)
      .entries.filter((entry) => isGlobal(entry) && isDefined(entry))
      .flatMap((entry) => dieOf(entry) ?? []);
  }

  /** Names for completion: functions and variables of the unit. */
  namesOf(unit: Unit): readonly { readonly name: string; readonly isFunction: boolean }[] {
    const index = this.of(unit);
    return index.entries.flatMap((entry) => {
      const isFunction = entry.tag === Tag.DW_TAG_subprogram;
      if (!(isFunction ? entry.hasPlace : isGlobal(entry) && isDefined(entry))) return [];
      const holder = index.nameHolder(entry);
      return holder.name === '' ? [] : [{ name: prefixOf(holder.parent) + holder.name, isFunction }];
    });
  }

  /** Whether the unit has, declares or only inlines a function whose name, qualified or not, passes. */
  namesFunction(unit: Unit, wanted: (name: string) => boolean): boolean {
    const index = this.of(unit);
    return index.entries.some((entry) => {
      if (entry.tag !== Tag.DW_TAG_subprogram) return false;
      const { name, parent, linkageName } = index.nameHolder(entry);
      // A name that is not found here is in another unit.
      if (name === '') return true;
      return wanted(name) || (linkageName !== undefined && wanted(linkageName)) || wanted(prefixOf(parent) + name);
    });
  }

  hasCode(unit: Unit): boolean {
    return this.of(unit).entries.some(({ tag, hasPlace }) => tag === Tag.DW_TAG_subprogram && hasPlace);
  }

  private of(unit: Unit): UnitIndex {
    let index = this.shallow.get(unit);
    if (index === undefined) this.shallow.set(unit, (index = new UnitIndex(unit, false)));
    return index;
  }

  private deeply(unit: Unit): UnitIndex {
    let index = this.deep.get(unit);
    if (index === undefined) this.deep.set(unit, (index = new UnitIndex(unit, true)));
    return index;
  }

  /** The first that is `complete`, else the first at all; bodies of functions last. */
  private best(
    key: string,
    isWanted: (entry: NamedEntry) => boolean,
    complete: (entry: NamedEntry) => boolean,
    inFunctions = true,
  ): NamedEntry | undefined {
    let first: NamedEntry | undefined;
    for (const index of inFunctions ? [this.of, this.deeply] : [this.of]) {
      for (const unit of this.units) {
        for (const entry of index.call(this, unit).named(key)) {
          if (!isWanted(entry)) continue;
          if (complete(entry)) return entry;
          first ??= entry;
        }
      }
    }
    return first;
  }
}

function dieOf(entry: NamedEntry | undefined): Die | undefined {
  return entry?.unit.dies.get(entry.offset);
}

/** In no function and, as a class only declares its static members, in no class. */
function isGlobal({ tag, parent }: NamedEntry): boolean {
  return tag === Tag.DW_TAG_variable && (parent === undefined || parent.tag === Tag.DW_TAG_namespace);
}

function isDefined({ isDeclaration, hasPlace }: NamedEntry): boolean {
  return hasPlace || !isDeclaration;
}
