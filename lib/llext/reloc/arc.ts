/**
 * arch/arc/core/elf.c (specification 4.6). All values are 32 bits, the addend is in the entry. ME is ARC's middle-endian
 * order: an instruction's halfwords are swapped. Kept on purpose: a PC-relative one adds its addend twice, and no range
 * is tested. The dynamic types of the newest version were not read: assumed after the ABI.
 */
import { EM_ARC_COMPACT2 } from '../../elf/constants';
import * as R from '../../elf/constants-arc';
import { relocationName } from '../../elf/relocation-names';
import { Errno } from '../../errors';
import { nothing, word32 } from './field';
import type { Field, Range, RelocationRow, Relocator, Rule } from './relocator';

function ME(word: number): number {
  return (word >>> 16) | (word << 16);
}

const wordMe: Field = {
  size: 4,
  text: '32 bits, middle-endian',
  write: (place, value) => {
    word32.write(place, ME(value));
  },
};

/** A branch's distance, split over three fields of a middle-endian instruction. */
function displacement(text: string, mask: number, encode: (value: number) => number): Field {
  return {
    size: 4,
    text,
    write: (place, value) => {
      const instruction = ME(place.view.getUint32(place.at, place.littleEndian));
      word32.write(place, ME((instruction & ~mask) | (encode(value) & mask)));
    },
  };
}

const disp25h = displacement(
  'disp[9:0] in bits 26:17, [19:10] in 15:6, [23:20] in 3:0',
  0x07fe_ffcf,
  (v) => ((v & 0x3ff) << 17) | (((v >> 10) & 0x3ff) << 6) | ((v >> 20) & 0xf),
);
const disp25w = displacement(
  'disp[8:0] in bits 26:18, [18:9] in 15:6, [22:19] in 3:0',
  0x07fc_ffcf,
  (v) => ((v & 0x1ff) << 18) | (((v >> 9) & 0x3ff) << 6) | ((v >> 19) & 0xf),
);

function row(type: number, exact: Rule, rest: Partial<RelocationRow> = {}): RelocationRow {
  return { type, name: relocationName(EM_ARC_COMPACT2, type), exact, ...rest };
}

const rule = (formula: Rule['formula'], field: Field, shift = 0): Rule => ({ formula, field, shift });

function branch(type: number, field: Field, shift: number): RelocationRow {
  const range: Range = { min: -0x100_0000, max: 0xff_ffff, align: 2 ** shift };
  return row(type, rule('(S + A) + A - (P & ~3)', field, shift), {
    abi: { ...rule('(S + A) - (P & ~3)', field, shift), range },
    quirk: 'the addend is added twice, and no range is tested',
  });
}

const assumed = { since: 'S', assumed: true } as const;

const rows: readonly RelocationRow[] = [
  row(R.R_ARC_32, rule('S + A', word32)),
  // binutils' R_ARC_64, which no 32-bit file has.
  row(R.R_ARC_B26, rule('S + A', word32)),
  branch(R.R_ARC_S25H_PCREL, disp25h, 1),
  branch(R.R_ARC_S25W_PCREL, disp25w, 2),
  row(R.R_ARC_32_ME, rule('S + A', wordMe)),
  row(R.R_ARC_GLOB_DAT, rule('S', word32), assumed),
  row(R.R_ARC_JMP_SLOT, rule('S', word32), assumed),
  row(R.R_ARC_RELATIVE, rule('B + A', word32), assumed),
  { type: R.R_ARC_NONE, name: 'R_ARC_NONE', abi: rule('-', nothing), quirk: 'Zephyr refuses the type' },
];

export const arc: Relocator = {
  rows,
  addendInPlace: false,
  outOfRange: ({ symbol, P, S }) =>
    `sym '${symbol}': relocation out of range (0x${P.toString(16)} -> 0x${S.toString(16)})\n`,
  unknown: ({ type }) => ({ ret: -Errno.ENOEXEC, errors: [`unknown relocation: ${type}\n`] }),
};
