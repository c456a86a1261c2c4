/**
 * The variables of a frame's function and its blocks, each under a name of its own: C lets inner ones hide outer ones. In a lambda also what
 * it captures, where the compiler describes no variable for it.
 */
import { closureAt, closureName, isWithoutPlace } from '../lib/dwarf/lambda';
import { stripType, type Member, type VariableInfo } from '../lib/dwarf/model';
import type { FrameInfo } from '../lib/dwarf/unwind';
import { isStruct } from '../lib/dwarf/value';

interface NamedVariable {
  readonly name: string;
  readonly variable: VariableInfo;
  /** Of the closure that `variable` points to. */
  readonly captured?: Member;
}

/** A variable under the name that it has in the list. */
export interface ListedVariable extends NamedVariable {
  /** Undefined when no expression names it here: it is hidden by another of its name. */
  readonly evaluateName: string | undefined;
}

/** Arguments first, then the variables of the innermost block and of those around it. */
export function localsOf(frame: FrameInfo): ListedVariable[] {
  const own = frame.scopes.at(-1)?.variables.filter(({ isParameter }) => isParameter) ?? [];
  const others = frame.scopes.flatMap((scope) => scope.variables).filter((variable) => !own.includes(variable));
  const named = withoutCopies([...own, ...others]).map((variable) => ({ name: variable.name, variable }));
  const listed = withCaptured(named, frame);
  return uniquelyNamed(listed, [...listed.filter(({ variable }) => others.includes(variable)), ...listed]);
}

/** The pointer to a closure has one name with all compilers, which is not `this`. */
function withCaptured(variables: readonly NamedVariable[], frame: FrameInfo): NamedVariable[] {
  const closure = closureAt(frame);
  if (closure === undefined) return [...variables];
  const { pointer, captures } = closure;
  const kept = variables
    .filter(({ name, variable }) => !captures.has(name) || variable === pointer || !isWithoutPlace(variable))
    .map((one) => (one.variable === pointer ? { ...one, name: closureName } : one));
  const described = new Set(kept.filter(({ variable }) => variable.artificial).map(({ name }) => name));
  const captured = [...captures].flatMap(([name, member]): NamedVariable[] => {
    if (described.has(name)) return [];
    const isObject = name === 'this' && isStruct(stripType(member.type));
    return [{ name: isObject ? '*this' : name, variable: pointer, captured: member }];
  });
  return [...kept, ...captured];
}

/** GCC describes a variable of an inlined function twice, in the function and in a block of it that covers all of it. */
function withoutCopies(variables: readonly VariableInfo[]): VariableInfo[] {
  const seen = new Set<string>();
  return variables.filter(({ name, declaration }) => {
    if (declaration === undefined) return true;
    const key = `${name} ${declaration.file.path}:${declaration.line}:${declaration.column}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

/** `order`: innermost first, decides which variable of a name is meant by it. */
function uniquelyNamed(variables: readonly NamedVariable[], order: readonly NamedVariable[]): ListedVariable[] {
  const visible = new Map<string, NamedVariable>();
  for (const one of order) {
    if (!visible.has(one.name)) visible.set(one.name, one);
  }
  return variables.map((one) => {
    if (visible.get(one.name) === one) return { ...one, evaluateName: one.name };
    const line = one.variable.declaration?.line;
    const name = line === undefined ? `${one.name} (hidden)` : `${one.name} (line ${line})`;
    return { ...one, name, evaluateName: undefined };
  });
}
