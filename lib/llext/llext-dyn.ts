/**
 * llext_prepare_et_dyn_image (specification 1.9): the newest version loads a shared object as one block that keeps the
 * distances of its link-time addresses (VMA), so that code finds its GOT and one bias serves all. Xtensa, which needs no
 * such block, and pre-located files are loaded region by region as in earlier versions.
 */
import { ET_DYN, SHF_ALLOC } from '../elf/constants';
import { Errno } from '../errors';
import * as X from './context';
import type { LoadContext, Subsystem } from './context';

/** ADRP addresses whole pages: AArch64 code only works at the same offset in one. */
const arm64Align = 4096n;
const leastAlign = 4n;

export function isSharedObject({ ldr }: LoadContext): boolean {
  return ldr.state.hdr?.e_type === ET_DYN;
}

/** Whether this load makes one image of the file. */
export function isLoadedAsImage(context: LoadContext): boolean {
  const { subsystem, parm, profile } = context;
  if (!isSharedObject(context) || subsystem.config.arch === 'xtensa' || parm.pre_located) return false;
  // A struct llext without the fields, as DWARF may show it, belongs to a build without images.
  return profile.dynImage && subsystem.layout.dyn_image !== undefined;
}

/** Regions that are part of the image, in the order of the enum. */
function imageRegions({ ldr, regions }: LoadContext): number[] {
  const { TEXT, DATA, RODATA, BSS, EXPORT, PREINIT, INIT, FINI, RODATA_NO_RELOC } = regions;
  const candidates = [TEXT, DATA, RODATA, RODATA_NO_RELOC, BSS, EXPORT, PREINIT, INIT, FINI];
  return candidates.filter((region): region is number => {
    if (region === undefined) return false;
    const { sh_flags, sh_size } = ldr.state.sects[region];
    return sh_size !== 0n && (sh_flags & BigInt(SHF_ALLOC)) !== 0n;
  });
}

export function isInImage(context: LoadContext, region: number): boolean {
  return isLoadedAsImage(context) && imageRegions(context).includes(region);
}

/** The image's allocation, zeroed, with every region at its place in it. */
export function prepareEtDynImage(context: LoadContext): number {
  const { subsystem, guest, ldr, profile } = context;
  const { config, heaps } = subsystem;
  if (config.harvard === true && profile.harvardRefusesDyn) {
    X.log(subsystem, 'err', 'Shared ELF is not supported on Harvard architectures');
    return -Errno.ENOTSUP;
  }
  const regions = imageRegions(context);
  if (regions.length === 0) return 0;
  const page = BigInt(config.page);
  let align = config.arch === 'arm64' ? arm64Align : leastAlign;
  if (config.mmu && page > align) align = page;
  let [low, high] = [1n << 64n, 0n];
  for (const region of regions) {
    const { sh_addr, sh_size, sh_addralign } = ldr.state.sects[region];
    if (sh_addralign > align) align = sh_addralign;
    if (sh_addr < low) low = sh_addr;
    if (sh_addr + sh_size > high) high = sh_addr + sh_size;
  }
  const link = low - (low % align);
  let span = guest.wrap(high - link);
  if (config.mmu) span = ((span + page - 1n) / page) * page;
  const image = X.allocate(subsystem, heaps.instruction, align, span, 'dyn_image', context.instance);
  if (image === 0n) {
    X.log(subsystem, 'err', `Failed allocating ${span} bytes ${align}-aligned for the image`);
    return -Errno.ENOMEM;
  }
  X.addToAllocSize(context, span);
  setField(context, 'dyn_image', image);
  setField(context, 'dyn_base', image);
  setField(context, 'dyn_link', link);
  setField(context, 'dyn_span', span);
  guest.clear(image, span);
  for (const region of regions) {
    X.setMem(context, region, guest.wrap(image + ldr.state.sects[region].sh_addr - link));
  }
  X.log(subsystem, 'dbg', `image at ${X.hashHex(image)}, linked at ${X.hashHex(link)}, size ${span}`);
  return 0;
}

type DynField = 'dyn_image' | 'dyn_base' | 'dyn_link' | 'dyn_span';

function setField(context: LoadContext, name: DynField, value: bigint): void {
  const address = X.laterField(context, name);
  if (address !== undefined) context.guest.setPtr(address, value);
}

export function freeEtDynImage(subsystem: Subsystem, ext: bigint): void {
  const { guest, heaps, layout } = subsystem;
  if (layout.dyn_image === undefined) return;
  const address = ext + BigInt(layout.dyn_image);
  X.release(heaps.instruction, guest.ptr(address), ext);
  guest.setPtr(address, 0n);
}

/** What relocations add to a link-time address: dyn_base - dyn_link, before images mem[LLEXT_MEM_TEXT]. */
export function loadBias(context: LoadContext): bigint {
  const { guest, regions } = context;
  const [base, link] = (['dyn_base', 'dyn_link'] as const).map((name) => {
    const address = X.laterField(context, name);
    return address === undefined ? 0n : guest.ptr(address);
  });
  return base === 0n ? X.mem(context, regions.TEXT) : guest.wrap(base - link);
}

/** Where a link-time address was loaded; undefined = in no allocated region that has memory. */
export function addressOfVma(context: LoadContext, vma: bigint): bigint | undefined {
  const { ldr, guest } = context;
  for (const [region, { sh_flags, sh_addr, sh_size }] of ldr.state.sects.entries()) {
    if (sh_size === 0n || (sh_flags & BigInt(SHF_ALLOC)) === 0n) continue;
    if (vma < sh_addr || vma - sh_addr >= sh_size) continue;
    const memory = X.mem(context, region);
    if (memory !== 0n) return guest.wrap(memory + vma - sh_addr);
  }
  return undefined;
}
