/** What is wrong with an expression, and where in its text. The only error that this folder throws. */
import type { Unavailable } from '../dwarf/location';

export class ExpressionError extends Error {
  constructor(
    message: string,
    /** Position in the expression's text, in UTF-16 units. */
    readonly offset: number,
    readonly length: number,
  ) {
    super(message);
    this.name = 'ExpressionError';
  }
}

/** The place of a node alone. */
export function spanOf({ offset, length }: Span): Span {
  return { offset, length };
}

/** A part of an expression's text. */
export interface Span {
  readonly offset: number;
  readonly length: number;
}

export function failUnavailable({ optimizedOut, reason }: Unavailable, span: Span): never {
  throw new ExpressionError(optimizedOut ? 'value has been optimized out' : reason, span.offset, span.length);
}

export function fail(message: string, span: Span): never {
  throw new ExpressionError(message, span.offset, span.length);
}
