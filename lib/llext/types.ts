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
  read(address: bigint, length: number): Uint8Array;
  /** The mapped prefix of that range, possibly empty; never throws. */
  readPrefix(address: bigint, length: number): Uint8Array;
  write(address: bigint, bytes: Uint8Array): void;
}

/** enum llext_loader storage: who owns the file image, and for how long (specification 1.8). */
export type LlextStorage = 'temporary' | 'persistent' | 'writable';

/** What an allocation is for; regions by their name ('TEXT', 'DATA', ...). */
export type AllocationPurpose = 'struct llext' | 'sect_map' | 'sect_hdrs' | 'sym_tab' | 'exp_tab' | `region ${string}`;

/** k_heap_aligned_alloc and k_heap_free of the target. */
export interface LlextHeap {
  /** Address, or 0n when there is no room. align 0 = the heap's own alignment. */
  alignedAlloc(align: number, bytes: number, purpose: AllocationPurpose): bigint;
  free(address: bigint): void;
}

/** metadata, data and instruction heap are one unless CONFIG_HARVARD. */
export interface LlextHeaps {
  readonly metadata: LlextHeap;
  readonly data: LlextHeap;
  readonly instruction: LlextHeap;
}

/** One entry of the base image's export table (EXPORT_SYMBOL). */
export interface BaseExport {
  readonly name: string;
  /** Thumb functions with bit 0 set. 0n counts as not found. */
  readonly address: bigint;
}

export type { RegionName };

/** The steps of do_llext_load, in order. */
export type LoadPhase =
  | 'prepare'
  | 'load_elf_data'
  | 'find_tables'
  | 'copy_strings'
  | 'map_sections'
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

export interface RelocationEvent {
  readonly kind: 'relocation';
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
  /** enum llext_mem and struct llext of the base image, where its DWARF tells; else those of the version. */
  readonly regions?: readonly RegionName[];
  readonly layout?: LlextLayout;
}
