/** createMachine(): the emulated machine of a CPU. */
import type { CpuInfo } from '../arch';
import { ArmMachine } from './arm/arm-machine';
import { RiscvMachine } from './riscv/riscv-machine';
import type { Machine, MemoryRegion } from './types';

export interface MachineOptions {
  readonly cpu: CpuInfo;
  readonly regions: readonly MemoryRegion[];
}

export function createMachine({ cpu, regions }: MachineOptions): Machine {
  switch (cpu.arch) {
    case 'arm':
      return new ArmMachine(cpu, regions);
    case 'riscv':
      return new RiscvMachine(cpu, regions);
  }
}
