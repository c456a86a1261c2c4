/**
 * Data processing: Armv7-M ARM A4.4, pseudocode of A7.7. Names end in the second operand's form: imm, reg, or a
 * register with a constant shift; an `s` before it means that flags are set. Operand order: $1 Rd, $2 Rn, $3 Rm or immediate.
 */
const setNz = 'n = z = s;';
const addFlags = 'c = (s >>> 0) < (a >>> 0) ? 1 : 0; v = (a ^ s) & (b ^ s);';
const subFlags = 'c = (a >>> 0) >= (b >>> 0) ? 1 : 0; v = (a ^ b) & (a ^ s);';
const carryIn = 'const t = (a >>> 0) + (b >>> 0) + c; const s = t | 0;';

/** AddWithCarry() of the manual, for a and b. */
const addWithCarry = {
  add: `const s = (a + b) | 0; ${setNz} ${addFlags}`,
  sub: `const s = (a - b) | 0; ${setNz} ${subFlags}`,
  rsb: `const s = (b - a) | 0; ${setNz} c = (b >>> 0) >= (a >>> 0) ? 1 : 0; v = (a ^ b) & (b ^ s);`,
  adc: `${carryIn} ${setNz} c = t > 0xffffffff ? 1 : 0; v = (a ^ s) & (b ^ s);`,
  sbc: `b = ~b; ${carryIn} ${setNz} c = t > 0xffffffff ? 1 : 0; v = (a ^ s) & (b ^ s);`,
};

function plain(result: string) {
  const form = (second: string) => ({ exec: `const a = r[$2], b = ${second}; r[$1] = ${result};` });
  return {
    imm: form('$3'),
    reg: form('r[$3]'),
    lsl: form('r[$3] << $4'),
    lsr: form('r[$3] >>> $4'),
    asr: form('r[$3] >> $4'),
    ror: form('(r[$3] >>> $4) | (r[$3] << (32 - $4))'),
  };
}

function flagSetting(sum: string) {
  const form = (second: string) => ({ exec: `const a = r[$2]; let b = ${second}; ${sum} r[$1] = s;` });
  return { imm: form('$3'), reg: form('r[$3]') };
}

function compare(sum: string) {
  const form = (second: string) => ({ exec: `const a = r[$1], b = ${second}; ${sum}` });
  return { imm: form('$2'), reg: form('r[$2]') };
}

const add = plain('a + b');
const sub = plain('a - b');
const rsb = plain('b - a');
const adc = plain('a + b + c');
const sbc = plain('a - b - 1 + c');
const adds = flagSetting(addWithCarry.add);
const subs = flagSetting(addWithCarry.sub);
const rsbs = flagSetting(addWithCarry.rsb);
const adcs = flagSetting(addWithCarry.adc);
const sbcs = flagSetting(addWithCarry.sbc);
const cmp = compare(addWithCarry.sub);
const cmn = compare(addWithCarry.add);

export const arithmetic = {
  add_imm: add.imm,
  add_reg: add.reg,
  add_lsl: add.lsl,
  add_lsr: add.lsr,
  add_asr: add.asr,
  add_ror: add.ror,
  sub_imm: sub.imm,
  sub_reg: sub.reg,
  sub_lsl: sub.lsl,
  sub_lsr: sub.lsr,
  sub_asr: sub.asr,
  sub_ror: sub.ror,
  rsb_imm: rsb.imm,
  rsb_reg: rsb.reg,
  rsb_lsl: rsb.lsl,
  rsb_lsr: rsb.lsr,
  rsb_asr: rsb.asr,
  rsb_ror: rsb.ror,
  adc_imm: adc.imm,
  adc_reg: adc.reg,
  adc_lsl: adc.lsl,
  adc_lsr: adc.lsr,
  adc_asr: adc.asr,
  adc_ror: adc.ror,
  sbc_imm: sbc.imm,
  sbc_reg: sbc.reg,
  sbc_lsl: sbc.lsl,
  sbc_lsr: sbc.lsr,
  sbc_asr: sbc.asr,
  sbc_ror: sbc.ror,
  adds_imm: adds.imm,
  adds_reg: adds.reg,
  subs_imm: subs.imm,
  subs_reg: subs.reg,
  rsbs_imm: rsbs.imm,
  rsbs_reg: rsbs.reg,
  adcs_imm: adcs.imm,
  adcs_reg: adcs.reg,
  sbcs_imm: sbcs.imm,
  sbcs_reg: sbcs.reg,
  cmp_imm: cmp.imm,
  cmp_reg: cmp.reg,
  cmn_imm: cmn.imm,
  cmn_reg: cmn.reg,
  /** SP as destination: bits 1:0 are zero, and the limit holds. */
  sp_add_imm: { exec: 'const x = (r[$1] + $2) & ~3; CHECK_SP(x) r[13] = x;' },
  sp_add_reg: { exec: 'const x = (r[13] + r[$1]) & ~3; CHECK_SP(x) r[13] = x;' },
  sp_adds_imm: {
    exec: `const a = r[$1], b = $2; const s = (a + b) | 0; CHECK_SP(s & ~3) ${setNz} ${addFlags} r[13] = s & ~3;`,
  },
  sp_subs_imm: {
    exec: `const a = r[$1], b = $2; const s = (a - b) | 0; CHECK_SP(s & ~3) ${setNz} ${subFlags} r[13] = s & ~3;`,
  },
  sp_mov_imm: { exec: 'const x = $1 & ~3; CHECK_SP(x) r[13] = x;' },
  sp_set: { exec: 'const x = r[$1] & ~3; CHECK_SP(x) r[13] = x;' },
};

const and = plain('a & b');
const bic = plain('a & ~b');
const orr = plain('a | b');
const orn = plain('a | ~b');
const eor = plain('a ^ b');

function logicalFlags(result: string) {
  return {
    /** $4: the carry that ThumbExpandImm_C gives, 2 = unchanged. */
    imm: { exec: `const a = r[$2], b = $3; const s = ${result}; ${setNz} if ($4 < 2) c = $4; r[$1] = s;` },
    reg: { exec: `const a = r[$2], b = r[$3]; const s = ${result}; ${setNz} r[$1] = s;` },
  };
}

const ands = logicalFlags('a & b');
const bics = logicalFlags('a & ~b');
const orrs = logicalFlags('a | b');
const orns = logicalFlags('a | ~b');
const eors = logicalFlags('a ^ b');

export const logical = {
  and_imm: and.imm,
  and_reg: and.reg,
  and_lsl: and.lsl,
  and_lsr: and.lsr,
  and_asr: and.asr,
  and_ror: and.ror,
  bic_imm: bic.imm,
  bic_reg: bic.reg,
  bic_lsl: bic.lsl,
  bic_lsr: bic.lsr,
  bic_asr: bic.asr,
  bic_ror: bic.ror,
  orr_imm: orr.imm,
  orr_reg: orr.reg,
  orr_lsl: orr.lsl,
  orr_lsr: orr.lsr,
  orr_asr: orr.asr,
  orr_ror: orr.ror,
  orn_imm: orn.imm,
  orn_reg: orn.reg,
  orn_lsl: orn.lsl,
  orn_lsr: orn.lsr,
  orn_asr: orn.asr,
  orn_ror: orn.ror,
  eor_imm: eor.imm,
  eor_reg: eor.reg,
  eor_lsl: eor.lsl,
  eor_lsr: eor.lsr,
  eor_asr: eor.asr,
  eor_ror: eor.ror,
  ands_imm: ands.imm,
  ands_reg: ands.reg,
  bics_imm: bics.imm,
  bics_reg: bics.reg,
  orrs_imm: orrs.imm,
  orrs_reg: orrs.reg,
  orns_imm: orns.imm,
  orns_reg: orns.reg,
  eors_imm: eors.imm,
  eors_reg: eors.reg,
  tst_imm: { exec: `const s = r[$1] & $2; ${setNz} if ($3 < 2) c = $3;` },
  tst_reg: { exec: `const s = r[$1] & r[$2]; ${setNz}` },
  teq_imm: { exec: `const s = r[$1] ^ $2; ${setNz} if ($3 < 2) c = $3;` },
  teq_reg: { exec: `const s = r[$1] ^ r[$2]; ${setNz}` },
};

export const moves = {
  mov_imm: { exec: 'r[$1] = $2;' },
  movs_imm: { exec: `const s = $2; ${setNz} if ($3 < 2) c = $3; r[$1] = s;` },
  mov_reg: { exec: 'r[$1] = r[$2];' },
  movs_reg: { exec: `const s = r[$2]; ${setNz} r[$1] = s;` },
  mvn_reg: { exec: 'r[$1] = ~r[$2];' },
  mvns_reg: { exec: `const s = ~r[$2]; ${setNz} r[$1] = s;` },
  movt: { exec: 'r[$1] = (r[$1] & 0xffff) | $2;' },
};

/** Shifts by 32 and more, which JavaScript's operators take modulo 32. */
const byRegister = {
  lsl: 'const x = r[$2], i = r[$3] & 0xff; const s = i < 32 ? x << i : 0;',
  lsr: 'const x = r[$2], i = r[$3] & 0xff; const s = i < 32 ? x >>> i : 0;',
  asr: 'const x = r[$2], i = r[$3] & 0xff; const s = x >> (i < 32 ? i : 31);',
  ror: 'const x = r[$2], i = r[$3] & 0xff; const s = (x >>> (i & 31)) | (x << (-i & 31));',
};

const carryOut = {
  lsl: 'if (i > 0) c = i <= 32 ? (x >>> (32 - i)) & 1 : 0;',
  lsr: 'if (i > 0) c = i <= 32 ? (x >>> (i - 1)) & 1 : 0;',
  asr: 'if (i > 0) c = (x >>> (i < 32 ? i - 1 : 31)) & 1;',
  ror: 'if (i > 0) c = s >>> 31;',
};

export const shifts = {
  lsl_imm: { exec: 'r[$1] = r[$2] << $3;' },
  lsr_imm: { exec: 'r[$1] = r[$2] >>> $3;' },
  asr_imm: { exec: 'r[$1] = r[$2] >> $3;' },
  ror_imm: { exec: 'const x = r[$2]; r[$1] = (x >>> $3) | (x << (32 - $3));' },
  rrx: { exec: 'r[$1] = (r[$2] >>> 1) | (c << 31);' },
  lsls_imm: { exec: `const x = r[$2]; c = (x >>> (32 - $3)) & 1; const s = x << $3; ${setNz} r[$1] = s;` },
  lsrs_imm: { exec: `const x = r[$2]; c = (x >>> ($3 - 1)) & 1; const s = x >>> $3 | 0; ${setNz} r[$1] = s;` },
  asrs_imm: { exec: `const x = r[$2]; c = (x >>> ($3 - 1)) & 1; const s = x >> $3; ${setNz} r[$1] = s;` },
  lsrs_32: { exec: 'c = r[$2] >>> 31; n = z = 0; r[$1] = 0;' },
  asrs_32: { exec: `const s = r[$2] >> 31; c = s & 1; ${setNz} r[$1] = s;` },
  rors_imm: { exec: `const x = r[$2]; const s = (x >>> $3) | (x << (32 - $3)); c = s >>> 31; ${setNz} r[$1] = s;` },
  rrxs: { exec: `const x = r[$2]; const s = (x >>> 1) | (c << 31); c = x & 1; ${setNz} r[$1] = s;` },
  lsl_reg: { exec: `${byRegister.lsl} r[$1] = s;` },
  lsr_reg: { exec: `${byRegister.lsr} r[$1] = s;` },
  asr_reg: { exec: `${byRegister.asr} r[$1] = s;` },
  ror_reg: { exec: `${byRegister.ror} r[$1] = s;` },
  lsls_reg: { exec: `${byRegister.lsl} ${carryOut.lsl} n = z = s; r[$1] = s;` },
  lsrs_reg: { exec: `${byRegister.lsr} ${carryOut.lsr} n = z = s | 0; r[$1] = s;` },
  asrs_reg: { exec: `${byRegister.asr} ${carryOut.asr} n = z = s; r[$1] = s;` },
  rors_reg: { exec: `${byRegister.ror} ${carryOut.ror} n = z = s; r[$1] = s;` },
};
