/**
 * The Arm procedure call standard (AAPCS32, base variant, section 6.4): arguments in r0-r3, then on the stack; 64-bit
 * values in an even-numbered register pair or 8-byte aligned on the stack. Floating-point values pass as integers.
 * A va_list is one pointer.
 */
import { hex } from '../bytes';
import type { CpuState } from '../emulator/types';
import {
  bitsToDouble,
  bitsToFloat,
  doubleToBits,
  floatToBits,
  joinWords,
  writePair,
  type ArgumentSource,
  type ArgumentValue,
  type CallingConvention,
} from './calling-convention';
import type { ValueClass } from './c-signature';
import { littleEndian, type GuestMemory } from './guest-memory';

const REGISTER_ARGUMENTS = 4;
/** Bytes before a call in which the load of its register is looked for. */
const LITERAL_SEARCH = 64;

abstract class Words implements ArgumentSource {
  abstract word(): number;
  abstract doubleWord(): bigint;

  long(): bigint {
    return BigInt(this.word() >>> 0);
  }

  float(): number {
    return bitsToFloat(this.word());
  }

  double(): number {
    return bitsToDouble(this.doubleWord());
  }

  startVariadic(): void {
    // The base variant passes them like the others.
  }
}

/** The words of a call in progress: pc is the first instruction of the callee. */
class RegisterArguments extends Words {
  /** NCRN of the standard. */
  private nextRegister = 0;
  /** NSAA of the standard. */
  private stackAddress: number;

  constructor(
    private readonly state: CpuState,
    private readonly memory: GuestMemory,
    private readonly taken: (word: number) => void = () => undefined,
  ) {
    super();
    this.stackAddress = state.r[13] >>> 0;
  }

  word(): number {
    if (this.nextRegister < 4) {
      this.taken(this.nextRegister);
      return this.state.r[this.nextRegister++] >>> 0;
    }
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
class VaList extends Words {
  constructor(
    private address: number,
    private readonly memory: GuestMemory,
  ) {
    super();
  }

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

/** Puts a result into r0 or r0:r1. */
function writeResult(state: CpuState, valueClass: ValueClass, value: ArgumentValue): void {
  switch (valueClass) {
    case 'void':
      return;
    case 'i32':
    case 'u32':
    case 'pointer':
    case 'long':
    case 'ulong':
      state.r[0] = Number(BigInt.asIntN(32, BigInt(value)));
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

/**
 * Address of the BL or BLX Rm that called the function at pc. After a tail call lr belongs to an outer caller, whose
 * instruction calls something else: then undefined, and pc stays at the function.
 */
function callSite(state: CpuState, memory: GuestMemory, hostReturn: number): number | undefined {
  const { r } = state;
  const callee = state.read('pc') & ~1;
  const returnAddress = (r[14] & ~1) >>> 0;
  const bytes = memory.memory.read(returnAddress - 4, 4);
  if (bytes.length < 4) return undefined;
  const first = bytes[0] | (bytes[1] << 8);
  const second = bytes[2] | (bytes[3] << 8);
  if ((first & 0xf800) === 0xf000 && (second & 0xd000) === 0xd000) {
    return ((returnAddress + blOffset(first, second)) | 0) === callee ? returnAddress - 4 : undefined;
  }
  const isBlx = (second & 0xff87) === 0x4780;
  const Rm = (second >> 3) & 15;
  if (!isBlx || (r[Rm] & ~1) !== callee || returnAddress === hostReturn) return undefined;
  // A function that was called through the same register may have reloaded it for its tail call.
  const loaded = literalLoadedBefore(memory, returnAddress - 2, Rm);
  return loaded === undefined || (loaded & ~1) === callee ? returnAddress - 2 : undefined;
}

/** What the nearest LDR Rm, [pc, #imm] before an address loads; undefined when there is none close by. */
function literalLoadedBefore({ memory }: GuestMemory, address: number, Rm: number): number | undefined {
  for (let at = address - 2; at >= address - LITERAL_SEARCH; at -= 2) {
    const bytes = memory.read(at, 2);
    if (bytes.length < 2) return undefined;
    const isLiteralLoad = (bytes[1] & 0xf8) === 0x48 && (bytes[1] & 7) === Rm;
    if (!isLiteralLoad) continue;
    const literal = memory.read(((at + 4) & ~3) + bytes[0] * 4, 4);
    return literal.length < 4 ? undefined : new DataView(literal.slice().buffer).getInt32(0, true);
  }
  return undefined;
}

/** Branch offset of BL, encoding T1: S:I1:I2:imm10:imm11:0 with I = NOT(J XOR S). */
function blOffset(first: number, second: number): number {
  const S = (first >> 10) & 1;
  const I1 = 1 ^ ((second >> 13) & 1) ^ S;
  const I2 = 1 ^ ((second >> 11) & 1) ^ S;
  const bits = (S << 24) | (I1 << 23) | (I2 << 22) | ((first & 0x3ff) << 12) | ((second & 0x7ff) << 1);
  return (bits << 7) >> 7;
}

export const aapcs: CallingConvention = {
  longSize: 4,
  firstArgumentWord: 0,
  registerArguments: (state, memory, taken) => new RegisterArguments(state, memory, taken),
  variableArguments: (address, memory) => new VaList(address, memory),
  writeResult,
  returnAddress: ({ r }) => (r[14] & ~1) >>> 0,
  refusesReturn: ({ r }) =>
    r[14] & 1 ? undefined : `return to ${hex(r[14] >>> 0, 8)}: bit 0 is clear, and there is no Arm state`,
  callSite,
  begin({ state, memory }, { address, arguments: values, stackEnd, returnAddress }) {
    const stacked = values.slice(REGISTER_ARGUMENTS);
    // The stack pointer is a multiple of 8 at every public interface.
    const sp = stackEnd - Math.ceil(stacked.length / 2) * 8;
    stacked.forEach((value, i) => memory.write(sp + i * 4, littleEndian(BigInt.asUintN(32, value), 4)));
    for (let i = 0; i <= 12; i++) state.r[i] = 0;
    values.slice(0, REGISTER_ARGUMENTS).forEach((value, i) => (state.r[i] = Number(BigInt.asIntN(32, value))));
    state.write('sp', sp);
    state.write('lr', returnAddress | 1);
    state.write('pc', Number(BigInt.asUintN(32, address) & ~1n));
  },
  result: ({ r }) => BigInt(r[0] >>> 0),
};
