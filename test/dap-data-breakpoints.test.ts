/**
 * Data breakpoints by DAP: by variable, expression, address; reads, changes, every access; conditions and hit counts; objects of functions
 * that return; what cannot be watched. Values and lines follow from test/dap-programs/watched.c.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { breakpointState } from './support/controls';
import { type AdapterClient, withAdapter } from './support/dap-client';
import { examplePath, markerLine, projectRoot } from './support/fixtures';

const source = join(projectRoot, 'test/dap-programs/watched.c');
const line = (marker: string): number => markerLine(source, marker);
const at = (...markers: string[]) => [{ path: source, breakpoints: markers.map((marker) => ({ line: line(marker) })) }];
const program = (variant: string): string => join(projectRoot, `test/dap-programs/watched.${variant}.elf`);

type Info = DebugProtocol.DataBreakpointInfoResponse['body'];
type Access = DebugProtocol.DataBreakpointAccessType;

const info = (adapter: AdapterClient, args: DebugProtocol.DataBreakpointInfoArguments): Promise<Info> =>
  adapter.request<Info>('dataBreakpointInfo', { ...args });

async function set(
  adapter: AdapterClient,
  breakpoints: readonly DebugProtocol.DataBreakpoint[],
): Promise<DebugProtocol.Breakpoint[]> {
  const body = await adapter.request<DebugProtocol.SetDataBreakpointsResponse['body']>('setDataBreakpoints', {
    breakpoints,
  });
  return body.breakpoints;
}

/** Watches an expression of the top frame. */
async function watch(
  adapter: AdapterClient,
  expression: string,
  accessType: Access = 'write',
  options: Partial<DebugProtocol.DataBreakpoint> = {},
): Promise<DebugProtocol.Breakpoint> {
  const { id } = await adapter.topFrame();
  const { dataId, description } = await info(adapter, { name: expression, frameId: id });
  assert.ok(dataId !== null, description);
  const [answer] = await set(adapter, [{ dataId, accessType, ...options }]);
  assert.equal(answer.verified, true, answer.message);
  return answer;
}

/** Runs on to a data breakpoint; its text and the line of the frame. */
async function next(adapter: AdapterClient): Promise<[string, number]> {
  const stop = await adapter.run('continue');
  assert.equal(stop.reason, 'data breakpoint', stop.text);
  return [stop.text ?? '', (await adapter.topFrame()).line];
}

async function end(adapter: AdapterClient): Promise<void> {
  await adapter.runToEnd();
}

const launch = (adapter: AdapterClient, what: number, variant = 'm3-O0', ...markers: string[]) =>
  adapter.launchToStop({ program: program(variant), args: [what] }, at(...(markers.length > 0 ? markers : ['START'])));

for (const variant of ['m3-O0', 'm3-O2', 'rv32imac', 'rv64imac']) {
  describe(`data breakpoints in ${variant}`, () => {
    it('a value that changes: before, after, who; not when the same is written', () =>
      withAdapter(async (adapter) => {
        await launch(adapter, 0, variant);
        const { id } = await watch(adapter, 'counter');
        const bump = line('BUMP');
        // i & 1 is 0, 1, 0, 1, 0.
        for (const values of ['1 -> 2', '2 -> 3']) {
          const stop = await adapter.run('continue');
          assert.equal(stop.reason, 'data breakpoint');
          assert.equal(stop.description, `counter: ${values}`);
          assert.equal(stop.text, `counter: ${values}, written by bump() at watched.c:${bump}`);
          assert.deepEqual(stop.hitBreakpointIds, [id]);
          assert.match((await adapter.topFrame()).name, /^bump$/);
        }
        await end(adapter);
        assert.match(adapter.output('console'), /counter: 1 -> 2, written by bump\(\)/);
      }));

    it('members, bits, elements, and the copy of a host function', () =>
      withAdapter(async (adapter) => {
        await launch(adapter, 2, variant);
        const { id } = await adapter.topFrame();
        const ids: string[] = [];
        for (const name of ['table', 'items[1].values[2]', 'items[1].id', 'text']) {
          const { dataId } = await info(adapter, { name, frameId: id });
          assert.ok(dataId !== null);
          ids.push(dataId);
        }
        await set(
          adapter,
          ids.map((dataId) => ({ dataId, accessType: 'write' as const })),
        );
        const met: string[] = [];
        for (let i = 0; i < 4; i++) met.push((await next(adapter))[0]);
        const [copied] = met.splice(3);
        assert.match(copied, /^text: "(\\000)+" -> "hello(\\000)+", /);
        assert.ok(copied.endsWith(`, written by memcpy(), called by entry() at watched.c:${line('COPY')}`), copied);
        assert.deepEqual(met.sort(), [
          `items[1].id: 0 -> 8, written by entry() at watched.c:${line('ID')}`,
          `items[1].values[2]: 0 -> 4, written by entry() at watched.c:${line('ITEM')}`,
          `table[3]: 0 -> 9, written by entry() at watched.c:${line('TABLE')}`,
        ]);
        await end(adapter);
      }));

    it('a bit-field that changes, and not its neighbours', () =>
      withAdapter(async (adapter) => {
        await launch(adapter, 1, variant);
        await watch(adapter, 'bits.high');
        assert.equal(
          (await next(adapter))[0],
          `bits.high: 0 -> -3, written by set_bits() at watched.c:${line('HIGH')}`,
        );
        await watch(adapter, 'bits.middle');
        assert.match((await next(adapter))[0], /^bits\.middle: 0 -> 100, /);
        await end(adapter);
      }));

    it('reads, and every access', () =>
      withAdapter(async (adapter) => {
        await launch(adapter, 2, variant);
        await watch(adapter, 'table[3]', 'read');
        assert.equal((await next(adapter))[0], `table[3]: 9, read by entry() at watched.c:${line('READ')}`);
        await end(adapter);
      }));

    it('conditions and hit counts', () =>
      withAdapter(async (adapter) => {
        await launch(adapter, 6, variant);
        await watch(adapter, 'counter', 'write', { condition: 'counter % 100 == 0', hitCondition: '>= 3' });
        assert.match((await next(adapter))[0], /^counter: 299 -> 300, /);
        assert.match((await next(adapter))[0], /^counter: 399 -> 400, /);
        await watch(adapter, 'counter', 'write', { condition: 'counter == nonsense' });
        const stop = await adapter.run('continue');
        assert.match(
          stop.text ?? '',
          /^counter: 400 -> 401, .*\nthe condition 'counter == nonsense' cannot be evaluated: /,
        );
        await set(adapter, []);
        await end(adapter);
      }));

    it('a static object of a function', () =>
      withAdapter(async (adapter) => {
        await launch(adapter, 3, variant, 'CALLS');
        const { id } = await adapter.topFrame();
        const found = await info(adapter, { name: 'calls', frameId: id });
        assert.equal(found.canPersist, true);
        assert.match(found.description, /^calls \(4 bytes in llext watched/);
        await adapter.client.setBreakpointsRequest({ source: { path: source }, breakpoints: [] });
        await set(adapter, [{ dataId: found.dataId ?? '', accessType: 'write' }]);
        assert.match((await next(adapter))[0], /^calls: 0 -> 1, written by once\(\)/);
        assert.match((await next(adapter))[0], /^calls: 1 -> 2, /);
        await end(adapter);
      }));
  });
}

describe('data breakpoints on what is in a frame', () => {
  for (const variant of ['m3-O0', 'rv32imac']) {
    it(`end with it, as in gdb (${variant})`, () =>
      withAdapter(async (adapter) => {
        await launch(adapter, 4, variant, 'KEPT', 'ADD');
        const kept = await info(adapter, { name: 'kept', frameId: (await adapter.topFrame()).id });
        assert.equal(kept.canPersist, false);
        assert.match(kept.description, /^kept \(4 bytes in the frame of frames\(\)\)$/);
        await set(adapter, [{ dataId: kept.dataId ?? '', accessType: 'write' }]);
        const through = `written by through() at watched.c:${line('THROUGH')}`;
        assert.equal((await next(adapter))[0], `kept: 5 -> 6, ${through}`);
        assert.equal((await next(adapter))[0], `kept: 6 -> 7, ${through}`);
        // In the callee now: another frame, watched beside it.
        await adapter.run('continue');
        assert.equal((await adapter.topFrame()).name, 'sum_to');
        await adapter.client.setBreakpointsRequest({ source: { path: source }, breakpoints: [] });
        const sum = await info(adapter, { name: 'sum', frameId: (await adapter.topFrame()).id });
        const [, own] = await set(
          adapter,
          [kept.dataId, sum.dataId].map((dataId) => ({ dataId: dataId ?? '', accessType: 'write' as const })),
        );
        for (const values of ['0 -> 1', '1 -> 3', '3 -> 6', '6 -> 10']) {
          assert.equal((await next(adapter))[0], `sum: ${values}, written by sum_to() at watched.c:${line('ADD')}`);
        }
        const stop = await adapter.run('continue');
        assert.equal(stop.reason, 'data breakpoint');
        assert.equal(stop.text, "Data breakpoint removed: the call of sum_to() that 'sum' was in is over");
        assert.deepEqual([(await adapter.topFrame()).name, (await adapter.topFrame()).line], ['frames', line('AFTER')]);
        const state = breakpointState(adapter, own.id);
        assert.deepEqual([state?.verified, state?.message], [false, "the call of sum_to() that 'sum' was in is over"]);
        // sum_to is called once more with another frame at the same place, which is not meant. Then frames() ends.
        const last = await adapter.run('continue');
        assert.equal(last.text, "Data breakpoint removed: the call of frames() that 'kept' was in is over");
        assert.equal((await adapter.topFrame()).name, 'entry');
        // Set again, it says so.
        const [again] = await set(adapter, [{ dataId: kept.dataId ?? '', accessType: 'read' }]);
        assert.deepEqual([again.verified, again.reason], [false, 'failed']);
        await end(adapter);
      }));
  }

  it('of one activation of a recursive function, with a condition in its frame', () =>
    withAdapter(async (adapter) => {
      await adapter.launchToStop({ program: program('m3-O0'), args: [5] }, [
        { path: source, breakpoints: [{ line: line('MINE'), condition: 'level == 0' }] },
      ]);
      const frames = await adapter.stack();
      assert.deepEqual(
        frames.slice(0, 4).map(({ name }) => name),
        ['deeper', 'deeper', 'deeper', 'deeper'],
      );
      const { dataId } = await info(adapter, { name: 'mine', frameId: frames[2].id });
      await set(adapter, [{ dataId: dataId ?? '', accessType: 'write', condition: 'level == 2' }]);
      assert.match((await next(adapter))[0], /^mine: 2 -> 12, written by deeper\(\)/);
      assert.equal((await adapter.evaluate('level')).result, '2');
      assert.match((await adapter.run('continue')).text ?? '', /^Data breakpoint removed: the call of deeper\(\)/);
      assert.equal((await adapter.evaluate('level')).result, '3');
      await end(adapter);
    }));
});

describe('dataBreakpointInfo', () => {
  it('by variables, addresses and lengths; what cannot be watched says why', () =>
    withAdapter(async (adapter) => {
      await launch(adapter, 2, 'm3-O2', 'ID');
      const { scopes } = (await adapter.client.scopesRequest({ frameId: (await adapter.topFrame()).id })).body;
      const reference = (name: string) => scopes.find((scope) => scope.name.startsWith(name))?.variablesReference;
      const counter = await info(adapter, { variablesReference: reference('Globals') ?? 0, name: 'counter' });
      assert.match(counter.description, /^counter \(4 bytes in llext watched/);
      assert.deepEqual(counter.accessTypes, ['read', 'write', 'readWrite']);
      assert.equal(counter.canPersist, true);
      const register = await info(adapter, { variablesReference: reference('Registers') ?? 0, name: 'r0' });
      assert.deepEqual(register, { dataId: null, description: "'r0' is a register, and only memory can be watched" });
      const frameId = (await adapter.topFrame()).id;
      const what = await info(adapter, { name: 'what', frameId });
      assert.equal(what.dataId, null);
      assert.match(
        what.description,
        /^'what' cannot be watched: (the compiler keeps it in a register|it has been optimized out)/,
      );
      const sum = await info(adapter, { name: 'counter + 1', frameId });
      assert.deepEqual([sum.dataId, /without a place in memory/.test(sum.description)], [null, true]);
      assert.equal((await info(adapter, { name: 'nonsense', frameId })).dataId, null);
      assert.equal((await info(adapter, { name: '0x20000000', asAddress: true, bytes: 0x2000000 })).dataId, null);
      assert.equal((await info(adapter, { name: 'counter', asAddress: true })).dataId, null);
      assert.equal((await info(adapter, { name: '0xffffffff', asAddress: true, bytes: 2 })).dataId, null);
      // 6 bytes of an array from its start, and an address.
      const table = (await adapter.evaluate('&items[1].id')).memoryReference ?? '';
      const start = (await adapter.evaluate('text')).memoryReference ?? '';
      const range = await info(adapter, { name: table, asAddress: true, bytes: 1 });
      const text = await info(adapter, { name: 'text', frameId, bytes: 6 });
      assert.match(text.description, /^text \(6 bytes in llext/);
      await set(
        adapter,
        [range, text].map(({ dataId }) => ({ dataId: dataId ?? '', accessType: 'write' as const })),
      );
      const stops = [(await next(adapter))[0], (await next(adapter))[0]];
      assert.deepEqual(stops.sort(), [
        `1 byte at ${table}: 00 -> 08, written by entry() at watched.c:${line('ID')}`,
        `6 bytes at ${start} of text: 00 00 00 00 00 00 -> 68 65 6c 6c 6f 00, written by memcpy(), called by entry() at watched.c:${line('COPY')}`,
      ]);
      await end(adapter);
    }));

  it('survives a restart, waits for its extension, and refuses what it has not named', () =>
    withAdapter(async (adapter) => {
      await launch(adapter, 0);
      const { dataId } = await info(adapter, { name: 'counter', frameId: (await adapter.topFrame()).id });
      const local = await info(adapter, { name: 'result', frameId: (await adapter.topFrame()).id });
      const answers = await set(adapter, [
        { dataId: dataId ?? '', accessType: 'write' },
        { dataId: local.dataId ?? '' },
        { dataId: 'something' },
        { dataId: dataId ?? '', hitCondition: 'often' },
        { dataId: (dataId ?? '').replace('"module":"watched', '"module":"other') },
      ]);
      assert.deepEqual(
        answers.map(({ verified, reason }) => [verified, reason]),
        [
          [true, undefined],
          [true, undefined],
          [false, 'failed'],
          [false, 'failed'],
          [false, 'pending'],
        ],
      );
      assert.match(answers[4].message ?? '', /^waits for llext 'other/);
      assert.match((await next(adapter))[0], /^counter: 1 -> 2, /);
      // Loaded behind another extension, it lies elsewhere.
      const before = (await adapter.evaluate('&counter')).memoryReference;
      const stopped = adapter.stopped();
      const extensions = [{ program: examplePath('hello/hello_ext_debug.elf') }, { program: program('m3-O0') }];
      await adapter.request('restart', { arguments: { extensions, args: [0] } });
      await stopped;
      assert.notEqual((await adapter.evaluate('&counter')).memoryReference, before);
      assert.match((await next(adapter))[0], /^counter: 1 -> 2, written by bump\(\)/);
      const state = breakpointState(adapter, answers[1].id);
      assert.match(state?.message ?? '', /^the call of entry\(\) that 'result' was in is over$/);
      await set(adapter, []);
      await end(adapter);
    }));

  it('may be set before the launch; a step ends at it', () =>
    withAdapter(async (adapter) => {
      let dataId = '';
      await withAdapter(async (first) => {
        await launch(first, 0);
        dataId = (await info(first, { name: 'counter', frameId: (await first.topFrame()).id })).dataId ?? '';
        await end(first);
      });
      await adapter.client.initializeRequest({ adapterID: 'llext', pathFormat: 'path' });
      const launched = adapter.client.launchRequest({ program: program('m3-O0'), args: [0] } as never);
      const [pending] = await set(adapter, [{ dataId, accessType: 'write' }]);
      assert.deepEqual([pending.verified, pending.reason], [false, 'pending']);
      const stopped = adapter.stopped();
      await adapter.client.configurationDoneRequest();
      await launched;
      assert.match((await stopped).text ?? '', /^counter: 1 -> 2, /);
      assert.equal(breakpointState(adapter, pending.id)?.verified, true);
      // Over the calls of the loop: one of them changes it.
      let stop = await adapter.run('next');
      for (let steps = 0; stop.reason === 'step' && steps < 20; steps++) stop = await adapter.run('next');
      assert.match(stop.text ?? stop.reason, /^counter: 2 -> 3, /);
      await set(adapter, []);
      await end(adapter);
    }));
});
