/**
 * The operations that decoder rows are translated to, each with its meaning as program text: data for
 * scripts/generate-interpreter.ts, which makes one switch of them. One operation serves many encodings; what can be
 * resolved when an instruction is decoded (pc, literal addresses, branch targets, modified immediates) is an operand.
 *
 * In the text, $1..$6 are the operand words of the record, r[] the core registers, n z c v the flags as
 * state.ts has them, and these names are replaced by the generator:
 *   JUMP(address)    go on there           NEAR(i)   to the branch target in operand i (a record index) or i + 1 (address)
 *   STOP             leave, the instruction not executed; core.stop says why
 *   CHECK_SP(value)  STOP when sp may not become value
 */
import { arithmetic, logical, moves, shifts } from './operations-data';
import { blocks, loads, stores } from './operations-memory';
import { control } from './operations-control';
import { multiplies, bitFields } from './operations-multiply';
import { floatingPoint } from './operations-fp';
import { dsp } from './operations-dsp';
import { rare } from './operations-rare';
import { mergedTable } from '../merged-table';
import type { RecordForm } from '../record-cache';

export interface Operation extends RecordForm {
  readonly exec: string;
  /** Executed by a second function, so that the hot one stays small enough to be optimized. */
  readonly rare?: true;
  /** Makes `k` itself: nothing is added for the next instruction. */
  readonly jumps?: true;
}

export const operations = mergedTable(
  arithmetic,
  logical,
  moves,
  shifts,
  multiplies,
  bitFields,
  loads,
  stores,
  blocks,
  control,
  rare,
  dsp,
  floatingPoint,
);

export type OperationName = keyof typeof operations;

/** In the order of their numbers. */
export const operationNames = Object.keys(operations) as OperationName[];

/** Numbers below are the cache's own: not decoded, conditional by IT, end of page, breakpoint, host call. */
export const firstOperation = 8;

const numbers = new Map(operationNames.map((name, index) => [name, firstOperation + index]));

/** The number that the interpreter switches on, without the bit for a 32-bit encoding. */
export function operationNumber(name: OperationName): number {
  return numbers.get(name) ?? 0;
}
