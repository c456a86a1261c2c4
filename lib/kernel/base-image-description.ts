/** The built-in base image in the form that real ones are read into (lib/base-image). */
import type { BaseImageDescription } from '../base-image/description';
import { findBaseExport, loaderExports } from './base-image';
import { baseImageConfig, DEFAULT_HEAP_SIZE_KIB, memoryMap } from './memory-map';

const EM_ARM = 40;

export function builtInBaseImage(): BaseImageDescription {
  const map = memoryMap(DEFAULT_HEAP_SIZE_KIB);
  return {
    kind: 'built-in',
    origin: 'the built-in base image',
    machine: { arch: 'arm', machine: EM_ARM, is64: false, bigEndian: false, floatAbi: 'soft', cpu: undefined },
    config: baseImageConfig,
    kconfig: { values: new Map(), source: undefined },
    exports: loaderExports.map((entry) => ({ ...entry, slid: undefined })),
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
    declarationOf: (name) => findBaseExport(name)?.signature,
    filePool: BigInt(map.elfBuffers),
    notes: [],
  };
}
