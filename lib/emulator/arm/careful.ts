/**
 * The careful interpreter of a Cortex-M: see ../safety/careful-loop.ts. In an IT block a condition that depends on undefined flags is a
 * use, unless the instruction does nothing but compute registers: that is how compilers choose between values (`a ? b : c`).
 */
import { andV, equalV } from '../safety/bits';
import { bitsOffset, type MemorySafety } from '../safety/memory-safety';
import { interpretCarefully, type CarefulSteps, type Condition } from '../safety/careful-loop';
import { firstStep, registersOnly, steps } from './careful.generated';
import { conditionPassed } from './condition';
import type { Core } from './core';
import { State } from './state';

/** What of the condition with an even code is undefined. */
function undefinedBits(state: Int32Array, code: number): number {
  const [n, z, c, v] = [State.flagN, State.flagZ, State.flagC, State.flagV].map((word) => state[word]);
  const [nV, zV, cV, vV] = [State.flagN, State.flagZ, State.flagC, State.flagV].map((word) => state[word + bitsOffset]);
  const zeroV = equalV(z, 0, zV, 0);
  const signsV = nV | vV ? (nV | vV) & (1 << 31) : 0;
  const sameSigns = (n ^ v) >= 0;
  switch (code) {
    case 0:
      return zeroV;
    case 2:
      return cV;
    case 4:
      return nV & (1 << 31);
    case 6:
      return vV & (1 << 31);
    case 8:
      return andV(Number(c !== 0), Number(z !== 0), cV & 1, zeroV);
    case 10:
      return signsV;
    default:
      return andV(Number(z !== 0), Number(sameSigns), zeroV, signsV === 0 ? 0 : 1);
  }
}

function condition(core: Core, slot: number): Condition {
  const code = core.code.itState[slot] >> 4;
  const { state } = core.memory;
  return { passed: conditionPassed(state, code), isUndefined: undefinedBits(state, code & ~1) !== 0 };
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
