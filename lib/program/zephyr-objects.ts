/**
 * Zephyr's own structures as somebody who debugs wants to read them: how many nodes a list has, a thread's name and state,
 * a semaphore's count. A row a structure, recognised by its name and by the members that the row reads (include/zephyr of 4.2:
 * sys/slist.h, sys/dlist.h, kernel.h, kernel/thread.h, device.h, sys/ring_buffer.h, sys/sys_heap.h, sys/bitarray.h). Another
 * structure of the same name has other members, and gets no summary. What cannot be read gets none either: the plain members say why.
 */
import { isQualified, type StructType } from '../dwarf/model';
import { isStruct, type Value } from '../dwarf/value';
import type { Query } from '../query';
import {
  bytesOf,
  doubleList,
  Fields,
  listSummary,
  listText,
  plural,
  type Row,
  singleList,
  type ZephyrList,
} from './zephyr-fields';
import { kernelRows } from './zephyr-kernel-objects';

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

export const zephyrRows: readonly Row[] = [
  ...kernelRows,
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
