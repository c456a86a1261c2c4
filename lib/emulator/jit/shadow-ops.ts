/**
 * Memory safety in translated code: the flags of the bytes of an access (safety/shadow.ts) lie at a constant distance behind them. What
 * a flag speaks against leaves the region before the instruction; the careful interpreter tells why, or goes on with undefined bits.
 * Nothing here is emitted while there is no shadow.
 */
import { loadFlags, Shadow, storeFlags } from '../safety/shadow';
import type { Emitter } from './emitter';
import { Op } from './wasm';

/** Where the shadow is, and the stack whose growth it follows. */
export interface ShadowPlan {
  readonly distance: number;
  readonly stackStart: number;
  readonly stackEnd: number;
  /** Flags that are looked at besides: whose data it is tells the interpreter only. */
  readonly others: number;
}

type Part = readonly [offset: number, bytes: 1 | 2 | 4];

const partsOf = (bytes: number): readonly Part[] =>
  bytes < 4 ? [[0, bytes as 1 | 2]] : Array.from({ length: bytes / 4 }, (_, i): Part => [4 * i, 4]);
const repeated = (flags: number, bytes: number): number =>
  (flags * (bytes === 1 ? 1 : bytes === 2 ? 0x101 : 0x1010101)) | 0;
const loadOf = { 1: Op.i32_load8_u, 2: Op.i32_load16_u, 4: Op.i32_load } as const;
const storeOf = { 1: Op.i32_store8, 2: Op.i32_store16, 4: Op.i32_store } as const;

/** Leaves when any of the bytes at the host address in a local, plus `offset`, has one of the flags. */
function leaveIfFlagged(e: Emitter, host: number, offset: number, bytes: number, flags: number): void {
  const { shadow } = e.options;
  if (shadow === undefined) return;
  partsOf(bytes).forEach(([at, size], i) => {
    e.get_local(host);
    e.memory(loadOf[size], offset + at + shadow.distance);
    if (i > 0) e.op(Op.i32_or);
  });
  e.opConst(Op.i32_and, repeated(flags | shadow.others, bytes));
  e.leaveIfUnchecked();
}

export const leaveIfUnreadable = (e: Emitter, host: number, offset: number, bytes: number): void =>
  leaveIfFlagged(e, host, offset, bytes, loadFlags);

export const leaveIfUnwritable = (e: Emitter, host: number, offset: number, bytes: number): void =>
  leaveIfFlagged(e, host, offset, bytes, storeFlags);

/** The bytes are written now, by values without undefined bits. */
export function markWritten(e: Emitter, host: number, offset: number, bytes: number): void {
  const { shadow } = e.options;
  if (shadow === undefined) return;
  for (const [at, size] of partsOf(bytes)) {
    e.get_local(host);
    e.const(0);
    e.memory(storeOf[size], offset + at + shadow.distance);
  }
}

/** The value at the host address on the stack plus `offset`, checked. */
export function guestLoad(e: Emitter, opcode: number, offset: number, bytes: number): void {
  if (e.options.shadow !== undefined) {
    const host = e.temporary();
    e.set_local(host);
    leaveIfUnreadable(e, host, offset, bytes);
    e.get_local(host);
  }
  e.memory(opcode, offset);
}

/** Stores what `value` leaves on the stack at the host address on the stack plus `offset`, checked. */
export function guestStore(e: Emitter, opcode: number, offset: number, bytes: number, value: () => void): void {
  if (e.options.shadow === undefined) {
    value();
    e.memory(opcode, offset);
    return;
  }
  const host = e.temporary();
  e.set_local(host);
  leaveIfUnwritable(e, host, offset, bytes);
  e.get_local(host);
  value();
  e.memory(opcode, offset);
  markWritten(e, host, offset, bytes);
}

// --- The stack ---------------------------------------------------------------------------------------------------------

const lowered = Shadow.unwritten;
const raised = Shadow.unwritten | Shadow.foreign;
/** Longer areas are filled by one instruction. */
const longest = 64;

/** Offset, from an address less the window's start, of its flags in the host. */
function flagsOffset(e: Emitter): number {
  const { shadow, window } = e.options;
  return ((window?.host ?? 0) + (shadow?.distance ?? 0)) >>> 0;
}

/** Leaves unless the address in the local and `bytes` from there on are on the stack. */
function leaveUnlessOnStack(e: Emitter, address: number, bytes: number): void {
  const { shadow } = e.options;
  if (shadow === undefined) return;
  e.get_local(address);
  e.opConst(Op.i32_sub, shadow.stackStart | 0);
  e.opConst(Op.i32_gt_u, shadow.stackEnd - shadow.stackStart - bytes);
  e.leaveIf();
}

/** memory.fill of the flags of the area that begins at the address in a local; the length is what `length` leaves. */
function fill(e: Emitter, address: number, flags: number, length: () => void): void {
  e.get_local(address);
  e.opConst(Op.i32_add, (flagsOffset(e) - (e.options.window?.start ?? 0)) | 0);
  e.const(flags);
  length();
  for (const byte of [0xfc, 0x0b, 0x00]) e.op(byte);
}

/**
 * The stack pointer, whose value is in the local, is about to change by a constant: what comes to be above it was never
 * written, what comes to be below it is nobody's. Before the access of an instruction that lowers it, behind that of one that raises it.
 */
export function moveStack(e: Emitter, sp: number, change: number): void {
  const { shadow, window } = e.options;
  if (shadow === undefined || change === 0) return;
  const length = Math.abs(change);
  let first = sp;
  if (change < 0) {
    first = e.temporary();
    e.get_local(sp);
    e.opConst(Op.i32_add, change);
    e.set_local(first);
  }
  leaveUnlessOnStack(e, first, length);
  const flags = change < 0 ? lowered : raised;
  if (length > longest || length % 4 !== 0) {
    fill(e, first, flags, () => e.const(length));
    return;
  }
  const at = e.temporary();
  e.get_local(first);
  e.opConst(Op.i32_sub, (window?.start ?? 0) | 0);
  e.set_local(at);
  const word = BigInt(repeated(flags, 4));
  for (let done = 0; done < length; done += 8) {
    e.get_local(at);
    if (length - done >= 8) {
      e.const64((word << 32n) | word);
      e.memory(Op.i64_store, flagsOffset(e) + done);
    } else {
      e.const(Number(word));
      e.memory(Op.i32_store, flagsOffset(e) + done);
    }
  }
}

/** The same to the value in another local. */
export function setStack(e: Emitter, sp: number, next: number): void {
  if (e.options.shadow === undefined) return;
  leaveUnlessOnStack(e, sp, 0);
  leaveUnlessOnStack(e, next, 0);
  const difference = (from: number, to: number) => (): void => {
    e.get_local(to);
    e.get_local(from);
    e.op(Op.i32_sub);
  };
  e.get_local(next);
  e.get_local(sp);
  e.op(Op.i32_lt_u);
  e.open(Op.if);
  fill(e, next, lowered, difference(next, sp));
  e.else();
  fill(e, sp, raised, difference(sp, next));
  e.close();
}

// --- Jumps ---------------------------------------------------------------------------------------------------------------

/** Leaves when what lies at the address in the local, with or without bit 0, is no code. */
export function leaveUnlessCode(e: Emitter, target: number): void {
  const { shadow, readTable } = e.options;
  if (shadow === undefined) return;
  const page = e.temporary();
  e.get_local(target);
  e.opConst(Op.i32_shr_u, 10);
  e.opConst(Op.i32_and, 0x3ffffc);
  e.memory(Op.i32_load, readTable);
  e.opConst(Op.i32_and, -4096);
  e.tee_local(page);
  e.op(Op.i32_eqz);
  e.leaveIf();
  e.get_local(page);
  e.get_local(target);
  e.opConst(Op.i32_and, -2);
  e.op(Op.i32_add);
  e.memory(Op.i32_load8_u, shadow.distance);
  e.opConst(Op.i32_and, Shadow.executable);
  e.op(Op.i32_eqz);
  e.leaveIf();
}
