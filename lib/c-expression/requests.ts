/**
 * What an evaluation asks for beside memory: the call of a function, and room for a value that only the expression has. Only who can
 * undo it answers (the Debug Console): everything else is compiled without calls and is a plain query.
 */
import type { FunctionType, Type } from '../dwarf/model';
import type { TargetWrite } from '../dwarf/value-bits';
import type { MemoryReply, MemoryRequest } from '../query';
import type { Span } from './errors';

/** The reply is the result as it lies in memory; no bytes for void. */
export interface CallRequest {
  readonly kind: 'call';
  /** As the expression names it. */
  readonly name: string;
  readonly address: bigint;
  readonly type: FunctionType;
  readonly arguments: readonly { readonly type: Type; readonly bytes: Uint8Array }[];
  /** How many of them the prototype names. */
  readonly named: number;
  /** What the expression has assigned since the last call: the function sees it. */
  readonly writes: readonly TargetWrite[];
  readonly span: Span;
}

/** The reply is the address of a copy, as a pointer lies in memory. */
export interface TemporaryRequest {
  readonly kind: 'temporary';
  readonly bytes: Uint8Array;
  readonly alignment: number;
}

export type ExpressionRequest = MemoryRequest | CallRequest | TemporaryRequest;

export type ExpressionQuery<T> = Generator<ExpressionRequest, T, MemoryReply>;
