/**
 * What an opened `.llext` shows in place of "this file is binary": the regions that the loader would make of it, what it
 * exports, and what it imports. Made again when the file changes.
 */
import * as vscode from 'vscode';
import { EM_ARM, EM_RISCV, ET_DYN, ET_EXEC, ET_REL } from '../lib/elf/constants';
import { isBroken, type ElfCache, type ElfEntry } from './elf-cache';
import { findExtensions, type ExtensionFile } from './elf-search';
import { describeFile, resolveImports } from './extension-description';
import { bytes } from './llext-tree-item';
import { overviewHtml } from './overview-html';
import { displayPath } from './source-locator';
import { baseName, parentOf } from './workspace-files';

export const overviewType = 'llext.overview';

const noExtension = {
  id: 0,
  debugElf: undefined,
  address: undefined,
  useCount: undefined,
  allocSize: undefined,
  regions: [],
  exports: [],
  imports: [],
  dependencies: [],
};

export class OverviewEditor implements vscode.CustomReadonlyEditorProvider {
  constructor(
    private readonly cache: ElfCache,
    private readonly extensionUri: vscode.Uri,
  ) {}

  openCustomDocument(uri: vscode.Uri): vscode.CustomDocument {
    return { uri, dispose: () => undefined };
  }

  async resolveCustomEditor(document: vscode.CustomDocument, panel: vscode.WebviewPanel): Promise<void> {
    const media = vscode.Uri.joinPath(this.extensionUri, 'media');
    panel.webview.options = {
      enableScripts: false,
      enableCommandUris: ['llext.debugFile', 'llext.showDisassembly'],
      localResourceRoots: [media],
    };
    const show = async () => {
      panel.webview.html = await this.html(document.uri, panel.webview, vscode.Uri.joinPath(media, 'llext.css'));
    };
    const watching = this.cache.onDidChange(() => void show());
    panel.onDidDispose(() => watching.dispose());
    await show();
  }

  private async html(uri: vscode.Uri, webview: vscode.Webview, style: vscode.Uri): Promise<string> {
    const common = {
      fileName: baseName(uri),
      uri: uri.toString(),
      styleUri: webview.asWebviewUri(style).toString(),
      cspSource: webview.cspSource,
    };
    const entry = await this.cache.get(uri);
    if (isBroken(entry)) {
      const description = { ...noExtension, name: baseName(uri), program: uri.toString(), problem: entry.problem };
      return overviewHtml({ ...common, description, facts: [displayPath(uri)], imports: [] });
    }
    const { files } = await findExtensions(this.cache);
    const file = files.find(({ loaded }) => loaded.uri.toString() === uri.toString()) ?? {
      loaded: entry,
      debug: undefined,
    };
    const others = files.map((other) => ({ live: false, description: describeFile(other) }));
    const description = describeFile(file);
    return overviewHtml({ ...common, description, facts: factsOf(file), imports: resolveImports(description, others) });
  }
}

function factsOf({ loaded, debug }: ExtensionFile): string[] {
  const facts = [elfKind(loaded), bytes(loaded.size), `in ${displayPath(parentOf(loaded.uri))}`];
  if (debug !== undefined) facts.push(`debug information in ${baseName(debug.uri)}`);
  return facts;
}

function elfKind({ elf }: ElfEntry): string {
  const { e_machine, e_type } = elf.header;
  const machine = { [EM_ARM]: 'Arm', [EM_RISCV]: 'RISC-V' }[e_machine] ?? `machine ${e_machine}`;
  const type =
    { [ET_REL]: 'relocatable', [ET_DYN]: 'shared object', [ET_EXEC]: 'executable' }[e_type] ?? `type ${e_type}`;
  return `${elf.is64 ? 'ELF64' : 'ELF32'}, ${elf.littleEndian ? 'little' : 'big'}-endian, ${machine}, ${type}`;
}
