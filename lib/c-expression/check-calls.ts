/**
 * Calls (C11 6.5.2.2; C++ 7.6.1.3): of functions, through pointers, of methods with their object, virtual ones by the object's
 * own table, of the function among several that the arguments fit. Arguments are converted as the prototype asks.
 */
import { type FunctionType, type Member, stripType, type StructType, type Type } from '../dwarf/model';
import { findMember, isStruct } from '../dwarf/value';
import { isBoolean, isComplex, isInteger, isReference, isScalar, pointerTo } from '../dwarf/value-types';
import { addressOf, type PointerChecker, toBase } from './class-pointers';
import { fail, type Span, spanOf } from './errors';
import { chooseOverload, pathToBase } from './overload';
import { ownPointer } from './own-object';
import { writtenName } from './template-functions';
import type { ExpressionScope, FunctionEntity, NamedEntity } from './scope';
import type { Expression } from './syntax';
import type { TypedNode } from './typed';

type Call = Extract<Expression, { kind: 'call' }>;
type CallNode = Extract<TypedNode, { kind: 'call' }>;

export interface CallChecker extends PointerChecker {
  /** Why nothing may be called here; undefined: it may. */
  readonly callsRefused: string | undefined;
  hasCalls: boolean;
  assigned(value: TypedNode, type: Type, span: Span): TypedNode;
  object(base: Expression, arrow: boolean): TypedNode;
  unsupported(type: Type, reason: string, span: Span): TypedNode;
}

/** A method and the way from the class that was asked to the base that has it. */
export interface Method {
  readonly entity: FunctionEntity;
  readonly path: readonly Member[];
}

/** `within` is a class: its methods, or those of its bases. */
export function findMethod(type: StructType, name: string, scope: ExpressionScope): Method | undefined {
  if (type.name === undefined) return methodOfNameless(type, name, scope);
  const entity = scope.lookup(name, { file: undefined, within: type.name, global: false });
  if (entity?.kind === 'function') return { entity, path: [] };
  for (const base of type.members.filter(({ isBase }) => isBase === true)) {
    const inner = stripType(base.type);
    const found = isStruct(inner) ? findMethod(inner, name, scope) : undefined;
    if (found !== undefined) return { entity: found.entity, path: [base, ...found.path] };
  }
  return undefined;
}

/** A method that a class or a base of it declares, but of which there is no code: why. */
export function methodWithoutCode(type: StructType, name: string, scope: ExpressionScope): string | undefined {
  const own = type.name === undefined ? undefined : scope.whyNoCode?.(`${type.name}::${name}`);
  if (own !== undefined) return own;
  for (const base of type.members.filter(({ isBase }) => isBase === true)) {
    const inner = stripType(base.type);
    const found = isStruct(inner) ? methodWithoutCode(inner, name, scope) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Of a lambda: found by the class of its object. */
function methodOfNameless(type: StructType, name: string, scope: ExpressionScope): Method | undefined {
  const found = scope.lookup(name, { file: undefined, within: undefined, global: true });
  if (found?.kind !== 'function') return undefined;
  const own = (found.overloads ?? [found]).filter((one) => classOf(one) === type);
  return own.length === 0 ? undefined : { entity: { ...own[0], overloads: own }, path: [] };
}

/** The class that a method is of, by its `this`. */
function classOf({ type, isMethod }: FunctionEntity): Type | undefined {
  const first = isMethod ? stripType(type.parameters[0]) : undefined;
  return first?.kind === 'pointer' ? stripType(first.target) : undefined;
}

export function checkCall(call: Call, span: Span, checker: CallChecker): TypedNode {
  const { callee } = call;
  const list = call.arguments.map((argument) => checker.check(argument));
  if (callee.kind === 'member') {
    const object = checker.object(callee.base, callee.arrow);
    const type = stripType(object.type);
    if (isStruct(type) && findMember(type, callee.name) === undefined) {
      const method = findMethod(type, callee.name, checker.scope);
      if (method !== undefined) return methodCall(method, object, list, span, checker);
    }
  }
  if (callee.kind === 'name') {
    const entity = checker.scope.lookup(callee.name, callee.qualifier);
    if (entity?.kind === 'function') return entityCall(entity, list, span, checker);
    const own = entity === undefined || entity.kind === 'symbol' ? ownMethod(callee.name, callee, checker) : undefined;
    if (own !== undefined) return methodCall(own.method, own.object, list, span, checker);
  }
  if (callee.kind === 'binary' && (callee.operator === '.*' || callee.operator === '->*')) {
    const pointer = checker.check(callee.right);
    const type = stripType(pointer.type);
    const target = type.kind === 'member-pointer' ? stripType(type.target) : type;
    if (target.kind === 'function') {
      const left = checker.check(callee.left);
      const object = callee.operator === '->*' ? checker.scalar(left) : addressOf(left, checker);
      return finish({ name: 'the method', type: target, callee: pointer, list: [object, ...list] }, span, checker);
    }
  }
  return pointerCall(callee, list, span, checker);
}

function entityCall(entity: FunctionEntity, list: readonly TypedNode[], span: Span, checker: CallChecker): TypedNode {
  if (entity.isUntyped === true)
    return fail(`'${entity.name}' has unknown return type; cast the call to its declared return type`, span);
  const chosen = chooseOverload(entity.overloads ?? [entity], list, writtenName(entity), span);
  if (chosen.isMethod) {
    const self = ownPointer(span, checker);
    if (self === undefined) return fail(`'${chosen.name}' is a method: an object must stand before it`, span);
    return finish({ ...partsOf(chosen, checker, span), list: [self, ...list] }, span, checker);
  }
  return finish({ ...partsOf(chosen, checker, span), list }, span, checker);
}

function partsOf(entity: FunctionEntity, checker: CallChecker, span: Span): Omit<CallParts, 'list'> {
  const { addressSize } = checker.scope.machine;
  const symbol: TypedNode = { kind: 'symbol', type: entity.type, entity, ...span };
  const callee: TypedNode = { kind: 'address', type: pointerTo(entity.type, addressSize), operand: symbol, ...span };
  return { name: entity.name, type: entity.type, callee, refusal: entity.refusal };
}

/** A method of the object that the frame's own method works on. */
function ownMethod(
  name: string,
  span: Span,
  checker: CallChecker,
): { readonly method: Method; readonly object: TypedNode } | undefined {
  const pointer = ownPointer(spanOf(span), checker);
  if (pointer === undefined) return undefined;
  const object = checker.dereference(pointer, spanOf(span));
  const type = stripType(object.type);
  const method = isStruct(type) ? findMethod(type, name, checker.scope) : undefined;
  return method && { method, object };
}

function methodCall(
  { entity, path }: Method,
  object: TypedNode,
  list: readonly TypedNode[],
  span: Span,
  checker: CallChecker,
): TypedNode {
  const chosen = chooseOverload(entity.overloads ?? [entity], list, writtenName(entity), span, object);
  return callOf(chosen, path, object, list, span, checker);
}

/** `path`: to the base of the object that has the method. */
export function callOf(
  chosen: FunctionEntity,
  path: readonly Member[],
  object: TypedNode,
  list: readonly TypedNode[],
  span: Span,
  checker: CallChecker,
): TypedNode {
  const parts = partsOf(chosen, checker, span);
  if (!chosen.isMethod) return finish({ ...parts, list }, span, checker);
  const self = addressOf(path.length === 0 ? object : checker.memberOf(object, path, spanOf(object)), checker);
  const virtual = chosen.vtableIndex === undefined ? {} : { vtableIndex: chosen.vtableIndex };
  return finish({ ...parts, ...virtual, list: [self, ...list] }, span, checker);
}

function pointerCall(callee: Expression, list: readonly TypedNode[], span: Span, checker: CallChecker): TypedNode {
  const called = checker.decay(checker.check(callee));
  if (isStruct(stripType(called.type))) {
    const overloaded = checker.classOperator('()', [called, ...list], span);
    if (overloaded !== undefined) return overloaded;
  }
  const pointer = stripType(called.type);
  const type = pointer.kind === 'pointer' ? stripType(pointer.target) : pointer;
  const name = callee.kind === 'name' || callee.kind === 'member' ? callee.name : 'the function';
  if (type.kind === 'unknown') {
    return fail(`'${name}' has unknown return type; cast the call to its declared return type`, callee);
  }
  if (type.kind !== 'function') return fail(`${called.type.displayName} cannot be called`, callee);
  return finish({ name, type, callee: called, list }, span, checker);
}

/** A function of an assembler source, which has no declaration that an assembler could read. */
function isUntyped(entity: NamedEntity): entity is FunctionEntity {
  return entity?.kind === 'function' && entity.isUntyped === true;
}

/** `(type)function(...)` of a function that only the symbol table, or an assembler, knows. */
export function castCall(call: Call, type: Type, span: Span, checker: CallChecker): TypedNode | undefined {
  if (call.callee.kind !== 'name') return undefined;
  const entity = checker.scope.lookup(call.callee.name, call.callee.qualifier);
  if (entity === undefined || (entity.kind !== 'symbol' && !isUntyped(entity))) return undefined;
  const list = call.arguments.map((argument) => checker.check(argument));
  const { addressSize } = checker.scope.machine;
  const declared: FunctionType = {
    kind: 'function',
    returnType: type,
    parameters: [],
    variadic: true,
    prototyped: false,
    displayName: `${type.displayName} ()`,
    name: undefined,
    byteSize: undefined,
    declaration: undefined,
  };
  const symbol: TypedNode = { kind: 'symbol', type: declared, entity, ...span };
  const callee: TypedNode = { kind: 'address', type: pointerTo(declared, addressSize), operand: symbol, ...span };
  return finish({ name: call.callee.name, type: declared, callee, list }, span, checker);
}

interface CallParts {
  readonly name: string;
  readonly type: FunctionType;
  readonly callee: TypedNode;
  readonly list: readonly TypedNode[];
  readonly vtableIndex?: number;
  readonly refusal?: string | undefined;
}

function finish(
  { name, type, callee, list, vtableIndex, refusal }: CallParts,
  span: Span,
  checker: CallChecker,
): TypedNode {
  const named = type.parameters.length;
  // Without a prototype nothing is known of the parameters.
  const isOpen = type.variadic || (!type.prototyped && named === 0);
  if (list.length < named) return fail(`too few arguments for '${name}': ${String(named)} are needed`, span);
  if (list.length > named && !isOpen) return fail(`too many arguments for '${name}': it has ${String(named)}`, span);
  const converted = list.map((argument, i) =>
    i < named ? passed(argument, type.parameters[i], checker) : promotedArgument(argument, checker),
  );
  const reason = checker.callsRefused ?? refusal ?? copyRefusal(name, type);
  if (reason !== undefined) return checker.unsupported(type.returnType, reason, span);
  checker.hasCalls = true;
  const node: CallNode = {
    kind: 'call',
    type: type.returnType,
    name,
    callee,
    function: type,
    arguments: converted,
    named: Math.min(named, list.length),
    vtableIndex,
    ...span,
  };
  return node;
}

/** Its constructor would have to make the copy (Itanium C++ ABI 3.1.2.3). */
function copyRefusal(name: string, { returnType, parameters }: FunctionType): string | undefined {
  const types = [returnType, ...parameters].map(stripType);
  const type = types.find((one) => isStruct(one) && one.passedByReference);
  return (
    type &&
    `'${name}' is not called from here: ${type.displayName} is copied by a constructor when it is passed or returned`
  );
}

/** 6.5.2.2 paragraph 7: as if by assignment; a reference is bound. */
function passed(argument: TypedNode, parameter: Type, checker: CallChecker): TypedNode {
  const type = stripType(parameter);
  if (isReference(type) && 'target' in type) {
    const pointer = pointerTo(type.target, checker.scope.machine.addressSize);
    const isSame = !isScalar(argument.type) || sameName(argument.type, type.target);
    const bound = isSame ? argument : checker.convert(checker.scalar(argument), type.target);
    return checker.convert(toBase(addressOf(bound, checker), pointer, checker), parameter);
  }
  if (isStruct(type)) {
    const from = stripType(argument.type);
    if (isStruct(from) && from.displayName === type.displayName) return argument;
    const path = isStruct(from) ? pathToBase(from, type) : undefined;
    if (path !== undefined) return checker.memberOf(argument, path, spanOf(argument));
    return fail(`${argument.type.displayName} cannot be passed as ${parameter.displayName}`, argument);
  }
  if (isComplex(type) || isComplex(argument.type)) return checker.assigned(argument, parameter, argument);
  if (type.kind === 'member-pointer') {
    if (argument.type.displayName === parameter.displayName) return argument;
    return fail(`${argument.type.displayName} cannot be passed as ${parameter.displayName}`, argument);
  }
  return checker.convert(toBase(checker.scalar(argument), parameter, checker), parameter);
}

function sameName(a: Type, b: Type): boolean {
  return stripType(a).displayName === stripType(b).displayName;
}

/** 6.5.2.2 paragraph 6 */
function promotedArgument(argument: TypedNode, checker: CallChecker): TypedNode {
  if (isStruct(stripType(argument.type)) || isComplex(argument.type)) return argument;
  const value = checker.scalar(argument);
  const { types } = checker;
  if (value.type.byteSize === 4 && stripType(value.type).displayName === 'float')
    return checker.convert(value, types.double);
  const isSmall = isInteger(value.type) && ((value.type.byteSize ?? 4) < 4 || isBoolean(value.type));
  return isSmall ? checker.convert(value, types.int) : checker.convert(value, value.type);
}
