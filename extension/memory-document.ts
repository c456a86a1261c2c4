/**
 * Memory of a session as a read-only document: 16 bytes a line, with address and text. Read again at every stop, so
 * that a diff or a side-by-side view shows what a step changed.
 */
import * as vscode from 'vscode';
import { messageOf } from './log';
import { readMemory, type MemoryContents, type Sessions } from './sessions';

export const memoryScheme = 'llext-memory';

export interface MemoryRequest {
  readonly session: string;
  readonly address: string;
  readonly size: number;
}

/** The name is what the editor's tab shows. */
export function memoryUri(name: string, request: MemoryRequest): vscode.Uri {
  return vscode.Uri.from({
    scheme: memoryScheme,
    path: `/${name.replaceAll('/', '_')} at ${request.address}`,
    query: JSON.stringify(request),
  });
}

export class MemoryDocuments implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  private readonly subscription: vscode.Disposable;

  readonly onDidChange = this.changed.event;

  constructor(private readonly sessions: Sessions) {
    this.subscription = sessions.onDidStop(() => {
      for (const { uri } of vscode.workspace.textDocuments) {
        if (uri.scheme === memoryScheme) this.changed.fire(uri);
      }
    });
  }

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    const request = JSON.parse(uri.query) as MemoryRequest;
    const session = this.sessions.get(request.session);
    if (session === undefined) return 'The session whose memory was shown here has ended.\n';
    try {
      return hexDump(await readMemory(session, BigInt(request.address), request.size), request.size);
    } catch (error) {
      return `Memory at ${request.address} cannot be read: ${messageOf(error)}\n`;
    }
  }

  dispose(): void {
    this.subscription.dispose();
    this.changed.dispose();
  }
}

export function hexDump({ address, bytes }: MemoryContents, size: number): string {
  const rows: string[] = [];
  const width = hexColumns(bytes.subarray(0, 16)).length;
  for (let at = 0; at < bytes.length; at += 16) {
    const row = [...bytes.subarray(at, at + 16)];
    const digits = hexColumns(row).padEnd(width);
    const text = row.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
    rows.push(`${(address + BigInt(at)).toString(16).padStart(8, '0')}  ${digits}  ${text}`);
  }
  if (bytes.length < size) {
    const from = (address + BigInt(bytes.length)).toString(16);
    rows.push(`${size - bytes.length} bytes from 0x${from} on cannot be read: nothing is mapped there.`);
  }
  return rows.join('\n') + '\n';
}

/** Two groups of eight. */
function hexColumns(row: Iterable<number>): string {
  const hex = [...row].map((byte) => byte.toString(16).padStart(2, '0'));
  return [hex.slice(0, 8), hex.slice(8)]
    .filter((group) => group.length > 0)
    .map((group) => group.join(' '))
    .join('  ');
}
