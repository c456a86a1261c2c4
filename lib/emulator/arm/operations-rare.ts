/**
 * Operations that run in the second, cold function: shifted operands that set flags, saturation, exclusives,
 * special registers, and the ways to stop.
 */
const setNz = 'n = z = s;';
const addFlags = 'c = (s >>> 0) < (a >>> 0) ? 1 : 0; v = (a ^ s) & (b ^ s);';
const subFlags = 'c = (a >>> 0) >= (b >>> 0) ? 1 : 0; v = (a ^ b) & (a ^ s);';
const withCarry = 'const t = (a >>> 0) + (b >>> 0) + c, s = t | 0; c = t > 0xffffffff ? 1 : 0; v = (a ^ s) & (b ^ s);';

/** Shift_C() of the last register: then its SRType (0 LSL, 1 LSR, 2 ASR, 3 ROR, 4 RRX) and the amount. Gives b. */
const carry = 'const carry = core.shiftCarry;';
const operand3 = 'let b = core.shift(r[$3], $4, $5, c);';
const operand2 = 'const b = core.shift(r[$2], $3, $4, c);';

const logic = (result: string) =>
  ({ exec: `${operand3} ${carry} const s = r[$2] ${result}; ${setNz} c = carry; r[$1] = s;`, rare: true }) as const;
const sum = (text: string) => ({ exec: `${operand3} const a = r[$2]; ${text} r[$1] = s;`, rare: true }) as const;

export const rare = {
  ands_shifted: logic('& b'),
  bics_shifted: logic('& ~b'),
  orrs_shifted: logic('| b'),
  orns_shifted: logic('| ~b'),
  eors_shifted: logic('^ b'),
  tst_shifted: { exec: `${operand2} ${carry} const s = r[$1] & b; ${setNz} c = carry;`, rare: true },
  teq_shifted: { exec: `${operand2} ${carry} const s = r[$1] ^ b; ${setNz} c = carry;`, rare: true },
  mvn_shifted: { exec: `${operand2} r[$1] = ~b;`, rare: true },
  mvns_shifted: { exec: `${operand2} ${carry} const s = ~b; ${setNz} c = carry; r[$1] = s;`, rare: true },
  adds_shifted: sum(`const s = (a + b) | 0; ${setNz} ${addFlags}`),
  subs_shifted: sum(`const s = (a - b) | 0; ${setNz} ${subFlags}`),
  rsbs_shifted: sum(`const s = (b - a) | 0; ${setNz} c = (b >>> 0) >= (a >>> 0) ? 1 : 0; v = (a ^ b) & (b ^ s);`),
  adcs_shifted: sum(`${withCarry} ${setNz}`),
  sbcs_shifted: sum(`b = ~b; ${withCarry} ${setNz}`),
  cmp_shifted: { exec: `${operand2} const a = r[$1], s = (a - b) | 0; ${setNz} ${subFlags}`, rare: true },
  cmn_shifted: { exec: `${operand2} const a = r[$1], s = (a + b) | 0; ${setNz} ${addFlags}`, rare: true },
  /** RRX as second operand of the forms that set no flags. */
  and_rrx: { exec: 'r[$1] = r[$2] & ((r[$3] >>> 1) | (c << 31));', rare: true },
  bic_rrx: { exec: 'r[$1] = r[$2] & ~((r[$3] >>> 1) | (c << 31));', rare: true },
  orr_rrx: { exec: 'r[$1] = r[$2] | ((r[$3] >>> 1) | (c << 31));', rare: true },
  orn_rrx: { exec: 'r[$1] = r[$2] | ~((r[$3] >>> 1) | (c << 31));', rare: true },
  eor_rrx: { exec: 'r[$1] = r[$2] ^ ((r[$3] >>> 1) | (c << 31));', rare: true },
  add_rrx: { exec: 'r[$1] = r[$2] + ((r[$3] >>> 1) | (c << 31));', rare: true },
  sub_rrx: { exec: 'r[$1] = r[$2] - ((r[$3] >>> 1) | (c << 31));', rare: true },
  rsb_rrx: { exec: 'r[$1] = ((r[$3] >>> 1) | (c << 31)) - r[$2];', rare: true },
  adc_rrx: { exec: 'r[$1] = r[$2] + ((r[$3] >>> 1) | (c << 31)) + c;', rare: true },
  sbc_rrx: { exec: 'r[$1] = r[$2] - ((r[$3] >>> 1) | (c << 31)) - 1 + c;', rare: true },
  /** sp = $1 op shifted register, or with flags. $5: 1 = subtract; $6: 1 = set flags. */
  sp_shifted: {
    exec:
      `${operand2} const a = r[$1], s = ($5 !== 0 ? a - b : a + b) | 0; CHECK_SP(s & ~3) ` +
      `if ($6 !== 0) { ${setNz} if ($5 !== 0) { ${subFlags} } else { ${addFlags} } } r[13] = s & ~3;`,
    rare: true,
  },
  /** LDR to sp: $1 Rn (-1: $4 is the address), $2 Rm or -1, $3 shift, $4 offset, $5 0 offset, 1 pre-, 2 post-indexed. */
  ldr_sp: { exec: 'if (core.loadSp($1, $2, $3, $4, $5)) STOP;', rare: true },
  ssat: {
    exec: 'r[$1] = core.saturate(core.shift(r[$3], $4, $5, c), -(2 ** ($2 - 1)), 2 ** ($2 - 1) - 1);',
    rare: true,
  },
  usat: { exec: 'r[$1] = core.saturate(core.shift(r[$3], $4, $5, c), 0, 2 ** $2 - 1);', rare: true },
  /** $1 Rt, $2 Rn, $3 offset, $4 bytes. */
  ldrex: {
    exec: 'const a = (r[$2] + $3) | 0, x = core.loadAligned(a, $4); if (core.stop !== 0) STOP; core.mark(a, $4); r[$1] = x;',
    rare: true,
  },
  /** $1 Rd, $2 Rt, $3 Rn, $4 offset, $5 bytes. */
  strex: {
    exec: 'const x = core.storeExclusive((r[$3] + $4) | 0, $5, r[$2]); if (core.stop !== 0) STOP; r[$1] = x;',
    rare: true,
  },
  clrex: { exec: 'core.mark(0, 0);', rare: true },
  /** LDA, STL and their byte and halfword forms: $1 Rt, $2 Rn, $3 bytes. */
  lda: { exec: 'const x = core.loadAligned(r[$2], $3); if (core.stop !== 0) STOP; r[$1] = x;', rare: true },
  stl: { exec: 'core.storeAligned(r[$2], $3, r[$1]); if (core.stop !== 0) STOP;', rare: true },
  /** LDRT, STRT and their kin: $1 Rt, $2 Rn, $3 offset, $4 bytes, $5 1 = signed. */
  ldrt: {
    exec: 'const x = core.loadUnprivileged((r[$2] + $3) | 0, $4, $5); if (core.stop !== 0) STOP; r[$1] = x;',
    rare: true,
  },
  strt: { exec: 'core.storeUnprivileged((r[$2] + $3) | 0, $4, r[$1]); if (core.stop !== 0) STOP;', rare: true },
  /** $1 Rd, $2 SYSm. */
  mrs: { exec: 'const x = core.readSpecial($2); r[$1] = x;', rare: true },
  /** $1 SYSm, $2 Rn, $3 mask. */
  msr: {
    exec:
      'const x = r[$2]; if (core.writeSpecial($1, x, $3)) STOP; ' +
      'if ($1 < 4 && ($3 & 2) !== 0) { n = x; z = (x & 0x40000000) !== 0 ? 0 : 1; c = (x >>> 29) & 1; v = x << 3; }',
    rare: true,
  },
  /** $1 1 = disable (set), $2 bit 1 PRIMASK, bit 0 FAULTMASK. */
  cps: { exec: 'core.changeState($1, $2);', rare: true },
  /** A branch to a constant address with bit 0 clear. */
  b_even: { exec: 'core.refusesBranch($1); STOP;', rare: true },
  wfi: { exec: 'core.stop = 6;', rare: true },
  wfe: { exec: 'core.waitForEvent();', rare: true },
  sev: { exec: 'core.sendEvent();', rare: true },
  bkpt: { exec: 'core.stop = 4; STOP;', rare: true },
  svc: { exec: 'core.stop = 5; STOP;', rare: true },
  /** $1: index of the message in stopReasons. */
  undefined: { exec: 'core.failUndefined($1); STOP;', rare: true },
  not_implemented: { exec: 'core.failNotImplemented($1); STOP;', rare: true },
} as const;
