/**
 * Types that no debug information entry describes: results of C operators (pointers to things, arrays of them, the
 * basic types of C at the target's widths), and questions about types that values and C expressions share.
 */
import { Encoding } from './constants';
import type {
  ArrayType,
  BaseType,
  FunctionType,
  MemberPointerType,
  PointerType,
  QualifiedType,
  Type,
  VoidType,
} from './model';
import { stripType } from './model';
import { spellType } from './type-name';

/** The type of `&object`. */
export function pointerTo(target: Type, addressSize: 4 | 8): PointerType {
  const type: PointerType = {
    kind: 'pointer',
    target,
    displayName: '',
    name: undefined,
    byteSize: addressSize,
    declaration: undefined,
  };
  return { ...type, displayName: spellType(type) };
}

/** The type of `&Class::member` in C++, of a member that is no method. */
export function memberPointerTo(target: Type, containing: Type, addressSize: 4 | 8): MemberPointerType {
  const type: MemberPointerType = {
    kind: 'member-pointer',
    target,
    containing,
    displayName: '',
    name: undefined,
    byteSize: addressSize,
    declaration: undefined,
  };
  return { ...type, displayName: spellType(type) };
}

/** The type of `(type &) object` in C++. */
export function referenceTo(target: Type, addressSize: 4 | 8): PointerType {
  return { ...pointerTo(target, addressSize), kind: 'reference', displayName: `${target.displayName} &` };
}

/** The type of `object@count`, and of arrays in casts. */
export function arrayOf(element: Type, count: number | undefined): ArrayType {
  const byteSize = count === undefined || element.byteSize === undefined ? undefined : element.byteSize * count;
  const type: ArrayType = {
    kind: 'array',
    element,
    count,
    displayName: '',
    name: undefined,
    byteSize,
    declaration: undefined,
  };
  return { ...type, displayName: spellType(type) };
}

/** Parameter names play no part in a type. */
export function functionType(returnType: Type, parameters: readonly Type[], variadic: boolean): FunctionType {
  const type: FunctionType = {
    kind: 'function',
    returnType,
    parameters,
    variadic,
    prototyped: parameters.length > 0 || !variadic,
    displayName: '',
    name: undefined,
    byteSize: undefined,
    declaration: undefined,
  };
  return { ...type, displayName: spellType(type) };
}

export function qualified(kind: Exclude<QualifiedType['kind'], 'typedef'>, target: Type): Type {
  const type: QualifiedType = {
    kind,
    target,
    displayName: '',
    name: undefined,
    byteSize: target.byteSize,
    declaration: undefined,
  };
  return { ...type, displayName: spellType(type) };
}

export const voidType: VoidType = {
  kind: 'void',
  displayName: 'void',
  name: undefined,
  byteSize: undefined,
  declaration: undefined,
};

export function baseType(name: string, byteSize: number, encoding: number): BaseType {
  return { kind: 'base', name, displayName: name, byteSize, encoding, declaration: undefined };
}

/** The basic types of C for one target. */
export type BasicTypeName =
  | 'char'
  | 'signed char'
  | 'unsigned char'
  | 'short'
  | 'unsigned short'
  | 'int'
  | 'unsigned int'
  | 'long'
  | 'unsigned long'
  | 'long long'
  | 'unsigned long long'
  | 'float'
  | 'double'
  | 'long double'
  | '_Bool';

export type BasicTypes = Readonly<Record<BasicTypeName, BaseType>>;

const cache = new Map<string, BasicTypes>();

/** ILP32 for 4-byte addresses, LP64 for 8. `charSigned` differs by ABI: unsigned on Arm and RISC-V, signed on x86. */
export function basicTypes(addressSize: 4 | 8, charSigned: boolean, boolean: '_Bool' | 'bool' = '_Bool'): BasicTypes {
  const key = `${addressSize}${charSigned}${boolean}`;
  const known = cache.get(key);
  if (known) return known;
  const { DW_ATE_signed, DW_ATE_unsigned, DW_ATE_signed_char, DW_ATE_unsigned_char, DW_ATE_float } = Encoding;
  const types: BasicTypes = {
    char: baseType('char', 1, charSigned ? DW_ATE_signed_char : DW_ATE_unsigned_char),
    'signed char': baseType('signed char', 1, DW_ATE_signed_char),
    'unsigned char': baseType('unsigned char', 1, DW_ATE_unsigned_char),
    short: baseType('short', 2, DW_ATE_signed),
    'unsigned short': baseType('unsigned short', 2, DW_ATE_unsigned),
    int: baseType('int', 4, DW_ATE_signed),
    'unsigned int': baseType('unsigned int', 4, DW_ATE_unsigned),
    long: baseType('long', addressSize, DW_ATE_signed),
    'unsigned long': baseType('unsigned long', addressSize, DW_ATE_unsigned),
    'long long': baseType('long long', 8, DW_ATE_signed),
    'unsigned long long': baseType('unsigned long long', 8, DW_ATE_unsigned),
    float: baseType('float', 4, DW_ATE_float),
    double: baseType('double', 8, DW_ATE_float),
    'long double': baseType('long double', addressSize === 4 ? 8 : 16, DW_ATE_float),
    _Bool: baseType(boolean, 1, Encoding.DW_ATE_boolean),
  };
  cache.set(key, types);
  return types;
}

/** Of DW_ATE_float, whatever its size. */
export function isFloating(type: Type): boolean {
  const stripped = stripType(type);
  return stripped.kind === 'base' && stripped.encoding === Encoding.DW_ATE_float;
}

export function isComplex(type: Type): boolean {
  const stripped = stripType(type);
  return stripped.kind === 'base' && stripped.encoding === Encoding.DW_ATE_complex_float;
}

export function isBoolean(type: Type): boolean {
  const stripped = stripType(type);
  return stripped.kind === 'base' && stripped.encoding === Encoding.DW_ATE_boolean;
}

/** char, signed char, unsigned char and their typedefs: what is shown as text. */
export function isCharacter(type: Type): boolean {
  const stripped = stripType(type);
  if (stripped.kind !== 'base' || stripped.byteSize !== 1) return false;
  const { DW_ATE_signed_char, DW_ATE_unsigned_char, DW_ATE_UTF, DW_ATE_ASCII } = Encoding;
  return ([DW_ATE_signed_char, DW_ATE_unsigned_char, DW_ATE_UTF, DW_ATE_ASCII] as number[]).includes(stripped.encoding);
}

export function isInteger(type: Type): boolean {
  const stripped = stripType(type);
  if (stripped.kind === 'enum') return true;
  return stripped.kind === 'base' && !isFloating(stripped) && !isComplex(stripped);
}

export function isPointer(type: Type): boolean {
  return stripType(type).kind === 'pointer';
}

/** Pointers, integers, enumerations and floating-point numbers: one number holds the value. */
export function isScalar(type: Type): boolean {
  const { kind } = stripType(type);
  return kind === 'pointer' || kind === 'enum' || (kind === 'base' && !isComplex(type)) || isReference(type);
}

export function isReference(type: Type): boolean {
  const { kind } = stripType(type);
  return kind === 'reference' || kind === 'rvalue-reference';
}

/** What sign extension and comparison depend on; pointers and _Bool are unsigned. */
export function isSigned(type: Type): boolean {
  const stripped = stripType(type);
  if (stripped.kind === 'enum') return stripped.signed;
  if (stripped.kind !== 'base') return false;
  const { DW_ATE_signed, DW_ATE_signed_char, DW_ATE_signed_fixed, DW_ATE_float } = Encoding;
  return ([DW_ATE_signed, DW_ATE_signed_char, DW_ATE_signed_fixed, DW_ATE_float] as number[]).includes(
    stripped.encoding,
  );
}
