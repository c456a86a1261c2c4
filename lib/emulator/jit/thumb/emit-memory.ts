/**
 * Loads, stores, what changes sp and the jumps through registers and memory of arm/operations-memory.ts and -control.ts. All
 * checks come before the first change. A `leave` puts its target into the local `pc`.
 */
import { Param } from '../emitter';
import {
  byte,
  half,
  load,
  loadWords,
  signedByte,
  signedHalf,
  store,
  storeWords,
  word,
  type Width,
} from '../memory-ops';
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

function checkBase(e: ThumbEmitter, base: number, value: number): void {
  if (base === SP) e.checkSp(value);
}

/** Operands as the form has them -> the accessed address in a local, and what the base becomes. */
type Addressing = (e: ThumbEmitter, o: readonly number[]) => { address: number; writeBack?: number };

const addressings: Readonly<Record<'imm' | 'reg' | 'lsl' | 'pre' | 'post', Addressing>> = {
  imm: (e, o) => ({ address: sumInLocal(e, o[1], o[2]) }),
  reg: (e, o) => ({ address: indexed(e, o, 0) }),
  lsl: (e, o) => ({ address: indexed(e, o, o[3]) }),
  pre: (e, o) => {
    const address = sumInLocal(e, o[1], o[2]);
    checkBase(e, o[1], address);
    return { address, writeBack: address };
  },
  post: (e, o) => {
    const address = sumInLocal(e, o[1], 0);
    const writeBack = sumInLocal(e, o[1], o[2]);
    checkBase(e, o[1], writeBack);
    return { address, writeBack };
  },
};

function indexed(e: ThumbEmitter, o: readonly number[], shift: number): number {
  const address = e.temporary();
  e.get(o[1]);
  e.get(o[2]);
  if (shift !== 0) e.opConst(Op.i32_shl, shift);
  e.op(Op.i32_add);
  e.set_local(address);
  return address;
}

function writeBase(e: ThumbEmitter, base: number, writeBack: number | undefined): void {
  if (writeBack === undefined) return;
  e.get_local(writeBack);
  e.set(base);
}

const loads =
  (form: keyof typeof addressings, width: Width): Emit =>
  (e, o) => {
    const { address, writeBack } = addressings[form](e, o);
    load(e, address, width);
    e.set(o[0]);
    writeBase(e, o[1], writeBack);
  };

const stores =
  (form: keyof typeof addressings, width: Width): Emit =>
  (e, o) => {
    const { address, writeBack } = addressings[form](e, o);
    store(e, address, valueOf(e, o[0]), width);
    writeBase(e, o[1], writeBack);
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
  (form: keyof typeof addressings): Emit =>
  (e, o) => {
    const { address, writeBack } = addressings[form](e, o);
    const target = e.temporary();
    load(e, address, word);
    e.set_local(target);
    e.checkTarget(target);
    writeBase(e, o[1], writeBack);
    leaveFor(e, target);
  };

// --- Several registers ---------------------------------------------------------------------------------------------

function registersOf(list: number): number[] {
  const registers: number[] = [];
  for (let register = 0; register < 16; register++) if ((list >>> register) & 1) registers.push(register);
  return registers;
}

/** Rn + first in a local; when Rn is sp, what it becomes and where the access begins are checked. */
function blockAddress(e: ThumbEmitter, n: number, first: number, change: number): number {
  const address = sumInLocal(e, n, first);
  if (n === SP) checkBase(e, SP, change < first ? sumInLocal(e, SP, change) : address);
  return address;
}

function changeBase(e: ThumbEmitter, n: number, change: number): void {
  if (change === 0) return;
  e.get(n);
  e.opConst(Op.i32_add, change);
  e.set(n);
}

/** Loads the registers of the list; a pc among them is checked and left for. */
function loadRegisters(e: ThumbEmitter, n: number, list: number, address: number, change: number): void {
  const registers = registersOf(list);
  const values = registers.map(() => e.temporary());
  loadWords(e, address, values);
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

const loadMultiple: Emit = (e, [n, list, first, change]) =>
  loadRegisters(e, n, list, blockAddress(e, n, first, change), change);

const pop: Emit = (e, [, list]) => {
  const address = sumInLocal(e, SP, 0);
  loadRegisters(e, SP, list, address, 4 * (list >>> 16));
};

function storeRegisters(
  e: ThumbEmitter,
  n: number,
  registers: readonly number[],
  address: number,
  change: number,
): void {
  storeWords(
    e,
    address,
    registers.map((register) => valueOf(e, register)),
  );
  changeBase(e, n, change);
}

const storeMultiple: Emit = (e, [n, list, first, change]) =>
  storeRegisters(e, n, registersOf(list & 0xffff), blockAddress(e, n, first, change), change);

const push: Emit = (e, [, list]) => {
  const change = -4 * (list >>> 16);
  const address = sumInLocal(e, SP, change);
  e.checkSp(address);
  storeRegisters(e, SP, registersOf(list & 0xffff), address, change);
};

// --- The stack pointer -----------------------------------------------------------------------------------------------

/** sp becomes what `value` leaves on the stack, bits 1:0 clear. */
function setSp(e: ThumbEmitter, value: () => void): void {
  const sum = e.temporary();
  value();
  e.opConst(Op.i32_and, ~3);
  e.set_local(sum);
  e.checkSp(sum);
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
  ...(Object.keys(addressings) as (keyof typeof addressings)[]).flatMap((form): [string, Emit][] => [
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
  ldm_t1: (e, [n, list, change]) => loadRegisters(e, n, list, sumInLocal(e, n, 0), change),
  stm: storeMultiple,
  stm_t1: (e, [n, list, change]) => storeRegisters(e, n, registersOf(list & 0xffff), sumInLocal(e, n, 0), change),
  push,
  pop,
  pop_pc: pop,
  ldrd_imm: (e, [t, t2, n, offset, change]) => {
    const address = blockAddress(e, n, offset, change);
    const values = [e.temporary(), e.temporary()];
    loadWords(e, address, values);
    changeBase(e, n, change);
    [t, t2].forEach((register, i) => {
      e.get_local(values[i]);
      e.set(register);
    });
  },
  strd_imm: (e, [t, t2, n, offset, change]) =>
    storeRegisters(e, n, [t, t2], blockAddress(e, n, offset, change), change),
  sp_add_imm: (e, [n, offset]) =>
    setSp(e, () => {
      e.get(n);
      e.opConst(Op.i32_add, offset);
    }),
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
  },
};
