/**
 * From the path that a compiler wrote to the file that is here, and back. A relative DW_AT_comp_dir counts from the
 * ELF's folder; a file that was compiled elsewhere is found by the end of its path.
 */
import * as vscode from 'vscode';
import type { SourceFile } from '../lib/dwarf/model';
import { exists, fromUri, isAbsolute, parentOf, resolvePath } from './workspace-files';

function components(path: string): string[] {
  const result: string[] = [];
  for (const part of path.replaceAll('\\', '/').split('/')) {
    if (part === '..' && result.length > 0 && result.at(-1) !== '..') result.pop();
    else if (part !== '' && part !== '.') result.push(part);
  }
  return result;
}

/** Directory and name joined, as far as the debug information tells. */
export function writtenPath(file: SourceFile): string {
  if (isAbsolute(file.path) || file.compilationDirectory === undefined) return file.path;
  return `${file.compilationDirectory}/${file.path}`.replace(/^(\.\/)+/, '');
}

function candidatesOf(file: SourceFile, elf: vscode.Uri): vscode.Uri[] {
  const written = writtenPath(file);
  if (isAbsolute(written)) return [elf.scheme === 'file' ? vscode.Uri.file(written) : elf.with({ path: written })];
  return [written, file.path].map((path) => resolvePath(path, parentOf(elf)));
}

const exact = 1000;

/**
 * How well `file` fits `source`: `exact` for the same place, else the number of path components that agree from the
 * end, 0 when not even the names do.
 */
export function matchSource(file: SourceFile, elf: vscode.Uri, source: vscode.Uri): number {
  if (candidatesOf(file, elf).some((candidate) => candidate.path === source.path)) return exact;
  const written = components(writtenPath(file)).reverse();
  const wanted = components(source.path).reverse();
  const differs = written.findIndex((part, i) => part !== wanted[i]);
  return differs < 0 ? written.length : differs;
}

/** Where the file is, or undefined. Looks where it was compiled, then for the longest end of its path in the workspace. */
export async function locateSource(file: SourceFile, elf: vscode.Uri): Promise<vscode.Uri | undefined> {
  for (const candidate of candidatesOf(file, elf)) {
    if (await exists(candidate)) return candidate;
  }
  const name = components(file.path).at(-1);
  if (name === undefined) return undefined;
  const found = await vscode.workspace.findFiles(`**/${name}`, '**/{.git,node_modules}/**', 100);
  return found.sort((a, b) => matchSource(file, elf, b) - matchSource(file, elf, a))[0];
}

/** The path as a person writes it: relative to the workspace where it is inside. */
export function displayPath(uri: vscode.Uri): string {
  const relative = vscode.workspace.asRelativePath(uri, false);
  return relative === uri.path ? fromUri(uri) : relative;
}

/** The folder of a file; nothing for one of the workspace's only folder itself. */
export function displayFolder(uri: vscode.Uri): string | undefined {
  const folder = vscode.workspace.getWorkspaceFolder(uri);
  if (folder?.uri.toString() !== parentOf(uri).toString()) return displayPath(parentOf(uri));
  return (vscode.workspace.workspaceFolders?.length ?? 0) > 1 ? folder.name : undefined;
}
