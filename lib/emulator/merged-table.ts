/**
 * One table of several that have no name in common. An object that is spread from them changes its hidden class with each of hundreds of
 * names, at every start of a program; one without a prototype is a hash table from its first name on.
 */
type Merged<Tables extends readonly object[]> = Tables extends readonly [infer First, ...infer Rest extends object[]]
  ? First & Merged<Rest>
  : unknown;

export function mergedTable<Tables extends object[]>(...tables: Tables): Merged<Tables> {
  return Object.assign(Object.create(null), ...tables) as Merged<Tables>;
}
