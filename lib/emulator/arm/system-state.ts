/**
 * Where the system level keeps its state, in words of the machine's first page behind those of state.ts, and the bits of its
 * registers by the names of Armv7-M ARM B3.2 and Armv8-M ARM D1.2. Exceptions are numbered as in IPSR.
 */
export const System = {
  vtor: 128,
  /** AIRCR.PRIGROUP. */
  prigroup: 129,
  scr: 130,
  cfsr: 131,
  hfsr: 132,
  mmfar: 133,
  bfar: 134,
  afsr: 135,
  systCsr: 136,
  systRvr: 137,
  systCvr: 138,
  mpuCtrl: 139,
  mpuRnr: 140,
  mpuMair0: 141,
  mpuMair1: 142,
  /** SHCSR's enable bits. */
  shcsrEnable: 143,
  /** Bitmaps of 256 exceptions: eight words each. */
  pending: 144,
  active: 152,
  enabled: 160,
  /** Priorities: a byte an exception, 64 words. */
  priorities: 168,
  /** RBAR and RASR (or RLAR) of 16 regions. */
  mpuRbar: 240,
  mpuRlar: 256,
} as const;

export const Exception = {
  Reset: 1,
  NMI: 2,
  HardFault: 3,
  MemManage: 4,
  BusFault: 5,
  UsageFault: 6,
  SVCall: 11,
  DebugMonitor: 12,
  PendSV: 14,
  SysTick: 15,
} as const;

/** CFSR. */
export const Cfsr = {
  IACCVIOL: 1 << 0,
  DACCVIOL: 1 << 1,
  MUNSTKERR: 1 << 3,
  MSTKERR: 1 << 4,
  MLSPERR: 1 << 5,
  MMARVALID: 1 << 7,
  IBUSERR: 1 << 8,
  PRECISERR: 1 << 9,
  UNSTKERR: 1 << 11,
  STKERR: 1 << 12,
  LSPERR: 1 << 13,
  BFARVALID: 1 << 15,
  UNDEFINSTR: 1 << 16,
  INVSTATE: 1 << 17,
  INVPC: 1 << 18,
  NOCP: 1 << 19,
  STKOF: 1 << 20,
  UNALIGNED: 1 << 24,
  DIVBYZERO: 1 << 25,
} as const;

export const Hfsr = { VECTTBL: 1 << 1, FORCED: 1 << 30 } as const;
export const CcrBits = { NONBASETHRDENA: 1, BFHFNMIGN: 1 << 8, STKALIGN: 1 << 9 } as const;
export const Systick = { ENABLE: 1, TICKINT: 2, COUNTFLAG: 1 << 16 } as const;

const words = 8;

export function hasBit(state: Int32Array, base: number, number: number): boolean {
  return ((state[base + (number >>> 5)] >>> (number & 31)) & 1) === 1;
}

export function setBit(state: Int32Array, base: number, number: number, value: boolean): void {
  const word = base + (number >>> 5);
  const bit = 1 << (number & 31);
  state[word] = value ? state[word] | bit : state[word] & ~bit;
}

/** Numbers of the set bits, lowest first. */
export function bitsOf(state: Int32Array, base: number): number[] {
  const numbers: number[] = [];
  for (let i = 0; i < words; i++) {
    for (let left = state[base + i]; left !== 0; left &= left - 1) numbers.push(32 * i + 31 - Math.clz32(left & -left));
  }
  return numbers;
}

export function priorityByte(state: Int32Array, number: number): number {
  return (state[System.priorities + (number >>> 2)] >>> (8 * (number & 3))) & 0xff;
}

export function setPriorityByte(state: Int32Array, number: number, value: number): void {
  const word = System.priorities + (number >>> 2);
  const shift = 8 * (number & 3);
  state[word] = (state[word] & ~(0xff << shift)) | ((value & 0xff) << shift);
}
