/**
 * A decoder row: one encoding of the RISC-V specifications, as data.
 *
 * `bits` is the manual's diagram as ../bit-diagram.ts reads it, 32 bits or, of the C extension, 16. Where several rows match, the one
 * with the most fixed bits is meant. A compressed row gives the operation of the instruction that it stands for.
 */
import { fieldsOf, parseDiagram, type Diagram, type Fields } from '../bit-diagram';
import type { OperationName } from './operations';
import { State } from './state';

export type { Fields };

/** Extension that has the encoding; 'priv' is the privileged specification. */
export type Extension =
  'I' | 'M' | 'A' | 'F' | 'D' | 'C' | 'Zicsr' | 'Zifencei' | 'Zba' | 'Zbb' | 'Zbc' | 'Zbs' | 'priv';

/** What an instruction does: an operation with its operands. */
export type Meaning = readonly [OperationName, ...number[]];

/** Where an instruction is: resolves registers to words of the state, and addresses. */
export class Site {
  constructor(
    readonly pc: number,
    readonly xlen: 32 | 64,
  ) {}

  /** Word of xN as a source. */
  x(number: number): number {
    return this.xlen === 32 ? number : 2 * number;
  }

  /** Word of xN as a destination: x0 is the sink. */
  d(number: number): number {
    return number === 0 ? State.sink : this.x(number);
  }

  /** Word of fN; its upper half is the next word. */
  f(number: number): number {
    return State.f + 2 * number;
  }

  /** rd = a value that is known when the instruction is decoded. */
  constant(rd: number, value: number): Meaning {
    return ['li', this.d(rd), value | 0, Math.floor(value / 2 ** 32) | 0];
  }

  /** Address of a pc-relative target, modulo 2^32. */
  target(offset: number): number {
    return (this.pc + offset) | 0;
  }
}

export type Exec = (field: Fields, site: Site) => Meaning;

export interface Row {
  readonly bits: string;
  /** Assembler mnemonic. */
  readonly name: string;
  /** Chapter of the unprivileged specification (20191213 and the bit-manipulation 1.0.0), or of the privileged one. */
  readonly section: string;
  readonly extension: Extension;
  /** Also needed; a compressed load of a double needs D. */
  readonly also?: Extension;
  /** Only there; both where absent. */
  readonly xlen?: 32 | 64;
  readonly exec: Exec;
  readonly diagram: Diagram;
}

/** [bits, name, exec, xlen] */
export type RowText = readonly [bits: string, name: string, exec: Exec, xlen?: 32 | 64];

export function table(section: string, extension: Extension, rows: readonly RowText[], also?: Extension): Row[] {
  return rows.map(([bits, name, exec, xlen]) => {
    let parsed: Diagram | undefined;
    return {
      ...{ bits, name, section, extension, also, xlen, exec },
      // When somebody decodes: a session on another processor reads none of them.
      get diagram() {
        return (parsed ??= parseDiagram(bits));
      },
    };
  });
}

/** The value of `bits` low bits as a signed number. */
export const signed = (value: number, bits: number) => (value << (32 - bits)) >> (32 - bits);

/** Immediates by the formats of the unprivileged specification, 2.3. */
export const immediate = {
  I: ({ imm }: Fields) => signed(imm, 12),
  S: ({ immh, imml }: Fields) => signed((immh << 5) | imml, 12),
  /** immh = imm[12|10:5], imml = imm[4:1|11]. */
  B: ({ immh, imml }: Fields) =>
    signed(((immh >> 6) << 12) | ((imml & 1) << 11) | ((immh & 0x3f) << 5) | (imml & 0x1e), 13),
  U: ({ imm }: Fields) => imm << 12,
  /** imm = imm[20|10:1|11|19:12]. */
  J: ({ imm }: Fields) =>
    signed(((imm >> 19) << 20) | ((imm & 0xff) << 12) | (((imm >> 8) & 1) << 11) | (((imm >> 9) & 0x3ff) << 1), 21),
};

/** Diagrams of the formats. */
export const format = {
  R: (funct7: string, funct3: string, opcode: string) => `${funct7} rs2:5 rs1:5 ${funct3} rd:5 ${opcode}`,
  I: (funct3: string, opcode: string) => `imm:12 rs1:5 ${funct3} rd:5 ${opcode}`,
  S: (funct3: string, opcode: string) => `immh:7 rs2:5 rs1:5 ${funct3} imml:5 ${opcode}`,
  /** One source; the rs2 field is fixed. */
  unary: (funct12: string, funct3: string, opcode: string) => `${funct12} rs1:5 ${funct3} rd:5 ${opcode}`,
  /** Shifts by a constant: the amount has 5 bits on RV32 and in W forms, 6 on RV64. */
  shift: (funct6: string, funct3: string, opcode: string, xlen: 32 | 64) =>
    xlen === 32
      ? `${funct6}0 shamt:5 rs1:5 ${funct3} rd:5 ${opcode}`
      : `${funct6} shamt:6 rs1:5 ${funct3} rd:5 ${opcode}`,
};

/** rd = rs1 op rs2. */
export const register =
  (operation: OperationName): Exec =>
  ({ rd, rs1, rs2 }, site) => [operation, site.d(rd), site.x(rs1), site.x(rs2)];

/** rd = op rs1. */
export const unary =
  (operation: OperationName): Exec =>
  ({ rd, rs1 }, site) => [operation, site.d(rd), site.x(rs1)];

/** rd = rs1 op shamt. */
export const shift =
  (operation: OperationName): Exec =>
  ({ rd, rs1, shamt }, site) => [operation, site.d(rd), site.x(rs1), shamt];

/** A reserved encoding: an illegal-instruction exception. */
export const illegal: Meaning = ['illegal'];

export { fieldsOf };
