/**
 * arch/arm/core/elf.c (specification 4.2): the relocations of AAELF32 that Zephyr applies, with its rounding, its range
 * tests (exclusive at both ends for branches) and its omissions: no BL/BLX conversion, MOVW and MOVT are never tested,
 * MOVW and MOVT of Arm state clear bit 20. The addend is always in the place (SHT_REL). T is part of S; the ABI ORs it
 * in after the addition. All arithmetic is modulo 2^32.
 */
import { EM_ARM } from '../../elf/constants';
import * as R from '../../elf/constants-arm';
import { relocationName } from '../../elf/relocation-names';
import { Errno } from '../../errors';
import { bits32, nothing, signExtend, withAddend, word32 } from './field';
import type { Field, Range, RelocationRow, Relocator, Rule } from './relocator';

/** Thumb instructions are two halfwords, the first one at the lower address. */
function thumbField(
  text: string,
  [upperMask, lowerMask]: readonly [number, number],
  decode: (upper: number, lower: number) => number,
  encode: (x: number) => readonly [number, number],
): Field {
  return {
    size: 4,
    text,
    read: ({ view, at, littleEndian }) =>
      decode(view.getUint16(at, littleEndian), view.getUint16(at + 2, littleEndian)),
    write: ({ view, at, littleEndian }, x) => {
      const [upper, lower] = encode(x);
      view.setUint16(at, (view.getUint16(at, littleEndian) & ~upperMask) | upper, littleEndian);
      view.setUint16(at + 2, (view.getUint16(at + 2, littleEndian) & ~lowerMask) | lower, littleEndian);
    },
  };
}

const imm24 = withAddend(
  bits32('imm24 in bits 23:0', 0x00ff_ffff, (x) => x >> 2),
  (word) => signExtend(word << 2, 26),
);
const prel31 = withAddend(
  bits32('bits 30:0', 0x7fff_ffff, (x) => x),
  (word) => signExtend(word, 31),
);
/** BX Rm becomes MOV PC, Rm: condition and Rm stay. */
const bx = bits32('BX Rm becomes MOV PC, Rm', 0x0fff_fff0, () => 0x01a0_f000);

const imm4imm12 = (text: string, mask: number): Field =>
  withAddend(
    bits32(text, mask, (x) => ((x & 0xf000) << 4) | (x & 0xfff)),
    (word) => signExtend(((word & 0xf_0000) >> 4) | (word & 0xfff), 16),
  );
const mov = imm4imm12('imm4:imm12 in bits 19:16, 11:0; bit 20 is cleared', 0x001f_0fff);
const abiMov = imm4imm12('imm4:imm12 in bits 19:16, 11:0', 0x000f_0fff);

/** BL, B.W: S:I1:I2:imm10:imm11:0 with I1 = NOT(J1 EOR S), I2 = NOT(J2 EOR S). */
const thumbBranch = thumbField(
  'S:J1:J2:imm10:imm11, J = NOT(I) EOR S',
  [0x07ff, 0x2fff],
  (upper, lower) => {
    const sign = (upper >> 10) & 1;
    const I1 = ~((lower >> 13) ^ sign) & 1;
    const I2 = ~((lower >> 11) ^ sign) & 1;
    return signExtend((sign << 24) | (I1 << 23) | (I2 << 22) | ((upper & 0x3ff) << 12) | ((lower & 0x7ff) << 1), 25);
  },
  (x) => {
    const sign = (x >> 24) & 1;
    const J1 = sign ^ (~(x >> 23) & 1);
    const J2 = sign ^ (~(x >> 22) & 1);
    return [(sign << 10) | ((x >> 12) & 0x3ff), (J1 << 13) | (J2 << 11) | ((x >> 1) & 0x7ff)];
  },
);

const thumbMov = thumbField(
  'imm4:i:imm3:imm8',
  [0x040f, 0x70ff],
  (upper, lower) =>
    signExtend(((upper & 0xf) << 12) | ((upper & 0x400) << 1) | ((lower & 0x7000) >> 4) | (lower & 0xff), 16),
  (x) => [((x & 0xf000) >> 12) | ((x & 0x0800) >> 1), ((x & 0x0700) << 4) | (x & 0x00ff)],
);

/** Zephyr refuses both ends, the ABI wants whole instructions in two's complement. */
const exclusive = (limit: number): Range => ({ min: -limit + 1, max: limit - 1 });
const inclusive = (limit: number, align: number): Range => ({ min: -limit, max: limit - 1, align });

function row(type: number, exact: Rule, rest: Partial<RelocationRow> = {}): RelocationRow {
  return { type, name: relocationName(EM_ARM, type), exact, ...rest };
}

const twoEnds = 'the distance -2^n is refused, and low bits are dropped in silence';

function branch(type: number, field: Field, limit: number, align: number): RelocationRow {
  // A Thumb target has bit 0 set, which a Thumb branch does not encode.
  const formula = align === 4 ? '((S + A) | T) - P' : 'S + A - P';
  const abi: Rule = { formula, field, range: align === 4 ? inclusive(limit, align) : { min: -limit, max: limit - 1 } };
  return row(type, { formula: 'S + A - P', field, range: exclusive(limit) }, { abi, quirk: twoEnds });
}

function word(type: number, formula: 'S + A' | 'S + A - P', rest: Partial<RelocationRow> = {}): RelocationRow {
  const abi: Rule = { formula: formula === 'S + A' ? '(S + A) | T' : '((S + A) | T) - P', field: word32 };
  return row(type, { formula, field: word32 }, { abi, ...rest });
}

function movw(type: number, formula: 'S + A' | 'S + A - P', thumb: boolean): RelocationRow {
  const abi: Rule['formula'] = formula === 'S + A' ? '(S + A) | T' : '((S + A) | T) - P';
  return row(
    type,
    { formula, field: thumb ? thumbMov : mov },
    { abi: { formula: abi, field: thumb ? thumbMov : abiMov }, ...(thumb ? {} : { quirk: 'bit 20 is cleared' }) },
  );
}

function movt(type: number, formula: 'S + A' | 'S + A - P', thumb: boolean): RelocationRow {
  const exact: Rule = { formula, field: thumb ? thumbMov : mov, shift: 16 };
  return row(type, exact, thumb ? {} : { abi: { ...exact, field: abiMov }, quirk: 'bit 20 is cleared' });
}

const relative = R.R_ARM_RELATIVE;
const bias = 'the load bias is the address of .text, whatever address that was linked at';

const rows: readonly RelocationRow[] = [
  row(R.R_ARM_NONE, { formula: '-', field: nothing }),
  branch(R.R_ARM_PC24, imm24, 0x0200_0000, 4),
  word(R.R_ARM_ABS32, 'S + A'),
  word(R.R_ARM_REL32, 'S + A - P'),
  branch(R.R_ARM_THM_CALL, thumbBranch, 0x0100_0000, 2),
  row(R.R_ARM_GLOB_DAT, { formula: 'S', field: word32 }),
  row(R.R_ARM_JUMP_SLOT, { formula: 'S', field: word32 }),
  row(relative, { formula: 'B + A', field: word32 }, { until: 'V44', quirk: bias }),
  row(relative, { formula: 'Loaded(V)', field: word32 }, { since: 'S' }),
  branch(R.R_ARM_CALL, imm24, 0x0200_0000, 4),
  branch(R.R_ARM_JUMP24, imm24, 0x0200_0000, 4),
  branch(R.R_ARM_THM_JUMP24, thumbBranch, 0x0100_0000, 2),
  word(R.R_ARM_TARGET1, 'S + A', { quirk: 'always as R_ARM_ABS32' }),
  row(
    R.R_ARM_V4BX,
    { formula: '-', field: bx },
    { abi: { formula: '-', field: nothing }, quirk: 'BX Rm always becomes MOV PC, Rm, which stays in Arm state' },
  ),
  row(
    R.R_ARM_PREL31,
    { formula: 'S + A - P', field: prel31, range: { min: -0x4000_0000, max: 0x3fff_ffff } },
    { abi: { formula: '((S + A) | T) - P', field: prel31, range: { min: -0x4000_0000, max: 0x3fff_ffff } } },
  ),
  movw(R.R_ARM_MOVW_ABS_NC, 'S + A', false),
  movt(R.R_ARM_MOVT_ABS, 'S + A', false),
  movw(R.R_ARM_MOVW_PREL_NC, 'S + A - P', false),
  movt(R.R_ARM_MOVT_PREL, 'S + A - P', false),
  movw(R.R_ARM_THM_MOVW_ABS_NC, 'S + A', true),
  movt(R.R_ARM_THM_MOVT_ABS, 'S + A', true),
  movw(R.R_ARM_THM_MOVW_PREL_NC, 'S + A - P', true),
  movt(R.R_ARM_THM_MOVT_PREL, 'S + A - P', true),
  word(R.R_ARM_TLS_LE32, 'S + A', { since: 'S', abi: { formula: 'S + A', field: word32 } }),
];

export const arm: Relocator = {
  rows,
  addendInPlace: true,
  outOfRange: ({ symbol, P, S }) =>
    `sym '${symbol}': relocation out of range (0x${P.toString(16)} -> 0x${S.toString(16)})\n`,
  unknown: ({ type }) => ({ ret: -Errno.ENOEXEC, errors: [`unknown relocation: ${type}\n`] }),
  // The handler looks the symbol up by itself and says so.
  announcement: ({ type, P, S, symbol }) => `${type} ${P.toString(16)} ${S.toString(16)} ${symbol}`,
};
