/**
 * Compound literals (C11 6.5.2.5, 6.7.9): lists with designators, braces that are left out, strings for arrays of characters. What is not
 * named is zero. The literal is an object of the expression: it has an address only while a function is called.
 */
import { type ArrayType, type Member, stripType, type StructType, type Type } from '../dwarf/model';
import { isStruct } from '../dwarf/value';
import { arrayOf, isCharacter, isScalar } from '../dwarf/value-types';
import { fail, type Span } from './errors';
import type { Designator, Expression, Initializer } from './syntax';
import type { LiteralPart, TypedNode } from './typed';

export interface InitializerChecker {
  check(expression: Expression): TypedNode;
  /** As if by assignment (6.7.9 paragraph 11). */
  assigned(value: TypedNode, type: Type, span: Span): TypedNode;
  constantOf(expression: Expression): bigint;
}

type List = Extract<Initializer, { kind: 'list' }>;

/** A part of the object that is initialized. */
interface Part {
  readonly type: Type;
  readonly offset: number;
  readonly bitField: LiteralPart['bitField'];
}

/** An array's elements are larger than this in no expression. */
const largestLiteral = 1 << 20;

export function checkLiteral(type: Type, list: Initializer, span: Span, checker: InitializerChecker): TypedNode {
  const filler = new Filler(checker);
  const whole = filler.fill({ type, offset: 0, bitField: undefined }, list, span);
  const stripped = stripType(type);
  const isOpen = stripped.kind === 'array' && stripped.count === undefined;
  const complete = isOpen ? arrayOf(stripped.element, whole) : type;
  const size = complete.byteSize;
  if (size === undefined) return fail(`the size of ${type.displayName} is not known`, span);
  if (size > largestLiteral) return fail(`the literal would have ${size} bytes`, span);
  return { kind: 'literal', type: complete, parts: filler.parts, size, ...span };
}

/** The items of one pair of braces, with the next one. */
class Items {
  private next = 0;
  private readonly checked = new Map<Expression, TypedNode>();

  constructor(
    private readonly list: List['items'],
    private readonly checker: InitializerChecker,
  ) {}

  get current(): List['items'][number] | undefined {
    return this.list.at(this.next);
  }

  take(): void {
    this.next++;
  }

  /** A value is looked at again at each level of braces that is left out. */
  node(expression: Expression): TypedNode {
    let node = this.checked.get(expression);
    if (node === undefined) this.checked.set(expression, (node = this.checker.check(expression)));
    return node;
  }
}

class Filler {
  readonly parts: LiteralPart[] = [];

  constructor(private readonly checker: InitializerChecker) {}

  /** Returns how many elements an array without a length gets. */
  fill(part: Part, initializer: Initializer, span: Span): number {
    const items = new Items(
      initializer.kind === 'list' ? initializer.items : [{ designators: [], value: initializer }],
      this.checker,
    );
    if (!isAggregate(part.type)) {
      this.scalar(part, items, span);
      return 0;
    }
    // A string in braces of its own.
    const only = items.current;
    if (only !== undefined && only.value.kind !== 'list' && this.asWhole(part, only.value, items)) {
      const { type } = this.parts[this.parts.length - 1].value;
      return lengthOf(type) ?? 0;
    }
    return this.walk(part, items, true, undefined, span);
  }

  private scalar(part: Part, items: Items, span: Span): void {
    const item = items.current;
    if (item === undefined) return;
    if (item.designators.length > 0) return fail(`${part.type.displayName} has no members`, span);
    items.take();
    if (items.current !== undefined) return fail('there are more initializers than one', span);
    if (item.value.kind === 'list') this.fill(part, item.value, item.value);
    else this.put(part, items.node(item.value), item.value);
  }

  /** The members or elements in turn; without braces of its own only as many as it has. */
  private walk(
    part: Part,
    items: Items,
    isBraced: boolean,
    within: readonly Designator[] | undefined,
    span: Span,
  ): number {
    const children = childrenOf(part);
    let designators = within;
    let length = 0;
    for (let index = 0; items.current !== undefined; index++) {
      const item = items.current;
      if (designators === undefined && item.designators.length > 0) {
        if (!isBraced) return length;
        designators = item.designators;
      }
      if (designators !== undefined) {
        const [first, ...rest] = designators;
        designators = undefined;
        const inner = this.designated(part, first, item.value);
        index = inner.index;
        length = Math.max(length, index + 1);
        if (inner.rest !== undefined || rest.length > 0) {
          this.walk(children.at(index), items, false, [...(inner.rest ?? []), ...rest], item.value);
          continue;
        }
      } else if (index >= children.count) {
        if (!isBraced) return length;
        return fail(`there are more initializers than ${part.type.displayName} has parts`, item.value);
      }
      length = Math.max(length, index + 1);
      this.take(children.at(index), items, span);
    }
    return length;
  }

  /** The next item for a part; where that has parts itself and the item no braces, as many items as it has. */
  private take(part: Part, items: Items, span: Span): void {
    const item = items.current;
    if (item === undefined) return;
    if (item.value.kind === 'list') {
      items.take();
      this.fill(part, item.value, item.value);
    } else if (!isAggregate(part.type)) {
      items.take();
      this.put(part, items.node(item.value), item.value);
    } else if (this.asWhole(part, item.value, items)) {
      items.take();
    } else {
      if (childrenOf(part).count === 0) return fail(`${part.type.displayName} has no parts`, item.value);
      this.walk(part, items, false, undefined, span);
    }
  }

  /** A structure of the same type, or a string for an array. */
  private asWhole(part: Part, value: Expression, items: Items): boolean {
    const node = items.node(value);
    const [wanted, given] = [stripType(part.type), stripType(node.type)];
    const isText = wanted.kind === 'array' && given.kind === 'array' && node.kind === 'bytes';
    if (isText && isCharacter(wanted.element) === isCharacter(given.element)) {
      // The terminating zero may have no room.
      this.parts.push({ ...part, value: node, limit: part.type.byteSize });
      return true;
    }
    if (!isStruct(wanted) || wanted.displayName !== given.displayName) return false;
    this.parts.push({ ...part, value: node, limit: undefined });
    return true;
  }

  private put(part: Part, node: TypedNode, span: Span): void {
    this.parts.push({ ...part, value: this.checker.assigned(node, part.type, span), limit: undefined });
  }

  /** `rest`: the way on through members without a name. */
  private designated(
    { type }: Part,
    designator: Designator,
    span: Span,
  ): { readonly index: number; readonly rest: readonly Designator[] | undefined } {
    const stripped = stripType(type);
    if (designator.kind === 'element') {
      if (stripped.kind !== 'array') return fail(`${type.displayName} has no elements`, designator.index);
      const index = Number(this.checker.constantOf(designator.index));
      const count = typeof stripped.count === 'number' ? stripped.count : largestLiteral;
      if (index < 0 || index >= count) return fail(`${type.displayName} has no element ${index}`, designator.index);
      return { index, rest: undefined };
    }
    if (!isStruct(stripped)) return fail(`${type.displayName} has no members`, span);
    const members = membersOf(stripped);
    const index = members.findIndex(({ name }) => name === designator.name);
    if (index >= 0) return { index, rest: undefined };
    const unnamed = members.findIndex((member) => member.name === undefined && hasMember(member.type, designator.name));
    if (unnamed < 0) return fail(`${type.displayName} has no member ${designator.name}`, span);
    return { index: unnamed, rest: [designator] };
  }
}

function hasMember(type: Type, name: string): boolean {
  const stripped = stripType(type);
  if (!isStruct(stripped)) return false;
  return stripped.members.some((member) => member.name === name || (!member.name && hasMember(member.type, name)));
}

/** Bit-fields without a name are only padding. */
function membersOf({ members }: StructType): readonly Member[] {
  return members.filter(({ name, bitSize }) => name !== undefined || bitSize === undefined);
}

function isAggregate(type: Type): boolean {
  const stripped = stripType(type);
  return stripped.kind === 'array' || (isStruct(stripped) && !isScalar(stripped));
}

function lengthOf(type: Type): number | undefined {
  const { count } = stripType(type) as Partial<ArrayType>;
  return typeof count === 'number' ? count : undefined;
}

function childrenOf({ type, offset }: Part): { readonly count: number; at(index: number): Part } {
  const stripped = stripType(type);
  if (stripped.kind === 'array') {
    const size = stripped.element.byteSize ?? 0;
    return {
      count: typeof stripped.count === 'number' ? stripped.count : Infinity,
      at: (index) => ({ type: stripped.element, offset: offset + index * size, bitField: undefined }),
    };
  }
  const members = isStruct(stripped) ? membersOf(stripped) : [];
  return {
    // Of a union only one member is there: the first, or the one that is named.
    count: stripped.kind === 'union' ? Math.min(members.length, 1) : members.length,
    at(index) {
      const member = members[index];
      const { bitSize, bitOffset } = member;
      const isField = bitSize !== undefined && bitOffset !== undefined;
      return {
        type: member.type,
        offset: offset + (isField ? 0 : member.byteOffset),
        bitField: isField ? { bitOffset, bitSize } : undefined,
      };
    },
  };
}
