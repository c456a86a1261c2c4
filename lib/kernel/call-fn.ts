/** The instructions around the host's call into an extension, for a reader of the disassembly: nobody executes them. */
import type { Arch } from '../arch';
import { concatenate, littleEndian } from './guest-memory';
import type { MemoryMap } from './memory-map';

/** Instructions of two bytes; `call` is the one that returns to the return address. */
interface CallCode {
  readonly enter: number;
  readonly nop: number;
  readonly call: number;
  readonly leave: number;
}

/** PUSH {R3, LR}; NOP; BLX R3; POP {R3, PC}. */
const thumb: CallCode = { enter: 0xb508, nop: 0xbf00, call: 0x4798, leave: 0xbd08 };
/** c.addi sp, -16; c.nop; c.jalr a5; c.addi sp, 16 */
const riscv: CallCode = { enter: 0x1141, nop: 0x0001, call: 0x9782, leave: 0x0141 };

export function callFnCode({ address, returnAddress }: MemoryMap['callFn'], arch: Arch): Uint8Array {
  const { enter, nop, call, leave } = arch === 'riscv' ? riscv : thumb;
  const nops = Array.from({ length: (returnAddress - address) / 2 - 2 }, () => nop);
  return concatenate([enter, ...nops, call, leave].map((halfword) => littleEndian(halfword, 2)));
}
