/** Completions: what is offered where, with the place that it replaces. Expected from the sources of the programs. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type AdapterClient, projectRoot, withAdapter } from './support/dap-client';
import { markerLine } from './support/fixtures';

async function stopped(
  program: string,
  source: string,
  marker: string,
  body: (adapter: AdapterClient) => Promise<void>,
): Promise<void> {
  await withAdapter(async (adapter) => {
    const path = join(projectRoot, 'test', source);
    const breakpoints = [{ path, breakpoints: [{ line: markerLine(path, marker) }] }];
    const name = /([^/.]+)\.[^/]*$/.exec(program)?.[1];
    const extensions = [{ program: join(projectRoot, 'test', program), name }];
    await adapter.launchToStop({ extensions, entry: 'entry', args: [1] }, breakpoints);
    await body(adapter);
  });
}

async function offered(adapter: AdapterClient, text: string, column = text.length + 1) {
  const frameId = (await adapter.topFrame()).id;
  return (await adapter.client.completionsRequest({ text, column, frameId })).body.targets;
}

const labels = async (adapter: AdapterClient, text: string): Promise<string[]> =>
  (await offered(adapter, text)).map(({ label }) => label);

describe('completions in C', () => {
  it('names, members through any expression, registers, extensions', () =>
    stopped('dap-programs/grammar.m3-O0.elf', 'dap-programs/grammar.c', 'HERE', async (adapter) => {
      assert.deepEqual(await labels(adapter, 'inte'), ['integer']);
      assert.deepEqual(await labels(adapter, 'line.'), ['from', 'to', 'kind', 'level']);
      assert.deepEqual(await labels(adapter, 'pointer->from.'), ['x', 'y']);
      assert.deepEqual(await labels(adapter, '1 + (*(&pointer[0])).to.'), ['x', 'y']);
      assert.deepEqual(await labels(adapter, '((point_t *)0)->'), ['x', 'y']);
      assert.deepEqual(await labels(adapter, 'table[line.'), ['from', 'to', 'kind', 'level']);
      assert.deepEqual(await labels(adapter, '$xp'), ['$xpsr']);
      assert.ok((await labels(adapter, '$')).every((label) => label.startsWith('$')));
      assert.deepEqual(await labels(adapter, 'integer.'), []);
      assert.deepEqual(await labels(adapter, '3.'), []);
      assert.ok((await labels(adapter, 'grammar::')).includes('twofold'));
      assert.deepEqual(await labels(adapter, 'grammar::two'), ['twofold']);
      assert.deepEqual(await labels(adapter, '::two'), ['twofold']);
      assert.ok((await labels(adapter, 'gram')).includes('grammar'));
      // Functions of the base image, which the console calls; not where nothing is typed yet.
      const prints = await labels(adapter, 'print');
      for (const name of ['printf', 'printk']) assert.ok(prints.includes(name), prints.join(' '));
      assert.ok(!(await labels(adapter, '')).includes('printk'));
      const suffixes = ['x', 'd', 'b', 'o', 'c', 's'];
      assert.deepEqual((await labels(adapter, 'line,')).slice(0, 6), suffixes);
      assert.deepEqual((await labels(adapter, 'table[1], ')).slice(0, 6), suffixes);
      assert.ok(!(await labels(adapter, 'twofold(integer,')).includes('x'));
      assert.ok(!(await labels(adapter, "twofold(')',")).includes('x'));
    }));

  it('macros of -g3, those that hold at the line', () =>
    stopped('dap-programs/macros.m3-g3.elf', 'dap-programs/macros.c', 'FIRST', async (adapter) => {
      assert.deepEqual(await labels(adapter, 'SQ'), ['SQUARE']);
      assert.deepEqual(await labels(adapter, 'GON'), []);
      assert.ok((await labels(adapter, '__ARM_')).length > 5);
      assert.ok((await labels(adapter, '')).every((label) => !label.startsWith('__ARM')));
    }));

  it('replace the word before the column, in UTF-16 units', () =>
    stopped('dap-programs/grammar.m3-O0.elf', 'dap-programs/grammar.c', 'HERE', async (adapter) => {
      const [inner] = await offered(adapter, "'\u{1f600}' + line.le + 1", 15);
      assert.deepEqual([inner.label, inner.start, inner.length], ['level', 13, 2]);
      const [first] = await offered(adapter, 'line.to.x', 3);
      assert.deepEqual([first.label, first.start, first.length], ['line', 1, 2]);
    }));
});

describe('completions in C++', () => {
  it('namespaces and classes step by step, members of bases, methods', () =>
    stopped('cpp/classes.m3-O0.elf', 'cpp/classes.cpp', 'AREA', async (adapter) => {
      const top = await labels(adapter, 'mot');
      assert.deepEqual(top, ['motion']);
      const inside = await labels(adapter, 'motion::');
      for (const name of ['Square', 'convert']) assert.ok(inside.includes(name), `${name} among ${inside.join(' ')}`);
      assert.ok((await labels(adapter, 'motion::Square::')).includes('area'));
      const own = await labels(adapter, 'this->');
      for (const name of ['side_', 'area']) assert.ok(own.includes(name), `${name} among ${own.join(' ')}`);
      assert.ok(own.includes('scale_') || own.length > 4, own.join(' '));
      assert.deepEqual(await labels(adapter, 'side'), ['side_']);
    }));
});

describe('the base of numbers', () => {
  it('is one for all values, until another is chosen', () =>
    stopped('dap-programs/grammar.m3-O0.elf', 'dap-programs/grammar.c', 'HERE', async (adapter) => {
      const shown = async (text: string): Promise<string> => (await adapter.evaluate(text)).result;
      const choose = async (format?: string) =>
        adapter.request<{ format: string }>('llext/displayFormat', format === undefined ? {} : { format });
      assert.deepEqual(await choose(), { format: 'natural' });
      const told = adapter.next('invalidated');
      assert.deepEqual(await choose('hex'), { format: 'hex' });
      await told;
      assert.equal(
        await shown('line'),
        '{from = {x = 0x1, y = 0x2}, to = {x = 0x3, y = 0x4}, kind = 0x6, level = 0x17}',
      );
      assert.equal(await shown('integer,d'), '-7');
      await choose('binary');
      assert.equal(await shown('byte'), '0b11001000');
      const local = (await adapter.scope('Locals')).find(({ name }) => name === 'what');
      assert.equal(local?.value, '0b1');
      await choose('decimal');
      assert.equal(await shown('byte'), '200');
      assert.equal(await shown('color'), '5');
      await choose('natural');
      assert.equal(await shown('byte'), "200 '\\310'");
      await assert.rejects(choose('roman'), /"format" is one of natural, decimal, hex, binary/);
    }));
});
