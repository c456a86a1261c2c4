/**
 * RV32 I, M, A, Zba, Zbb, Zbc, Zbs: registers are signed 32-bit words. Operand order: $1 rd, $2 rs1, $3 rs2 or
 * immediate; of stores $1 rs2, $2 rs1, $3 offset; of branches $1 rs1, $2 and $3 the target, $4 rs2.
 */
const register = (result: string) => ({ exec: `const a = r[$2], b = r[$3]; r[$1] = ${result};` });
const constant = (result: string) => ({ exec: `const a = r[$2], b = $3; r[$1] = ${result};` });
const unary = (result: string) => ({ exec: `const a = r[$2]; r[$1] = ${result};` });
const rareRegister = (result: string) => ({ ...register(result), rare: true }) as const;
const rareUnary = (result: string) => ({ ...unary(result), rare: true }) as const;

const branch = (test: string) =>
  ({ exec: `const a = r[$1], b = r[$4]; if (${test}) NEAR(2) else k += LENGTH;`, branch: 2, jumps: true }) as const;

interface Width {
  readonly mask: number;
  readonly fast: string;
  readonly bits: 8 | 16 | 32;
}
const word: Width = { mask: 3, fast: 'm32[(e + a) >>> 2]', bits: 32 };
const half: Width = { mask: 1, fast: 'm16[(e + a) >>> 1]', bits: 16 };
const byte: Width = { mask: 1, fast: 'm8[(e + a) >>> 0]', bits: 8 };
/** A byte access has no alignment: only the slow bit is looked at. */
const check = (width: Width) => (width === byte ? '(e & 1) === 0' : `((e | a) & ${width.mask}) === 0`);

const load = (width: Width, extended: string) => ({
  exec:
    `const a = (r[$2] + $3) | 0, e = rt[a >>> 12] ^ 1; let x; if (${check(width)}) x = ${width.fast}; ` +
    `else { x = core.load${width.bits}(a); if (core.stop !== 0) STOP; } r[$1] = ${extended};`,
});

const store = (width: Width) => ({
  exec:
    `const a = (r[$2] + $3) | 0, e = wt[a >>> 12] ^ 1; if (${check(width)}) ${width.fast} = r[$1]; ` +
    `else { core.store${width.bits}(a, r[$1]); if (core.stop !== 0) STOP; }`,
});

/** High half of the unsigned product of a and b, by halves of 16 bits. */
export const unsignedHigh =
  'const al = a & 0xffff, ah = a >>> 16, bl = b & 0xffff, bh = b >>> 16; ' +
  'const p = (ah * bl + ((al * bl) >>> 16)) >>> 0, q = (al * bh + (p & 0xffff)) >>> 0; ' +
  'const hi = ah * bh + (p >>> 16) + (q >>> 16);';
const high = (result: string) => ({ exec: `const a = r[$2], b = r[$3]; ${unsignedHigh} r[$1] = ${result};` });

const amo = (result: string) =>
  ({
    exec:
      'const w = r[$2], a = core.loadAtomic32(w); if (core.stop !== 0) STOP; const b = r[$3]; ' +
      `core.storeAtomic32(w, ${result}); if (core.stop !== 0) STOP; r[$1] = a;`,
    rare: true,
  }) as const;

/** FS of mstatus (word 136) becomes Dirty when a floating-point register is written. */
export const markFloatDirty = 'r[136] |= 0x6000;';

/** A single in a register of 64 bits is NaN-boxed. */
const floatLoad =
  'const a = (r[$2] + $3) | 0, e = rt[a >>> 12] ^ 1; let x; if (((e | a) & 3) === 0) x = m32[(e + a) >>> 2]; ' +
  `else { x = core.load32(a); if (core.stop !== 0) STOP; } r[$1] = x; r[$1 + 1] = -1; ${markFloatDirty}`;

const doubleLoad =
  'const a = (r[$2] + $3) | 0, e = rt[a >>> 12] ^ 1; ' +
  'if (((e | a) & 7) === 0) { const i = (e + a) >>> 2; r[$1] = m32[i]; r[$1 + 1] = m32[i + 1]; } ' +
  `else { const x = core.load64(a); if (core.stop !== 0) STOP; r[$1] = x; r[$1 + 1] = core.upper; } ${markFloatDirty}`;

const doubleStore =
  'const a = (r[$2] + $3) | 0, e = wt[a >>> 12] ^ 1; ' +
  'if (((e | a) & 7) === 0) { const i = (e + a) >>> 2; m32[i] = r[$1]; m32[i + 1] = r[$1 + 1]; } ' +
  'else { core.store64(a, r[$1], r[$1 + 1]); if (core.stop !== 0) STOP; }';

export const rv32 = {
  nop: { exec: '' },
  /** $2 the low word, $3 the high word of RV64. */
  li: { exec: 'r[$1] = $2;' },
  mv: { exec: 'r[$1] = r[$2];' },
  addi: constant('a + b'),
  slti: constant('a < b ? 1 : 0'),
  sltiu: constant('a >>> 0 < b >>> 0 ? 1 : 0'),
  xori: constant('a ^ b'),
  ori: constant('a | b'),
  andi: constant('a & b'),
  slli: constant('a << b'),
  srli: constant('a >>> b'),
  srai: constant('a >> b'),
  add: register('a + b'),
  sub: register('a - b'),
  sll: register('a << b'),
  slt: register('a < b ? 1 : 0'),
  sltu: register('a >>> 0 < b >>> 0 ? 1 : 0'),
  xor: register('a ^ b'),
  srl: register('a >>> b'),
  sra: register('a >> b'),
  or: register('a | b'),
  and: register('a & b'),
  /** sp as destination: the limit holds. $1 rs1, $2 immediate. */
  addi_sp: { exec: 'const x = (r[$1] + $2) | 0; CHECK_SP(x) r[2] = x;' },
  add_sp: { exec: 'const x = (r[$2] + r[$3]) | 0; CHECK_SP(x) r[2] = x;' },
  sub_sp: { exec: 'const x = (r[$2] - r[$3]) | 0; CHECK_SP(x) r[2] = x;' },
  and_sp: { exec: 'const x = r[$2] & r[$3]; CHECK_SP(x) r[2] = x;' },
  andi_sp: { exec: 'const x = r[$2] & $3; CHECK_SP(x) r[2] = x;' },
  lb: load(byte, '(x << 24) >> 24'),
  lh: load(half, '(x << 16) >> 16'),
  lw: load(word, 'x'),
  lbu: load(byte, 'x'),
  lhu: load(half, 'x'),
  sb: store(byte),
  sh: store(half),
  sw: store(word),
  flw: { exec: floatLoad },
  fld: { exec: doubleLoad },
  fsw: store(word),
  fsd: { exec: doubleStore },
  beq: branch('a === b'),
  bne: branch('a !== b'),
  blt: branch('a < b'),
  bge: branch('a >= b'),
  bltu: branch('a >>> 0 < b >>> 0'),
  bgeu: branch('a >>> 0 >= b >>> 0'),
  beqz: { exec: 'if (r[$1] === 0) NEAR(2) else k += LENGTH;', branch: 2, jumps: true },
  bnez: { exec: 'if (r[$1] !== 0) NEAR(2) else k += LENGTH;', branch: 2, jumps: true },
  j: { exec: 'NEAR(1)', branch: 1, jumps: true },
  /** $1 and $2 the target, $3 return address, $4 rd; rd is ra of the second. */
  jal: { exec: 'r[$4] = $3; NEAR(1)', branch: 1, jumps: true },
  jal_ra: { exec: 'r[1] = $3; NEAR(1)', branch: 1, jumps: true },
  /** $1 rs1, $2 offset, $3 return address, $4 rd. */
  jr: { exec: 'JUMP((r[$1] + $2) & ~1)', jumps: true },
  jalr: { exec: 'const x = (r[$1] + $2) & ~1; r[$4] = $3; JUMP(x)', jumps: true },
  /** $1 rs1, $2 return address; rd is ra. */
  jalr_ra: { exec: 'const x = r[$1] & ~1; r[1] = $2; JUMP(x)', jumps: true },

  mul: register('Math.imul(a, b)'),
  mulh: high('hi - (a < 0 ? b : 0) - (b < 0 ? a : 0)'),
  mulhsu: high('hi - (a < 0 ? b : 0)'),
  mulhu: high('hi'),
  /** Division by zero gives all ones and the dividend; the quotient that overflows wraps. */
  div: register('b === 0 ? -1 : (a / b) | 0'),
  divu: register('b === 0 ? -1 : ((a >>> 0) / (b >>> 0)) | 0'),
  rem: register('b === 0 ? a : (a % b) | 0'),
  remu: register('b === 0 ? a : ((a >>> 0) % (b >>> 0)) | 0'),

  lr_w: {
    exec: 'const a = core.loadReserved32(r[$2]); if (core.stop !== 0) STOP; r[$1] = a;',
    rare: true,
  },
  sc_w: {
    exec: 'const a = core.storeConditional32(r[$2], r[$3]); if (core.stop !== 0) STOP; r[$1] = a;',
    rare: true,
  },
  amoswap_w: amo('b'),
  amoadd_w: amo('(a + b) | 0'),
  amoxor_w: amo('a ^ b'),
  amoand_w: amo('a & b'),
  amoor_w: amo('a | b'),
  amomin_w: amo('a < b ? a : b'),
  amomax_w: amo('a > b ? a : b'),
  amominu_w: amo('a >>> 0 < b >>> 0 ? a : b'),
  amomaxu_w: amo('a >>> 0 > b >>> 0 ? a : b'),

  sh1add: register('(a << 1) + b'),
  sh2add: register('(a << 2) + b'),
  sh3add: register('(a << 3) + b'),
  andn: register('a & ~b'),
  orn: register('a | ~b'),
  xnor: register('~(a ^ b)'),
  clz: unary('Math.clz32(a)'),
  ctz: unary('a === 0 ? 32 : 31 - Math.clz32(a & -a)'),
  cpop: {
    exec:
      'let x = r[$2]; x -= (x >>> 1) & 0x55555555; x = (x & 0x33333333) + ((x >>> 2) & 0x33333333); ' +
      'r[$1] = Math.imul((x + (x >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;',
    rare: true,
  },
  max: register('a > b ? a : b'),
  maxu: register('a >>> 0 > b >>> 0 ? a : b'),
  min: register('a < b ? a : b'),
  minu: register('a >>> 0 < b >>> 0 ? a : b'),
  sext_b: unary('(a << 24) >> 24'),
  sext_h: unary('(a << 16) >> 16'),
  zext_h: unary('a & 0xffff'),
  rol: register('(a << b) | (a >>> (-b & 31))'),
  ror: register('(a >>> b) | (a << (-b & 31))'),
  rori: constant('(a >>> b) | (a << (-b & 31))'),
  orc_b: rareUnary(
    '((a & 0xff) !== 0 ? 0xff : 0) | ((a & 0xff00) !== 0 ? 0xff00 : 0) | ' +
      '((a & 0xff0000) !== 0 ? 0xff0000 : 0) | (a >>> 24 !== 0 ? 0xff << 24 : 0)',
  ),
  rev8: unary('(a << 24) | ((a & 0xff00) << 8) | ((a >>> 8) & 0xff00) | (a >>> 24)'),
  clmul: rareRegister('core.carrylessLow32(a, b)'),
  clmulh: rareRegister('core.carrylessHigh32(a, b, 32)'),
  clmulr: rareRegister('core.carrylessHigh32(a, b, 31)'),
  bclr: register('a & ~(1 << b)'),
  bext: register('(a >>> b) & 1'),
  binv: register('a ^ (1 << b)'),
  bset: register('a | (1 << b)'),
  bclri: constant('a & ~(1 << b)'),
  bexti: constant('(a >>> b) & 1'),
  binvi: constant('a ^ (1 << b)'),
  bseti: constant('a | (1 << b)'),
} as const;
