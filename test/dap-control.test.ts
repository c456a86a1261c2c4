/** Running and stopping by DAP: pause, restart, terminate, disconnect, faults, and requests at the wrong time. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { AdapterClient, withAdapter } from './support/dap-client';
import { examplePath, fixturePath, fixtureSource, markerLine } from './support/fixtures';

const endless = { program: examplePath('endless/endless.llext') };
const endlessSource = examplePath('endless/endless.c');

describe('pause', () => {
  it('stops an endless loop at once', () =>
    withAdapter(async (adapter) => {
      await adapter.launch(endless);
      await new Promise((resolve) => setTimeout(resolve, 200));
      const stopped = adapter.stopped();
      const begin = performance.now();
      await adapter.client.pauseRequest({ threadId: 1 });
      const stop = await stopped;
      const took = performance.now() - begin;
      assert.equal(stop.reason, 'pause');
      // It is some 10 ms; the guard is for a machine with other work.
      assert.ok(took < 3000, `it took ${took} ms`);
      assert.match((await adapter.stack()).map(({ name }) => name).join(), /entry,llext_call_fn/);
    }));

  it('ends a step over a call that never returns', () =>
    withAdapter(async (adapter) => {
      const source = fixtureSource('spin');
      await adapter.launchToStop({ program: fixturePath('spin', 'm3-O0'), args: [0], stopOnEntry: true });
      await adapter.run('next');
      const stopped = adapter.stopped();
      await adapter.client.nextRequest({ threadId: 1 });
      await new Promise((resolve) => setTimeout(resolve, 50));
      await adapter.client.pauseRequest({ threadId: 1 });
      assert.equal((await stopped).reason, 'pause');
      const frames = await adapter.stack();
      assert.equal(frames[0].name, 'spin');
      assert.ok(Math.abs(frames[0].line - markerLine(source, 'BP1')) <= 1);
    }));

  it('the loop can be left by setting a variable', () =>
    withAdapter(async (adapter) => {
      await adapter.launchToStop({ ...endless, stopOnEntry: true });
      await adapter.client.continueRequest({ threadId: 1 });
      const stopped = adapter.stopped();
      await adapter.client.pauseRequest({ threadId: 1 });
      await stopped;
      await adapter.evaluate('stop = 1', 'repl');
      await adapter.runToEnd();
      assert.match(adapter.output('stdout'), /stopped after \d+ rounds/);
    }));
});

describe('restart', () => {
  it('makes a fresh machine and keeps the breakpoints, from a stop', () =>
    withAdapter(async (adapter) => {
      const source = examplePath('hello/hello.c');
      const path = { path: source, breakpoints: [{ line: markerLine(source, 'BP1'), hitCondition: '2' }] };
      const first = await adapter.launchToStop({ program: examplePath('hello/hello.llext') }, [path]);
      assert.equal((await adapter.evaluate('greetings')).result, '2');
      const stopped = adapter.stopped();
      await adapter.request('restart');
      assert.deepEqual((await stopped).hitBreakpointIds, first.hitBreakpointIds);
      assert.equal((await adapter.evaluate('greetings')).result, '2');
      await adapter.runToEnd();
    }));

  it('works while the program runs', () =>
    withAdapter(async (adapter) => {
      await adapter.launch(endless);
      const stopped = adapter.stopped();
      await adapter.request('restart', { arguments: { ...endless, stopOnEntry: true } });
      assert.equal((await stopped).reason, 'entry');
      assert.equal((await adapter.evaluate('rounds')).result, '0');
    }));
});

describe('restart of an edited configuration', () => {
  it('counts loads on, and announces the old modules as removed', () =>
    withAdapter(async (adapter) => {
      await adapter.launchToStop({ program: examplePath('hello/hello.llext'), stopOnEntry: true });
      const stopped = adapter.stopped();
      await adapter.request('restart', { arguments: { ...endless, stopOnEntry: true } });
      await stopped;
      assert.equal((await adapter.topFrame()).moduleId, 2);
      const modules = adapter.events.filter((event): event is DebugProtocol.ModuleEvent => event.event === 'module');
      assert.deepEqual(
        modules.map(({ body }) => [body.reason, body.module.id, body.module.name]),
        [
          ['new', 1, 'hello'],
          ['removed', 1, 'hello'],
          ['new', 2, 'endless'],
        ],
      );
    }));

  it('that is wrong changes nothing, one that cannot be loaded ends the session', () =>
    withAdapter(async (adapter) => {
      await adapter.launchToStop({ program: examplePath('hello/hello.llext'), stopOnEntry: true });
      await assert.rejects(adapter.request('restart', { arguments: { heapSize: 0 } }), /names no extension/);
      assert.equal((await adapter.topFrame()).name, 'entry');
      const ended = adapter.next('terminated');
      const missing = { program: examplePath('missing-import/missing.llext') };
      await assert.rejects(adapter.request('restart', { arguments: missing }), /cannot be loaded/);
      await ended;
    }));
});

describe('lines and columns from 0', () => {
  it('are what a client gets that asked for them', () =>
    withAdapter(async (adapter) => {
      const source = examplePath('hello/hello.c');
      const line = markerLine(source, 'BP1') - 1;
      const stopped = adapter.stopped();
      const breakpoints = [{ path: source, breakpoints: [{ line }] }];
      await adapter.launch({ program: examplePath('hello/hello.llext') }, breakpoints, {
        linesStartAt1: false,
        columnsStartAt1: false,
      });
      await stopped;
      assert.equal((await adapter.topFrame()).line, line);
      const events = adapter.events.filter(
        (event): event is DebugProtocol.BreakpointEvent => event.event === 'breakpoint',
      );
      assert.equal(events.at(-1)?.body.breakpoint.line, line);
    }));
});

describe('the end', () => {
  it('terminate ends a running program', () =>
    withAdapter(async (adapter) => {
      await adapter.launch(endless);
      const ended = adapter.next('terminated');
      await adapter.request('terminate');
      await ended;
    }));

  it('disconnect ends a running program without a word', async () => {
    const adapter = new AdapterClient();
    await adapter.launch(endless);
    await adapter.close();
    const names = adapter.events.map(({ event }) => event);
    assert.ok(!names.includes('stopped') && !names.includes('exited'));
  });

  it('disconnect ends a launch that waits for its configuration', async () => {
    const adapter = new AdapterClient();
    await adapter.client.initializeRequest();
    const launched = adapter.client.launchRequest(endless as DebugProtocol.LaunchRequestArguments);
    const refused = assert.rejects(launched, /ended before the program started/);
    await Promise.all([adapter.client.disconnectRequest({}), refused]);
    await adapter.leave();
  });

  it('stepping out of the entry ends the session', () =>
    withAdapter(async (adapter) => {
      await adapter.launchToStop({ program: examplePath('hello/hello.llext'), stopOnEntry: true });
      await adapter.runToEnd('stepOut');
      assert.match(adapter.output('console'), /returned 6/);
    }));

  it('abort, exit and panic say what happened', () =>
    withAdapter(async (adapter) => {
      await adapter.launch({ program: examplePath('hello/hello.llext') });
      await assert.rejects(adapter.client.continueRequest({ threadId: 1 }), /has ended|stopped/);
    }));
});

describe('a fault', () => {
  const program = fixturePath('faults', 'm3-O0');
  const source = fixtureSource('faults');
  const cases: readonly [number, string, RegExp, string][] = [
    [0, 'BP_READ_NULL', /NULL pointer/, 'unmapped'],
    [1, 'BP_WRITE_NULL', /NULL pointer/, 'unmapped'],
    [2, 'BP_UNMAPPED', /0xa0000000/, 'unmapped'],
    [3, 'BP_FORBIDDEN', /printk of the base image/, 'forbidden'],
    [4, 'BP_UNDEFINED', /encoding de01/, 'undefined-instruction'],
    [5, 'BP_UNALIGNED', /sink\+0x2/, 'unaligned'],
    [7, 'BP_STACK', /stack guard/, 'stack-overflow'],
  ];
  for (const [kind, marker, expected, exceptionId] of cases) {
    it(`${exceptionId} (${marker}) stops before its effect, and says kind, address, region, symbol and line`, () =>
      withAdapter(async (adapter) => {
        const stop = await adapter.launchToStop({ program, args: [kind] });
        assert.equal(stop.reason, 'exception');
        assert.match(stop.text ?? '', expected);
        const line = markerLine(source, marker);
        const top = (await adapter.stack()).at(0);
        assert.match(stop.text ?? '', new RegExp(`^${exceptionId}: .*\\(faults\\.c:${top?.line}\\)$`));
        if (marker !== 'BP_STACK') assert.equal(top?.line, line);
        const info = await adapter.request<DebugProtocol.ExceptionInfoResponse['body']>('exceptionInfo', {
          threadId: 1,
        });
        assert.equal(info.exceptionId, exceptionId);
        assert.equal(info.description, stop.text);
        // Nothing was changed: the same instruction faults again.
        for (const request of ['continue', 'next'] as const) {
          assert.deepEqual((await adapter.run(request)).text, stop.text);
        }
      }));
  }

  it('has had no effect: the program goes on when its cause is mended', () =>
    withAdapter(async (adapter) => {
      await adapter.launchToStop({ program, args: [0] });
      const [frame] = await adapter.stack();
      const mended = await adapter.client.evaluateRequest({
        expression: '$r3 = (int) &sink',
        frameId: frame.id,
        context: 'repl',
      });
      assert.match(mended.body.result, /^\d+/);
      await adapter.runToEnd();
      assert.match(adapter.output('console'), /returned -1 /);
    }));

  it('a branch to nowhere keeps the stack', () =>
    withAdapter(async (adapter) => {
      const stop = await adapter.launchToStop({ program, args: [8] });
      assert.equal(stop.reason, 'exception');
      assert.match((await adapter.stack()).map(({ name }) => name).join(), /entry,llext_call_fn$/);
    }));

  it('in a host function is one of the caller', () =>
    withAdapter(async (adapter) => {
      const data = fixtureSource('data');
      const breakpoints = [{ path: data, breakpoints: [{ line: markerLine(data, 'BP4') }] }];
      await adapter.launchToStop({ program: fixturePath('data', 'm3-O0'), args: [1] }, breakpoints);
      assert.ok((await adapter.stack()).length >= 2);
    }));

  it('ends the session when the filter is off', () =>
    withAdapter(async (adapter) => {
      await adapter.client.initializeRequest();
      const launched = adapter.client.launchRequest({ program, args: [0] } as DebugProtocol.LaunchRequestArguments);
      await adapter.client.setExceptionBreakpointsRequest({ filters: [] });
      const ended = adapter.next('terminated');
      await adapter.client.configurationDoneRequest();
      await launched;
      await ended;
      assert.match(adapter.output('important'), /^unmapped: /);
    }));
});

describe('requests at the wrong time', () => {
  it('are answered with what is missing', async () => {
    const adapter = new AdapterClient();
    await assert.rejects(adapter.client.continueRequest({ threadId: 1 }), /send 'launch' first/);
    await assert.rejects(adapter.request('no such thing'), /has no request 'no such thing'/);
    await adapter.launch(endless);
    await assert.rejects(adapter.client.stackTraceRequest({ threadId: 1 }), /pause it first/);
    await assert.rejects(adapter.client.stackTraceRequest({ threadId: 7 }), /no thread 7/);
    await assert.rejects(
      adapter.client.launchRequest(endless as DebugProtocol.LaunchRequestArguments),
      /launched already/,
    );
    const stopped = adapter.stopped();
    await adapter.client.pauseRequest({ threadId: 1 });
    await stopped;
    await assert.rejects(adapter.client.scopesRequest({ frameId: 4711 }), /no stack frame 4711/);
    await assert.rejects(adapter.variables(4711), /no variables under reference 4711/);
    await assert.rejects(adapter.request('exceptionInfo', { threadId: 1 }), /did not stop by an exception/);
    await adapter.close();
  });

  it('threads are there at any time', () =>
    withAdapter(async (adapter) => {
      await adapter.launch(endless);
      const { threads } = (await adapter.client.threadsRequest()).body;
      assert.deepEqual(threads, [{ id: 1, name: 'entry of llext endless' }]);
      assert.ok(endlessSource.endsWith('.c'));
    }));
});
