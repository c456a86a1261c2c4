/**
 * Where the CPU's state lies in the first page of the machine's memory, in words. It is all plain data:
 * copying this page and the guest bytes is a snapshot.
 *
 * The condition flags are kept as the interpreter computes them: N is bit 31 of `flagN`, Z is `flagZ === 0`,
 * C is 0 or 1, V is bit 31 of `flagV`. R13 is the stack pointer in use; the other one is in `otherSp`.
 */
export const State = {
  /** 0..15: R0..R15. */
  sp: 13,
  lr: 14,
  pc: 15,
  flagN: 16,
  flagZ: 17,
  flagC: 18,
  flagV: 19,
  flagQ: 20,
  itState: 21,
  /** Exception number; 0 in Thread mode. */
  ipsr: 22,
  primask: 23,
  basepri: 24,
  faultmask: 25,
  control: 26,
  /** PSP while MSP is in use, MSP while PSP is. */
  otherSp: 27,
  msplim: 28,
  psplim: 29,
  /** Local exclusive monitor: bytes marked, 0 = open. */
  monitorSize: 30,
  monitorAddress: 31,
  /** Set by SEV, cleared by WFE. */
  event: 32,
  /** CCR bits UNALIGN_TRP (3) and DIV_0_TRP (4). */
  ccr: 33,
  /** Limit for sp that the user of the machine has set; 0 = none. */
  stackLimit: 34,
  /** Instructions executed: low and high 32 bits. */
  countLow: 36,
  countHigh: 37,
  /** APSR.GE, four bits. */
  ge: 38,
  fpscr: 39,
  /** Not 0 when a floating-point instruction must not simply execute: see updateFpAttention(). */
  fpAttention: 40,
  cpacr: 41,
  fpccr: 42,
  fpcar: 43,
  fpdscr: 44,
  /** Bits of CONTROL that the core has. */
  controlMask: 45,
  /** 64..95: S0..S31; D0 is S0 and S1, at a multiple of 8 bytes. */
  s0: 64,
} as const;

export const Ccr = { unalignTrap: 1 << 3, divideByZeroTrap: 1 << 4 } as const;

export const Fpccr = { LSPACT: 1, LSPEN: 1 << 30, ASPEN: 1 << 31 } as const;

const controlFpca = 4;
/** CPACR.CP10: 0 no access, 1 privileged access only, 3 full access. */
export const cp10Access = (state: Int32Array) => (state[State.cpacr] >>> 20) & 3;

/**
 * Floating-point instructions need a look when the coprocessor is not accessible to everybody, the state of an interrupted context
 * is still to be saved (LSPACT), or the first one makes the context a floating-point one (FPCA). Armv7-M ARM A2.5.2 ExecuteFPCheck.
 */
export function updateFpAttention(state: Int32Array): void {
  const makesContext = (state[State.fpccr] & Fpccr.ASPEN) !== 0 && (state[State.control] & controlFpca) === 0;
  const calm = cp10Access(state) === 3 && (state[State.fpccr] & Fpccr.LSPACT) === 0 && !makesContext;
  state[State.fpAttention] = calm ? 0 : 1;
}

/** XPSR as one word, from the parts. T is always set. */
export function readXpsr(state: Int32Array): number {
  const it = state[State.itState];
  return (
    (state[State.flagN] & 0x80000000) |
    (state[State.flagZ] === 0 ? 1 << 30 : 0) |
    (state[State.flagC] << 29) |
    ((state[State.flagV] >>> 31) << 28) |
    (state[State.flagQ] << 27) |
    (state[State.ge] << 16) |
    ((it & 3) << 25) |
    (1 << 24) |
    ((it >> 2) << 10) |
    state[State.ipsr]
  );
}

export function writeApsr(state: Int32Array, value: number): void {
  state[State.flagN] = value;
  state[State.flagZ] = value & (1 << 30) ? 0 : 1;
  state[State.flagC] = (value >>> 29) & 1;
  state[State.flagV] = value << 3;
  state[State.flagQ] = (value >>> 27) & 1;
  state[State.ge] = (value >>> 16) & 15;
}

export function writeXpsr(state: Int32Array, value: number): void {
  writeApsr(state, value);
  state[State.itState] = ((value >>> 25) & 3) | ((value >>> 8) & 0xfc);
  state[State.ipsr] = value & 0x1ff;
}
