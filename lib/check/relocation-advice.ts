/** Which compiler flag keeps a relocation type out of a file (specification 4.2, 4.4, 7.2). */
import { EM_RISCV } from '../elf/constants';
import type { FindingCode } from './rules';

const R_RISCV_ALIGN = 43;

export function codeOfUnsupported(machine: number, type: number, name: string): FindingCode {
  if (machine === EM_RISCV && type === R_RISCV_ALIGN) return 'riscv-align';
  if (/TLS|TPREL|TPOFF|DTP|_LE_/.test(name)) return 'unsupported-tls';
  if (/GOT|BASE_PREL|BASE_ABS|PLT/.test(name)) return 'unsupported-got';
  return 'unsupported-relocation';
}

/** By type name, first match; undefined = the rule's own advice. */
const advice: readonly (readonly [RegExp, string])[] = [
  [
    /^R_ARM_THM_JUMP(?:19|11|8|6)$/,
    'a short branch to another section or a global symbol: branch with b.w or bl in assembly, build C without -ffunction-sections -Os tail calls (-fno-optimize-sibling-calls)',
  ],
  [/^R_ARM_TARGET2$/, 'unwind tables of C++: build with -fno-exceptions'],
  [/^R_ARM_(?:SBREL32|TARGET1|LDR_|ALU_)/, 'build without -fropi -frwpi -mpic-data-is-text-relative -msingle-pic-base'],
  [/^R_ARM_(?:THM_)?ABS(?:5|8|12|16)$/, 'an address in a field of less than 32 bits: use .word in assembly'],
  [/^R_RISCV_(?:SET|SUB)_ULEB128$/, 'assemble with -mno-relax, so that differences are constants'],
  [/^R_X86_64_(?:REX_)?GOTPCREL/, 'build with -fno-pic -mcmodel=large, or -fno-plt off and -Wa,-mrelax-relocations=no'],
  [/^R_386_PLT32$/, 'build with -fno-pic; newer assemblers write it for plain calls: link by `ld -r`'],
];

export function adviceFor(name: string): string | undefined {
  return advice.find(([pattern]) => pattern.test(name))?.[1];
}

/** A branch or address that does not reach. */
export function reachAdvice(name: string): string {
  if (/^R_ARM_(?:THM_)?(?:CALL|JUMP24|PC24|PLT32)$/.test(name)) {
    return 'build with -mlong-calls, which loads the address instead (or enable CONFIG_LLEXT_VENEERS, where there is)';
  }
  if (name === 'R_ARM_PREL31') return 'unwind tables: build with -fno-unwind-tables -fno-asynchronous-unwind-tables';
  if (/^R_AARCH64_(?:CALL26|JUMP26|CONDBR19|TSTBR14)/.test(name)) {
    return 'build with -mcmodel=large, or keep heap and base image within 128 MiB';
  }
  if (/^R_AARCH64_/.test(name)) return 'build with -mcmodel=large';
  if (/^R_RISCV_(?:HI20|LO12_[IS]|32)$/.test(name))
    return 'build with -mcmodel=medany: addresses here are not below 2 GiB';
  if (/^R_RISCV_(?:RVC_)?(?:BRANCH|JUMP|JAL)$/.test(name))
    return 'keep the branch and its target in one section, or call through a function pointer';
  return 'place heap and base image nearer to each other';
}
