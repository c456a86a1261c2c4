/**
 * What Thumb instructions do to what thumb-frame-state.ts follows; the first rule that applies decides. Encodings: Armv7-M manual, A5
 * and A7; which registers a call leaves: AAPCS32, 6.1.1.
 */
import { LR, SP, type State, type Value } from './thumb-frame-state';

const firstDouble = 256;
/** r0 to r3, r12, lr. */
const scratch = [0, 1, 2, 3, 12, LR];

/** What an instruction does besides changing the state. */
export type Flow =
  | { readonly kind: 'branch'; readonly target: number; readonly conditional: boolean }
  /** Nothing comes after it but what is branched to. */
  | { readonly kind: 'end' };

export interface Walk {
  readonly state: State;
  readonly address: number;
  readonly word: (address: number) => number | undefined;
}

export interface Rule {
  readonly mask: number;
  readonly bits: number;
  readonly apply: (code: number, walk: Walk) => Flow | undefined;
}

const field = (code: number, low: number, width: number): number => (code >>> low) & ((1 << width) - 1);
const signed = (value: number, width: number): number => (value << (32 - width)) >> (32 - width);
const listed = (bits: number): number[] => Array.from({ length: 16 }, (_, n) => n).filter((n) => (bits >>> n) & 1);
const doing =
  (action: (state: State, code: number) => void): Rule['apply'] =>
  (code, { state }) =>
    void action(state, code);
const ending: Flow = { kind: 'end' };
const branch = (target: number, conditional: boolean): Flow => ({ kind: 'branch', target, conditional });
const call = doing((state) => {
  for (const register of scratch) state.set(register, undefined);
});

const shortRules: readonly Rule[] = [
  { mask: 0xfe00, bits: 0xb400, apply: doing((s, c) => s.push(SP, listed((c & 0xff) | ((c & 0x100) << 6)), true)) }, // PUSH
  { mask: 0xff00, bits: 0xbd00, apply: () => ending }, // POP with PC
  { mask: 0xff00, bits: 0xbc00, apply: doing((s, c) => s.pop(SP, listed(c & 0xff), true)) }, // POP
  { mask: 0xff80, bits: 0xb080, apply: doing((s, c) => s.set(SP, s.sum(SP, -4 * field(c, 0, 7)))) }, // SUB SP, #imm
  { mask: 0xff80, bits: 0xb000, apply: doing((s, c) => s.set(SP, s.sum(SP, 4 * field(c, 0, 7)))) }, // ADD SP, #imm
  { mask: 0xf800, bits: 0xa800, apply: doing((s, c) => s.set(field(c, 8, 3), s.sum(SP, 4 * field(c, 0, 8)))) }, // ADD Rd, SP, #imm
  { mask: 0xff00, bits: 0x4600, apply: doing((s, c) => s.set(highDestination(c), s.registers[field(c, 3, 4)])) }, // MOV Rd, Rm
  { mask: 0xff00, bits: 0x4400, apply: doing(addRegister) }, // ADD Rdn, Rm
  { mask: 0xffc0, bits: 0x0000, apply: doing((s, c) => s.set(field(c, 0, 3), s.registers[field(c, 3, 3)])) }, // MOVS Rd, Rm
  { mask: 0xf800, bits: 0x0000, apply: doing(shiftLeft) }, // LSLS Rd, Rm, #imm
  { mask: 0xfe00, bits: 0x1c00, apply: doing((s, c) => s.set(field(c, 0, 3), s.sum(field(c, 3, 3), field(c, 6, 3)))) }, // ADDS #imm3
  { mask: 0xfe00, bits: 0x1e00, apply: doing((s, c) => s.set(field(c, 0, 3), s.sum(field(c, 3, 3), -field(c, 6, 3)))) }, // SUBS #imm3
  { mask: 0xf800, bits: 0x2000, apply: doing((s, c) => s.set(field(c, 8, 3), constant(field(c, 0, 8)))) }, // MOVS Rd, #imm
  { mask: 0xf800, bits: 0x2800, apply: () => undefined }, // CMP
  { mask: 0xf800, bits: 0x3000, apply: doing((s, c) => s.set(field(c, 8, 3), s.sum(field(c, 8, 3), field(c, 0, 8)))) }, // ADDS #imm8
  { mask: 0xf800, bits: 0x3800, apply: doing((s, c) => s.set(field(c, 8, 3), s.sum(field(c, 8, 3), -field(c, 0, 8)))) }, // SUBS #imm8
  { mask: 0xffc0, bits: 0x4240, apply: doing(negate) }, // RSBS Rd, Rn, #0
  { mask: 0xff80, bits: 0x4780, apply: call }, // BLX Rm
  { mask: 0xff80, bits: 0x4700, apply: () => ending }, // BX Rm
  { mask: 0xf800, bits: 0x4800, apply: (c, w) => loadLiteral(w, field(c, 8, 3), 4 * field(c, 0, 8)) }, // LDR literal
  { mask: 0xf800, bits: 0x9000, apply: doing((s, c) => s.store(field(c, 8, 3), offsetOf(s, 4 * field(c, 0, 8)))) }, // STR Rt, [SP, #imm]
  { mask: 0xf800, bits: 0x9800, apply: doing((s, c) => s.load(field(c, 8, 3), offsetOf(s, 4 * field(c, 0, 8)))) }, // LDR Rt, [SP, #imm]
  {
    mask: 0xf500,
    bits: 0xb100,
    apply: (c, { address }) => branch(address + 4 + 2 * (field(c, 3, 5) | (field(c, 9, 1) << 5)), true),
  }, // CBZ, CBNZ
  { mask: 0xff00, bits: 0xde00, apply: () => ending }, // UDF
  { mask: 0xff00, bits: 0xdf00, apply: () => undefined }, // SVC
  { mask: 0xf000, bits: 0xd000, apply: (c, { address }) => branch(address + 4 + 2 * signed(c, 8), true) }, // B<c>
  { mask: 0xf800, bits: 0xe000, apply: (c, { address }) => branch(address + 4 + 2 * signed(c, 11), false) }, // B
  // Stores to other places, comparisons, hints.
  { mask: 0xf800, bits: 0x6000, apply: () => undefined },
  { mask: 0xf800, bits: 0x7000, apply: () => undefined },
  { mask: 0xf800, bits: 0x8000, apply: () => undefined },
  { mask: 0xf000, bits: 0xb000, apply: () => undefined },
  { mask: 0xff00, bits: 0x4500, apply: () => undefined },
  { mask: 0xf800, bits: 0xa000, apply: doing((s, c) => s.set(field(c, 8, 3), undefined)) }, // ADR
  { mask: 0xf800, bits: 0xc000, apply: doing((s, c) => s.set(field(c, 8, 3), undefined)) }, // STM
  { mask: 0xf800, bits: 0xc800, apply: doing((s, c) => s.pop(field(c, 8, 3), listed(c & 0xff), true)) }, // LDM
  { mask: 0x0000, bits: 0x0000, apply: doing((s, c) => s.set(field(c, 0, 3), undefined)) },
];

const base = (code: number): number => field(code, 16, 4);
const transferred = (code: number): number => field(code, 12, 4);
const destination = (code: number): number => field(code, 8, 4);

/** Both halfwords, the first one above. */
const longRules: readonly Rule[] = [
  { mask: 0xf800d000, bits: 0xf000d000, apply: call }, // BL
  { mask: 0xf800d000, bits: 0xf0009000, apply: (c, { address }) => branch(address + 4 + wideOffset(c), false) }, // B.W
  { mask: 0xfb80d000, bits: 0xf3808000, apply: () => undefined }, // MSR, hints, barriers
  { mask: 0xf800d000, bits: 0xf0008000, apply: (c, { address }) => branch(address + 4 + conditionalOffset(c), true) }, // B<c>.W
  {
    mask: 0xffd00000,
    bits: 0xe9000000,
    apply: doing((s, c) => s.push(base(c), listed(c & 0x5fff), field(c, 21, 1) === 1)),
  }, // STMDB, PUSH.W
  { mask: 0xffd08000, bits: 0xe8908000, apply: () => ending }, // LDM, POP.W with PC
  {
    mask: 0xffd08000,
    bits: 0xe8900000,
    apply: doing((s, c) => s.pop(base(c), listed(c & 0x7fff), field(c, 21, 1) === 1)),
  }, // LDM, POP.W
  { mask: 0xfff0ffe0, bits: 0xe8d0f000, apply: () => ending }, // TBB, TBH
  { mask: 0xfe500000, bits: 0xe8400000, apply: doing((s, c) => transferTwo(s, c, false)) }, // STRD
  { mask: 0xfe500000, bits: 0xe8500000, apply: doing((s, c) => transferTwo(s, c, true)) }, // LDRD
  { mask: 0xff70f000, bits: 0xf850f000, apply: () => ending }, // LDR.W to PC
  {
    mask: 0xff7f0000,
    bits: 0xf85f0000,
    apply: (c, w) => loadLiteral(w, transferred(c), field(c, 23, 1) === 1 ? c & 0xfff : -(c & 0xfff)),
  },
  {
    mask: 0xfff00000,
    bits: 0xf8c00000,
    apply: doing((s, c) => s.store(transferred(c), offsetOf(s, c & 0xfff, base(c)))),
  }, // STR.W, #imm12
  { mask: 0xfff00800, bits: 0xf8400800, apply: doing((s, c) => indexed(s, c, () => s.store)) }, // STR.W, #imm8
  {
    mask: 0xfff00000,
    bits: 0xf8d00000,
    apply: doing((s, c) => s.load(transferred(c), offsetOf(s, c & 0xfff, base(c)))),
  }, // LDR.W, #imm12
  { mask: 0xfff00800, bits: 0xf8500800, apply: doing((s, c) => indexed(s, c, () => s.load)) }, // LDR.W, #imm8
  { mask: 0xfe100000, bits: 0xf8100000, apply: doing((s, c) => s.set(transferred(c), undefined)) }, // other loads
  { mask: 0xfe100000, bits: 0xf8000000, apply: () => undefined }, // other stores
  { mask: 0xfbe08000, bits: 0xf1000000, apply: doing((s, c) => s.set(destination(c), s.sum(base(c), expanded(c)))) }, // ADD.W #const
  { mask: 0xfbf08000, bits: 0xf2000000, apply: doing((s, c) => s.set(destination(c), s.sum(base(c), twelve(c)))) }, // ADDW
  { mask: 0xfbf00f00, bits: 0xf1b00f00, apply: () => undefined }, // CMP.W
  { mask: 0xfbe08000, bits: 0xf1a00000, apply: doing((s, c) => s.set(destination(c), s.sum(base(c), -expanded(c)))) }, // SUB.W #const
  { mask: 0xfbf08000, bits: 0xf2a00000, apply: doing((s, c) => s.set(destination(c), s.sum(base(c), -twelve(c)))) }, // SUBW
  { mask: 0xfbef8000, bits: 0xf04f0000, apply: doing((s, c) => s.set(destination(c), constant(expanded(c)))) }, // MOV.W #const
  {
    mask: 0xfbf08000,
    bits: 0xf2400000,
    apply: doing((s, c) => s.set(destination(c), constant((base(c) << 12) | twelve(c)))),
  }, // MOVW
  { mask: 0xfbf08000, bits: 0xf2c00000, apply: doing(moveTop) }, // MOVT
  {
    mask: 0xffe0f0f0,
    bits: 0xeba00000,
    apply: doing((s, c) => s.set(destination(c), s.sum(base(c), minus(s.constant(c & 15))))),
  }, // SUB.W Rd, Rn, Rm
  {
    mask: 0xffe0f0f0,
    bits: 0xeb000000,
    apply: doing((s, c) => s.set(destination(c), s.sum(base(c), s.constant(c & 15)))),
  }, // ADD.W Rd, Rn, Rm
  { mask: 0xffbf0e00, bits: 0xed2d0a00, apply: doing((s, c) => moveDoubles(s, c, true)) }, // VPUSH
  { mask: 0xffbf0e00, bits: 0xecbd0a00, apply: doing((s, c) => moveDoubles(s, c, false)) }, // VPOP
  { mask: 0xec000000, bits: 0xec000000, apply: () => undefined }, // other floating point: to core registers only scratch ones are moved
  {
    mask: 0x00000000,
    bits: 0x00000000,
    apply: doing((s, c) => s.set(destination(c), destination(c) === SP ? s.registers[SP] : undefined)),
  },
];

const constant = (value: number): Value => ({ kind: 'constant', value: value | 0 });
const minus = (value: number | undefined): number | undefined => (value === undefined ? undefined : -value);
const highDestination = (code: number): number => field(code, 0, 3) | (field(code, 7, 1) << 3);

function offsetOf(state: State, distance: number, register = SP): number | undefined {
  const offset = state.stackOffset(register);
  return offset === undefined ? undefined : offset + distance;
}

function addRegister(state: State, code: number): void {
  const to = highDestination(code);
  state.set(to, state.sum(to, state.constant(field(code, 3, 4))) ?? state.sum(field(code, 3, 4), state.constant(to)));
}

function shiftLeft(state: State, code: number): void {
  const value = state.constant(field(code, 3, 3));
  state.set(field(code, 0, 3), value === undefined ? undefined : constant(value << field(code, 6, 5)));
}

function negate(state: State, code: number): void {
  const value = state.constant(field(code, 3, 3));
  state.set(field(code, 0, 3), value === undefined ? undefined : constant(-value));
}

function moveTop(state: State, code: number): void {
  const low = state.constant(destination(code));
  const top = ((base(code) << 12) | twelve(code)) << 16;
  state.set(destination(code), low === undefined ? undefined : constant(top | (low & 0xffff)));
}

function loadLiteral({ state, address, word }: Walk, register: number, distance: number): undefined {
  const value = word(((address + 4) & ~3) + distance);
  state.set(register, value === undefined ? undefined : constant(value));
}

/** One transfer at [Rn, #+/-imm8] with P, U and W in bits 10 to 8. */
function indexed(state: State, code: number, transfer: () => State['store']): void {
  const [p, u, w] = [10, 9, 8].map((bit) => field(code, bit, 1) === 1);
  const distance = u ? code & 0xff : -(code & 0xff);
  const before = offsetOf(state, p ? distance : 0, base(code));
  const after = w ? state.sum(base(code), distance) : state.registers[base(code)];
  // The stack is there before something is put on it.
  if (w && p) state.set(base(code), after);
  transfer().call(state, transferred(code), before);
  if (w && !p) state.set(base(code), after);
}

function transferTwo(state: State, code: number, loads: boolean): void {
  const [p, u, w] = [24, 23, 21].map((bit) => field(code, bit, 1) === 1);
  // Without P and W it is an exclusive access.
  if (!p && !w) return;
  const distance = 4 * (u ? code & 0xff : -(code & 0xff));
  const at = offsetOf(state, p ? distance : 0, base(code));
  const after = w ? state.sum(base(code), distance) : undefined;
  if (w && p) state.set(base(code), after);
  for (const [n, register] of [transferred(code), destination(code)].entries()) {
    const offset = at === undefined ? undefined : at + 4 * n;
    if (loads) state.load(register, offset);
    else state.store(register, offset);
  }
  if (w && !p) state.set(base(code), after);
}

function moveDoubles(state: State, code: number, pushes: boolean): void {
  const words = code & 0xff;
  const size = 4 * words;
  const isDouble = field(code, 8, 1) === 1;
  const first = isDouble ? (field(code, 22, 1) << 4) | transferred(code) : NaN;
  if (pushes) state.set(SP, state.sum(SP, -size));
  const bottom = state.stackOffset();
  for (let n = 0; pushes && bottom !== undefined && !Number.isNaN(first) && n < words >>> 1; n++)
    state.slots.set(bottom + 8 * n, firstDouble + first + n);
  if (!pushes) state.set(SP, state.sum(SP, size));
}

/** ThumbExpandImm, A5.3.2. */
function expanded(code: number): number {
  const bits = twelve(code);
  const byte = bits & 0xff;
  if (bits >>> 10 === 0) return byte * [1, 0x10001, 0x1000100, 0x1010101][(bits >>> 8) & 3];
  const rotation = bits >>> 7;
  const value = 0x80 | (bits & 0x7f);
  return ((value >>> rotation) | (value << (32 - rotation))) >>> 0;
}

/** i:imm3:imm8 */
const twelve = (code: number): number => (field(code, 26, 1) << 11) | (field(code, 12, 3) << 8) | (code & 0xff);

/** Encoding T4 of B. */
function wideOffset(code: number): number {
  const s = field(code, 26, 1);
  const [i1, i2] = [13, 11].map((bit) => 1 - (field(code, bit, 1) ^ s));
  return signed((s << 24) | (i1 << 23) | (i2 << 22) | (field(code, 16, 10) << 12) | (field(code, 0, 11) << 1), 25);
}

/** Encoding T3 of B. */
function conditionalOffset(code: number): number {
  const top = (field(code, 26, 1) << 20) | (field(code, 11, 1) << 19) | (field(code, 13, 1) << 18);
  return signed(top | (field(code, 16, 6) << 12) | (field(code, 0, 11) << 1), 21);
}

/** All of them, for a test that each has a case. */
export const thumbFrameRules: readonly Rule[] = [...shortRules, ...longRules];

/** The rule for an instruction; a 32-bit one has its first halfword above. */
export function thumbFrameRule(code: number, isLong: boolean): Rule | undefined {
  return (isLong ? longRules : shortRules).find(({ mask, bits }) => (code & mask) >>> 0 === bits);
}
