/**
 * The operations that decoder rows are translated to, each with its meaning as program text: data for
 * scripts/generate-interpreter.ts, which makes one switch of them for RV32 and one for RV64. Both have the same names and
 * operands; those of RV64 alone (W and D forms) are in both lists, so that the numbers agree.
 *
 * In the text, $1..$6 are the operand words of the record, r[] the state words, and these names are replaced by the generator:
 *   JUMP(address)    go on there           NEAR(i)   to the branch target in operand i (a record index) or i + 1 (address)
 *   STOP             leave, the instruction not executed; core.stop says why
 *   CHECK_SP(value)  STOP when sp may not become value
 * Operands that are registers are words of the state (Site in rows.ts).
 */
import { mergedTable } from '../merged-table';
import type { RecordForm } from '../record-cache';
import { floatOperations } from './operations-float';
import { rv32 } from './operations-rv32';
import { rv64 } from './operations-rv64';
import { systemOperations } from './operations-system';

export interface Operation extends RecordForm {
  readonly exec: string;
  /** Executed by a second function, so that the hot one stays small enough to be optimized. */
  readonly rare?: true;
  /** Makes `k` itself: nothing is added for the next instruction. */
  readonly jumps?: true;
}

export type OperationName = keyof typeof rv64 | keyof typeof floatOperations | keyof typeof systemOperations;

const only64: Operation = { exec: 'core.illegal(); STOP;', rare: true };

export const operations64: Readonly<Record<OperationName, Operation>> = mergedTable(
  rv64,
  floatOperations,
  systemOperations,
);

/** In the order of their numbers. */
export const operationNames = Object.keys(operations64) as OperationName[];

const known32: Readonly<Partial<Record<OperationName, Operation>>> = mergedTable(
  rv32,
  floatOperations,
  systemOperations,
);

const missing32 = Object.fromEntries(
  operationNames.filter((name) => known32[name] === undefined).map((name) => [name, only64]),
);

/** In the same order. */
export const operations32: Readonly<Record<OperationName, Operation>> = mergedTable(operations64, missing32, known32);

/** Numbers below are the cache's own; see Special in ../record-cache.ts. */
export const firstOperation = 8;

const numbers = new Map(operationNames.map((name, index) => [name, firstOperation + index]));

/** The number that the interpreter switches on, without the bit for a 32-bit encoding. */
export function operationNumber(name: OperationName): number {
  return numbers.get(name) ?? 0;
}
