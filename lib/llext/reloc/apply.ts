/**
 * Evaluates rows (relocator.ts): one relocation at one place, in either mode. Nothing here knows a CPU.
 */
import { Errno } from '../../errors';
import { formulas } from './formula';
import type { Formula } from './formula';
import { hasProfile } from './relocator';
import type {
  Place,
  RelocationInput,
  RelocationMode,
  RelocationResult,
  RelocationRow,
  Relocator,
  Rule,
  Word,
} from './relocator';

/** The row of a type in a profile, or undefined: unknown there. */
export function findRow(
  relocator: Relocator,
  type: number,
  profile: RelocationInput['profile'],
): RelocationRow | undefined {
  return relocator.rows.find((row) => row.type === type && hasProfile(row, profile));
}

/** What the mode does with a row; undefined = the type is unknown. The place matters where its instruction does. */
export function ruleOf(row: RelocationRow | undefined, mode: RelocationMode, place?: Place): Rule | undefined {
  if (row === undefined || mode === 'exact') return row?.exact;
  if (row.abiByPlace !== undefined && place !== undefined) return row.abiByPlace(place);
  return row.abi ?? row.exact;
}

export function evaluate(rule: Rule, relocator: Relocator, input: RelocationInput): { X: Word; A: bigint } {
  const formula: Formula = formulas[rule.formula];
  const { place } = input;
  const { field } = rule;
  const thumb = input.thumb === true && rule.formula.includes('T') ? 1n : 0n;
  const readsPlace = formula.usesV || relocator.addendInPlace;
  if (input.pointerSize === 8 || field.write64 !== undefined) {
    const inPlace = readsPlace ? (field.read64?.(place) ?? BigInt(field.read?.(place) ?? 0)) : 0n;
    const A = relocator.addendInPlace ? inPlace : input.A;
    const bits = input.pointerSize * 8;
    const signed = (value: bigint): bigint => BigInt.asIntN(bits, value);
    const S = signed(input.S) - thumb;
    const letters = { S, A: signed(A), P: signed(input.P), B: signed(input.B), V: inPlace, T: thumb };
    return { X: BigInt.asIntN(64, formula.word64(letters)), A };
  }
  const V = readsPlace ? (field.read?.(place) ?? 0) : 0;
  const A = relocator.addendInPlace ? V : int32(input.A);
  const T = Number(thumb);
  const letters = { S: int32(input.S) - T, A, P: int32(input.P), B: int32(input.B), V, T };
  return { X: formula.word32(letters) | 0, A: BigInt(A) };
}

function int32(value: bigint): number {
  return Number(BigInt.asIntN(32, value));
}

export function isAccepted({ range, accepts }: Rule, X: Word): boolean {
  if (accepts !== undefined) return accepts(X);
  if (range === undefined) return true;
  const { min, max, align } = range;
  if ((min !== undefined && X < min) || (max !== undefined && X > max)) return false;
  if (align === undefined) return true;
  return typeof X === 'bigint' ? X % BigInt(align) === 0n : X % align === 0;
}

export function store({ field, shift = 0 }: Rule, place: RelocationInput['place'], X: Word): void {
  if (field.write64 !== undefined) field.write64(place, BigInt(X));
  else if (typeof X === 'bigint') field.write(place, Number(BigInt.asIntN(32, X >> BigInt(shift))));
  else field.write(place, X >> shift);
}

/** Bytes at P that the type reads and writes; 0 for an unknown one. */
export function patchSize(
  relocator: Relocator,
  { type, profile, mode }: Pick<RelocationInput, 'type' | 'profile' | 'mode'>,
): number {
  return ruleOf(findRow(relocator, type, profile), mode)?.field.size ?? 0;
}

/** arch_elf_relocate without the look-up of the symbol: patches the place. */
export function applyRelocation(relocator: Relocator, input: RelocationInput): RelocationResult {
  const rule = ruleOf(findRow(relocator, input.type, input.profile), input.mode, input.place);
  if (rule === undefined) return { A: input.A, ...relocator.unknown(input) };
  if (rule.refusal !== undefined) return { ret: -Errno.ENOEXEC, A: input.A, errors: rule.refusal(input) };
  if (rule.formula === '-' && rule.field.size === 0) return { ret: 0, A: input.A };
  const { X, A } = evaluate(rule, relocator, input);
  const accepted = isAccepted(rule, X);
  if (accepted || rule.writesFirst === true) store(rule, input.place, X);
  const result = { A, X: BigInt(X) };
  if (accepted) return { ret: 0, ...result };
  return { ret: -Errno.ENOEXEC, ...result, errors: [relocator.outOfRange(input, BigInt(X), rule.range ?? {})] };
}
