/**
 * DWARF register numbers of RISC-V ("RISC-V ELF psABI", chapter "DWARF", register numbers) and what its calling
 * convention says of a frame without its own rule. pc has no number there; one of the reserved range stands for it.
 */
import type { MachineRegisters } from './index';

const integers = (
  'zero ra sp gp tp t0 t1 t2 s0 s1 a0 a1 a2 a3 a4 a5 a6 a7 ' + 's2 s3 s4 s5 s6 s7 s8 s9 s10 s11 t3 t4 t5 t6'
).split(' ');
const floats = (
  'ft0 ft1 ft2 ft3 ft4 ft5 ft6 ft7 fs0 fs1 fa0 fa1 fa2 fa3 fa4 fa5 fa6 fa7 ' +
  'fs2 fs3 fs4 fs5 fs6 fs7 fs8 fs9 fs10 fs11 ft8 ft9 ft10 ft11'
).split(' ');

const programCounter = 65;

const names = new Map<number, string>(integers.map((name, number) => [number, name]));
floats.forEach((name, number) => names.set(32 + number, name));
names.set(programCounter, 'pc');

const saved = [8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27];

export const riscvRegisters: MachineRegisters = {
  names,
  stackPointer: 2,
  returnAddress: 1,
  programCounter,
  framePointer: 8,
  firstArgument: 10,
  // gp and tp belong to the whole program; fs0 to fs11 have the numbers of s0 to s11, from 32 on.
  calleeSaved: [3, 4, ...saved, ...saved.map((number) => 32 + number)],
  isFloat: (register) => register >= 32 && register < 64,
  codeAddress: (address) => address & ~1n,
  isRelaxed: true,
};
