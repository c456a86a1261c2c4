/**
 * What the cases of lib/check's codes share: a board, files from the ELF builder, and the check of a set-up.
 */
import * as C from '../../lib/elf/constants';
import * as R from '../../lib/elf/constants-arm';
import { checkFiles } from '../../lib/check/check';
import type { FileReport } from '../../lib/check/check';
import type { CheckBase } from '../../lib/check/base';
import type { CheckOptions } from '../../lib/check/file-check';
import type { Finding, Severity } from '../../lib/check/finding';
import type { FindingCode } from '../../lib/check/rules';
import type { LlextConfig } from '../../lib/llext/types';
import { buildElf, func, text, undefinedSymbol } from './elf-builder';
import type { BuiltRelocation, BuiltSection, BuiltSymbol, ElfPlan } from './elf-builder';

/** Files in the order of loading, and how they are checked. */
export interface CheckSetup {
  readonly files: readonly { readonly name: string; readonly bytes: Uint8Array }[];
  readonly options?: CheckOptions;
}

export interface CheckCase {
  readonly code: FindingCode;
  readonly severity: Severity;
  /** In the message. */
  readonly message: RegExp;
  readonly section?: string;
  readonly symbol?: string;
  /** In the advice. */
  readonly fix?: RegExp;
  readonly provoke: () => CheckSetup;
  readonly clean: () => CheckSetup;
}

/** A board: flash far from RAM, a heap of 64 KiB. */
export const board: CheckBase = {
  config: { pointerSize: 4, arch: 'arm', page: 32, armMpu: false, mmu: false, importAllGlobals: false, logLevel: 4 },
  exports: [
    { name: 'printk', address: 0x0800_1001n },
    { name: 'k_uptime_get', address: 0x0800_1011n },
    { name: 'absent_call', address: 0n },
    { name: 'near_call', address: 0x20fe_8001n },
  ],
  addressesKnown: true,
  heap: { address: 0x2000_5000n, bytes: 0x1_0000 },
  heapKnown: true,
  pool: 0x2004_0000n,
  listAddress: 0x2000_0000n,
  machine: C.EM_ARM,
};

export const withBoard = (changes: Partial<CheckBase>, config: Partial<LlextConfig> = {}): CheckBase => ({
  ...board,
  ...changes,
  config: { ...board.config, ...config },
});

export function reportsOf({ files, options }: CheckSetup): readonly FileReport[] {
  const inputs = files.map(({ name, bytes }) => ({ file: `${name}.llext`, bytes }));
  return checkFiles(inputs, { base: board, ...options }).files;
}

/** Of all files. */
export function findingsOf(setup: CheckSetup): Finding<FindingCode>[] {
  return reportsOf(setup).flatMap(({ findings }) => findings);
}

export const file = (bytes: Uint8Array, options?: CheckOptions): CheckSetup => ({
  files: [{ name: 'ext', bytes }],
  options,
});
export const elf = (plan: ElfPlan, options?: CheckOptions) => () => file(buildElf(plan), options);

export const rodata = (bytes: readonly number[], name = '.rodata'): BuiltSection => ({
  name,
  flags: C.SHF_ALLOC,
  bytes,
  align: 4,
});

/** .exported_sym with one entry a name, as LL_EXTENSION_SYMBOL makes it; each name is a string of .rodata.str. */
export function exporting(names: readonly string[]): {
  readonly sections: BuiltSection[];
  readonly symbols: BuiltSymbol[];
  readonly relocations: BuiltRelocation[];
} {
  const strings = names.map((name) => [...new TextEncoder().encode(name), 0]);
  const offsets = strings.map((_, i) => strings.slice(0, i).reduce((sum, bytes) => sum + bytes.length, 0));
  const words = offsets.flatMap((offset) => [offset, 0, 0, 0, 0, 0, 0, 0]);
  const all = strings.flat();
  while (all.length % 4 !== 0) all.push(0);
  return {
    sections: [text(), rodata(all, '.rodata.str'), rodata(words, '.exported_sym')],
    symbols: [
      { name: '', section: '.rodata.str', type: C.STT_SECTION, binding: C.STB_LOCAL },
      ...[...new Set(names)].map((name) => func(name)),
    ],
    relocations: names.flatMap((name, i) => [
      { target: '.exported_sym', offset: i * 8, type: R.R_ARM_ABS32, symbol: '' },
      { target: '.exported_sym', offset: i * 8 + 4, type: R.R_ARM_ABS32, symbol: name },
    ]),
  };
}

export const plain: ElfPlan = { sections: [text()], symbols: [func('f')] };
export const exports = (...names: string[]): ElfPlan => exporting(names);

/** A file that imports a name by a word in its code. */
export const importing = (name: string, binding: number = C.STB_GLOBAL, value = 0): ElfPlan => ({
  sections: [text()],
  symbols: [func('f'), { ...undefinedSymbol(name, binding), value }],
  relocations: [{ target: '.text', offset: 0, type: R.R_ARM_ABS32, symbol: name }],
});

export const calling = (name: string): ElfPlan => ({
  sections: [text([0xff, 0xf7, 0xfe, 0xff])],
  symbols: [func('f'), undefinedSymbol(name)],
  relocations: [{ target: '.text', offset: 0, type: R.R_ARM_THM_CALL, symbol: name }],
});

export const relocating = (type: number, bytes = [0, 0, 0, 0]): ElfPlan => ({
  sections: [text(bytes)],
  symbols: [func('f')],
  relocations: [{ target: '.text', offset: 0, type, symbol: 'f' }],
});

export const custom = (name: string, type: number): BuiltSection => ({
  name,
  type,
  flags: C.SHF_ALLOC,
  bytes: [0, 0, 0, 0],
  align: 4,
});

export const initArray = (name: string, entsize = 4): BuiltSection => ({
  name,
  type: C.SHT_INIT_ARRAY,
  flags: C.SHF_ALLOC | C.SHF_WRITE,
  bytes: [0, 0, 0, 0],
  align: 4,
  entsize,
});

export const relocated = (target: string, symbol: string): BuiltRelocation => ({
  target,
  offset: 0,
  type: R.R_ARM_ABS32,
  symbol,
});

export function patched(bytes: Uint8Array, offset: number, ...values: number[]): Uint8Array {
  const copy = bytes.slice();
  copy.set(values, offset);
  return copy;
}

/** Index of a section by name; builder files number user sections from 1. */
export function sectionOffset(bytes: Uint8Array, index: number): number {
  const view = new DataView(bytes.buffer);
  return view.getUint32(view.getUint32(32, true) + index * 40 + 16, true);
}

export const built = buildElf(plain);
/** plain: null, .text, .symtab, .strtab, .shstrtab. */
export const [TEXT, SYMTAB, SHSTRTAB] = [1, 2, 4];
export const tls = C.SHF_ALLOC | C.SHF_WRITE | C.SHF_TLS;
export const dynamic: ElfPlan = { ...plain, type: C.ET_DYN };
export const mpu = withBoard({}, { armMpu: true, mpuPowerOfTwo: true, userspace: true });
export const codeSection = (bytes: number): BuiltSection => text(Array.from({ length: bytes }, () => 0));
