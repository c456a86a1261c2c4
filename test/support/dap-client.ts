/**
 * A debug adapter in this process, driven by the test client of @vscode/debugadapter-testsupport over a pair of
 * streams. Every message that the adapter sends is checked against the protocol's schema; close() asserts that all fit.
 */
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { join } from 'node:path';
import { DebugClient } from '@vscode/debugadapter-testsupport';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { nodeServices } from '../../debug-adapter/node-services';
import type { AdapterServices } from '../../debug-adapter/services';
import { LlextDebugSession } from '../../debug-adapter/session';
import { checkMessage } from './dap-schema';

export const projectRoot = join(__dirname, '../..');

export type LaunchArguments = DebugProtocol.LaunchRequestArguments & Readonly<Record<string, unknown>>;

export interface BreakpointRequest {
  readonly path: string;
  readonly breakpoints: readonly DebugProtocol.SourceBreakpoint[];
}

/** Streams in place of a spawned process. */
class StreamClient extends DebugClient {
  attachTo(fromAdapter: PassThrough, toAdapter: PassThrough): void {
    this.connect(fromAdapter, toAdapter);
  }
}

export class AdapterClient {
  readonly events: DebugProtocol.Event[] = [];
  readonly problems: string[] = [];
  readonly client = new StreamClient('node', '', 'llext');
  readonly session: LlextDebugSession;
  private readonly waiting: { event: string; resolve: (event: DebugProtocol.Event) => void }[] = [];

  constructor(services: AdapterServices = nodeServices(projectRoot)) {
    this.client.defaultTimeout = 20_000;
    this.session = new LlextDebugSession(services);
    this.session.setRunAsServer(true);
    const toAdapter = new PassThrough();
    const fromAdapter = new PassThrough();
    this.session.onDidSendMessage((message) =>
      this.received(JSON.parse(JSON.stringify(message)) as Record<string, unknown>),
    );
    this.client.attachTo(fromAdapter, toAdapter);
    this.session.start(toAdapter, fromAdapter);
  }

  /** Initializes and launches; resolves when the launch is answered. Breakpoints are set in between, as VS Code does. */
  async launch(
    args: LaunchArguments,
    breakpoints: readonly BreakpointRequest[] = [],
    initialize: Partial<DebugProtocol.InitializeRequestArguments> = {},
  ): Promise<DebugProtocol.Breakpoint[]> {
    await this.client.initializeRequest({
      adapterID: 'llext',
      linesStartAt1: true,
      columnsStartAt1: true,
      pathFormat: 'path',
      supportsMemoryEvent: true,
      supportsInvalidatedEvent: true,
      ...initialize,
    });
    const launched = this.client.launchRequest(args);
    launched.catch(() => undefined);
    const answered: DebugProtocol.Breakpoint[] = [];
    for (const { path, breakpoints: wanted } of breakpoints) {
      const response = await this.client.setBreakpointsRequest({ source: { path }, breakpoints: [...wanted] });
      answered.push(...response.body.breakpoints);
    }
    await this.client.configurationDoneRequest();
    await launched;
    return answered;
  }

  /** Launches and waits for the first stop. */
  async launchToStop(
    args: LaunchArguments,
    breakpoints: readonly BreakpointRequest[] = [],
  ): Promise<DebugProtocol.StoppedEvent['body']> {
    const stopped = this.stopped();
    await this.launch(args, breakpoints);
    return stopped;
  }

  /** The next event of a kind, from now on. */
  next(event: string, timeout = 20_000): Promise<DebugProtocol.Event> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no event '${event}' within ${timeout} ms`)), timeout);
      // A wait that nobody needs any more must not keep the process.
      timer.unref();
      const done = (found: DebugProtocol.Event): void => {
        clearTimeout(timer);
        resolve(found);
      };
      this.waiting.push({ event, resolve: done });
    });
  }

  async stopped(): Promise<DebugProtocol.StoppedEvent['body']> {
    const ended = this.next('terminated').then(() => {
      throw new Error(`the session ended instead of stopping: ${this.output('console')}${this.output('important')}`);
    });
    ended.catch(() => undefined);
    return Promise.race([this.next('stopped').then((event) => (event as DebugProtocol.StoppedEvent).body), ended]);
  }

  /** Sends an execution request and waits for the stop that it leads to. */
  async run(
    request: string,
    granularity?: DebugProtocol.SteppingGranularity,
    more: object = {},
  ): Promise<DebugProtocol.StoppedEvent['body']> {
    const stopped = this.stopped();
    const step = granularity === undefined ? {} : { granularity };
    await this.client.send(request, { threadId: 1, ...step, ...more });
    return stopped;
  }

  /** Sends continue (or another request) and waits for the end of the session. */
  async runToEnd(request = 'continue'): Promise<void> {
    const ended = this.next('terminated');
    await this.client.send(request, { threadId: 1 });
    await ended;
  }

  async stack(): Promise<DebugProtocol.StackFrame[]> {
    return (await this.client.stackTraceRequest({ threadId: 1 })).body.stackFrames;
  }

  async topFrame(): Promise<DebugProtocol.StackFrame> {
    return (await this.client.stackTraceRequest({ threadId: 1, startFrame: 0, levels: 1 })).body.stackFrames[0];
  }

  async scope(name: string, level = 0): Promise<DebugProtocol.Variable[]> {
    const frames = await this.stack();
    const { scopes } = (await this.client.scopesRequest({ frameId: frames[level].id })).body;
    const scope = scopes.find((candidate) => candidate.name.startsWith(name));
    assert.ok(scope, `no scope ${name} among ${scopes.map((one) => one.name).join(', ')}`);
    return this.variables(scope.variablesReference);
  }

  async variables(variablesReference: number): Promise<DebugProtocol.Variable[]> {
    return (await this.client.variablesRequest({ variablesReference })).body.variables;
  }

  async evaluate(
    expression: string,
    context: DebugProtocol.EvaluateArguments['context'] = 'watch',
    frameId?: number,
  ): Promise<DebugProtocol.EvaluateResponse['body']> {
    const frame = frameId ?? (await this.topFrame()).id;
    return (await this.client.evaluateRequest({ expression, context, frameId: frame })).body;
  }

  async request<Body>(command: string, args: Readonly<Record<string, unknown>> = {}): Promise<Body> {
    return (await this.client.send(command, args)).body as Body;
  }

  /** All text of a category so far. */
  output(category: string): string {
    return this.outputs(category)
      .map((body) => body.output)
      .join('');
  }

  outputs(category: string): DebugProtocol.OutputEvent['body'][] {
    return this.events
      .filter((event): event is DebugProtocol.OutputEvent => event.event === 'output')
      .map((event) => event.body)
      .filter((body) => (body.category ?? 'console') === category);
  }

  /** Ends the session; every message must have been as the protocol's schema says. */
  async close(): Promise<void> {
    await this.client.disconnectRequest({});
    this.session.dispose();
    assert.deepEqual(this.problems, []);
  }

  private received(message: Record<string, unknown>): void {
    this.problems.push(...checkMessage(message));
    if (message['type'] !== 'event') return;
    const event = message as unknown as DebugProtocol.Event;
    this.events.push(event);
    for (let i = this.waiting.length - 1; i >= 0; i--) {
      if (this.waiting[i].event === event.event) this.waiting.splice(i, 1)[0].resolve(event);
    }
  }
}

/** Runs `body` with an adapter and closes it. */
export async function withAdapter(
  body: (adapter: AdapterClient) => Promise<void>,
  services?: AdapterServices,
): Promise<void> {
  const adapter = new AdapterClient(services);
  try {
    await body(adapter);
  } finally {
    await adapter.close();
  }
}
