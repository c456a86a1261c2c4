/**
 * Random Thumb programs: loops, calls, recursion, memory, IT blocks, flags. Registers r0 to r6 are anything, r7 and r9 count loops,
 * r8 points into the data, sp is used by push and pop. Whole programs end; their instructions come from the decoder's rows.
 */
import type { ArmCpu } from '../../lib/arch';
import { Decoder, rows } from '../../lib/emulator/arm/decoder';
import type { Row } from '../../lib/emulator/arm/rows';
import { Random } from './random';
import { randomWord } from './thumb-words';

/** Operations that change nothing but r0 to r6 and flags, given operands that are in range; the first three operands are registers at most. */
const plain =
  /^(add|sub|rsb|adc|sbc|and|bic|orr|orn|eor|lsl|lsr|asr|ror|rrx|mov|mvn|cmp|cmn|tst|teq|mul|mla|mls|umull|smull|umlal|smlal|sdiv|udiv|bf|ubfx|sbfx|[su]xt|clz|rev|rbit|ssat|usat)/;

const rowsOf = new Map<string, readonly Row[]>();

/** Rows of the profile with such an operation. */
function plainRows(decoder: Decoder): readonly Row[] {
  let found = rowsOf.get(decoder.profile);
  if (found === undefined) {
    const random = new Random(1);
    found = rows.filter((row) => {
      if (!row.in.includes(decoder.profile) || row.extension !== undefined) return false;
      const word = randomWord(row, decoder, random, { pc: 0x10000, it: 0 });
      return word !== undefined && plain.test(word.operation);
    });
    rowsOf.set(decoder.profile, found);
  }
  return found;
}

export class ThumbProgram {
  private readonly code: number[] = [];
  private readonly functions: number[] = [];
  private readonly decoder: Decoder;
  private readonly rows: readonly Row[];

  constructor(
    cpu: ArmCpu,
    private readonly random: Random,
    private readonly base: number,
  ) {
    this.decoder = new Decoder(cpu.isa);
    this.rows = plainRows(this.decoder);
  }

  /** Halfwords, and where the program begins. The functions come first; `main` returns to lr. */
  make(): { readonly halfwords: readonly number[]; readonly entry: number } {
    for (let i = this.random.below(4); i >= 0; i--) {
      this.functions.push(this.here);
      this.function(2);
    }
    const entry = this.here;
    this.function(3);
    return { halfwords: this.code, entry };
  }

  private get here(): number {
    return this.base + 2 * this.code.length;
  }

  private emit(...halfwords: number[]): void {
    this.code.push(...halfwords);
  }

  private function(depth: number): void {
    // push.w {r4-r7, r9, lr}
    this.emit(0xe92d, 0x42f0);
    this.piece(depth);
    // Returns by pop {.., pc} or by bx lr.
    if (this.random.below(2) === 0) this.emit(0xe8bd, 0x82f0);
    else this.emit(0xe8bd, 0x42f0, 0x4770);
  }

  private piece(depth: number): void {
    for (let i = 2 + this.random.below(5); i > 0; i--) {
      switch (this.random.below(depth > 0 ? 8 : 6)) {
        case 0:
          this.memory();
          break;
        case 1:
          this.conditional();
          break;
        case 2:
          this.itBlock();
          break;
        case 3:
          this.call();
          break;
        case 6:
        case 7:
          this.loop(depth);
          break;
        default:
          for (let n = 1 + this.random.below(6); n > 0; n--) this.arithmetic(0);
      }
    }
  }

  /** movs r7, #n; ...; subs r7, #1; bne: or with r9 inside of another. */
  private loop(depth: number): void {
    const count = 1 + this.random.below(12);
    const outer = depth % 2 === 1;
    if (outer) this.emit(0x2700 | count);
    else this.emit(0xf04f, 0x0900 | count);
    const start = this.code.length;
    this.piece(depth - 1);
    if (outer) this.emit(0x3f01);
    else this.emit(0xf1b9, 0x0901);
    const offset = start - this.code.length - 2;
    if (offset >= -128) this.emit(0xd100 | (offset & 0xff));
    else this.wideBranch(1, offset * 2);
  }

  /** B<c>.W */
  private wideBranch(condition: number, offset: number): void {
    const S = offset < 0 ? 1 : 0;
    const imm6 = (offset >> 12) & 0x3f;
    const J1 = (offset >> 18) & 1;
    const J2 = (offset >> 19) & 1;
    this.emit(0xf000 | (S << 10) | (condition << 6) | imm6, 0x8000 | (J1 << 13) | (J2 << 11) | ((offset >> 1) & 0x7ff));
  }

  /** Over a few instructions, on a condition or on a register. */
  private conditional(): void {
    const at = this.code.length;
    this.emit(0);
    for (let n = this.random.below(4); n >= 0; n--) this.arithmetic(0);
    const over = this.code.length - at - 2;
    if (this.random.below(3) === 0 && over >= 0) {
      const nonzero = this.random.below(2) << 11;
      this.code[at] = 0xb100 | nonzero | ((over >> 5) << 9) | ((over & 31) << 3) | this.random.below(7);
    } else {
      this.code[at] = 0xd000 | (this.random.below(14) << 8) | (over & 0xff);
    }
  }

  private itBlock(): void {
    const condition = this.random.below(14);
    const count = 1 + this.random.below(4);
    let mask = 1 << (4 - count);
    for (let i = 1; i < count; i++) mask |= ((condition & 1) ^ this.random.below(2)) << (4 - i);
    this.emit(0xbf00 | (condition << 4) | mask);
    let it = (condition << 4) | mask;
    for (let i = 0; i < count; i++) {
      if (this.random.below(5) === 0) this.emit(this.smallAccess());
      else this.arithmetic(it);
      it = (it & 7) === 0 ? 0 : (it & 0xe0) | ((it << 1) & 0x1f);
    }
  }

  private call(): void {
    if (this.functions.length === 0) return this.arithmetic(0);
    const target = this.random.pick(this.functions);
    if (this.random.below(4) === 0) {
      // Through a register: movw, movt and blx.
      const value = target | 1;
      this.emit(...moveWide(0xf240, 3, value & 0xffff), ...moveWide(0xf2c0, 3, value >>> 16), 0x4798);
      return undefined;
    }
    const offset = target - (this.here + 4);
    const S = offset < 0 ? 1 : 0;
    const J1 = ((offset >> 23) & 1) ^ 1 ^ S;
    const J2 = ((offset >> 22) & 1) ^ 1 ^ S;
    this.emit(
      0xf000 | (S << 10) | ((offset >> 12) & 0x3ff),
      0xd000 | (J1 << 13) | (J2 << 11) | ((offset >> 1) & 0x7ff),
    );
    return undefined;
  }

  /** A load or store of 16 bits through r6, which memory() sets to the data pointer. */
  private smallAccess(): number {
    const t = this.random.below(6);
    const forms = [0x6000, 0x6800, 0x7000, 0x7800, 0x8000, 0x8800];
    return this.random.pick(forms) | (this.random.below(32) << 6) | (6 << 3) | t;
  }

  private memory(): void {
    const { random } = this;
    // mov r6, r8
    this.emit(0x4646);
    for (let n = random.below(4); n >= 0; n--) {
      switch (random.below(7)) {
        case 0:
          // ldr/str and their bytes and halfwords, 12 bits of offset, unaligned too
          this.emit(
            0xf888 | (random.below(3) << 5) | (random.below(2) << 4),
            (random.below(6) << 12) | random.below(0x300),
          );
          break;
        case 1:
          // ldrsb, ldrsh
          this.emit(0xf998 | (random.below(2) << 5), (random.below(6) << 12) | random.below(0x300));
          break;
        case 2:
          // ldmia/stmia r6!, {..}
          this.emit(0xc000 | (random.below(2) << 11) | (6 << 8) | (1 + random.below(63)));
          this.emit(0x4646);
          break;
        case 3:
          // ldrd/strd r0, r1, [r8, #imm8 * 4]
          this.emit(0xe9c8 | (random.below(2) << 4), 0x0100 | random.below(100));
          break;
        case 4:
          // Pushes, pops of other registers, and what is left is taken off.
          this.emit(0xb400 | (1 + random.below(63)), 0xb405, 0xbc03, 0xbc00 | (63 & 0xff));
          this.code.pop();
          this.emit(0xb400 | 1, 0xbc02);
          this.balance();
          break;
        case 5:
          // str r0, [r6], #4 and ldr r1, [r6, #-4]!
          this.emit(0xf846, 0x0b04, 0xf856, 0x1d04);
          break;
        default:
          this.emit(this.smallAccess());
      }
    }
  }

  /** The pushes of case 4 leave a few words: sp goes back by what was pushed. */
  private balance(): void {
    const pushed = this.code[this.code.length - 5] & 0xff;
    let words = 0;
    for (let list = pushed; list !== 0; list &= list - 1) words++;
    this.emit(0xb000 | words);
  }

  /** A random instruction of the rows on r0 to r6. */
  private arithmetic(it: number): void {
    for (;;) {
      const row = this.random.pick(this.rows);
      const word = randomWord(row, this.decoder, this.random, { pc: this.here, it });
      if (word === undefined || !plain.test(word.operation)) continue;
      const [first, second = 0] = word.halfwords;
      const { operands, operation } = this.decoder.decode(first, second, this.here, it);
      if (!registersOf(operation, operands).every((register) => register < 7)) continue;
      this.emit(...word.halfwords);
      return;
    }
  }
}

/** MOVW and MOVT. */
function moveWide(opcode: number, d: number, value: number): [number, number] {
  return [
    opcode | ((value >> 11) & 1 ? 0x400 : 0) | (value >> 12),
    (((value >> 8) & 7) << 12) | (d << 8) | (value & 0xff),
  ];
}

/** Which operands may be registers: all that look like one, unless the name says that they are not. */
function registersOf(operation: string, operands: readonly number[]): readonly number[] {
  if (/^(mov|movs|mvn)_imm$|^movt|^bfc/.test(operation)) return operands.slice(0, 1);
  if (/^(cmp|cmn|tst|teq)_imm$/.test(operation)) return operands.slice(0, 1);
  if (/^(cmp|cmn|tst|teq)_|^(mov|mvn)s?_/.test(operation)) return operands.slice(0, 2);
  if (/_imm$|_32$|^(bfi|ubfx|sbfx|[su]xt|clz|rev|rbit|rrx)/.test(operation)) return operands.slice(0, 2);
  if (/^(ssat|usat)/.test(operation)) return [operands[0], operands[2]];
  if (/^(mla|mls|umull|smull|umlal|smlal)/.test(operation)) return operands.slice(0, 4);
  return operands.slice(0, 3);
}
