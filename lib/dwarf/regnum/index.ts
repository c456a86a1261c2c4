/**
 * What DWARF's producer and consumer agree on for each CPU outside of the standard: register numbers, and what
 * holds for a register that call-frame information does not mention. One record a machine, found by e_machine.
 */
import { armRegisters } from './arm';
import { riscvRegisters } from './riscv';

export interface MachineRegisters {
  /** DWARF number -> the assembler's name. */
  readonly names: ReadonlyMap<number, string>;
  readonly stackPointer: number;
  readonly returnAddress: number;
  readonly programCounter: number;
  readonly framePointer: number | undefined;
  /** Passes the first argument word, or where a large result is to go. */
  readonly firstArgument?: number;
  /** Preserved by a call when the frame has no rule for them; the others are then unknown. */
  readonly calleeSaved: readonly number[];
  /** A register of two words -> the registers that its low and high word are. */
  readonly halves?: ReadonlyMap<number, readonly [number, number]>;
  /** Floating-point registers that are not as wide as an address on every machine of this kind. */
  isFloat?(register: number): boolean;
  /** The address of the instruction that a code pointer means. */
  codeAddress(address: bigint): bigint;
  /** What a pointer to a function has beside its address: bit 0, for Thumb. */
  readonly codePointerBit?: bigint;
  /** A handler returns to a number that stands for what was interrupted (exception-frame.ts). */
  readonly exceptions?: {
    isReturn(pc: bigint): boolean;
    readonly processStackPointer: number;
  };
  /** The linker makes code shorter, so that no assembler knows the size of any. */
  readonly isRelaxed?: boolean;
}

const EM_ARM = 40;
const EM_RISCV = 243;

const machines: ReadonlyMap<number, MachineRegisters> = new Map([
  [EM_ARM, armRegisters],
  [EM_RISCV, riscvRegisters],
]);

/** Register numbers of an unknown machine have no names, so that its lines and types are still readable. */
const unknownMachine: MachineRegisters = {
  names: new Map(),
  stackPointer: -1,
  returnAddress: -1,
  programCounter: -1,
  framePointer: undefined,
  calleeSaved: [],
  codeAddress: (address) => address,
};

export function machineRegisters(machine: number): MachineRegisters {
  return machines.get(machine) ?? unknownMachine;
}
