/**
 * DW_TAG_imported_unit (3.1.2): what dwz moves to a partial unit, because several units have it, counts where it is imported, at file
 * scope. Types and names are found in all units anyhow; what depends on the importing unit is asked here: using directives, and the
 * language of a partial unit that does not say it.
 */
import { At, Tag } from './constants';
import type { Unit } from './unit';

const known = new WeakMap<Unit, readonly Unit[]>();

/** The unit itself, and all that it imports, in order. */
export function withImports(unit: Unit): ReadonlySet<Unit> {
  const all = new Set([unit]);
  // A set may grow while it is gone through.
  for (const one of all) for (const imported of importsOf(one)) all.add(imported);
  return all;
}

/** dwz puts the imports before all else in a unit. */
function importsOf(unit: Unit): readonly Unit[] {
  let found = known.get(unit);
  if (found === undefined) {
    const read = (): readonly Unit[] => {
      const units: Unit[] = [];
      for (const offset of unit.sketch.tops) {
        const die = unit.dieAt(offset);
        if (die?.tag !== Tag.DW_TAG_imported_unit) break;
        const target = die.reference(At.DW_AT_import)?.unit;
        if (target !== undefined) units.push(target);
      }
      return units;
    };
    known.set(unit, (found = unit.context.sections.guard('imported units', read, [])));
  }
  return found;
}

/** By partial unit the first one that imports it and says its language. */
export function languagesOfImports(units: readonly Unit[]): ReadonlyMap<Unit, number> {
  const languages = new Map<Unit, number>();
  for (const unit of units) {
    const language = unit.isPartial ? undefined : unit.language;
    if (language === undefined) continue;
    for (const imported of withImports(unit)) if (!languages.has(imported)) languages.set(imported, language);
  }
  return languages;
}
