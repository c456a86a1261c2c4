/**
 * Pointers to members (C++ 7.6.4, Itanium C++ ABI 2.3): of a data member its offset, -1 for none; of a method a function, or an offset
 * in the table of virtual ones, and what is added to the object. Null is a method whose first word is 0; on Arm, where a first
 * virtual method has offset 0, bit 0 of the second word is clear too (C++ ABI for the Arm Architecture 3.2.1).
 */
import { encodeInteger } from '../bytes';
import { type Member, type MemberPointerType, stripType, type Type } from '../dwarf/model';
import { findMember, isStruct } from '../dwarf/value';
import { isPointer, memberPointerTo, pointerTo } from '../dwarf/value-types';
import type { OperandChecker } from './check-operators';
import { sameType } from './compatible-types';
import { fail, type Span, spanOf } from './errors';
import type { Expression } from './syntax';
import type { TypedNode } from './typed';

export function isMemberPointer({ type }: TypedNode): boolean {
  return stripType(type).kind === 'member-pointer';
}

/** C++ 8.5.5, for members that are no functions: what lies at the pointer's offset in the object. */
export function checkMemberPointer(
  object: TypedNode,
  pointer: TypedNode,
  span: Span,
  checker: OperandChecker,
): TypedNode {
  const type = stripType(pointer.type);
  if (type.kind !== 'member-pointer') return fail(`${pointer.type.displayName} is no pointer to a member`, pointer);
  if (stripType(type.target).kind === 'function') return fail('methods are not called through pointers', pointer);
  const { addressSize } = checker.scope.machine;
  const bytes = pointerTo(checker.types.char, addressSize);
  const whole = isPointer(object.type) ? object : addressOf(object, checker);
  const address: TypedNode = {
    kind: 'pointer-add',
    type: bytes,
    pointer: checker.convert(whole, bytes),
    index: checker.convert(pointer, checker.types.int),
    scale: 1n,
    subtract: false,
    ...span,
  };
  const target = checker.convert(address, pointerTo(type.target, addressSize));
  return { kind: 'dereference', type: type.target, pointer: target, ...span };
}

function addressOf(operand: TypedNode, { scope }: OperandChecker): TypedNode {
  const { offset, length } = operand;
  return { kind: 'address', type: pointerTo(operand.type, scope.machine.addressSize), operand, offset, length };
}

/** `nullptr`, and 0. */
export function isNullConstant(node: TypedNode): boolean {
  return node.kind === 'constant' && node.value === 0n;
}

export function nullMember(type: Type, span: Span, { scope }: OperandChecker): TypedNode {
  const size = type.byteSize ?? scope.machine.addressSize;
  return { kind: 'bytes', type, bytes: new Uint8Array(size).fill(isMethod(type) ? 0 : 0xff), ...spanOf(span) };
}

export function compareMemberPointers(
  operator: '==' | '!=',
  left: TypedNode,
  right: TypedNode,
  span: Span,
  checker: OperandChecker,
): TypedNode {
  const [pointer, other] = isMemberPointer(left) ? [left, right] : [right, left];
  const equal = isNullConstant(other) ? isNull(pointer, span, checker) : areEqual(pointer, other, span, checker);
  return operator === '==' ? equal : { kind: 'not', type: checker.truthType, operand: equal, ...span };
}

function areEqual(left: TypedNode, right: TypedNode, span: Span, checker: OperandChecker): TypedNode {
  if (!sameType(left.type, right.type)) {
    return fail(`${left.type.displayName} and ${right.type.displayName} are not compared`, span);
  }
  if (!isMethod(left.type)) return equal(word(left, 0, checker), word(right, 0, checker), span, checker);
  const first = equal(word(left, 0, checker), word(right, 0, checker), span, checker);
  const second = equal(word(left, 1, checker), word(right, 1, checker), span, checker);
  return { kind: 'and', type: checker.truthType, left: first, right: second, ...span };
}

export function isNull(pointer: TypedNode, span: Span, checker: OperandChecker): TypedNode {
  const number = (value: bigint): TypedNode => ({ kind: 'constant', type: checker.types.int, value, ...span });
  if (!isMethod(pointer.type)) return equal(word(pointer, 0, checker), number(-1n), span, checker);
  const first = equal(word(pointer, 0, checker), number(0n), span, checker);
  if (checker.scope.machine.registers.codePointerBit === undefined) return first;
  const adjustment = word(pointer, 1, checker);
  const { type } = adjustment;
  const bit: TypedNode = {
    kind: 'arithmetic',
    type,
    operator: '&',
    left: adjustment,
    right: number(1n),
    computed: wordType(checker),
    ...span,
  };
  const isPlain = equal(bit, number(0n), span, checker);
  return { kind: 'and', type: checker.truthType, left: first, right: isPlain, ...span };
}

function equal(left: TypedNode, right: TypedNode, span: Span, checker: OperandChecker): TypedNode {
  return { kind: 'compare', type: checker.truthType, operator: '==', left, right, ...span };
}

function wordType({ scope, types }: OperandChecker): OperandChecker['truthType'] {
  return scope.machine.addressSize === 4 ? types.int : types.long;
}

/** One of the one or two words that a pointer to a member is. */
function word(pointer: TypedNode, index: number, checker: OperandChecker): TypedNode {
  const type = wordType(checker);
  const member: Member = {
    name: undefined,
    type,
    byteOffset: index * checker.scope.machine.addressSize,
    bitSize: undefined,
    bitOffset: undefined,
    declaration: undefined,
  };
  return { kind: 'member', type, base: pointer, path: [member], ...spanOf(pointer) };
}

function isMethod(type: Type): boolean {
  const stripped = stripType(type);
  return stripped.kind === 'member-pointer' && stripType(stripped.target).kind === 'function';
}

/** `&Class::member` (C++ 7.6.2.2), of members that are in each object. */
export function memberAddress(operand: Expression, span: Span, { scope }: OperandChecker): TypedNode | undefined {
  if (operand.kind !== 'name' || operand.qualifier?.within === undefined || !scope.isCPlusPlus) return undefined;
  const containing = scope.typeNamed('any', operand.qualifier.within);
  const type = containing && stripType(containing);
  const path = type && isStruct(type) ? findMember(type, operand.name) : undefined;
  const member = path?.at(-1);
  if (containing === undefined || path === undefined || member === undefined) return undefined;
  if (member.bitSize !== undefined) return fail('a bit-field has no address', span);
  const { addressSize, littleEndian } = scope.machine;
  const offset = path.reduce((sum, { byteOffset }) => sum + byteOffset, 0);
  const pointer: MemberPointerType = memberPointerTo(member.type, containing, addressSize);
  return { kind: 'bytes', type: pointer, bytes: encodeInteger(BigInt(offset), addressSize, littleEndian), ...span };
}
