/** terminateThreads: the host has one thread, and without it nothing is left that could run. */
import { ThreadEvent } from '@vscode/debugadapter';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { errors } from './errors';
import type { SessionState } from './session-state';
import { threadId } from './thread-id';

export function terminateThreads(
  session: SessionState,
  args: DebugProtocol.TerminateThreadsArguments,
  after: (action: () => void) => void,
): void {
  session.requireInferior('terminateThreads');
  const ids = args.threadIds ?? [];
  for (const id of ids) if (id !== threadId) throw errors.unknownThread(id);
  if (ids.length === 0) return;
  after(() => void end(session));
}

async function end(session: SessionState): Promise<void> {
  await session.execution.halt();
  session.send(new ThreadEvent('exited', threadId));
  session.output.line('console', 'the thread was ended by its user, and with it the program');
  session.execution.end(undefined);
}
