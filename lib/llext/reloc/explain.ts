/**
 * One relocation for people: its formula with the numbers in it, its field, its range and the margin to it; and what
 * the two modes make of the same place. Everything comes from the row, so that it is what the loader computed.
 */
import { applyRelocation, evaluate, findRow, ruleOf } from './apply';
import { formulaWithNumbers, formulas } from './formula';
import type { Letters } from './formula';
import type { RelocationInput, RelocationMode, Relocator, Rule } from './relocator';
import type { LlextConfig, RelocationEvent } from '../types';

export interface RelocationExplanation {
  readonly type: number;
  /** 'R_ARM_THM_CALL' */
  readonly name: string;
  /** 'S + A - P'; '-' where nothing is computed. */
  readonly formula: string;
  /** '0x20000101 + (-0x4) - 0x20000010' */
  readonly numbers: string;
  /** Letters of the formula. */
  readonly S: bigint;
  readonly A: bigint;
  readonly P: bigint;
  /** Bit 0 of S marks Thumb code. */
  readonly T: 0 | 1;
  /** Load bias. */
  readonly B: bigint;
  /** What the place held, where the formula has it. */
  readonly V: bigint | undefined;
  /** The result; the field takes X >> shift. */
  readonly X: bigint;
  readonly shift: number;
  /** How the field lies in the place, in words. */
  readonly field: string;
  /** What is accepted; undefined = not tested. */
  readonly min: bigint | undefined;
  readonly max: bigint | undefined;
  readonly align: number | undefined;
  /** How much nearer to the end of the range X may come; negative when it is outside; undefined without a range. */
  readonly margin: bigint | undefined;
  /** Where Zephyr differs from the ABI in this type. */
  readonly quirk: string | undefined;
  /** Nobody has compared the row with Zephyr: the specification infers or recalls it. */
  readonly assumed: boolean;
}

/** undefined = the type has no row in this mode: the loader refuses it. The place is read, not written. */
export function explainRelocation(relocator: Relocator, input: RelocationInput): RelocationExplanation | undefined {
  const row = findRow(relocator, input.type, input.profile);
  const rule = ruleOf(row, input.mode, input.place);
  if (row === undefined || rule === undefined) return undefined;
  const { X, A } = evaluate(rule, relocator, input);
  const { usesV } = formulas[rule.formula];
  const V = usesV ? inPlace(rule, input) : undefined;
  const T = input.thumb === true ? 1 : 0;
  // Where the formula has a T, its S is without it.
  const S = /\bT\b/.test(rule.formula) ? input.S - BigInt(T) : input.S;
  const letters: Partial<Letters<bigint>> = {
    S,
    A,
    P: input.P,
    B: input.B,
    T: BigInt(T),
    ...(V === undefined ? {} : { V }),
  };
  const { min, max, align } = rule.range ?? {};
  const limits = [min, max].map((limit) => (limit === undefined ? undefined : BigInt(limit)));
  return {
    type: input.type,
    name: row.name,
    formula: rule.formula,
    numbers: formulaWithNumbers(rule.formula, letters),
    S: input.S,
    A,
    P: input.P,
    T,
    B: input.B,
    V,
    X: BigInt(X),
    shift: rule.shift ?? 0,
    field: rule.field.text,
    min: limits[0],
    max: limits[1],
    align,
    margin: marginOf(BigInt(X), limits[0], limits[1]),
    quirk: row.quirk,
    assumed: row.assumed === true,
  };
}

function inPlace({ field }: Rule, { place }: RelocationInput): bigint {
  return field.read64?.(place) ?? BigInt(field.read?.(place) ?? 0);
}

function marginOf(X: bigint, min: bigint | undefined, max: bigint | undefined): bigint | undefined {
  const below = min === undefined ? undefined : X - min;
  const above = max === undefined ? undefined : max - X;
  if (below === undefined || above === undefined) return below ?? above;
  return below < above ? below : above;
}

/** What one mode makes of a place. */
export interface ModeResult {
  /** 0 or a negative errno. */
  readonly ret: number;
  /** The place afterwards: in exact mode what is refused may have been written. */
  readonly bytes: Uint8Array;
}

export interface ModeComparison {
  readonly exact: ModeResult;
  readonly abi: ModeResult;
  /** Zephyr's result is not the ABI's: another result, or other bytes where both accept. */
  readonly differs: boolean;
}

/**
 * Both modes on copies of the bytes `before` the relocation. The inputs of the two may differ: a paired relocation's S,
 * and Xtensa's, is looked up differently; then `abiS` is the ABI's.
 */
export function compareModes(
  relocator: Relocator,
  input: Omit<RelocationInput, 'mode' | 'place'>,
  before: { readonly bytes: Uint8Array; readonly littleEndian: boolean },
  abiS = input.S,
): ModeComparison {
  const run = (mode: RelocationMode, S: bigint): ModeResult => {
    const bytes = before.bytes.slice();
    const place = { view: new DataView(bytes.buffer), at: 0, littleEndian: before.littleEndian };
    const { ret } = applyRelocation(relocator, { ...input, mode, S, place });
    return { ret, bytes };
  };
  const exact = run('exact', input.S);
  const abi = run('abi-correct', abiS);
  const differs = exact.ret !== abi.ret || (exact.ret === 0 && exact.bytes.some((byte, i) => byte !== abi.bytes[i]));
  return { exact, abi, differs };
}

/** The relocation that an event tells of, at a copy of the place as it was before. */
export function inputOfEvent(event: RelocationEvent, config: LlextConfig): RelocationInput {
  const { type, S, A, P, B, thumb, symbol } = event;
  const view = new DataView(event.before.slice().buffer);
  return {
    mode: config.mode ?? 'exact',
    profile: config.profile ?? 'V41',
    pointerSize: config.pointerSize,
    place: { view, at: 0, littleEndian: config.bigEndian !== true },
    type,
    S,
    A,
    P,
    B,
    thumb,
    symbol,
  };
}
