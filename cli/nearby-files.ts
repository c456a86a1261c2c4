/** The file system as lib looks for what lies around a file. */
import { readdir, readFile } from 'node:fs/promises';
import type { NearbyFiles } from '../lib/program/debug-companions';

export const nearbyFiles: NearbyFiles = {
  read: (path) => readFile(path),
  // The folder of a bare name is the current one.
  list: (folder) => readdir(folder === '' ? '.' : folder).catch((): string[] => []),
};
