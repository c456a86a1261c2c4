/**
 * Which of several functions of a name a call means in C++ (C++ 12.2): of those that its arguments fit, the one that fits no
 * argument worse than another and one better. Conversions that classes define are not among them.
 */
import { type Member, stripType, type StructType, type Type } from '../dwarf/model';
import { isStruct } from '../dwarf/value';
import { isBoolean, isComplex, isFloating, isInteger, isReference } from '../dwarf/value-types';
import { fail, type Span } from './errors';
import type { FunctionEntity } from './scope';
import { isDeducible } from './template-functions';
import { isPlace, type TypedNode } from './typed';

/** C++ 12.2.4.2: lower is better; undefined: it does not fit. */
const Rank = { exact: 0, qualification: 1, promotion: 2, conversion: 3, toBase: 3, toVoid: 4, ellipsis: 6 } as const;

/** A function with what it would be given: `object` stands before a method. */
export interface Candidate {
  readonly entity: FunctionEntity;
  readonly object: TypedNode | undefined;
  readonly list: readonly TypedNode[];
}

/** `object`: of methods, which differ in whether they take a const one. */
export function chooseOverload(
  entities: readonly FunctionEntity[],
  list: readonly TypedNode[],
  name: string,
  span: Span,
  object?: TypedNode,
): FunctionEntity {
  if (entities.length === 1 && entities[0].isDeduced !== true) return entities[0];
  return chooseAmong(
    entities.map((entity) => ({ entity, object, list })),
    list,
    name,
    span,
  ).entity;
}

/** `list`: all operands, for the message. */
export function chooseAmong<T extends Candidate>(
  candidates: readonly T[],
  list: readonly TypedNode[],
  name: string,
  span: Span,
): T {
  const viable = candidates.flatMap((candidate) => {
    const ranks = ranksOfCandidate(candidate);
    return ranks === undefined ? [] : [{ candidate, entity: candidate.entity, ranks }];
  });
  const best = viable.filter((one) => viable.every((other) => one === other || isPreferred(one, other)));
  if (best.length === 1) return best[0].candidate;
  const listed = (entities: readonly FunctionEntity[]): string => entities.map(signatureText).sort().join(', ');
  const given = list.map(({ type }) => type.displayName).join(', ');
  if (viable.length === 0) {
    const all = listed(candidates.map(({ entity }) => entity));
    const verb = candidates.length === 1 ? 'is' : 'are';
    const isTemplate = candidates.every(({ entity }) => entity.isDeduced === true);
    const what = isTemplate ? 'instance of the template' : 'function';
    return fail(`no ${what} '${name}' fits (${given}); there ${verb} ${all}${isTemplate ? ': name one' : ''}`, span);
  }
  return fail(
    `the call of '${name}' with (${given}) is ambiguous: ${listed(viable.map(({ entity }) => entity))}; cast an argument`,
    span,
  );
}

export function signatureText(entity: FunctionEntity): string {
  const parameters = parametersOf(entity).map(({ displayName }) => displayName);
  return `${entity.name}(${[...parameters, ...(entity.type.variadic ? ['...'] : [])].join(', ')})`;
}

/** Without the object of a method. */
export function parametersOf({ type, isMethod }: FunctionEntity): readonly Type[] {
  return isMethod ? type.parameters.slice(1) : type.parameters;
}

/** The object counts as the first argument. */
function ranksOfCandidate({ entity, object, list }: Candidate): number[] | undefined {
  const ranks = ranksOf(entity, list);
  if (object === undefined || ranks === undefined) return ranks;
  const first = entity.isMethod ? stripType(entity.type.parameters[0]) : undefined;
  const takesConst = first?.kind !== 'pointer' || isConst(first.target);
  if (isConst(object.type) && !takesConst) return undefined;
  return [takesConst && !isConst(object.type) && entity.isMethod ? Rank.qualification : Rank.exact, ...ranks];
}

function ranksOf(entity: FunctionEntity, list: readonly TypedNode[]): number[] | undefined {
  const parameters = parametersOf(entity);
  if (list.length < parameters.length) return undefined;
  if (list.length > parameters.length && !entity.type.variadic) return undefined;
  const ranks = list.map((argument, i) => (i < parameters.length ? rank(argument, parameters[i]) : Rank.ellipsis));
  const isFit = (one: number | undefined, i: number): one is number =>
    one !== undefined && (entity.isDeduced !== true || isDeducible(one, Rank.qualification, parameters.at(i)));
  return ranks.every(isFit) ? ranks : undefined;
}

interface Ranked {
  readonly entity: FunctionEntity;
  readonly ranks: readonly number[];
}

/** Of two that fit as well a function is before what a template was made into (C++ 12.2.4.1). */
function isPreferred(one: Ranked, other: Ranked): boolean {
  if (isBetter(one.ranks, other.ranks)) return true;
  const isFunction = one.entity.isDeduced !== true && other.entity.isDeduced === true;
  return isFunction && !isBetter(other.ranks, one.ranks) && one.ranks.every((rank, i) => rank <= other.ranks[i]);
}

function isBetter(ranks: readonly number[], others: readonly number[]): boolean {
  return ranks.every((one, i) => one <= others[i]) && ranks.some((one, i) => one < others[i]);
}

/** How well an argument fits a parameter. */
export function rank(argument: TypedNode, parameter: Type): number | undefined {
  const to = stripType(parameter);
  if (isReference(to) && 'target' in to) {
    // What changes its argument needs an object; a temporary binds to const only.
    const isTemporary = !isPlace(argument) || argument.kind === 'bytes' || argument.kind === 'literal';
    if (isTemporary && to.kind === 'reference' && !isConst(to.target)) return undefined;
    if (!isTemporary && to.kind === 'rvalue-reference') return undefined;
    const inner = rank(argument, to.target);
    if (inner === undefined || isTemporary) return inner;
    // Nothing is converted in place: only the object itself or its base binds.
    const isSame = inner <= Rank.qualification || isStruct(stripType(to.target));
    if (!isSame && !isConst(to.target)) return undefined;
    return inner + (isConst(to.target) && !isConst(argument.type) ? Rank.qualification : 0);
  }
  const from = stripType(argument.type);
  if (from.kind === 'array' && to.kind === 'pointer') return pointerRank(from.element, to.target);
  if (from.kind === 'function' && to.kind === 'pointer') {
    return from.displayName === stripType(to.target).displayName ? Rank.exact : undefined;
  }
  if (from.kind === 'pointer' && to.kind === 'pointer') return pointerRank(from.target, to.target);
  if (isStruct(from) || isStruct(to)) return structRank(from, to);
  if (to.kind === 'pointer') return isNull(argument) ? Rank.conversion : undefined;
  if (from.kind === 'pointer') return isBoolean(to) ? Rank.toVoid : undefined;
  return numberRank(from, to);
}

function structRank(from: Type, to: Type): number | undefined {
  const [source, wanted] = [stripType(from), stripType(to)];
  if (!isStruct(source) || !isStruct(wanted)) return undefined;
  if (source.displayName === wanted.displayName) return Rank.exact;
  return pathToBase(source, wanted) === undefined ? undefined : Rank.toBase;
}

function pointerRank(from: Type, to: Type): number | undefined {
  const [source, wanted] = [stripType(from), stripType(to)];
  const qualification = isConst(from) === isConst(to) ? Rank.exact : Rank.qualification;
  if (isConst(from) && !isConst(to)) return undefined;
  if (source.displayName === wanted.displayName) return qualification;
  if (wanted.kind === 'void') return Rank.toVoid;
  if (!isStruct(source) || !isStruct(wanted)) return undefined;
  return pathToBase(source, wanted) === undefined ? undefined : Rank.toBase;
}

/** The bases on the way from a class to one of its bases; undefined: it is none. */
export function pathToBase(from: StructType, base: StructType): readonly Member[] | undefined {
  if (from.displayName === base.displayName) return [];
  for (const member of from.members) {
    const inner = member.isBase === true ? stripType(member.type) : undefined;
    const path = inner && isStruct(inner) ? pathToBase(inner, base) : undefined;
    if (path !== undefined) return [member, ...path];
  }
  return undefined;
}

function numberRank(from: Type, to: Type): number | undefined {
  const known = (type: Type): boolean => isInteger(type) || isFloating(type) || isComplex(type);
  if (!known(from) || !known(to)) return undefined;
  if (from.displayName === to.displayName) return Rank.exact;
  const [source, wanted] = [stripType(from), stripType(to)];
  if (wanted.kind === 'enum') return undefined;
  const isSmall = source.kind === 'enum' || isBoolean(source) || (source.byteSize ?? 4) < 4;
  if (wanted.displayName === 'int' && isInteger(source) && isSmall) return Rank.promotion;
  if (wanted.displayName === 'double' && source.displayName === 'float') return Rank.promotion;
  return Rank.conversion;
}

function isNull(node: TypedNode): boolean {
  return node.kind === 'constant' && node.value === 0n;
}

function isConst(type: Type): boolean {
  for (let inner = type; ;) {
    if (inner.kind === 'const') return true;
    if (inner.kind !== 'typedef' && inner.kind !== 'volatile') return false;
    inner = inner.target;
  }
}
