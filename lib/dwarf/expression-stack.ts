/**
 * The typed stack of DWARF expressions and the operators that only work on it (DWARF 5, 2.5.1.3 to 2.5.1.5).
 * Integers are kept as bigint, masked to their type's size; floating-point entries as numbers. The generic type
 * (type undefined) is as wide as an address: unsigned, but compared and divided as signed (2.5.1.4).
 */
import { type ByteReader, decodeUnsigned } from '../bytes';
import { DW_OP } from './expression-opcodes';
import { type Unavailable, optimizedOut, unavailable } from './location';
import type { BaseType } from './model';

/** DW_ATE_* encodings that arithmetic depends on (table 7.11). */
const DW_ATE_float = 0x04;
const signedEncodings: ReadonlySet<number> = new Set([
  0x05 /* signed */, 0x06 /* signed_char */, 0x0d /* signed_fixed */,
]);

export interface StackEntry {
  readonly type: BaseType | undefined;
  /** number for floating-point types, bigint otherwise. */
  readonly value: bigint | number;
}

/** Ends an evaluation; only inside of the expression machine. */
export class ExpressionFault extends Error {
  readonly location: Unavailable;

  constructor(reason: string, isOptimizedOut = false) {
    super(reason);
    this.location = isOptimizedOut ? optimizedOut(reason) : unavailable(reason);
  }
}

export function isFloatType(type: BaseType | undefined): boolean {
  return type?.encoding === DW_ATE_float;
}

const depthLimit = 1000;

export class ExpressionStack {
  private readonly entries: StackEntry[] = [];

  constructor(private readonly addressSize: 4 | 8) {}

  get depth(): number {
    return this.entries.length;
  }

  push(entry: StackEntry): void {
    if (this.entries.length >= depthLimit) throw new ExpressionFault('the expression stack overflows');
    this.entries.push(entry);
  }

  pushGeneric(value: bigint): void {
    this.push({ type: undefined, value: BigInt.asUintN(this.addressSize * 8, value) });
  }

  pop(): StackEntry {
    return this.entries.pop() ?? underflow();
  }

  get isEmpty(): boolean {
    return this.entries.length === 0;
  }

  popIfAny(): StackEntry | undefined {
    return this.entries.pop();
  }

  /** 0 is the top. */
  peek(index: number): StackEntry {
    return this.entries[this.entries.length - 1 - index] ?? underflow();
  }

  /** An entry of `type` with an integer or floating-point value brought into the type's range. */
  entry(type: BaseType | undefined, value: bigint | number): StackEntry {
    if (isFloatType(type)) {
      const float = Number(value);
      return { type, value: type?.byteSize === 4 ? Math.fround(float) : float };
    }
    const integer = typeof value === 'bigint' ? value : truncated(value);
    return { type, value: BigInt.asUintN(this.bitSize(type), integer) };
  }

  /** The entry's bits as an unsigned integer of its size. */
  bits({ type, value }: StackEntry): bigint {
    if (typeof value === 'bigint') return value;
    const view = new DataView(new ArrayBuffer(8));
    if (type?.byteSize === 4) {
      view.setFloat32(0, value);
      return BigInt(view.getUint32(0));
    }
    view.setFloat64(0, value);
    return view.getBigUint64(0);
  }

  unsigned(entry: StackEntry): bigint {
    return typeof entry.value === 'bigint' ? entry.value : needInteger();
  }

  signed(entry: StackEntry): bigint {
    return BigInt.asIntN(this.bitSize(entry.type), this.unsigned(entry));
  }

  /** The mathematical value: typed integers by their encoding, the generic type as `genericSigned` says. */
  numeric(entry: StackEntry, genericSigned: boolean): bigint | number {
    if (typeof entry.value === 'number') return entry.value;
    const signed = entry.type ? signedEncodings.has(entry.type.encoding) : genericSigned;
    return signed ? this.signed(entry) : entry.value;
  }

  /** An entry from the bytes that memory or the expression holds. */
  decode(bytes: Uint8Array, type: BaseType, littleEndian: boolean): StackEntry {
    const bits = decodeUnsigned(bytes, littleEndian);
    return this.reinterpret({ type: undefined, value: bits }, type);
  }

  /** DW_OP_convert: the same number in another type. */
  convert(entry: StackEntry, type: BaseType | undefined): StackEntry {
    return this.entry(type, this.numeric(entry, false));
  }

  /** DW_OP_reinterpret: the same bits in another type. */
  reinterpret(entry: StackEntry, type: BaseType | undefined): StackEntry {
    const bits = this.bits(entry);
    if (!isFloatType(type)) return this.entry(type, bits);
    const view = new DataView(new ArrayBuffer(8));
    if (type?.byteSize === 4) {
      view.setUint32(0, Number(BigInt.asUintN(32, bits)));
      return { type, value: view.getFloat32(0) };
    }
    view.setBigUint64(0, BigInt.asUintN(64, bits));
    return { type, value: view.getFloat64(0) };
  }

  private bitSize(type: BaseType | undefined): number {
    return (type?.byteSize ?? this.addressSize) * 8;
  }
}

function underflow(): never {
  throw new ExpressionFault('the expression stack is empty');
}

function needInteger(): never {
  throw new ExpressionFault('an integer is needed where the expression has a floating-point number');
}

/** DW_OP_convert from floating point; what is no finite number becomes 0. */
function truncated(value: number): bigint {
  return Number.isFinite(value) ? BigInt(Math.trunc(value)) : 0n;
}

/** 2.5.1.3 to 2.5.1.5. False when the operator is not one of them. */
export function applyStackOperator(opcode: number, reader: ByteReader, stack: ExpressionStack): boolean {
  if (opcode >= DW_OP.dup && opcode <= DW_OP.rot) {
    rearrange(opcode, reader, stack);
    return true;
  }
  switch (opcode) {
    case DW_OP.skip:
      jump(reader, reader.i16());
      return true;
    case DW_OP.bra: {
      const distance = reader.i16();
      if (stack.pop().value !== 0n) jump(reader, distance);
      return true;
    }
    case DW_OP.abs:
    case DW_OP.neg:
    case DW_OP.not:
      applyUnary(opcode, stack);
      return true;
    case DW_OP.plus_uconst: {
      const addend = reader.uleb();
      const entry = stack.pop();
      stack.push(stack.entry(entry.type, stack.unsigned(entry) + addend));
      return true;
    }
    default:
      return applyBinary(opcode, stack);
  }
}

/** 2.5.1.3. The last case is DW_OP_rot: the top goes below the next two. */
function rearrange(opcode: number, reader: ByteReader, stack: ExpressionStack): void {
  switch (opcode) {
    case DW_OP.dup:
      return stack.push(stack.peek(0));
    case DW_OP.drop:
      stack.pop();
      return;
    case DW_OP.over:
      return stack.push(stack.peek(1));
    case DW_OP.pick:
      return stack.push(stack.peek(reader.u8()));
    case DW_OP.swap: {
      const [first, second] = [stack.pop(), stack.pop()];
      stack.push(first);
      return stack.push(second);
    }
    default: {
      const [first, second, third] = [stack.pop(), stack.pop(), stack.pop()];
      stack.push(first);
      stack.push(third);
      return stack.push(second);
    }
  }
}

/** 2.5.1.5: relative to the operator after the jump; the end is a valid target. */
function jump(reader: ByteReader, distance: number): void {
  const target = reader.offset + distance;
  if (target < 0 || target > reader.end) throw new ExpressionFault('a jump leaves the expression');
  reader.offset = target;
}

function applyUnary(opcode: number, stack: ExpressionStack): void {
  const entry = stack.pop();
  if (opcode === DW_OP.not) return stack.push(stack.entry(entry.type, ~stack.unsigned(entry)));
  const value = stack.numeric(entry, true);
  stack.push(stack.entry(entry.type, opcode === DW_OP.neg || value < 0 ? -value : value));
}

function applyBinary(opcode: number, stack: ExpressionStack): boolean {
  if (opcode >= DW_OP.eq && opcode <= DW_OP.ne && opcode !== DW_OP.skip) {
    compare(opcode, stack);
    return true;
  }
  const isBinary = opcode >= DW_OP.and && opcode <= DW_OP.xor;
  if (!isBinary) return false;
  const right = stack.pop();
  const left = stack.pop();
  const isShift = opcode === DW_OP.shl || opcode === DW_OP.shr || opcode === DW_OP.shra;
  if (isShift) {
    stack.push(stack.entry(left.type, shift(opcode, stack, left, stack.unsigned(right))));
    return true;
  }
  if (left.type?.byteSize !== right.type?.byteSize || left.type?.encoding !== right.type?.encoding) {
    throw new ExpressionFault('Incompatible types on DWARF stack');
  }
  stack.push(stack.entry(left.type, arithmetic(opcode, stack, left, right)));
  return true;
}

function shift(opcode: number, stack: ExpressionStack, left: StackEntry, count: bigint): bigint {
  // A count beyond the width gives all zeros (or all signs), and keeps bigint from growing without bound.
  const limited = count > 128n ? 128n : count;
  if (opcode === DW_OP.shl) return stack.unsigned(left) << limited;
  return (opcode === DW_OP.shra ? stack.signed(left) : stack.unsigned(left)) >> limited;
}

function arithmetic(opcode: number, stack: ExpressionStack, left: StackEntry, right: StackEntry): bigint | number {
  // 2.5.1.4: the generic type divides signed, takes the remainder unsigned.
  const a = stack.numeric(left, opcode === DW_OP.div);
  const b = stack.numeric(right, opcode === DW_OP.div);
  if (typeof a === 'number' || typeof b === 'number') return floatArithmetic(opcode, Number(a), Number(b));
  if ((opcode === DW_OP.div || opcode === DW_OP.mod) && b === 0n) throw new ExpressionFault('division by zero');
  switch (opcode) {
    case DW_OP.and:
      return a & b;
    case DW_OP.or:
      return a | b;
    case DW_OP.xor:
      return a ^ b;
    case DW_OP.plus:
      return a + b;
    case DW_OP.minus:
      return a - b;
    case DW_OP.mul:
      return a * b;
    case DW_OP.div:
      return a / b;
    default:
      return a % b;
  }
}

function floatArithmetic(opcode: number, a: number, b: number): number {
  switch (opcode) {
    case DW_OP.plus:
      return a + b;
    case DW_OP.minus:
      return a - b;
    case DW_OP.mul:
      return a * b;
    case DW_OP.div:
      return a / b;
    default:
      return needInteger();
  }
}

/** 2.5.1.5: 1 or 0 of the generic type. */
function compare(opcode: number, stack: ExpressionStack): void {
  const right = stack.numeric(stack.pop(), true);
  const left = stack.numeric(stack.pop(), true);
  stack.pushGeneric(relation(opcode, left, right) ? 1n : 0n);
}

function relation(opcode: number, left: bigint | number, right: bigint | number): boolean {
  switch (opcode) {
    case DW_OP.eq:
      return left === right;
    case DW_OP.ge:
      return left >= right;
    case DW_OP.gt:
      return left > right;
    case DW_OP.le:
      return left <= right;
    case DW_OP.lt:
      return left < right;
    default:
      return left !== right;
  }
}
