/**
 * Operations of the Floating-point Extension: Armv7-M ARM A6.4 to A6.7. Registers are operands by the index of their first
 * state word (State.s0 + n), so that transfers are moves of words. Arithmetic runs in the cold function: see float-unit.ts.
 * r[39] is FPSCR. r[40] is not 0 when an instruction of the extension is refused or the first one of its context.
 */
const access = 'if (r[40] !== 0 && core.refusesFp()) STOP; ';
const hot = (exec: string) => ({ exec: access + exec }) as const;
const cold = (exec: string) => ({ exec: access + exec, rare: true }) as const;

const loadWord =
  'const e = rt[a >>> 12] ^ 1; let x; if (((e | a) & 3) === 0) x = m32[(e + a) >>> 2]; else { x = core.loadAligned(a, 4); if (core.stop !== 0) STOP; }';
const storeWord =
  'const e = wt[a >>> 12] ^ 1; if (((e | a) & 3) === 0) m32[(e + a) >>> 2] = r[$1]; else { core.storeAligned(a, 4, r[$1]); if (core.stop !== 0) STOP; }';
const loadBlock = (count: string) =>
  `const e = rt[a >>> 12] ^ 1; let f, h; if (((e | a) & 3) === 0 && (a & 0xfff) + 4 * ${count} <= 4096) { f = m32; h = (e + a) >>> 2; } ` +
  `else { if (core.loadMultiple(a, ${count})) STOP; f = core.transfer; h = 0; }`;
const storeBlock = (count: string, put: (f: string, h: string) => string) =>
  `const e = wt[a >>> 12] ^ 1; if (((e | a) & 3) === 0 && (a & 0xfff) + 4 * ${count} <= 4096) { const h = (e + a) >>> 2; ${put('m32', 'h')} } ` +
  `else { const f = core.transfer; ${put('f', '0')} if (core.storeMultiple(a, ${count})) STOP; }`;

const block =
  'const a = (r[$1] + $4) | 0, w = (r[$1] + $5) | 0; if ($1 === 13) { CHECK_SP(w < a ? w : a) } const count = $3;';
const copyWords = (f: string, h: string) => `for (let i = 0; i < count; i++) ${f}[${h} + i] = r[$2 + i];`;
const copyTwo = (f: string, h: string) => `${f}[${h}] = r[$1]; ${f}[${h} + 1] = r[$1 + 1];`;

const transfers = {
  /** $1 register, $2 Rn, $3 offset; or $2 the address. */
  vldr_f32: hot(`const a = (r[$2] + $3) | 0; ${loadWord} r[$1] = x;`),
  vldr_lit_f32: hot(`const a = $2; ${loadWord} r[$1] = x;`),
  vstr_f32: hot(`const a = (r[$2] + $3) | 0; ${storeWord}`),
  vldr_f64: hot(`const a = (r[$2] + $3) | 0; ${loadBlock('2')} r[$1] = f[h]; r[$1 + 1] = f[h + 1];`),
  vldr_lit_f64: hot(`const a = $2; ${loadBlock('2')} r[$1] = f[h]; r[$1 + 1] = f[h + 1];`),
  vstr_f64: hot(`const a = (r[$2] + $3) | 0; ${storeBlock('2', copyTwo)}`),
  /** $1 Rn, $2 first register, $3 words, $4 from Rn to the first address, $5 added to Rn (FLDMX and FSTMX: one word more). */
  vldm: hot(`${block} ${loadBlock('count')} for (let i = 0; i < count; i++) r[$2 + i] = f[h + i]; r[$1] = w;`),
  vstm: hot(`${block} ${storeBlock('count', copyWords)} r[$1] = w;`),
  /** One word, between registers of any kind. */
  vmov_word: hot('r[$1] = r[$2];'),
  /** Two words: $1 from $2, $3 from $4. */
  vmov_words: hot('r[$1] = r[$2]; r[$3] = r[$4];'),
  vmov_imm: hot('r[$1] = $2;'),
  vmov_imm_words: hot('r[$1] = $2; r[$1 + 1] = $3;'),
  vmrs: hot('r[$1] = r[39];'),
  vmrs_apsr: hot('const x = r[39]; n = x; z = (x & 0x40000000) !== 0 ? 0 : 1; c = (x >>> 29) & 1; v = x << 3;'),
  vmsr: hot('r[39] = r[$1] & 0xf7c0009f;'),
  vabs_f32: hot('r[$1] = r[$2] & 0x7fffffff;'),
  vabs_f64: hot('r[$1] = r[$2]; r[$1 + 1] = r[$2 + 1] & 0x7fffffff;'),
  vneg_f32: hot('r[$1] = r[$2] ^ 0x80000000;'),
  vneg_f64: hot('r[$1] = r[$2]; r[$1 + 1] = r[$2 + 1] ^ 0x80000000;'),
};

/** VSEL's conditions: EQ, VS, GE, GT in $4. */
const selects = 'const t = $4 === 0 ? z === 0 : $4 === 1 ? v < 0 : $4 === 2 ? (n ^ v) >= 0 : z !== 0 && (n ^ v) >= 0;';

/** $1 Vd, $2 Vn, $3 Vm; unary $1 Vd, $2 Vm. */
const arithmetic = {
  vadd_f32: cold('core.fpu.add32($1, $2, $3);'),
  vadd_f64: cold('core.fpu.add64($1, $2, $3);'),
  vsub_f32: cold('core.fpu.sub32($1, $2, $3);'),
  vsub_f64: cold('core.fpu.sub64($1, $2, $3);'),
  /** $4: 1 = VNMUL. */
  vmul_f32: cold('core.fpu.mul32($1, $2, $3, $4);'),
  vmul_f64: cold('core.fpu.mul64($1, $2, $3, $4);'),
  vdiv_f32: cold('core.fpu.div32($1, $2, $3);'),
  vdiv_f64: cold('core.fpu.div64($1, $2, $3);'),
  vsqrt_f32: cold('core.fpu.sqrt32($1, $2);'),
  vsqrt_f64: cold('core.fpu.sqrt64($1, $2);'),
  /** $4: Negate. VMLA, VMLS, VNMLA, VNMLS; VFMA, VFMS, VFNMA, VFNMS. */
  vmla_f32: cold('core.fpu.mla32($1, $2, $3, $4);'),
  vmla_f64: cold('core.fpu.mla64($1, $2, $3, $4);'),
  vfma_f32: cold('core.fpu.fma32($1, $2, $3, $4);'),
  vfma_f64: cold('core.fpu.fma64($1, $2, $3, $4);'),
  /** $1 Vd, $2 Vm or -1 for zero, $3 1 = VCMPE. */
  vcmp_f32: cold('core.fpu.compare32($1, $2, $3);'),
  vcmp_f64: cold('core.fpu.compare(64, $1, $2, $3);'),
  /** $4: 1 VMAXNM, -1 VMINNM. */
  vmaxnm_f32: cold('core.fpu.maximum(32, $1, $2, $3, $4);'),
  vmaxnm_f64: cold('core.fpu.maximum(64, $1, $2, $3, $4);'),
  vsel_f32: cold(`${selects} r[$1] = t ? r[$2] : r[$3];`),
  vsel_f64: cold(`${selects} const x = t ? $2 : $3; r[$1] = r[x]; r[$1 + 1] = r[x + 1];`),
  /** $3 rounding mode or -1 for FPSCR's, $4 1 = VRINTX. */
  vrint_f32: cold('core.fpu.roundToIntegral(32, $1, $2, $3, $4);'),
  vrint_f64: cold('core.fpu.roundToIntegral(64, $1, $2, $3, $4);'),
  /** $3 1 = signed, $4 rounding mode. */
  vcvt_int_f32: cold('core.fpu.toInteger(32, $1, $2, $3, $4);'),
  vcvt_int_f64: cold('core.fpu.toInteger(64, $1, $2, $3, $4);'),
  vcvt_f32_int: cold('core.fpu.fromInteger(32, $1, $2, $3);'),
  vcvt_f64_int: cold('core.fpu.fromInteger(64, $1, $2, $3);'),
  /** $1 Vd, $2 size, $3 1 = signed, $4 fraction bits. */
  vcvt_fixed_f32: cold('core.fpu.toFixed(32, $1, $2, $3, $4);'),
  vcvt_fixed_f64: cold('core.fpu.toFixed(64, $1, $2, $3, $4);'),
  vcvt_f32_fixed: cold('core.fpu.fromFixed(32, $1, $2, $3, $4);'),
  vcvt_f64_fixed: cold('core.fpu.fromFixed(64, $1, $2, $3, $4);'),
  vcvt_f64_f32: cold('core.fpu.toDouble($1, $2);'),
  vcvt_f32_f64: cold('core.fpu.toSingle($1, $2);'),
  /** $3: 16 = VCVTT, the top half. */
  vcvt_f32_half: cold('core.fpu.fromHalf(32, $1, $2, $3);'),
  vcvt_f64_half: cold('core.fpu.fromHalf(64, $1, $2, $3);'),
  vcvt_half_f32: cold('core.fpu.toHalf(32, $1, $2, $3);'),
  vcvt_half_f64: cold('core.fpu.toHalf(64, $1, $2, $3);'),
};

export const floatingPoint = { ...transfers, ...arithmetic } as const;
