/**
 * Load/store multiple, dual, exclusive, acquire-release and table branch: Armv7-M ARM A5.3.5 and A5.3.6;
 * Armv8-M ARM C2.4 for LDA, STL, LDAEX, STLEX, SG and TT.
 */
import {
  inIt,
  inItNotLast,
  mainline,
  notV6,
  table,
  unpredictable,
  v8,
  type Fields,
  type Meaning,
  type Row,
  type RowText,
  type Site,
} from './rows';
import { countBits, listed } from './thumb16';

const bad = (register: number) => register === 13 || register === 15;

function loadMultiple(f: Fields, at: Site, decrement: boolean): Meaning {
  const list = (f.P << 15) | (f.M << 14) | f.list;
  const count = countBits(list);
  const bytes = count * 4;
  const baseInList = ((list >>> f.Rn) & 1) === 1;
  if (f.Rn === 15 || count < 2 || (f.P === 1 && f.M === 1) || (f.W === 1 && baseInList)) return unpredictable;
  if (f.P === 1 && inItNotLast(at)) return unpredictable;
  const operation = f.P === 1 ? 'ldm_pc' : 'ldm';
  if (f.Rn === 13 && f.W === 1 && !decrement) return [f.P === 1 ? 'pop_pc' : 'pop', 0, listed(list)];
  const change = decrement ? -bytes : bytes;
  return [operation, f.Rn, listed(list), decrement ? -bytes : 0, f.W === 1 ? change : 0];
}

function storeMultiple(f: Fields, decrement: boolean): Meaning {
  const list = (f.M << 14) | f.list;
  const count = countBits(list);
  const bytes = count * 4;
  if (f.Rn === 15 || count < 2 || (f.W === 1 && (list >>> f.Rn) & 1)) return unpredictable;
  if (f.Rn === 13 && f.W === 1 && decrement) return ['push', 0, listed(list)];
  const change = decrement ? -bytes : bytes;
  return ['stm', f.Rn, listed(list), decrement ? -bytes : 0, f.W === 1 ? change : 0];
}

/** P, M and bit 13 are register list bits 15 to 13; lists with sp are UNPREDICTABLE. */
const a535: readonly RowText[] = [
  ['1110100 01 0 W 0 Rn:4 | (0) M (0) list:13', 'STM T2', (f) => storeMultiple(f, false)],
  ['1110100 01 0 W 1 Rn:4 | P M (0) list:13', 'LDM T2, POP T2', (f, at) => loadMultiple(f, at, false)],
  ['1110100 10 0 W 0 Rn:4 | (0) M (0) list:13', 'STMDB T1, PUSH T2', (f) => storeMultiple(f, true)],
  ['1110100 10 0 W 1 Rn:4 | P M (0) list:13', 'LDMDB T1', (f, at) => loadMultiple(f, at, true)],
];

function dual(f: Fields, load: boolean, P: number, W: number, at: Site): Meaning {
  const offset = (f.U === 1 ? f.imm8 : -f.imm8) * 4;
  const writeBack = W === 1;
  if (bad(f.Rt) || bad(f.Rt2) || (load && f.Rt === f.Rt2)) return unpredictable;
  if (writeBack && (f.Rn === f.Rt || f.Rn === f.Rt2)) return unpredictable;
  if (f.Rn === 15) {
    if (!load || writeBack) return unpredictable;
    return ['ldrd_lit', f.Rt, f.Rt2, (((at.pc + 4) & ~3) + offset) | 0];
  }
  return [load ? 'ldrd_imm' : 'strd_imm', f.Rt, f.Rt2, f.Rn, P === 1 ? offset : 0, writeBack ? offset : 0];
}

const a536Dual: readonly RowText[] = [
  ['1110100 1 U 1 W 0 Rn:4 | Rt:4 Rt2:4 imm8:8', 'STRD T1', (f, at) => dual(f, false, 1, f.W, at)],
  ['1110100 0 U 1 1 0 Rn:4 | Rt:4 Rt2:4 imm8:8', 'STRD T1, post-indexed', (f, at) => dual(f, false, 0, 1, at)],
  ['1110100 1 U 1 W 1 Rn:4 | Rt:4 Rt2:4 imm8:8', 'LDRD (immediate) T1', (f, at) => dual(f, true, 1, f.W, at)],
  [
    '1110100 0 U 1 1 1 Rn:4 | Rt:4 Rt2:4 imm8:8',
    'LDRD (immediate) T1, post-indexed',
    (f, at) => dual(f, true, 0, 1, at),
  ],
];

function tableBranch(f: Fields, at: Site): Meaning {
  if (f.Rn === 13 || bad(f.Rm) || inItNotLast(at)) return unpredictable;
  const name = f.H === 1 ? 'tbh' : 'tbb';
  return f.Rn === 15 ? [`${name}_pc`, 0, f.Rm, (at.pc + 4) | 0] : [name, f.Rn, f.Rm, (at.pc + 4) | 0];
}

function loadExclusive(f: Fields, bytes: number, offset = 0): Meaning {
  return bad(f.Rt) || f.Rn === 15 ? unpredictable : ['ldrex', f.Rt, f.Rn, offset, bytes];
}

function storeExclusive(f: Fields, bytes: number, offset = 0): Meaning {
  const same = f.Rd === f.Rn || f.Rd === f.Rt;
  if (bad(f.Rd) || bad(f.Rt) || f.Rn === 15 || same) return unpredictable;
  return ['strex', f.Rd, f.Rt, f.Rn, offset, bytes];
}

const loadByRn = (op: string) => `11101000 1101 Rn:4 | Rt:4 (1111) ${op} (1111)`;
const storeByRn = (op: string) => `11101000 1100 Rn:4 | Rt:4 (1111) ${op} Rd:4`;
const releaseByRn = (op: string) => `11101000 1100 Rn:4 | Rt:4 (1111) ${op} (1111)`;

const a536: readonly RowText[] = [
  ['11101000 1101 Rn:4 | (1111) (0000) 000 H Rm:4', 'TBB T1, TBH T1', tableBranch, mainline],
  ['11101000 0100 Rn:4 | Rt:4 Rd:4 imm8:8', 'STREX T1', (f) => storeExclusive(f, 4, f.imm8 * 4)],
  ['11101000 0101 Rn:4 | Rt:4 (1111) imm8:8', 'LDREX T1', (f) => loadExclusive(f, 4, f.imm8 * 4)],
  [storeByRn('0100'), 'STREXB T1', (f) => storeExclusive(f, 1)],
  [storeByRn('0101'), 'STREXH T1', (f) => storeExclusive(f, 2)],
  [loadByRn('0100'), 'LDREXB T1', (f) => loadExclusive(f, 1)],
  [loadByRn('0101'), 'LDREXH T1', (f) => loadExclusive(f, 2)],
];

function acquire(f: Fields, bytes: number): Meaning {
  return bad(f.Rt) || f.Rn === 15 ? unpredictable : ['lda', f.Rt, f.Rn, bytes];
}

function release(f: Fields, bytes: number): Meaning {
  return bad(f.Rt) || f.Rn === 15 ? unpredictable : ['stl', f.Rt, f.Rn, bytes];
}

const armv8: readonly RowText[] = [
  [loadByRn('1000'), 'LDAB T1', (f) => acquire(f, 1)],
  [loadByRn('1001'), 'LDAH T1', (f) => acquire(f, 2)],
  [loadByRn('1010'), 'LDA T1', (f) => acquire(f, 4)],
  [loadByRn('1100'), 'LDAEXB T1', (f) => loadExclusive(f, 1)],
  [loadByRn('1101'), 'LDAEXH T1', (f) => loadExclusive(f, 2)],
  [loadByRn('1110'), 'LDAEX T1', (f) => loadExclusive(f, 4)],
  [releaseByRn('1000'), 'STLB T1', (f) => release(f, 1)],
  [releaseByRn('1001'), 'STLH T1', (f) => release(f, 2)],
  [releaseByRn('1010'), 'STL T1', (f) => release(f, 4)],
  [storeByRn('1100'), 'STLEXB T1', (f) => storeExclusive(f, 1)],
  [storeByRn('1101'), 'STLEXH T1', (f) => storeExclusive(f, 2)],
  [storeByRn('1110'), 'STLEX T1', (f) => storeExclusive(f, 4)],
  // Without the Security Extension, as on the cores here, SG does nothing. It would clear ITSTATE.
  ['11101001 0111 1111 | 1110100101111111', 'SG T1', (_, at) => (inIt(at) ? unpredictable : ['nop'])],
  [
    '11101000 0100 Rn:4 | 1111 Rd:4 A T (000000)',
    'TT, TTT, TTA, TTAT T1',
    (f) => (bad(f.Rd) || f.Rn === 15 ? unpredictable : ['not_implemented', 0]),
  ],
];

export const blockAndExclusive: readonly Row[] = [
  ...table('A5.3.5', mainline, a535),
  ...table('A5.3.6', mainline, a536Dual),
  ...table('A5.3.6', notV6, a536),
  ...table('Armv8-M C2.4', v8, armv8),
];
