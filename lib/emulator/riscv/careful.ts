/** The careful interpreters of RISC-V harts: see ../safety/careful-loop.ts. */
import { interpretCarefully } from '../safety/careful-loop';
import type { MemorySafety } from '../safety/memory-safety';
import * as rv32 from './careful32.generated';
import * as rv64 from './careful64.generated';
import type { Core } from './core';

export const interpretRiscvCarefully = (core: Core, safety: MemorySafety, budget: number): number =>
  interpretCarefully(core.cpu.isa.xlen === 32 ? rv32 : rv64, core, safety, budget);
