/**
 * How a CPU's procedure call standard passes arguments and results, and where a call comes from: what the host
 * needs to serve calls of extensions and to make calls into them. One object a standard; see conventionOf().
 */
import type { CpuState, Machine } from '../emulator/types';
import type { Signature, ValueClass } from './c-signature';
import type { GuestMemory } from './guest-memory';

/** Gives arguments in order; both the registers and a va_list do. */
export interface ArgumentSource {
  /** A value of at most 32 bits. */
  word(): number;
  doubleWord(): bigint;
  /** `long`, `size_t` or a pointer: 32 or 64 bits. */
  long(): bigint;
  float(): number;
  double(): number;
  /** The arguments that follow are those of the `...`. */
  startVariadic(): void;
}

export type ArgumentValue = number | bigint;

export interface CallingConvention {
  /** Bytes of `long` and of pointers. */
  readonly longSize: 4 | 8;
  /** Word of CpuState.r that holds the first argument and the result. */
  readonly firstArgumentWord: number;
  /** Arguments of the call whose callee pc is at. `taken` is told of every state word (CpuState.r) that a value is taken from. */
  registerArguments(state: CpuState, memory: GuestMemory, taken?: (word: number) => void): ArgumentSource;
  variableArguments(address: number, memory: GuestMemory): ArgumentSource;
  writeResult(state: CpuState, valueClass: ValueClass, value: ArgumentValue): void;
  /** Where the callee returns to. */
  returnAddress(state: CpuState): number;
  /** The text of a fault when the callee cannot return there. */
  refusesReturn(state: CpuState): string | undefined;
  /** Address of the instruction that called the function at pc; undefined where that cannot be told, as after a tail call. */
  callSite(state: CpuState, memory: GuestMemory, hostReturn: number): number | undefined;
  /** Sets the machine to the first instruction of a function that returns to `returnAddress`, on a stack that ends at `stackEnd`. */
  begin(machine: Machine, call: PreparedCall): void;
  /** The integer result of a function that has returned. */
  result(state: CpuState): bigint;
}

export interface PreparedCall {
  readonly address: bigint;
  readonly arguments: readonly bigint[];
  readonly stackEnd: number;
  readonly returnAddress: number;
}

/** `before` is told of each parameter before its value is taken. */
export function readArguments(
  source: ArgumentSource,
  signature: Signature,
  before: (name: string) => void = () => undefined,
): ArgumentValue[] {
  const values = signature.parameters.map(({ name, valueClass }) => {
    before(name);
    return argument(source, valueClass);
  });
  if (signature.variadic) source.startVariadic();
  return values;
}

function argument(source: ArgumentSource, valueClass: ValueClass): ArgumentValue {
  switch (valueClass) {
    case 'i32':
      return source.word() | 0;
    case 'u32':
      return source.word() >>> 0;
    case 'pointer':
    case 'ulong':
      return Number(source.long());
    case 'long':
      return source.long();
    case 'f32':
      return source.float();
    case 'i64':
      return BigInt.asIntN(64, source.doubleWord());
    case 'u64':
      return source.doubleWord();
    case 'f64':
      return source.double();
    case 'void':
      return 0;
  }
}

export const joinWords = (low: number, high: number): bigint => BigInt(low >>> 0) | (BigInt(high >>> 0) << 32n);

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
