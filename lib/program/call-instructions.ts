/**
 * The calls in a piece of machine code: which instructions call, where they return to, and where they lead as far as
 * code alone tells (BL and BLX of the Armv7-M manual, A7.7; JAL, JALR and their compressed forms of RISC-V). Code for
 * long calls loads the address first, from a literal or by AUIPC: what was loaded last in a register is remembered.
 */
export interface CallInstruction {
  /** Address of the instruction after it. */
  readonly returnPc: bigint;
  /** First instruction that is called; undefined: known when it runs. */
  readonly target: bigint | undefined;
}

/** Reads a literal; undefined where nothing can be read. */
export type ReadWord = (address: bigint) => number | undefined;

export function findCalls(
  arch: 'arm' | 'riscv',
  bytes: Uint8Array,
  start: bigint,
  readWord: ReadWord,
): readonly CallInstruction[] {
  const code = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const calls: CallInstruction[] = [];
  const decoder = arch === 'arm' ? new ThumbCalls(readWord) : new RiscvCalls();
  for (let offset = 0; offset + 2 <= bytes.length;) {
    const first = code.getUint16(offset, true);
    const isLong = decoder.isLong(first) && offset + 4 <= bytes.length;
    const address = start + BigInt(offset);
    const found = decoder.decode(address, first, isLong ? code.getUint16(offset + 2, true) : undefined);
    offset += isLong ? 4 : 2;
    if (found !== undefined) calls.push({ returnPc: start + BigInt(offset), target: found.target });
  }
  return calls;
}

interface Found {
  readonly target: bigint | undefined;
}

const codeAddress = (address: bigint): bigint => BigInt.asUintN(32, address) & ~1n;

class ThumbCalls {
  private readonly loaded = new Map<number, number | undefined>();

  constructor(private readonly readWord: ReadWord) {}

  isLong(first: number): boolean {
    return first >>> 11 >= 0b11101;
  }

  decode(address: bigint, first: number, second: number | undefined): Found | undefined {
    if (second === undefined) return this.short(address, first);
    if ((first & 0xff7f) === 0xf85f) {
      // LDR (literal) T2
      const imm12 = BigInt(second & 0xfff);
      this.load(second >>> 12, address, (first & 0x80) !== 0 ? imm12 : -imm12);
    }
    if ((first & 0xf800) !== 0xf000 || (second & 0xd000) !== 0xd000) return undefined;
    const S = (first >>> 10) & 1;
    const I1 = ~((second >>> 13) ^ S) & 1;
    const I2 = ~((second >>> 11) ^ S) & 1;
    const imm = (S << 24) | (I1 << 23) | (I2 << 22) | ((first & 0x3ff) << 12) | ((second & 0x7ff) << 1);
    return { target: codeAddress(address + 4n + BigInt(signExtend(imm, 25))) };
  }

  private short(address: bigint, first: number): Found | undefined {
    if (first >>> 11 === 0b01001) this.load((first >>> 8) & 7, address, BigInt((first & 0xff) << 2));
    if ((first & 0xff87) !== 0x4780) return undefined;
    const value = this.loaded.get((first >>> 3) & 0xf);
    return { target: value === undefined ? undefined : codeAddress(BigInt(value)) };
  }

  private load(register: number, address: bigint, offset: bigint): void {
    this.loaded.set(register, this.readWord(((address + 4n) & ~3n) + offset));
  }
}

class RiscvCalls {
  private readonly loaded = new Map<number, bigint>();

  isLong(first: number): boolean {
    return (first & 3) === 3;
  }

  decode(address: bigint, first: number, second: number | undefined): Found | undefined {
    if (second === undefined) return this.short(first);
    const word = (second << 16) | first;
    const rd = (word >>> 7) & 31;
    switch (word & 0x7f) {
      case 0x17:
        this.loaded.set(rd, address + BigInt(word & ~0xfff));
        return undefined;
      case 0x6f:
        return rd === 1 ? { target: codeAddress(address + BigInt(jumpOffset(word))) } : undefined;
      case 0x67: {
        if (rd !== 1) return undefined;
        const base = this.loaded.get((word >>> 15) & 31);
        return { target: base === undefined ? undefined : codeAddress(base + BigInt(word >> 20)) };
      }
      default:
        return undefined;
    }
  }

  private short(first: number): Found | undefined {
    const rs1 = (first >>> 7) & 31;
    if ((first & 0xf07f) === 0x9002 && rs1 !== 0) {
      const base = this.loaded.get(rs1);
      return { target: base === undefined ? undefined : codeAddress(base) };
    }
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
