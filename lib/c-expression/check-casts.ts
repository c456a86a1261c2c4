/** Casts (C11 6.5.4; C++ 7.6.1.9, 7.6.1.10, 7.6.3): of numbers, of pointers among classes, to references, by a class's conversion. */
import { stripType, type Type } from '../dwarf/model';
import { isStruct } from '../dwarf/value';
import { functionType, isComplex, isReference, isScalar, pointerTo, voidType } from '../dwarf/value-types';
import { isArithmetic } from './arithmetic';
import { type CallChecker, castCall } from './check-calls';
import { toComplex, toReal } from './check-complex';
import { classConversion } from './class-operators';
import { addressOf, castPointer } from './class-pointers';
import { sameType } from './compatible-types';
import { checkDynamicCast } from './dynamic-cast';
import { fail, type Span } from './errors';
import type { Expression, TypeName } from './syntax';
import type { TypedNode } from './typed';

type Cast = Extract<Expression, { kind: 'cast' }>;

export interface CastChecker extends CallChecker {
  resolve(name: TypeName): Type;
}

export function checkCast({ type: name, operand, form }: Cast, span: Span, checker: CastChecker): TypedNode {
  const type = checker.resolve(name);
  const call = operand.kind === 'call' ? castCall(operand, type, span, checker) : undefined;
  if (call !== undefined) return call;
  const node = checker.check(operand);
  if (form === 'dynamic') return checkDynamicCast(node, type, span, checker);
  const stripped = stripType(type);
  if (stripped.kind === 'void') {
    const nothing: TypedNode = { kind: 'constant', type: voidType, value: 0n, ...span };
    return { kind: 'comma', type: voidType, left: node, right: nothing, ...span };
  }
  if (node.kind === 'symbol' && node.type.kind === 'unknown') {
    // What is known of a function is its address, of data that it is what somebody says.
    const isFunction = node.entity.kind === 'function' || node.entity.isFunction;
    if (!isFunction || !isScalar(type)) return { ...node, type, ...span };
    const declared = { ...node, type: functionType(voidType, [], true) };
    return { ...checker.convert(checker.decay(declared), type), ...span };
  }
  if (isStruct(stripped) && sameType(type, node.type)) return node;
  if (isComplex(stripped)) return { ...toComplex(node, type, checker), ...span };
  if (isComplex(node.type) && isArithmetic(type)) return { ...toReal(node, type, checker), ...span };
  if (!isScalar(type)) return fail(`a value cannot be cast to ${type.displayName}`, span);
  return { ...castScalar(node, type, form === 'reinterpret', span, checker), ...span };
}

/** A cast to a reference is one of the address. */
function castScalar(
  node: TypedNode,
  type: Type,
  isReinterpreted: boolean,
  span: Span,
  checker: CastChecker,
): TypedNode {
  const stripped = stripType(type);
  const isToReference = isReference(stripped) && 'target' in stripped;
  if (!isToReference) {
    const converted = classConversion(node, type, span, checker);
    if (converted !== undefined) return converted;
  }
  const pointer = isToReference ? pointerTo(stripped.target, checker.scope.machine.addressSize) : type;
  const operand = isToReference ? addressOf(node, checker) : checker.scalar(node);
  const cast = isReinterpreted ? checker.convert(operand, pointer) : castPointer(operand, pointer, span, checker);
  return isToReference ? checker.convert(cast, type) : cast;
}
