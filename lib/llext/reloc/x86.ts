/**
 * arch/x86/core/ia32/elf.c and intel64/elf.c (specification 4.5): no range is tested, PLT32 is PC32, and i386 has no
 * PLT32. i386 keeps its addends in the place (SHT_REL), x86-64 in the entries.
 */
import { EM_386, EM_X86_64 } from '../../elf/constants';
import * as R from '../../elf/constants-x86';
import { relocationName } from '../../elf/relocation-names';
import { Errno } from '../../errors';
import { nothing, word32, word64 } from './field';
import type { Field, Range, RelocationInput, RelocationRow, Relocator, Rule } from './relocator';

const rule = (formula: Rule['formula'], field: Field): Rule => ({ formula, field });
const since = { since: 'S' } as const;

const i386 = (type: number, exact: Rule, rest: Partial<RelocationRow> = {}): RelocationRow => ({
  type,
  name: relocationName(EM_386, type),
  exact,
  ...rest,
});

const i386Rows: readonly RelocationRow[] = [
  i386(R.R_386_32, rule('S + A', word32)),
  i386(R.R_386_PC32, rule('S + A - P', word32)),
  i386(R.R_386_GLOB_DAT, rule('S', word32), since),
  i386(R.R_386_JMP_SLOT, rule('S', word32), since),
  i386(R.R_386_RELATIVE, rule('B + A', word32), since),
  // What the ABI has and Zephyr refuses: without a PLT, PLT32 is PC32.
  abiOnly(EM_386, R.R_386_NONE, rule('-', nothing)),
  abiOnly(EM_386, R.R_386_PLT32, rule('S + A - P', word32)),
];

const amd64 = (type: number, exact: Rule, rest: Partial<RelocationRow> = {}): RelocationRow => ({
  type,
  name: relocationName(EM_X86_64, type),
  exact,
  ...rest,
});

function unchecked32(type: number, formula: Rule['formula'], range: Range): RelocationRow {
  const quirk = 'no overflow is refused: the upper 32 bits are lost';
  return amd64(type, rule(formula, word32), { abi: { ...rule(formula, word32), range }, quirk });
}

const addend = 'an addend is added, which the ABI does not know here';
const signed = { min: -0x8000_0000, max: 0x7fff_ffff };

const amd64Rows: readonly RelocationRow[] = [
  amd64(R.R_X86_64_64, rule('S + A', word64)),
  unchecked32(R.R_X86_64_PC32, 'S + A - P', signed),
  unchecked32(R.R_X86_64_PLT32, 'S + A - P', signed),
  amd64(R.R_X86_64_GLOB_DAT, rule('S + A', word64), { ...since, abi: rule('S', word64), quirk: addend }),
  amd64(R.R_X86_64_JUMP_SLOT, rule('S + A', word64), { ...since, abi: rule('S', word64), quirk: addend }),
  amd64(R.R_X86_64_RELATIVE, rule('B + A', word64), since),
  unchecked32(R.R_X86_64_32, 'S + A', { min: 0, max: 0xffff_ffff }),
  unchecked32(R.R_X86_64_32S, 'S + A', signed),
  abiOnly(EM_X86_64, R.R_X86_64_NONE, rule('-', nothing)),
  abiOnly(EM_X86_64, R.R_X86_64_PC64, rule('S + A - P', word64)),
];

function abiOnly(machine: number, type: number, abi: Rule): RelocationRow {
  return { type, name: relocationName(machine, type), abi, quirk: 'Zephyr refuses the type' };
}

const handler: Omit<Relocator, 'rows' | 'addendInPlace'> = {
  outOfRange: ({ symbol, P, S }) =>
    `sym '${symbol}': relocation out of range (0x${P.toString(16)} -> 0x${S.toString(16)})\n`,
  unknown: ({ type }: RelocationInput) => ({ ret: -Errno.ENOEXEC, errors: [`unknown relocation: ${type}\n`] }),
};

export const x86: Relocator = { ...handler, rows: i386Rows, addendInPlace: true };
export const x86_64: Relocator = { ...handler, rows: amd64Rows, addendInPlace: false };
