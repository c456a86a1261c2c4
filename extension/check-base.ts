/** The base image of the setting `llext.base` as checks suppose it; read again when the file has changed. */
import * as vscode from 'vscode';
import { openBaseImage } from '../lib/base-image/open-base-image';
import { checkBaseOf, type CheckBase } from '../lib/check/base';
import type { ElfFile } from '../lib/elf/elf-file';
import { baseExports } from '../lib/kernel/base-image';
import { builtInBaseImage, builtInBaseImageFor } from '../lib/kernel/base-image-description';
import { messageOf } from './log';
import { nearbyFiles } from './nearby-files';
import { baseName, fromUri, resolvePath } from './workspace-files';

/** A setting that names no readable base image. */
export class NoBaseImage extends Error {
  constructor(
    readonly uri: vscode.Uri,
    reason: string,
  ) {
    super(`The base image ${baseName(uri)} of the setting llext.base cannot be used: ${reason}`);
  }
}

const known = new Map<string, { readonly modified: number; readonly base: CheckBase }>();

/** Throws NoBaseImage. */
export async function checkBaseFor(folder: vscode.WorkspaceFolder | undefined, elf: ElfFile): Promise<CheckBase> {
  const setting = vscode.workspace.getConfiguration('llext', folder).get<string>('base', '').trim();
  if (setting === '') return checkBaseOf(builtInBaseImageFor(elf));
  const path = setting.replaceAll('${workspaceFolder}', folder?.uri.fsPath ?? '.');
  const uri = resolvePath(path, folder?.uri);
  try {
    const { mtime } = await vscode.workspace.fs.stat(uri);
    const cached = known.get(uri.toString());
    if (cached?.modified === mtime) return cached.base;
    const base = checkBaseOf(await readBase(uri));
    known.set(uri.toString(), { modified: mtime, base });
    return base;
  } catch (error) {
    throw new NoBaseImage(uri, messageOf(error));
  }
}

async function readBase(uri: vscode.Uri) {
  const bytes = await vscode.workspace.fs.readFile(uri);
  const context = { origin: baseName(uri), knownNames: baseExports.map(({ name }) => name) };
  return openBaseImage({ path: fromUri(uri), bytes, files: nearbyFiles }, context, builtInBaseImage());
}
