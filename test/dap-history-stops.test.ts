/**
 * What reverse continue stops at, by DAP: data breakpoints (before the access, values as the C source of test/dap-programs/watched.c
 * makes them), breakpoints with a condition or a hit count, and a fault that the user has gone around.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { join } from 'node:path';
import { type AdapterClient, withAdapter } from './support/dap-client';
import { fixturePath, fixtureSource, markerLine } from './support/fixtures';

const programs = join(__dirname, 'dap-programs');
const watched = join(programs, 'watched.c');
const faults = fixtureSource('faults');

const valueOf = async (adapter: AdapterClient, name: string): Promise<string> => (await adapter.evaluate(name)).result;

async function toStart(adapter: AdapterClient, build: string, what: number): Promise<void> {
  await adapter.launchToStop({ program: join(programs, `watched.${build}.elf`), args: [what] }, [
    { path: watched, breakpoints: [{ line: markerLine(watched, 'START') }] },
  ]);
  await setBreakpoints(adapter, []);
}

async function setBreakpoints(adapter: AdapterClient, breakpoints: { line: number; [option: string]: unknown }[]) {
  await adapter.client.setBreakpointsRequest({ source: { path: watched }, breakpoints });
}

async function watchCounter(adapter: AdapterClient, options: object): Promise<void> {
  const { id } = await adapter.topFrame();
  const { dataId } = await adapter.request<{ dataId: string }>('dataBreakpointInfo', { name: 'counter', frameId: id });
  await adapter.request('setDataBreakpoints', { breakpoints: [{ dataId, ...options }] });
}

for (const build of ['m3-O0', 'm3-O2', 'rv32imac', 'rv64imac']) {
  describe(build, () => {
    it('each change: back to before it, then to the start', () =>
      withAdapter(async (adapter) => {
        await toStart(adapter, build, 0);
        await watchCounter(adapter, { accessType: 'write' });
        const forwards: string[] = [];
        for (let i = 0; i < 2; i++) {
          assert.equal((await adapter.run('continue')).reason, 'data breakpoint');
          forwards.push(await valueOf(adapter, 'counter'));
        }
        // counter is 1; bump(0), bump(1), bump(0), bump(1), bump(0): what writes the same value is no change.
        assert.deepEqual(forwards, ['2', '3']);
        const backwards: string[] = [];
        for (let i = 0; i < 2; i++) {
          const stop = await adapter.run('reverseContinue');
          assert.equal(stop.reason, 'data breakpoint');
          backwards.push(await valueOf(adapter, 'counter'));
        }
        assert.deepEqual(backwards, ['2', '1']);
        assert.equal((await adapter.run('reverseContinue')).reason, 'start of recording');
      }));

    it('a data breakpoint with a condition', () =>
      withAdapter(async (adapter) => {
        await toStart(adapter, build, 6);
        await watchCounter(adapter, { accessType: 'write', condition: 'counter == 700' });
        await adapter.run('continue');
        assert.equal(await valueOf(adapter, 'counter'), '700');
        await watchCounter(adapter, { accessType: 'write', condition: 'counter % 100 == 0' });
        for (const before of ['699', '599', '499']) {
          assert.equal((await adapter.run('reverseContinue')).reason, 'data breakpoint');
          assert.equal(await valueOf(adapter, 'counter'), before);
        }
      }));
  });
}

describe('breakpoints of the source, back', () => {
  for (const build of ['m3-O0', 'rv32imac', 'rv64imac']) {
    it(`a condition, then a hit count that counts backwards (${build})`, () =>
      withAdapter(async (adapter) => {
        await toStart(adapter, build, 6);
        const line = markerLine(watched, 'BUMP');
        await setBreakpoints(adapter, [{ line, condition: 'counter == 950' }]);
        await adapter.run('continue');
        await setBreakpoints(adapter, [{ line, condition: 'counter % 100 == 0' }]);
        for (const expected of ['900', '800']) {
          assert.equal((await adapter.run('reverseContinue')).reason, 'breakpoint');
          assert.equal(await valueOf(adapter, 'counter'), expected);
        }
        // The arrivals before are at 799, 798, ...: the tenth and the twentieth.
        await setBreakpoints(adapter, [{ line, hitCondition: '% 10' }]);
        for (const expected of ['790', '780']) {
          assert.equal((await adapter.run('reverseContinue')).reason, 'breakpoint');
          assert.equal(await valueOf(adapter, 'counter'), expected);
        }
      }));
  }
});

describe('who wrote, in the Debug Console', () => {
  for (const build of ['m3-O0', 'rv64imac']) {
    it(`the last write before now, and nothing moves (${build})`, () =>
      withAdapter(async (adapter) => {
        await toStart(adapter, build, 6);
        await setBreakpoints(adapter, [{ line: markerLine(watched, 'BUMP'), condition: 'counter == 31' }]);
        await adapter.run('continue');
        const { result } = await adapter.evaluate('who wrote counter', 'repl');
        assert.match(
          result,
          new RegExp(`1e .*-> 1f .*written by bump\\+.* at .*watched\\.c:${markerLine(watched, 'BUMP')}`),
        );
        assert.equal(await valueOf(adapter, 'counter'), '31');
        await assert.rejects(adapter.evaluate('who wrote counter + 1', 'repl'), /'counter \+ 1' is not in memory/);
        await assert.rejects(adapter.evaluate('who wrote nothing', 'repl'), /nothing/);
      }));
  }
});

describe('a fault', () => {
  it('that the user has gone around is where going back stops', () =>
    withAdapter(async (adapter) => {
      const end = markerLine(faults, 'BP_UNMAPPED') + 1;
      await adapter.launchToStop({ program: fixturePath('faults', 'm3-O0'), args: [2] }, []);
      const fault = await adapter.topFrame();
      assert.equal(fault.line, markerLine(faults, 'BP_UNMAPPED'));
      const source = { path: faults };
      const { targets } = await adapter.request<{ targets: { id: number }[] }>('gotoTargets', { source, line: end });
      const moved = adapter.stopped();
      await adapter.request('goto', { threadId: 1, targetId: targets[0].id });
      await moved;
      await adapter.run('next');
      const stop = await adapter.run('reverseContinue');
      assert.equal(stop.reason, 'exception');
      assert.match(String(stop.text), /0xa0000000/);
      assert.equal((await adapter.topFrame()).line, fault.line);
    }));
});

describe('a recording with little room', () => {
  it('gives up its beginning, says so, and goes back and forth from the first moment that is left', () =>
    withAdapter(async (adapter) => {
      const source = join(programs, 'dirty.c');
      const program = join(programs, 'dirty.m3-O2.elf');
      const breakpoints = [{ path: source, breakpoints: [{ line: markerLine(source, 'BATCH') }] }];
      await adapter.launchToStop({ program, args: [1000], history: 1, heapSize: 2048 }, breakpoints);
      const isLost = (): boolean => /The beginning of the recording was given up/.test(adapter.output('console'));
      let batches = 1;
      for (; batches < 100 && !isLost(); batches++) await adapter.run('continue');
      assert.ok(isLost(), `nothing was given up in ${batches} batches`);
      const last = Number(await valueOf(adapter, 'batch'));
      const first = await valueOf(adapter, 'pages[7][9]');
      await adapter.client.setBreakpointsRequest({ source: { path: source }, breakpoints: [] });
      const start = await adapter.run('reverseContinue');
      assert.equal(start.reason, 'start of recording');
      assert.match(start.text ?? '', /first moment that is still recorded.*was given up/);
      assert.ok(Number(await valueOf(adapter, 'batch')) <= last);
      await adapter.client.setBreakpointsRequest({ source: { path: source }, breakpoints: breakpoints[0].breakpoints });
      do await adapter.run('continue');
      while (Number(await valueOf(adapter, 'batch')) < last);
      assert.equal(await valueOf(adapter, 'pages[7][9]'), first);
    }));
});
