/**
 * Renesas RX as a port of LLEXT has it (specification 4.8): addends in the entries, every range tested before the place
 * is written, -ENOTSUP for an unknown type. Nothing of it was compared with Zephyr: all assumed. A type without U or S
 * takes a signed or an unsigned value.
 */
import { EM_RX } from '../../elf/constants';
import * as R from '../../elf/constants-rx';
import { relocationName } from '../../elf/relocation-names';
import { Errno } from '../../errors';
import { nothing, word16, word32, word8 } from './field';
import type { Field, Range, RelocationRow, Relocator, Rule } from './relocator';

const word24: Field = {
  size: 3,
  text: '24 bits',
  write: ({ view, at, littleEndian }, x) => {
    view.setUint8(at + 1, (x >> 8) & 0xff);
    view.setUint8(littleEndian ? at : at + 2, x & 0xff);
    view.setUint8(littleEndian ? at + 2 : at, (x >> 16) & 0xff);
  },
};

const signed = (bits: number): Range => ({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 });
const unsigned = (bits: number): Range => ({ min: 0, max: 2 ** bits - 1 });
const either = (bits: number): Range => ({ min: -(2 ** (bits - 1)), max: 2 ** bits - 1 });

function row(type: number, formula: Rule['formula'], field: Field, range?: Range): RelocationRow {
  const exact: Rule = range === undefined ? { formula, field } : { formula, field, range };
  return { type, name: relocationName(EM_RX, type), exact, assumed: true };
}

const rows: readonly RelocationRow[] = [
  row(R.R_RX_NONE, '-', nothing),
  row(R.R_RX_DIR32, 'S + A', word32),
  row(R.R_RX_DIR24S, 'S + A', word24, signed(24)),
  row(R.R_RX_DIR16, 'S + A', word16, either(16)),
  row(R.R_RX_DIR16U, 'S + A', word16, unsigned(16)),
  row(R.R_RX_DIR16S, 'S + A', word16, signed(16)),
  row(R.R_RX_DIR8, 'S + A', word8, either(8)),
  row(R.R_RX_DIR8U, 'S + A', word8, unsigned(8)),
  row(R.R_RX_DIR8S, 'S + A', word8, signed(8)),
  row(R.R_RX_DIR24S_PCREL, 'S + A - P', word24, signed(24)),
  row(R.R_RX_DIR16S_PCREL, 'S + A - P', word16, signed(16)),
  row(R.R_RX_DIR8S_PCREL, 'S + A - P', word8, signed(8)),
];

export const rx: Relocator = {
  rows,
  addendInPlace: false,
  outOfRange: ({ symbol, P, S }) =>
    `sym '${symbol}': relocation out of range (0x${P.toString(16)} -> 0x${S.toString(16)})\n`,
  unknown: ({ type }) => ({ ret: -Errno.ENOTSUP, errors: [`unknown relocation: ${type}\n`] }),
};
