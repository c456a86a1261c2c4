/** Kconfig settings -> the configuration that the loader works with, and the version of Zephyr -> the loader's version. */
import type { LlextConfig } from '../llext/types';
import type { ProfileName } from '../llext/profile';
import type { BaseMachine, KconfigFacts } from './description';
import { isSet, settingNumber } from './kconfig';

/** LLEXT_PAGE_SIZE where neither an MMU nor an ARC MPU of version 2 decides (specification 1.8). */
const MPU_PAGE = 32;
const ARC_MPU_V2_PAGE = 2048;
const MMU_PAGE = 4096;
/** CONFIG_LOG_DEFAULT_LEVEL, for a build that does not tell. */
const INFO_LEVEL = 3;
const DEFAULT_BLOCK_SIZE = 32;

export function llextConfigOf(machine: BaseMachine, kconfig: KconfigFacts, version: string | undefined): LlextConfig {
  const is = (name: string): boolean => isSet(kconfig, name);
  const profile = version === undefined ? undefined : profileOfVersion(version);
  const logLevel = settingNumber(kconfig, 'LLEXT_LOG_LEVEL') ?? (kconfig.source === undefined ? INFO_LEVEL : 0);
  const pmp = is('RISCV_PMP') ? settingNumber(kconfig, 'PMP_GRANULARITY') : undefined;
  const blockSize = settingNumber(kconfig, 'LLEXT_HEAP_MEMBLK_BLOCK_SIZE') ?? DEFAULT_BLOCK_SIZE;
  return {
    ...(profile === undefined ? {} : { profile }),
    pointerSize: machine.is64 ? 8 : 4,
    arch: machine.arch,
    bigEndian: machine.bigEndian,
    page: pageSize(kconfig),
    armMpu: is('ARM_MPU'),
    mpuPowerOfTwo: is('MPU_REQUIRES_POWER_OF_TWO_ALIGNMENT'),
    mmu: is('MMU'),
    userspace: is('USERSPACE'),
    arcMpu: is('ARC_MPU'),
    ...(pmp === undefined ? {} : { pmpGranularity: pmp }),
    importAllGlobals: is('LLEXT_IMPORT_ALL_GLOBALS'),
    logLevel,
    storageWritable: is('LLEXT_STORAGE_WRITABLE'),
    harvard: is('HARVARD'),
    ...(is('LLEXT_HEAP_MEMBLK') ? { memblkBlockSize: blockSize } : {}),
    rodataNoReloc: is('LLEXT_RODATA_NO_RELOC'),
    veneers: is('LLEXT_VENEERS'),
    ...(is('ARMV6_M_ARMV8_M_BASELINE') ? { veneerStub: 'baseline' as const } : {}),
    exportBySlid: is('LLEXT_EXPORT_BUILTINS_BY_SLID'),
    exportDevices: is('LLEXT_EXPORT_DEVICES'),
  };
}

function pageSize(kconfig: KconfigFacts): number {
  if (isSet(kconfig, 'MMU')) return settingNumber(kconfig, 'MMU_PAGE_SIZE') ?? MMU_PAGE;
  return settingNumber(kconfig, 'ARC_MPU_VER') === 2 ? ARC_MPU_V2_PAGE : MPU_PAGE;
}

/** Of versions between two that the specification has, the nearer one (specification 0). */
export function profileOfVersion(version: string): ProfileName | undefined {
  const match = /^(\d+)\.(\d+)/.exec(version);
  if (match === null) return undefined;
  const [major, minor] = [Number(match[1]), Number(match[2])];
  const number = major * 100 + minor;
  if (number < 400) return 'SEED';
  if (number <= 402) return 'V41';
  return number <= 404 ? 'V44' : 'S';
}
