/**
 * The syntax tree of a C expression: every production of C11 6.5 and 6.7.7 (type names), with gdb's `a@n`,
 * `'file.c'::x`, `function::x`, `::x` and `$register`. Names are not looked up here.
 */
import type { Span } from './errors';
import type { FloatLiteral, IntegerLiteral, TextLiteral } from './literal';

export type UnaryOperator = '+' | '-' | '~' | '!' | '*' | '&' | '++' | '--' | '__real__' | '__imag__';
export type ArithmeticOperator = '*' | '/' | '%' | '+' | '-' | '<<' | '>>' | '&' | '^' | '|';
export type ComparisonOperator = '<' | '>' | '<=' | '>=' | '==' | '!=';
export type LogicalOperator = '&&' | '||';
export type BinaryOperator = ArithmeticOperator | ComparisonOperator | LogicalOperator | ',' | '@' | '.*' | '->*';

/** Where a name is looked up: `'file.c'::`, `function::`, `ns::Class::`, `extension::`, `::`. */
export interface Qualifier {
  readonly file: string | undefined;
  /** What stands before the last `::`: a function, an extension, namespaces and classes of C++. */
  readonly within: string | undefined;
  /** A leading `::`: only file scope. */
  readonly global: boolean;
}

export type Expression = Span &
  (
    | { readonly kind: 'integer'; readonly literal: IntegerLiteral }
    /** GNU's `2.0i`: the imaginary part. */
    | { readonly kind: 'imaginary'; readonly literal: FloatLiteral | IntegerLiteral }
    | { readonly kind: 'float'; readonly literal: FloatLiteral }
    | { readonly kind: 'character'; readonly literal: TextLiteral }
    | { readonly kind: 'string'; readonly literal: TextLiteral }
    | { readonly kind: 'name'; readonly name: string; readonly qualifier: Qualifier | undefined }
    | { readonly kind: 'register'; readonly name: string }
    | { readonly kind: 'unary'; readonly operator: UnaryOperator; readonly operand: Expression }
    | { readonly kind: 'postfix'; readonly operator: '++' | '--'; readonly operand: Expression }
    | {
        readonly kind: 'binary';
        readonly operator: BinaryOperator;
        readonly left: Expression;
        readonly right: Expression;
      }
    | {
        readonly kind: 'assignment';
        /** undefined for a plain `=`. */
        readonly operator: ArithmeticOperator | undefined;
        readonly target: Expression;
        readonly value: Expression;
      }
    | {
        readonly kind: 'conditional';
        readonly condition: Expression;
        /** undefined for GNU's `a ?: b`. */
        readonly then: Expression | undefined;
        readonly otherwise: Expression;
      }
    | { readonly kind: 'index'; readonly base: Expression; readonly index: Expression }
    | { readonly kind: 'member'; readonly base: Expression; readonly name: string; readonly arrow: boolean }
    | { readonly kind: 'call'; readonly callee: Expression; readonly arguments: readonly Expression[] }
    | {
        readonly kind: 'cast';
        readonly type: TypeName;
        readonly operand: Expression;
        /** reinterpret_cast: addresses stay what they are; dynamic_cast: the object is asked. */
        readonly form?: 'reinterpret' | 'dynamic';
      }
    | { readonly kind: 'sizeof'; readonly operand: Expression }
    | { readonly kind: 'sizeof-type'; readonly type: TypeName }
    | { readonly kind: 'alignof'; readonly type: TypeName | Expression }
    | { readonly kind: 'compound-literal'; readonly type: TypeName; readonly initializer: Initializer }
    | {
        readonly kind: 'generic';
        readonly controlling: Expression;
        /** type undefined: `default`. */
        readonly associations: readonly { readonly type: TypeName | undefined; readonly result: Expression }[];
      }
  );

export type Designator =
  { readonly kind: 'member'; readonly name: string } | { readonly kind: 'element'; readonly index: Expression };

export type Initializer =
  | Expression
  | (Span & {
      readonly kind: 'list';
      readonly items: readonly { readonly designators: readonly Designator[]; readonly value: Initializer }[];
    });

export type QualifierWord = 'const' | 'volatile' | 'restrict' | 'atomic';

export type TypeSpecifier =
  /** Sorted words of 6.7.2: 'int', 'long long unsigned', ... as one of the basic types' names. */
  | { readonly kind: 'basic'; readonly name: string }
  | { readonly kind: 'tagged'; readonly tag: 'struct' | 'union' | 'enum' | 'class'; readonly name: string }
  | { readonly kind: 'typedef'; readonly name: string }
  | { readonly kind: 'typeof'; readonly operand: Expression | TypeName };

/** From the specifier outwards: each step derives a type from the one before. */
export type Derivation =
  | { readonly kind: 'pointer'; readonly qualifiers: readonly QualifierWord[] }
  | { readonly kind: 'reference' }
  | { readonly kind: 'array'; readonly size: Expression | undefined }
  | { readonly kind: 'function'; readonly parameters: readonly TypeName[]; readonly variadic: boolean };

export interface TypeName extends Span {
  readonly kind: 'type-name';
  readonly specifier: TypeSpecifier;
  readonly qualifiers: readonly QualifierWord[];
  readonly derivations: readonly Derivation[];
}
