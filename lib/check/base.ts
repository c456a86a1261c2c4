/**
 * The base image that a check supposes: what a description of one (lib/base-image) knows, as the trials and the parts
 * need it. Without one only what the file alone says is checked, and a stand-in takes its place: every import provided,
 * a heap without end.
 */
import { Tag_CPU_arch, Tag_CPU_arch_profile, armAttributes } from '../elf/arm-attributes';
import { EM_386, EM_ARM, EM_X86_64 } from '../elf/constants';
import type { ElfFile, ElfSymbol } from '../elf/elf-file';
import type { BaseImageDescription, BaseImageExport } from '../base-image';
import { machineArch } from '../llext/reloc/index';
import type { BaseExport, LlextConfig } from '../llext/types';

export interface CheckBase {
  readonly config: LlextConfig;
  readonly exports: readonly BaseExport[];
  /** A mere list of names says nothing of distances. */
  readonly addressesKnown: boolean;
  readonly heap: { readonly address: bigint; readonly bytes: number };
  readonly heapKnown: boolean;
  /** Where file images lie. */
  readonly pool: bigint;
  /** Address of llext_list. */
  readonly listAddress: bigint;
  /** e_machine of the base image, where it is known. */
  readonly machine?: number;
  /** Registers that pass floating-point arguments. */
  readonly floatAbi?: string;
  /** Tag_CPU_arch of an Arm base image, and its profile letter. */
  readonly armCpu?: { readonly arch: number; readonly profile: string };
  /** MPU regions that a thread's domain can have, for CONFIG_USERSPACE. */
  readonly mpuRegions?: number;
}

/** Of an image that does not say where its heap is, or what its exports' addresses are. */
const standIn = {
  heap: { address: 0x2010_0000n, bytes: 0x10_0000 },
  exports: 0x2000_0000n,
  pool: 0x1000_0000n,
  listAddress: 0x0f00_0000n,
};

export function checkBaseOf(base: BaseImageDescription): CheckBase {
  const { config, heaps, filePool, listAddress, machine, elf } = base;
  const heap = heaps.at(0);
  // A heap that is not found gets the place of the file images, which then lie behind it.
  const pool = heap === undefined ? filePool + BigInt(standIn.heap.bytes) : filePool;
  return {
    config,
    exports: base.exports.map((entry, i): BaseExport => ({
      name: nameOf(entry),
      address: entry.address ?? standIn.exports + BigInt(i * 16) + 1n,
      ...(entry.slid === undefined ? {} : { slid: entry.slid }),
    })),
    addressesKnown: base.exports.every(({ address }) => address !== undefined),
    heap: heap ?? { address: filePool, bytes: standIn.heap.bytes },
    heapKnown: heap !== undefined,
    pool,
    listAddress: listAddress ?? filePool - 0x100n,
    machine: machine?.machine,
    floatAbi: machine?.floatAbi,
    armCpu: elf === undefined || machine?.machine !== EM_ARM ? undefined : armCpuOf(elf),
  };
}

/** llext_find_sym(NULL, ...): an import's address in the base image, by name or by the SLID in its st_value. */
export function baseLookup({ config, exports }: CheckBase): (symbol: ElfSymbol) => bigint | undefined {
  const addresses = new Map<string | bigint, bigint>();
  for (const { name, slid, address } of exports) {
    const key = config.exportBySlid === true ? slid : name;
    if (key !== undefined && !addresses.has(key)) addresses.set(key, address);
  }
  return ({ name, st_value }) => addresses.get(config.exportBySlid === true ? st_value : name);
}

/** A table by SLID has the names only where they are known. */
function nameOf({ name, slid }: BaseImageExport): string {
  return name ?? `slid 0x${(slid ?? 0n).toString(16)}`;
}

export function armCpuOf(elf: ElfFile): { arch: number; profile: string } | undefined {
  const attributes = armAttributes(elf);
  const arch = Number(attributes.get(Tag_CPU_arch) ?? 0);
  const profile = Number(attributes.get(Tag_CPU_arch_profile) ?? 0);
  return profile === 0 ? undefined : { arch, profile: String.fromCharCode(profile) };
}

/** e_machine that files for such a base image have. */
export function machinesOf({ arch, pointerSize }: LlextConfig): number[] {
  if (arch === 'x86') return [pointerSize === 8 ? EM_X86_64 : EM_386];
  return [...machineArch].filter(([, name]) => name === arch).map(([machine]) => machine);
}

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
    exports: imports.map((name, i) => ({ name, address: standIn.exports + BigInt(i * 16) + 1n })),
    addressesKnown: false,
    heap: standIn.heap,
    heapKnown: false,
    pool: standIn.pool,
    listAddress: standIn.listAddress,
  };
}
