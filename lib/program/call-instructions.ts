/**
 * The calls in a piece of machine code: which instructions call, where they return to, and where they lead as far as
 * code and registers tell (BL and BLX of the Armv7-M manual, A7.7; JAL, JALR and their compressed forms of RISC-V). Code for
 * long calls loads the address first, from a literal or by AUIPC, often once for several calls: what a register holds is remembered until
 * something else is written there. Branches are not followed.
 */
export interface CallInstruction {
  /** Address of the instruction after it. */
  readonly returnPc: bigint;
  /** First instruction that is called; undefined: known when it runs. */
  readonly target: bigint | undefined;
}

/** Reads a literal; undefined where nothing can be read. */
export type ReadWord = (address: bigint) => number | undefined;

/** Registers whose values are known, by number. */
type Known = Map<number, bigint>;

interface Decoder {
  isLong(first: number): boolean;
  /** A call; else what the instruction does to the known registers is noted. */
  decode(address: bigint, first: number, second: number | undefined): Found | undefined;
}

/** Goes through code piece by piece, in the order of its addresses, and remembers what registers hold. */
export class CallFinder {
  private readonly decoder: Decoder;

  /** `known`: registers at the first instruction. */
  constructor(arch: 'arm' | 'riscv', readWord: ReadWord, known: ReadonlyMap<number, bigint>) {
    this.decoder = arch === 'arm' ? new ThumbCalls(new Map(known), readWord) : new RiscvCalls(new Map(known));
  }

  callsIn(bytes: Uint8Array, start: bigint): readonly CallInstruction[] {
    const code = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const calls: CallInstruction[] = [];
    for (let offset = 0; offset + 2 <= bytes.length;) {
      const first = code.getUint16(offset, true);
      const isLong = this.decoder.isLong(first) && offset + 4 <= bytes.length;
      const address = start + BigInt(offset);
      const found = this.decoder.decode(address, first, isLong ? code.getUint16(offset + 2, true) : undefined);
      offset += isLong ? 4 : 2;
      if (found !== undefined) calls.push({ returnPc: start + BigInt(offset), target: found.target });
    }
    return calls;
  }
}

interface Found {
  readonly target: bigint | undefined;
}

const codeAddress = (address: bigint): bigint => BigInt.asUintN(32, address) & ~1n;

function forget(known: Known, registers: readonly number[]): void {
  for (const register of registers) known.delete(register);
}

/** AAPCS32 6.1.1: r0 to r3, r12 and lr are not preserved by a call. */
const thumbScratch = [0, 1, 2, 3, 12, 14];

class ThumbCalls implements Decoder {
  constructor(
    private readonly known: Known,
    private readonly readWord: ReadWord,
  ) {}

  isLong(first: number): boolean {
    return first >>> 11 >= 0b11101;
  }

  decode(address: bigint, first: number, second: number | undefined): Found | undefined {
    const found = second === undefined ? this.short(address, first) : this.long(address, first, second);
    if (found !== undefined) forget(this.known, thumbScratch);
    return found;
  }

  private long(address: bigint, first: number, second: number): Found | undefined {
    if ((first & 0xf800) === 0xf000 && (second & 0xd000) === 0xd000) {
      const S = (first >>> 10) & 1;
      const I1 = ~((second >>> 13) ^ S) & 1;
      const I2 = ~((second >>> 11) ^ S) & 1;
      const imm = (S << 24) | (I1 << 23) | (I2 << 22) | ((first & 0x3ff) << 12) | ((second & 0x7ff) << 1);
      return { target: codeAddress(address + 4n + BigInt(signExtend(imm, 25))) };
    }
    if ((first & 0xff7f) === 0xf85f) {
      // LDR (literal) T2
      const imm12 = BigInt(second & 0xfff);
      this.load(second >>> 12, address, (first & 0x80) !== 0 ? imm12 : -imm12);
    } else if ((first & 0xfe50) === 0xe810) forget(this.known, listed(second));
    else if ((first & 0xfe10) !== 0xf800 && (first & 0xfe50) !== 0xe840) {
      // Rd, or Rt and Rt2 of a load; stores have none.
      forget(this.known, [(second >>> 8) & 0xf, second >>> 12]);
    }
    return undefined;
  }

  private short(address: bigint, first: number): Found | undefined {
    if ((first & 0xff87) === 0x4780) {
      const value = this.known.get((first >>> 3) & 0xf);
      return { target: value === undefined ? undefined : codeAddress(value) };
    }
    if (first >>> 11 === 0b01001) this.load((first >>> 8) & 7, address, BigInt((first & 0xff) << 2));
    else if ((first & 0xff00) === 0x4600) {
      const value = this.known.get((first >>> 3) & 0xf);
      const Rd = ((first >>> 4) & 8) | (first & 7);
      if (value === undefined) this.known.delete(Rd);
      else this.known.set(Rd, value);
    } else forget(this.known, writtenBy(first));
    return undefined;
  }

  private load(register: number, address: bigint, offset: bigint): void {
    const word = this.readWord(((address + 4n) & ~3n) + offset);
    if (word === undefined) this.known.delete(register);
    else this.known.set(register, BigInt(word));
  }
}

function listed(registers: number): number[] {
  return Array.from({ length: 16 }, (_, n) => n).filter((n) => ((registers >>> n) & 1) !== 0);
}

/** The registers that a 16-bit instruction may write, other than MOV and the literal loads (Armv7-M A5.2). */
function writtenBy(first: number): readonly number[] {
  const low = first & 7;
  const high = (first >>> 8) & 7;
  const isLoad = (first & 0x800) !== 0;
  switch (first >>> 12) {
    case 0x0:
    case 0x1:
      return [low];
    case 0x2:
      // With this bit it is CMP.
      return isLoad ? [] : [high];
    case 0x3:
      return [high];
    case 0x4:
      return isComparison(first) ? [] : [((first & 0xff00) === 0x4400 ? (first >>> 4) & 8 : 0) | low];
    case 0x5:
      return [low];
    case 0x6:
    case 0x7:
    case 0x8:
      return isLoad ? [low] : [];
    case 0x9:
      return isLoad ? [high] : [];
    case 0xa:
      return [high];
    case 0xb:
      return (first & 0xfe00) === 0xbc00 ? listed(first & 0xff) : [low];
    case 0xc:
      return isLoad ? listed(first & 0xff) : [];
    default:
      return [];
  }
}

/** TST, CMP and CMN of low registers, CMP of any. */
function isComparison(first: number): boolean {
  return (first & 0xff40) === 0x4200 || (first & 0xffc0) === 0x42c0 || (first & 0xff00) === 0x4500;
}

/** ra, t0 to t2, a0 to a7, t3 to t6 (RISC-V ELF psABI, "Integer Register Convention"). */
const riscvScratch = [1, 5, 6, 7, 10, 11, 12, 13, 14, 15, 16, 17, 28, 29, 30, 31];

class RiscvCalls implements Decoder {
  constructor(private readonly known: Known) {}

  isLong(first: number): boolean {
    return (first & 3) === 3;
  }

  decode(address: bigint, first: number, second: number | undefined): Found | undefined {
    const found = second === undefined ? this.short(first) : this.long(address, (second << 16) | first);
    if (found !== undefined) forget(this.known, riscvScratch);
    return found;
  }

  private long(address: bigint, word: number): Found | undefined {
    const rd = (word >>> 7) & 31;
    const base = this.known.get((word >>> 15) & 31);
    switch (word & 0x7f) {
      case 0x17:
        this.known.set(rd, address + BigInt(word & ~0xfff));
        return undefined;
      case 0x6f:
        return rd === 1 ? { target: codeAddress(address + BigInt(jumpOffset(word))) } : undefined;
      case 0x67:
        if (rd !== 1) return undefined;
        return { target: base === undefined ? undefined : codeAddress(base + BigInt(word >> 20)) };
      case 0x23:
      case 0x27:
      case 0x63:
        // Stores and branches: these bits are of the immediate.
        return undefined;
      default:
        // ADDI: the low part of an address.
        if ((word & 0x707f) === 0x13 && base !== undefined) this.known.set(rd, base + BigInt(word >> 20));
        else this.known.delete(rd);
        return undefined;
    }
  }

  private short(first: number): Found | undefined {
    const rs1 = (first >>> 7) & 31;
    if ((first & 0xf07f) === 0x9002 && rs1 !== 0) {
      const base = this.known.get(rs1);
      return { target: base === undefined ? undefined : codeAddress(base) };
    }
    // Whichever of its fields names the destination.
    forget(this.known, [rs1, 8 + ((first >>> 2) & 7), 8 + ((first >>> 7) & 7)]);
    return undefined;
  }
}

function signExtend(value: number, bits: number): number {
  return (value << (32 - bits)) >> (32 - bits);
}

/** The offset of JAL. */
function jumpOffset(word: number): number {
  const imm =
    ((word >>> 31) << 20) |
    (((word >>> 12) & 0xff) << 12) |
    (((word >>> 20) & 1) << 11) |
    (((word >>> 21) & 0x3ff) << 1);
  return signExtend(imm, 21);
}
