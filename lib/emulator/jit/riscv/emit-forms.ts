/** What the tables of RISC-V emitters are made of. Operand order: $1 rd, $2 rs1, $3 rs2 or immediate. */
import { Op } from '../wasm';
import type { OperationName } from '../../riscv/operations';
import type { RiscvEmitter } from './riscv-emitter';

export type Emit = (e: RiscvEmitter, operands: readonly number[]) => void;
export type EmitTable = Partial<Record<OperationName, Emit>>;
/** What is done with operands on the stack. */
export type Combine = (e: RiscvEmitter) => void;

/** rd = rs1 op rs2. */
export const register =
  (combine: Combine): Emit =>
  (e, [d, s1, s2]) => {
    e.get(s1);
    e.get(s2);
    combine(e);
    e.set(d);
  };

/** rd = rs1 op immediate. */
export const constant =
  (combine: Combine): Emit =>
  (e, [d, s1, immediate]) => {
    e.get(s1);
    e.constX(immediate);
    combine(e);
    e.set(d);
  };

export const unary =
  (combine: Combine): Emit =>
  (e, [d, s1]) => {
    e.get(s1);
    combine(e);
    e.set(d);
  };

/** Of the low 32 bits of both; the result's are sign-extended (the W forms of RV64). */
export const narrow =
  (combine: Combine): Emit =>
  (e, [d, s1, s2]) => {
    e.getLow(s1);
    e.getLow(s2);
    combine(e);
    e.signExtend();
    e.set(d);
  };

export const narrowConstant =
  (combine: Combine): Emit =>
  (e, [d, s1, immediate]) => {
    e.getLow(s1);
    e.const(immediate);
    combine(e);
    e.signExtend();
    e.set(d);
  };

export const narrowUnary =
  (combine: Combine): Emit =>
  (e, [d, s1]) => {
    e.getLow(s1);
    combine(e);
    e.signExtend();
    e.set(d);
  };

/** One operation of XLEN bits. */
export const x =
  (op: number): Combine =>
  (e) =>
    e.x(op);

/** One operation of 32 bits. */
export const w =
  (op: number): Combine =>
  (e) =>
    e.op(op);

/** A comparison: 0 or 1. */
export const test =
  (op: number): Combine =>
  (e) => {
    e.x(op);
    e.zeroExtend();
  };

/** Of two values on the stack the first when `op` holds for them, else the second. */
export const choose =
  (op: number): Combine =>
  (e) => {
    const [a, b] = [e.temporaryX(), e.temporaryX()];
    e.set_local(b);
    e.tee_local(a);
    e.get_local(b);
    e.get_local(a);
    e.get_local(b);
    e.x(op);
    e.op(Op.select);
  };
