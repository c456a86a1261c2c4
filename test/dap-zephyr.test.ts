/**
 * Zephyr's structures by DAP: a summary before the plain members, and the nodes of lists. The extension fills them; what is
 * expected is what test/fixtures/zephyr.c says. Structures of the same names with other members are shown as they are.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { zephyrRows } from '../lib/program/zephyr-objects';
import { type AdapterClient, withAdapter } from './support/dap-client';
import { fixturePath, fixtureSource, markerLine } from './support/fixtures';

async function stopAt(adapter: AdapterClient, fixture: string, marker: string): Promise<void> {
  const path = fixtureSource(fixture);
  const breakpoints = [{ path, breakpoints: [{ line: markerLine(path, marker) }] }];
  await adapter.launchToStop({ program: fixturePath(fixture, 'm3-O0') }, breakpoints);
}

/** Expression, the row that it is of, and how its text begins. */
const expected: readonly (readonly [expression: string, row: string, text: RegExp])[] = [
  ['singles', '_slist', /^3 nodes \{head = 0x[0-9a-f]+ <items\+4>, tail = 0x/],
  ['no_singles', '_slist', /^0 nodes \{head = 0x0/],
  ['cycle', '_slist', /^3 nodes \{/],
  ['flagged', '_sflist', /^2 nodes \{head = /],
  ['doubles', 'sys_dlist_t', /^2 nodes \{/],
  ['no_doubles', 'sys_dlist_t', /^0 nodes \{/],
  ['raw_doubles', 'sys_dlist_t', /^0 nodes, then nothing: it is not initialized \{/],
  ['semaphore.wait_q', '_wait_q_t', /^1 thread waiting \{/],
  ['worker', 'k_thread', /^"worker", pending \+ sleeping, priority -2 \{base = \{/],
  ['idle', 'k_thread', /^thread 0x[0-9a-f]+, running or ready, priority 15 \{/],
  ['semaphore', 'k_sem', /^count 1 of 3 \{.*count = 1, limit = 3\}$/],
  ['mutex', 'k_mutex', /^locked by "worker", 2 times \{/],
  ['unlocked', 'k_mutex', /^free \{/],
  ['messages', 'k_msgq', /^3 of 8 messages of 4 bytes \{/],
  ['queue', 'k_queue', /^2 items \{/],
  ['uart', 'device', /^"uart@40004000", ready \{/],
  ['spi', 'device', /^"spi0", initialization failed with 19 \{/],
  ['chosen', 'device', /^0x[0-9a-f]+ <uart> "uart@40004000", ready$/],
  // 3 - 0xfffe in 16 bits.
  ['ring', 'ring_buf', /^5 of 64 bytes used \{/],
  ['small_heap', 'sys_heap', /^64 bytes at 0x[0-9a-f]+, 16 allocated, 40 free \{/],
  ['heap', 'k_heap', /^32 bytes at 0x[0-9a-f]+ \{/],
  // 0x80000001 and 0x6.
  ['bits', 'sys_bitarray', /^4 of 40 bits set \{/],
  ['periodic', 'k_timer', /^runs every 100 ticks, expired 1 time, 1 thread waiting \{timeout = /],
  ['single', 'k_timer', /^runs once, expired 0 times \{/],
  ['stopped', 'k_timer', /^stopped, expired 3 times \{/],
  ['work_idle', 'k_work', /^idle \{/],
  ['work_queued', 'k_work', /^running \+ queued \{/],
  ['work_later', 'k_work_delayable', /^delayed \{/],
  ['slab', 'k_mem_slab', /^2 of 8 blocks of 32 bytes used \{/],
  ['event', 'k_event', /^events 0x15 \{/],
  ['stack', 'k_stack', /^2 of 5 items \{/],
  ['nobody', 'k_condvar', /^nobody waiting \{/],
  ['condition', 'k_condvar', /^1 thread waiting \{/],
  ['fifo', 'k_fifo', /^2 items \{/],
  ['lifo', 'k_lifo', /^1 item \{/],
];

describe("Zephyr's structures", () => {
  it('have a case for each row', () => {
    const rows = new Set(expected.map(([, row]) => row));
    for (const { names } of zephyrRows)
      assert.ok(
        names.some((name) => rows.has(name)),
        names.join(),
      );
  });

  it('are summarized', () =>
    withAdapter(async (adapter) => {
      await stopAt(adapter, 'zephyr', 'BP1');
      for (const [expression, , text] of expected) {
        for (const context of ['watch', 'hover'] as const) {
          assert.match((await adapter.evaluate(expression, context)).result, text, expression);
        }
      }
      for (const expression of ['foreign', 'other', 'dnodes[0]']) {
        assert.match((await adapter.evaluate(expression)).result, /^\{/, expression);
      }
    }));

  it('have the nodes of a list below their members, and an expression for each', () =>
    withAdapter(async (adapter) => {
      await stopAt(adapter, 'zephyr', 'BP1');
      for (const [list, links] of [
        ['singles', ['&items[0].node', '&items[1].node', '&items[2].node']],
        ['&singles', ['&items[0].node', '&items[1].node', '&items[2].node']],
        ['flagged', ['&sfnodes[0]', '&sfnodes[1]']],
        ['doubles', ['&dnodes[0]', '&dnodes[1]']],
        ['no_doubles', []],
      ] as const) {
        const { variablesReference } = await adapter.evaluate(list);
        const children = await adapter.variables(variablesReference);
        const nodes = children.at(-1);
        assert.equal(nodes?.name, '<nodes>', list);
        assert.equal(nodes.value, `${links.length} nodes`);
        const shown = await adapter.variables(nodes.variablesReference);
        assert.equal(shown.length, links.length);
        for (const [i, link] of links.entries()) {
          const expression = shown[i].evaluateName ?? '';
          assert.equal((await adapter.evaluate(`&${expression} == ${link}`)).result, '1', `${list} ${i}`);
        }
        const page = await adapter.request<{ variables: unknown[] }>('variables', {
          variablesReference: nodes.variablesReference,
          start: 1,
          count: 1,
        });
        assert.equal(page.variables.length, Math.min(1, Math.max(0, links.length - 1)));
      }
      const semaphore = await adapter.variables((await adapter.evaluate('semaphore')).variablesReference);
      assert.deepEqual(
        semaphore.map(({ name }) => name),
        ['wait_q', 'count', 'limit'],
      );
    }));

  it('that are a cycle say so', () =>
    withAdapter(async (adapter) => {
      await stopAt(adapter, 'zephyr', 'BP2');
      assert.match((await adapter.evaluate('cycle')).result, /^3 nodes, then a cycle \{/);
      const children = await adapter.variables((await adapter.evaluate('cycle')).variablesReference);
      assert.equal((await adapter.variables(children.at(-1)?.variablesReference ?? 0)).length, 3);
      await adapter.evaluate('singles.head = (sys_snode_t *)0xfffffff0', 'repl');
      assert.match((await adapter.evaluate('singles')).result, /^0 nodes, then a link to 0xfffffff0, which cannot be/);
    }));

  it('are shown as they are when they have other members', () =>
    withAdapter(async (adapter) => {
      await stopAt(adapter, 'zephyr_names', 'BP1');
      for (const name of ['semaphore', 'thread', 'mutex', 'device', 'ring', 'doubles', 'singles']) {
        const { result, variablesReference } = await adapter.evaluate(name);
        assert.match(result, /^\{/, name);
        const children = await adapter.variables(variablesReference);
        assert.ok(!children.some((child) => child.name === '<nodes>'), name);
      }
    }));
});
