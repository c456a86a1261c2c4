/** Reads the base image that the setting llext.base names, again when the setting or the file changes. */
import * as vscode from 'vscode';
import type { BaseImageDescription } from '../lib/base-image';
import { openBaseImage } from '../lib/base-image/open-base-image';
import { baseExports } from '../lib/kernel/base-image';
import { builtInBaseImage } from '../lib/kernel/base-image-description';
import { useBaseImage } from './base-exports';
import { resolveBaseSetting } from './base-setting';
import { messageOf } from './log';
import { nearbyFiles } from './nearby-files';
import { fromUri, parentOf, toUri } from './workspace-files';

const section = 'llext.base';

export class WorkspaceBase implements vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<void>();
  private readonly subscriptions: vscode.Disposable[] = [this.changed];
  private watcher: vscode.FileSystemWatcher | undefined;
  private reading: Promise<BaseImageDescription | undefined> = Promise.resolve(undefined);

  /** Imports may be satisfied by something else now. */
  readonly onDidChange = this.changed.event;

  constructor() {
    this.subscriptions.push(
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration(section)) this.read();
      }),
      vscode.workspace.onDidChangeWorkspaceFolders(() => this.read()),
    );
    this.read();
  }

  /** Path of the image for sessions: of an ELF only, because a list has no code. */
  async sessionBase(): Promise<string | undefined> {
    const description = await this.reading;
    return description?.kind === 'elf' ? description.origin : undefined;
  }

  dispose(): void {
    this.watcher?.dispose();
    for (const subscription of this.subscriptions) subscription.dispose();
  }

  private read(): void {
    this.watcher?.dispose();
    this.watcher = undefined;
    this.reading = this.readSetting();
    void this.reading.then((description) => {
      useBaseImage(description);
      this.changed.fire();
    });
  }

  /** What is wrong is shown once; the built-in image stands in until it is mended. */
  private async readSetting(): Promise<BaseImageDescription | undefined> {
    const folders = (vscode.workspace.workspaceFolders ?? []).map(({ name, uri }) => ({ name, path: fromUri(uri) }));
    const setting = vscode.workspace.getConfiguration().get<string>(section, '');
    try {
      const path = resolveBaseSetting(setting, folders);
      if (path === undefined) return undefined;
      const uri = toUri(path);
      this.watch(uri);
      return await readBaseFile(uri);
    } catch (error) {
      void vscode.window.showWarningMessage(
        `The setting ${section} is not used, the built-in base image is: ${messageOf(error)}`,
      );
      return undefined;
    }
  }

  private watch(uri: vscode.Uri): void {
    const name = uri.path.slice(uri.path.lastIndexOf('/') + 1);
    this.watcher = vscode.workspace.createFileSystemWatcher(new vscode.RelativePattern(parentOf(uri), name));
    this.watcher.onDidChange(() => this.read());
    this.watcher.onDidCreate(() => this.read());
  }
}

async function readBaseFile(uri: vscode.Uri): Promise<BaseImageDescription> {
  const bytes = await vscode.workspace.fs.readFile(uri);
  const path = fromUri(uri);
  const context = { origin: path, knownNames: baseExports.map(({ name }) => name) };
  return openBaseImage({ path, bytes, files: nearbyFiles }, context, builtInBaseImage());
}
