/** Straight pieces of RISC-V code, for accounts: an instruction that may branch or move sp is the last one of its block. */
import { longestBlock, type Block } from '../accounts';
import { Attribute, type GuestMemory } from '../memory';
import type { Decoder } from './decoder';
import { operations32, operations64 } from './operations';

/** The registers that calls leave their return address in: ra and t0 (unprivileged specification, table 2.1). */
const links = [1, 5];
/** Opcode of FENCE and FENCE.I. */
const miscMem = 0x0f;

/** -1 where no instruction can be fetched. */
function halfword(memory: GuestMemory, address: number): number {
  if ((memory.attributes[address >>> 12] & Attribute.execute) === 0) return -1;
  return memory.halfwords[memory.hostAddress(address) >>> 1];
}

export function readBlock(memory: GuestMemory, decoder: Decoder, pc: number, xlen: 32 | 64): Block {
  const operations = xlen === 32 ? operations32 : operations64;
  const wordsOfRegister = xlen / 32;
  const addresses: number[] = [];
  for (let at = pc; addresses.length < longestBlock;) {
    const first = halfword(memory, at);
    const wide = (first & 3) === 3;
    const second = wide ? halfword(memory, (at + 2) >>> 0) : 0;
    if (first < 0 || second < 0) break;
    const [name, ...operands] = decoder.decode(((second << 16) | first) >>> 0, at, false);
    addresses.push(at);
    at = (at + (wide ? 4 : 2)) >>> 0;
    const linked = name === 'jal' || name === 'jalr' ? operands.at(-1) : undefined;
    const isCall =
      name === 'jal_ra' ||
      name === 'jalr_ra' ||
      (linked !== undefined && links.some((register) => linked === register * wordsOfRegister));
    if (isCall) return { addresses, returnAddress: at };
    const { jumps, rare } = operations[name];
    // Any operand that could be sp: a block may end too early.
    if (jumps === true || rare === true || (first & 0x7f) === miscMem || operands.includes(2 * wordsOfRegister)) break;
  }
  return { addresses: addresses.length > 0 ? addresses : [pc], returnAddress: undefined };
}
