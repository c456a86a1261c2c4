/** Files of the workspace as lib looks for what lies around an ELF file: paths on disk, URIs elsewhere. */
import * as vscode from 'vscode';
import type { NearbyFiles } from '../lib/program/debug-companions';
import { toUri } from './workspace-files';

export const nearbyFiles: NearbyFiles = {
  read: async (path) => vscode.workspace.fs.readFile(toUri(path)),
  list: async (folder) => {
    try {
      return (await vscode.workspace.fs.readDirectory(toUri(folder))).map(([name]) => name);
    } catch {
      // There is no such folder.
      return [];
    }
  },
};
