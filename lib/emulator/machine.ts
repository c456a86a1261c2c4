/** createMachine(): the emulated machine of a CPU. */
import type { CpuInfo } from '../arch';
import type { JitOptions } from './jit/jit';
import { ArmMachine } from './arm/arm-machine';
import { RiscvMachine } from './riscv/riscv-machine';
import type { Machine, MemoryRegion } from './types';

export interface MachineOptions {
  readonly cpu: CpuInfo;
  readonly regions: readonly MemoryRegion[];
  /**
   * 'architectural': an Arm core takes exceptions as the hardware does, from its vector table; ArmMachine.system has its reset().
   * Without, a fault stops before its effect, which is what a debugger wants.
   */
  readonly exceptions?: 'architectural';
  /** Hot code is translated to WebAssembly; without it, and with architectural exceptions, everything is interpreted. */
  readonly jit?: JitOptions;
}

export function createMachine({ cpu, regions, exceptions, jit }: MachineOptions): Machine {
  switch (cpu.arch) {
    case 'arm':
      return new ArmMachine(cpu, regions, exceptions && {}, jit);
    case 'riscv':
      return new RiscvMachine(cpu, regions, { jit });
  }
}
