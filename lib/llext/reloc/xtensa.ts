/**
 * arch/xtensa/core/elf.c (specification 4.7), little-endian. The driver is llext-link-plt.ts. Kept on purpose: the addend
 * of R_XTENSA_32 is ignored; R_XTENSA_SLOT0_OP knows L32R and CALLn only, and only where their immediates are still 0,
 * has one formula for both, and tests no range; an unknown type is ignored. The ABI's side follows GNU ld: the formula
 * depends on the instruction.
 */
import { EM_XTENSA } from '../../elf/constants';
import * as R from '../../elf/constants-xtensa';
import { relocationName } from '../../elf/relocation-names';
import { nothing, word32 } from './field';
import type { Field, Place, Range, RelocationRow, Relocator, Rule } from './relocator';

/** Bits 23:0 of a 24-bit instruction: `encode` spreads a value over the bits of `mask`. */
function bits24(text: string, mask: number, encode: (value: number) => number): Field {
  return {
    size: 3,
    text,
    write: ({ view, at }, value) => {
      const bits = encode(value) & mask;
      for (let i = 0; i < 3; i++) {
        const shift = 8 * i;
        view.setUint8(at + i, (view.getUint8(at + i) & ~(mask >> shift)) | ((bits >> shift) & 0xff));
      }
    },
  };
}

const imm16 = bits24('imm16 in bits 23:8', 0xff_ff00, (x) => x << 8);
const offset18 = bits24('offset18 in bits 23:6', 0xff_ffc0, (x) => x << 6);
const imm12 = bits24('imm12 in bits 23:12', 0xff_f000, (x) => x << 12);
const imm8 = bits24('imm8 in bits 23:16', 0xff_0000, (x) => x << 16);
/** BEQZ.N, BNEZ.N: 16 bits. */
const imm6: Field = {
  size: 2,
  text: 'imm6[3:0] in bits 15:12, imm6[5:4] in 5:4',
  write: ({ view, at }, x) => {
    view.setUint8(at, (view.getUint8(at) & ~0x30) | (x & 0x30));
    view.setUint8(at + 1, (view.getUint8(at + 1) & 0x0f) | ((x & 0xf) << 4));
  },
};

const bytesOf = ({ view, at }: Place): [number, number, number] => {
  const byte = (i: number): number => (at + i < view.byteLength ? view.getUint8(at + i) : 0);
  return [byte(0), byte(1), byte(2)];
};

const slot0: Field = {
  size: 3,
  text: 'imm16 of L32R, offset18 of CALLn, where they are 0; else nothing',
  write: (place, v) => {
    const [b0, b1, b2] = bytesOf(place);
    if (b1 !== 0 || b2 !== 0) return;
    if ((b0 & 0xf) === 1) imm16.write(place, v);
    else if ((b0 & 0xf) === 5 && (b0 & 0xc0) === 0) offset18.write(place, v);
  },
};

const l32r = '(S + A) - ((P + 3) & ~3)';
const signed = (bits: number, align = 1): Range => {
  const half = 2 ** (bits - 1) * align;
  return { min: -half, max: half - align, ...(align === 1 ? {} : { align }) };
};
const unsigned = (bits: number): Range => ({ min: 0, max: 2 ** bits - 1 });

const branch = (field: Field, range: Range): Rule => ({ formula: '(S + A) - (P + 4)', field, range });
const untouched: Rule = { formula: '-', field: nothing };

/** What the instruction at the place wants. */
function slot0Rule(place: Place): Rule {
  const [b0, b1] = bytesOf(place);
  const n = (b0 >> 4) & 3;
  switch (b0 & 0xf) {
    case 1:
      return { formula: l32r, field: imm16, shift: 2, range: { min: -0x4_0000, max: -4, align: 4 } };
    case 5:
      return { formula: '(S + A) - ((P & ~3) + 4)', field: offset18, shift: 2, range: signed(18, 4) };
    case 6:
      if (n === 0) return branch(offset18, signed(18));
      if (n === 1) return branch(imm12, signed(12));
      // ENTRY has no target; the LOOP instructions only go forward.
      if (n === 3 && b0 >> 6 === 0) return untouched;
      return branch(imm8, n === 3 && b0 >> 6 === 1 && b1 >> 4 >= 8 ? unsigned(8) : signed(8));
    case 7:
      return branch(imm8, signed(8));
    case 0xc:
      return (b0 & 0x80) === 0 ? untouched : branch(imm6, unsigned(6));
    default:
      return untouched;
  }
}

function row(type: number, exact: Rule, rest: Partial<RelocationRow> = {}): RelocationRow {
  return { type, name: relocationName(EM_XTENSA, type), exact, ...rest };
}

const ignored: Rule = { formula: '-', field: nothing };

const rows: readonly RelocationRow[] = [
  row(R.R_XTENSA_NONE, ignored),
  row(
    R.R_XTENSA_32,
    { formula: 'V + S', field: word32 },
    { abi: { formula: 'V + S + A', field: word32 }, quirk: 'the addend is ignored' },
  ),
  row(R.R_XTENSA_RTLD, ignored),
  row(R.R_XTENSA_GLOB_DAT, { formula: 'S', field: word32 }),
  row(R.R_XTENSA_JMP_SLOT, { formula: 'S', field: word32 }),
  row(R.R_XTENSA_RELATIVE, { formula: 'Loaded(V)', field: word32 }),
  row(R.R_XTENSA_PLT, ignored),
  row(R.R_XTENSA_ASM_EXPAND, ignored),
  row(
    R.R_XTENSA_SLOT0_OP,
    { formula: l32r, field: slot0, shift: 2 },
    {
      abiByPlace: slot0Rule,
      quirk: 'L32R and CALLn only; CALLn at an address that is a multiple of 4 is off by one word; no range is tested',
    },
  ),
];

export const xtensa: Relocator = {
  rows,
  addendInPlace: false,
  outOfRange: ({ symbol, P, S }) =>
    `sym '${symbol}': relocation out of range (0x${P.toString(16)} -> 0x${S.toString(16)})\n`,
  // Its message is of debug level: the relocation is left alone.
  unknown: () => ({ ret: 0, errors: [] }),
};
