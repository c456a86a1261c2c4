/** What is wrong with an expression, and where in its text. The only error that this folder throws. */
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

/** A part of an expression's text. */
export interface Span {
  readonly offset: number;
  readonly length: number;
}

export function fail(message: string, span: Span): never {
  throw new ExpressionError(message, span.offset, span.length);
}
