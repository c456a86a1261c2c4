/**
 * 16-bit Thumb encodings: Armv7-M ARM A5.2, the same in Armv6-M (A5.2 there) and Armv8-M (C2.3.1) but for CBZ and IT.
 * Most data-processing encodings set the flags outside an IT block only.
 */
import {
  all,
  inIt,
  inItNotLast,
  mainline,
  notV6,
  table,
  undefinedHere,
  unpredictable,
  type Fields,
  type Meaning,
  type Row,
  type Site,
} from './rows';
import { signExtend } from './immediates';
import type { OperationName } from './operations';

/** Two-register operation on low registers: Rdn = Rdn op Rm. */
const both =
  (flags: OperationName, plain: OperationName) =>
  (f: Fields, at: Site): Meaning => [inIt(at) ? plain : flags, f.Rdn, f.Rdn, f.Rm];

const compare =
  (operation: OperationName) =>
  (f: Fields): Meaning => [operation, f.Rn, f.Rm];

function shiftImmediate(f: Fields, at: Site, type: 'lsl' | 'lsr' | 'asr'): Meaning {
  const quiet = inIt(at);
  if (f.imm5 !== 0) return [quiet ? `${type}_imm` : `${type}s_imm`, f.Rd, f.Rm, f.imm5];
  // imm5 0 is LSL #0 = MOV, and #32 for the others.
  if (type === 'lsl') return quiet ? unpredictable : ['movs_reg', f.Rd, f.Rm];
  if (type === 'lsr') return quiet ? ['mov_imm', f.Rd, 0] : ['lsrs_32', f.Rd, f.Rm];
  return quiet ? ['asr_imm', f.Rd, f.Rm, 31] : ['asrs_32', f.Rd, f.Rm];
}

const a521 = table('A5.2.1', all, [
  ['00000 imm5:5 Rm:3 Rd:3', 'LSL (immediate) T1', (f, at) => shiftImmediate(f, at, 'lsl')],
  ['00001 imm5:5 Rm:3 Rd:3', 'LSR (immediate) T1', (f, at) => shiftImmediate(f, at, 'lsr')],
  ['00010 imm5:5 Rm:3 Rd:3', 'ASR (immediate) T1', (f, at) => shiftImmediate(f, at, 'asr')],
  ['0001100 Rm:3 Rn:3 Rd:3', 'ADD (register) T1', (f, at) => [inIt(at) ? 'add_reg' : 'adds_reg', f.Rd, f.Rn, f.Rm]],
  ['0001101 Rm:3 Rn:3 Rd:3', 'SUB (register) T1', (f, at) => [inIt(at) ? 'sub_reg' : 'subs_reg', f.Rd, f.Rn, f.Rm]],
  [
    '0001110 imm3:3 Rn:3 Rd:3',
    'ADD (immediate) T1',
    (f, at) => [inIt(at) ? 'add_imm' : 'adds_imm', f.Rd, f.Rn, f.imm3],
  ],
  [
    '0001111 imm3:3 Rn:3 Rd:3',
    'SUB (immediate) T1',
    (f, at) => [inIt(at) ? 'sub_imm' : 'subs_imm', f.Rd, f.Rn, f.imm3],
  ],
  [
    '00100 Rd:3 imm8:8',
    'MOV (immediate) T1',
    (f, at) => (inIt(at) ? ['mov_imm', f.Rd, f.imm8] : ['movs_imm', f.Rd, f.imm8, 2]),
  ],
  ['00101 Rn:3 imm8:8', 'CMP (immediate) T1', (f) => ['cmp_imm', f.Rn, f.imm8]],
  ['00110 Rdn:3 imm8:8', 'ADD (immediate) T2', (f, at) => [inIt(at) ? 'add_imm' : 'adds_imm', f.Rdn, f.Rdn, f.imm8]],
  ['00111 Rdn:3 imm8:8', 'SUB (immediate) T2', (f, at) => [inIt(at) ? 'sub_imm' : 'subs_imm', f.Rdn, f.Rdn, f.imm8]],
]);

const a522 = table('A5.2.2', all, [
  ['0100000000 Rm:3 Rdn:3', 'AND (register) T1', both('ands_reg', 'and_reg')],
  ['0100000001 Rm:3 Rdn:3', 'EOR (register) T1', both('eors_reg', 'eor_reg')],
  ['0100000010 Rm:3 Rdn:3', 'LSL (register) T1', both('lsls_reg', 'lsl_reg')],
  ['0100000011 Rm:3 Rdn:3', 'LSR (register) T1', both('lsrs_reg', 'lsr_reg')],
  ['0100000100 Rm:3 Rdn:3', 'ASR (register) T1', both('asrs_reg', 'asr_reg')],
  ['0100000101 Rm:3 Rdn:3', 'ADC (register) T1', both('adcs_reg', 'adc_reg')],
  ['0100000110 Rm:3 Rdn:3', 'SBC (register) T1', both('sbcs_reg', 'sbc_reg')],
  ['0100000111 Rm:3 Rdn:3', 'ROR (register) T1', both('rors_reg', 'ror_reg')],
  ['0100001000 Rm:3 Rn:3', 'TST (register) T1', compare('tst_reg')],
  ['0100001001 Rn:3 Rd:3', 'RSB (immediate) T1', (f, at) => [inIt(at) ? 'rsb_imm' : 'rsbs_imm', f.Rd, f.Rn, 0]],
  ['0100001010 Rm:3 Rn:3', 'CMP (register) T1', compare('cmp_reg')],
  ['0100001011 Rm:3 Rn:3', 'CMN (register) T1', compare('cmn_reg')],
  ['0100001100 Rm:3 Rdn:3', 'ORR (register) T1', both('orrs_reg', 'orr_reg')],
  ['0100001101 Rn:3 Rdm:3', 'MUL T1', (f, at) => [inIt(at) ? 'mul' : 'muls', f.Rdm, f.Rn, f.Rdm]],
  ['0100001110 Rm:3 Rdn:3', 'BIC (register) T1', both('bics_reg', 'bic_reg')],
  ['0100001111 Rm:3 Rd:3', 'MVN (register) T1', (f, at) => [inIt(at) ? 'mvn_reg' : 'mvns_reg', f.Rd, f.Rm]],
]);

/** ADD Rdn, Rm with high registers: either may be sp or pc. */
function addHigh(f: Fields, at: Site): Meaning {
  const d = f.DN * 8 + f.Rdn;
  const m = f.Rm;
  const pc = (at.pc + 4) | 0;
  if (d === 15) return m === 15 || inItNotLast(at) ? unpredictable : ['b_reg', m, pc];
  if (d === 13) return m === 15 ? ['sp_add_imm', 13, pc] : ['sp_add_reg', m];
  return m === 15 ? ['add_imm', d, d, pc] : ['add_reg', d, d, m];
}

function moveHigh(f: Fields, at: Site): Meaning {
  const d = f.D * 8 + f.Rd;
  if (d === 15 && inItNotLast(at)) return unpredictable;
  if (d === 15) return f.Rm === 15 ? ['b', (at.pc + 4) | 0] : ['b_reg', f.Rm, 0];
  if (d === 13) return f.Rm === 15 ? ['sp_mov_imm', (at.pc + 4) | 0] : ['sp_set', f.Rm];
  return f.Rm === 15 ? ['mov_imm', d, (at.pc + 4) | 0] : ['mov_reg', d, f.Rm];
}

function compareHigh(f: Fields): Meaning {
  const n = f.N * 8 + f.Rn;
  if (n === 15 || f.Rm === 15 || (n < 8 && f.Rm < 8)) return unpredictable;
  return ['cmp_reg', n, f.Rm];
}

/** Bits 2:0 set are BXNS and BLXNS with the Security Extension, which no core here has: UNPREDICTABLE. */
function branchExchange(f: Fields, at: Site): Meaning {
  if (inItNotLast(at)) return unpredictable;
  // Address pc + 4 has bit 0 clear: BX pc can only fault.
  return f.Rm === 15 ? ['b_even', (at.pc + 4) | 0] : ['bx', f.Rm];
}

const a523 = table('A5.2.3', all, [
  ['01000100 DN Rm:4 Rdn:3', 'ADD (register) T2', addHigh],
  ['01000101 N Rm:4 Rn:3', 'CMP (register) T2', compareHigh],
  ['01000110 D Rm:4 Rd:3', 'MOV (register) T1', moveHigh],
  ['010001110 Rm:4 (000)', 'BX T1', branchExchange],
  [
    '010001111 Rm:4 (000)',
    'BLX (register) T1',
    (f, at) => (f.Rm === 15 || inItNotLast(at) ? unpredictable : ['blx', f.Rm, (at.pc + 2) | 1]),
  ],
]);

const literal = (at: Site, imm8: number) => (((at.pc + 4) & ~3) + imm8 * 4) | 0;
const registerOffset =
  (operation: OperationName) =>
  (f: Fields): Meaning => [operation, f.Rt, f.Rn, f.Rm];
const immediateOffset =
  (operation: OperationName, scale: number) =>
  (f: Fields): Meaning => [operation, f.Rt, f.Rn, f.imm5 * scale];

const a524 = table('A5.2.4', all, [
  ['01001 Rt:3 imm8:8', 'LDR (literal) T1', (f, at) => ['ldr_lit', f.Rt, literal(at, f.imm8)]],
  ['0101000 Rm:3 Rn:3 Rt:3', 'STR (register) T1', registerOffset('str_reg')],
  ['0101001 Rm:3 Rn:3 Rt:3', 'STRH (register) T1', registerOffset('strh_reg')],
  ['0101010 Rm:3 Rn:3 Rt:3', 'STRB (register) T1', registerOffset('strb_reg')],
  ['0101011 Rm:3 Rn:3 Rt:3', 'LDRSB (register) T1', registerOffset('ldrsb_reg')],
  ['0101100 Rm:3 Rn:3 Rt:3', 'LDR (register) T1', registerOffset('ldr_reg')],
  ['0101101 Rm:3 Rn:3 Rt:3', 'LDRH (register) T1', registerOffset('ldrh_reg')],
  ['0101110 Rm:3 Rn:3 Rt:3', 'LDRB (register) T1', registerOffset('ldrb_reg')],
  ['0101111 Rm:3 Rn:3 Rt:3', 'LDRSH (register) T1', registerOffset('ldrsh_reg')],
  ['01100 imm5:5 Rn:3 Rt:3', 'STR (immediate) T1', immediateOffset('str_imm', 4)],
  ['01101 imm5:5 Rn:3 Rt:3', 'LDR (immediate) T1', immediateOffset('ldr_imm', 4)],
  ['01110 imm5:5 Rn:3 Rt:3', 'STRB (immediate) T1', immediateOffset('strb_imm', 1)],
  ['01111 imm5:5 Rn:3 Rt:3', 'LDRB (immediate) T1', immediateOffset('ldrb_imm', 1)],
  ['10000 imm5:5 Rn:3 Rt:3', 'STRH (immediate) T1', immediateOffset('strh_imm', 2)],
  ['10001 imm5:5 Rn:3 Rt:3', 'LDRH (immediate) T1', immediateOffset('ldrh_imm', 2)],
  ['10010 Rt:3 imm8:8', 'STR (immediate) T2', (f) => ['str_imm', f.Rt, 13, f.imm8 * 4]],
  ['10011 Rt:3 imm8:8', 'LDR (immediate) T2', (f) => ['ldr_imm', f.Rt, 13, f.imm8 * 4]],
]);

const countBits = (list: number): number => (list === 0 ? 0 : (list & 1) + countBits(list >>> 1));
/** Register list as the block operations take it. */
const listed = (list: number) => list | (countBits(list) << 16);

function popTo(f: Fields, at: Site): Meaning {
  const list = f.list | (f.P << 15);
  if (list === 0 || (f.P === 1 && inItNotLast(at))) return unpredictable;
  return [f.P === 1 ? 'pop_pc' : 'pop', 0, listed(list)];
}

function compareBranch(operation: 'cbz' | 'cbnz') {
  return (f: Fields, at: Site): Meaning =>
    inIt(at) ? unpredictable : [operation, f.Rn, (at.pc + 4 + f.i * 64 + f.imm5 * 2) | 0];
}

/** v6-M has neither IT nor the 32-bit hints; its BKPT, CPS and hints are as here. */
const a525 = table('A5.2.5', all, [
  ['10100 Rd:3 imm8:8', 'ADR T1', (f, at) => ['mov_imm', f.Rd, literal(at, f.imm8)]],
  ['10101 Rd:3 imm8:8', 'ADD (SP plus immediate) T1', (f) => ['add_imm', f.Rd, 13, f.imm8 * 4]],
  ['101100000 imm7:7', 'ADD (SP plus immediate) T2', (f) => ['sp_add_imm', 13, f.imm7 * 4]],
  ['101100001 imm7:7', 'SUB (SP minus immediate) T1', (f) => ['sp_add_imm', 13, -f.imm7 * 4]],
  ['101100 i 1 imm5:5 Rn:3', 'CBZ T1', compareBranch('cbz'), notV6],
  ['101110 i 1 imm5:5 Rn:3', 'CBNZ T1', compareBranch('cbnz'), notV6],
  ['1011001000 Rm:3 Rd:3', 'SXTH T1', (f) => ['sxth', f.Rd, f.Rm]],
  ['1011001001 Rm:3 Rd:3', 'SXTB T1', (f) => ['sxtb', f.Rd, f.Rm]],
  ['1011001010 Rm:3 Rd:3', 'UXTH T1', (f) => ['uxth', f.Rd, f.Rm]],
  ['1011001011 Rm:3 Rd:3', 'UXTB T1', (f) => ['uxtb', f.Rd, f.Rm]],
  [
    '1011010 M list:8',
    'PUSH T1',
    (f) => (f.list + f.M === 0 ? unpredictable : ['push', 0, listed(f.list | (f.M << 14))]),
  ],
  ['10110110011 im (0) (0) I F', 'CPS T1', (f, at) => cps(f, at)],
  ['1011101000 Rm:3 Rd:3', 'REV T1', (f) => ['rev', f.Rd, f.Rm]],
  ['1011101001 Rm:3 Rd:3', 'REV16 T1', (f) => ['rev16', f.Rd, f.Rm]],
  ['1011101011 Rm:3 Rd:3', 'REVSH T1', (f) => ['revsh', f.Rd, f.Rm]],
  ['1011110 P list:8', 'POP T1', popTo],
  ['10111110 imm8:8', 'BKPT T1', (f) => ['bkpt', f.imm8]],
  ['10111111 op:4 0000', 'NOP T1 and reserved hints', () => ['nop']],
  ['1011111100100000', 'WFE T1', () => ['wfe']],
  ['1011111100110000', 'WFI T1', () => ['wfi']],
  ['1011111101000000', 'SEV T1', () => ['sev']],
  ['10111111 cond:4 mask:4', 'IT T1', ifThen, mainline],
]);

function cps(f: Fields, at: Site): Meaning {
  if (inIt(at) || f.I + f.F === 0) return unpredictable;
  // FAULTMASK is of the Main Extension; without it F must be 0.
  if (f.F === 1 && at.profile !== 'v7m' && at.profile !== 'v8m-main') return unpredictable;
  return ['cps', f.im, f.I * 2 + f.F];
}

function ifThen(f: Fields, at: Site): Meaning {
  // Condition AL has no "else".
  const elseOfAl = f.cond === 14 && countBits(f.mask) !== 1;
  return f.cond === 15 || elseOfAl || inIt(at) ? unpredictable : ['it', f.cond * 16 + f.mask];
}

function branchConditional(f: Fields, at: Site): Meaning {
  if (inIt(at)) return unpredictable;
  return [conditionalBranches[f.cond], (at.pc + 4 + signExtend(f.imm8 * 2, 9)) | 0];
}

/** By condition code. */
export const conditionalBranches = [
  'b_eq',
  'b_ne',
  'b_cs',
  'b_cc',
  'b_mi',
  'b_pl',
  'b_vs',
  'b_vc',
  'b_hi',
  'b_ls',
  'b_ge',
  'b_lt',
  'b_gt',
  'b_le',
] as const;

const blocks = table('A5.2 (load and store multiple)', all, [
  [
    '11000 Rn:3 list:8',
    'STM T1',
    // Rn in the list but not the lowest: the value stored for it is UNKNOWN; here it is the old one.
    (f) => (f.list === 0 ? unpredictable : ['stm_t1', f.Rn, listed(f.list), countBits(f.list) * 4]),
  ],
  [
    '11001 Rn:3 list:8',
    'LDM T1',
    (f) =>
      f.list === 0
        ? unpredictable
        : ['ldm_t1', f.Rn, listed(f.list), (f.list >>> f.Rn) & 1 ? 0 : countBits(f.list) * 4],
  ],
]);

const a526 = table('A5.2.6', all, [
  ['1101 cond:4 imm8:8', 'B T1', branchConditional],
  ['11011110 imm8:8', 'UDF T1', () => undefinedHere],
  ['11011111 imm8:8', 'SVC T1', (f) => ['svc', f.imm8]],
  [
    '11100 imm11:11',
    'B T2',
    (f, at) => (inItNotLast(at) ? unpredictable : ['b', (at.pc + 4 + signExtend(f.imm11 * 2, 12)) | 0]),
  ],
]);

export const thumb16: readonly Row[] = [...a521, ...a522, ...a523, ...a524, ...a525, ...blocks, ...a526];

export { listed, countBits };
