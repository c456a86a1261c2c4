/**
 * --base FILE of every command: a zephyr.elf (with .config and version.h of its build folder, when they are there), a
 * JSON list, or without FILE the built-in image. And what `llext load` needs of it: one heap, addresses, a pool.
 */
import { readFile } from 'node:fs/promises';
import { parseBaseImage as parse, type BaseImageDescription } from '../lib/base-image';
import { openBaseImage } from '../lib/base-image/open-base-image';
import { ElfFile } from '../lib/elf/elf-file';
import { FormatError } from '../lib/errors';
import { baseExports } from '../lib/kernel/base-image';
import { builtInBaseImage, builtInBaseImageFor } from '../lib/kernel/base-image-description';
import { planOfImage } from '../lib/kernel/llext-heaps';
import type { HeapPlan } from '../lib/kernel/llext-heaps';
import type { BaseExport, LlextConfig } from '../lib/llext/types';
import { checkExtension } from '../lib/target/base-image-check';
import { nearbyFiles } from './nearby-files';
import { UsageError } from './usage-error';

const HEAP_RECORDS = 0xf0_0000;

/** What a load works with. */
export interface BaseImage {
  readonly config: LlextConfig;
  readonly exports: readonly BaseExport[];
  readonly heap: { readonly address: bigint; readonly bytes: number };
  /** Of an image that does not have one k_heap for everything. */
  readonly heapPlan?: HeapPlan;
  /** Where the first file image goes. */
  readonly pool: bigint;
  /** Address of llext_list. */
  readonly listAddress: bigint;
}

export const baseOptionHelp = `  --base FILE                what extensions link against: a zephyr.elf with CONFIG_LLEXT, or a JSON list
                             { "exports": [{ "name": "printk", "address": "0x8001235" }] } (default: the built-in one)
`;

/** The built-in image of the first of the files that is an ELF. */
export function builtInBaseOf(files: readonly Uint8Array[]): BaseImageDescription {
  for (const bytes of files) {
    try {
      return builtInBaseImageFor(ElfFile.parse(bytes));
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
    }
  }
  return builtInBaseImage();
}

/** Throws UsageError: the file cannot be read, or is no base image. */
export async function readBase(file: string, option = '--base: '): Promise<BaseImageDescription> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (error) {
    throw new UsageError(`${option}cannot read ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
  const context = { origin: file, knownNames: baseExports.map(({ name }) => name) };
  try {
    return await openBaseImage({ path: file, bytes, files: nearbyFiles }, context, builtInBaseImage());
  } catch (error) {
    throw asUsageError(error, file, option);
  }
}

function asUsageError(error: unknown, file: string, option = '--base: '): unknown {
  if (!(error instanceof FormatError)) return error;
  return new UsageError(`${option}${error.message.startsWith(file) ? error.message : `${file}: ${error.message}`}`);
}

/** What speaks against loading a file into this image; what is no ELF is refused by the loader. */
export function extensionProblems(bytes: Uint8Array, base: BaseImageDescription): string[] {
  try {
    return checkExtension(ElfFile.parse(bytes), base);
  } catch (error) {
    if (error instanceof FormatError) return [];
    throw error;
  }
}

/** A JSON image from its text; throws UsageError. */
export function parseBaseImage(text: string, file: string): BaseImage {
  try {
    return loadableBase(parse(new TextEncoder().encode(text), { origin: file }, builtInBaseImage()));
  } catch (error) {
    throw asUsageError(error, file);
  }
}

/** Throws UsageError when something is missing that a load cannot do without. */
export function loadableBase(base: BaseImageDescription): BaseImage {
  const { config, exports, heaps, filePool, listAddress, origin } = base;
  const heap = heaps.at(0);
  if (heap === undefined) {
    throw new UsageError(
      `--base: ${origin} has no llext heap that could be found: give the zephyr.elf with its symbols, or a JSON list with heap_init_mem and heap_init_bytes`,
    );
  }
  const table = exports.map(({ name, slid, address, group }): BaseExport => {
    if (address === undefined) {
      throw new UsageError(
        `--base: ${origin} is a list of names without addresses, enough for 'llext inspect'; loading needs { "name", "address" }`,
      );
    }
    return { name: name ?? '', address, group, ...(slid === undefined ? {} : { slid }) };
  });
  // Behind the file images: what the heaps note about themselves is nowhere shown.
  const heapPlan = planOfImage(heaps, config, Number(filePool) + HEAP_RECORDS);
  const list = listAddress ?? filePool - 0x100n;
  return { config, exports: table, heap, heapPlan, pool: filePool, listAddress: list };
}
