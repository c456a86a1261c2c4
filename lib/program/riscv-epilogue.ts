/**
 * Frames of RISC-V code on its straight way to `ret`: what is still to be done to sp and to the registers that a function
 * must keep says where the caller's values are, without a look at the function's start. So a routine that only restores
 * registers for others (-msave-restore) and code without a symbol have right frames too.
 */
import type { CfiRow, RegisterRule } from '../dwarf/model';
import { riscvInstruction } from './riscv-code';
import {
  compute,
  FLOAT,
  initialState,
  isEntryValue,
  kept,
  RA,
  S0,
  set,
  SP,
  type State,
  type Value,
} from './riscv-values';
import type { ReadHalfword } from './thumb-prologue';

/** An epilogue that restores all registers and has the end of a body before it. */
const mostInstructions = 128;

/** Values from here on are what was loaded. */
const firstLoaded = 2 * FLOAT;

/** The row at pc; undefined: the way to the return is not straight. */
export function riscvReturnRow(pc: bigint, xlen: 32 | 64, read: ReadHalfword): CfiRow | undefined {
  const state = initialState();
  const loaded: Value[] = [];
  let at = pc;
  for (let i = 0; i < mostInstructions; i++) {
    const first = read(at);
    if (first === undefined) return undefined;
    const { size, effect } = riscvInstruction(first, read(at + 2n) ?? 0, xlen);
    at += BigInt(size);
    switch (effect?.kind) {
      case 'jalr':
        return effect.rd === 0 && effect.rs1 === RA && effect.imm === 0 ? rowOf(state, loaded, pc) : undefined;
      case 'load': {
        const base = state.registers[effect.rs1];
        const isWhole = effect.rd >= FLOAT || effect.size === xlen / 8;
        const isKnown = isWhole && base !== undefined && base.register < firstLoaded;
        set(state, effect.rd, isKnown ? { register: firstLoaded + loaded.length, offset: 0 } : undefined);
        if (isKnown) loaded.push({ register: base.register, offset: base.offset + effect.imm });
        break;
      }
      case 'add-immediate':
      case 'add-word':
      case 'constant':
      case 'add':
      case 'subtract':
      case 'other':
        compute(effect, state, xlen / 8);
        break;
      default:
        // Jumps; a store might be to what is loaded afterwards.
        return undefined;
    }
  }
  return undefined;
}

function rowOf({ registers }: State, loaded: readonly Value[], pc: bigint): CfiRow | undefined {
  const sp = registers[SP];
  if (sp === undefined || (sp.register !== SP && sp.register !== S0)) return undefined;
  const rules = new Map<number, RegisterRule>();
  for (const register of kept) {
    const value = registers[register];
    if (isEntryValue(value, register)) continue;
    const place = value?.offset === 0 ? loaded.at(value.register - firstLoaded) : undefined;
    if (value !== undefined && value.register >= firstLoaded && place !== undefined) {
      if (place.register !== sp.register) return undefined;
      rules.set(register, { kind: 'offset', offset: BigInt(place.offset - sp.offset) });
    } else if (value?.offset === 0 && value.register > 0 && value.register < firstLoaded) {
      rules.set(register, { kind: 'register', register: value.register });
    } else {
      rules.set(register, { kind: 'undefined' });
    }
  }
  // A jump by ra to somewhere else.
  if (rules.get(RA)?.kind === 'undefined') return undefined;
  return {
    range: { start: pc, end: pc + 1n },
    functionRange: { start: pc, end: pc + 1n },
    cfa: { kind: 'register', register: sp.register, offset: BigInt(sp.offset) },
    registers: rules,
    returnAddressRegister: RA,
    signalFrame: false,
  };
}
