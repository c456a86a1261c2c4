/**
 * The emitter for harts: registers of 32 or 64 bits in locals of that width, x0 as the constant 0, and the checks of sp and of
 * addresses. The operands of the emitters are those of riscv/operations-rv32.ts and -rv64.ts: words of the state, where a
 * register of RV64 is a pair. An operation is named by its form for 32 bits; x() takes the form that the registers need.
 */
import { State } from '../../riscv/state';
import { Emitter, type EmitterOptions } from '../emitter';
import { LIMIT } from '../layout';
import { moveStack, setStack } from '../shadow-ops';
import { Op, Type } from '../wasm';

/** From the code of a 32-bit operation to that of its 64-bit form: core specification 5.4.6, in the same order. */
function wideForm(op: number): number {
  if (op >= Op.i32_eqz && op <= Op.i32_ge_u) return op + 0x0b;
  if (op >= Op.i32_clz && op <= Op.i32_rotr) return op + 0x12;
  throw new Error(`operation 0x${op.toString(16)} has no 64-bit form here`);
}

export class RiscvEmitter extends Emitter {
  /** Type of a register's local. */
  readonly type: number;
  private readonly shift: 0 | 1;

  constructor(
    options: EmitterOptions,
    readonly xlen: 32 | 64,
    /** Singles in registers of 64 bits are NaN-boxed, and what is not is the canonical NaN. */
    readonly boxesSingles: boolean,
  ) {
    const type = xlen === 32 ? Type.i32 : Type.i64;
    // Code has no mode: word 0 is that of x0 and stays 0.
    super(options, 0, type);
    this.type = type;
    this.shift = xlen === 32 ? 0 : 1;
  }

  // What one block knows of another: nothing.
  enterBlock(): void {
    return undefined;
  }

  endBlock(): void {
    return undefined;
  }

  // --- Registers -----------------------------------------------------------------------------------------------------

  override get(word: number): void {
    if (word === 0) this.constX(0);
    else super.get(word >> this.shift);
  }

  override set(word: number): void {
    if (word === State.sink) this.op(Op.drop);
    else super.set(word >> this.shift);
  }

  /** After set(): accesses from both may share a check. Those of RV64 do not. */
  deriveFrom(word: number, from: number, offset: number): void {
    if (this.xlen === 32 && word !== State.sink && from !== 0) this.derive(word, from, offset);
  }

  /** The low 32 bits. */
  getLow(word: number): void {
    if (word === 0) return this.const(0);
    this.get(word);
    this.toLow();
  }

  get stackPointer(): number {
    return 2 << this.shift;
  }

  get returnAddress(): number {
    return 1 << this.shift;
  }

  // --- Operations of XLEN bits -------------------------------------------------------------------------------------

  x(op: number): void {
    this.op(this.xlen === 32 ? op : wideForm(op));
  }

  constX(value: number): void {
    if (this.xlen === 32) this.const(value);
    else this.const64(BigInt(value));
  }

  /** `x op value` of the x on the stack. */
  xConst(op: number, value: number): void {
    this.constX(value);
    this.x(op);
  }

  /** A register's value becomes its low 32 bits. */
  toLow(): void {
    if (this.xlen === 64) this.op(Op.i32_wrap_i64);
  }

  /** A 32-bit value becomes a register's. */
  signExtend(): void {
    if (this.xlen === 64) this.op(Op.i64_extend_i32_s);
  }

  zeroExtend(): void {
    if (this.xlen === 64) this.op(Op.i64_extend_i32_u);
  }

  temporaryX(): number {
    return this.temporary(this.type);
  }

  // --- Checks ------------------------------------------------------------------------------------------------------

  /** rs1 + offset as a 32-bit number in a local. There is no memory above 4 GiB: refused when it has more bits. */
  address(word: number, offset: number): number {
    const address = this.temporary();
    this.get(word);
    if (offset !== 0) this.xConst(Op.i32_add, offset);
    if (this.xlen === 64) {
      const sum = this.temporaryX();
      this.tee_local(sum);
      this.const64(32n);
      this.op(Op.i64_shr_u);
      this.op(Op.i32_wrap_i64);
      this.leaveIf();
      this.get_local(sum);
      this.op(Op.i32_wrap_i64);
    }
    this.set_local(address);
    return address;
  }

  /** Takes what sp is to become from the stack; refused when it would be below the limit. */
  setStackPointer(change?: number): void {
    const value = this.temporaryX();
    this.tee_local(value);
    this.toLow();
    this.const(0);
    this.memory(Op.i32_load, LIMIT);
    this.op(Op.i32_lt_u);
    this.leaveIf();
    if (this.options.shadow !== undefined) this.moveShadow(value, change);
    this.get_local(value);
    this.set(this.stackPointer);
  }

  /** The shadow follows the stack pointer, which changes by a constant, or becomes the value in a local. */
  private moveShadow(value: number, change: number | undefined): void {
    const sp = this.temporary();
    this.getLow(this.stackPointer);
    this.set_local(sp);
    if (change !== undefined) return moveStack(this, sp, change);
    const next = this.temporary();
    this.get_local(value);
    this.toLow();
    this.set_local(next);
    return setStack(this, sp, next);
  }

  // --- State that is not in locals -----------------------------------------------------------------------------------

  loadState(word: number, op: number = Op.i32_load): void {
    this.const(0);
    this.memory(op, 4 * word);
  }

  storeState(word: number, value: () => void, op: number = Op.i32_store): void {
    this.const(0);
    value();
    this.memory(op, 4 * word);
  }
}
