/**
 * Where the adapter of a session runs. On disk: a process of its own, started with the Node that runs this host, so
 * that nothing has to be installed and a busy engine never blocks the editor. Elsewhere: inside of this host.
 */
import * as vscode from 'vscode';
import { adapterNodeOptions } from '../debug-adapter/process-options';
import { inlineAdapter } from './inline-adapter';

/** process.execPath of a host that is Node; a browser's worker has none (the bundle's shim of process is empty there). */
function hostNode(): string | undefined {
  return process.versions?.node === undefined ? undefined : process.execPath;
}

export class AdapterFactory implements vscode.DebugAdapterDescriptorFactory {
  constructor(private readonly extensionUri: vscode.Uri) {}

  createDebugAdapterDescriptor(session: vscode.DebugSession): vscode.DebugAdapterDescriptor {
    const node = hostNode();
    if (node === undefined || !onDisk(session)) return inlineAdapter(() => this.capstoneWasm());
    const script = vscode.Uri.joinPath(this.extensionUri, 'dist', 'debug-adapter.js').fsPath;
    // Electron's executable is Node when the first says so; it means nothing to a plain Node. The second would have Node read all
    // certificates of the machine at each start, for connections that an adapter never makes.
    const env = { ELECTRON_RUN_AS_NODE: '1', NODE_EXTRA_CA_CERTS: '' };
    return new vscode.DebugAdapterExecutable(node, [...adapterNodeOptions, script], { env });
  }

  /** Capstone's code, read when the first instruction is shown. */
  async capstoneWasm(): Promise<Uint8Array> {
    return vscode.workspace.fs.readFile(vscode.Uri.joinPath(this.extensionUri, 'dist', 'capstone.wasm'));
  }
}

function onDisk(session: vscode.DebugSession): boolean {
  const folders = session.workspaceFolder === undefined ? vscode.workspace.workspaceFolders : [session.workspaceFolder];
  return (folders ?? []).every((folder) => folder.uri.scheme === 'file');
}
