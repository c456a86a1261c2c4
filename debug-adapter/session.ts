/**
 * The debug adapter's protocol session: a table of requests, one line each; every other file of this folder implements
 * a group of them. Works over streams (process, TCP) and inline or in a worker (handleMessage / onDidSendMessage).
 */
import { DebugSession, Response } from '@vscode/debugadapter';
import type { DebugProtocol } from '@vscode/debugprotocol';
import {
  breakpointLocations,
  setBreakpoints,
  setDataBreakpoints,
  setExceptionBreakpoints,
  setFunctionBreakpoints,
  setInstructionBreakpoints,
} from './breakpoint-requests';
import { attach, canBeLeft, leave } from './attach';
import { cancel, type Cancellation } from './cancellation';
import { Client } from './client';
import { source } from './client-source';
import { completions } from './completions';
import { coverage } from './coverage';
import { extensions, symbol } from './custom-requests';
import { dataBreakpointInfo } from './data-breakpoint-info';
import { tellDebugProblems } from './debug-problems';
import { disassemble } from './disassemble';
import { displayFormat } from './display-format';
import { AdapterError, errors, messageOf } from './errors';
import { evaluate, setExpression } from './evaluate';
import { exceptionInfo } from './exceptions';
import { continueRequest, next, pause, stepIn, stepOut } from './execution-requests';
import { goto, gotoTargets } from './goto-targets';
import {
  checkpoints,
  goToCheckpoint,
  goToTime,
  removeCheckpoint,
  reverseContinue,
  reverseStepIn,
  reverseStepOut,
  setCheckpoint,
  stepBack,
  whoWrote,
} from './history-requests';
import { initialize } from './initialize';
import { configurationDone, disconnect, launch, restart, terminate } from './launch';
import { locations } from './locations';
import { readMemory, writeMemory } from './memory';
import { loadedSources, modules } from './modules';
import { replayFile } from './replay-file';
import { restartFrame } from './restart-frame';
import { scopes } from './scopes';
import type { AdapterServices } from './services';
import { load, reload, unload } from './session-loads';
import { SessionState } from './session-state';
import { stackTrace, threads } from './stack-trace';
import { stepInTargets } from './step-in-targets';
import { terminateThreads } from './terminate-threads';
import { setVariable, variables } from './variables';

/** `after` actions run when the response has been sent. */
export type RequestHandler = (
  session: SessionState,
  args: never,
  after: (action: () => void) => void,
  cancellation: Cancellation,
) => unknown;

const requests: Readonly<Record<string, RequestHandler>> = {
  initialize,
  launch,
  attach,
  configurationDone,
  restart,
  cancel,
  terminate,
  disconnect,
  setBreakpoints,
  setFunctionBreakpoints,
  setInstructionBreakpoints,
  dataBreakpointInfo,
  setDataBreakpoints,
  breakpointLocations,
  setExceptionBreakpoints,
  exceptionInfo,
  threads,
  continue: continueRequest,
  next,
  stepIn,
  stepOut,
  stepInTargets,
  stepBack,
  reverseContinue,
  pause,
  gotoTargets,
  goto,
  restartFrame,
  terminateThreads,
  stackTrace,
  scopes,
  variables,
  setVariable,
  evaluate,
  setExpression,
  completions,
  readMemory,
  writeMemory,
  disassemble,
  modules,
  loadedSources,
  source,
  locations,
  'llext/extensions': extensions,
  'llext/symbol': symbol,
  'llext/load': load,
  'llext/unload': unload,
  'llext/reload': reload,
  'llext/reverseStepIn': reverseStepIn,
  'llext/reverseStepOut': reverseStepOut,
  'llext/checkpoints': checkpoints,
  'llext/setCheckpoint': setCheckpoint,
  'llext/removeCheckpoint': removeCheckpoint,
  'llext/goToCheckpoint': goToCheckpoint,
  'llext/goToTime': goToTime,
  'llext/whoWrote': whoWrote,
  'llext/replayFile': replayFile,
  'llext/coverage': coverage,
  'llext/displayFormat': displayFormat,
};

/** Requests that do not look at the target: all others wait until a call from the console is undone. */
const duringCalls: ReadonlySet<string> = new Set(['cancel', 'pause', 'terminate', 'disconnect']);

export class LlextDebugSession extends DebugSession {
  private readonly client = new Client((event) => this.sendEvent(event));

  constructor(services: AdapterServices) {
    super();
    this.client.session = new SessionState(services, this.client);
  }

  override shutdown(): void {
    this.dispose();
    super.shutdown();
  }

  override dispose(): void {
    void this.end();
  }

  /** What it debugs; none when it was left, or another one after an attach. */
  private get state(): SessionState {
    const { session } = this.client;
    if (session === undefined) throw new Error('a session has a state from its start');
    return session;
  }

  /** The connection is gone: a target that was attached to stays, as it was there before. */
  private async end(): Promise<void> {
    const { client, state } = this;
    if (state.client !== client) return;
    if (client.isAttached && canBeLeft(state)) await leave(state, 'as it is');
    else await state.dispose();
  }

  protected override dispatchRequest(request: DebugProtocol.Request): void {
    void this.answer(request);
  }

  private async answer(request: DebugProtocol.Request): Promise<void> {
    const response: DebugProtocol.Response = new Response(request);
    const after: (() => void)[] = [];
    const cancellation = this.client.requests.start(request.seq);
    try {
      const handler = Object.hasOwn(requests, request.command) ? requests[request.command] : undefined;
      if (handler === undefined) throw errors.unsupported(request.command);
      const args = (request.arguments ?? {}) as never;
      const waits = !duringCalls.has(request.command);
      while (waits && this.state.calling !== undefined) await this.state.calling.catch(() => undefined);
      const body = await handler(this.state, args, (action) => after.push(action), cancellation);
      if (body !== undefined) response.body = body;
      this.sendResponse(response);
    } catch (error) {
      const known = error instanceof AdapterError ? error : errors.internal(request.command, messageOf(error));
      response.success = false;
      response.message = known.message;
      response.body = { error: known.body };
      this.sendResponse(response);
    }
    this.client.requests.end(request.seq);
    tellDebugProblems(this.state);
    for (const action of after) action();
    if (request.command === 'disconnect') this.shutdown();
  }
}
