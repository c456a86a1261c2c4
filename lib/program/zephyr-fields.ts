/**
 * What the rows about Zephyr's structures have in common (zephyr-objects.ts, zephyr-kernel-objects.ts): members by path, texts, and the walk
 * along singly and doubly linked lists (sys/slist.h, sys/sflist.h, sys/dlist.h).
 */
import { stripType, type Type } from '../dwarf/model';
import {
  dereference,
  findMember,
  isStruct,
  memberValue,
  readScalar,
  type Value,
  valueAt,
  valueBytes,
} from '../dwarf/value';
import { isCharacter } from '../dwarf/value-types';
import type { Query } from '../query';

/** Lists longer than this are counted no further: memory that is no list may look like an endless one. */
export const mostNodes = 1000;

export interface ZephyrList {
  /** In order. */
  readonly nodes: readonly Value[];
  /** Why the walk ended before the list did. */
  readonly broken: string | undefined;
}

export interface Row {
  /** Tags of structures or names of typedefs. */
  readonly names: readonly string[];
  /** Paths that must be there, members of members separated by dots. */
  readonly members: readonly string[];
  summarize(object: Fields): Query<string | undefined>;
  /** Of a list only. */
  list?(object: Fields): Query<ZephyrList | undefined>;
}

/** Members by path; each is undefined where it is not there or cannot be read. */
export class Fields {
  constructor(readonly value: Value) {}

  at(path: string): Value | undefined {
    let value: Value | undefined = this.value;
    for (const name of path.split('.')) {
      const type: ReturnType<typeof stripType> | undefined = value && stripType(value.type);
      const way = type && isStruct(type) ? findMember(type, name) : undefined;
      if (value === undefined || way === undefined) return undefined;
      for (const member of way) value = memberValue(value, member);
    }
    return value;
  }

  *number(path: string): Query<number | undefined> {
    const value = this.at(path);
    const number = value && (yield* readScalar(value));
    return number === undefined || typeof number === 'object' ? undefined : Number(number);
  }

  /** Where a pointer points to. */
  *target(path: string): Query<Fields | undefined> {
    const value = this.at(path);
    const address = yield* this.number(path);
    if (value === undefined || address === undefined || address === 0) return undefined;
    const target = yield* dereference(value);
    return 'kind' in target ? undefined : new Fields(target);
  }

  /** The text of a character array or of what a character pointer points to; undefined where there is none. */
  *text(path: string): Query<string | undefined> {
    const value = this.at(path);
    const type = value && stripType(value.type);
    if (value === undefined || type === undefined) return undefined;
    if (type.kind === 'array') {
      const bytes = yield* valueBytes(value);
      return bytes instanceof Uint8Array ? printable(bytes) : undefined;
    }
    if (type.kind !== 'pointer' || !isCharacter(type.target)) return undefined;
    const address = yield* this.number(path);
    return address === undefined || address === 0 ? undefined : yield* textAt(BigInt(address));
  }
}

const longestText = 64;

/** Up to NUL; undefined where that is no text. */
function printable(bytes: Uint8Array): string | undefined {
  const nul = bytes.indexOf(0);
  const text = bytes.subarray(0, nul < 0 ? bytes.length : nul);
  if (text.length === 0 || text.some((byte) => byte < 0x20 || byte > 0x7e)) return undefined;
  return String.fromCharCode(...text);
}

/** A piece at a time, since what follows a text need not be readable. */
function* textAt(address: bigint): Query<string | undefined> {
  const bytes: number[] = [];
  while (bytes.length < longestText) {
    const next = yield { address: address + BigInt(bytes.length), length: 1 };
    if (next === undefined) return undefined;
    if (next[0] === 0) return printable(Uint8Array.from(bytes));
    bytes.push(next[0]);
  }
  return printable(Uint8Array.from(bytes));
}

export const plural = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

export function listText({ nodes, broken }: ZephyrList): string {
  return plural(nodes.length, 'node') + (broken === undefined ? '' : `, then ${broken}`);
}

/** From node to node by `next`, until it is 0 or `end`. The low bits of a flagged list's links are not part of them. */
function* walk(
  first: number,
  end: number,
  type: Type,
  nextOf: (node: Fields) => Query<number | undefined>,
  like: Value,
): Query<ZephyrList> {
  const nodes: Value[] = [];
  const seen = new Set<number>();
  for (let address = first; address !== 0 && address !== end;) {
    if (seen.has(address)) return { nodes, broken: 'a cycle' };
    if (nodes.length === mostNodes) return { nodes, broken: 'more' };
    const node = valueAt(type, { kind: 'memory', address: BigInt(address) }, like.frame);
    const next: number | undefined = yield* nextOf(new Fields(node));
    if (next === undefined) return { nodes, broken: `a link to 0x${address.toString(16)}, which cannot be read` };
    seen.add(address);
    nodes.push(node);
    address = next;
  }
  return { nodes, broken: undefined };
}

/** The type that a member points to. */
function targetType(value: Value | undefined): Type | undefined {
  const type = value && stripType(value.type);
  return type?.kind === 'pointer' ? type.target : undefined;
}

export function* singleList(object: Fields, head: string, next: string, mask: number): Query<ZephyrList | undefined> {
  const type = targetType(object.at(head));
  const first = yield* object.number(head);
  if (type === undefined || first === undefined) return undefined;
  const nextOf = function* (node: Fields): Query<number | undefined> {
    const link = yield* node.number(next);
    return link === undefined ? undefined : link - (link % (mask + 1));
  };
  return yield* walk(first, 0, type, nextOf, object.value);
}

/** The list itself is a node: an empty one points to itself, one of zeros was never initialized. */
export function* doubleList(object: Fields): Query<ZephyrList | undefined> {
  const { location } = object.value;
  const type = targetType(object.at('head'));
  const first = yield* object.number('head');
  if (location.kind !== 'memory' || type === undefined || first === undefined) return undefined;
  if (first === 0) return { nodes: [], broken: 'nothing: it is not initialized' };
  return yield* walk(first, Number(location.address), type, (node) => node.number('next'), object.value);
}

export function* listSummary(list: Query<ZephyrList | undefined>): Query<string | undefined> {
  const found = yield* list;
  return found && listText(found);
}

export const bytesOf = (count: number): string => plural(count, 'byte');
