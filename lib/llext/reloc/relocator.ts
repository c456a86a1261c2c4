/**
 * Relocations as data. A row says of one relocation type what Zephyr's handler does (`exact`) and, where that differs,
 * what the processor's ABI wants (`abi`): a formula in the specification's letters, the field that takes the result, the
 * range that is accepted. apply.ts evaluates rows; one file of this folder per CPU holds them, and these files never
 * import each other.
 * Words are numbers (int32) where a pointer has 4 bytes and bigints (int64) where it has 8: linking 32-bit files is hot.
 */
import { profileNames } from '../profile';
import type { ProfileName } from '../profile';
import type { FormulaText } from './formula';

export type Word = number | bigint;

/** Where a relocation is applied: bytes of the target, in host memory. */
export interface Place {
  readonly view: DataView;
  readonly at: number;
  readonly littleEndian: boolean;
}

/** How a value is kept at the place. */
export interface Field {
  /** Bytes at P that are read and written. */
  readonly size: number;
  /** For people: 'imm24 in bits 23:0'. */
  readonly text: string;
  /** What the place holds (V, or the addend of SHT_REL), sign-extended. Absent where no formula asks for it. */
  readonly read?: (place: Place) => number;
  /** Takes the low 32 bits of X >> shift. */
  readonly write: (place: Place, value: number) => void;
  /** The same for 8 bytes. */
  readonly read64?: (place: Place) => bigint;
  readonly write64?: (place: Place, value: bigint) => void;
}

/** X is accepted in [min, max], and where X % align = 0. Absent = not checked. */
export interface Range {
  readonly min?: number;
  readonly max?: number;
  readonly align?: number;
}

export interface Rule {
  readonly formula: FormulaText;
  readonly field: Field;
  /** The field takes X >> shift. */
  readonly shift?: number;
  readonly range?: Range;
  /** The handler's own test, where it is not that X lies in the range. */
  readonly accepts?: (X: Word) => boolean;
  /** What is refused has been written already. */
  readonly writesFirst?: boolean;
  /** A type that is always refused, with this message. */
  readonly refusal?: (input: RelocationInput) => readonly string[];
}

export interface RelocationRow {
  readonly type: number;
  readonly name: string;
  /** Zephyr's; undefined = its handler does not know the type. */
  readonly exact?: Rule;
  /** The ABI's, where it is not the same; undefined there = the same. */
  readonly abi?: Rule;
  /** The ABI's, where it depends on the instruction at the place. */
  readonly abiByPlace?: (place: Place) => Rule;
  /** Where Zephyr differs from the ABI, in words. */
  readonly quirk?: string;
  /** First and last profile whose handler has the row; absent = all. */
  readonly since?: ProfileName;
  readonly until?: ProfileName;
  /** The specification infers or recalls the row: not checked against Zephyr. */
  readonly assumed?: true;
}

/** exact = as Zephyr's handler does it; abi-correct = as the ABI says. */
export type RelocationMode = 'exact' | 'abi-correct';

export interface RelocationInput {
  readonly mode: RelocationMode;
  readonly profile: ProfileName;
  readonly pointerSize: 4 | 8;
  readonly place: Place;
  readonly type: number;
  /** Address of the symbol, with the Thumb bit where it has one. */
  readonly S: bigint;
  /** r_addend; 0 in SHT_REL, where the addend is in the place. */
  readonly A: bigint;
  /** Address of the place. */
  readonly P: bigint;
  /** Load bias. */
  readonly B: bigint;
  /** The symbol is code that its address marks as Thumb: bit 0 of S is the T of AAELF32. */
  readonly thumb?: boolean;
  /** For messages. */
  readonly symbol: string;
}

export interface RelocationResult {
  /** 0 or a negative errno. */
  readonly ret: number;
  /** The addend that was used, wherever it came from. */
  readonly A: bigint;
  /** Result of the formula; undefined where the type has none. */
  readonly X?: bigint;
  /** Messages of the handler, with the line feeds that Zephyr's have. */
  readonly errors?: readonly string[];
}

export interface Relocator {
  readonly rows: readonly RelocationRow[];
  /** The addend lies in the place (SHT_REL). */
  readonly addendInPlace: boolean;
  /** Message for an X out of range. */
  readonly outOfRange: (input: RelocationInput, X: bigint, range: Range) => string;
  /** A type without a row: errno and message. */
  readonly unknown: (input: RelocationInput) => { readonly ret: number; readonly errors: readonly string[] };
  /** LOG_DBG of the handler before it applies the relocation. */
  readonly announcement?: (input: RelocationInput) => string;
  /** The type takes the X of another relocation, which applies where its symbol points: R_RISCV_PCREL_LO12_I. */
  readonly isPaired?: (type: number) => boolean;
  /** The types of which that other relocation is one. */
  readonly pairTypes?: readonly number[];
  /** Message when there is none. */
  readonly pairMissing?: string;
}

/** Whether the handler of that version has the row. */
export function hasProfile({ since, until }: Pick<RelocationRow, 'since' | 'until'>, profile: ProfileName): boolean {
  const at = profileNames.indexOf(profile);
  return (
    at >= (since === undefined ? 0 : profileNames.indexOf(since)) &&
    at <= (until === undefined ? profileNames.length : profileNames.indexOf(until))
  );
}
