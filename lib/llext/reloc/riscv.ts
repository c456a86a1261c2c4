/**
 * arch/riscv/core/elf.c (specification 4.4): the relocations of the RISC-V psABI for RV32 and RV64, byte order always
 * little. Kept on purpose: a value is written before its range is tested, and the ranges are of bytes in two's
 * complement, so that odd ends pass; R_RISCV_JAL is tested as if it had 32 bits; SUB6 and SET6 keep five bits. On RV32
 * values are int32, and tests against INT32_MAX never fail.
 */
import { EM_RISCV } from '../../elf/constants';
import * as R from '../../elf/constants-riscv';
import { relocationName } from '../../elf/relocation-names';
import { Errno } from '../../errors';
import { bits16, bits32, nothing, word16, word32, word64, word8 } from './field';
import type { Field, Range, RelocationInput, RelocationRow, Relocator, Rule } from './relocator';

const INT32_MAX = 0x7fff_ffff;
/** riscv_relocation_fits: |x| <= max, or max + 1 where x is negative. */
const fits = (max: number): Range => ({ min: -max - 1, max });

const imm_u = (x: number): number => x + (x & 0x800);
const uType = bits32('imm[31:12] in bits 31:12, rounded for a signed low part', 0xffff_f000, imm_u);
const iType = bits32('imm[11:0] in bits 31:20', 0xfff0_0000, (x) => x << 20);
const sType = bits32(
  'imm[11:5] in bits 31:25, imm[4:0] in 11:7',
  0xfe00_0f80,
  (x) => ((x << 20) & 0xfe00_0000) | ((x << 7) & 0xf80),
);
const bType = bits32(
  'imm[12|10:5] in bits 31:25, imm[4:1|11] in 11:7',
  0xfe00_0f80,
  (x) => ((x & 0x1000) << 19) | ((x & 0x7e0) << 20) | ((x & 0x1e) << 7) | ((x & 0x800) >> 4),
);
const jType = bits32(
  'imm[20|10:1|11|19:12] in bits 31:12',
  0xffff_f000,
  (x) => ((x & 0x10_0000) << 11) | ((x & 0x7fe) << 20) | ((x & 0x800) << 9) | (x & 0xf_f000),
);
const cbType = bits16(
  'imm[8|4:3] in bits 12:10, imm[7:6|2:1|5] in 6:2',
  0x1c7c,
  (x) => ((x & 0x100) << 4) | ((x & 0x18) << 7) | ((x & 0xc0) >> 1) | ((x & 0x6) << 2) | ((x & 0x20) >> 3),
);
const cjType = bits16(
  'imm[11|4|9:8|10|6|7|3:1|5] in bits 12:2',
  0x1ffc,
  (x) =>
    ((x & 0x800) << 1) |
    ((x & 0x10) << 7) |
    ((x & 0x300) << 1) |
    ((x & 0x400) >> 2) |
    ((x & 0x40) << 1) |
    ((x & 0x80) >> 1) |
    ((x & 0xe) << 2) |
    ((x & 0x20) >> 3),
);

/** AUIPC and the JALR behind it. */
const call: Field = {
  size: 8,
  text: `${uType.text} of AUIPC; ${iType.text} of JALR`,
  write: (place, x) => {
    uType.write(place, x);
    iType.write({ ...place, at: place.at + 4 }, x);
  },
};

/** A byte of which `mask` is read; `combine` puts a value into what was there. */
const byte = (text: string, mask: number, combine: (old: number, x: number) => number): Field => ({
  size: 1,
  text,
  read: ({ view, at }) => view.getUint8(at) & mask,
  write: ({ view, at }, x) => {
    view.setUint8(at, combine(view.getUint8(at), x));
  },
});
const sub6 = byte('five bits, ORed into the five that were there', 0x1f, (old, x) => (old & 0x1f) | (x & 0x1f));
const set6 = byte('eight bits, ORed into the low five that were there', 0x1f, (old, x) => (old & 0x1f) | x);
const abi6 = byte('the low six bits; the two above stay', 0x3f, (old, x) => (old & 0xc0) | (x & 0x3f));

const unchecked = (formula: Rule['formula'], field: Field): Rule => ({ formula, field });
const checked = (formula: Rule['formula'], field: Field, range: Range): Rule => ({ formula, field, range });
const written = (formula: Rule['formula'], field: Field, range: Range): Rule => ({
  ...checked(formula, field, range),
  writesFirst: true,
});

function row(type: number, exact: Rule, rest: Partial<RelocationRow> = {}): RelocationRow {
  return { type, name: relocationName(EM_RISCV, type), exact, ...rest };
}

function alignRefused({ symbol, P, A }: RelocationInput): string[] {
  let alignment = 1n;
  while (alignment < A) alignment *= 2n;
  return [
    `Symbol ${symbol} with location 0x${P.toString(16)} requires alignment to ${alignment} bytes!`,
    'Alignment relocation is currently not supported!',
  ];
}

const lateTest = 'the place has been written when it is refused';
const oddEnd = 'an odd distance is not refused: its bit 0 is dropped';

function makeRows(pointerSize: 4 | 8): RelocationRow[] {
  const pointer = pointerSize === 4 ? word32 : word64;
  // What a rounded high part and a signed low one reach; on RV32 addresses wrap and everything is reached.
  const hi20: Range = pointerSize === 4 ? {} : { min: -INT32_MAX - 1 - 0x800, max: INT32_MAX - 0x800 };
  const abi32: Range = pointerSize === 4 ? {} : { min: -INT32_MAX - 1, max: 0xffff_ffff };
  const pcrel = (type: number, field: Field, max: number, abi: Range, quirk: string): RelocationRow =>
    row(type, written('S + A - P', field, fits(max)), { abi: checked('S + A - P', field, abi), quirk });
  const farJump = 'the range of +-1 MiB is not enforced: a far jump is accepted and goes elsewhere';
  return [
    row(R.R_RISCV_NONE, unchecked('-', nothing)),
    row(R.R_RISCV_32, written('S + A', word32, fits(INT32_MAX)), {
      abi: checked('S + A', word32, abi32),
      quirk: 'on RV64 an address from 0x80000000 on is refused',
    }),
    row(R.R_RISCV_64, unchecked('S + A', word64)),
    row(R.R_RISCV_RELATIVE, unchecked('B + A', pointer), { until: 'V44' }),
    row(R.R_RISCV_RELATIVE, unchecked('B + A', pointer), { since: 'S', assumed: true }),
    row(R.R_RISCV_JUMP_SLOT, unchecked('S', pointer)),
    pcrel(R.R_RISCV_BRANCH, bType, 0xfff, { ...fits(0xfff), align: 2 }, oddEnd),
    pcrel(R.R_RISCV_JAL, jType, INT32_MAX, { ...fits(0xf_ffff), align: 2 }, farJump),
    pcrel(R.R_RISCV_CALL, call, INT32_MAX, hi20, lateTest),
    pcrel(R.R_RISCV_CALL_PLT, call, INT32_MAX, hi20, lateTest),
    pcrel(R.R_RISCV_PCREL_HI20, uType, INT32_MAX, hi20, lateTest),
    row(R.R_RISCV_PCREL_LO12_I, unchecked('X(HI20 at S)', iType)),
    row(R.R_RISCV_PCREL_LO12_S, unchecked('X(HI20 at S)', sType)),
    row(R.R_RISCV_HI20, written('S + A', uType, fits(INT32_MAX)), {
      abi: checked('S + A', uType, hi20),
      quirk: lateTest,
    }),
    row(R.R_RISCV_LO12_I, written('S + A', iType, fits(INT32_MAX)), {
      abi: unchecked('S + A', iType),
      quirk: 'tested against 32 bits, as its R_RISCV_HI20 has been',
    }),
    row(R.R_RISCV_LO12_S, unchecked('S + A', sType)),
    row(R.R_RISCV_ADD8, unchecked('V + S + A', word8)),
    row(R.R_RISCV_ADD16, unchecked('V + S + A', word16)),
    row(R.R_RISCV_ADD32, unchecked('V + S + A', word32)),
    row(R.R_RISCV_ADD64, unchecked('V + S + A', word64)),
    row(R.R_RISCV_SUB8, unchecked('V - S - A', word8)),
    row(R.R_RISCV_SUB16, unchecked('V - S - A', word16)),
    row(R.R_RISCV_SUB32, unchecked('V - S - A', word32)),
    row(R.R_RISCV_SUB64, unchecked('V - S - A', word64)),
    row(
      R.R_RISCV_ALIGN,
      { ...unchecked('-', nothing), refusal: alignRefused },
      {
        abi: unchecked('-', nothing),
        quirk: 'always refused: build with -mno-relax. Where nothing is relaxed the padding is right as it is',
      },
    ),
    pcrel(R.R_RISCV_RVC_BRANCH, cbType, 0xff, { ...fits(0xff), align: 2 }, oddEnd),
    pcrel(R.R_RISCV_RVC_JUMP, cjType, 0x7ff, { ...fits(0x7ff), align: 2 }, oddEnd),
    row(R.R_RISCV_RELAX, unchecked('-', nothing)),
    row(R.R_RISCV_SUB6, unchecked('V - S - A', sub6), {
      abi: unchecked('V - S - A', abi6),
      quirk: 'five bits instead of six, and bits that were set stay set',
    }),
    row(R.R_RISCV_SET6, unchecked('S + A', set6), {
      abi: unchecked('S + A', abi6),
      quirk: 'a whole byte is ORed into the low five bits instead of replacing the low six',
    }),
    row(R.R_RISCV_SET8, unchecked('S + A', word8)),
    row(R.R_RISCV_SET16, unchecked('S + A', word16)),
    row(R.R_RISCV_SET32, unchecked('S + A', word32)),
    pcrel(R.R_RISCV_32_PCREL, word32, INT32_MAX, pointerSize === 4 ? {} : fits(INT32_MAX), lateTest),
    pcrel(R.R_RISCV_PLT32, word32, INT32_MAX, pointerSize === 4 ? {} : fits(INT32_MAX), lateTest),
  ];
}

/** %p */
const pointerText = (value: bigint, size: number): string =>
  value === 0n ? '(nil)' : `0x${BigInt.asUintN(size * 8, value).toString(16)}`;

const handler: Omit<Relocator, 'rows'> = {
  addendInPlace: false,
  outOfRange: ({ type }, X, { max = 0 }) => {
    const limit = X < 0n ? max + 1 : max;
    return `${X} byte relocation is not possible for type ${type} (max ${limit})!`;
  },
  unknown: ({ type, symbol }) => ({
    ret: -Errno.ENOEXEC,
    errors: [`Unsupported relocation type: ${type} for symbol: ${symbol}`],
  }),
  announcement: ({ symbol, S, P, B, pointerSize, type }) => {
    const [place, base, load] = [P, S, B].map((value) => pointerText(value, pointerSize));
    return `Relocating symbol ${symbol} at ${place} with base address ${base} load address ${load} type ${type}`;
  },
  isPaired: (type) => type === R.R_RISCV_PCREL_LO12_I || type === R.R_RISCV_PCREL_LO12_S,
  pairTypes: [R.R_RISCV_PCREL_HI20],
  pairMissing: 'Could not find R_RISCV_PCREL_HI20 relocation for R_RISCV_PCREL_LO12 relocation!',
};

export const riscv32: Relocator = { ...handler, rows: makeRows(4) };
export const riscv64: Relocator = { ...handler, rows: makeRows(8) };
