/** The base image of `llext check`: --base, and --config which replaces options of it. */
import { checkBaseOf } from '../lib/check/base';
import type { CheckBase } from '../lib/check/base';
import type { LlextConfig } from '../lib/llext/types';
import { readBase } from './base-image-file';
import { UsageError } from './usage-error';

type Change = (base: CheckBase, value: string) => CheckBase;

const flag =
  (name: keyof LlextConfig): Change =>
  (base, value) =>
    withConfig(base, { [name]: isSet(value) });

/** Kconfig options that a check depends on, without CONFIG_. */
const options: Readonly<Record<string, Change>> = {
  ARM_MPU: flag('armMpu'),
  ARC_MPU: flag('arcMpu'),
  MPU_REQUIRES_POWER_OF_TWO_ALIGNMENT: flag('mpuPowerOfTwo'),
  MMU: flag('mmu'),
  USERSPACE: flag('userspace'),
  HARVARD: flag('harvard'),
  LLEXT_IMPORT_ALL_GLOBALS: flag('importAllGlobals'),
  LLEXT_STORAGE_WRITABLE: flag('storageWritable'),
  LLEXT_EXPORT_BUILTINS_BY_SLID: flag('exportBySlid'),
  LLEXT_EXPORT_DEVICES: flag('exportDevices'),
  LLEXT_RODATA_NO_RELOC: flag('rodataNoReloc'),
  LLEXT_VENEERS: flag('veneers'),
  LLEXT_HEAP_SIZE: (base, value) => ({
    ...base,
    heap: { ...base.heap, bytes: numberOf(value) * 1024 },
    heapKnown: true,
  }),
  LLEXT_LOG_LEVEL: (base, value) => withConfig(base, { logLevel: numberOf(value) }),
  MMU_PAGE_SIZE: (base, value) => withConfig(base, { page: numberOf(value) }),
  PMP_GRANULARITY: (base, value) => withConfig(base, { pmpGranularity: numberOf(value) }),
  FP_HARDABI: (base, value) => ({ ...base, floatAbi: isSet(value) ? 'hard' : 'soft' }),
  MPU_REGIONS: (base, value) => ({ ...base, mpuRegions: numberOf(value) }),
};

export const configNames = Object.keys(options);

function withConfig(base: CheckBase, config: Partial<LlextConfig>): CheckBase {
  return { ...base, config: { ...base.config, ...config } };
}

function isSet(value: string): boolean {
  if (['y', '1', 'true'].includes(value)) return true;
  if (['n', '0', 'false', ''].includes(value)) return false;
  throw new UsageError(`--config: '${value}' is neither y nor n`);
}

function numberOf(value: string): number {
  if (!/^(0[xX][0-9a-fA-F]+|[0-9]+)$/.test(value)) throw new UsageError(`--config: '${value}' is not a number`);
  return Number(value);
}

export async function readCheckBase(file: string | undefined, changes: readonly string[]): Promise<CheckBase> {
  let base = checkBaseOf(await readBase(file));
  for (const change of changes) {
    const [, name, value] = /^(?:CONFIG_)?(\w+)=(.*)$/.exec(change) ?? [];
    if (name === undefined || !Object.hasOwn(options, name)) {
      throw new UsageError(`--config: '${change}' is not NAME=VALUE of ${configNames.join(', ')}`);
    }
    base = options[name](base, value);
  }
  return base;
}
