/**
 * Multiply, divide, bit-field, extend and reverse: Armv7-M ARM A4.4.3 to A4.4.8. $1 Rd (or RdLo), then the manual's order.
 */
/** High word of the unsigned product of a and b, by 16-bit halves. */
const unsignedHigh =
  'const al = a & 0xffff, ah = a >>> 16, bl = b & 0xffff, bh = b >>> 16; ' +
  'const p = (ah * bl + ((al * bl) >>> 16)) >>> 0, q = (al * bh + (p & 0xffff)) >>> 0; ' +
  'const hi = ah * bh + (p >>> 16) + (q >>> 16);';

const signedHigh = 'hi - (a < 0 ? b : 0) - (b < 0 ? a : 0)';
const lowSum = 'const lo = (Math.imul(a, b) >>> 0) + (r[$1] >>> 0); r[$1] = lo;';

export const multiplies = {
  mul: { exec: 'r[$1] = Math.imul(r[$2], r[$3]);' },
  muls: { exec: 'const s = Math.imul(r[$2], r[$3]); n = z = s; r[$1] = s;' },
  mla: { exec: 'r[$1] = r[$4] + Math.imul(r[$2], r[$3]);' },
  mls: { exec: 'r[$1] = r[$4] - Math.imul(r[$2], r[$3]);' },
  /** $1 RdLo, $2 RdHi, $3 Rn, $4 Rm. */
  umull: { exec: `const a = r[$3], b = r[$4]; ${unsignedHigh} r[$1] = Math.imul(a, b); r[$2] = hi;` },
  smull: { exec: `const a = r[$3], b = r[$4]; ${unsignedHigh} r[$1] = Math.imul(a, b); r[$2] = ${signedHigh};` },
  umlal: {
    exec: `const a = r[$3], b = r[$4]; ${unsignedHigh} ${lowSum} r[$2] = r[$2] + hi + (lo > 0xffffffff ? 1 : 0);`,
  },
  smlal: {
    exec: `const a = r[$3], b = r[$4]; ${unsignedHigh} ${lowSum} r[$2] = r[$2] + ${signedHigh} + (lo > 0xffffffff ? 1 : 0);`,
  },
  sdiv: {
    exec: 'const a = r[$2], b = r[$3]; if (b === 0 && core.refusesDivision()) STOP; r[$1] = b === 0 ? 0 : (a / b) | 0;',
  },
  udiv: {
    exec: 'const a = r[$2], b = r[$3]; if (b === 0 && core.refusesDivision()) STOP; r[$1] = b === 0 ? 0 : ((a >>> 0) / (b >>> 0)) | 0;',
  },
} as const;

export const bitFields = {
  bfc: { exec: 'r[$1] &= ~$2;' },
  bfi: { exec: 'r[$1] = (r[$1] & ~$4) | ((r[$2] << $3) & $4);' },
  ubfx: { exec: 'r[$1] = (r[$2] >>> $3) & $4;' },
  sbfx: { exec: 'r[$1] = (r[$2] << $3) >> $4;' },
  sxtb: { exec: 'r[$1] = (r[$2] << 24) >> 24;' },
  sxth: { exec: 'r[$1] = (r[$2] << 16) >> 16;' },
  uxtb: { exec: 'r[$1] = r[$2] & 0xff;' },
  uxth: { exec: 'r[$1] = r[$2] & 0xffff;' },
  /** With a rotation of 8, 16 or 24. */
  sxtb_ror: { exec: 'const x = r[$2]; r[$1] = (((x >>> $3) | (x << (32 - $3))) << 24) >> 24;' },
  sxth_ror: { exec: 'const x = r[$2]; r[$1] = (((x >>> $3) | (x << (32 - $3))) << 16) >> 16;' },
  uxtb_ror: { exec: 'r[$1] = (r[$2] >>> $3) & 0xff;' },
  uxth_ror: { exec: 'const x = r[$2]; r[$1] = ((x >>> $3) | (x << (32 - $3))) & 0xffff;' },
  clz: { exec: 'r[$1] = Math.clz32(r[$2]);' },
  rev: {
    exec: 'const x = r[$2]; r[$1] = (x << 24) | ((x & 0xff00) << 8) | ((x >>> 8) & 0xff00) | (x >>> 24);',
  },
  rev16: { exec: 'const x = r[$2]; r[$1] = ((x & 0xff00ff) << 8) | ((x >>> 8) & 0xff00ff);' },
  revsh: { exec: 'const x = r[$2]; r[$1] = ((x << 24) >> 16) | ((x >>> 8) & 0xff);' },
  rbit: {
    exec:
      'let x = r[$2]; x = ((x >>> 1) & 0x55555555) | ((x & 0x55555555) << 1); ' +
      'x = ((x >>> 2) & 0x33333333) | ((x & 0x33333333) << 2); x = ((x >>> 4) & 0x0f0f0f0f) | ((x & 0x0f0f0f0f) << 4); ' +
      'r[$1] = (x << 24) | ((x & 0xff00) << 8) | ((x >>> 8) & 0xff00) | (x >>> 24);',
    rare: true,
  },
} as const;
