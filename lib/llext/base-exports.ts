/**
 * The base image's export table as the loader searches it (specification 3.4): by exact name, or, when the image was built
 * with CONFIG_LLEXT_EXPORT_BUILTINS_BY_SLID, by the SLID that packaging has written into the st_value of undefined symbols.
 */
import { byteString } from './guest';
import { slidOf } from './slid';
import type { BaseExport, LlextConfig } from './types';

export interface BaseExports {
  /** Address by byte string of the name; the first entry of the table wins. */
  readonly byName: ReadonlyMap<string, bigint>;
  /** Only in a table by SLID. */
  readonly bySlid: ReadonlyMap<bigint, bigint> | undefined;
}

export function baseExportsOf(config: LlextConfig, table: readonly BaseExport[]): BaseExports {
  const byName = new Map<string, bigint>();
  const bySlid = new Map<bigint, bigint>();
  for (const { name, slid, address } of table) {
    const key = byteString(name);
    if (name !== '' && !byName.has(key)) byName.set(key, address);
    if (config.exportBySlid !== true) continue;
    const id = slid ?? slidOf(name, config.pointerSize);
    if (!bySlid.has(id)) bySlid.set(id, address);
  }
  return { byName, bySlid: config.exportBySlid === true ? bySlid : undefined };
}

/** Address of an import, by its name and its symbol's st_value; 0n = not found. */
export function findBaseExport({ byName, bySlid }: BaseExports, name: string, st_value: bigint): bigint {
  return (bySlid === undefined ? byName.get(name) : bySlid.get(st_value)) ?? 0n;
}

/**
 * llext_find_sym(NULL, name) with what the caller has: a name as a byte string, or the value of the pointer, which in an
 * image by SLID must be the SLID; a name is not found there.
 */
export function findBuiltin({ byName, bySlid }: BaseExports, key: string | bigint): bigint {
  if (typeof key === 'bigint') return bySlid?.get(key) ?? 0n;
  return (bySlid === undefined ? byName.get(key) : undefined) ?? 0n;
}

/** Why an import was not found by SLID, where the file itself tells. */
export function slidHint(config: LlextConfig, name: string, st_value: bigint): string | undefined {
  if (config.exportBySlid !== true || name === '') return undefined;
  const slid = slidOf(name, config.pointerSize);
  if (st_value === slid) return undefined;
  const found = st_value === 0n ? 'none' : `0x${st_value.toString(16)}`;
  return `'${name}' has no SLID of its name (0x${slid.toString(16)}) but ${found}: the image exports by SLID, inject them`;
}
