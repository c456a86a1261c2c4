/** CSRs, the ways to stop, and what a hart does not have. */
export const systemOperations = {
  /** $1 rd, $2 word of rs1 or -1, $3 immediate, $4 kind, $5 CSR, $6 what is done: see rows-base.ts. */
  csr: { exec: 'if (core.csr.access($1, $2, $3, $4, $5, $6)) STOP;', rare: true },
  /** Stores drop the predecoded instructions that they change at once: nothing is left to do. */
  fence_i: { exec: '', rare: true },
  mret: { exec: 'if (core.returnFromTrap()) STOP;', rare: true },
  wfi: { exec: 'if (core.refusesWait()) STOP; core.stop = 6;', rare: true },
  ecall: { exec: 'core.stop = 5; STOP;', rare: true },
  ebreak: { exec: 'core.stop = 4; STOP;', rare: true },
  illegal: { exec: 'core.illegal(); STOP;', rare: true },
} as const;
