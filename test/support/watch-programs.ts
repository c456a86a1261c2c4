/**
 * Programs whose accesses are known by the manuals' formulas without executing anything: a loop over loads and stores of every kind at
 * constant distances from constant pointers. For tests of watchpoints.
 */
import type { Random } from './random';

export interface KnownAccess {
  readonly address: number;
  readonly size: number;
  readonly access: 'read' | 'write';
}

/** One instruction: its halfwords and what it accesses. */
export interface KnownInstruction {
  readonly halfwords: readonly number[];
  readonly accesses: readonly KnownAccess[];
}

export interface WatchProgram {
  /** From the entry on; the last ones count down and branch back to the first. */
  readonly body: readonly KnownInstruction[];
  readonly halfwords: readonly number[];
}

export interface Pointers {
  readonly code: number;
  /** In r8 or s0 (x8): the pointer that accesses start from. */
  readonly data: number;
  readonly sp: number;
}

const read = (address: number, size: number): KnownAccess => ({ address, size, access: 'read' });
const write = (address: number, size: number): KnownAccess => ({ address, size, access: 'write' });
const bits = (list: number): number => (list === 0 ? 0 : 1 + bits(list & (list - 1)));

/** Where the next instruction lies, while a program grows. */
class Body {
  readonly instructions: KnownInstruction[] = [];
  length = 0;

  add(halfwords: readonly number[], ...accesses: readonly KnownAccess[]): void {
    this.instructions.push({ halfwords, accesses });
    this.length += 2 * halfwords.length;
  }
}

// --- Thumb (Armv7-M ARM A7.7) -------------------------------------------------------------------------------------------

function thumbItem(body: Body, random: Random, { code, data, sp }: Pointers, hasFp: boolean): void {
  const t = random.below(6);
  const imm8 = random.below(100);
  const word = data + 4 * imm8;
  switch (random.below(hasFp ? 12 : 9)) {
    case 0: {
      // LDR, STR and their bytes and halfwords, imm12, unaligned too.
      const [log, load, imm12] = [random.below(3), random.below(2), random.below(0x300)];
      const access = load ? read : write;
      return body.add([0xf888 | (log << 5) | (load << 4), (t << 12) | imm12], access(data + imm12, 1 << log));
    }
    case 1: {
      // LDRSB, LDRSH
      const [log, imm12] = [random.below(2), random.below(0x300)];
      return body.add([0xf998 | (log << 5), (t << 12) | imm12], read(data + imm12, 1 << log));
    }
    case 2:
      return random.below(2)
        ? body.add([0xe9d8, 0x0100 | imm8], read(word, 8))
        : body.add([0xe9c8, 0x0100 | imm8], write(word, 8));
    case 3: {
      // MOV r6, r8; LDMIA or STMIA r6!, {r0-r5}
      const [load, list] = [random.below(2), 1 + random.below(63)];
      body.add([0x4646]);
      return body.add([0xc600 | (load << 11) | list], (load ? read : write)(data, 4 * bits(list)));
    }
    case 4: {
      // LDMDB or STMDB r8, {at least two of r0-r5}
      const [load, list] = [random.below(2), 3 | random.below(63)];
      const size = 4 * bits(list);
      return body.add([0xe908 | (load << 4), list], (load ? read : write)(data - size, size));
    }
    case 5: {
      const list = 1 + random.below(63);
      const size = 4 * bits(list);
      body.add([0xb400 | list], write(sp - size, size));
      return body.add([0xbc00 | list], read(sp - size, size));
    }
    case 6: {
      // LDREX r0 and STREX r1, r2; then one that does not store.
      body.add([0xe858, 0x0f00 | imm8], read(word, 4));
      body.add([0xe848, 0x2100 | imm8], write(word, 4));
      return body.add([0xe848, 0x2100 | imm8]);
    }
    case 7: {
      // MOV r6, r8; STR r0, [r6], #4; LDR r1, [r6, #-4]!
      body.add([0x4646]);
      body.add([0xf846, 0x0b04], write(data, 4));
      return body.add([0xf856, 0x1d04], read(data, 4));
    }
    case 8: {
      // LDR r0, [pc, #imm8 * 4]
      const offset = random.below(8);
      return body.add([0x4800 | offset], read(((code + body.length + 4) & ~3) + 4 * offset, 4));
    }
    case 9:
      return random.below(2)
        ? body.add([0xed98, 0x0a00 | imm8], read(word, 4))
        : body.add([0xed88, 0x0a00 | imm8], write(word, 4));
    case 10: {
      // VLDM or VSTM r8, {s0..}
      const [load, count] = [random.below(2), 1 + random.below(16)];
      return body.add([0xec88 | (load << 4), 0x0a00 | count], (load ? read : write)(data, 4 * count));
    }
    default:
      return random.below(2)
        ? body.add([0xed98, 0x0b00 | imm8], read(word, 8))
        : body.add([0xed88, 0x0b00 | imm8], write(word, 8));
  }
}

/** r0-r5 are anything, r7 counts the rounds, r8 is the pointer. It ends at lr. */
export function thumbWatchProgram(random: Random, pointers: Pointers, hasFp: boolean): WatchProgram {
  const body = new Body();
  for (let n = 4 + random.below(20); n > 0; n--) {
    if (random.below(3) === 0) body.add([0x1840 | random.below(6)]);
    thumbItem(body, random, pointers, hasFp);
  }
  body.add([0x3f01]);
  // BNE.W
  const offset = -body.length - 4;
  body.add([0xf440 | ((offset >> 12) & 0x3f), 0xa800 | ((offset >> 1) & 0x7ff)]);
  return { body: body.instructions, halfwords: [...body.instructions.flatMap(({ halfwords }) => halfwords), 0x4770] };
}

// --- RISC-V (unprivileged specification, chapter 24) ---------------------------------------------------------------------

const wordOf = (word: number): number[] => [word & 0xffff, word >>> 16];
const iType = (opcode: number, funct3: number, rd: number, rs1: number, imm: number): number[] =>
  wordOf(((imm & 0xfff) << 20) | (rs1 << 15) | (funct3 << 12) | (rd << 7) | opcode);
const sType = (opcode: number, funct3: number, rs1: number, rs2: number, imm: number): number[] =>
  wordOf((((imm >> 5) & 0x7f) << 25) | (rs2 << 20) | (rs1 << 15) | (funct3 << 12) | ((imm & 0x1f) << 7) | opcode);
const amo = (funct5: number, funct3: number, rd: number, rs2: number): number[] =>
  wordOf((funct5 << 27) | (rs2 << 20) | (9 << 15) | (funct3 << 12) | (rd << 7) | 0x2f);

/** x10-x15 are anything, x8 and x9 the pointer and an aligned one, x7 counts the rounds. */
function riscvItem(body: Body, random: Random, { data }: Pointers, xlen: 32 | 64): void {
  const register = 10 + random.below(6);
  const imm = random.below(0x300) - 0x100;
  const aligned = (data + 7) & ~7;
  const log = random.below(xlen === 64 ? 4 : 3);
  switch (random.below(6)) {
    case 0:
      return body.add(iType(0x03, log, register, 8, imm), read(data + imm, 1 << log));
    case 1:
      return body.add(sType(0x23, log, 8, register, imm), write(data + imm, 1 << log));
    case 2: {
      const funct3 = 2 + random.below(2);
      return random.below(2)
        ? body.add(iType(0x07, funct3, register, 8, imm), read(data + imm, 1 << funct3))
        : body.add(sType(0x27, funct3, 8, register, imm), write(data + imm, 1 << funct3));
    }
    case 3: {
      // AMOADD, AMOSWAP, AMOXOR
      const funct3 = xlen === 64 ? 2 + random.below(2) : 2;
      const size = 1 << funct3;
      const word = amo(random.pick([0, 1, 4]), funct3, register, 11);
      return body.add(word, read(aligned, size), write(aligned, size));
    }
    case 4: {
      const funct3 = xlen === 64 ? 2 + random.below(2) : 2;
      body.add(amo(2, funct3, 10, 0), read(aligned, 1 << funct3));
      body.add(amo(3, funct3, 11, 12), write(aligned, 1 << funct3));
      return body.add(amo(3, funct3, 11, 12));
    }
    default:
      return body.add(iType(0x13, 0, register, 10 + random.below(6), random.below(0x800)));
  }
}

/** It ends at ra. */
export function riscvWatchProgram(random: Random, pointers: Pointers, xlen: 32 | 64): WatchProgram {
  const body = new Body();
  for (let n = 4 + random.below(20); n > 0; n--) riscvItem(body, random, pointers, xlen);
  body.add(iType(0x13, 0, 7, 7, -1));
  const offset = -body.length;
  const branch =
    (((offset >> 12) & 1) << 31) |
    (((offset >> 5) & 0x3f) << 25) |
    (7 << 15) |
    (1 << 12) |
    (((offset >> 1) & 0xf) << 8) |
    (((offset >> 11) & 1) << 7) |
    0x63;
  body.add(wordOf(branch));
  return {
    body: body.instructions,
    halfwords: [...body.instructions.flatMap(({ halfwords }) => halfwords), ...wordOf(0x00008067)],
  };
}
