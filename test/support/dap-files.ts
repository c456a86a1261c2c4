/** What a page does for the adapter in its worker: it answers the reverse requests for files (debug-adapter/remote-services.ts). */
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { projectRoot } from './fixtures';

export function fileAnswer({ seq, command, arguments: args }: DebugProtocol.Request): DebugProtocol.Response {
  const { path = '' } = (args ?? {}) as { path?: string };
  const base = { seq: 0, type: 'response', request_seq: seq, command } as const;
  try {
    return { ...base, success: true, body: fileBody(command, path.startsWith('file:') ? fileURLToPath(path) : path) };
  } catch (error) {
    return { ...base, success: false, message: (error as Error).message };
  }
}

function fileBody(command: string, path: string): object {
  const data = (file: string): object => ({ data: readFileSync(file).toString('base64') });
  if (command === 'llext/readFile') return data(path);
  if (command === 'llext/capstoneWasm') {
    const require = createRequire(join(projectRoot, 'package.json'));
    return data(join(dirname(require.resolve('@alexaltea/capstone-js')), 'capstone.wasm'));
  }
  const entries = readdirSync(path, { withFileTypes: true });
  return { names: entries.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name)) };
}
