/**
 * A base image as a JSON list, for a Zephyr whose ELF is not at hand:
 *
 *     ["printk", "k_malloc"]                                                  names, enough to check imports
 *     { "exports": [{ "name": "printk", "address": "0x8001235" }] }           with addresses, enough to load
 *
 * The second form may say `arch`, `ptr_size`, `page`, `config` and a heap; what it does not say is the built-in image's.
 * The export table may also be called `builtins`, with `addr` in place of `address`.
 */
import type { Arch } from '../arch';
import type { LlextConfig } from '../llext/types';
import { BaseImageError } from './base-image-error';
import type { BaseHeap, BaseImageDescription, BaseImageExport } from './description';

const architectures: readonly Arch[] = ['arm', 'arm64', 'riscv', 'x86', 'xtensa', 'arc', 'openrisc', 'rx'];

type Json = Readonly<Record<string, unknown>>;

/** Throws BaseImageError naming the first property that is missing or wrong. `builtIn`: what is not said. */
export function parseBaseImageJson(text: string, origin: string, builtIn: BaseImageDescription): BaseImageDescription {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw problem(`${origin}: neither an ELF file nor JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const image = Array.isArray(value) ? { exports: value } : object(value, origin);
  const [table, where] = image.exports === undefined ? [image.builtins, 'builtins'] : [image.exports, 'exports'];
  const heap = heapOf(image, origin);
  const pool = image.pool === undefined ? builtIn.filePool : address(image.pool, `${origin}: pool`);
  return {
    ...builtIn,
    kind: 'json',
    origin,
    machine: undefined,
    config: configOf(image, origin, builtIn.config),
    exports: exportTable(table, `${origin}: ${where}`),
    exportsFoundBy: 'list',
    heaps: heap === undefined ? builtIn.heaps : [heap],
    filePool: pool,
    // The file does not say where its llext_list is; no result shows it.
    listAddress: image.pool === undefined ? builtIn.listAddress : pool - 0x100n,
    debug: undefined,
    declarationOf: () => undefined,
    notes: [],
  };
}

function configOf(image: Json, origin: string, builtIn: LlextConfig): LlextConfig {
  const pointerSize =
    image.ptr_size === undefined ? builtIn.pointerSize : number(image.ptr_size, `${origin}: ptr_size`);
  if (pointerSize !== 4 && pointerSize !== 8) throw problem(`${origin}: ptr_size is neither 4 nor 8`);
  const arch = image.arch === undefined ? builtIn.arch : architecture(image.arch, `${origin}: arch`);
  const page = image.page === undefined ? builtIn.page : number(image.page, `${origin}: page`);
  const settings = image.config === undefined ? {} : object(image.config, `${origin}: config`);
  const flag = (name: string, otherwise: boolean): boolean => {
    const value = settings[name];
    if (value === undefined) return otherwise;
    return typeof value === 'boolean' ? value : number(value, `${origin}: config.${name}`) !== 0;
  };
  return {
    pointerSize,
    arch,
    page,
    armMpu: flag('ARM_MPU', builtIn.armMpu),
    mpuPowerOfTwo: flag('MPU_REQUIRES_POWER_OF_TWO_ALIGNMENT', true),
    mmu: flag('MMU', builtIn.mmu),
    importAllGlobals: flag('IMPORT_ALL_GLOBALS', builtIn.importAllGlobals),
    logLevel:
      settings.LOG_LEVEL === undefined ? builtIn.logLevel : number(settings.LOG_LEVEL, `${origin}: config.LOG_LEVEL`),
  };
}

function heapOf(image: Json, origin: string): BaseHeap | undefined {
  if (image.heap_init_mem === undefined && image.heap_init_bytes === undefined) return undefined;
  return {
    name: 'llext_heap',
    address: address(image.heap_init_mem, `${origin}: heap_init_mem`),
    bytes: number(image.heap_init_bytes, `${origin}: heap_init_bytes`),
    record: undefined,
  };
}

function exportTable(value: unknown, what: string): BaseImageExport[] {
  if (!Array.isArray(value)) {
    throw problem(`${what} is not a list: a base image is ["name", ...] or { "exports": [{ "name", "address" }] }`);
  }
  return value.map((entry: unknown, i) => {
    if (typeof entry === 'string') return { name: entry, slid: undefined, address: undefined };
    const record = object(entry, `${what}[${i}]`);
    if (typeof record.name !== 'string') throw problem(`${what}[${i}].name is not a string`);
    const [at, key] = record.address === undefined ? [record.addr, 'addr'] : [record.address, 'address'];
    return { name: record.name, slid: undefined, address: address(at, `${what}[${i}].${key}`) };
  });
}

function object(value: unknown, what: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw problem(`${what} is not an object`);
  return value as Json;
}

function number(value: unknown, what: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw problem(`${what} is not a number`);
  return value;
}

function address(value: unknown, what: string): bigint {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return BigInt(value);
  if (typeof value !== 'string' || !/^(0x[0-9a-fA-F]+|[0-9]+)$/.test(value)) {
    throw problem(`${what} is not an address as a 0x string`);
  }
  return BigInt(value);
}

function architecture(value: unknown, what: string): Arch {
  // Images name the build, which for RISC-V includes its width.
  const name = value === 'riscv32' || value === 'riscv64' ? 'riscv' : value;
  const arch = architectures.find((known) => known === name);
  if (arch === undefined) throw problem(`${what} is none of ${architectures.join(', ')}`);
  return arch;
}

const problem = (message: string): BaseImageError => new BaseImageError('json', message);
