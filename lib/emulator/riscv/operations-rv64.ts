/**
 * RV64 I, M, A, Zba, Zbb, Zbc, Zbs: a register is a pair of words, low and high; `x[]` are the same registers as signed 64-bit
 * integers, whose assignment takes the value modulo 2^64. Operand order as in operations-rv32.ts.
 * There is no memory above 4 GiB: an access or a jump whose upper half is not 0 goes to the core, which refuses it.
 */
import { markFloatDirty, unsignedHigh } from './operations-rv32';

/** `a` and `h` are low and high word of rs1, `b` and `g` of the second operand; `s` and `t` those of the result. */
const sources = 'const a = r[$2], h = r[$2 + 1], b = r[$3], g = r[$3 + 1];';
const immediateSources = 'const a = r[$2], h = r[$2 + 1], b = $3, g = b >> 31;';
const put = 'r[$1] = s; r[$1 + 1] = t;';
const putBoolean = 'r[$1] = s; r[$1 + 1] = 0;';
const putSigned = 'r[$1] = s; r[$1 + 1] = s >> 31;';

const register = (result: string) => ({ exec: `${sources} ${result} ${put}` });
const constant = (result: string) => ({ exec: `${immediateSources} ${result} ${put}` });
const shiftRegister = (result: string) => ({
  exec: `const a = r[$2], h = r[$2 + 1], n = r[$3] & 63; ${result} ${put}`,
});
const shiftConstant = (result: string) => ({ exec: `const a = r[$2], h = r[$2 + 1], n = $3; ${result} ${put}` });
const compare = (test: string) => ({ exec: `${sources} const s = ${test} ? 1 : 0; ${putBoolean}` });
const compareConstant = (test: string) => ({ exec: `${immediateSources} const s = ${test} ? 1 : 0; ${putBoolean}` });
/** W forms: 32 bits, sign-extended. */
const narrow = (result: string) => ({ exec: `const a = r[$2], b = r[$3]; const s = (${result}) | 0; ${putSigned}` });
const narrowConstant = (result: string) => ({
  exec: `const a = r[$2], b = $3; const s = (${result}) | 0; ${putSigned}`,
});
const narrowUnary = (result: string) => ({ exec: `const a = r[$2]; const s = (${result}) | 0; ${putSigned}` });

const sum = 'const s = (a + b) | 0, t = h + g + (s >>> 0 < a >>> 0 ? 1 : 0);';
const difference = 'const s = (a - b) | 0, t = h - g - (a >>> 0 < b >>> 0 ? 1 : 0);';
const less = '(h < g || (h === g && a >>> 0 < b >>> 0))';
const lessUnsigned = '(h >>> 0 < g >>> 0 || (h === g && a >>> 0 < b >>> 0))';

const left =
  'const s = n < 32 ? a << n : 0, ' + 't = n === 0 ? h : n < 32 ? (h << n) | (a >>> (32 - n)) : a << (n - 32);';
const rightLogical =
  'const t = n < 32 ? h >>> n : 0, ' + 's = n === 0 ? a : n < 32 ? (a >>> n) | (h << (32 - n)) : h >>> (n - 32);';
const rightArithmetic =
  'const t = n < 32 ? h >> n : h >> 31, ' + 's = n === 0 ? a : n < 32 ? (a >>> n) | (h << (32 - n)) : h >> (n - 32);';

const branch = (test: string) =>
  ({
    exec: `const a = r[$1], h = r[$1 + 1], b = r[$4], g = r[$4 + 1]; if (${test}) NEAR(2) else k += LENGTH;`,
    branch: 2,
    jumps: true,
  }) as const;

/** The address as a 32-bit number in `a`; STOP with the fault when it has more bits. */
const address = (access: 'read' | 'write', size: number, base = '$2', offset = '$3') =>
  `const w = (r[${base}] >>> 0) + ${offset}; ` +
  `if ((r[${base} + 1] !== 0 || w < 0 || w > 0xffffffff) && core.isOutside(${base}, ${offset}, ${size}, '${access}')) STOP; ` +
  'const a = w | 0;';

interface Width {
  readonly mask: number;
  readonly fast: string;
  readonly bits: 8 | 16 | 32;
}
const word: Width = { mask: 3, fast: 'm32[(e + a) >>> 2]', bits: 32 };
const half: Width = { mask: 1, fast: 'm16[(e + a) >>> 1]', bits: 16 };
const byte: Width = { mask: 1, fast: 'm8[(e + a) >>> 0]', bits: 8 };
const check = (width: Width) => (width === byte ? '(e & 1) === 0' : `((e | a) & ${width.mask}) === 0`);

const load = (width: Width, extended: string, upper: string) => ({
  exec:
    `${address('read', width.bits / 8)} const e = rt[a >>> 12] ^ 1; let v; if (${check(width)}) v = ${width.fast}; ` +
    `else { v = core.load${width.bits}(a); if (core.stop !== 0) STOP; } const s = ${extended}; r[$1] = s; r[$1 + 1] = ${upper};`,
});

const store = (width: Width) => ({
  exec:
    `${address('write', width.bits / 8)} const e = wt[a >>> 12] ^ 1; if (${check(width)}) ${width.fast} = r[$1]; ` +
    `else { core.store${width.bits}(a, r[$1]); if (core.stop !== 0) STOP; }`,
});

const doubleLoad =
  `${address('read', 8)} const e = rt[a >>> 12] ^ 1; ` +
  'if (((e | a) & 7) === 0) { const i = (e + a) >>> 2; r[$1 + 1] = m32[i + 1]; r[$1] = m32[i]; } ' +
  'else { const v = core.load64(a); if (core.stop !== 0) STOP; r[$1] = v; r[$1 + 1] = core.upper; }';

const doubleStore =
  `${address('write', 8)} const e = wt[a >>> 12] ^ 1; ` +
  'if (((e | a) & 7) === 0) { const i = (e + a) >>> 2; m32[i] = r[$1]; m32[i + 1] = r[$1 + 1]; } ' +
  'else { core.store64(a, r[$1], r[$1 + 1]); if (core.stop !== 0) STOP; }';

/** Rare ones by 64-bit integers: a and b are rs1 and rs2. */
const big = (result: string) =>
  ({ exec: `const x = core.wide, a = x[$2 >> 1], b = x[$3 >> 1]; x[$1 >> 1] = ${result};`, rare: true }) as const;
const bigConstant = (result: string) =>
  ({ exec: `const x = core.wide, a = x[$2 >> 1], b = BigInt($3); x[$1 >> 1] = ${result};`, rare: true }) as const;
const bigUnary = (result: string) =>
  ({ exec: `const x = core.wide, a = x[$2 >> 1]; x[$1 >> 1] = ${result};`, rare: true }) as const;
const unsigned = (x: string) => `BigInt.asUintN(64, ${x})`;

const amoNarrow = (result: string) =>
  ({
    exec:
      `${address('write', 4, '$2', '0')} const o = core.loadAtomic32(a); if (core.stop !== 0) STOP; const b = r[$3]; ` +
      `core.storeAtomic32(a, ${result}); if (core.stop !== 0) STOP; r[$1] = o; r[$1 + 1] = o >> 31;`,
    rare: true,
  }) as const;
const amoWide = (result: string) =>
  ({
    exec:
      `${address('write', 8, '$2', '0')} const o = core.loadAtomic64(a); if (core.stop !== 0) STOP; ` +
      `const x = core.wide, b = x[$3 >> 1]; core.storeAtomic64(a, ${result}); if (core.stop !== 0) STOP; x[$1 >> 1] = o;`,
    rare: true,
  }) as const;

/** JALR: the target in `x`, or STOP with the fault of an address that has more than 32 bits. */
const target = (base: string, offset: string) =>
  `const w = (r[${base}] >>> 0) + ${offset}; ` +
  `if ((r[${base} + 1] !== 0 || w < 0 || w > 0xffffffff) && core.isOutside(${base}, ${offset}, 2, 'execute')) STOP; ` +
  'const x = w & ~1;';

export const rv64 = {
  nop: { exec: '' },
  li: { exec: 'r[$1] = $2; r[$1 + 1] = $3;' },
  mv: { exec: 'const s = r[$2], t = r[$2 + 1]; r[$1] = s; r[$1 + 1] = t;' },
  addi: constant(sum),
  slti: compareConstant(less),
  sltiu: compareConstant(lessUnsigned),
  xori: constant('const s = a ^ b, t = h ^ g;'),
  ori: constant('const s = a | b, t = h | g;'),
  andi: constant('const s = a & b, t = h & g;'),
  slli: shiftConstant(left),
  srli: shiftConstant(rightLogical),
  srai: shiftConstant(rightArithmetic),
  add: register(sum),
  sub: register(difference),
  sll: shiftRegister(left),
  slt: compare(less),
  sltu: compare(lessUnsigned),
  xor: register('const s = a ^ b, t = h ^ g;'),
  srl: shiftRegister(rightLogical),
  sra: shiftRegister(rightArithmetic),
  or: register('const s = a | b, t = h | g;'),
  and: register('const s = a & b, t = h & g;'),
  /** The limit is one of 32 bits; a stack pointer beyond them is found by the access. */
  addi_sp: {
    exec: `const a = r[$1], h = r[$1 + 1], b = $2, g = b >> 31; ${sum} CHECK_SP(s) r[4] = s; r[5] = t;`,
  },
  add_sp: { exec: `${sources} ${sum} CHECK_SP(s) r[4] = s; r[5] = t;` },
  sub_sp: { exec: `${sources} ${difference} CHECK_SP(s) r[4] = s; r[5] = t;` },
  and_sp: { exec: `${sources} const s = a & b, t = h & g; CHECK_SP(s) r[4] = s; r[5] = t;` },
  andi_sp: { exec: `${immediateSources} const s = a & b, t = h & g; CHECK_SP(s) r[4] = s; r[5] = t;` },
  lb: load(byte, '(v << 24) >> 24', 's >> 31'),
  lh: load(half, '(v << 16) >> 16', 's >> 31'),
  lw: load(word, 'v', 's >> 31'),
  lbu: load(byte, 'v', '0'),
  lhu: load(half, 'v', '0'),
  lwu: load(word, 'v', '0'),
  ld: { exec: doubleLoad },
  sb: store(byte),
  sh: store(half),
  sw: store(word),
  sd: { exec: doubleStore },
  flw: load(word, 'v', `-1; ${markFloatDirty}`),
  fld: { exec: `${doubleLoad} ${markFloatDirty}` },
  fsw: store(word),
  fsd: { exec: doubleStore },
  beq: branch('a === b && h === g'),
  bne: branch('a !== b || h !== g'),
  blt: branch(less),
  bge: branch(`!${less}`),
  bltu: branch(lessUnsigned),
  bgeu: branch(`!${lessUnsigned}`),
  beqz: { exec: 'if ((r[$1] | r[$1 + 1]) === 0) NEAR(2) else k += LENGTH;', branch: 2, jumps: true },
  bnez: { exec: 'if ((r[$1] | r[$1 + 1]) !== 0) NEAR(2) else k += LENGTH;', branch: 2, jumps: true },
  j: { exec: 'NEAR(1)', branch: 1, jumps: true },
  jal: { exec: 'r[$4] = $3; r[$4 + 1] = 0; NEAR(1)', branch: 1, jumps: true },
  jal_ra: { exec: 'r[2] = $3; r[3] = 0; NEAR(1)', branch: 1, jumps: true },
  jr: { exec: `${target('$1', '$2')} JUMP(x)`, jumps: true },
  jalr: { exec: `${target('$1', '$2')} r[$4] = $3; r[$4 + 1] = 0; JUMP(x)`, jumps: true },
  jalr_ra: { exec: `${target('$1', '0')} r[2] = $2; r[3] = 0; JUMP(x)`, jumps: true },

  addiw: narrowConstant('a + b'),
  slliw: narrowConstant('a << b'),
  srliw: narrowConstant('a >>> b'),
  sraiw: narrowConstant('a >> b'),
  addw: narrow('a + b'),
  subw: narrow('a - b'),
  sllw: narrow('a << b'),
  srlw: narrow('a >>> b'),
  sraw: narrow('a >> b'),

  mul: {
    exec:
      `${sources} ${unsignedHigh} ` + `const s = Math.imul(a, b), t = hi + Math.imul(a, g) + Math.imul(h, b); ${put}`,
  },
  mulh: big('(a * b) >> 64n'),
  mulhsu: big(`(a * ${unsigned('b')}) >> 64n`),
  mulhu: big(`(${unsigned('a')} * ${unsigned('b')}) >> 64n`),
  div: big('b === 0n ? -1n : a / b'),
  divu: big(`b === 0n ? -1n : ${unsigned('a')} / ${unsigned('b')}`),
  rem: big('b === 0n ? a : a % b'),
  remu: big(`b === 0n ? a : ${unsigned('a')} % ${unsigned('b')}`),
  mulw: narrow('Math.imul(a, b)'),
  divw: narrow('b === 0 ? -1 : a / b'),
  divuw: narrow('b === 0 ? -1 : (a >>> 0) / (b >>> 0)'),
  remw: narrow('b === 0 ? a : a % b'),
  remuw: narrow('b === 0 ? a : (a >>> 0) % (b >>> 0)'),

  lr_w: {
    exec: `${address('read', 4, '$2', '0')} const s = core.loadReserved32(a); if (core.stop !== 0) STOP; ${putSigned}`,
    rare: true,
  },
  sc_w: {
    exec: `${address('write', 4, '$2', '0')} const s = core.storeConditional32(a, r[$3]); if (core.stop !== 0) STOP; ${putBoolean}`,
    rare: true,
  },
  lr_d: {
    exec: `${address('read', 8, '$2', '0')} const v = core.loadReserved64(a); if (core.stop !== 0) STOP; core.wide[$1 >> 1] = v;`,
    rare: true,
  },
  sc_d: {
    exec: `${address('write', 8, '$2', '0')} const s = core.storeConditional64(a, core.wide[$3 >> 1]); if (core.stop !== 0) STOP; ${putBoolean}`,
    rare: true,
  },
  amoswap_w: amoNarrow('b'),
  amoadd_w: amoNarrow('(o + b) | 0'),
  amoxor_w: amoNarrow('o ^ b'),
  amoand_w: amoNarrow('o & b'),
  amoor_w: amoNarrow('o | b'),
  amomin_w: amoNarrow('o < b ? o : b'),
  amomax_w: amoNarrow('o > b ? o : b'),
  amominu_w: amoNarrow('o >>> 0 < b >>> 0 ? o : b'),
  amomaxu_w: amoNarrow('o >>> 0 > b >>> 0 ? o : b'),
  amoswap_d: amoWide('b'),
  amoadd_d: amoWide('o + b'),
  amoxor_d: amoWide('o ^ b'),
  amoand_d: amoWide('o & b'),
  amoor_d: amoWide('o | b'),
  amomin_d: amoWide('o < b ? o : b'),
  amomax_d: amoWide('o > b ? o : b'),
  amominu_d: amoWide(`${unsigned('o')} < ${unsigned('b')} ? o : b`),
  amomaxu_d: amoWide(`${unsigned('o')} > ${unsigned('b')} ? o : b`),

  sh1add: big('(a << 1n) + b'),
  sh2add: big('(a << 2n) + b'),
  sh3add: big('(a << 3n) + b'),
  add_uw: big('BigInt.asUintN(32, a) + b'),
  sh1add_uw: big('(BigInt.asUintN(32, a) << 1n) + b'),
  sh2add_uw: big('(BigInt.asUintN(32, a) << 2n) + b'),
  sh3add_uw: big('(BigInt.asUintN(32, a) << 3n) + b'),
  slli_uw: bigConstant('BigInt.asUintN(32, a) << b'),
  andn: register('const s = a & ~b, t = h & ~g;'),
  orn: register('const s = a | ~b, t = h | ~g;'),
  xnor: register('const s = ~(a ^ b), t = ~(h ^ g);'),
  clz: {
    exec: `const h = r[$2 + 1]; const s = h !== 0 ? Math.clz32(h) : 32 + Math.clz32(r[$2]); ${putBoolean}`,
    rare: true,
  },
  ctz: {
    exec:
      'const a = r[$2], h = r[$2 + 1]; const s = a !== 0 ? 31 - Math.clz32(a & -a) : ' +
      `h !== 0 ? 63 - Math.clz32(h & -h) : 64; ${putBoolean}`,
    rare: true,
  },
  cpop: {
    exec: `const s = core.countBits(r[$2]) + core.countBits(r[$2 + 1]); ${putBoolean}`,
    rare: true,
  },
  clzw: narrowUnary('Math.clz32(a)'),
  ctzw: narrowUnary('a === 0 ? 32 : 31 - Math.clz32(a & -a)'),
  cpopw: { exec: `const s = core.countBits(r[$2]); ${putBoolean}`, rare: true },
  max: big('a > b ? a : b'),
  maxu: big(`${unsigned('a')} > ${unsigned('b')} ? a : b`),
  min: big('a < b ? a : b'),
  minu: big(`${unsigned('a')} < ${unsigned('b')} ? a : b`),
  sext_b: narrowUnary('(a << 24) >> 24'),
  sext_h: narrowUnary('(a << 16) >> 16'),
  zext_h: narrowUnary('a & 0xffff'),
  rol: big(`(a << (b & 63n)) | (${unsigned('a')} >> (-b & 63n))`),
  ror: big(`(${unsigned('a')} >> (b & 63n)) | (a << (-b & 63n))`),
  rori: bigConstant(`(${unsigned('a')} >> b) | (a << (-b & 63n))`),
  rolw: narrow('(a << b) | (a >>> (-b & 31))'),
  rorw: narrow('(a >>> b) | (a << (-b & 31))'),
  roriw: narrowConstant('(a >>> b) | (a << (-b & 31))'),
  orc_b: bigUnary('core.orCombineBytes(a)'),
  rev8: {
    exec: `const s = core.reverseBytes(r[$2 + 1]), t = core.reverseBytes(r[$2]); ${put}`,
    rare: true,
  },
  clmul: big('core.carryless(a, b)'),
  clmulh: big('core.carryless(a, b) >> 64n'),
  clmulr: big('core.carryless(a, b) >> 63n'),
  bclr: big('a & ~(1n << (b & 63n))'),
  bext: big('(a >> (b & 63n)) & 1n'),
  binv: big('a ^ (1n << (b & 63n))'),
  bset: big('a | (1n << (b & 63n))'),
  bclri: bigConstant('a & ~(1n << b)'),
  bexti: bigConstant('(a >> b) & 1n'),
  binvi: bigConstant('a ^ (1n << b)'),
  bseti: bigConstant('a | (1n << b)'),
} as const;
