/** What the sidebar's rows stand for. Pure data: llext-tree.ts turns a node into an item and into its children. */
import type * as vscode from 'vscode';
import type {
  CheckpointDescription,
  ExtensionDescription,
  RegionDescription,
  SectionDescription,
  SymbolDescription,
} from '../lib/protocol';

/** An extension and where its rows belong; `live` = loaded in a session. */
export interface Owner {
  readonly id: string;
  readonly live: boolean;
  readonly description: ExtensionDescription;
  readonly uri: vscode.Uri;
  /** File with its debug information. */
  readonly debugUri: vscode.Uri | undefined;
}

/** What satisfies an imported symbol. */
export interface ImportResolution {
  readonly name: string;
  readonly by: 'base-image' | 'extension' | 'nothing';
  /** Name of that extension. */
  readonly extension: string | undefined;
  readonly signature: string | undefined;
  readonly doc: string | undefined;
  readonly address: string | undefined;
}

export type TreeNode =
  | { readonly kind: 'extension'; readonly owner: Owner }
  | { readonly kind: 'broken'; readonly uri: vscode.Uri; readonly problem: string }
  | { readonly kind: 'region'; readonly owner: Owner; readonly region: RegionDescription }
  | { readonly kind: 'section'; readonly owner: Owner; readonly section: SectionDescription; readonly region: string }
  | { readonly kind: 'exports'; readonly owner: Owner }
  | { readonly kind: 'imports'; readonly owner: Owner; readonly resolved: readonly ImportResolution[] }
  | { readonly kind: 'dependencies'; readonly owner: Owner }
  | { readonly kind: 'symbol'; readonly owner: Owner; readonly symbol: SymbolDescription }
  | { readonly kind: 'import'; readonly owner: Owner; readonly resolution: ImportResolution }
  | { readonly kind: 'dependency'; readonly owner: Owner; readonly name: string }
  | { readonly kind: 'base-image'; readonly name: string; readonly exports: readonly SymbolDescription[] }
  | { readonly kind: 'base-export'; readonly symbol: SymbolDescription }
  | { readonly kind: 'checkpoints'; readonly list: readonly CheckpointDescription[] }
  | { readonly kind: 'checkpoint'; readonly checkpoint: CheckpointDescription }
  | { readonly kind: 'problem'; readonly owner: Owner; readonly text: string };

/** Stays the same while the tree is refreshed, so that what is expanded stays so. */
export function nodeId(node: TreeNode): string {
  switch (node.kind) {
    case 'extension':
      return node.owner.id;
    case 'broken':
      return `broken ${node.uri.toString()}`;
    case 'region':
      return `${node.owner.id} region ${node.region.name}`;
    case 'section':
      return `${node.owner.id} section ${node.region} ${node.section.name} ${node.section.index}`;
    case 'symbol':
      return `${node.owner.id} symbol ${node.symbol.name}`;
    case 'import':
      return `${node.owner.id} import ${node.resolution.name}`;
    case 'dependency':
      return `${node.owner.id} dependency ${node.name}`;
    case 'base-image':
      return 'base-image';
    case 'checkpoints':
      // Another row, so that it opens when there is something to see.
      return node.list.length === 0 ? 'no checkpoints' : 'checkpoints';
    case 'checkpoint':
      return `checkpoint ${node.checkpoint.id}`;
    case 'base-export':
      return `base-image ${node.symbol.name}`;
    case 'exports':
    case 'imports':
    case 'dependencies':
    case 'problem':
      return `${node.owner.id} ${node.kind}`;
  }
}

/** What "Copy Address" and "Show Memory" are about; undefined when it has no address. */
export function addressOf(node: TreeNode): { address: string; size: number | undefined; name: string } | undefined {
  switch (node.kind) {
    case 'extension': {
      const { address, name } = node.owner.description;
      return address === undefined ? undefined : { address, size: undefined, name: `struct llext of ${name}` };
    }
    case 'region':
      return withAddress(node.region.address, node.region.size, node.region.name);
    case 'section':
      return withAddress(node.section.address, node.section.size, node.section.name);
    case 'symbol':
    case 'base-export':
      return withAddress(node.symbol.address, node.symbol.size, node.symbol.name);
    case 'import':
      return withAddress(node.resolution.address, undefined, node.resolution.name);
    default:
      return undefined;
  }
}

function withAddress(address: string | undefined, size: number | undefined, name: string) {
  return address === undefined ? undefined : { address, size, name };
}

export function nameOf(node: TreeNode): string {
  switch (node.kind) {
    case 'extension':
      return node.owner.description.name;
    case 'region':
      return node.region.name;
    case 'section':
      return node.section.name;
    case 'symbol':
    case 'base-export':
      return node.symbol.name;
    case 'import':
      return node.resolution.name;
    case 'dependency':
    case 'base-image':
      return node.name;
    case 'checkpoint':
      return node.checkpoint.name;
    default:
      return '';
  }
}
