/**
 * Leaving a target and finding it again, at a server (llext dap --port): a disconnect with terminateDebuggee false leaves it, suspended
 * or running, and `attach` from any connection goes on with it as it is. As with gdb's detach, breakpoints end with the client
 * that set them. Exception filters stay until others are set: what they stop waits for a client.
 */
import { ModuleEvent } from '@vscode/debugadapter';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { Client } from './client';
import { describeExtensions } from './custom-requests';
import { errors } from './errors';
import { ExtensionsChangedEvent, ProcessEvent } from './events';
import { announceCheckpoints, announceHistory } from './history-requests';
import type { KeptTargets } from './kept-targets';
import { optionalText } from './launch-config';
import { announceSources, describeModule } from './modules';
import { processName } from './entry';
import type { SessionState } from './session-state';

/** Whether there is a program that could go on without its client, and somebody who keeps it. */
export const canBeLeft = ({ services, execution, entry, inferior }: SessionState): boolean =>
  services.targets !== undefined && inferior !== undefined && entry !== undefined && !execution.ended;

/** `next`: what the program does until somebody comes; `as it is` when the connection was lost. */
export async function leave(session: SessionState, next: 'run' | 'suspend' | 'as it is'): Promise<void> {
  const { execution, output, services } = session;
  const name = services.targets?.nameOf(session);
  output.line(
    'console',
    `Target '${name}' ${next === 'suspend' ? 'stays suspended' : 'goes on'} without a client. Go on with it: { "request": "attach", "target": "${name}" } at this server.`,
  );
  session.client = new Client(() => undefined);
  output.hold();
  // A call from the console is the client's: it is undone.
  if (session.calling !== undefined) execution.pause();
  await session.calling?.catch(() => undefined);
  if (next === 'suspend') await execution.suspend();
  await session.breakpoints.clearAll();
  await session.dataBreakpoints.set([]);
  if (next === 'run' && execution.stop !== undefined) execution.continue();
  services.targets?.leave(session);
}

/** Answered when the client has set its breakpoints; what it missed is told after that. */
export async function attach(
  session: SessionState,
  args: DebugProtocol.AttachRequestArguments,
  after: (action: () => void) => void,
): Promise<void> {
  if (session.config !== undefined) throw errors.alreadyLaunched();
  const { targets } = session.services;
  if (targets === undefined) throw errors.noTarget('this adapter ends with its connection', '');
  const target = optionalText(args as Readonly<Record<string, unknown>>, 'target');
  const finding = find(session, targets, target);
  // Why it fails is this request's answer.
  session.opening = finding.then(
    () => undefined,
    () => undefined,
  );
  const found = await finding;
  const { client } = found;
  await client.configured;
  announceAll(found);
  after(() => {
    found.output.release();
    found.execution.present();
  });
}

/** From here on the client's requests are about the target that it has found. */
async function find(fresh: SessionState, targets: KeptTargets, name: string | undefined): Promise<SessionState> {
  // Breakpoints that were sent before are set before they are taken over.
  await new Promise((resolve) => setTimeout(resolve, 0));
  const found = targets.take(name);
  const { client } = fresh;
  client.isAttached = true;
  client.session = found;
  found.client = client;
  await found.breakpoints.takeOver(fresh.breakpoints);
  await found.dataBreakpoints.takeOver(fresh.dataBreakpoints);
  if (found.exceptions.takeOver(fresh.exceptions)) found.inferior?.target.setMemorySafety(found.exceptions.safetyRules);
  return found;
}

function announceAll(session: SessionState): void {
  for (const loaded of session.requireInferior('attach').extensions) {
    session.send(new ModuleEvent('new', describeModule(loaded)));
    announceSources(session, loaded, 'new');
  }
  session.historyTold = undefined;
  session.beforeChecksTold = false;
  announceHistory(session);
  session.send(new ExtensionsChangedEvent(describeExtensions(session)));
  announceCheckpoints(session);
  session.send(new ProcessEvent(processName(session), 'attach'));
}
