/**
 * Branches and miscellaneous control: Armv7-M ARM A5.3.4. Armv6-M has BL, MRS, MSR, the barriers and UDF of them.
 */
import { signExtend } from './immediates';
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
import { conditionalBranches } from './thumb16';

/** The 25-bit offset of B T4 and BL: I1 = NOT(J1 EOR S), I2 the same. */
function target(f: Fields, at: Site): number {
  const I1 = 1 - (f.J1 ^ f.S);
  const I2 = 1 - (f.J2 ^ f.S);
  const offset = (f.S << 24) | (I1 << 23) | (I2 << 22) | (f.imm10 << 12) | (f.imm11 << 1);
  return (at.pc + 4 + signExtend(offset, 25)) | 0;
}

function branchConditional(f: Fields, at: Site): Meaning {
  const offset = (f.S << 20) | (f.J2 << 19) | (f.J1 << 18) | (f.imm6 << 12) | (f.imm11 << 1);
  // Conditions 111x are the miscellaneous control instructions, or nothing.
  if (f.cond >= 14) return undefinedHere;
  return inIt(at) ? unpredictable : [conditionalBranches[f.cond], (at.pc + 4 + signExtend(offset, 21)) | 0];
}

/** SYSm values that name a register (B5.2.2, B5.2.3; Armv8-M D1.2). NS aliases are of the Security Extension. */
function systemRegister(SYSm: number, at: Site): boolean {
  if ((SYSm <= 7 && SYSm !== 4) || SYSm === 8 || SYSm === 9 || SYSm === 16 || SYSm === 20) return true;
  const isMainline = at.profile === 'v7m' || at.profile === 'v8m-main';
  if (SYSm >= 17 && SYSm <= 19) return isMainline;
  return (SYSm === 10 || SYSm === 11) && at.profile === 'v8m-main';
}

function moveFromSpecial(f: Fields, at: Site): Meaning {
  const bad = f.Rd === 13 || f.Rd === 15;
  return bad || !systemRegister(f.SYSm, at) ? unpredictable : ['mrs', f.Rd, f.SYSm];
}

function moveToSpecial(f: Fields, at: Site): Meaning {
  const bad = f.Rn === 13 || f.Rn === 15;
  // mask<0> is GE: a row of the DSP Extension, below.
  return bad || f.mask !== 2 || !systemRegister(f.SYSm, at) ? unpredictable : ['msr', f.SYSm, f.Rn, f.mask];
}

/** MSR APSR_g and APSR_nzcvqg. */
function moveToGe(f: Fields): Meaning {
  const bad = f.Rn === 13 || f.Rn === 15;
  return bad || f.SYSm > 3 ? unpredictable : ['msr', f.SYSm, f.Rn, f.nzcvq * 2 + 1];
}

const control = '11110011 1011 (1111) | 10 (0) 0 (1111)';
const hint = '11110011 1010 (1111) | 10 (0) 0 (0) 000';

const ofDsp = table(
  'A5.3.4',
  mainline,
  [['11110011 100 (0) Rn:4 | 10 (0) 0 nzcvq 1 (00) SYSm:8', 'MSR T1 with APSR.GE', moveToGe]],
  'dsp',
);

const always = table('A5.3.4', all, [
  ['11110 S cond:4 imm6:6 | 10 J1 0 J2 imm11:11', 'B T3', branchConditional, mainline],
  [
    '11110 S imm10:10 | 10 J1 1 J2 imm11:11',
    'B T4',
    (f, at) => (inItNotLast(at) ? unpredictable : ['b', target(f, at)]),
    notV6,
  ],
  [
    '11110 S imm10:10 | 11 J1 1 J2 imm11:11',
    'BL T1',
    (f, at) => (inItNotLast(at) ? unpredictable : ['bl', target(f, at), 0, (at.pc + 4) | 1]),
  ],
  ['11110011 100 (0) Rn:4 | 10 (0) 0 mask:2 (00) SYSm:8', 'MSR T1', moveToSpecial],
  ['11110011 111 (0) (1111) | 10 (0) 0 Rd:4 SYSm:8', 'MRS T1', moveFromSpecial],
  [`${hint} op:8`, 'NOP T2, YIELD T2, DBG T1 and reserved hints', () => ['nop'], mainline],
  [`${hint} 00000010`, 'WFE T2', () => ['wfe'], mainline],
  [`${hint} 00000011`, 'WFI T2', () => ['wfi'], mainline],
  [`${hint} 00000100`, 'SEV T2', () => ['sev'], mainline],
  [`${control} 0010 (1111)`, 'CLREX T1', () => ['clrex'], notV6],
  [`${control} 0100 option:4`, 'DSB T1', () => ['nop']],
  [`${control} 0101 option:4`, 'DMB T1', () => ['nop']],
  [`${control} 0110 option:4`, 'ISB T1', () => ['nop']],
  ['111101111111 imm4:4 | 1010 imm12:12', 'UDF T2', () => undefinedHere],
]);

export const branches: readonly Row[] = [...always, ...ofDsp];
