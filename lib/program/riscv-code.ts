/**
 * What RISC-V instructions do to registers and to the stack, as far as the frames of a function depend on it: additions,
 * loads and stores, jumps. Of everything else only the register that it writes is of interest. Encodings: RISC-V
 * unprivileged specification, chapters 2 (RV32I), 5 (RV64I) and 16 (C). Registers from 32 on are f0 to f31.
 */
export type RiscvEffect =
  | { readonly kind: 'add-immediate'; readonly rd: number; readonly rs1: number; readonly imm: number }
  /** Of 32 bits, sign-extended: an address does not survive it. */
  | { readonly kind: 'add-word'; readonly rd: number; readonly rs1: number; readonly imm: number }
  | { readonly kind: 'constant'; readonly rd: number; readonly imm: number }
  | { readonly kind: 'pc-relative'; readonly rd: number; readonly imm: number }
  | { readonly kind: 'add' | 'subtract'; readonly rd: number; readonly rs1: number; readonly rs2: number }
  | { readonly kind: 'load'; readonly rd: number; readonly rs1: number; readonly imm: number; readonly size: number }
  | { readonly kind: 'store'; readonly rs2: number; readonly rs1: number; readonly imm: number; readonly size: number }
  | { readonly kind: 'other'; readonly rd: number }
  | { readonly kind: 'branch'; readonly imm: number }
  | { readonly kind: 'jal'; readonly rd: number; readonly imm: number }
  | { readonly kind: 'jalr'; readonly rd: number; readonly rs1: number; readonly imm: number }
  /** A return from a trap, or no code. */
  | { readonly kind: 'leave' };

interface Row {
  readonly mask: number;
  readonly bits: number;
  /** Only where registers have so many bits. */
  readonly xlen?: 32 | 64;
  readonly effect: (code: number) => RiscvEffect;
}

const SP = 2;
const RA = 1;
const FLOAT = 32;

/** The bits from `low` on, moved to `to`. */
const take = (code: number, low: number, width: number, to = 0): number => ((code >>> low) & ((1 << width) - 1)) << to;
const signed = (value: number, bits: number): number => (value << (32 - bits)) >> (32 - bits);

const rd = (code: number): number => take(code, 7, 5);
const rs1 = (code: number): number => take(code, 15, 5);
const rs2 = (code: number): number => take(code, 20, 5);
const immI = (code: number): number => code >> 20;
const immS = (code: number): number => signed(take(code, 25, 7, 5) | take(code, 7, 5), 12);
const immB = (code: number): number =>
  signed(take(code, 31, 1, 12) | take(code, 7, 1, 11) | take(code, 25, 6, 5) | take(code, 8, 4, 1), 13);
const immU = (code: number): number => code & ~0xfff;
const immJ = (code: number): number =>
  signed(take(code, 31, 1, 20) | take(code, 12, 8, 12) | take(code, 20, 1, 11) | take(code, 21, 10, 1), 21);

const load =
  (size: number, file = 0): Row['effect'] =>
  (code) => ({ kind: 'load', rd: rd(code) + file, rs1: rs1(code), imm: immI(code), size });
const store =
  (size: number, file = 0): Row['effect'] =>
  (code) => ({ kind: 'store', rs2: rs2(code) + file, rs1: rs1(code), imm: immS(code), size });
const other =
  (file = 0): Row['effect'] =>
  (code) => ({ kind: 'other', rd: rd(code) + file });
const nothing: Row['effect'] = () => ({ kind: 'other', rd: 0 });

/** The first that fits decides. */
const wordRows: readonly Row[] = [
  { mask: 0x707f, bits: 0x2003, effect: load(4) }, // LW
  { mask: 0x707f, bits: 0x3003, xlen: 64, effect: load(8) }, // LD
  { mask: 0x7f, bits: 0x03, effect: other() }, // LB, LH, LBU, LHU, LWU
  { mask: 0x707f, bits: 0x2007, effect: load(4, FLOAT) }, // FLW
  { mask: 0x707f, bits: 0x3007, effect: load(8, FLOAT) }, // FLD
  { mask: 0x7f, bits: 0x0f, effect: nothing }, // FENCE
  {
    mask: 0x707f,
    bits: 0x13,
    effect: (code) => ({ kind: 'add-immediate', rd: rd(code), rs1: rs1(code), imm: immI(code) }),
  }, // ADDI
  { mask: 0x7f, bits: 0x13, effect: other() }, // SLTI, XORI, SLLI, ...
  { mask: 0x7f, bits: 0x17, effect: (code) => ({ kind: 'pc-relative', rd: rd(code), imm: immU(code) }) }, // AUIPC
  {
    mask: 0x707f,
    bits: 0x1b,
    xlen: 64,
    effect: (code) => ({ kind: 'add-word', rd: rd(code), rs1: rs1(code), imm: immI(code) }),
  }, // ADDIW
  { mask: 0x7f, bits: 0x1b, xlen: 64, effect: other() }, // SLLIW, SRLIW, SRAIW
  { mask: 0x707f, bits: 0x0023, effect: store(1) }, // SB
  { mask: 0x707f, bits: 0x1023, effect: store(2) }, // SH
  { mask: 0x707f, bits: 0x2023, effect: store(4) }, // SW
  { mask: 0x707f, bits: 0x3023, xlen: 64, effect: store(8) }, // SD
  { mask: 0x707f, bits: 0x2027, effect: store(4, FLOAT) }, // FSW
  { mask: 0x707f, bits: 0x3027, effect: store(8, FLOAT) }, // FSD
  { mask: 0x7f, bits: 0x2f, effect: other() }, // LR, SC, AMO*
  {
    mask: 0xfe00707f,
    bits: 0x33,
    effect: (code) => ({ kind: 'add', rd: rd(code), rs1: rs1(code), rs2: rs2(code) }),
  }, // ADD
  {
    mask: 0xfe00707f,
    bits: 0x40000033,
    effect: (code) => ({ kind: 'subtract', rd: rd(code), rs1: rs1(code), rs2: rs2(code) }),
  }, // SUB
  { mask: 0x7f, bits: 0x33, effect: other() }, // SLL, MUL, ...
  { mask: 0x7f, bits: 0x37, effect: (code) => ({ kind: 'constant', rd: rd(code), imm: immU(code) }) }, // LUI
  { mask: 0x7f, bits: 0x3b, xlen: 64, effect: other() }, // ADDW, MULW, ...
  { mask: 0x73, bits: 0x43, effect: other(FLOAT) }, // FMADD, FMSUB, FNMSUB, FNMADD
  { mask: 0xf000007f, bits: 0xa0000053, effect: other() }, // FEQ, FLT, FLE
  { mask: 0xf800007f, bits: 0xc0000053, effect: other() }, // FCVT to an integer
  { mask: 0xf800007f, bits: 0xe0000053, effect: other() }, // FMV.X, FCLASS
  { mask: 0x7f, bits: 0x53, effect: other(FLOAT) }, // FADD, FSGNJ, ...
  { mask: 0x7f, bits: 0x63, effect: (code) => ({ kind: 'branch', imm: immB(code) }) },
  { mask: 0x707f, bits: 0x67, effect: (code) => ({ kind: 'jalr', rd: rd(code), rs1: rs1(code), imm: immI(code) }) },
  { mask: 0x7f, bits: 0x6f, effect: (code) => ({ kind: 'jal', rd: rd(code), imm: immJ(code) }) },
  { mask: 0xdfffffff, bits: 0x10200073, effect: () => ({ kind: 'leave' }) }, // SRET, MRET
  { mask: 0x7f, bits: 0x73, effect: other() }, // CSR*, ECALL, EBREAK, WFI
];

/** Registers of three bits are x8 to x15. */
const near = (code: number, low: number): number => 8 + take(code, low, 3);
const rdNear = (code: number): number => near(code, 2);
const rs1Near = (code: number): number => near(code, 7);
const rs2Full = (code: number): number => take(code, 2, 5);
const imm6 = (code: number): number => signed(take(code, 12, 1, 5) | take(code, 2, 5), 6);
const offsetW = (code: number): number => take(code, 10, 3, 3) | take(code, 6, 1, 2) | take(code, 5, 1, 6);
const offsetD = (code: number): number => take(code, 10, 3, 3) | take(code, 5, 2, 6);
const loadSpW = (code: number): number => take(code, 12, 1, 5) | take(code, 4, 3, 2) | take(code, 2, 2, 6);
const loadSpD = (code: number): number => take(code, 12, 1, 5) | take(code, 5, 2, 3) | take(code, 2, 3, 6);
const storeSpW = (code: number): number => take(code, 9, 4, 2) | take(code, 7, 2, 6);
const storeSpD = (code: number): number => take(code, 10, 3, 3) | take(code, 7, 3, 6);
const imm4spn = (code: number): number =>
  take(code, 11, 2, 4) | take(code, 7, 4, 6) | take(code, 6, 1, 2) | take(code, 5, 1, 3);
const imm16sp = (code: number): number =>
  signed(
    take(code, 12, 1, 9) | take(code, 6, 1, 4) | take(code, 5, 1, 6) | take(code, 3, 2, 7) | take(code, 2, 1, 5),
    10,
  );
const immCB = (code: number): number =>
  signed(
    take(code, 12, 1, 8) | take(code, 10, 2, 3) | take(code, 5, 2, 6) | take(code, 3, 2, 1) | take(code, 2, 1, 5),
    9,
  );
const immCJ = (code: number): number =>
  signed(
    take(code, 12, 1, 11) |
      take(code, 11, 1, 4) |
      take(code, 9, 2, 8) |
      take(code, 8, 1, 10) |
      take(code, 7, 1, 6) |
      take(code, 6, 1, 7) |
      take(code, 3, 3, 1) |
      take(code, 2, 1, 5),
    12,
  );

const loadNear = (size: 4 | 8, file = 0): Row['effect'] => {
  const offset = size === 4 ? offsetW : offsetD;
  return (code) => ({ kind: 'load', rd: rdNear(code) + file, rs1: rs1Near(code), imm: offset(code), size });
};
const storeNear = (size: 4 | 8, file = 0): Row['effect'] => {
  const offset = size === 4 ? offsetW : offsetD;
  return (code) => ({ kind: 'store', rs2: rdNear(code) + file, rs1: rs1Near(code), imm: offset(code), size });
};
const loadSp = (size: 4 | 8, file = 0): Row['effect'] => {
  const offset = size === 4 ? loadSpW : loadSpD;
  return (code) => ({ kind: 'load', rd: rd(code) + file, rs1: SP, imm: offset(code), size });
};
const storeSp = (size: 4 | 8, file = 0): Row['effect'] => {
  const offset = size === 4 ? storeSpW : storeSpD;
  return (code) => ({ kind: 'store', rs2: rs2Full(code) + file, rs1: SP, imm: offset(code), size });
};
const branchNear: Row['effect'] = (code) => ({ kind: 'branch', imm: immCB(code) });

const halfwordRows: readonly Row[] = [
  { mask: 0xffff, bits: 0x0000, effect: () => ({ kind: 'leave' }) }, // illegal for ever
  {
    mask: 0xe003,
    bits: 0x0000,
    effect: (code) => ({ kind: 'add-immediate', rd: rdNear(code), rs1: SP, imm: imm4spn(code) }),
  }, // C.ADDI4SPN
  { mask: 0xe003, bits: 0x2000, effect: loadNear(8, FLOAT) }, // C.FLD
  { mask: 0xe003, bits: 0x4000, effect: loadNear(4) }, // C.LW
  { mask: 0xe003, bits: 0x6000, xlen: 32, effect: loadNear(4, FLOAT) }, // C.FLW
  { mask: 0xe003, bits: 0x6000, xlen: 64, effect: loadNear(8) }, // C.LD
  { mask: 0xe003, bits: 0xa000, effect: storeNear(8, FLOAT) }, // C.FSD
  { mask: 0xe003, bits: 0xc000, effect: storeNear(4) }, // C.SW
  { mask: 0xe003, bits: 0xe000, xlen: 32, effect: storeNear(4, FLOAT) }, // C.FSW
  { mask: 0xe003, bits: 0xe000, xlen: 64, effect: storeNear(8) }, // C.SD
  {
    mask: 0xe003,
    bits: 0x0001,
    effect: (code) => ({ kind: 'add-immediate', rd: rd(code), rs1: rd(code), imm: imm6(code) }),
  }, // C.ADDI
  { mask: 0xe003, bits: 0x2001, xlen: 32, effect: (code) => ({ kind: 'jal', rd: RA, imm: immCJ(code) }) }, // C.JAL
  {
    mask: 0xe003,
    bits: 0x2001,
    xlen: 64,
    effect: (code) => ({ kind: 'add-word', rd: rd(code), rs1: rd(code), imm: imm6(code) }),
  }, // C.ADDIW
  { mask: 0xe003, bits: 0x4001, effect: (code) => ({ kind: 'constant', rd: rd(code), imm: imm6(code) }) }, // C.LI
  {
    mask: 0xef83,
    bits: 0x6101,
    effect: (code) => ({ kind: 'add-immediate', rd: SP, rs1: SP, imm: imm16sp(code) }),
  }, // C.ADDI16SP
  { mask: 0xe003, bits: 0x6001, effect: (code) => ({ kind: 'constant', rd: rd(code), imm: imm6(code) << 12 }) }, // C.LUI
  { mask: 0xe003, bits: 0x8001, effect: (code) => ({ kind: 'other', rd: rs1Near(code) }) }, // C.SRLI, C.AND, ...
  { mask: 0xe003, bits: 0xa001, effect: (code) => ({ kind: 'jal', rd: 0, imm: immCJ(code) }) }, // C.J
  { mask: 0xc003, bits: 0xc001, effect: branchNear }, // C.BEQZ, C.BNEZ
  { mask: 0xe003, bits: 0x0002, effect: other() }, // C.SLLI
  { mask: 0xe003, bits: 0x2002, effect: loadSp(8, FLOAT) }, // C.FLDSP
  { mask: 0xe003, bits: 0x4002, effect: loadSp(4) }, // C.LWSP
  { mask: 0xe003, bits: 0x6002, xlen: 32, effect: loadSp(4, FLOAT) }, // C.FLWSP
  { mask: 0xe003, bits: 0x6002, xlen: 64, effect: loadSp(8) }, // C.LDSP
  { mask: 0xf07f, bits: 0x8002, effect: (code) => ({ kind: 'jalr', rd: 0, rs1: rd(code), imm: 0 }) }, // C.JR
  {
    mask: 0xf003,
    bits: 0x8002,
    effect: (code) => ({ kind: 'add-immediate', rd: rd(code), rs1: rs2Full(code), imm: 0 }),
  }, // C.MV
  { mask: 0xffff, bits: 0x9002, effect: nothing }, // C.EBREAK
  { mask: 0xf07f, bits: 0x9002, effect: (code) => ({ kind: 'jalr', rd: RA, rs1: rd(code), imm: 0 }) }, // C.JALR
  {
    mask: 0xf003,
    bits: 0x9002,
    effect: (code) => ({ kind: 'add', rd: rd(code), rs1: rd(code), rs2: rs2Full(code) }),
  }, // C.ADD
  { mask: 0xe003, bits: 0xa002, effect: storeSp(8, FLOAT) }, // C.FSDSP
  { mask: 0xe003, bits: 0xc002, effect: storeSp(4) }, // C.SWSP
  { mask: 0xe003, bits: 0xe002, xlen: 32, effect: storeSp(4, FLOAT) }, // C.FSWSP
  { mask: 0xe003, bits: 0xe002, xlen: 64, effect: storeSp(8) }, // C.SDSP
];

/** All of them, for a test that each has a case. */
export const riscvCodeRows: readonly Row[] = [...wordRows, ...halfwordRows];

export interface RiscvInstruction {
  readonly size: 2 | 4;
  /** undefined: not known here. */
  readonly effect: RiscvEffect | undefined;
}

/** The instruction whose halfwords are `first` and, if it is so long, `second`. */
export function riscvInstruction(first: number, second: number, xlen: 32 | 64): RiscvInstruction {
  const isWord = (first & 3) === 3;
  const code = isWord ? first | (second << 16) : first;
  const row = riscvRow(code, isWord, xlen);
  return { size: isWord ? 4 : 2, effect: row?.effect(code) };
}

/** The row that decides about an instruction. */
export function riscvRow(code: number, isWord: boolean, xlen: 32 | 64): Row | undefined {
  const rows = isWord ? wordRows : halfwordRows;
  return rows.find((row) => (code & row.mask) >>> 0 === row.bits && (row.xlen === undefined || row.xlen === xlen));
}
