/**
 * Names of relocation types, by machine: every R_* constant of constants-<cpu>.ts is its own name.
 */
import {
  EM_386,
  EM_AARCH64,
  EM_ARC_COMPACT,
  EM_ARC_COMPACT2,
  EM_ARM,
  EM_OPENRISC,
  EM_RISCV,
  EM_RX,
  EM_X86_64,
  EM_XTENSA,
} from './constants';
import * as arc from './constants-arc';
import * as arm from './constants-arm';
import * as arm64 from './constants-arm64';
import * as openrisc from './constants-openrisc';
import * as riscv from './constants-riscv';
import * as rx from './constants-rx';
import * as x86 from './constants-x86';
import * as xtensa from './constants-xtensa';

function namesOf(constants: Readonly<Record<string, number>>, prefix = 'R_'): ReadonlyMap<number, string> {
  const entries = Object.entries(constants).filter(([name]) => name.startsWith(prefix));
  return new Map(entries.map(([name, type]) => [type, name]));
}

export const relocationNames: ReadonlyMap<number, ReadonlyMap<number, string>> = new Map([
  [EM_386, namesOf(x86, 'R_386_')],
  [EM_ARM, namesOf(arm)],
  [EM_X86_64, namesOf(x86, 'R_X86_64_')],
  [EM_OPENRISC, namesOf(openrisc)],
  [EM_ARC_COMPACT, namesOf(arc)],
  [EM_XTENSA, namesOf(xtensa)],
  [EM_RX, namesOf(rx)],
  [EM_AARCH64, namesOf(arm64)],
  [EM_ARC_COMPACT2, namesOf(arc)],
  [EM_RISCV, namesOf(riscv)],
]);

/** Relocation type name of a machine; the number where no table is known. */
export function relocationName(machine: number, type: number): string {
  return relocationNames.get(machine)?.get(type) ?? `type ${type}`;
}
