/**
 * Programs of many cases, the same for every engine: each case loads all registers from its block, executes some
 * instructions and stores the registers back. x4 holds the address of the block, so that no case may write it.
 *
 *   +0        the program around the cases    +0x1000   instructions, a slot a case, on pages that nothing writes
 *   +0x21000  data that they load and store   +0x25000  a block a case: x0 to x31, f0 to f31 (8 bytes each), fcsr, the trap
 *                                                       that it took, the address of its slot
 *
 * Two kinds: 'user' ends by writing data and blocks to its standard output (Linux system calls 64 and 93); 'bare' is for
 * machine mode: traps are written to the block, and it ends by semihosting. Engines that need neither stop at `end`.
 */
import type { Random } from './random';

export type Xlen = 32 | 64;
export type ProgramKind = 'user' | 'bare';

/** Where a program starts: on QEMU's board there is no memory below its own. */
const bases = { user: 0x10000, bare: 0x80000000 } as const;
export const programBase = bases.user;
/** Offsets from there. */
const codeAt = 0x1000;
const codeSize = 0x20000;
const dataAt = codeAt + codeSize;
export const dataSize = 0x4000;
const blocksAt = dataAt + dataSize;
const floatsAt = 256;
const fcsrAt = 512;
/** mcause, mepc and mtval, 8 bytes each. */
export const trapAt = 520;
const stateSize = 544;
const slotAt = 544;
const blockSize = 560;
const blockRegister = 4;
/** Holds the address of the slot; the slot's first instruction loads it as the case wants it. */
const lastRegister = 31;

/** Low and high words of x0 to x31 and of f0 to f31. */
export interface RiscvState {
  readonly integers: Uint32Array;
  readonly floats: Uint32Array;
  fcsr: number;
}

export const emptyState = (): RiscvState => ({
  integers: new Uint32Array(64),
  floats: new Uint32Array(64),
  fcsr: 0,
});

const I = (imm: number, rs1: number, funct3: number, rd: number, opcode: number) =>
  (((imm & 0xfff) << 20) | (rs1 << 15) | (funct3 << 12) | (rd << 7) | opcode) >>> 0;
const S = (imm: number, rs2: number, rs1: number, funct3: number, opcode: number) =>
  ((((imm >> 5) & 0x7f) << 25) | (rs2 << 20) | (rs1 << 15) | (funct3 << 12) | ((imm & 0x1f) << 7) | opcode) >>> 0;
const lui = (rd: number, value: number) => ((value & 0xfffff000) | (rd << 7) | 0x37) >>> 0;
const set = (rd: number, value: number) => {
  const low = (value << 20) >> 20;
  return [lui(rd, (value - low) | 0), I(low, rd, 0, rd, 0x13)];
};
/** An unsigned address: on RV64 LUI would extend its sign. */
const setAddress = (xlen: Xlen, rd: number, value: number) => [
  ...set(rd, value),
  ...(xlen === 64 && value >= 2 ** 31 ? [I(32, rd, 1, rd, 0x13), I(32, rd, 5, rd, 0x13)] : []),
];
const jump = (offset: number) => {
  const bits = ((offset >> 20) & 1) << 19;
  return (
    (((bits | (((offset >> 1) & 0x3ff) << 9) | (((offset >> 11) & 1) << 8) | ((offset >> 12) & 0xff)) << 12) | 0x6f) >>>
    0
  );
};
const bne = (rs1: number, rs2: number, offset: number) => {
  const high = (((offset >> 12) & 1) << 6) | ((offset >> 5) & 0x3f);
  const low = (((offset >> 1) & 0xf) << 1) | ((offset >> 11) & 1);
  return ((high << 25) | (rs2 << 20) | (rs1 << 15) | (1 << 12) | (low << 7) | 0x63) >>> 0;
};
const csrrw = (csr: number, rs1: number, rd = 0) => I(csr, rs1, 1, rd, 0x73);
const csrr = (rd: number, csr: number) => I(csr, 0, 2, rd, 0x73);
const ecall = 0x73;
const Csr = { fcsr: 3, mstatus: 0x300, mtvec: 0x305, mscratch: 0x340, mepc: 0x341, mcause: 0x342, mtval: 0x343 };

interface Frame {
  readonly words: readonly number[];
  /** Where a case ends. */
  readonly leave: number;
  /** Behind the last case. */
  readonly end: number;
}

/** What stands before the first case: in machine mode the handler that a trap goes to, and the floating-point unit on. */
function prologue(xlen: Xlen): number[] {
  const store = (at: number, rs2: number) => S(at, rs2, blockRegister, xlen === 32 ? 2 : 3, 0x23);
  const handler = [
    csrrw(Csr.mscratch, 5),
    ...[csrr(5, Csr.mcause), store(trapAt, 5), csrr(5, Csr.mepc), store(trapAt + 8, 5), csrr(5, Csr.mtval)],
    ...[store(trapAt + 16, 5), csrr(5, Csr.mscratch)],
  ];
  const start = [...set(5, 0x6000 | 0x1800), csrrw(Csr.mstatus, 5)];
  // The handler lies behind a jump over it and goes on to `leave`, which is set in when that is known.
  const length = setAddress(xlen, 5, bases.bare).length;
  const at = bases.bare + 4 * (start.length + length + 2);
  return [...start, ...setAddress(xlen, 5, at), csrrw(Csr.mtvec, 5), jump(4 * (handler.length + 2)), ...handler];
}

function epilogue(xlen: Xlen, kind: ProgramKind, count: number): number[] {
  if (kind === 'user') {
    const length = dataSize + count * blockSize;
    // write(1, data, all of it), exit(0)
    const write = [...set(10, 1), ...set(11, programBase + dataAt), ...set(12, length), ...set(17, 64), ecall];
    return [...write, ...set(10, 0), ...set(17, 93), ecall];
  }
  // SYS_OPEN "out" "wb", SYS_WRITE, SYS_EXIT: blocks of arguments in the first page, see semihosting().
  const call = [0x01f01013, 0x00100073, 0x40705013];
  const store = S(0, 10, 12, 2, 0x23);
  return [
    ...[...set(10, 1), ...setAddress(xlen, 11, semihostingAt), ...call],
    // The handle is the first argument of SYS_WRITE.
    ...[...setAddress(xlen, 12, semihostingAt + 32), store],
    ...[...set(10, 5), ...setAddress(xlen, 11, semihostingAt + 32), ...call],
    // RV32 gives the reason itself, RV64 a block of two words.
    ...[...set(10, 0x18), ...(xlen === 32 ? set(11, 0x20026) : setAddress(xlen, 11, semihostingAt + 64)), ...call],
  ];
}

const semihostingAt = bases.bare + 0xe00;

/** Arguments in words of XLEN bits: name, mode 5 ("wb"), its length; handle, address, length; ADP_Stopped_ApplicationExit. */
function semihosting(xlen: Xlen, view: DataView, length: number): void {
  const size = xlen / 8;
  const put = (at: number, values: readonly number[]) =>
    values.forEach((value, i) => view.setUint32(semihostingAt - bases.bare + at + size * i, value, true));
  put(0, [semihostingAt + 96, 5, 3]);
  put(32, [0, bases.bare + dataAt, length]);
  put(64, [0x20026, 0]);
  [0x6f, 0x75, 0x74, 0].forEach((byte, i) => view.setUint8(semihostingAt - bases.bare + 96 + i, byte));
}

function frame(xlen: Xlen, kind: ProgramKind, count: number): Frame {
  const size = xlen / 8;
  const funct3 = xlen === 32 ? 2 : 3;
  const words: number[] = kind === 'bare' ? prologue(xlen) : [];
  const handlerEnd = words.length;
  if (kind === 'bare') words.push(0);
  const base = bases[kind];
  words.push(...setAddress(xlen, blockRegister, base + blocksAt));
  const enter = words.length;
  words.push(I(fcsrAt, blockRegister, 2, 5, 0x03), csrrw(Csr.fcsr, 5));
  for (let f = 0; f < 32; f++) words.push(I(floatsAt + 8 * f, blockRegister, 3, f, 0x07));
  for (let x = 1; x < lastRegister; x++)
    if (x !== blockRegister) words.push(I(size * x, blockRegister, funct3, x, 0x03));
  words.push(I(slotAt, blockRegister, xlen === 32 ? 2 : 6, lastRegister, 0x03), I(0, lastRegister, 0, 0, 0x67));
  const leave = words.length;
  if (kind === 'bare') words[handlerEnd] = jump(4 * (leave - handlerEnd));
  for (let x = 1; x < 32; x++) if (x !== blockRegister) words.push(S(size * x, x, blockRegister, funct3, 0x23));
  for (let f = 0; f < 32; f++) words.push(S(floatsAt + 8 * f, f, blockRegister, 3, 0x27));
  words.push(csrr(5, Csr.fcsr), S(fcsrAt, 5, blockRegister, 2, 0x23));
  words.push(
    I(blockSize, blockRegister, 0, blockRegister, 0x13),
    ...setAddress(xlen, 5, base + blocksAt + count * blockSize),
  );
  words.push(bne(blockRegister, 5, 4 * (enter - words.length)));
  const end = words.length;
  words.push(...epilogue(xlen, kind, count));
  return { words, leave: base + 4 * leave, end: base + 4 * end };
}

export class RiscvProgram {
  readonly base: number;
  readonly dataAddress: number;
  readonly blocksAddress: number;
  /** Everything from the base on. */
  readonly image: Uint8Array;
  readonly capacity: number;
  readonly blockSize = blockSize;
  readonly slotSize: number;
  count = 0;
  readonly leave: number;
  readonly end: number;
  private readonly words: Uint32Array;
  private readonly halves: Uint16Array;

  /** Of at most `codeBytes` of instructions a case. */
  constructor(
    readonly xlen: Xlen,
    codeBytes: number,
    readonly kind: ProgramKind = 'user',
  ) {
    // A load comes before the instructions, a jump back behind them.
    this.slotSize = Math.ceil((codeBytes + 8) / 8) * 8;
    this.capacity = Math.floor(codeSize / this.slotSize);
    this.base = bases[kind];
    this.dataAddress = this.base + dataAt;
    this.blocksAddress = this.base + blocksAt;
    this.image = new Uint8Array(blocksAt + this.capacity * blockSize);
    this.words = new Uint32Array(this.image.buffer);
    this.halves = new Uint16Array(this.image.buffer);
    const { leave, end } = frame(xlen, kind, 0);
    this.leave = leave;
    this.end = end;
  }

  /** Starts over, with other data. */
  begin(random: Random): void {
    this.count = 0;
    const first = dataAt / 4;
    for (let i = 0; i < dataSize / 4; i++) this.words[first + i] = random.next();
  }

  /** Where the instructions of a case are. */
  codeOf(index: number): number {
    return this.base + codeAt + index * this.slotSize + 4;
  }

  add(halfwords: readonly number[], state: RiscvState): void {
    if (this.count === this.capacity) throw new RangeError('the program is full');
    const block = blocksAt + this.count * blockSize;
    const { words, halves } = this;
    if (this.xlen === 64) words.set(state.integers, block / 4);
    else for (let x = 0; x < 32; x++) words[block / 4 + x] = state.integers[2 * x];
    words.set(state.floats, (block + floatsAt) / 4);
    words.fill(0, (block + fcsrAt) / 4, (block + stateSize) / 4);
    words[(block + fcsrAt) / 4] = state.fcsr;
    const slot = codeAt + this.count * this.slotSize;
    words[(block + slotAt) / 4] = this.base + slot;
    words[slot / 4] = I((this.xlen / 8) * lastRegister, blockRegister, this.xlen === 32 ? 2 : 3, lastRegister, 0x03);
    let at = slot + 4;
    if (2 * halfwords.length + 8 > this.slotSize) throw new RangeError('too many instructions');
    for (const halfword of halfwords) {
      halves[at / 2] = halfword;
      at += 2;
    }
    const back = jump(this.leave - (this.base + at));
    halves[at / 2] = back & 0xffff;
    halves[at / 2 + 1] = back >>> 16;
    this.count++;
  }

  /** To be called behind the last add(). */
  finish(): void {
    const { words } = frame(this.xlen, this.kind, this.count);
    if (4 * words.length > semihostingAt - bases.bare) throw new RangeError('the program is too long');
    this.words.set(words);
    if (this.kind === 'bare') semihosting(this.xlen, new DataView(this.image.buffer), this.outputLength);
  }

  /** Whether a case starts with a single, boxed in 64 bits, in this register. */
  isBoxed(index: number, f: number): boolean {
    return this.words[(blocksAt + index * blockSize + floatsAt + 8 * f) / 4 + 1] === 0xffffffff;
  }

  /** Bytes of data and blocks: what an engine gives back. */
  get outputLength(): number {
    return dataSize + this.count * blockSize;
  }

  /** The program without the blocks that have no case. */
  get used(): Uint8Array {
    return this.image.subarray(0, dataAt + this.outputLength);
  }

  /** Differences of one case: a line for each register, and for the trap. */
  differences(index: number, here: Uint8Array, there: Uint8Array, engine: string): string[] {
    const at = dataSize + index * blockSize;
    const [a, b] = [here, there].map((bytes) => new DataView(bytes.buffer, bytes.byteOffset + at, stateSize));
    const size = this.xlen / 8;
    const value = (view: DataView, offset: number, bytes: number) =>
      bytes === 8 ? view.getBigUint64(offset, true) : BigInt(view.getUint32(offset, true));
    const found: string[] = [];
    const compare = (name: string, offset: number, bytes: number) => {
      const [ours, theirs] = [value(a, offset, bytes), value(b, offset, bytes)];
      if (ours !== theirs) found.push(`${name}: ${ours.toString(16)}, ${engine} ${theirs.toString(16)}`);
    };
    for (let x = 0; x < 32; x++) compare(`x${x}`, size * x, size);
    for (let f = 0; f < 32; f++) compare(`f${f}`, floatsAt + 8 * f, 8);
    compare('fcsr', fcsrAt, 4);
    ['mcause', 'mepc', 'mtval'].forEach((name, i) => compare(name, trapAt + 8 * i, 8));
    return found;
  }

  /** Cases that differ. */
  unequal(here: Uint8Array, there: Uint8Array): number[] {
    const slice = (bytes: Uint8Array, i: number) =>
      bytes.subarray(dataSize + i * blockSize, dataSize + i * blockSize + stateSize);
    if (Buffer.compare(here.subarray(dataSize), there.subarray(dataSize)) === 0) return [];
    return Array.from({ length: this.count }, (_, i) => i).filter(
      (i) => Buffer.compare(slice(here, i), slice(there, i)) !== 0,
    );
  }
}

/** A random address in the data with room around it, aligned to 8. */
export function dataPointer(random: Random): number {
  return programBase + dataAt + 0x1000 + 8 * random.below((dataSize - 0x2000) / 8);
}
