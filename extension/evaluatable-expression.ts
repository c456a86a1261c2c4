/**
 * Which expression a debug hover evaluates: the member chain to the left of the pointer, so that `p->next[2].x` is one
 * expression over `x`, and `p->next` over `next`. What changes something (++, a call) is never part of it.
 */
import * as vscode from 'vscode';
import { expressionAt } from './expression-at';

export class EvaluatableExpressions implements vscode.EvaluatableExpressionProvider {
  provideEvaluatableExpression(
    document: vscode.TextDocument,
    position: vscode.Position,
  ): vscode.EvaluatableExpression | undefined {
    const found = expressionAt(document.lineAt(position.line).text, position.character);
    if (found === undefined) return undefined;
    const { start, end, text } = found;
    return new vscode.EvaluatableExpression(new vscode.Range(position.line, start, position.line, end), text);
  }
}
