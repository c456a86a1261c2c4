/**
 * Multiply and divide: Armv7-M ARM A5.3.16 and A5.3.17. The halfword, dual and rounding forms are of the DSP Extension (dsp.ts).
 */
import { mainline, notV6, table, unpredictable, type Fields, type Meaning, type Row } from './rows';

const bad = (register: number) => register === 13 || register === 15;

function accumulate(name: 'mla' | 'mls') {
  return (f: Fields): Meaning =>
    bad(f.Rd) || bad(f.Rn) || bad(f.Rm) || bad(f.Ra) ? unpredictable : [name, f.Rd, f.Rn, f.Rm, f.Ra];
}

function long(name: 'smull' | 'umull' | 'smlal' | 'umlal') {
  return (f: Fields): Meaning => {
    const anyBad = bad(f.RdLo) || bad(f.RdHi) || bad(f.Rn) || bad(f.Rm);
    return anyBad || f.RdLo === f.RdHi ? unpredictable : [name, f.RdLo, f.RdHi, f.Rn, f.Rm];
  };
}

function three(name: 'mul' | 'sdiv' | 'udiv') {
  return (f: Fields): Meaning => (bad(f.Rd) || bad(f.Rn) || bad(f.Rm) ? unpredictable : [name, f.Rd, f.Rn, f.Rm]);
}

const a5316 = table('A5.3.16', mainline, [
  ['11111011 0000 Rn:4 | Ra:4 Rd:4 0000 Rm:4', 'MLA T1', accumulate('mla')],
  ['11111011 0000 Rn:4 | 1111 Rd:4 0000 Rm:4', 'MUL T2', three('mul')],
  ['11111011 0000 Rn:4 | Ra:4 Rd:4 0001 Rm:4', 'MLS T1', accumulate('mls')],
]);

const a5317 = table('A5.3.17', mainline, [
  ['11111011 1000 Rn:4 | RdLo:4 RdHi:4 0000 Rm:4', 'SMULL T1', long('smull')],
  ['11111011 1001 Rn:4 | (1111) Rd:4 1111 Rm:4', 'SDIV T1', three('sdiv'), notV6],
  ['11111011 1010 Rn:4 | RdLo:4 RdHi:4 0000 Rm:4', 'UMULL T1', long('umull')],
  ['11111011 1011 Rn:4 | (1111) Rd:4 1111 Rm:4', 'UDIV T1', three('udiv'), notV6],
  ['11111011 1100 Rn:4 | RdLo:4 RdHi:4 0000 Rm:4', 'SMLAL T1', long('smlal')],
  ['11111011 1110 Rn:4 | RdLo:4 RdHi:4 0000 Rm:4', 'UMLAL T1', long('umlal')],
]);

export const multiplyRows: readonly Row[] = [...a5316, ...a5317];
