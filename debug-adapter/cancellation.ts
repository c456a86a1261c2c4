/**
 * Requests that take long can be cancelled, by their number or by that of their progress. JavaScript runs one thing at a
 * time: a cancel request is only seen where the work lets others have their turn, which it does at each `turn()`.
 */
import type { DebugProtocol } from '@vscode/debugprotocol';
import { errors } from './errors';
import type { SessionState } from './session-state';

/** Milliseconds without a look at other messages. */
const longestTurn = 15;

export class Cancellation {
  private cancelled = false;
  private yielded = performance.now();
  private readonly listeners: (() => void)[] = [];

  cancel(): void {
    this.cancelled = true;
    for (const listener of this.listeners) listener();
  }

  /** For what waits for something else. */
  onCancel(listener: () => void): void {
    this.listeners.push(listener);
  }

  /** Throws when the request has been cancelled. */
  check(): void {
    if (this.cancelled) throw errors.requestCancelled();
  }

  /** Lets other messages be handled from time to time; throws when the request has been cancelled. */
  async turn(): Promise<void> {
    if (performance.now() - this.yielded > longestTurn) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      this.yielded = performance.now();
    }
    this.check();
  }
}

/** What can be cancelled now. */
export class RunningRequests {
  private readonly byRequest = new Map<number, Cancellation>();
  private readonly byProgress = new Map<string, Cancellation>();

  start(request: number): Cancellation {
    const cancellation = new Cancellation();
    this.byRequest.set(request, cancellation);
    return cancellation;
  }

  end(request: number): void {
    this.byRequest.delete(request);
  }

  nameProgress(progress: string, cancellation: Cancellation): void {
    this.byProgress.set(progress, cancellation);
  }

  endProgress(progress: string): void {
    this.byProgress.delete(progress);
  }

  /** Nothing happens for a request that has been answered already. */
  cancel({ requestId, progressId }: DebugProtocol.CancelArguments): void {
    if (requestId !== undefined) this.byRequest.get(requestId)?.cancel();
    if (progressId !== undefined) this.byProgress.get(progressId)?.cancel();
  }
}

export function cancel(session: SessionState, args: DebugProtocol.CancelArguments): void {
  session.client.requests.cancel(args);
}
