/**
 * Entry of the adapter in a Web Worker: DAP messages as posted objects. A worker has no files of its own; it asks the
 * page for them with reverse requests (see remote-services.ts).
 */
import type { DebugProtocol } from '@vscode/debugprotocol';
import { remoteServices } from './remote-services';
import { LlextDebugSession } from './session';

const session: LlextDebugSession = new LlextDebugSession(
  remoteServices((command, args, answer) => session.sendRequest(command, args, 30_000, answer)),
);
session.onDidSendMessage((message) => self.postMessage(message));
self.addEventListener('message', ({ data }: MessageEvent<DebugProtocol.ProtocolMessage>) =>
  session.handleMessage(data),
);
