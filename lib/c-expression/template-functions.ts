/**
 * Functions that templates were made into (C++ 13.10.3): a debugger has no template, only what the program made of it. So arguments are deduced by
 * choosing among the instances; as the language converts nothing while it deduces, an instance has to fit without conversions of numbers.
 */
import { templateBase, templateKey } from '../dwarf/base-type-name';
import { type FunctionInfo, stripType, type Type } from '../dwarf/model';
import { isStruct } from '../dwarf/value';
import { fail, type Span } from './errors';
import type { FunctionEntity } from './scope';

interface Instances {
  instancesNamed(template: string): readonly FunctionInfo[];
}

/** Of `largest` all instances; of `converted<short>` those whose first arguments are these. */
export function deducedInstances(debug: Instances, name: string): readonly FunctionInfo[] {
  const template = templateBase(name);
  const all = debug.instancesNamed(template ?? name);
  const isWhole = (one: FunctionInfo): boolean =>
    templateKey(templateBase(one.name) ?? '') === templateKey(template ?? name);
  // A method is found by its own name alone too.
  const meant = all.some(isWhole) ? all.filter(isWhole) : all;
  if (template === undefined) return meant;
  const start = `${templateKey(name).slice(0, -1)}, `;
  return meant.filter((one) => [one.name, one.shortName].some((whole) => templateKey(whole).startsWith(start)));
}

/** What may be different from an argument of which a template's argument is deduced: a class is also its base. */
export function isDeducible(rank: number, exact: number, parameter: Type | undefined): boolean {
  if (rank <= exact || parameter === undefined) return true;
  const type = stripType(parameter);
  return isStruct('target' in type ? stripType(type.target) : type);
}

/** Of deduced instances the name of the template. */
export function writtenName({ name, isDeduced }: FunctionEntity): string {
  return isDeduced === true ? (templateBase(name) ?? name) : name;
}

/** A template's name is that of no function, unless the program has but one instance of it. */
export function oneInstance(entity: FunctionEntity, span: Span): FunctionEntity {
  const { isDeduced, overloads = [entity] } = entity;
  if (isDeduced !== true || overloads.length === 1) return entity;
  const names = overloads.map(({ name }) => name).sort();
  return fail(`'${writtenName(entity)}' is a template: name one of ${names.join(', ')}`, span);
}
