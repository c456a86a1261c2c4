/**
 * Type names (C11 6.7.7): specifiers and qualifiers, then an abstract declarator, which is read from the inside out:
 * `int (*[3])(char)` is an array of 3 of pointer to function.
 */
import { fail, type Span } from './errors';
import type { Macro } from './macro-expansion';
import type { Derivation, Expression, QualifierWord, TypeName, TypeSpecifier } from './syntax';
import type { TokenStream } from './token-stream';

export interface TypeNames {
  /** `operator` is a keyword. */
  readonly isCPlusPlus?: boolean;
  /** Whether a name stands for a type (a typedef that no variable hides). */
  isTypeName(name: string): boolean;
  /** Whether an instance of a template is a function, or has members. */
  isTemplateName?(name: string): boolean;
  /** The macro of a name where the expression stands. */
  macro?(name: string): Macro | undefined;
}

/** A name of several tokens. */
interface LongName {
  readonly name: string;
  readonly tokens: number;
}

const qualifierWords: Readonly<Record<string, QualifierWord>> = {
  const: 'const',
  __const: 'const',
  volatile: 'volatile',
  __volatile__: 'volatile',
  restrict: 'restrict',
  __restrict: 'restrict',
  __restrict__: 'restrict',
  _Atomic: 'atomic',
};

const basicWords: ReadonlySet<string> = new Set(
  'char short int long signed __signed__ unsigned float double void _Bool bool _Complex'.split(' '),
);

/** Sorted words of a specifier list -> the type's name (6.7.2 paragraph 2). */
const basicTypes: Readonly<Record<string, string>> = {
  char: 'char',
  'char signed': 'signed char',
  'char unsigned': 'unsigned char',
  short: 'short',
  'short signed': 'short',
  'int short': 'short',
  'int short signed': 'short',
  'short unsigned': 'unsigned short',
  'int short unsigned': 'unsigned short',
  int: 'int',
  signed: 'int',
  'int signed': 'int',
  unsigned: 'unsigned int',
  'int unsigned': 'unsigned int',
  long: 'long',
  'long signed': 'long',
  'int long': 'long',
  'int long signed': 'long',
  'long unsigned': 'unsigned long',
  'int long unsigned': 'unsigned long',
  'long long': 'long long',
  'long long signed': 'long long',
  'int long long': 'long long',
  'int long long signed': 'long long',
  'long long unsigned': 'unsigned long long',
  'int long long unsigned': 'unsigned long long',
  float: 'float',
  double: 'double',
  'double long': 'long double',
  void: 'void',
  _Bool: '_Bool',
  bool: '_Bool',
  '_Complex float': 'complex float',
  '_Complex double': 'complex double',
  _Complex: 'complex double',
  '_Complex double long': 'complex long double',
};

const overloadable: ReadonlySet<string> = new Set(
  '+ - * / % ^ & | ~ ! = < > += -= *= /= %= ^= &= |= << >> <<= >>= == != <= >= && || ++ -- , ->* ->'.split(' '),
);

export class TypeParser {
  constructor(
    private readonly tokens: TokenStream,
    private readonly names: TypeNames,
    /** An assignment expression: array sizes, operands of typeof. */
    private readonly parseExpression: () => Expression,
  ) {}

  /** Whether a type name starts `distance` tokens ahead. */
  startsType(distance = 0): boolean {
    const token = this.tokens.peek(distance);
    if (token.kind === 'keyword') {
      return (
        basicWords.has(token.text) ||
        token.text in qualifierWords ||
        ['struct', 'union', 'enum', 'class', 'typeof', '__typeof__'].includes(token.text)
      );
    }
    return this.typeNameAt(distance) !== undefined;
  }

  /** The longest name, with namespaces, classes and template arguments, when it is of a type. */
  private typeNameAt(distance: number): LongName | undefined {
    let at = distance;
    let name = '';
    if (this.tokens.is('::', at)) at++;
    for (;;) {
      const token = this.tokens.peek(at);
      if (token.kind !== 'name') return undefined;
      name += token.text;
      at++;
      const instance = this.tokens.is('<', at) ? this.argumentsAt(at) : undefined;
      if (instance !== undefined && this.isKnown(name + instance.name)) {
        name += instance.name;
        at += instance.tokens;
      }
      if (!this.tokens.is('::', at) || this.tokens.peek(at + 1).kind !== 'name') break;
      name += '::';
      at++;
    }
    return this.names.isTypeName(name) ? { name, tokens: at - distance } : undefined;
  }

  /** What follows the name of a template; undefined: a comparison. Starts at the `<` that is next. */
  templateAt(within: string | undefined, name: string): LongName | undefined {
    const found = this.argumentsAt(0);
    if (found === undefined) return undefined;
    const scope = within === undefined ? '' : `${within}::`;
    return this.isKnown(scope + name + found.name) ? { name: name + found.name, tokens: found.tokens } : undefined;
  }

  /** What follows the word `operator` (C++ 12.4, 11.4.8.3): `operator+`, `operator()`, `operator[]`, `operator long`. */
  parseOperatorName(): string {
    for (const [open, close] of ['()', '[]']) {
      if (!this.tokens.is(open)) continue;
      this.tokens.take();
      this.tokens.expect(close);
      return `operator${open}${close}`;
    }
    const { kind, text } = this.tokens.next;
    if (kind === 'punctuator' && overloadable.has(text)) return `operator${this.tokens.take().text}`;
    if (!this.startsType()) return this.tokens.unexpected('an operator or a type');
    const words: string[] = [];
    while (this.startsType() || this.tokens.is('*') || this.tokens.is('&')) words.push(this.tokens.take().text);
    return `operator ${words.join(' ')}`;
  }

  private isKnown(name: string): boolean {
    return this.names.isTypeName(name) || this.names.isTemplateName?.(name) === true;
  }

  /** `<short, 3>`; words that are next to each other keep a space between them. */
  private argumentsAt(start: number): LongName | undefined {
    let depth = 0;
    let text = '';
    for (let at = start; ; at++) {
      const token = this.tokens.peek(at);
      if (token.kind === 'end') return undefined;
      const isWord = /^\w/.test(token.text) && /\w$/.test(text);
      text += (isWord ? ' ' : '') + token.text + (token.text === ',' ? ' ' : '');
      if (token.kind !== 'punctuator') continue;
      if (token.text === '<') depth++;
      else if (token.text === '>' || token.text === '>>') depth -= token.text.length;
      if (depth <= 0) return depth < 0 ? undefined : { name: text, tokens: at - start + 1 };
    }
  }

  /** 6.7.7 */
  parseTypeName(): TypeName {
    return this.tokens.nested(() => {
      const start = this.tokens.next;
      const { specifier, qualifiers } = this.parseSpecifiers();
      const derivations = this.parseDeclarator();
      return { kind: 'type-name', specifier, qualifiers, derivations, ...this.tokens.spanFrom(start) };
    });
  }

  /** 6.7.2, 6.7.3: in any order; words of basic types are collected, anything else may come once. */
  private parseSpecifiers(): { specifier: TypeSpecifier; qualifiers: QualifierWord[] } {
    const start = this.tokens.next;
    const qualifiers: QualifierWord[] = [];
    const words: string[] = [];
    let specifier: TypeSpecifier | undefined;
    for (;;) {
      const token = this.tokens.next;
      if (token.kind === 'keyword' && token.text === '_Atomic' && this.tokens.is('(', 1)) {
        specifier = this.parseAtomic(qualifiers, specifier);
      } else if (token.kind === 'keyword' && token.text in qualifierWords) {
        qualifiers.push(qualifierWords[this.tokens.take().text]);
      } else if (token.kind === 'keyword' && basicWords.has(token.text)) {
        words.push(this.tokens.take().text.replace('__signed__', 'signed'));
      } else if (!specifier && words.length === 0 && this.startsType()) {
        specifier = this.parseNamedSpecifier();
      } else break;
    }
    const span = this.tokens.spanFrom(start);
    if (specifier && words.length > 0) return fail('two types are given', span);
    return { specifier: specifier ?? basicSpecifier(words, span), qualifiers };
  }

  private parseAtomic(qualifiers: QualifierWord[], before: TypeSpecifier | undefined): TypeSpecifier {
    const start = this.tokens.take();
    this.tokens.expect('(');
    const operand = this.parseTypeName();
    this.tokens.expect(')');
    if (before) return fail('two types are given', start);
    qualifiers.push('atomic');
    return { kind: 'typeof', operand };
  }

  /** struct, union, enum, typeof, or the name of a typedef. */
  private parseNamedSpecifier(): TypeSpecifier {
    const long = this.typeNameAt(0);
    if (long !== undefined) {
      this.tokens.skip(long.tokens);
      return { kind: 'typedef', name: long.name };
    }
    const token = this.tokens.take();
    switch (token.text) {
      case 'struct':
      case 'union':
      case 'class':
      case 'enum': {
        if (this.tokens.is('{')) return fail('a type cannot be defined in an expression', this.tokens.next);
        return { kind: 'tagged', tag: token.text, name: this.taggedName() };
      }
      case 'typeof':
      case '__typeof__': {
        this.tokens.expect('(');
        const operand = this.startsType() ? this.parseTypeName() : this.parseExpression();
        this.tokens.expect(')');
        return { kind: 'typeof', operand };
      }
      default:
        return { kind: 'typedef', name: token.text };
    }
  }

  /** After the keyword any name may stand; a known one with its namespaces and arguments. */
  private taggedName(): string {
    const long = this.typeNameAt(0);
    if (long === undefined) return this.tokens.expectName().text;
    this.tokens.skip(long.tokens);
    return long.name;
  }

  /** An abstract declarator, or the declarator of a parameter, whose name is skipped. */
  private parseDeclarator(): Derivation[] {
    return this.tokens.nested(() => {
      const pointers: Derivation[] = [];
      while (this.tokens.takeIf('*')) pointers.push({ kind: 'pointer', qualifiers: this.parseQualifiers() });
      if (this.tokens.takeIf('&') || this.tokens.takeIf('&&')) pointers.push({ kind: 'reference' });
      let inner: Derivation[] = [];
      if (this.tokens.is('(') && this.startsInnerDeclarator()) {
        this.tokens.take();
        inner = this.parseDeclarator();
        this.tokens.expect(')');
      } else if (this.tokens.next.kind === 'name' && !this.startsType()) this.tokens.take();
      const suffixes: Derivation[] = [];
      for (;;) {
        if (this.tokens.takeIf('[')) suffixes.push(this.parseArray());
        else if (this.tokens.takeIf('(')) suffixes.push(this.parseFunction());
        else break;
      }
      // Suffixes bind tighter than pointers; the last suffix is nearest to the element type.
      return [...pointers, ...suffixes.reverse(), ...inner];
    });
  }

  /** `(` starts a nested declarator, not a parameter list, when what follows can begin one. */
  private startsInnerDeclarator(): boolean {
    if (this.tokens.is('*', 1) || this.tokens.is('[', 1)) return true;
    if (this.tokens.is('(', 1)) return true;
    return this.tokens.peek(1).kind === 'name' && !this.startsType(1);
  }

  private parseQualifiers(): QualifierWord[] {
    const found: QualifierWord[] = [];
    while (this.tokens.next.kind === 'keyword' && this.tokens.next.text in qualifierWords) {
      found.push(qualifierWords[this.tokens.take().text]);
    }
    return found;
  }

  /** Qualifiers in brackets belong to parameters and mean nothing here. */
  private parseArray(): Derivation {
    this.parseQualifiers();
    const size = this.tokens.is(']') ? undefined : this.parseExpression();
    this.tokens.expect(']');
    return { kind: 'array', size };
  }

  /** Empty parentheses: nothing is known of the parameters (6.7.6.3 paragraph 14). */
  private parseFunction(): Derivation {
    const parameters: TypeName[] = [];
    let variadic = false;
    if (!this.tokens.is(')')) {
      do {
        if (this.tokens.takeIf('...')) {
          variadic = true;
          break;
        }
        if (!this.startsType()) this.tokens.unexpected('a type');
        parameters.push(this.parseTypeName());
      } while (this.tokens.takeIf(','));
    } else variadic = true;
    this.tokens.expect(')');
    const isVoid = parameters.length === 1 && isPlainVoid(parameters[0]);
    return { kind: 'function', parameters: isVoid ? [] : parameters, variadic };
  }
}

function isPlainVoid(type: TypeName): boolean {
  return type.derivations.length === 0 && type.specifier.kind === 'basic' && type.specifier.name === 'void';
}

function basicSpecifier(words: readonly string[], span: Span): TypeSpecifier {
  const key = [...words].sort().join(' ');
  // Sorting puts `_Complex` first and keeps `long long` together.
  const name = basicTypes[key] as string | undefined;
  if (name === undefined)
    return fail(words.length === 0 ? 'a type is expected' : `'${words.join(' ')}' is no type`, span);
  return { kind: 'basic', name };
}
