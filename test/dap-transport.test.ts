/** The ways to reach the adapter: a process on standard input and output, messages in a worker, files by request. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { readFile, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { DebugClient } from '@vscode/debugadapter-testsupport';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { remoteServices } from '../debug-adapter/remote-services';
import { LlextDebugSession } from '../debug-adapter/session';
import { projectRoot } from './support/dap-client';
import { checkMessage } from './support/dap-schema';
import { examplePath, markerLine } from './support/fixtures';

const program = examplePath('hello/hello.llext');
const source = examplePath('hello/hello.c');
const require = createRequire(join(projectRoot, 'package.json'));

describe('the adapter process', () => {
  it('speaks DAP on standard input and output, and ends with the session', async () => {
    const child = spawn(process.execPath, ['--import', 'tsx', join(projectRoot, 'debug-adapter/main.ts')], {
      cwd: projectRoot,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const exited = new Promise<number | null>((resolve) => child.on('exit', resolve));
    class Client extends DebugClient {
      use(): void {
        this.connect(child.stdout, child.stdin);
      }
    }
    const client = new Client('node', '', 'llext');
    client.defaultTimeout = 20_000;
    client.use();
    try {
      await client.initializeRequest();
      const launched = client.launchRequest({ program } as DebugProtocol.LaunchRequestArguments);
      const breakpoints = [{ line: markerLine(source, 'BP3') }];
      await client.setBreakpointsRequest({ source: { path: source }, breakpoints });
      const stopped = client.assertStoppedLocation('breakpoint', { path: source, line: markerLine(source, 'BP3') });
      await client.configurationDoneRequest();
      await launched;
      await stopped;
      const disassembly = await client.disassembleRequest({ memoryReference: '0x20006000', instructionCount: 2 });
      assert.equal(disassembly.body?.instructions.length, 2);
      await client.disconnectRequest({});
      assert.equal(await exited, 0);
    } finally {
      child.kill();
    }
  });
});

describe('the adapter process of a client that is gone', () => {
  it('ends, also while the program runs', async () => {
    const child = spawn(process.execPath, ['--import', 'tsx', join(projectRoot, 'debug-adapter/main.ts')], {
      cwd: projectRoot,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const exited = new Promise<number | null>((resolve) => child.on('exit', resolve));
    class Client extends DebugClient {
      use(): void {
        this.connect(child.stdout, child.stdin);
      }
    }
    const client = new Client('node', '', 'llext');
    client.defaultTimeout = 20_000;
    client.use();
    try {
      await client.initializeRequest();
      const endless = { program: examplePath('endless/endless.llext') };
      const launched = client.launchRequest(endless as DebugProtocol.LaunchRequestArguments);
      await client.configurationDoneRequest();
      await launched;
      child.stdin.end();
      assert.equal(await exited, 0);
    } finally {
      child.kill();
    }
  });
});

describe('the adapter in a worker', () => {
  it('exchanges messages and asks its page for files', async () => {
    const session: LlextDebugSession = new LlextDebugSession(
      remoteServices((command, args, answer) => session.sendRequest(command, args, 5000, answer)),
    );
    const received: DebugProtocol.ProtocolMessage[] = [];
    const problems: string[] = [];
    const waiting: { wanted: (message: never) => boolean; resolve: (message: never) => void }[] = [];
    const answer = async (request: DebugProtocol.Request): Promise<void> => {
      const { path } = (request.arguments ?? {}) as { path: string };
      const reply = (body: object | undefined, message?: string): void =>
        session.handleMessage({
          seq: 0,
          type: 'response',
          request_seq: request.seq,
          command: request.command,
          success: message === undefined,
          message,
          body,
        } as DebugProtocol.Response);
      const bytes = async (file: string): Promise<object> => ({ data: (await readFile(file)).toString('base64') });
      try {
        if (request.command === 'llext/readFile') reply(await bytes(new URL(path).pathname));
        else if (request.command === 'llext/listFolder') reply({ names: await readdir(new URL(path).pathname) });
        else reply(await bytes(join(dirname(require.resolve('@alexaltea/capstone-js')), 'capstone.wasm')));
      } catch (error) {
        reply(undefined, (error as Error).message);
      }
    };
    session.onDidSendMessage((posted) => {
      const message = JSON.parse(JSON.stringify(posted)) as DebugProtocol.ProtocolMessage;
      problems.push(...checkMessage(message as unknown as Record<string, unknown>));
      received.push(message);
      if (message.type === 'request') void answer(message as DebugProtocol.Request);
      for (const { wanted, resolve } of waiting) if (wanted(message as never)) resolve(message as never);
    });
    const until = <T>(wanted: (message: T) => boolean): Promise<T> =>
      new Promise((resolve) => waiting.push({ wanted, resolve } as (typeof waiting)[number]));
    let seq = 1;
    const send = (command: string, args: object = {}): Promise<DebugProtocol.Response> => {
      const own = seq++;
      const response = until<DebugProtocol.Response>(
        ({ type, request_seq }) => type === 'response' && request_seq === own,
      );
      session.handleMessage({ seq: own, type: 'request', command, arguments: args } as DebugProtocol.Request);
      return response;
    };
    await send('initialize', { adapterID: 'llext', pathFormat: 'uri' });
    const uri = `file://${program}`;
    const launched = send('launch', { program: uri });
    const line = markerLine(source, 'BP1');
    await send('setBreakpoints', { source: { path: `file://${source}` }, breakpoints: [{ line }] });
    const stopped = until<DebugProtocol.StoppedEvent>(({ event }) => event === 'stopped');
    await send('configurationDone');
    const response = await launched;
    assert.equal(response.success, true, response.message);
    await stopped;
    const { body } = (await send('stackTrace', { threadId: 1 })) as DebugProtocol.StackTraceResponse;
    assert.equal(body.stackFrames[0].source?.path, `file://${source}`);
    assert.equal(body.stackFrames[0].line, line);
    const listing = await send('disassemble', {
      memoryReference: body.stackFrames[0].instructionPointerReference,
      instructionCount: 4,
    });
    assert.equal(listing.success, true, listing.message);
    const missing = await send('launch', { program: 'file:///nowhere.llext' });
    assert.equal(missing.success, false);
    await send('disconnect');
    assert.deepEqual(problems, []);
    assert.ok(received.length > 10);
  });

  it('says which file its page could not give', async () => {
    const services = remoteServices((_command, _args, answer) =>
      answer({ success: false, message: 'no such file' } as DebugProtocol.Response),
    );
    await assert.rejects(services.files.read('file:///x'), /no such file/);
  });
});
