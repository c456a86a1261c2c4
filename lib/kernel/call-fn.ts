/** The instructions around the host's call into an extension, for a reader of the disassembly: nobody executes them. */
import { concatenate, littleEndian } from './guest-memory';
import type { MemoryMap } from './memory-map';

const NOP = 0xbf00;
/** BLX R3, which is what returns to the return address. */
const BLX_R3 = 0x4798;
const PUSH_R3_LR = 0xb508;
const POP_R3_PC = 0xbd08;

export function callFnCode({ address, returnAddress }: MemoryMap['callFn']): Uint8Array {
  const nops = Array.from({ length: (returnAddress - address) / 2 - 2 }, () => NOP);
  return concatenate([PUSH_R3_LR, ...nops, BLX_R3, POP_R3_PC].map((halfword) => littleEndian(halfword, 2)));
}
