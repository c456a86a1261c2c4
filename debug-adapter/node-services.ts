/** Files of a process's file system, for the entries that run in Node: adapter process and command line. */
import { existsSync, readdir } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { openSource, wholeFile } from './file-source';
import type { AdapterServices } from './services';

/** `folder`: where the running bundle is; the build puts capstone.wasm beside it. */
export function nodeServices(folder: string): AdapterServices {
  return {
    files: {
      read: (path) => wholeFile(localPath(path)),
      open: (path, onChange) => openSource(localPath(path), onChange),
      list: async (path) => {
        try {
          const entries = await promisify(readdir)(localPath(path), { withFileTypes: true });
          return entries.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name));
        } catch {
          return [];
        }
      },
    },
    capstoneWasm: () => wholeFile(capstonePath(folder)),
    loadUnicorn: async (path) => {
      const file = localPath(path);
      const exported: unknown = createRequire(file)(file);
      // unicorn.js 2 exports a function that makes the module, 1 the module itself.
      return typeof exported === 'function' && !('Unicorn' in exported)
        ? await (exported as () => unknown)()
        : exported;
    },
  };
}

function localPath(path: string): string {
  return path.startsWith('file:') ? fileURLToPath(path) : path;
}

/** Beside the bundle, or in the package when the sources run without a build. */
function capstonePath(folder: string): string {
  const bundled = join(folder, 'capstone.wasm');
  if (existsSync(bundled)) return bundled;
  const require = createRequire(join(folder, 'package.json'));
  return join(dirname(require.resolve('@alexaltea/capstone-js')), 'capstone.wasm');
}
