/** The page of a finding: what its code means, for the link that a diagnostic's code is. */
import * as vscode from 'vscode';
import { ruleOf } from '../lib/check/rules';

export const findingScheme = 'llext-finding';

export function findingUri(code: string): vscode.Uri {
  return vscode.Uri.from({ scheme: findingScheme, path: `/${code}.md` });
}

export class FindingDocuments implements vscode.TextDocumentContentProvider {
  provideTextDocumentContent(uri: vscode.Uri): string {
    const code = uri.path.replace(/^\/|\.md$/g, '');
    const rule = ruleOf(code);
    if (rule === undefined) return `There is no finding \`${code}\`.\n`;
    return `# ${code}: ${rule.title}\n\n${rule.explanation}\n\n## What to do\n\n${capital(rule.fix)}.\n`;
  }
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
