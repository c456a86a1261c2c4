/** ConditionPassed() of an instruction in an IT block (Armv7-M ARM A7.3): by the condition's code, 0 (EQ) to 14 (AL). */
import { State } from './state';

export function conditionPassed(state: Int32Array, code: number): boolean {
  const isEven = evenPassed(state, code & 14);
  return code === 14 ? true : isEven === ((code & 1) === 0);
}

/** Those of the odd codes are the opposites. */
function evenPassed(state: Int32Array, code: number): boolean {
  const [n, z, c, v] = [State.flagN, State.flagZ, State.flagC, State.flagV].map((word) => state[word]);
  switch (code) {
    case 0:
      return z === 0;
    case 2:
      return c !== 0;
    case 4:
      return n < 0;
    case 6:
      return v < 0;
    case 8:
      return c !== 0 && z !== 0;
    case 10:
      return (n ^ v) >= 0;
    default:
      return z !== 0 && (n ^ v) >= 0;
  }
}
