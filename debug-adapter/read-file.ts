/** A file of a launch, whole or to be read in parts; why it cannot be read is the launch's error. */
import type { ByteSource } from '../lib/byte-source';
import { errors, messageOf } from './errors';
import type { FileAccess } from './services';

type Refusal = (path: string, reason: string) => Error;

export async function readFile(path: string, files: FileAccess): Promise<Uint8Array> {
  return orRefusal(path, errors.fileUnreadable, () => files.read(path));
}

export async function openFile(
  path: string,
  files: FileAccess,
  refusal: Refusal = errors.fileUnreadable,
): Promise<Uint8Array | ByteSource> {
  return orRefusal(path, refusal, async () => (files.open === undefined ? files.read(path) : files.open(path)));
}

async function orRefusal<T>(path: string, refusal: Refusal, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw refusal(path, messageOf(error));
  }
}
