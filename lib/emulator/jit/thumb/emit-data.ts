/**
 * Data processing of arm/operations-data.ts and the flag-setting shifted forms of -rare.ts, as WebAssembly.
 * The operands are those of the operations there.
 */
import { Shift } from '../../arm/immediates';
import { State } from '../../arm/state';
import { Op } from '../wasm';
import { setPlain, setResult, toResult, type Emit, type EmitTable } from './emit-forms';
import type { ThumbEmitter } from './thumb-emitter';

const C = State.flagC;

/** Second operands by the end of the operation's name; `at` is the index of the register or immediate. */
const forms: Readonly<Record<string, (e: ThumbEmitter, o: readonly number[], at: number) => void>> = {
  imm: (e, o, at) => e.const(o[at]),
  reg: (e, o, at) => e.get(o[at]),
  lsl: (e, o, at) => shifted(e, Op.i32_shl, o, at),
  lsr: (e, o, at) => shifted(e, Op.i32_shr_u, o, at),
  asr: (e, o, at) => shifted(e, Op.i32_shr_s, o, at),
  ror: (e, o, at) => shifted(e, Op.i32_rotr, o, at),
  rrx: (e, o, at) => rrx(e, () => e.get(o[at])),
};

function shifted(e: ThumbEmitter, op: number, o: readonly number[], at: number): void {
  e.get(o[at]);
  e.opConst(op, o[at + 1]);
}

function rrx(e: ThumbEmitter, value: () => void): void {
  value();
  e.opConst(Op.i32_shr_u, 1);
  e.get(C);
  e.opConst(Op.i32_shl, 31);
  e.op(Op.i32_or);
}

/** What is done with the two operands on the stack. */
const results: Readonly<Record<string, (e: ThumbEmitter) => void>> = {
  add: (e) => e.op(Op.i32_add),
  sub: (e) => e.op(Op.i32_sub),
  adc: (e) => {
    e.op(Op.i32_add);
    e.get(C);
    e.op(Op.i32_add);
  },
  sbc: (e) => {
    e.op(Op.i32_sub);
    e.get(C);
    e.op(Op.i32_add);
    e.opConst(Op.i32_sub, 1);
  },
  and: (e) => e.op(Op.i32_and),
  bic: (e) => {
    e.opConst(Op.i32_xor, -1);
    e.op(Op.i32_and);
  },
  orr: (e) => e.op(Op.i32_or),
  orn: (e) => {
    e.opConst(Op.i32_xor, -1);
    e.op(Op.i32_or);
  },
  eor: (e) => e.op(Op.i32_xor),
};

/** Flags of a and b of the emitter; the result is in its `result`. */
const sums: Readonly<Record<string, (e: ThumbEmitter) => void>> = {
  adds: (e) => e.setSum(),
  subs: (e) => e.setDifference(),
  rsbs: (e) => {
    const swap = e.temporary();
    e.get_local(e.a);
    e.set_local(swap);
    e.get_local(e.b);
    e.set_local(e.a);
    e.get_local(swap);
    e.set_local(e.b);
    e.setDifference();
  },
  adcs: (e) => e.setSumWithCarry(),
  sbcs: (e) => {
    e.get_local(e.b);
    e.opConst(Op.i32_xor, -1);
    e.set_local(e.b);
    e.setSumWithCarry();
  },
};

const plain =
  (name: string, form: string): Emit =>
  (e, o) => {
    e.get(o[1]);
    forms[form](e, o, 2);
    results[name](e);
    e.set(o[0]);
    deriveSum(e, name, form, o);
  };

/** ADD and SUB with an immediate. */
function deriveSum(e: ThumbEmitter, name: string, form: string, o: readonly number[]): void {
  if (form !== 'imm') return;
  if (name.startsWith('add')) e.derive(o[0], o[1], o[2]);
  if (name.startsWith('sub')) e.derive(o[0], o[1], -o[2]);
}

const reverseSubtract =
  (form: string): Emit =>
  (e, o) => {
    forms[form](e, o, 2);
    e.get(o[1]);
    e.op(Op.i32_sub);
    e.set(o[0]);
  };

function operands(e: ThumbEmitter, a: () => void, b: () => void): void {
  a();
  e.set_local(e.a);
  b();
  e.set_local(e.b);
}

const flagged =
  (name: string, form: string): Emit =>
  (e, o) => {
    operands(
      e,
      () => e.get(o[1]),
      () => forms[form](e, o, 2),
    );
    sums[name](e);
    e.get_local(e.result);
    e.set(o[0]);
    deriveSum(e, name, form, o);
  };

const compared =
  (name: 'adds' | 'subs', form: string): Emit =>
  (e, o) => {
    operands(
      e,
      () => e.get(o[0]),
      () => forms[form](e, o, 1),
    );
    sums[name](e);
  };

/** 2 = unchanged. */
function setConstantCarry(e: ThumbEmitter, carry: number): void {
  if (carry >= 2 || !e.wants(C)) return;
  e.const(carry);
  e.set(C);
}

const logicalFlags =
  (name: string, form: 'imm' | 'reg'): Emit =>
  (e, o) => {
    e.get(o[1]);
    forms[form](e, o, 2);
    results[name](e);
    toResult(e, o[0]);
    if (form === 'imm') setConstantCarry(e, o[3]);
  };

const tested =
  (name: 'and' | 'eor', form: 'imm' | 'reg'): Emit =>
  (e, o) => {
    e.get(o[0]);
    forms[form](e, o, 1);
    results[name](e);
    e.setResult();
    if (form === 'imm') setConstantCarry(e, o[2]);
  };

// --- Shifts that set flags ---------------------------------------------------------------------------------------

/**
 * Shift_C() of a register by a constant: the value is left in a local, the carry in another one, which is undefined when it does not
 * change. SRType as in arm/immediates.ts.
 */
function shiftWithCarry(e: ThumbEmitter, m: number, type: number, amount: number): { value: number; carry?: number } {
  const value = e.temporary();
  const carry = e.temporary();
  const bit = (shift: number) => {
    e.get(m);
    e.opConst(Op.i32_shr_u, shift);
    e.opConst(Op.i32_and, 1);
    e.set_local(carry);
  };
  if (type === Shift.RRX) {
    bit(0);
    rrx(e, () => e.get(m));
  } else if (amount === 0) {
    e.get(m);
    e.set_local(value);
    return { value };
  } else {
    bit(type === Shift.LSL ? 32 - amount : amount - 1);
    e.get(m);
    if (amount === 32 && type === Shift.LSR) e.opConst(Op.i32_and, 0);
    else e.opConst([Op.i32_shl, Op.i32_shr_u, Op.i32_shr_s, Op.i32_rotr][type], Math.min(amount, 31));
  }
  e.set_local(value);
  return { value, carry };
}

function setCarry(e: ThumbEmitter, carry: number | undefined): void {
  if (carry === undefined || !e.wants(C)) return;
  e.get_local(carry);
  e.set(C);
}

const shiftImmediate =
  (type: number, fixed?: number): Emit =>
  (e, o) => {
    const { value, carry } = shiftWithCarry(e, o[1], type, fixed ?? o[2]);
    e.get_local(value);
    toResult(e, o[0]);
    setCarry(e, carry);
  };

const logicalShifted =
  (name: string): Emit =>
  (e, o) => {
    const { value, carry } = shiftWithCarry(e, o[2], o[3], o[4]);
    e.get(o[1]);
    e.get_local(value);
    results[name](e);
    toResult(e, o[0]);
    setCarry(e, carry);
  };

const testShifted =
  (name: 'and' | 'eor'): Emit =>
  (e, o) => {
    const { value, carry } = shiftWithCarry(e, o[1], o[2], o[3]);
    e.get(o[0]);
    e.get_local(value);
    results[name](e);
    e.setResult();
    setCarry(e, carry);
  };

const sumShifted =
  (name: string): Emit =>
  (e, o) => {
    const { value } = shiftWithCarry(e, o[2], o[3], o[4]);
    operands(
      e,
      () => e.get(o[1]),
      () => e.get_local(value),
    );
    sums[name](e);
    e.get_local(e.result);
    e.set(o[0]);
  };

const compareShifted =
  (name: 'adds' | 'subs'): Emit =>
  (e, o) => {
    const { value } = shiftWithCarry(e, o[1], o[2], o[3]);
    operands(
      e,
      () => e.get(o[0]),
      () => e.get_local(value),
    );
    sums[name](e);
  };

// --- Shifts by a register ------------------------------------------------------------------------------------------

type ByRegister = 'lsl' | 'lsr' | 'asr' | 'ror';

/** The value is left on the stack; x and the amount (0 to 255) in locals. */
function shiftByRegister(e: ThumbEmitter, type: ByRegister, x: number, amount: number): void {
  e.get_local(x);
  e.get_local(amount);
  if (type === 'ror') return e.op(Op.i32_rotr);
  const belowThirtyTwo = () => {
    e.get_local(amount);
    e.opConst(Op.i32_lt_u, 32);
    e.op(Op.select);
  };
  if (type === 'asr') {
    e.const(31);
    belowThirtyTwo();
    return e.op(Op.i32_shr_s);
  }
  e.op(type === 'lsl' ? Op.i32_shl : Op.i32_shr_u);
  e.const(0);
  return belowThirtyTwo();
}

/** The carry for an amount that is not 0. */
function carryByRegister(e: ThumbEmitter, type: ByRegister, x: number, amount: number): void {
  if (type === 'ror') {
    e.get_local(e.result);
    e.opConst(Op.i32_shr_u, 31);
    return;
  }
  e.get_local(x);
  if (type === 'lsl') e.const(32);
  e.get_local(amount);
  if (type === 'lsl') e.op(Op.i32_sub);
  else e.opConst(Op.i32_sub, 1);
  if (type === 'asr') {
    e.const(31);
    e.get_local(amount);
    e.opConst(Op.i32_lt_u, 32);
    e.op(Op.select);
  }
  e.op(Op.i32_shr_u);
  e.opConst(Op.i32_and, 1);
  if (type === 'asr') return;
  e.get_local(amount);
  e.opConst(Op.i32_le_u, 32);
  e.op(Op.i32_and);
}

const byRegister =
  (type: ByRegister, setsFlags: boolean): Emit =>
  (e, o) => {
    const x = e.temporary();
    const amount = e.temporary();
    e.get(o[1]);
    e.set_local(x);
    e.get(o[2]);
    e.opConst(Op.i32_and, 0xff);
    e.set_local(amount);
    shiftByRegister(e, type, x, amount);
    if (!setsFlags) return e.set(o[0]);
    toResult(e, o[0]);
    if (!e.wants(C)) return undefined;
    carryByRegister(e, type, x, amount);
    e.get(C);
    e.get_local(amount);
    e.op(Op.select);
    return e.set(C);
  };

const arithmeticForms = ['imm', 'reg', 'lsl', 'lsr', 'asr', 'ror', 'rrx'];
const rows: [string, Emit][] = [
  ...Object.keys(results).flatMap((name) =>
    arithmeticForms.map((form): [string, Emit] => [`${name}_${form}`, plain(name, form)]),
  ),
  ...arithmeticForms.map((form): [string, Emit] => [`rsb_${form}`, reverseSubtract(form)]),
  ...Object.keys(sums).flatMap((name): [string, Emit][] => [
    [`${name}_imm`, flagged(name, 'imm')],
    [`${name}_reg`, flagged(name, 'reg')],
    [`${name}_shifted`, sumShifted(name)],
  ]),
  ...['and', 'bic', 'orr', 'orn', 'eor'].flatMap((name): [string, Emit][] => [
    [`${name}s_imm`, logicalFlags(name, 'imm')],
    [`${name}s_reg`, logicalFlags(name, 'reg')],
    [`${name}s_shifted`, logicalShifted(name)],
  ]),
  ...(['lsl', 'lsr', 'asr', 'ror'] as const).flatMap((name): [string, Emit][] => [
    [`${name}_reg`, byRegister(name, false)],
    [`${name}s_reg`, byRegister(name, true)],
  ]),
];

const shiftedBy = (op: number): Emit => setPlain((e, o) => shifted(e, op, o, 1));

const not = (e: ThumbEmitter) => e.opConst(Op.i32_xor, -1);

export const dataEmitters: EmitTable = {
  ...(Object.fromEntries(rows) as EmitTable),
  cmp_imm: compared('subs', 'imm'),
  cmp_reg: compared('subs', 'reg'),
  cmn_imm: compared('adds', 'imm'),
  cmn_reg: compared('adds', 'reg'),
  cmp_shifted: compareShifted('subs'),
  cmn_shifted: compareShifted('adds'),
  tst_imm: tested('and', 'imm'),
  tst_reg: tested('and', 'reg'),
  teq_imm: tested('eor', 'imm'),
  teq_reg: tested('eor', 'reg'),
  tst_shifted: testShifted('and'),
  teq_shifted: testShifted('eor'),
  mov_imm: setPlain((e, o) => e.const(o[1])),
  movs_imm: (e, o) => {
    e.const(o[1]);
    toResult(e, o[0]);
    setConstantCarry(e, o[2]);
  },
  mov_reg: (e, o) => {
    e.get(o[1]);
    e.set(o[0]);
    e.derive(o[0], o[1], 0);
  },
  movs_reg: setResult((e, o) => e.get(o[1])),
  mvn_reg: setPlain((e, o) => {
    e.get(o[1]);
    not(e);
  }),
  mvns_reg: setResult((e, o) => {
    e.get(o[1]);
    not(e);
  }),
  mvn_shifted: (e, o) => {
    const { value } = shiftWithCarry(e, o[1], o[2], o[3]);
    e.get_local(value);
    not(e);
    e.set(o[0]);
  },
  mvns_shifted: (e, o) => {
    const { value, carry } = shiftWithCarry(e, o[1], o[2], o[3]);
    e.get_local(value);
    not(e);
    toResult(e, o[0]);
    setCarry(e, carry);
  },
  movt: setPlain((e, o) => {
    e.get(o[0]);
    e.opConst(Op.i32_and, 0xffff);
    e.opConst(Op.i32_or, o[1]);
  }),
  lsl_imm: shiftedBy(Op.i32_shl),
  lsr_imm: shiftedBy(Op.i32_shr_u),
  asr_imm: shiftedBy(Op.i32_shr_s),
  ror_imm: shiftedBy(Op.i32_rotr),
  rrx: setPlain((e, o) => rrx(e, () => e.get(o[1]))),
  lsls_imm: shiftImmediate(Shift.LSL),
  lsrs_imm: shiftImmediate(Shift.LSR),
  asrs_imm: shiftImmediate(Shift.ASR),
  rors_imm: shiftImmediate(Shift.ROR),
  lsrs_32: shiftImmediate(Shift.LSR, 32),
  asrs_32: shiftImmediate(Shift.ASR, 32),
  rrxs: shiftImmediate(Shift.RRX, 1),
  nop: () => undefined,
  it: () => undefined,
};
