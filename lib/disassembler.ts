/**
 * Disassembly text by Capstone, which is handed in (its loader function and the bytes of its WebAssembly file), because
 * where those bytes come from differs between a process, a worker and a test. Knows Thumb, the only instruction set of
 * the Cortex-M, and RISC-V with compressed instructions. What Capstone refuses becomes one `.inst` (`.insn` of RISC-V) of the
 * length that the encoding announces (Armv7-M architecture reference manual A5.1; RISC-V unprivileged specification 1.5),
 * so that the instructions after it stay in step.
 */
import type { Arch } from './arch';
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
  readonly ARCH_RISCV: number;
  readonly MODE_RISCV32: number;
  readonly MODE_RISCV64: number;
  readonly MODE_RISCVC: number;
  readonly Capstone: new (arch: number, mode: number) => CapstoneDecoder;
}

/** What Emscripten's script asks for its instance with; `done` takes it. */
type InstantiateWasm = (imports: WebAssembly.Imports, done: (instance: WebAssembly.Instance) => void) => void;

export type CapstoneFactory = (options: { instantiateWasm: InstantiateWasm }) => Promise<CapstoneModule>;

/** Instruction sets by what a file or a CPU says of itself. */
export type InstructionSet = 'thumb' | 'riscv32' | 'riscv64';

export function instructionSetOf(arch: Arch, is64: boolean): InstructionSet {
  return arch !== 'riscv' ? 'thumb' : is64 ? 'riscv64' : 'riscv32';
}

export async function createDisassembler(
  capstone: CapstoneFactory,
  wasm: Uint8Array,
  set: InstructionSet = 'thumb',
): Promise<Disassembler> {
  const cs = await instantiate(capstone, await WebAssembly.compile(wasm as BufferSource));
  const decoder =
    set === 'thumb'
      ? new cs.Capstone(cs.ARCH_ARM, cs.MODE_THUMB | cs.MODE_MCLASS | cs.MODE_V8)
      : new cs.Capstone(cs.ARCH_RISCV, (set === 'riscv32' ? cs.MODE_RISCV32 : cs.MODE_RISCV64) | cs.MODE_RISCVC);
  const rules = set === 'thumb' ? thumb : riscv;
  return { disassemble: (bytes, address, limit = Infinity) => disassemble(decoder, rules, bytes, address, limit) };
}

/** From a compiled module, because what Capstone is given it keeps: the bytes would stay. */
function instantiate(capstone: CapstoneFactory, compiled: WebAssembly.Module): Promise<CapstoneModule> {
  return new Promise((resolve, reject) => {
    const instantiateWasm: InstantiateWasm = (imports, done) =>
      void WebAssembly.instantiate(compiled, imports).then(done).catch(reject);
    capstone({ instantiateWasm }).then(resolve, reject);
  });
}

/** What Capstone leaves to be done for an instruction set. */
interface Rules {
  /** Bytes that the encoding announces. */
  length(bytes: Uint8Array, offset: number): 2 | 4;
  operands(found: CapstoneInstruction, address: bigint): string;
  undecoded(bytes: Uint8Array): { readonly mnemonic: string; readonly operands: string };
}

const halfword = (bytes: Uint8Array, at: number) => bytes[at] | (bytes[at + 1] << 8);

const thumb: Rules = {
  // 4 when the first halfword is 0b11101, 0b11110 or 0b11111 in its top bits, else 2.
  length: (bytes, offset) => (bytes[offset + 1] >> 3 >= 0b11101 ? 4 : 2),
  operands: ({ op_str }) => op_str,
  undecoded: (bytes) =>
    bytes.length === 2
      ? { mnemonic: '.inst.n', operands: hex(halfword(bytes, 0), 4) }
      : { mnemonic: '.inst.w', operands: hex(halfword(bytes, 0) * 0x10000 + halfword(bytes, 2), 8) },
};

const riscvBranch = /^(?:c\.)?(?:j|jal|b[a-z]+)$/;

const riscv: Rules = {
  length: (bytes, offset) => ((bytes[offset] & 3) === 3 ? 4 : 2),
  // Capstone gives the distance of a branch; readers want where it leads to.
  operands: ({ mnemonic, op_str }, address) =>
    riscvBranch.test(mnemonic)
      ? op_str.replace(/(-?)(0x[0-9a-f]+|\d+)$/, (_, sign: string, distance: string) => {
          const offset = BigInt(distance) * (sign === '-' ? -1n : 1n);
          return hex(BigInt.asUintN(64, address + offset));
        })
      : op_str,
  undecoded: (bytes) => ({
    mnemonic: '.insn',
    operands:
      bytes.length === 2 ? hex(halfword(bytes, 0), 4) : hex(halfword(bytes, 2) * 0x10000 + halfword(bytes, 0), 8),
  }),
};

function disassemble(
  decoder: CapstoneDecoder,
  rules: Rules,
  bytes: Uint8Array,
  start: bigint,
  limit: number,
): Instruction[] {
  const result: Instruction[] = [];
  let offset = 0;
  while (result.length < limit && offset + 2 <= bytes.length) {
    for (const found of decode(decoder, bytes.subarray(offset), start + BigInt(offset), limit - result.length)) {
      const address = start + BigInt(offset);
      result.push({
        address,
        bytes: bytes.slice(offset, offset + found.size),
        mnemonic: found.mnemonic,
        operands: rules.operands(found, address),
        valid: true,
      });
      offset += found.size;
    }
    if (result.length >= limit || offset + 2 > bytes.length) break;
    const length = rules.length(bytes, offset);
    if (offset + length > bytes.length) break;
    const part = bytes.slice(offset, offset + length);
    result.push({ address: start + BigInt(offset), bytes: part, ...rules.undecoded(part), valid: false });
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
