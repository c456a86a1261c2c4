/** A position in a list of tokens, shared by the expression and the type-name parser; bounds how deep they nest. */
import { fail, type Span } from './errors';
import { type Token, tokenize } from './lexer';
import { expandMacros, type MacroLookup } from './macro-expansion';

const nestingLimit = 1000;

export class TokenStream {
  private readonly tokens: readonly Token[];
  private position = 0;
  private nesting = 0;

  constructor(text: string, macros?: MacroLookup) {
    const tokens = tokenize(text);
    this.tokens = macros === undefined ? tokens : expandMacros(tokens, macros);
  }

  get next(): Token {
    return this.tokens[this.position];
  }

  get atEnd(): boolean {
    return this.next.kind === 'end';
  }

  /** The token `distance` after the next one; the end token beyond the end. */
  peek(distance: number): Token {
    return this.tokens[Math.min(this.position + distance, this.tokens.length - 1)];
  }

  take(): Token {
    const token = this.next;
    if (token.kind !== 'end') this.position++;
    return token;
  }

  skip(count: number): void {
    for (let n = 0; n < count; n++) this.take();
  }

  /** Punctuators and keywords only: a string '(' is no parenthesis. */
  is(text: string, distance = 0): boolean {
    const token = this.peek(distance);
    return token.text === text && (token.kind === 'punctuator' || token.kind === 'keyword');
  }

  takeIf(text: string): boolean {
    if (!this.is(text)) return false;
    this.position++;
    return true;
  }

  /** Takes a token that must be there. */
  expect(text: string): Token {
    if (this.is(text)) return this.take();
    return fail(`'${text}' is expected${this.foundText()}`, this.next);
  }

  expectName(): Token {
    if (this.next.kind === 'name') return this.take();
    return fail(`a name is expected${this.foundText()}`, this.next);
  }

  unexpected(wanted: string): never {
    return fail(`${wanted} is expected${this.foundText()}`, this.next);
  }

  /** From a token's or node's start to the last token that was taken. */
  spanFrom(start: Span): Span {
    const last = this.position === 0 ? start : this.tokens[this.position - 1];
    return { offset: start.offset, length: Math.max(last.offset + last.length - start.offset, 0) };
  }

  /** Keeps recursion within what the stack of every JavaScript engine holds. */
  nested<T>(parse: () => T): T {
    if (++this.nesting > nestingLimit) return fail('the expression is nested too deeply', this.next);
    try {
      return parse();
    } finally {
      this.nesting--;
    }
  }

  private foundText(): string {
    return this.next.kind === 'end' ? ' at the end' : `, not '${this.next.text}'`;
  }
}
