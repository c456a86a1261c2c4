/** What the suites share: files of the example workspace, rows of the sidebar, and waiting. */
import * as vscode from 'vscode';

/** What the extension's activate() returns. */
export interface Api {
  readonly tree: {
    getChildren(node?: unknown): Promise<unknown[]>;
    getTreeItem(node: unknown): vscode.TreeItem;
  };
  readonly configurations: {
    provideDebugConfigurations(): Promise<vscode.DebugConfiguration[]>;
    configurationFor(file: vscode.Uri): Promise<vscode.DebugConfiguration | undefined>;
  };
}

export function equal<T>(actual: T, expected: T, what = ''): void {
  const [a, e] = [JSON.stringify(actual, null, 1), JSON.stringify(expected, null, 1)];
  if (a !== e) throw new Error(`${what}\nexpected ${e}\nactual   ${a}`);
}

export function ok(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}

export function workspaceFile(path: string): vscode.Uri {
  const folder = vscode.workspace.workspaceFolders?.[0];
  if (folder === undefined) throw new Error('no folder is open');
  return vscode.Uri.joinPath(folder.uri, path);
}

export async function openApi(): Promise<Api> {
  const extension = vscode.extensions.getExtension<Api>('llext-debugger.llext-debugger');
  if (extension === undefined) throw new Error('the extension is not installed');
  return extension.activate();
}

export interface Row {
  readonly node: unknown;
  readonly item: vscode.TreeItem;
  readonly text: string;
}

export async function rowsOf(api: Api, parent?: Row): Promise<Row[]> {
  const nodes = await api.tree.getChildren(parent?.node);
  return nodes.map((node) => {
    const item = api.tree.getTreeItem(node);
    const label = typeof item.label === 'string' ? item.label : (item.label?.label ?? '');
    const description = typeof item.description === 'string' ? item.description : '';
    return { node, item, text: description === '' ? label : `${label} | ${description}` };
  });
}

/** The row whose text begins so, below `parent`. */
export async function rowNamed(api: Api, name: string, parent?: Row): Promise<Row> {
  const rows = await rowsOf(api, parent);
  const found = rows.find(({ text }) => text.startsWith(name));
  if (found === undefined) throw new Error(`no row ${name} among\n${rows.map(({ text }) => text).join('\n')}`);
  return found;
}

export async function waitFor<T>(what: string, look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  const deadline = Date.now() + 45_000;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** Position of the first `text` of a document, plus `offset` characters. */
export function find(document: vscode.TextDocument, text: string, offset = 0): vscode.Position {
  const index = document.getText().indexOf(text);
  if (index < 0) throw new Error(`${document.uri.path} has no ${text}`);
  return document.positionAt(index + offset);
}

export async function hoverTexts(document: vscode.TextDocument, position: vscode.Position): Promise<string[]> {
  const hovers = await vscode.commands.executeCommand<vscode.Hover[]>(
    'vscode.executeHoverProvider',
    document.uri,
    position,
  );
  return hovers.flatMap(({ contents }) => contents.map((part) => (typeof part === 'string' ? part : part.value)));
}
