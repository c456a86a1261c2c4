/** Zba, Zbb, Zbc and Zbs of riscv/operations-rv32.ts and -rv64.ts. */
import { Op } from '../wasm';
import {
  choose,
  constant,
  narrow,
  narrowConstant,
  narrowUnary,
  register,
  unary,
  w,
  x,
  type Combine,
  type Emit,
  type EmitTable,
} from './emit-forms';
import type { RiscvEmitter } from './riscv-emitter';

/** rd = (rs1 << shift) + rs2; with `isUnsigned` of rs1's low 32 bits. */
const shiftAdd =
  (shift: number, isUnsigned = false): Emit =>
  (e, [d, s1, s2]) => {
    if (isUnsigned) {
      e.getLow(s1);
      e.zeroExtend();
    } else e.get(s1);
    if (shift > 0) e.xConst(Op.i32_shl, shift);
    e.get(s2);
    e.x(Op.i32_add);
    e.set(d);
  };

/** What is on the stack, all bits inverted. */
const invert: Combine = (e) => e.xConst(Op.i32_xor, -1);

const inverted =
  (op: number): Combine =>
  (e) => {
    invert(e);
    e.x(op);
  };

/** 1 << the amount on the stack. */
function bit(e: RiscvEmitter): void {
  const amount = e.temporaryX();
  e.set_local(amount);
  e.constX(1);
  e.get_local(amount);
  e.x(Op.i32_shl);
}

const clearBit: Combine = (e) => {
  bit(e);
  invert(e);
  e.x(Op.i32_and);
};

const withBit =
  (op: number): Combine =>
  (e) => {
    bit(e);
    e.x(op);
  };

const extractBit: Combine = (e) => {
  e.x(Op.i32_shr_u);
  e.xConst(Op.i32_and, 1);
};

/** A mask of bytes, repeated over the register. */
function mask(e: RiscvEmitter, pattern: number): void {
  if (e.xlen === 32) e.const(pattern);
  else e.const64((BigInt(pattern >>> 0) << 32n) | BigInt(pattern >>> 0));
}

/** Each byte that is not 0 becomes 0xff: its top bit by a sum without carries, then a multiplication by 0xff of the lowest. */
const orCombine: Combine = (e) => {
  const value = e.temporaryX();
  e.tee_local(value);
  mask(e, 0x7f7f7f7f);
  e.x(Op.i32_and);
  mask(e, 0x7f7f7f7f);
  e.x(Op.i32_add);
  e.get_local(value);
  e.x(Op.i32_or);
  e.xConst(Op.i32_shr_u, 7);
  mask(e, 0x01010101);
  e.x(Op.i32_and);
  e.xConst(Op.i32_mul, 0xff);
};

/** Halves change places, then their halves, down to bytes. */
const reverseBytes: Combine = (e) => {
  const value = e.temporaryX();
  e.set_local(value);
  const swap = (pattern: bigint, distance: number) => {
    const masked = () => (e.xlen === 32 ? e.const(Number(BigInt.asIntN(32, pattern))) : e.const64(pattern));
    e.get_local(value);
    masked();
    e.x(Op.i32_and);
    e.xConst(Op.i32_shl, distance);
    e.get_local(value);
    e.xConst(Op.i32_shr_u, distance);
    masked();
    e.x(Op.i32_and);
    e.x(Op.i32_or);
    e.set_local(value);
  };
  swap(0x00ff00ff_00ff00ffn, 8);
  if (e.xlen === 64) swap(0x0000ffff_0000ffffn, 16);
  e.get_local(value);
  e.xConst(Op.i32_rotl, e.xlen / 2);
};

/**
 * Products of polynomials over GF(2), bit by bit of rs2. `part` 0 is the low half of the product, 1 the half from bit XLEN on,
 * 2 that from XLEN - 1 on: there the first operand goes to the right instead.
 */
const carryless =
  (part: 0 | 1 | 2): Emit =>
  (e, [d, s1, s2]) => {
    const [result, bits, number] = [e.temporaryX(), e.temporaryX(), e.temporaryX()];
    const first = part === 1 ? 1 : 0;
    e.constX(0);
    e.set_local(result);
    e.get(s2);
    if (first > 0) e.xConst(Op.i32_shr_u, first);
    e.set_local(bits);
    e.constX(first);
    e.set_local(number);
    const loop = e.open(Op.loop);
    // result ^= shifted rs1 & -(lowest bit)
    e.get(s1);
    if (part === 0) {
      e.get_local(number);
      e.x(Op.i32_shl);
    } else {
      // Right by XLEN - number, or one less.
      e.constX(part === 1 ? e.xlen : e.xlen - 1);
      e.get_local(number);
      e.x(Op.i32_sub);
      e.x(Op.i32_shr_u);
    }
    const term = e.temporaryX();
    e.set_local(term);
    e.constX(0);
    e.get_local(bits);
    e.xConst(Op.i32_and, 1);
    e.x(Op.i32_sub);
    e.get_local(term);
    e.x(Op.i32_and);
    e.get_local(result);
    e.x(Op.i32_xor);
    e.set_local(result);
    e.get_local(number);
    e.xConst(Op.i32_add, 1);
    e.set_local(number);
    e.get_local(bits);
    e.xConst(Op.i32_shr_u, 1);
    e.tee_local(bits);
    e.constX(0);
    e.x(Op.i32_ne);
    e.branch(Op.br_if, loop);
    e.close();
    e.get_local(result);
    e.set(d);
  };

const extend =
  (op: number): Combine =>
  (e) =>
    e.op(op);

const halfword: Combine = (e) => e.opConst(Op.i32_and, 0xffff);

export const bitEmitters: EmitTable = {
  sh1add: shiftAdd(1),
  sh2add: shiftAdd(2),
  sh3add: shiftAdd(3),
  add_uw: shiftAdd(0, true),
  sh1add_uw: shiftAdd(1, true),
  sh2add_uw: shiftAdd(2, true),
  sh3add_uw: shiftAdd(3, true),
  slli_uw: (e, [d, s1, shamt]) => {
    e.getLow(s1);
    e.zeroExtend();
    e.xConst(Op.i32_shl, shamt);
    e.set(d);
  },
  andn: register(inverted(Op.i32_and)),
  orn: register(inverted(Op.i32_or)),
  xnor: register(inverted(Op.i32_xor)),
  clz: unary(x(Op.i32_clz)),
  ctz: unary(x(Op.i32_ctz)),
  cpop: unary(x(Op.i32_popcnt)),
  clzw: narrowUnary(w(Op.i32_clz)),
  ctzw: narrowUnary(w(Op.i32_ctz)),
  cpopw: narrowUnary(w(Op.i32_popcnt)),
  max: register(choose(Op.i32_gt_s)),
  maxu: register(choose(Op.i32_gt_u)),
  min: register(choose(Op.i32_lt_s)),
  minu: register(choose(Op.i32_lt_u)),
  sext_b: narrowUnary(extend(Op.i32_extend8_s)),
  sext_h: narrowUnary(extend(Op.i32_extend16_s)),
  zext_h: narrowUnary(halfword),
  rol: register(x(Op.i32_rotl)),
  ror: register(x(Op.i32_rotr)),
  rori: constant(x(Op.i32_rotr)),
  rolw: narrow(w(Op.i32_rotl)),
  rorw: narrow(w(Op.i32_rotr)),
  roriw: narrowConstant(w(Op.i32_rotr)),
  orc_b: unary(orCombine),
  rev8: unary(reverseBytes),
  clmul: carryless(0),
  clmulh: carryless(1),
  clmulr: carryless(2),
  bclr: register(clearBit),
  bext: register(extractBit),
  binv: register(withBit(Op.i32_xor)),
  bset: register(withBit(Op.i32_or)),
  bclri: constant(clearBit),
  bexti: constant(extractBit),
  binvi: constant(withBit(Op.i32_xor)),
  bseti: constant(withBit(Op.i32_or)),
};
