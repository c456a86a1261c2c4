/** All decoder rows of RISC-V, for tests that walk them. */
import { rows } from '../../lib/emulator/riscv/decoder';
import type { Row } from '../../lib/emulator/riscv/rows';

export const decoderRowsOf = (): readonly Row[] => rows;
