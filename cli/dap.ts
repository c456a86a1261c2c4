/**
 * `llext dap`: the debug adapter for any client of the Debug Adapter Protocol. Without --port one session on standard
 * input and output; with it a server on the loopback interface, where each connection is a session of its own, and a session can be
 * left for another connection.
 */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { KeptTargets } from '../debug-adapter/kept-targets';
import { nodeServices } from '../debug-adapter/node-services';
import { LlextDebugSession } from '../debug-adapter/session';
import type { CommandOutput } from './output';
import { parseArguments } from './parse-arguments';
import { UsageError } from './usage-error';

export const dapHelp = `usage: llext dap [--port PORT]

Speaks the Debug Adapter Protocol: one session on standard input and output, or any number on a loopback port.

  --port PORT   listens on 127.0.0.1:PORT until it is interrupted; 0 = any free port (it is printed on standard error)
  --help

exit status: 0 the session or the server ended, 1 the port cannot be listened on, 2 wrong usage
`;

const LOOPBACK = '127.0.0.1';
const HIGHEST_PORT = 65535;

export async function dap(args: string[], io: CommandOutput): Promise<number> {
  try {
    const options = parseOptions(args);
    if (options === undefined) {
      io.stdout.write(dapHelp);
      return 0;
    }
    return options.port === undefined ? await serveStdio() : await serveLoopback(options.port, io);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    io.stderr.write(`llext dap: ${error.message}\n`);
    return 2;
  }
}

function serveStdio(): Promise<number> {
  return new Promise((resolve) => {
    const session = new LlextDebugSession(nodeServices(__dirname));
    session.on('close', () => resolve(0));
    process.stdin.on('end', () => resolve(0));
    session.start(process.stdin, process.stdout);
  });
}

function serveLoopback(port: number, io: CommandOutput): Promise<number> {
  return new Promise((resolve) => {
    const targets = new KeptTargets();
    const server = createServer((socket) => serveConnection(socket, targets));
    server.on('error', (error) => {
      io.stderr.write(`llext dap: cannot listen on ${LOOPBACK}:${port}: ${error.message}\n`);
      resolve(1);
    });
    server.on('close', () => resolve(0));
    server.listen(port, LOOPBACK, () => {
      io.stderr.write(`llext dap: listening on ${LOOPBACK}:${(server.address() as AddressInfo).port}\n`);
    });
    closeOnSignal(server);
  });
}

function serveConnection(socket: Socket, targets: KeptTargets): void {
  const session = new LlextDebugSession({ ...nodeServices(__dirname), targets });
  // As a server the session does not end the process when its client disconnects.
  session.setRunAsServer(true);
  // A client that is gone is not an error of the server: the session ends by the 'close' that follows.
  socket.on('error', () => undefined);
  socket.on('close', () => session.shutdown());
  // Header and body are two writes: the second would wait for the first one's acknowledgement.
  socket.setNoDelay(true);
  session.start(socket, socket);
}

function closeOnSignal(server: Server): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      server.close();
      process.exitCode = 0;
      process.exit();
    });
  }
}

/** undefined = help is wanted. */
function parseOptions(args: string[]): { readonly port: number | undefined } | undefined {
  const { values } = readArguments(args);
  if (values.help === true) return undefined;
  if (values.port === undefined) return { port: undefined };
  const port = /^\d+$/.test(values.port) ? Number(values.port) : NaN;
  if (!(port <= HIGHEST_PORT))
    throw new UsageError(`--port: '${values.port}' is not a number from 0 to ${HIGHEST_PORT}`);
  return { port };
}

function readArguments(args: string[]) {
  return parseArguments({ args, options: { port: { type: 'string' }, help: { type: 'boolean', short: 'h' } } });
}
