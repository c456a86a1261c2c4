/**
 * What the cases of the API load: an extension with exports, init and fini functions, and a second that imports from it.
 */
import assert from 'node:assert/strict';
import * as C from '../../../lib/elf/constants';
import type { ErrnoName } from '../../../lib/errors';
import { defaultHeapSizes } from '../../../lib/kernel/llext-heaps';
import type { HeapConfig } from '../../../lib/kernel/llext-heaps';
import type { BufLoader } from '../../../lib/llext/buf-loader';
import type { LlextExtension } from '../../../lib/llext/extension';
import type { LlextSubsystem } from '../../../lib/llext/llext';
import type { ApiName } from '../../../lib/llext/llext-api';
import { defaultLoadParam } from '../../../lib/llext/loader';
import type { ProfileName } from '../../../lib/llext/profile';
import type { LlextConfig } from '../../../lib/llext/types';
import { buildElf, bss, data, func, text, undefinedSymbol } from '../elf-builder';
import type { ElfPlan } from '../elf-builder';
import { bench, image } from '../load-bench';
import type { Bench } from '../load-bench';

export const array = (name: string, type: number, count: number) => ({
  ...{ name, type, flags: C.SHF_ALLOC | C.SHF_WRITE, align: 4, entsize: 4 },
  bytes: new Uint8Array(4 * count),
});

export const plan: ElfPlan = {
  sections: [
    text(new Array<number>(32).fill(0)),
    { name: '.rodata', flags: C.SHF_ALLOC, bytes: new TextEncoder().encode('entry\0') },
    { ...data([0, 0, 0, 0, 0, 0, 0, 0]), name: '.exported_sym' },
    array('.init_array', C.SHT_INIT_ARRAY, 2),
    array('.fini_array', C.SHT_FINI_ARRAY, 1),
    bss(64),
  ],
  symbols: [{ name: 'name_of_entry', section: '.rodata' }, func('entry', 1), func('b', 5), func('c', 9)],
  relocations: [
    { target: '.exported_sym', offset: 0, type: C.R_ARM_ABS32, symbol: 'name_of_entry' },
    { target: '.exported_sym', offset: 4, type: C.R_ARM_ABS32, symbol: 'entry' },
    { target: '.init_array', offset: 0, type: C.R_ARM_ABS32, symbol: 'b' },
    { target: '.init_array', offset: 4, type: C.R_ARM_ABS32, symbol: 'c' },
    { target: '.fini_array', offset: 0, type: C.R_ARM_ABS32, symbol: 'entry' },
  ],
};
export const file = buildElf(plan);
/** The oldest version has no regions for the arrays, and refuses relocations of what is in no region. */
export const withoutArrays: ElfPlan = {
  ...plan,
  sections: plan.sections.filter(({ name }) => !name.endsWith('_array')),
  relocations: plan.relocations?.filter(({ target }) => target === '.exported_sym'),
};
export const oldFile = buildElf(withoutArrays);
export const fileOf = (profile: ProfileName): Uint8Array => (profile === 'SEED' ? oldFile : file);
export const planOf = (profile: ProfileName): ElfPlan => (profile === 'SEED' ? withoutArrays : plan);
/** The second init function, and the fini function, lie in the base image. */
export const outside = buildElf({
  ...plan,
  symbols: [...(plan.symbols ?? []), undefinedSymbol('imported')],
  relocations: plan.relocations?.map((relocation) =>
    relocation.offset === 4 || relocation.target === '.fini_array' ? { ...relocation, symbol: 'imported' } : relocation,
  ),
});

export interface Opened {
  readonly it: Bench;
  readonly llext: LlextSubsystem;
  readonly loader: BufLoader;
  readonly extension: LlextExtension;
}

export interface OpenOptions {
  readonly file?: Uint8Array;
  readonly config?: Partial<LlextConfig>;
  readonly heap?: HeapConfig;
  readonly keep?: boolean;
  readonly peek?: boolean;
}

/** The MPU's rules are not of interest here: USERSPACE has pages of 32 bytes. */
export function open(profile: ProfileName, options: OpenOptions = {}): Opened {
  const base = image({ profile, ...options.config }, { imported: 0x0800_0101n });
  const it = bench(base, [], undefined, { heap: options.heap });
  const loader = it.target.placeFile(options.file ?? fileOf(profile), 'temporary', options.peek !== false);
  it.target.announce('opened');
  const parm = { ...defaultLoadParam, keep_section_info: options.keep === true };
  const { ret, extension } = it.target.llext.load(loader, 'opened', parm);
  assert.equal(ret, 0, it.target.takeLog().join('\n'));
  assert.ok(extension !== undefined);
  it.target.takeLog();
  return { it, llext: it.target.llext, loader, extension };
}

export function heapConfig(kind: HeapConfig['kind'], harvard = false): HeapConfig {
  return { kind, harvard, sizes: { ...defaultHeapSizes, HEAP_SIZE: 0x8000 } };
}

export const userspace: Partial<LlextConfig> = { userspace: true, armMpu: true };

/** A copy of the extension's struct behind the ELF buffers, as an application saves it. */
export function copiesOf({ it }: Opened, ...extensions: LlextExtension[]): bigint[] {
  const { sizeof } = it.target.layout;
  return extensions.map((extension, i) => {
    const copy = 0x2000_8000n + BigInt(i * sizeof);
    it.target.memory.write(copy, it.target.memory.read(extension.address, sizeof));
    return copy;
  });
}

/** Two that depend on each other's symbols are loaded: `user` imports entry of `opened`. */
export function openPair(profile: ProfileName): Opened & { user: LlextExtension; userLoader: BufLoader } {
  const opened = open(profile, { keep: true });
  const userFile = buildElf({
    sections: [text(), data([0, 0, 0, 0])],
    symbols: [func('g'), undefinedSymbol('entry')],
    relocations: [{ target: '.data', offset: 0, type: C.R_ARM_ABS32, symbol: 'entry' }],
  });
  const userLoader = opened.it.target.placeFile(userFile, 'temporary', true);
  opened.it.target.announce('user');
  const parm = { ...defaultLoadParam, keep_section_info: true };
  const { extension: user } = opened.llext.load(userLoader, 'user', parm);
  assert.ok(user !== undefined);
  return { ...opened, user, userLoader };
}

export interface Case {
  readonly fn: ApiName;
  readonly result: ErrnoName | 'OK';
  /** Why, where several lead to the same code. */
  readonly when?: string;
  readonly profiles?: readonly ProfileName[];
  /** The return code; what else is true is asserted inside. */
  readonly run: (profile: ProfileName) => number;
}

export const later: readonly ProfileName[] = ['V41', 'V44', 'S'];
export const newest: readonly ProfileName[] = ['V44', 'S'];
