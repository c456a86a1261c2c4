/**
 * Programs of many cases that run on QEMU's user mode and on this engine alike: one ELF file, whose cases each load all
 * registers from a block, execute some instructions and store the registers back; at the end the program writes the
 * blocks and the data to its standard output and exits (Linux system calls 64 and 93).
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RiscvCpu } from '../../lib/arch';
import { createMachine } from '../../lib/emulator/machine';
import type { Random } from './random';

export type Xlen = 32 | 64;

/** Where the program lies: code, data, then a block a case. */
const base = 0x10000;
const dataAddress = 0x11000;
export const dataSize = 0x4000;
const blocksAddress = dataAddress + dataSize;
/** Of a block: instructions at 0, x0 to x31 at 256, f0 to f31 at 512, fcsr at 768. */
export const blockSize = 1024;
const integersAt = 256;
const floatsAt = 512;
const fcsrAt = 768;
const blockRegister = 4;

export interface RiscvCase {
  /** Halfwords of the instructions, at most 250 bytes. */
  readonly halfwords: readonly number[];
  /** By register; x0 and x4 are ignored. */
  readonly integers: readonly bigint[];
  readonly floats: readonly bigint[];
  readonly fcsr: number;
}

export interface RiscvOutput {
  readonly integers: readonly bigint[];
  readonly floats: readonly bigint[];
  readonly fcsr: number;
}

export interface RiscvRun {
  readonly cases: readonly RiscvOutput[];
  readonly data: Uint8Array;
}

const I = (imm: number, rs1: number, funct3: number, rd: number, opcode: number) =>
  (((imm & 0xfff) << 20) | (rs1 << 15) | (funct3 << 12) | (rd << 7) | opcode) >>> 0;
const S = (imm: number, rs2: number, rs1: number, funct3: number, opcode: number) =>
  ((((imm >> 5) & 0x7f) << 25) | (rs2 << 20) | (rs1 << 15) | (funct3 << 12) | ((imm & 0x1f) << 7) | opcode) >>> 0;
const lui = (rd: number, value: number) => ((value & 0xfffff000) | (rd << 7) | 0x37) >>> 0;
const jump = (offset: number) => {
  const bits = ((offset >> 20) & 1) << 19;
  return (
    (((bits | (((offset >> 1) & 0x3ff) << 9) | (((offset >> 11) & 1) << 8) | ((offset >> 12) & 0xff)) << 12) | 0x6f) >>>
    0
  );
};
const set = (rd: number, value: number) => {
  const low = (value << 20) >> 20;
  return [lui(rd, (value - low) | 0), I(low, rd, 0, rd, 0x13)];
};

/** The program around the cases. Register x4 holds the block of the case; `enter` and `leave` are the same for all. */
function frame(xlen: Xlen, count: number, hasFloats: boolean): { readonly code: number[]; readonly leave: number } {
  const size = xlen / 8;
  const funct3 = xlen === 32 ? 2 : 3;
  const words: number[] = [...set(blockRegister, blocksAddress)];
  const enter = 4 * words.length;
  if (hasFloats) {
    words.push(I(fcsrAt, blockRegister, 2, 5, 0x03), I(3, 5, 1, 0, 0x73));
    for (let f = 0; f < 32; f++) words.push(I(floatsAt + 8 * f, blockRegister, 3, f, 0x07));
  }
  for (let x = 1; x < 32; x++) {
    if (x !== blockRegister) words.push(I(integersAt + size * x, blockRegister, funct3, x, 0x03));
  }
  words.push(I(0, blockRegister, 0, 0, 0x67));
  const leave = 4 * words.length;
  for (let x = 1; x < 32; x++) {
    if (x !== blockRegister) words.push(S(integersAt + size * x, x, blockRegister, funct3, 0x23));
  }
  if (hasFloats) {
    for (let f = 0; f < 32; f++) words.push(S(floatsAt + 8 * f, f, blockRegister, 3, 0x27));
    words.push(I(3, 0, 2, 5, 0x73), S(fcsrAt, 5, blockRegister, 2, 0x23));
  }
  words.push(I(blockSize, blockRegister, 0, blockRegister, 0x13), ...set(5, blocksAddress + count * blockSize));
  // bne x4, x5, enter; the offset is negative.
  const offset = enter - 4 * words.length;
  const high = (((offset >> 12) & 1) << 6) | ((offset >> 5) & 0x3f);
  const low = (((offset >> 1) & 0xf) << 1) | ((offset >> 11) & 1);
  words.push(((high << 25) | (5 << 20) | (blockRegister << 15) | (1 << 12) | (low << 7) | 0x63) >>> 0);
  // write(1, data, all of it), exit(0)
  words.push(...set(10, 1), ...set(11, dataAddress), ...set(12, dataSize + count * blockSize), ...set(17, 64), 0x73);
  words.push(...set(10, 0), ...set(17, 93), 0x73);
  return { code: words, leave };
}

/** The image from `base` on. */
export function buildProgram(
  xlen: Xlen,
  cases: readonly RiscvCase[],
  data: Uint8Array,
  hasFloats: boolean,
): Uint8Array {
  const { code, leave } = frame(xlen, cases.length, hasFloats);
  const image = new Uint8Array(blocksAddress - base + cases.length * blockSize);
  const view = new DataView(image.buffer);
  code.forEach((word, i) => view.setUint32(4 * i, word, true));
  image.set(data, dataAddress - base);
  cases.forEach(({ halfwords, integers, floats, fcsr }, i) => {
    const at = blocksAddress - base + i * blockSize;
    const padded = halfwords.length % 2 === 0 ? halfwords : [...halfwords, 0x0001];
    padded.forEach((halfword, n) => view.setUint16(at + 2 * n, halfword, true));
    view.setUint32(at + 2 * padded.length, jump(leave - (at + 2 * padded.length)), true);
    integers.forEach((value, x) => {
      if (xlen === 64) view.setBigUint64(at + integersAt + 8 * x, BigInt.asUintN(64, value), true);
      else view.setUint32(at + integersAt + 4 * x, Number(BigInt.asUintN(32, value)), true);
    });
    floats.forEach((value, f) => view.setBigUint64(at + floatsAt + 8 * f, BigInt.asUintN(64, value), true));
    view.setUint32(at + fcsrAt, fcsr, true);
  });
  return image;
}

function parse(xlen: Xlen, output: Uint8Array, count: number): RiscvRun {
  const view = new DataView(output.buffer, output.byteOffset, output.byteLength);
  const cases = Array.from({ length: count }, (_, i): RiscvOutput => {
    const at = dataSize + i * blockSize;
    const integer = (x: number) =>
      xlen === 64
        ? view.getBigUint64(at + integersAt + 8 * x, true)
        : BigInt(view.getUint32(at + integersAt + 4 * x, true));
    return {
      integers: Array.from({ length: 32 }, (_unused, x) => integer(x)),
      floats: Array.from({ length: 32 }, (_unused, f) => view.getBigUint64(at + floatsAt + 8 * f, true)),
      fcsr: view.getUint32(at + fcsrAt, true),
    };
  });
  return { cases, data: output.subarray(0, dataSize) };
}

const expectedLength = (count: number) => dataSize + count * blockSize;

/** A static executable of one segment that may be read, written and executed. */
function elfOf(xlen: Xlen, image: Uint8Array): Uint8Array {
  const is64 = xlen === 64;
  // Offset and address of a segment agree modulo the page size.
  const headerSize = 4096;
  const file = new Uint8Array(headerSize + image.length);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, is64 ? 2 : 1, 1, 1, 0]);
  view.setUint16(16, 2, true);
  view.setUint16(18, 243, true);
  view.setUint32(20, 1, true);
  const long = (at: number, value: number) =>
    is64 ? view.setBigUint64(at, BigInt(value), true) : view.setUint32(at, value, true);
  const word = xlen / 8;
  long(24, base + 0);
  long(24 + word, is64 ? 64 : 52);
  // e_flags: RVC, and the double-float ABI of nothing.
  view.setUint32(24 + 3 * word, 1, true);
  view.setUint16(28 + 3 * word, is64 ? 64 : 52, true);
  view.setUint16(30 + 3 * word, is64 ? 56 : 32, true);
  view.setUint16(32 + 3 * word, 1, true);
  const ph = is64 ? 64 : 52;
  view.setUint32(ph, 1, true);
  if (is64) view.setUint32(ph + 4, 7, true);
  else view.setUint32(ph + 24, 7, true);
  const fields = is64 ? [8, 16, 24, 32, 40, 48] : [4, 8, 12, 16, 20, 28];
  [headerSize, base, base, image.length, image.length, 4].forEach((value, i) => long(ph + fields[i], value));
  file.set(image, headerSize);
  return file;
}

export function runOnQemu(qemu: string, xlen: Xlen, image: Uint8Array, count: number): RiscvRun {
  const folder = mkdtempSync(join(tmpdir(), 'llext-riscv-'));
  const file = join(folder, 'cases.elf');
  try {
    writeFileSync(file, elfOf(xlen, image), { mode: 0o755 });
    const bits = `rv${xlen},zba=true,zbb=true,zbc=true,zbs=true`;
    const { stdout, status, signal, stderr } = spawnSync(qemu, ['-cpu', bits, file], {
      maxBuffer: 1 << 30,
      timeout: 300_000,
    });
    if (status !== 0 || stdout.length !== expectedLength(count)) {
      throw new Error(
        `QEMU ended with ${status ?? signal}, ${stdout.length} bytes: ${stderr.toString().slice(0, 300)}`,
      );
    }
    return parse(xlen, new Uint8Array(stdout), count);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export function runHere(cpu: RiscvCpu, image: Uint8Array, count: number): RiscvRun {
  const size = Math.ceil(image.length / 4096) * 4096;
  const permissions = { read: true, write: true, execute: true };
  const machine = createMachine({ cpu, regions: [{ name: 'program', base, size, permissions }] });
  machine.memory.write(base, image);
  const { state } = machine;
  state.write('pc', base);
  let output: Uint8Array | undefined;
  for (;;) {
    const stop = machine.run(1_000_000_000);
    if (stop.reason !== 'ecall') {
      const what = stop.reason === 'fault' ? `${stop.fault.message} at 0x${stop.fault.pc.toString(16)}` : stop.reason;
      throw new Error(`the program ended with ${what}; case ${(state.read('tp') - blocksAddress) / blockSize}`);
    }
    if (state.read('a7') === 93) break;
    output = machine.memory.read(state.read('a1'), state.read('a2'));
    state.write('pc', stop.address + 4);
  }
  if (output?.length !== expectedLength(count)) throw new Error('the program wrote nothing');
  return parse(cpu.isa.xlen, output, count);
}

/** A random address in the data with room around it, aligned to 8. */
export function dataPointer(random: Random): bigint {
  return BigInt(dataAddress + 0x1000 + 8 * random.below((dataSize - 0x2000) / 8));
}
