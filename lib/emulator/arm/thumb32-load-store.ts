/**
 * Loads and stores of one register: Armv7-M ARM A5.3.7 to A5.3.10. The unprivileged forms differ from the others
 * where there is a Memory Protection Unit. Loads to pc branch, byte and halfword loads "to pc" are hints.
 */
import type { OperationName } from './operations';
import {
  inItNotLast,
  mainline,
  table,
  undefinedHere,
  unpredictable,
  type Fields,
  type Meaning,
  type Row,
  type RowText,
  type Site,
} from './rows';

type Load = 'ldr' | 'ldrh' | 'ldrb' | 'ldrsh' | 'ldrsb';
type Store = 'str' | 'strh' | 'strb';

const bad = (register: number) => register === 13 || register === 15;

const sizes = { ldr: 4, ldrh: 2, ldrb: 1, ldrsh: 2, ldrsb: 1, str: 4, strh: 2, strb: 1 } as const;

/** Where an access goes: offset, pre- or post-indexed, or register with shift. */
type Mode =
  | { readonly kind: 'imm' | 'pre' | 'post'; readonly n: number; readonly offset: number }
  | { readonly kind: 'lsl'; readonly n: number; readonly m: number; readonly shift: number }
  | { readonly kind: 'lit'; readonly address: number };

function operandsOf(t: number, mode: Mode): number[] {
  if (mode.kind === 'lit') return [t, mode.address];
  return mode.kind === 'lsl' ? [t, mode.n, mode.m, mode.shift] : [t, mode.n, mode.offset];
}

/** LDR to sp or pc, which others may not. */
function loadSpecial(t: number, mode: Mode, at: Site): Meaning {
  if (t === 15) return inItNotLast(at) ? unpredictable : [`ldr_pc_${mode.kind}`, ...operandsOf(t, mode)];
  if (mode.kind === 'lit') return ['ldr_sp', -1, -1, 0, mode.address, 0];
  if (mode.kind === 'lsl') return ['ldr_sp', mode.n, mode.m, mode.shift, 0, 0];
  return ['ldr_sp', mode.n, -1, 0, mode.offset, ['imm', 'pre', 'post'].indexOf(mode.kind)];
}

function load(name: Load, t: number, mode: Mode, at: Site): Meaning {
  if ((mode.kind === 'pre' || mode.kind === 'post') && mode.n === t) return unpredictable;
  if (mode.kind === 'lsl' && bad(mode.m)) return unpredictable;
  if (name === 'ldr' && bad(t)) return loadSpecial(t, mode, at);
  if (t === 15) return mode.kind === 'pre' || mode.kind === 'post' ? unpredictable : ['nop'];
  if (t === 13) return unpredictable;
  return [`${name}_${mode.kind}`, ...operandsOf(t, mode)];
}

function store(name: Store, t: number, mode: Exclude<Mode, { kind: 'lit' }>): Meaning {
  if (mode.n === 15) return undefinedHere;
  if (t === 15 || (t === 13 && name !== 'str')) return unpredictable;
  if ((mode.kind === 'pre' || mode.kind === 'post') && mode.n === t) return unpredictable;
  if (mode.kind === 'lsl' && bad(mode.m)) return unpredictable;
  return [`${name}_${mode.kind}` as OperationName, ...operandsOf(t, mode)];
}

/** P U W of the 8-bit immediate forms; P = W = 0 is UNDEFINED. P U W = 1 1 0 is the unprivileged form. */
function indexed(f: Fields): Exclude<Mode, { kind: 'lit' }> | undefined {
  const offset = f.U === 1 ? f.imm8 : -f.imm8;
  if (f.P === 1) return { kind: f.W === 1 ? 'pre' : 'imm', n: f.Rn, offset };
  return f.W === 1 ? { kind: 'post', n: f.Rn, offset } : undefined;
}

function loadIndexed(name: Load, f: Fields, at: Site): Meaning {
  const mode = indexed(f);
  if (!mode) return undefinedHere;
  const unprivileged = f.P === 1 && f.U === 1 && f.W === 0;
  if (!unprivileged) return load(name, f.Rt, mode, at);
  if (bad(f.Rt)) return unpredictable;
  return ['ldrt', f.Rt, f.Rn, f.imm8, sizes[name], name.startsWith('ldrs') ? 1 : 0];
}

function storeIndexed(name: Store, f: Fields): Meaning {
  const mode = indexed(f);
  if (!mode) return undefinedHere;
  const unprivileged = f.P === 1 && f.U === 1 && f.W === 0;
  if (!unprivileged || f.Rn === 15) return store(name, f.Rt, mode);
  return bad(f.Rt) ? unpredictable : ['strt', f.Rt, f.Rn, f.imm8, sizes[name]];
}

function literal(name: Load, f: Fields, at: Site): Meaning {
  const base = (at.pc + 4) & ~3;
  return load(name, f.Rt, { kind: 'lit', address: (f.U === 1 ? base + f.imm12 : base - f.imm12) | 0 }, at);
}

/** `sign`: '0' LDR, LDRB, LDRH, '1' LDRSB, LDRSH; `size`: '00' byte, '01' halfword, '10' word. */
function loadRows(name: Load, sign: string, size: string): RowText[] {
  const head = `1111100 ${sign}`;
  const title = name.toUpperCase();
  return [
    [
      `${head} 1 ${size} 1 Rn:4 | Rt:4 imm12:12`,
      `${title} (immediate), 12 bits`,
      (f, at) => load(name, f.Rt, { kind: 'imm', n: f.Rn, offset: f.imm12 }, at),
    ],
    [
      `${head} 0 ${size} 1 Rn:4 | Rt:4 1 P U W imm8:8`,
      `${title} (immediate), 8 bits, and ${title}T`,
      (f, at) => loadIndexed(name, f, at),
    ],
    [
      `${head} 0 ${size} 1 Rn:4 | Rt:4 000000 imm2:2 Rm:4`,
      `${title} (register) T2`,
      (f, at) => load(name, f.Rt, { kind: 'lsl', n: f.Rn, m: f.Rm, shift: f.imm2 }, at),
    ],
  ];
}

function literalRow(name: Load, sign: string, size: string): RowText {
  const bits = `1111100 ${sign} U ${size} 1 1111 | Rt:4 imm12:12`;
  return [bits, `${name.toUpperCase()} (literal)`, (f, at) => literal(name, f, at)];
}

const literals = [
  ...table('A5.3.7', mainline, [literalRow('ldr', '0', '10')]),
  ...table('A5.3.8', mainline, [literalRow('ldrh', '0', '01'), literalRow('ldrsh', '1', '01')]),
  ...table('A5.3.9', mainline, [literalRow('ldrb', '0', '00'), literalRow('ldrsb', '1', '00')]),
].map((row): Row => ({ ...row, first: true }));

function storeRows(name: Store, size: string): RowText[] {
  const title = name.toUpperCase();
  return [
    [
      `11111000 1 ${size} 0 Rn:4 | Rt:4 imm12:12`,
      `${title} (immediate), 12 bits`,
      (f) => store(name, f.Rt, { kind: 'imm', n: f.Rn, offset: f.imm12 }),
    ],
    [
      `11111000 0 ${size} 0 Rn:4 | Rt:4 1 P U W imm8:8`,
      `${title} (immediate), 8 bits, and ${title}T`,
      (f) => storeIndexed(name, f),
    ],
    [
      `11111000 0 ${size} 0 Rn:4 | Rt:4 000000 imm2:2 Rm:4`,
      `${title} (register) T2`,
      (f) => store(name, f.Rt, { kind: 'lsl', n: f.Rn, m: f.Rm, shift: f.imm2 }),
    ],
  ];
}

export const loadStore: readonly Row[] = [
  ...literals,
  ...table('A5.3.7', mainline, loadRows('ldr', '0', '10')),
  ...table('A5.3.8', mainline, [...loadRows('ldrh', '0', '01'), ...loadRows('ldrsh', '1', '01')]),
  ...table('A5.3.9', mainline, [...loadRows('ldrb', '0', '00'), ...loadRows('ldrsb', '1', '00')]),
  ...table('A5.3.10', mainline, [...storeRows('strb', '00'), ...storeRows('strh', '01'), ...storeRows('str', '10')]),
];
