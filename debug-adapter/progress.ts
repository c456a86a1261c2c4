/** Progress of long work, for clients that show it: what is done, how far it is, and that it can be cancelled. */
import { ProgressEndEvent, ProgressStartEvent, ProgressUpdateEvent } from '@vscode/debugadapter';
import type { DebugProtocol } from '@vscode/debugprotocol';
import type { Cancellation } from './cancellation';
import type { SessionState } from './session-state';

export type ReportProgress = (message: string, percentage: number) => Promise<void>;

let lastProgress = 0;

/** Runs `work`, which reports and can be cancelled wherever it does. */
export async function withProgress<T>(
  session: SessionState,
  title: string,
  cancellation: Cancellation,
  work: (report: ReportProgress) => Promise<T>,
): Promise<T> {
  if (!session.client.supportsProgressReporting) return work(() => cancellation.turn());
  const id = `progress ${++lastProgress}`;
  const start: DebugProtocol.ProgressStartEvent = new ProgressStartEvent(id, title);
  start.body.cancellable = true;
  start.body.percentage = 0;
  const { requests } = session.client;
  requests.nameProgress(id, cancellation);
  session.send(start);
  try {
    return await work(async (message, percentage) => {
      const update: DebugProtocol.ProgressUpdateEvent = new ProgressUpdateEvent(id, message);
      update.body.percentage = percentage;
      session.send(update);
      await cancellation.turn();
    });
  } finally {
    requests.endProgress(id);
    session.send(new ProgressEndEvent(id));
  }
}
