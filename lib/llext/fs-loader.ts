/**
 * fs_loader.c, LLEXT_FS_LOADER: reads an extension from a file system. The file is open from prepare to finalize; a short
 * read is -EINVAL, unlike the buffer loader's, and there is no peek, so that everything is copied (specification 1.8).
 */
import { Errno } from '../errors';
import type { LlextLoader, LoaderState } from './loader';
import { newLoaderState } from './loader';

/** fs_file_t: functions return a negative errno when they fail. */
export interface LlextFile {
  seek(position: bigint): number;
  read(length: bigint): Uint8Array | number;
  close(): void;
}

export interface LlextFileSystem {
  /** fs_stat: a negative errno when there is nothing of that name. */
  stat(path: string): 'file' | 'directory' | number;
  /** fs_open with FS_O_READ. */
  open(path: string): LlextFile | number;
}

export class FsLoader implements LlextLoader {
  readonly storage = 'temporary';
  readonly state: LoaderState = newLoaderState();
  private file: LlextFile | undefined;

  constructor(
    private readonly fileSystem: LlextFileSystem,
    readonly path: string,
  ) {}

  prepare(): number {
    const file = this.fileSystem.open(this.path);
    if (typeof file === 'number') return file;
    this.file = file;
    return 0;
  }

  seek(position: bigint): number {
    return this.file === undefined ? -Errno.EINVAL : this.file.seek(position);
  }

  read(length: bigint): Uint8Array | number {
    const bytes = this.file?.read(length) ?? -Errno.EINVAL;
    return typeof bytes === 'number' || BigInt(bytes.length) !== length ? -Errno.EINVAL : bytes;
  }

  finalize(): void {
    this.file?.close();
    this.file = undefined;
  }
}

/** A file system that is a list of files; a path that is a prefix of others' is a directory. */
export class MemoryFileSystem implements LlextFileSystem {
  constructor(private readonly files: ReadonlyMap<string, Uint8Array>) {}

  stat(path: string): 'file' | 'directory' | number {
    if (this.files.has(path)) return 'file';
    const folder = path.endsWith('/') ? path : `${path}/`;
    return [...this.files.keys()].some((name) => name.startsWith(folder)) ? 'directory' : -Errno.ENOENT;
  }

  open(path: string): LlextFile | number {
    const bytes = this.files.get(path);
    if (bytes === undefined) return -Errno.ENOENT;
    let position = 0;
    return {
      seek(to) {
        // As littlefs: behind the end is allowed, and nothing is read there.
        position = to < BigInt(bytes.length) ? Number(to) : bytes.length;
        return 0;
      },
      read(length) {
        const left = bytes.length - position;
        const part = bytes.subarray(position, position + (length < BigInt(left) ? Number(length) : left));
        position += part.length;
        return part;
      },
      close: () => undefined,
    };
  }
}
