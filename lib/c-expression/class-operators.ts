/**
 * Operators that classes have functions for (C++ 12.2.2.3, 12.4): members of the left operand's class, and functions of the namespaces
 * around the expression and the operands. They are calls as any other. A class that has none is no operand.
 */
import { type Member, stripType, type StructType, type Type } from '../dwarf/model';
import { isStruct } from '../dwarf/value';
import { type CallChecker, callOf, findMethod, methodWithoutCode } from './check-calls';
import { fail, type Span } from './errors';
import { type Candidate, chooseAmong } from './overload';
import type { FunctionEntity } from './scope';
import type { Qualifier } from './syntax';
import { writtenName } from './template-functions';
import type { TypedNode } from './typed';

interface OperatorCandidate extends Candidate {
  readonly path: readonly Member[];
}

export function classOperator(
  operator: string,
  operands: readonly TypedNode[],
  span: Span,
  checker: CallChecker,
): TypedNode | undefined {
  if (!checker.scope.isCPlusPlus || !operands.some(({ type }) => isStruct(stripType(type)))) return undefined;
  const name = `operator${operator}`;
  const [first, ...rest] = operands;
  const candidates = [...members(name, first, rest, checker), ...functions(name, operands, checker)];
  if (candidates.length === 0) return fail(missingText(operator, operands, checker), span);
  const chosen = chooseAmong(candidates, operands, name, span);
  return callOf(chosen.entity, chosen.path, first, chosen.list, span, checker);
}

/** Whether a class has a function for an operator, or had one before it was inlined. */
export function hasOperator(node: TypedNode, operator: string, { scope }: CallChecker): boolean {
  const type = stripType(node.type);
  if (!isStruct(type) || !scope.isCPlusPlus) return false;
  const name = `operator${operator}`;
  return findMethod(type, name, scope) !== undefined || methodWithoutCode(type, name, scope) !== undefined;
}

/** The conversion that a class has to a type (C++ 11.4.8.3); undefined: none. */
export function classConversion(node: TypedNode, type: Type, span: Span, checker: CallChecker): TypedNode | undefined {
  const own = stripType(node.type);
  if (!isStruct(own) || !checker.scope.isCPlusPlus) return undefined;
  const names = [type.displayName, stripType(type).displayName];
  for (const name of new Set(names)) {
    const method = findMethod(own, `operator ${name}`, checker.scope);
    if (method !== undefined) return callOf(method.entity, method.path, node, [], span, checker);
  }
  const reason = methodWithoutCode(own, `operator ${type.displayName}`, checker.scope);
  return reason === undefined ? undefined : fail(reason, span);
}

function members(
  name: string,
  object: TypedNode,
  list: readonly TypedNode[],
  { scope }: CallChecker,
): OperatorCandidate[] {
  const type = stripType(object.type);
  const method = isStruct(type) ? findMethod(type, name, scope) : undefined;
  if (method === undefined) return [];
  const overloads = method.entity.overloads ?? [method.entity];
  return overloads.filter(({ isMethod }) => isMethod).map((entity) => ({ entity, object, list, path: method.path }));
}

/** Of no namespace, or of those of the operands (C++ 6.5.4): any other one that has the name is not meant. */
function functions(name: string, operands: readonly TypedNode[], { scope }: CallChecker): OperatorCandidate[] {
  const places = new Map<string, Qualifier>([[name, { file: undefined, within: undefined, global: true }]]);
  for (const { type } of operands) {
    const own = stripType(type);
    const namespace = isStruct(own) ? scopeOf(own) : undefined;
    if (namespace === undefined) continue;
    places.set(`${namespace}::${name}`, { file: undefined, within: namespace, global: false });
  }
  const found = new Map<bigint, FunctionEntity>();
  for (const [whole, place] of places) {
    const entity = scope.lookup(name, place);
    if (entity?.kind !== 'function') continue;
    const all = entity.overloads ?? [entity];
    const isMeant = (one: FunctionEntity): boolean => !one.isMethod && written(writtenName(one)) === whole;
    for (const one of all) if (isMeant(one)) found.set(one.address, one);
  }
  // What is no method has the left operand as its first argument.
  return [...found.values()].map((entity) => ({ entity, object: undefined, list: operands, path: [] }));
}

/** The namespaces around a class, without `::` at the end; template arguments may have some too. */
function scopeOf({ name }: StructType): string | undefined {
  const plain = written(name ?? '').replace(/<.*$/, '');
  const end = plain.lastIndexOf('::');
  return end < 0 ? undefined : plain.slice(0, end);
}

/** As a program writes it: a namespace without a name is none. */
function written(name: string): string {
  return name.replaceAll('(anonymous namespace)::', '');
}

function missingText(operator: string, operands: readonly TypedNode[], { scope }: CallChecker): string {
  const types = operands.map(({ type }) => type.displayName);
  const first = stripType(operands[0].type);
  const name = `operator${operator}`;
  const namespaces = operands.flatMap(({ type }) => {
    const own = stripType(type);
    return (isStruct(own) ? scopeOf(own) : undefined) ?? [];
  });
  const reason =
    (isStruct(first) ? methodWithoutCode(first, name, scope) : undefined) ??
    [name, ...namespaces.map((namespace) => `${namespace}::${name}`)]
      .map((one) => scope.whyNoCode?.(one))
      .find(Boolean);
  if (reason !== undefined) return reason;
  return `there is no operator '${operator}' for ${types.join(' and ')}`;
}
