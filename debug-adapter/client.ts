/**
 * The client at the other end of a connection: the way to it, what it has said of itself, and its requests that are being answered. A
 * session that is left and found again (kept-targets.ts) gets another one; all that it debugs stays.
 */
import type { DebugProtocol } from '@vscode/debugprotocol';
import { RunningRequests } from './cancellation';
import { type AdapterError, errors } from './errors';
import type { SessionState } from './session-state';

export class Client {
  linesStartAt1 = true;
  columnsStartAt1 = true;
  supportsMemoryEvent = false;
  supportsInvalidatedEvent = false;
  supportsProgressReporting = false;
  /** It has found a target that another client had left. */
  isAttached = false;
  /** What its requests are about. */
  session: SessionState | undefined;
  readonly requests = new RunningRequests();
  /** Resolved by configurationDone, rejected by a disconnect before it. */
  readonly configured: Promise<void>;
  configurationDone: () => void = () => undefined;
  /** Rejects a launch that waits for its configuration. */
  cancelLaunch: (why?: AdapterError) => void = () => undefined;

  constructor(readonly send: (event: DebugProtocol.Event) => void) {
    this.configured = new Promise((resolve, reject) => {
      this.configurationDone = resolve;
      this.cancelLaunch = (why = errors.cancelled()) => reject(why);
    });
    // A session that ends before its launch has nobody waiting for this.
    this.configured.catch(() => undefined);
  }
}
