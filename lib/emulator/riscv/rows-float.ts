/** F (chapter 11) and D (12): the same encodings but for the format field. */
import type { OperationName } from './operations';
import { immediate, table, type Exec, type Row, type RowText } from './rows';

const OP_FP = '1010011';

const arithmetic =
  (operation: OperationName): Exec =>
  ({ rd, rs1, rs2, rm }, site) => [operation, site.f(rd), site.f(rs1), site.f(rs2), rm];
const fused =
  (operation: OperationName): Exec =>
  ({ rd, rs1, rs2, rs3, rm }, site) => [operation, site.f(rd), site.f(rs1), site.f(rs2), site.f(rs3), rm];
const plain =
  (operation: OperationName): Exec =>
  ({ rd, rs1, rs2 }, site) => [operation, site.f(rd), site.f(rs1), site.f(rs2)];
const compare =
  (operation: OperationName): Exec =>
  ({ rd, rs1, rs2 }, site) => [operation, site.d(rd), site.f(rs1), site.f(rs2)];
const toInteger =
  (operation: OperationName): Exec =>
  ({ rd, rs1, rm }, site) => [operation, site.d(rd), site.f(rs1), rm];
const fromInteger =
  (operation: OperationName): Exec =>
  ({ rd, rs1, rm }, site) => [operation, site.f(rd), site.x(rs1), rm];
/** FMV and FCLASS round nothing: their funct3 is no rounding mode. */
const bitsToInteger =
  (operation: OperationName): Exec =>
  ({ rd, rs1 }, site) => [operation, site.d(rd), site.f(rs1), 0];
const bitsFromInteger =
  (operation: OperationName): Exec =>
  ({ rd, rs1 }, site) => [operation, site.f(rd), site.x(rs1), 0];
const convert =
  (operation: OperationName): Exec =>
  ({ rd, rs1, rm }, site) => [operation, site.f(rd), site.f(rs1), rm];

/** `fmt` is the two bits of the format, `l` its letter. */
function both(l: 's' | 'd', fmt: '00' | '01', moves: 'w' | 'd'): RowText[] {
  const R = (funct5: string, funct3 = 'rm:3', rs2 = 'rs2:5') => `${funct5} ${fmt} ${rs2} rs1:5 ${funct3} rd:5 ${OP_FP}`;
  const R4 = (opcode: string) => `rs3:5 ${fmt} rs2:5 rs1:5 rm:3 rd:5 ${opcode}`;
  return [
    [R4('1000011'), `fmadd.${l}`, fused(`fmadd_${l}`)],
    [R4('1000111'), `fmsub.${l}`, fused(`fmsub_${l}`)],
    [R4('1001011'), `fnmsub.${l}`, fused(`fnmsub_${l}`)],
    [R4('1001111'), `fnmadd.${l}`, fused(`fnmadd_${l}`)],
    [R('00000'), `fadd.${l}`, arithmetic(`fadd_${l}`)],
    [R('00001'), `fsub.${l}`, arithmetic(`fsub_${l}`)],
    [R('00010'), `fmul.${l}`, arithmetic(`fmul_${l}`)],
    [R('00011'), `fdiv.${l}`, arithmetic(`fdiv_${l}`)],
    [R('01011', 'rm:3', '00000'), `fsqrt.${l}`, convert(`fsqrt_${l}`)],
    [R('00100', '000'), `fsgnj.${l}`, plain(`fsgnj_${l}`)],
    [R('00100', '001'), `fsgnjn.${l}`, plain(`fsgnjn_${l}`)],
    [R('00100', '010'), `fsgnjx.${l}`, plain(`fsgnjx_${l}`)],
    [R('00101', '000'), `fmin.${l}`, plain(`fmin_${l}`)],
    [R('00101', '001'), `fmax.${l}`, plain(`fmax_${l}`)],
    [R('10100', '010'), `feq.${l}`, compare(`feq_${l}`)],
    [R('10100', '001'), `flt.${l}`, compare(`flt_${l}`)],
    [R('10100', '000'), `fle.${l}`, compare(`fle_${l}`)],
    [R('11100', '001', '00000'), `fclass.${l}`, bitsToInteger(`fclass_${l}`)],
    [R('11000', 'rm:3', '00000'), `fcvt.w.${l}`, toInteger(`fcvt_w_${l}`)],
    [R('11000', 'rm:3', '00001'), `fcvt.wu.${l}`, toInteger(`fcvt_wu_${l}`)],
    [R('11000', 'rm:3', '00010'), `fcvt.l.${l}`, toInteger(`fcvt_l_${l}`), 64],
    [R('11000', 'rm:3', '00011'), `fcvt.lu.${l}`, toInteger(`fcvt_lu_${l}`), 64],
    [R('11010', 'rm:3', '00000'), `fcvt.${l}.w`, fromInteger(`fcvt_${l}_w`)],
    [R('11010', 'rm:3', '00001'), `fcvt.${l}.wu`, fromInteger(`fcvt_${l}_wu`)],
    [R('11010', 'rm:3', '00010'), `fcvt.${l}.l`, fromInteger(`fcvt_${l}_l`), 64],
    [R('11010', 'rm:3', '00011'), `fcvt.${l}.lu`, fromInteger(`fcvt_${l}_lu`), 64],
    // FMV.X.D and FMV.D.X move 64 bits to and from one integer register.
    [R('11100', '000', '00000'), `fmv.x.${moves}`, bitsToInteger(`fmv_x_${moves}`), moves === 'd' ? 64 : undefined],
    [R('11110', '000', '00000'), `fmv.${moves}.x`, bitsFromInteger(`fmv_${moves}_x`), moves === 'd' ? 64 : undefined],
  ];
}

const memory = (l: 'w' | 'd', funct3: string): RowText[] => [
  [
    `imm:12 rs1:5 ${funct3} rd:5 0000111`,
    `fl${l}`,
    (field, site) => [`fl${l}`, site.f(field.rd), site.x(field.rs1), immediate.I(field)],
  ],
  [
    `immh:7 rs2:5 rs1:5 ${funct3} imml:5 0100111`,
    `fs${l}`,
    (field, site) => [`fs${l}`, site.f(field.rs2), site.x(field.rs1), immediate.S(field)],
  ],
];

export const floatRows: readonly Row[] = [
  ...table('11 F', 'F', [...memory('w', '010'), ...both('s', '00', 'w')]),
  ...table('12 D', 'D', [
    ...memory('d', '011'),
    ...both('d', '01', 'd'),
    [`01000 00 00001 rs1:5 rm:3 rd:5 ${OP_FP}`, 'fcvt.s.d', convert('fcvt_s_d')],
    [`01000 01 00000 rs1:5 rm:3 rd:5 ${OP_FP}`, 'fcvt.d.s', convert('fcvt_d_s')],
  ]),
];
