/** Controls by DAP: set next statement, restart frame, the one thread, cancel and progress, locations, deep stacks. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { type AdapterClient, withAdapter } from './support/dap-client';
import { atMarker, controlsLine, controlsPath, controlsSource, controlsText } from './support/controls';
import { examplePath, fixturePath, fixtureSource, markerLine } from './support/fixtures';

const place = async (adapter: AdapterClient): Promise<string> => {
  const { name, line } = await adapter.topFrame();
  return `${name}:${line}`;
};

async function gotoTargets(adapter: AdapterClient, line: number): Promise<DebugProtocol.GotoTarget[]> {
  const args = { source: { path: controlsSource }, line };
  return (await adapter.request<DebugProtocol.GotoTargetsResponse['body']>('gotoTargets', args)).targets;
}

async function jump(adapter: AdapterClient, line: number): Promise<DebugProtocol.StoppedEvent['body']> {
  const [target] = await gotoTargets(adapter, line);
  const stopped = adapter.stopped();
  await adapter.request('goto', { threadId: 1, targetId: target.id });
  return stopped;
}

describe('set next statement', () => {
  it('skips and repeats lines of the function', () =>
    withAdapter(async (adapter) => {
      await adapter.launchToStop({ program: controlsPath('m3-O0'), args: [9] }, atMarker('BP_FIRST'));
      const stop = await jump(adapter, controlsLine('BP_SECOND'));
      assert.equal(stop.reason, 'goto');
      assert.equal(await place(adapter), `jumps:${controlsLine('BP_SECOND')}`);
      // The first line has not run: what it would have set is still what it was.
      await adapter.evaluate('first = 100', 'repl');
      await adapter.run('next');
      assert.equal((await adapter.evaluate('second')).result, '200');
      await jump(adapter, controlsLine('BP_FIRST'));
      await adapter.run('next');
      assert.equal((await adapter.evaluate('first')).result, '10');
      await adapter.runToEnd();
      assert.match(adapter.output('console'), /returned 30 /);
    }));

  it('works in optimized code and on RISC-V', async () => {
    for (const variant of ['m3-Os', 'rv32imac']) {
      await withAdapter(async (adapter) => {
        await adapter.launchToStop({ program: controlsPath(variant), args: [11] }, atMarker('BP_TARGET'));
        const [target] = await gotoTargets(adapter, controlsLine('BP_TARGET'));
        const stopped = adapter.stopped();
        await adapter.request('goto', { threadId: 1, targetId: target.id });
        await stopped;
        assert.equal((await adapter.topFrame()).instructionPointerReference, target.instructionPointerReference);
        assert.equal(await place(adapter), `again:${controlsLine('BP_TARGET')}`);
      });
    }
  });

  it('says why it cannot be somewhere else', () =>
    withAdapter(async (adapter) => {
      await adapter.launchToStop({ program: controlsPath('m3-O0'), args: [9] }, atMarker('BP_FIRST'));
      await assert.rejects(
        gotoTargets(adapter, controlsLine('BP_TWICE')),
        /line \d+ is in twice, but the program is stopped in jumps/,
      );
      await assert.rejects(gotoTargets(adapter, 1), /line 1 of controls\.c has no code in jumps/);
      const opening = controlsLine('BP_FIRST') - 1;
      assert.equal(controlsText(opening), '{');
      // Where the brace is the frame is made.
      await assert.rejects(gotoTargets(adapter, opening), /the stack has another depth than here/);
      await assert.rejects(gotoTargets(adapter, opening - 1), /has no code in jumps/);
      const other = { source: { path: '/other/file.c' }, line: 1 };
      await assert.rejects(adapter.request('gotoTargets', other), /file\.c is no source of the code/);
      await assert.rejects(adapter.request('goto', { threadId: 1, targetId: 99 }), /no target 99/);
      await assert.rejects(adapter.request('goto', { threadId: 2, targetId: 1 }), /no thread 2/);
    }));
});

describe('restart frame', () => {
  for (const variant of ['m3-O0', 'm3-Os', 'm3-O2', 'rv32imac']) {
    it(`calls the function again with its arguments, dropping what it called (${variant})`, () =>
      withAdapter(async (adapter) => {
        await adapter.launchToStop({ program: controlsPath(variant), args: [7] }, atMarker('BP_TWICE'));
        const stack = await adapter.stack();
        assert.deepEqual(
          stack.slice(0, 2).map(({ name, canRestart }) => [name, canRestart]),
          [
            ['twice', true],
            ['nested', true],
          ],
        );
        const stopped = adapter.stopped();
        await adapter.request('restartFrame', { frameId: stack[1].id });
        assert.equal((await stopped).reason, 'restart');
        const again = await adapter.stack();
        assert.deepEqual(
          again.map(({ name }) => name),
          stack.slice(1).map(({ name }) => name),
        );
        const hit = await adapter.run('continue');
        assert.equal(hit.reason, 'breakpoint');
        assert.equal((await adapter.evaluate('value')).result, '7');
        await adapter.runToEnd();
        assert.match(adapter.output('console'), /returned 70 /);
      }));
  }

  it('takes 64-bit arguments, pointers, and what was changed', () =>
    withAdapter(async (adapter) => {
      await adapter.launchToStop({ program: controlsPath('m3-O0'), args: [11] }, atMarker('BP_TARGET'));
      await adapter.evaluate('count = 3', 'repl');
      const stopped = adapter.stopped();
      await adapter.request('restartFrame', { frameId: (await adapter.topFrame()).id });
      await stopped;
      assert.equal(await place(adapter), `again:${controlsLine('BP_AGAIN')}`);
      assert.equal((await adapter.evaluate('count')).result, '3');
      assert.equal((await adapter.evaluate('wide')).result, '4');
      await adapter.run('continue');
      await adapter.runToEnd();
      assert.match(adapter.output('console'), /returned 68 /);
    }));

  it('says why a frame has nothing to restart', () =>
    withAdapter(async (adapter) => {
      await adapter.launchToStop({ program: controlsPath('m3-Os'), args: [7] }, atMarker('BP_SCALE'));
      const [inlined] = await adapter.stack();
      assert.equal(inlined.canRestart, false);
      await assert.rejects(
        adapter.request('restartFrame', { frameId: inlined.id }),
        /scale cannot be restarted: an inlined call has no frame of its own/,
      );
      const host = (await adapter.stack()).at(-1);
      assert.equal(host?.canRestart, false);
      await assert.rejects(adapter.request('restartFrame', { frameId: host.id }), /no debug information for it/);
      await adapter.request('setFunctionBreakpoints', { breakpoints: [] });
    }));

  it('refuses what cannot be given again', () =>
    withAdapter(async (adapter) => {
      const source = fixtureSource('calls');
      const at = [
        { path: source, breakpoints: ['BP3', 'BP5'].map((marker) => ({ line: markerLine(source, marker) })) },
      ];
      await adapter.launchToStop({ program: fixturePath('calls', 'm3-O0'), args: [3] }, at);
      const restart = async (): Promise<unknown> =>
        adapter.request('restartFrame', { frameId: (await adapter.topFrame()).id });
      await assert.rejects(restart, /swap cannot be restarted: its result, a struct pair, is in memory/);
      await adapter.run('continue');
      await assert.rejects(restart, /sum cannot be restarted: a parameter is a struct big/);
    }));
});

describe('the one thread', () => {
  it('is ended by terminateThreads, and with it the program', () =>
    withAdapter(async (adapter) => {
      await adapter.launch({ program: examplePath('endless/endless.llext') });
      await assert.rejects(adapter.request('terminateThreads', { threadIds: [2] }), /no thread 2/);
      await adapter.request('terminateThreads', { threadIds: [] });
      const exited = adapter.next('thread');
      const ended = adapter.next('terminated');
      await adapter.request('terminateThreads', { threadIds: [1] });
      assert.deepEqual((await exited).body, { reason: 'exited', threadId: 1 });
      await ended;
    }));

  it('is the only one that continues or steps', () =>
    withAdapter(async (adapter) => {
      await adapter.launchToStop({ program: controlsPath('m3-O0'), args: [7] }, atMarker('BP_NESTED'));
      const stopped = adapter.stopped();
      await adapter.request('next', { threadId: 1, singleThread: true });
      await stopped;
      assert.equal(await place(adapter), `nested:${controlsLine('BP_SUM')}`);
      await assert.rejects(adapter.request('continue', { threadId: 9, singleThread: true }), /no thread 9/);
      const ended = adapter.next('terminated');
      const body = await adapter.request('continue', { threadId: 1, singleThread: true });
      assert.deepEqual(body, { allThreadsContinued: true });
      await ended;
    }));
});

describe('long work', () => {
  it('has progress from its start to its end', () =>
    withAdapter(async (adapter) => {
      const ended = adapter.next('terminated');
      const extensions = ['dep_base', 'dep_user'].map((name) => ({ program: examplePath(`dependency/${name}.llext`) }));
      await adapter.launch({ extensions, args: [7] }, [], { supportsProgressReporting: true });
      await ended;
      const progress = adapter.events.filter(({ event }) => event.startsWith('progress'));
      assert.deepEqual(
        progress.map(({ event }) => event),
        ['progressStart', ...Array.from({ length: 4 }, () => 'progressUpdate'), 'progressEnd'],
      );
      assert.equal(new Set(progress.map(({ body }) => (body as { progressId: string }).progressId)).size, 1);
      const percentages = progress.slice(1, -1).map(({ body }) => (body as { percentage: number }).percentage);
      assert.deepEqual(
        percentages,
        [...percentages].sort((a, b) => a - b),
      );
      assert.match((progress[1].body as { message: string }).message, /llext 'dep_base'/);
    }));

  it('is not reported to a client that does not ask for it', () =>
    withAdapter(async (adapter) => {
      await adapter.launchToStop({ program: controlsPath('m3-O0'), stopOnEntry: true });
      assert.ok(!adapter.events.some(({ event }) => event.startsWith('progress')));
    }));

  it('is cancelled by its request, which is answered as cancelled; later ones are not', () =>
    withAdapter(async (adapter) => {
      await adapter.launchToStop({ program: controlsPath('m3-O0'), stopOnEntry: true });
      let sequence = 0;
      const sent = (adapter.client as unknown as { sequence: number }).sequence;
      const listing = adapter.client.send('disassemble', { memoryReference: '0x20000000', instructionCount: 100_000 });
      sequence = sent;
      const refused = assert.rejects(listing, /cancelled/);
      await adapter.request('cancel', { requestId: sequence });
      await refused;
      await adapter.request('cancel', { requestId: 4711, progressId: 'none' });
      assert.equal((await adapter.stack())[0].name, 'entry');
    }));
});

describe('locations', () => {
  const locate = (adapter: AdapterClient, locationReference: number | undefined) =>
    adapter.request<NonNullable<DebugProtocol.LocationsResponse['body']>>('locations', { locationReference });

  it('are where a variable is declared, and where the function is that a pointer points to', () =>
    withAdapter(async (adapter) => {
      const source = fixtureSource('calls');
      const at = [{ path: source, breakpoints: [{ line: markerLine(source, 'BP7') }] }];
      await adapter.launchToStop({ program: fixturePath('calls', 'm3-O0'), args: [3] }, at);
      const variables = await adapter.scope('Locals');
      const pointer = variables.find(({ name }) => name === 'function');
      const second = variables.find(({ name }) => name === 'second');
      const declared = await locate(adapter, second?.declarationLocationReference);
      assert.equal(declared.line, markerLine(source, 'BP7') + 1);
      assert.equal(declared.source.path, source);
      const called = await locate(adapter, pointer?.valueLocationReference);
      assert.equal(called.line, markerLine(source, 'BP8') - 3);
      assert.equal(called.source.path, source);
      const evaluated = await adapter.evaluate('function', 'watch');
      assert.equal(evaluated.valueLocationReference, pointer?.valueLocationReference);
      // A declaration stays where it is when the program runs on.
      await adapter.run('next');
      assert.deepEqual(await locate(adapter, second?.declarationLocationReference), declared);
    }));

  it('are where output comes from', () =>
    withAdapter(async (adapter) => {
      const ended = adapter.next('terminated');
      await adapter.launch({ program: controlsPath('m3-O0'), args: [6] });
      await ended;
      const [printed] = adapter.outputs('stdout');
      const { source, line } = await locate(adapter, printed.locationReference);
      assert.deepEqual([source.path, line], [controlsSource, controlsLine('BP_PRINT')]);
    }));
});

describe('what the client shows', () => {
  it('has the escape sequences of the program’s output', () =>
    withAdapter(async (adapter) => {
      const ended = adapter.next('terminated');
      await adapter.launch({ program: controlsPath('m3-O0'), args: [6] });
      await ended;
      assert.equal(adapter.output('stdout'), '\x1b[31mred\x1b[0m and \x1b[1;4mbold\x1b[m\n');
    }));

  it('is told of a write to memory by a memory and an invalidated event together', () =>
    withAdapter(async (adapter) => {
      await adapter.launchToStop({ program: controlsPath('m3-O0'), args: [9] }, atMarker('BP_LAST'));
      const before = adapter.events.length;
      await adapter.evaluate('first = 1', 'repl');
      await adapter.request('writeMemory', {
        memoryReference: (await adapter.evaluate('&trace')).memoryReference,
        data: btoa('\x05\0\0\0'),
      });
      const told = adapter.events.slice(before).map(({ event }) => event);
      assert.deepEqual(told, ['memory', 'invalidated', 'memory', 'invalidated']);
      assert.equal((await adapter.evaluate('trace')).result, '5');
    }));

  it('are the sources of all that is loaded, with events when that changes', () =>
    withAdapter(async (adapter) => {
      const extensions = ['dep_base', 'dep_user'].map((name) => ({ program: examplePath(`dependency/${name}.llext`) }));
      await adapter.launchToStop({ extensions, args: [7], stopOnEntry: true });
      const { sources } = await adapter.request<DebugProtocol.LoadedSourcesResponse['body']>('loadedSources');
      const own = sources.map(({ path }) => path).filter((path) => path?.endsWith('.c'));
      assert.deepEqual(own, [examplePath('dependency/dep_base.c'), examplePath('dependency/dep_user.c')]);
      const told = adapter.events
        .filter((event): event is DebugProtocol.LoadedSourceEvent => event.event === 'loadedSource')
        .map(({ body }) => `${body.reason} ${body.source.name}`);
      assert.ok(told.includes('new dep_base.c') && told.includes('new dep_user.c'));
      assert.equal(new Set(told).size, told.length);
    }));

  it('is a stack of 500 calls, in pieces', () =>
    withAdapter(async (adapter) => {
      await adapter.launchToStop({ program: controlsPath('m3-O0'), args: [1] }, atMarker('BP_DEEP'));
      const names: string[] = [];
      let total = 0;
      for (let startFrame = 0; ; startFrame += 40) {
        const { body } = await adapter.client.stackTraceRequest({ threadId: 1, startFrame, levels: 40 });
        names.push(...body.stackFrames.map(({ name }) => name));
        total = body.totalFrames ?? 0;
        if (names.length >= total) break;
        assert.equal(body.stackFrames.length, 40);
        assert.equal(total, names.length + 1);
      }
      assert.deepEqual(names, [...Array.from({ length: 501 }, () => 'recurse'), 'entry', 'llext_call_fn']);
      assert.equal(total, 503);
      const middle = (await adapter.client.stackTraceRequest({ threadId: 1, startFrame: 250, levels: 1 })).body;
      const depth = await adapter.evaluate('depth', 'watch', middle.stackFrames[0].id);
      assert.equal(depth.result, '250');
    }));
});
