/**
 * OpenRISC 1000 as a port of LLEXT has it (specification 4.8), numbers as in GNU binutils. The addend is in the entry,
 * byte order big. Only INSN_REL_26 is tested, for its alignment. Nothing of it was compared with Zephyr: all assumed.
 */
import { EM_OPENRISC } from '../../elf/constants';
import * as R from '../../elf/constants-openrisc';
import { relocationName } from '../../elf/relocation-names';
import { Errno } from '../../errors';
import { bits32, nothing, word32 } from './field';
import type { Field, RelocationRow, Relocator, Rule } from './relocator';

const imm26 = bits32('imm26 in bits 25:0', 0x03ff_ffff, (x) => x);
const imm21 = bits32('imm21 in bits 20:0', 0x001f_ffff, (x) => x);
const imm16 = bits32('imm16 in bits 15:0', 0xffff, (x) => x);
const split16 = bits32(
  'imm[15:11] in bits 25:21, imm[10:0] in 10:0',
  0x03e0_07ff,
  (x) => ((x & 0xf800) << 10) | (x & 0x7ff),
);
/** The offset in a page of 8 KiB. */
const low13 = bits32('imm[12:0] in bits 15:0', 0xffff, (x) => x & 0x1fff);
const split13 = bits32(
  'imm[12:11] in bits 25:21, imm[10:0] in 10:0',
  0x03e0_07ff,
  (x) => ((x & 0x1800) << 10) | (x & 0x7ff),
);

function row(type: number, exact: Rule, rest: Partial<RelocationRow> = {}): RelocationRow {
  return { type, name: relocationName(EM_OPENRISC, type), exact, assumed: true, ...rest };
}

const rule = (formula: Rule['formula'], field: Field, shift = 0): Rule => ({ formula, field, shift });

const jump: Rule = { ...rule('S + A - P', imm26, 2), range: { align: 4 } };

const rows: readonly RelocationRow[] = [
  row(R.R_OR1K_NONE, rule('-', nothing)),
  // Added to what the place holds, which is 0 in files with SHT_RELA.
  row(R.R_OR1K_32, rule('V + S + A', word32), { abi: rule('S + A', word32) }),
  row(R.R_OR1K_TLS_TPOFF, rule('V + S + A', word32), { abi: rule('S + A', word32) }),
  row(R.R_OR1K_32_PCREL, rule('V + S + A - P', word32), { abi: rule('S + A - P', word32) }),
  row(R.R_OR1K_INSN_REL_26, jump, {
    abi: { ...jump, range: { min: -0x800_0000, max: 0x7ff_ffff, align: 4 } },
    quirk: 'only the alignment is tested, not the range',
  }),
  row(R.R_OR1K_HI_16_IN_INSN, rule('S + A', imm16, 16)),
  row(R.R_OR1K_TLS_LE_HI16, rule('S + A', imm16, 16)),
  row(R.R_OR1K_LO_16_IN_INSN, rule('S + A', imm16)),
  row(R.R_OR1K_TLS_LE_LO16, rule('S + A', imm16)),
  row(R.R_OR1K_AHI16, rule('S + A + 0x8000', imm16, 16)),
  row(R.R_OR1K_TLS_LE_AHI16, rule('S + A + 0x8000', imm16, 16)),
  row(R.R_OR1K_SLO16, rule('S + A', split16)),
  row(R.R_OR1K_TLS_LE_SLO16, rule('S + A', split16)),
  row(R.R_OR1K_PCREL_PG21, rule('Page8K(S + A) - Page8K(P)', imm21, 13)),
  row(R.R_OR1K_LO13, rule('S + A', low13)),
  row(R.R_OR1K_SLO13, rule('S + A', split13)),
];

export const openrisc: Relocator = {
  rows,
  addendInPlace: false,
  outOfRange: ({ symbol, P, S }) =>
    `sym '${symbol}': relocation out of range (0x${P.toString(16)} -> 0x${S.toString(16)})\n`,
  unknown: ({ type }) => ({ ret: -Errno.ENOEXEC, errors: [`unknown relocation: ${type}\n`] }),
};
