/**
 * dynamic_cast (C++ 7.6.1.7). The class of an object is told by its table of virtual functions, which every object of a class with virtual
 * functions begins with the address of (Itanium C++ ABI 2.5): the table's symbol names the class, and two words before its functions is the way
 * to the beginning of the whole object. So type information (-fno-rtti) is not needed.
 */
import { decodeUnsigned } from '../bytes';
import { type Member, stripType, type StructType, type Type } from '../dwarf/model';
import { isStruct, memberOf, valueAt } from '../dwarf/value';
import { isPointer, isReference, pointerTo } from '../dwarf/value-types';
import type { CallChecker } from './check-calls';
import { addressOf, toBase } from './class-pointers';
import { sameType } from './compatible-types';
import { fail, type Span, spanOf } from './errors';
import type { Evaluation } from './evaluate';
import { pathToBase } from './overload';
import type { ExpressionQuery } from './requests';
import type { TypedNode } from './typed';

type DynamicCast = Extract<TypedNode, { kind: 'dynamic-cast' }>;

export function checkDynamicCast(node: TypedNode, type: Type, span: Span, checker: CallChecker): TypedNode {
  const target = stripType(type);
  const isToReference = isReference(target);
  const wanted = 'target' in target && (isToReference || isPointer(target)) ? stripType(target.target) : undefined;
  if (wanted === undefined || !(isStruct(wanted) || (wanted.kind === 'void' && !isToReference)))
    return fail(`dynamic_cast is to a pointer or a reference to a class, not to ${type.displayName}`, span);
  const pointer = isToReference ? addressOf(node, checker) : checker.scalar(node);
  const source = stripType(pointer.type);
  const from = source.kind === 'pointer' ? stripType(source.target) : source;
  if (!isStruct(from)) return fail(`dynamic_cast is of a pointer to a class, not of ${node.type.displayName}`, node);
  const { addressSize } = checker.scope.machine;
  const result = isToReference && 'target' in target ? pointerTo(target.target, addressSize) : type;
  // To itself or a base nothing has to be asked.
  const isUpward = isStruct(wanted) && pathToBase(from, wanted) !== undefined;
  if (!isUpward && !isPolymorphic(from))
    return fail(`${from.displayName} has no virtual functions: of its objects nobody can tell the class`, node);
  const cast: TypedNode = isUpward
    ? checker.convert(toBase(pointer, result, checker), result)
    : {
        kind: 'dynamic-cast',
        type: result,
        pointer,
        from,
        to: isStruct(wanted) ? wanted : undefined,
        isReference: isToReference,
        classAt: (table) => checker.scope.classOfTable?.(table),
        ...spanOf(span),
      };
  return isToReference ? checker.convert(cast, type) : cast;
}

/** Compilers call the pointer to the table `_vptr.Class` or `_vptr$Class`. */
function isPolymorphic({ members }: StructType): boolean {
  return members.some(({ name, type, isBase }) => {
    const base = isBase === true ? stripType(type) : undefined;
    return base === undefined ? /^_vptr[.$]/.test(name ?? '') : isStruct(base) && isPolymorphic(base);
  });
}

/** The address of the part of the object that is wanted; 0: it has none. */
export function* evaluateDynamicCast(node: DynamicCast, evaluation: Evaluation): ExpressionQuery<bigint> {
  const pointer = BigInt(yield* evaluation.number(node.pointer));
  const { addressSize } = evaluation.context.frame.machine;
  if (pointer === 0n && !node.isReference) return 0n;
  const table = yield* word(pointer, node, evaluation);
  const type = node.classAt(table);
  if (type === undefined) {
    const reason = `no table of virtual functions of a known class: the object may not be constructed`;
    return fail(
      `at 0x${table.toString(16)}, which the object at 0x${pointer.toString(16)} begins with, is ${reason}`,
      node,
    );
  }
  const toTop = BigInt.asIntN(addressSize * 8, yield* word(table - BigInt(2 * addressSize), node, evaluation));
  const whole = BigInt.asUintN(addressSize * 8, pointer + toTop);
  if (node.to === undefined) return whole;
  const found = yield* partsOf(type, whole, node.to, evaluation);
  const around: bigint[] = [];
  for (const part of found) {
    if ((yield* partsOf(node.to, part, node.from, evaluation)).includes(pointer)) around.push(part);
  }
  // Down to the one that the pointer is in, else across to the only one (7.6.1.7 paragraph 8).
  const [chosen] = around.length === 1 ? around : found.length === 1 ? found : [];
  if (chosen !== undefined) return chosen;
  if (!node.isReference) return 0n;
  return fail(
    `the object is of the class ${type.displayName}, which has ${found.length === 0 ? 'no' : 'more than one'} ${node.to.displayName}`,
    node,
  );
}

function* word(address: bigint, node: DynamicCast, { context }: Evaluation): ExpressionQuery<bigint> {
  const { addressSize, littleEndian } = context.frame.machine;
  const bytes = yield { address, length: addressSize };
  return bytes === undefined
    ? fail(`the object's table of virtual functions cannot be read at 0x${address.toString(16)}`, node)
    : decodeUnsigned(bytes, littleEndian);
}

/** Addresses of all parts of a class that an object has, itself included; a virtual base is one part, however it is reached. */
function* partsOf(
  type: StructType,
  address: bigint,
  wanted: StructType,
  { context: { frame } }: Evaluation,
): ExpressionQuery<bigint[]> {
  const found = new Set<bigint>();
  for (const path of pathsToBase(type, wanted)) {
    let value = valueAt(type, { kind: 'memory', address }, frame);
    for (const member of path) value = yield* memberOf(value, member);
    if (value.location.kind === 'memory') found.add(value.location.address);
  }
  return [...found];
}

function pathsToBase(from: StructType, base: StructType): readonly (readonly Member[])[] {
  if (sameType(from, base)) return [[]];
  return from.members.flatMap((member) => {
    const inner = member.isBase === true ? stripType(member.type) : undefined;
    return inner && isStruct(inner) ? pathsToBase(inner, base).map((path) => [member, ...path]) : [];
  });
}
