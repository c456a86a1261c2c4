/** Commands that go through time, for the debug toolbar, the palette and the menu of a variable. Step Back and Reverse are VS Code's own. */
import * as vscode from 'vscode';
import type { CheckpointDescription, CheckpointsResponse, ReplayFileResponse, WhoWroteResponse } from '../lib/protocol';
import type { TreeNode } from './tree-node';
import { baseName, fromUri } from './workspace-files';

export function requireSession(): vscode.DebugSession {
  const session = vscode.debug.activeDebugSession;
  if (session?.type === 'llext') return session;
  throw new Error('Start debugging an extension first.');
}

/** The frame that is shown tells the thread; there is one. */
const step = (request: string) => async (): Promise<void> => {
  await requireSession().customRequest(request, { threadId: 1 });
};

async function setCheckpoint(): Promise<void> {
  const session = requireSession();
  const name = await vscode.window.showInputBox({
    title: 'Set Checkpoint',
    prompt: 'Name of this moment; without one it gets a number',
  });
  if (name === undefined) return;
  const made = (await session.customRequest('llext/setCheckpoint', { name })) as CheckpointDescription;
  vscode.window.setStatusBarMessage(`Checkpoint set: ${made.name}`, 5000);
}

async function pickCheckpoint(title: string): Promise<CheckpointDescription | undefined> {
  const { checkpoints } = (await requireSession().customRequest('llext/checkpoints')) as CheckpointsResponse;
  if (checkpoints.length === 0) throw new Error('There is no checkpoint. LLEXT: Set Checkpoint makes one.');
  const items = checkpoints.map((one) => ({
    label: one.name,
    description: `step ${one.time}${one.isNow ? ', now' : ''}`,
    one,
  }));
  return (await vscode.window.showQuickPick(items, { title }))?.one;
}

/** From a row of the sidebar that one. */
const checkpointOf = (node: TreeNode | undefined): CheckpointDescription | undefined =>
  node?.kind === 'checkpoint' ? node.checkpoint : undefined;

async function goToCheckpoint(node?: TreeNode): Promise<void> {
  const chosen = checkpointOf(node) ?? (await pickCheckpoint('Return to Checkpoint'));
  if (chosen !== undefined) await requireSession().customRequest('llext/goToCheckpoint', { id: chosen.id });
}

async function deleteCheckpoint(node?: TreeNode): Promise<void> {
  const chosen = checkpointOf(node) ?? (await pickCheckpoint('Delete Checkpoint'));
  if (chosen !== undefined) await requireSession().customRequest('llext/removeCheckpoint', { id: chosen.id });
}

/** Where the files are, so that the recording names them by short paths; a launch with "replay" runs it again. */
async function saveReplay(): Promise<void> {
  const session = requireSession();
  const folder = session.workspaceFolder?.uri ?? vscode.workspace.workspaceFolders?.at(0)?.uri;
  const file = await vscode.window.showSaveDialog({
    title: 'Save Replay of This Session',
    filters: { 'Recorded session': ['json'] },
    ...(folder && { defaultUri: vscode.Uri.joinPath(folder, 'session.llext.json') }),
  });
  if (file === undefined) return;
  const { text } = (await session.customRequest('llext/replayFile', { path: fromUri(file) })) as ReplayFileResponse;
  await vscode.workspace.fs.writeFile(file, new TextEncoder().encode(text));
  const replay = 'Replay Now';
  const chosen = await vscode.window.showInformationMessage(
    `Saved. A launch configuration with "replay": "${baseName(file)}" runs it again.`,
    replay,
  );
  if (chosen !== replay) return;
  const configuration = { type: 'llext', request: 'launch', name: `Replay ${baseName(file)}`, replay: fromUri(file) };
  await vscode.debug.startDebugging(session.workspaceFolder, configuration);
}

/** What VS Code hands to commands of the menu of a variable. */
interface VariableContext {
  readonly variable?: { readonly name: string; readonly evaluateName?: string; readonly memoryReference?: string };
}

async function whoWrote(context: VariableContext | undefined): Promise<void> {
  const session = requireSession();
  const memoryReference = context?.variable?.memoryReference ?? (await askForAddress());
  if (memoryReference === undefined) return;
  const found = (await session.customRequest('llext/whoWrote', { memoryReference, length: 1 })) as WhoWroteResponse;
  const buttons = found.time === undefined ? [] : ['Go There'];
  const chosen = await vscode.window.showInformationMessage(found.text, ...buttons);
  if (chosen !== undefined) await session.customRequest('llext/goToTime', { time: found.time });
}

function askForAddress(): Thenable<string | undefined> {
  return vscode.window.showInputBox({
    title: 'Who Wrote This?',
    prompt: 'Address of a byte',
    placeHolder: '0x20006654',
    validateInput: (text) => (/^0x[0-9a-fA-F]+$/.test(text) ? undefined : 'An address such as 0x20006654'),
  });
}

export const timeCommands: Readonly<Record<string, (argument: never) => unknown>> = {
  'llext.reverseStepOver': step('stepBack'),
  'llext.reverseStepInto': step('llext/reverseStepIn'),
  'llext.reverseStepOut': step('llext/reverseStepOut'),
  'llext.setCheckpoint': setCheckpoint,
  'llext.goToCheckpoint': goToCheckpoint,
  'llext.deleteCheckpoint': deleteCheckpoint,
  'llext.whoWrote': whoWrote,
  'llext.saveReplay': saveReplay,
};
