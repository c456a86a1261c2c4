/**
 * A decoder row: one encoding of the Arm architecture reference manuals, as data.
 *
 * `bits` is the manual's diagram as ../bit-diagram.ts reads it, 16 bits or 32 (first halfword, `|`, second halfword).
 * Where several rows match, the one with the most fixed bits is meant: that is the manual's "SEE".
 */
import type { Fields } from '../bit-diagram';
import type { OperationName } from './operations';

export type { Fields };

/** The architectures that have the encoding. */
export type Profile = 'v6m' | 'v7m' | 'v8m-base' | 'v8m-main';

export const all: readonly Profile[] = ['v6m', 'v7m', 'v8m-base', 'v8m-main'];
export const mainline: readonly Profile[] = ['v7m', 'v8m-main'];
/** Armv7-M and both of Armv8-M: not Armv6-M. */
export const notV6: readonly Profile[] = ['v7m', 'v8m-base', 'v8m-main'];
export const v8: readonly Profile[] = ['v8m-base', 'v8m-main'];
export const v8Mainline: readonly Profile[] = ['v8m-main'];

/** Part of the architecture that a core may lack: then the encoding is UNDEFINED. */
export type Extension = 'dsp' | 'fp' | 'fpv5' | 'fp64' | 'fp-space' | 'coprocessor' | 'v8.1m';

export interface Site {
  readonly pc: number;
  /** ITSTATE for this instruction; 0 = not in an IT block. */
  readonly it: number;
  readonly profile: Profile;
}

/** What an instruction does: an operation with its operands, or why it has none. */
export type Meaning = readonly [OperationName, ...number[]];

export interface Row {
  readonly bits: string;
  /** The manual's heading and encoding: 'ADD (immediate) T1'. */
  readonly name: string;
  /** Decode table of the Armv7-M ARM (A5...), or C2.4 of the Armv8-M ARM. */
  readonly section: string;
  readonly in: readonly Profile[];
  readonly extension?: Extension;
  /** Decided before the number of fixed bits: the literal forms, whose Rn = 1111 overrides all that follows it. */
  readonly first?: true;
  readonly exec: (field: Fields, site: Site) => Meaning;
}

/** Rows of one decode table: [bits, name, exec]. */
export type RowText = readonly [bits: string, name: string, exec: Row['exec'], profiles?: readonly Profile[]];

export function table(
  section: string,
  profiles: readonly Profile[],
  rows: readonly RowText[],
  extension?: Extension,
): Row[] {
  return rows.map(([bits, name, exec, own]) => ({ bits, name, section, in: own ?? profiles, extension, exec }));
}

/** UNDEFINED in the manual's pseudocode. */
export const undefinedHere: Meaning = ['undefined', 0];
/** UNPREDICTABLE: stops like an undefined instruction, saying so. */
export const unpredictable: Meaning = ['undefined', 1];
/** A coprocessor that is not there: UsageFault NOCP. */
export const noCoprocessor: Meaning = ['undefined', 2];

export const inIt = (site: Site) => site.it !== 0;
/** In an IT block and not its last instruction. */
export const inItNotLast = (site: Site) => (site.it & 7) !== 0;
