/**
 * A decoder row: one encoding of the Arm architecture reference manuals, as data.
 *
 * `bits` is the manual's diagram with the top bit first: digits are fixed bits, `Rd:3` is a field of three bits,
 * `S` one of one bit, `(0)` and `(1)` are should-be bits (another value is UNPREDICTABLE),
 * `x:4` bits that do not matter. 16 bits or 32 (first halfword, `|`, second halfword). Where
 * several rows match, the one with the most fixed bits is meant: that is the manual's "SEE".
 */
import type { OperationName } from './operations';

/** The architectures that have the encoding. */
export type Profile = 'v6m' | 'v7m' | 'v8m-base' | 'v8m-main';

export const all: readonly Profile[] = ['v6m', 'v7m', 'v8m-base', 'v8m-main'];
export const mainline: readonly Profile[] = ['v7m', 'v8m-main'];
/** Armv7-M and both of Armv8-M: not Armv6-M. */
export const notV6: readonly Profile[] = ['v7m', 'v8m-base', 'v8m-main'];
export const v8: readonly Profile[] = ['v8m-base', 'v8m-main'];
export const v8Mainline: readonly Profile[] = ['v8m-main'];

/** Part of the architecture that a core may lack: then the encoding is UNDEFINED. */
export type Extension = 'dsp' | 'fp' | 'coprocessor';

export type Fields = Readonly<Record<string, number>>;

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

export interface Diagram {
  readonly length: 16 | 32;
  /** Fixed bits and their values, as unsigned numbers. */
  readonly mask: number;
  readonly value: number;
  readonly fixedBits: number;
  readonly shouldBeMask: number;
  readonly shouldBe: number;
  readonly fields: readonly { readonly name: string; readonly shift: number; readonly width: number }[];
}

/** Reads a row's diagram. Throws RangeError when it has not 16 or 32 bits. */
export function parseDiagram(bits: string): Diagram {
  const width = (token: string) =>
    /^[01]+$/.test(token) ? token.length : /^\(/.test(token) ? token.length - 2 : Number(token.split(':')[1] ?? 1);
  const tokens = bits.split(' ').filter((token) => token !== '|');
  const length = tokens.reduce((sum, token) => sum + width(token), 0);
  if (length !== 16 && length !== 32) throw new RangeError(`'${bits}' has ${length} bits`);
  const result = { mask: 0, value: 0, fixedBits: 0, shouldBeMask: 0, shouldBe: 0 };
  const fields: { name: string; shift: number; width: number }[] = [];
  let shift: number = length;
  for (const token of tokens) {
    const size = width(token);
    shift -= size;
    const ones = (2 ** size - 1) * 2 ** shift;
    if (/^[01]+$/.test(token)) {
      result.mask += ones;
      result.value += parseInt(token, 2) * 2 ** shift;
      result.fixedBits += size;
    } else if (token.startsWith('(')) {
      result.shouldBeMask += ones;
      result.shouldBe += parseInt(token.slice(1, -1), 2) * 2 ** shift;
    } else {
      const [name] = token.split(':');
      if (name !== 'x') fields.push({ name, shift, width: size });
    }
  }
  return { length, ...result, fields };
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
