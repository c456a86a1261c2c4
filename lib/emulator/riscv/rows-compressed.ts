/**
 * The C extension (chapter 16): each row gives the operation of the instruction that it stands for. rd', rs1' and rs2'
 * are x8 to x15; immediates are scattered, named i<highest bit>... in the diagrams and put together here.
 * Encodings that the tables of 16.8 call reserved are illegal, hints do nothing by having x0 as destination.
 */
import type { OperationName } from './operations';
import { illegal, signed, table, type Exec, type Fields, type Meaning, type Row, type Site } from './rows';
import { addi, andi, jal, jalr, stackAware } from './rows-base';

const sp = 2;
const ra = 1;
const prime = (field: number) => 8 + field;

/** uimm[5:3|2|6] of C.LW, C.SW and the single forms. */
const wordOffset = ({ i53, i2, i6 }: Fields) => (i53 << 3) | (i2 << 2) | (i6 << 6);
/** uimm[5:3|7:6] of C.LD, C.SD, C.FLD, C.FSD. */
const doubleOffset = ({ i53, i76 }: Fields) => (i53 << 3) | (i76 << 6);
/** imm[11|4|9:8|10|6|7|3:1|5] of C.J and C.JAL. */
const jumpOffset = ({ i11, i4, i98, i10, i6, i7, i31, i5 }: Fields) =>
  signed((i11 << 11) | (i4 << 4) | (i98 << 8) | (i10 << 10) | (i6 << 6) | (i7 << 7) | (i31 << 1) | (i5 << 5), 12);
/** imm[8|4:3] and imm[7:6|2:1|5] of the branches. */
const branchOffset = ({ i8, i43, i76, i21, i5 }: Fields) =>
  signed((i8 << 8) | (i43 << 3) | (i76 << 6) | (i21 << 1) | (i5 << 5), 9);
/** imm[5] and imm[4:0]. */
const six = ({ i5, i40 }: Fields) => signed((i5 << 5) | i40, 6);
const amount = ({ i5, i40 }: Fields) => (i5 << 5) | i40;

type Access = (offset: (field: Fields) => number, operation: OperationName) => Exec;
const load: Access = (offset, operation) => (field, site) => [
  operation,
  site.d(prime(field.rd)),
  site.x(prime(field.rs1)),
  offset(field),
];
const store: Access = (offset, operation) => (field, site) => [
  operation,
  site.x(prime(field.rs2)),
  site.x(prime(field.rs1)),
  offset(field),
];
const loadFloat: Access = (offset, operation) => (field, site) => [
  operation,
  site.f(prime(field.rd)),
  site.x(prime(field.rs1)),
  offset(field),
];
const storeFloat: Access = (offset, operation) => (field, site) => [
  operation,
  site.f(prime(field.rs2)),
  site.x(prime(field.rs1)),
  offset(field),
];

const wordFields = 'i53:3 rs1:3 i2 i6';
const doubleFields = 'i53:3 rs1:3 i76:2';

/** Shifts by 0 and, on RV32, by 32 and more: hints and reserved. */
function shifted(operation: OperationName, rd: number, shamt: number, site: Site): Meaning {
  if (site.xlen === 32 && shamt >= 32) return illegal;
  return [operation, site.d(rd), site.x(rd), shamt];
}

const two =
  (operation: OperationName): Exec =>
  ({ rd, rs2 }, site) => [operation, site.d(prime(rd)), site.x(prime(rd)), site.x(prime(rs2))];

const quadrant0 = table('16.8 C', 'C', [
  // All zeros is defined to be illegal.
  [
    '000 i54:2 i96:4 i2 i3 rd:3 00',
    'c.addi4spn',
    ({ i54, i96, i2, i3, rd }, site) => {
      const imm = (i54 << 4) | (i96 << 6) | (i2 << 2) | (i3 << 3);
      return imm === 0 ? illegal : ['addi', site.d(prime(rd)), site.x(sp), imm];
    },
  ],
  [`010 ${wordFields} rd:3 00`, 'c.lw', load(wordOffset, 'lw')],
  [`011 ${doubleFields} rd:3 00`, 'c.ld', load(doubleOffset, 'ld'), 64],
  [`110 ${wordFields} rs2:3 00`, 'c.sw', store(wordOffset, 'sw')],
  [`111 ${doubleFields} rs2:3 00`, 'c.sd', store(doubleOffset, 'sd'), 64],
]);

const quadrant1 = table('16.8 C', 'C', [
  // rd = x0 is c.nop and its hints.
  ['000 i5 rd:5 i40:5 01', 'c.addi', (field, site) => addi(field.rd, field.rd, six(field), site)],
  ['001 i11 i4 i98:2 i10 i6 i7 i31:3 i5 01', 'c.jal', (field, site) => jal(ra, jumpOffset(field), 2, site), 32],
  [
    '001 i5 rd:5 i40:5 01',
    'c.addiw',
    (field, site) => (field.rd === 0 ? illegal : ['addiw', site.d(field.rd), site.x(field.rd), six(field)]),
    64,
  ],
  ['010 i5 rd:5 i40:5 01', 'c.li', (field, site) => addi(field.rd, 0, six(field), site)],
  [
    '011 i9 00010 i4 i6 i87:2 i5 01',
    'c.addi16sp',
    ({ i9, i4, i6, i87, i5 }, site) => {
      const imm = signed((i9 << 9) | (i4 << 4) | (i6 << 6) | (i87 << 7) | (i5 << 5), 10);
      return imm === 0 ? illegal : addi(sp, sp, imm, site);
    },
  ],
  [
    '011 i5 rd:5 i40:5 01',
    'c.lui',
    (field, site) => (amount(field) === 0 ? illegal : site.constant(field.rd, six(field) << 12)),
  ],
  ['100 i5 00 rd:3 i40:5 01', 'c.srli', (field, site) => shifted('srli', prime(field.rd), amount(field), site)],
  ['100 i5 01 rd:3 i40:5 01', 'c.srai', (field, site) => shifted('srai', prime(field.rd), amount(field), site)],
  ['100 i5 10 rd:3 i40:5 01', 'c.andi', (field, site) => andi(prime(field.rd), prime(field.rd), six(field), site)],
  ['100 0 11 rd:3 00 rs2:3 01', 'c.sub', two('sub')],
  ['100 0 11 rd:3 01 rs2:3 01', 'c.xor', two('xor')],
  ['100 0 11 rd:3 10 rs2:3 01', 'c.or', two('or')],
  ['100 0 11 rd:3 11 rs2:3 01', 'c.and', two('and')],
  ['100 1 11 rd:3 00 rs2:3 01', 'c.subw', two('subw'), 64],
  ['100 1 11 rd:3 01 rs2:3 01', 'c.addw', two('addw'), 64],
  ['101 i11 i4 i98:2 i10 i6 i7 i31:3 i5 01', 'c.j', (field, site) => jal(0, jumpOffset(field), 2, site)],
  [
    '110 i8 i43:2 rs1:3 i76:2 i21:2 i5 01',
    'c.beqz',
    (field, site) => ['beqz', site.x(prime(field.rs1)), site.target(branchOffset(field))],
  ],
  [
    '111 i8 i43:2 rs1:3 i76:2 i21:2 i5 01',
    'c.bnez',
    (field, site) => ['bnez', site.x(prime(field.rs1)), site.target(branchOffset(field))],
  ],
]);

/** uimm[5] and uimm[4:2|7:6] of the loads from the stack, uimm[5:2|7:6] of the stores. */
const stackWord = ({ i5, i42, i76 }: Fields) => (i5 << 5) | (i42 << 2) | (i76 << 6);
const stackDouble = ({ i5, i43, i86 }: Fields) => (i5 << 5) | (i43 << 3) | (i86 << 6);
const storeWord = ({ i52, i76 }: Fields) => (i52 << 2) | (i76 << 6);
const storeDouble = ({ i53, i86 }: Fields) => (i53 << 3) | (i86 << 6);

const fromStack: Access = (offset, operation) => (field, site) =>
  field.rd === 0 ? illegal : [operation, site.d(field.rd), site.x(sp), offset(field)];
const toStack: Access = (offset, operation) => (field, site) => [
  operation,
  site.x(field.rs2),
  site.x(sp),
  offset(field),
];
const floatFromStack: Access = (offset, operation) => (field, site) => [
  operation,
  site.f(field.rd),
  site.x(sp),
  offset(field),
];
const floatToStack: Access = (offset, operation) => (field, site) => [
  operation,
  site.f(field.rs2),
  site.x(sp),
  offset(field),
];

const quadrant2 = table('16.8 C', 'C', [
  ['000 i5 rd:5 i40:5 10', 'c.slli', (field, site) => shifted('slli', field.rd, amount(field), site)],
  ['010 i5 rd:5 i42:3 i76:2 10', 'c.lwsp', fromStack(stackWord, 'lw')],
  ['011 i5 rd:5 i43:2 i86:3 10', 'c.ldsp', fromStack(stackDouble, 'ld'), 64],
  ['100 0 rs1:5 00000 10', 'c.jr', ({ rs1 }, site) => (rs1 === 0 ? illegal : jalr(0, rs1, 0, 2, site))],
  ['100 0 rd:5 rs2:5 10', 'c.mv', ({ rd, rs2 }, site) => moved(rd, rs2, site)],
  ['100 1 00000 00000 10', 'c.ebreak', () => ['ebreak']],
  ['100 1 rs1:5 00000 10', 'c.jalr', ({ rs1 }, site) => ['jalr_ra', site.x(rs1), (site.pc + 2) | 0]],
  ['100 1 rd:5 rs2:5 10', 'c.add', ({ rd, rs2 }, site) => stackAware('add', rd, rd, rs2, site)],
  ['110 i52:4 i76:2 rs2:5 10', 'c.swsp', toStack(storeWord, 'sw')],
  ['111 i53:3 i86:3 rs2:5 10', 'c.sdsp', toStack(storeDouble, 'sd'), 64],
]);

/** ADD rd, x0, rs2. */
function moved(rd: number, rs2: number, site: Site): Meaning {
  return rd === sp ? stackAware('add', rd, 0, rs2, site) : ['mv', site.d(rd), site.x(rs2)];
}

const singles = table(
  '16.8 C',
  'C',
  [
    [`011 ${wordFields} rd:3 00`, 'c.flw', loadFloat(wordOffset, 'flw'), 32],
    [`111 ${wordFields} rs2:3 00`, 'c.fsw', storeFloat(wordOffset, 'fsw'), 32],
    ['011 i5 rd:5 i42:3 i76:2 10', 'c.flwsp', floatFromStack(stackWord, 'flw'), 32],
    ['111 i52:4 i76:2 rs2:5 10', 'c.fswsp', floatToStack(storeWord, 'fsw'), 32],
  ],
  'F',
);

const doubles = table(
  '16.8 C',
  'C',
  [
    [`001 ${doubleFields} rd:3 00`, 'c.fld', loadFloat(doubleOffset, 'fld')],
    [`101 ${doubleFields} rs2:3 00`, 'c.fsd', storeFloat(doubleOffset, 'fsd')],
    ['001 i5 rd:5 i43:2 i86:3 10', 'c.fldsp', floatFromStack(stackDouble, 'fld')],
    ['101 i53:3 i86:3 rs2:5 10', 'c.fsdsp', floatToStack(storeDouble, 'fsd')],
  ],
  'D',
);

export const compressedRows: readonly Row[] = [...quadrant0, ...quadrant1, ...quadrant2, ...singles, ...doubles];
