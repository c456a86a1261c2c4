/**
 * What the parts of the subsystem share: the target (memory, heaps, configuration, base image's exports), the listener,
 * and the context of one load in progress. Formatting follows Zephyr's cbprintf: %p of NULL is "(nil)".
 */
import type { BaseExports } from './base-exports';
import type { Guest } from './guest';
import { displayName } from './guest';
import { LlextError, Errno } from '../errors';
import type { ElfSizes, Shdr } from './elf-records';
import { readShdr } from './elf-records';
import type { LlextLayout } from './layout';
import type { LinkSymbols } from './link-symbols';
import { sectMapEntrySize } from './layout';
import type { LlextLoader, LlextLoadParam } from './loader';
import type { MemPartition } from './llext-partitions';
import type { Profile, RuleName } from './profile';
import type { Regions } from './regions';
import type {
  AllocationPurpose,
  InstanceId,
  LlextConfig,
  LlextHeap,
  LlextHeaps,
  LlextListener,
  LoadPhase,
  PlacedSection,
} from './types';

export type LogLevel = 'err' | 'wrn' | 'inf' | 'dbg';
const levelNumbers: Record<LogLevel, number> = { err: 1, wrn: 2, inf: 3, dbg: 4 };
export const LOG_LEVEL_INF = levelNumbers.inf;
export const LOG_LEVEL_DBG = levelNumbers.dbg;

/**
 * Loop steps that one load may take. Counts in a malformed file reach 2^32, where the real machine would not come back in
 * any useful time. A well-formed file has fewer entries than bytes, and most are visited once or twice.
 */
const workBeside = 10_000;
const workPerByte = 2;
/** Of a loader that does not know how long its file is. */
const workOfUnknownLength = 300_000;

function workLimit({ ldr }: LoadContext): number {
  return ldr.length === undefined ? workOfUnknownLength : workBeside + workPerByte * ldr.length;
}

export interface Subsystem {
  readonly guest: Guest;
  readonly heaps: LlextHeaps;
  readonly config: LlextConfig;
  /** The rules of the configured version; reading one notes it in usedRules. */
  readonly profile: Profile;
  /** Rules that the load in progress, or else the last one, has asked for. */
  readonly usedRules: Set<RuleName>;
  /** Likewise relocation types whose rows are assumptions. */
  readonly assumedRelocations: Set<string>;
  readonly regions: Regions;
  readonly layout: LlextLayout;
  readonly sizes: ElfSizes;
  readonly exports: BaseExports;
  /** sys_slist_t llext_list: head, tail. */
  readonly listAddress: bigint;
  readonly listener: LlextListener | undefined;
  /** By events, or by the messages of its level. */
  readonly tellsRelocations: boolean;
}

export interface LoadContext {
  readonly subsystem: Subsystem;
  readonly guest: Guest;
  readonly profile: Profile;
  readonly regions: Regions;
  readonly ldr: LlextLoader;
  /** Address of struct llext. */
  readonly ext: bigint;
  readonly parm: LlextLoadParam;
  readonly instance: InstanceId;
  /** Sections in the order of their headers, once they have their places. */
  readonly placed: PlacedSection[];
  /** CONFIG_USERSPACE: mem_parts, by region. */
  readonly partitions: Map<number, MemPartition>;
  work: number;
  /** Index of the relocation that a paired one found last: the next search begins there. */
  lastPair: number;
  /** The symbol table with what is known of its symbols, once a section was linked in one go. */
  linkSymbols?: LinkSymbols | undefined;
}

export function log(subsystem: Subsystem, level: LogLevel, text: string, module = 'llext'): void {
  if (subsystem.listener === undefined || levelNumbers[level] > subsystem.config.logLevel) return;
  subsystem.listener({ kind: 'log', level, text: `<${level}> ${module}: ${text}` });
}

/** The text is only made when somebody will see it: debug messages outnumber everything else. */
export function logLazily(subsystem: Subsystem, level: LogLevel, text: () => string, module = 'llext'): void {
  if (subsystem.listener === undefined || levelNumbers[level] > subsystem.config.logLevel) return;
  subsystem.listener({ kind: 'log', level, text: `<${level}> ${module}: ${text()}` });
}

export function phase(context: LoadContext, name: LoadPhase): void {
  context.subsystem.listener?.({ kind: 'phase', instance: context.instance, phase: name });
}

/** Tells that Zephyr reaches outside of its data here; the text is only made when somebody listens. */
export function outOfBounds(context: LoadContext, access: 'read' | 'write', what: () => string): void {
  context.subsystem.listener?.({ kind: 'out-of-bounds', instance: context.instance, access, what: what() });
}

/** Counts loop steps; a load that would run away is the machine's fault, not a result. */
export function spend(context: LoadContext, steps = 1): void {
  context.work += steps;
  if (context.work > workLimit(context)) {
    throw new LlextError(Errno.EFAULT, 'the machine would not come back: a count in the file is absurd');
  }
}

/** Whether so many steps are left. */
export function canSpend(context: LoadContext, steps: number): boolean {
  return context.work + steps <= workLimit(context);
}

export function allocate(
  subsystem: Subsystem,
  heap: LlextHeap,
  align: bigint,
  size: bigint,
  purpose: AllocationPurpose,
  instance: InstanceId | undefined,
): bigint {
  if (size === 0n && subsystem.profile.zeroBytesNeverAllocated) return 0n;
  // More than any heap holds: k_heap would refuse it too, and Number() must not round.
  if (size > 0x7fff_ffffn || align > 0x7fff_ffffn) return 0n;
  const address = heap.alignedAlloc(Number(align), Number(size), purpose, instance?.address);
  subsystem.listener?.({
    kind: 'allocation',
    instance,
    purpose,
    address,
    size: Number(size),
    align: Number(align),
  });
  return address;
}

/** llext_alloc_data of a table. */
export function allocateMetadata(context: LoadContext, size: bigint, purpose: AllocationPurpose): bigint {
  const { subsystem } = context;
  return allocate(subsystem, subsystem.heaps.metadata, 0n, size, purpose, context.instance);
}

/** arch_is_instr_mem */
export function isInstructionMemory({ instructionMemory }: LlextConfig, address: bigint, size: bigint): boolean {
  if (instructionMemory === undefined) return true;
  return instructionMemory.some(({ start, end }) => address >= start && address + size <= end);
}

/** llext_free: NULL is allowed. */
export function release(heap: LlextHeap, address: bigint, ext?: bigint): void {
  if (address !== 0n) heap.free(address, ext);
}

// Fields of struct llext and the section map.

/** Address of a field of struct llext that every version has. */
export function field(
  context: { readonly subsystem: Subsystem; readonly ext: bigint },
  name: Exclude<keyof LlextLayout, 'sizeof' | LaterField>,
): bigint {
  return context.ext + BigInt(context.subsystem.layout[name]);
}

type LaterField = { [K in keyof LlextLayout]: undefined extends LlextLayout[K] ? K : never }[keyof LlextLayout];

/** Address of a field that not every version has; undefined = this one has not. */
export function laterField(
  context: { readonly subsystem: Subsystem; readonly ext: bigint },
  name: NonNullable<LaterField>,
): bigint | undefined {
  const offset = context.subsystem.layout[name];
  return offset === undefined ? undefined : context.ext + BigInt(offset);
}

/** sect_cnt is in struct llext since 4.1, before that in the loader. */
export function sectCnt(context: LoadContext): number {
  const address = laterField(context, 'sect_cnt');
  return address === undefined ? context.ldr.state.sect_cnt : context.guest.u32(address);
}

export function setSectCnt(context: LoadContext, count: number): void {
  context.ldr.state.sect_cnt = count;
  const address = laterField(context, 'sect_cnt');
  if (address !== undefined) context.guest.setU32(address, count);
}

/** sect_hdrs, likewise. */
export function sectHdrs(context: LoadContext): bigint {
  const address = laterField(context, 'sect_hdrs');
  return address === undefined ? context.ldr.state.sect_hdrs : context.guest.ptr(address);
}

export function setSectHdrs(context: LoadContext, sectHdrsAddress: bigint): void {
  context.ldr.state.sect_hdrs = sectHdrsAddress;
  const address = laterField(context, 'sect_hdrs');
  if (address !== undefined) context.guest.setPtr(address, sectHdrsAddress);
}

export function sectHdrsOnHeap(context: LoadContext): boolean {
  const address = laterField(context, 'sect_hdrs_on_heap');
  return address === undefined ? context.ldr.state.sect_hdrs_on_heap : context.guest.u8(address) !== 0;
}

export function setSectHdrsOnHeap(context: LoadContext): void {
  context.ldr.state.sect_hdrs_on_heap = true;
  const address = laterField(context, 'sect_hdrs_on_heap');
  if (address !== undefined) context.guest.setU8(address, 1);
}

/** ext->sect_hdrs[index]; the index is not checked. */
export function sectionHeader(context: LoadContext, index: number): Shdr {
  const { guest, subsystem } = context;
  const address = sectHdrs(context) + BigInt(index) * BigInt(subsystem.sizes.shdr);
  return readShdr(guest.bytes(address, subsystem.sizes.shdr), guest.pointerSize, guest.littleEndian);
}

/** llext_string of SHSTRTAB at sh_name: the address, because only its reader knows whether it must be readable. */
export function sectionNameAddress(context: LoadContext, section: Shdr): bigint {
  return stringAddress(context, context.regions.SHSTRTAB, section.sh_name);
}

/** llext_string: not checked against the table's size. */
export function stringAddress(context: LoadContext, region: number, offset: number): bigint {
  return context.guest.wrap(mem(context, region) + BigInt(offset));
}

export function sectionName(context: LoadContext, section: Shdr): string {
  return displayName(context.guest.shownString(sectionNameAddress(context, section)));
}

/** ext->mem[region]; region may be garbage from outside of the section map. */
export function mem(context: { subsystem: Subsystem; ext: bigint; guest: Guest }, region: number): bigint {
  return context.guest.ptr(field(context, 'mem') + BigInt(region) * BigInt(context.guest.pointerSize));
}

export function setMem(context: LoadContext, region: number, address: bigint): void {
  context.guest.setPtr(field(context, 'mem') + BigInt(region * context.guest.pointerSize), address);
}

export function addToAllocSize(context: LoadContext, size: bigint): void {
  const { guest } = context;
  const address = field(context, 'alloc_size');
  guest.setPtr(address, guest.ptr(address) + size);
}

function sectMapEntry(context: LoadContext, index: number): bigint {
  return context.ldr.state.sect_map + BigInt(index) * BigInt(sectMapEntrySize(context.guest.pointerSize));
}

/** ldr->sect_map[index].mem_idx; the index is not checked. */
export function sectMemIdx(context: LoadContext, index: number): number {
  return context.guest.u32(sectMapEntry(context, index));
}

export function setSectMemIdx(context: LoadContext, index: number, region: number): void {
  context.guest.setU32(sectMapEntry(context, index), region);
}

export function sectOffset(context: LoadContext, index: number): bigint {
  return context.guest.ptr(sectMapEntry(context, index) + BigInt(context.guest.pointerSize));
}

export function setSectOffset(context: LoadContext, index: number, offset: bigint): void {
  context.guest.setPtr(sectMapEntry(context, index) + BigInt(context.guest.pointerSize), offset);
}

/** llext_loaded_sect_ptr: 0n for a section in no region; the index is not checked. */
export function loadedSectPtr(context: LoadContext, index: number): bigint {
  const region = sectMemIdx(context, index);
  if (region === context.regions.COUNT) return 0n;
  return context.guest.wrap(mem(context, region) + sectOffset(context, index));
}

/** %p */
export function pointer(address: bigint): string {
  return address === 0n ? '(nil)' : `0x${address.toString(16)}`;
}

/** %#zx, %#lx */
export function hashHex(value: bigint): string {
  return `0x${value.toString(16)}`;
}
