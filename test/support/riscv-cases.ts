/**
 * Directed cases of RISC-V's decoder rows: for each row, assembly text by its mnemonic. Registers hold what `operands` in
 * riscv-instructions.test.ts gives, for each case anew:
 *
 *   a1 a2 a3  the integers, s0 and s1 those of a1 and a2 (compressed forms), fa1 fa2 fa3 the floating-point operands
 *   t0        1 is added to it behind the case, so that a jump over that shows
 *   t1        the address behind that;  t2  the address of the case
 *
 * Rows of `memory` have an address of data in a1, s0 and sp instead, and what they store in a2, s1 and fa2.
 * Several instructions are separated by `;`, the row's own being the last.
 */
import type { Row } from '../../lib/emulator/riscv/rows';

export type CaseKind = 'integers' | 'floats' | 'memory' | 'privileged';

export interface DirectedCase {
  readonly kind: CaseKind;
  readonly lines: readonly string[];
}

const list = (names: string) => names.split(' ');

/** Each name with every template, `@` being the name. */
function each(kind: CaseKind, names: string, templates: readonly string[]): (readonly [string, DirectedCase])[] {
  return list(names).map(
    (name) => [name, { kind, lines: templates.map((text) => text.replaceAll('@', name)) }] as const,
  );
}

const modes = ['rne', 'rtz', 'rdn', 'rup', 'rmm', 'dyn'];
const withModes = (text: string) => modes.map((mode) => `${text}, ${mode}`);

const integers = [
  ...each(
    'integers',
    'add sub sll slt sltu xor srl sra or and mul mulh mulhsu mulhu div divu rem remu addw subw sllw srlw sraw mulw divw divuw remw remuw ' +
      'sh1add sh2add sh3add add.uw sh1add.uw sh2add.uw sh3add.uw andn orn xnor max maxu min minu rol ror rolw rorw ' +
      'clmul clmulh clmulr bclr bext binv bset',
    ['@ a0, a1, a2', '@ a1, a1, a1', '@ zero, a1, a2', '@ sp, a2, zero', '@ a2, zero, a2'],
  ),
  ...each('integers', 'addi slti sltiu xori ori andi addiw', [
    ...[
      '@ a0, a1, 0',
      '@ a1, a1, -1',
      '@ a0, a1, 2047',
      '@ a0, a1, -2048',
      '@ zero, a1, 5',
      '@ sp, a1, 16',
      '@ a0, zero, 7',
    ],
  ]),
  ...each('integers', 'slli srli srai slliw srliw sraiw rori roriw bclri bexti binvi bseti slli.uw', [
    ...['@ a0, a1, 0', '@ a1, a1, 1', '@ a0, a1, 31', '@ zero, a1, 4', '@ sp, a1, 12'],
  ]),
  ...each('integers', 'clz ctz cpop clzw ctzw cpopw sext.b sext.h zext.h orc.b rev8', [
    ...['@ a0, a1', '@ a1, a1', '@ zero, a1', '@ sp, a2', '@ a0, zero'],
  ]),
  ...each('integers', 'lui auipc', ['@ a0, 0', '@ a0, 0x80000', '@ sp, 0xfffff', '@ a0, 0x12345', '@ zero, 1']),
  ...each('integers', 'beq bne blt bge bltu bgeu', [
    ...['@ a1, a2, . + 6', '@ a2, a1, . + 6', '@ a1, a1, . + 6', '@ a1, zero, . + 6', '@ zero, a2, . + 6'],
  ]),
  ...each('integers', 'jal', ['@ a0, . + 6', '@ ra, . + 6', '@ zero, . + 6', '@ t0, . + 4']),
  ...each('integers', 'jalr', [
    '@ a0, 0(t1)',
    '@ ra, 4(t2)',
    '@ zero, 0(t1)',
    '@ t1, 0(t1)',
    '@ a0, 1(t1)',
    '@ a0, -2(t1)',
  ]),
  ...each('integers', 'fence', ['@ rw, rw', '@ iorw, iorw', '@ r, w']),
  ...each('integers', 'fence.i', ['@']),
  ...each('integers', 'csrrw csrrs csrrc', [
    ...['@ a0, fflags, a1', '@ a0, fcsr, zero', '@ zero, fflags, a1', '@ a1, fflags, a1', '@ a0, frm, zero'],
  ]),
  ...each('integers', 'csrrwi csrrsi csrrci', [
    '@ a0, fflags, 21',
    '@ a0, frm, 0',
    '@ zero, fflags, 31',
    '@ a0, fcsr, 0',
  ]),
  ...each('integers', 'c.addi c.addiw', ['@ a1, 1', '@ a1, -1', '@ a2, 31', '@ a2, -32', '@ sp, 4']),
  ...each('integers', 'c.addi4spn', ['@ a0, sp, 4', '@ s1, sp, 1020', '@ a5, sp, 512']),
  ...each('integers', 'c.addi16sp', ['@ sp, 16', '@ sp, -16', '@ sp, 496', '@ sp, -512']),
  ...each('integers', 'c.li', ['@ a0, 0', '@ a0, 31', '@ sp, -32', '@ a5, -1']),
  ...each('integers', 'c.lui', ['@ a0, 1', '@ a0, 31', '@ s1, 0xfffe0', '@ a5, 0xfffff']),
  ...each('integers', 'c.slli', ['@ a1, 1', '@ a2, 31', '@ sp, 4']),
  ...each('integers', 'c.srli c.srai', ['@ a1, 1', '@ a2, 31', '@ s0, 4']),
  ...each('integers', 'c.andi', ['@ a1, 0', '@ a2, -1', '@ s0, 31', '@ s1, -32']),
  ...each('integers', 'c.sub c.xor c.or c.and c.subw c.addw', ['@ a1, a2', '@ a1, a1', '@ s0, s1', '@ a2, s0']),
  ...each('integers', 'c.mv c.add', ['@ a0, a1', '@ a1, a1', '@ sp, a2', '@ t4, a1']),
  ...each('integers', 'c.j c.jal', ['@ . + 4']),
  ...each('integers', 'c.beqz c.bnez', ['@ a1, . + 4', '@ s1, . + 4', '@ a2, . + 4']),
  ...each('integers', 'c.jr c.jalr', ['@ t1']),
];

const floats = [
  ...each('floats', 'fadd.s fsub.s fmul.s fdiv.s fadd.d fsub.d fmul.d fdiv.d', [
    ...[...withModes('@ fa0, fa1, fa2'), '@ fa1, fa1, fa1', '@ fs0, fa2, fa1'],
  ]),
  ...each('floats', 'fmadd.s fmsub.s fnmadd.s fnmsub.s fmadd.d fmsub.d fnmadd.d fnmsub.d', [
    ...withModes('@ fa0, fa1, fa2, fa3'),
    '@ fa1, fa1, fa1, fa1',
    '@ fa2, fa3, fa1, fa2',
  ]),
  ...each('floats', 'fsqrt.s fsqrt.d fcvt.s.d', withModes('@ fa0, fa1')),
  ...each('floats', 'fcvt.d.s', ['@ fa0, fa1', '@ fa1, fa1']),
  ...each('floats', 'fsgnj.s fsgnjn.s fsgnjx.s fmin.s fmax.s fsgnj.d fsgnjn.d fsgnjx.d fmin.d fmax.d', [
    ...['@ fa0, fa1, fa2', '@ fa1, fa1, fa1', '@ fa2, fa2, fa1'],
  ]),
  ...each('floats', 'feq.s flt.s fle.s feq.d flt.d fle.d', ['@ a0, fa1, fa2', '@ a0, fa1, fa1', '@ zero, fa2, fa1']),
  ...each('floats', 'fclass.s fclass.d', ['@ a0, fa1', '@ a0, fa2', '@ zero, fa1']),
  ...each('floats', 'fcvt.w.s fcvt.wu.s fcvt.l.s fcvt.lu.s fcvt.w.d fcvt.wu.d fcvt.l.d fcvt.lu.d', [
    ...withModes('@ a0, fa1'),
    '@ zero, fa2, rtz',
  ]),
  ...each('floats', 'fcvt.s.w fcvt.s.wu fcvt.s.l fcvt.s.lu fcvt.d.l fcvt.d.lu', withModes('@ fa0, a1')),
  ...each('floats', 'fcvt.d.w fcvt.d.wu', ['@ fa0, a1', '@ fa0, a2']),
  ...each('floats', 'fmv.x.w fmv.x.d', ['@ a0, fa1', '@ zero, fa1']),
  ...each('floats', 'fmv.w.x fmv.d.x', ['@ fa0, a1', '@ fa0, zero']),
];

const offsets = (text: string) => [
  `${text} 0(a1)`,
  `${text} 16(a1)`,
  `${text} -24(s0)`,
  `${text} 2(a1)`,
  `${text} 8(sp)`,
];

const memory = [
  ...each('memory', 'lb lh lw lbu lhu lwu ld', [...offsets('@ a0,'), '@ a1, 0(a1)', '@ zero, 0(a1)']),
  ...each('memory', 'sb sh sw sd', [...offsets('@ a2,'), '@ a1, 0(a1)', '@ zero, 8(a1)']),
  ...each('memory', 'flw fld', offsets('@ fa0,')),
  ...each('memory', 'fsw fsd', offsets('@ fa2,')),
  ...each('memory', 'lr.w lr.d', ['@ a0, (a1)', '@.aqrl a0, (a1)', '@ zero, (a1)']),
  ...each('memory', 'sc.w', ['lr.w a0, (a1); @ a3, a2, (a1)', '@ a3, a2, (a1)', 'lr.w a0, (a1); @ a3, a2, (s0)']),
  ...each('memory', 'sc.d', ['lr.d a0, (a1); @ a3, a2, (a1)', '@ a3, a2, (a1)', 'lr.d a0, (a1); @ a3, a2, (s0)']),
  ...each(
    'memory',
    'amoswap.w amoadd.w amoxor.w amoand.w amoor.w amomin.w amomax.w amominu.w amomaxu.w ' +
      'amoswap.d amoadd.d amoxor.d amoand.d amoor.d amomin.d amomax.d amominu.d amomaxu.d',
    ['@ a0, a2, (a1)', '@.aqrl a2, a2, (a1)', '@ zero, a2, (a1)', '@ a0, a1, (a1)'],
  ),
  ...each('memory', 'c.lw c.ld', ['@ a0, 0(a1)', '@ a1, 64(a1)', '@ s1, 56(s0)']),
  ...each('memory', 'c.sw c.sd', ['@ a2, 0(a1)', '@ a1, 64(a1)', '@ s1, 56(s0)']),
  ...each('memory', 'c.lwsp c.ldsp', ['@ a0, 0(sp)', '@ ra, 64(sp)', '@ sp, 56(sp)', '@ a5, 248(sp)']),
  ...each('memory', 'c.swsp c.sdsp', ['@ a2, 0(sp)', '@ ra, 64(sp)', '@ sp, 56(sp)', '@ s1, 248(sp)']),
  ...each('memory', 'c.flw c.fld', ['@ fa0, 0(a1)', '@ fs1, 64(s0)']),
  ...each('memory', 'c.fsw c.fsd', ['@ fa2, 0(a1)', '@ fs1, 64(s0)']),
  ...each('memory', 'c.flwsp c.fldsp', ['@ fa0, 0(sp)', '@ ft3, 248(sp)']),
  ...each('memory', 'c.fswsp c.fsdsp', ['@ fa2, 0(sp)', '@ ft3, 248(sp)']),
];

/** To user mode, which may use all memory: t3 is MPP, t4 all ones, t5 TW. */
const toUser =
  'csrw pmpaddr0, t4; csrwi pmpcfg0, 31; csrc mstatus, t3; csrs mstatus, t5; auipc t6, 0; addi t6, t6, 16; csrw mepc, t6; mret';

const privileged = [
  ...each('privileged', 'ecall ebreak c.ebreak sret', ['@', `${toUser}; @`]),
  ...each('privileged', 'mret', ['csrs mstatus, t3; csrw mepc, t1; @', `${toUser}; @`]),
  // In machine mode it would wait for ever.
  ...each('privileged', 'wfi', [`${toUser}; @`]),
];

const cases = new Map([...integers, ...floats, ...memory, ...privileged]);

/** Shifts by 32 and more, which RV32 does not have. */
const long: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  list('slli srli srai rori bclri bexti binvi bseti slli.uw c.slli c.srli c.srai').map((name) => {
    const text = name.startsWith('c.') ? `${name} a1,` : `${name} a0, a1,`;
    return [name, [`${text} 32`, `${text} 47`, `${text} 63`]];
  }),
);

export function casesOf(row: Row, xlen: 32 | 64): DirectedCase | undefined {
  const found = cases.get(row.name);
  return found && { kind: found.kind, lines: [...found.lines, ...(xlen === 64 ? (long[row.name] ?? []) : [])] };
}

export const caseNames = [...cases.keys()];
