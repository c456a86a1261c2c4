/**
 * The relocation types that assemblers write into debug sections, per machine. All of them are whole fields of
 * S + A, S + A - P, or (RISC-V, whose linker may move code between two labels) sums and differences in place.
 * Instruction relocations are the loader's, in llext/reloc/.
 */
import { EM_ARM, EM_RISCV } from '../elf/constants';

/** What to do with the field: `add` and `subtract` change what is there, the others store. */
export interface DebugRelocationType {
  readonly name: string;
  readonly operation: 'none' | 'absolute' | 'relative' | 'add' | 'subtract';
  readonly bits: number;
  /** A ULEB128 field that keeps its length. */
  readonly uleb?: boolean;
}

const none = (name: string): DebugRelocationType => ({ name, operation: 'none', bits: 0 });
const absolute = (name: string, bits: number): DebugRelocationType => ({ name, operation: 'absolute', bits });
const relative = (name: string, bits: number): DebugRelocationType => ({ name, operation: 'relative', bits });
const add = (name: string, bits: number): DebugRelocationType => ({ name, operation: 'add', bits });
const subtract = (name: string, bits: number): DebugRelocationType => ({ name, operation: 'subtract', bits });

/** AAELF32, table of section 5.6.1. PREL31 is in .ARM.exidx only, which is no debug section. */
const arm: ReadonlyMap<number, DebugRelocationType> = new Map([
  [0, none('R_ARM_NONE')],
  [2, absolute('R_ARM_ABS32', 32)],
  [3, relative('R_ARM_REL32', 32)],
  [5, absolute('R_ARM_ABS16', 16)],
  [8, absolute('R_ARM_ABS8', 8)],
  [38, absolute('R_ARM_TARGET1', 32)],
  [106, absolute('R_ARM_TLS_LDO32', 32)],
]);

/** RISC-V psABI, table of section 8.4. */
const riscv: ReadonlyMap<number, DebugRelocationType> = new Map([
  [0, none('R_RISCV_NONE')],
  [1, absolute('R_RISCV_32', 32)],
  [2, absolute('R_RISCV_64', 64)],
  [33, add('R_RISCV_ADD8', 8)],
  [34, add('R_RISCV_ADD16', 16)],
  [35, add('R_RISCV_ADD32', 32)],
  [36, add('R_RISCV_ADD64', 64)],
  [37, subtract('R_RISCV_SUB8', 8)],
  [38, subtract('R_RISCV_SUB16', 16)],
  [39, subtract('R_RISCV_SUB32', 32)],
  [40, subtract('R_RISCV_SUB64', 64)],
  [51, none('R_RISCV_RELAX')],
  [52, subtract('R_RISCV_SUB6', 6)],
  [53, absolute('R_RISCV_SET6', 6)],
  [54, absolute('R_RISCV_SET8', 8)],
  [55, absolute('R_RISCV_SET16', 16)],
  [56, absolute('R_RISCV_SET32', 32)],
  [57, relative('R_RISCV_32_PCREL', 32)],
  [60, { ...absolute('R_RISCV_SET_ULEB128', 64), uleb: true }],
  [61, { ...subtract('R_RISCV_SUB_ULEB128', 64), uleb: true }],
]);

/** By e_machine, then by type. */
export const debugRelocationTables: ReadonlyMap<number, ReadonlyMap<number, DebugRelocationType>> = new Map([
  [EM_ARM, arm],
  [EM_RISCV, riscv],
]);

export function debugRelocationType(machine: number, type: number): DebugRelocationType | undefined {
  return debugRelocationTables.get(machine)?.get(type);
}
