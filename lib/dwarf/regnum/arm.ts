/**
 * DWARF register numbers of the Arm architecture (AADWARF32, "DWARF for the Arm Architecture", table of section 4.1)
 * and what its procedure call standard (AAPCS32) says of a frame without its own rule.
 */
import type { MachineRegisters } from './index';

const coreNames = 'r0 r1 r2 r3 r4 r5 r6 r7 r8 r9 r10 r11 r12 sp lr pc'.split(' ');

const names = new Map<number, string>(coreNames.map((name, number) => [number, name]));
for (let n = 0; n < 32; n++) {
  // 64 to 95 is the obsolete numbering of s0 to s31, that GCC still writes; 256 to 287 is d0 to d31.
  names.set(64 + n, `s${n}`);
  names.set(256 + n, `d${n}`);
}
names.set(128, 'spsr');
// R13_USR of the other profiles.
const processStackPointer = 149;
names.set(processStackPointer, 'psp');
names.set(143, 'ra_auth_code');

/** d0 to d15 are the pairs of s0 to s31. */
const halves = new Map(Array.from({ length: 16 }, (_, n) => [256 + n, [64 + 2 * n, 65 + 2 * n]] as const));

export const armRegisters: MachineRegisters = {
  names,
  stackPointer: 13,
  returnAddress: 14,
  programCounter: 15,
  framePointer: 7,
  firstArgument: 0,
  calleeSaved: [4, 5, 6, 7, 8, 9, 10, 11],
  halves,
  // Bit 0 of a code address says Thumb; it is not part of the address.
  codeAddress: (address) => address & ~1n,
  codePointerBit: 1n,
  // EXC_RETURN: bits 31 to 7 are ones (Armv8-M B3.21; of Armv7-M, B1.5.8, 31 to 5).
  exceptions: { isReturn: (pc) => pc >= 0xffff_ff80n, processStackPointer },
};
