/**
 * C's arithmetic on numbers of the target (C11 6.3.1, 6.5): integer promotions, usual arithmetic conversions, and the
 * operators in the width of their type. Integers are bigint in their type's range, floating-point values numbers.
 * Where C leaves the result undefined (overflow, shift by too much) the result is what GCC folds it to.
 */
import { type BaseType, stripType, type Type } from '../dwarf/model';
import { type BasicTypeName, type BasicTypes, isBoolean, isFloating, isInteger, isSigned } from '../dwarf/value-types';
import type { ArithmeticOperator, ComparisonOperator } from './syntax';

/** Ranks of 6.3.1.1, from int on; smaller ones are promoted before they are compared. */
const integerNames: readonly (readonly [signed: BasicTypeName, unsigned: BasicTypeName])[] = [
  ['int', 'unsigned int'],
  ['long', 'unsigned long'],
  ['long long', 'unsigned long long'],
];

/** The basic type that an arithmetic type is after promotion (6.3.1.1 paragraph 2). */
export function promoted(type: Type, types: BasicTypes, bitSize?: number): BaseType {
  const stripped = stripType(type);
  if (isFloating(stripped)) return floatingType(stripped, types);
  const size = stripped.byteSize ?? types.int.byteSize ?? 4;
  const signed = isSigned(stripped);
  // A bit-field narrower than int has a value that int holds.
  if (bitSize !== undefined && bitSize < 32 + (signed ? 1 : 0) && size <= 4) return types.int;
  if (size < 4 || isBoolean(stripped)) return types.int;
  const [signedName, unsignedName] = integerNames[integerRank(stripped, size, types)];
  return types[signed ? signedName : unsignedName];
}

function floatingType(type: Type, types: BasicTypes): BaseType {
  if (type.byteSize === 4) return types.float;
  if (type.byteSize === 2) return types.float;
  const isLong = type.kind === 'base' && type.name === 'long double';
  return isLong || type.byteSize !== 8 ? types['long double'] : types.double;
}

function integerRank(type: Exclude<Type, { kind: 'typedef' }>, size: number, types: BasicTypes): number {
  const name = type.kind === 'base' ? (type.name ?? '') : '';
  if (/\blong\b.*\blong\b/.test(name)) return 2;
  if (/\blong\b/.test(name)) return 1;
  if (size === 4) return 0;
  return types.long.byteSize === size ? 1 : 2;
}

/** The type in which a binary operator computes (6.3.1.8). */
export function commonType(left: BaseType, right: BaseType, types: BasicTypes): BaseType {
  for (const name of ['long double', 'double', 'float'] as const) {
    if (left === types[name] || right === types[name]) return types[name];
  }
  const [leftRank, rightRank] = [rankOf(left, types), rankOf(right, types)];
  const rank = Math.max(leftRank, rightRank);
  const [signedType, unsignedType] = integerNames[rank].map((name) => types[name]);
  const unsignedRanks = [left, right].filter((type) => !isSigned(type)).map((type) => rankOf(type, types));
  if (unsignedRanks.length === 0) return signedType;
  const highestUnsigned = Math.max(...unsignedRanks);
  if (highestUnsigned === rank) return unsignedType;
  // The signed type of higher rank holds all values of the unsigned one only when it is wider.
  const [, lower] = integerNames[highestUnsigned].map((name) => types[name]);
  return (signedType.byteSize ?? 0) > (lower.byteSize ?? 0) ? signedType : unsignedType;
}

function rankOf(type: BaseType, types: BasicTypes): number {
  return integerNames.findIndex((names) => names.some((name) => types[name] === type));
}

/** 6.3.1.2 to 6.3.1.5, and pointers as unsigned numbers. */
export function convertNumber(value: bigint | number, to: Type): bigint | number {
  if (isFloating(to)) {
    const number = Number(value);
    return to.byteSize === 4 || stripType(to).byteSize === 4 ? Math.fround(number) : number;
  }
  if (isBoolean(to)) return value === 0n || value === 0 ? 0n : 1n;
  return wrapInteger(typeof value === 'bigint' ? value : truncate(value, to), to);
}

/** An integer brought into the range of its type. */
export function wrapInteger(value: bigint, type: Type): bigint {
  const bits = (type.byteSize ?? stripType(type).byteSize ?? 8) * 8;
  return isSigned(type) ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
}

/** Out of range is undefined in C (6.3.1.4); GCC folds to the nearest value of the type, and a NaN to 0. */
function truncate(value: number, to: Type): bigint {
  if (Number.isNaN(value)) return 0n;
  const bits = BigInt((to.byteSize ?? stripType(to).byteSize ?? 4) * 8);
  const highest = (1n << (isSigned(to) ? bits - 1n : bits)) - 1n;
  const lowest = isSigned(to) ? -(1n << (bits - 1n)) : 0n;
  if (!Number.isFinite(value)) return value > 0 ? highest : lowest;
  const integer = BigInt(Math.trunc(value));
  if (integer > highest) return highest;
  return integer < lowest ? lowest : integer;
}

/** Both operands have `type` already. undefined: division by zero. */
export function arithmetic(
  operator: ArithmeticOperator,
  left: bigint | number,
  right: bigint | number,
  type: BaseType,
): bigint | number | undefined {
  if (isFloating(type)) return convertNumber(floatArithmetic(operator, Number(left), Number(right)), type);
  const result = integerArithmetic(operator, BigInt(left), BigInt(right), (type.byteSize ?? 4) * 8);
  return result === undefined ? undefined : wrapInteger(result, type);
}

function floatArithmetic(operator: ArithmeticOperator, left: number, right: number): number {
  switch (operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    default:
      return left / right;
  }
}

function integerArithmetic(
  operator: ArithmeticOperator,
  left: bigint,
  right: bigint,
  bits: number,
): bigint | undefined {
  switch (operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      return right === 0n ? undefined : left / right;
    case '%':
      return right === 0n ? undefined : left % right;
    case '<<':
      return shiftCount(right, bits) === undefined ? 0n : left << right;
    case '>>':
      return left >> (shiftCount(right, bits) ?? BigInt(bits));
    case '&':
      return left & right;
    case '^':
      return left ^ right;
    case '|':
      return left | right;
  }
}

/** undefined: as wide as the type or wider, or negative; then all bits are shifted out. */
function shiftCount(count: bigint, bits: number): bigint | undefined {
  return count >= 0n && count < BigInt(bits) ? count : undefined;
}

export function compareNumbers(operator: ComparisonOperator, left: bigint | number, right: bigint | number): boolean {
  switch (operator) {
    case '<':
      return left < right;
    case '>':
      return left > right;
    case '<=':
      return left <= right;
    case '>=':
      return left >= right;
    case '==':
      return left === right;
    case '!=':
      return left !== right;
  }
}

export function isArithmetic(type: Type): boolean {
  return isInteger(type) || isFloating(type);
}
