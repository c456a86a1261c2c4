/**
 * A file whose bytes are read where somebody looks, by positional reads of an open descriptor. Small files are read whole instead,
 * so that a build in the middle of a session takes nothing away from it. A linker replaces its output, and the descriptor keeps the old
 * file; one that is written over in place is noticed by size and time of modification, and refused from then on: what was read of the
 * old file and what would be read of the new one are never put together. Both are looked at after a reading when the last look is older
 * than a file system's clock is fine.
 */
import { closeSync, fstatSync, openSync, readFile, readSync, type Stats } from 'node:fs';
import { promisify } from 'node:util';
import type { ByteSource, ByteWindow, FindBytes, Scratch } from '../lib/byte-source';
import { FormatError } from '../lib/errors';

/** Up to here a file is read whole. */
const smallFile = 4 * 1024 * 1024;
/** Milliseconds; the times of files on Linux are those of a clock that ticks every 1 to 10 ms. */
const checkInterval = 4;

/** node:fs/promises would load what nothing else of a start needs. */
const readWhole = promisify(readFile);

/** Called once; readers keep what they could not read to themselves. */
export type ChangeReport = (message: string) => void;

/** Rejects with an Error that says why the file cannot be read. */
export async function openSource(path: string, onChange?: ChangeReport): Promise<Uint8Array | ByteSource> {
  return openLarge(path, smallFile, onChange) ?? wholeFile(path);
}

/** undefined: the file has no more than so many bytes, or is none. */
export function openLarge(path: string, largestWhole: number, onChange?: ChangeReport): ByteSource | undefined {
  const descriptor = openSync(path, 'r');
  const stats = fstatSync(descriptor);
  if (stats.isFile() && stats.size > largestWhole) return new FileSource(path, descriptor, stats, onChange);
  closeSync(descriptor);
  return undefined;
}

export async function wholeFile(path: string): Promise<Uint8Array> {
  const { buffer, byteOffset, byteLength } = await readWhole(path);
  return new Uint8Array(buffer, byteOffset, byteLength);
}

const findInBuffer: FindBytes = (bytes, wanted, from) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).indexOf(wanted, from);

/** Nobody knows when the last reader is gone. */
const descriptors = new FinalizationRegistry<number>((descriptor) => closeSync(descriptor));

class FileSource implements ByteSource {
  readonly length: number;
  readonly find = findInBuffer;
  private checked = performance.now();
  private isChanged = false;
  private isTold = false;

  constructor(
    private readonly path: string,
    private readonly descriptor: number,
    private readonly opened: Stats,
    private readonly onChange: ChangeReport | undefined,
  ) {
    this.length = opened.size;
    descriptors.register(this, descriptor);
  }

  window(start: number, end: number, scratch?: Scratch): ByteWindow {
    const bytes = scratch?.take(end - start) ?? new Uint8Array(end - start);
    for (let done = 0; done < bytes.length;) {
      const count = this.read(bytes, done, start + done);
      // It has become shorter.
      if (count === 0) this.isChanged = true;
      this.check(start);
      done += count;
    }
    return { start, bytes };
  }

  private read(bytes: Uint8Array, at: number, position: number): number {
    try {
      return readSync(this.descriptor, bytes, at, bytes.length - at, position);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new FormatError('unreadable', this.path, position, `the file cannot be read: ${reason}`);
    }
  }

  private check(position: number): void {
    const now = performance.now();
    if (!this.isChanged && now - this.checked >= checkInterval) {
      this.checked = now;
      const { size, mtimeMs } = fstatSync(this.descriptor);
      this.isChanged = size !== this.opened.size || mtimeMs !== this.opened.mtimeMs;
    }
    if (!this.isChanged) return;
    const error = new FormatError('file-changed', this.path, position);
    if (!this.isTold) this.onChange?.(error.message);
    this.isTold = true;
    throw error;
  }
}
