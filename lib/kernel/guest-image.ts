/**
 * What a machine starts with: the base image that extensions link against, where host and loader have their memory,
 * and which functions of it the host performs. Made here for the built-in image; base-image-guest.ts makes it of a
 * real one.
 */
import type { CpuInfo } from '../arch';
import type { BaseExport, LlextConfig } from '../llext/types';
import { baseExportsOf, baseObjects, hostSymbols, loaderExportsOf } from './base-image';
import { flashImage } from './flash-image';
import { littleEndian } from './guest-memory';
import type { ServedFunction } from './host-calls';
import { baseImageConfig, FILE_SIZE, FLASH_BASE, memoryMap, type MemoryMap } from './memory-map';

/** A function or an object of the base image, as call stacks and faults name it. */
export interface ImageSymbol {
  readonly name: string;
  /** Of the first instruction: without the Thumb bit. */
  readonly address: number;
  readonly size: number;
}

export interface GuestImage {
  readonly map: MemoryMap;
  readonly config: LlextConfig;
  readonly exports: readonly BaseExport[];
  /** Performed by the host when the machine comes to their address. */
  readonly served: readonly ServedFunction[];
  /** By address, ascending. */
  readonly symbols: readonly ImageSymbol[];
  /** What is in memory before anything runs. */
  readonly contents: readonly { readonly address: number; readonly bytes: Uint8Array }[];
}

/** Any value does: code only compares it with itself. */
const STACK_CANARY = 0x5ac3_9d00;

export function builtInImage(heapSizeKiB: number, cpu: CpuInfo): GuestImage {
  const exports = baseExportsOf(cpu.arch);
  const map = memoryMap(heapSizeKiB);
  return {
    map,
    config: baseImageConfig(cpu),
    exports: loaderExportsOf(cpu.arch),
    served: exports.filter((symbol) => symbol.kind === 'function'),
    symbols: [...hostSymbols, ...exports].sort((a, b) => a.address - b.address),
    contents: [{ address: FLASH_BASE, bytes: flashImage(cpu) }, ...objectContents(map, cpu)],
  };
}

/** The stream pointers and the canary of -fstack-protector. */
function objectContents({ files }: MemoryMap, { pointerSize }: CpuInfo): GuestImage['contents'] {
  return baseObjects.flatMap(({ name, address }) => {
    const stream = streamNames.indexOf(name);
    if (stream >= 0) return [{ address, bytes: littleEndian(files + stream * FILE_SIZE, pointerSize) }];
    return name === '__stack_chk_guard' ? [{ address, bytes: littleEndian(STACK_CANARY, pointerSize) }] : [];
  });
}

const streamNames = ['stdin', 'stdout', 'stderr'];
