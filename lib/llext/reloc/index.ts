/**
 * The CPUs whose relocations are known. Adding one = its file beside this one and a line here.
 */
import type { Arch } from '../../arch';
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
} from '../../elf/constants';
import { arc } from './arc';
import { arm } from './arm';
import { arm64 } from './arm64';
import { openrisc } from './openrisc';
import type { Relocator } from './relocator';
import { riscv32, riscv64 } from './riscv';
import { rx } from './rx';
import { x86, x86_64 } from './x86';
import { xtensa } from './xtensa';

/** By pointer size: an architecture of two widths has two handlers. */
export const architectures: Readonly<Record<Arch, Readonly<Partial<Record<4 | 8, Relocator>>>>> = {
  arm: { 4: arm },
  arm64: { 8: arm64 },
  riscv: { 4: riscv32, 8: riscv64 },
  x86: { 4: x86, 8: x86_64 },
  xtensa: { 4: xtensa },
  arc: { 4: arc },
  openrisc: { 4: openrisc },
  rx: { 4: rx },
};

export function relocatorFor(arch: Arch, pointerSize: 4 | 8): Relocator | undefined {
  return architectures[arch][pointerSize];
}

/** The architecture of a build that loads files of an e_machine. */
export const machineArch: ReadonlyMap<number, Arch> = new Map([
  [EM_386, 'x86'],
  [EM_ARM, 'arm'],
  [EM_X86_64, 'x86'],
  [EM_OPENRISC, 'openrisc'],
  [EM_ARC_COMPACT, 'arc'],
  [EM_XTENSA, 'xtensa'],
  [EM_RX, 'rx'],
  [EM_AARCH64, 'arm64'],
  [EM_ARC_COMPACT2, 'arc'],
  [EM_RISCV, 'riscv'],
]);
