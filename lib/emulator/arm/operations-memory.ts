/**
 * Loads and stores: Armv7-M ARM A4.6. An access is one table look-up when it is aligned, permitted and on a page
 * that is not slow; else the core does it or says why not, before any register changes.
 * Operand order: $1 Rt, $2 Rn, $3 offset or Rm, $4 shift.
 */
interface Width {
  readonly mask: number;
  readonly fast: string;
  readonly slow: string;
}

const word: Width = { mask: 3, fast: 'm32[(e + a) >>> 2]', slow: 'core.load32(a)' };
const half: Width = { mask: 1, fast: 'm16[(e + a) >>> 1]', slow: 'core.load16(a)' };
const byte: Width = { mask: 1, fast: 'm8[(e + a) >>> 0]', slow: 'core.load8(a)' };
const same = (x: string) => x;
const signHalf = (x: string) => `(${x} << 16) >> 16`;
const signByte = (x: string) => `(${x} << 24) >> 24`;

/** A byte access has no alignment: only the slow bit is looked at. */
const check = (width: Width) => (width === byte ? '(e & 1) === 0' : `((e | a) & ${width.mask}) === 0`);

function read(width: Width): string {
  return (
    `const e = rt[a >>> 12] ^ 1; let x; if (${check(width)}) x = ${width.fast}; ` +
    `else { x = ${width.slow}; if (core.stop !== 0) STOP; }`
  );
}

/** Writing the base back: when it is sp, the limit is checked before the access. */
const checkBase = (value: string) => `if ($2 === 13) { CHECK_SP(${value}) }`;

function loadForms(width: Width, extend: (x: string) => string) {
  const to = `r[$1] = ${extend('x')};`;
  return {
    imm: { exec: `const a = (r[$2] + $3) | 0; ${read(width)} ${to}` },
    reg: { exec: `const a = (r[$2] + r[$3]) | 0; ${read(width)} ${to}` },
    lsl: { exec: `const a = (r[$2] + (r[$3] << $4)) | 0; ${read(width)} ${to}` },
    pre: { exec: `const a = (r[$2] + $3) | 0; ${checkBase('a')} ${read(width)} r[$2] = a; ${to}` },
    post: { exec: `const a = r[$2], w = (a + $3) | 0; ${checkBase('w')} ${read(width)} r[$2] = w; ${to}` },
    lit: { exec: `const a = $2; ${read(width)} ${to}` },
  };
}

const ldr = loadForms(word, same);
const ldrh = loadForms(half, same);
const ldrb = loadForms(byte, same);
const ldrsh = loadForms(half, signHalf);
const ldrsb = loadForms(byte, signByte);

/** After `x` is read: x becomes pc. */
const toPc = 'if (((x & 1) === 0 || x >>> 25 === 0x7f) && core.refusesBranch(x)) STOP;';

export const loads = {
  ldr_imm: ldr.imm,
  ldr_reg: ldr.reg,
  ldr_lsl: ldr.lsl,
  ldr_pre: ldr.pre,
  ldr_post: ldr.post,
  ldr_lit: ldr.lit,
  ldrh_imm: ldrh.imm,
  ldrh_reg: ldrh.reg,
  ldrh_lsl: ldrh.lsl,
  ldrh_pre: ldrh.pre,
  ldrh_post: ldrh.post,
  ldrh_lit: ldrh.lit,
  ldrb_imm: ldrb.imm,
  ldrb_reg: ldrb.reg,
  ldrb_lsl: ldrb.lsl,
  ldrb_pre: ldrb.pre,
  ldrb_post: ldrb.post,
  ldrb_lit: ldrb.lit,
  ldrsh_imm: ldrsh.imm,
  ldrsh_reg: ldrsh.reg,
  ldrsh_lsl: ldrsh.lsl,
  ldrsh_pre: ldrsh.pre,
  ldrsh_post: ldrsh.post,
  ldrsh_lit: ldrsh.lit,
  ldrsb_imm: ldrsb.imm,
  ldrsb_reg: ldrsb.reg,
  ldrsb_lsl: ldrsb.lsl,
  ldrsb_pre: ldrsb.pre,
  ldrsb_post: ldrsb.post,
  ldrsb_lit: ldrsb.lit,
  /** LDR to pc: $1 unused, then as above. */
  ldr_pc_imm: { exec: `const a = (r[$2] + $3) | 0; ${read(word)} ${toPc} JUMP(x & ~1)`, jumps: true },
  ldr_pc_lsl: { exec: `const a = (r[$2] + (r[$3] << $4)) | 0; ${read(word)} ${toPc} JUMP(x & ~1)`, jumps: true },
  ldr_pc_pre: {
    exec: `const a = (r[$2] + $3) | 0; ${checkBase('a')} ${read(word)} ${toPc} r[$2] = a; JUMP(x & ~1)`,
    jumps: true,
  },
  ldr_pc_post: {
    exec: `const a = r[$2], w = (a + $3) | 0; ${checkBase('w')} ${read(word)} ${toPc} r[$2] = w; JUMP(x & ~1)`,
    jumps: true,
  },
  ldr_pc_lit: { exec: `const a = $2; ${read(word)} ${toPc} JUMP(x & ~1)`, jumps: true },
} as const;

function write(width: Width, slow: string): string {
  return (
    `const e = wt[a >>> 12] ^ 1; if (${check(width)}) ${width.fast} = r[$1]; ` +
    `else { core.${slow}(a, r[$1]); if (core.stop !== 0) STOP; }`
  );
}

function storeForms(width: Width, slow: string) {
  const access = write(width, slow);
  return {
    imm: { exec: `const a = (r[$2] + $3) | 0; ${access}` },
    reg: { exec: `const a = (r[$2] + r[$3]) | 0; ${access}` },
    lsl: { exec: `const a = (r[$2] + (r[$3] << $4)) | 0; ${access}` },
    pre: { exec: `const a = (r[$2] + $3) | 0; ${checkBase('a')} ${access} r[$2] = a;` },
    post: { exec: `const a = r[$2], w = (a + $3) | 0; ${checkBase('w')} ${access} r[$2] = w;` },
  };
}

const str = storeForms(word, 'store32');
const strh = storeForms(half, 'store16');
const strb = storeForms(byte, 'store8');

export const stores = {
  str_imm: str.imm,
  str_reg: str.reg,
  str_lsl: str.lsl,
  str_pre: str.pre,
  str_post: str.post,
  strh_imm: strh.imm,
  strh_reg: strh.reg,
  strh_lsl: strh.lsl,
  strh_pre: strh.pre,
  strh_post: strh.post,
  strb_imm: strb.imm,
  strb_reg: strb.reg,
  strb_lsl: strb.lsl,
  strb_pre: strb.pre,
  strb_post: strb.post,
};

/** `f` and `h`: the words of a block at address a, `count` of them, all reachable. */
const sourceWords = (count: string) =>
  `const e = rt[a >>> 12] ^ 1; let f, h; if (((e | a) & 3) === 0 && (a & 0xfff) + 4 * ${count} <= 4096) { f = m32; h = (e + a) >>> 2; } ` +
  `else { if (core.loadMultiple(a, ${count})) STOP; f = core.transfer; h = 0; }`;

const targetWords = (count: string, collect: (f: string, h: string) => string) =>
  `const e = wt[a >>> 12] ^ 1; if (((e | a) & 3) === 0 && (a & 0xfff) + 4 * ${count} <= 4096) { let h = (e + a) >>> 2; ${collect('m32', 'h')} } ` +
  `else { const f = core.transfer; let h = 0; ${collect('f', 'h')} if (core.storeMultiple(a, ${count})) STOP; }`;

const eachRegister = (body: string) => `for (let l = $2 & 0xffff; l !== 0; l &= l - 1) ${body}`;
const loadList = eachRegister('r[31 - Math.clz32(l & -l)] = f[h++];');
const storeList = (f: string, h: string) => eachRegister(`${f}[${h}++] = r[31 - Math.clz32(l & -l)];`);
const storePair = (f: string, h: string) => `${f}[${h}] = r[$1]; ${f}[${h} + 1] = r[$2];`;
const baseOfThree = (value: string) => `if ($3 === 13) { CHECK_SP(${value}) }`;

/** Block forms: $1 Rn, $2 register list | count << 16, $3 bytes added to Rn for the first address, $4 to write back. */
const first = 'const a = (r[$1] + $3) | 0, w = (r[$1] + $4) | 0, count = $2 >>> 16;';
const limit = 'if ($1 === 13) { CHECK_SP(w < a ? w : a) }';

export const blocks = {
  /** Base in the list, or no write-back, is resolved by the decoder: it then gives 0 in $4. */
  ldm: { exec: `${first} ${limit} ${sourceWords('count')} r[$1] = w; ${loadList}` },
  ldm_pc: {
    exec:
      `${first} ${limit} ${sourceWords('count')} const x = f[h + count - 1]; ${toPc} r[$1] = w; ` +
      `for (let l = $2 & 0x7fff; l !== 0; l &= l - 1) r[31 - Math.clz32(l & -l)] = f[h++]; JUMP(x & ~1)`,
    jumps: true,
  },
  /** 16-bit LDM and STM, whose record has no room for a fourth operand: $3 is what is added to Rn afterwards. */
  ldm_t1: {
    exec: `const a = r[$1], w = (a + $3) | 0, count = $2 >>> 16; ${sourceWords('count')} r[$1] = w; ${loadList}`,
  },
  stm_t1: {
    exec: `const a = r[$1], w = (a + $3) | 0, count = $2 >>> 16; ${targetWords('count', storeList)} r[$1] = w;`,
  },
  stm: { exec: `${first} ${limit} ${targetWords('count', storeList)} r[$1] = w;` },
  push: {
    exec: `const count = $2 >>> 16, a = (r[13] - 4 * count) | 0; CHECK_SP(a) ${targetWords('count', storeList)} r[13] = a;`,
  },
  pop: { exec: `const a = r[13], count = $2 >>> 16; ${sourceWords('count')} r[13] = a + 4 * count; ${loadList}` },
  pop_pc: {
    exec:
      `const a = r[13], count = $2 >>> 16; ${sourceWords('count')} const x = f[h + count - 1]; ${toPc} r[13] = a + 4 * count; ` +
      `for (let l = $2 & 0x7fff; l !== 0; l &= l - 1) r[31 - Math.clz32(l & -l)] = f[h++]; JUMP(x & ~1)`,
    jumps: true,
  },
  /** $1 Rt, $2 Rt2, $3 Rn, $4 offset, $5 write back. */
  ldrd_imm: {
    exec: `const a = (r[$3] + $4) | 0, w = (r[$3] + $5) | 0; ${baseOfThree('w < a ? w : a')} ${sourceWords('2')} r[$3] = w; r[$1] = f[h]; r[$2] = f[h + 1];`,
  },
  ldrd_lit: { exec: `const a = $3; ${sourceWords('2')} r[$1] = f[h]; r[$2] = f[h + 1];` },
  strd_imm: {
    exec: `const a = (r[$3] + $4) | 0, w = (r[$3] + $5) | 0; ${baseOfThree('w < a ? w : a')} ${targetWords('2', storePair)} r[$3] = w;`,
  },
} as const;
