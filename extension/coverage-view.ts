/**
 * Coverage and profile in the editors, on demand: a bar beside each line with code (executed or not), how often it was executed, or how
 * many instructions of it and which share of all. A file that is edited loses its marks: they are of the lines that were built.
 */
import * as vscode from 'vscode';
import type { CoverageFile, CoverageResponse } from '../lib/protocol';
import { debugType } from './debug-configuration';
import { openLog } from './log';
import type { Sessions } from './sessions';
import { toUri } from './workspace-files';

type Shown = 'coverage' | 'profile';

/** Lines with less than that of all instructions are not marked as hot. */
const hotShare = 0.02;

export class CoverageView implements vscode.Disposable {
  private newest: CoverageResponse | undefined;
  private shown: Shown | undefined;
  private readonly edited = new Set<string>();
  private readonly executed: vscode.TextEditorDecorationType;
  private readonly missed: vscode.TextEditorDecorationType;
  private readonly hot: vscode.TextEditorDecorationType;
  private readonly subscriptions: vscode.Disposable[];

  constructor(private readonly sessions: Sessions) {
    this.executed = bar('testing.coveredGutterBackground', 'testing.coveredBackground');
    this.missed = bar('testing.uncoveredGutterBackground', 'testing.uncoveredBackground');
    this.hot = bar('charts.orange', 'diffEditor.unchangedCodeBackground');
    this.subscriptions = [
      vscode.debug.onDidReceiveDebugSessionCustomEvent(({ session, event, body }) => {
        if (session.type !== debugType || event !== 'llext/coverage') return;
        this.newest = body as CoverageResponse;
        this.refresh();
      }),
      sessions.onDidStop(() => void this.update()),
      vscode.window.onDidChangeVisibleTextEditors(() => this.refresh()),
      vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
        if (contentChanges.length === 0 || this.fileOf(document.uri) === undefined) return;
        this.edited.add(document.uri.toString());
        this.refresh();
      }),
    ];
  }

  /** What is shown follows the session from now on. */
  async show(what: Shown): Promise<void> {
    this.shown = what;
    this.edited.clear();
    await this.update();
    if (this.newest !== undefined) return;
    this.shown = undefined;
    throw new Error('Nothing has been counted: set "coverage": true in the launch configuration and debug again.');
  }

  clear(): void {
    this.shown = undefined;
    this.refresh();
  }

  dispose(): void {
    for (const subscription of [...this.subscriptions, this.executed, this.missed, this.hot]) subscription.dispose();
  }

  /** Asks a session that runs; one that has ended has told its last. */
  private async update(): Promise<void> {
    const session = this.sessions.current;
    if (this.shown !== undefined && session?.configuration['coverage'] === true) {
      try {
        this.newest = (await session.customRequest('llext/coverage')) as CoverageResponse;
      } catch (error) {
        openLog().debug(`llext/coverage: ${String(error)}`);
      }
    }
    this.refresh();
  }

  private fileOf(uri: vscode.Uri): CoverageFile | undefined {
    return this.newest?.files.find(({ path }) => toUri(path).toString() === uri.toString());
  }

  private refresh(): void {
    for (const editor of vscode.window.visibleTextEditors) {
      const { uri } = editor.document;
      const isStale = this.edited.has(uri.toString());
      const file = this.shown === undefined || isStale ? undefined : this.fileOf(uri);
      const marks = file === undefined ? noMarks : this.marksOf(file);
      editor.setDecorations(this.executed, marks.executed);
      editor.setDecorations(this.missed, marks.missed);
      editor.setDecorations(this.hot, marks.hot);
    }
  }

  private marksOf(file: CoverageFile): Marks {
    const all = Math.max(1, this.newest?.instructions ?? 0);
    const marks: Marks = { executed: [], missed: [], hot: [] };
    for (const [line, count, instructions] of file.lines) {
      if (line < 1) continue;
      const share = instructions / all;
      const text =
        this.shown === 'coverage'
          ? `${count.toLocaleString('en')} ×`
          : `${instructions.toLocaleString('en')} instructions, ${(100 * share).toFixed(1)} %`;
      const kind =
        count === 0 ? marks.missed : this.shown === 'profile' && share >= hotShare ? marks.hot : marks.executed;
      kind.push({
        range: new vscode.Range(line - 1, 0, line - 1, 0),
        hoverMessage: `Executed ${count.toLocaleString('en')} times, ${instructions.toLocaleString('en')} instructions`,
        renderOptions: count === 0 && this.shown === 'profile' ? {} : { after: { contentText: text } },
      });
    }
    return marks;
  }
}

interface Marks {
  readonly executed: vscode.DecorationOptions[];
  readonly missed: vscode.DecorationOptions[];
  readonly hot: vscode.DecorationOptions[];
}

const noMarks: Marks = { executed: [], missed: [], hot: [] };

function bar(edge: string, background: string): vscode.TextEditorDecorationType {
  return vscode.window.createTextEditorDecorationType({
    isWholeLine: true,
    backgroundColor: new vscode.ThemeColor(background),
    overviewRulerColor: new vscode.ThemeColor(edge),
    overviewRulerLane: vscode.OverviewRulerLane.Left,
    borderColor: new vscode.ThemeColor(edge),
    borderStyle: 'solid',
    borderWidth: '0 0 0 4px',
    after: { color: new vscode.ThemeColor('editorCodeLens.foreground'), margin: '0 0 0 3em' },
  });
}
