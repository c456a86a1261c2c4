/** Conditions and jumps. A `leave` or `callTo` puts its target into the local `pc`. */
import type { OperationName } from '../../riscv/operations';
import { Param } from '../emitter';
import { leaveUnlessCode } from '../shadow-ops';
import { Op } from '../wasm';
import type { Emit } from './emit-forms';
import type { RiscvEmitter } from './riscv-emitter';

/** Comparisons of $1 and $4. */
const comparisons: Partial<Record<OperationName, number>> = {
  beq: Op.i32_eq,
  bne: Op.i32_ne,
  blt: Op.i32_lt_s,
  bge: Op.i32_ge_s,
  bltu: Op.i32_lt_u,
  bgeu: Op.i32_ge_u,
};

/** Leaves not 0 on the stack when the branch is taken; undefined for what is no branch. */
export function condition(operation: OperationName): Emit | undefined {
  const comparison = comparisons[operation];
  if (comparison !== undefined) {
    return (e, [s1, , , s2]) => {
      e.get(s1);
      e.get(s2);
      e.x(comparison);
    };
  }
  if (operation !== 'beqz' && operation !== 'bnez') return undefined;
  return (e, [s1]) => {
    e.get(s1);
    if (operation === 'beqz') e.x(Op.i32_eqz);
    else if (e.xlen === 64) e.xConst(Op.i32_ne, 0);
  };
}

function jumpTo(e: RiscvEmitter, s1: number, offset: number): void {
  const target = e.address(s1, offset);
  e.get_local(target);
  e.opConst(Op.i32_and, -2);
  e.set_local(Param.pc);
  leaveUnlessCode(e, Param.pc);
}

function link(e: RiscvEmitter, d: number, address: number): void {
  if (e.xlen === 32) e.const(address);
  else e.const64(BigInt(address));
  e.set(d);
}

export const jr: Emit = (e, [s1, offset]) => jumpTo(e, s1, offset);

export const jalr: Emit = (e, [s1, offset, next, d]) => {
  jumpTo(e, s1, offset);
  link(e, d, next);
};

export const jalrRa: Emit = (e, [s1, next]) => {
  jumpTo(e, s1, 0);
  link(e, e.returnAddress, next);
};

export const jal: Emit = (e, [, , next, d]) => link(e, d, next);
export const jalRa: Emit = (e, [, , next]) => link(e, e.returnAddress, next);

/** Refused when the register is not what the instruction before has made of it: then something else has led here. */
export function expectConstant(e: RiscvEmitter, s1: number, value: number): void {
  e.get(s1);
  e.xConst(Op.i32_ne, value);
  e.leaveIf();
}
