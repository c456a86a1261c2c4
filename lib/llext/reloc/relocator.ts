/**
 * What llext_link hands to a CPU's arch_elf_relocate, and what it gets back. One file of this folder per CPU implements
 * it; they never import each other.
 */
import type { Guest } from '../guest';

export interface RelocationInput {
  readonly guest: Guest;
  readonly type: number;
  /** Address of the symbol, with the Thumb bit where it has one. */
  readonly S: bigint;
  /** r_addend; 0 in SHT_REL, where the addend is in the place. */
  readonly A: bigint;
  /** The place: address of what is patched. */
  readonly P: bigint;
  /** mem[LLEXT_MEM_TEXT]. */
  readonly loadBias: bigint;
  /** For messages. */
  readonly symbol: string;
}

export interface RelocationResult {
  /** 0 or a negative errno. */
  readonly ret: number;
  /** The addend that was used, wherever it came from. */
  readonly A: bigint;
  /** Message of the handler, with the line feed that Zephyr's has. */
  readonly error?: string;
}

export interface Relocator {
  readonly names: ReadonlyMap<number, string>;
  /** Types that relocate() knows. */
  readonly types: readonly number[];
  /** Bytes at P that the type reads and writes. */
  patchSize(type: number): number;
  relocate(input: RelocationInput): RelocationResult;
}
