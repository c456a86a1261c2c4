/** Extensions that come and go during a session, from the palette and the rows of the sidebar. Their files are picked as for F5. */
import * as vscode from 'vscode';
import type { ExtensionsResponse, LoadChangeArguments, LoadChangeResponse } from '../lib/protocol';
import { pickExtension } from './debug-configuration';
import { findExtensions } from './elf-search';
import type { ElfCache } from './elf-cache';
import { requireSession } from './time-commands';
import type { TreeNode } from './tree-node';
import { fromUri } from './workspace-files';

async function loadExtension(cache: ElfCache): Promise<void> {
  const session = requireSession();
  const { files } = await findExtensions(cache);
  if (files.length === 0) throw new Error('There is no extension ELF in this workspace.');
  const file = await pickExtension(files, 'Load Extension');
  if (file === undefined) return;
  const args: LoadChangeArguments = {
    program: fromUri(file.loaded.uri),
    ...(file.debug === undefined ? {} : { debugElf: fromUri(file.debug.uri) }),
  };
  await change(session, 'llext/load', args);
}

/** From a row of the sidebar that one. */
const changeNamed =
  (request: 'llext/unload' | 'llext/reload', title: string) =>
  async (node?: TreeNode): Promise<void> => {
    const session = requireSession();
    const name = node?.kind === 'extension' ? node.owner.description.name : await pickLoaded(session, title);
    if (name !== undefined) await change(session, request, { name });
  };

async function pickLoaded(session: vscode.DebugSession, title: string): Promise<string | undefined> {
  const { extensions } = (await session.customRequest('llext/extensions')) as ExtensionsResponse;
  const items = extensions.map(({ name, address }) => ({ label: name, description: address }));
  return (await vscode.window.showQuickPick(items, { title, placeHolder: 'Loaded extension' }))?.label;
}

async function change(session: vscode.DebugSession, request: string, args: LoadChangeArguments): Promise<void> {
  const { name, useCount } = (await session.customRequest(request, args)) as LoadChangeResponse;
  const what = { 'llext/load': 'is loaded', 'llext/reload': 'is loaded again' }[request] ?? 'is unloaded';
  const text = request === 'llext/unload' && useCount > 0 ? `stays loaded: its use count is ${useCount} now` : what;
  vscode.window.setStatusBarMessage(`llext '${name}' ${text}`, 5000);
}

export const loadCommands = (cache: ElfCache): Readonly<Record<string, (argument: never) => unknown>> => ({
  'llext.loadExtension': () => loadExtension(cache),
  'llext.unloadExtension': changeNamed('llext/unload', 'Unload Extension'),
  'llext.reloadExtension': changeNamed('llext/reload', 'Load Extension Again'),
});
