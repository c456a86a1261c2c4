/**
 * One load as JSON: the fields of the golden cases with their spellings, so that results can be compared with what
 * Zephyr's own loader did. Addresses are 0x strings, sizes of regions numbers. Beyond those fields: section names in
 * sect_map, `missing` (all imports that nothing provides) and `error` after a failure.
 */
import { errnoName } from '../lib/errors';
import type { LlextExtension, SymbolTable } from '../lib/llext/extension';
import type { LlextLoadResult } from '../lib/llext/llext';
import type { MissingImport } from '../lib/target/missing-imports';
import type { LlextStorage } from '../lib/llext/types';

export const storageNumbers: Readonly<Record<LlextStorage, number>> = { temporary: 0, persistent: 1, writable: 2 };

/** What was asked for; printed first. */
export interface LoadRequest {
  readonly req_name: string;
  readonly file: string;
  readonly file_len: number;
  readonly storage: number;
  readonly relocate_local: number;
  readonly pre_located: number;
  readonly keep: number;
  readonly nopeek: number;
  readonly buf: string;
}

export type JsonObject = Record<string, unknown>;

/** Regions whose contents are plain copies of the file's tables. */
const tableRegions = new Set<string>(['SYMTAB', 'STRTAB', 'SHSTRTAB']);

export function hexAddress(address: bigint): string {
  return `0x${address.toString(16)}`;
}

/** Everything of the extension's struct as it is now. */
export function extensionJson(extension: LlextExtension): JsonObject {
  return {
    ext: hexAddress(extension.address),
    name: extension.name,
    use_count: extension.useCount,
    alloc_size: Number(extension.allocSize),
    sect_cnt: extension.sectCnt,
    sect_hdrs: hexAddress(extension.sectHdrs),
    sect_hdrs_on_heap: extension.sectHdrsOnHeap,
    dependency: extension.dependency.map(hexAddress),
    regions: regionsJson(extension),
    sym_tab: tableJson(extension.symTab),
    exp_tab: tableJson(extension.expTab),
  };
}

function regionsJson(extension: LlextExtension): JsonObject[] {
  const { mem, memSize, memOnHeap, regionNames } = extension;
  return regionNames.flatMap((region, idx) => {
    if (memSize[idx] === 0n && mem[idx] === 0n) return [];
    const facts: JsonObject = {
      idx,
      region,
      addr: hexAddress(mem[idx]),
      size: Number(memSize[idx]),
      on_heap: memOnHeap[idx],
    };
    if (!tableRegions.has(region)) facts.hex = mem[idx] === 0n ? null : hexBytes(extension.regionBytes(idx));
    return [facts];
  });
}

function tableJson({ count, address, symbols }: SymbolTable): JsonObject {
  return {
    cnt: count,
    syms_addr: hexAddress(address),
    syms: symbols.map(({ name, nameAddress, address: addr }) => ({
      name,
      name_addr: hexAddress(nameAddress),
      addr: hexAddress(addr),
    })),
  };
}

/** Region descriptors after mapping; those of a failed load are as far as it came. */
export function sectsJson(result: LlextLoadResult): JsonObject[] {
  return result.sects.flatMap((section, idx) => {
    if (section.sh_type === 0) return [];
    return [
      {
        idx,
        region: result.regionNames[idx],
        type: section.sh_type,
        flags: hexAddress(section.sh_flags),
        addr: hexAddress(section.sh_addr),
        offset: hexAddress(section.sh_offset),
        size: hexAddress(section.sh_size),
        align: hexAddress(section.sh_addralign),
        prepad: section.sh_info,
      },
    ];
  });
}

/** The section map, whether or not the target keeps it: every section, with mem_idx 11 for those in no region. */
export function sectMapJson(extension: LlextExtension): JsonObject[] {
  const { mem, regionNames } = extension;
  const bySection = new Map(extension.sections.map((section) => [section.index, section]));
  const names = extension.sectionHeaders()?.map(({ name }) => name);
  return Array.from({ length: extension.sectCnt }, (_, sect) => {
    const name = names?.[sect];
    const placed = bySection.get(sect);
    if (placed === undefined) return { sect, name, mem_idx: regionNames.length, offset: 0, ptr: '0x0' };
    const mem_idx = regionNames.indexOf(placed.region);
    const offset = Number(BigInt.asUintN(64, placed.address - mem[mem_idx]));
    return { sect, name, mem_idx, region: placed.region, offset, ptr: hexAddress(placed.address) };
  });
}

/** What a failed load says besides `ret`. */
export function failureJson(result: LlextLoadResult, missing: readonly MissingImport[]): JsonObject {
  const name = errnoName(result.ret);
  const error = result.fault?.message ?? (name === undefined ? undefined : `-${name}`);
  return { error, fault: result.fault !== undefined || undefined, missing };
}

function hexBytes(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}
