/**
 * Arguments and results as the Arm procedure call standard (AAPCS32, base variant, section 6.4) passes them:
 * r0-r3, then the stack; 64-bit values in an even-numbered register pair or 8-byte aligned on the stack.
 * A va_list of the standard is one pointer; it is walked by the same interface.
 */
import type { GuestMemory } from './guest-memory';
import type { CpuState } from '../emulator/types';
import type { Signature, ValueClass } from './c-signature';

/** Gives argument words in order; both the registers and a va_list do. */
export interface ArgumentSource {
  word(): number;
  doubleWord(): bigint;
}

export type ArgumentValue = number | bigint;

const joinWords = (low: number, high: number): bigint => BigInt(low >>> 0) | (BigInt(high >>> 0) << 32n);

/** The words of a call in progress: pc is the first instruction of the callee. */
export class RegisterArguments implements ArgumentSource {
  /** NCRN of the standard. */
  private nextRegister = 0;
  /** NSAA of the standard. */
  private stackAddress: number;

  constructor(
    private readonly state: CpuState,
    private readonly memory: GuestMemory,
  ) {
    this.stackAddress = state.r[13] >>> 0;
  }

  word(): number {
    if (this.nextRegister < 4) return this.state.r[this.nextRegister++] >>> 0;
    const value = this.memory.u32(this.stackAddress, 'the stack');
    this.stackAddress += 4;
    return value;
  }

  doubleWord(): bigint {
    if (this.nextRegister < 4) this.nextRegister += this.nextRegister & 1;
    else this.stackAddress = ((this.stackAddress + 7) & ~7) >>> 0;
    const low = this.word();
    return joinWords(low, this.word());
  }
}

/** va_list: 64-bit values are 8-byte aligned, because the register save area starts where r0 would be. */
export class VaList implements ArgumentSource {
  constructor(
    private address: number,
    private readonly memory: GuestMemory,
  ) {}

  word(): number {
    const value = this.memory.u32(this.address, 'args');
    this.address += 4;
    return value;
  }

  doubleWord(): bigint {
    this.address = ((this.address + 7) & ~7) >>> 0;
    const low = this.word();
    return joinWords(low, this.word());
  }
}

function argument(source: ArgumentSource, valueClass: ValueClass): ArgumentValue {
  switch (valueClass) {
    case 'i32':
      return source.word() | 0;
    case 'u32':
    case 'pointer':
      return source.word() >>> 0;
    case 'f32':
      return bitsToFloat(source.word());
    case 'i64':
      return BigInt.asIntN(64, source.doubleWord());
    case 'u64':
      return source.doubleWord();
    case 'f64':
      return bitsToDouble(source.doubleWord());
    case 'void':
      return 0;
  }
}

export function readArguments(source: ArgumentSource, signature: Signature): ArgumentValue[] {
  return signature.parameters.map((parameter) => argument(source, parameter.valueClass));
}

/** Puts a result into r0 or r0:r1. */
export function writeResult(state: CpuState, valueClass: ValueClass, value: ArgumentValue): void {
  switch (valueClass) {
    case 'void':
      return;
    case 'i32':
    case 'u32':
    case 'pointer':
      state.r[0] = Number(value) | 0;
      return;
    case 'f32':
      state.r[0] = floatToBits(Number(value)) | 0;
      return;
    case 'f64':
      writePair(state, 0, doubleToBits(Number(value)));
      return;
    case 'i64':
    case 'u64':
      writePair(state, 0, BigInt(value));
  }
}

export function writePair(state: CpuState, register: number, value: bigint): void {
  state.r[register] = Number(BigInt.asIntN(32, value));
  state.r[register + 1] = Number(BigInt.asIntN(32, value >> 32n));
}

const scratch = new DataView(new ArrayBuffer(8));

export function bitsToFloat(bits: number): number {
  scratch.setUint32(0, bits >>> 0);
  return scratch.getFloat32(0);
}

export function floatToBits(value: number): number {
  scratch.setFloat32(0, value);
  return scratch.getUint32(0);
}

export function bitsToDouble(bits: bigint): number {
  scratch.setBigUint64(0, BigInt.asUintN(64, bits));
  return scratch.getFloat64(0);
}

export function doubleToBits(value: number): bigint {
  scratch.setFloat64(0, value);
  return scratch.getBigUint64(0);
}
