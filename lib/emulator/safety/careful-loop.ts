/**
 * The careful interpreter: executes predecoded instructions as the generated one does, one function each, with every access checked
 * and the undefined bits of all values kept. It serves every CPU; where conditions of instructions are not their own (Thumb's
 * IT blocks) the CPU tells.
 */
import { Special } from '../record-cache';
import { bitsOffset, trackedWords, type CheckedCore, type MemorySafety } from './memory-safety';

export interface CarefulCore extends CheckedCore {
  position: number;
}

export type Step<C> = (
  core: C,
  safety: MemorySafety,
  code: Int32Array,
  k: number,
  len: number,
  r: Int32Array,
  vr: Int32Array,
) => number;

/** Whether a conditional instruction is executed, and whether that depends on undefined bits. */
export interface Condition {
  readonly passed: boolean;
  readonly isUndefined: boolean;
}

export interface CarefulSteps<C> {
  readonly steps: readonly Step<C>[];
  readonly firstStep: number;
  /** Of the conditional instruction in a slot. */
  readonly condition?: (core: C, slot: number) => Condition;
  /** Word 0 of the conditional instruction in a slot. */
  readonly conditional?: (core: C, slot: number) => number;
  /** Steps that cannot fail and change nothing but registers and flags. */
  readonly registersOnly?: readonly boolean[];
}

/** Executes at most `budget` instructions from core.position; returns how many were. core.stop says why it ended early. */
export function interpretCarefully<C extends CarefulCore>(
  { steps, firstStep, condition, conditional, registersOnly }: CarefulSteps<C>,
  core: C,
  safety: MemorySafety,
  budget: number,
): number {
  const r = core.memory.state;
  const vr = r.subarray(bitsOffset);
  let k = core.position;
  let left = budget;
  safety.followStack();
  while (left !== 0) {
    let code = core.code.records;
    let op = code[k];
    safety.position = k;
    if (op <= Special.translated) {
      if (op === Special.conditional && condition && conditional) {
        const { passed, isUndefined } = condition(core, k >> 2);
        op = conditional(core, k >> 2);
        const step = (op >> 1) - firstStep;
        if (isUndefined && registersOnly?.[step] === true) {
          eitherWay(r, vr, passed, () => steps[step](core, safety, code as Int32Array, k, 4 << (op & 1), r, vr));
          left--;
          k += 4 << (op & 1);
          continue;
        }
        if (isUndefined && safety.uses('branch')) break;
        if (!passed) {
          left--;
          k += 4 << (op & 1);
          continue;
        }
      } else if (op === Special.translated) {
        if (core.stopsAtTranslated && !safety.isUndefined()) break;
        op = core.code.hiddenOperation[k >> 2];
      } else if (op === Special.breakpoint) {
        core.left = left;
        op = core.code.goThrough(k);
        if (op === 0) break;
        code = core.code.records;
      } else {
        const next = core.code.special(k);
        if (next < 0) break;
        k = next;
        continue;
      }
    }
    left--;
    core.left = left;
    const next = steps[(op >> 1) - firstStep](core, safety, code as Int32Array, k, 4 << (op & 1), r, vr);
    if (next < 0) {
      left++;
      break;
    }
    k = next;
    safety.followStack();
    if (core.stop !== 0) break;
  }
  core.position = k;
  safety.position = -1;
  return budget - left;
}

/** Executes an instruction that may or may not have to be: what it changes is undefined where both ways differ. */
function eitherWay(r: Int32Array, vr: Int32Array, passed: boolean, step: () => void): void {
  const [before, beforeV] = [r.slice(0, trackedWords), vr.slice(0, trackedWords)];
  step();
  for (let i = 0; i < trackedWords; i++) {
    vr[i] |= (before[i] ^ r[i]) | beforeV[i];
    if (!passed) r[i] = before[i];
  }
}
