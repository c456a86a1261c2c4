/**
 * Loads, stores, atomics, and what moves floating-point registers without arithmetic. The state has those registers in its words,
 * not in locals. Of stores $1 is rs2, $2 rs1, $3 the offset. Doublewords and atomics are done where the page allows it and
 * the address is aligned; the interpreter does the others.
 */
import { Mstatus, State } from '../../riscv/state';
import { Callee } from '../emitter';
import {
  byte,
  half,
  hostAddress,
  load,
  loadAt,
  loadEntry,
  signedByte,
  signedHalf,
  slowLoad,
  store,
  storeAt,
  word,
  type Width,
} from '../memory-ops';
import { guestLoad, guestStore, leaveIfUnreadable } from '../shadow-ops';
import { Op, Type } from '../wasm';
import type { Combine, Emit, EmitTable } from './emit-forms';
import type { RiscvEmitter } from './riscv-emitter';

const isSigned = ({ code }: Width) => code < 0;

/** Addresses of RV32 are registers: accesses may share their check. Those of RV64 are checked for their upper half first. */
const mayShare = (e: RiscvEmitter, s1: number): boolean => e.xlen === 32 && s1 !== 0;

function loadFrom(e: RiscvEmitter, s1: number, offset: number, width: Width): void {
  if (mayShare(e, s1)) loadAt(e, s1, offset, width);
  else load(e, e.address(s1, offset), width);
}

function storeTo(e: RiscvEmitter, s1: number, offset: number, value: number, width: Width): void {
  if (mayShare(e, s1)) storeAt(e, s1, offset, value, width);
  else store(e, e.address(s1, offset), value, width);
}

/** `extension` of the value that was loaded, which memory-ops has extended to 32 bits. */
const loads =
  (width: Width, extension: 'sign' | 'zero' = isSigned(width) ? 'sign' : 'zero'): Emit =>
  (e, [d, s1, offset]) => {
    loadFrom(e, s1, offset, width);
    if (extension === 'sign') e.signExtend();
    else e.zeroExtend();
    e.set(d);
  };

const stores =
  (width: Width): Emit =>
  (e, [s2, s1, offset]) => {
    const value = e.temporary();
    e.getLow(s2);
    e.set_local(value);
    storeTo(e, s1, offset, value, width);
  };

/** Where an aligned access of a page without slow bit goes in the host, on the stack and in the local; else the region is left. */
function reach(e: RiscvEmitter, table: number, address: number, bytes: number): number {
  const at = e.temporary();
  loadEntry(e, table, address);
  e.tee_local(at);
  e.get_local(address);
  e.op(Op.i32_or);
  e.opConst(Op.i32_and, bytes - 1);
  e.leaveIfUnchecked();
  e.get_local(at);
  e.get_local(address);
  e.op(Op.i32_add);
  e.tee_local(at);
  return at;
}

const loadDouble: Emit = (e, [d, s1, offset]) => {
  const address = e.address(s1, offset);
  if (e.isSlow) loadDoubleSlowly(e, address);
  else {
    reach(e, e.options.readTable, address, 8);
    guestLoad(e, Op.i64_load, 0, 8);
  }
  e.set(d);
};

const storeDouble: Emit = (e, [s2, s1, offset]) => {
  const address = e.address(s1, offset);
  if (e.isSlow) return storeDoubleSlowly(e, address, s2);
  reach(e, e.options.writeTable, address, 8);
  return guestStore(e, Op.i64_store, 0, 8, () => e.get(s2));
};

/** By the page's entry, or as two words by the slow functions; what is not aligned is the interpreter's. */
function loadDoubleSlowly(e: RiscvEmitter, address: number): void {
  const entry = e.temporary();
  const [low, high] = [e.temporary(), e.temporary()];
  leaveIfUnaligned(e, address);
  loadEntry(e, e.options.readTable, address);
  e.tee_local(entry);
  e.opConst(Op.i32_and, 1);
  e.open(Op.if, Type.i64);
  [low, high].forEach((half, i) => {
    slowLoad(e, address, 4 * i, 4);
    e.set_local(half);
    e.leaveIfRefused();
  });
  e.get_local(high);
  e.zeroExtend();
  e.const64(32n);
  e.op(Op.i64_shl);
  e.get_local(low);
  e.zeroExtend();
  e.x(Op.i32_or);
  e.else();
  hostAddress(e, entry, address);
  guestLoad(e, Op.i64_load, 0, 8);
  e.close();
}

function storeDoubleSlowly(e: RiscvEmitter, address: number, s2: number): void {
  const entry = e.temporary();
  leaveIfUnaligned(e, address);
  loadEntry(e, e.options.writeTable, address);
  e.tee_local(entry);
  e.opConst(Op.i32_and, 1);
  e.open(Op.if);
  e.get_local(address);
  e.const(8);
  e.call(Callee.probeWrite);
  e.leaveIf();
  for (const at of [0, 4]) {
    e.get_local(address);
    e.opConst(Op.i32_add, at);
    e.get(s2);
    e.const64(BigInt(8 * at));
    e.op(Op.i64_shr_u);
    e.toLow();
    e.const(4);
    e.call(Callee.storeSlow);
    e.op(Op.drop);
  }
  e.else();
  hostAddress(e, entry, address);
  guestStore(e, Op.i64_store, 0, 8, () => e.get(s2));
  e.close();
}

function leaveIfUnaligned(e: RiscvEmitter, address: number): void {
  e.get_local(address);
  e.opConst(Op.i32_and, 7);
  e.leaveIf();
}

// --- Atomics -----------------------------------------------------------------------------------------------------

/** An access of 32 or 64 bits. */
interface Size {
  readonly bytes: 4 | 8;
  readonly type: number;
  readonly load: number;
  readonly store: number;
}
const single: Size = { bytes: 4, type: Type.i32, load: Op.i32_load, store: Op.i32_store };
const double: Size = { bytes: 8, type: Type.i64, load: Op.i64_load, store: Op.i64_store };

/** Takes a value of that size from the stack. */
function setSized(e: RiscvEmitter, d: number, size: Size): void {
  if (size === single) e.signExtend();
  e.set(d);
}

/** rd = the old value; memory becomes what `combine` makes of that (the first local) and rs2. */
const exchange =
  (size: Size, combine: (e: RiscvEmitter, old: number, operand: number, of: (op: number) => void) => void): Emit =>
  (e, [d, s1, s2]) => {
    const at = reach(e, e.options.writeTable, e.address(s1, 0), size.bytes);
    const [old, operand] = [e.temporary(size.type), e.temporary(size.type)];
    e.memory(size.load, 0);
    e.set_local(old);
    if (size === single) e.getLow(s2);
    else e.get(s2);
    e.set_local(operand);
    e.get_local(at);
    combine(e, old, operand, (op) => (size === single ? e.op(op) : e.x(op)));
    e.memory(size.store, 0);
    e.get_local(old);
    setSized(e, d, size);
  };

const operation = (op: number) => (e: RiscvEmitter, old: number, operand: number, of: (op: number) => void) => {
  e.get_local(old);
  e.get_local(operand);
  of(op);
};

const chosen = (op: number) => (e: RiscvEmitter, old: number, operand: number, of: (op: number) => void) => {
  e.get_local(old);
  e.get_local(operand);
  operation(op)(e, old, operand, of);
  e.op(Op.select);
};

const amos = {
  amoswap: (e: RiscvEmitter, _: number, operand: number) => e.get_local(operand),
  amoadd: operation(Op.i32_add),
  amoxor: operation(Op.i32_xor),
  amoand: operation(Op.i32_and),
  amoor: operation(Op.i32_or),
  amomin: chosen(Op.i32_lt_s),
  amomax: chosen(Op.i32_gt_s),
  amominu: chosen(Op.i32_lt_u),
  amomaxu: chosen(Op.i32_gt_u),
} as const;

const loadReserved =
  (size: Size): Emit =>
  (e, [d, s1]) => {
    const address = e.address(s1, 0);
    const value = e.temporary(size.type);
    reach(e, e.options.readTable, address, size.bytes);
    e.memory(size.load, 0);
    e.set_local(value);
    e.storeState(State.reservedSize, () => e.const(size.bytes));
    e.storeState(State.reservedAddress, () => e.get_local(address));
    const wide = () => {
      e.get_local(value);
      if (size === single) e.op(Op.i64_extend_i32_s);
    };
    e.storeState(State.reservedValue, wide, Op.i64_store);
    e.get_local(value);
    setSized(e, d, size);
  };

/** Stores when the reservation is for this address and what was read is still there. rd = 0, or 1 when it does not. */
const storeConditional =
  (size: Size): Emit =>
  (e, [d, s1, s2]) => {
    const address = e.address(s1, 0);
    const at = reach(e, e.options.writeTable, address, size.bytes);
    const kept = e.temporary();
    e.memory(size.load, 0);
    e.loadState(State.reservedValue, size.load);
    e.op(size === single ? Op.i32_eq : Op.i64_eq);
    e.loadState(State.reservedAddress);
    e.get_local(address);
    e.op(Op.i32_eq);
    e.op(Op.i32_and);
    e.loadState(State.reservedSize);
    e.opConst(Op.i32_ge_s, size.bytes);
    e.op(Op.i32_and);
    e.tee_local(kept);
    e.open(Op.if);
    e.get_local(at);
    if (size === single) e.getLow(s2);
    else e.get(s2);
    e.memory(size.store, 0);
    e.close();
    e.storeState(State.reservedSize, () => e.const(0));
    e.get_local(kept);
    e.op(Op.i32_eqz);
    e.zeroExtend();
    e.set(d);
  };

// --- Floating-point registers --------------------------------------------------------------------------------------

/** What csr.markFloatDirty() does. */
function markDirty(e: RiscvEmitter): void {
  e.storeState(State.mstatus, () => {
    e.loadState(State.mstatus);
    e.opConst(Op.i32_or, Mstatus.FS);
  });
}

/** fd = the 32 bits, boxed. */
function setSingle(e: RiscvEmitter, f: number, value: () => void): void {
  e.storeState(f, value);
  e.storeState(f + 1, () => e.const(-1));
  markDirty(e);
}

function setDouble(e: RiscvEmitter, f: number, value: () => void): void {
  e.storeState(f, value, Op.i64_store);
  markDirty(e);
}

/** The 32 bits of a register, or the canonical NaN when it holds no single. */
function getSingle(e: RiscvEmitter, f: number): void {
  e.loadState(f);
  if (!e.boxesSingles) return;
  e.const(0x7fc00000);
  e.loadState(f + 1);
  e.opConst(Op.i32_eq, -1);
  e.op(Op.select);
}

/** FSGNJ, FSGNJN, FSGNJX: rs1 with the sign of rs2, the opposite, or both signs' exclusive or. */
const injectSingle =
  (change: Combine): Emit =>
  (e, [d, s1, s2]) =>
    setSingle(e, d, () => {
      getSingle(e, s1);
      getSingle(e, s2);
      change(e);
    });

/** a, b -> a with the sign bit of b, of `width` bits; with `flips` of its opposite. */
const withSign =
  (width: 32 | 64, flips: boolean): Combine =>
  (e) => {
    const is32 = width === 32;
    const sign = e.temporary(is32 ? Type.i32 : Type.i64);
    const top = is32 ? () => e.const(1 << 31) : () => e.const64(1n << 63n);
    const all = is32 ? () => e.const(-1) : () => e.const64(-1n);
    const rest = is32 ? () => e.const(0x7fffffff) : () => e.const64((1n << 63n) - 1n);
    const [and, or, xor] = is32 ? [Op.i32_and, Op.i32_or, Op.i32_xor] : [Op.i64_and, Op.i64_or, Op.i64_xor];
    if (flips) {
      all();
      e.op(xor);
    }
    top();
    e.op(and);
    e.set_local(sign);
    rest();
    e.op(and);
    e.get_local(sign);
    e.op(or);
  };

const xorSign =
  (width: 32 | 64): Combine =>
  (e) => {
    if (width === 32) e.const(1 << 31);
    else e.const64(1n << 63n);
    e.op(width === 32 ? Op.i32_and : Op.i64_and);
    e.op(width === 32 ? Op.i32_xor : Op.i64_xor);
  };

const injectDouble =
  (change: Combine): Emit =>
  (e, [d, s1, s2]) =>
    setDouble(e, d, () => {
      e.loadState(s1, Op.i64_load);
      e.loadState(s2, Op.i64_load);
      change(e);
    });

export const memoryEmitters: EmitTable = {
  lb: loads(signedByte),
  lh: loads(signedHalf),
  lw: loads(word, 'sign'),
  lbu: loads(byte),
  lhu: loads(half),
  lwu: loads(word),
  ld: loadDouble,
  sb: stores(byte),
  sh: stores(half),
  sw: stores(word),
  sd: storeDouble,
  ...Object.fromEntries(
    Object.entries(amos).flatMap(([name, combine]) => [
      [`${name}_w`, exchange(single, combine)],
      [`${name}_d`, exchange(double, combine)],
    ]),
  ),
  lr_w: loadReserved(single),
  lr_d: loadReserved(double),
  sc_w: storeConditional(single),
  sc_d: storeConditional(double),
  flw: (e, [f, s1, offset]) => {
    const value = e.temporary();
    loadFrom(e, s1, offset, word);
    e.set_local(value);
    setSingle(e, f, () => e.get_local(value));
  },
  fsw: (e, [f, s1, offset]) => {
    const value = e.temporary();
    e.loadState(f);
    e.set_local(value);
    storeTo(e, s1, offset, value, word);
  },
  fld: (e, [f, s1, offset]) => {
    const at = reach(e, e.options.readTable, e.address(s1, offset), 8);
    e.op(Op.drop);
    leaveIfUnreadable(e, at, 0, 8);
    setDouble(e, f, () => {
      e.get_local(at);
      e.memory(Op.i64_load, 0);
    });
  },
  fsd: (e, [f, s1, offset]) => {
    reach(e, e.options.writeTable, e.address(s1, offset), 8);
    guestStore(e, Op.i64_store, 0, 8, () => e.loadState(f, Op.i64_load));
  },
  fmv_x_w: (e, [d, f]) => {
    e.loadState(f);
    e.signExtend();
    e.set(d);
  },
  fmv_w_x: (e, [f, s1]) => setSingle(e, f, () => e.getLow(s1)),
  fmv_x_d: (e, [d, f]) => {
    e.loadState(f, Op.i64_load);
    e.set(d);
  },
  fmv_d_x: (e, [f, s1]) => setDouble(e, f, () => e.get(s1)),
  fsgnj_s: injectSingle(withSign(32, false)),
  fsgnjn_s: injectSingle(withSign(32, true)),
  fsgnjx_s: injectSingle(xorSign(32)),
  fsgnj_d: injectDouble(withSign(64, false)),
  fsgnjn_d: injectDouble(withSign(64, true)),
  fsgnjx_d: injectDouble(xorSign(64)),
};
