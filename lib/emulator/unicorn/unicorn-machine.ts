/**
 * A machine that Unicorn executes: the launch attribute `engine: "unicorn"`. It exists to compare with: the same session on another
 * implementation of the architecture. The core is Unicorn's default one of the M profile or of the width, whatever `cpu` says.
 *
 * What it cannot do on either: it counts no instructions of a run that ends early (instructionCount then grows by one, so virtual time
 * is too slow), has no limit for the stack but guard pages, has no snapshots, and does not tell where a fault's access went.
 */
import type { CpuInfo } from '../../arch';
import type { Machine, MemoryRegion } from '../types';
import { armConstants } from './arm-registers';
import { riscvConstants } from './riscv-registers';
import { findUnicornProblem, type UnicornModule } from './unicorn-api';
import { UnicornArmMachine } from './unicorn-arm-machine';
import { UnicornRiscvMachine } from './unicorn-riscv-machine';

/** RangeError when the module is not unicorn.js, or was built without this architecture. */
export function createUnicornMachine(module: unknown, cpu: CpuInfo, regions: readonly MemoryRegion[]): Machine {
  const problem = findUnicornProblem(module, cpu.arch === 'arm' ? armConstants : riscvConstants(cpu));
  if (problem !== undefined) throw new RangeError(problem);
  const checked = module as UnicornModule;
  return cpu.arch === 'arm'
    ? new UnicornArmMachine(checked, cpu, regions)
    : new UnicornRiscvMachine(checked, cpu, regions);
}
