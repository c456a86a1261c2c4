/**
 * The ways to reach an adapter, as messages: a process on stdio, a TCP server, inline, a worker thread, and a Web Worker in a
 * browser (dap-browser.ts). All but inline run what the build makes. LLEXT_DAP_TRANSPORT chooses for all sessions of a test
 * file. Without it the first sessions of each file are processes on stdio, as VS Code starts them, and the others are at one
 * process that is a server: a process takes as much time to start as a session takes, and the suite would take twice as long.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { Worker } from 'node:worker_threads';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { adapterNodeOptions } from '../../debug-adapter/process-options';
import type { AdapterServices } from '../../debug-adapter/services';
import { bundlePath } from './adapter-bundle';
import { browser } from './dap-browser';
import { fileAnswer } from './dap-files';
import { projectRoot } from './fixtures';

export type Message = DebugProtocol.ProtocolMessage;

export interface Connection {
  send(message: Message): void;
  onMessage(listener: (message: Message) => void): void;
  /** Resolves when the adapter's end is gone as well; rejects where it did not end as it should. */
  close(): Promise<void>;
}

/** The base protocol: a header with the length, then JSON. */
export function overStreams(input: Writable, output: Readable): Omit<Connection, 'close'> {
  const listeners: ((message: Message) => void)[] = [];
  let pending = Buffer.alloc(0);
  output.on('data', (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    for (;;) {
      const header = /^Content-Length: (\d+)\r\n\r\n/.exec(pending.toString('latin1', 0, 64));
      if (header === null) return;
      const end = header[0].length + Number(header[1]);
      if (pending.length < end) return;
      const message = JSON.parse(pending.toString('utf8', header[0].length, end)) as Message;
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

/** Many times what a session takes to end, also on a machine with other work. */
const endsWithin = 60_000;

/** A process that has ended with status 0 and has written nothing to standard error. */
function ended(child: ChildProcess, stderr: () => string): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error('the adapter process does not end with its session'));
    }, endsWithin);
    child.on('close', (code, signal) => {
      clearTimeout(late);
      if (code === 0 && stderr() === '') resolve();
      else reject(new Error(`the adapter process ended with ${code ?? signal}\n${stderr()}`));
    });
  });
}

async function stdio(): Promise<Connection & { readonly processId: number | undefined }> {
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: '', LLEXT_CODE_CACHE: join(projectRoot, 'out/code-cache') };
  const child = spawn(process.execPath, [...adapterNodeOptions, bundlePath('adapter')], { stdio: 'pipe', env });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const end = ended(child, () => errors);
  // Where nobody waits for the end it is still no unhandled rejection.
  end.catch(() => undefined);
  // What is written when the process has ended is lost, as it is for any client.
  child.stdin.on('error', () => undefined);
  const close = (): Promise<void> => {
    child.stdin.end();
    return end;
  };
  return { ...overStreams(child.stdin, child.stdout), close, processId: child.pid };
}

/** One server for all sessions of this process, which ends with it. */
let server: Promise<number> | undefined;

function serverPort(): Promise<number> {
  server ??= new Promise((resolve, reject) => {
    const args = [bundlePath('cli'), 'dap', '--port', '0'];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    process.on('exit', () => child.kill());
    let text = '';
    child.stderr.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const found = /listening on [\d.]+:(\d+)/.exec(text);
      if (found === null) return;
      child.unref();
      (child.stderr as unknown as { unref(): void }).unref();
      resolve(Number(found[1]));
    });
    child.on('exit', (code) => reject(new Error(`the TCP server ended with ${code}: ${text}`)));
  });
  return server;
}

async function tcp(): Promise<Connection> {
  const socket = connect({ port: await serverPort(), host: '127.0.0.1', noDelay: true });
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  const close = (): Promise<void> => {
    socket.end();
    return closed;
  };
  return { ...overStreams(socket, socket), close };
}

/** In this process, from the sources; `services` are those of Node unless a test has its own. */
export async function inline(services?: AdapterServices): Promise<Connection & { readonly session: object }> {
  // Loaded where it is wanted: it costs as much as a session.
  const { LlextDebugSession } = await import('../../debug-adapter/session');
  const { nodeServices } = await import('../../debug-adapter/node-services');
  const session = new LlextDebugSession(services ?? nodeServices(projectRoot));
  session.setRunAsServer(true);
  return {
    session,
    send: (message) => session.handleMessage(message),
    onMessage: (listener) =>
      void session.onDidSendMessage((message) => listener(JSON.parse(JSON.stringify(message)) as Message)),
    close: async () => session.dispose(),
  };
}

/** The worker's bundle in a thread that has what a Web Worker has; its page's files are asked for by requests. */
async function worker(): Promise<Connection> {
  const code = `
    const { parentPort } = require('node:worker_threads');
    globalThis.self = globalThis;
    globalThis.postMessage = (message) => parentPort.postMessage(JSON.parse(JSON.stringify(message)));
    globalThis.addEventListener = (type, listener) => parentPort.on(type, (data) => listener({ data }));
    require(${JSON.stringify(bundlePath('worker'))});`;
  const thread = new Worker(code, { eval: true });
  const listeners: ((message: Message) => void)[] = [];
  thread.on('message', (message: Message) => {
    if (message.type === 'request') thread.postMessage(fileAnswer(message as DebugProtocol.Request));
    else for (const listener of listeners) listener(message);
  });
  return {
    send: (message) => thread.postMessage(message),
    onMessage: (listener) => void listeners.push(listener),
    close: async () => void (await thread.terminate()),
  };
}

export const connections = { stdio, tcp, inline: () => inline(), worker, browser } as const;

export type Transport = keyof typeof connections;

/** Sessions of a test file that are processes of their own unless LLEXT_DAP_TRANSPORT says otherwise. */
const firstOnStdio = 2;
let sessions = 0;

/** Of the next session. */
export function chosenTransport(): Transport {
  const wanted = process.env['LLEXT_DAP_TRANSPORT'] ?? (sessions++ < firstOnStdio ? 'stdio' : 'tcp');
  if (!Object.hasOwn(connections, wanted))
    throw new Error(`LLEXT_DAP_TRANSPORT=${wanted}: it is one of ${Object.keys(connections).join(', ')}`);
  return wanted as Transport;
}
