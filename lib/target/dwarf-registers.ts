/** The registers that DWARF's numbers stand for, as the machine names them; lib/dwarf/regnum has the ABIs' tables. */
import type { CpuInfo } from '../arch';

const arm: (string | undefined)[] = 'r0 r1 r2 r3 r4 r5 r6 r7 r8 r9 r10 r11 r12 sp lr pc'.split(' ');
// R13_USR of the other profiles stands for it.
arm[149] = 'psp';
/** 0 to 31 are x0 to x31, 32 to 63 f0 to f31; 65 is reserved and means pc here. */
const riscvPc = 65;

/** Machine names by DWARF number. */
export function dwarfRegisterNames(cpu: CpuInfo): readonly (string | undefined)[] {
  if (cpu.arch === 'arm') return arm;
  const names: (string | undefined)[] = Array.from({ length: 32 }, (_, number) => `x${number}`);
  if (cpu.isa.f) for (let number = 0; number < 32; number++) names[32 + number] = `f${number}`;
  names[riscvPc] = 'pc';
  return names;
}
