/** Random states and instructions for the programs of riscv-program.ts. */
import type { Decoder } from '../../lib/emulator/riscv/decoder';
import type { Row } from '../../lib/emulator/riscv/rows';
import type { Random } from './random';
import { dataPointer, type RiscvState } from './riscv-program';
import { accessesMemory, alignment, pointers, randomRiscvWord, type RiscvWord } from './riscv-words';

const singles = [
  0x0, 0x80000000, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000, 0x7fc00000, 0x7f800001, 0x1, 0x7fffff,
];
/** High word; the low one is 0, or 1 for the signalling NaN and the smallest number. */
const doubles = [0, 0x80000000, 0x3ff00000, 0x7ff00000, 0xfff00000, 0x7ff80000, 0x7ff00000, 0];

const boxed = 0xffffffff;

function fillIntegers(state: RiscvState, random: Random): void {
  const { integers } = state;
  for (let x = 1; x < 32; x++) {
    const low = random.word();
    const kind = random.below(4);
    integers[2 * x] = low;
    integers[2 * x + 1] = kind === 0 ? low >> 31 : kind === 1 ? 0 : random.word();
  }
}

/** Boxed singles, doubles, and singles that are not boxed. */
function fillFloats(state: RiscvState, random: Random, allBoxed: boolean): void {
  const { floats } = state;
  for (let f = 0; f < 32; f++) {
    let low = random.next();
    let high: number = boxed;
    const kind = random.below(allBoxed ? 4 : 8);
    if (kind === 0) low = random.pick(singles);
    // Exponents near that of 1, so that sums do not lose one of their terms.
    else if (kind === 3) low = (0x3f000000 + random.below(0x2000000)) | (random.below(2) << 31);
    else if (kind === 4) {
      const index = random.below(doubles.length);
      high = doubles[index];
      low = index >= 6 ? 1 : 0;
    } else if (kind === 5) high = 0x3fe00000 + random.below(0x300000);
    else if (kind === 6) high = 0;
    else if (kind === 7) high = random.next();
    floats[2 * f] = low;
    floats[2 * f + 1] = high;
  }
}

/** Registers for instructions; the pointers point into the data when one of them accesses memory. */
export function fillState(state: RiscvState, random: Random, words: readonly RiscvWord[], allBoxed = false): void {
  fillIntegers(state, random);
  fillFloats(state, random, allBoxed);
  if (words.some(({ row }) => accessesMemory(row))) {
    const mayBeMisaligned = words.every(({ row }) => alignment(row) === 1);
    for (const register of pointers) {
      const odd = mayBeMisaligned && random.below(4) === 0 ? random.below(8) : 0;
      state.integers[2 * register] = dataPointer(random) + odd;
      state.integers[2 * register + 1] = 0;
    }
  }
  state.fcsr = (random.below(5) << 5) | (random.below(2) === 0 ? 0 : random.below(32));
}

/** Writes frm by a value that may be no mode. */
const writesMode = (row: Row, word: number) => row.extension === 'Zicsr' && word >>> 20 !== 1;

/** Instructions that this row has and whose operands are not reserved. */
export function draw(row: Row, random: Random, decoder: Decoder, keepsPointers: boolean): RiscvWord {
  for (let attempt = 0; attempt < 1000; attempt++) {
    const found = randomRiscvWord(row, random, keepsPointers);
    if (decoder.find(found.word) !== row || writesMode(row, found.word)) continue;
    if (decoder.decode(found.word, 0x1000, false)[0] !== 'illegal') return found;
  }
  throw new Error(`${row.name}: every word that was drawn is reserved`);
}

const halfwordsOf = ({ word, length }: RiscvWord) => (length === 2 ? [word & 0xffff] : [word & 0xffff, word >>> 16]);

/** What a branch skips: x5 tells whether it did. */
const marker = { 2: [0x0285], 4: [0x8293, 0x0012] } as const;
const branch = /^(c\.)?(b(eq|ne|lt|ge)\w*|j|jal)$/;

export function codeOf(words: readonly RiscvWord[]): number[] {
  const code: number[] = [];
  for (const word of words) code.push(...halfwordsOf(word), ...(branch.test(word.row.name) ? marker[word.length] : []));
  return code;
}

/**
 * Leaves out SC of another width than the LR before it (Zalrsc: a program that pairs them so is not constrained). QEMU 7.2 stores and
 * says that it did not: it compares the narrow value with the wide one.
 */
export class ReservationPairs {
  private width: string | undefined;

  allows({ name }: Row): boolean {
    if (!/^(lr|sc)\./.test(name)) return true;
    const [operation, width] = name.split('.');
    if (operation === 'sc' && this.width !== undefined && this.width !== width) return false;
    this.width = operation === 'lr' ? width : undefined;
    return true;
  }
}
