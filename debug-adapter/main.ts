/** Entry of the adapter process: DAP on standard input and output, as VS Code starts it. */
import { nodeServices } from './node-services';
import { LlextDebugSession } from './session';

const session = new LlextDebugSession({ ...nodeServices(__dirname), preparesAhead: true });
// The client may close its end at any time; the session ends with the connection.
process.on('SIGTERM', () => session.shutdown());
session.start(process.stdin, process.stdout);
