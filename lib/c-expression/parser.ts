/**
 * The grammar of C expressions (C11 6.5) by recursive descent, binary operators by precedence. gdb's `@` binds
 * tighter than shifts and looser than `+`. Whether `(name)` begins a cast depends on whether the name is a type,
 * which the caller tells.
 */
import { fail, type Span } from './errors';
import { imaginaryPart, parseNumber, parseText, type TextLiteral } from './literal';
import type {
  ArithmeticOperator,
  BinaryOperator,
  Designator,
  Expression,
  Initializer,
  Qualifier,
  TypeName,
} from './syntax';
import { TokenStream } from './token-stream';
import { type TypeNames, TypeParser } from './type-parser';

const noTypeNames: TypeNames = { isTypeName: () => false };

/** Throws ExpressionError, and nothing else, for text that is no expression. */
export function parseExpression(text: string, names: TypeNames = noTypeNames): Expression {
  const parser = new Parser(text, names);
  return parser.parseAll();
}

/** A type name alone, as in a cast without its parentheses. */
export function parseTypeName(text: string, names: TypeNames = noTypeNames): TypeName {
  return new Parser(text, names).parseOnlyType();
}

/** A list in braces, as behind the `=` of a declaration. */
export function parseInitializer(text: string, names: TypeNames = noTypeNames): Initializer {
  return new Parser(text, names).parseOnlyInitializer();
}

/** Higher binds tighter (6.5.5 to 6.5.14). */
const precedence: Readonly<Record<string, number>> = {
  '||': 1,
  '&&': 2,
  '|': 3,
  '^': 4,
  '&': 5,
  '==': 6,
  '!=': 6,
  '<': 7,
  '>': 7,
  '<=': 7,
  '>=': 7,
  '<<': 8,
  '>>': 8,
  '@': 9,
  '+': 10,
  '-': 10,
  '*': 11,
  '/': 11,
  '%': 11,
  '.*': 12,
  '->*': 12,
};

const assignmentOperators: ReadonlySet<string> = new Set('= += -= *= /= %= &= |= ^= <<= >>='.split(' '));

/** C++ 7.6.1.7 to 7.6.1.11; static_cast and const_cast are the same to a debugger. */
const castWords: ReadonlySet<string> = new Set(['static_cast', 'reinterpret_cast', 'const_cast', 'dynamic_cast']);

/** A chain of operators makes a tree as deep as it is long. */
const chainLimit = 500;

class Parser {
  private readonly tokens: TokenStream;
  private readonly types: TypeParser;
  private readonly isCPlusPlus: boolean;
  private chained = 0;

  constructor(text: string, names: TypeNames) {
    this.tokens = new TokenStream(text, names.macro?.bind(names));
    this.types = new TypeParser(this.tokens, names, () => this.parseAssignment());
    this.isCPlusPlus = names.isCPlusPlus === true;
  }

  parseAll(): Expression {
    if (this.tokens.atEnd) this.tokens.unexpected('an expression');
    const expression = this.parseComma();
    if (!this.tokens.atEnd) this.tokens.unexpected('an operator or the end');
    return expression;
  }

  parseOnlyType(): TypeName {
    if (!this.types.startsType()) this.tokens.unexpected('a type');
    const type = this.types.parseTypeName();
    if (!this.tokens.atEnd) this.tokens.unexpected('the end');
    return type;
  }

  parseOnlyInitializer(): Initializer {
    const list = this.parseInitializerList();
    if (!this.tokens.atEnd) this.tokens.unexpected('the end');
    return list;
  }

  /** 6.5.17 */
  private parseComma(): Expression {
    let left = this.parseAssignment();
    while (this.tokens.is(',')) {
      this.countChain();
      this.tokens.take();
      const right = this.parseAssignment();
      left = { kind: 'binary', operator: ',', left, right, ...this.tokens.spanFrom(left) };
    }
    return left;
  }

  /** 6.5.16. What may be assigned to is checked with the types. */
  private parseAssignment(): Expression {
    return this.tokens.nested(() => {
      const target = this.parseConditional();
      const { text, kind } = this.tokens.next;
      if (kind !== 'punctuator' || !assignmentOperators.has(text)) return target;
      this.tokens.take();
      const value = this.parseAssignment();
      const operator = text === '=' ? undefined : (text.slice(0, -1) as ArithmeticOperator);
      return { kind: 'assignment', operator, target, value, ...this.tokens.spanFrom(target) };
    });
  }

  /** 6.5.15 */
  private parseConditional(): Expression {
    const condition = this.parseBinary(1);
    if (!this.tokens.takeIf('?')) return condition;
    const then = this.tokens.is(':') ? undefined : this.tokens.nested(() => this.parseComma());
    this.tokens.expect(':');
    const otherwise = this.tokens.nested(() => this.parseConditional());
    return { kind: 'conditional', condition, then, otherwise, ...this.tokens.spanFrom(condition) };
  }

  private parseBinary(lowest: number): Expression {
    return this.tokens.nested(() => {
      let left = this.parseCast();
      for (;;) {
        const { text, kind } = this.tokens.next;
        const level = kind === 'punctuator' ? (precedence[text] as number | undefined) : undefined;
        if (level === undefined || level < lowest) return left;
        this.countChain();
        this.tokens.take();
        const right = this.parseBinary(level + 1);
        left = { kind: 'binary', operator: text as BinaryOperator, left, right, ...this.tokens.spanFrom(left) };
      }
    });
  }

  /** 6.5.4; a parenthesised type before `{` is a compound literal (6.5.2.5). */
  private parseCast(): Expression {
    return this.tokens.nested(() => {
      if (!this.tokens.is('(') || !this.types.startsType(1)) return this.parseUnary();
      const start = this.tokens.take();
      const type = this.types.parseTypeName();
      this.tokens.expect(')');
      if (this.tokens.is('{')) return this.parsePostfixOf(this.compoundLiteral(start, type));
      const operand = this.parseCast();
      return { kind: 'cast', type, operand, ...this.tokens.spanFrom(start) };
    });
  }

  private compoundLiteral(start: Span, type: TypeName): Expression {
    const initializer = this.parseInitializerList();
    return { kind: 'compound-literal', type, initializer, ...this.tokens.spanFrom(start) };
  }

  /** 6.5.3 */
  private parseUnary(): Expression {
    const start = this.tokens.next;
    if (start.kind === 'keyword') {
      if (start.text === 'sizeof') return this.parseSizeof();
      if (['_Alignof', 'alignof', '__alignof__'].includes(start.text)) return this.parseAlignof();
      if (/^__(real|imag)(__)?$/.test(start.text)) {
        this.tokens.take();
        const operator = start.text.startsWith('__real') ? '__real__' : '__imag__';
        return { kind: 'unary', operator, operand: this.parseCast(), ...this.tokens.spanFrom(start) };
      }
    }
    if (start.kind === 'punctuator') {
      switch (start.text) {
        case '++':
        case '--': {
          this.tokens.take();
          const operand = this.tokens.nested(() => this.parseUnary());
          return { kind: 'unary', operator: start.text, operand, ...this.tokens.spanFrom(start) };
        }
        case '&':
        case '*':
        case '+':
        case '-':
        case '~':
        case '!': {
          this.tokens.take();
          const operand = this.parseCast();
          return { kind: 'unary', operator: start.text, operand, ...this.tokens.spanFrom(start) };
        }
        default:
      }
    }
    return this.parsePostfixOf(this.parsePrimary());
  }

  /** 6.5.3.4: `sizeof (type)` unless a compound literal follows. */
  private parseSizeof(): Expression {
    const start = this.tokens.take();
    if (!this.tokens.is('(') || !this.types.startsType(1)) {
      const operand = this.tokens.nested(() => this.parseUnary());
      return { kind: 'sizeof', operand, ...this.tokens.spanFrom(start) };
    }
    const parenthesis = this.tokens.take();
    const type = this.types.parseTypeName();
    this.tokens.expect(')');
    if (this.tokens.is('{')) {
      const operand = this.parsePostfixOf(this.compoundLiteral(parenthesis, type));
      return { kind: 'sizeof', operand, ...this.tokens.spanFrom(start) };
    }
    return { kind: 'sizeof-type', type, ...this.tokens.spanFrom(start) };
  }

  private parseAlignof(): Expression {
    const start = this.tokens.take();
    if (!this.tokens.is('(') || !this.types.startsType(1)) {
      const operand = this.tokens.nested(() => this.parseUnary());
      return { kind: 'alignof', type: operand, ...this.tokens.spanFrom(start) };
    }
    this.tokens.take();
    const type = this.types.parseTypeName();
    this.tokens.expect(')');
    return { kind: 'alignof', type, ...this.tokens.spanFrom(start) };
  }

  /** 6.5.2 */
  private parsePostfixOf(primary: Expression): Expression {
    let base = primary;
    for (;;) {
      if (this.tokens.takeIf('[')) {
        const index = this.tokens.nested(() => this.parseComma());
        this.tokens.expect(']');
        base = { kind: 'index', base, index, ...this.tokens.spanFrom(primary) };
      } else if (this.tokens.is('.') || this.tokens.is('->')) {
        const arrow = this.tokens.take().text === '->';
        const name = this.parseMemberName();
        base = { kind: 'member', base, name, arrow, ...this.tokens.spanFrom(primary) };
      } else if (this.tokens.takeIf('(')) {
        const list = this.parseArguments();
        base = { kind: 'call', callee: base, arguments: list, ...this.tokens.spanFrom(primary) };
      } else if (this.tokens.is('++') || this.tokens.is('--')) {
        const operator = this.tokens.take().text === '++' ? '++' : '--';
        base = { kind: 'postfix', operator, operand: base, ...this.tokens.spanFrom(primary) };
      } else return base;
      this.countChain();
    }
  }

  /** 6.5.2.2: assignment expressions, so that a comma separates. */
  private parseArguments(): Expression[] {
    const list: Expression[] = [];
    if (!this.tokens.is(')')) {
      do list.push(this.parseAssignment());
      while (this.tokens.takeIf(','));
    }
    this.tokens.expect(')');
    return list;
  }

  /** 6.5.1 */
  private parsePrimary(): Expression {
    const token = this.tokens.next;
    switch (token.kind) {
      case 'number': {
        this.tokens.take();
        const span = this.tokens.spanFrom(token);
        const imaginary = imaginaryPart(token);
        if (imaginary !== undefined) return { kind: 'imaginary', literal: imaginary, ...span };
        const literal = parseNumber(token);
        return 'candidates' in literal ? { kind: 'integer', literal, ...span } : { kind: 'float', literal, ...span };
      }
      case 'character':
        return this.parseCharacter();
      case 'string':
        return this.parseString();
      case 'register':
        this.tokens.take();
        return { kind: 'register', name: token.text.slice(1), ...this.tokens.spanFrom(token) };
      case 'name':
        return this.parseName();
      case 'keyword':
        if (castWords.has(token.text)) return this.parseNamedCast();
        if (token.text === '_Generic') return this.parseGeneric();
        return this.types.startsType() ? this.tokens.unexpected('a value') : this.tokens.unexpected('an expression');
      case 'punctuator':
        if (token.text === '::') return this.parseName();
        if (token.text === '(') return this.parseParenthesised();
        return this.tokens.unexpected('an expression');
      case 'end':
        return this.tokens.unexpected('an expression');
    }
  }

  private parseNamedCast(): Expression {
    const start = this.tokens.take();
    this.tokens.expect('<');
    const type = this.types.parseTypeName();
    this.tokens.expect('>');
    this.tokens.expect('(');
    const operand = this.tokens.nested(() => this.parseComma());
    this.tokens.expect(')');
    const form =
      start.text === 'reinterpret_cast' ? 'reinterpret' : start.text === 'dynamic_cast' ? 'dynamic' : undefined;
    return { kind: 'cast', type, operand, ...(form === undefined ? {} : { form }), ...this.tokens.spanFrom(start) };
  }

  /** Parentheses leave no node; the inner one spans them, so that an error marks what was written. */
  private parseParenthesised(): Expression {
    const start = this.tokens.expect('(');
    if (this.tokens.is('{')) return fail('a statement cannot be evaluated', this.tokens.next);
    const inner = this.tokens.nested(() => this.parseComma());
    this.tokens.expect(')');
    return { ...inner, ...this.tokens.spanFrom(start) };
  }

  /** A character constant, or a quoted file name before `::`. */
  private parseCharacter(): Expression {
    const token = this.tokens.next;
    if (this.tokens.is('::', 1)) return this.parseName();
    this.tokens.take();
    const literal = parseText(token);
    if (literal.units.length === 0) return fail('a character constant is empty', token);
    return { kind: 'character', literal, ...this.tokens.spanFrom(token) };
  }

  /** Adjacent texts are one (5.1.1.2 phase 6). */
  private parseString(): Expression {
    const start = this.tokens.next;
    let literal: TextLiteral = { units: [], prefix: '' };
    while (this.tokens.next.kind === 'string') {
      const part = parseText(this.tokens.take());
      const prefix = literal.prefix === '' ? part.prefix : literal.prefix;
      if (part.prefix !== '' && part.prefix !== prefix) return fail('texts of different kinds are joined', start);
      literal = { units: [...literal.units, ...part.units], prefix };
    }
    return { kind: 'string', literal, ...this.tokens.spanFrom(start) };
  }

  /** 7.19: the address that the member would have in an object at 0, as a size_t. */
  private parseOffsetof(): Expression {
    const start = this.tokens.take();
    this.tokens.expect('(');
    if (!this.types.startsType()) this.tokens.unexpected('a type');
    const type = this.types.parseTypeName();
    this.tokens.expect(',');
    const span = this.tokens.spanFrom(start);
    const zero: Expression = { kind: 'integer', literal: { value: 0n, candidates: ['int'] }, ...span };
    const derivations = [...type.derivations, { kind: 'pointer', qualifiers: [] } as const];
    const pointer: Expression = { kind: 'cast', type: { ...type, derivations }, operand: zero, ...span };
    const member = this.tokens.expectName();
    const base: Expression = {
      kind: 'member',
      base: pointer,
      name: member.text,
      arrow: true,
      ...this.tokens.spanFrom(member),
    };
    const operand = this.parsePostfixOf(base);
    this.tokens.expect(')');
    const whole = this.tokens.spanFrom(start);
    const address: Expression = { kind: 'unary', operator: '&', operand, ...whole };
    const size: Expression = { kind: 'sizeof-type', type, ...span };
    const sizeType: TypeName = {
      kind: 'type-name',
      specifier: { kind: 'typeof', operand: size },
      qualifiers: [],
      derivations: [],
      ...span,
    };
    return { kind: 'cast', type: sizeType, operand: address, ...whole };
  }

  /** A name with gdb's qualifiers before it. */
  private parseName(): Expression {
    const start = this.tokens.next;
    if (/^(__builtin_)?offsetof$/.test(start.text) && this.tokens.is('(', 1)) return this.parseOffsetof();
    let file: string | undefined;
    let within: string | undefined;
    let global = false;
    if (this.tokens.next.kind === 'character') {
      file = this.tokens.take().text.slice(1, -1);
      this.tokens.expect('::');
    } else if (this.tokens.takeIf('::')) global = true;
    let name = this.parseWord(within);
    while (this.tokens.takeIf('::')) {
      within = within === undefined ? name : `${within}::${name}`;
      name = this.parseWord(within);
    }
    const isQualified = file !== undefined || within !== undefined || global;
    const qualifier: Qualifier | undefined = isQualified ? { file, within, global } : undefined;
    return { kind: 'name', name, qualifier, ...this.tokens.spanFrom(start) };
  }

  /** The parts of a register have names that are keywords: `$fa0.double`. */
  private parseMemberName(): string {
    if (this.tokens.is('float') || this.tokens.is('double')) return this.tokens.take().text;
    return this.parseWord(undefined);
  }

  /** A name with the arguments of the template that it is an instance of. */
  private parseWord(within: string | undefined): string {
    if (this.tokens.is('~')) {
      this.tokens.take();
      return `~${this.tokens.expectName().text}`;
    }
    const { text } = this.tokens.expectName();
    const name = text === 'operator' && this.isCPlusPlus ? this.types.parseOperatorName() : text;
    const instance = this.tokens.is('<') ? this.types.templateAt(within, name) : undefined;
    if (instance === undefined) return name;
    this.tokens.skip(instance.tokens);
    return instance.name;
  }

  /** 6.5.1.1 */
  private parseGeneric(): Expression {
    const start = this.tokens.take();
    this.tokens.expect('(');
    const controlling = this.parseAssignment();
    const associations: { type: TypeName | undefined; result: Expression }[] = [];
    while (this.tokens.takeIf(',')) {
      const isDefault = this.tokens.next.kind === 'name' && this.tokens.next.text === 'default';
      if (!isDefault && !this.types.startsType()) this.tokens.unexpected('a type or default');
      const type = isDefault ? void this.tokens.take() : this.types.parseTypeName();
      this.tokens.expect(':');
      associations.push({ type, result: this.parseAssignment() });
    }
    this.tokens.expect(')');
    return { kind: 'generic', controlling, associations, ...this.tokens.spanFrom(start) };
  }

  /** 6.7.9 */
  private parseInitializerList(): Initializer {
    return this.tokens.nested(() => {
      const start = this.tokens.expect('{');
      const items: { designators: Designator[]; value: Initializer }[] = [];
      while (!this.tokens.is('}')) {
        const designators = this.parseDesignators();
        const value = this.tokens.is('{') ? this.parseInitializerList() : this.parseAssignment();
        items.push({ designators, value });
        if (!this.tokens.takeIf(',')) break;
      }
      this.tokens.expect('}');
      return { kind: 'list', items, ...this.tokens.spanFrom(start) };
    });
  }

  /** 6.7.9: `.member` and `[index]` in a row, then `=`. */
  private parseDesignators(): Designator[] {
    const designators: Designator[] = [];
    for (;;) {
      if (this.tokens.takeIf('.')) designators.push({ kind: 'member', name: this.tokens.expectName().text });
      else if (this.tokens.takeIf('[')) {
        designators.push({ kind: 'element', index: this.parseConditional() });
        this.tokens.expect(']');
      } else break;
    }
    if (designators.length > 0) this.tokens.expect('=');
    return designators;
  }

  /** Loops build trees without recursion; walking those trees recurses. */
  private countChain(): void {
    if (++this.chained > chainLimit) fail('the expression is too long', this.tokens.next);
  }
}
