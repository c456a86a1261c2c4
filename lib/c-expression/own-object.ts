/**
 * The object that a method works on (C++ 7.5.2), and its members by their names alone. In a lambda it is what the closure holds: a pointer
 * to the object, or the object.
 */
import { stripType } from '../dwarf/model';
import { isStruct } from '../dwarf/value';
import { addressOf, type PointerChecker } from './class-pointers';
import type { Span } from './errors';
import type { NamedEntity, OwnObject } from './scope';
import type { TypedNode } from './typed';

type OwnMember = Extract<NamedEntity, { kind: 'own-member' }>;

/** `this`; undefined: the frame's function has no object. */
export function ownPointer(span: Span, checker: PointerChecker): TypedNode | undefined {
  const own = checker.scope.lookup('this', undefined);
  if (own?.kind === 'own-object') return pointerTo(own.object, span, checker);
  return own?.kind === 'variable' ? pointerTo({ pointer: own.variable }, span, checker) : undefined;
}

export function ownMember({ object, path }: OwnMember, span: Span, checker: PointerChecker): TypedNode {
  return checker.memberOf(checker.dereference(pointerTo(object, span, checker), span), path, span);
}

function pointerTo({ pointer, captured }: OwnObject, span: Span, checker: PointerChecker): TypedNode {
  const entity: NamedEntity & { kind: 'variable' } = { kind: 'variable', variable: pointer, frame: undefined };
  const node: TypedNode = { kind: 'variable', type: pointer.type, entity, ...span };
  if (captured === undefined) return node;
  const member = checker.memberOf(checker.dereference(node, span), [captured], span);
  return isStruct(stripType(captured.type)) ? addressOf(member, checker) : member;
}
