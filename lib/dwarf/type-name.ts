/**
 * Spells types as C declares them: `int (*)(int, int)`, `struct point [2][3]`, `const char * const`.
 * A C declarator grows from the inside out: pointers to its left, arrays and functions to its right, in parentheses
 * where a pointer meets one of those. Qualifiers stand in one order whatever the order of their entries.
 */
import type { ArrayType, FunctionType, QualifiedType, Type } from './model';

const qualifierWords = { const: 'const', volatile: 'volatile', restrict: 'restrict', atomic: '_Atomic' } as const;
type Qualifier = keyof typeof qualifierWords;

function isQualifier(type: Type): type is QualifiedType & { kind: Qualifier } {
  return type.kind in qualifierWords;
}

/** The declaration of `declarator` (a name, or '' for a type name as in a cast) with that type. */
export function spellType(type: Type, declarator = ''): string {
  return spell(type, declarator, []);
}

/** `outer`: qualifiers of an array, which are its elements'; producers write them at both. */
function spell(type: Type, declarator: string, outer: readonly Qualifier[]): string {
  const qualifiers = new Set<Qualifier>(outer);
  let inner = type;
  while (isQualifier(inner)) {
    qualifiers.add(inner.kind);
    inner = inner.target;
  }
  const ordered = (Object.keys(qualifierWords) as Qualifier[]).filter((qualifier) => qualifiers.has(qualifier));
  const words = ordered.map((qualifier) => qualifierWords[qualifier]);
  switch (inner.kind) {
    case 'pointer':
      return spellPointer(inner.target, '*', words, declarator);
    case 'reference':
      return spellPointer(inner.target, '&', words, declarator);
    case 'rvalue-reference':
      return spellPointer(inner.target, '&&', words, declarator);
    case 'member-pointer':
      return spellPointer(inner.target, `${inner.containing.displayName}::*`, words, declarator);
    case 'array':
      return spell(inner.element, declarator + bounds(inner), ordered);
    case 'function':
      return joined([...words, spellType(inner.returnType, declarator + parameterList(inner))]);
    default:
      return joined([...words, simpleName(inner), declarator]);
  }
}

/** Qualifiers of a pointer stand apart from its star, as gdb writes them: `const char * const *`. */
function spellPointer(target: Type, mark: string, words: readonly string[], declarator: string): string {
  const isApart = words.length > 0 && /^[\w*&]/.test(declarator);
  const outer = [mark, ...words].join(' ') + (isApart ? ' ' : '') + declarator;
  const needsParentheses = target.kind === 'array' || target.kind === 'function';
  return spellType(target, needsParentheses ? `(${outer})` : outer);
}

function bounds(type: ArrayType): string {
  return typeof type.count === 'number' ? `[${type.count}]` : '[]';
}

function parameterList(type: FunctionType): string {
  const parameters = type.parameters.map((parameter) => parameter.displayName);
  if (type.variadic && parameters.length > 0) parameters.push('...');
  if (parameters.length === 0 && type.prototyped) return '(void)';
  return `(${parameters.join(', ')})`;
}

function simpleName(type: Type): string {
  switch (type.kind) {
    case 'struct':
    case 'union':
    case 'class':
    case 'enum':
      return type.displayName;
    case 'void':
      return 'void';
    case 'unknown':
      return type.name ?? '<unknown type>';
    case 'base':
      return type.displayName;
    default:
      return type.name ?? '<unnamed>';
  }
}

function joined(words: readonly string[]): string {
  return words.filter((word) => word !== '').join(' ');
}
