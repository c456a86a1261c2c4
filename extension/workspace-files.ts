/**
 * Files by URI. The debug adapter and launch.json speak of paths where the workspace is on disk, and of URI strings
 * where it is virtual (a browser, a repository provider); `toUri` and `fromUri` are the border between the two.
 */
import * as vscode from 'vscode';

/** A scheme has two letters or more, so that `C:\app` is a path. */
const uriPattern = /^[A-Za-z][A-Za-z0-9+.-]+:/;

export function toUri(pathOrUri: string): vscode.Uri {
  return uriPattern.test(pathOrUri) ? vscode.Uri.parse(pathOrUri, true) : vscode.Uri.file(pathOrUri);
}

/** What the adapter takes: a plain path for a file on disk, else the URI itself. */
export function fromUri(uri: vscode.Uri): string {
  return uri.scheme === 'file' ? uri.fsPath : uri.toString(true);
}

export function isAbsolute(pathOrUri: string): boolean {
  return uriPattern.test(pathOrUri) || /^([\\/]|[A-Za-z]:[\\/])/.test(pathOrUri);
}

/** A path of launch.json: absolute, a URI, or relative to the workspace folder. */
export function resolvePath(path: string, folder: vscode.Uri | undefined): vscode.Uri {
  if (isAbsolute(path) || folder === undefined) return toUri(path);
  return vscode.Uri.joinPath(folder, path.replaceAll('\\', '/'));
}

export function parentOf(uri: vscode.Uri): vscode.Uri {
  return vscode.Uri.joinPath(uri, '..');
}

export function baseName(uri: vscode.Uri): string {
  return uri.path.slice(uri.path.lastIndexOf('/') + 1);
}

export async function exists(uri: vscode.Uri): Promise<boolean> {
  try {
    await vscode.workspace.fs.stat(uri);
    return true;
  } catch {
    return false;
  }
}
