/** Entry of both bundles (Node and web worker): makes the parts and registers them, nothing else. */
import * as vscode from 'vscode';
import { AdapterFactory } from './adapter-factory';
import { registerCommands } from './commands';
import { CoverageView } from './coverage-view';
import { ConfigurationProvider, debugType } from './debug-configuration';
import { Diagnostics } from './diagnostics';
import { DisassemblyDocuments, disassemblyScheme } from './disassembly-document';
import { ElfCache } from './elf-cache';
import { EvaluatableExpressions } from './evaluatable-expression';
import { FindingDocuments, findingScheme } from './finding-document';
import { LlextTree } from './llext-tree';
import { openLog } from './log';
import { MemoryDocuments, memoryScheme } from './memory-document';
import { OverviewEditor, overviewType } from './overview-editor';
import { Sessions } from './sessions';
import { SymbolHover } from './symbol-hover';
import { WorkspaceBase } from './workspace-base';

const cFiles: vscode.DocumentSelector = [{ language: 'c' }, { language: 'cpp' }];

/** What activate() returns to other extensions and to the tests. */
export interface Api {
  readonly tree: LlextTree;
  readonly configurations: ConfigurationProvider;
}

export function activate(context: vscode.ExtensionContext): Api {
  const cache = new ElfCache();
  const sessions = new Sessions();
  const base = new WorkspaceBase();
  const configurations = new ConfigurationProvider(cache, base);
  const tree = new LlextTree(cache, sessions);
  const adapters = new AdapterFactory(context.extensionUri);
  const memory = new MemoryDocuments(sessions);
  const disassembly = new DisassemblyDocuments(cache, sessions, adapters);
  const diagnostics = new Diagnostics(cache);
  const coverage = new CoverageView(sessions);
  const dynamic = vscode.DebugConfigurationProviderTriggerKind.Dynamic;
  context.subscriptions.push(
    openLog(),
    cache,
    base,
    base.onDidChange(() => tree.refresh()),
    sessions,
    tree,
    memory,
    disassembly,
    diagnostics,
    coverage,
    // The same rows in the sidebar of its own, and beside variables and call stack while debugging.
    vscode.window.createTreeView('llext.extensions', { treeDataProvider: tree, showCollapseAll: true }),
    vscode.window.createTreeView('llext.loaded', { treeDataProvider: tree, showCollapseAll: true }),
    vscode.window.registerCustomEditorProvider(overviewType, new OverviewEditor(cache, context.extensionUri)),
    vscode.debug.registerDebugConfigurationProvider(debugType, configurations),
    vscode.debug.registerDebugConfigurationProvider(debugType, configurations, dynamic),
    vscode.debug.registerDebugAdapterDescriptorFactory(debugType, adapters),
    vscode.languages.registerHoverProvider(cFiles, new SymbolHover(cache, sessions)),
    vscode.languages.registerEvaluatableExpressionProvider(cFiles, new EvaluatableExpressions()),
    vscode.workspace.registerTextDocumentContentProvider(memoryScheme, memory),
    vscode.workspace.registerTextDocumentContentProvider(disassemblyScheme, disassembly),
    vscode.workspace.registerTextDocumentContentProvider(findingScheme, new FindingDocuments()),
    registerCommands({ cache, sessions, tree, configurations, diagnostics, coverage }),
  );
  openLog().info(`LLEXT Debugger ${String(context.extension.packageJSON.version)} is active.`);
  return { tree, configurations };
}
