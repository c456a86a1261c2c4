/**
 * Names as C++ writes them: with the namespaces and classes around an entry, templates in canonical spelling. In every
 * other language an entry's name stands alone (DWARF 5, 2.15; gdb's dwarf2_full_name).
 */
import { canonicalTypeText } from './base-type-name';
import { At, Tag } from './constants';
import type { Die } from './die';
import { scopeTags } from './unit-names';

/** DW_LANG_C_plus_plus and its later versions (DWARF 5, 7.12, and the list of codes given out since). */
const cPlusPlus: ReadonlySet<number> = new Set([0x04, 0x19, 0x1a, 0x21, 0x2b, 0x3a]);

export function isCPlusPlus({ language }: { readonly language: number | undefined }): boolean {
  return language !== undefined && cPlusPlus.has(language);
}

const names = new WeakMap<Die, { readonly name: string | undefined }>();

/** undefined: neither the entry nor one that it completes has a name. */
export function qualifiedName(die: Die): string | undefined {
  let known = names.get(die);
  if (known === undefined) names.set(die, (known = { name: computeName(die) }));
  return known.name;
}

function computeName(die: Die): string | undefined {
  const holder = die.holderOf(At.DW_AT_name);
  const name = holder?.name;
  if (holder === undefined || name === undefined || !isCPlusPlus(holder.unit)) return name;
  return scopePrefix(holder) + canonicalTypeText(name);
}

/** `ns::Class::` of what is declared in it. */
export function scopePrefix(die: Die): string {
  const { parent } = die;
  if (parent === undefined || !isCPlusPlus(die.unit)) return '';
  if (parent.tag === Tag.DW_TAG_namespace && parent.name === undefined) {
    return `${scopePrefix(parent)}(anonymous namespace)::`;
  }
  // Of an enumeration only a scoped one is part of its enumerators' names.
  if (parent.tag === Tag.DW_TAG_enumeration_type && !parent.flag(At.DW_AT_enum_class)) return scopePrefix(parent);
  if (!scopeTags.has(parent.tag) && parent.tag !== Tag.DW_TAG_enumeration_type) return '';
  const name = qualifiedName(parent);
  return name === undefined ? scopePrefix(parent) : `${name}::`;
}
