/**
 * Random RISC-V programs: loops, calls of three kinds, tables of addresses, memory, atomics, counters, and instructions of every
 * row that can be executed anywhere. x3 and x4 count loops, x8 and x9 point into the data, sp is used by prologues
 * alone, the other registers are anything. Whole programs end by returning from the first function.
 */
import type { RiscvCpu } from '../../lib/arch';
import { Decoder } from '../../lib/emulator/riscv/decoder';
import type { Row } from '../../lib/emulator/riscv/rows';
import type { Random } from './random';
import { accessesMemory, alignment, isExecutable, randomRiscvWord } from './riscv-words';

const [ra, sp, outer, inner, t0, t1] = [1, 2, 3, 4, 5, 6];

const I = (imm: number, rs1: number, funct3: number, rd: number, opcode: number) =>
  (((imm & 0xfff) << 20) | (rs1 << 15) | (funct3 << 12) | (rd << 7) | opcode) >>> 0;
const S = (imm: number, rs2: number, rs1: number, funct3: number) =>
  ((((imm >> 5) & 0x7f) << 25) | (rs2 << 20) | (rs1 << 15) | (funct3 << 12) | ((imm & 0x1f) << 7) | 0x23) >>> 0;
const addi = (rd: number, rs1: number, imm: number) => I(imm, rs1, 0, rd, 0x13);
const upper = (opcode: number, rd: number, value: number) => ((value & 0xfffff000) | (rd << 7) | opcode) >>> 0;
const low = (value: number) => (value << 20) >> 20;
const branch = (offset: number, rs1: number, rs2: number, funct3: number) => {
  const high = (((offset >> 12) & 1) << 6) | ((offset >> 5) & 0x3f);
  const rest = (((offset >> 1) & 0xf) << 1) | ((offset >> 11) & 1);
  return ((high << 25) | (rs2 << 20) | (rs1 << 15) | (funct3 << 12) | (rest << 7) | 0x63) >>> 0;
};
const jal = (offset: number, rd: number) => {
  const bits =
    (((offset >> 20) & 1) << 19) |
    (((offset >> 1) & 0x3ff) << 9) |
    (((offset >> 11) & 1) << 8) |
    ((offset >> 12) & 0xff);
  return ((bits << 12) | (rd << 7) | 0x6f) >>> 0;
};

/** Branches and jumps are made here; CSRs are those of `counter`; what sp is used for must come back. */
const isPlain = (row: Row) =>
  isExecutable(row) &&
  row.extension !== 'Zicsr' &&
  !/^(c\.)?(b(eq|ne|lt|ge)\w*|j|jal|addi16sp)$|sp$|^fence/.test(row.name);

export class ControlProgram {
  private readonly code: number[] = [];
  private readonly functions: number[] = [];
  private readonly decoder: Decoder;
  private readonly rows: readonly Row[];
  private readonly xlen: 32 | 64;

  constructor(
    cpu: RiscvCpu,
    private readonly random: Random,
    private readonly base: number,
  ) {
    this.decoder = new Decoder(cpu.isa);
    this.rows = this.decoder.rows.filter(isPlain);
    this.xlen = cpu.isa.xlen;
  }

  /** Halfwords, and where the program begins. */
  make(): { readonly halfwords: readonly number[]; readonly entry: number } {
    for (let i = this.random.below(4); i >= 0; i--) {
      const start = this.here;
      this.function(2);
      this.functions.push(start);
    }
    const entry = this.here;
    this.function(3);
    return { halfwords: this.code, entry };
  }

  private get here(): number {
    return this.base + 2 * this.code.length;
  }

  private emit(...words: number[]): void {
    for (const word of words) this.code.push(word & 0xffff, word >>> 16);
  }

  private put(at: number, word: number): void {
    this.code[at] = word & 0xffff;
    this.code[at + 1] = word >>> 16;
  }

  private function(depth: number): void {
    const width = this.xlen === 32 ? 2 : 3;
    const size = this.xlen / 8;
    const saved = [ra, outer, inner];
    this.emit(addi(sp, sp, -32), ...saved.map((register, i) => S(i * size, register, sp, width)));
    this.piece(depth);
    this.emit(...saved.map((register, i) => I(i * size, sp, width, register, 0x03)), addi(sp, sp, 32));
    this.emit(I(0, ra, 0, 0, 0x67));
  }

  private piece(depth: number): void {
    for (let i = 2 + this.random.below(5); i > 0; i--) {
      switch (this.random.below(depth > 0 ? 9 : 7)) {
        case 0:
          this.conditional();
          break;
        case 1:
          this.call();
          break;
        case 2:
          this.table();
          break;
        case 3:
          // csrr: mcycle, minstret or mscratch
          this.emit(I(this.random.pick([0xb00, 0xb02, 0x340]), 0, 2, 10 + this.random.below(6), 0x73));
          break;
        case 7:
        case 8:
          this.loop(depth);
          break;
        default:
          for (let n = 1 + this.random.below(8); n > 0; n--) this.plain();
      }
    }
  }

  private loop(depth: number): void {
    const counter = depth % 2 === 1 ? outer : inner;
    this.emit(addi(counter, 0, 1 + this.random.below(12)));
    const start = this.here;
    this.piece(depth - 1);
    this.emit(addi(counter, counter, -1));
    const offset = start - this.here;
    // bnez back; or beqz over a jump back
    if (offset > -4000 && this.random.below(2) === 0) this.emit(branch(offset, counter, 0, 1));
    else this.emit(branch(8, counter, 0, 0), jal(offset - 4, 0));
  }

  private conditional(): void {
    const at = this.code.length;
    this.emit(0);
    for (let n = this.random.below(4); n >= 0; n--) this.plain();
    const funct3 = this.random.pick([0, 1, 4, 5, 6, 7]);
    const [rs1, rs2] = [this.random.below(32), this.random.below(4) === 0 ? 0 : this.random.below(32)];
    this.put(at, branch(2 * (this.code.length - at), rs1, rs2, funct3));
  }

  private call(): void {
    if (this.functions.length === 0) return this.plain();
    const target = this.random.pick(this.functions);
    switch (this.random.below(4)) {
      case 0: {
        // auipc, jalr
        const offset = target - this.here;
        this.emit(upper(0x17, ra, offset - low(offset)), I(low(offset), ra, 0, ra, 0x67));
        break;
      }
      case 1:
        // lui, addi, c.jalr t0
        this.emit(upper(0x37, t0, target - low(target)), addi(t0, t0, low(target)));
        this.code.push(0x9282);
        break;
      case 2:
        // The link in t0, and a return by the register that the function expects.
        this.emit(addi(ra, 0, 0), upper(0x17, ra, 0), addi(ra, ra, 12), jal(target - this.here - 12, 0));
        break;
      default:
        this.emit(jal(target - this.here, ra));
    }
  }

  /** andi t0, x, 3; shift; the table's address; load; jr: four places behind it, of which each goes to the end. */
  private table(): void {
    const shift = this.xlen === 32 ? 2 : 3;
    const at = this.code.length + 2 * 7;
    const aligned = at + ((this.base / 2 + at) % 4 === 0 ? 0 : 4 - ((this.base / 2 + at) % 4));
    const start = this.base + 2 * aligned;
    this.emit(I(3, 10 + this.random.below(6), 7, t0, 0x13), I(shift, t0, 1, t0, 0x13));
    this.emit(upper(0x37, t1, start - low(start)), addi(t1, t1, low(start)));
    this.emit((t0 << 20) | (t1 << 15) | (t0 << 7) | 0x33);
    this.emit(I(0, t0, shift, t0, 0x03), I(0, t0, 0, 0, 0x67));
    while (this.code.length < aligned) this.code.push(0x0001);
    const words = shift === 2 ? 1 : 2;
    const tableAt = this.code.length;
    this.code.push(...new Array<number>(4 * 2 * words).fill(0));
    const ends: number[] = [];
    for (let entry = 0; entry < 4; entry++) {
      this.put(tableAt + entry * 2 * words, this.here);
      this.plain();
      ends.push(this.code.length);
      this.emit(0);
    }
    for (const end of ends) this.put(end, jal(2 * (this.code.length - end), 0));
  }

  /** A random instruction of the rows that keeps the registers with a purpose. */
  private plain(): void {
    for (;;) {
      const row = this.random.pick(this.rows);
      const { word, length } = randomRiscvWord(row, this.random, true);
      const [operation, ...operands] = this.decoder.decode(word, this.here, false);
      if (this.decoder.find(word) !== row || operation === 'illegal') continue;
      const scale = this.xlen === 32 ? 1 : 2;
      // A destination, or a store's source; loads and stores through sp would reach what prologues save.
      if ([ra, outer, inner, 8, 9].some((register) => operands[0] === register * scale)) continue;
      if (operation.endsWith('_sp') || (accessesMemory(row) && operands[1] === sp * scale)) continue;
      if (accessesMemory(row) && alignment(row) === 1 && operands[1] !== 8 * scale && operands[1] !== 9 * scale)
        continue;
      if (length === 2) this.code.push(word & 0xffff);
      else this.emit(word);
      return;
    }
  }
}
