/**
 * llext_map_sections (specification 1.5 to 1.7): which section belongs to which region, the regions' extent in the
 * file with their padding in front, the overlap test, and each section's offset in its region. No memory is touched
 * but the section map. Everything between two sections of a region becomes part of it.
 */
import {
  ET_DYN,
  SHF_ALLOC,
  SHF_EXECINSTR,
  SHF_TLS,
  SHF_WRITE,
  SHT_FINI_ARRAY,
  SHT_INIT_ARRAY,
  SHT_NOBITS,
  SHT_NULL,
  SHT_PREINIT_ARRAY,
  SHT_PROGBITS,
  SHT_REL,
  SHT_RELA,
} from '../elf/constants';
import { Errno } from '../errors';
import * as X from './context';
import type { LoadContext } from './context';
import type { Shdr } from './elf-records';
import { displayName } from './guest';
import { llextPeek } from './loader';
import type { Profile } from './profile';
import type { RegionName } from './regions';

/** SHF_WRITE | SHF_ALLOC | SHF_EXECINSTR */
const SHF_BASIC_TYPE_MASK = 7n;
/** Zephyr's own flag on region descriptors; the value that golden shows. */
export const SHF_LLEXT_HAS_RELOCS = 0x100000n;

const rodataNoReloc = '.llext.rodata.noreloc';

const regionsByName = new Map<string, RegionName>([
  ['.text', 'TEXT'],
  ['.data', 'DATA'],
  ['.rodata', 'RODATA'],
  ['.bss', 'BSS'],
  ['.exported_sym', 'EXPORT'],
]);

/** What the newest version leaves out although it is allocated. */
const skippedNames = ['.relro_padding', '.heap', '.stack'];

/** The region of a section by its type, flags and name; undefined = none. Without a profile that of the 4.2 era. */
export function regionNameOf(type: number, flags: bigint, name: string, profile?: Profile): RegionName | undefined {
  if (profile?.mapByName === true) return regionsByName.get(name);
  if ((flags & BigInt(SHF_TLS)) !== 0n && profile?.tlsSections === true) return undefined;
  if (skippedNames.includes(name) && profile?.skippedNames === true) return undefined;
  if (name === '.exported_sym') return 'EXPORT';
  switch (type) {
    case SHT_NOBITS:
      return 'BSS';
    case SHT_PROGBITS:
      if ((flags & BigInt(SHF_EXECINSTR)) !== 0n) return 'TEXT';
      if ((flags & BigInt(SHF_WRITE)) !== 0n) return 'DATA';
      if (name === rodataNoReloc && profile?.rodataNoReloc === true) return 'RODATA_NO_RELOC';
      return 'RODATA';
    case SHT_PREINIT_ARRAY:
      return 'PREINIT';
    case SHT_INIT_ARRAY:
      return 'INIT';
    case SHT_FINI_ARRAY:
      return 'FINI';
    default:
      return undefined;
  }
}

export function mapSections(context: LoadContext): number {
  const count = X.sectCnt(context);
  for (let i = 0; i < count; i++) {
    X.spend(context);
    const ret = mapSection(context, i);
    if (ret !== 0) return ret;
  }
  if (context.profile.prepad) {
    const ret = addPrepads(context);
    if (ret !== 0) return ret;
  }
  const ret = testOverlaps(context);
  return ret !== 0 ? ret : calculateOffsets(context);
}

function mapSection(context: LoadContext, i: number): number {
  const { subsystem, guest, profile } = context;
  const section = X.sectionHeader(context, i);
  if (profile.sectionNameBounds === 'lazy' && isNameOutOfBounds(context, i, section)) return -Errno.ENOEXEC;
  const names = context.ldr.state.sects[context.regions.SHSTRTAB].sh_size;
  if (BigInt(section.sh_name) >= names) {
    X.outOfBounds(context, 'read', () => `sh_name ${section.sh_name} of section ${i}: the names are ${names} bytes`);
  }
  const bytes = guest.cstring(X.sectionNameAddress(context, section));
  const name = displayName(bytes);
  const known = X.sectMemIdx(context, i);
  if (known !== context.regions.COUNT) {
    X.log(subsystem, 'dbg', `section ${i} name ${name} already mapped to region ${known}`);
    return 0;
  }
  const region = regionOf(context, section, bytes);
  if (region === context.regions.COUNT || (section.sh_flags & BigInt(SHF_ALLOC)) === 0n || section.sh_size === 0n) {
    X.log(subsystem, 'dbg', `section ${i} name ${name} skipped`);
    return 0;
  }
  const ret = checkSection(context, i, section, region, name);
  if (ret !== 0) return ret;
  X.log(subsystem, 'dbg', `section ${i} name ${name} maps to region ${region}`);
  X.setSectMemIdx(context, i, region);
  if (context.parm.section_detached?.({ ...section, name }) === true) {
    return checkDetached(context, i, section, region);
  }
  return extendRegion(context, region, section, name);
}

/** LLEXT_MEM_COUNT = none. */
function regionOf({ profile, regions, subsystem }: LoadContext, section: Shdr, name: string): number {
  let regionName = regionNameOf(section.sh_type, section.sh_flags, name, profile);
  // Without its configuration the region does not exist, and the name means nothing.
  if (regionName === 'RODATA_NO_RELOC' && subsystem.regions.RODATA_NO_RELOC === undefined) regionName = 'RODATA';
  return (regionName && regions[regionName]) ?? regions.COUNT;
}

function isNameOutOfBounds({ ldr, regions, subsystem }: LoadContext, i: number, { sh_name }: Shdr): boolean {
  if (BigInt(sh_name) < ldr.state.sects[regions.SHSTRTAB].sh_size) return false;
  X.log(subsystem, 'err', `Invalid section name index ${sh_name} in section ${i}`);
  return true;
}

/** What a section that goes into a region must fulfil by itself. */
function checkSection(context: LoadContext, i: number, section: Shdr, region: number, name: string): number {
  const { subsystem, guest, profile } = context;
  const { sh_addralign, sh_entsize, sh_size } = section;
  if (isFunctionArray(context, region)) {
    const pointer = BigInt(guest.pointerSize);
    const entsize = sh_entsize === 0n && profile.arrayEntsizeZero ? pointer : sh_entsize;
    if (entsize !== pointer || sh_size % pointer !== 0n) {
      X.log(subsystem, 'err', `Invalid ${name} array in section ${i}`);
      return -Errno.ENOEXEC;
    }
  }
  // 0 and 1 both mean: anywhere.
  if ((sh_addralign & (sh_addralign - 1n)) !== 0n && sh_addralign !== 0n && profile.addralignChecked) {
    X.log(subsystem, 'err', `Invalid alignment ${sh_addralign} of section ${i}`);
    return -Errno.ENOEXEC;
  }
  return 0;
}

/** A detached section is used where the file image lies, so it has to lie where it can be used. */
function checkDetached(context: LoadContext, i: number, section: Shdr, region: number): number {
  const { subsystem, profile, regions, ldr } = context;
  const consequence = profile.detachedText;
  if (consequence === 'ignored') return 0;
  const address = llextPeek(ldr, section.sh_offset);
  if (address === 0n) {
    if (!profile.detachedNeedsPeek) return 0;
    X.log(subsystem, 'err', `Detached section ${i} needs a loader with peek`);
    return -Errno.ENOTSUP;
  }
  if (region !== regions.TEXT || X.isInstructionMemory(subsystem.config, address, section.sh_size)) return 0;
  const fatal = consequence === 'error' || subsystem.config.arch === 'arc';
  X.log(subsystem, fatal ? 'err' : 'wrn', `Detached text section ${i} is not in instruction memory`);
  return fatal ? -Errno.ENOEXEC : 0;
}

function extendRegion(context: LoadContext, region: number, section: Shdr, name: string): number {
  const { ldr, profile } = context;
  const descriptor = ldr.state.sects[region];
  if (descriptor.sh_type === SHT_NULL || profile.mapByName) {
    ldr.state.sects[region] = section;
    return 0;
  }
  return mergeSection(context, region, section, name);
}

function isFunctionArray({ regions }: LoadContext, region: number): boolean {
  return region === regions.PREINIT || region === regions.INIT || region === regions.FINI;
}

/** Extends a region by one more section, where that is allowed. */
function mergeSection(context: LoadContext, region: number, section: Shdr, name: string): number {
  const { subsystem, guest, ldr } = context;
  const descriptor = ldr.state.sects[region];
  if ((section.sh_flags & SHF_BASIC_TYPE_MASK) !== (descriptor.sh_flags & SHF_BASIC_TYPE_MASK)) {
    const flags = `${flags32(section.sh_flags)} / ${flags32(descriptor.sh_flags)}`;
    X.log(subsystem, 'err', `Unsupported section flags ${flags} for ${name} (region ${region})`);
    return -Errno.ENOEXEC;
  }
  if (region === context.regions.BSS) {
    X.log(subsystem, 'err', 'Multiple SHT_NOBITS sections are not supported');
    return -Errno.ENOTSUP;
  }
  if (isFunctionArray(context, region)) {
    X.log(subsystem, 'err', `Region ${region} redefined`);
    return -Errno.ENOEXEC;
  }
  if (ldr.state.hdr?.e_type === ET_DYN) {
    const addresses = guest.wrap(section.sh_addr - descriptor.sh_addr);
    if (addresses !== guest.wrap(section.sh_offset - descriptor.sh_offset)) {
      X.log(subsystem, 'err', `Incompatible section addresses for ${name} (region ${region})`);
      return -Errno.ENOEXEC;
    }
  }
  const bottom = min(descriptor.sh_offset, section.sh_offset);
  const top = max(
    guest.wrap(descriptor.sh_offset + descriptor.sh_size),
    guest.wrap(section.sh_offset + section.sh_size),
  );
  descriptor.sh_addr = min(descriptor.sh_addr, section.sh_addr);
  descriptor.sh_offset = bottom;
  descriptor.sh_size = guest.wrap(top - bottom);
  descriptor.sh_addralign = max(descriptor.sh_addralign, section.sh_addralign);
  return 0;
}

/** A region starts at an aligned place of the file, so that every section in it is aligned; sh_info tells the padding. */
function addPrepads(context: LoadContext): number {
  const { subsystem, guest, ldr } = context;
  for (const [i, region] of ldr.state.sects.entries()) {
    if (region.sh_type === SHT_NULL || region.sh_size === 0n) continue;
    const prepad = guest.wrap(region.sh_offset & guest.wrap(region.sh_addralign - 1n));
    if (ldr.state.hdr?.e_type === ET_DYN) {
      if (prepad > region.sh_addr) {
        X.log(subsystem, 'err', `Bad section alignment in region ${i}`);
        return -Errno.ENOEXEC;
      }
      region.sh_addr = guest.wrap(region.sh_addr - prepad);
    }
    region.sh_offset = guest.wrap(region.sh_offset - prepad);
    region.sh_size = guest.wrap(region.sh_size + prepad);
    // sh_info is an Elf_Word in both classes.
    region.sh_info = Number(BigInt.asUintN(32, prepad));
  }
  return 0;
}

function testOverlaps(context: LoadContext): number {
  const { subsystem, ldr } = context;
  const { sects } = ldr.state;
  const { BSS } = context.regions;
  for (let i = 0; i < context.regions.COUNT; i++) {
    for (let j = i + 1; j < context.regions.COUNT; j++) {
      const x = sects[i];
      const y = sects[j];
      if (x.sh_type === SHT_NULL || x.sh_size === 0n || y.sh_type === SHT_NULL || y.sh_size === 0n) continue;
      // Other data may lie around the export table.
      if (i === context.regions.EXPORT || j === context.regions.EXPORT) continue;
      const allocated = (x.sh_flags & y.sh_flags & BigInt(SHF_ALLOC)) !== 0n;
      let overlap: string | undefined;
      if (ldr.state.hdr?.e_type === ET_DYN && allocated) overlap = overlapOn(context, i, j, 'sh_addr');
      if (overlap === undefined && i !== BSS && j !== BSS && !areSharedStrings(context, i, j)) {
        overlap = overlapOn(context, i, j, 'sh_offset');
      }
      if (overlap !== undefined) {
        X.log(subsystem, 'err', overlap);
        return -Errno.ENOEXEC;
      }
    }
  }
  return 0;
}

/** Clang writes one table for both kinds of strings. */
function areSharedStrings({ regions, profile }: LoadContext, i: number, j: number): boolean {
  return i === regions.STRTAB && j === regions.SHSTRTAB && profile.sharedStringTables;
}

/** Ranges are inclusive and leave the padding out. */
function overlapOn(context: LoadContext, i: number, j: number, field: 'sh_addr' | 'sh_offset'): string | undefined {
  const { guest, ldr } = context;
  const x = ldr.state.sects[i];
  const y = ldr.state.sects[j];
  const bottomOf = (region: Shdr): bigint => guest.wrap(region[field] + BigInt(region.sh_info));
  const topOf = (region: Shdr): bigint => guest.wrap(region[field] + region.sh_size - 1n);
  const overlap =
    (bottomOf(x) <= bottomOf(y) && topOf(x) >= bottomOf(y)) || (bottomOf(y) <= bottomOf(x) && topOf(y) >= bottomOf(x));
  if (!overlap) return undefined;
  const range = (region: Shdr): string => `${X.hashHex(bottomOf(region))}-${X.hashHex(topOf(region))}`;
  const what = field === 'sh_addr' ? 'VMA range' : 'ELF file range';
  return `Region ${i} ${what} (${range(x)}) overlaps with ${j} (${range(y)})`;
}

/** Also marks the regions that relocations will write to: persistent storage must not share those with the file. */
function calculateOffsets(context: LoadContext): number {
  const { guest, ldr, subsystem, profile, regions } = context;
  const count = X.sectCnt(context);
  for (let i = 0; i < count; i++) {
    const section = X.sectionHeader(context, i);
    if (section.sh_type === SHT_REL || section.sh_type === SHT_RELA) {
      // sh_info is not checked before llext_link: outside of the map, the word found there decides. A word that is no
      // region makes Zephyr set a bit outside of struct llext_loader, which is not modelled; llext_link then refuses
      // the file.
      if (section.sh_info >= count && profile.relocationTargetChecked) {
        X.log(subsystem, 'err', `Invalid target section ${section.sh_info} of relocation section ${i}`);
        return -Errno.ENOEXEC;
      }
      if (section.sh_info >= count) {
        X.outOfBounds(context, 'read', () => `sh_info ${section.sh_info} of section ${i}: there are ${count} sections`);
      }
      const target = X.sectMemIdx(context, section.sh_info);
      if (target === regions.RODATA_NO_RELOC) {
        X.log(subsystem, 'err', `Section ${section.sh_info} must not have relocations`);
        return -Errno.ENOEXEC;
      }
      if (target < context.regions.COUNT) ldr.state.sects[target].sh_flags |= SHF_LLEXT_HAS_RELOCS;
    }
    const region = X.sectMemIdx(context, i);
    if (region !== context.regions.COUNT) {
      X.setSectOffset(context, i, guest.wrap(section.sh_offset - ldr.state.sects[region].sh_offset));
    }
  }
  return 0;
}

/** %#x of the low word */
function flags32(flags: bigint): string {
  return X.hashHex(BigInt.asUintN(32, flags));
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
