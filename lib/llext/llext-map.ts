/**
 * llext_map_sections (specification 1.5 to 1.7): which section belongs to which region, the regions' extent in the
 * file with their padding in front, the overlap test, and each section's offset in its region. No memory is touched
 * but the section map. Everything between two sections of a region becomes part of it.
 */
import {
  ET_DYN,
  SHF_ALLOC,
  SHF_EXECINSTR,
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
import type { RegionName } from './regions';

/** SHF_WRITE | SHF_ALLOC | SHF_EXECINSTR */
const SHF_BASIC_TYPE_MASK = 7n;
/** Zephyr's own flag on region descriptors; the value that golden shows. */
export const SHF_LLEXT_HAS_RELOCS = 0x100000n;

/** The region of a section by its type, flags and name; undefined = none. */
export function regionNameOf(type: number, flags: bigint, name: string): RegionName | undefined {
  if (name === '.exported_sym') return 'EXPORT';
  switch (type) {
    case SHT_NOBITS:
      return 'BSS';
    case SHT_PROGBITS:
      if ((flags & BigInt(SHF_EXECINSTR)) !== 0n) return 'TEXT';
      return (flags & BigInt(SHF_WRITE)) !== 0n ? 'DATA' : 'RODATA';
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
  let ret = addPrepads(context);
  if (ret !== 0) return ret;
  ret = testOverlaps(context);
  if (ret !== 0) return ret;
  calculateOffsets(context);
  return 0;
}

function mapSection(context: LoadContext, i: number): number {
  const { subsystem, guest, ldr, parm } = context;
  const section = X.sectionHeader(context, i);
  const bytes = guest.cstring(X.sectionNameAddress(context, section));
  const name = displayName(bytes);
  const known = X.sectMemIdx(context, i);
  if (known !== context.regions.COUNT) {
    X.log(subsystem, 'dbg', `section ${i} name ${name} already mapped to region ${known}`);
    return 0;
  }
  const regionName = regionNameOf(section.sh_type, section.sh_flags, bytes);
  const region = (regionName && context.regions[regionName]) ?? context.regions.COUNT;
  if (region === context.regions.COUNT || (section.sh_flags & BigInt(SHF_ALLOC)) === 0n || section.sh_size === 0n) {
    X.log(subsystem, 'dbg', `section ${i} name ${name} skipped`);
    return 0;
  }
  if (isFunctionArray(context, region)) {
    const pointer = BigInt(guest.pointerSize);
    if (section.sh_entsize !== pointer || section.sh_size % pointer !== 0n) {
      X.log(subsystem, 'err', `Invalid ${name} array in section ${i}`);
      return -Errno.ENOEXEC;
    }
  }
  X.log(subsystem, 'dbg', `section ${i} name ${name} maps to region ${region}`);
  X.setSectMemIdx(context, i, region);
  if (parm.section_detached?.({ ...section, name }) === true) return 0;
  const descriptor = ldr.state.sects[region];
  if (descriptor.sh_type === SHT_NULL) {
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
      if (overlap === undefined && i !== context.regions.BSS && j !== context.regions.BSS) {
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
function calculateOffsets(context: LoadContext): void {
  const { guest, ldr } = context;
  const count = X.sectCnt(context);
  for (let i = 0; i < count; i++) {
    const section = X.sectionHeader(context, i);
    if (section.sh_type === SHT_REL || section.sh_type === SHT_RELA) {
      // sh_info is not checked before llext_link: outside of the map, the word found there decides. A word that is no
      // region makes Zephyr set a bit outside of struct llext_loader, which is not modelled; llext_link then refuses
      // the file.
      const target = X.sectMemIdx(context, section.sh_info);
      if (target < context.regions.COUNT) ldr.state.sects[target].sh_flags |= SHF_LLEXT_HAS_RELOCS;
    }
    const region = X.sectMemIdx(context, i);
    if (region !== context.regions.COUNT) {
      X.setSectOffset(context, i, guest.wrap(section.sh_offset - ldr.state.sects[region].sh_offset));
    }
  }
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
