/**
 * Random instructions of a decoder row that a program can execute and go on: memory is accessed through registers that
 * point into data, branches go two instructions on, x4 (which the program needs) is never written.
 */
import type { Row } from '../../lib/emulator/riscv/rows';
import type { Random } from './random';

/** Registers that hold addresses of data; in sequences nothing writes them. */
export const pointers = [2, 8, 9] as const;
const reserved = 4;

const memory =
  /^(c\.)?(f?[ls][bhwd]u?|ld|sd|lwu|lr\.[wd]|sc\.[wd]|amo\w+\.[wd]|fl[wd]|fs[wd]|lwsp|swsp|ldsp|sdsp|flwsp|fswsp|fldsp|fsdsp)$/;
/** Leave the program, or need an address to go to. */
const excluded = /^(ecall|ebreak|mret|sret|wfi|jalr|c\.jr|c\.jalr|c\.ebreak)$/;

export const isExecutable = (row: Row) => !excluded.test(row.name);
export const accessesMemory = (row: Row) => memory.test(row.name);
const isAtomic = (row: Row) => row.extension === 'A';

/** The branch or jump that skips the instruction of the same size behind it. */
function skipping(row: Row): Readonly<Record<string, number>> | undefined {
  if (/^b(eq|ne|lt|ge|ltu|geu)$/.test(row.name)) return { immh: 0, imml: 8 };
  if (row.name === 'jal') return { imm: 4 << 9 };
  if (/^c\.(beqz|bnez)$/.test(row.name)) return { i8: 0, i43: 0, i76: 0, i21: 2, i5: 0 };
  if (/^c\.(j|jal)$/.test(row.name)) return { i11: 0, i4: 0, i98: 0, i10: 0, i6: 0, i7: 0, i31: 2, i5: 0 };
  return undefined;
}

export interface RiscvWord {
  readonly row: Row;
  readonly word: number;
  readonly length: 2 | 4;
}

function fieldValue(row: Row, name: string, width: number, random: Random, keepsPointers: boolean): number {
  const fixed = skipping(row)?.[name];
  if (fixed !== undefined) return fixed;
  const isFloat = row.extension === 'F' || row.extension === 'D' || row.also !== undefined;
  if (name === 'rs1' && accessesMemory(row)) return width === 3 ? random.below(2) : random.pick(pointers);
  if (name === 'rd' && width === 5 && !writesFloat(row)) {
    const taken: readonly number[] = keepsPointers ? [...pointers, reserved] : [reserved];
    for (;;) {
      const rd = random.below(32);
      if (!taken.includes(rd)) return rd;
    }
  }
  // rd' of three bits: x8 and x9 are pointers.
  if (name === 'rd' && width === 3 && keepsPointers && !writesFloat(row)) return 2 + random.below(6);
  if (name === 'csr') return 1 + random.below(3);
  if (name === 'rm') return random.pick([0, 1, 2, 3, 4, 7, 7, 7]);
  // fcsr's mode must stay one of the five: random sources set only what they set.
  return isFloat || random.below(3) > 0
    ? random.below(2 ** width)
    : random.pick([0, 1, 2 ** width - 1, 2 ** (width - 1)]);
}

/** Whether the destination is a floating-point register. */
export function writesFloat(row: Row): boolean {
  return /^(c\.)?fl[wd](sp)?$|^f(madd|msub|nmadd|nmsub|add|sub|mul|div|sqrt|sgnj\w*|min|max)\.|^fcvt\.[sd]\.|^fmv\.[wd]\.x/.test(
    row.name,
  );
}

/** Undefined when the operands that were drawn are reserved in this row. */
export function randomRiscvWord(row: Row, random: Random, keepsPointers: boolean): RiscvWord {
  const { diagram } = row;
  const fieldMask = diagram.fields.reduce((sum, { shift, width }) => sum + (2 ** width - 1) * 2 ** shift, 0);
  const all = 2 ** diagram.length - 1;
  const free = (all - fieldMask - diagram.mask) >>> 0;
  let word = (diagram.value | (random.next() & free)) >>> 0;
  for (const { name, shift, width } of diagram.fields) {
    word = (word + fieldValue(row, name, width, random, keepsPointers) * 2 ** shift) >>> 0;
  }
  return { row, word, length: diagram.length === 16 ? 2 : 4 };
}

/** Bytes that an access to data needs to be aligned to: of atomics alone, the others may be misaligned. */
export const alignment = (row: Row) => (isAtomic(row) ? (row.name.endsWith('.d') ? 8 : 4) : 1);
