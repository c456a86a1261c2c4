/**
 * Guest memory in translated code. A load looks whether its address is in the window, else, as a store does, at the entry of its
 * page. What that does not let through leaves the region, since a call in the middle of it would cost all registers
 * whether it is made or not; only where the dispatcher has seen that happen often (`isSlow`) the slow functions are
 * called, which do all that the interpreter would do or refuse. Accesses at a constant distance from a register share
 * their check: see access-plan.ts.
 */
import type { Group, PlannedAccess } from './access-plan';
import { Callee, type Emitter } from './emitter';
import { guestLoad, guestStore, leaveIfUnreadable, leaveIfUnwritable, markWritten } from './shadow-ops';
import { Op, Type } from './wasm';
import type { Range, Window } from './window';

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

// --- Checks ----------------------------------------------------------------------------------------------------------

/** Leaves in `offset` the address from the range's start and on the stack whether all of the access is inside. */
function inRange(e: Emitter, range: Range, address: number, offset: number, bytes: number, aligned: number): void {
  e.get_local(address);
  e.opConst(Op.i32_sub, range.start | 0);
  e.tee_local(offset);
  const size = range.end - range.start;
  const shift = aligned === 4 ? 2 : aligned === 2 ? 1 : 0;
  // Rotated, the low bits of an unaligned address make it too great.
  if (shift > 0) e.opConst(Op.i32_rotr, shift);
  e.opConst(Op.i32_lt_u, shift > 0 ? (size - bytes + (1 << shift)) >>> shift : size - bytes + 1);
}

/** Where `range` of the window lies in the host. */
const hostOf = (window: Window, range: Range): number => window.host + range.start - window.start;

interface WindowPart {
  readonly range: Range;
  readonly host: number;
}

/** Where an access that may be anywhere is looked for before the tables: where most data are first, the stack behind a gap then. */
function partsOf(window: Window | undefined): readonly WindowPart[] {
  if (window === undefined) return [];
  const { stack, elsewhere } = window;
  const ranges = elsewhere.start <= stack.start && stack.end <= elsewhere.end ? [elsewhere] : [elsewhere, stack];
  return ranges.map((range) => ({ range, host: hostOf(window, range) }));
}

/** The page's entry with its low bit inverted: host delta, bit 0 set when the page is slow. */
export function loadEntry(e: Emitter, table: number, address: number): void {
  loadRawEntry(e, table, address, 0);
  e.opConst(Op.i32_xor, 1);
}

/** Loads the entry of the page that `offset` behind the address is on. */
function loadRawEntry(e: Emitter, table: number, address: number, offset: number): void {
  e.get_local(address);
  if (offset !== 0) e.opConst(Op.i32_add, offset);
  e.opConst(Op.i32_shr_u, 10);
  e.opConst(Op.i32_and, 0x3ffffc);
  e.memory(Op.i32_load, table);
}

/** The page's entry in `entry`; on the stack 0 when the access is fast. */
function pageEntry(e: Emitter, table: number, address: number, entry: number, bytes: number): void {
  loadEntry(e, table, address);
  e.tee_local(entry);
  if (bytes > 1) {
    e.get_local(address);
    e.op(Op.i32_or);
  }
  e.opConst(Op.i32_and, bytes === 4 ? 3 : 1);
}

/** The same for accesses within so many bytes: they may be on two pages when those are neighbours in the host too. */
function pageEntries(e: Emitter, table: number, address: number, entry: number, span: number, aligned: boolean): void {
  loadEntry(e, table, address);
  e.tee_local(entry);
  if (aligned) {
    e.get_local(address);
    e.op(Op.i32_or);
  }
  e.opConst(Op.i32_and, aligned ? 3 : 1);
  e.get_local(entry);
  loadRawEntry(e, table, address, span - 1);
  e.opConst(Op.i32_xor, 1);
  e.op(Op.i32_ne);
  e.op(Op.i32_or);
}

export function hostAddress(e: Emitter, entry: number, address: number): void {
  e.get_local(entry);
  e.get_local(address);
  e.op(Op.i32_add);
}

// --- Groups ----------------------------------------------------------------------------------------------------------

/** Base plus `offset` in a local. */
function addressOf(e: Emitter, base: number, offset: number): number {
  const address = e.temporary();
  e.get(base);
  if (offset !== 0) e.opConst(Op.i32_add, offset);
  e.set_local(address);
  return address;
}

/** Sees that all of the group may be read: its pointer is known. `first`: address of its lowest byte. */
function findForReading(e: Emitter, group: Group, first: number): void {
  const { window } = e.options;
  const span = group.max - group.min;
  const pointer = e.ownLocal();
  group.pointer = pointer;
  // What has to be aligned is so when the lowest byte is so far behind a word.
  const lead = group.alignedAt === undefined ? 0 : (group.min - group.alignedAt) & 3;
  const aligned = group.alignedAt !== undefined;
  const word = lead === 0 ? first : e.temporary();
  if (lead !== 0) {
    e.get_local(first);
    e.opConst(Op.i32_sub, lead);
    e.set_local(word);
  }
  if (window !== undefined && group.onStack) {
    const { stack } = window;
    inRange(e, stack, word, pointer, span + lead, aligned ? 4 : 1);
    e.op(Op.i32_eqz);
    e.leaveIfUnchecked();
    group.bias = hostOf(window, stack) + lead;
    return;
  }
  const parts = partsOf(window);
  for (const { range, host } of parts) {
    inRange(e, range, word, pointer, span + lead, aligned ? 4 : 1);
    e.open(Op.if);
    e.get_local(pointer);
    e.opConst(Op.i32_add, host | 0);
    e.set_local(pointer);
    e.else();
  }
  pageEntries(e, e.options.readTable, word, pointer, span + lead, aligned);
  e.leaveIfUnchecked();
  hostAddress(e, pointer, word);
  e.set_local(pointer);
  parts.forEach(() => e.close());
  group.bias = lead;
}

/** Sees that what the group stores may be stored. */
function allowStores(e: Emitter, group: Group, first: number): void {
  group.writable = true;
  const from = group.storeMin - group.min;
  const span = group.storeMax - group.storeMin;
  loadRawEntry(e, e.options.writeTable, first, from);
  if (span > 1) {
    loadRawEntry(e, e.options.writeTable, first, from + span - 1);
    e.op(Op.i32_and);
  }
  e.opConst(Op.i32_and, 1);
  e.op(Op.i32_eqz);
  e.leaveIfUnchecked();
}

/** Stores only, not on the stack: their page's entry in the table of writes has all. */
function findForWriting(e: Emitter, group: Group, first: number): void {
  const span = group.max - group.min;
  const pointer = e.ownLocal();
  const lead = group.alignedAt === undefined ? 0 : (group.min - group.alignedAt) & 3;
  if (span <= 4 && lead === 0) pageEntry(e, e.options.writeTable, first, pointer, span > 2 ? 4 : span);
  else {
    pageEntries(e, e.options.writeTable, first, pointer, span, false);
    if (group.alignedAt !== undefined) {
      e.get_local(first);
      e.opConst(Op.i32_sub, lead);
      e.opConst(Op.i32_and, 3);
      e.op(Op.i32_or);
    }
  }
  e.leaveIfUnchecked();
  hostAddress(e, pointer, first);
  e.set_local(pointer);
  Object.assign(group, { pointer, bias: 0, writable: true });
}

const reachOffset = ({ group, offset }: PlannedAccess): number => group.bias + offset - group.min;

/** Leaves the group's pointer on the stack; what is to be added to it. */
function reach(e: Emitter, { group, offset }: PlannedAccess, base: number, baseOffset: number, store: boolean): number {
  if (group.pointer === undefined || (store && !group.writable)) {
    const first = addressOf(e, base, baseOffset - (offset - group.min));
    if (group.pointer === undefined) {
      if (group.hasLoads || group.onStack) findForReading(e, group, first);
      else findForWriting(e, group, first);
    }
    if (store && !group.writable) allowStores(e, group, first);
  }
  e.get_local(group.pointer ?? 0);
  return reachOffset({ group, offset });
}

// --- One register ----------------------------------------------------------------------------------------------------

const isAligned = (e: Emitter, width: Width): boolean => e.options.strictAlignment && width.bytes === 4;
/** Halfwords that must be aligned are checked alone. */
const mayShare = (e: Emitter, width: Width): boolean => !e.options.strictAlignment || width.bytes !== 2;

/** The value at base + offset, on the stack. */
export function loadAt(e: Emitter, base: number, offset: number, width: Width): void {
  if (!mayShare(e, width)) return load(e, addressOf(e, base, offset), width);
  const { bytes } = width;
  const { isNoted, plan } = e.nextAccess({ base, offset, bytes, aligned: isAligned(e, width), store: false });
  if (isNoted) return undefined;
  if (plan === undefined) return load(e, addressOf(e, base, offset), width);
  const more = reach(e, plan, base, offset, false);
  return guestLoad(e, width.load, more, width.bytes);
}

/** Stores what is in a local at base + offset. */
export function storeAt(e: Emitter, base: number, offset: number, value: number, width: Width): void {
  if (!mayShare(e, width)) return store(e, addressOf(e, base, offset), value, width);
  const { bytes } = width;
  const { isNoted, plan } = e.nextAccess({ base, offset, bytes, aligned: isAligned(e, width), store: true });
  if (isNoted) return undefined;
  if (plan === undefined) return store(e, addressOf(e, base, offset), value, width);
  const more = reach(e, plan, base, offset, true);
  return guestStore(e, width.store, more, width.bytes, () => e.get_local(value));
}

/** The value at the address in a local, on the stack. */
export function load(e: Emitter, address: number, width: Width): void {
  const parts = partsOf(e.options.window);
  for (const { range, host } of parts) {
    const at = e.temporary();
    inRange(e, range, address, at, width.bytes, e.options.strictAlignment ? width.bytes : 1);
    e.open(Op.if, Type.i32);
    e.get_local(at);
    guestLoad(e, width.load, host, width.bytes);
    e.else();
  }
  loadByTable(e, address, width);
  parts.forEach(() => e.close());
}

function loadByTable(e: Emitter, address: number, width: Width): void {
  const at = e.temporary();
  pageEntry(e, e.options.readTable, address, at, width.bytes);
  if (!e.isSlow) {
    e.leaveIfUnchecked();
    hostAddress(e, at, address);
    return guestLoad(e, width.load, 0, width.bytes);
  }
  const value = e.temporary();
  e.open(Op.if, Type.i32);
  slowLoad(e, address, 0, width.code);
  e.set_local(value);
  e.leaveIfRefused();
  e.get_local(value);
  e.else();
  hostAddress(e, at, address);
  guestLoad(e, width.load, 0, width.bytes);
  return e.close();
}

export function slowLoad(e: Emitter, address: number, offset: number, code: number): void {
  e.get_local(address);
  if (offset !== 0) e.opConst(Op.i32_add, offset);
  e.const(code);
  e.call(Callee.loadSlow);
}

/** Stores what is in a local at the address in a local. */
export function store(e: Emitter, address: number, value: number, width: Width): void {
  const entry = e.temporary();
  pageEntry(e, e.options.writeTable, address, entry, width.bytes);
  if (e.isSlow) {
    e.open(Op.if);
    e.get_local(address);
    e.get_local(value);
    e.const(width.bytes);
    e.call(Callee.storeSlow);
    e.leaveIf();
    e.else();
  } else {
    e.leaveIfUnchecked();
  }
  hostAddress(e, entry, address);
  guestStore(e, width.store, 0, width.bytes, () => e.get_local(value));
  if (e.isSlow) e.close();
}

// --- Several registers -----------------------------------------------------------------------------------------------

/** Words from base + offset, which must be aligned, to locals. */
export function loadWordsAt(e: Emitter, base: number, offset: number, targets: readonly number[]): void {
  const bytes = 4 * targets.length;
  const { isNoted, plan } = e.nextAccess({ base, offset, bytes, aligned: true, store: false });
  if (isNoted) return;
  if (plan === undefined) {
    loadWords(e, addressOf(e, base, offset), targets);
    return;
  }
  checkPlanned(e, plan, base, offset, bytes, false);
  targets.forEach((target, i) => {
    const more = reach(e, plan, base, offset, false);
    e.memory(Op.i32_load, more + 4 * i);
    e.set_local(target);
  });
}

/** Words of locals to base + offset, which must be aligned. */
export function storeWordsAt(e: Emitter, base: number, offset: number, values: readonly number[]): void {
  const bytes = 4 * values.length;
  const { isNoted, plan } = e.nextAccess({ base, offset, bytes, aligned: true, store: true });
  if (isNoted) return;
  if (plan === undefined) {
    storeWords(e, addressOf(e, base, offset), values);
    return;
  }
  checkPlanned(e, plan, base, offset, bytes, true);
  values.forEach((value, i) => {
    const more = reach(e, plan, base, offset, true);
    e.get_local(value);
    e.memory(Op.i32_store, more + 4 * i);
  });
  if (plan.group.pointer !== undefined) markWritten(e, plan.group.pointer, reachOffset(plan), bytes);
}

/** The flags of several words, before the first is accessed. */
function checkPlanned(
  e: Emitter,
  plan: PlannedAccess,
  base: number,
  offset: number,
  bytes: number,
  store: boolean,
): void {
  if (e.options.shadow === undefined) return;
  const more = reach(e, plan, base, offset, store);
  const host = e.temporary();
  e.set_local(host);
  if (store) leaveIfUnwritable(e, host, more, bytes);
  else leaveIfUnreadable(e, host, more, bytes);
}

function loadWords(e: Emitter, address: number, targets: readonly number[]): void {
  const at = e.temporary();
  pageEntries(e, e.options.readTable, address, at, targets.length * 4, true);
  const loadAll = (): void => {
    hostAddress(e, at, address);
    e.set_local(at);
    leaveIfUnreadable(e, at, 0, 4 * targets.length);
    targets.forEach((target, i) => {
      e.get_local(at);
      e.memory(Op.i32_load, 4 * i);
      e.set_local(target);
    });
  };
  if (!e.isSlow) {
    e.leaveIfUnchecked();
    loadAll();
    return;
  }
  e.open(Op.if);
  e.get_local(address);
  e.opConst(Op.i32_and, 3);
  e.leaveIf();
  targets.forEach((target, i) => {
    slowLoad(e, address, 4 * i, 4);
    e.set_local(target);
    e.leaveIfRefused();
  });
  e.else();
  loadAll();
  e.close();
}

function storeWords(e: Emitter, address: number, values: readonly number[]): void {
  const entry = e.temporary();
  const bytes = values.length * 4;
  pageEntries(e, e.options.writeTable, address, entry, bytes, true);
  const storeAll = (): void => {
    hostAddress(e, entry, address);
    e.set_local(entry);
    leaveIfUnwritable(e, entry, 0, bytes);
    values.forEach((value, i) => {
      e.get_local(entry);
      e.get_local(value);
      e.memory(Op.i32_store, 4 * i);
    });
    markWritten(e, entry, 0, bytes);
  };
  if (!e.isSlow) {
    e.leaveIfUnchecked();
    storeAll();
    return;
  }
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
  storeAll();
  e.close();
}
