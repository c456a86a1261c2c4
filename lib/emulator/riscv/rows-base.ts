/** RV32I and RV64I (chapters 2 and 5), M (7), A (8), Zifencei (3), Zicsr (9), and the privileged instructions. */
import type { OperationName } from './operations';
import {
  format,
  illegal,
  immediate,
  register,
  shift,
  table,
  type Exec,
  type Fields,
  type Row,
  type Site,
} from './rows';

const { R, I, S, shift: shiftFormat } = format;
const LOAD = '0000011';
const STORE = '0100011';
const OP = '0110011';
const OP32 = '0111011';
const OP_IMM = '0010011';
const OP_IMM32 = '0011011';
const BRANCH = '1100011';
const SYSTEM = '1110011';
const AMO = '0101111';
const stackPointer = 2;
const returnAddress = 1;

const immediateForm =
  (operation: OperationName): Exec =>
  (field, site) => [operation, site.d(field.rd), site.x(field.rs1), immediate.I(field)];

const load: typeof immediateForm = immediateForm;

const store =
  (operation: OperationName): Exec =>
  (field, site) => [operation, site.x(field.rs2), site.x(field.rs1), immediate.S(field)];

/** Comparisons with x0 have their own operations: they fit the record of a compressed instruction. */
const branch =
  (operation: OperationName): Exec =>
  (field, site) => {
    const target = site.target(immediate.B(field));
    const zero = operation === 'beq' ? 'beqz' : operation === 'bne' ? 'bnez' : undefined;
    if (zero && field.rs2 === 0) return [zero, site.x(field.rs1), target];
    return [operation, site.x(field.rs1), target, 0, site.x(field.rs2)];
  };

/** ADDI with its special cases; also what compressed forms of it give. */
export function addi(rd: number, rs1: number, imm: number, site: Site): ReturnType<Exec> {
  if (rd === stackPointer) return ['addi_sp', site.x(rs1), imm];
  if (rs1 === 0) return site.constant(rd, imm);
  return imm === 0 ? ['mv', site.d(rd), site.x(rs1)] : ['addi', site.d(rd), site.x(rs1), imm];
}

/** ADD, SUB and AND, which compilers also write sp with. */
export function stackAware(operation: 'add' | 'sub' | 'and', rd: number, rs1: number, rs2: number, site: Site) {
  const name = rd === stackPointer ? (`${operation}_sp` as const) : operation;
  return [name, site.d(rd), site.x(rs1), site.x(rs2)] as const;
}

const aware =
  (operation: 'add' | 'sub' | 'and'): Exec =>
  ({ rd, rs1, rs2 }, site) =>
    stackAware(operation, rd, rs1, rs2, site);

export function andi(rd: number, rs1: number, imm: number, site: Site): ReturnType<Exec> {
  return [rd === stackPointer ? 'andi_sp' : 'andi', site.d(rd), site.x(rs1), imm];
}

/** JAL; a jump that keeps no address is `j`. */
export function jal(rd: number, offset: number, length: number, site: Site): ReturnType<Exec> {
  const target = site.target(offset);
  if (rd === 0) return ['j', target];
  const link = (site.pc + length) | 0;
  return rd === returnAddress ? ['jal_ra', target, 0, link] : ['jal', target, 0, link, site.d(rd)];
}

export function jalr(rd: number, rs1: number, imm: number, length: number, site: Site): ReturnType<Exec> {
  if (rd === 0) return ['jr', site.x(rs1), imm];
  return ['jalr', site.x(rs1), imm, (site.pc + length) | 0, site.d(rd)];
}

const RV_I = table('2 RV32I', 'I', [
  ['imm:20 rd:5 0110111', 'lui', (field, site) => site.constant(field.rd, immediate.U(field))],
  ['imm:20 rd:5 0010111', 'auipc', (field, site) => site.constant(field.rd, auipc(field, site))],
  ['imm:20 rd:5 1101111', 'jal', (field, site) => jal(field.rd, immediate.J(field), 4, site)],
  [I('000', '1100111'), 'jalr', (field, site) => jalr(field.rd, field.rs1, immediate.I(field), 4, site)],
  [S('000', BRANCH), 'beq', branch('beq')],
  [S('001', BRANCH), 'bne', branch('bne')],
  [S('100', BRANCH), 'blt', branch('blt')],
  [S('101', BRANCH), 'bge', branch('bge')],
  [S('110', BRANCH), 'bltu', branch('bltu')],
  [S('111', BRANCH), 'bgeu', branch('bgeu')],
  [I('000', LOAD), 'lb', load('lb')],
  [I('001', LOAD), 'lh', load('lh')],
  [I('010', LOAD), 'lw', load('lw')],
  [I('100', LOAD), 'lbu', load('lbu')],
  [I('101', LOAD), 'lhu', load('lhu')],
  [S('000', STORE), 'sb', store('sb')],
  [S('001', STORE), 'sh', store('sh')],
  [S('010', STORE), 'sw', store('sw')],
  [I('000', OP_IMM), 'addi', (field, site) => addi(field.rd, field.rs1, immediate.I(field), site)],
  [I('010', OP_IMM), 'slti', immediateForm('slti')],
  [I('011', OP_IMM), 'sltiu', immediateForm('sltiu')],
  [I('100', OP_IMM), 'xori', immediateForm('xori')],
  [I('110', OP_IMM), 'ori', immediateForm('ori')],
  [I('111', OP_IMM), 'andi', (field, site) => andi(field.rd, field.rs1, immediate.I(field), site)],
  [shiftFormat('000000', '001', OP_IMM, 32), 'slli', shift('slli'), 32],
  [shiftFormat('000000', '101', OP_IMM, 32), 'srli', shift('srli'), 32],
  [shiftFormat('010000', '101', OP_IMM, 32), 'srai', shift('srai'), 32],
  [R('0000000', '000', OP), 'add', aware('add')],
  [R('0100000', '000', OP), 'sub', aware('sub')],
  [R('0000000', '001', OP), 'sll', register('sll')],
  [R('0000000', '010', OP), 'slt', register('slt')],
  [R('0000000', '011', OP), 'sltu', register('sltu')],
  [R('0000000', '100', OP), 'xor', register('xor')],
  [R('0000000', '101', OP), 'srl', register('srl')],
  [R('0100000', '101', OP), 'sra', register('sra')],
  [R('0000000', '110', OP), 'or', register('or')],
  [R('0000000', '111', OP), 'and', aware('and')],
  // A single hart sees its own accesses in order.
  ['imm:12 rs1:5 000 rd:5 0001111', 'fence', () => ['nop']],
  ['000000000000 00000 000 00000 1110011', 'ecall', () => ['ecall']],
  ['000000000001 00000 000 00000 1110011', 'ebreak', () => ['ebreak']],
]);

/** The immediate is added to pc; the sum may leave 32 bits on RV64. */
function auipc(field: Fields, { pc }: Site): number {
  return pc + immediate.U(field);
}

const RV64I = table('5 RV64I', 'I', [
  [I('110', LOAD), 'lwu', load('lwu'), 64],
  [I('011', LOAD), 'ld', load('ld'), 64],
  [S('011', STORE), 'sd', store('sd'), 64],
  [shiftFormat('000000', '001', OP_IMM, 64), 'slli', shift('slli'), 64],
  [shiftFormat('000000', '101', OP_IMM, 64), 'srli', shift('srli'), 64],
  [shiftFormat('010000', '101', OP_IMM, 64), 'srai', shift('srai'), 64],
  [I('000', OP_IMM32), 'addiw', immediateForm('addiw'), 64],
  [shiftFormat('000000', '001', OP_IMM32, 32), 'slliw', shift('slliw'), 64],
  [shiftFormat('000000', '101', OP_IMM32, 32), 'srliw', shift('srliw'), 64],
  [shiftFormat('010000', '101', OP_IMM32, 32), 'sraiw', shift('sraiw'), 64],
  [R('0000000', '000', OP32), 'addw', register('addw'), 64],
  [R('0100000', '000', OP32), 'subw', register('subw'), 64],
  [R('0000000', '001', OP32), 'sllw', register('sllw'), 64],
  [R('0000000', '101', OP32), 'srlw', register('srlw'), 64],
  [R('0100000', '101', OP32), 'sraw', register('sraw'), 64],
]);

const RV_M = table('7 M', 'M', [
  [R('0000001', '000', OP), 'mul', register('mul')],
  [R('0000001', '001', OP), 'mulh', register('mulh')],
  [R('0000001', '010', OP), 'mulhsu', register('mulhsu')],
  [R('0000001', '011', OP), 'mulhu', register('mulhu')],
  [R('0000001', '100', OP), 'div', register('div')],
  [R('0000001', '101', OP), 'divu', register('divu')],
  [R('0000001', '110', OP), 'rem', register('rem')],
  [R('0000001', '111', OP), 'remu', register('remu')],
  [R('0000001', '000', OP32), 'mulw', register('mulw'), 64],
  [R('0000001', '100', OP32), 'divw', register('divw'), 64],
  [R('0000001', '101', OP32), 'divuw', register('divuw'), 64],
  [R('0000001', '110', OP32), 'remw', register('remw'), 64],
  [R('0000001', '111', OP32), 'remuw', register('remuw'), 64],
]);

/** Funct5 of AMO and the operation of its W form; the D form has the same name with another ending. */
const amos = [
  ['00001', 'amoswap'],
  ['00000', 'amoadd'],
  ['00100', 'amoxor'],
  ['01100', 'amoand'],
  ['01000', 'amoor'],
  ['10000', 'amomin'],
  ['10100', 'amomax'],
  ['11000', 'amominu'],
  ['11100', 'amomaxu'],
] as const;

const RV_A: Row[] = table('8 A', 'A', [
  [`00010 x:2 00000 rs1:5 010 rd:5 ${AMO}`, 'lr.w', ({ rd, rs1 }, site) => ['lr_w', site.d(rd), site.x(rs1)]],
  [`00011 x:2 rs2:5 rs1:5 010 rd:5 ${AMO}`, 'sc.w', register('sc_w')],
  ...amos.map(
    ([funct5, name]) => [`${funct5} x:2 rs2:5 rs1:5 010 rd:5 ${AMO}`, `${name}.w`, register(`${name}_w`)] as const,
  ),
  [`00010 x:2 00000 rs1:5 011 rd:5 ${AMO}`, 'lr.d', ({ rd, rs1 }, site) => ['lr_d', site.d(rd), site.x(rs1)], 64],
  [`00011 x:2 rs2:5 rs1:5 011 rd:5 ${AMO}`, 'sc.d', register('sc_d'), 64],
  ...amos.map(
    ([funct5, name]) => [`${funct5} x:2 rs2:5 rs1:5 011 rd:5 ${AMO}`, `${name}.d`, register(`${name}_d`), 64] as const,
  ),
]);

/** Kinds of access to a CSR: $4 of the operation `csr`. */
export const CsrAccess = { write: 0, set: 1, clear: 2 } as const;

/**
 * Operands of `csr`: rd, word of rs1 or -1, the immediate, kind, CSR, and whether it is written (rs1 = x0 of the set and
 * clear forms writes nothing) and read (rd = x0 of the write forms reads nothing): 1 = write, 2 = read.
 */
function csr(kind: number, isImmediate: boolean): Exec {
  return ({ csr: number, rs1, rd }, site) => {
    const access = (kind === CsrAccess.write || rs1 !== 0 ? 1 : 0) | (kind !== CsrAccess.write || rd !== 0 ? 2 : 0);
    return ['csr', site.d(rd), isImmediate ? -1 : site.x(rs1), rs1, kind, number, access];
  };
}

const csrFormat = (funct3: string) => `csr:12 rs1:5 ${funct3} rd:5 ${SYSTEM}`;

const RV_ZICSR = table('9 Zicsr', 'Zicsr', [
  [csrFormat('001'), 'csrrw', csr(CsrAccess.write, false)],
  [csrFormat('010'), 'csrrs', csr(CsrAccess.set, false)],
  [csrFormat('011'), 'csrrc', csr(CsrAccess.clear, false)],
  [csrFormat('101'), 'csrrwi', csr(CsrAccess.write, true)],
  [csrFormat('110'), 'csrrsi', csr(CsrAccess.set, true)],
  [csrFormat('111'), 'csrrci', csr(CsrAccess.clear, true)],
]);

const RV_ZIFENCEI = table('3 Zifencei', 'Zifencei', [['imm:12 rs1:5 001 rd:5 0001111', 'fence.i', () => ['fence_i']]]);

const PRIVILEGED = table('privileged 3.3', 'priv', [
  ['0011000 00010 00000 000 00000 1110011', 'mret', () => ['mret']],
  ['0001000 00101 00000 000 00000 1110011', 'wfi', () => ['wfi']],
  // No supervisor mode: its instructions are illegal, as everything that has no row.
  ['0001000 00010 00000 000 00000 1110011', 'sret', () => illegal],
]);

export const baseRows: readonly Row[] = [
  ...RV_I,
  ...RV64I,
  ...RV_M,
  ...RV_A,
  ...RV_ZICSR,
  ...RV_ZIFENCEI,
  ...PRIVILEGED,
];
