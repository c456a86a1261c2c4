/**
 * Backwards by DAP: what was stepped through forwards is gone back through to the same places, breakpoints stop with their
 * conditions and hit counts, output is not repeated, checkpoints are returned to, and the last write is found.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { type AdapterClient, withAdapter } from './support/dap-client';
import { examplePath, fixturePath, fixtureSource, markerLine, riscvFixture } from './support/fixtures';

const calls = fixtureSource('calls');
const line = (marker: string): number => markerLine(calls, marker);
const at = (marker: string, options = {}) => [
  { path: calls, breakpoints: [{ line: markerLine(calls, marker), ...options }] },
];

const programOf = (variant: string) =>
  variant.startsWith('rv') ? riscvFixture('calls', variant) : fixturePath('calls', variant);

async function place(adapter: AdapterClient): Promise<string> {
  const { name, line: shown } = await adapter.topFrame();
  return `${name}:${shown}`;
}

async function valueOf(adapter: AdapterClient, expression: string): Promise<string> {
  return (await adapter.evaluate(expression)).result;
}

describe('steps back', () => {
  for (const variant of ['m3-O0', 'rv32imac-O0', 'rv64imac-O0']) {
    it(`over lines, through the places of the steps forwards (${variant})`, () =>
      withAdapter(async (adapter) => {
        await adapter.launchToStop({ program: programOf(variant), args: [3], stopOnEntry: true });
        const places: string[] = [];
        const counts: string[] = [];
        for (let i = 0; i < 6; i++) {
          places.push(await place(adapter));
          counts.push(await valueOf(adapter, 'calls'));
          await adapter.run('next');
        }
        for (let i = 5; i >= 0; i--) {
          await adapter.run('stepBack');
          assert.equal(await place(adapter), places[i]);
          assert.equal(await valueOf(adapter, 'calls'), counts[i], 'memory is as it was');
        }
      }));

    it(`into the end of a function and out to its call (${variant})`, () =>
      withAdapter(async (adapter) => {
        await adapter.launchToStop({ program: programOf(variant), args: [3] }, at('BP2'));
        const call = await place(adapter);
        await adapter.run('next');
        assert.match(await place(adapter), /^many:/);
        await adapter.run('llext/reverseStepIn');
        assert.match(await place(adapter), /^note:/);
        await adapter.run('llext/reverseStepOut');
        assert.equal(await place(adapter), call);
      }));

    it(`by instruction, each forward step undone (${variant})`, () =>
      withAdapter(async (adapter) => {
        await adapter.launchToStop({ program: programOf(variant), args: [3] }, at('BP1'));
        const pcs: unknown[] = [];
        for (let i = 0; i < 12; i++) {
          pcs.push((await adapter.topFrame()).instructionPointerReference);
          await adapter.run('stepIn', 'instruction');
        }
        for (const pc of pcs.toReversed()) {
          await adapter.run('llext/reverseStepIn', 'instruction');
          assert.equal((await adapter.topFrame()).instructionPointerReference, pc);
        }
      }));
  }
});

describe('steps back in optimised code', () => {
  const programs = [
    ...['m3-O2', 'm3-Os', 'm3clang-O2'].map((variant) => programOf(variant)),
    riscvFixture('control', 'rv32imac-Os'),
    riscvFixture('control', 'rv64imac-O2'),
  ];
  for (const program of programs) {
    const name = program.replace(/.*\//, '');
    for (const granularity of ['line', 'statement', 'instruction'] as const) {
      it(`by ${granularity}: where the steps forwards were, at the same instructions (${name})`, () =>
        withAdapter(async (adapter) => {
          await adapter.launchToStop({ program, args: [3], stopOnEntry: true });
          const places: unknown[] = [];
          const now = async () => {
            const { name, line: shown, instructionPointerReference } = await adapter.topFrame();
            return `${name}:${shown} at ${instructionPointerReference}, ${await valueOf(adapter, '$sp')}`;
          };
          for (let i = 0; i < 6; i++) {
            places.push(await now());
            await adapter.run('next', granularity);
          }
          for (const expected of places.toReversed()) {
            await adapter.run('stepBack', granularity);
            assert.equal(await now(), expected);
          }
        }));
    }
  }
});

describe('reverseContinue', () => {
  it('stops at breakpoints in the other order, at the start it says so, and prints nothing again', () =>
    withAdapter(async (adapter) => {
      const hello = examplePath('hello/hello.llext');
      const source = examplePath('hello/hello.c');
      const printed = markerLineOf(source, 'printk(');
      await adapter.launchToStop({ program: hello }, [{ path: source, breakpoints: [{ line: printed }] }]);
      const values: string[] = [];
      for (let i = 0; i < 3; i++) {
        values.push(await place(adapter));
        if (i < 2) await adapter.run('continue');
      }
      const before = adapter.output('stdout');
      const stops = [await adapter.run('reverseContinue'), await adapter.run('reverseContinue')];
      assert.deepEqual(
        stops.map(({ reason }) => reason),
        ['breakpoint', 'breakpoint'],
      );
      const start = await adapter.run('reverseContinue');
      assert.equal(start.reason, 'start of recording');
      assert.match(start.text ?? '', /began/);
      for (let i = 0; i < 3; i++) {
        await adapter.run('continue');
        assert.equal(await place(adapter), values[i]);
      }
      assert.equal(adapter.output('stdout'), before);
    }));

  it('evaluates conditions, and counts hits in the order of going back', () =>
    withAdapter(async (adapter) => {
      const program = fixturePath('calls', 'm3-O0');
      await adapter.launchToStop({ program, args: [3] }, at('BP1', { condition: 'calls == 3' }));
      assert.equal(await valueOf(adapter, 'calls'), '3');
      await setBreakpoint(adapter, { condition: 'calls == 1' });
      await adapter.run('reverseContinue');
      assert.equal(await valueOf(adapter, 'calls'), '1');
      await setBreakpoint(adapter, { condition: 'calls == 4' });
      await adapter.run('continue');
      assert.equal(await valueOf(adapter, 'calls'), '4');
      await setBreakpoint(adapter, { hitCondition: '2' });
      await adapter.run('reverseContinue');
      assert.equal(await valueOf(adapter, 'calls'), '2');
    }));
});

async function setBreakpoint(adapter: AdapterClient, options: object): Promise<void> {
  await adapter.request('setBreakpoints', {
    source: { path: calls },
    breakpoints: [{ line: line('BP1'), ...options }],
  });
}

describe('time', () => {
  it('has checkpoints', () =>
    withAdapter(async (adapter) => {
      await adapter.launchToStop({ program: fixturePath('calls', 'm3-O0'), args: [3] }, at('BP1'));
      const first = await place(adapter);
      const { id } = await adapter.request<{ id: number }>('llext/setCheckpoint', { name: 'first' });
      await adapter.run('continue');
      await adapter.run('continue');
      assert.equal(await valueOf(adapter, 'calls'), '2');
      const { checkpoints } = await adapter.request<{ checkpoints: { name: string }[] }>('llext/checkpoints');
      assert.deepEqual(
        checkpoints.map(({ name }) => name),
        ['first'],
      );
      const stop = await adapter.run('llext/goToCheckpoint', undefined, { id });
      assert.equal(stop.reason, 'checkpoint');
      assert.equal(await place(adapter), first);
      assert.equal(await valueOf(adapter, 'calls'), '0');
      await adapter.request('llext/removeCheckpoint', { id });
      assert.deepEqual(await adapter.request('llext/checkpoints'), { checkpoints: [] });
    }));

  it('has checkpoints by lines of the Debug Console, and tells clients of each change', () =>
    withAdapter(async (adapter) => {
      await adapter.launchToStop({ program: fixturePath('calls', 'm3-O0'), args: [3] }, at('BP1'));
      const first = await place(adapter);
      const said = async (text: string) => (await adapter.evaluate(text, 'repl')).result;
      assert.match(await said('checkpoints'), /There is no checkpoint/);
      assert.match(await said('checkpoint before the call'), /^Checkpoint 1 {2}before the call, step \d+, now$/);
      await adapter.run('continue');
      assert.match(await said('checkpoint'), /^Checkpoint 2 {2}checkpoint 2, step \d+, now$/);
      assert.match(
        await said('info checkpoints'),
        /^1 {2}before the call, step \d+\n2 {2}checkpoint 2, step \d+, now$/,
      );
      const stopped = adapter.stopped();
      assert.equal(await said('restart 1'), 'Returning to checkpoint 1.');
      assert.equal((await stopped).reason, 'checkpoint');
      assert.equal(await place(adapter), first);
      await adapter.evaluate('calls = 9', 'repl');
      assert.equal(await said('delete checkpoint 1'), 'Checkpoint 1 is deleted.');
      await assert.rejects(said('restart 1'), /There is no checkpoint 1/);
      const told = adapter.events.filter(({ event }) => event === 'llext/checkpoints');
      const names = told.map(({ body }) => (body as { checkpoints: { id: number }[] }).checkpoints.map(({ id }) => id));
      // The change in the past has dropped the second one.
      assert.deepEqual(names, [[1], [1, 2], [1], []]);
    }));

  it('knows who wrote', () =>
    withAdapter(async (adapter) => {
      await adapter.launchToStop(
        { program: fixturePath('calls', 'm3-O0'), args: [3] },
        at('BP1', { hitCondition: '3' }),
      );
      const { memoryReference } = await adapter.evaluate('&calls');
      const { result } = await adapter.evaluate('&calls');
      const address = /0x[0-9a-f]+/.exec(result)?.[0] ?? memoryReference;
      const written = await adapter.request<{ text: string; time: number; source: { line: number } }>(
        'llext/whoWrote',
        {
          memoryReference: address,
          length: 4,
        },
      );
      assert.match(written.text, /01 00 00 00 -> 02 00 00 00, written by note\+/);
      assert.equal(written.source.line, line('BP1'));
      await adapter.run('llext/goToTime', undefined, { time: written.time });
      assert.equal(await valueOf(adapter, 'calls'), '1');
      assert.match(await place(adapter), /^note:/);
    }));

  it('ends where something is changed in the past', () =>
    withAdapter(async (adapter) => {
      await adapter.launchToStop({ program: fixturePath('calls', 'm3-O0'), args: [3] }, at('BP1'));
      await adapter.run('continue');
      await adapter.run('reverseContinue');
      await adapter.evaluate('calls = 6', 'repl');
      assert.match(adapter.output('console'), /Changed in the past/);
      await adapter.run('continue');
      assert.equal(await valueOf(adapter, 'calls'), '7');
      await adapter.run('reverseContinue');
      assert.equal(await valueOf(adapter, 'calls'), '0');
      await adapter.run('continue');
      assert.equal(await valueOf(adapter, 'calls'), '7', 'the change is made again');
    }));

  it('goes on from before a fault', () =>
    withAdapter(async (adapter) => {
      const program = examplePath('faulting/faulting.llext');
      const stopped = await adapter.launchToStop({ program });
      assert.equal(stopped.reason, 'exception');
      const fault = await place(adapter);
      await adapter.run('stepBack', 'instruction');
      const again = await adapter.run('continue');
      assert.equal(again.reason, 'exception');
      assert.equal(await place(adapter), fault);
    }));
});

function markerLineOf(path: string, text: string): number {
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.findIndex((one) => one.includes(text)) + 1;
}
