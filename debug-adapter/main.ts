/** Entry of the adapter process: DAP on standard input and output, as VS Code starts it. */
import type { DebugProtocol } from '@vscode/debugprotocol';
import { nodeServices } from './node-services';
import { LlextDebugSession } from './session';

let reportStarted: () => void;
/** When the first stop or the end is reported: a start is over (code-cache.ts). */
export const started = new Promise<void>((resolve) => (reportStarted = resolve));

/** A listener to what is sent would be taken for an editor around the session. */
class ProcessSession extends LlextDebugSession {
  override sendEvent(event: DebugProtocol.Event): void {
    super.sendEvent(event);
    if (event.event === 'stopped' || event.event === 'terminated') reportStarted();
  }
}

const session = new ProcessSession({ ...nodeServices(__dirname), preparesAhead: true });
// The client may close its end at any time; the session ends with the connection.
process.on('SIGTERM', () => session.shutdown());
session.start(process.stdin, process.stdout);
