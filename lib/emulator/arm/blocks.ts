/** Straight pieces of Thumb code, for accounts: an instruction that may branch or move sp is the last one of its block. */
import { longestBlock, type Block } from '../accounts';
import { Attribute, type GuestMemory } from '../memory';
import { advanceIt } from './code-cache';
import type { Decoder } from './decoder';
import { operations, type Operation } from './operations';

const sp = 13;
/** First halfword of DSB, DMB and ISB. */
const barriers = 0xf3bf;
const stackOperations = new Set(['push', 'pop']);

/** -1 where no instruction can be fetched. */
function halfword(memory: GuestMemory, address: number): number {
  if ((memory.attributes[address >>> 12] & Attribute.execute) === 0) return -1;
  return memory.halfwords[memory.hostAddress(address) >>> 1];
}

/** `it`: ITSTATE at pc. */
export function readBlock(memory: GuestMemory, decoder: Decoder, pc: number, it: number): Block {
  const addresses: number[] = [];
  let state = it;
  for (let at = pc; addresses.length < longestBlock;) {
    const first = halfword(memory, at);
    const wide = first >>> 11 >= 0x1d;
    const second = wide ? halfword(memory, (at + 2) >>> 0) : 0;
    if (first < 0 || second < 0) break;
    const { operation, operands, itBlock } = decoder.decode(first, second, at, state);
    addresses.push(at);
    at = (at + (wide ? 4 : 2)) >>> 0;
    if (operation === 'bl' || operation === 'blx') return { addresses, returnAddress: at };
    const { jumps, rare }: Operation = operations[operation];
    // Any operand that could be sp: a block may end too early.
    if (
      jumps === true ||
      rare === true ||
      first === barriers ||
      stackOperations.has(operation) ||
      operands.includes(sp)
    )
      break;
    state = itBlock !== 0 ? itBlock : advanceIt(state);
  }
  return { addresses: addresses.length > 0 ? addresses : [pc], returnAddress: undefined };
}
