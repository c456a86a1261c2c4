/**
 * A function that no debug information describes, by a C declaration: the base image's, which the host performs. Its types are the
 * program's where it has them (k_timeout_t is a structure there), else those that the calling convention passes in the same way.
 */
import type { Type } from '../dwarf/model';
import type { Frame } from '../dwarf/unwind-frame';
import { type BasicTypeName, functionType, pointerTo, voidType } from '../dwarf/value-types';
import { compileTypeName } from './compile';
import { ExpressionError } from './errors';
import type { ExpressionScope, FunctionEntity } from './scope';

export interface DeclaredType {
  /** C text: `const char *`. */
  readonly text: string;
  /** Where the program does not know it. */
  readonly otherwise: BasicTypeName | 'pointer' | 'void';
}

export interface DeclaredFunction {
  readonly name: string;
  readonly address: bigint;
  readonly returns: DeclaredType;
  readonly parameters: readonly DeclaredType[];
  readonly variadic: boolean;
}

export function declaredEntity(declared: DeclaredFunction, scope: ExpressionScope, frame: Frame): FunctionEntity {
  const { name, address, returns, parameters, variadic } = declared;
  const types = parameters.map((parameter) => typeOf(parameter, scope));
  return {
    kind: 'function',
    name,
    type: functionType(typeOf(returns, scope), types, variadic),
    address,
    frame,
    isMethod: false,
    vtableIndex: undefined,
  };
}

function typeOf({ text, otherwise }: DeclaredType, scope: ExpressionScope): Type {
  try {
    return compileTypeName(text, scope);
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    if (otherwise === 'void') return voidType;
    return otherwise === 'pointer' ? pointerTo(voidType, scope.machine.addressSize) : scope.types[otherwise];
  }
}
