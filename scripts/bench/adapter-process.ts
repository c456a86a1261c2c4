/**
 * A session on the adapter's process as VS Code starts it, seen from outside: what a request takes by the clock from sending it to its
 * answer, and how large the process is. Messages are not checked here, which would cost more than some answers.
 */
import { readFileSync } from 'node:fs';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { connections, type Message } from '../../test/support/dap-connections';

type Connection = Awaited<ReturnType<typeof connections.stdio>>;

export interface RequestCost {
  /** Milliseconds by the clock. */
  readonly clock: number;
  /** Milliseconds of processor time of the process's first thread; undefined where the system does not tell. */
  readonly thread: number | undefined;
}

export class AdapterProcess {
  private sequence = 1;
  private readonly answers = new Map<number, (response: DebugProtocol.Response) => void>();
  private readonly stops: (() => void)[] = [];

  private constructor(private readonly connection: Connection) {
    connection.onMessage((message) => this.take(message));
  }

  /** Stopped at the first instruction. Rejects when the launch is refused. */
  static async launch(attributes: Readonly<Record<string, unknown>>): Promise<AdapterProcess> {
    const adapter = new AdapterProcess(await connections.stdio());
    await adapter.request('initialize', { adapterID: 'llext' });
    const stopped = adapter.stopped();
    const launched = adapter.request('launch', { ...attributes, stopOnEntry: true });
    await Promise.race([stopped, launched.then(() => stopped)]);
    return adapter;
  }

  /** The body of the answer; rejects with its message when it is a refusal. */
  async request(command: string, args: object = {}): Promise<Record<string, unknown>> {
    const seq = this.sequence++;
    const answered = new Promise<DebugProtocol.Response>((resolve) => this.answers.set(seq, resolve));
    this.connection.send({ seq, type: 'request', command, arguments: args } as Message);
    const { success, message, body } = await answered;
    if (!success) throw new Error(`${command}: ${message}`);
    return (body ?? {}) as Record<string, unknown>;
  }

  async cost(command: string, args: object): Promise<RequestCost> {
    const [begin, before] = [performance.now(), this.threadMilliseconds()];
    await this.request(command, args);
    const [clock, after] = [performance.now() - begin, this.threadMilliseconds()];
    return { clock, thread: before === undefined || after === undefined ? undefined : after - before };
  }

  /** A request whose effect ends with a stop. */
  async run(command: string): Promise<void> {
    const stopped = this.stopped();
    await this.request(command, { threadId: 1 });
    await stopped;
  }

  /** Memory reference of the instruction at which the topmost frame is. */
  async programCounter(): Promise<string> {
    const { stackFrames } = (await this.request('stackTrace', { threadId: 1, levels: 1 })) as Partial<
      DebugProtocol.StackTraceResponse['body']
    >;
    return stackFrames?.at(0)?.instructionPointerReference ?? '';
  }

  /** MB of memory that are resident; undefined where there is no /proc. */
  megabytes(): number | undefined {
    const status = this.proc('status');
    return status === undefined ? undefined : residentMegabytes(status);
  }

  async close(): Promise<void> {
    await this.connection.close();
  }

  private stopped(): Promise<void> {
    return new Promise((resolve) => this.stops.push(resolve));
  }

  private take(message: Message): void {
    if (message.type === 'response') {
      const response = message as DebugProtocol.Response;
      this.answers.get(response.request_seq)?.(response);
      this.answers.delete(response.request_seq);
      return;
    }
    const { event } = message as DebugProtocol.Event;
    if (event === 'initialized') void this.request('configurationDone');
    if (event === 'stopped') for (const resolve of this.stops.splice(0)) resolve();
  }

  private threadMilliseconds(): number | undefined {
    const text = this.proc(`task/${this.connection.processId}/schedstat`);
    return text === undefined ? undefined : Number(text.split(' ')[0]) / 1e6;
  }

  private proc(file: string): string | undefined {
    try {
      return readFileSync(`/proc/${this.connection.processId}/${file}`, 'latin1');
    } catch {
      return undefined;
    }
  }
}

/** Of a process's status in /proc. */
export const residentMegabytes = (status: string): number =>
  (Number(/VmRSS:\s*(\d+) kB/.exec(status)?.[1]) * 1024) / 1e6;
