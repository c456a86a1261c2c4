/**
 * What the adapter needs from the place that it runs in, and nothing else: a process, a Web Worker and the extension
 * host each hand in their own. Paths are what the client uses, plain or URI; see paths.ts.
 */
import type { ByteSource } from '../lib/byte-source';

export interface FileAccess {
  /** The whole file; rejects with an Error whose message says why it cannot be read. */
  read(path: string): Promise<Uint8Array>;
  /** The same to be read in parts, where that can be done; a small file is whole all the same. */
  open?(path: string): Promise<Uint8Array | ByteSource>;
  /** Names in a folder, those of folders with a '/' at the end; empty when there is no such folder. */
  list(folder: string): Promise<readonly string[]>;
}

export interface AdapterServices {
  readonly files: FileAccess;
  /** Bytes of Capstone's WebAssembly file, asked for at the first disassembly. */
  capstoneWasm(): Promise<Uint8Array>;
  /**
   * A unicorn.js build of the user's as the module that it resolves to; rejects with an Error whose message says why not. Absent
   * where the adapter cannot run the user's programs (browser).
   */
  loadUnicorn?(path: string): Promise<unknown>;
}

export async function openFile(files: FileAccess, path: string): Promise<Uint8Array | ByteSource> {
  return files.open === undefined ? files.read(path) : files.open(path);
}
