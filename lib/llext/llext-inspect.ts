/**
 * inspect.h and the section functions of llext.c (specification 5): what of the file is known after loading. Names are
 * those in SHSTRTAB; the section map is there only when the load kept it (keep_section_info).
 */
import { Errno } from '../errors';
import type { Subsystem } from './context';
import { readShdr } from './elf-records';
import type { Shdr } from './elf-records';
import type { LlextExtension } from './extension';
import { byteString } from './guest';
import { sectMapEntrySize } from './layout';
import { llextPeek } from './loader';
import type { LlextLoader } from './loader';

export interface SectionInfo {
  readonly ret: number;
  readonly hdr?: Shdr;
  /** enum llext_mem; LLEXT_MEM_COUNT = in no region. */
  readonly region?: number;
  /** From the first byte behind the region's padding. */
  readonly offset?: bigint;
}

export interface RegionInfo {
  readonly ret: number;
  readonly hdr?: Shdr;
  /** Without the padding in front. */
  readonly addr?: bigint;
  readonly size?: bigint;
}

/**
 * llext_find_section: the section's offset in the file, or an errno. It reads the file through peek, not the copy of
 * its headers, and a loader without peek was -ENOENT in the oldest version.
 */
export function findSection(subsystem: Subsystem, ldr: LlextLoader, name: string): bigint {
  const { guest, sizes, profile, regions } = subsystem;
  const { hdr, sects } = ldr.state;
  const wanted = byteString(name);
  const names = sects.at(regions.SHSTRTAB)?.sh_offset ?? 0n;
  for (let i = 0; i < (hdr?.e_shnum ?? 0); i++) {
    const address = llextPeek(ldr, guest.wrap((hdr?.e_shoff ?? 0n) + BigInt(i * (hdr?.e_shentsize ?? 0))));
    if (address === 0n) return BigInt(profile.findSectionNeedsPeek ? -Errno.ENOTSUP : -Errno.ENOENT);
    const section = readShdr(guest.bytes(address, sizes.shdr), guest.pointerSize, guest.littleEndian);
    const nameAddress = llextPeek(ldr, guest.wrap(names + BigInt(section.sh_name)));
    if (guest.cstring(nameAddress) === wanted) return section.sh_offset;
  }
  return BigInt(-Errno.ENOENT);
}

/** llext_section_shndx: section 0 has no name and is not looked at. */
export function sectionShndx(subsystem: Subsystem, extension: LlextExtension, name: string): number {
  const { guest, profile, regions } = subsystem;
  const names = extension.mem[regions.SHSTRTAB];
  if (profile.shndxNeedsSectionData && (names === 0n || extension.sectHdrs === 0n)) return -Errno.ENOTSUP;
  const wanted = byteString(name);
  const count = extension.sectCnt;
  for (let i = 1; i < count; i++) {
    if (guest.cstring(guest.wrap(names + BigInt(header(subsystem, extension, i).sh_name))) === wanted) return i;
  }
  return -Errno.ENOENT;
}

/** llext_get_section_header */
export function getSectionHeader(
  subsystem: Subsystem,
  extension: LlextExtension,
  name: string,
): { readonly ret: number; readonly shdr?: Shdr } {
  const index = sectionShndx(subsystem, extension, name);
  return index < 0 ? { ret: index } : { ret: 0, shdr: header(subsystem, extension, index) };
}

/** llext_get_section_info */
export function getSectionInfo(
  subsystem: Subsystem,
  ldr: LlextLoader,
  extension: LlextExtension,
  shndx: number,
): SectionInfo {
  const { guest, regions } = subsystem;
  const { sect_map, sects } = ldr.state;
  if (shndx < 0 || shndx >= extension.sectCnt) return { ret: -Errno.EINVAL };
  if (sect_map === 0n) return { ret: -Errno.ENOTSUP };
  const entry = sect_map + BigInt(shndx * sectMapEntrySize(guest.pointerSize));
  const region = guest.u32(entry);
  const hdr = header(subsystem, extension, shndx);
  const offset = guest.ptr(entry + BigInt(guest.pointerSize));
  // For a section in no region Zephyr reads a padding that is outside of ldr->sects; such an offset means nothing.
  const prepad = region < regions.COUNT ? BigInt(sects[region].sh_info) : 0n;
  return { ret: 0, hdr, region, offset: guest.wrap(offset - prepad) };
}

/** llext_get_region_info */
export function getRegionInfo(
  subsystem: Subsystem,
  ldr: LlextLoader,
  extension: LlextExtension,
  region: number,
): RegionInfo {
  const { guest, regions } = subsystem;
  if (!Number.isInteger(region) || region < 0 || region >= regions.COUNT) return { ret: -Errno.EINVAL };
  const hdr = ldr.state.sects[region];
  const prepad = BigInt(hdr.sh_info);
  return {
    ret: 0,
    hdr: { ...hdr },
    addr: guest.wrap(extension.mem[region] + prepad),
    size: guest.wrap(extension.memSize[region] - prepad),
  };
}

/** ext->sect_hdrs[index] */
function header({ guest, sizes }: Subsystem, extension: LlextExtension, index: number): Shdr {
  const bytes = guest.bytes(extension.sectHdrs + BigInt(index * sizes.shdr), sizes.shdr);
  return readShdr(bytes, guest.pointerSize, guest.littleEndian);
}
