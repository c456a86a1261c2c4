/**
 * What the adapter needs from the place that it runs in, and nothing else: a process, a Web Worker and the extension
 * host each hand in their own. Paths are what the client uses, plain or URI; see paths.ts.
 */
import type { ByteSource } from '../lib/byte-source';
import type { KeptTargets } from './kept-targets';

export interface FileAccess {
  /** The whole file; rejects with an Error whose message says why it cannot be read. */
  read(path: string): Promise<Uint8Array>;
  /**
   * The same to be read in parts, where that can be done; a small file is whole all the same. `onChange` is called once when the file
   * is no longer what was opened.
   */
  open?(path: string, onChange?: (message: string) => void): Promise<Uint8Array | ByteSource>;
  /** Names in a folder, those of folders with a '/' at the end; empty when there is no such folder. */
  list(folder: string): Promise<readonly string[]>;
}

export interface AdapterServices {
  readonly files: FileAccess;
  /** Bytes of Capstone's WebAssembly file, asked for at the first disassembly. */
  capstoneWasm(): Promise<Uint8Array>;
  /** Whether to load ahead of requests what they will wait for: where it costs nobody else's time, in a process of its own. */
  readonly preparesAhead?: boolean;
  /** Where a server keeps the targets of its sessions, so that one can be left and found again. */
  readonly targets?: KeptTargets;
  /**
   * A unicorn.js build of the user's as the module that it resolves to; rejects with an Error whose message says why not. Absent
   * where the adapter cannot run the user's programs (browser).
   */
  loadUnicorn?(path: string): Promise<unknown>;
}

/** The same files, and a word to the user when one of them changes while it is in use. */
export function reportingChanges(files: FileAccess, report: (message: string) => void): FileAccess {
  return {
    read: (path) => files.read(path),
    open: (path) => (files.open === undefined ? files.read(path) : files.open(path, report)),
    list: (folder) => files.list(folder),
  };
}
