/** The calling convention of a CPU. */
import type { CpuInfo } from '../arch';
import { aapcs } from './aapcs';
import type { CallingConvention } from './calling-convention';
import { riscvConvention } from './riscv-abi';

export function conventionOf(cpu: CpuInfo): CallingConvention {
  return cpu.arch === 'arm' ? aapcs : riscvConvention(cpu);
}
