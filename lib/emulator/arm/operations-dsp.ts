/**
 * Operations of the DSP Extension: Armv7-M ARM A4.4.3 to A4.4.7, pseudocode of A7.7. They run in the cold function.
 * r[20] is the Q flag; halves are taken by a shift operand: 16 for the bottom half, 0 for the top one.
 */
const rareOperation = (exec: string) => ({ exec, rare: true }) as const;

/** SInt(result) does not fit 32 bits. */
const overflowSetsQ = 'if (s !== (s | 0)) r[20] = 1;';
const half = (register: string, shift: string) => `((${register} << ${shift}) >> 16)`;
const low = (x: string) => `((${x} << 16) >> 16)`;
const high = (x: string) => `(${x} >> 16)`;

/** Products of the halves of Rn and Rm, whose halves change places when $5 (or $4) is 16. */
const dual = (swap: string) =>
  `const x = r[$2], m = r[$3], y = (m >>> ${swap}) | (m << (32 - ${swap})); ` +
  `const p = ${low('x')} * ${low('y')}, q = ${high('x')} * ${high('y')};`;
const longDual = (swap: string) =>
  `const x = r[$3], m = r[$4], y = (m >>> ${swap}) | (m << (32 - ${swap})); ` +
  `const p = ${low('x')} * ${low('y')}, q = ${high('x')} * ${high('y')};`;

/** RdHi:RdLo += p, for a p that a double holds exactly. */
const accumulate = (p: string) =>
  `const s = (r[$1] >>> 0) + ${p}; r[$2] = r[$2] + Math.floor(s / 4294967296); r[$1] = s;`;

const unsignedHigh =
  'const al = a & 0xffff, ah = a >>> 16, bl = b & 0xffff, bh = b >>> 16; ' +
  'const t = (ah * bl + ((al * bl) >>> 16)) >>> 0, u = (al * bh + (t & 0xffff)) >>> 0; ' +
  'const hi = ah * bh + (t >>> 16) + (u >>> 16);';
const wide = `const a = r[$2], b = r[$3], lo = Math.imul(a, b); ${unsignedHigh} const h = hi - (a < 0 ? b : 0) - (b < 0 ? a : 0);`;

const rotated = (register: string, rotation: string) =>
  `const m = ${register}, x = (m >>> ${rotation}) | (m << (32 - ${rotation}));`;
const saturate32 = (x: string) => `core.saturate(${x}, -2147483648, 2147483647)`;

export const dsp = {
  /** $1 Rd, $2 Rn, $3 Rm, $4 op1, $5 U:op2: see simd.ts. */
  parallel: rareOperation('r[$1] = core.parallel(r[$2], r[$3], $4, $5);'),
  sel: rareOperation('r[$1] = core.select(r[$2], r[$3]);'),
  /** $4 Ra. */
  usada8: rareOperation('r[$1] = r[$4] + core.sumOfDifferences(r[$2], r[$3]);'),
  usad8: rareOperation('r[$1] = core.sumOfDifferences(r[$2], r[$3]);'),
  /** $4 SRType, $5 amount: as core.shift has them. */
  pkhbt: rareOperation('r[$1] = (r[$2] & 0xffff) | (core.shift(r[$3], $4, $5, c) & ~0xffff);'),
  pkhtb: rareOperation('r[$1] = (r[$2] & ~0xffff) | (core.shift(r[$3], $4, $5, c) & 0xffff);'),
  /** $2 the bit to saturate to, $3 Rn. */
  ssat16: rareOperation(
    `const x = r[$3], t = 2 ** ($2 - 1); r[$1] = (core.saturate(${low('x')}, -t, t - 1) & 0xffff) | (core.saturate(${high('x')}, -t, t - 1) << 16);`,
  ),
  usat16: rareOperation(
    `const x = r[$3], t = 2 ** $2 - 1; r[$1] = core.saturate(${low('x')}, 0, t) | (core.saturate(${high('x')}, 0, t) << 16);`,
  ),
  /** $1 Rd, $2 Rn, $3 Rm, $4 rotation. */
  sxtab: rareOperation(`${rotated('r[$3]', '$4')} r[$1] = r[$2] + ((x << 24) >> 24);`),
  uxtab: rareOperation(`${rotated('r[$3]', '$4')} r[$1] = r[$2] + (x & 0xff);`),
  sxtah: rareOperation(`${rotated('r[$3]', '$4')} r[$1] = r[$2] + ((x << 16) >> 16);`),
  uxtah: rareOperation(`${rotated('r[$3]', '$4')} r[$1] = r[$2] + (x & 0xffff);`),
  sxtab16: rareOperation(
    `${rotated('r[$3]', '$4')} const y = r[$2]; r[$1] = ((y + ((x << 24) >> 24)) & 0xffff) | (((y >> 16) + ((x << 8) >> 24)) << 16);`,
  ),
  uxtab16: rareOperation(
    `${rotated('r[$3]', '$4')} const y = r[$2]; r[$1] = ((y + (x & 0xff)) & 0xffff) | (((y >>> 16) + ((x >>> 16) & 0xff)) << 16);`,
  ),
  /** $1 Rd, $2 Rm, $3 rotation. */
  sxtb16: rareOperation(`${rotated('r[$2]', '$3')} r[$1] = (((x << 24) >> 24) & 0xffff) | (((x << 8) >> 24) << 16);`),
  uxtb16: rareOperation(`${rotated('r[$2]', '$3')} r[$1] = x & 0xff00ff;`),
  /** $1 Rd, $2 Rm, $3 Rn. */
  qadd: rareOperation(`r[$1] = ${saturate32('r[$2] + r[$3]')};`),
  qsub: rareOperation(`r[$1] = ${saturate32('r[$2] - r[$3]')};`),
  qdadd: rareOperation(`const x = ${saturate32('2 * r[$3]')}; r[$1] = ${saturate32('r[$2] + x')};`),
  qdsub: rareOperation(`const x = ${saturate32('2 * r[$3]')}; r[$1] = ${saturate32('r[$2] - x')};`),
  /** $1 Rd, $2 Rn, $3 Rm, $4 and $5: half of Rn and of Rm. */
  smulxy: rareOperation(`r[$1] = ${half('r[$2]', '$4')} * ${half('r[$3]', '$5')};`),
  /** $4 Ra, $5 and $6 the halves. */
  smlaxy: rareOperation(
    `const s = ${half('r[$2]', '$5')} * ${half('r[$3]', '$6')} + r[$4]; ${overflowSetsQ} r[$1] = s;`,
  ),
  smulwy: rareOperation(`r[$1] = Math.floor((r[$2] * ${half('r[$3]', '$4')}) / 65536);`),
  smlawy: rareOperation(
    `const s = Math.floor((r[$2] * ${half('r[$3]', '$5')}) / 65536) + r[$4]; ${overflowSetsQ} r[$1] = s;`,
  ),
  /** $4: 16 = Rm's halves change places. */
  smuad: rareOperation(`${dual('$4')} const s = p + q; ${overflowSetsQ} r[$1] = s;`),
  smusd: rareOperation(`${dual('$4')} r[$1] = p - q;`),
  /** $4 Ra, $5 as above. */
  smlad: rareOperation(`${dual('$5')} const s = p + q + r[$4]; ${overflowSetsQ} r[$1] = s;`),
  smlsd: rareOperation(`${dual('$5')} const s = p - q + r[$4]; ${overflowSetsQ} r[$1] = s;`),
  /** $1 RdLo, $2 RdHi, $3 Rn, $4 Rm, then the swap, or the halves. */
  smlald: rareOperation(`${longDual('$5')} ${accumulate('(p + q)')}`),
  smlsld: rareOperation(`${longDual('$5')} ${accumulate('(p - q)')}`),
  smlalxy: rareOperation(accumulate(`${half('r[$3]', '$5')} * ${half('r[$4]', '$6')}`)),
  /** The upper words of 64-bit results. $4 Ra, $5 (or $4) 1 = round. */
  smmul: rareOperation(`${wide} r[$1] = h + ($4 & (lo >>> 31));`),
  smmla: rareOperation(`${wide} r[$1] = r[$4] + h + ($5 & (lo >>> 31));`),
  smmls: rareOperation(`${wide} r[$1] = r[$4] - h - (lo !== 0 ? 1 : 0) + ($5 & (-lo >>> 31));`),
  umaal: rareOperation(
    `const a = r[$3], b = r[$4]; ${unsignedHigh} const s = (Math.imul(a, b) >>> 0) + (r[$1] >>> 0) + (r[$2] >>> 0); ` +
      'r[$1] = s; r[$2] = hi + Math.floor(s / 4294967296);',
  ),
} as const;
