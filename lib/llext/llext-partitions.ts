/**
 * Who may do what with an extension's memory, after llext_mem.c (specification 1.10): under CONFIG_USERSPACE the memory
 * partitions that llext_add_domain gives to a k_mem_domain, under CONFIG_MMU the permissions of TEXT and RODATA, which
 * are set after the load and restored when the regions are freed.
 */
import { Errno } from '../errors';
import * as X from './context';
import type { LoadContext, Subsystem } from './context';
import type { LlextExtension } from './extension';
import type { RegionName } from './regions';
import type { LlextMemoryFlags, PartitionAttribute } from './types';

/** struct k_mem_partition; size 0 = not initialised. */
export interface MemPartition {
  readonly start: bigint;
  readonly size: bigint;
  readonly attribute: PartitionAttribute | undefined;
}

/** struct k_mem_domain, as far as llext uses it. */
export interface MemDomain {
  /** Of the domain, for the message. */
  readonly address: bigint;
  /** k_mem_domain_add_partition: 0 or a negative errno. */
  addPartition(partition: MemPartition): number;
}

const attributes: Partial<Record<RegionName, PartitionAttribute>> = {
  TEXT: 'P_RX_U_RX',
  VENEER: 'P_RX_U_RX',
  DATA: 'P_RW_U_RW',
  BSS: 'P_RW_U_RW',
  RODATA: 'P_RO_U_RO',
};

/** llext_init_mem_part, with the message that every region has. */
export function initMemPart(context: LoadContext, region: number, start: bigint, size: bigint): void {
  const { subsystem, regions, profile } = context;
  if (subsystem.config.userspace === true && region < regions.PARTITIONS) {
    const partition: MemPartition = { start, size, attribute: attributes[regions.names[region]] };
    context.partitions.set(region, partition);
    writePartition(context, region, partition);
    if (profile.partitionMessage) {
      X.log(subsystem, 'dbg', `mem partition ${region} start ${X.hashHex(start)}, size ${size}`);
    }
  }
  X.log(subsystem, 'dbg', `region ${region}: start ${X.hashHex(start)}, size ${size}`);
}

/** ext->mem_parts[region], where its place in struct llext is known. */
function writePartition(context: LoadContext, region: number, { start, size, attribute }: MemPartition): void {
  const { guest, subsystem } = context;
  const { userspaceSizes, partitionAttributes } = subsystem.config;
  const array = X.laterField(context, 'mem_parts');
  if (array === undefined || userspaceSizes === undefined) return;
  const entry = array + BigInt(region * userspaceSizes.memPartition);
  guest.setPtr(entry, start);
  guest.setPtr(entry + BigInt(guest.pointerSize), size);
  const attr = attribute && partitionAttributes?.[attribute];
  if (attr !== undefined) guest.setU32(entry + BigInt(2 * guest.pointerSize), attr);
}

/** llext_add_domain: regions without contents are left out; the first error ends it. */
export function addDomain(subsystem: Subsystem, extension: LlextExtension, domain: MemDomain): number {
  const { config, regions } = subsystem;
  if (config.userspace !== true) return -Errno.ENOSYS;
  const { memSize, partitions } = extension;
  for (let region = 0; region < regions.PARTITIONS; region++) {
    if (memSize[region] === 0n) continue;
    const ret = domain.addPartition(partitions.get(region) ?? { start: 0n, size: 0n, attribute: undefined });
    if (ret !== 0) {
      X.log(subsystem, 'err', `Failed adding memory partition ${region} to domain ${X.pointer(domain.address)}`);
      return ret;
    }
  }
  return 0;
}

/** llext_adjust_mmu_permissions; versions without the field do not restore them either. */
export function adjustMmuPermissions(context: LoadContext): void {
  const { subsystem, guest, ext } = context;
  const isSet = X.laterField(context, 'mmu_permissions_set');
  if (!subsystem.config.mmu || isSet === undefined) return;
  const image = dynImage(subsystem, ext);
  if (image === undefined) {
    for (const [region, flags] of changedRegions(subsystem)) updateRegion(subsystem, ext, region, flags);
  } else adjustImage(subsystem, ext, image);
  guest.setU8(isSet, 1);
}

/** What llext_free_regions does first: both kinds of regions are read-write again, as all RAM is. */
export function restoreMmuPermissions(subsystem: Subsystem, ext: bigint): void {
  const { guest, config } = subsystem;
  const isSet = X.laterField({ subsystem, ext }, 'mmu_permissions_set');
  if (!config.mmu || isSet === undefined || guest.u8(isSet) === 0) return;
  const image = dynImage(subsystem, ext);
  if (image !== undefined) return updateFlags(subsystem, image.base, image.span, 'READ_WRITE');
  for (const [region] of changedRegions(subsystem)) updateRegion(subsystem, ext, region, 'READ_WRITE');
}

/** Data and bss are read-write by default. */
function changedRegions({ regions }: Subsystem): readonly (readonly [number, LlextMemoryFlags])[] {
  return [
    [regions.TEXT, 'EXEC'],
    [regions.RODATA, 'READ_ONLY'],
  ];
}

function updateRegion(subsystem: Subsystem, ext: bigint, region: number, flags: LlextMemoryFlags): void {
  const { start, size } = extentOf(subsystem, ext, region);
  updateFlags(subsystem, start, roundUp(size, subsystem.config.page), flags);
}

/** k_mem_update_flags */
function updateFlags(subsystem: Subsystem, address: bigint, size: bigint, flags: LlextMemoryFlags): void {
  if (size !== 0n) subsystem.listener?.({ kind: 'memory-flags', address, size, flags });
}

function extentOf(subsystem: Subsystem, ext: bigint, region: number): { start: bigint; size: bigint } {
  const { guest, layout } = subsystem;
  const at = (array: number): bigint => guest.ptr(ext + BigInt(array + region * guest.pointerSize));
  return { start: at(layout.mem), size: at(layout.mem_size) };
}

interface DynImage {
  readonly base: bigint;
  readonly span: bigint;
}

function dynImage({ guest, layout }: Subsystem, ext: bigint): DynImage | undefined {
  if (layout.dyn_base === undefined || layout.dyn_span === undefined) return undefined;
  const base = guest.ptr(ext + BigInt(layout.dyn_base));
  return base === 0n ? undefined : { base, span: guest.ptr(ext + BigInt(layout.dyn_span)) };
}

/** Regions of an ET_DYN image may share a page: it is executable where there is code and no data. */
function adjustImage(subsystem: Subsystem, ext: bigint, { base, span }: DynImage): void {
  const { TEXT, DATA, BSS } = subsystem.regions;
  const page = BigInt(subsystem.config.page);
  for (let at = base; at < base + span; at += page) {
    const holds = (region: number): boolean => {
      const { start, size } = extentOf(subsystem, ext, region);
      return size !== 0n && start < at + page && at < start + size;
    };
    if (!holds(TEXT)) continue;
    if (holds(DATA) || holds(BSS)) {
      X.log(subsystem, 'err', `Page at ${X.pointer(at)} has both code and data`);
      continue;
    }
    updateFlags(subsystem, at, page, 'EXEC');
  }
}

function roundUp(size: bigint, page: number): bigint {
  const unit = BigInt(page);
  return ((size + unit - 1n) / unit) * unit;
}
