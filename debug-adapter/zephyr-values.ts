/** Zephyr's structures in variables and hovers: a summary before the plain members, and the nodes of a list below them. */
import type { NamedValue, Value } from '../lib/dwarf/value';
import { dereference } from '../lib/dwarf/value';
import { stripType } from '../lib/dwarf/model';
import { isZephyrList, zephyrList, zephyrSummary } from '../lib/program/zephyr-objects';
import type { Query } from '../lib/query';
import type { Inferior } from './inferior';

/** The object itself, or the one that a pointer leads to; undefined: a null pointer or none of a structure. */
function* objectOf(value: Value): Query<Value | undefined> {
  const type = stripType(value.type);
  if (type.kind !== 'pointer') return value;
  const kind = stripType(type.target).kind;
  if (kind !== 'struct' && kind !== 'union') return undefined;
  const target = yield* dereference(value);
  return 'kind' in target || (target.location.kind === 'memory' && target.location.address === 0n) ? undefined : target;
}

/** The text of a value with the summary of what it is or points to. */
export async function withSummary(inferior: Inferior, value: Value, text: string): Promise<string> {
  const summary = await inferior.query(
    (function* (): Query<string | undefined> {
      const object = yield* objectOf(value);
      return object && (yield* zephyrSummary(object));
    })(),
  );
  if (summary === undefined) return text;
  return stripType(value.type).kind === 'pointer' ? `${text} ${summary}` : `${summary} ${text}`;
}

/** What the list of nodes is below a list, or a pointer to one: its summary; undefined for anything else. */
export async function nodesSummary(inferior: Inferior, value: Value): Promise<string | undefined> {
  const object = await inferior.query(objectOf(value));
  return object !== undefined && isZephyrList(object) ? inferior.query(zephyrSummary(object)) : undefined;
}

export interface ListedNode extends NamedValue {
  readonly evaluateName: string | undefined;
}

/** The nodes of a list, or of what points to one. */
export async function nodesOf(inferior: Inferior, value: Value, start: number, count: number): Promise<ListedNode[]> {
  const object = await inferior.query(objectOf(value));
  const list = object && (await inferior.query(zephyrList(object)));
  return (list?.nodes ?? []).slice(start, start + count).map((node, i) => {
    const { location, type } = node;
    const evaluateName =
      location.kind === 'memory' ? `(*(${type.displayName} *)0x${location.address.toString(16)})` : undefined;
    return { name: `[${start + i}]`, value: node, evaluateName };
  });
}
