/**
 * 32-bit data processing: Armv7-M ARM A5.3.1 (modified immediate), A5.3.3 (plain immediate), A5.3.11 (shifted
 * register), A5.3.12 and A5.3.15 (register). `bad` registers are sp and pc, UNPREDICTABLE in most places.
 */
import { decodeImmShift, Shift, thumbExpandImm } from './immediates';
import type { OperationName } from './operations';
import {
  mainline,
  notV6,
  table,
  undefinedHere,
  unpredictable,
  type Fields,
  type Meaning,
  type Row,
  type RowText,
} from './rows';

const bad = (register: number) => register === 13 || register === 15;

type Logical = 'and' | 'bic' | 'orr' | 'orn' | 'eor';
type Arithmetic = 'add' | 'adc' | 'sbc' | 'sub' | 'rsb';

const expand = (f: Fields) => thumbExpandImm((f.i << 11) | (f.imm3 << 8) | f.imm8);
const plainImmediate = (f: Fields) => (f.i << 11) | (f.imm3 << 8) | f.imm8;

function logicalImmediate(name: Logical) {
  return (f: Fields): Meaning => {
    const { value, carry, unpredictable: no } = expand(f);
    if (no || bad(f.Rd) || bad(f.Rn)) return unpredictable;
    return f.S === 1 ? [`${name}s_imm`, f.Rd, f.Rn, value, carry] : [`${name}_imm`, f.Rd, f.Rn, value];
  };
}

function arithmeticImmediate(name: Arithmetic) {
  return (f: Fields): Meaning => {
    const { value, unpredictable: no } = expand(f);
    if (no || f.Rd === 15 || f.Rn === 15) return unpredictable;
    const ofSp = f.Rn === 13 && (name === 'add' || name === 'sub');
    if (f.Rn === 13 && !ofSp) return unpredictable;
    if (f.Rd !== 13) return [f.S === 1 ? `${name}s_imm` : `${name}_imm`, f.Rd, f.Rn, value];
    if (!ofSp) return unpredictable;
    if (f.S === 1) return [name === 'add' ? 'sp_adds_imm' : 'sp_subs_imm', 13, value];
    return ['sp_add_imm', 13, name === 'add' ? value : -value | 0];
  };
}

/** TST, TEQ with the expanded carry; CMP, CMN without. */
function test(name: 'tst_imm' | 'teq_imm') {
  return (f: Fields): Meaning => {
    const { value, carry, unpredictable: no } = expand(f);
    return no || bad(f.Rn) ? unpredictable : [name, f.Rn, value, carry];
  };
}

function compareImmediate(name: 'cmp_imm' | 'cmn_imm') {
  return (f: Fields): Meaning => {
    const { value, unpredictable: no } = expand(f);
    return no || f.Rn === 15 ? unpredictable : [name, f.Rn, value];
  };
}

function moveImmediate(f: Fields, invert: boolean): Meaning {
  const { value, carry, unpredictable: no } = expand(f);
  if (no || bad(f.Rd)) return unpredictable;
  const result = invert ? ~value : value;
  return f.S === 1 ? ['movs_imm', f.Rd, result, carry] : ['mov_imm', f.Rd, result];
}

const modified = (op: string) => `11110 i 0 ${op} S Rn:4 | 0 imm3:3 Rd:4 imm8:8`;
const modifiedTest = (op: string) => `11110 i 0 ${op} 1 Rn:4 | 0 imm3:3 1111 imm8:8`;
const modifiedMove = (op: string) => `11110 i 0 ${op} S 1111 | 0 imm3:3 Rd:4 imm8:8`;

const a531 = table('A5.3.1', mainline, [
  [modified('0000'), 'AND (immediate) T1', logicalImmediate('and')],
  [modifiedTest('0000'), 'TST (immediate) T1', test('tst_imm')],
  [modified('0001'), 'BIC (immediate) T1', logicalImmediate('bic')],
  [modified('0010'), 'ORR (immediate) T1', logicalImmediate('orr')],
  [modifiedMove('0010'), 'MOV (immediate) T2', (f) => moveImmediate(f, false)],
  [modified('0011'), 'ORN (immediate) T1', logicalImmediate('orn')],
  [modifiedMove('0011'), 'MVN (immediate) T1', (f) => moveImmediate(f, true)],
  [modified('0100'), 'EOR (immediate) T1', logicalImmediate('eor')],
  [modifiedTest('0100'), 'TEQ (immediate) T1', test('teq_imm')],
  [modified('1000'), 'ADD (immediate) T3', arithmeticImmediate('add')],
  [modifiedTest('1000'), 'CMN (immediate) T1', compareImmediate('cmn_imm')],
  [modified('1010'), 'ADC (immediate) T1', arithmeticImmediate('adc')],
  [modified('1011'), 'SBC (immediate) T1', arithmeticImmediate('sbc')],
  [modified('1101'), 'SUB (immediate) T3', arithmeticImmediate('sub')],
  [modifiedTest('1101'), 'CMP (immediate) T2', compareImmediate('cmp_imm')],
  [modified('1110'), 'RSB (immediate) T2', arithmeticImmediate('rsb')],
]);

function addWide(f: Fields, sign: 1 | -1): Meaning {
  const offset = sign * plainImmediate(f);
  if (f.Rd === 15) return unpredictable;
  if (f.Rd === 13) return f.Rn === 13 ? ['sp_add_imm', 13, offset] : unpredictable;
  return ['add_imm', f.Rd, f.Rn, offset];
}

const addressOf = (f: Fields, pc: number, sign: 1 | -1): Meaning =>
  bad(f.Rd) ? unpredictable : ['mov_imm', f.Rd, (((pc + 4) & ~3) + sign * plainImmediate(f)) | 0];

const moveWide = (f: Fields) => (f.imm4 << 12) | (f.i << 11) | (f.imm3 << 8) | f.imm8;

/** SSAT and USAT: sh 1 is ASR, and ASR #0 is SSAT16 or USAT16 of the DSP Extension. */
function saturate(name: 'ssat' | 'usat') {
  return (f: Fields): Meaning => {
    const amount = f.imm3 * 4 + f.imm2;
    if (f.sh === 1 && amount === 0) return undefinedHere;
    if (bad(f.Rd) || bad(f.Rn)) return unpredictable;
    return [name, f.Rd, f.sat + (name === 'ssat' ? 1 : 0), f.Rn, f.sh === 1 ? Shift.ASR : Shift.LSL, amount];
  };
}

function extract(name: 'sbfx' | 'ubfx') {
  return (f: Fields): Meaning => {
    const lsb = f.imm3 * 4 + f.imm2;
    const width = f.widthm1 + 1;
    if (bad(f.Rd) || bad(f.Rn) || lsb + width > 32) return unpredictable;
    if (name === 'sbfx') return [name, f.Rd, f.Rn, 32 - lsb - width, 32 - width];
    return [name, f.Rd, f.Rn, lsb, width === 32 ? -1 : (1 << width) - 1];
  };
}

function insert(f: Fields): Meaning {
  const lsb = f.imm3 * 4 + f.imm2;
  if (bad(f.Rd) || f.Rn === 13 || f.msb < lsb) return unpredictable;
  const mask = ((f.msb - lsb === 31 ? -1 : (1 << (f.msb - lsb + 1)) - 1) << lsb) | 0;
  return f.Rn === 15 ? ['bfc', f.Rd, mask] : ['bfi', f.Rd, f.Rn, lsb, mask];
}

const bitFieldRow = (op: string, last: string) => `11110 (0) 1 ${op} Rn:4 | 0 imm3:3 Rd:4 imm2:2 (0) ${last}:5`;

const a533: readonly RowText[] = [
  ['11110 i 1 00000 Rn:4 | 0 imm3:3 Rd:4 imm8:8', 'ADD (immediate) T4', (f) => addWide(f, 1)],
  ['11110 i 1 00000 1111 | 0 imm3:3 Rd:4 imm8:8', 'ADR T3', (f, at) => addressOf(f, at.pc, 1)],
  ['11110 i 1 01010 Rn:4 | 0 imm3:3 Rd:4 imm8:8', 'SUB (immediate) T4', (f) => addWide(f, -1)],
  ['11110 i 1 01010 1111 | 0 imm3:3 Rd:4 imm8:8', 'ADR T2', (f, at) => addressOf(f, at.pc, -1)],
  [
    '11110 i 1 00100 imm4:4 | 0 imm3:3 Rd:4 imm8:8',
    'MOV (immediate) T3',
    (f) => (bad(f.Rd) ? unpredictable : ['mov_imm', f.Rd, moveWide(f)]),
    notV6,
  ],
  [
    '11110 i 1 01100 imm4:4 | 0 imm3:3 Rd:4 imm8:8',
    'MOVT T1',
    (f) => (bad(f.Rd) ? unpredictable : ['movt', f.Rd, moveWide(f) << 16]),
    notV6,
  ],
  [bitFieldRow('100 sh 0', 'sat'), 'SSAT T1', saturate('ssat')],
  [bitFieldRow('10100', 'widthm1'), 'SBFX T1', extract('sbfx')],
  [bitFieldRow('10110', 'msb'), 'BFI T1, BFC T1', insert],
  [bitFieldRow('110 sh 0', 'sat'), 'USAT T1', saturate('usat')],
  [bitFieldRow('11100', 'widthm1'), 'UBFX T1', extract('ubfx')],
];

const shiftOf = (f: Fields) => decodeImmShift(f.type, f.imm3 * 4 + f.imm2);
const shiftNames = ['lsl', 'lsr', 'asr', 'ror', 'rrx'] as const;

/** Rd = Rn op shifted Rm, no flags. LSR #32 is 0, ASR #32 all sign bits. */
function plainShifted(name: Logical | Arithmetic, f: Fields): Meaning {
  const { type, amount } = shiftOf(f);
  if (type === Shift.LSL && amount === 0) return [`${name}_reg`, f.Rd, f.Rn, f.Rm];
  if (type === Shift.LSR && amount === 32) return [`${name}_imm`, f.Rd, f.Rn, 0];
  return [`${name}_${shiftNames[type]}`, f.Rd, f.Rn, f.Rm, Math.min(amount, type === Shift.ASR ? 31 : 32)];
}

function withFlags(name: Logical | Arithmetic, f: Fields): Meaning {
  const { type, amount } = shiftOf(f);
  if (type === Shift.LSL && amount === 0) return [`${name}s_reg`, f.Rd, f.Rn, f.Rm];
  return [`${name}s_shifted`, f.Rd, f.Rn, f.Rm, type, amount];
}

function shiftedRegister(name: Logical | Arithmetic) {
  return (f: Fields): Meaning => {
    const ofSp = f.Rn === 13 && (name === 'add' || name === 'sub');
    if (bad(f.Rm) || f.Rn === 15 || (f.Rn === 13 && !ofSp) || f.Rd === 15) return unpredictable;
    if (f.Rd !== 13) return f.S === 1 ? withFlags(name, f) : plainShifted(name, f);
    const { type, amount } = shiftOf(f);
    if (!ofSp || type !== Shift.LSL || amount > 3) return unpredictable;
    return ['sp_shifted', 13, f.Rm, type, amount, name === 'sub' ? 1 : 0, f.S];
  };
}

function testShifted(name: 'tst' | 'teq' | 'cmp' | 'cmn') {
  return (f: Fields): Meaning => {
    const compares = name === 'cmp' || name === 'cmn';
    if (bad(f.Rm) || f.Rn === 15 || (f.Rn === 13 && !compares)) return unpredictable;
    const { type, amount } = shiftOf(f);
    if (type === Shift.LSL && amount === 0) return [`${name}_reg`, f.Rn, f.Rm];
    return [`${name}_shifted`, f.Rn, f.Rm, type, amount];
  };
}

/** MOV (register) T3 and the shifts by a constant, which are MOV with a shifted register. */
function moveShifted(f: Fields): Meaning {
  const { type, amount } = shiftOf(f);
  if (type === Shift.LSL && amount === 0) return moveRegister(f);
  if (bad(f.Rd) || bad(f.Rm)) return unpredictable;
  if (type === Shift.RRX) return [f.S === 1 ? 'rrxs' : 'rrx', f.Rd, f.Rm];
  if (type === Shift.ROR) return [f.S === 1 ? 'rors_imm' : 'ror_imm', f.Rd, f.Rm, amount];
  if (type === Shift.LSL) return [f.S === 1 ? 'lsls_imm' : 'lsl_imm', f.Rd, f.Rm, amount];
  if (type === Shift.LSR) {
    if (amount === 32) return f.S === 1 ? ['lsrs_32', f.Rd, f.Rm] : ['mov_imm', f.Rd, 0];
    return [f.S === 1 ? 'lsrs_imm' : 'lsr_imm', f.Rd, f.Rm, amount];
  }
  if (amount === 32) return f.S === 1 ? ['asrs_32', f.Rd, f.Rm] : ['asr_imm', f.Rd, f.Rm, 31];
  return [f.S === 1 ? 'asrs_imm' : 'asr_imm', f.Rd, f.Rm, amount];
}

function moveRegister(f: Fields): Meaning {
  if (f.S === 1) return bad(f.Rd) || bad(f.Rm) ? unpredictable : ['movs_reg', f.Rd, f.Rm];
  if (f.Rd === 15 || f.Rm === 15 || (f.Rd === 13 && f.Rm === 13)) return unpredictable;
  return f.Rd === 13 ? ['sp_set', f.Rm] : ['mov_reg', f.Rd, f.Rm];
}

function moveNot(f: Fields): Meaning {
  if (bad(f.Rd) || bad(f.Rm)) return unpredictable;
  const { type, amount } = shiftOf(f);
  if (type === Shift.LSL && amount === 0) return [f.S === 1 ? 'mvns_reg' : 'mvn_reg', f.Rd, f.Rm];
  return [f.S === 1 ? 'mvns_shifted' : 'mvn_shifted', f.Rd, f.Rm, type, amount];
}

const shifted = (op: string) => `1110101 ${op} S Rn:4 | (0) imm3:3 Rd:4 imm2:2 type:2 Rm:4`;
const shiftedTest = (op: string) => `1110101 ${op} 1 Rn:4 | (0) imm3:3 1111 imm2:2 type:2 Rm:4`;
const shiftedMove = (op: string) => `1110101 ${op} S 1111 | (0) imm3:3 Rd:4 imm2:2 type:2 Rm:4`;

const a5311 = table('A5.3.11', mainline, [
  [shifted('0000'), 'AND (register) T2', shiftedRegister('and')],
  [shiftedTest('0000'), 'TST (register) T2', testShifted('tst')],
  [shifted('0001'), 'BIC (register) T2', shiftedRegister('bic')],
  [shifted('0010'), 'ORR (register) T2', shiftedRegister('orr')],
  [shiftedMove('0010'), 'MOV (register) T3 and LSL, LSR, ASR, ROR, RRX (immediate)', moveShifted],
  [shifted('0011'), 'ORN (register) T1', shiftedRegister('orn')],
  [shiftedMove('0011'), 'MVN (register) T2', moveNot],
  [shifted('0100'), 'EOR (register) T2', shiftedRegister('eor')],
  [shiftedTest('0100'), 'TEQ (register) T1', testShifted('teq')],
  [shifted('1000'), 'ADD (register) T3', shiftedRegister('add')],
  [shiftedTest('1000'), 'CMN (register) T2', testShifted('cmn')],
  [shifted('1010'), 'ADC (register) T2', shiftedRegister('adc')],
  [shifted('1011'), 'SBC (register) T2', shiftedRegister('sbc')],
  [shifted('1101'), 'SUB (register) T2', shiftedRegister('sub')],
  [shiftedTest('1101'), 'CMP (register) T3', testShifted('cmp')],
  [shifted('1110'), 'RSB (register) T1', shiftedRegister('rsb')],
]);

function registerShift(name: 'lsl' | 'lsr' | 'asr' | 'ror') {
  return (f: Fields): Meaning => {
    if (bad(f.Rd) || bad(f.Rn) || bad(f.Rm)) return unpredictable;
    return [f.S === 1 ? `${name}s_reg` : `${name}_reg`, f.Rd, f.Rn, f.Rm];
  };
}

function extend(name: 'sxtb' | 'sxth' | 'uxtb' | 'uxth') {
  return (f: Fields): Meaning => {
    if (bad(f.Rd) || bad(f.Rm)) return unpredictable;
    return f.rotate === 0 ? [name, f.Rd, f.Rm] : [`${name}_ror`, f.Rd, f.Rm, f.rotate * 8];
  };
}

function reverse(name: OperationName) {
  // The encoding has Rm twice.
  return (f: Fields): Meaning => (bad(f.Rd) || bad(f.Rm) || f.Rn !== f.Rm ? unpredictable : [name, f.Rd, f.Rm]);
}

const a5312 = table('A5.3.12', mainline, [
  ['11111010 000 S Rn:4 | 1111 Rd:4 0000 Rm:4', 'LSL (register) T2', registerShift('lsl')],
  ['11111010 001 S Rn:4 | 1111 Rd:4 0000 Rm:4', 'LSR (register) T2', registerShift('lsr')],
  ['11111010 010 S Rn:4 | 1111 Rd:4 0000 Rm:4', 'ASR (register) T2', registerShift('asr')],
  ['11111010 011 S Rn:4 | 1111 Rd:4 0000 Rm:4', 'ROR (register) T2', registerShift('ror')],
  ['11111010 0000 1111 | 1111 Rd:4 1 (0) rotate:2 Rm:4', 'SXTH T2', extend('sxth')],
  ['11111010 0001 1111 | 1111 Rd:4 1 (0) rotate:2 Rm:4', 'UXTH T2', extend('uxth')],
  ['11111010 0100 1111 | 1111 Rd:4 1 (0) rotate:2 Rm:4', 'SXTB T2', extend('sxtb')],
  ['11111010 0101 1111 | 1111 Rd:4 1 (0) rotate:2 Rm:4', 'UXTB T2', extend('uxtb')],
]);

const a5315 = table('A5.3.15', mainline, [
  ['11111010 1001 Rn:4 | 1111 Rd:4 1000 Rm:4', 'REV T2', reverse('rev')],
  ['11111010 1001 Rn:4 | 1111 Rd:4 1001 Rm:4', 'REV16 T2', reverse('rev16')],
  ['11111010 1001 Rn:4 | 1111 Rd:4 1010 Rm:4', 'RBIT T1', reverse('rbit')],
  ['11111010 1001 Rn:4 | 1111 Rd:4 1011 Rm:4', 'REVSH T2', reverse('revsh')],
  ['11111010 1011 Rn:4 | 1111 Rd:4 1000 Rm:4', 'CLZ T1', reverse('clz')],
]);

export const dataProcessing: readonly Row[] = [
  ...a531,
  ...table('A5.3.3', mainline, a533),
  ...a5311,
  ...a5312,
  ...a5315,
];
