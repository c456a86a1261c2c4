/**
 * What names in an expression can mean, and who knows it. Names are looked up once, when an expression is compiled;
 * values are read at each evaluation.
 */
import type { EnumType, FunctionType, Member, StructType, Type, VariableInfo } from '../dwarf/model';
import type { Frame, UnwindMachine } from '../dwarf/unwind-frame';
import type { BasicTypes } from '../dwarf/value-types';
import type { Qualifier } from './syntax';
import type { TypeNames } from './type-parser';

export interface FunctionEntity {
  readonly kind: 'function';
  /** In C++ with its namespaces and classes. */
  readonly name: string;
  readonly type: FunctionType;
  readonly address: bigint;
  readonly frame: Frame;
  /** Its first parameter is the object. */
  readonly isMethod: boolean;
  /** Of a virtual method. */
  readonly vtableIndex: number | undefined;
  /** Why its code cannot be called as it is declared. */
  readonly refusal?: string | undefined;
  /** An instance of a template whose arguments, not all of which are written, follow from those of the call. */
  readonly isDeduced?: boolean;
  /** Of an assembler source: nothing is known of its parameters and its result. */
  readonly isUntyped?: boolean;
  /** All functions of its name, itself included, of which a call chooses by its arguments. */
  readonly overloads?: readonly FunctionEntity[];
}

/** Where the address of an object is from. */
export interface OwnObject {
  readonly pointer: VariableInfo;
  /** `pointer` leads to a closure, whose member is the pointer that is meant, or the object itself. */
  readonly captured?: Member;
}

export type NamedEntity =
  | {
      readonly kind: 'variable';
      readonly variable: VariableInfo;
      /** Where it is evaluated; undefined: in the frame that the expression is evaluated in. */
      readonly frame: Frame | undefined;
    }
  | FunctionEntity
  /** A member of the object that `this` points to, or what a lambda has captured. */
  | { readonly kind: 'own-member'; readonly object: OwnObject; readonly path: readonly Member[] }
  /** `this` in a lambda, where no variable is called so. */
  | { readonly kind: 'own-object'; readonly object: OwnObject }
  /** A variable of the function around a lambda: why it has no value here. */
  | { readonly kind: 'uncaptured'; readonly reason: string }
  | { readonly kind: 'enumerator'; readonly type: EnumType; readonly value: bigint }
  /** Only the symbol table knows it: no type. */
  | { readonly kind: 'symbol'; readonly address: bigint; readonly isFunction: boolean; readonly frame: Frame };

/** 'any': a name alone, which in C++ means classes and enumerations too. */
export type TypeTag = 'struct' | 'union' | 'enum' | 'class' | 'any';

export interface ExpressionScope extends TypeNames {
  readonly machine: UnwindMachine;
  /** The language of the code that the expression stands in. */
  readonly isCPlusPlus: boolean;
  /** int, long, char, ... of the target. */
  readonly types: BasicTypes;
  /** Where constants live and what has no frame is evaluated. */
  readonly frame: Frame;
  lookup(name: string, qualifier: Qualifier | undefined): NamedEntity | undefined;
  typeNamed(tag: TypeTag, name: string): Type | undefined;
  /** What may be the reason that a name is not known; undefined: nothing is to be said. */
  whyUnknown?(name: string): string | undefined;
  /** The class whose objects begin with that address, of the table of their virtual functions. */
  classOfTable?(address: bigint): StructType | undefined;
  /** Why a function that is declared cannot be called; undefined: none of that name is. */
  whyNoCode?(name: string): string | undefined;
  /** The DWARF number of a register, or its own name for one that DWARF does not number; undefined: no register. */
  register(name: string): number | string | undefined;
}
