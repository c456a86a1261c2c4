/**
 * The DSP Extension (Armv7E-M, Armv8-M): Armv7-M ARM A5.3.11 to A5.3.17. Its instructions are decoded, so that they can
 * be told from UNDEFINED ones, and not implemented.
 */
import { mainline, table, type Meaning, type Row, type RowText } from './rows';

const notImplemented = (): Meaning => ['not_implemented', 2];
const row = (bits: string, name: string): RowText => [bits, name, notImplemented];

const register = (op1: string, op2: string) => `11111010 ${op1} Rn:4 | 1111 Rd:4 ${op2} Rm:4`;

const rows: readonly RowText[] = [
  row('1110101 0110 0 Rn:4 | (0) imm3:3 Rd:4 imm2:2 tb 0 Rm:4', 'PKHBT T1, PKHTB T1'),
  row('11110 (0) 1 10010 Rn:4 | 0 000 Rd:4 00 (00) sat:4', 'SSAT16 T1'),
  row('11110 (0) 1 11010 Rn:4 | 0 000 Rd:4 00 (00) sat:4', 'USAT16 T1'),
  row(register('000 U', '1 (0) rotate:2'), 'SXTAH T1, UXTAH T1'),
  row(register('001 U', '1 (0) rotate:2'), 'SXTAB16 T1, UXTAB16 T1, SXTB16 T1, UXTB16 T1'),
  row(register('010 U', '1 (0) rotate:2'), 'SXTAB T1, UXTAB T1'),
  ...['000', '001', '010', '100', '101', '110'].flatMap((op1) => [
    row(register(`1 ${op1}`, '0000'), 'SADD8 ... T1'),
    row(register(`1 ${op1}`, '0001'), 'QADD8 ... T1'),
    row(register(`1 ${op1}`, '0010'), 'SHADD8 ... T1'),
    row(register(`1 ${op1}`, '0100'), 'UADD8 ... T1'),
    row(register(`1 ${op1}`, '0101'), 'UQADD8 ... T1'),
    row(register(`1 ${op1}`, '0110'), 'UHADD8 ... T1'),
  ]),
  row(register('1000', '10 op:2'), 'QADD T1, QDADD T1, QSUB T1, QDSUB T1'),
  row(register('1010', '1000'), 'SEL T1'),
  row('11111011 0001 Rn:4 | Ra:4 Rd:4 00 N M Rm:4', 'SMLABB ... T1, SMULBB ... T1'),
  row('11111011 0010 Rn:4 | Ra:4 Rd:4 000 M Rm:4', 'SMLAD T1, SMUAD T1'),
  row('11111011 0011 Rn:4 | Ra:4 Rd:4 000 M Rm:4', 'SMLAWB T1, SMULWB T1'),
  row('11111011 0100 Rn:4 | Ra:4 Rd:4 000 M Rm:4', 'SMLSD T1, SMUSD T1'),
  row('11111011 0101 Rn:4 | Ra:4 Rd:4 000 R Rm:4', 'SMMLA T1, SMMUL T1'),
  row('11111011 0110 Rn:4 | Ra:4 Rd:4 000 R Rm:4', 'SMMLS T1'),
  row('11111011 0111 Rn:4 | Ra:4 Rd:4 0000 Rm:4', 'USADA8 T1, USAD8 T1'),
  row('11111011 1100 Rn:4 | RdLo:4 RdHi:4 10 N M Rm:4', 'SMLALBB ... T1'),
  row('11111011 1100 Rn:4 | RdLo:4 RdHi:4 110 M Rm:4', 'SMLALD T1'),
  row('11111011 1101 Rn:4 | RdLo:4 RdHi:4 110 M Rm:4', 'SMLSLD T1'),
  row('11111011 1110 Rn:4 | RdLo:4 RdHi:4 0110 Rm:4', 'UMAAL T1'),
];

export const dspRows: readonly Row[] = table('A5.3.11 to A5.3.17', mainline, rows, 'dsp');
