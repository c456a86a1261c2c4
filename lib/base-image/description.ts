/**
 * What is known of the Zephyr that extensions are loaded into: one type for a real zephyr.elf (base-image-elf.ts), a
 * JSON list (base-image-json.ts) and the built-in image (kernel/base-image-description.ts). Addresses are the target's.
 */
import type { DebugInfo } from '../dwarf/debug-info';
import type { Arch } from '../arch';
import type { ElfFile } from '../elf/elf-file';
import type { ExportGroup, LlextConfig } from '../llext/types';

export interface BaseImageExport {
  /** undefined: the table has only the SLID, and no name that is known hashes to it. */
  readonly name: string | undefined;
  /** First bytes of the name's SHA-256, in a table by SLID (specification 3.4). */
  readonly slid: bigint | undefined;
  /** Thumb functions with bit 0 set. 0n: not in this build, which the loader takes for "not found". undefined: a list of names. */
  readonly address: bigint | undefined;
  /** Of EXPORT_GROUP_SYMBOL, in an image that was not linked. */
  readonly group?: ExportGroup;
}

/** Arm has one hard-float convention, RISC-V one for each width of register. */
export type FloatAbi = 'soft' | 'hard' | 'single' | 'double' | 'quad';

export interface BaseMachine {
  readonly arch: Arch;
  /** e_machine. */
  readonly machine: number;
  readonly is64: boolean;
  readonly bigEndian: boolean;
  /** Registers that pass floating-point arguments; undefined when the file does not say. */
  readonly floatAbi: FloatAbi | undefined;
  /** Core or instruction set by the build attributes, as they spell it. */
  readonly cpu: string | undefined;
}

/** Buffer of a heap that the loader allocates from. */
export interface BaseHeap {
  /** 'llext_heap', 'llext_instr_heap', 'llext_data_heap' ... */
  readonly name: string;
  readonly address: bigint;
  readonly bytes: number;
  /** Its struct k_heap. */
  readonly record: bigint | undefined;
}

/** Where something was found. */
export type BaseImageEvidence = 'symbols' | 'section' | 'debug information' | 'list' | 'built-in';

export interface KconfigFacts {
  /** By name with CONFIG_; text settings as text. */
  readonly values: ReadonlyMap<string, bigint | string>;
  /** undefined: the file says nothing of its configuration. */
  readonly source: 'symbols' | '.config' | 'debug information' | undefined;
}

export interface BaseImageDescription {
  readonly kind: 'elf' | 'json' | 'built-in';
  /** For messages: the file's path, or 'the built-in base image'. */
  readonly origin: string;
  readonly machine: BaseMachine | undefined;
  readonly config: LlextConfig;
  readonly kconfig: KconfigFacts;
  readonly exports: readonly BaseImageExport[];
  readonly exportsBySlid: boolean;
  readonly exportsFoundBy: BaseImageEvidence;
  readonly heaps: readonly BaseHeap[];
  /** sys_slist_t llext_list. */
  readonly listAddress: bigint | undefined;
  /** '4.2.0' */
  readonly zephyrVersion: string | undefined;
  /** Whether config.layout and config.regions are this build's own, by its debug information. */
  readonly layoutFound: boolean;
  /** Of a real image. */
  readonly elf: ElfFile | undefined;
  /** Of a real image that has debug information; whoever makes a program of the image goes on with it. */
  readonly debug: DebugInfo | undefined;
  /** C declaration of an export, by the debug information. */
  readonly declarationOf: (name: string) => string | undefined;
  /** Where the first file image goes when extensions are only loaded, not run. */
  readonly filePool: bigint;
  /** What was assumed or is odd, a sentence each. */
  readonly notes: readonly string[];
}

/** The loader's table; LlextConfig decides whether it looks names or SLIDs up. */
export function exportNames({ exports }: BaseImageDescription): string[] {
  return exports.flatMap(({ name }) => (name === undefined ? [] : [name]));
}
