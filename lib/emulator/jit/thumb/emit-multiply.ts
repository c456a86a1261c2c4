/** Multiply, divide, bit fields, extend and reverse of arm/operations-multiply.ts, as WebAssembly. */
import { Op, Type } from '../wasm';
import { setPlain, setResult, type Emit, type EmitTable } from './emit-forms';
import type { ThumbEmitter } from './thumb-emitter';

/** RdLo, RdHi = Rn * Rm, or added to them. */
const long =
  (extend: number, accumulate: boolean): Emit =>
  (e, o) => {
    const wide = e.local('wide', Type.i64);
    e.get(o[2]);
    e.op(extend);
    e.get(o[3]);
    e.op(extend);
    e.op(Op.i64_mul);
    if (accumulate) {
      e.get(o[0]);
      e.op(Op.i64_extend_i32_u);
      e.get(o[1]);
      e.op(Op.i64_extend_i32_u);
      shiftWide(e, Op.i64_shl);
      e.op(Op.i64_or);
      e.op(Op.i64_add);
    }
    e.tee_local(wide);
    e.op(Op.i32_wrap_i64);
    e.set(o[0]);
    e.get_local(wide);
    shiftWide(e, Op.i64_shr_u);
    e.op(Op.i32_wrap_i64);
    e.set(o[1]);
  };

function shiftWide(e: ThumbEmitter, op: number): void {
  e.op(Op.i64_const);
  e.code.s32(32);
  e.op(op);
}

/** Division by zero is left to the interpreter, which may have to trap. */
const divide =
  (signed: boolean): Emit =>
  (e, o) => {
    e.get(o[2]);
    e.op(Op.i32_eqz);
    e.leaveIf();
    if (signed) {
      divideSigned(e, o);
    } else {
      e.get(o[1]);
      e.get(o[2]);
      e.op(Op.i32_div_u);
    }
    e.set(o[0]);
  };

/** -2^31 / -1 would trap in WebAssembly. */
function divideSigned(e: ThumbEmitter, o: readonly number[]): void {
  e.get(o[2]);
  e.opConst(Op.i32_eq, -1);
  e.open(Op.if, Type.i32);
  e.const(0);
  e.get(o[1]);
  e.op(Op.i32_sub);
  e.else();
  e.get(o[1]);
  e.get(o[2]);
  e.op(Op.i32_div_s);
  e.close();
}

/** Rd = f(Rm): operations with constants, in order. */
const unary =
  (...steps: readonly (number | readonly [op: number, constant: number | 'o2' | 'o3'])[]): Emit =>
  (e, o) => {
    e.get(o[1]);
    for (const step of steps) {
      if (typeof step === 'number') e.op(step);
      else e.opConst(step[0], step[1] === 'o2' ? o[2] : step[1] === 'o3' ? o[3] : step[1]);
    }
    e.set(o[0]);
  };

const multiplyAdd =
  (op: number): Emit =>
  (e, o) => {
    e.get(o[3]);
    e.get(o[1]);
    e.get(o[2]);
    e.op(Op.i32_mul);
    e.op(op);
    e.set(o[0]);
  };

/** Bits of x moved left and right by `shift`, each where the mask has them. */
function exchange(e: ThumbEmitter, x: number, left: number, right: number, shift: number, mask: number): void {
  e.get_local(x);
  e.opConst(right, shift);
  e.opConst(Op.i32_and, mask);
  e.get_local(x);
  e.opConst(left, shift);
  e.opConst(Op.i32_and, ~mask);
  e.op(Op.i32_or);
}

const reversed =
  (steps: readonly (readonly [left: number, right: number, shift: number, mask: number])[]): Emit =>
  (e, o) => {
    const x = e.temporary();
    e.get(o[1]);
    for (const step of steps) {
      e.set_local(x);
      exchange(e, x, ...step);
    }
    e.set(o[0]);
  };

const bytesOfWord = [Op.i32_rotl, Op.i32_rotr, 8, 0xff00ff00] as const;
const bytesOfHalfwords = [Op.i32_shl, Op.i32_shr_u, 8, 0x00ff00ff] as const;
const withinBytes = [1, 2, 4].map(
  (shift) => [Op.i32_shl, Op.i32_shr_u, shift, [0, 0x55555555, 0x33333333, 0, 0x0f0f0f0f][shift]] as const,
);

export const multiplyEmitters: EmitTable = {
  mul: (e, o) => {
    e.get(o[1]);
    e.get(o[2]);
    e.op(Op.i32_mul);
    e.set(o[0]);
  },
  muls: setResult((e, o) => {
    e.get(o[1]);
    e.get(o[2]);
    e.op(Op.i32_mul);
  }),
  mla: multiplyAdd(Op.i32_add),
  mls: multiplyAdd(Op.i32_sub),
  umull: long(Op.i64_extend_i32_u, false),
  smull: long(Op.i64_extend_i32_s, false),
  umlal: long(Op.i64_extend_i32_u, true),
  smlal: long(Op.i64_extend_i32_s, true),
  sdiv: divide(true),
  udiv: divide(false),
  bfc: setPlain((e, o) => {
    e.get(o[0]);
    e.opConst(Op.i32_and, ~o[1]);
  }),
  bfi: setPlain((e, o) => {
    e.get(o[0]);
    e.opConst(Op.i32_and, ~o[3]);
    e.get(o[1]);
    e.opConst(Op.i32_shl, o[2]);
    e.opConst(Op.i32_and, o[3]);
    e.op(Op.i32_or);
  }),
  ubfx: unary([Op.i32_shr_u, 'o2'], [Op.i32_and, 'o3']),
  sbfx: unary([Op.i32_shl, 'o2'], [Op.i32_shr_s, 'o3']),
  sxtb: unary(Op.i32_extend8_s),
  sxth: unary(Op.i32_extend16_s),
  uxtb: unary([Op.i32_and, 0xff]),
  uxth: unary([Op.i32_and, 0xffff]),
  sxtb_ror: unary([Op.i32_rotr, 'o2'], Op.i32_extend8_s),
  sxth_ror: unary([Op.i32_rotr, 'o2'], Op.i32_extend16_s),
  uxtb_ror: unary([Op.i32_rotr, 'o2'], [Op.i32_and, 0xff]),
  uxth_ror: unary([Op.i32_rotr, 'o2'], [Op.i32_and, 0xffff]),
  clz: unary(Op.i32_clz),
  rev: reversed([bytesOfWord]),
  rev16: reversed([bytesOfHalfwords]),
  revsh: setPlain((e, o) => {
    const x = e.temporary();
    e.get(o[1]);
    e.set_local(x);
    exchange(e, x, ...bytesOfHalfwords);
    e.op(Op.i32_extend16_s);
  }),
  rbit: reversed([...withinBytes, bytesOfWord]),
};
