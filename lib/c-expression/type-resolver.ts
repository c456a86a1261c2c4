/** Type names of the syntax tree -> types of the program (C11 6.7.7), through the scope. */
import { Encoding } from '../dwarf/constants';
import type { Type } from '../dwarf/model';
import {
  arrayOf,
  baseType,
  type BasicTypeName,
  type BasicTypes,
  functionType,
  pointerTo,
  qualified,
  referenceTo,
  voidType,
} from '../dwarf/value-types';
import { fail } from './errors';
import type { ExpressionScope } from './scope';
import type { Expression, QualifierWord, TypeName, TypeSpecifier } from './syntax';
import type { TypedNode } from './typed';
import { computedArray } from './variable-arrays';

/** What types ask of the checker: array sizes and typeof hold expressions. */
export interface ExpressionTyper {
  typeOf(expression: Expression): Type;
  /** A number where it is known without the program. */
  lengthOf(expression: Expression): number | TypedNode;
}

/** Derivations are applied from the specifier outwards, in the parser's order. */
export function resolveTypeName(
  name: TypeName,
  scope: ExpressionScope,
  types: BasicTypes,
  typer: ExpressionTyper,
): Type {
  let type = withQualifiers(resolveSpecifier(name.specifier, name, scope, types, typer), name.qualifiers);
  for (const derivation of name.derivations) {
    switch (derivation.kind) {
      case 'pointer':
        type = withQualifiers(pointerTo(type, scope.machine.addressSize), derivation.qualifiers);
        break;
      case 'reference':
        type = referenceTo(type, scope.machine.addressSize);
        break;
      case 'array': {
        const count = derivation.size && typer.lengthOf(derivation.size);
        type = typeof count === 'object' ? computedArray(type, count) : arrayOf(type, count);
        break;
      }
      case 'function': {
        const parameters = derivation.parameters.map((parameter) => resolveTypeName(parameter, scope, types, typer));
        type = functionType(type, parameters, derivation.variadic);
        break;
      }
    }
  }
  return type;
}

/** The type that the derivations start from. */
function resolveSpecifier(
  specifier: TypeSpecifier,
  span: TypeName,
  scope: ExpressionScope,
  types: BasicTypes,
  typer: ExpressionTyper,
): Type {
  switch (specifier.kind) {
    case 'basic':
      return basicType(specifier.name, types);
    case 'tagged': {
      const found = scope.typeNamed(specifier.tag, specifier.name);
      return found ?? fail(`No ${specifier.tag} type named ${specifier.name}.`, span);
    }
    case 'typedef': {
      const found = scope.typeNamed('any', specifier.name);
      return found ?? fail(`No type named ${specifier.name}.`, span);
    }
    case 'typeof':
      if (specifier.operand.kind === 'type-name') return resolveTypeName(specifier.operand, scope, types, typer);
      return typer.typeOf(specifier.operand);
  }
}

function basicType(name: string, types: BasicTypes): Type {
  if (name === 'void') return voidType;
  if (name.startsWith('complex ')) {
    const part = types[name.slice('complex '.length) as BasicTypeName];
    return baseType(name, 2 * (part.byteSize ?? 8), Encoding.DW_ATE_complex_float);
  }
  return types[name as BasicTypeName];
}

/** A repeated qualifier counts once (6.7.3 paragraph 5). */
function withQualifiers(type: Type, qualifiers: readonly QualifierWord[]): Type {
  return [...new Set(qualifiers)].reduce((inner, kind) => qualified(kind, inner), type);
}
