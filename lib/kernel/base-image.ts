/**
 * The export table of the built-in base image: every function and object that an extension may import, with its
 * fixed address. Functions have slots in flash, in the order of the rows, on Arm with the Thumb bit set; the emulator stops
 * at a slot and the kernel performs the function. This file is data: hovers use it without the kernel.
 */
import type { Arch } from '../arch';
import type { BaseExport, ExportGroup } from '../llext/types';
import { eabiExports } from './exports-eabi';
import type { ExportRow } from './export-row';
import { kernelExports } from './exports-kernel';
import { libcExports } from './exports-libc';
import { CALL_FN_ADDRESS, CALL_FN_SIZE, ERRNO, EXPORTED_OBJECTS, EXPORTS_BASE, SLOT_SIZE } from './memory-map';

export interface BaseFunction extends ExportRow {
  readonly kind: 'function';
  /** Of the first instruction; what an Arm export table has is this with bit 0 set. */
  readonly address: number;
  readonly size: number;
}

/** Data of the base image. */
export interface BaseObject {
  readonly kind: 'object';
  readonly name: string;
  /** C declaration, as a hover shows it. */
  readonly signature: string;
  readonly doc: string;
  readonly address: number;
  readonly size: number;
  readonly group: ExportGroup;
}

export type BaseSymbol = BaseFunction | BaseObject;

export const baseFunctions: readonly BaseFunction[] = [...kernelExports, ...libcExports, ...eabiExports].map(
  (entry, index) => ({ ...entry, kind: 'function', address: EXPORTS_BASE + index * SLOT_SIZE, size: SLOT_SIZE }),
);

function object(index: number, signature: string, doc: string): BaseObject {
  const name = /(\w+)$/.exec(signature)?.[1] ?? signature;
  const address = EXPORTED_OBJECTS + index * 8;
  return { kind: 'object', name, signature, doc, address, size: 4, group: index < 3 ? 'LIBC' : 'UNASSIGNED' };
}

export const baseObjects: readonly BaseObject[] = [
  object(0, 'FILE *const stdin', 'standard input, always at its end'),
  object(1, 'FILE *const stdout', 'standard output: the Debug Console'),
  object(2, 'FILE *const stderr', 'standard error: the Debug Console'),
  object(3, 'uintptr_t __stack_chk_guard', 'canary of -fstack-protector'),
  {
    kind: 'object',
    name: 'errno',
    signature: 'int errno',
    doc: 'last error number',
    address: ERRNO,
    size: 4,
    group: 'LIBC',
  },
];

/** Symbols of the base image that are not exported but appear in call stacks. */
export const hostSymbols: readonly BaseSymbol[] = [
  {
    kind: 'function',
    name: 'llext_call_fn',
    signature: 'int llext_call_fn(struct llext *ext, const char *sym_name)',
    implementation: 'llext_call_fn',
    doc: 'the host: calls a function of an extension',
    address: CALL_FN_ADDRESS,
    size: CALL_FN_SIZE,
    group: 'UNASSIGNED',
  },
];

/** Everything that an extension may import, in the order of the table. */
export const baseExports: readonly BaseSymbol[] = [...baseFunctions, ...baseObjects];

const byName = new Map(baseExports.map((entry) => [entry.name, entry]));

export function findBaseExport(name: string): BaseSymbol | undefined {
  return byName.get(name);
}

/** What belongs to Arm alone: the run-time ABI's helpers and libgcc's for Thumb. */
const onlyArm = /^__(aeabi|gnu_thumb1|gnu_[hfd]2)/;

/** What the base image of an architecture exports. */
export function baseExportsOf(arch: Arch): readonly BaseSymbol[] {
  return arch === 'arm' ? baseExports : baseExports.filter(({ name }) => !onlyArm.test(name));
}

/** The value in the export table: Thumb functions with bit 0 set. */
export function exportAddress(symbol: BaseSymbol, arch: Arch): number {
  return symbol.kind === 'function' && arch === 'arm' ? symbol.address | 1 : symbol.address;
}

/** The table as the loader has it; which groups it takes is a matter of LlextConfig. */
export function loaderExportsOf(arch: Arch): readonly BaseExport[] {
  return baseExportsOf(arch).map((symbol) => ({
    name: symbol.name,
    address: BigInt(exportAddress(symbol, arch)),
    group: symbol.group,
  }));
}
