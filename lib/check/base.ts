/**
 * The base image that a check supposes. With one, imports, heap and distances are known; without one only what the file
 * alone says is checked, and a stand-in takes its place: every import provided, a heap without end.
 */
import { EM_386, EM_ARM, EM_X86_64 } from '../elf/constants';
import type { ElfFile } from '../elf/elf-file';
import { machineArch } from '../llext/reloc/index';
import type { BaseExport, LlextConfig } from '../llext/types';

export interface CheckBase {
  readonly config: LlextConfig;
  readonly exports: readonly BaseExport[];
  readonly heap: { readonly address: bigint; readonly bytes: number };
  /** Where file images lie. */
  readonly pool: bigint;
  /** Address of llext_list. */
  readonly listAddress: bigint;
  /** e_machine of the base image, where it is known. */
  readonly machine?: number;
  /** Registers or memory for floating-point arguments. */
  readonly floatAbi?: 'hard' | 'soft';
  /** Tag_CPU_arch of an Arm base image, and its profile letter. */
  readonly armCpu?: { readonly arch: number; readonly profile: 'A' | 'R' | 'M' };
  /** MPU regions that a thread's domain can have, for CONFIG_USERSPACE. */
  readonly mpuRegions?: number;
}

/** e_machine that files for such a base image have. */
export function machinesOf({ arch, pointerSize }: LlextConfig): number[] {
  if (arch === 'x86') return [pointerSize === 8 ? EM_X86_64 : EM_386];
  return [...machineArch].filter(([, name]) => name === arch).map(([machine]) => machine);
}

const importsAddress = 0x2000_0000n;

/** Everything provided within reach, for a file without a base image. */
export function standInBase(elf: ElfFile | undefined, imports: readonly string[]): CheckBase {
  const machine = elf?.header.e_machine ?? EM_ARM;
  return {
    config: {
      pointerSize: elf?.is64 === true ? 8 : 4,
      arch: machineArch.get(machine) ?? 'arm',
      bigEndian: elf?.littleEndian === false,
      page: 32,
      armMpu: false,
      mmu: false,
      importAllGlobals: false,
      logLevel: 1,
    },
    exports: imports.map((name, i) => ({ name, address: importsAddress + BigInt(i * 16) + 1n })),
    heap: { address: 0x2010_0000n, bytes: 0x10_0000 },
    pool: 0x1000_0000n,
    listAddress: 0x0f00_0000n,
  };
}
