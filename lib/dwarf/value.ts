/**
 * Values: a type and where an object of it is, in a frame. Nothing is read from the target before it is asked for;
 * members and elements are values of their own with a slice of the location, so that an object of which the compiler
 * kept only a part shows that part.
 */
import { decodeUnsigned, encodeInteger } from '../bytes';
import type { Query } from '../query';
import { Encoding } from './constants';
import { evaluateNumber } from './expression';
import {
  addressOf,
  fitLocation,
  type Location,
  sliceLocation,
  type Unavailable,
  optimizedOut,
  unavailable,
} from './location';
import { type ArrayType, type Member, stripType, type StructType, type Type, type VariableInfo } from './model';
import { Frame, isExpression } from './unwind-frame';
import { readBits, readBytes, type TargetWrite, writeBits } from './value-bits';
import { decodeFloat, encodeFloat } from './value-float';
import { arrayOf, isFloating, isReference, isSigned, pointerTo } from './value-types';

export interface Value {
  readonly type: Type;
  /** Where the object starts; of a bit-field, where the structure that holds it starts. */
  readonly location: Location;
  /** In memory order from the start of `location`. */
  readonly bitField: { readonly bitOffset: number; readonly bitSize: number } | undefined;
  /** Registers, byte order and debug information that the location refers to. */
  readonly frame: Frame;
}

export interface NamedValue {
  /** Member name, `[0]`, `*p`; undefined for an anonymous member. */
  readonly name: string | undefined;
  readonly value: Value;
  /** A base class of C++. */
  readonly isBase?: boolean;
  readonly isVirtual?: boolean;
  /** A class has it once for all objects. */
  readonly isStatic?: boolean;
}

export function valueAt(type: Type, location: Location, frame: Frame): Value {
  return { type, location, bitField: undefined, frame };
}

/** The value of a variable in a frame (of a file-scope variable: in its module's frame). */
export function* variableValue(variable: VariableInfo, frame: Frame): Query<Value> {
  const type = needsCompletion(variable.type) ? yield* completeType(variable.type, frame) : variable.type;
  if (variable.constValue) return valueAt(type, { kind: 'bytes', bytes: variable.constValue }, frame);
  if (!variable.location) return valueAt(type, optimizedOut('the compiler kept no location for it'), frame);
  const location = yield* frame.locate(variable.location);
  const implausible = implausibleLength(type, location, frame);
  return valueAt(type, implausible ?? fitTo(location, type, frame), frame);
}

/** The bound of a variable-length array is garbage before its declaration has run. */
function implausibleLength(type: Type, location: Location, frame: Frame): Unavailable | undefined {
  const stripped = stripType(type);
  if (stripped.kind !== 'array' || type.byteSize === undefined || location.kind !== 'memory') return undefined;
  const end = location.address + BigInt(type.byteSize);
  if (end <= 1n << BigInt(frame.machine.addressSize * 8)) return undefined;
  return unavailable(`a length of ${String(elementCount(type))} elements is not plausible`);
}

function fitTo(location: Location, type: Type, frame: Frame): Location {
  if (location.kind === 'memory' || type.byteSize === undefined) return location;
  return fitLocation(location, type.byteSize, frame.machine.littleEndian, frame.machine.addressSize);
}

/** Variable-length arrays get the length that they have in this frame (5.13). */
export function* completeType(type: Type, frame: Frame): Query<Type> {
  const stripped = stripType(type);
  if (stripped.kind === 'pointer') {
    const target = stripType(stripped.target);
    if (target.kind !== 'array' || !isVariable(target)) return type;
    return pointerTo(yield* completeType(target, frame), frame.machine.addressSize);
  }
  if (stripped.kind !== 'array' || !isVariable(stripped)) return type;
  const element = yield* completeType(stripped.element, frame);
  let count: number | undefined;
  if (typeof stripped.count === 'object') {
    const expression = frame.select(stripped.count);
    const result = isExpression(expression) ? yield* evaluateNumber(expression, frame) : undefined;
    if (typeof result === 'bigint') count = Math.max(Number(BigInt.asIntN(32, result)), 0);
  } else count = stripped.count;
  return arrayOf(element, count);
}

/** Only arrays, and pointers to them, can have a length that is known at run time. */
function needsCompletion(type: Type): boolean {
  const { kind } = stripType(type);
  return kind === 'array' || kind === 'pointer';
}

function isVariable(type: ArrayType): boolean {
  if (typeof type.count === 'object') return true;
  const element = stripType(type.element);
  return element.kind === 'array' && isVariable(element);
}

// ---- contents ----

export function* valueBytes(value: Value): Query<Uint8Array | Unavailable> {
  const { type, bitField, frame } = value;
  if (type.byteSize === undefined) return unavailable(`the size of ${type.displayName} is not known`);
  if (!bitField) return yield* readBytes(value.location, type.byteSize, frame);
  const number = yield* readScalar(value);
  if (typeof number === 'object') return number;
  return encodeInteger(BigInt(number), type.byteSize, frame.machine.littleEndian);
}

/** The number that a scalar holds: bigint for integers, enumerations and pointers, number for floating point. */
export function* readScalar(value: Value): Query<bigint | number | Unavailable> {
  const { type, bitField, frame } = value;
  if (bitField) {
    const bits = yield* readBits(value.location, bitField.bitOffset, bitField.bitSize, frame);
    return typeof bits === 'bigint' && isSigned(type) ? BigInt.asIntN(bitField.bitSize, bits) : bits;
  }
  if (type.byteSize === undefined) return unavailable(`the size of ${type.displayName} is not known`);
  const bytes = yield* readBytes(value.location, type.byteSize, frame);
  return bytes instanceof Uint8Array ? decodeScalar(bytes, type, frame.machine.littleEndian) : bytes;
}

export function decodeScalar(bytes: Uint8Array, type: Type, littleEndian: boolean): bigint | number {
  if (isFloating(type)) return decodeFloat(bytes, littleEndian);
  const unsigned = decodeUnsigned(bytes, littleEndian);
  return isSigned(type) ? BigInt.asIntN(bytes.length * 8, unsigned) : unsigned;
}

export function encodeScalar(number: bigint | number, type: Type, littleEndian: boolean): Uint8Array {
  const size = type.byteSize ?? 0;
  if (isFloating(type)) return encodeFloat(Number(number), size, littleEndian);
  return encodeInteger(typeof number === 'number' ? BigInt(Math.trunc(number)) : number, size, littleEndian);
}

/** The writes that store `bytes` (of the value's size) in the value's place. */
export function* writeValue(value: Value, bytes: Uint8Array): Query<readonly TargetWrite[] | Unavailable> {
  const { bitField, frame } = value;
  const number = decodeUnsigned(bytes, frame.machine.littleEndian);
  if (bitField) return yield* writeBits(value.location, bitField.bitOffset, bitField.bitSize, number, frame);
  if (value.location.kind === 'memory') return [{ kind: 'memory', address: value.location.address, bytes }];
  return yield* writeBits(value.location, 0, bytes.length * 8, number, frame);
}

// ---- parts ----

export function memberValue(value: Value, member: Member): Value {
  if (member.baseAddress !== undefined) {
    return valueAt(member.type, unavailable('the object knows where its virtual base is'), value.frame);
  }
  if (member.bitSize !== undefined && member.bitOffset !== undefined) {
    const bitField = { bitOffset: member.bitOffset, bitSize: member.bitSize };
    return { type: member.type, location: value.location, bitField, frame: value.frame };
  }
  const size = member.type.byteSize ?? 0;
  return valueAt(member.type, sliceLocation(value.location, member.byteOffset, size), value.frame);
}

/** A member, or a base that the object's table of virtual functions tells the way to. */
export function* memberOf(value: Value, member: Member): Query<Value> {
  if (member.baseAddress === undefined) return memberValue(value, member);
  const object = addressOf(value.location);
  if (object === undefined) {
    const reason = value.location.kind === 'unavailable' ? value.location : unavailable('the object has no address');
    return valueAt(member.type, reason, value.frame);
  }
  const found = yield* evaluateNumber(member.baseAddress, value.frame, [object]);
  const location: Location = typeof found === 'bigint' ? { kind: 'memory', address: found } : found;
  return valueAt(member.type, location, value.frame);
}

/** As memberValues, with virtual bases, and with static members at their places. */
export function* membersOf(value: Value): Query<NamedValue[]> {
  const type = stripType(value.type);
  const found = memberValues(value);
  if (!isStruct(type)) return found;
  for (const [i, member] of type.members.entries()) {
    if (member.baseAddress === undefined) continue;
    found[i] = { ...found[i], value: yield* memberOf(value, member), isVirtual: true };
  }
  // From the last one on, so that the places of the others stay.
  for (const { position, variable } of [...type.staticMembers].reverse()) {
    const shared = { name: variable.name, value: yield* variableValue(variable, value.frame), isStatic: true };
    found.splice(position, 0, shared);
  }
  return found;
}

export function memberValues(value: Value): NamedValue[] {
  const type = stripType(value.type);
  if (!isStruct(type)) return [];
  return type.members.map((member) => ({
    name: member.name,
    value: memberValue(value, member),
    ...(member.isBase === true ? { isBase: true } : {}),
  }));
}

export function isStruct(type: Type): type is StructType {
  return type.kind === 'struct' || type.kind === 'union' || type.kind === 'class';
}

/** Finds a member by name, in anonymous members too; the way to it, outermost first. */
export function findMember(type: StructType, name: string): readonly Member[] | undefined {
  for (const member of type.members) {
    if (member.name === name) return [member];
    const inner = member.name === undefined ? stripType(member.type) : undefined;
    if (inner && isStruct(inner)) {
      const path = findMember(inner, name);
      if (path) return [member, ...path];
    }
  }
  return undefined;
}

/** Number of elements of an array; undefined when it has no known length. */
export function elementCount(type: Type): number | undefined {
  const stripped = stripType(type);
  if (stripped.kind !== 'array') return undefined;
  return typeof stripped.count === 'number' ? stripped.count : undefined;
}

export function elementValue(value: Value, index: number): Value {
  const type = stripType(value.type);
  if (type.kind !== 'array') return valueAt(value.type, unavailable('not an array'), value.frame);
  const size = type.element.byteSize;
  if (size === undefined) return valueAt(type.element, unavailable('the size of an element is not known'), value.frame);
  return valueAt(type.element, sliceLocation(value.location, index * size, size), value.frame);
}

/** What a pointer points to. */
export function* dereference(value: Value): Query<Value | Unavailable> {
  const type = stripType(value.type);
  if (type.kind !== 'pointer' && type.kind !== 'reference' && type.kind !== 'rvalue-reference') {
    return unavailable(`${value.type.displayName} is not a pointer`);
  }
  const target = yield* completeType(type.target, value.frame);
  if (value.location.kind === 'implicit-pointer') {
    const { unit, infoOffset, byteOffset } = value.location;
    const description = unit.locationOf(infoOffset);
    if (!description) return optimizedOut('what it points to was not kept');
    const location = yield* value.frame.locate(description);
    return valueAt(target, sliceLocation(location, Number(byteOffset), target.byteSize ?? 0), value.frame);
  }
  const address = yield* readScalar(value);
  if (typeof address === 'object') return address;
  return valueAt(target, { kind: 'memory', address: BigInt(address) }, value.frame);
}

/** More children than this are only had part by part. */
export const mostChildren = 1000;

/**
 * What a tree shows below a value: members, elements (a part of them on request), or what a pointer points to
 * (the members of a structure directly). A pointer that leads nowhere readable has one child that says so.
 */
export function* childrenOf(value: Value, start = 0, wanted = mostChildren): Query<NamedValue[]> {
  const type = stripType(value.type);
  const count = Math.min(wanted, mostChildren);
  if (isStruct(type)) return (yield* membersOf(value)).slice(start, start + count);
  if (type.kind === 'array') {
    const total = elementCount(type) ?? 0;
    const end = Math.min(total, start + count);
    const children: NamedValue[] = [];
    for (let i = start; i < end; i++) children.push({ name: `[${i}]`, value: elementValue(value, i) });
    return children;
  }
  if (!hasChildren(value)) return [];
  const target = yield* dereference(value);
  if ('kind' in target) return [];
  if (isReference(type)) return yield* childrenOf(target, start, wanted);
  if (isStruct(stripType(target.type))) return (yield* membersOf(target)).slice(start, start + count);
  return [{ name: '*', value: target }].slice(start, start + count);
}

/** Whether childrenOf can have something to show, without asking the target. */
export function hasChildren(value: Value): boolean {
  const type = stripType(value.type);
  if (value.location.kind === 'unavailable') return false;
  if (isStruct(type)) return type.members.length + type.staticMembers.length > 0;
  if (type.kind === 'array') return (elementCount(type) ?? 0) > 0;
  if (isReference(type) && 'target' in type) {
    const { kind } = stripType(type.target);
    return kind === 'struct' || kind === 'class' || kind === 'union' || kind === 'array';
  }
  if (type.kind !== 'pointer') return false;
  const target = stripType(type.target);
  if (isStruct(target)) return !target.incomplete;
  return target.kind !== 'void' && target.kind !== 'function' && target.kind !== 'unknown';
}

/** Real and imaginary part of a complex number. */
export function* readComplex(value: Value): Query<readonly [number, number] | Unavailable> {
  const bytes = yield* valueBytes(value);
  if (!(bytes instanceof Uint8Array)) return bytes;
  const half = bytes.length / 2;
  const { littleEndian } = value.frame.machine;
  return [decodeFloat(bytes.subarray(0, half), littleEndian), decodeFloat(bytes.subarray(half), littleEndian)];
}

/** Encodings whose bytes are only shown, not computed with. */
export function isOpaque(type: Type): boolean {
  const stripped = stripType(type);
  if (stripped.kind === 'unknown') return true;
  return stripped.kind === 'base' && stripped.encoding >= Encoding.DW_ATE_imaginary_float && stripped.encoding < 0x10;
}
