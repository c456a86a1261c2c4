/**
 * Disassembly text by Capstone, which is handed in (its loader function and the bytes of its WebAssembly file), because
 * where those bytes come from differs between a process, a worker and a test. Knows Thumb, the only instruction set of
 * the Cortex-M. What Capstone refuses becomes one `.inst` of the length that the encoding announces (Armv7-M
 * architecture reference manual A5.1), so that the instructions after it stay in step.
 */
import { hex } from './bytes';

export interface Instruction {
  readonly address: bigint;
  readonly bytes: Uint8Array;
  readonly mnemonic: string;
  readonly operands: string;
  /** False for bytes that are no instruction. */
  readonly valid: boolean;
}

export interface Disassembler {
  /** All instructions of `bytes` in order, at most `limit`; a cut-off last one is left out. */
  disassemble(bytes: Uint8Array, address: bigint, limit?: number): Instruction[];
}

/** The part of Capstone's JavaScript interface that is used. */
interface CapstoneInstruction {
  readonly size: number;
  readonly mnemonic: string;
  readonly op_str: string;
}

interface CapstoneDecoder {
  disasm(bytes: Uint8Array, address: bigint, limit?: number): CapstoneInstruction[];
}

interface CapstoneModule {
  readonly ARCH_ARM: number;
  readonly MODE_THUMB: number;
  readonly MODE_MCLASS: number;
  readonly MODE_V8: number;
  readonly Capstone: new (arch: number, mode: number) => CapstoneDecoder;
}

export type CapstoneFactory = (options: { wasmBinary: Uint8Array }) => Promise<CapstoneModule>;

export async function createDisassembler(capstone: CapstoneFactory, wasm: Uint8Array): Promise<Disassembler> {
  const cs = await capstone({ wasmBinary: wasm });
  const decoder = new cs.Capstone(cs.ARCH_ARM, cs.MODE_THUMB | cs.MODE_MCLASS | cs.MODE_V8);
  return { disassemble: (bytes, address, limit = Infinity) => disassembleThumb(decoder, bytes, address, limit) };
}

function disassembleThumb(decoder: CapstoneDecoder, bytes: Uint8Array, start: bigint, limit: number): Instruction[] {
  const result: Instruction[] = [];
  let offset = 0;
  while (result.length < limit && offset + 2 <= bytes.length) {
    for (const found of decode(decoder, bytes.subarray(offset), start + BigInt(offset), limit - result.length)) {
      result.push({
        address: start + BigInt(offset),
        bytes: bytes.slice(offset, offset + found.size),
        mnemonic: found.mnemonic,
        operands: found.op_str,
        valid: true,
      });
      offset += found.size;
    }
    if (result.length >= limit || offset + 2 > bytes.length) break;
    const length = thumbLength(bytes, offset);
    if (offset + length > bytes.length) break;
    result.push(undecoded(bytes.slice(offset, offset + length), start + BigInt(offset)));
    offset += length;
  }
  return result;
}

/** Capstone throws when not even the first instruction is one, and stops quietly at a later one. */
function decode(decoder: CapstoneDecoder, bytes: Uint8Array, address: bigint, limit: number): CapstoneInstruction[] {
  try {
    return decoder.disasm(bytes, address, Number.isFinite(limit) ? limit : 0);
  } catch {
    return [];
  }
}

/** 4 when the first halfword is 0b11101, 0b11110 or 0b11111 in its top bits, else 2. */
function thumbLength(bytes: Uint8Array, offset: number): 2 | 4 {
  return bytes[offset + 1] >> 3 >= 0b11101 ? 4 : 2;
}

function undecoded(bytes: Uint8Array, address: bigint): Instruction {
  const halfword = (at: number) => bytes[at] | (bytes[at + 1] << 8);
  const encoding = bytes.length === 2 ? hex(halfword(0), 4) : hex(halfword(0) * 0x10000 + halfword(2), 8);
  return {
    address,
    bytes,
    mnemonic: bytes.length === 2 ? '.inst.n' : '.inst.w',
    operands: encoding,
    valid: false,
  };
}
