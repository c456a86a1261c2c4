/**
 * The formulas of relocations, in the letters of the ABI specifications: S symbol, A addend, P place, B load bias,
 * V what the place holds, T 1 for a symbol in Thumb code. Each is there twice: in numbers for 32-bit targets, whose
 * arithmetic is modulo 2^32, and in bigints for 64-bit ones. Callers wrap the result.
 */

/** Values for the letters; Hi is X of the relocation that a paired one belongs to, Loaded the address of a VMA. */
export interface Letters<W> {
  readonly S: W;
  readonly A: W;
  readonly P: W;
  readonly B: W;
  readonly V: W;
  readonly T: W;
}

export interface Formula {
  /** V or an addend in the place is part of it. */
  readonly usesV: boolean;
  readonly word32: (letters: Letters<number>) => number;
  readonly word64: (letters: Letters<bigint>) => bigint;
}

const formula = (
  word32: (letters: Letters<number>) => number,
  word64: (letters: Letters<bigint>) => bigint,
  usesV = false,
): Formula => ({ usesV, word32, word64 });

export const formulas = {
  /** Nothing is computed. */
  '-': formula(
    () => 0,
    () => 0n,
  ),
  S: formula(
    ({ S }) => S,
    ({ S }) => S,
  ),
  'S + A': formula(
    ({ S, A }) => S + A,
    ({ S, A }) => S + A,
  ),
  'S + A - P': formula(
    ({ S, A, P }) => S + A - P,
    ({ S, A, P }) => S + A - P,
  ),
  'B + A': formula(
    ({ B, A }) => B + A,
    ({ B, A }) => B + A,
  ),
  // S of these two is without its Thumb bit.
  '(S + A) | T': formula(
    ({ S, A, T }) => (S + A) | T,
    ({ S, A, T }) => (S + A) | T,
  ),
  '((S + A) | T) - P': formula(
    ({ S, A, P, T }) => ((S + A) | T) - P,
    ({ S, A, P, T }) => ((S + A) | T) - P,
  ),
  'Page(S + A) - Page(P)': formula(
    ({ S, A, P }) => ((S + A) & ~0xfff) - (P & ~0xfff),
    ({ S, A, P }) => ((S + A) & ~0xfffn) - (P & ~0xfffn),
  ),
  'V + S': formula(
    ({ V, S }) => V + S,
    ({ V, S }) => V + S,
    true,
  ),
  'V + S + A': formula(
    ({ V, S, A }) => V + S + A,
    ({ V, S, A }) => V + S + A,
    true,
  ),
  'V + S + A - P': formula(
    ({ V, S, A, P }) => V + S + A - P,
    ({ V, S, A, P }) => V + S + A - P,
    true,
  ),
  'V - S - A': formula(
    ({ V, S, A }) => V - S - A,
    ({ V, S, A }) => V - S - A,
    true,
  ),
  // ARC: PCL is the place's word. Zephyr's S already has the addend in it when it adds it.
  '(S + A) - (P & ~3)': formula(
    ({ S, A, P }) => S + A - (P & ~3),
    ({ S, A, P }) => S + A - (P & ~3n),
  ),
  '(S + A) + A - (P & ~3)': formula(
    ({ S, A, P }) => S + A + A - (P & ~3),
    ({ S, A, P }) => S + A + A - (P & ~3n),
  ),
  // Xtensa: L32R, CALLn, and the other branches.
  '(S + A) - ((P + 3) & ~3)': formula(
    ({ S, A, P }) => S + A - ((P + 3) & ~3),
    ({ S, A, P }) => S + A - ((P + 3n) & ~3n),
  ),
  '(S + A) - ((P & ~3) + 4)': formula(
    ({ S, A, P }) => S + A - ((P & ~3) + 4),
    ({ S, A, P }) => S + A - ((P & ~3n) + 4n),
  ),
  '(S + A) - (P + 4)': formula(
    ({ S, A, P }) => S + A - (P + 4),
    ({ S, A, P }) => S + A - (P + 4n),
  ),
  // OpenRISC: the high half that goes with a sign-extended low one; 8 KiB pages.
  'S + A + 0x8000': formula(
    ({ S, A }) => S + A + 0x8000,
    ({ S, A }) => S + A + 0x8000n,
  ),
  'Page8K(S + A) - Page8K(P)': formula(
    ({ S, A, P }) => ((S + A) & ~0x1fff) - (P & ~0x1fff),
    ({ S, A, P }) => ((S + A) & ~0x1fffn) - (P & ~0x1fffn),
  ),
  // RISC-V: S is then X of the R_RISCV_PCREL_HI20 that applies where the symbol points.
  'X(HI20 at S)': formula(
    ({ S }) => S,
    ({ S }) => S,
  ),
  // ET_DYN: S is then where the link-time address in the place was loaded; 0 stays 0.
  'Loaded(V)': formula(
    ({ S }) => S,
    ({ S }) => S,
    true,
  ),
} as const satisfies Readonly<Record<string, Formula>>;

export type FormulaText = keyof typeof formulas;

/** '0x20000101 + 0x4 - 0x20000010': the formula with the numbers in it. */
export function formulaWithNumbers(text: FormulaText, letters: Partial<Letters<bigint>>): string {
  return text.replace(/\b[SAPBVT]\b/g, (letter) => {
    const value = letters[letter as keyof Letters<bigint>];
    if (value === undefined) return letter;
    return value < 0n ? `(-0x${(-value).toString(16)})` : `0x${value.toString(16)}`;
  });
}
