/**
 * Kernel objects of Zephyr that a thread waits at, or that do something later (include/zephyr/kernel.h of 4.2): timers, work, slabs, events, stacks,
 * FIFOs. Rows as in zephyr-objects.ts.
 */
import { bytesOf, doubleList, Fields, plural, type Row, singleList } from './zephyr-fields';
import type { Query } from '../query';

/** Linked while its timeout runs (sys_dnode_is_linked). */
function* isRunning(object: Fields, timeout: string): Query<boolean | undefined> {
  const next = yield* object.number(`${timeout}.node.next`);
  return next === undefined ? undefined : next !== 0;
}

function* waiting(object: Fields): Query<string> {
  const queue = object.at('wait_q.waitq');
  const list = queue && (yield* doubleList(new Fields(queue)));
  const count = list?.broken === undefined ? (list?.nodes.length ?? 0) : 0;
  return count === 0 ? '' : `, ${plural(count, 'thread')} waiting`;
}

/** K_WORK_* of kernel.h. */
const workStates: readonly (readonly [number, string])[] = [
  [1 << 0, 'running'],
  [1 << 1, 'being cancelled'],
  [1 << 2, 'queued'],
  [1 << 3, 'delayed'],
  [1 << 4, 'flushing'],
];

function* workText(object: Fields, path: string): Query<string | undefined> {
  const flags = yield* object.number(path);
  if (flags === undefined) return undefined;
  const states = workStates.flatMap(([bit, name]) => ((flags & bit) === 0 ? [] : [name]));
  return states.length === 0 ? 'idle' : states.join(' + ');
}

export const kernelRows: readonly Row[] = [
  {
    names: ['k_timer'],
    members: ['timeout.node.next', 'wait_q', 'period.ticks', 'status'],
    *summarize(timer) {
      const running = yield* isRunning(timer, 'timeout');
      const period = yield* timer.number('period.ticks');
      const expired = yield* timer.number('status');
      if (running === undefined || period === undefined || expired === undefined) return undefined;
      // K_FOREVER is -1, K_NO_WAIT 0: it does not begin again.
      const again = period > 0 ? `every ${plural(period, 'tick')}` : 'once';
      const state = running ? `runs ${again}` : 'stopped';
      return `${state}, expired ${expired} ${expired === 1 ? 'time' : 'times'}${yield* waiting(timer)}`;
    },
  },
  {
    names: ['k_work'],
    members: ['node', 'handler', 'queue', 'flags'],
    summarize: (work) => workText(work, 'flags'),
  },
  {
    names: ['k_work_delayable'],
    members: ['work.flags', 'timeout.node.next', 'queue'],
    summarize: (work) => workText(work, 'work.flags'),
  },
  {
    names: ['k_mem_slab'],
    members: ['wait_q', 'info.num_blocks', 'info.block_size', 'info.num_used'],
    *summarize(slab) {
      const used = yield* slab.number('info.num_used');
      const blocks = yield* slab.number('info.num_blocks');
      const size = yield* slab.number('info.block_size');
      if (used === undefined || blocks === undefined || size === undefined) return undefined;
      return `${used} of ${plural(blocks, 'block')} of ${bytesOf(size)} used${yield* waiting(slab)}`;
    },
  },
  {
    names: ['k_event'],
    members: ['wait_q', 'events'],
    *summarize(event) {
      const events = yield* event.number('events');
      return events === undefined ? undefined : `events 0x${events.toString(16)}${yield* waiting(event)}`;
    },
  },
  {
    names: ['k_stack'],
    members: ['wait_q', 'base', 'next', 'top'],
    *summarize(stack) {
      const base = yield* stack.number('base');
      const next = yield* stack.number('next');
      const top = yield* stack.number('top');
      // stack_data_t is as wide as a pointer.
      const size = stack.at('base')?.type.byteSize;
      if (base === undefined || next === undefined || top === undefined || size === undefined) return undefined;
      return `${(next - base) / size} of ${plural((top - base) / size, 'item')}${yield* waiting(stack)}`;
    },
  },
  {
    names: ['k_condvar'],
    members: ['wait_q.waitq.head', 'wait_q.waitq.next'],
    *summarize(condition) {
      return (yield* waiting(condition)).replace(', ', '') || 'nobody waiting';
    },
  },
  {
    names: ['k_fifo', 'k_lifo'],
    members: ['_queue.data_q.head', '_queue.data_q.tail', '_queue.wait_q'],
    *summarize(queue) {
      const list = yield* singleList(queue, '_queue.data_q.head', 'next_and_flags', 3);
      return list && `${plural(list.nodes.length, 'item')}${list.broken === undefined ? '' : `, then ${list.broken}`}`;
    },
  },
];
