/**
 * arch/arm64/core/elf.c (specification 4.3): the static relocations of AAELF64. Kept on purpose: an instruction is
 * written before its range is tested; the test of an immediate of n bits only refuses X from 2^n on, so that half of
 * what is too far, and all that is too far below, wraps in silence; MOVN and MOVZ are chosen the wrong way round; the
 * tests of MOVZ and MOVK see 32 bits. Data words are tested before they are written.
 */
import { EM_AARCH64 } from '../../elf/constants';
import * as R from '../../elf/constants-arm64';
import { relocationName } from '../../elf/relocation-names';
import { Errno } from '../../errors';
import { bits32, nothing, word16, word32, word64 } from './field';
import type { Field, Range, RelocationRow, Relocator, Rule, Word } from './relocator';

/** An older number of R_AARCH64_NONE. */
const R_ARM_NONE = 0;

const imm12 = (bits: number): Field =>
  bits32(`imm${bits} in bits ${bits + 9}:10`, 0x003f_fc00, (x) => (x & (2 ** bits - 1)) << 10);
const imm14 = bits32('imm14 in bits 18:5', 0x0007_ffe0, (x) => x << 5);
const imm16 = bits32('imm16 in bits 20:5', 0x001f_ffe0, (x) => x << 5);
const imm19 = bits32('imm19 in bits 23:5', 0x00ff_ffe0, (x) => x << 5);
const imm26 = bits32('imm26 in bits 25:0', 0x03ff_ffff, (x) => x);
const adr = bits32(
  'immlo in bits 30:29, immhi in bits 23:5',
  0x60ff_ffe0,
  (x) => ((x & 3) << 29) | ((x & 0x1f_fffc) << 3),
);

/** Bits 30:23 of MOVN and MOVZ. */
const MOVN = 0b0010_0101 << 23;
const MOVZ = 0b1010_0101 << 23;

/** The opcode depends on the sign of X, and a negative one is inverted. */
function movnz(shift: number, text: string, positive: number, negative: number): Field {
  const write64 = (place: Parameters<Field['write']>[0], X: bigint): void => {
    const imm = Number(BigInt.asIntN(32, X >> BigInt(shift)));
    const { view, at, littleEndian } = place;
    const opcode = X >= 0n ? positive : negative;
    view.setUint32(at, (view.getUint32(at, littleEndian) & ~(0xff << 23)) | opcode, littleEndian);
    imm16.write(place, X >= 0n ? imm : ~imm);
  };
  return { size: 4, text, write64, write: (place, x) => write64(place, BigInt(x)) };
}

const unchecked = (formula: Rule['formula'], field: Field, shift = 0): Rule => ({ formula, field, shift });

function row(type: number, exact: Rule, rest: Partial<RelocationRow> = {}): RelocationRow {
  return { type, name: relocationName(EM_AARCH64, type), exact, ...rest };
}

function data(type: number, formula: Rule['formula'], field: Field, exact: Range, abi: Range): RelocationRow {
  const rule = { ...unchecked(formula, field), range: exact };
  if (exact.min === abi.min && exact.max === abi.max) return row(type, rule);
  const quirk = 'only one of the signed and the unsigned range is accepted';
  return row(type, rule, { abi: { ...rule, range: abi }, quirk });
}

/** MOVZ and MOVK with a test: of the low 32 bits of X >> lsb. */
function movwUnsigned(type: number, lsb: number): RelocationRow {
  const range = { min: 0, max: 2 ** (lsb + 16) - 1 };
  const exact: Rule = {
    ...unchecked('S + A', imm16, lsb),
    range,
    accepts: (X: Word) => BigInt.asUintN(32, BigInt(X) >> BigInt(lsb)) <= 0xffffn,
    writesFirst: true,
  };
  const quirk = 'only 32 bits of the shifted value are tested, after it has been written';
  return row(type, exact, { abi: { ...unchecked('S + A', imm16, lsb), range }, quirk });
}

function movwSigned(type: number, formula: Rule['formula'], lsb: number, isTested = true): RelocationRow {
  const range = isTested ? { min: -(2 ** (lsb + 16)), max: 2 ** (lsb + 16) - 1 } : {};
  const accepts = (X: Word): boolean => {
    const imm = BigInt(X) >> BigInt(lsb);
    return BigInt.asUintN(32, X < 0 ? ~imm : imm) <= 0xffffn;
  };
  const exact: Rule = {
    ...unchecked(formula, movnz(lsb, 'imm16; MOVN for X >= 0, else MOVZ with imm16 inverted', MOVN, MOVZ)),
    ...(isTested ? { range, accepts, writesFirst: true } : {}),
  };
  const abi = {
    ...unchecked(formula, movnz(lsb, 'imm16; MOVZ for X >= 0, else MOVN with imm16 inverted', MOVZ, MOVN)),
    range,
  };
  const quirk = 'MOVN and MOVZ are swapped: the register gets the inverse of the value';
  return row(type, exact, { abi, quirk });
}

/** An immediate with a test: exact refuses only X >> lsb >= 2^bits. */
function immediate(
  type: number,
  formula: Rule['formula'],
  field: Field,
  { bits, lsb, align }: { readonly bits: number; readonly lsb: number; readonly align?: number },
): RelocationRow {
  const rule = unchecked(formula, field, lsb);
  const exact: Rule = { ...rule, range: { max: 2 ** (bits + lsb) - 1 }, writesFirst: true };
  const half = 2 ** (bits + lsb - 1);
  const abi: Rule = { ...rule, range: { min: -half, max: half - 1, ...(align === undefined ? {} : { align }) } };
  return row(type, exact, {
    abi,
    quirk: 'half of what is too far above and all that is too far below wraps in silence',
  });
}

/** LDSTn: the low 12 bits, scaled. The ABI wants them aligned. */
function scaled(type: number, lsb: number): RelocationRow {
  const rule = unchecked('S + A', imm12(12 - lsb), lsb);
  if (lsb === 0) return row(type, rule);
  const quirk = 'an address that is not aligned to the access is not refused';
  return row(type, rule, { abi: { ...rule, range: { align: 2 ** lsb } }, quirk });
}

/** Not read, but expected of the newest version. */
function dynamic(type: number, formula: Rule['formula']): RelocationRow {
  return row(type, unchecked(formula, word64), { since: 'S', assumed: true });
}

const page = 'Page(S + A) - Page(P)';
const signed32 = { min: -0x8000_0000, max: 0x7fff_ffff };
const either32 = { min: -0x8000_0000, max: 0xffff_ffff };
const either16 = { min: -0x8000, max: 0xffff };

const rows: readonly RelocationRow[] = [
  { ...row(R_ARM_NONE, unchecked('-', nothing)), name: 'R_ARM_NONE' },
  row(R.R_AARCH64_NONE, unchecked('-', nothing)),
  row(R.R_AARCH64_ABS64, unchecked('S + A', word64)),
  data(R.R_AARCH64_ABS32, 'S + A', word32, { min: 0, max: 0xffff_ffff }, either32),
  data(R.R_AARCH64_ABS16, 'S + A', word16, { min: 0, max: 0xffff }, either16),
  row(R.R_AARCH64_PREL64, unchecked('S + A - P', word64)),
  data(R.R_AARCH64_PREL32, 'S + A - P', word32, signed32, either32),
  data(R.R_AARCH64_PREL16, 'S + A - P', word16, { min: -0x8000, max: 0x7fff }, either16),
  movwUnsigned(R.R_AARCH64_MOVW_UABS_G0, 0),
  row(R.R_AARCH64_MOVW_UABS_G0_NC, unchecked('S + A', imm16)),
  movwUnsigned(R.R_AARCH64_MOVW_UABS_G1, 16),
  row(R.R_AARCH64_MOVW_UABS_G1_NC, unchecked('S + A', imm16, 16)),
  movwUnsigned(R.R_AARCH64_MOVW_UABS_G2, 32),
  row(R.R_AARCH64_MOVW_UABS_G2_NC, unchecked('S + A', imm16, 32)),
  row(R.R_AARCH64_MOVW_UABS_G3, unchecked('S + A', imm16, 48)),
  movwSigned(R.R_AARCH64_MOVW_SABS_G0, 'S + A', 0),
  movwSigned(R.R_AARCH64_MOVW_SABS_G1, 'S + A', 16),
  movwSigned(R.R_AARCH64_MOVW_SABS_G2, 'S + A', 32),
  immediate(R.R_AARCH64_LD_PREL_LO19, 'S + A - P', imm19, { bits: 19, lsb: 2, align: 4 }),
  immediate(R.R_AARCH64_ADR_PREL_LO21, 'S + A - P', adr, { bits: 21, lsb: 0 }),
  immediate(R.R_AARCH64_ADR_PREL_PG_HI21, page, adr, { bits: 21, lsb: 12 }),
  row(R.R_AARCH64_ADR_PREL_PG_HI21_NC, unchecked(page, adr, 12)),
  row(R.R_AARCH64_ADD_ABS_LO12_NC, unchecked('S + A', imm12(12))),
  scaled(R.R_AARCH64_LDST8_ABS_LO12_NC, 0),
  immediate(R.R_AARCH64_TSTBR14, 'S + A - P', imm14, { bits: 14, lsb: 2, align: 4 }),
  immediate(R.R_AARCH64_CONDBR19, 'S + A - P', imm19, { bits: 19, lsb: 2, align: 4 }),
  immediate(R.R_AARCH64_JUMP26, 'S + A - P', imm26, { bits: 26, lsb: 2, align: 4 }),
  immediate(R.R_AARCH64_CALL26, 'S + A - P', imm26, { bits: 26, lsb: 2, align: 4 }),
  scaled(R.R_AARCH64_LDST16_ABS_LO12_NC, 1),
  scaled(R.R_AARCH64_LDST32_ABS_LO12_NC, 2),
  scaled(R.R_AARCH64_LDST64_ABS_LO12_NC, 3),
  movwSigned(R.R_AARCH64_MOVW_PREL_G0, 'S + A - P', 0),
  row(R.R_AARCH64_MOVW_PREL_G0_NC, unchecked('S + A - P', imm16)),
  movwSigned(R.R_AARCH64_MOVW_PREL_G1, 'S + A - P', 16),
  row(R.R_AARCH64_MOVW_PREL_G1_NC, unchecked('S + A - P', imm16, 16)),
  movwSigned(R.R_AARCH64_MOVW_PREL_G2, 'S + A - P', 32),
  row(R.R_AARCH64_MOVW_PREL_G2_NC, unchecked('S + A - P', imm16, 32)),
  movwSigned(R.R_AARCH64_MOVW_PREL_G3, 'S + A - P', 48, false),
  scaled(R.R_AARCH64_LDST128_ABS_LO12_NC, 4),
  dynamic(R.R_AARCH64_GLOB_DAT, 'S + A'),
  dynamic(R.R_AARCH64_JUMP_SLOT, 'S + A'),
  dynamic(R.R_AARCH64_RELATIVE, 'B + A'),
];

export const arm64: Relocator = {
  rows,
  addendInPlace: false,
  outOfRange: ({ symbol, P, S }) =>
    `sym '${symbol}': relocation out of range (0x${P.toString(16)} -> 0x${S.toString(16)})\n`,
  unknown: ({ type }) => ({ ret: -Errno.ENOEXEC, errors: [`unknown relocation: ${type}\n`] }),
};
