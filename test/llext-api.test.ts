/**
 * Every function of the API in every version that has it: each errno that it can return, and success. The last tests walk
 * lib/llext/llext-api.ts to prove it. Expected codes are the specification's (section 5).
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import * as C from '../lib/elf/constants';
import { Errno, LlextError } from '../lib/errors';
import type { ErrnoName } from '../lib/errors';
import { defaultHeapSizes } from '../lib/kernel/llext-heaps';
import type { HeapConfig } from '../lib/kernel/llext-heaps';
import { KMemDomain } from '../lib/kernel/mem-domain';
import type { BufLoader } from '../lib/llext/buf-loader';
import type { LlextExtension } from '../lib/llext/extension';
import type { LlextSubsystem } from '../lib/llext/llext';
import { apiErrnos, apiNames } from '../lib/llext/llext-api';
import type { ApiName } from '../lib/llext/llext-api';
import { collectCalls } from '../lib/llext/llext-handlers';
import { defaultLoadParam } from '../lib/llext/loader';
import { profileNames } from '../lib/llext/profile';
import type { ProfileName } from '../lib/llext/profile';
import type { LlextConfig } from '../lib/llext/types';
import { buildElf, bss, data, func, text, undefinedSymbol } from './support/elf-builder';
import type { ElfPlan } from './support/elf-builder';
import { bench, errors, image } from './support/load-bench';
import type { Bench } from './support/load-bench';

// --- What is loaded --------------------------------------------------------------------------------------------------

const array = (name: string, type: number, count: number) => ({
  ...{ name, type, flags: C.SHF_ALLOC | C.SHF_WRITE, align: 4, entsize: 4 },
  bytes: new Uint8Array(4 * count),
});

const plan: ElfPlan = {
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
const file = buildElf(plan);
/** The oldest version has no regions for the arrays, and refuses relocations of what is in no region. */
const withoutArrays: ElfPlan = {
  ...plan,
  sections: plan.sections.filter(({ name }) => !name.endsWith('_array')),
  relocations: plan.relocations?.filter(({ target }) => target === '.exported_sym'),
};
const oldFile = buildElf(withoutArrays);
const fileOf = (profile: ProfileName): Uint8Array => (profile === 'SEED' ? oldFile : file);
const planOf = (profile: ProfileName): ElfPlan => (profile === 'SEED' ? withoutArrays : plan);
/** The second init function, and the fini function, lie in the base image. */
const outside = buildElf({
  ...plan,
  symbols: [...(plan.symbols ?? []), undefinedSymbol('imported')],
  relocations: plan.relocations?.map((relocation) =>
    relocation.offset === 4 || relocation.target === '.fini_array' ? { ...relocation, symbol: 'imported' } : relocation,
  ),
});

interface Opened {
  readonly it: Bench;
  readonly llext: LlextSubsystem;
  readonly loader: BufLoader;
  readonly extension: LlextExtension;
}

interface OpenOptions {
  readonly file?: Uint8Array;
  readonly config?: Partial<LlextConfig>;
  readonly heap?: HeapConfig;
  readonly keep?: boolean;
  readonly peek?: boolean;
}

/** The MPU's rules are not of interest here: USERSPACE has pages of 32 bytes. */
function open(profile: ProfileName, options: OpenOptions = {}): Opened {
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

function heapConfig(kind: HeapConfig['kind'], harvard = false): HeapConfig {
  return { kind, harvard, sizes: { ...defaultHeapSizes, HEAP_SIZE: 0x8000 } };
}

const userspace: Partial<LlextConfig> = { userspace: true, armMpu: true };

/** A copy of the extension's struct behind the ELF buffers, as an application saves it. */
function copiesOf({ it }: Opened, ...extensions: LlextExtension[]): bigint[] {
  const { sizeof } = it.target.layout;
  return extensions.map((extension, i) => {
    const copy = 0x2000_8000n + BigInt(i * sizeof);
    it.target.memory.write(copy, it.target.memory.read(extension.address, sizeof));
    return copy;
  });
}

/** Two that depend on each other's symbols are loaded: `user` imports entry of `opened`. */
function openPair(profile: ProfileName): Opened & { user: LlextExtension; userLoader: BufLoader } {
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

// --- The cases -------------------------------------------------------------------------------------------------------

interface Case {
  readonly fn: ApiName;
  readonly result: ErrnoName | 'OK';
  /** Why, where several lead to the same code. */
  readonly when?: string;
  readonly profiles?: readonly ProfileName[];
  /** The return code; what else is true is asserted inside. */
  readonly run: (profile: ProfileName) => number;
}

const later: readonly ProfileName[] = ['V41', 'V44', 'S'];
const newest: readonly ProfileName[] = ['V44', 'S'];

function loadRet(
  profile: ProfileName,
  bytes: Uint8Array,
  config: Partial<LlextConfig> = {},
  pre_located = false,
): number {
  return bench(image({ profile, ...config })).load(bytes, { parm: { pre_located } }).ret;
}

const loading: readonly Case[] = [
  {
    fn: 'llext_load',
    result: 'OK',
    run(profile) {
      const { it, extension } = open(profile);
      assert.equal(extension.useCount, 1);
      // A name that is loaded: its use count as it was.
      assert.equal(it.load(fileOf(profile), { name: 'opened' }).ret, 1);
      assert.equal(extension.useCount, 2);
      return 0;
    },
  },
  {
    fn: 'llext_load',
    result: 'ENOMEM',
    run: (profile) =>
      loadRet(profile, buildElf({ ...plan, sections: [...plan.sections.slice(0, 3), bss(0x2_0000)], relocations: [] })),
  },
  {
    fn: 'llext_load',
    result: 'ENOEXEC',
    run: (profile) =>
      loadRet(
        profile,
        buildElf({
          ...planOf(profile),
          relocations: [{ target: '.text', offset: 0, type: C.R_ARM_THM_JUMP19, symbol: 'b' }],
        }),
      ),
  },
  {
    fn: 'llext_load',
    result: 'ENOTSUP',
    run: (profile) =>
      loadRet(
        profile,
        buildElf({
          ...planOf(profile),
          sections: [...planOf(profile).sections, { name: '.rela.text', type: C.SHT_RELA, entsize: 12, info: 1 }],
        }),
      ),
  },
  {
    fn: 'llext_load',
    result: 'ENODATA',
    run: (profile) =>
      loadRet(
        profile,
        buildElf({
          ...planOf(profile),
          symbols: [...(plan.symbols ?? []), undefinedSymbol('missing')],
          relocations: [{ target: '.text', offset: 0, type: C.R_ARM_ABS32, symbol: 'missing' }],
        }),
      ),
  },
  { fn: 'llext_load', result: 'EFAULT', profiles: later, run: (profile) => loadRet(profile, file, {}, true) },
  {
    fn: 'llext_unload',
    result: 'OK',
    run(profile) {
      const { it, llext, extension } = open(profile);
      it.load(fileOf(profile), { name: 'opened' });
      assert.equal(llext.unload(extension), 1, 'what is left of the use count');
      assert.equal(llext.byName('opened')?.address, extension.address);
      return llext.unload(extension);
    },
  },
  {
    fn: 'llext_by_name',
    result: 'OK',
    run(profile) {
      const it = bench(image({ profile }));
      it.load(fileOf(profile), { name: 'sixteen_letters_' });
      const found = (name: string): boolean => it.target.llext.byName(name) !== undefined;
      assert.ok(found('sixteen_letters'));
      assert.ok(!found('sixteen_letter'));
      // The oldest version compares one character more than it has kept.
      assert.equal(found('sixteen_letters_'), profile !== 'SEED');
      assert.equal(found('sixteen_lettersX'), profile !== 'SEED');
      return 0;
    },
  },
  {
    fn: 'llext_iterate',
    result: 'OK',
    run(profile) {
      const it = bench(image({ profile }));
      for (const name of ['a', 'b', 'c']) it.load(fileOf(profile), { name });
      const seen: string[] = [];
      const stop = it.target.llext.iterate(({ name }) => {
        seen.push(name);
        return name === 'b' ? 42 : 0;
      });
      assert.deepEqual([stop, seen.join('')], [42, 'ab']);
      return it.target.llext.iterate(() => 0);
    },
  },
  {
    fn: 'llext_find_sym',
    result: 'OK',
    run(profile) {
      const { llext, extension } = open(profile);
      assert.equal(llext.findSym('imported'), 0x0800_0101n);
      assert.equal(llext.findSym('entry'), undefined);
      assert.equal(llext.findSym('imported', extension), undefined);
      assert.equal(llext.findSym('entry', extension), extension.mem[0] + 1n);
      assert.equal(llext.findSym(0x1234n), undefined, 'no SLIDs in this build');
      return 0;
    },
  },
];

const inspection: readonly Case[] = [
  {
    fn: 'llext_find_section',
    result: 'OK',
    run(profile) {
      const { llext, loader } = open(profile);
      assert.equal(llext.findSection(loader, '.text'), 52n);
      assert.equal(llext.findSection(loader, '.rodata'), 84n);
      return 0;
    },
  },
  {
    fn: 'llext_find_section',
    result: 'ENOENT',
    run(profile) {
      const { llext, loader } = open(profile);
      return Number(llext.findSection(loader, '.none'));
    },
  },
  {
    fn: 'llext_find_section',
    result: 'ENOENT',
    when: 'without peek',
    profiles: ['SEED'],
    run(profile) {
      const { llext, loader } = open(profile, { peek: false });
      return Number(llext.findSection(loader, '.text'));
    },
  },
  {
    fn: 'llext_find_section',
    result: 'ENOTSUP',
    profiles: later,
    run(profile) {
      const { llext, loader } = open(profile, { peek: false });
      return Number(llext.findSection(loader, '.text'));
    },
  },
  {
    fn: 'llext_get_section_header',
    result: 'OK',
    profiles: later,
    run(profile) {
      const { llext, extension } = open(profile);
      const { ret, shdr } = llext.getSectionHeader(extension, '.bss');
      assert.deepEqual([shdr?.sh_type, shdr?.sh_size], [C.SHT_NOBITS, 64n]);
      return ret;
    },
  },
  {
    fn: 'llext_get_section_header',
    result: 'ENOENT',
    profiles: later,
    run(profile) {
      const { llext, extension } = open(profile);
      return llext.getSectionHeader(extension, '.none').ret;
    },
  },
  {
    fn: 'llext_get_section_header',
    result: 'ENOTSUP',
    profiles: newest,
    run(profile) {
      const { llext, extension } = forgotten(profile);
      return llext.getSectionHeader(extension, '.text').ret;
    },
  },
  {
    fn: 'llext_section_shndx',
    result: 'OK',
    profiles: later,
    run(profile) {
      const { llext, extension } = open(profile);
      assert.equal(llext.sectionShndx(extension, '.bss'), 6);
      // The name of section 0 is empty too, but it is not looked at.
      assert.equal(llext.sectionShndx(extension, ''), -Errno.ENOENT);
      return 0;
    },
  },
  {
    fn: 'llext_section_shndx',
    result: 'ENOENT',
    profiles: later,
    run(profile) {
      const { llext, extension } = open(profile);
      return llext.sectionShndx(extension, '.none');
    },
  },
  {
    fn: 'llext_section_shndx',
    result: 'ENOTSUP',
    profiles: newest,
    run(profile) {
      const { llext, extension } = forgotten(profile);
      return llext.sectionShndx(extension, '.text');
    },
  },
  {
    fn: 'llext_get_section_info',
    result: 'OK',
    profiles: later,
    run(profile) {
      const { it, llext, extension, loader } = open(profile, { keep: true });
      const { BSS, RODATA, COUNT } = it.target.llext.regions;
      assert.equal(llext.getSectionInfo(loader, extension, 2).region, RODATA);
      assert.equal(llext.getSectionInfo(loader, extension, 0).region, COUNT);
      const { ret, region, offset, hdr } = llext.getSectionInfo(loader, extension, 6);
      assert.deepEqual([region, offset, hdr?.sh_size], [BSS, 0n, 64n]);
      return ret;
    },
  },
  {
    fn: 'llext_get_section_info',
    result: 'EINVAL',
    profiles: later,
    run(profile) {
      const { llext, extension, loader } = open(profile, { keep: true });
      assert.equal(llext.getSectionInfo(loader, extension, -1).ret, -Errno.EINVAL);
      return llext.getSectionInfo(loader, extension, extension.sectCnt).ret;
    },
  },
  {
    fn: 'llext_get_section_info',
    result: 'ENOTSUP',
    profiles: later,
    run(profile) {
      const { llext, extension, loader } = open(profile);
      return llext.getSectionInfo(loader, extension, 1).ret;
    },
  },
  {
    fn: 'llext_get_region_info',
    result: 'OK',
    profiles: later,
    run(profile) {
      const { it, llext, extension, loader } = open(profile);
      const { TEXT } = it.target.llext.regions;
      const { ret, addr, size, hdr } = llext.getRegionInfo(loader, extension, TEXT);
      assert.deepEqual([addr, size, hdr?.sh_offset], [extension.mem[TEXT], 32n, 52n]);
      return ret;
    },
  },
  {
    fn: 'llext_get_region_info',
    result: 'EINVAL',
    profiles: later,
    run(profile) {
      const { it, llext, extension, loader } = open(profile);
      for (const wrong of [-1, 0.5]) assert.equal(llext.getRegionInfo(loader, extension, wrong).ret, -Errno.EINVAL);
      return llext.getRegionInfo(loader, extension, it.target.llext.regions.COUNT).ret;
    },
  },
  {
    fn: 'llext_section_headers',
    result: 'OK',
    profiles: later,
    run(profile) {
      const { llext, extension, loader } = open(profile);
      // In place: behind all sections of the file, rounded up to 4.
      assert.ok(llext.sectionHeaders(extension) > loader.address);
      assert.equal(extension.sectionHeaders()?.at(6)?.name, '.bss');
      return 0;
    },
  },
  {
    fn: 'llext_section_count',
    result: 'OK',
    profiles: later,
    run(profile) {
      const { llext, extension } = open(profile);
      // Six, their three relocation sections, three tables, and the first, which is none.
      assert.equal(llext.sectionCount(extension), 13);
      return 0;
    },
  },
  {
    fn: 'llext_free_inspection_data',
    result: 'OK',
    profiles: later,
    run(profile) {
      const { it, llext, extension, loader } = open(profile, { keep: true });
      const before = extension.allocSize;
      const free = it.target.freeHeapBytes();
      assert.equal(llext.freeInspectionData(loader, extension), 0);
      assert.equal(before - extension.allocSize, BigInt(extension.sectCnt * 8));
      assert.ok(it.target.freeHeapBytes() > free);
      // Nothing is left to free.
      return llext.freeInspectionData(loader, extension);
    },
  },
];

/** An extension whose section names somebody has taken away. */
function forgotten(profile: ProfileName): Opened {
  const opened = open(profile);
  const { layout } = opened.it.target;
  const { SHSTRTAB } = opened.llext.regions;
  opened.it.target.memory.write(opened.extension.address + BigInt(layout.mem + SHSTRTAB * 4), new Uint8Array(4));
  return opened;
}

const base = (extension: LlextExtension): bigint => extension.mem[0];

const calling: readonly Case[] = [
  {
    fn: 'llext_call_fn',
    result: 'OK',
    run(profile) {
      const { llext, extension } = open(profile);
      const { ret, calls } = collectCalls(llext.callFn(extension, 'entry'));
      assert.deepEqual(calls, [{ address: base(extension) + 1n, arguments: [] }]);
      return ret;
    },
  },
  ...(['EINVAL', 'ENOENT'] as const).map((result): Case => ({
    fn: 'llext_call_fn',
    result,
    profiles: result === 'EINVAL' ? ['SEED'] : later,
    run(profile) {
      const { llext, extension } = open(profile);
      const { ret, calls } = collectCalls(llext.callFn(extension, 'b'));
      assert.deepEqual(calls, [], 'b is global, but not exported');
      return ret;
    },
  })),
  {
    fn: 'llext_get_fn_table',
    result: 'OK',
    profiles: ['V41'],
    run(profile) {
      const { llext, extension } = open(profile);
      assert.deepEqual(llext.getFnTable(extension, true), { ret: 8, functions: [] });
      const functions = [base(extension) + 5n, base(extension) + 9n];
      assert.deepEqual(llext.getFnTable(extension, true, 8), { ret: 8, functions });
      assert.equal(llext.getFnTable(extension, false).ret, 4);
      return 0;
    },
  },
  {
    fn: 'llext_get_fn_table',
    result: 'EINVAL',
    profiles: ['V41'],
    run: (profile) => open(profile).llext.getFnTable(undefined, true).ret,
  },
  {
    fn: 'llext_get_fn_table',
    result: 'ENOMEM',
    profiles: ['V41'],
    run(profile) {
      const { llext, extension } = open(profile);
      return llext.getFnTable(extension, true, 7).ret;
    },
  },
  {
    fn: 'llext_get_fn_table',
    result: 'EFAULT',
    profiles: ['V41'],
    run(profile) {
      const { it, llext, extension } = open(profile, { file: outside });
      const { ret } = llext.getFnTable(extension, true, 8);
      assert.deepEqual(errors(it.target.takeLog()), ['llext: bringup function 1 (0x8000101) outside text region']);
      assert.equal(llext.getFnTable(extension, true).ret, 8, 'the size is told all the same');
      return ret;
    },
  },
  {
    fn: 'llext_get_fn_table_entry',
    result: 'OK',
    profiles: newest,
    run(profile) {
      const { llext, extension } = open(profile);
      assert.equal(llext.getFnTableEntry(extension, true).ret, 8);
      const { ret, address } = llext.getFnTableEntry(extension, true, 1);
      assert.equal(address, base(extension) + 9n);
      return ret;
    },
  },
  {
    fn: 'llext_get_fn_table_entry',
    result: 'EINVAL',
    profiles: newest,
    run(profile) {
      const { llext, extension } = open(profile);
      assert.equal(llext.getFnTableEntry(undefined, true, 0).ret, -Errno.EINVAL);
      assert.equal(llext.getFnTableEntry(extension, false, 1).ret, -Errno.EINVAL);
      return llext.getFnTableEntry(extension, true, 2).ret;
    },
  },
  {
    fn: 'llext_get_fn_table_entry',
    result: 'EFAULT',
    profiles: newest,
    run(profile) {
      const { llext, extension } = open(profile, { file: outside });
      assert.equal(llext.getFnTableEntry(extension, true, 0).ret, 0);
      return llext.getFnTableEntry(extension, true, 1).ret;
    },
  },
  ...(['llext_bringup', 'llext_teardown'] as const).flatMap((fn): Case[] => {
    const calls = (llext: LlextSubsystem, extension: LlextExtension | undefined) =>
      collectCalls(fn === 'llext_bringup' ? llext.bringup(extension) : llext.teardown(extension));
    const kind = fn === 'llext_bringup' ? 'bringup' : 'teardown';
    return [
      {
        fn,
        result: 'OK',
        profiles: later,
        run(profile) {
          const { it, llext, extension } = open(profile);
          const result = calls(llext, extension);
          const expected = fn === 'llext_bringup' ? [5n, 9n] : [1n];
          assert.deepEqual(
            result.calls.map(({ address }) => address - base(extension)),
            expected,
          );
          assert.deepEqual(
            it.target.takeLog(),
            result.calls.map(({ address }) => `<dbg> llext: calling ${kind} function 0x${address.toString(16)}()`),
          );
          return result.ret;
        },
      },
      {
        fn,
        result: 'EINVAL',
        profiles: later,
        run(profile) {
          const { it, llext } = open(profile);
          const { ret } = calls(llext, undefined);
          assert.deepEqual(errors(it.target.takeLog()), ['llext: Failed to get table size: -22']);
          return ret;
        },
      },
      {
        fn,
        result: 'EFAULT',
        profiles: later,
        run(profile) {
          const { it, llext, extension } = open(profile, { file: outside });
          const result = calls(llext, extension);
          // Since 4.3 the first init function runs before the second is found to be wrong.
          const before = fn === 'llext_bringup' && profile !== 'V41' ? 1 : 0;
          assert.equal(result.calls.length, before);
          const index = fn === 'llext_bringup' ? 1 : 0;
          assert.deepEqual(errors(it.target.takeLog()), [
            `llext: ${kind} function ${index} (0x8000101) outside text region`,
            'llext: Failed to get function table: -14',
          ]);
          return result.ret;
        },
      },
    ];
  }),
  {
    fn: 'llext_bootstrap',
    result: 'OK',
    profiles: later,
    run(profile) {
      const { it, llext, extension } = open(profile);
      const calls = [...llext.bootstrap(extension, base(extension) + 1n, 7n)];
      assert.deepEqual(
        calls.map(({ address, arguments: values }) => [address - base(extension), ...values]),
        [[5n], [9n], [1n, 7n], [1n]],
      );
      const entry = `0x${(base(extension) + 1n).toString(16)}`;
      assert.ok(it.target.takeLog().includes(`<dbg> llext: calling entry function ${entry}(0x7)`));
      return 0;
    },
  },
  {
    fn: 'llext_bootstrap',
    result: 'OK',
    when: 'what fails is only logged',
    profiles: later,
    run(profile) {
      const wrong = open(profile, { file: outside });
      const calls = [...wrong.llext.bootstrap(wrong.extension, base(wrong.extension) + 1n, 0n)];
      assert.equal(calls.length, profile === 'V41' ? 0 : 1);
      assert.equal(errors(wrong.it.target.takeLog()).at(-1), 'llext: Failed to call init functions: -14');
      const onlyFini = buildElf({
        ...plan,
        symbols: [...(plan.symbols ?? []), undefinedSymbol('imported')],
        relocations: plan.relocations?.map((relocation) =>
          relocation.target === '.fini_array' ? { ...relocation, symbol: 'imported' } : relocation,
        ),
      });
      const late = open(profile, { file: onlyFini });
      assert.equal([...late.llext.bootstrap(late.extension, base(late.extension) + 1n, 0n)].length, 3);
      assert.equal(errors(late.it.target.takeLog()).at(-1), 'llext: Failed to call de-init functions: -14');
      return 0;
    },
  },
];

const memory: readonly Case[] = [
  {
    fn: 'llext_add_domain',
    result: 'OK',
    run(profile) {
      const { llext, extension } = open(profile, { config: userspace });
      const domain = new KMemDomain(0x2000_7000n, 4);
      const ret = llext.addDomain(extension, domain);
      const { TEXT, RODATA, BSS, DATA } = llext.regions;
      assert.deepEqual(
        domain.partitions.map(({ start, attribute }) => [start, attribute]),
        [
          [extension.mem[TEXT], 'P_RX_U_RX'],
          [extension.mem[RODATA], 'P_RO_U_RO'],
          [extension.mem[BSS], 'P_RW_U_RW'],
        ],
        'DATA has nothing',
      );
      assert.equal(extension.memSize[DATA], 0n);
      // Sizes are those of the allocation: powers of two of at least 32.
      assert.deepEqual(
        domain.partitions.map(({ size }) => size),
        [32n, 32n, 64n],
      );
      return ret;
    },
  },
  {
    fn: 'llext_add_domain',
    result: 'ENOSYS',
    run(profile) {
      const { llext, extension } = open(profile);
      return llext.addDomain(extension, new KMemDomain(0n, 4));
    },
  },
  {
    fn: 'llext_add_domain',
    result: 'ENOSPC',
    run(profile) {
      const { it, llext, extension } = open(profile, { config: userspace });
      const domain = new KMemDomain(0x2000_7000n, 4, 2);
      const ret = llext.addDomain(extension, domain);
      assert.equal(domain.partitions.length, 2, 'what fitted stays');
      const { BSS } = llext.regions;
      assert.deepEqual(errors(it.target.takeLog()), [
        `llext: Failed adding memory partition ${BSS} to domain 0x20007000`,
      ]);
      return ret;
    },
  },
  {
    fn: 'llext_add_domain',
    result: 'EINVAL',
    run(profile) {
      const { llext, extension } = open(profile, { config: userspace });
      const domain = new KMemDomain(0x2000_7000n, 4);
      assert.equal(llext.addDomain(extension, domain), 0);
      // The same partitions once more overlap themselves.
      return llext.addDomain(extension, domain);
    },
  },
  {
    fn: 'llext_heap_init',
    result: 'OK',
    profiles: later,
    run(profile) {
      const { llext } = uninitialised(profile, false);
      return llext.heapInit({ address: 0x2010_0000, bytes: 0x4000 });
    },
  },
  {
    fn: 'llext_heap_init',
    result: 'ENOSYS',
    profiles: later,
    run(profile) {
      const range = { address: 0x2010_0000, bytes: 0x4000 };
      assert.equal(uninitialised(profile, true).llext.heapInit(range), -Errno.ENOSYS, 'on Harvard');
      return open(profile).llext.heapInit(range);
    },
  },
  {
    fn: 'llext_heap_init',
    result: 'EEXIST',
    profiles: later,
    run: (profile) =>
      open(profile, { heap: heapConfig('dynamic') }).llext.heapInit({ address: 0x2010_0000, bytes: 0x4000 }),
  },
  {
    fn: 'llext_heap_init_harvard',
    result: 'OK',
    profiles: later,
    run: (profile) => uninitialised(profile, true).llext.heapInitHarvard(instr, rest),
  },
  {
    fn: 'llext_heap_init_harvard',
    result: 'ENOSYS',
    profiles: later,
    run(profile) {
      assert.equal(uninitialised(profile, false).llext.heapInitHarvard(instr, rest), -Errno.ENOSYS);
      return open(profile, { heap: heapConfig('kheap', true) }).llext.heapInitHarvard(instr, rest);
    },
  },
  {
    fn: 'llext_heap_init_harvard',
    result: 'EEXIST',
    profiles: later,
    run: (profile) => open(profile, { heap: heapConfig('dynamic', true) }).llext.heapInitHarvard(instr, rest),
  },
  {
    fn: 'llext_heap_uninit',
    result: 'OK',
    profiles: later,
    run(profile) {
      const { it, llext, extension } = open(profile, { heap: heapConfig('dynamic') });
      llext.unload(extension);
      assert.equal(llext.heapUninit(), 0);
      assert.equal(it.load(file).ret, -Errno.ENOMEM);
      return llext.heapInit({ address: 0x2010_0000, bytes: 0x4000 });
    },
  },
  {
    fn: 'llext_heap_uninit',
    result: 'ENOSYS',
    profiles: later,
    run: (profile) => open(profile).llext.heapUninit(),
  },
  {
    fn: 'llext_heap_uninit',
    result: 'EEXIST',
    profiles: later,
    run: (profile) => uninitialised(profile, false).llext.heapUninit(),
  },
  {
    fn: 'llext_heap_uninit',
    result: 'EBUSY',
    profiles: later,
    run: (profile) => open(profile, { heap: heapConfig('dynamic') }).llext.heapUninit(),
  },
];

const instr = { address: 0x2010_0000, bytes: 0x1000 };
const rest = { address: 0x2010_1000, bytes: 0x2000 };

function uninitialised(profile: ProfileName, harvard: boolean): { llext: LlextSubsystem } {
  const heap = heapConfig('dynamic', harvard);
  return bench(image({ profile }), [], undefined, { heap, leaveHeapUninitialised: true }).target;
}

const resuming: readonly Case[] = [
  {
    fn: 'llext_relink_dependency',
    result: 'OK',
    profiles: later,
    run(profile) {
      const pair = openPair(profile);
      const [user, opened] = copiesOf(pair, pair.user, pair.extension);
      const ret = pair.llext.relinkDependency(user, 2);
      assert.equal(dependencyOf(pair, user), opened);
      return ret;
    },
  },
  {
    fn: 'llext_relink_dependency',
    result: 'ENOENT',
    profiles: later,
    run(profile) {
      const pair = openPair(profile);
      const [user] = copiesOf(pair, pair.user);
      return pair.llext.relinkDependency(user, 1);
    },
  },
  {
    fn: 'llext_restore',
    result: 'OK',
    profiles: later,
    run(profile) {
      const { pair, copies } = suspended(profile);
      const result = pair.llext.restore(copies, [pair.loader, pair.userLoader]);
      assert.deepEqual(
        pair.llext.extensions().map(({ name }) => name),
        ['opened', 'user'],
      );
      const [opened, user] = result.extensions;
      assert.equal(dependencyOf(pair, user), opened);
      const again = pair.llext.byName('opened');
      assert.equal(addressOf(again, '.text'), addressOf(pair.extension, '.text'));
      assert.deepEqual(
        again?.expTab.symbols.map(({ name }) => name),
        ['entry'],
      );
      // The section maps are new ones too.
      assert.equal(pair.llext.getSectionInfo(pair.loader, pair.extension, 1).region, 0);
      return result.ret;
    },
  },
  {
    fn: 'llext_restore',
    result: 'EINVAL',
    profiles: later,
    run(profile) {
      // A dependency on the last of them is out of range: a flaw of Zephyr.
      const { pair, copies } = suspended(profile, true);
      const result = pair.llext.restore(copies, [pair.userLoader, pair.loader]);
      assert.ok(errors(pair.it.target.takeLog()).includes('llext: dependency out of range'));
      // Giving up frees the export tables a second time.
      assert.ok(result.fault instanceof LlextError);
      return result.ret;
    },
  },
  {
    fn: 'llext_restore',
    result: 'EFAULT',
    profiles: later,
    run(profile) {
      const { pair, copies } = suspended(profile);
      // The copy of the dependency has lost its name meanwhile; the restored one is found by another.
      const nameless = 0x2000_9000n;
      const { sizeof, name, dependency = 0 } = pair.it.target.layout;
      pair.it.target.memory.write(nameless, pair.it.target.memory.read(copies[0], sizeof));
      const between = copies[0] + 4n;
      pair.it.target.memory.write(copies[1] + BigInt(dependency), wordBytes(between));
      assert.ok(name > 0);
      const { ret } = pair.llext.restore(copies, [pair.loader, pair.userLoader]);
      assert.ok(errors(pair.it.target.takeLog()).includes('llext: dependency not found'));
      return ret;
    },
  },
  ...(['list of section maps', 'sect_map', 'list of exp_tabs', 'exp_tab', 'struct llext'] as const).map(
    (purpose): Case => ({
      fn: 'llext_restore',
      result: 'ENOMEM',
      when: `no room for ${purpose}`,
      profiles: later,
      run(profile) {
        const { pair, copies } = suspended(profile);
        const before = pair.it.target.freeHeapBytes();
        pair.it.target.refuse(purpose);
        const result = pair.llext.restore(copies, [pair.loader, pair.userLoader]);
        assert.match(errors(pair.it.target.takeLog())[0], /^llext: cannot allocate /);
        assert.equal(pair.it.target.freeHeapBytes(), before, 'nothing leaks');
        assert.equal(result.fault, undefined);
        assert.deepEqual(pair.llext.extensions(), []);
        return result.ret;
      },
    }),
  ),
];

function addressOf(extension: LlextExtension | undefined, section: string): bigint | undefined {
  return extension?.sections.find(({ name }) => name === section)?.address;
}

function wordBytes(value: bigint): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, Number(value), true);
  return bytes;
}

function dependencyOf({ it }: Opened, ext: bigint): bigint {
  const { dependency = 0 } = it.target.layout;
  const bytes = it.target.memory.read(ext + BigInt(dependency), 4);
  return BigInt(new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true));
}

/** Two extensions are saved and relinked, and the list is empty, as after power was lost. */
function suspended(
  profile: ProfileName,
  dependencyLast = false,
): { pair: ReturnType<typeof openPair>; copies: bigint[] } {
  const pair = openPair(profile);
  const order = dependencyLast ? [pair.user, pair.extension] : [pair.extension, pair.user];
  // One more that nobody depends on: the last of the array cannot be depended on.
  const copies = copiesOf(pair, ...order);
  assert.equal(pair.llext.relinkDependency(copies[0], 2), 0);
  pair.it.target.memory.write(0x2000_0000n, new Uint8Array(8));
  pair.it.target.takeLog();
  return { pair, copies };
}

const cases: readonly Case[] = [...loading, ...inspection, ...calling, ...memory, ...resuming];

for (const { fn, result, when, profiles = profileNames, run } of cases) {
  test(`${fn}: ${result}${when === undefined ? '' : `, ${when}`}`, () => {
    for (const profile of profiles) {
      assert.equal(run(profile), result === 'OK' ? 0 : -Errno[result], profile);
    }
  });
}

// --- The table is walked ---------------------------------------------------------------------------------------------

test('every errno of every function in every version has a case, and so has success', () => {
  const missing: string[] = [];
  for (const fn of apiNames) {
    for (const profile of profileNames) {
      const wanted: (ErrnoName | 'OK')[] = [...(apiErrnos(profile, fn) ?? [])];
      if (apiErrnos(profile, fn) !== undefined) wanted.push('OK');
      for (const result of wanted) {
        const found = cases.some(
          (each) => each.fn === fn && each.result === result && (each.profiles ?? profileNames).includes(profile),
        );
        if (!found) missing.push(`${fn} ${profile} ${result}`);
      }
    }
  }
  assert.deepEqual(missing, []);
});

test('no case is for what the table does not have', () => {
  const wrong = cases.flatMap(({ fn, result, profiles = profileNames }) =>
    profiles
      .filter((profile) => {
        const errnos = apiErrnos(profile, fn);
        return errnos === undefined || (result !== 'OK' && !errnos.includes(result));
      })
      .map((profile) => `${fn} ${profile} ${result}`),
  );
  assert.deepEqual(wrong, []);
});

const calls: Readonly<Record<ApiName, (opened: Opened) => unknown>> = {
  llext_load: ({ it }) => it.load(file),
  llext_unload: ({ llext, extension }) => llext.unload(extension),
  llext_by_name: ({ llext }) => llext.byName('x'),
  llext_iterate: ({ llext }) => llext.iterate(() => 0),
  llext_find_sym: ({ llext }) => llext.findSym('x'),
  llext_call_fn: ({ llext, extension }) => llext.callFn(extension, 'x'),
  llext_add_domain: ({ llext, extension }) => llext.addDomain(extension, new KMemDomain(0n, 4)),
  llext_find_section: ({ llext, loader }) => llext.findSection(loader, 'x'),
  llext_get_section_header: ({ llext, extension }) => llext.getSectionHeader(extension, 'x'),
  llext_section_shndx: ({ llext, extension }) => llext.sectionShndx(extension, 'x'),
  llext_get_section_info: ({ llext, loader, extension }) => llext.getSectionInfo(loader, extension, 0),
  llext_get_region_info: ({ llext, loader, extension }) => llext.getRegionInfo(loader, extension, 0),
  llext_section_headers: ({ llext, extension }) => llext.sectionHeaders(extension),
  llext_section_count: ({ llext, extension }) => llext.sectionCount(extension),
  llext_free_inspection_data: ({ llext, loader, extension }) => llext.freeInspectionData(loader, extension),
  llext_get_fn_table: ({ llext, extension }) => llext.getFnTable(extension, true),
  llext_get_fn_table_entry: ({ llext, extension }) => llext.getFnTableEntry(extension, true),
  llext_bringup: ({ llext, extension }) => llext.bringup(extension),
  llext_teardown: ({ llext, extension }) => llext.teardown(extension),
  llext_bootstrap: ({ llext, extension }) => llext.bootstrap(extension, 0n, 0n),
  llext_heap_init: ({ llext }) => llext.heapInit(instr),
  llext_heap_init_harvard: ({ llext }) => llext.heapInitHarvard(instr, rest),
  llext_heap_uninit: ({ llext }) => llext.heapUninit(),
  llext_relink_dependency: ({ llext }) => llext.relinkDependency(0x2000_8000n, 0),
  llext_restore: ({ llext }) => llext.restore([], []),
};

test('what a version does not have says so, and names the versions that have it', () => {
  for (const fn of apiNames) {
    for (const profile of profileNames) {
      const opened = open(profile);
      assert.equal(opened.llext.provides(fn), apiErrnos(profile, fn) !== undefined);
      if (opened.llext.provides(fn)) continue;
      assert.throws(
        () => calls[fn](opened),
        (error) => error instanceof LlextError && error.errno === Errno.ENOSYS && error.message.startsWith(fn),
        `${fn} ${profile}`,
      );
    }
  }
});
