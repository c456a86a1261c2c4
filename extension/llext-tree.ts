/**
 * Sidebar "LLEXT". In a session: what is loaded, with addresses. Without: the extension ELFs of the workspace, with
 * what the file alone tells. Rows are made when they are opened; ids are stable, so a refresh keeps what is expanded.
 */
import * as vscode from 'vscode';
import type { ExtensionDescription, SymbolDescription } from '../lib/protocol';
import type { ElfCache } from './elf-cache';
import { describeFile, resolveImports } from './extension-description';
import { findExtensions } from './elf-search';
import { itemFor } from './llext-tree-item';
import { openLog } from './log';
import type { Sessions } from './sessions';
import type { Owner, TreeNode } from './tree-node';
import { toUri } from './workspace-files';

/** Enough for a burst of file events of one build. */
const refreshDelay = 200;

export class LlextTree implements vscode.TreeDataProvider<TreeNode>, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<undefined>();
  private readonly subscriptions: vscode.Disposable[];
  private pending: ReturnType<typeof setTimeout> | undefined;
  /** The extensions of the last refresh, for resolving imports among them. */
  private owners: readonly Owner[] = [];

  readonly onDidChangeTreeData = this.changed.event;

  constructor(
    private readonly cache: ElfCache,
    private readonly sessions: Sessions,
  ) {
    this.subscriptions = [
      cache.onDidChange(() => this.refreshSoon()),
      sessions.onDidChangeLoaded(() => this.refreshSoon()),
      vscode.workspace.onDidChangeWorkspaceFolders(() => this.refreshSoon()),
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration('llext.search')) this.refreshSoon();
      }),
    ];
  }

  refresh(): void {
    this.changed.fire(undefined);
  }

  getTreeItem(node: TreeNode): vscode.TreeItem {
    return itemFor(node);
  }

  async getChildren(node?: TreeNode): Promise<TreeNode[]> {
    if (node === undefined) return this.roots();
    switch (node.kind) {
      case 'extension':
        return this.partsOf(node.owner);
      case 'region':
        return node.region.sections.map((section) => ({
          kind: 'section',
          owner: node.owner,
          section,
          region: node.region.name,
        }));
      case 'exports':
        return byName(node.owner.description.exports).map((symbol) => ({ kind: 'symbol', owner: node.owner, symbol }));
      case 'imports':
        return node.resolved.map((resolution) => ({ kind: 'import', owner: node.owner, resolution }));
      case 'dependencies':
        return node.owner.description.dependencies.map((name) => ({ kind: 'dependency', owner: node.owner, name }));
      case 'checkpoints':
        return node.list.map((checkpoint) => ({ kind: 'checkpoint', checkpoint }));
      case 'base-image':
        return byName(node.exports).map((symbol) => ({ kind: 'base-export', symbol }));
      default:
        return [];
    }
  }

  dispose(): void {
    clearTimeout(this.pending);
    for (const subscription of this.subscriptions) subscription.dispose();
    this.changed.dispose();
  }

  private refreshSoon(): void {
    clearTimeout(this.pending);
    this.pending = setTimeout(() => this.refresh(), refreshDelay);
  }

  private async roots(): Promise<TreeNode[]> {
    const loaded = this.sessions.loadedNow();
    if (loaded !== undefined) {
      this.owners = loaded.extensions.map(loadedOwner);
      const { name, exports } = loaded.baseImage;
      const list = this.sessions.checkpointsNow();
      return [...this.extensionNodes(), { kind: 'base-image', name, exports }, { kind: 'checkpoints', list }];
    }
    const { files, broken } = await findExtensions(this.cache);
    this.owners = files.map((file) => ({
      id: `file ${file.loaded.uri.toString()}`,
      live: false,
      description: describeFile(file),
      uri: file.loaded.uri,
      debugUri: file.debug?.uri,
    }));
    openLog().debug(`sidebar: ${files.length} extension ELFs, ${broken.length} unreadable`);
    return [
      ...this.extensionNodes(),
      ...broken.map(({ uri, problem }): TreeNode => ({ kind: 'broken', uri, problem })),
    ];
  }

  private extensionNodes(): TreeNode[] {
    return this.owners.map((owner) => ({ kind: 'extension', owner }));
  }

  private partsOf(owner: Owner): TreeNode[] {
    const { description } = owner;
    const parts: TreeNode[] = description.regions.map((region) => ({ kind: 'region', owner, region }));
    if (description.problem !== undefined) parts.unshift({ kind: 'problem', owner, text: description.problem });
    parts.push({ kind: 'exports', owner });
    if (description.imports.length > 0) {
      parts.push({ kind: 'imports', owner, resolved: resolveImports(description, this.owners) });
    }
    if (owner.live || description.dependencies.length > 0) parts.push({ kind: 'dependencies', owner });
    return parts;
  }
}

function loadedOwner(description: ExtensionDescription): Owner {
  const { id, program, debugElf } = description;
  return {
    id: `loaded ${id}`,
    live: true,
    description,
    uri: toUri(program),
    debugUri: debugElf === undefined ? undefined : toUri(debugElf),
  };
}

function byName(symbols: readonly SymbolDescription[]): SymbolDescription[] {
  return [...symbols].sort((a, b) => a.name.localeCompare(b.name));
}
