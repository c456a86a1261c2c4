/** The commands of the palette, the menus and the sidebar's rows. */
import * as vscode from 'vscode';
import type { CoverageView } from './coverage-view';
import { activeFile, pickProgram, type ConfigurationProvider } from './debug-configuration';
import type { Diagnostics } from './diagnostics';
import { disassemblyUri } from './disassembly-document';
import { isBroken, type ElfCache } from './elf-cache';
import type { LlextTree } from './llext-tree';
import { messageOf, openLog } from './log';
import { memoryUri } from './memory-document';
import type { Sessions } from './sessions';
import { displayCommands } from './display-commands';
import { loadCommands } from './load-commands';
import { timeCommands } from './time-commands';
import { locateSource } from './source-locator';
import { addressOf, nameOf, type Owner, type TreeNode } from './tree-node';
import { baseName, isAbsolute, toUri } from './workspace-files';

export interface CommandServices {
  readonly cache: ElfCache;
  readonly sessions: Sessions;
  readonly tree: LlextTree;
  readonly configurations: ConfigurationProvider;
  readonly diagnostics: Diagnostics;
  readonly coverage: CoverageView;
}

/** A region or object that is larger is shown from its start; the rest is a scroll in the memory inspector away. */
const largestDump = 64 * 1024;

export function registerCommands(services: CommandServices): vscode.Disposable {
  const commands: Record<string, (argument: never) => unknown> = {
    'llext.debugFile': (target) => debugFile(services, target),
    'llext.checkExtension': (target) => checkExtension(services, target),
    'llext.refresh': () => {
      services.cache.clear();
      services.tree.refresh();
    },
    'llext.goToSource': (node) => goToSource(asNode(node)),
    'llext.showMemory': (node) => showMemory(services.sessions, asNode(node)),
    'llext.showDisassembly': (target) => showDisassembly(services, target),
    'llext.copyAddress': async (node) => copy(addressOf(requireNode(node))?.address),
    'llext.copyName': async (node) => copy(nameOf(requireNode(node))),
    'llext.showCoverage': () => services.coverage.show('coverage'),
    'llext.showProfile': () => services.coverage.show('profile'),
    'llext.clearCoverage': () => services.coverage.clear(),
    ...timeCommands,
    ...displayCommands,
    ...loadCommands(services.cache),
    'llext.showLog': () => openLog().show(),
    'llext.pickProgram': () => pickProgram(services.cache),
  };
  const registered = Object.entries(commands).map(([name, run]) =>
    vscode.commands.registerCommand(name, async (argument: unknown) => {
      try {
        return await run(argument as never);
      } catch (error) {
        openLog().error(`${name}: ${messageOf(error)}`);
        void vscode.window.showErrorMessage(messageOf(error));
        return undefined;
      }
    }),
  );
  return vscode.Disposable.from(...registered);
}

function asNode(argument: unknown): TreeNode | undefined {
  const isNode = typeof argument === 'object' && argument !== null && 'kind' in argument;
  return isNode ? (argument as TreeNode) : undefined;
}

/** A link of the overview has the Uri as text. */
function uriOf(target: unknown): vscode.Uri | undefined {
  if (target instanceof vscode.Uri) return target;
  return typeof target === 'string' ? vscode.Uri.parse(target, true) : undefined;
}

function requireNode(argument: unknown): TreeNode {
  const node = asNode(argument);
  if (node === undefined) throw new Error('This command belongs to a row of the LLEXT view.');
  return node;
}

/** From the explorer or an editor a Uri, from the sidebar a row, from the palette nothing. */
async function debugFile(services: CommandServices, target: unknown): Promise<void> {
  const node = asNode(target);
  const uri = uriOf(target) ?? (node?.kind === 'extension' ? node.owner.uri : activeFile());
  if (uri === undefined) throw new Error('Open an extension ELF or one of its C sources first.');
  const folder = vscode.workspace.getWorkspaceFolder(uri);
  const configuration = await services.configurations.configurationOrMessage(uri);
  if (configuration) await vscode.debug.startDebugging(folder, configuration);
}

async function checkExtension({ diagnostics }: CommandServices, target: unknown): Promise<void> {
  const node = asNode(target);
  await diagnostics.checkNow(uriOf(target) ?? (node?.kind === 'extension' ? node.owner.uri : activeFile()));
}

async function goToSource(node: TreeNode | undefined): Promise<void> {
  const source = node?.kind === 'symbol' ? node.symbol.source : undefined;
  if (node?.kind !== 'symbol' || source === undefined) {
    throw new Error('The debug information does not say where this is defined.');
  }
  const uri = await sourceUri(node.owner, source.path);
  if (uri === undefined) throw new Error(`${source.path} is not in this workspace.`);
  const position = new vscode.Position(Math.max(0, source.line - 1), 0);
  await vscode.window.showTextDocument(uri, { selection: new vscode.Range(position, position) });
}

/** A session has found the file already; a file on disk says only what the compiler called it. */
async function sourceUri(owner: Owner, path: string): Promise<vscode.Uri | undefined> {
  if (owner.live && isAbsolute(path)) return toUri(path);
  const file = { path, compilationDirectory: undefined, md5: undefined };
  return locateSource(file, owner.debugUri ?? owner.uri);
}

async function showMemory(sessions: Sessions, node: TreeNode | undefined): Promise<void> {
  const session = sessions.current;
  if (session === undefined) throw new Error('Memory is shown while a session runs: press F5 first.');
  const place = node === undefined ? await askForAddress(session) : addressOf(node);
  if (place === undefined) return;
  const fallback = vscode.workspace.getConfiguration('llext').get<number>('memory.bytes', 256);
  const size = Math.min(place.size === undefined || place.size === 0 ? fallback : place.size, largestDump);
  const uri = memoryUri(place.name, { session: session.id, address: place.address, size });
  await vscode.window.showTextDocument(uri, { preview: true });
}

async function askForAddress(session: vscode.DebugSession) {
  const text = await vscode.window.showInputBox({
    title: 'Show Memory',
    prompt: 'Address, or a C expression whose value is one',
    placeHolder: '0x20000000 or &counter',
  });
  if (text === undefined || text.trim() === '') return undefined;
  if (/^(0x[0-9a-f]+|\d+)$/i.test(text.trim())) {
    return { address: '0x' + BigInt(text.trim()).toString(16), size: undefined, name: 'Memory' };
  }
  const frame =
    vscode.debug.activeStackItem instanceof vscode.DebugStackFrame ? vscode.debug.activeStackItem.frameId : undefined;
  const reply = (await session.customRequest('evaluate', { expression: text, frameId: frame, context: 'watch' })) as {
    result: string;
    memoryReference?: string;
  };
  if (reply.memoryReference === undefined) throw new Error(`${text} is ${reply.result}, which has no address.`);
  return { address: reply.memoryReference, size: undefined, name: text };
}

async function showDisassembly(services: CommandServices, target: unknown): Promise<void> {
  const node = asNode(target);
  if (node?.kind === 'extension' || node?.kind === 'section' || node?.kind === 'symbol') {
    const session = node.owner.live ? services.sessions.current?.id : undefined;
    const { uri, debugUri, description } = node.owner;
    const request = {
      elf: uri.toString(),
      debugElf: debugUri?.toString(),
      session,
      extension: node.owner.live ? description.id : undefined,
      section: node.kind === 'section' ? node.section.index : undefined,
      symbol: node.kind === 'symbol' ? node.symbol.name : undefined,
    };
    await openListing(
      disassemblyUri(`${node.kind === 'extension' ? 'Code' : nameOf(node)} of ${baseName(uri)}`, request),
    );
    return;
  }
  const uri = uriOf(target) ?? activeFile();
  if (uri === undefined) throw new Error('Choose an extension ELF in the Explorer or in the LLEXT view first.');
  const entry = await services.cache.get(uri);
  if (isBroken(entry)) throw new Error(`${baseName(uri)} cannot be read: ${entry.problem}`);
  await openListing(disassemblyUri(`Code of ${baseName(uri)}`, { elf: uri.toString() }));
}

async function openListing(uri: vscode.Uri): Promise<void> {
  const document = await vscode.workspace.openTextDocument(uri);
  await vscode.languages.setTextDocumentLanguage(document, 'llext-disassembly');
  await vscode.window.showTextDocument(document, { preview: true });
}

async function copy(text: string | undefined): Promise<void> {
  if (text === undefined || text === '') throw new Error('There is nothing to copy here.');
  await vscode.env.clipboard.writeText(text);
}
