/**
 * Loads, stores, what changes sp and the jumps through registers and memory of arm/operations-memory.ts and -control.ts. All
 * checks come before the first change. A `leave` puts its target into the local `pc`.
 */
import { Param } from '../emitter';
import {
  byte,
  half,
  load,
  loadAt,
  loadWordsAt,
  signedByte,
  signedHalf,
  store,
  storeAt,
  storeWordsAt,
  word,
  type Width,
} from '../memory-ops';
import { leaveUnlessCode, moveStack, setStack } from '../shadow-ops';
import { Op } from '../wasm';
import type { Emit, EmitTable } from './emit-forms';
import type { ThumbEmitter } from './thumb-emitter';

const SP = 13;
const LR = 14;

/** base + offset in a local. */
function sumInLocal(e: ThumbEmitter, base: number, offset: number): number {
  const sum = e.temporary();
  e.get(base);
  if (offset !== 0) e.opConst(Op.i32_add, offset);
  e.set_local(sum);
  return sum;
}

type Form = 'imm' | 'reg' | 'lsl' | 'pre' | 'post';
const forms: readonly Form[] = ['imm', 'reg', 'lsl', 'pre', 'post'];

/** How far from Rn the access is, when that is constant. */
const distance = (form: Form, o: readonly number[]): number | undefined =>
  form === 'imm' || form === 'pre' ? o[2] : form === 'post' ? 0 : undefined;

function indexed(e: ThumbEmitter, o: readonly number[], shift: number): number {
  const address = e.temporary();
  e.get(o[1]);
  e.get(o[2]);
  if (shift !== 0) e.opConst(Op.i32_shl, shift);
  e.op(Op.i32_add);
  e.set_local(address);
  return address;
}

/** With write-back to sp its limit comes first. */
function checkWriteBack(e: ThumbEmitter, form: Form, o: readonly number[]): void {
  if ((form !== 'pre' && form !== 'post') || o[1] !== SP) return;
  e.checkSp(sumInLocal(e, SP, o[2]));
  if (o[2] < 0) moveStack(e, e.localOfWord(SP), o[2]);
}

function writeBack(e: ThumbEmitter, form: Form, o: readonly number[]): void {
  if (form === 'pre' || form === 'post') changeBase(e, o[1], o[2]);
}

/** The loaded value on the stack. */
function loadByForm(e: ThumbEmitter, form: Form, o: readonly number[], width: Width): void {
  checkWriteBack(e, form, o);
  const offset = distance(form, o);
  if (offset === undefined) load(e, indexed(e, o, form === 'lsl' ? o[3] : 0), width);
  else loadAt(e, o[1], offset, width);
}

const loads =
  (form: Form, width: Width): Emit =>
  (e, o) => {
    loadByForm(e, form, o, width);
    if (form !== 'pre' && form !== 'post') return e.set(o[0]);
    const value = e.temporary();
    e.set_local(value);
    writeBack(e, form, o);
    e.get_local(value);
    return e.set(o[0]);
  };

const stores =
  (form: Form, width: Width): Emit =>
  (e, o) => {
    checkWriteBack(e, form, o);
    const offset = distance(form, o);
    const value = valueOf(e, o[0]);
    if (offset === undefined) store(e, indexed(e, o, form === 'lsl' ? o[3] : 0), value, width);
    else storeAt(e, o[1], offset, value, width);
    writeBack(e, form, o);
  };

/** The register's local, marked as used. */
function valueOf(e: ThumbEmitter, register: number): number {
  e.use(register);
  return e.localOfWord(register);
}

/** Literal loads whose word is not constant. */
const loadLiteral =
  (width: Width): Emit =>
  (e, o) => {
    const address = e.temporary();
    e.const(o[1]);
    e.set_local(address);
    load(e, address, width);
    e.set(o[0]);
  };

function leaveFor(e: ThumbEmitter, target: number): void {
  e.get_local(target);
  e.opConst(Op.i32_and, -2);
  e.set_local(Param.pc);
}

const loadPc =
  (form: Form): Emit =>
  (e, o) => {
    const target = e.temporary();
    loadByForm(e, form, o, word);
    e.set_local(target);
    e.checkTarget(target);
    writeBack(e, form, o);
    leaveFor(e, target);
  };

// --- Several registers ---------------------------------------------------------------------------------------------

function registersOf(list: number): number[] {
  const registers: number[] = [];
  for (let register = 0; register < 16; register++) if ((list >>> register) & 1) registers.push(register);
  return registers;
}

/** When Rn is sp, what it becomes and where the access begins are checked. */
function checkBlock(e: ThumbEmitter, n: number, first: number, change: number): void {
  if (n !== SP) return;
  e.checkSp(sumInLocal(e, SP, Math.min(first, change)));
  if (change < 0) moveStack(e, e.localOfWord(SP), change);
}

function changeBase(e: ThumbEmitter, n: number, change: number): void {
  if (change === 0) return;
  if (n === SP && change > 0) {
    e.use(SP);
    moveStack(e, e.localOfWord(SP), change);
  }
  e.get(n);
  e.opConst(Op.i32_add, change);
  e.set(n);
  e.derive(n, n, change);
}

/** Loads the registers of the list from Rn + first; a pc among them is checked and left for. */
function loadRegisters(e: ThumbEmitter, n: number, list: number, first: number, change: number): void {
  const registers = registersOf(list);
  const values = registers.map(() => e.temporary());
  loadWordsAt(e, n, first, values);
  const pc = registers.at(-1) === 15 ? values[values.length - 1] : undefined;
  if (pc !== undefined) e.checkTarget(pc);
  changeBase(e, n, change);
  registers.forEach((register, i) => {
    if (register === 15) return;
    e.get_local(values[i]);
    e.set(register);
  });
  if (pc !== undefined) leaveFor(e, pc);
}

const loadMultiple: Emit = (e, [n, list, first, change]) => {
  checkBlock(e, n, first, change);
  loadRegisters(e, n, list, first, change);
};

const pop: Emit = (e, [, list]) => loadRegisters(e, SP, list, 0, 4 * (list >>> 16));

function storeRegisters(e: ThumbEmitter, n: number, registers: readonly number[], first: number, change: number): void {
  const values = registers.map((register) => valueOf(e, register));
  storeWordsAt(e, n, first, values);
  changeBase(e, n, change);
}

const storeMultiple: Emit = (e, [n, list, first, change]) => {
  checkBlock(e, n, first, change);
  storeRegisters(e, n, registersOf(list & 0xffff), first, change);
};

const push: Emit = (e, [, list]) => {
  const change = -4 * (list >>> 16);
  checkBlock(e, SP, change, change);
  storeRegisters(e, SP, registersOf(list & 0xffff), change, change);
};

// --- The stack pointer -----------------------------------------------------------------------------------------------

/** sp becomes what `value` leaves on the stack, bits 1:0 clear. */
function setSp(e: ThumbEmitter, value: () => void, change?: number): void {
  const sum = e.temporary();
  value();
  e.opConst(Op.i32_and, ~3);
  e.set_local(sum);
  e.checkSp(sum);
  e.use(SP);
  if (change === undefined) setStack(e, e.localOfWord(SP), sum);
  else moveStack(e, e.localOfWord(SP), change);
  e.get_local(sum);
  e.set(SP);
}

// --- Jumps ---------------------------------------------------------------------------------------------------------

/** BX and BLX: the target is in a register. */
const exchange: Emit = (e, [m]) => {
  e.use(m);
  e.checkTarget(e.localOfWord(m));
  leaveFor(e, e.localOfWord(m));
};

const table: [string, Emit][] = (
  [
    ['ldr', word],
    ['ldrh', half],
    ['ldrb', byte],
    ['ldrsh', signedHalf],
    ['ldrsb', signedByte],
  ] as const
).flatMap(([name, width]): [string, Emit][] => [
  ...forms.flatMap((form): [string, Emit][] => [
    [`${name}_${form}`, loads(form, width)],
    ...(name === 'ldr' && form !== 'reg' ? [[`ldr_pc_${form}`, loadPc(form)] as [string, Emit]] : []),
    ...(name.startsWith('ldrs')
      ? []
      : [[`${name.replace('ld', 'st')}_${form}`, stores(form, width)] as [string, Emit]]),
  ]),
  [`${name}_lit`, loadLiteral(width)],
]);

export const memoryEmitters: EmitTable = {
  ...(Object.fromEntries(table) as EmitTable),
  ldm: loadMultiple,
  ldm_pc: loadMultiple,
  ldm_t1: (e, [n, list, change]) => loadRegisters(e, n, list, 0, change),
  stm: storeMultiple,
  stm_t1: (e, [n, list, change]) => storeRegisters(e, n, registersOf(list & 0xffff), 0, change),
  push,
  pop,
  pop_pc: pop,
  ldrd_imm: (e, [t, t2, n, offset, change]) => {
    checkBlock(e, n, offset, change);
    const values = [e.temporary(), e.temporary()];
    loadWordsAt(e, n, offset, values);
    changeBase(e, n, change);
    [t, t2].forEach((register, i) => {
      e.get_local(values[i]);
      e.set(register);
    });
  },
  strd_imm: (e, [t, t2, n, offset, change]) => {
    checkBlock(e, n, offset, change);
    storeRegisters(e, n, [t, t2], offset, change);
  },
  sp_add_imm: (e, [n, offset]) => {
    const isKnown = n === SP && offset % 4 === 0;
    setSp(
      e,
      () => {
        e.get(n);
        e.opConst(Op.i32_add, offset);
      },
      isKnown ? offset : undefined,
    );
    // sp has bits 1:0 clear already.
    if (isKnown) e.derive(SP, SP, offset);
  },
  sp_add_reg: (e, [m]) =>
    setSp(e, () => {
      e.get(SP);
      e.get(m);
      e.op(Op.i32_add);
    }),
  sp_mov_imm: (e, [value]) => setSp(e, () => e.const(value)),
  sp_set: (e, [m]) => setSp(e, () => e.get(m)),
  bx: exchange,
  blx: (e, [m, returnAddress]) => {
    exchange(e, [m]);
    e.const(returnAddress);
    e.set(LR);
  },
  bl: (e, [, , returnAddress]) => {
    e.const(returnAddress);
    e.set(LR);
  },
  b_reg: (e, [m, offset]) => {
    e.get(m);
    if (offset !== 0) e.opConst(Op.i32_add, offset);
    e.opConst(Op.i32_and, -2);
    e.set_local(Param.pc);
    leaveUnlessCode(e, Param.pc);
  },
};
