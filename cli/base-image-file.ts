/**
 * A base image for `llext load`: what the loader knows of the Zephyr that it runs in. Either the built-in one, or a JSON
 * file with pointer size, page, configuration, heap, address for file images, and the export table `builtins`.
 */
import type { Arch } from '../lib/arch';
import { baseExports, exportAddress } from '../lib/kernel/base-image';
import { baseImageConfig, DEFAULT_HEAP_SIZE_KIB, LLEXT_LIST, memoryMap } from '../lib/kernel/memory-map';
import type { BaseExport, LlextConfig } from '../lib/llext/types';
import { UsageError } from './usage-error';

export interface BaseImage {
  readonly config: LlextConfig;
  readonly exports: readonly BaseExport[];
  readonly heap: { readonly address: bigint; readonly bytes: number };
  /** Where the first file image goes. */
  readonly pool: bigint;
  /** Address of llext_list. */
  readonly listAddress: bigint;
}

export function builtInBaseImage(): BaseImage {
  const map = memoryMap(DEFAULT_HEAP_SIZE_KIB);
  return {
    config: baseImageConfig,
    exports: baseExports.map((symbol) => ({ name: symbol.name, address: BigInt(exportAddress(symbol)) })),
    heap: { address: BigInt(map.llextHeap.base), bytes: map.llextHeap.size },
    pool: BigInt(map.elfBuffers),
    listAddress: BigInt(LLEXT_LIST),
  };
}

const architectures: readonly Arch[] = ['arm', 'arm64', 'riscv', 'x86', 'xtensa', 'arc', 'openrisc', 'rx'];

type Json = Readonly<Record<string, unknown>>;

/** Throws UsageError naming the first property that is missing or wrong. */
export function parseBaseImage(text: string, file: string): BaseImage {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${file}: not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const image = object(value, file);
  const config = object(image.config, `${file}: config`);
  const pointerSize = number(image.ptr_size, `${file}: ptr_size`);
  if (pointerSize !== 4 && pointerSize !== 8) throw new UsageError(`${file}: ptr_size is neither 4 nor 8`);
  const pool = address(image.pool, `${file}: pool`);
  const heapAddress = address(image.heap_init_mem, `${file}: heap_init_mem`);
  return {
    config: {
      pointerSize,
      arch: architecture(image.arch, `${file}: arch`),
      page: number(image.page, `${file}: page`),
      armMpu: flag(config.ARM_MPU, `${file}: config.ARM_MPU`),
      mpuPowerOfTwo: flag(config.MPU_REQUIRES_POWER_OF_TWO_ALIGNMENT ?? 1, `${file}: config.MPU_REQUIRES...`),
      mmu: flag(config.MMU, `${file}: config.MMU`),
      importAllGlobals: flag(config.IMPORT_ALL_GLOBALS, `${file}: config.IMPORT_ALL_GLOBALS`),
      logLevel: number(config.LOG_LEVEL, `${file}: config.LOG_LEVEL`),
    },
    exports: exportTable(image.builtins, `${file}: builtins`),
    heap: { address: heapAddress, bytes: number(image.heap_init_bytes, `${file}: heap_init_bytes`) },
    pool,
    // The file does not say where its llext_list is; no result shows it.
    listAddress: pool - 0x100n,
  };
}

function exportTable(value: unknown, what: string): BaseExport[] {
  if (!Array.isArray(value)) throw new UsageError(`${what} is not a list`);
  return value.map((entry: unknown, i) => {
    const { name, addr } = object(entry, `${what}[${i}]`);
    if (typeof name !== 'string') throw new UsageError(`${what}[${i}].name is not a string`);
    return { name, address: address(addr, `${what}[${i}].addr`) };
  });
}

function object(value: unknown, what: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UsageError(`${what} is not an object`);
  }
  return value as Json;
}

function number(value: unknown, what: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw new UsageError(`${what} is not a number`);
  }
  return value;
}

function flag(value: unknown, what: string): boolean {
  return typeof value === 'boolean' ? value : number(value, what) !== 0;
}

function address(value: unknown, what: string): bigint {
  if (typeof value !== 'string' || !/^0x[0-9a-fA-F]+$/.test(value)) {
    throw new UsageError(`${what} is not an address as a 0x string`);
  }
  return BigInt(value);
}

function architecture(value: unknown, what: string): Arch {
  // Images name the build, which for RISC-V includes its width.
  const name = value === 'riscv32' || value === 'riscv64' ? 'riscv' : value;
  const arch = architectures.find((known) => known === name);
  if (arch === undefined) throw new UsageError(`${what} is none of ${architectures.join(', ')}`);
  return arch;
}
