/**
 * The findings of lib/check as diagnostics: on the source line that causes one, else on the ELF. The extensions of the
 * workspace are checked when VS Code starts, when one is built again, and by command; each with those before it that it
 * imports from. One file at a time with a pause between, so that typing is never held up.
 */
import * as vscode from 'vscode';
import { checkFiles } from '../lib/check/check';
import type { CheckBase } from '../lib/check/base';
import { countBySeverity, type FileReport } from '../lib/check/check';
import type { FindingPlace, Severity, SourcePlace } from '../lib/check/finding';
import { checkBaseFor, NoBaseImage } from './check-base';
import type { BrokenElf, ElfCache } from './elf-cache';
import { extensionsOfSource, findExtensions, loadedFileOf, type ExtensionFile } from './elf-search';
import { findingUri } from './finding-document';
import { loadOrder } from './load-order';
import { messageOf, openLog } from './log';
import { locateSource } from './source-locator';
import { baseName } from './workspace-files';

/** A build writes many files; and a start has more urgent things to do. */
const quietMilliseconds = 500;

const severities: Record<Severity, vscode.DiagnosticSeverity> = {
  error: vscode.DiagnosticSeverity.Error,
  warning: vscode.DiagnosticSeverity.Warning,
  note: vscode.DiagnosticSeverity.Hint,
};

const wholeLine = 1000;
const start = new vscode.Range(0, 0, 0, 0);

interface Located {
  readonly uri: vscode.Uri;
  readonly diagnostic: vscode.Diagnostic;
}

export class Diagnostics implements vscode.Disposable {
  private readonly collection = vscode.languages.createDiagnosticCollection('llext');
  private readonly subscriptions: vscode.Disposable[];
  private timer: ReturnType<typeof setTimeout> | undefined;
  private running: Promise<void> = Promise.resolve();
  private generation = 0;

  constructor(private readonly cache: ElfCache) {
    this.subscriptions = [
      cache.onDidChange(() => this.schedule()),
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (['llext.check', 'llext.base', 'llext.search'].some((name) => event.affectsConfiguration(name)))
          this.schedule();
      }),
    ];
    this.schedule();
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.generation++;
    this.collection.dispose();
    vscode.Disposable.from(...this.subscriptions).dispose();
  }

  /** Checks everything once nothing has changed for a moment. */
  schedule(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.refresh(), quietMilliseconds);
  }

  /** The command: the extension of the file in front, or all; shows the outcome. */
  async checkNow(target: vscode.Uri | undefined): Promise<void> {
    const { files } = await findExtensions(this.cache);
    const wanted = target === undefined ? files : await this.extensionsFor(target, files);
    if (wanted.length === 0) throw new Error('There is no extension ELF here to check: build it first.');
    await this.refresh(true);
    await vscode.commands.executeCommand('workbench.actions.view.problems');
    const outcomes: string[] = [];
    for (const file of wanted.slice(0, 3)) {
      outcomes.push(outcomeOf(baseName(file.loaded.uri), reportOf(file, files, await baseFor(file))));
    }
    void vscode.window.showInformationMessage(outcomes.join(' '));
  }

  private async extensionsFor(target: vscode.Uri, files: readonly ExtensionFile[]): Promise<readonly ExtensionFile[]> {
    const uris = [target, await loadedFileOf(target)].map((uri) => uri?.toString());
    const own = files.filter(({ loaded }) => uris.includes(loaded.uri.toString()));
    return own.length > 0 ? own : extensionsOfSource(this.cache, target);
  }

  /** One after another: a newer run ends an older one between two files. */
  private refresh(evenIfDisabled = false): Promise<void> {
    const generation = ++this.generation;
    this.running = this.running.then(async () => {
      try {
        await this.run(generation, evenIfDisabled);
      } catch (error) {
        openLog().error(`check: ${messageOf(error)}`);
      }
    });
    return this.running;
  }

  private async run(generation: number, evenIfDisabled: boolean): Promise<void> {
    const { files, broken } = await findExtensions(this.cache);
    const located: Located[] = [];
    for (const entry of broken) if (evenIfDisabled || isEnabled(entry.uri)) located.push(unreadable(entry));
    const refusedBases = new Set<string>();
    for (const file of files) {
      if (generation !== this.generation) return;
      if (!evenIfDisabled && !isEnabled(file.loaded.uri)) continue;
      located.push(...(await this.diagnose(file, files, refusedBases)));
      // The extension host serves others too.
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    if (generation !== this.generation) return;
    this.publish(located);
  }

  private async diagnose(file: ExtensionFile, all: readonly ExtensionFile[], refused: Set<string>): Promise<Located[]> {
    try {
      const { findings } = reportOf(file, all, await baseFor(file));
      return await Promise.all(findings.map((finding) => locate(file, finding)));
    } catch (error) {
      if (!(error instanceof NoBaseImage)) throw error;
      if (refused.has(error.uri.toString())) return [];
      refused.add(error.uri.toString());
      return [{ uri: error.uri, diagnostic: diagnosticOf(start, error.message, vscode.DiagnosticSeverity.Error) }];
    }
  }

  private publish(located: readonly Located[]): void {
    const byFile = new Map<string, { uri: vscode.Uri; diagnostics: vscode.Diagnostic[] }>();
    for (const { uri, diagnostic } of located) {
      const entry = byFile.get(uri.toString()) ?? { uri, diagnostics: [] };
      entry.diagnostics.push(diagnostic);
      byFile.set(uri.toString(), entry);
    }
    this.collection.clear();
    for (const { uri, diagnostics } of byFile.values()) this.collection.set(uri, diagnostics);
  }
}

function isEnabled(uri: vscode.Uri): boolean {
  return vscode.workspace.getConfiguration('llext', uri).get<boolean>('check.enabled', true);
}

function baseFor({ loaded }: ExtensionFile): Promise<CheckBase> {
  return checkBaseFor(vscode.workspace.getWorkspaceFolder(loaded.uri), loaded.elf);
}

/** With what it imports from, in the order in which F5 would load them. */
function reportOf(file: ExtensionFile, all: readonly ExtensionFile[], base: CheckBase): FileReport {
  const inputs = loadOrder(file, all).map(({ loaded, debug }) => ({
    file: loaded.uri.path,
    bytes: loaded.elf.bytes,
    debugElf: debug?.elf,
    companions: (debug ?? loaded).companions,
  }));
  const { files } = checkFiles(inputs, { base });
  return files[files.length - 1];
}

function outcomeOf(name: string, { refusal, findings }: FileReport): string {
  const { error, warning } = countBySeverity(findings);
  const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;
  return `${name}: llext_load ${refusal === undefined ? 'takes it' : 'refuses it'}, ${count(error, 'error')}, ${count(warning, 'warning')}.`;
}

async function locate(file: ExtensionFile, finding: FileReport['findings'][number]): Promise<Located> {
  const { code, severity, message, fix, related } = finding;
  const { uri, range } = await placeOf(file, finding);
  const diagnostic = diagnosticOf(range, `${message}.\nTo do: ${fix}.`, severities[severity]);
  diagnostic.code = { value: code, target: findingUri(code) };
  const places = await Promise.all(
    related.map(async (other) => ({ place: await placeOf(file, other), message: other.message })),
  );
  diagnostic.relatedInformation = places.map(
    ({ place, message: text }) =>
      new vscode.DiagnosticRelatedInformation(new vscode.Location(place.uri, place.range), text),
  );
  return { uri, diagnostic };
}

async function placeOf(
  file: ExtensionFile,
  { source }: FindingPlace,
): Promise<{ uri: vscode.Uri; range: vscode.Range }> {
  const elf = file.loaded.uri;
  const found = source === undefined ? undefined : await locateSource(source.file, file.debug?.uri ?? elf);
  return source === undefined || found === undefined
    ? { uri: elf, range: start }
    : { uri: found, range: rangeOf(source) };
}

function rangeOf({ line, column }: SourcePlace): vscode.Range {
  const first = Math.max(0, line - 1);
  return new vscode.Range(first, Math.max(0, column - 1), first, wholeLine);
}

function unreadable({ uri, problem }: BrokenElf): Located {
  const text = `This extension ELF cannot be read: ${problem}.\nTo do: build it again.`;
  return { uri, diagnostic: diagnosticOf(start, text, vscode.DiagnosticSeverity.Error) };
}

function diagnosticOf(range: vscode.Range, message: string, severity: vscode.DiagnosticSeverity): vscode.Diagnostic {
  const diagnostic = new vscode.Diagnostic(range, message, severity);
  diagnostic.source = 'llext';
  return diagnostic;
}
