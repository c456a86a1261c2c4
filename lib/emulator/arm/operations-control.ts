/**
 * Branches and what ends a run: Armv7-M ARM A4.3, A5.2.6, A5.3.4. A branch's target is a record index when it is
 * on the same 4 KiB page, else its address is looked up.
 */

/** ConditionPassed() for the condition codes 0 (EQ) to 13 (LE), A7.3. */
export const conditionTests = [
  'z === 0',
  'z !== 0',
  'c !== 0',
  'c === 0',
  'n < 0',
  'n >= 0',
  'v < 0',
  'v >= 0',
  'c !== 0 && z !== 0',
  'c === 0 || z === 0',
  '(n ^ v) >= 0',
  '(n ^ v) < 0',
  'z !== 0 && (n ^ v) >= 0',
  'z === 0 || (n ^ v) < 0',
] as const;

const conditional = (test: string) =>
  ({ exec: `if (${test}) NEAR(1) else k += LENGTH;`, branch: 1, jumps: true }) as const;

const branchTo = 'if (((x & 1) === 0 || x >>> 25 === 0x7f) && core.refusesBranch(x)) STOP;';

export const control = {
  nop: { exec: '' },
  /** $1: ITSTATE of the next instruction; the decoder has used it. */
  it: { exec: '' },
  b: { exec: 'NEAR(1)', branch: 1, jumps: true },
  b_eq: conditional(conditionTests[0]),
  b_ne: conditional(conditionTests[1]),
  b_cs: conditional(conditionTests[2]),
  b_cc: conditional(conditionTests[3]),
  b_mi: conditional(conditionTests[4]),
  b_pl: conditional(conditionTests[5]),
  b_vs: conditional(conditionTests[6]),
  b_vc: conditional(conditionTests[7]),
  b_hi: conditional(conditionTests[8]),
  b_ls: conditional(conditionTests[9]),
  b_ge: conditional(conditionTests[10]),
  b_lt: conditional(conditionTests[11]),
  b_gt: conditional(conditionTests[12]),
  b_le: conditional(conditionTests[13]),
  /** $1 target, $2 its address, $3 return address. */
  bl: { exec: 'r[14] = $3; NEAR(1)', branch: 1, jumps: true },
  /** $1 Rm, $2 return address. */
  blx: { exec: `const x = r[$1]; ${branchTo} r[14] = $2; JUMP(x & ~1)`, jumps: true },
  bx: { exec: `const x = r[$1]; ${branchTo} JUMP(x & ~1)`, jumps: true },
  /** BranchWritePC: bit 0 is ignored. MOV pc, Rm and ADD pc, Rm ($2 is added). */
  b_reg: { exec: 'JUMP((r[$1] + $2) & ~1)', jumps: true },
  /** $1 Rn, $2 target and $3 its address. */
  cbz: { exec: 'if (r[$1] === 0) NEAR(2) else k += LENGTH;', branch: 2, jumps: true },
  cbnz: { exec: 'if (r[$1] !== 0) NEAR(2) else k += LENGTH;', branch: 2, jumps: true },
  /** $1 Rn, $2 Rm, $3 the address that the table's entries count from. */
  tbb: {
    exec:
      'const a = (r[$1] + r[$2]) | 0, e = rt[a >>> 12] ^ 1; let x; if ((e & 1) === 0) x = m8[(e + a) >>> 0]; ' +
      'else { x = core.load8(a); if (core.stop !== 0) STOP; } JUMP($3 + 2 * x)',
    jumps: true,
  },
  tbh: {
    exec:
      'const a = (r[$1] + (r[$2] << 1)) | 0, e = rt[a >>> 12] ^ 1; let x; if (((e | a) & 1) === 0) x = m16[(e + a) >>> 1]; ' +
      'else { x = core.load16(a); if (core.stop !== 0) STOP; } JUMP($3 + 2 * x)',
    jumps: true,
  },
  /** The table follows the instruction: Rn is pc. */
  tbb_pc: {
    exec:
      'const a = ($3 + r[$2]) | 0, e = rt[a >>> 12] ^ 1; let x; if ((e & 1) === 0) x = m8[(e + a) >>> 0]; ' +
      'else { x = core.load8(a); if (core.stop !== 0) STOP; } JUMP($3 + 2 * x)',
    jumps: true,
  },
  tbh_pc: {
    exec:
      'const a = ($3 + (r[$2] << 1)) | 0, e = rt[a >>> 12] ^ 1; let x; if (((e | a) & 1) === 0) x = m16[(e + a) >>> 1]; ' +
      'else { x = core.load16(a); if (core.stop !== 0) STOP; } JUMP($3 + 2 * x)',
    jumps: true,
  },
} as const;
