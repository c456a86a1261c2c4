/**
 * Evaluation of typed trees in a frame, as a query. Numbers are computed as bigint (integers, pointers) or number
 * (floating point); objects are values whose bytes are read when they are needed. Assignments write nothing: they
 * collect what the caller is to write, and later reads of the same evaluation see it. So an expression that fails
 * changes nothing.
 */
import { decodeUnsigned, encodeInteger } from '../bytes';
import { alignmentOf } from '../dwarf/alignment';
import { fitLocation, type Location } from '../dwarf/location';
import { stripType, type Type } from '../dwarf/model';
import type { Frame } from '../dwarf/unwind-frame';
import {
  completeType,
  decodeScalar,
  dereference,
  elementCount,
  elementValue,
  encodeScalar,
  memberOf,
  readScalar,
  type Value,
  valueAt,
  valueBytes,
  variableValue,
  writeValue,
} from '../dwarf/value';
import { isUnavailable, type TargetWrite } from '../dwarf/value-bits';
import { arrayOf, isComplex, isPointer, isReference } from '../dwarf/value-types';
import type { MemoryReply, MemoryRequest } from '../query';
import { sameType } from './compatible-types';
import { arithmetic, compareNumbers, convertNumber, wrapInteger } from './arithmetic';
import { fail, failUnavailable, type Span } from './errors';
import { evaluateDynamicCast } from './dynamic-cast';
import { evaluateCall } from './evaluate-call';
import { computesComplex, evaluateComplex, evaluateComplexValue } from './evaluate-complex';
import { evaluateLiteral } from './evaluate-literal';
import type { ExpressionQuery } from './requests';
import { isPlace, type TypedNode } from './typed';
import { computedType } from './variable-arrays';

export interface EvaluationContext {
  /** Locals and registers are those of this frame. */
  readonly frame: Frame;
  /** Registers without a DWARF number ('xpsr'). */
  readonly namedRegister?: (name: string) => bigint | undefined;
  /** Whoever evaluates can give values of the expression a place in the target. */
  readonly hasTemporaries?: boolean;
}

type Numeric = bigint | number;
type Node<K extends TypedNode['kind']> = Extract<TypedNode, { kind: K }>;

export class Evaluation {
  readonly writes: TargetWrite[] = [];
  /** Registers that this evaluation has changed. */
  private readonly changedRegisters = new Map<number, bigint>();
  private readonly currentValues: Numeric[] = [];
  private readonly currentObjects: Value[] = [];
  /** Writes that a call has found in memory: what it has made of them holds. */
  private performed = 0;

  constructor(readonly context: EvaluationContext) {}

  /** The node's value as an object: where it is for a place, its bytes for a number. */
  *value(node: TypedNode): ExpressionQuery<Value> {
    if (isPlace(node)) return yield* this.place(node);
    if (computesComplex(node)) return yield* evaluateComplexValue(node, this);
    if (isComplex(node.type)) return yield* this.aggregate(node);
    const unavailable = yield* this.unconverted(node);
    if (unavailable !== undefined) return unavailable;
    const { kind } = stripType(node.type);
    if (kind === 'struct' || kind === 'union' || kind === 'class') return yield* this.aggregate(node);
    if (kind === 'void') {
      if (node.kind === 'call') yield* evaluateCall(node, this);
      else yield* this.number(node);
      return valueAt(node.type, { kind: 'bytes', bytes: new Uint8Array(0) }, this.context.frame);
    }
    const number = yield* this.number(node);
    const bytes = encodeScalar(number, node.type, this.littleEndian);
    return valueAt(node.type, { kind: 'bytes', bytes }, this.context.frame);
  }

  /** A conversion to the type that the object has already changes nothing, so that it may be optimized out, as in gdb. */
  private *unconverted(node: TypedNode): ExpressionQuery<Value | undefined> {
    if (node.kind !== 'convert' || !isPlace(node.operand)) return undefined;
    const isAddress = isReference(node.operand.type) && isPointer(node.type);
    if (!isAddress && !sameType(node.type, node.operand.type)) return undefined;
    const value = yield* this.place(node.operand);
    return isUnavailable(value.location) ? { ...value, type: node.type } : undefined;
  }

  /** Where a node's object is. */
  *place(node: TypedNode): ExpressionQuery<Value> {
    const { frame } = this.context;
    switch (node.kind) {
      case 'variable':
        return yield* variableValue(node.entity.variable, node.entity.frame ?? frame);
      case 'symbol':
        return valueAt(node.type, { kind: 'memory', address: node.entity.address }, node.entity.frame);
      case 'bytes':
        return valueAt(node.type, { kind: 'bytes', bytes: node.bytes }, frame);
      case 'literal':
        return valueAt(node.type, { kind: 'bytes', bytes: yield* evaluateLiteral(node, this) }, frame);
      case 'register':
        return this.registerValue(node);
      case 'dereference':
        return yield* this.dereferenced(node);
      case 'member': {
        let value = yield* this.value(node.base);
        for (const member of node.path) value = yield* memberOf(value, member);
        return value;
      }
      case 'element':
        return yield* this.element(node);
      case 'repeat':
        return yield* this.repeated(node);
      default:
        return yield* this.value(node);
    }
  }

  /** The node's value as a number. The frequent kinds come first: conditions in hot loops run through here. */
  *number(node: TypedNode): ExpressionQuery<Numeric> {
    switch (node.kind) {
      case 'constant':
        return node.value;
      case 'convert':
        return convertNumber(yield* this.number(node.operand), node.type);
      case 'compare':
        return compareNumbers(node.operator, yield* this.number(node.left), yield* this.number(node.right)) ? 1n : 0n;
      case 'arithmetic': {
        const left = yield* this.number(node.left);
        const right = yield* this.number(node.right);
        return arithmetic(node.operator, left, right, node.computed) ?? fail('Division by zero', node);
      }
      case 'and':
        return isTrue(yield* this.number(node.left)) && isTrue(yield* this.number(node.right)) ? 1n : 0n;
      case 'or':
        return isTrue(yield* this.number(node.left)) || isTrue(yield* this.number(node.right)) ? 1n : 0n;
      case 'not':
        return isTrue(yield* this.number(node.operand)) ? 0n : 1n;
      case 'negate':
        return convertNumber(-(yield* this.number(node.operand)), node.type);
      case 'complement':
        return wrapInteger(~BigInt(yield* this.number(node.operand)), node.type);
      default:
        return isPlace(node) ? yield* this.read(node) : yield* this.otherNumber(node);
    }
  }

  private *otherNumber(node: TypedNode): ExpressionQuery<Numeric> {
    switch (node.kind) {
      case 'address':
        return yield* this.addressOf(node.operand);
      case 'pointer-add': {
        const pointer = BigInt(yield* this.number(node.pointer));
        const scale = node.scale ?? (yield* this.targetSize(node.pointer));
        const distance = BigInt(yield* this.number(node.index)) * scale;
        return this.wrapAddress(node.subtract ? pointer - distance : pointer + distance);
      }
      case 'pointer-difference': {
        const left = BigInt(yield* this.number(node.left));
        const distance = wrapInteger(left - BigInt(yield* this.number(node.right)), node.type);
        return distance / (node.scale ?? (yield* this.targetSize(node.left)));
      }
      case 'conditional': {
        const condition = yield* this.number(node.condition);
        if (!isTrue(condition)) return yield* this.number(node.otherwise);
        return node.then ? yield* this.number(node.then) : convertNumber(condition, node.type);
      }
      case 'comma':
        yield* this.discard(node.left);
        return yield* this.number(node.right);
      case 'assign':
        return yield* this.assign(node);
      case 'current':
        return this.currentValues[this.currentValues.length - 1];
      case 'size': {
        const { type } = yield* this.place(node.operand);
        return BigInt(type.byteSize ?? fail(`the size of ${type.displayName} is not known`, node));
      }
      case 'complex-compare': {
        const left = yield* evaluateComplex(node.left, this);
        const right = yield* evaluateComplex(node.right, this);
        return left.every((part, i) => part === right[i]) === node.isEqual ? 1n : 0n;
      }
      case 'call':
        return decodeScalar(yield* evaluateCall(node, this), node.type, this.littleEndian);
      case 'dynamic-cast':
        return yield* evaluateDynamicCast(node, this);
      case 'temporary':
        return yield* this.temporary(yield* this.bytesOf(node.operand), node.operand.type);
      case 'unsupported':
        return fail(node.reason, node);
      default:
        return fail('this cannot be evaluated', node);
    }
  }

  /** A node's value as it lies in memory. */
  *bytesOf(node: TypedNode): ExpressionQuery<Uint8Array> {
    const bytes = yield* valueBytes(yield* this.value(node));
    return bytes instanceof Uint8Array ? bytes : failUnavailable(bytes, node);
  }

  /** The address of a copy in the target. */
  private *temporary(bytes: Uint8Array, type: Type): ExpressionQuery<bigint> {
    const reply = yield { kind: 'temporary', bytes, alignment: alignmentOf(type) ?? 8 };
    return decodeUnsigned(reply ?? new Uint8Array(), this.littleEndian);
  }

  // ---- places ----

  /** 6.3.2.1: the value stored in an object. */
  private *read(node: TypedNode): ExpressionQuery<Numeric> {
    const number = yield* readScalar(yield* this.place(node));
    return typeof number === 'object' ? failUnavailable(number, node) : number;
  }

  /** Registers that this evaluation has changed give their new value. */
  private registerValue(node: Node<'register'>): Value {
    const { frame, namedRegister } = this.context;
    const size = node.type.byteSize ?? frame.machine.addressSize;
    if (typeof node.register === 'number') {
      const changed = this.changedRegisters.get(node.register);
      if (changed !== undefined) {
        const bytes = encodeInteger(changed, size, this.littleEndian);
        return valueAt(node.type, { kind: 'bytes', bytes }, frame);
      }
      const location: Location = { kind: 'register', register: node.register, byteOffset: 0 };
      return valueAt(node.type, fitLocation(location, size, this.littleEndian, frame.machine.addressSize), frame);
    }
    const value = namedRegister?.(node.register);
    if (value === undefined) return fail(`$${node.register} is not known here`, node);
    return valueAt(node.type, { kind: 'bytes', bytes: encodeInteger(value, size, this.littleEndian) }, frame);
  }

  private *dereferenced(node: Node<'dereference'>): ExpressionQuery<Value> {
    const { pointer } = node;
    if (isPlace(pointer)) {
      const value = yield* this.place(pointer);
      // A pointer that the compiler only describes may still lead to an object that it kept.
      const target = yield* dereference(value);
      if (!isUnavailable(target)) return target;
      // A reference is its object: of one that is gone nothing is left, which is what the value says, as in gdb.
      if (target.optimizedOut && isReference(pointer.type)) return valueAt(node.type, target, value.frame);
      return failUnavailable(target, pointer);
    }
    const { frame } = this.context;
    const target = yield* this.completeType(node.type);
    const address = BigInt(yield* this.number(pointer));
    return valueAt(target, { kind: 'memory', address }, frame);
  }

  /** In memory the index may be out of bounds, as in C; elsewhere there is nothing beyond the array. */
  private *element(node: Node<'element'>): ExpressionQuery<Value> {
    const base = yield* this.value(node.base);
    const index = Number(yield* this.number(node.index));
    const type = stripType(base.type);
    const size = type.kind === 'array' ? type.element.byteSize : undefined;
    if (size === undefined || type.kind !== 'array') return fail('the size of an element is not known', node);
    if (base.location.kind === 'memory') {
      const address = this.wrapAddress(base.location.address + BigInt(index) * BigInt(size));
      return valueAt(type.element, { kind: 'memory', address }, base.frame);
    }
    const count = elementCount(base.type);
    if (index < 0 || (count !== undefined && index >= count)) return fail(`no such vector element: ${index}`, node);
    return elementValue(base, index);
  }

  /** Bounded, because the count may be garbage. */
  private *repeated(node: Node<'repeat'>): ExpressionQuery<Value> {
    const first = yield* this.place(node.first);
    const count = Number(yield* this.number(node.count));
    if (count <= 0 || count > 1 << 20) return fail(`Invalid number ${count} of repetitions.`, node.count);
    if (isUnavailable(first.location)) return failUnavailable(first.location, node.first);
    if (first.location.kind !== 'memory' || first.bitField) {
      return fail("Only values in memory can be extended with '@'.", node.first);
    }
    return valueAt(arrayOf(first.type, count), first.location, first.frame);
  }

  /** Variable-length arrays get the length that they have in this frame. */
  *completeType(type: Type): ExpressionQuery<Type> {
    return yield* completeType(yield* computedType(type, this), this.context.frame);
  }

  /** The size of what a pointer to a variable-length array points to, in this frame. */
  private *targetSize(pointer: TypedNode): ExpressionQuery<bigint> {
    const type = stripType(pointer.type);
    const target = type.kind === 'pointer' ? yield* this.completeType(type.target) : type;
    if (!target.byteSize) return fail(`the size of ${target.displayName} is not known here`, pointer);
    return BigInt(target.byteSize);
  }

  /** Of a bit-field's structure: the byte that the field begins in. */
  private *addressOf(node: TypedNode): ExpressionQuery<bigint> {
    const value = yield* this.place(node);
    if (isUnavailable(value.location)) return failUnavailable(value.location, node);
    if (this.context.hasTemporaries === true && value.location.kind === 'bytes' && isLiteral(node)) {
      return yield* this.temporary(value.location.bytes, node.type);
    }
    if (value.location.kind !== 'memory') {
      return fail('Attempt to take address of value not located in memory.', node);
    }
    const { address } = value.location;
    if (stripType(value.type).kind === 'function') return codePointer(address, value.frame);
    return value.bitField ? address + BigInt(Math.floor(value.bitField.bitOffset / 8)) : address;
  }

  // ---- assignments ----

  /** 6.5.16: the value is the target's after the assignment, in its type. */
  private *assign(node: Node<'assign'>): ExpressionQuery<Numeric> {
    const target = yield* this.place(node.target);
    let old: Numeric = 0n;
    if (needsCurrent(node.value)) {
      const current = yield* readScalar(target);
      old = typeof current === 'object' ? failUnavailable(current, node.target) : current;
    }
    this.currentValues.push(old);
    const number = yield* this.number(node.value);
    this.currentValues.pop();
    const bytes = encodeScalar(number, node.type, this.littleEndian);
    yield* this.store(target, bytes, node);
    if (node.returnsOld) return old;
    return target.bitField ? narrowed(number, node.type, target.bitField.bitSize) : number;
  }

  /** A structure: assigned as a whole, or the result of `?:` or `,`. */
  private *aggregate(node: TypedNode): ExpressionQuery<Value> {
    switch (node.kind) {
      case 'assign': {
        const target = yield* this.place(node.target);
        const old = node.returnsOld ? yield* this.bytesOf(node.target) : undefined;
        this.currentObjects.push(target);
        const bytes = yield* this.bytesOf(node.value);
        this.currentObjects.pop();
        yield* this.store(target, bytes, node);
        if (old !== undefined) return valueAt(node.type, { kind: 'bytes', bytes: old }, target.frame);
        return valueAt(node.type, { kind: 'bytes', bytes }, target.frame);
      }
      case 'conditional': {
        const chosen = isTrue(yield* this.number(node.condition)) ? node.then : node.otherwise;
        return yield* this.value(chosen ?? node.condition);
      }
      case 'comma':
        yield* this.discard(node.left);
        return yield* this.value(node.right);
      case 'call': {
        const bytes = yield* evaluateCall(node, this);
        return valueAt(node.type, { kind: 'bytes', bytes }, this.context.frame);
      }
      case 'unsupported':
        return fail(node.reason, node);
      default:
        return fail('this cannot be evaluated', node);
    }
  }

  private *discard(node: TypedNode): ExpressionQuery<void> {
    if (!isPlace(node)) yield* this.value(node);
  }

  /** Collects the writes; registers are also kept for later reads of this evaluation. */
  private *store(target: Value, bytes: Uint8Array, span: Span): ExpressionQuery<void> {
    const writes = yield* writeValue(target, bytes);
    if (isUnavailable(writes)) return failUnavailable(writes, span);
    for (const write of writes) {
      this.writes.push(write);
      if (write.kind === 'register') this.changedRegisters.set(write.register, write.value);
    }
  }

  /** What memory holds after the writes collected so far. */
  patch({ address, length }: MemoryRequest, reply: MemoryReply): MemoryReply {
    if (!reply) return reply;
    const patched = new Uint8Array(reply);
    for (const write of this.writes.slice(this.performed)) {
      if (write.kind !== 'memory') continue;
      for (let i = 0; i < write.bytes.length; i++) {
        const at = Number(write.address - address) + i;
        if (at >= 0 && at < length) patched[at] = write.bytes[i];
      }
    }
    return patched;
  }

  /** What was assigned since the last call; from now on the target has it. */
  takeWrites(): readonly TargetWrite[] {
    const pending = this.writes.slice(this.performed);
    this.performed = this.writes.length;
    return pending;
  }

  /** The complex object that a compound assignment changes. */
  get currentObject(): Value | undefined {
    return this.currentObjects.at(-1);
  }

  get littleEndian(): boolean {
    return this.context.frame.machine.littleEndian;
  }

  private wrapAddress(address: bigint): bigint {
    return BigInt.asUintN(this.context.frame.machine.addressSize * 8, address);
  }
}

/** An object that only the expression has. */
function isLiteral({ kind }: TypedNode): boolean {
  return kind === 'bytes' || kind === 'literal';
}

/** 6.8.4.1: unequal to 0; a NaN is true. */
function isTrue(value: Numeric): boolean {
  return value !== 0n && value !== 0;
}

/** A bit-field holds only its bits; that is the assignment's value. */
function narrowed(number: Numeric, type: Type, bitSize: number): bigint {
  const low = BigInt.asUintN(bitSize, BigInt(number));
  const isSignedType = wrapInteger(-1n, type) < 0n;
  return isSignedType ? BigInt.asIntN(bitSize, low) : low;
}

/** Whether a value is computed from what the target held: only then is that read. */
function needsCurrent(node: TypedNode): boolean {
  switch (node.kind) {
    case 'current':
      return true;
    case 'convert':
    case 'negate':
    case 'complement':
      return needsCurrent(node.operand);
    case 'arithmetic':
      return needsCurrent(node.left);
    case 'pointer-add':
      return needsCurrent(node.pointer);
    default:
      return false;
  }
}

/** A function pointer as C code holds it: with the bits that the machine keeps in code pointers (Thumb). */
function codePointer(address: bigint, frame: Frame): bigint {
  return address | (frame.machine.registers.codePointerBit ?? 0n);
}
