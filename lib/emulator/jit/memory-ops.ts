/**
 * Guest memory in translated code. A load looks whether its address is in the window, a store at its page's entry of the write
 * table; what that does not allow goes to the slow functions, which do all that the interpreter would do or refuse.
 */
import { Callee, type Emitter, type Window } from './emitter';
import { Op, Type } from './wasm';

/** Bytes, and how a load extends them to a word. */
export interface Width {
  readonly bytes: 1 | 2 | 4;
  readonly load: number;
  readonly store: number;
  /** What loadSlow is asked for: the bytes, negative for a signed one. */
  readonly code: number;
}

export const word: Width = { bytes: 4, load: Op.i32_load, store: Op.i32_store, code: 4 };
export const half: Width = { bytes: 2, load: Op.i32_load16_u, store: Op.i32_store16, code: 2 };
export const byte: Width = { bytes: 1, load: Op.i32_load8_u, store: Op.i32_store8, code: 1 };
export const signedHalf: Width = { ...half, load: Op.i32_load16_s, code: -2 };
export const signedByte: Width = { ...byte, load: Op.i32_load8_s, code: -1 };

/** Leaves in `offset` the address from the window's start and on the stack whether all of the access is inside. */
function inWindow(e: Emitter, window: Window, address: number, offset: number, bytes: number, aligned: number): void {
  e.get_local(address);
  e.opConst(Op.i32_sub, window.start | 0);
  e.tee_local(offset);
  const size = window.end - window.start;
  const shift = aligned === 4 ? 2 : aligned === 2 ? 1 : 0;
  // Rotated, the low bits of an unaligned address make it too great.
  if (shift > 0) e.opConst(Op.i32_rotr, shift);
  e.opConst(Op.i32_lt_u, shift > 0 ? (size - bytes + (1 << shift)) >>> shift : size - bytes + 1);
}

/** The page's entry in `entry`; on the stack 0 when the access is fast. */
function pageEntry(e: Emitter, table: number, address: number, entry: number, bytes: number): void {
  e.get_local(address);
  e.opConst(Op.i32_shr_u, 10);
  e.opConst(Op.i32_and, 0x3ffffc);
  e.memory(Op.i32_load, table);
  e.tee_local(entry);
  if (bytes > 1) {
    e.get_local(address);
    e.op(Op.i32_or);
  }
  e.opConst(Op.i32_and, bytes === 4 ? 3 : 1);
}

function hostAddress(e: Emitter, entry: number, address: number): void {
  e.get_local(entry);
  e.get_local(address);
  e.op(Op.i32_add);
}

/** The value at the address in a local, on the stack. */
export function load(e: Emitter, address: number, width: Width): void {
  const { window } = e.options;
  if (window === undefined) return loadByTable(e, address, width);
  const at = e.temporary();
  inWindow(e, window, address, at, width.bytes, e.options.strictAlignment ? width.bytes : 1);
  e.open(Op.if, Type.i32);
  e.get_local(at);
  e.memory(width.load, window.host);
  e.else();
  loadByTable(e, address, width);
  return e.close();
}

function loadByTable(e: Emitter, address: number, width: Width): void {
  const at = e.temporary();
  const value = e.temporary();
  pageEntry(e, e.options.readTable, address, at, width.bytes);
  e.open(Op.if, Type.i32);
  slowLoad(e, address, 0, width.code);
  e.set_local(value);
  e.leaveIfRefused();
  e.get_local(value);
  e.else();
  hostAddress(e, at, address);
  e.memory(width.load, 0);
  e.close();
}

function slowLoad(e: Emitter, address: number, offset: number, code: number): void {
  e.get_local(address);
  if (offset !== 0) e.opConst(Op.i32_add, offset);
  e.const(code);
  e.call(Callee.loadSlow);
}

/** Stores what is in a local at the address in a local. */
export function store(e: Emitter, address: number, value: number, width: Width): void {
  const entry = e.temporary();
  pageEntry(e, e.options.writeTable, address, entry, width.bytes);
  e.open(Op.if);
  e.get_local(address);
  e.get_local(value);
  e.const(width.bytes);
  e.call(Callee.storeSlow);
  e.leaveIf();
  e.else();
  hostAddress(e, entry, address);
  e.get_local(value);
  e.memory(width.store, 0);
  e.close();
}

/** Like pageEntry(), for words that must be aligned and on one page. */
function blockEntry(e: Emitter, table: number, address: number, entry: number, bytes: number): void {
  pageEntry(e, table, address, entry, 4);
  e.get_local(address);
  e.opConst(Op.i32_and, 0xfff);
  e.opConst(Op.i32_gt_u, 4096 - bytes);
  e.op(Op.i32_or);
}

/** Words from an address, which must be aligned, to locals. */
export function loadWords(e: Emitter, address: number, targets: readonly number[]): void {
  const at = e.temporary();
  const bytes = targets.length * 4;
  const { window } = e.options;
  if (window) {
    inWindow(e, window, address, at, bytes, 4);
  } else {
    blockEntry(e, e.options.readTable, address, at, bytes);
    e.op(Op.i32_eqz);
  }
  e.open(Op.if);
  if (!window) {
    hostAddress(e, at, address);
    e.set_local(at);
  }
  targets.forEach((target, i) => {
    e.get_local(at);
    e.memory(Op.i32_load, (window?.host ?? 0) + 4 * i);
    e.set_local(target);
  });
  e.else();
  e.get_local(address);
  e.opConst(Op.i32_and, 3);
  e.leaveIf();
  targets.forEach((target, i) => {
    slowLoad(e, address, 4 * i, 4);
    e.set_local(target);
    e.leaveIfRefused();
  });
  e.close();
}

/** Words of locals to an address, which must be aligned. */
export function storeWords(e: Emitter, address: number, values: readonly number[]): void {
  const entry = e.temporary();
  const bytes = values.length * 4;
  blockEntry(e, e.options.writeTable, address, entry, bytes);
  e.open(Op.if);
  e.get_local(address);
  e.const(bytes);
  e.call(Callee.probeWrite);
  e.leaveIf();
  values.forEach((value, i) => {
    e.get_local(address);
    if (i > 0) e.opConst(Op.i32_add, 4 * i);
    e.get_local(value);
    e.const(4);
    e.call(Callee.storeSlow);
    e.op(Op.drop);
  });
  e.else();
  hostAddress(e, entry, address);
  e.set_local(entry);
  values.forEach((value, i) => {
    e.get_local(entry);
    e.get_local(value);
    e.memory(Op.i32_store, 4 * i);
  });
  e.close();
}
