/**
 * The RISC-V calling convention (psABI, chapter 2): arguments in a0-a7, then on the stack, slots of XLEN bits. A value of
 * twice XLEN takes two slots, which start at an even one only among variadic arguments, and 8-byte aligned on the stack.
 * With hardware floating point the named floating-point arguments take fa0-fa7, then integer registers.
 * A va_list is one pointer.
 */
import type { RiscvCpu } from '../arch';
import type { CpuState } from '../emulator/types';
import {
  bitsToDouble,
  bitsToFloat,
  doubleToBits,
  floatToBits,
  joinWords,
  type ArgumentSource,
  type CallingConvention,
} from './calling-convention';
import { littleEndian, type GuestMemory } from './guest-memory';

const REGISTER_ARGUMENTS = 8;
const A0 = 10;
const RA = 1;
/** rd = ra and the opcode; of JALR funct3 too. */
const OPCODE_JAL_RA = 0xef;
const OPCODE_JALR_RA = 0xe7;

abstract class Slots implements ArgumentSource {
  constructor(protected readonly longSize: 4 | 8) {}

  /** The next slot, XLEN bits. */
  abstract long(): bigint;
  /** The next slot is one that a value of twice XLEN may start in. */
  protected abstract align(): void;

  word(): number {
    return Number(BigInt.asUintN(32, this.long()));
  }

  doubleWord(): bigint {
    if (this.longSize === 8) return this.long();
    this.align();
    const low = this.word();
    return joinWords(low, this.word());
  }

  float(): number {
    return bitsToFloat(this.word());
  }

  double(): number {
    return bitsToDouble(this.doubleWord());
  }

  startVariadic(): void {
    // Where nothing but the position matters.
  }
}

class RegisterArguments extends Slots {
  private nextRegister = 0;
  private nextFloat = 0;
  private stackAddress: number;
  private isVariadic = false;

  constructor(
    cpu: RiscvCpu,
    private readonly state: CpuState,
    private readonly memory: GuestMemory,
    private readonly taken: (word: number) => void = () => undefined,
  ) {
    super(cpu.pointerSize);
    this.stackAddress = state.read('sp');
    this.floatRegisters = cpu.floatAbi === 'soft' ? 0 : REGISTER_ARGUMENTS;
    this.hasDoubles = cpu.floatAbi === 'double';
  }

  private readonly floatRegisters: number;
  private readonly hasDoubles: boolean;

  override long(): bigint {
    if (this.nextRegister < REGISTER_ARGUMENTS) {
      this.taken((A0 + this.nextRegister) * (this.longSize / 4));
      return this.state.readWide(`a${this.nextRegister++}`);
    }
    const low = this.memory.u32(this.stackAddress, 'the stack');
    const high = this.longSize === 8 ? this.memory.u32(this.stackAddress + 4, 'the stack') : 0;
    this.stackAddress += this.longSize;
    return joinWords(low, high);
  }

  override float(): number {
    return this.takesFloat() ? bitsToFloat(this.state.read(`fa${this.nextFloat++}`)) : super.float();
  }

  override double(): number {
    if (!this.hasDoubles || !this.takesFloat()) return super.double();
    return bitsToDouble(this.state.readWide(`fa${this.nextFloat++}`));
  }

  override startVariadic(): void {
    this.isVariadic = true;
  }

  protected override align(): void {
    if (this.nextRegister >= REGISTER_ARGUMENTS) this.stackAddress = (this.stackAddress + 7) & ~7;
    else if (this.isVariadic) this.nextRegister += this.nextRegister & 1;
  }

  private takesFloat(): boolean {
    return !this.isVariadic && this.nextFloat < this.floatRegisters;
  }
}

class VaList extends Slots {
  constructor(
    cpu: RiscvCpu,
    private address: number,
    private readonly memory: GuestMemory,
  ) {
    super(cpu.pointerSize);
  }

  override long(): bigint {
    const low = this.memory.u32(this.address, 'args');
    const high = this.longSize === 8 ? this.memory.u32(this.address + 4, 'args') : 0;
    this.address += this.longSize;
    return joinWords(low, high);
  }

  /** The register save area ends where the stack arguments begin, so that even slots are 8-byte aligned. */
  protected override align(): void {
    this.address = (this.address + 7) & ~7;
  }
}

/** imm[20|10:1|11|19:12] in bits 31:12. */
function jalOffset(word: number): number {
  const bits = ((word >>> 31) << 20) | (word & 0xff000) | (((word >>> 20) & 1) << 11) | (((word >>> 21) & 0x3ff) << 1);
  return (bits << 11) >> 11;
}

/** C.JAL's offset: imm[11|4|9:8|10|6|7|3:1|5] in bits 12:2. */
function compressedJalOffset(half: number): number {
  const bit = (from: number, to: number) => ((half >> from) & 1) << to;
  const parts = bit(12, 11) | bit(11, 4) | bit(8, 10) | bit(7, 6) | bit(6, 7) | bit(2, 5);
  return ((parts | (((half >> 9) & 3) << 8) | (((half >> 3) & 7) << 1)) << 20) >> 20;
}

function callSite(longSize: 4 | 8) {
  return (state: CpuState, memory: GuestMemory): number | undefined => {
    const callee = state.read('pc');
    const returnAddress = state.read('ra');
    const bytes = memory.memory.read(returnAddress - 8, 8);
    if (bytes.length < 8) return undefined;
    const view = new DataView(bytes.slice().buffer);
    const [before, word, half] = [view.getUint32(0, true), view.getUint32(4, true), view.getUint16(6, true)];
    const isCallee = (target: number): boolean => target >>> 0 === callee;
    if ((word & 0xfff) === OPCODE_JAL_RA) {
      return isCallee(returnAddress - 4 + jalOffset(word)) ? returnAddress - 4 : undefined;
    }
    if ((word & 0x7fff) === OPCODE_JALR_RA) {
      const base = (word >>> 15) & 31;
      const offset = word >> 20;
      // auipc base, hi; jalr ra, lo(base): what the assembler makes of `call`.
      if ((before & 0xfff) === ((base << 7) | 0x17)) {
        return isCallee(returnAddress - 8 + (before & 0xfffff000) + offset) ? returnAddress - 4 : undefined;
      }
      const value = Number(BigInt.asUintN(32, state.readWide(`x${base}`)));
      return base !== RA && isCallee(value + offset) ? returnAddress - 4 : undefined;
    }
    const register = (half >> 7) & 31;
    const isCompressedJalr = (half & 0xf07f) === 0x9002 && register !== 0;
    if (isCompressedJalr) {
      return register !== RA && isCallee(state.read(`x${register}`)) ? returnAddress - 2 : undefined;
    }
    // C.JAL is one of RV32 only; the encoding is C.ADDIW on RV64.
    const isCompressedJal = longSize === 4 && (half & 0xe003) === 0x2001;
    return isCompressedJal && isCallee(returnAddress - 2 + compressedJalOffset(half)) ? returnAddress - 2 : undefined;
  };
}

export function riscvConvention(cpu: RiscvCpu): CallingConvention {
  const longSize = cpu.pointerSize;
  const hasSingles = cpu.floatAbi !== 'soft';
  const setInteger = (state: CpuState, value: bigint): void => state.writeWide('a0', value);
  return {
    longSize,
    firstArgumentWord: longSize === 4 ? A0 : 2 * A0,
    registerArguments: (state, memory, taken) => new RegisterArguments(cpu, state, memory, taken),
    variableArguments: (address, memory) => new VaList(cpu, address, memory),
    writeResult(state, valueClass, value) {
      switch (valueClass) {
        case 'void':
          return;
        case 'i32':
        case 'u32':
          // Values of 32 bits are sign-extended in a register of 64, unsigned ones too.
          setInteger(state, BigInt(Number(value) | 0));
          return;
        case 'pointer':
        case 'ulong':
          setInteger(state, BigInt.asUintN(8 * longSize, BigInt(value)));
          return;
        case 'long':
          setInteger(state, BigInt(value));
          return;
        case 'f32':
          if (hasSingles) state.writeWide('fa0', BigInt(floatToBits(Number(value))) | (0xffff_ffffn << 32n));
          else setInteger(state, BigInt(floatToBits(Number(value)) | 0));
          return;
        case 'f64':
          if (cpu.floatAbi === 'double') state.writeWide('fa0', doubleToBits(Number(value)));
          else setDouble(state, doubleToBits(Number(value)), longSize);
          return;
        case 'i64':
        case 'u64':
          setDouble(state, BigInt(value), longSize);
      }
    },
    returnAddress: (state) => (state.read('ra') & ~1) >>> 0,
    refusesReturn: () => undefined,
    callSite: callSite(longSize),
    begin({ state, memory }, { address, arguments: values, stackEnd, returnAddress }) {
      const stacked = values.slice(REGISTER_ARGUMENTS);
      // The stack pointer is a multiple of 16.
      const sp = stackEnd - Math.ceil((stacked.length * longSize) / 16) * 16;
      stacked.forEach((value, i) => memory.write(sp + i * longSize, littleEndian(BigInt.asUintN(64, value), longSize)));
      for (let i = 1; i < 32; i++) state.writeWide(`x${i}`, 0n);
      values.slice(0, REGISTER_ARGUMENTS).forEach((value, i) => state.writeWide(`a${i}`, value));
      state.write('sp', sp);
      state.write('ra', returnAddress);
      state.write('pc', Number(BigInt.asUintN(32, address)));
    },
    result: (state) => state.readWide('a0'),
  };
}

function setDouble(state: CpuState, value: bigint, longSize: 4 | 8): void {
  state.writeWide('a0', longSize === 8 ? value : BigInt.asUintN(32, value));
  if (longSize === 4) state.writeWide('a1', BigInt.asUintN(32, value >> 32n));
}
