/**
 * MRS, MSR and CPS: Armv7-M ARM B5.2, Armv8-M ARM C2.4 (MSPLIM, PSPLIM). SYSm numbers as in the encoding.
 * Unprivileged Thread mode reads zero and writes nothing but the APSR.
 */
import { readXpsr, State, updateFpAttention } from './state';

/** What writeSpecialRegister needs of the core. */
interface StackUser {
  usesPsp(): boolean;
  readonly limit: number;
}

const privileged = (state: Int32Array) => (state[State.control] & 1) === 0 || state[State.ipsr] !== 0;

const xpsrParts = { apsr: 0xf80f0000, ipsr: 0x1ff };

export function readSpecialRegister(state: Int32Array, SYSm: number, psp: boolean): number {
  if (SYSm <= 7) {
    // EPSR bits read as zero. SYSm bit 0: IPSR, bit 2 clear: APSR.
    const mask = (SYSm & 1 ? xpsrParts.ipsr : 0) | ((SYSm & 4) === 0 ? xpsrParts.apsr : 0);
    return readXpsr(state) & mask;
  }
  if (SYSm === 20) return state[State.control];
  if (!privileged(state)) return 0;
  switch (SYSm) {
    case 8:
      return psp ? state[State.otherSp] : state[State.sp];
    case 9:
      return psp ? state[State.sp] : state[State.otherSp];
    case 10:
      return state[State.msplim];
    case 11:
      return state[State.psplim];
    case 16:
      return state[State.primask];
    case 17:
    case 18:
      return state[State.basepri];
    default:
      return state[State.faultmask];
  }
}

/** Returns the value that sp would have when a stack limit forbids it. APSR's N Z C V are the interpreter's. */
export function writeSpecialRegister(
  state: Int32Array,
  SYSm: number,
  value: number,
  mask: number,
  user: StackUser,
): number | undefined {
  if (SYSm < 4 && (mask & 2) !== 0) state[State.flagQ] = (value >>> 27) & 1;
  if (SYSm < 4 && (mask & 1) !== 0) state[State.ge] = (value >>> 16) & 15;
  if (SYSm < 8 || !privileged(state)) return undefined;
  const psp = user.usesPsp();
  switch (SYSm) {
    case 8:
    case 9: {
      const limit = SYSm === 8 ? state[State.msplim] : state[State.psplim];
      const active = (SYSm === 9) === psp;
      const lowest = active ? Math.max(user.limit, limit >>> 0) : limit >>> 0;
      if ((value & ~3) >>> 0 < lowest) return value & ~3;
      state[active ? State.sp : State.otherSp] = value & ~3;
      break;
    }
    case 10:
      state[State.msplim] = value & ~7;
      break;
    case 11:
      state[State.psplim] = value & ~7;
      break;
    case 16:
      state[State.primask] = value & 1;
      break;
    case 17:
      state[State.basepri] = value & 0xff;
      break;
    case 18:
      // BASEPRI_MAX: only a higher priority (a lower number, not 0) takes effect.
      raiseBasepri(state, value & 0xff);
      break;
    case 19:
      state[State.faultmask] = value & 1;
      break;
    case 20:
      setControl(state, value, psp);
      break;
  }
  return undefined;
}

function raiseBasepri(state: Int32Array, value: number): void {
  const old = state[State.basepri];
  if (value !== 0 && (old === 0 || value < old)) state[State.basepri] = value;
}

/** SPSEL takes effect in Thread mode: sp and the other stack pointer change places. */
export function setControl(state: Int32Array, value: number, psp: boolean): void {
  const handler = state[State.ipsr] !== 0;
  // nPRIV, SPSEL and, with the Floating-point Extension, FPCA.
  const written = value & state[State.controlMask];
  const bits = handler ? (written & ~2) | (state[State.control] & 2) : written;
  state[State.control] = bits;
  updateFpAttention(state);
  if (!handler && ((bits & 2) !== 0) !== psp) {
    const other = state[State.otherSp];
    state[State.otherSp] = state[State.sp];
    state[State.sp] = other;
  }
}

export function changeProcessorState(state: Int32Array, disable: number, which: number): void {
  if (!privileged(state)) return;
  if (which & 2) state[State.primask] = disable;
  if (which & 1) state[State.faultmask] = disable;
}
