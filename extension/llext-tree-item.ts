/** A row of the sidebar as VS Code shows it: label, icon, description, tooltip, and which commands apply to it. */
import * as vscode from 'vscode';
import type { CheckpointDescription, SymbolDescription } from '../lib/protocol';
import { demangle } from '../lib/program/demangle';
import { regionMeaning } from './region-meaning';
import { displayFolder, displayPath } from './source-locator';
import { addressOf, nodeId, nameOf, type ImportResolution, type Owner, type TreeNode } from './tree-node';
import { baseName } from './workspace-files';

interface Row {
  label: string;
  description?: string;
  tooltip?: string | vscode.MarkdownString;
  icon: string;
  color?: string;
  state?: vscode.TreeItemCollapsibleState;
  /** Words that the `when` clauses of menus look for, beside those that follow from the node itself. */
  context?: string[];
  /** What a screen reader says; label and description if not told. */
  spoken?: string;
}

const { None, Collapsed, Expanded } = vscode.TreeItemCollapsibleState;

export function itemFor(node: TreeNode): vscode.TreeItem {
  const row = rowFor(node);
  const item = new vscode.TreeItem(row.label, row.state ?? None);
  item.id = nodeId(node);
  item.description = row.description;
  item.tooltip = row.tooltip;
  item.iconPath = new vscode.ThemeIcon(
    row.icon,
    row.color === undefined ? undefined : new vscode.ThemeColor(row.color),
  );
  item.contextValue = contextOf(node, row.context ?? []).join(' ');
  item.accessibilityInformation = { label: row.spoken ?? [row.label, row.description].filter(Boolean).join(', ') };
  const command = clickOf(node);
  if (command !== undefined) item.command = { command, title: '', arguments: [node] };
  return item;
}

function rowFor(node: TreeNode): Row {
  switch (node.kind) {
    case 'extension':
      return extensionRow(node.owner);
    case 'broken':
      return {
        label: baseName(node.uri),
        description: node.problem,
        tooltip: `${displayPath(node.uri)} cannot be read as an ELF file: ${node.problem}`,
        icon: 'error',
        color: 'list.errorForeground',
      };
    case 'problem':
      return { label: node.text, tooltip: node.text, icon: 'error', color: 'list.errorForeground' };
    case 'region':
      return regionRow(node);
    case 'section':
      return {
        label: node.section.name,
        description: join(node.section.address, short(node.section.size)),
        tooltip: sectionTooltip(node),
        icon: 'symbol-structure',
      };
    case 'exports':
      return groupRow('Exported Symbols', node.owner.description.exports.length, 'symbol-interface');
    case 'imports':
      return importsRow(node.resolved);
    case 'dependencies':
      return groupRow('Dependencies', node.owner.description.dependencies.length, 'references');
    case 'symbol':
    case 'base-export':
      return symbolRow(node.symbol);
    case 'import':
      return importRow(node.resolution);
    case 'dependency':
      return {
        label: node.name,
        tooltip: `${node.owner.description.name} uses symbols of ${node.name}, which stays loaded as long as it does.`,
        icon: 'extensions',
      };
    case 'checkpoints':
      return checkpointsRow(node.list.length);
    case 'checkpoint':
      return checkpointRow(node.checkpoint);
    case 'base-image':
      return {
        label: 'Base Image',
        description: `${node.exports.length} exports`,
        tooltip: `What extensions can import: the ${node.name}`,
        icon: 'circuit-board',
        state: Collapsed,
      };
  }
}

function extensionRow(owner: Owner): Row {
  const { description, live, uri } = owner;
  const { name, useCount, allocSize, address, problem } = description;
  const failed = problem !== undefined;
  const facts = live
    ? [
        useCount === undefined ? undefined : `use count ${useCount}`,
        allocSize === undefined ? undefined : `heap ${short(allocSize)}`,
      ]
    : [displayFolder(uri)];
  const lines = [
    `**${name}**`,
    `File: ${displayPath(uri)}`,
    owner.debugUri === undefined ? undefined : `Debug information: ${displayPath(owner.debugUri)}`,
    address === undefined ? undefined : `struct llext at \`${address}\``,
    useCount === undefined ? undefined : `Use count: ${useCount}`,
    allocSize === undefined ? undefined : `Allocated: ${bytes(allocSize)}`,
    problem,
  ];
  return {
    label: live ? name : baseName(uri),
    description: failed ? 'not loadable' : join(...facts),
    tooltip: new vscode.MarkdownString(lines.filter((line) => line !== undefined).join('\n\n')),
    icon: failed ? 'warning' : live ? 'package' : 'file-binary',
    color: failed ? 'list.warningForeground' : undefined,
    state: live ? Expanded : Collapsed,
    context: live ? ['live', 'code'] : ['file', 'code'],
    spoken: [live ? `Loaded extension ${name}` : `Extension file ${baseName(uri)}`, ...facts, problem]
      .filter(Boolean)
      .join(', '),
  };
}

/** `.text.NAME` is the section of one function or object. */
function sectionTooltip({ section, region }: Extract<TreeNode, { kind: 'section' }>): string {
  const [, mangled = ''] = /^\.[a-z]+\.(?:[a-z.]+\.)?(_Z.*)$/.exec(section.name) ?? [];
  const name = demangle(mangled);
  const owner = name === mangled ? '' : `, for ${name}`;
  return `Section ${section.name} (number ${section.index}) in region ${region}${owner}`;
}

function regionRow({ region }: Extract<TreeNode, { kind: 'region' }>): Row {
  const meaning = regionMeaning[region.name] ?? 'memory region';
  const place = region.storage === 'heap' ? 'heap' : region.storage === 'file' ? 'in the file' : undefined;
  const explained =
    region.storage === 'heap'
      ? 'copied to the llext heap'
      : region.storage === 'file'
        ? 'used where the ELF file is'
        : 'not loaded';
  return {
    label: region.name,
    description: join(region.address, short(region.size), place),
    tooltip: `Region ${region.name}: ${meaning}; ${bytes(region.size)}, ${explained}`,
    icon: 'symbol-namespace',
    state: region.sections.length > 0 ? Collapsed : None,
    spoken: [`Region ${region.name}`, region.address, bytes(region.size), explained].filter(Boolean).join(', '),
  };
}

function symbolRow(symbol: SymbolDescription): Row {
  const { name, kind, address, size, section, type, source } = symbol;
  const lines = [
    type === undefined ? codeOf(demangle(name)) : codeOf(type),
    linkerName(name),
    section === undefined ? undefined : `Section \`${section}\``,
    address === undefined ? undefined : `Address \`${address}\``,
    size === undefined || size === 0 ? undefined : `Size ${bytes(size)}`,
    source === undefined ? undefined : `${source.path}:${source.line}`,
  ];
  return {
    label: demangle(name),
    description: join(address ?? section, size === undefined || size === 0 ? undefined : short(size)),
    tooltip: new vscode.MarkdownString(lines.filter((line) => line !== undefined).join('\n\n')),
    icon: kind === 'function' ? 'symbol-method' : 'symbol-variable',
  };
}

function codeOf(text: string): string {
  return '```c\n' + text + '\n```';
}

/** What the loader looks for, where the label is another name. */
function linkerName(name: string): string | undefined {
  return demangle(name) === name ? undefined : `Symbol \`${name}\``;
}

function importsRow(resolved: readonly ImportResolution[]): Row {
  const missing = resolved.filter(({ by }) => by === 'nothing').length;
  const row = groupRow('Imported Symbols', resolved.length, 'symbol-reference');
  if (missing === 0) return row;
  return {
    ...row,
    description: `${resolved.length}, ${missing} missing`,
    icon: 'warning',
    color: 'list.warningForeground',
  };
}

function importRow({ name, by, extension, signature, doc, address }: ImportResolution): Row {
  if (by === 'nothing') {
    return {
      label: demangle(name),
      description: 'nothing provides it',
      tooltip: `Neither the base image nor another extension exports ${name}: loading fails.`,
      icon: 'error',
      color: 'list.errorForeground',
    };
  }
  const provider = by === 'base-image' ? 'base image' : (extension ?? '');
  const lines = [codeOf(signature ?? demangle(name)), linkerName(name), doc, `Provided by: ${provider}`];
  return {
    label: demangle(name),
    description: join(provider, address),
    tooltip: new vscode.MarkdownString(lines.filter(Boolean).join('\n\n')),
    icon: 'symbol-reference',
  };
}

function checkpointsRow(count: number): Row {
  const row = groupRow('Checkpoints', count, 'bookmark');
  if (count > 0) return { ...row, state: Expanded };
  return {
    ...row,
    description: 'none set',
    tooltip: 'Moments to return to: Set Checkpoint while the program is stopped.',
  };
}

function checkpointRow({ name, time }: CheckpointDescription): Row {
  return {
    label: name,
    description: `step ${time}`,
    tooltip: `${name}: after ${time} instructions, host calls and inputs`,
    icon: 'bookmark',
    spoken: `Checkpoint ${name}, step ${time}`,
  };
}

function groupRow(label: string, count: number, icon: string): Row {
  return { label, description: String(count), icon, state: count > 0 ? Collapsed : None };
}

function contextOf(node: TreeNode, words: string[]): string[] {
  const result = [node.kind, ...words];
  if (nameOf(node) !== '') result.push('name');
  if (addressOf(node) !== undefined) result.push('address');
  if (addressOf(node) !== undefined && node.kind !== 'base-export' && node.kind !== 'import') result.push('memory');
  if (node.kind === 'symbol') {
    if (node.symbol.source !== undefined) result.push('source');
    if (node.symbol.kind === 'function') result.push('code');
  }
  if (node.kind === 'section' && node.region === 'TEXT') result.push('code');
  return result;
}

/** A click goes to the source, else to the memory. */
function clickOf(node: TreeNode): string | undefined {
  if (node.kind === 'symbol' && node.symbol.source !== undefined) return 'llext.goToSource';
  if ((node.kind === 'symbol' || node.kind === 'section') && addressOf(node) !== undefined) return 'llext.showMemory';
  if (node.kind === 'section' && node.region === 'TEXT') return 'llext.showDisassembly';
  return undefined;
}

/** For rows, which are narrow; tooltips and screen readers have `bytes`. */
function short(size: number): string {
  return `${size} B`;
}

export function bytes(size: number): string {
  return size === 1 ? '1 byte' : `${size} bytes`;
}

function join(...parts: (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== '').join(' · ');
}
