/**
 * Hover over a name in C source: what it is once the extension is linked. Defined in an extension: where, how large,
 * of which type, in a session with its value. Imported: what of the base image or of another extension satisfies it,
 * or that nothing does. Names that are no symbols (locals, macros) have no hover of ours.
 */
import * as vscode from 'vscode';
import { describeBaseExport } from './base-exports';
import { isBroken, type ElfCache } from './elf-cache';
import { extensionsOfSource, findExtensions, type ExtensionFile } from './elf-search';
import { wordAt, inCommentOrString } from './expression-at';
import { describeFile, describeSymbol, regionOf } from './extension-description';
import { bytes } from './llext-tree-item';
import type { Sessions } from './sessions';
import { fromUri, toUri } from './workspace-files';
import { demangle } from '../lib/program/demangle';
import type { SymbolDescription, SymbolResponse } from '../lib/protocol';

interface Fact {
  readonly declaration: string;
  readonly lines: readonly string[];
}

export class SymbolHover implements vscode.HoverProvider {
  constructor(
    private readonly cache: ElfCache,
    private readonly sessions: Sessions,
  ) {}

  async provideHover(document: vscode.TextDocument, position: vscode.Position): Promise<vscode.Hover | undefined> {
    if (!vscode.workspace.getConfiguration('llext', document).get<boolean>('hover.enabled', true)) return undefined;
    const line = document.lineAt(position.line).text;
    const word = wordAt(line, position.character);
    if (word === undefined || inCommentOrString(line, position.character)) return undefined;
    const live = await this.sessions.symbol({
      name: word.text,
      path: fromUri(document.uri),
      line: position.line + 1,
    });
    const facts =
      live === undefined ? await this.fromFiles(document.uri, word.text) : await this.fromSession(live, word.text);
    if (facts.length === 0) return undefined;
    const range = new vscode.Range(position.line, word.start, position.line, word.end);
    return new vscode.Hover(facts.map(markdown), range);
  }

  /** One fact for each extension that was compiled from this source. */
  private async fromFiles(source: vscode.Uri, name: string): Promise<Fact[]> {
    const facts: Fact[] = [];
    for (const file of await extensionsOfSource(this.cache, source)) {
      const description = describeFile(file);
      const symbol = describeSymbol(file, name);
      if (symbol !== undefined) {
        facts.push(definedFact(symbol, description.name, regionOf(description, symbol.section), undefined));
      } else if (description.imports.includes(name)) {
        facts.push(await this.importedFact(name, description.name));
      }
    }
    return facts;
  }

  /** The session knows the address and the value, the file the declaration and the place in the section. */
  private async fromSession(live: SymbolResponse, name: string): Promise<Fact[]> {
    const { kind, extension, symbol, value } = live;
    switch (kind) {
      case 'extension': {
        if (symbol === undefined) return [];
        const file = await this.loadedFile(extension);
        const known = file && describeSymbol(file, name);
        const merged = { ...symbol, ...known, address: symbol.address };
        const region = file && regionOf(describeFile(file), merged.section);
        return [definedFact(merged, extension ?? '', region, value)];
      }
      case 'base-image':
        return [liveBaseFact(name, symbol, value)];
      case 'unresolved':
        return [unresolvedFact(name, extension)];
      case 'unknown':
        return [];
    }
  }

  private async loadedFile(name: string | undefined): Promise<ExtensionFile | undefined> {
    const loaded = this.sessions.loadedNow()?.extensions.find((extension) => extension.name === name);
    if (loaded === undefined) return undefined;
    const entry = await this.cache.get(toUri(loaded.program));
    const debug = loaded.debugElf === undefined ? undefined : await this.cache.get(toUri(loaded.debugElf));
    if (isBroken(entry)) return undefined;
    return { loaded: entry, debug: debug === undefined || isBroken(debug) ? undefined : debug };
  }

  private async importedFact(name: string, importer: string): Promise<Fact> {
    const base = describeBaseExport(name);
    if (base !== undefined) return baseFact(base, base.address);
    const { files } = await findExtensions(this.cache);
    const providers = files
      .map((file) => describeFile(file))
      .filter(({ exports }) => exports.some((symbol) => symbol.name === name))
      .map((description) => `\`${description.name}\``);
    if (providers.length === 0) return unresolvedFact(name, importer);
    return {
      declaration: name,
      lines: [
        `Imported by \`${importer}\`, exported by ${providers.join(', ')}: load ${providers.length > 1 ? 'one of them' : 'it'} first.`,
      ],
    };
  }
}

function definedFact(
  symbol: SymbolDescription,
  extension: string,
  region: string | undefined,
  value: string | undefined,
): Fact {
  const { name, kind, address, size, section, type } = symbol;
  const what = kind === 'function' ? 'Function' : kind === 'object' ? 'Variable' : 'Symbol';
  const place = [
    address === undefined ? undefined : `address \`${address}\``,
    section === undefined ? undefined : `section \`${section}\``,
    region === undefined ? undefined : `region ${region}`,
    size === undefined || size === 0 ? undefined : bytes(size),
  ].filter((part) => part !== undefined);
  const linker = demangle(name) === name ? [] : [`Symbol \`${name}\``];
  const lines = [`${what} of llext \`${extension}\``, ...linker, capitalise(place.join(' · '))];
  if (value !== undefined) lines.unshift(`Value: \`${value}\``);
  return { declaration: type ?? demangle(name), lines };
}

function baseFact(base: { name: string; signature: string; doc: string }, address: string | undefined): Fact {
  const where = address === undefined ? '' : ` · address \`${address}\``;
  const doc = base.doc === '' ? [] : [capitalise(base.doc)];
  return { declaration: base.signature, lines: [`Export of the base image${where}`, ...doc] };
}

/** In a session its base image tells, which may be another one than the window's. */
function liveBaseFact(name: string, symbol: SymbolDescription | undefined, value: string | undefined): Fact {
  const known = describeBaseExport(name);
  const base = { name, signature: symbol?.type ?? known?.signature ?? name, doc: known?.doc ?? '' };
  const fact = baseFact(base, symbol?.address);
  return value === undefined ? fact : { ...fact, lines: [`Value: \`${value}\``, ...fact.lines] };
}

function unresolvedFact(name: string, importer: string | undefined): Fact {
  const who = importer === undefined ? 'Imported' : `Imported by \`${importer}\``;
  return {
    declaration: name,
    lines: [`${who}, but neither the base image nor another extension exports it: loading fails.`],
  };
}

function markdown({ declaration, lines }: Fact): vscode.MarkdownString {
  const text = new vscode.MarkdownString();
  text.appendCodeblock(declaration, 'c');
  text.appendMarkdown(lines.join('  \n'));
  return text;
}

function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
