/**
 * The typed tree of an expression: names resolved, every implicit conversion written out, so that evaluating it is a
 * walk without decisions about types. Plain data: it can be evaluated any number of times, in any frame of the same
 * pc. A node either denotes an object ("place": variable, member, element, ...) or computes a number.
 */
import type { BaseType, FunctionType, Member, StructType, Type } from '../dwarf/model';
import type { Span } from './errors';
import type { NamedEntity } from './scope';
import type { ArithmeticOperator, ComparisonOperator } from './syntax';

export type TypedNode = Span & {
  readonly type: Type;
  /** Width of the bit-field that the node denotes: it promotes by its width. */
  readonly bitSize?: number;
} & (PlaceNode | NumberNode | ComplexNode);

export type PlaceNode =
  | { readonly kind: 'variable'; readonly entity: Extract<NamedEntity, { kind: 'variable' }> }
  | { readonly kind: 'symbol'; readonly entity: Extract<NamedEntity, { kind: 'symbol' | 'function' }> }
  /** A text, or another object that is only in the expression. */
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /** A compound literal: zero where no part is. */
  | { readonly kind: 'literal'; readonly parts: readonly LiteralPart[]; readonly size: number }
  | { readonly kind: 'register'; readonly register: number | string }
  | { readonly kind: 'dereference'; readonly pointer: TypedNode }
  | { readonly kind: 'member'; readonly base: TypedNode; readonly path: readonly Member[] }
  | { readonly kind: 'element'; readonly base: TypedNode; readonly index: TypedNode }
  | { readonly kind: 'repeat'; readonly first: TypedNode; readonly count: TypedNode };

export interface LiteralPart {
  readonly offset: number;
  readonly type: Type;
  /** `offset` is then that of the structure. */
  readonly bitField: { readonly bitOffset: number; readonly bitSize: number } | undefined;
  /** In the part's type, or a string. */
  readonly value: TypedNode;
  /** Bytes of a string that there is room for. */
  readonly limit: number | undefined;
}

/** Complex numbers; `complex-compare` has the type int. */
export type ComplexNode =
  | { readonly kind: 'complex-convert' | 'complex-negate' | 'complex-conjugate'; readonly operand: TypedNode }
  | {
      readonly kind: 'complex-arithmetic';
      readonly operator: '+' | '-' | '*' | '/';
      readonly left: TypedNode;
      readonly right: TypedNode;
    }
  | {
      readonly kind: 'complex-compare';
      readonly isEqual: boolean;
      readonly left: TypedNode;
      readonly right: TypedNode;
    };

export type NumberNode =
  | { readonly kind: 'constant'; readonly value: bigint | number }
  | { readonly kind: 'address'; readonly operand: TypedNode }
  | { readonly kind: 'convert'; readonly operand: TypedNode }
  | { readonly kind: 'negate' | 'complement' | 'not'; readonly operand: TypedNode }
  | {
      readonly kind: 'arithmetic';
      readonly operator: ArithmeticOperator;
      readonly left: TypedNode;
      readonly right: TypedNode;
      readonly computed: BaseType;
    }
  | {
      readonly kind: 'pointer-add';
      readonly pointer: TypedNode;
      readonly index: TypedNode;
      /** Size of what is pointed to; undefined: of variable length, known when it is evaluated. */
      readonly scale: bigint | undefined;
      readonly subtract: boolean;
    }
  | {
      readonly kind: 'pointer-difference';
      readonly left: TypedNode;
      readonly right: TypedNode;
      readonly scale: bigint | undefined;
    }
  | {
      readonly kind: 'compare';
      readonly operator: ComparisonOperator;
      readonly left: TypedNode;
      readonly right: TypedNode;
    }
  | { readonly kind: 'and' | 'or'; readonly left: TypedNode; readonly right: TypedNode }
  | {
      readonly kind: 'conditional';
      readonly condition: TypedNode;
      /** undefined for `a ?: b`: the condition's own value. */
      readonly then: TypedNode | undefined;
      readonly otherwise: TypedNode;
    }
  | { readonly kind: 'comma'; readonly left: TypedNode; readonly right: TypedNode }
  /** `value` may hold a `current` node: what the target held before. `returnsOld`: postfix ++ and --. */
  | {
      readonly kind: 'assign';
      readonly target: TypedNode;
      readonly value: TypedNode;
      readonly returnsOld: boolean;
    }
  | { readonly kind: 'current' }
  /** sizeof of an object whose size is only known at run time. */
  | { readonly kind: 'size'; readonly operand: TypedNode }
  | {
      readonly kind: 'call';
      readonly name: string;
      /** A function's address, or a pointer to a method. */
      readonly callee: TypedNode;
      readonly function: FunctionType;
      /** Converted; the object of a method comes first. */
      readonly arguments: readonly TypedNode[];
      /** How many of them the prototype names. */
      readonly named: number;
      /** The function is that of the object's table of virtual methods. */
      readonly vtableIndex: number | undefined;
    }
  /** Where in an object a class is that only the object tells. */
  | {
      readonly kind: 'dynamic-cast';
      readonly pointer: TypedNode;
      readonly from: StructType;
      /** undefined: the whole object. */
      readonly to: StructType | undefined;
      readonly isReference: boolean;
      /** The class whose table of virtual functions lies at an address. */
      readonly classAt: (table: bigint) => StructType | undefined;
    }
  /** The address of a value that is only in the expression: it is given a place. */
  | { readonly kind: 'temporary'; readonly operand: TypedNode }
  /** Parsed and typed, but this version does not evaluate it: why. */
  | { readonly kind: 'unsupported'; readonly reason: string };

const placeKinds: ReadonlySet<TypedNode['kind']> = new Set([
  'variable',
  'symbol',
  'bytes',
  'literal',
  'register',
  'dereference',
  'member',
  'element',
  'repeat',
]);

/** Whether a node denotes an object rather than a computed number. */
export function isPlace(node: TypedNode): node is Span & { type: Type; bitSize?: number } & PlaceNode {
  return placeKinds.has(node.kind);
}
