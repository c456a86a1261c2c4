/**
 * Where a hart's state lies in the first page of the machine's memory, in words. It is all plain data: copying this
 * page and the guest bytes is a snapshot.
 *
 * x0 to x31 are words 0 to 31 of RV32, pairs of words (low, high) 0 to 63 of RV64. x0 is never written: instructions
 * whose rd is x0 write to `sink`. f0 to f31 are pairs of words; a single in a 64-bit register is NaN-boxed.
 * CSRs of XLEN bits are pairs; their high words are 0 on RV32.
 */
export const State = {
  /** Register that stands for x0 as a destination: one word of RV32, a pair of RV64. */
  sink: 64,
  /** Address of the next instruction; an RV64 hart has no memory above 4 GiB, so its upper half is always 0. */
  pc: 66,
  /** 0 = user, 3 = machine. */
  privilege: 67,
  f: 68,
  /** Accrued exceptions NX UF OF DZ NV (bits 0 to 4), and the rounding mode. */
  fflags: 132,
  frm: 133,
  mstatus: 136,
  mie: 138,
  mip: 140,
  mtvec: 142,
  mscratch: 144,
  mepc: 146,
  mcause: 148,
  mtval: 150,
  mcounteren: 152,
  mcountinhibit: 153,
  /** Instructions executed: low and high 32 bits. */
  countLow: 154,
  countHigh: 155,
  /** What mcycle and minstret are ahead of that count by; while inhibited, their value. */
  cycleOffset: 156,
  instretOffset: 158,
  /** LR's reservation: 0 = none, else the bytes reserved; where, and what was read there. */
  reservedSize: 160,
  reservedAddress: 161,
  reservedValue: 162,
  /** Limit for sp that the user of the machine has set; 0 = none. */
  stackLimit: 164,
  /** 16 configuration bytes, then 16 pairs of address bits. */
  pmpcfg: 168,
  pmpaddr: 172,
} as const;

export const Privilege = { user: 0, machine: 3 } as const;

/** Fields of mstatus (privileged specification 3.1.6) that a hart of machine and user mode has. */
export const Mstatus = {
  MIE: 1 << 3,
  MPIE: 1 << 7,
  MPP: 3 << 11,
  FS: 3 << 13,
  MPRV: 1 << 17,
  TW: 1 << 21,
} as const;

/** Registers by number, as the instruction set's ABI calls them (psABI, section 1.1 and 1.2). */
export const integerNames = (
  'zero ra sp gp tp t0 t1 t2 s0 s1 a0 a1 a2 a3 a4 a5 a6 a7 ' + 's2 s3 s4 s5 s6 s7 s8 s9 s10 s11 t3 t4 t5 t6'
).split(' ');
export const floatNames = (
  'ft0 ft1 ft2 ft3 ft4 ft5 ft6 ft7 fs0 fs1 fa0 fa1 fa2 fa3 fa4 fa5 fa6 fa7 ' +
  'fs2 fs3 fs4 fs5 fs6 fs7 fs8 fs9 fs10 fs11 ft8 ft9 ft10 ft11'
).split(' ');
