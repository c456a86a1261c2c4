/**
 * llext_mem.c (specification 1.8): gives every region its memory, by reuse of the file image where the storage allows
 * it, else by a copy on the heap, and frees it again. The order of allocations is part of the behaviour: with a model
 * of the heap it predicts the target's addresses.
 */
import { SHF_ALLOC, SHF_EXECINSTR, SHF_WRITE, SHT_NOBITS } from '../elf/constants';
import { Errno } from '../errors';
import * as X from './context';
import type { LoadContext, Subsystem } from './context';
import type { Shdr } from './elf-records';
import { gdbTableLine, gdbTableMarker } from './gdb-table';
import { llextPeek } from './loader';
import { freeEtDynImage, isInImage, isLoadedAsImage, prepareEtDynImage } from './llext-dyn';
import { SHF_LLEXT_HAS_RELOCS } from './llext-map';
import { initMemPart, restoreMmuPermissions } from './llext-partitions';
import { profileFor } from './profile';
import type { Profile } from './profile';
import type { LlextConfig } from './types';

export function copyStrings(context: LoadContext): number {
  context.subsystem.heaps.reset?.(context.ext);
  const ret = copyRegion(context, context.regions.SHSTRTAB);
  return ret !== 0 ? ret : copyRegion(context, context.regions.STRTAB);
}

export function copyRegions(context: LoadContext): number {
  if (isLoadedAsImage(context)) {
    const ret = prepareEtDynImage(context);
    if (ret !== 0) return ret;
  }
  for (let region = 0; region < context.regions.COUNT; region++) {
    // The string tables are there already.
    if (X.mem(context, region) !== 0n && !isInImage(context, region)) continue;
    const ret = copyRegion(context, region);
    if (ret < 0) return ret;
  }
  announceSections(context);
  return 0;
}

function copyRegion(context: LoadContext, region: number): number {
  const { subsystem, guest, ldr, parm, regions } = context;
  const descriptor = ldr.state.sects[region];
  if (descriptor.sh_size === 0n) return 0;
  const offset = BigInt(region * guest.pointerSize);
  guest.setPtr(X.field(context, 'mem_size') + offset, descriptor.sh_size);
  if (isInImage(context, region)) {
    initMemPart(context, region, X.mem(context, region), descriptor.sh_size);
    return fillRegion(context, descriptor, X.mem(context, region));
  }
  const allocation = allocationOf(subsystem.config, descriptor, context.profile);
  if (typeof allocation === 'number') return allocation;
  const { align } = allocation;
  let { size } = allocation;

  // Stubs are made by linking and are in no file.
  const preLocated = parm.pre_located && region !== regions.VENEER;
  if (mayShareFile(context, descriptor)) {
    if (descriptor.sh_type !== SHT_NOBITS) {
      if (useFile(context, region, descriptor, allocation)) return 0;
    } else if (preLocated) {
      return 0;
    }
  }
  // A pre-located file lies where it runs, or not at all.
  if (preLocated) return -Errno.EFAULT;

  const { memblkBlockSize } = subsystem.config;
  if (memblkBlockSize !== undefined && context.profile.memblkHeap) size = roundUp(size, BigInt(memblkBlockSize));
  const executable = (descriptor.sh_flags & BigInt(SHF_EXECINSTR)) !== 0n;
  const heap = executable ? subsystem.heaps.instruction : subsystem.heaps.data;
  const address = X.allocate(subsystem, heap, align, size, `region ${regions.names[region]}`, context.instance);
  X.setMem(context, region, address);
  if (address === 0n) {
    X.log(subsystem, 'err', `Failed allocating ${size} bytes ${align}-aligned for region ${region}`);
    return -Errno.ENOMEM;
  }
  X.addToAllocSize(context, size);
  initMemPart(context, region, address, size);
  const ret = fillRegion(context, descriptor, address);
  if (ret !== 0) {
    heap.free(address, context.ext);
    X.setMem(context, region, 0n);
    return ret;
  }
  guest.setU8(X.field(context, 'mem_on_heap') + BigInt(region), 1);
  return 0;
}

/** true: the region is used where the file image has it. */
function useFile(context: LoadContext, region: number, descriptor: Shdr, { size, align }: Allocation): boolean {
  const { subsystem, ldr, parm, regions, profile } = context;
  const peeked = llextPeek(ldr, descriptor.sh_offset);
  X.setMem(context, region, peeked);
  if (peeked === 0n) return false;
  if (!isAligned(peeked, align) && !parm.pre_located && profile.peekNeedsAlignment) {
    const text = `${X.pointer(peeked)} not aligned to ${X.hashHex(align)}`;
    X.log(subsystem, 'wrn', `Cannot peek region ${region}: ${text}`);
    return false;
  }
  const isCode = region === regions.TEXT;
  if (isCode && !X.isInstructionMemory(subsystem.config, peeked, size) && profile.textInInstrMem) return false;
  initMemPart(context, region, peeked, size);
  return true;
}

interface Allocation {
  readonly size: bigint;
  readonly align: bigint;
}

/**
 * MPU and MMU want whole blocks. Before 4.1 for every region, since then only for what a program accesses, and since
 * 4.3 of an MPU only under CONFIG_USERSPACE. An errno where the build has no rule.
 */
export function allocationOf(
  config: LlextConfig,
  descriptor: Readonly<Shdr>,
  profile: Profile = profileFor(config.profile ?? 'V41'),
): Allocation | number {
  const exact = { size: descriptor.sh_size, align: descriptor.sh_addralign };
  const rounding = profile.regionRounding;
  const powerOfTwo = config.armMpu && config.mpuPowerOfTwo !== false;
  if (rounding === 'every') {
    if (powerOfTwo) return powerOfTwoBlock(config, { ...exact, align: 0n });
    return { size: wholePages(config, exact.size, BigInt(config.page)), align: BigInt(config.page) };
  }
  if ((descriptor.sh_flags & BigInt(SHF_ALLOC)) === 0n) return exact;
  if (rounding === 'mpu') {
    if (powerOfTwo) return powerOfTwoBlock(config, exact);
    return config.armMpu || config.mmu ? pages(config, exact, config.page) : exact;
  }
  if (config.mmu) return pages(config, exact, config.page);
  if (config.userspace !== true) return exact;
  if (powerOfTwo || (config.arcMpu === true && config.mpuPowerOfTwo === true)) return powerOfTwoBlock(config, exact);
  if (config.armMpu || config.arcMpu === true) return pages(config, exact, config.page);
  if (config.pmpGranularity !== undefined && profile.pmpGranularity) return pages(config, exact, config.pmpGranularity);
  return profile.userspaceNeedsMpu ? -Errno.ENOTSUP : exact;
}

function powerOfTwoBlock(config: LlextConfig, { size, align }: Allocation): Allocation {
  let block = BigInt(config.page);
  for (const least of [size, align]) while (block < least) block <<= 1n;
  const whole = BigInt.asUintN(config.pointerSize * 8, block);
  return { size: whole, align: whole };
}

function pages(config: LlextConfig, { size, align }: Allocation, granularity: number): Allocation {
  const page = BigInt(granularity);
  return { size: wholePages(config, size, page), align: align > page ? align : page };
}

function wholePages(config: LlextConfig, size: bigint, page: bigint): bigint {
  return BigInt.asUintN(config.pointerSize * 8, roundUp(size, page));
}

function roundUp(size: bigint, block: bigint): bigint {
  return ((size + block - 1n) / block) * block;
}

function mayShareFile({ ldr, profile, subsystem }: LoadContext, descriptor: Shdr): boolean {
  if (!profile.storageByLoader) return subsystem.config.storageWritable === true;
  if (ldr.storage === 'writable') return true;
  const untouched = (descriptor.sh_flags & (BigInt(SHF_WRITE) | SHF_LLEXT_HAS_RELOCS)) === 0n;
  return ldr.storage === 'persistent' && untouched;
}

/** IS_ALIGNED; the remainder of a division by zero is the dividend on Arm. */
export function isAligned(address: bigint, align: bigint): boolean {
  return align !== 0n && address % align === 0n;
}

/** One call in Zephyr; a piece at a time keeps a second copy of a big region out of this process. */
const copiedAtOnce = 0x10_0000n;

/** Bytes that the file does not have keep what the heap had there. */
function fillRegion(context: LoadContext, descriptor: Shdr, address: bigint): number {
  const { guest, ldr } = context;
  if (descriptor.sh_type === SHT_NOBITS) {
    guest.clear(address, descriptor.sh_size);
    return 0;
  }
  const prepad = (descriptor.sh_flags & BigInt(SHF_ALLOC)) !== 0n ? BigInt(descriptor.sh_info) : 0n;
  if (prepad > descriptor.sh_size) {
    X.outOfBounds(context, 'write', () => `${prepad} bytes of padding before a region of ${descriptor.sh_size} bytes`);
  }
  guest.clear(address, prepad);
  const seek = ldr.seek(guest.wrap(descriptor.sh_offset + prepad));
  if (seek !== 0) return seek;
  const size = guest.wrap(descriptor.sh_size - prepad);
  let done = ldr.copyTo?.(guest.wrap(address + prepad), size) ?? 0n;
  while (ldr.copyTo === undefined && done < size) {
    const bytes = ldr.read(size - done < copiedAtOnce ? size - done : copiedAtOnce);
    if (typeof bytes === 'number') return bytes;
    if (bytes.length === 0) break;
    guest.write(address + prepad + done, bytes);
    done += BigInt(bytes.length);
  }
  if (done < size) {
    X.outOfBounds(
      context,
      'read',
      () => `${size - done} bytes behind the file's end: the region keeps what was there before`,
    );
  }
  return 0;
}

/** Every section has its address now: the listener hears it, and the log shows gdb's flags (specification 6.3). */
function announceSections(context: LoadContext): void {
  const { subsystem } = context;
  X.log(subsystem, 'dbg', gdbTableMarker);
  const count = X.sectCnt(context);
  for (let i = 0; i < count; i++) {
    const region = X.sectMemIdx(context, i);
    if (region >= context.regions.COUNT) continue;
    const section = X.sectionHeader(context, i);
    const name = X.sectionName(context, section);
    const address = X.loadedSectPtr(context, i);
    if (region < context.regions.EXPORT) X.log(subsystem, 'dbg', gdbTableLine(name, address));
    const placed = { index: i, name, region: context.regions.names[region], address, size: Number(section.sh_size) };
    context.placed.push(placed);
    subsystem.listener?.({ kind: 'section-placed', instance: context.instance, ...placed });
  }
}

/** llext_free_regions */
export function freeRegions(subsystem: Subsystem, ext: bigint): void {
  const { guest, layout, heaps, regions } = subsystem;
  const context = { subsystem, guest, ext, regions };
  restoreMmuPermissions(subsystem, ext);
  freeEtDynImage(subsystem, ext);
  for (let region = 0; region < regions.COUNT; region++) {
    if (guest.u8(ext + BigInt(layout.mem_on_heap + region)) === 0) continue;
    X.log(subsystem, 'dbg', `freeing memory region ${region}`);
    const isCode = region === regions.TEXT || region === regions.VENEER;
    X.release(isCode ? heaps.instruction : heaps.data, X.mem(context, region), ext);
    guest.setPtr(ext + BigInt(layout.mem + region * guest.pointerSize), 0n);
  }
  heaps.reset?.(ext);
}
