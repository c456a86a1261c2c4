/**
 * The core that an extension was built for, by its build attributes: what a session runs on unless it is told. Code
 * for a newer architecture would stop at its first new instruction on an older core.
 */
import { cpus, findCpu, riscvCpus, type CpuInfo } from '../arch';
import { armAttributes, Tag_CPU_arch } from '../elf/arm-attributes';
import { EM_RISCV } from '../elf/constants';
import type { ElfFile } from '../elf/elf-file';
import { riscvExtensions } from '../elf/riscv-attributes';

/** Values of Tag_CPU_arch (Addenda to the ABI for the Arm Architecture) -> the core that stands for it. */
const coreByArchitecture: ReadonlyMap<number, string> = new Map([
  [10, 'cortex-m3'], // v7 (with profile 'M' from compilers for Cortex-M)
  [11, 'cortex-m0'], // v6-M
  [12, 'cortex-m0plus'], // v6S-M
  [13, 'cortex-m4'], // v7E-M
  [16, 'cortex-m23'], // v8-M.baseline
  [17, 'cortex-m33'], // v8-M.mainline
  [21, 'cortex-m33'], // v8.1-M.mainline: its own instructions are reported where they are met
]);

/** Bits of e_flags (psABI, "File header"): which floating-point registers pass arguments. */
const EF_RISCV_FLOAT_ABI = 6;
const EF_RISCV_FLOAT_ABI_SINGLE = 2;

/** The smallest hart that has what the file was compiled for. */
function riscvCpu(elf: ElfFile): CpuInfo | undefined {
  const extensions = riscvExtensions(elf) ?? new Set<string>();
  const abi = elf.header.e_flags & EF_RISCV_FLOAT_ABI;
  const needsSingle = abi !== 0 || extensions.has('f');
  const needsDouble = abi > EF_RISCV_FLOAT_ABI_SINGLE || extensions.has('d') || extensions.has('g');
  const fits = riscvCpus.filter(({ isa }) => {
    return isa.xlen === (elf.is64 ? 64 : 32) && (isa.f || !needsSingle) && (isa.d || !needsDouble);
  });
  return fits.at(0);
}

/**
 * The core with the file's way of passing floating point: code for ilp32 may run on a hart that has F, and calls the base image as
 * ilp32 says.
 */
export function withFloatAbiOf(elf: ElfFile, cpu: CpuInfo): CpuInfo {
  if (cpu.arch !== 'riscv' || elf.header.e_machine !== EM_RISCV) return cpu;
  const abi = elf.header.e_flags & EF_RISCV_FLOAT_ABI;
  return { ...cpu, floatAbi: abi === 0 ? 'soft' : abi === EF_RISCV_FLOAT_ABI_SINGLE ? 'single' : 'double' };
}

/** Why a core that was asked for cannot run the file's calls; undefined when it can. */
export function missingFloatRegisters({ header }: ElfFile, cpu: CpuInfo): string | undefined {
  if (cpu.arch !== 'riscv' || header.e_machine !== EM_RISCV) return undefined;
  const abi = header.e_flags & EF_RISCV_FLOAT_ABI;
  const letter = abi > EF_RISCV_FLOAT_ABI_SINGLE ? 'd' : 'f';
  return abi === 0 || cpu.isa[letter] ? undefined : `passes floating point in registers (-mabi ending in ${letter})`;
}

/** The default core when the file does not say, or says something that is no Cortex-M or RISC-V. */
export function cpuForElf(elf: ElfFile): CpuInfo {
  if (elf.header.e_machine === EM_RISCV) return withFloatAbiOf(elf, riscvCpu(elf) ?? riscvCpus[0]);
  const architecture = armAttributes(elf).get(Tag_CPU_arch);
  const name = typeof architecture === 'number' ? coreByArchitecture.get(architecture) : undefined;
  return (name === undefined ? undefined : findCpu(name)) ?? cpus[0];
}
