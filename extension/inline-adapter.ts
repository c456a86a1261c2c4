/**
 * The debug adapter inside of the extension host: in a browser there is no process to start, and in a virtual workspace
 * a process of its own could not read the files. It reads them as every extension does, by workspace.fs.
 */
import * as vscode from 'vscode';
import type { FileAccess } from '../debug-adapter/services';
import { LlextDebugSession } from '../debug-adapter/session';
import { toUri } from './workspace-files';

const workspaceFiles: FileAccess = {
  read: async (path) => vscode.workspace.fs.readFile(toUri(path)),
  list: async (path) => {
    try {
      const entries = await vscode.workspace.fs.readDirectory(toUri(path));
      return entries.map(([name, type]) => ((type & vscode.FileType.Directory) !== 0 ? name + '/' : name));
    } catch {
      return [];
    }
  },
};

export function inlineAdapter(capstoneWasm: () => Promise<Uint8Array>): vscode.DebugAdapterDescriptor {
  return new vscode.DebugAdapterInlineImplementation(new LlextDebugSession({ files: workspaceFiles, capstoneWasm }));
}
