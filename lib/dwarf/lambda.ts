/**
 * What a lambda captures (C++ 7.5.5.3): members of its closure, an object of a class without a name that its function gets a pointer to. GCC
 * calls the pointer `__closure` and the members `__x`, and describes variables of the source's names beside them (none for `*this`); clang
 * calls the pointer `this`, as if a user could mean it, and the members as the source does.
 */
import type { FunctionInfo, Member, Scope, StructType, VariableInfo } from './model';
import { stripType } from './model';
import type { Query } from '../query';
import type { Frame } from './unwind-frame';
import { dereference, isStruct, memberOf, type Value, valueAt, variableValue } from './value';
import { isUnavailable } from './value-bits';

/** The name that the pointer to the closure has with every compiler. */
export const closureName = '__closure';

export interface Closure {
  readonly pointer: VariableInfo;
  /** By the names of the source; `this` is a pointer, or where it was captured by value the object. */
  readonly captures: ReadonlyMap<string, Member>;
  /** Of the lambda's function: says where it stands. GCC leaves it out of what other files cannot see. */
  readonly linkageName: string | undefined;
  readonly isInlined: boolean;
}

/** A frame's function with the blocks around its pc, innermost first. */
export interface Place {
  readonly function: FunctionInfo | undefined;
  readonly scopes: readonly Scope[];
}

/** The closure that the code at a place works on; undefined: it is not that of a lambda. */
export function closureAt({ function: current, scopes }: Place): Closure | undefined {
  const inlined = scopes.find(({ inline }) => inline !== undefined)?.inline;
  const { name, linkageName } = inlined ?? current ?? { name: '', linkageName: undefined };
  if (!/(^|::)operator\(\)(<|$)/.test(name)) return undefined;
  for (const { variables } of scopes) {
    const pointer = variables.find((variable) => variable.artificial && closureClass(variable) !== undefined);
    const type = pointer && closureClass(pointer);
    if (pointer && type) return { pointer, captures: capturesOf(type), linkageName, isInlined: inlined !== undefined };
  }
  return undefined;
}

/** Of clang a closure's class is told from a structure without a name by its tag. */
function closureClass({ name, type, isParameter }: VariableInfo): StructType | undefined {
  if (!isParameter || (name !== closureName && name !== 'this')) return undefined;
  const pointer = stripType(type);
  const target = pointer.kind === 'pointer' ? stripType(pointer.target) : pointer;
  if (!isStruct(target) || target.name !== undefined) return undefined;
  return name === closureName || target.kind === 'class' ? target : undefined;
}

function capturesOf({ members }: StructType): ReadonlyMap<string, Member> {
  return new Map(members.flatMap((member) => (member.name ? [[member.name.replace(/^__/, ''), member]] : [])));
}

/** A variable that is described beside the closure, but that the description gives no place. */
export function isWithoutPlace({ artificial, location, constValue }: VariableInfo): boolean {
  return artificial && location === undefined && constValue === undefined;
}

export function* capturedValue(pointer: VariableInfo, member: Member, frame: Frame): Query<Value> {
  const closure = yield* dereference(yield* variableValue(pointer, frame));
  return isUnavailable(closure) ? valueAt(member.type, closure, frame) : yield* memberOf(closure, member);
}

/** Whether the function of a lambda stands in another one (Itanium C++ ABI 5.1.6: `Z`, the other's encoding, `E`). Both by their symbols. */
export function standsIn(lambda: string, outer: string): boolean {
  // C's names are not mangled.
  const encoding = outer.startsWith('_Z') ? outer.slice(2) : `${String(outer.length)}${outer}`;
  const nested = /^_Z(Z+)/.exec(lambda)?.[1].length ?? 0;
  for (let depth = 1; outer !== '' && depth <= nested; depth++) {
    // An encoding may begin with `Z` itself.
    if (lambda.startsWith(`${encoding}E`, 2 + depth)) return true;
  }
  return false;
}
