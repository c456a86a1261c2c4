/** `--config NAME=VALUE`: Kconfig options, with or without CONFIG_, that replace those of the base image. */
import type { LlextConfig } from '../lib/llext/types';
import { UsageError } from './usage-error';

type Setting = (value: string) => Partial<LlextConfig>;

const flag =
  (name: keyof LlextConfig): Setting =>
  (value) => ({ [name]: isSet(value) });

const size =
  (name: keyof LlextConfig): Setting =>
  (value) => ({ [name]: numberOf(value) });

const ARC_MPU_V2_PAGE = 2048;

/** Options of the loader, by their names without CONFIG_. */
const settings: Readonly<Record<string, Setting>> = {
  ARM_MPU: flag('armMpu'),
  ARC_MPU: flag('arcMpu'),
  ARC_MPU_VER: (value) => (numberOf(value) === 2 ? { page: ARC_MPU_V2_PAGE } : {}),
  MPU_REQUIRES_POWER_OF_TWO_ALIGNMENT: flag('mpuPowerOfTwo'),
  MMU: flag('mmu'),
  MMU_PAGE_SIZE: size('page'),
  XCHAL_MPU_ALIGN: size('page'),
  PMP_GRANULARITY: size('pmpGranularity'),
  USERSPACE: flag('userspace'),
  HARVARD: flag('harvard'),
  ARMV6_M_ARMV8_M_BASELINE: (value) => ({ veneerStub: isSet(value) ? 'baseline' : 'mainline' }),
  LLEXT_IMPORT_ALL_GLOBALS: flag('importAllGlobals'),
  LLEXT_STORAGE_WRITABLE: flag('storageWritable'),
  LLEXT_EXPORT_BUILTINS_BY_SLID: flag('exportBySlid'),
  LLEXT_EXPORT_DEVICES: flag('exportDevices'),
  LLEXT_RODATA_NO_RELOC: flag('rodataNoReloc'),
  LLEXT_VENEERS: flag('veneers'),
  LLEXT_HEAP_MEMBLK_BLOCK_SIZE: size('memblkBlockSize'),
  LLEXT_LOG_LEVEL: size('logLevel'),
};

export const loaderConfigNames = Object.keys(settings);

export function isSet(value: string): boolean {
  if (['y', '1', 'true'].includes(value)) return true;
  if (['n', '0', 'false', ''].includes(value)) return false;
  throw new UsageError(`--config: '${value}' is neither y nor n`);
}

export function numberOf(value: string): number {
  if (!/^(0[xX][0-9a-fA-F]+|[0-9]+)$/.test(value)) throw new UsageError(`--config: '${value}' is not a number`);
  return Number(value);
}

/** Name and value of a change; the name is one of `known`. */
export function parseChange(
  change: string,
  known: readonly string[],
): { readonly name: string; readonly value: string } {
  const [, name, value] = /^(?:CONFIG_)?(\w+)=(.*)$/.exec(change) ?? [];
  if (name === undefined || !known.includes(name)) {
    throw new UsageError(`--config: '${change}' is not NAME=VALUE of ${known.join(', ')}`);
  }
  return { name, value };
}

/** What an option changes; undefined = it is none of the loader's. */
export function loaderChange(name: string, value: string): Partial<LlextConfig> | undefined {
  return Object.hasOwn(settings, name) ? settings[name](value) : undefined;
}

/** The configuration with all changes, in their order. */
export function withChanges(config: LlextConfig, changes: readonly string[]): LlextConfig {
  return changes.reduce((changed, change) => {
    const { name, value } = parseChange(change, loaderConfigNames);
    return { ...changed, ...loaderChange(name, value) };
  }, config);
}
