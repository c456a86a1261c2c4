/** Compatible types (C11 6.2.7), which _Generic chooses by; names of typedefs play no part, qualifiers of what is pointed to do. */
import { canonicalBaseName } from '../dwarf/base-type-name';
import { type BaseType, type EnumType, type FunctionType, isQualified, stripType, type Type } from '../dwarf/model';
import { isStruct } from '../dwarf/value';

/** Without the qualifiers of the types themselves (6.5.1.1: of the value). */
export function isCompatible(a: Type, b: Type): boolean {
  const [left, right] = [stripType(a), stripType(b)];
  if (left === right) return true;
  if (left.kind === 'pointer' && right.kind === 'pointer') return isSameQualified(left.target, right.target);
  if (left.kind === 'array' && right.kind === 'array') {
    const isSameLength = left.count === right.count || left.count === undefined || right.count === undefined;
    return isSameLength && isSameQualified(left.element, right.element);
  }
  if (left.kind === 'function' && right.kind === 'function') return isSameFunction(left, right);
  if (left.kind === 'base' && right.kind === 'base') {
    return left.encoding === right.encoding && left.byteSize === right.byteSize && baseWord(left) === baseWord(right);
  }
  if (left.kind === 'enum' && right.kind === 'base') return isUnderlying(left, right);
  if (left.kind === 'base' && right.kind === 'enum') return isUnderlying(right, left);
  if (left.kind !== right.kind) return false;
  return isStruct(left) || left.kind === 'enum' ? left.displayName === right.displayName : left.kind === 'void';
}

/** 6.7.2.2 paragraph 4: an enumeration is compatible with one integer type, which GCC and clang choose by its size. */
function isUnderlying({ byteSize, signed }: EnumType, { displayName }: BaseType): boolean {
  const names = { 1: 'char', 2: 'short', 4: 'int', 8: 'long long' } as const;
  const name = byteSize === 1 || byteSize === 2 || byteSize === 4 || byteSize === 8 ? names[byteSize] : undefined;
  const whole = signed ? (byteSize === 1 ? 'signed char' : name) : `unsigned ${name ?? ''}`;
  return canonicalBaseName(displayName) === whole;
}

/** int and long are different types of one size; compilers write `long int`, `long unsigned int`. */
function baseWord({ displayName }: Type): string {
  const words = displayName.split(' ').filter((word) => word !== 'int' && word !== 'signed' && word !== 'unsigned');
  const isCharacter = words.includes('char');
  return isCharacter ? displayName : words.sort().join(' ');
}

function isSameFunction(left: FunctionType, right: FunctionType): boolean {
  if (!isCompatible(left.returnType, right.returnType)) return false;
  if (!left.prototyped || !right.prototyped) return true;
  return (
    left.variadic === right.variadic &&
    left.parameters.length === right.parameters.length &&
    left.parameters.every((parameter, i) => isCompatible(parameter, right.parameters[i]))
  );
}

function isSameQualified(a: Type, b: Type): boolean {
  const [left, right] = [qualifiersOf(a), qualifiersOf(b)];
  return left.size === right.size && [...left].every((one) => right.has(one)) && isCompatible(a, b);
}

function qualifiersOf(type: Type): Set<string> {
  const found = new Set<string>();
  for (let inner = type; isQualified(inner); inner = inner.target) if (inner.kind !== 'typedef') found.add(inner.kind);
  return found;
}

/** Same type as far as assigning whole objects goes. */
export function sameType(a: Type, b: Type): boolean {
  const [left, right] = [stripType(a), stripType(b)];
  return (
    left === right ||
    (left.kind === right.kind && left.displayName === right.displayName && left.byteSize === right.byteSize)
  );
}
