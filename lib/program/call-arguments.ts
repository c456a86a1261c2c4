/**
 * Where the arguments of a call go: AAPCS32 6.5 (stages A to C, base and VFP variant), RISC-V ELF psABI "Integer" and
 * "Hardware Floating-point Calling Convention". Every C type: double words in pairs, structures in registers, split
 * over registers and the stack, or by reference to a copy, homogeneous aggregates, complex numbers, variadic calls.
 */
import { decodeUnsigned, encodeInteger } from '../bytes';
import { alignmentOf } from '../dwarf/alignment';
import { stripType, type Type } from '../dwarf/model';
import { isInteger, isSigned } from '../dwarf/value-types';
import { EM_ARM } from '../elf/constants';
import { type CallAbi, fieldsOf, floatRegisters, isComposite, isHomogeneous } from './return-value';

export interface CallArgument {
  readonly type: Type;
  /** As it lies in memory. */
  readonly bytes: Uint8Array;
}

export interface CallRequestLayout {
  readonly arguments: readonly CallArgument[];
  /** How many of them the prototype names; the others are those of `...`. */
  readonly named: number;
  /** Where the function is to put a result that is too large for registers. */
  readonly resultAddress: bigint | undefined;
  /** What is below is free. */
  readonly stackPointer: bigint;
}

export interface CallLayout {
  /** By DWARF number. */
  readonly registers: ReadonlyMap<number, bigint>;
  readonly memory: readonly { readonly address: bigint; readonly bytes: Uint8Array }[];
  /** At the function's first instruction. */
  readonly stackPointer: bigint;
}

/** `abi` is that of the function: see abiOfFunction. */
export function layOutCall(call: CallRequestLayout, abi: CallAbi): CallLayout {
  return abi.machine === EM_ARM ? new ArmCall(abi).layOut(call) : new RiscvCall(abi).layOut(call);
}

/** Arguments of the two CPUs' standards are words of the stack until it is known how many there are. */
class Stacked {
  readonly parts: { readonly offset: number; readonly bytes: Uint8Array }[] = [];
  private size = 0;

  constructor(private readonly word: number) {}

  get isEmpty(): boolean {
    return this.size === 0;
  }

  push(bytes: Uint8Array, alignment: number): void {
    const to = Math.max(this.word, alignment);
    const offset = Math.ceil(this.size / to) * to;
    this.parts.push({ offset, bytes });
    this.size = offset + Math.ceil(bytes.length / this.word) * this.word;
  }

  /** With the stack pointer that is a multiple of `alignment`. */
  place(end: bigint, alignment: number): { memory: CallLayout['memory']; stackPointer: bigint } {
    const stackPointer = alignDown(end - BigInt(this.size), alignment);
    const memory = this.parts.map(({ offset, bytes }) => ({ address: stackPointer + BigInt(offset), bytes }));
    return { memory, stackPointer };
  }
}

export function alignDown(address: bigint, alignment: number): bigint {
  return address - (address % BigInt(alignment));
}

/** A value narrower than a register is extended by its own sign. */
function extended({ type, bytes }: CallArgument, size: number): Uint8Array {
  if (bytes.length >= size || !isInteger(stripType(type))) return padded(bytes, size);
  const number = decodeUnsigned(bytes, true);
  const value = isSigned(type) ? BigInt.asIntN(bytes.length * 8, number) : number;
  return encodeInteger(value, size, true);
}

function padded(bytes: Uint8Array, multiple: number): Uint8Array {
  const whole = new Uint8Array(Math.ceil(bytes.length / multiple) * multiple);
  whole.set(bytes);
  return whole;
}

// ---- Arm ----

const s0 = 64;
const d0 = 256;

class ArmCall {
  private readonly registers = new Map<number, bigint>();
  private readonly stack = new Stacked(4);
  /** NCRN */
  private next = 0;
  /** Single-precision registers that are taken. */
  private readonly taken = new Set<number>();
  private floatsAreFull = false;

  constructor(private readonly abi: CallAbi) {}

  layOut({ arguments: list, resultAddress, stackPointer }: CallRequestLayout): CallLayout {
    if (resultAddress !== undefined) this.registers.set(this.next++, resultAddress);
    for (const argument of list) {
      const fields = this.abi.flen === 0 ? undefined : fieldsOf(argument.type, 0);
      if (fields !== undefined && isHomogeneous(fields, argument.bytes.length)) {
        this.float(argument, fields[0].size, fields.length);
      } else this.core(argument);
    }
    return { registers: this.registers, ...this.stack.place(stackPointer, 8) };
  }

  /** C.1 and C.2: the lowest run of free registers of that size, gaps included. */
  private float({ bytes }: CallArgument, size: number, count: number): void {
    const step = size / 4;
    for (let first = 0; !this.floatsAreFull && first + step * count <= 16; first += step) {
      const singles = Array.from({ length: step * count }, (_, n) => first + n);
      if (singles.some((single) => this.taken.has(single))) continue;
      for (const single of singles) this.taken.add(single);
      for (let n = 0; n < count; n++) {
        const register = size === 8 ? d0 + first / 2 + n : s0 + first + n;
        this.registers.set(register, decodeUnsigned(bytes.subarray(n * size, (n + 1) * size), true));
      }
      return;
    }
    this.floatsAreFull = true;
    this.stack.push(bytes, size);
  }

  /** C.3 to C.8 */
  private core(argument: CallArgument): void {
    const bytes = padded(extended(argument, 4), 4);
    const words = bytes.length / 4;
    const alignment = (alignmentOf(argument.type) ?? 4) >= 8 ? 8 : 4;
    if (alignment === 8) this.next += this.next % 2;
    // What begins in registers may end on the stack, but not behind another argument there.
    const inRegisters = this.next + words <= 4 ? words : this.stack.isEmpty && this.next < 4 ? 4 - this.next : 0;
    for (let n = 0; n < inRegisters; n++) {
      this.registers.set(this.next + n, decodeUnsigned(bytes.subarray(n * 4, n * 4 + 4), true));
    }
    this.next = inRegisters === words ? this.next + words : 4;
    if (inRegisters < words) this.stack.push(bytes.subarray(inRegisters * 4), inRegisters === 0 ? alignment : 4);
  }
}

// ---- RISC-V ----

const a0 = 10;
const fa0 = 42;
/** A single in a wider register has ones above it. */
const boxed = 0xffff_ffffn << 32n;

class RiscvCall {
  private readonly registers = new Map<number, bigint>();
  private readonly stack: Stacked;
  private readonly copies: { readonly address: bigint; readonly bytes: Uint8Array }[] = [];
  private nextInteger = 0;
  private nextFloat = 0;
  private free = 0n;

  constructor(private readonly abi: CallAbi) {
    this.stack = new Stacked(abi.xlen);
  }

  layOut({ arguments: list, named, resultAddress, stackPointer }: CallRequestLayout): CallLayout {
    this.free = stackPointer;
    if (resultAddress !== undefined) this.slot(resultAddress);
    list.forEach((argument, index) => {
      const isNamed = index < named;
      if (!isNamed || !this.float(argument)) this.integer(argument, isNamed);
    });
    const placed = this.stack.place(this.free, 16);
    const { registers, copies } = this;
    return { registers, memory: [...copies, ...placed.memory], stackPointer: placed.stackPointer };
  }

  private slot(value: bigint): void {
    this.registers.set(a0 + this.nextInteger++, BigInt.asUintN(this.abi.xlen * 8, value));
  }

  /** False: there are no registers for it, and the integer convention holds. */
  private float({ type, bytes }: CallArgument): boolean {
    const { xlen, flen } = this.abi;
    const fields = flen === 0 ? undefined : fieldsOf(type, 0);
    const placed = fields === undefined ? undefined : floatRegisters(fields, xlen, flen);
    if (fields === undefined || placed === undefined) return false;
    const floats = fields.filter(({ isFloat }) => isFloat).length;
    if (this.nextFloat + floats > 8 || this.nextInteger + fields.length - floats > 8) return false;
    for (const { offset, size, isFloat } of fields) {
      const value = decodeUnsigned(bytes.subarray(offset, offset + size), true);
      if (!isFloat) this.slot(value);
      else this.registers.set(fa0 + this.nextFloat++, size === 4 ? value | boxed : value);
    }
    return true;
  }

  private integer(argument: CallArgument, isNamed: boolean): void {
    const { xlen } = this.abi;
    if (argument.bytes.length > 2 * xlen) {
      this.free = alignDown(this.free - BigInt(argument.bytes.length), 16);
      this.copies.push({ address: this.free, bytes: argument.bytes });
      this.words(encodeInteger(this.free, xlen, true), xlen);
      return;
    }
    const alignment = alignmentOf(argument.type) ?? xlen;
    const isWide = argument.bytes.length > xlen && alignment > xlen;
    if (isWide && !isNamed) this.nextInteger += this.nextInteger % 2;
    // 32 bits are sign-extended in a register of 64, unsigned ones too.
    const word = extended(argument, Math.min(xlen, 4));
    const isShort = isInteger(stripType(argument.type)) && word.length === 4 && xlen === 8;
    const bytes = isShort ? encodeInteger(BigInt.asIntN(32, decodeUnsigned(word, true)), 8, true) : padded(word, xlen);
    this.words(bytes, isComposite(argument.type) || isWide ? alignment : xlen);
  }

  /** In registers, on the stack, or the first half in the last register. */
  private words(bytes: Uint8Array, alignment: number): void {
    const { xlen } = this.abi;
    let at = 0;
    while (at < bytes.length && this.nextInteger < 8) {
      this.slot(decodeUnsigned(bytes.subarray(at, at + xlen), true));
      at += xlen;
    }
    if (at < bytes.length) this.stack.push(bytes.subarray(at), at === 0 ? alignment : xlen);
  }
}
