/**
 * Zephyr's own structures as somebody who debugs wants to read them: how many nodes a list has, a thread's name and state,
 * a semaphore's count. A row a structure, recognised by its name and by the members that the row reads (include/zephyr of 4.2:
 * sys/slist.h, sys/dlist.h, kernel.h, kernel/thread.h, device.h, sys/ring_buffer.h, sys/sys_heap.h, sys/bitarray.h). Another
 * structure of the same name has other members, and gets no summary. What cannot be read gets none either: the plain members say why.
 */
import { isQualified, stripType, type StructType, type Type } from '../dwarf/model';
import { isCharacter } from '../dwarf/value-types';
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
import type { Query } from '../query';

/** Lists longer than this are counted no further: memory that is no list may look like an endless one. */
export const mostNodes = 1000;

export interface ZephyrList {
  /** In order. */
  readonly nodes: readonly Value[];
  /** Why the walk ended before the list did. */
  readonly broken: string | undefined;
}

interface Row {
  /** Tags of structures or names of typedefs. */
  readonly names: readonly string[];
  /** Paths that must be there, members of members separated by dots. */
  readonly members: readonly string[];
  summarize(object: Fields): Query<string | undefined>;
  /** Of a list only. */
  list?(object: Fields): Query<ZephyrList | undefined>;
}

/** Members by path; each is undefined where it is not there or cannot be read. */
class Fields {
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

const plural = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

function listText({ nodes, broken }: ZephyrList): string {
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

function* singleList(object: Fields, head: string, next: string, mask: number): Query<ZephyrList | undefined> {
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
function* doubleList(object: Fields): Query<ZephyrList | undefined> {
  const { location } = object.value;
  const type = targetType(object.at('head'));
  const first = yield* object.number('head');
  if (location.kind !== 'memory' || type === undefined || first === undefined) return undefined;
  if (first === 0) return { nodes: [], broken: 'nothing: it is not initialized' };
  return yield* walk(first, Number(location.address), type, (node) => node.number('next'), object.value);
}

function* listSummary(list: Query<ZephyrList | undefined>): Query<string | undefined> {
  const found = yield* list;
  return found && listText(found);
}

/** _THREAD_* of kernel_structs.h. Bit 2 was "not yet started" before Zephyr 4. */
const threadStates: readonly (readonly [number, string])[] = [
  [1 << 0, 'dummy'],
  [1 << 1, 'pending'],
  [1 << 2, 'sleeping'],
  [1 << 3, 'dead'],
  [1 << 4, 'suspended'],
  [1 << 5, 'aborting'],
  [1 << 6, 'suspending'],
  [1 << 7, 'queued'],
];

function* threadName(thread: Fields): Query<string> {
  const name = yield* thread.text('name');
  if (name !== undefined) return `"${name}"`;
  const { location } = thread.value;
  return location.kind === 'memory' ? `thread 0x${location.address.toString(16)}` : 'thread';
}

const bytesOf = (count: number): string => plural(count, 'byte');

export const zephyrRows: readonly Row[] = [
  {
    names: ['_slist', 'sys_slist_t'],
    members: ['head', 'tail'],
    summarize: (list) => listSummary(singleList(list, 'head', 'next', 0)),
    list: (list) => singleList(list, 'head', 'next', 0),
  },
  {
    names: ['_sflist', 'sys_sflist_t'],
    members: ['head', 'tail'],
    summarize: (list) => listSummary(singleList(list, 'head', 'next_and_flags', 3)),
    list: (list) => singleList(list, 'head', 'next_and_flags', 3),
  },
  {
    // A node is the same structure under another name: sys_dnode_t is no list.
    names: ['sys_dlist_t'],
    members: ['head', 'tail', 'next', 'prev'],
    summarize: (list) => listSummary(doubleList(list)),
    list: doubleList,
  },
  {
    names: ['_wait_q_t'],
    members: ['waitq.head', 'waitq.next'],
    *summarize(queue) {
      const list = yield* doubleList(new Fields(queue.at('waitq') ?? queue.value));
      return list && (list.broken === undefined ? `${plural(list.nodes.length, 'thread')} waiting` : listText(list));
    },
  },
  {
    names: ['k_thread'],
    members: ['base.thread_state', 'base.prio'],
    *summarize(thread) {
      const state = yield* thread.number('base.thread_state');
      const priority = yield* thread.number('base.prio');
      if (state === undefined || priority === undefined) return undefined;
      const states = threadStates.flatMap(([bit, name]) => ((state & bit) === 0 ? [] : [name]));
      const shown = states.length === 0 ? 'running or ready' : states.join(' + ');
      return `${yield* threadName(thread)}, ${shown}, priority ${priority}`;
    },
  },
  {
    names: ['k_sem'],
    members: ['wait_q', 'count', 'limit'],
    *summarize(semaphore) {
      const count = yield* semaphore.number('count');
      const limit = yield* semaphore.number('limit');
      return count === undefined || limit === undefined ? undefined : `count ${count} of ${limit}`;
    },
  },
  {
    names: ['k_mutex'],
    members: ['wait_q', 'owner', 'lock_count'],
    *summarize(mutex) {
      const count = yield* mutex.number('lock_count');
      const owner = yield* mutex.number('owner');
      if (count === undefined || owner === undefined) return undefined;
      if (owner === 0) return 'free';
      const thread = yield* mutex.target('owner');
      const name = thread === undefined ? 'a thread' : yield* threadName(thread);
      return `locked by ${name}, ${count} ${count === 1 ? 'time' : 'times'}`;
    },
  },
  {
    names: ['k_msgq'],
    members: ['msg_size', 'max_msgs', 'used_msgs', 'buffer_start'],
    *summarize(queue) {
      const used = yield* queue.number('used_msgs');
      const most = yield* queue.number('max_msgs');
      const size = yield* queue.number('msg_size');
      if (used === undefined || most === undefined || size === undefined) return undefined;
      return `${used} of ${plural(most, 'message')} of ${bytesOf(size)}`;
    },
  },
  {
    names: ['device'],
    members: ['name', 'config', 'api', 'state', 'data'],
    *summarize(device) {
      const name = yield* device.text('name');
      if (name === undefined) return undefined;
      const state = yield* device.target('state');
      const initialized = state && (yield* state.number('initialized'));
      const result = state && (yield* state.number('init_res'));
      if (initialized === undefined || result === undefined) return `"${name}"`;
      const error = result === 0 ? 'ready' : `initialization failed with ${result}`;
      return `"${name}", ${initialized === 0 ? 'not initialized' : error}`;
    },
  },
  {
    names: ['ring_buf'],
    members: ['buffer', 'put.tail', 'get.head', 'size'],
    *summarize(ring) {
      const put = yield* ring.number('put.tail');
      const get = yield* ring.number('get.head');
      const size = yield* ring.number('size');
      const bytes = ring.at('put.tail')?.type.byteSize;
      if (put === undefined || get === undefined || size === undefined || bytes === undefined) return undefined;
      // Indices are unsigned and wrap.
      const range = 2 ** (8 * bytes);
      const used = (((put - get) % range) + range) % range;
      return `${used} of ${bytesOf(size)} used`;
    },
  },
  { names: ['sys_heap'], members: ['heap', 'init_mem', 'init_bytes'], summarize: heapSummary },
  {
    names: ['k_heap'],
    members: ['heap.init_mem', 'heap.init_bytes', 'wait_q'],
    *summarize(heap) {
      const inner = heap.at('heap');
      return inner === undefined ? undefined : yield* heapSummary(new Fields(inner));
    },
  },
  {
    names: ['sys_bitarray', 'sys_bitarray_t'],
    members: ['num_bits', 'num_bundles', 'bundles'],
    summarize: bitarraySummary,
  },
  {
    names: ['k_queue'],
    members: ['data_q.head', 'data_q.tail', 'wait_q'],
    *summarize(queue) {
      const list = yield* singleList(queue, 'data_q.head', 'next_and_flags', 3);
      return list && `${plural(list.nodes.length, 'item')}${list.broken === undefined ? '' : `, then ${list.broken}`}`;
    },
  },
];

/** What is allocated is known with CONFIG_SYS_HEAP_RUNTIME_STATS only, and where the heap's own structure is described. */
function* heapSummary(heap: Fields): Query<string | undefined> {
  const size = yield* heap.number('init_bytes');
  const start = yield* heap.number('init_mem');
  if (size === undefined || start === undefined) return undefined;
  const place = `${bytesOf(size)} at 0x${start.toString(16)}`;
  const inner = yield* heap.target('heap');
  const free = inner && (yield* inner.number('free_bytes'));
  const allocated = inner && (yield* inner.number('allocated_bytes'));
  return free === undefined || allocated === undefined ? place : `${place}, ${allocated} allocated, ${free} free`;
}

function* bitarraySummary(array: Fields): Query<string | undefined> {
  const bits = yield* array.number('num_bits');
  const bundles = yield* array.number('bundles');
  if (bits === undefined || bundles === undefined || bits > 8 * longestBitarray) return undefined;
  const bytes = yield { address: BigInt(bundles), length: 4 * Math.ceil(bits / 32) };
  if (bytes === undefined) return undefined;
  let set = 0;
  const { littleEndian } = array.value.frame.machine;
  for (let bit = 0; bit < bits; bit++) {
    const inWord = bit % 32;
    const byte = 4 * Math.floor(bit / 32) + (littleEndian ? inWord >> 3 : 3 - (inWord >> 3));
    if ((bytes[byte] & (1 << (bit & 7))) !== 0) set++;
  }
  return `${set} of ${plural(bits, 'bit')} set`;
}

const longestBitarray = 4096;

function hasMembers(value: Value, row: Row): boolean {
  const fields = new Fields(value);
  return row.members.every((path) => fields.at(path) !== undefined);
}

function rowOf(value: Value): Row | undefined {
  const names: string[] = [];
  let type = value.type;
  for (; isQualified(type); type = type.target)
    if (type.kind === 'typedef' && type.name !== undefined) names.push(type.name);
  const struct: StructType | undefined = isStruct(type) ? type : undefined;
  if (struct === undefined || struct.incomplete) return undefined;
  if (struct.name !== undefined) names.push(struct.name);
  return zephyrRows.find((row) => row.names.some((name) => names.includes(name)) && hasMembers(value, row));
}

/** undefined: it is none of Zephyr's structures, or cannot be read. */
export function* zephyrSummary(value: Value): Query<string | undefined> {
  const row = rowOf(value);
  return row && (yield* row.summarize(new Fields(value)));
}

/** The nodes of a list; undefined for anything else. */
export function* zephyrList(value: Value): Query<ZephyrList | undefined> {
  const row = rowOf(value);
  return row?.list && (yield* row.list(new Fields(value)));
}

/** Whether a value has nodes to show, without asking the target. */
export function isZephyrList(value: Value): boolean {
  return rowOf(value)?.list !== undefined;
}
