/** Where native Unicorn 2.0.1 and QEMU 7.2 differ from the RISC-V specifications, one by one with its section. */
import { fieldsOf } from '../../lib/emulator/bit-diagram';
import type { Row } from '../../lib/emulator/riscv/rows';
import type { Xlen } from './riscv-program';

export const isFused = (row: Row) => /^fn?m(add|sub)\./.test(row.name);

export interface Difference {
  readonly row: Row;
  readonly word: number;
  readonly engine: string;
  /** Lines 'register: ours, engine theirs'; before them a fault of the engine. */
  readonly lines: readonly string[];
  /** Whether a floating-point register held a boxed single before. */
  readonly isBoxed: (register: number) => boolean;
}

interface Exclusion {
  readonly why: string;
  readonly section: string;
  readonly engine: 'QEMU' | 'Unicorn';
  applies(difference: Difference): boolean;
}

/** f registers that a word reads as singles; of fmv.x.w and the stores the lower half is meant, boxed or not. */
function singleSources({ row, word }: Difference): number[] {
  if (
    !/^f(madd|msub|nmadd|nmsub|add|sub|mul|div|sqrt|sgnj\w*|min|max|eq|lt|le|class)\.s$|^fcvt\.\w+\.s$/.test(row.name)
  )
    return [];
  const fields = fieldsOf(row.diagram, word);
  return ['rs1', 'rs2', 'rs3'].flatMap((name) => (name in fields ? [fields[name]] : []));
}

/** The lines say no more than that their register is not boxed. */
export const isUnboxed = (line: string) => {
  const values = /^f\d+: ffffffff(\w{8}), Unicorn (\w+)$/.exec(line);
  return values !== null && parseInt(values[1], 16) === parseInt(values[2].slice(-8), 16);
};

/** NV, bit 4 of fcsr, is set here alone. */
export const lacksInvalid = (line: string) => {
  const values = /^fcsr: (\w+), Unicorn (\w+)$/.exec(line);
  return values !== null && parseInt(values[1], 16) === (parseInt(values[2], 16) | 0x10);
};

/** Where a reference differs from the specification, in single instructions. */
const exclusions: readonly Exclusion[] = [
  {
    why: 'mtval of a breakpoint is its address or 0: QEMU 7.2 writes 0',
    section: 'privileged 3.1.16',
    engine: 'QEMU',
    applies: ({ row, lines }) => /ebreak$/.test(row.name) && lines.every((line) => /^mtval: \w+, QEMU 0$/.test(line)),
  },
  {
    why: 'QEMU 7.2 counts on into the high word when the low one is 0; it is 32',
    section: 'Bit-Manipulation ISA-extensions 1.0.0, ctzw',
    engine: 'QEMU',
    applies: ({ row, lines }) => row.name === 'ctzw' && lines.every((line) => /^x\d+: 20, QEMU [2-6]\w$/.test(line)),
  },
  {
    why: 'Unicorn 2.0.1 does not box singles that it computes',
    section: 'unprivileged 12.2, NaN boxing of narrower values',
    engine: 'Unicorn',
    applies: ({ row, lines }) => (row.extension === 'F' || row.name === 'fcvt.s.d') && lines.every(isUnboxed),
  },
  {
    why: 'Unicorn 2.0.1 takes the lower half of a register that holds no boxed single, which is the canonical NaN',
    section: 'unprivileged 12.2, NaN boxing of narrower values',
    engine: 'Unicorn',
    applies: (difference) => !singleSources(difference).every(difference.isBoxed),
  },
  {
    why: 'Unicorn 2.0.1 gives the canonical NaN for the smaller or larger of a number and a signalling NaN, which is the number',
    section: 'unprivileged 11.6, FMIN and FMAX',
    engine: 'Unicorn',
    applies: ({ row, lines }) =>
      /^f(min|max)\./.test(row.name) && lines.every((line) => /Unicorn (7fc00000|7ff8000000000000)$/.test(line)),
  },
  {
    why: 'Unicorn 2.0.1 does not set NV for infinity times zero plus a quiet NaN',
    section: 'unprivileged 11.6, fused multiply-add',
    engine: 'Unicorn',
    applies: ({ row, lines }) => isFused(row) && lines.every((line) => isUnboxed(line) || lacksInvalid(line)),
  },
];

/** Rows that do not go to Unicorn at all. */
export const notOnUnicorn: readonly {
  readonly why: string;
  readonly section: string;
  has(row: Row, xlen: Xlen): boolean;
}[] = [
  {
    why: 'Unicorn 2.0.1 has no Zba, Zbb, Zbc and Zbs',
    section: 'Bit-Manipulation ISA-extensions 1.0.0',
    has: (row) => row.extension.startsWith('Zb'),
  },
  {
    why: 'Unicorn 2.0.1 compares all 64 bits of rs2 with the sign-extended word',
    section: 'unprivileged 8.4, AMOMIN.W, AMOMAX.W, AMOMINU.W, AMOMAXU.W of RV64',
    has: (row, xlen) => xlen === 64 && /^amo(min|max)u?\.w$/.test(row.name),
  },
];

export const isOnUnicorn = (row: Row, xlen: Xlen) => !notOnUnicorn.some(({ has }) => has(row, xlen));

export function exclusionOf(difference: Difference): Exclusion | undefined {
  return exclusions.find((one) => one.engine === difference.engine && one.applies(difference));
}
