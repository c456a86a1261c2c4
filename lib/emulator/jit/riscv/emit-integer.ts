/** RV32I and RV64I without memory and control, and M, of riscv/operations-rv32.ts and -rv64.ts. */
import { Op, Type } from '../wasm';
import {
  constant,
  narrow,
  narrowConstant,
  register,
  test,
  w,
  x,
  type Combine,
  type Emit,
  type EmitTable,
} from './emit-forms';
import type { RiscvEmitter } from './riscv-emitter';

const binary = {
  add: Op.i32_add,
  sub: Op.i32_sub,
  xor: Op.i32_xor,
  or: Op.i32_or,
  and: Op.i32_and,
  sll: Op.i32_shl,
  srl: Op.i32_shr_u,
  sra: Op.i32_shr_s,
  mul: Op.i32_mul,
} as const;
const immediates = { xori: 'xor', ori: 'or', andi: 'and', slli: 'sll', srli: 'srl', srai: 'sra' } as const;
const narrowImmediates = { addiw: 'add', slliw: 'sll', srliw: 'srl', sraiw: 'sra' } as const;

/** sp = rs1 op what follows. */
const stack =
  (op: number): Emit =>
  (e, [, s1, s2]) => {
    e.get(s1);
    e.get(s2);
    e.x(op);
    e.setStackPointer();
  };

const stackConstant = (e: RiscvEmitter, op: number, s1: number, immediate: number): void => {
  e.get(s1);
  e.xConst(op, immediate);
  e.setStackPointer(op === Op.i32_add && s1 === e.stackPointer ? immediate : undefined);
};

// --- M ---------------------------------------------------------------------------------------------------------------

/** The high half of the product of RV32 by one of 64 bits; `signs` are of rs1 and rs2. */
const high32 =
  (signs: readonly [boolean, boolean]): Emit =>
  (e, [d, ...sources]) => {
    sources.forEach((source, i) => {
      e.get(source);
      e.op(signs[i] ? Op.i64_extend_i32_s : Op.i64_extend_i32_u);
    });
    e.op(Op.i64_mul);
    e.const64(32n);
    e.op(Op.i64_shr_u);
    e.op(Op.i32_wrap_i64);
    e.set(d);
  };

/** The same of RV64 by halves of 32 bits: what is negative was taken as 2^64 more. */
const high64 =
  (signs: readonly [boolean, boolean]): Emit =>
  (e, [d, s1, s2]) => {
    const [a, b, p, q] = [e.temporaryX(), e.temporaryX(), e.temporaryX(), e.temporaryX()];
    e.get(s1);
    e.set_local(a);
    e.get(s2);
    e.set_local(b);
    const low = (local: number) => {
      e.get_local(local);
      e.const64(0xffff_ffffn);
      e.op(Op.i64_and);
    };
    const high = (local: number) => {
      e.get_local(local);
      e.const64(32n);
      e.op(Op.i64_shr_u);
    };
    // p = ah * bl + (al * bl >> 32); q = al * bh + low(p)
    high(a);
    low(b);
    e.op(Op.i64_mul);
    low(a);
    low(b);
    e.op(Op.i64_mul);
    e.const64(32n);
    e.op(Op.i64_shr_u);
    e.op(Op.i64_add);
    e.set_local(p);
    low(a);
    high(b);
    e.op(Op.i64_mul);
    low(p);
    e.op(Op.i64_add);
    e.set_local(q);
    high(a);
    high(b);
    e.op(Op.i64_mul);
    high(p);
    e.op(Op.i64_add);
    high(q);
    e.op(Op.i64_add);
    for (const [one, other, isSigned] of [
      [a, b, signs[0]],
      [b, a, signs[1]],
    ] as const) {
      if (!isSigned) continue;
      e.get_local(one);
      e.const64(63n);
      e.op(Op.i64_shr_s);
      e.get_local(other);
      e.op(Op.i64_and);
      e.x(Op.i32_sub);
    }
    e.set(d);
  };

const high =
  (...signs: [boolean, boolean]): Emit =>
  (e, o) =>
    (e.xlen === 32 ? high32(signs) : high64(signs))(e, o);

/**
 * Division as WebAssembly has it, which traps, but for a divisor of 0 (all ones, or the dividend) and for the quotient that
 * overflows: by -1 is the negation. Works on `isWide ? XLEN : 32` bits.
 */
function divide(e: RiscvEmitter, op: number, isWide: boolean, a: number, b: number): void {
  const of = (operation: number) => (isWide ? e.x(operation) : e.op(operation));
  const number = (value: number) => (isWide ? e.constX(value) : e.const(value));
  const type = isWide ? e.type : Type.i32;
  const isQuotient = op === Op.i32_div_s || op === Op.i32_div_u;
  e.get_local(b);
  of(Op.i32_eqz);
  e.open(Op.if, type);
  if (isQuotient) number(-1);
  else e.get_local(a);
  e.else();
  if (op === Op.i32_div_s) {
    e.get_local(b);
    number(-1);
    of(Op.i32_eq);
    e.open(Op.if, type);
    number(0);
    e.get_local(a);
    of(Op.i32_sub);
    e.else();
  }
  e.get_local(a);
  e.get_local(b);
  of(op);
  if (op === Op.i32_div_s) e.close();
  e.close();
}

const division =
  (op: number): Combine =>
  (e) => {
    const [a, b] = [e.temporaryX(), e.temporaryX()];
    e.set_local(b);
    e.set_local(a);
    divide(e, op, true, a, b);
  };

const narrowDivision =
  (op: number): Combine =>
  (e) => {
    const [a, b] = [e.temporary(), e.temporary()];
    e.set_local(b);
    e.set_local(a);
    divide(e, op, false, a, b);
  };

// --- The table -------------------------------------------------------------------------------------------------------

const names = Object.keys(binary) as (keyof typeof binary)[];
const wForms = ['add', 'sub', 'sll', 'srl', 'sra', 'mul'] as const;

export const integerEmitters: EmitTable = {
  ...Object.fromEntries(names.map((name) => [name, register(x(binary[name]))])),
  ...Object.fromEntries(wForms.map((name) => [`${name}w`, narrow(w(binary[name]))])),
  ...Object.fromEntries(Object.entries(immediates).map(([name, of]) => [name, constant(x(binary[of]))])),
  ...Object.fromEntries(Object.entries(narrowImmediates).map(([name, of]) => [name, narrowConstant(w(binary[of]))])),
  nop: () => undefined,
  // Stores find out by themselves that they change code.
  fence_i: () => undefined,
  li: (e, [d, low, high]) => {
    if (e.xlen === 32) e.const(low);
    else e.const64((BigInt(high) << 32n) | BigInt(low >>> 0));
    e.set(d);
  },
  mv: (e, [d, s]) => {
    e.get(s);
    e.set(d);
    e.deriveFrom(d, s, 0);
  },
  addi: (e, [d, s1, immediate]) => {
    e.get(s1);
    e.xConst(Op.i32_add, immediate);
    e.set(d);
    e.deriveFrom(d, s1, immediate);
  },
  slt: register(test(Op.i32_lt_s)),
  sltu: register(test(Op.i32_lt_u)),
  slti: constant(test(Op.i32_lt_s)),
  sltiu: constant(test(Op.i32_lt_u)),
  addi_sp: (e, [s1, immediate]) => {
    stackConstant(e, Op.i32_add, s1, immediate);
    e.deriveFrom(e.stackPointer, s1, immediate);
  },
  andi_sp: (e, [, s1, immediate]) => stackConstant(e, Op.i32_and, s1, immediate),
  add_sp: stack(Op.i32_add),
  sub_sp: stack(Op.i32_sub),
  and_sp: stack(Op.i32_and),
  mulh: high(true, true),
  mulhsu: high(true, false),
  mulhu: high(false, false),
  div: register(division(Op.i32_div_s)),
  divu: register(division(Op.i32_div_u)),
  rem: register(division(Op.i32_rem_s)),
  remu: register(division(Op.i32_rem_u)),
  divw: narrow(narrowDivision(Op.i32_div_s)),
  divuw: narrow(narrowDivision(Op.i32_div_u)),
  remw: narrow(narrowDivision(Op.i32_rem_s)),
  remuw: narrow(narrowDivision(Op.i32_rem_u)),
};
