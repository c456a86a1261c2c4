/**
 * Names of the whole program: types, global variables, enumerators. Built from all units at first use, because a name
 * may be defined in any of them. Definitions win over declarations, file scope over function scope, the earlier unit
 * over the later one.
 */
import { canonicalBaseName } from './base-type-name';
import { At, Tag } from './constants';
import type { Die } from './die';
import type { Unit } from './unit';

const typeTags: ReadonlySet<number> = new Set([
  Tag.DW_TAG_structure_type,
  Tag.DW_TAG_union_type,
  Tag.DW_TAG_enumeration_type,
  Tag.DW_TAG_class_type,
  Tag.DW_TAG_typedef,
  Tag.DW_TAG_base_type,
]);

export class NameIndex {
  /** By tag and name. */
  private readonly types = new Map<string, Die>();
  private readonly enumerators = new Map<string, Die>();
  private readonly definitions = new Map<string, Die>();
  /** File-scope variables that have a place or a value here, in the order of the units. */
  readonly globals: Die[] = [];

  constructor(units: readonly Unit[], guard: <T>(what: string, read: () => T, fallback: T) => T) {
    for (const unit of units) {
      for (const die of unit.dies.values()) {
        guard(`entry at 0x${die.offset.toString(16)}`, () => this.add(die, unit), undefined);
      }
    }
  }

  type(tag: number, name: string): Die | undefined {
    return this.types.get(typeKey(tag, name));
  }

  /** The enumeration that has an enumerator of that name. */
  enumeration(enumerator: string): Die | undefined {
    return this.enumerators.get(enumerator);
  }

  globalDefinition(name: string): Die | undefined {
    return this.definitions.get(name);
  }

  private add(die: Die, unit: Unit): void {
    if (typeTags.has(die.tag)) this.addType(die, unit);
    else if (die.tag === Tag.DW_TAG_enumerator) this.addEnumerator(die, unit);
    else if (die.tag === Tag.DW_TAG_variable && die.parent === unit.root) this.addGlobal(die);
  }

  private addType(die: Die, unit: Unit): void {
    const { name } = die;
    if (name === undefined) return;
    const key = typeKey(die.tag, name);
    const known = this.types.get(key);
    if (known === undefined || rank(die, unit) > rank(known, known.unit)) this.types.set(key, die);
  }

  private addEnumerator(die: Die, unit: Unit): void {
    const { name, parent } = die;
    if (name === undefined || parent === undefined) return;
    const known = this.enumerators.get(name);
    if (known === undefined || rank(parent, unit) > rank(known, known.unit)) this.enumerators.set(name, parent);
  }

  private addGlobal(die: Die): void {
    const name = die.holderOf(At.DW_AT_name)?.name;
    const isDeclared = die.flag(At.DW_AT_declaration) && !die.has(At.DW_AT_location);
    if (name === undefined || isDeclared) return;
    // A declaration is completed by a second entry that names it as its specification: same variable, one entry.
    this.globals.push(die);
    const known = this.definitions.get(name);
    if (known === undefined || (!known.has(At.DW_AT_location) && die.has(At.DW_AT_location))) {
      this.definitions.set(name, die);
    }
  }
}

function typeKey(tag: number, name: string): string {
  return `${tag} ${tag === Tag.DW_TAG_base_type ? canonicalBaseName(name) : name}`;
}

function rank(die: Die, unit: Unit): number {
  const isDefinition = !die.flag(At.DW_AT_declaration) && !die.has(At.DW_AT_signature);
  return (isDefinition ? 2 : 0) + (die.parent === unit.root ? 1 : 0);
}
