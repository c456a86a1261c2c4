/**
 * The adapter in a Web Worker of a real browser: Debian's Chromium opens a page that starts the worker's bundle, as a web page
 * that embeds the adapter does it, and hands messages on. Files come from this process, by the adapter's reverse requests.
 */
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { bundlePath } from './adapter-bundle';
import type { Connection, Message } from './dap-connections';
import { fileAnswer } from './dap-files';
import { projectRoot } from './fixtures';

/** As much as is used of playwright-core's types: it is installed with test/vscode, outside of this project. */
interface Page {
  exposeFunction(name: string, callback: (text: string) => void): Promise<void>;
  on(event: 'pageerror' | 'console', listener: (what: { message?: string; text?(): string }) => void): void;
  goto(url: string): Promise<unknown>;
  evaluate(code: string): Promise<unknown>;
  close(): Promise<void>;
}

interface Runtime {
  installRuntime(): void;
  openBrowser(): Promise<{ newPage(): Promise<Page>; close(): Promise<void> }>;
}

const page = `<!doctype html><title>adapter</title><script>
  const worker = new Worker('adapter.js');
  worker.onmessage = ({ data }) => adapterSays(JSON.stringify(data));
  worker.onerror = ({ message }) => adapterFails(message);
</script>`;

interface Host {
  readonly address: string;
  readonly server: Server;
  readonly browser: Awaited<ReturnType<Runtime['openBrowser']>>;
}

let host: Promise<Host> | undefined;
let open = 0;

async function start(): Promise<Host> {
  const runtime = (await import(join(projectRoot, 'test/vscode/runtime.cjs'))) as Runtime;
  runtime.installRuntime();
  const script = readFileSync(bundlePath('worker'));
  const server = createServer(({ url }, reply) => {
    if (url === '/adapter.js') reply.setHeader('content-type', 'text/javascript').end(script);
    else if (url === '/') reply.setHeader('content-type', 'text/html').end(page);
    else reply.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return { address, server, browser: await runtime.openBrowser() };
}

/** The browser serves the sessions that follow one another; when none has followed it is closed, else it would keep this process. */
function leave(): void {
  open--;
  setTimeout(() => {
    if (open > 0 || host === undefined) return;
    const last = host;
    host = undefined;
    void last.then(async ({ browser: chromium, server }) => {
      await chromium.close();
      server.close();
    });
  }, 300);
}

export async function browser(): Promise<Connection> {
  open++;
  host ??= start();
  const { address, browser: chromium } = await host;
  const tab = await chromium.newPage();
  const listeners: ((message: Message) => void)[] = [];
  const failures: string[] = [];
  let sent: Promise<unknown> = Promise.resolve();
  const post = (message: Message): void => {
    sent = sent.then(() => tab.evaluate(`worker.postMessage(${JSON.stringify(message)})`)).catch(() => undefined);
  };
  await tab.exposeFunction('adapterSays', (text) => {
    const message = JSON.parse(text) as Message;
    if (message.type === 'request') post(fileAnswer(message as DebugProtocol.Request));
    else for (const listener of listeners) listener(message);
  });
  await tab.exposeFunction('adapterFails', (text) => void failures.push(text));
  tab.on('pageerror', ({ message }) => void failures.push(message ?? 'an error of the page'));
  await tab.goto(address);
  return {
    send: post,
    onMessage: (listener) => void listeners.push(listener),
    close: async () => {
      await sent;
      await tab.close();
      leave();
      if (failures.length > 0) throw new Error(`the worker: ${failures.join('; ')}`);
    },
  };
}
