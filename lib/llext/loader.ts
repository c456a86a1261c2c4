/**
 * struct llext_loader: how the subsystem reads a file (prepare, seek, read, peek, finalize), and the state that it
 * keeps for one load (ELF header, region descriptors, the section map's address). llext_load_param is here too.
 */
import type { Ehdr, Shdr } from './elf-records';
import type { LlextStorage } from './types';

/** What struct llext_loader holds besides its functions; plain data. */
export interface LoaderState {
  hdr: Ehdr | undefined;
  /** sects[LLEXT_MEM_COUNT]: one merged header a region; empty before a load. */
  sects: Shdr[];
  /** Guest address of the section map, 0n when there is none. */
  sect_map: bigint;
  /** Before 4.1 these are here and not in struct llext. */
  sect_cnt: number;
  sect_hdrs: bigint;
  sect_hdrs_on_heap: boolean;
  /** Only the oldest version has this. */
  prog_data_size: bigint;
}

export function newLoaderState(): LoaderState {
  return {
    hdr: undefined,
    sects: [],
    sect_map: 0n,
    sect_cnt: 0,
    sect_hdrs: 0n,
    sect_hdrs_on_heap: false,
    prog_data_size: 0n,
  };
}

/** Functions return 0 or a negative errno, as Zephyr's do. */
export interface LlextLoader {
  readonly storage: LlextStorage;
  readonly state: LoaderState;
  /** Bytes of the file, where the loader knows. */
  readonly length?: number;
  prepare?(): number;
  seek(position: bigint): number;
  /** What is left of the wanted bytes (possibly nothing: then the destination keeps its contents), or an errno. */
  read(length: bigint): Uint8Array | number;
  /**
   * read() into guest memory without a copy in between: how many bytes of the wanted length there were. Absent: it is
   * not faster.
   */
  copyTo?(address: bigint, length: bigint): bigint;
  /** Guest address of the file's byte there; 0n = not available. Absent: the loader cannot peek. */
  peek?(position: bigint): bigint;
  finalize?(): void;
  /**
   * Those bytes at once, without moving the position; undefined when the file does not have all of them. Only for a
   * loader that cannot fail: one look at a whole table is then the same as Zephyr's one call for each entry.
   */
  slice?(position: bigint, length: bigint): Uint8Array | undefined;
}

/** A section as section_detached sees it. */
export interface DetachableSection extends Readonly<Shdr> {
  readonly name: string;
}

export interface LlextLoadParam {
  readonly relocate_local: boolean;
  readonly pre_located: boolean;
  readonly keep_section_info: boolean;
  /** true: the section stays out of its region and is used where the file image lies. */
  readonly section_detached?: (section: DetachableSection) => boolean;
}

/** LLEXT_LOAD_PARAM_DEFAULT. */
export const defaultLoadParam: LlextLoadParam = { relocate_local: true, pre_located: false, keep_section_info: false };

export function llextPeek(ldr: LlextLoader, position: bigint): bigint {
  return ldr.peek === undefined ? 0n : ldr.peek(position);
}

/** llext_read into a local variable: what the file does not have keeps its previous contents. */
export function readInto(ldr: LlextLoader, destination: Uint8Array, length = destination.length): number {
  const bytes = ldr.read(BigInt(length));
  if (typeof bytes === 'number') return bytes;
  destination.set(bytes);
  return 0;
}
