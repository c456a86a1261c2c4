/** Targets that a client leaves at a server, running or suspended, and that another one finds again, whole. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { KeptTargets } from '../debug-adapter/kept-targets';
import { nodeServices } from '../debug-adapter/node-services';
import type { CheckpointsResponse } from '../lib/protocol';
import { atMarker, breakpointState, controlsLine, controlsPath, controlsSource } from './support/controls';
import { AdapterClient } from './support/dap-client';
import { examplePath, fixturePath, fixtureSource, markerLine, projectRoot } from './support/fixtures';

const jumps = { program: controlsPath('m3-O0'), args: [9] };
const leave = { terminateDebuggee: false };
const suspend = { terminateDebuggee: false, suspendDebuggee: true };

/** All sessions of this file are at one server. */
const connect = (): AdapterClient => new AdapterClient('tcp');

async function stopAt(marker: string, args: object): Promise<AdapterClient> {
  const adapter = connect();
  await adapter.launchToStop({ ...args }, atMarker(marker));
  return adapter;
}

/** A client whose session does not begin. */
async function refused(begin: (adapter: AdapterClient) => Promise<unknown>, why: RegExp): Promise<void> {
  const adapter = connect();
  await assert.rejects(begin(adapter), why);
  await adapter.leave();
}

/** Attaches to a target that is stopped. */
async function attachToStop(
  args: object,
  breakpoints: Parameters<AdapterClient['attach']>[1] = [],
): Promise<readonly [AdapterClient, DebugProtocol.StoppedEvent['body'], DebugProtocol.Breakpoint[]]> {
  const adapter = connect();
  const stopped = adapter.stopped();
  const answered = await adapter.attach(args, breakpoints);
  return [adapter, await stopped, answered];
}

const placeOf = async (adapter: AdapterClient): Promise<string> => {
  const { name, line } = await adapter.topFrame();
  return `${name}:${line}`;
};

describe('a target that is left', () => {
  it('stays suspended as it is, with history and checkpoints, and has the breakpoints of who finds it', async () => {
    const first = await stopAt('BP_FIRST', { ...jumps, target: 'whole' });
    await first.run('next');
    await first.evaluate('checkpoint here', 'repl');
    const frame = await first.topFrame();
    await first.close(suspend);
    assert.match(first.output('console'), /Target 'whole' stays suspended .*"attach", "target": "whole"/);

    const [second, stop, [breakpoint]] = await attachToStop({ target: 'whole' }, atMarker('BP_LAST'));
    assert.deepEqual([stop.reason, stop.hitBreakpointIds], ['pause', undefined]);
    assert.equal(await placeOf(second), `jumps:${controlsLine('BP_SECOND')}`);
    assert.equal((await second.topFrame()).instructionPointerReference, frame.instructionPointerReference);
    assert.equal((await second.evaluate('first')).result, '10');
    assert.equal(breakpoint.verified || breakpointState(second, breakpoint.id)?.verified, true);
    const modules = second.events.filter(({ event }) => event === 'module').length;
    assert.equal(modules, 1);
    const { checkpoints } = await second.request<CheckpointsResponse>('llext/checkpoints');
    assert.deepEqual(
      checkpoints.map(({ name }) => name),
      ['here'],
    );
    await second.run('stepBack');
    assert.equal(await placeOf(second), `jumps:${controlsLine('BP_FIRST')}`);
    const hit = await second.run('continue');
    assert.deepEqual([hit.reason, hit.hitBreakpointIds], ['breakpoint', [breakpoint.id]]);
    // What the first client had set is gone, on the way back too.
    assert.equal((await second.run('reverseContinue')).reason, 'start of recording');
    await second.run('continue');
    await second.runToEnd();
    await second.close();
    assert.match(second.output('console'), /returned 30 /);
  });

  it('runs on without a client to its end, and its output and exit code wait', async () => {
    const first = await stopAt('BP_PRINT', { program: controlsPath('m3-O0'), args: [6], target: 'printing' });
    await first.close(leave);
    const second = connect();
    const ended = second.next('terminated');
    await second.attach({ target: 'printing' });
    await ended;
    assert.equal(first.output('stdout'), '');
    assert.equal(second.output('stdout'), '\x1b[31mred\x1b[0m and \x1b[1;4mbold\x1b[m\n');
    const [printed] = second.outputs('stdout');
    assert.deepEqual([printed.source?.path, printed.line], [controlsSource, controlsLine('BP_PRINT')]);
    const exited = second.events.find((event): event is DebugProtocol.ExitedEvent => event.event === 'exited');
    assert.equal(exited?.body.exitCode, -1);
    await second.close();
  });

  it('waits when it has printed more than can be held for a client, and loses nothing', async () => {
    const lines = 1500;
    // In this process, so that it can be seen when the target waits.
    const services = { ...nodeServices(projectRoot), targets: new KeptTargets() };
    const first = new AdapterClient(services);
    const program = join(projectRoot, 'test/dap-programs/prints.m3-O2.elf');
    await first.launchToStop({ program, args: [lines], stopOnEntry: true });
    const state = await first.state();
    await first.close(leave);
    while (state.execution.stop === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.match(state.printed, /^0{900}\n/);
    assert.ok(state.printed.length < lines * 901);
    const second = new AdapterClient(services);
    const ended = second.next('terminated');
    await second.attach();
    await ended;
    const expected = Array.from({ length: lines }, (_, i) => `${String(i).padStart(900, '0')}\n`);
    assert.equal(second.output('stdout'), expected.join(''));
    await second.close();
  });

  it('can be suspended while it runs, and run on', async () => {
    const path = examplePath('endless/endless.c');
    const first = connect();
    await first.launch({ program: examplePath('endless/endless.llext'), target: 'endless' });
    await first.close(suspend);
    const [second, stop] = await attachToStop({ target: 'endless' });
    assert.equal(stop.reason, 'pause');
    const rounds = Number((await second.evaluate('rounds')).result);
    await second.close(leave);
    const third = connect();
    await third.attach({ target: 'endless' });
    await third.run('pause');
    assert.ok(Number((await third.evaluate('rounds')).result) > rounds);
    // Breakpoints are bound while it runs as well.
    await third.request('continue', { threadId: 1 });
    const stopped = third.stopped();
    await third.request('setBreakpoints', { source: { path }, breakpoints: [{ line: markerLine(path, 'BP1') }] });
    assert.equal((await stopped).reason, 'breakpoint');
    // Restart begins with what it was launched with; attach arguments say nothing of that.
    const again = third.stopped();
    await third.request('restart', { arguments: { request: 'attach', target: 'endless' } });
    assert.equal((await again).reason, 'breakpoint');
    assert.equal((await third.evaluate('rounds')).result, '0');
    await third.close({ terminateDebuggee: true });
    await refused((adapter) => adapter.attach({ target: 'endless' }), /no target to attach to: there is no 'endless'/);
  });

  it('stops at a fault and waits there', async () => {
    const source = fixtureSource('faults');
    const first = connect();
    await first.launchToStop({ program: fixturePath('faults', 'm3-O0'), args: [0], target: 'faulty' }, [
      { path: source, breakpoints: [{ line: markerLine(source, 'BP_READ_NULL') }] },
    ]);
    await first.close(leave);
    const [second, stop] = await attachToStop({ target: 'faulty' });
    assert.equal(stop.reason, 'exception');
    const info = await second.request<DebugProtocol.ExceptionInfoResponse['body']>('exceptionInfo', { threadId: 1 });
    assert.ok(info.exceptionId.length > 0);
    await second.close({ terminateDebuggee: true });
  });

  it('keeps what a lost connection had attached to, and ends what it had launched', async () => {
    const first = await stopAt('BP_FIRST', { ...jumps, target: 'lost' });
    await first.close(suspend);
    const [second] = await attachToStop({ target: 'lost' });
    await second.leave();
    const [third] = await attachToStop({ target: 'lost' });
    assert.equal(await placeOf(third), `jumps:${controlsLine('BP_FIRST')}`);
    await third.close({ terminateDebuggee: true });
    const fourth = await stopAt('BP_FIRST', { ...jumps, target: 'lost' });
    await fourth.leave();
    await refused((adapter) => adapter.attach({ target: 'lost' }), /there is no 'lost'/);
  });

  it('takes breakpoints of all kinds that are set before the attach request', async () => {
    const first = await stopAt('BP_FIRST', { ...jumps, target: 'early' });
    await first.close(suspend);
    const second = connect();
    await second.client.initializeRequest({ adapterID: 'llext', pathFormat: 'path', linesStartAt1: false });
    const answered = await second.request<DebugProtocol.SetBreakpointsResponse['body']>('setBreakpoints', {
      source: { path: controlsSource },
      breakpoints: [{ line: controlsLine('BP_LAST') - 1 }],
    });
    await second.request('setFunctionBreakpoints', { breakpoints: [{ name: 'twice' }] });
    await second.request('setDataBreakpoints', { breakpoints: [] });
    await second.request('setExceptionBreakpoints', { filters: ['memory-outside'] });
    const stopped = second.stopped();
    const attached = second.request('attach', { target: 'early' });
    await second.request('configurationDone');
    await attached;
    await stopped;
    assert.equal((await second.topFrame()).line, controlsLine('BP_FIRST') - 1);
    const [{ id }] = answered.breakpoints;
    assert.equal(breakpointState(second, id)?.verified, true);
    assert.deepEqual((await second.run('continue')).hitBreakpointIds, [id]);
    await second.close({ terminateDebuggee: true });
  });
});

describe('targets beside each other', () => {
  it('are told apart by name, and one that is in use is refused', async () => {
    const first = await stopAt('BP_FIRST', { ...jumps, target: 'one' });
    const other = await stopAt('BP_NESTED', { program: controlsPath('m3-O0'), args: [7], target: 'two' });
    await refused(
      (adapter) => adapter.attach({ target: 'one' }),
      /Target 'one' is being debugged: disconnect that session/,
    );
    await refused((adapter) => adapter.attach({}), /no client has left one at this server; in use are 'one', 'two'/);
    await refused((adapter) => adapter.launch({ ...jumps, target: 'one' }), /A target named 'one' is there already/);
    await Promise.all([first.close(suspend), other.close(suspend)]);
    await refused((adapter) => adapter.attach({}), /several are left: name one in "target" \('one', 'two'\)/);
    await refused((adapter) => adapter.attach({ target: 'no' }), /there is no 'no'; left are 'one', 'two'/);
    await refused((adapter) => adapter.attach({ target: 1 }), /Launch attribute "target" is 1, but must be text/);
    const [second] = await attachToStop({ target: 'two' });
    const [third] = await attachToStop({});
    assert.equal(await placeOf(second), `nested:${controlsLine('BP_NESTED')}`);
    assert.equal(await placeOf(third), `jumps:${controlsLine('BP_FIRST')}`);
    await third.runToEnd();
    assert.equal(await placeOf(second), `nested:${controlsLine('BP_NESTED')}`);
    await second.runToEnd();
    await Promise.all([second.close(), third.close()]);
    assert.match(second.output('console'), /returned 70 /);
    assert.match(third.output('console'), /returned 30 /);
  });

  it('have names of their own where the launch gives none', async () => {
    const both = [await stopAt('BP_FIRST', jumps), await stopAt('BP_FIRST', jumps)];
    for (const one of both) await one.close(suspend);
    assert.deepEqual(
      both.map((one) => /Target '(.*?)'/.exec(one.output('console'))?.[1]),
      ['controls.m3-O0', 'controls.m3-O0-2'],
    );
    for (const target of ['controls.m3-O0', 'controls.m3-O0-2']) {
      const [found] = await attachToStop({ target });
      await found.close({ terminateDebuggee: true });
    }
  });
});

describe('an adapter that ends with its connection', () => {
  it('keeps nothing, says so, and offers nothing', async () => {
    const adapter = new AdapterClient('stdio');
    const capabilities = await adapter.client.initializeRequest();
    assert.equal(capabilities.body?.supportTerminateDebuggee, undefined);
    assert.equal(capabilities.body?.supportSuspendDebuggee, undefined);
    const attached = adapter.request('attach', {});
    await assert.rejects(attached, /no target to attach to: this adapter ends with its connection/);
    await adapter.close();
  });
});
