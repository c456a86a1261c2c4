/**
 * enum llext_mem (specification 1.5): which regions exist and with which numbers, by version and configuration. In the
 * newest version two of them are conditional and shift all that follow. A debugger that has the enum from the base
 * image's DWARF passes its order in LlextConfig.regions.
 */
import type { Profile } from './profile';
import type { LlextConfig } from './types';

/** Every region of any version; the first eight are those of the oldest, the first eleven those of the 4.2 era. */
export const allRegionNames = [
  'TEXT',
  'DATA',
  'RODATA',
  'BSS',
  'EXPORT',
  'SYMTAB',
  'STRTAB',
  'SHSTRTAB',
  'PREINIT',
  'INIT',
  'FINI',
  'RODATA_NO_RELOC',
  'VENEER',
] as const;
export type RegionName = (typeof allRegionNames)[number];

const oldestRegions = 8;
const regionsOf42 = 11;

/** Enumerators without their prefix LLEXT_MEM_; undefined = this build has no such region. */
export interface Regions {
  readonly TEXT: number;
  readonly DATA: number;
  readonly RODATA: number;
  readonly BSS: number;
  readonly EXPORT: number;
  readonly SYMTAB: number;
  readonly STRTAB: number;
  readonly SHSTRTAB: number;
  readonly PREINIT: number | undefined;
  readonly INIT: number | undefined;
  readonly FINI: number | undefined;
  readonly RODATA_NO_RELOC: number | undefined;
  readonly VENEER: number | undefined;
  /** LLEXT_MEM_COUNT, which in the section map means "in no region". */
  readonly COUNT: number;
  /** LLEXT_MEM_PARTITIONS: regions that are memory partitions under CONFIG_USERSPACE. */
  readonly PARTITIONS: number;
  /** In the order of the enum. */
  readonly names: readonly RegionName[];
}

function namesOf(profile: Profile, config: LlextConfig): readonly RegionName[] {
  if (config.regions !== undefined) return config.regions;
  const names = allRegionNames.slice(0, profile.regionEnum === 'eight' ? oldestRegions : regionsOf42);
  if (profile.regionEnum !== 'by-config') return names;
  return names.flatMap((name): RegionName[] => {
    if (name === 'RODATA' && config.rodataNoReloc === true) return [name, 'RODATA_NO_RELOC'];
    if (name === 'BSS' && config.veneers === true) return [name, 'VENEER'];
    return [name];
  });
}

export function regionsFor(profile: Profile, config: LlextConfig): Regions {
  const names = namesOf(profile, config);
  const numbers = new Map(names.map((name, i) => [name, i]));
  const needed = (name: RegionName): number => {
    const number = numbers.get(name);
    if (number === undefined) throw new RangeError(`enum llext_mem has no LLEXT_MEM_${name}`);
    return number;
  };
  return {
    TEXT: needed('TEXT'),
    DATA: needed('DATA'),
    RODATA: needed('RODATA'),
    BSS: needed('BSS'),
    EXPORT: needed('EXPORT'),
    SYMTAB: needed('SYMTAB'),
    STRTAB: needed('STRTAB'),
    SHSTRTAB: needed('SHSTRTAB'),
    PREINIT: numbers.get('PREINIT'),
    INIT: numbers.get('INIT'),
    FINI: numbers.get('FINI'),
    RODATA_NO_RELOC: numbers.get('RODATA_NO_RELOC'),
    VENEER: numbers.get('VENEER'),
    COUNT: names.length,
    PARTITIONS: needed('EXPORT'),
    names,
  };
}
