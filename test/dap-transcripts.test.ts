/**
 * Sessions word for word: what is answered, and the events, are kept in test/dap-transcripts, and is the same on every way to
 * reach the adapter. LLEXT_UPDATE_TRANSCRIPTS=1 writes the files anew; the difference is to be read before it is kept.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { connections } from './support/dap-connections';
import { checkMessage } from './support/dap-schema';
import { atMarker, controlsLine, controlsPath, controlsSource } from './support/controls';
import { AdapterClient, withAdapter } from './support/dap-client';
import { examplePath, projectRoot } from './support/fixtures';
import { requireTool } from './support/tools';

type Message = DebugProtocol.Request | DebugProtocol.Response | DebugProtocol.Event;

const onlyServers: ReadonlySet<string> = new Set(['supportTerminateDebuggee', 'supportSuspendDebuggee']);

/** One session: the adapter's messages in order, one a line, without numbers that only count and the machine's paths. */
class Recorder {
  readonly lines: string[] = [];
  readonly problems: string[] = [];
  private sequence = 1;
  private readonly waiting: { wanted: (message: Message) => boolean; resolve: (message: Message) => void }[] = [];

  constructor(private readonly send: (message: DebugProtocol.ProtocolMessage) => void) {}

  received(message: DebugProtocol.ProtocolMessage): void {
    this.problems.push(...checkMessage({ ...message }));
    this.note(message);
    const known = message as Message;
    for (const one of [...this.waiting]) {
      if (!one.wanted(known)) continue;
      this.waiting.splice(this.waiting.indexOf(one), 1);
      one.resolve(known);
    }
  }

  /** The response's body; a refused request is one as well. */
  async request<Body>(command: string, args: object = {}): Promise<Body> {
    const seq = this.sequence++;
    const message: DebugProtocol.Request = { seq, type: 'request', command, arguments: args };
    this.problems.push(...checkMessage({ ...message }));
    const answer = this.until((one) => 'request_seq' in one && one.request_seq === seq);
    this.send(message);
    return ((await answer) as DebugProtocol.Response).body as Body;
  }

  event(name: string): Promise<Message> {
    return this.until((one) => 'event' in one && one.event === name);
  }

  async run(command: string, args: object = {}): Promise<void> {
    const stopped = this.event('stopped');
    await this.request(command, { threadId: 1, ...args });
    await stopped;
  }

  async end(command: string): Promise<void> {
    const ended = this.event('terminated');
    await this.request(command, { threadId: 1 });
    await ended;
    await this.request('disconnect');
  }

  private until(wanted: (message: Message) => boolean): Promise<Message> {
    return new Promise((resolve) => this.waiting.push({ wanted, resolve }));
  }

  private note(message: DebugProtocol.ProtocolMessage): void {
    const plain: Record<string, unknown> = { ...message };
    delete plain['seq'];
    delete plain['request_seq'];
    // What the sidebar shows is long and has tests of its own.
    if (plain['event'] === 'llext/changed') delete plain['body'];
    // What only servers can: test/dap-attach.test.ts has it.
    const text = JSON.stringify(plain, (key, value: unknown) => (onlyServers.has(key) ? undefined : value));
    this.lines.push(text.replaceAll(projectRoot, '{root}').replaceAll(folder, '{folder}'));
  }
}

async function launch(
  session: Recorder,
  args: object,
  configure: () => Promise<void>,
  request: 'launch' | 'attach' = 'launch',
): Promise<void> {
  await session.request('initialize', { adapterID: 'llext', pathFormat: 'path', supportsMemoryEvent: true });
  const launched = session.request(request, args);
  await configure();
  const stopped = session.event('stopped');
  await session.request('configurationDone');
  await launched;
  await stopped;
}

function start(session: Recorder, args: object, lines: readonly number[], functions: readonly string[]): Promise<void> {
  return launch(session, args, async () => {
    const source = { path: controlsSource };
    await session.request('setBreakpoints', { source, breakpoints: lines.map((line) => ({ line })) });
    await session.request('setFunctionBreakpoints', { breakpoints: functions.map((name) => ({ name })) });
    await session.request('setExceptionBreakpoints', { filters: ['faults', 'aborts'] });
  });
}

const folder = mkdtempSync(join(tmpdir(), 'llext-transcripts-'));
after(() => rmSync(folder, { recursive: true }));

/** The file of a session in which a variable was changed by hand. */
let saved: Promise<string> | undefined;
function recording(): Promise<string> {
  saved ??= (async () => {
    const path = join(folder, 'session.replay');
    await withAdapter(async (adapter) => {
      await adapter.launchToStop({ program: controlsPath('m3-O0'), args: [7] }, atMarker('BP_NESTED'));
      await adapter.evaluate('value = 8', 'repl');
      await adapter.run('next');
      const { text } = await adapter.request<{ text: string }>('llext/replayFile', { path });
      writeFileSync(path, text);
    }, 'inline');
    return path;
  })();
  return saved;
}

const topFrame = async (session: Recorder): Promise<DebugProtocol.StackFrame> =>
  (await session.request<DebugProtocol.StackTraceResponse['body']>('stackTrace', { threadId: 1, levels: 3 }))
    .stackFrames[0];

const sessions: Readonly<Record<string, (session: Recorder) => Promise<void>>> = {
  /** Breakpoints, values, targets, a disassembly, the end. */
  async walk(session) {
    await start(session, { program: controlsPath('m3-O0'), args: [7] }, [controlsLine('BP_NESTED')], ['thrice']);
    const { id, instructionPointerReference: memoryReference } = await topFrame(session);
    const { scopes } = await session.request<DebugProtocol.ScopesResponse['body']>('scopes', { frameId: id });
    await session.request('variables', { variablesReference: scopes[0].variablesReference });
    await session.request('evaluate', { expression: 'value * 2', frameId: id, context: 'watch' });
    await session.request('evaluate', { expression: 'value = 8', frameId: id, context: 'repl' });
    await session.request('disassemble', { memoryReference, instructionCount: 3, resolveSymbols: true });
    await session.request('readMemory', { memoryReference, count: 4 });
    const { targets } = await session.request<DebugProtocol.StepInTargetsResponse['body']>('stepInTargets', {
      frameId: id,
    });
    await session.run('stepIn', { targetId: targets[0].id });
    await session.run('stepOut');
    await session.run('continue');
    await topFrame(session);
    await session.end('continue');
  },
  /** From the entry's first line: by instructions, back, and to the start of the recording. */
  async backwards(session) {
    await launch(session, { program: controlsPath('rv32imac'), args: [9], stopOnEntry: true }, async () => {
      await session.request('setExceptionBreakpoints', { filters: [] });
    });
    await topFrame(session);
    for (const request of ['stepIn', 'next', 'next']) await session.run(request);
    await session.run('next', { granularity: 'instruction' });
    await session.run('stepBack', { granularity: 'instruction' });
    await session.run('llext/reverseStepOut');
    await topFrame(session);
    await session.run('reverseContinue');
    await session.end('terminate');
  },
  /** A rule of memory safety is broken: freed memory is read. */
  async safety(session) {
    const program = join(projectRoot, 'test/safety-programs/unsafe.m3-O0.elf');
    await launch(session, { program, args: [2, 0] }, async () => {
      const filterOptions = [{ filterId: 'memory-outside', condition: '1' }, { filterId: 'nothing' }];
      await session.request('setExceptionBreakpoints', { filters: ['faults'], filterOptions });
    });
    await session.request('exceptionInfo', { threadId: 1 });
    await topFrame(session);
    await session.end('continue');
  },
  /** Two extensions of which one is linked to the other, data breakpoints, a reload. */
  async extensions(session) {
    const extensions = ['dep_base', 'dep_user'].map((name) => ({ program: examplePath(`dependency/${name}.llext`) }));
    const source = { path: examplePath('dependency/dep_base.c') };
    await launch(session, { extensions, args: [7] }, async () => {
      await session.request('setFunctionBreakpoints', { breakpoints: [{ name: 'dep_base::dep_base_add' }] });
    });
    const { id: frameId } = await topFrame(session);
    await session.request('modules', { startModule: 1, moduleCount: 1 });
    await session.request('loadedSources');
    await session.request('breakpointLocations', { source, line: 1, endLine: 40 });
    const { dataId } = await session.request<DebugProtocol.DataBreakpointInfoResponse['body']>('dataBreakpointInfo', {
      name: 'dep_base_total',
      frameId,
    });
    await session.request('setDataBreakpoints', { breakpoints: [{ dataId, accessType: 'write' }] });
    await session.run('continue');
    await session.request('llext/reload', { name: 'dep_base' });
    await session.request('setDataBreakpoints', { breakpoints: [] });
    await session.request('setFunctionBreakpoints', { breakpoints: [] });
    await session.end('continue');
  },
  /** A recording with a change by hand, run again. */
  async replay(session) {
    await launch(session, { replay: await recording() }, async () => {
      await session.request('setFunctionBreakpoints', { breakpoints: [{ name: 'thrice' }] });
    });
    await topFrame(session);
    await session.run('continue');
    await session.end('continue');
  },
  /** A target that another client has left, suspended. */
  async attach(session) {
    const first = new AdapterClient('tcp');
    await first.launchToStop({ program: controlsPath('m3-O0'), args: [7], target: 'left' }, atMarker('BP_TWICE'));
    await first.close({ terminateDebuggee: false, suspendDebuggee: true });
    await launch(
      session,
      { target: 'left' },
      async () => {
        await session.request('setFunctionBreakpoints', { breakpoints: [{ name: 'thrice' }] });
      },
      'attach',
    );
    await topFrame(session);
    await session.run('continue');
    await session.end('continue');
  },
  /** What is refused, and a program that the host ends. */
  async refusals(session) {
    await start(session, { program: controlsPath('m3-O0'), args: [2] }, [9999], ['nobody', '/(/']);
    await session.request('exceptionInfo', { threadId: 1 });
    const { id } = await topFrame(session);
    await session.request('restartFrame', { frameId: id });
    await session.request('evaluate', { expression: 'nothing', frameId: id, context: 'watch' });
    await session.request('gotoTargets', { source: { path: controlsSource }, line: 1 });
    await session.request('stackTrace', { threadId: 2 });
    await session.end('continue');
  },
};

/** Pages and workers take long to start: they play two sessions. Only a server keeps a target. */
function playedOn(name: string, transport: string): boolean {
  if (name === 'attach') return transport === 'tcp';
  return !['worker', 'browser'].includes(transport) || ['walk', 'refusals'].includes(name);
}

describe('transcripts', () => {
  for (const [name, play] of Object.entries(sessions)) {
    const path = join(projectRoot, `test/dap-transcripts/${name}.txt`);
    for (const [transport, open] of Object.entries(connections)) {
      if (!playedOn(name, transport)) continue;
      it(`${name} on ${transport}`, async (t) => {
        if (transport === 'browser' && requireTool(t, 'chromium') === undefined) return;
        const connection = await open();
        const recorder = new Recorder((message) => connection.send(message));
        connection.onMessage((message) => recorder.received(message));
        await play(recorder);
        await connection.close();
        assert.deepEqual(recorder.problems, []);
        const text = `${recorder.lines.join('\n')}\n`;
        if (process.env['LLEXT_UPDATE_TRANSCRIPTS'] === '1') writeFileSync(path, text);
        assert.deepEqual(text.split('\n'), readFileSync(path, 'utf8').split('\n'));
      });
    }
  }
});
