/**
 * The careful interpreter of a Cortex-M: see ../safety/careful-loop.ts. In an IT block a condition that depends on undefined flags is a
 * use, unless the instruction does nothing but compute registers: that is how compilers choose between values (`a ? b : c`).
 */
import { andV, equalV } from '../safety/bits';
import { bitsOffset, type MemorySafety } from '../safety/memory-safety';
import { interpretCarefully, type CarefulSteps, type Condition } from '../safety/careful-loop';
import { firstStep, registersOnly, steps } from './careful.generated';
import type { Core } from './core';
import { State } from './state';

/** ConditionPassed() of the even codes (A7.3), and whether that is undefined. */
function even(state: Int32Array, code: number): { readonly passed: boolean; readonly undefinedBits: number } {
  const [n, z, c, v] = [State.flagN, State.flagZ, State.flagC, State.flagV].map((word) => state[word]);
  const [nV, zV, cV, vV] = [State.flagN, State.flagZ, State.flagC, State.flagV].map((word) => state[word + bitsOffset]);
  const zeroV = equalV(z, 0, zV, 0);
  const signsV = nV | vV ? (nV | vV) & (1 << 31) : 0;
  const sameSigns = (n ^ v) >= 0;
  switch (code) {
    case 0:
      return { passed: z === 0, undefinedBits: zeroV };
    case 2:
      return { passed: c !== 0, undefinedBits: cV };
    case 4:
      return { passed: n < 0, undefinedBits: nV & (1 << 31) };
    case 6:
      return { passed: v < 0, undefinedBits: vV & (1 << 31) };
    case 8:
      return { passed: c !== 0 && z !== 0, undefinedBits: andV(Number(c !== 0), Number(z !== 0), cV & 1, zeroV) };
    case 10:
      return { passed: sameSigns, undefinedBits: signsV };
    default:
      return {
        passed: z !== 0 && sameSigns,
        undefinedBits: andV(Number(z !== 0), Number(sameSigns), zeroV, signsV === 0 ? 0 : 1),
      };
  }
}

function condition(core: Core, slot: number): Condition {
  const code = core.code.itState[slot] >> 4;
  const { passed, undefinedBits } = even(core.memory.state, code & ~1);
  return { passed: passed === ((code & 1) === 0), isUndefined: undefinedBits !== 0 };
}

const thumb: CarefulSteps<Core> = {
  steps,
  firstStep,
  condition,
  conditional: (core, slot) => core.code.conditionalOperation[slot],
  registersOnly,
};

export const interpretThumbCarefully = (core: Core, safety: MemorySafety, budget: number): number =>
  interpretCarefully(thumb, core, safety, budget);
