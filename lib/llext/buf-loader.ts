/**
 * buf_loader.c: reads a file image that lies in guest memory. It never fails: a seek is clamped to the length, a read
 * copies only what is left and still succeeds, and peek checks nothing but the start (specification 1.3).
 */
import type { LlextLoader, LoaderState } from './loader';
import { newLoaderState } from './loader';
import type { LlextConfig, LlextMemory, LlextStorage } from './types';

export interface BufLoaderOptions {
  readonly storage: LlextStorage;
  /** false makes it a loader without peek, as the file-system loader is. */
  readonly peek?: boolean;
  /** Positions that it refuses to peek: what lies there is then copied. */
  readonly mustCopy?: (position: bigint) => boolean;
}

export class BufLoader implements LlextLoader {
  readonly storage: LlextStorage;
  readonly state: LoaderState = newLoaderState();
  readonly peek: ((position: bigint) => bigint) | undefined;
  readonly copyTo: ((target: bigint, length: bigint) => bigint) | undefined;
  private position = 0n;

  constructor(
    private readonly memory: LlextMemory,
    /** Guest address of the file image. */
    readonly address: bigint,
    readonly length: number,
    options: BufLoaderOptions,
  ) {
    this.storage = options.storage;
    if (options.peek !== false) {
      this.peek = (position) => {
        const inside = position < BigInt(this.length) && options.mustCopy?.(position) !== true;
        return inside ? this.address + position : 0n;
      };
    }
    if (memory.copy !== undefined) this.copyTo = (target, length) => this.copyWithin(target, length);
  }

  seek(position: bigint): number {
    const end = BigInt(this.length);
    this.position = position < end ? position : end;
    return 0;
  }

  private atMost(length: bigint): bigint {
    const left = BigInt(this.length) - this.position;
    return length < left ? length : left;
  }

  private copyWithin(target: bigint, length: bigint): bigint {
    const count = this.atMost(length);
    if (count > 0n) this.memory.copy?.(target, this.address + this.position, Number(count));
    this.position += count;
    return count;
  }

  read(length: bigint): Uint8Array {
    const count = this.atMost(length);
    const bytes = this.memory.read(this.address + this.position, Number(count));
    this.position += count;
    return bytes;
  }

  slice(position: bigint, length: bigint): Uint8Array | undefined {
    if (position + length > BigInt(this.length)) return undefined;
    return this.memory.read(this.address + position, Number(length));
  }
}

/** LLEXT_BUF_LOADER: CONFIG_LLEXT_STORAGE_WRITABLE says who may write to the buffer. */
export function llextBufLoader(
  memory: LlextMemory,
  address: bigint,
  length: number,
  { storageWritable }: Pick<LlextConfig, 'storageWritable'>,
): BufLoader {
  return new BufLoader(memory, address, length, { storage: storageWritable === true ? 'writable' : 'persistent' });
}

/** LLEXT_TEMPORARY_BUF_LOADER: the buffer is only there during llext_load. */
export function llextTemporaryBufLoader(memory: LlextMemory, address: bigint, length: number): BufLoader {
  return new BufLoader(memory, address, length, { storage: 'temporary' });
}

/** LLEXT_PERSISTENT_BUF_LOADER: it is there as long as the extension, and is not written. */
export function llextPersistentBufLoader(memory: LlextMemory, address: bigint, length: number): BufLoader {
  return new BufLoader(memory, address, length, { storage: 'persistent' });
}

/** LLEXT_WRITABLE_BUF_LOADER: the extension is linked in the buffer, which another load needs fresh. */
export function llextWritableBufLoader(memory: LlextMemory, address: bigint, length: number): BufLoader {
  return new BufLoader(memory, address, length, { storage: 'writable' });
}
