/**
 * Encodings of the DSP Extension (Armv7E-M; optional in Armv8-M mainline): Armv7-M ARM A5.3.3 and A5.3.11 to A5.3.17.
 * Cores without it have these encodings UNDEFINED.
 */
import { decodeImmShift, Shift } from './immediates';
import type { OperationName } from './operations';
import { mainline, table, unpredictable, type Fields, type Meaning, type Row, type RowText } from './rows';
import { Parallel, Prefix } from './simd';

/** sp and pc, UNPREDICTABLE in all of these encodings. */
const bad = (...registers: readonly number[]) => registers.some((register) => register === 13 || register === 15);

function pack(f: Fields, tb: 0 | 1): Meaning {
  if (bad(f.Rd, f.Rn, f.Rm)) return unpredictable;
  const { type, amount } = decodeImmShift(tb === 1 ? Shift.ASR : Shift.LSL, f.imm3 * 4 + f.imm2);
  return [tb === 1 ? 'pkhtb' : 'pkhbt', f.Rd, f.Rn, f.Rm, type, amount];
}

const a5311 = table(
  'A5.3.11',
  mainline,
  [
    ['1110101 0110 0 Rn:4 | (0) imm3:3 Rd:4 imm2:2 00 Rm:4', 'PKHBT T1', (f) => pack(f, 0)],
    ['1110101 0110 0 Rn:4 | (0) imm3:3 Rd:4 imm2:2 10 Rm:4', 'PKHTB T1', (f) => pack(f, 1)],
  ],
  'dsp',
);

const saturate16 = (name: 'ssat16' | 'usat16') => (f: Fields) =>
  bad(f.Rd, f.Rn) ? unpredictable : ([name, f.Rd, f.sat + (name === 'ssat16' ? 1 : 0), f.Rn] as const);

const a533 = table(
  'A5.3.3',
  mainline,
  [
    ['11110 (0) 1 10010 Rn:4 | 0 000 Rd:4 00 (00) sat:4', 'SSAT16 T1', saturate16('ssat16')],
    ['11110 (0) 1 11010 Rn:4 | 0 000 Rd:4 00 (00) sat:4', 'USAT16 T1', saturate16('usat16')],
  ],
  'dsp',
);

type Extend = 'sxtah' | 'uxtah' | 'sxtab16' | 'uxtab16' | 'sxtab' | 'uxtab';

function extendAdd(op1: string, name: Extend): RowText {
  return [
    `11111010 ${op1} Rn:4 | 1111 Rd:4 1 (0) rotate:2 Rm:4`,
    `${name.toUpperCase()} T1`,
    // Rn = 1111 is the form without addition, a row of its own.
    (f) => (bad(f.Rd, f.Rm) || f.Rn === 13 ? unpredictable : [name, f.Rd, f.Rn, f.Rm, f.rotate * 8]),
  ];
}

const extend16 = (name: 'sxtb16' | 'uxtb16') => (f: Fields) =>
  bad(f.Rd, f.Rm) ? unpredictable : ([name, f.Rd, f.Rm, f.rotate * 8] as const);

const a5312 = table(
  'A5.3.12',
  mainline,
  [
    extendAdd('0000', 'sxtah'),
    extendAdd('0001', 'uxtah'),
    extendAdd('0010', 'sxtab16'),
    ['11111010 0010 1111 | 1111 Rd:4 1 (0) rotate:2 Rm:4', 'SXTB16 T1', extend16('sxtb16')],
    extendAdd('0011', 'uxtab16'),
    ['11111010 0011 1111 | 1111 Rd:4 1 (0) rotate:2 Rm:4', 'UXTB16 T1', extend16('uxtb16')],
    extendAdd('0100', 'sxtab'),
    extendAdd('0101', 'uxtab'),
  ],
  'dsp',
);

const three =
  (name: OperationName, ...further: readonly number[]) =>
  (f: Fields) =>
    bad(f.Rd, f.Rn, f.Rm) ? unpredictable : ([name, f.Rd, f.Rn, f.Rm, ...further] as const);

const binary = (value: number, bits: number) => value.toString(2).padStart(bits, '0');

/** All of one prefix, as SADD16, SASX, SSAX, SSUB16, SADD8, SSUB8. */
function parallelRows(prefix: keyof typeof Prefix): RowText[] {
  return (['add16', 'asx', 'sax', 'sub16', 'add8', 'sub8'] as const).map((op) => [
    `11111010 1 ${binary(Parallel[op], 3)} Rn:4 | 1111 Rd:4 0 ${binary(Prefix[prefix], 3)} Rm:4`,
    `${prefix}${op.toUpperCase()} T1`,
    three('parallel', Parallel[op], Prefix[prefix]),
  ]);
}

const a5313 = table('A5.3.13', mainline, (['S', 'Q', 'SH'] as const).flatMap(parallelRows), 'dsp');
const a5314 = table('A5.3.14', mainline, (['U', 'UQ', 'UH'] as const).flatMap(parallelRows), 'dsp');

/** QDADD Rd, Rm, Rn: the doubled operand is Rn. */
const saturating = (name: 'qadd' | 'qdadd' | 'qsub' | 'qdsub') => (f: Fields) =>
  bad(f.Rd, f.Rn, f.Rm) ? unpredictable : ([name, f.Rd, f.Rm, f.Rn] as const);

const a5315 = table(
  'A5.3.15',
  mainline,
  [
    ['11111010 1000 Rn:4 | 1111 Rd:4 1000 Rm:4', 'QADD T1', saturating('qadd')],
    ['11111010 1000 Rn:4 | 1111 Rd:4 1001 Rm:4', 'QDADD T1', saturating('qdadd')],
    ['11111010 1000 Rn:4 | 1111 Rd:4 1010 Rm:4', 'QSUB T1', saturating('qsub')],
    ['11111010 1000 Rn:4 | 1111 Rd:4 1011 Rm:4', 'QDSUB T1', saturating('qdsub')],
    ['11111010 1010 Rn:4 | 1111 Rd:4 1000 Rm:4', 'SEL T1', three('sel')],
  ],
  'dsp',
);

const four = (name: OperationName, further: (f: Fields) => readonly number[]) => (f: Fields) =>
  // Ra = 1111 is the form without accumulation, where there is one.
  bad(f.Rd, f.Rn, f.Rm) || f.Ra === 13 ? unpredictable : ([name, f.Rd, f.Rn, f.Rm, f.Ra, ...further(f)] as const);
const withoutRa = (name: OperationName, further: (f: Fields) => readonly number[]) => (f: Fields) =>
  bad(f.Rd, f.Rn, f.Rm) ? unpredictable : ([name, f.Rd, f.Rn, f.Rm, ...further(f)] as const);

/** Shift operands as operations-dsp.ts has them. */
const bottomOrTop = (bit: number) => (bit === 1 ? 0 : 16);
const halves = (f: Fields) => [bottomOrTop(f.N), bottomOrTop(f.M)];
const halfOfRm = (f: Fields) => [bottomOrTop(f.M)];
const swap = (f: Fields) => [f.M * 16];
const rounding = (f: Fields) => [f.R];
const nothing = () => [];

const accumulating = (op1: string, op2: string) => `11111011 ${op1} Rn:4 | Ra:4 Rd:4 ${op2} Rm:4`;
const plain = (op1: string, op2: string) => `11111011 ${op1} Rn:4 | 1111 Rd:4 ${op2} Rm:4`;

const a5316 = table(
  'A5.3.16',
  mainline,
  [
    [accumulating('0001', '00 N M'), 'SMLABB, SMLABT, SMLATB, SMLATT T1', four('smlaxy', halves)],
    [plain('0001', '00 N M'), 'SMULBB, SMULBT, SMULTB, SMULTT T1', withoutRa('smulxy', halves)],
    [accumulating('0010', '000 M'), 'SMLAD, SMLADX T1', four('smlad', swap)],
    [plain('0010', '000 M'), 'SMUAD, SMUADX T1', withoutRa('smuad', swap)],
    [accumulating('0011', '000 M'), 'SMLAWB, SMLAWT T1', four('smlawy', halfOfRm)],
    [plain('0011', '000 M'), 'SMULWB, SMULWT T1', withoutRa('smulwy', halfOfRm)],
    [accumulating('0100', '000 M'), 'SMLSD, SMLSDX T1', four('smlsd', swap)],
    [plain('0100', '000 M'), 'SMUSD, SMUSDX T1', withoutRa('smusd', swap)],
    [accumulating('0101', '000 R'), 'SMMLA, SMMLAR T1', four('smmla', rounding)],
    [plain('0101', '000 R'), 'SMMUL, SMMULR T1', withoutRa('smmul', rounding)],
    [
      accumulating('0110', '000 R'),
      'SMMLS, SMMLSR T1',
      (f) => (f.Ra === 15 ? unpredictable : four('smmls', rounding)(f)),
    ],
    [accumulating('0111', '0000'), 'USADA8 T1', four('usada8', nothing)],
    [plain('0111', '0000'), 'USAD8 T1', withoutRa('usad8', nothing)],
  ],
  'dsp',
);

const long = (name: OperationName, further: (f: Fields) => readonly number[]) => (f: Fields) =>
  bad(f.RdLo, f.RdHi, f.Rn, f.Rm) || f.RdLo === f.RdHi
    ? unpredictable
    : ([name, f.RdLo, f.RdHi, f.Rn, f.Rm, ...further(f)] as const);

const a5317 = table(
  'A5.3.17',
  mainline,
  [
    [
      '11111011 1100 Rn:4 | RdLo:4 RdHi:4 10 N M Rm:4',
      'SMLALBB, SMLALBT, SMLALTB, SMLALTT T1',
      long('smlalxy', halves),
    ],
    ['11111011 1100 Rn:4 | RdLo:4 RdHi:4 110 M Rm:4', 'SMLALD, SMLALDX T1', long('smlald', swap)],
    ['11111011 1101 Rn:4 | RdLo:4 RdHi:4 110 M Rm:4', 'SMLSLD, SMLSLDX T1', long('smlsld', swap)],
    ['11111011 1110 Rn:4 | RdLo:4 RdHi:4 0110 Rm:4', 'UMAAL T1', long('umaal', nothing)],
  ],
  'dsp',
);

export const dspRows: readonly Row[] = [...a533, ...a5311, ...a5312, ...a5313, ...a5314, ...a5315, ...a5316, ...a5317];
