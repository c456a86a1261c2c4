/**
 * Variable-length array types that an expression names itself, `int (*)[n]` (C11 6.7.6.2): their length is computed at each evaluation, and
 * until then they are arrays without a known length.
 */
import { type ArrayType, isQualified, stripType, type Type } from '../dwarf/model';
import { arrayOf, pointerTo, qualified } from '../dwarf/value-types';
import { fail } from './errors';
import type { ExpressionQuery } from './requests';
import type { TypedNode } from './typed';

interface ComputedArray extends ArrayType {
  readonly length: TypedNode;
}

/** What an evaluation can do. */
interface Numbers {
  number(node: TypedNode): ExpressionQuery<bigint | number>;
}

const largestCount = 2 ** 31;

export function computedArray(element: Type, length: TypedNode): ComputedArray {
  return { ...arrayOf(element, undefined), length };
}

/** An array whose size only the evaluation knows: one of an expression, or one of the program. */
export function hasVariableSize(type: Type): boolean {
  const array = stripType(type);
  return (
    array.kind === 'array' && (typeof array.count === 'object' || isComputed(array) || hasVariableSize(array.element))
  );
}

export function checkedCount(count: number, length: TypedNode): number {
  return count < 0 || count > largestCount ? fail('the array has no possible size', length) : count;
}

/** The same type with the lengths that it has now. */
export function* computedType(type: Type, numbers: Numbers): ExpressionQuery<Type> {
  if (!mentionsComputed(type)) return type;
  if (isQualified(type)) {
    const target = yield* computedType(type.target, numbers);
    return type.kind === 'typedef' ? target : qualified(type.kind, target);
  }
  if (type.kind === 'pointer') return pointerTo(yield* computedType(type.target, numbers), type.byteSize === 8 ? 8 : 4);
  if (type.kind !== 'array') return type;
  const element = yield* computedType(type.element, numbers);
  if (isComputed(type)) return arrayOf(element, checkedCount(Number(yield* numbers.number(type.length)), type.length));
  return arrayOf(element, typeof type.count === 'number' ? type.count : undefined);
}

function mentionsComputed(type: Type): boolean {
  let inner = stripType(type);
  for (;;) {
    if (inner.kind === 'pointer') inner = stripType(inner.target);
    else if (inner.kind === 'array' && !isComputed(inner)) inner = stripType(inner.element);
    else return inner.kind === 'array';
  }
}

function isComputed(type: ArrayType): type is ComputedArray {
  return 'length' in type;
}
