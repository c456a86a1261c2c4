/**
 * Registers and stack while code is followed without running it: each value is what a register held at the start, plus
 * an offset, as far as it is known.
 */
import type { RiscvEffect } from './riscv-code';

/** What `register` held at the start, plus an offset; that of `zero` is a constant. */
export interface Value {
  readonly register: number;
  readonly offset: number;
}

interface Slot {
  readonly register: number;
  readonly size: number;
}

export interface State {
  readonly registers: (Value | undefined)[];
  /** What registers held at the start, in the stack: by offset from sp at the start. */
  readonly slots: Map<number, Slot>;
}

export const ZERO = 0;
export const RA = 1;
export const SP = 2;
export const S0 = 8;
export const FLOAT = 32;

const callee = [8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27];
/** What a function must keep, its own return address with it. */
export const kept: readonly number[] = [RA, ...callee, ...callee.map((register) => FLOAT + register)];

export function initialState(): State {
  const registers = Array.from({ length: 2 * FLOAT }, (_, register): Value => ({ register, offset: 0 }));
  return { registers, slots: new Map() };
}

export function isEntryValue(value: Value | undefined, register: number): boolean {
  return value?.register === register && value.offset === 0;
}

export function set({ registers }: State, register: number, value: Value | undefined): void {
  if (register !== ZERO) registers[register] = value;
}

export type Computation = Exclude<RiscvEffect, { kind: 'branch' | 'jal' | 'jalr' | 'leave' | 'pc-relative' }>;

export function compute(effect: Computation, state: State, registerBytes: number): void {
  const { registers, slots } = state;
  switch (effect.kind) {
    case 'add-immediate':
      return set(state, effect.rd, moved(registers[effect.rs1], effect.imm));
    case 'add-word': {
      const value = registers[effect.rs1];
      return set(state, effect.rd, value?.register === ZERO ? moved(value, effect.imm) : undefined);
    }
    case 'constant':
      return set(state, effect.rd, { register: ZERO, offset: effect.imm });
    case 'add':
      return set(state, effect.rd, sum(registers[effect.rs1], registers[effect.rs2]));
    case 'subtract': {
      const less = registers[effect.rs2];
      return set(state, effect.rd, less?.register === ZERO ? moved(registers[effect.rs1], -less.offset) : undefined);
    }
    case 'load': {
      const address = moved(registers[effect.rs1], effect.imm);
      const slot = address?.register === SP ? slots.get(address.offset) : undefined;
      const isWhole = slot?.size === effect.size;
      return set(state, effect.rd, isWhole ? { register: slot.register, offset: 0 } : undefined);
    }
    case 'store': {
      const address = moved(registers[effect.rs1], effect.imm);
      if (address?.register === SP) store(slots, address.offset, effect, registers[effect.rs2], registerBytes);
      return;
    }
    case 'other':
      return set(state, effect.rd, undefined);
  }
}

function store(
  slots: Map<number, Slot>,
  offset: number,
  { rs2, size }: { readonly rs2: number; readonly size: number },
  value: Value | undefined,
  registerBytes: number,
): void {
  for (const [other, slot] of slots) {
    if (other < offset + size && offset < other + slot.size) slots.delete(other);
  }
  const isWhole = rs2 >= FLOAT || size === registerBytes;
  if (isWhole && value !== undefined && value.register !== ZERO && value.offset === 0) {
    slots.set(offset, { register: value.register, size });
  }
}

function moved(value: Value | undefined, distance: number): Value | undefined {
  return value && { register: value.register, offset: value.offset + distance };
}

function sum(a: Value | undefined, b: Value | undefined): Value | undefined {
  if (b?.register === ZERO) return moved(a, b.offset);
  return a?.register === ZERO ? moved(b, a.offset) : undefined;
}
