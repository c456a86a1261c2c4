/** The built-in base image in the form that real ones are read into (lib/base-image). */
import { cpus, type CpuInfo } from '../arch';
import type { BaseImageDescription } from '../base-image/description';
import { EM_RISCV } from '../elf/constants';
import type { ElfFile } from '../elf/elf-file';
import { cpuForElf } from '../program/cpu-for-elf';
import { findBaseExport, loaderExportsOf } from './base-image';
import { baseImageConfig, DEFAULT_HEAP_SIZE_KIB, memoryMap } from './memory-map';

/** Of the default core, unless told otherwise. */
export function builtInBaseImage(cpu: CpuInfo = cpus[0]): BaseImageDescription {
  const map = memoryMap(DEFAULT_HEAP_SIZE_KIB);
  return {
    kind: 'built-in',
    origin: 'the built-in base image',
    machine: {
      arch: cpu.arch,
      machine: cpu.machine,
      is64: cpu.pointerSize === 8,
      bigEndian: false,
      floatAbi: cpu.floatAbi,
      cpu: undefined,
    },
    config: baseImageConfig(cpu),
    kconfig: { values: new Map(), source: undefined },
    exports: loaderExportsOf(cpu.arch).map((entry) => ({ ...entry, slid: undefined })),
    exportsBySlid: false,
    exportsFoundBy: 'built-in',
    heaps: [
      {
        name: 'llext_heap',
        address: BigInt(map.llextHeap.base),
        bytes: map.llextHeap.size,
        record: BigInt(map.llextKHeap),
      },
    ],
    listAddress: BigInt(map.llextList),
    zephyrVersion: undefined,
    layoutFound: false,
    elf: undefined,
    debug: undefined,
    declarationOf: (name) => findBaseExport(name)?.signature,
    filePool: BigInt(map.elfBuffers),
    notes: [],
  };
}

/** The one that a file runs on where no other is chosen: F5, and all that judges files without running them. */
export function builtInBaseImageFor(elf: ElfFile | undefined): BaseImageDescription {
  return elf?.header.e_machine === EM_RISCV ? builtInBaseImage(cpuForElf(elf)) : builtInBaseImage();
}
