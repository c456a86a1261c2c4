/** The ways to reach an adapter, as messages: a process on stdio, a TCP server, inline, and a worker. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { Worker } from 'node:worker_threads';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { nodeServices } from '../../debug-adapter/node-services';
import { LlextDebugSession } from '../../debug-adapter/session';
import { projectRoot } from './fixtures';

export interface Connection {
  send(message: DebugProtocol.ProtocolMessage): void;
  onMessage(listener: (message: DebugProtocol.ProtocolMessage) => void): void;
  close(): Promise<void>;
}

const runTypeScript = ['--import', 'tsx'];

/** The base protocol: a header with the length, then JSON. */
function overStreams(input: Writable, output: Readable): Omit<Connection, 'close'> {
  const listeners: ((message: DebugProtocol.ProtocolMessage) => void)[] = [];
  let pending = Buffer.alloc(0);
  output.on('data', (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    for (;;) {
      const header = /^Content-Length: (\d+)\r\n\r\n/.exec(pending.toString('latin1', 0, 64));
      if (header === null) return;
      const end = header[0].length + Number(header[1]);
      if (pending.length < end) return;
      const message = JSON.parse(pending.toString('utf8', header[0].length, end)) as DebugProtocol.ProtocolMessage;
      pending = pending.subarray(end);
      for (const listener of listeners) listener(message);
    }
  });
  return {
    send: (message) => {
      const text = JSON.stringify(message);
      input.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
    },
    onMessage: (listener) => void listeners.push(listener),
  };
}

const exitOf = (child: ChildProcess): Promise<void> => new Promise((resolve) => child.on('exit', () => resolve()));

async function stdio(): Promise<Connection> {
  const args = [...runTypeScript, join(projectRoot, 'debug-adapter/main.ts')];
  const child = spawn(process.execPath, args, { cwd: projectRoot, stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = exitOf(child);
  return { ...overStreams(child.stdin, child.stdout), close: () => exited };
}

async function tcp(): Promise<Connection> {
  const args = [...runTypeScript, join(projectRoot, 'cli/llext.ts'), 'dap', '--port', '0'];
  const child = spawn(process.execPath, args, { cwd: projectRoot, stdio: ['ignore', 'inherit', 'pipe'] });
  const exited = exitOf(child);
  const port = await new Promise<number>((resolve) => {
    let text = '';
    child.stderr.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const found = /listening on [\d.]+:(\d+)/.exec(text);
      if (found !== null) resolve(Number(found[1]));
    });
  });
  const socket = connect(port, '127.0.0.1');
  const close = async (): Promise<void> => {
    socket.end();
    child.kill('SIGTERM');
    await exited;
  };
  return { ...overStreams(socket, socket), close };
}

async function inline(): Promise<Connection> {
  const session = new LlextDebugSession(nodeServices(projectRoot));
  return {
    send: (message) => session.handleMessage(message),
    onMessage: (listener) =>
      void session.onDidSendMessage((message) =>
        listener(JSON.parse(JSON.stringify(message)) as DebugProtocol.ProtocolMessage),
      ),
    close: async () => session.dispose(),
  };
}

/** debug-adapter/worker.ts in a thread that has what a Web Worker has; its page's files are asked for by requests. */
async function worker(): Promise<Connection> {
  const code = `
    const { parentPort } = require('node:worker_threads');
    globalThis.self = globalThis;
    globalThis.postMessage = (message) => parentPort.postMessage(JSON.parse(JSON.stringify(message)));
    globalThis.addEventListener = (type, listener) => parentPort.on(type, (data) => listener({ data }));
    require('tsx/cjs');
    require(${JSON.stringify(join(projectRoot, 'debug-adapter/worker.ts'))});`;
  const thread = new Worker(code, { eval: true });
  const listeners: ((message: DebugProtocol.ProtocolMessage) => void)[] = [];
  thread.on('message', (message: DebugProtocol.ProtocolMessage) => {
    if (message.type === 'request') thread.postMessage(fileAnswer(message as DebugProtocol.Request));
    else for (const listener of listeners) listener(message);
  });
  return {
    send: (message) => thread.postMessage(message),
    onMessage: (listener) => void listeners.push(listener),
    close: async () => void (await thread.terminate()),
  };
}

function fileAnswer({ seq, command, arguments: args }: DebugProtocol.Request): DebugProtocol.Response {
  const { path } = (args ?? {}) as { path: string };
  const base = { seq: 0, type: 'response', request_seq: seq, command } as const;
  try {
    return { ...base, success: true, body: fileBody(command, path) };
  } catch (error) {
    return { ...base, success: false, message: (error as Error).message };
  }
}

function fileBody(command: string, path: string): object {
  const data = (file: string): object => ({ data: readFileSync(file).toString('base64') });
  if (command === 'llext/readFile') return data(path);
  if (command === 'llext/capstoneWasm') {
    const require = createRequire(join(projectRoot, 'package.json'));
    return data(join(dirname(require.resolve('@alexaltea/capstone-js')), 'capstone.wasm'));
  }
  const entries = readdirSync(path, { withFileTypes: true });
  return { names: entries.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name)) };
}

export const connections = { stdio, tcp, inline, worker } as const;
