/**
 * Pointers and references to classes (C++ 7.3.12, 7.6.1.9): to the base of an object and back. Where a base does not lie at the
 * beginning, the address changes; a null pointer stays null. What a reference refers to has the reference's value as its address.
 */
import { type Member, stripType, type StructType, type Type } from '../dwarf/model';
import { isStruct } from '../dwarf/value';
import { isReference, pointerTo } from '../dwarf/value-types';
import type { OperandChecker } from './check-operators';
import { fail, type Span, spanOf } from './errors';
import { pathToBase } from './overload';
import { isPlace, type TypedNode } from './typed';

export interface PointerChecker extends OperandChecker {
  dereference(operand: TypedNode, span: Span): TypedNode;
  memberOf(base: TypedNode, path: readonly Member[], span: Span): TypedNode;
}

/** The pointer itself, but not as what could be assigned to. */
export function pointerOf(
  { pointer, type }: Extract<TypedNode, { kind: 'dereference' }>,
  { scope }: Pick<OperandChecker, 'scope'>,
): TypedNode {
  if (!isReference(pointer.type)) return pointer;
  return { kind: 'convert', type: pointerTo(type, scope.machine.addressSize), operand: pointer, ...spanOf(pointer) };
}

/** An object that is only in the expression is given a place for the call. */
export function addressOf(object: TypedNode, checker: Pick<OperandChecker, 'scope'>): TypedNode {
  const type = pointerTo(object.type, checker.scope.machine.addressSize);
  if (object.kind === 'dereference') return { ...pointerOf(object, checker), ...spanOf(object) };
  const hasAddress =
    isPlace(object) && object.kind !== 'bytes' && object.kind !== 'literal' && object.kind !== 'register';
  return { kind: hasAddress ? 'address' : 'temporary', type, operand: object, ...spanOf(object) };
}

/** A pointer to a class points to its base where that is wanted. */
export function toBase(pointer: TypedNode, wanted: Type, checker: PointerChecker): TypedNode {
  const classes = classesOf(pointer.type, wanted);
  const path = classes && pathToBase(classes.from, classes.to);
  if (path === undefined || path.length === 0) return pointer;
  const span = spanOf(pointer);
  const base = addressOf(checker.memberOf(checker.dereference(pointer, span), path, span), checker);
  if (offsetOf(path) === 0) return base;
  const none: TypedNode = { kind: 'constant', type: base.type, value: 0n, ...span };
  return { kind: 'conditional', type: base.type, condition: pointer, then: base, otherwise: none, ...span };
}

/** A cast: also from a base to a class that has it. */
export function castPointer(pointer: TypedNode, wanted: Type, span: Span, checker: PointerChecker): TypedNode {
  const classes = classesOf(pointer.type, wanted);
  const down = classes && pathToBase(classes.to, classes.from);
  if (classes === undefined || down === undefined || down.length === 0) {
    return checker.convert(toBase(pointer, wanted, checker), wanted);
  }
  const offset = offsetOf(down);
  if (offset === undefined) {
    const [base, derived] = [classes.from.displayName, classes.to.displayName];
    return fail(`${base} is a virtual base of ${derived}: where the ${derived} is cannot be told from it`, span);
  }
  if (offset === 0) return checker.convert(pointer, wanted);
  const index: TypedNode = { kind: 'constant', type: checker.types.int, value: BigInt(offset), ...span };
  const whole: TypedNode = { kind: 'pointer-add', type: wanted, pointer, index, scale: 1n, subtract: true, ...span };
  const none: TypedNode = { kind: 'constant', type: wanted, value: 0n, ...span };
  return { kind: 'conditional', type: wanted, condition: pointer, then: whole, otherwise: none, ...span };
}

/** The classes that two pointers, or references, point to. */
function classesOf(pointer: Type, wanted: Type): { readonly from: StructType; readonly to: StructType } | undefined {
  const [source, target] = [stripType(pointer), stripType(wanted)];
  if (source.kind !== 'pointer' || target.kind !== 'pointer') return undefined;
  const [from, to] = [stripType(source.target), stripType(target.target)];
  return isStruct(from) && isStruct(to) ? { from, to } : undefined;
}

/** undefined: through a virtual base, which only the object knows. */
function offsetOf(path: readonly Member[]): number | undefined {
  if (path.some(({ baseAddress }) => baseAddress !== undefined)) return undefined;
  return path.reduce((sum, { byteOffset }) => sum + byteOffset, 0);
}
