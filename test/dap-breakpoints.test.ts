/** Breakpoints by DAP: pending and verified, moved, in several extensions; conditions, hit counts, logpoints. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { describe, it } from 'node:test';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { type AdapterClient, withAdapter } from './support/dap-client';
import { examplePath, fixturePath, fixturesFolder, fixtureSource, markerLine } from './support/fixtures';
import { dirname, join } from 'node:path';

const optimizations = ['m3-O0', 'm3-Og', 'm3-Os', 'm3-O2'];
const calls = fixtureSource('calls');
const line = (marker: string, source = calls): number => markerLine(source, marker);

function breakpointEvents(adapter: AdapterClient): DebugProtocol.Breakpoint[] {
  return adapter.events
    .filter((event): event is DebugProtocol.BreakpointEvent => event.event === 'breakpoint')
    .map((event) => event.body.breakpoint);
}

describe('a breakpoint set before the start', () => {
  for (const variant of optimizations) {
    it(`is pending, verified while the loader runs, and hit (${variant})`, () =>
      withAdapter(async (adapter) => {
        const program = fixturePath('calls', variant);
        const stopped = adapter.stopped();
        const [answer] = await adapter.launch({ program, args: [3] }, [
          { path: calls, breakpoints: [{ line: line('BP2') }] },
        ]);
        assert.equal(answer.verified, false);
        assert.equal(answer.reason, 'pending');
        assert.equal(answer.message, `waits for llext 'calls.${variant}' to load`);
        const stop = await stopped;
        assert.equal(stop.reason, 'breakpoint');
        assert.deepEqual(stop.hitBreakpointIds, [answer.id]);
        const events = breakpointEvents(adapter).filter(({ id }) => id === answer.id);
        const verified = events.find((event) => event.verified);
        assert.ok(verified, 'no event says that it is verified');
        assert.equal(verified.line, line('BP2'));
        const order = adapter.events.map(({ event }) => event);
        const verifiedAt = adapter.events.findIndex(
          (event) => event.event === 'breakpoint' && (event as DebugProtocol.BreakpointEvent).body.breakpoint.verified,
        );
        assert.ok(verifiedAt < order.indexOf('process'), 'it was verified after the program ran');
        const frame = await adapter.topFrame();
        assert.equal(frame.name, 'many');
        assert.equal(frame.line, line('BP2'));
        assert.equal(frame.source?.path, calls);
        assert.equal(frame.instructionPointerReference, verified.instructionReference);
      }));
  }
});

describe('where a breakpoint goes', () => {
  it('moves to the next line with code', () =>
    withAdapter(async (adapter) => {
      const [answer] = await adapter.launch({ program: fixturePath('calls', 'm3-O0'), stopOnEntry: true }, [
        { path: calls, breakpoints: [{ line: 1 }] },
      ]);
      const verified = breakpointEvents(adapter).findLast(({ id }) => id === answer.id);
      const text = readFileSync(calls, 'utf8').split('\n');
      assert.equal(verified?.verified, true);
      assert.match(text[(verified?.line ?? 1) - 1], /trace\[calls\+\+ % 8\] = what/);
    }));

  it('says why there is none', () =>
    withAdapter(async (adapter) => {
      const stopped = adapter.stopped();
      const answers = await adapter.launch({ program: fixturePath('calls', 'm3-O0'), stopOnEntry: true }, [
        { path: calls, breakpoints: [{ line: 9999 }, { line: 0 }] },
        { path: '/somewhere/unrelated.c', breakpoints: [{ line: 1 }] },
        { path: '/somewhere/calls.c', breakpoints: [{ line: 1 }] },
      ]);
      await stopped;
      const last = (id: number | undefined): DebugProtocol.Breakpoint | undefined =>
        breakpointEvents(adapter).findLast((event) => event.id === id);
      assert.equal(last(answers[0].id)?.verified, false);
      assert.match(last(answers[0].id)?.message ?? '', /no code at line 9999 or after it in calls\.c/);
      assert.match(last(answers[1].id)?.message ?? '', /no code at line 0 or after it/);
      // Known since the files were read, and not changed by the load.
      assert.match(answers[2].message ?? '', /unrelated\.c is no source of llext 'calls\.m3-O0'/);
      const { message = '' } = answers[3];
      assert.ok(
        message.includes(`was compiled from, which is ${calls}: set the breakpoint there, or say with`),
        message,
      );
      assert.ok(message.includes(`"sourceMap": { "${dirname(calls)}": "/somewhere" }`), message);
    }));

  it('is found by a URI and by another root', () =>
    withAdapter(async (adapter) => {
      const stopped = adapter.stopped();
      await adapter.launch({ program: pathToFileURL(fixturePath('calls', 'm3-O0')).href }, [
        { path: pathToFileURL(calls).href, breakpoints: [{ line: line('BP3') }] },
      ]);
      assert.equal((await stopped).reason, 'breakpoint');
      assert.equal((await adapter.topFrame()).line, line('BP3'));
    }));

  it('is in each extension that has the line', () =>
    withAdapter(async (adapter) => {
      const shared = join(fixturesFolder, 'shared.h');
      const extensions = ['shared_first', 'shared_second'].map((name) => ({ program: fixturePath(name, 'm3-O0') }));
      await adapter.launchToStop({ extensions, args: [21] }, [
        { path: shared, breakpoints: [{ line: markerLine(shared, 'BP1') }] },
      ]);
      const modules: unknown[] = [(await adapter.topFrame()).moduleId];
      await adapter.run('continue');
      modules.push((await adapter.topFrame()).moduleId);
      assert.deepEqual(modules, [1, 2]);
      const verified = breakpointEvents(adapter).at(-1);
      assert.equal(verified?.message, 'at 2 places in the loaded code');
      await adapter.runToEnd();
    }));

  it('is in each instance of one ELF', () =>
    withAdapter(async (adapter) => {
      const program = examplePath('dependency/dep_base.llext');
      const source = examplePath('dependency/dep_base.c');
      const extensions = [
        { program, name: 'one' },
        { program, name: 'two' },
      ];
      await adapter.launchToStop({ extensions, entry: 'dep_base_add', args: [5] }, [
        { path: source, breakpoints: [{ line: markerLine(source, 'BP1') }] },
      ]);
      assert.equal((await adapter.topFrame()).moduleId, 2);
      assert.match(breakpointEvents(adapter).at(-1)?.message ?? '', /2 places/);
    }));

  it('can be set, kept and removed while stopped and while running', () =>
    withAdapter(async (adapter) => {
      const source = examplePath('endless/endless.c');
      await adapter.launchToStop({ program: examplePath('endless/endless.llext'), stopOnEntry: true });
      await adapter.client.continueRequest({ threadId: 1 });
      const stopped = adapter.stopped();
      const set = async (lines: number[]): Promise<DebugProtocol.Breakpoint[]> =>
        (
          await adapter.client.setBreakpointsRequest({
            source: { path: source },
            breakpoints: lines.map((number) => ({ line: number })),
          })
        ).body.breakpoints;
      const [first] = await set([markerLine(source, 'BP1')]);
      assert.equal(first.verified, true);
      assert.deepEqual((await stopped).hitBreakpointIds, [first.id]);
      const [second] = await set([markerLine(source, 'BP1')]);
      assert.equal(second.id, first.id);
      await adapter.run('continue');
      assert.deepEqual(await set([]), []);
      await adapter.client.continueRequest({ threadId: 1 });
      const paused = adapter.stopped();
      await adapter.client.pauseRequest({ threadId: 1 });
      assert.equal((await paused).reason, 'pause');
    }));

  it('lists the lines that can have one', () =>
    withAdapter(async (adapter) => {
      await adapter.launchToStop({ program: fixturePath('calls', 'm3-O0'), stopOnEntry: true });
      const first = line('BP6') - 2;
      const { breakpoints } = await adapter.request<DebugProtocol.BreakpointLocationsResponse['body']>(
        'breakpointLocations',
        { source: { path: calls }, line: first, endLine: line('BP6') + 4 },
      );
      const lines = breakpoints.map((found) => found.line);
      assert.ok(lines.includes(line('BP6')));
      assert.ok(!lines.includes(line('BP6') + 2), 'the closing brace of the if has no code');
    }));
});

describe('options of a breakpoint', () => {
  const data = fixtureSource('data');
  const loop = markerLine(data, 'BP3');
  const launch = { program: fixturePath('data', 'm3-O0'), args: [9] };
  const at = (options: Partial<DebugProtocol.SourceBreakpoint>) => [
    { path: data, breakpoints: [{ line: loop, ...options }] },
  ];
  const counter = async (adapter: AdapterClient): Promise<number> => Number((await adapter.evaluate('i')).result);

  for (const [hitCondition, expected] of [
    ['5', [4]],
    ['== 2', [1]],
    ['=3', [2]],
    ['0x5', [4]],
    ['<= 2', [0, 1]],
    ['!= 1', Array.from({ length: 19 }, (_, hit) => hit + 1)],
    ['>= 18', [17, 18, 19]],
    ['> 18', [18, 19]],
    ['% 7', [6, 13]],
    ['< 3', [0, 1]],
  ] as const) {
    it(`hit count ${hitCondition}`, () =>
      withAdapter(async (adapter) => {
        await adapter.launchToStop(launch, at({ hitCondition }));
        for (const [index, wanted] of expected.entries()) {
          if (index > 0) await adapter.run('continue');
          assert.equal(await counter(adapter), wanted);
        }
        await adapter.runToEnd();
      }));
  }

  for (const variant of optimizations) {
    it(`condition (${variant})`, () =>
      withAdapter(async (adapter) => {
        const source = calls;
        await adapter.launchToStop({ program: fixturePath('calls', variant), args: [3] }, [
          { path: source, breakpoints: [{ line: line('BP1'), condition: 'what == 33' }] },
        ]);
        assert.equal((await adapter.evaluate('what')).result, '33');
        await adapter.runToEnd();
      }));
  }

  it('condition with a hit count counts only where the condition holds', () =>
    withAdapter(async (adapter) => {
      await adapter.launchToStop(launch, at({ condition: 'i % 2 == 1', hitCondition: '3' }));
      assert.equal(await counter(adapter), 5);
      await adapter.runToEnd();
    }));

  it('a condition that cannot be evaluated stops and says why', () =>
    withAdapter(async (adapter) => {
      const stop = await adapter.launchToStop(launch, at({ condition: 'no_such_name > 1' }));
      assert.match(stop.text ?? '', /condition 'no_such_name > 1' cannot be evaluated: .*no_such_name/);
    }));

  it('a log message with expressions does not stop', () =>
    withAdapter(async (adapter) => {
      const ended = adapter.next('terminated');
      await adapter.launch(
        launch,
        at({ logMessage: 'i={i} {{x}} {buffer[i]} {number} {i + 16,x} {i,b}', condition: 'i < 2' }),
      );
      await ended;
      const logged = adapter.outputs('console').filter(({ output }) => output.startsWith('i='));
      assert.deepEqual(
        logged.map(({ output }) => output),
        ["i=0 {x} 0 '\\000' -123456780 0x10 0b0\n", "i=1 {x} 0 '\\000' -123456780 0x11 0b1\n"],
      );
      assert.equal(logged[0].line, loop);
      assert.equal(logged[0].source?.path, data);
    }));

  it('a log message counts hits', () =>
    withAdapter(async (adapter) => {
      const ended = adapter.next('terminated');
      await adapter.launch(launch, at({ logMessage: 'at {i}', hitCondition: '% 10' }));
      await ended;
      assert.match(adapter.output('console'), /at 9\nat 19\n/);
    }));

  it('options that are wrong are said at once', () =>
    withAdapter(async (adapter) => {
      const answers = await adapter.launch({ ...launch, stopOnEntry: true }, [
        {
          path: data,
          breakpoints: [
            { line: loop, hitCondition: 'five' },
            { line: loop, logMessage: 'open {i' },
            { line: loop, hitCondition: '< 1' },
            { line: loop, hitCondition: '= 0' },
            { line: loop, condition: 'i ==' },
            { line: loop, condition: '(i' },
            { line: loop, logMessage: '{i +}' },
          ],
        },
      ]);
      assert.match(answers[0].message ?? '', /hit count 'five' is not understood/);
      assert.match(answers[1].message ?? '', /without its }/);
      for (const { message } of answers.slice(4))
        assert.match(message ?? '', /is not complete: .* is expected at the end/);
      for (const { message } of answers.slice(2, 4)) assert.match(message ?? '', /never holds: the first hit is 1/);
      assert.ok(answers.every(({ verified, reason }) => !verified && reason === 'failed'));
    }));
});
