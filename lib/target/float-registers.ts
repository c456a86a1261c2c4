/**
 * The registers of the Arm Floating-point Extension as debuggers name and number them: s0 to s31 of the machine, d0 to d15 of
 * pairs of them; DWARF numbers 64 to 95 and 256 to 271 (AADWARF32).
 */
import type { CpuState } from '../emulator/types';
import type { RegisterFile } from '../query';

const S0 = 64;
const D0 = 256;
const doubles = Array.from({ length: 16 }, (_, n) => `d${n}`);

const hasFloats = (state: CpuState) => state.registerNames.includes('fpscr') && state.registerNames.includes('s0');

/** The machine's registers, with the doubles. */
export function floatRegisterNames(state: CpuState): readonly string[] {
  return hasFloats(state) ? [...state.registerNames, ...doubles] : state.registerNames;
}

const word = (state: CpuState, name: string) => BigInt(state.read(name) >>> 0);

function doubleNumber(state: CpuState, name: string): number {
  return hasFloats(state) ? doubles.indexOf(name) : -1;
}

export function readNamedRegister(state: CpuState, name: string): bigint {
  const n = doubleNumber(state, name);
  return n < 0 ? word(state, name) : word(state, `s${2 * n}`) | (word(state, `s${2 * n + 1}`) << 32n);
}

export function writeNamedRegister(state: CpuState, name: string, value: bigint): void {
  const n = doubleNumber(state, name);
  const write = (single: string, bits: bigint) => state.write(single, Number(BigInt.asUintN(32, bits)));
  if (n < 0) return write(name, value);
  write(`s${2 * n}`, value);
  write(`s${2 * n + 1}`, value >> 32n);
}

/** By DWARF number; undefined for others. */
export function floatRegister(state: CpuState, register: number): bigint | undefined {
  if (!hasFloats(state)) return undefined;
  if (register >= S0 && register < S0 + 32) return readNamedRegister(state, `s${register - S0}`);
  if (register >= D0 && register < D0 + 16) return readNamedRegister(state, `d${register - D0}`);
  return undefined;
}

/** A copy, which stays as it is when the machine runs on. */
export function floatRegisterFile(state: CpuState): RegisterFile {
  if (!hasFloats(state)) return { get: () => undefined };
  const singles = Array.from({ length: 32 }, (_, n) => word(state, `s${n}`));
  return {
    get(register) {
      if (register >= S0 && register < S0 + 32) return singles[register - S0];
      const n = register - D0;
      return n >= 0 && n < 16 ? singles[2 * n] | (singles[2 * n + 1] << 32n) : undefined;
    },
  };
}
