/**
 * What the loader needs from its surroundings, and what it tells: the llext subsystem works on guest memory through
 * LlextMemory, allocates through LlextHeaps, and reports every step to a listener.
 * Addresses are target addresses (bigint); sizes are bytes.
 */

import type { LlextLayout, UserspaceSizes } from './layout';
import type { ProfileName } from './profile';
import type { RegionName } from './regions';
import type { Arch } from '../arch';

/** The target's memory as the loader writes it; out-of-range access throws LlextError EFAULT. */
export interface LlextMemory {
  /** Bytes that are read are the caller's own, to keep or to change. */
  read(address: bigint, length: number): Uint8Array;
  /** The mapped prefix of that range, possibly empty; never throws. */
  readPrefix(address: bigint, length: number): Uint8Array;
  /** So many bytes of a prefix were what the loader wanted; for who watches memory. */
  noteRead?(address: bigint, length: number): void;
  write(address: bigint, bytes: Uint8Array): void;
  /** Writes zeros, where there is a faster way than write(). */
  clear?(address: bigint, length: number): void;
  /** memmove, where there is a faster way than read() and write(): both ranges are mapped, or nothing is changed. */
  copy?(target: bigint, source: bigint, length: number): void;
  /**
   * The memory itself, to change in place: where it lies in one piece, and until anything else writes to it. undefined = it
   * does not, or not all of it is mapped.
   */
  view?(address: bigint, length: number): Uint8Array | undefined;
}

/** enum llext_loader storage: who owns the file image, and for how long (specification 1.8). */
export type LlextStorage = 'temporary' | 'persistent' | 'writable';

/** What an allocation is for; regions by their name ('TEXT', 'DATA', ...). */
export type AllocationPurpose =
  | 'struct llext'
  | 'sect_map'
  | 'sect_hdrs'
  | 'sym_tab'
  | 'exp_tab'
  | 'dyn_image'
  | 'list of section maps'
  | 'list of exp_tabs'
  | `region ${string}`;

/** k_heap_aligned_alloc and k_heap_free of the target. */
export interface LlextHeap {
  /** Address, or 0n when there is no room. align 0 = the heap's own alignment. `ext` is the struct llext it is for. */
  alignedAlloc(align: number, bytes: number, purpose: AllocationPurpose, ext?: bigint): bigint;
  free(address: bigint, ext?: bigint): void;
}

export interface HeapRange {
  readonly address: number;
  readonly bytes: number;
}

/** CONFIG_LLEXT_HEAP_DYNAMIC: there is no heap before the application gives memory. */
export interface DynamicHeaps {
  /** llext_heap_inited */
  readonly initialised: boolean;
  /** `instruction` with CONFIG_HARVARD only. */
  init(data: HeapRange, instruction: HeapRange | undefined): void;
  uninit(): void;
}

/** metadata, data and instruction heap are one k_heap unless CONFIG_HARVARD or CONFIG_LLEXT_HEAP_MEMBLK. */
export interface LlextHeaps {
  readonly metadata: LlextHeap;
  readonly data: LlextHeap;
  readonly instruction: LlextHeap;
  readonly dynamic?: DynamicHeaps;
  /** llext_heap_reset: before the first region is allocated and after the last is freed. */
  reset?(ext: bigint): void;
  /** Takes what the heaps themselves report as errors. */
  setReport?(report: (message: string) => void): void;
}

/** One entry of the base image's export table (EXPORT_SYMBOL). */
export interface BaseExport {
  readonly name: string;
  /** Thumb functions with bit 0 set. 0n counts as not found. */
  readonly address: bigint;
  /** Symbol Link Identifier: what a table with CONFIG_LLEXT_EXPORT_BUILTINS_BY_SLID has in place of the name. */
  readonly slid?: bigint;
  /** Of EXPORT_GROUP_SYMBOL; absent for what was read from a linked table, which only has what the build took. */
  readonly group?: ExportGroup;
}

/** K_MEM_PERM_EXEC, none, K_MEM_PERM_RW of k_mem_update_flags. */
export type LlextMemoryFlags = 'EXEC' | 'READ_ONLY' | 'READ_WRITE';

export type { RegionName };

/** Groups that Zephyr itself uses; a build may have others. EXPORT_SYMBOL without a group is UNASSIGNED. */
export const exportGroups = ['UNASSIGNED', 'SYSCALL', 'LIBC', 'DEVICE'] as const;
export type ExportGroup = (typeof exportGroups)[number];

/** K_MEM_PARTITION_* */
export type PartitionAttribute = 'P_RX_U_RX' | 'P_RW_U_RW' | 'P_RO_U_RO';

/** The steps of do_llext_load, in order. */
export type LoadPhase =
  | 'prepare'
  | 'load_elf_data'
  | 'find_tables'
  | 'copy_strings'
  | 'map_sections'
  | 'veneer_init'
  | 'copy_regions'
  | 'copy_symbols'
  | 'link'
  | 'export_symbols'
  | 'permissions'
  | 'finalize';

/** A section of the file and where it was placed. */
export interface PlacedSection {
  readonly index: number;
  readonly name: string;
  readonly region: RegionName;
  readonly address: bigint;
  readonly size: number;
}

/** Names one loaded extension for debugging: `id` counts loads in this session, never reused (its generation). */
export interface InstanceId {
  readonly id: number;
  /** As llext stores it: at most 15 characters. */
  readonly name: string;
  /** Address of its struct llext. */
  readonly address: bigint;
}

/** A relocation that was applied, or that the CPU's handler refused. */
export interface RelocationEvent {
  readonly kind: 'relocation' | 'relocation-refused';
  readonly instance: InstanceId;
  /** Index and name of the section that is patched. */
  readonly section: number;
  readonly sectionName: string;
  /** r_offset within that section. */
  readonly offset: number;
  /** e.g. 2 and 'R_ARM_ABS32'. */
  readonly type: number;
  readonly typeName: string;
  readonly symbol: string;
  /** S, A, P of the formula as this loader computes them. */
  readonly S: bigint;
  readonly A: bigint;
  readonly P: bigint;
  /** The load bias that relocations without a symbol add. */
  readonly B: bigint;
  /** Bit 0 of S is the T of AAELF32: the symbol is Thumb code. */
  readonly thumb: boolean;
  /** 0, or the negative errno with which it was refused. */
  readonly ret: number;
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

/**
 * The loader itself reads or writes outside of what it may, as Zephyr's does with this file: the result then depends on
 * what lies there (specification 1.3, "older" rows). It goes on, as on a board.
 */
export interface OutOfBoundsEvent {
  readonly kind: 'out-of-bounds';
  readonly instance: InstanceId;
  readonly access: 'read' | 'write';
  /** The field and its value, and what it goes past: "st_shndx 77 of symbol 3: there are 14 sections". */
  readonly what: string;
}

export type LlextEvent =
  | OutOfBoundsEvent
  | { readonly kind: 'phase'; readonly instance: InstanceId; readonly phase: LoadPhase }
  | {
      readonly kind: 'allocation';
      readonly instance: InstanceId | undefined;
      readonly purpose: AllocationPurpose;
      readonly address: bigint;
      readonly size: number;
      readonly align: number;
    }
  | {
      readonly kind: 'section-placed';
      readonly instance: InstanceId;
      readonly index: number;
      readonly name: string;
      readonly region: RegionName;
      readonly address: bigint;
      readonly size: number;
    }
  | RelocationEvent
  /** CONFIG_MMU: the pages' permissions change. */
  | {
      readonly kind: 'memory-flags';
      readonly address: bigint;
      readonly size: bigint;
      readonly flags: LlextMemoryFlags;
    }
  | { readonly kind: 'loaded'; readonly instance: InstanceId }
  | { readonly kind: 'load-failed'; readonly instance: InstanceId; readonly errno: number }
  | { readonly kind: 'unloaded'; readonly instance: InstanceId }
  /** The loader's own message with level and module: '<dbg> llext: ...'. Some of Zephyr's end in a line feed of their own. */
  | { readonly kind: 'log'; readonly level: 'err' | 'wrn' | 'inf' | 'dbg'; readonly text: string };

export type LlextListener = (event: LlextEvent) => void;

export interface AddressRange {
  readonly start: bigint;
  /** Exclusive. */
  readonly end: bigint;
}

/**
 * The target's configuration as the loader sees it (golden/images: `config`, `page`, `ptr_size`). What is optional is
 * off, or not known, when absent.
 */
export interface LlextConfig {
  /** Which version of Zephyr's loader; V41 when absent. */
  readonly profile?: ProfileName;
  /** exact: with Zephyr's quirks (default). abi-correct: relocations as the psABI has them. */
  readonly mode?: 'exact' | 'abi-correct';
  readonly pointerSize: 4 | 8;
  readonly arch: Arch;
  /** Byte order of the build; little when absent. */
  readonly bigEndian?: boolean;
  /** LLEXT_PAGE_SIZE: MPU or MMU page, in bytes. */
  readonly page: number;
  readonly armMpu: boolean;
  /** CONFIG_MPU_REQUIRES_POWER_OF_TWO_ALIGNMENT (Armv7-M, not Armv8-M); true when absent. */
  readonly mpuPowerOfTwo?: boolean;
  readonly mmu: boolean;
  /** CONFIG_USERSPACE; the sizes place the fields of struct llext behind mem_parts and mem_domain. */
  readonly userspace?: boolean;
  readonly userspaceSizes?: UserspaceSizes;
  /** CONFIG_ARC_MPU */
  readonly arcMpu?: boolean;
  /** CONFIG_PMP_GRANULARITY where CONFIG_RISCV_PMP is set. */
  readonly pmpGranularity?: number;
  readonly importAllGlobals: boolean;
  /** CONFIG_LLEXT_LOG_LEVEL: 0 off, 1 err, 2 wrn, 3 inf, 4 dbg. */
  readonly logLevel: number;
  /** CONFIG_LLEXT_STORAGE_WRITABLE: only versions before 4.1 ask the build instead of the loader. */
  readonly storageWritable?: boolean;
  /** CONFIG_HARVARD: instructions have a heap of their own. */
  readonly harvard?: boolean;
  /** Where arch_is_instr_mem() is true; everywhere when absent. */
  readonly instructionMemory?: readonly AddressRange[];
  /** CONFIG_LLEXT_HEAP_MEMBLK_BLOCK_SIZE where CONFIG_LLEXT_HEAP_MEMBLK is set. */
  readonly memblkBlockSize?: number;
  /** CONFIG_LLEXT_RODATA_NO_RELOC */
  readonly rodataNoReloc?: boolean;
  /** CONFIG_LLEXT_VENEERS, with the stub that the core can execute. */
  readonly veneers?: boolean;
  /** Armv6-M and Armv8-M baseline have no LDR.W; mainline when absent. */
  readonly veneerStub?: 'mainline' | 'baseline';
  /** CONFIG_LLEXT_EXPORT_BUILTINS_BY_SLID */
  readonly exportBySlid?: boolean;
  /** CONFIG_LLEXT_EXPORT_DEVICES */
  readonly exportDevices?: boolean;
  /** CONFIG_LLEXT_EXPORT_SYMBOL_GROUP_*; all groups when absent. */
  readonly exportGroups?: readonly ExportGroup[];
  /** The architecture's numbers for k_mem_partition_attr_t; where they are absent the word stays 0. */
  readonly partitionAttributes?: Readonly<Record<PartitionAttribute, number>>;
  /** enum llext_mem and struct llext of the base image, where its DWARF tells; else those of the version. */
  readonly regions?: readonly RegionName[];
  readonly layout?: LlextLayout;
}
