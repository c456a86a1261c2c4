/**
 * Where a function's result is right after it returned, by the procedure call standards: AAPCS32 6.4 and 6.5 (base and
 * VFP variant), RISC-V ELF psABI "Integer" and "Hardware Floating-point Calling Convention". Large results are in
 * memory of the caller's; where, only the callee was told.
 */
import { armAttributes, Tag_ABI_VFP_args } from '../elf/arm-attributes';
import { EM_ARM, EM_RISCV } from '../elf/constants';
import type { ElfFile } from '../elf/elf-file';
import { Encoding } from '../dwarf/constants';
import { type Location, type Piece, unavailable } from '../dwarf/location';
import { stripType, type Type } from '../dwarf/model';
import { isStruct } from '../dwarf/value';

/** Which registers pass floating-point values, of `flen` bytes at most. */
export interface CallAbi {
  readonly machine: number;
  /** Bytes of an integer register. */
  readonly xlen: number;
  /** 0: floating point is passed in integer registers. */
  readonly flen: 0 | 4 | 8;
}

const EF_RISCV_FLOAT_ABI = 6;

export function callAbiOf(elf: ElfFile): CallAbi {
  const { e_machine: machine, e_flags } = elf.header;
  const xlen = elf.is64 ? 8 : 4;
  if (machine === EM_ARM) return { machine, xlen, flen: armAttributes(elf).get(Tag_ABI_VFP_args) === 1 ? 8 : 0 };
  const floats = machine === EM_RISCV ? (e_flags & EF_RISCV_FLOAT_ABI) >> 1 : 0;
  return { machine, xlen, flen: floats === 0 ? 0 : floats === 1 ? 4 : 8 };
}

/** Variadic functions of Arm have the base standard, for their results too (AAPCS32 6.1.2.2, 7.1). */
export function abiOfFunction(abi: CallAbi, isVariadic: boolean): CallAbi {
  return isVariadic && abi.machine === EM_ARM ? { ...abi, flen: 0 } : abi;
}

/** A scalar in a structure. */
export interface Field {
  readonly offset: number;
  readonly size: number;
  readonly isFloat: boolean;
  /** A word of a vector, which Arm passes in floating-point registers, and RISC-V by the integer convention. */
  readonly ofVector?: true;
}

/** `memory`: the address that the callee was given for a result that is too large; undefined: not known. */
export function returnLocation(type: Type, abi: CallAbi, memory: bigint | undefined): Location {
  const size = type.byteSize;
  if (size === undefined) return unavailable(`the size of ${type.displayName} is not known`);
  // Itanium C++ ABI, 3.1.3: also one that would fit into registers.
  if (isPassedByReference(type)) return inMemory(memory);
  switch (abi.machine) {
    case EM_ARM:
      return armLocation(type, size, abi, memory);
    case EM_RISCV:
      return riscvLocation(type, size, abi, memory);
    default:
      return unavailable('the calling convention of this CPU is not known here');
  }
}

/** Whether the result is in the caller's memory, whose address is passed as a hidden first argument. */
export function returnsInMemory(type: Type, abi: CallAbi): boolean {
  return returnLocation(type, abi, 0n).kind === 'memory';
}

// ---- Arm ----

const r0 = 0;
const s0 = 64;
const d0 = 256;
const mostHomogeneous = 4;

function armLocation(type: Type, size: number, { flen }: CallAbi, memory: bigint | undefined): Location {
  const fields = flen === 0 ? undefined : fieldsOf(type, 0);
  if (fields !== undefined && isHomogeneous(fields, size)) {
    const [{ size: each }] = fields;
    return registers(
      fields.map(({ offset }, n) => ({ offset, size: each, register: (each === 8 ? d0 : s0) + n })),
      size,
    );
  }
  if (isComposite(type) ? size > 4 : size > 16) return inMemory(memory);
  return words(size, 4, r0);
}

/** A homogeneous aggregate: one to four of the same floating-point type and nothing else (AAPCS32 4.3.5). */
export function isHomogeneous(fields: readonly Field[], size: number): boolean {
  if (fields.length === 0 || fields.length > mostHomogeneous) return false;
  const [first] = fields;
  return fields.every((field) => field.isFloat && field.size === first.size) && size === first.size * fields.length;
}

// ---- RISC-V ----

const a0 = 10;
const fa0 = 42;

function riscvLocation(type: Type, size: number, { xlen, flen }: CallAbi, memory: bigint | undefined): Location {
  const fields = flen === 0 ? undefined : fieldsOf(type, 0);
  const inFloats = fields === undefined ? undefined : floatRegisters(fields, xlen, flen);
  if (inFloats !== undefined) return registers(inFloats, size);
  if (size > 2 * xlen) return inMemory(memory);
  return words(size, xlen, a0);
}

export interface Placed {
  readonly offset: number;
  readonly size: number;
  readonly register: number;
}

/** One float, two floats, or a float and an integer; undefined: the integer convention holds. */
export function floatRegisters(fields: readonly Field[], xlen: number, flen: number): readonly Placed[] | undefined {
  if (fields.length === 0 || fields.length > 2 || !fields.some(({ isFloat }) => isFloat)) return undefined;
  if (fields.some(({ ofVector }) => ofVector)) return undefined;
  if (fields.some(({ isFloat, size }) => size > (isFloat ? flen : xlen))) return undefined;
  let nextFloat = fa0;
  let nextInteger = a0;
  return fields.map(({ offset, size, isFloat }) => ({ offset, size, register: isFloat ? nextFloat++ : nextInteger++ }));
}

// ---- both ----

export function isComposite(type: Type): boolean {
  const stripped = stripType(type);
  return stripped.kind === 'struct' || stripped.kind === 'union' || stripped.kind === 'class' || isComplex(stripped);
}

function isComplex(type: Type): boolean {
  return type.kind === 'base' && type.encoding === Encoding.DW_ATE_complex_float;
}

/** The scalars of a type in order; undefined where the conventions for floating point do not look into it. */
export function fieldsOf(type: Type, offset: number): readonly Field[] | undefined {
  const stripped = stripType(type);
  const size = stripped.byteSize ?? 0;
  if (isComplex(stripped)) {
    const half = size / 2;
    return [0, half].map((part) => ({ offset: offset + part, size: half, isFloat: true }));
  }
  switch (stripped.kind) {
    case 'base':
      return [{ offset, size, isFloat: stripped.encoding === Encoding.DW_ATE_float }];
    case 'pointer':
    case 'enum':
      return [{ offset, size, isFloat: false }];
    case 'struct':
    case 'class': {
      const fields: Field[] = [];
      for (const { type: member, byteOffset, bitSize } of stripped.members) {
        const inner = bitSize === undefined ? fieldsOf(member, offset + byteOffset) : undefined;
        if (inner === undefined) return undefined;
        fields.push(...inner);
      }
      return fields;
    }
    case 'array': {
      if (stripped.isVector) {
        const words = Array.from({ length: size / 4 }, (_, n) => offset + 4 * n);
        return words.map((at) => ({ offset: at, size: 4, isFloat: true, ofVector: true }));
      }
      if (typeof stripped.count !== 'number' || stripped.count > mostHomogeneous) return undefined;
      const step = stripped.element.byteSize ?? 0;
      const parts = Array.from({ length: stripped.count }, (_, n) => fieldsOf(stripped.element, offset + n * step));
      return parts.some((part) => part === undefined) ? undefined : parts.flatMap((part) => part ?? []);
    }
    default:
      return undefined;
  }
}

function isPassedByReference(type: Type): boolean {
  const stripped = stripType(type);
  return isStruct(stripped) && stripped.passedByReference;
}

function inMemory(address: bigint | undefined): Location {
  if (address !== undefined) return { kind: 'memory', address };
  return unavailable('it was returned in memory, at an address that neither the callee nor the call site kept');
}

function words(size: number, word: number, first: number): Location {
  const count = Math.ceil(size / word);
  const placed = Array.from({ length: count }, (_, n) => ({
    offset: n * word,
    size: Math.min(word, size - n * word),
    register: first + n,
  }));
  return registers(placed, size);
}

function registers(placed: readonly Placed[], size: number): Location {
  const at = ({ register }: Placed): Location => ({ kind: 'register', register, byteOffset: 0 });
  if (placed.length === 1 && placed[0].size === size) return at(placed[0]);
  const pieces: Piece[] = [];
  let position = 0;
  // Padding has no value of its own; without one the object could not be copied.
  const pad = (to: number): void => {
    const location: Location = { kind: 'bytes', bytes: new Uint8Array(Math.max(to - position, 0)) };
    if (to > position) pieces.push({ location, bitOffset: 0, bitSize: (to - position) * 8 });
  };
  for (const one of placed) {
    pad(one.offset);
    pieces.push({ location: at(one), bitOffset: 0, bitSize: one.size * 8 });
    position = one.offset + one.size;
  }
  pad(size);
  return { kind: 'pieces', pieces };
}
