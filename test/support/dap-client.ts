/**
 * A debug adapter, driven by the test client of @vscode/debugadapter-testsupport: the built one, in a process of its own,
 * unless LLEXT_DAP_TRANSPORT says otherwise (dap-connections.ts). Every message that the adapter sends is checked
 * against the protocol's schema; close() asserts that all fit, and that the process has ended in order.
 */
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { DebugClient } from '@vscode/debugadapter-testsupport';
import type { DebugProtocol } from '@vscode/debugprotocol';
import type { AdapterServices } from '../../debug-adapter/services';
import type { SessionState } from '../../debug-adapter/session-state';
import {
  chosenTransport,
  type Connection,
  connections,
  inline,
  type Message,
  overStreams,
  type Transport,
} from './dap-connections';
import { checkMessage } from './dap-schema';
import { projectRoot } from './fixtures';

export { projectRoot };

export type LaunchArguments = DebugProtocol.LaunchRequestArguments & Readonly<Record<string, unknown>>;

export interface BreakpointRequest {
  readonly path: string;
  readonly breakpoints: readonly DebugProtocol.SourceBreakpoint[];
}

/** Hang guard: many times what anything takes, also on a machine with other work. */
const longest = 60_000;

/** Requests whose events come behind their answers. */
const changing: ReadonlySet<string> = new Set([
  ...['evaluate', 'setVariable', 'setExpression', 'writeMemory'],
  ...['llext/load', 'llext/unload', 'llext/reload', 'llext/displayFormat'],
]);

/** Numbers of requests that no test sends. */
const firstProbe = 1_000_000_000;

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
  private readonly connection: Promise<Connection>;
  private readonly listeners: ((message: Message) => void)[] = [];
  private readonly held = new Map<number, Message>();
  private probes = 0;
  private readonly waiting: { event: string; resolve: (event: DebugProtocol.Event) => void }[] = [];

  /** With services of its own the adapter is in this process. */
  constructor(where: Transport | AdapterServices = chosenTransport()) {
    this.client.defaultTimeout = longest;
    this.connection = typeof where === 'string' ? connections[where]() : inline(where);
    const toAdapter = new PassThrough();
    const fromAdapter = new PassThrough();
    const toClient = overStreams(fromAdapter, toAdapter);
    this.client.attachTo(fromAdapter, toAdapter);
    toClient.onMessage((message) => void this.connection.then((connection) => connection.send(message)));
    void this.connection.then((connection) =>
      connection.onMessage((message) => {
        this.deliver(message, connection, (wanted) => {
          this.received(wanted);
          toClient.send(wanted);
        });
      }),
    );
  }

  /** The session's state, where a test has to look into it: only of an inline adapter. */
  async state(): Promise<SessionState> {
    const connection = await this.connection;
    assert.ok('session' in connection, 'only an inline adapter can be looked into');
    return (connection.session as { state: SessionState }).state;
  }

  onMessage(listener: (message: Message) => void): void {
    this.listeners.push(listener);
  }

  /** Initializes and launches; resolves when the launch is answered. Breakpoints are set in between, as VS Code does. */
  async launch(
    args: LaunchArguments,
    breakpoints: readonly BreakpointRequest[] = [],
    initialize: Partial<DebugProtocol.InitializeRequestArguments> = {},
  ): Promise<DebugProtocol.Breakpoint[]> {
    return this.begin('launch', args, breakpoints, initialize);
  }

  /** The same with a target that another client has left. */
  attach(args: object = {}, breakpoints: readonly BreakpointRequest[] = []): Promise<DebugProtocol.Breakpoint[]> {
    return this.begin('attach', args, breakpoints, {});
  }

  private async begin(
    request: 'launch' | 'attach',
    args: object,
    breakpoints: readonly BreakpointRequest[],
    initialize: Partial<DebugProtocol.InitializeRequestArguments>,
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
    const launched = this.client.send(request, args);
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
  next(event: string, timeout = longest): Promise<DebugProtocol.Event> {
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
  async close(how: DebugProtocol.DisconnectArguments = {}): Promise<void> {
    await this.client.disconnectRequest(how);
    await this.leave();
  }

  /** The client goes without a word; the adapter has to end by itself. */
  async leave(): Promise<void> {
    await (await this.connection).close();
    assert.deepEqual(this.problems, []);
  }

  /**
   * What a request changed is told by events behind its answer. A test that has the answer and looks at the events must not depend on how
   * fast they come: such an answer is handed on when another request, sent after it, has been answered too.
   */
  private deliver(message: Message, connection: Connection, handOn: (message: Message) => void): void {
    const { command = '', request_seq: request = 0 } = message as Partial<DebugProtocol.Response>;
    const isAnswer = message.type === 'response';
    const held = this.held.get(request);
    if (isAnswer && held !== undefined) {
      this.held.delete(request);
      handOn(held);
    } else if (isAnswer && changing.has(command)) {
      const seq = firstProbe + this.probes++;
      this.held.set(seq, message);
      const probe: DebugProtocol.Request = { seq, type: 'request', command: 'threads' };
      connection.send(probe);
    } else handOn(message);
  }

  private received(message: Message): void {
    this.problems.push(...checkMessage(message as unknown as Record<string, unknown>));
    for (const listener of this.listeners) listener(message);
    if (message.type !== 'event') return;
    const event = message as DebugProtocol.Event;
    this.events.push(event);
    for (let i = this.waiting.length - 1; i >= 0; i--) {
      if (this.waiting[i].event === event.event) this.waiting.splice(i, 1)[0].resolve(event);
    }
  }
}

/** Runs `body` with an adapter and closes it. */
export async function withAdapter(
  body: (adapter: AdapterClient) => Promise<void>,
  where?: Transport | AdapterServices,
): Promise<void> {
  const adapter = new AdapterClient(where);
  try {
    await body(adapter);
  } catch (error) {
    // What failed first is what matters; the adapter may be in any state.
    await adapter.leave().catch(() => undefined);
    throw error;
  }
  await adapter.close();
}
