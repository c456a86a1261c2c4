/**
 * One case for each code of lib/check: a file that provokes it and a twin that differs only in the cause. Made by the
 * ELF builder, or by a compiler where the cause is what a compiler writes.
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
import { compile } from './check-compiler';
import { bss, buildElf, data, func, patchHeader, text, undefinedSymbol } from './elf-builder';
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

const withBoard = (changes: Partial<CheckBase>, config: Partial<LlextConfig> = {}): CheckBase => ({
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

const file = (bytes: Uint8Array, options?: CheckOptions): CheckSetup => ({ files: [{ name: 'ext', bytes }], options });
const elf = (plan: ElfPlan, options?: CheckOptions) => () => file(buildElf(plan), options);

const rodata = (bytes: readonly number[], name = '.rodata'): BuiltSection => ({
  name,
  flags: C.SHF_ALLOC,
  bytes,
  align: 4,
});

/** .exported_sym with one entry a name, as LL_EXTENSION_SYMBOL makes it; each name is a string of .rodata.str. */
function exporting(names: readonly string[]): {
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

const plain: ElfPlan = { sections: [text()], symbols: [func('f')] };
const exports = (...names: string[]): ElfPlan => exporting(names);

/** A file that imports a name by a word in its code. */
const importing = (name: string, binding: number = C.STB_GLOBAL, value = 0): ElfPlan => ({
  sections: [text()],
  symbols: [func('f'), { ...undefinedSymbol(name, binding), value }],
  relocations: [{ target: '.text', offset: 0, type: R.R_ARM_ABS32, symbol: name }],
});

const calling = (name: string): ElfPlan => ({
  sections: [text([0xff, 0xf7, 0xfe, 0xff])],
  symbols: [func('f'), undefinedSymbol(name)],
  relocations: [{ target: '.text', offset: 0, type: R.R_ARM_THM_CALL, symbol: name }],
});

const relocating = (type: number, bytes = [0, 0, 0, 0]): ElfPlan => ({
  sections: [text(bytes)],
  symbols: [func('f')],
  relocations: [{ target: '.text', offset: 0, type, symbol: 'f' }],
});

const custom = (name: string, type: number): BuiltSection => ({
  name,
  type,
  flags: C.SHF_ALLOC,
  bytes: [0, 0, 0, 0],
  align: 4,
});

const initArray = (name: string, entsize = 4): BuiltSection => ({
  name,
  type: C.SHT_INIT_ARRAY,
  flags: C.SHF_ALLOC | C.SHF_WRITE,
  bytes: [0, 0, 0, 0],
  align: 4,
  entsize,
});

const relocated = (target: string, symbol: string): BuiltRelocation => ({
  target,
  offset: 0,
  type: R.R_ARM_ABS32,
  symbol,
});

function patched(bytes: Uint8Array, offset: number, ...values: number[]): Uint8Array {
  const copy = bytes.slice();
  copy.set(values, offset);
  return copy;
}

/** Index of a section by name; builder files number user sections from 1. */
function sectionOffset(bytes: Uint8Array, index: number): number {
  const view = new DataView(bytes.buffer);
  return view.getUint32(view.getUint32(32, true) + index * 40 + 16, true);
}

const built = buildElf(plain);
/** plain: null, .text, .symtab, .strtab, .shstrtab. */
const [TEXT, SYMTAB, SHSTRTAB] = [1, 2, 4];
const tls = C.SHF_ALLOC | C.SHF_WRITE | C.SHF_TLS;
const dynamic: ElfPlan = { ...plain, type: C.ET_DYN };
const mpu = withBoard({}, { armMpu: true, mpuPowerOfTwo: true, userspace: true });
const code = (bytes: number): BuiltSection => text(Array.from({ length: bytes }, () => 0));

export const fileCases: readonly CheckCase[] = [
  {
    code: 'not-elf',
    severity: 'error',
    message: /no 7F 45 4C 46/,
    provoke: () => file(new TextEncoder().encode('just some text')),
    clean: elf(plain),
  },
  {
    code: 'not-loadable-type',
    severity: 'error',
    message: /ET_EXEC/,
    fix: /-shared/,
    provoke: elf({ ...plain, type: C.ET_EXEC }),
    clean: elf(plain),
  },
  {
    code: 'bad-section-header-size',
    severity: 'error',
    message: /e_shentsize is 44, not 40/,
    provoke: () => file(Uint8Array.from([...patched(built, 46, 44), ...new Uint8Array(64)])),
    clean: elf(plain),
  },
  {
    code: 'no-sections',
    severity: 'error',
    message: /e_shnum is 0/,
    provoke: () => file(patched(built, 48, 0)),
    clean: elf(plain),
  },
  {
    code: 'wrong-class',
    severity: 'error',
    message: /ELFCLASS32.*64-bit/,
    provoke: elf(plain, { base: withBoard({}, { pointerSize: 8 }), profile: 'V41' }),
    clean: elf(plain),
  },
  {
    code: 'wrong-byte-order',
    severity: 'error',
    message: /little-endian.*big-endian/,
    provoke: elf(plain, { base: withBoard({}, { bigEndian: true }), profile: 'S' }),
    clean: elf(plain),
  },
  {
    code: 'wrong-machine',
    severity: 'warning',
    message: /EM_RISCV is not the base image’s EM_ARM/,
    provoke: elf({ ...plain, machine: C.EM_RISCV }),
    clean: elf(plain),
  },
  {
    code: 'truncated-file',
    severity: 'warning',
    message: /ends at 0x\w+, the file at 0x\w+: \d+ bytes are missing/,
    provoke: () => file(patchHeader(built, SHSTRTAB, 20, 0x1000)),
    clean: elf(plain),
  },
  {
    code: 'damaged-table',
    severity: 'error',
    message: /\.symtab\+0x0: an index is outside/,
    provoke: () => file(patchHeader(built, SYMTAB, 24, 99)),
    clean: elf(plain),
  },
  {
    code: 'no-symbol-table',
    severity: 'error',
    message: /SHT_SYMTAB/,
    fix: /--strip-debug/,
    provoke: elf({ ...plain, omit: ['.symtab'] }),
    clean: elf(plain),
  },
  {
    code: 'missing-string-table',
    severity: 'error',
    message: /e_shstrndx 0 names no section/,
    provoke: () => file(patched(built, 50, 0)),
    clean: elf(plain),
  },
  {
    code: 'shared-string-table',
    severity: 'error',
    message: /'\.shstrtab' is the string table of sections and of symbols/,
    fix: /ld -r/,
    provoke: elf({ ...plain, omit: ['.strtab'], sharedStrings: true }),
    clean: elf({ ...plain, omit: ['.strtab'], sharedStrings: true }, { profile: 'S' }),
  },
  {
    code: 'string-table-before-symbols',
    severity: 'error',
    message: /'early' is section 1, before its symbol table, section 3/,
    provoke: () => {
      const early = { name: 'early', type: C.SHT_STRTAB, bytes: [0, 0x66, 0] };
      return file(patchHeader(buildElf({ sections: [early, text()], symbols: [func('f')] }), 3, 24, 1));
    },
    clean: elf(plain),
  },
  {
    code: 'bad-symbol-table',
    severity: 'error',
    message: /sh_entsize 20/,
    section: '.symtab',
    provoke: () => file(patchHeader(built, SYMTAB, 36, 20)),
    clean: elf(plain),
  },
  {
    code: 'bad-symbol-name',
    severity: 'error',
    message: /symbol 1: st_name 9999/,
    provoke: () => file(patched(built, sectionOffset(built, SYMTAB) + 16, 0x0f, 0x27)),
    clean: elf(plain),
  },
  {
    code: 'bad-section-name',
    severity: 'warning',
    message: /section 1: sh_name 200/,
    provoke: () => file(patchHeader(built, TEXT, 0, 200)),
    clean: elf(plain),
  },
  {
    code: 'float-abi-mismatch',
    severity: 'warning',
    message: /hard-float convention, the base image by soft-float/,
    provoke: () =>
      file(compile('f', ['-mcpu=cortex-m4', '-mfloat-abi=hard', '-mfpu=fpv4-sp-d16']), {
        base: withBoard({ floatAbi: 'soft' }),
      }),
    clean: () => file(compile('f', ['-mcpu=cortex-m4', '-mfloat-abi=soft']), { base: withBoard({ floatAbi: 'soft' }) }),
  },
  {
    code: 'wrong-abi',
    severity: 'warning',
    message: /e_flags 0x4000000 is not EABI version 5/,
    provoke: elf({ ...plain, flags: 0x0400_0000 }),
    clean: elf(plain),
  },
  {
    code: 'instruction-set-mismatch',
    severity: 'warning',
    message: /Tag_CPU_arch 13; the base image’s core is of 12/,
    fix: /-mcpu/,
    provoke: () => file(compile('f', ['-mcpu=cortex-m4']), { base: withBoard({ armCpu: { arch: 12, profile: 'M' } }) }),
    clean: () =>
      file(compile('f', ['-mcpu=cortex-m0plus']), { base: withBoard({ armCpu: { arch: 12, profile: 'M' } }) }),
  },
  {
    code: 'out-of-bounds',
    severity: 'warning',
    message: /the loader writes \d+ bytes of padding before a region/,
    provoke: () => file(patchHeader(patchHeader(built, SHSTRTAB, 28, 100), SHSTRTAB, 8, C.SHF_ALLOC)),
    clean: elf(plain),
  },
  {
    code: 'load-refused',
    severity: 'error',
    message: /Failed allocating \d+ bytes 4-aligned for region 0 \(-ENOMEM\)/,
    // Too large for a dozen trials, which would have told how much heap it takes.
    provoke: elf({ ...plain, sections: [code(9 << 20)] }),
    clean: elf(plain),
  },
  {
    code: 'loader-faults',
    severity: 'error',
    message: /there is no memory at/,
    provoke: elf({
      ...plain,
      sections: [
        text(),
        { name: '.rel.x', type: C.SHT_REL, entsize: 8, info: 0x0fff_ffff, bytes: [0, 0, 0, 0, 0, 0, 0, 0] },
      ],
    }),
    clean: elf(plain),
  },
];

export const sectionCases: readonly CheckCase[] = [
  {
    code: 'multiple-nobits',
    severity: 'error',
    message: /2 sections without data: '\.bss', '\.noinit'/,
    section: '.noinit',
    fix: /-fno-common/,
    provoke: elf({ ...plain, sections: [text(), bss(4), bss(4, '.noinit')] }),
    clean: elf({ ...plain, sections: [text(), bss(4)] }),
  },
  {
    code: 'region-flags-differ',
    severity: 'error',
    message: /'\.text2' and '\.text' have different flags \(WAX and AX\)/,
    section: '.text2',
    provoke: elf({ ...plain, sections: [text(), { ...text([0, 0, 0, 0], '.text2'), flags: 7 }] }),
    clean: elf({ ...plain, sections: [text(), text([0, 0, 0, 0], '.text2')] }),
  },
  {
    code: 'repeated-function-array',
    severity: 'error',
    message: /region INIT has '\.init_array', '\.init_array\.5'/,
    provoke: elf({ ...plain, sections: [text(), initArray('.init_array'), initArray('.init_array.5')] }),
    clean: elf({ ...plain, sections: [text(), initArray('.init_array')] }),
  },
  {
    code: 'bad-function-array',
    severity: 'error',
    message: /'\.init_array': sh_entsize 0/,
    provoke: elf({ ...plain, sections: [text(), initArray('.init_array', 0)] }),
    clean: elf({ ...plain, sections: [text(), initArray('.init_array')] }),
  },
  {
    code: 'function-outside-text',
    severity: 'warning',
    message: /entry 0 of '\.init_array' is 'd', in '\.data'/,
    provoke: elf({
      sections: [text(), data([0, 0, 0, 0]), initArray('.init_array')],
      symbols: [func('f'), func('d', 0, '.data')],
      relocations: [relocated('.init_array', 'd')],
    }),
    clean: elf({
      ...plain,
      sections: [text(), initArray('.init_array')],
      relocations: [relocated('.init_array', 'f')],
    }),
  },
  {
    code: 'dyn-function-array',
    severity: 'warning',
    message: /'\.init_array' has 4 bytes of addresses that nothing relocates/,
    provoke: elf({ ...dynamic, sections: [text(), initArray('.init_array')] }),
    clean: elf({ ...plain, sections: [text(), initArray('.init_array')] }),
  },
  {
    code: 'regions-overlap',
    severity: 'error',
    message: /regions TEXT .* and DATA .* overlap; both reach over '\.data'/,
    section: '.data',
    fix: /ld -r/,
    provoke: elf({ ...plain, sections: [text(), data([1, 2, 3, 4]), text([0, 0, 0, 0], '.text2')] }),
    clean: elf({ ...plain, sections: [text(), text([0, 0, 0, 0], '.text2'), data([1, 2, 3, 4])] }),
  },
  {
    code: 'region-swallows-sections',
    severity: 'note',
    message: /region TEXT holds 8 foreign bytes: '\.comment'/,
    provoke: elf({
      ...plain,
      sections: [text(), { name: '.comment', bytes: [1, 2, 3, 4, 5, 6, 7, 8] }, text([0, 0, 0, 0], '.text2')],
    }),
    clean: elf({
      ...plain,
      sections: [text(), text([0, 0, 0, 0], '.text2'), { name: '.comment', bytes: [1, 2, 3, 4] }],
    }),
  },
  {
    code: 'dyn-addresses-differ',
    severity: 'error',
    message: /region TEXT: '\.text2' is 0x1000 behind '\.text' in memory, 4 bytes in the file/,
    provoke: elf({
      ...dynamic,
      sections: [
        { ...text(), addr: 0x1000 },
        { ...text([0, 0, 0, 0], '.text2'), addr: 0x2000 },
      ],
    }),
    clean: elf({
      ...dynamic,
      sections: [
        { ...text(), addr: 0x1000 },
        { ...text([0, 0, 0, 0], '.text2'), addr: 0x1004 },
      ],
    }),
  },
  {
    code: 'dyn-bad-alignment',
    severity: 'error',
    message: /region TEXT would begin 52 bytes before its address 0x0/,
    provoke: () => file(patchHeader(buildElf(dynamic), TEXT, 32, 64)),
    clean: elf(dynamic),
  },
  {
    code: 'bad-alignment',
    severity: 'warning',
    message: /'\.text' has sh_addralign 3/,
    section: '.text',
    provoke: () => file(patchHeader(built, TEXT, 32, 3)),
    clean: elf(plain),
  },
  {
    code: 'arm-exidx',
    severity: 'error',
    message: /'\.ARM\.exidx' has relocations/,
    section: '.ARM.exidx',
    fix: /-fno-unwind-tables/,
    provoke: () => file(compile('f', ['-mcpu=cortex-m3', '-funwind-tables'])),
    clean: () => file(compile('f', ['-mcpu=cortex-m3'])),
  },
  {
    code: 'unmapped-relocated-section',
    severity: 'error',
    message: /relocations write to '\.odd'/,
    section: '.odd',
    provoke: elf({ ...plain, sections: [text(), custom('.odd', 0x6000_0001)], relocations: [relocated('.odd', 'f')] }),
    clean: elf({ ...plain, sections: [text(), custom('.odd', C.SHT_PROGBITS)], relocations: [relocated('.odd', 'f')] }),
  },
  {
    code: 'section-dropped',
    severity: 'warning',
    message: /'\.odd' \(0x60000001, 4 bytes\) is allocated/,
    provoke: elf({ ...plain, sections: [text(), custom('.odd', 0x6000_0001)] }),
    clean: elf({ ...plain, sections: [text(), custom('.odd', C.SHT_PROGBITS)] }),
  },
  {
    code: 'tls-section',
    severity: 'warning',
    message: /'\.tdata' holds 4 bytes of thread-local data/,
    provoke: elf({ ...plain, sections: [text(), { ...data([1, 2, 3, 4], '.tdata'), flags: tls }] }),
    clean: elf({ ...plain, sections: [text(), data([1, 2, 3, 4], '.tdata')] }),
  },
  {
    code: 'over-aligned',
    severity: 'note',
    message: /'\.data' wants 1024 bytes alignment for 4 bytes/,
    provoke: elf({ ...plain, sections: [text(), { ...data([1, 2, 3, 4]), align: 1024 }] }),
    clean: elf({ ...plain, sections: [text(), data([1, 2, 3, 4])] }),
  },
  {
    code: 'region-prepad',
    severity: 'note',
    message: /region TEXT begins 52 bytes before '\.text', for 64 bytes alignment/,
    provoke: elf({ ...plain, sections: [text(), { ...text([0, 0, 0, 0], '.text2'), align: 64 }] }),
    clean: elf({ ...plain, sections: [text(), text([0, 0, 0, 0], '.text2')] }),
  },
  {
    code: 'export-prepad',
    severity: 'warning',
    message: /region EXPORT begins \d+ bytes before '\.exported_sym'/,
    provoke: () => file(patchHeader(buildElf(exports('f')), 3, 32, 64)),
    clean: elf(exports('f')),
  },
  {
    code: 'not-used-in-place',
    severity: 'warning',
    message: /Cannot peek region TEXT: 0x\w+ not aligned to 0x20/,
    provoke: elf(plain, { storage: 'persistent', base: mpu }),
    clean: elf(plain, { storage: 'persistent' }),
  },
  {
    code: 'constants-relocated',
    severity: 'note',
    message: /the 4 bytes of RODATA are copied to the heap because of relocations: 1 in '\.rodata'/,
    provoke: elf(
      { ...plain, sections: [text(), rodata([0, 0, 0, 0])], relocations: [relocated('.rodata', 'f')] },
      { storage: 'persistent' },
    ),
    clean: elf({ ...plain, sections: [text(), rodata([0, 0, 0, 0])] }, { storage: 'persistent' }),
  },
  {
    code: 'noreloc-relocated',
    severity: 'error',
    message: /'\.llext\.rodata\.noreloc' has 1 relocations/,
    provoke: elf(
      {
        ...plain,
        sections: [text(), rodata([0, 0, 0, 0], '.llext.rodata.noreloc')],
        relocations: [relocated('.llext.rodata.noreloc', 'f')],
      },
      { profile: 'S', base: withBoard({}, { rodataNoReloc: true }) },
    ),
    clean: elf(
      { ...plain, sections: [text(), rodata([0, 0, 0, 0], '.llext.rodata.noreloc')] },
      { profile: 'S', base: withBoard({}, { rodataNoReloc: true }) },
    ),
  },
  {
    code: 'dyn-on-harvard',
    severity: 'error',
    message: /CONFIG_HARVARD/,
    provoke: elf(dynamic, { profile: 'S', base: withBoard({}, { harvard: true }) }),
    clean: elf(plain, { profile: 'S', base: withBoard({}, { harvard: true }) }),
  },
];

export const relocationCases: readonly CheckCase[] = [
  {
    code: 'rela-on-arm',
    severity: 'error',
    message: /'\.rela\.text' is of type SHT_RELA/,
    provoke: elf({ ...plain, sections: [text(), { name: '.rela.text', type: C.SHT_RELA, entsize: 12, info: 1 }] }),
    clean: elf({ ...plain, sections: [text(), { name: '.rel.text', type: C.SHT_REL, entsize: 8, info: 1 }] }),
  },
  {
    code: 'bad-relocation-section',
    severity: 'error',
    message: /'\.rel\.x': sh_entsize 8, sh_size 0, sh_info 99/,
    provoke: elf({ ...plain, sections: [text(), { name: '.rel.x', type: C.SHT_REL, entsize: 8, info: 99 }] }),
    clean: elf({ ...plain, sections: [text(), { name: '.rel.x', type: C.SHT_REL, entsize: 8, info: 1 }] }),
  },
  {
    code: 'unsupported-relocation',
    severity: 'error',
    message: /R_ARM_THM_JUMP19 at \.text\+0x0 is not supported/,
    section: '.text',
    symbol: 'f',
    fix: /short branch/,
    provoke: elf(relocating(R.R_ARM_THM_JUMP19)),
    clean: elf(relocating(R.R_ARM_ABS32)),
  },
  {
    code: 'unsupported-got',
    severity: 'error',
    message: /R_ARM_BASE_PREL/,
    fix: /-fno-pic/,
    provoke: () => file(compile('f', ['-mcpu=cortex-m3', '-fpic'], 'extern int g; int f(void) { return g; }')),
    clean: () => file(compile('f', ['-mcpu=cortex-m3'], 'extern int g; int f(void) { return g; }')),
  },
  {
    code: 'unsupported-tls',
    severity: 'error',
    message: /R_ARM_TLS_/,
    provoke: () =>
      file(
        compile(
          'f',
          ['-mcpu=cortex-m3', '-ftls-model=local-exec', '-mtp=soft'],
          'static _Thread_local int t = 3; int *f(void) { return &t; }',
        ),
      ),
    clean: () => file(compile('f', ['-mcpu=cortex-m3'], 'static int t = 3; int *f(void) { return &t; }')),
  },
  {
    code: 'riscv-align',
    severity: 'error',
    message: /R_RISCV_ALIGN at \.text/,
    fix: /-mno-relax/,
    provoke: () =>
      riscv(compile('riscv', ['-mrelax'], '.text\n.globl f\n.type f,@function\nf: ret\n.balign 16\nret\n')),
    clean: () =>
      riscv(
        compile(
          'riscv',
          ['-mno-relax'],
          '.text\n.globl f\n.type f,@function\n.option norelax\nf: ret\n.balign 16\nret\n',
        ),
      ),
  },
  {
    code: 'unpaired-lo12',
    severity: 'error',
    message: /no R_RISCV_PCREL_HI20 at '\.?L?other'/,
    provoke: () => riscv(compile('riscv', ['-mno-relax'], riscvPair('other'))),
    clean: () => riscv(compile('riscv', ['-mno-relax'], riscvPair('pair'))),
  },
  {
    code: 'relocation-out-of-range',
    severity: 'error',
    message:
      /R_ARM_THM_CALL from 0x2000\w+ to 'printk' at 0x8001001 is a distance of -\d+, limits -16777214 and 16777214: \d+ bytes too far|R_ARM_THM_CALL from 0x2000\w+ to 'printk' at 0x8001001 is a distance of -\d+, limits .* bytes too far/,
    section: '.text',
    symbol: 'printk',
    fix: /-mlong-calls/,
    provoke: elf(calling('printk')),
    clean: elf(importing('printk')),
  },
  {
    code: 'relocation-near-limit',
    severity: 'warning',
    message: /to 'near_call' at 0x20fe8001 is a distance of \d+: \d+ bytes are left/,
    provoke: elf(calling('near_call')),
    clean: elf(importing('near_call')),
  },
  {
    code: 'relocation-outside-section',
    severity: 'warning',
    message: /R_ARM_ABS32 at \.text\+0x100, but '\.text' has 0x4 bytes/,
    provoke: elf({ ...plain, relocations: [{ ...relocated('.text', 'f'), offset: 0x100 }] }),
    clean: elf({ ...plain, relocations: [relocated('.text', 'f')] }),
  },
  {
    code: 'relocation-differs-from-abi',
    severity: 'warning',
    message: /R_ARM_MOVW_ABS_NC from .*: Zephyr writes .. .. 0. e3, the ABI wants .. .. 1. e3 \(bit 20 is cleared\)/,
    provoke: elf(relocating(R.R_ARM_MOVW_ABS_NC, [0, 0, 0x10, 0xe3])),
    clean: elf(relocating(R.R_ARM_MOVW_ABS_NC, [0, 0, 0, 0xe3])),
  },
  {
    code: 'v4bx-rewritten',
    severity: 'warning',
    message: /R_ARM_V4BX .*Zephyr writes 0e f0 a0 e1, the ABI wants 1e ff 2f e1/,
    provoke: elf(relocating(R.R_ARM_V4BX, [0x1e, 0xff, 0x2f, 0xe1])),
    clean: elf(relocating(R.R_ARM_NONE, [0x1e, 0xff, 0x2f, 0xe1])),
  },
  {
    code: 'debug-relocations',
    severity: 'error',
    message: /'\.rel\.debug_info' applies to '\.debug_info'/,
    fix: /--strip-debug/,
    provoke: () => debugFile('SEED'),
    clean: () => debugFile('V41'),
  },
  {
    code: 'dyn-relocations-skipped',
    severity: 'warning',
    message: /'\.rel\.dyn' names no section: its 1 relocations are not applied/,
    provoke: elf({
      ...dynamic,
      sections: [text(), { name: '.rel.dyn', type: C.SHT_REL, entsize: 8, bytes: [0, 0, 0, 0, 23, 0, 0, 0] }],
    }),
    clean: elf({
      ...dynamic,
      sections: [text(), { name: '.rel.dyn', type: C.SHT_REL, entsize: 8, info: 1, bytes: [0, 0, 0, 0, 0, 0, 0, 0] }],
    }),
  },
  {
    code: 'bad-relocation-symbol',
    severity: 'error',
    message: /'\.rel\.text' refers to 'lost' in section 0x4d/,
    provoke: elf({
      ...plain,
      symbols: [func('f'), { name: 'lost', section: 77 }],
      relocations: [relocated('.text', 'lost')],
    }),
    clean: elf({
      ...plain,
      symbols: [func('f'), { name: 'lost', section: 1 }],
      relocations: [relocated('.text', 'lost')],
    }),
  },
];

const riscvBase = withBoard({ machine: C.EM_RISCV, exports: [] }, { arch: 'riscv' });
const riscv = (bytes: Uint8Array): CheckSetup => file(bytes, { base: riscvBase });

function riscvPair(label: string): string {
  return `.text\n.globl f\n.type f,@function\nf:\npair: auipc a0, %pcrel_hi(f)\nother: addi a0, a0, %pcrel_lo(${label})\nret\n`;
}

function debugFile(profile: 'SEED' | 'V41'): CheckSetup {
  const debug = { name: '.debug_info', bytes: [0, 0, 0, 0] };
  return elf({ ...plain, sections: [text(), debug], relocations: [relocated('.debug_info', 'f')] }, { profile })();
}

const pair = (first: ElfPlan, second: ElfPlan): CheckSetup => ({
  files: [
    { name: 'first', bytes: buildElf(first) },
    { name: 'second', bytes: buildElf(second) },
  ],
});

const missing = (name: string, codeName: FindingCode, fix: RegExp): CheckCase => ({
  code: codeName,
  severity: 'error',
  message: new RegExp(`nothing provides '${name}'`),
  symbol: name,
  section: '.text',
  fix,
  provoke: elf(importing(name)),
  clean: elf(importing('printk')),
});

export const symbolCases: readonly CheckCase[] = [
  {
    ...missing('prinkt', 'undefined-symbol', /write 'printk', or add EXPORT_SYMBOL\(prinkt\)/),
    message: /nothing provides 'prinkt'; near: 'printk'/,
  },
  missing('atan2', 'undefined-c-library', /EXPORT_SYMBOL_GROUP_LIBC/),
  missing('__aeabi_ldivmod', 'undefined-compiler-helper', /libgcc/),
  missing('__cxa_throw', 'undefined-unwinder', /-fno-exceptions/),
  missing('__stack_chk_fail', 'undefined-stack-protector', /-fno-stack-protector/),
  missing('__device_dts_ord_5', 'undefined-device', /CONFIG_LLEXT_EXPORT_DEVICES/),
  {
    code: 'import-order',
    severity: 'error',
    message: /'helper' is exported by second\.llext, which is loaded after this file/,
    fix: /load second\.llext before first\.llext/,
    provoke: () => pair(importing('helper'), exports('helper')),
    clean: () => pair(exports('helper'), importing('helper')),
  },
  {
    code: 'import-from-refused',
    severity: 'error',
    message: /'helper' is exported by first\.llext, which is refused/,
    provoke: () => {
      const refused = exporting(['helper']);
      return pair(
        {
          ...refused,
          symbols: [...refused.symbols, undefinedSymbol('nobody')],
          relocations: [...refused.relocations, relocated('.text', 'nobody')],
        },
        importing('helper'),
      );
    },
    clean: () => pair(exports('helper'), importing('helper')),
  },
  {
    code: 'import-null',
    severity: 'error',
    message: /the base image exports 'absent_call' as NULL/,
    provoke: elf(importing('absent_call')),
    clean: elf(importing('printk')),
  },
  {
    code: 'weak-undefined',
    severity: 'error',
    message: /'maybe' is weak, undefined/,
    provoke: elf(importing('maybe', C.STB_WEAK)),
    clean: elf(importing('printk', C.STB_WEAK)),
  },
  {
    code: 'slid-mismatch',
    severity: 'error',
    // printk's SLID by the specification, 3.4.
    message: /by SLID, but none of the 1 imports has one/,
    provoke: elf(importing('printk'), { base: slidBoard() }),
    clean: elf(importing('printk', C.STB_GLOBAL, 0x87b3_1052), { base: slidBoard() }),
  },
  {
    code: 'common-symbol',
    severity: 'error',
    message: /'c' is a common symbol of 0 bytes/,
    symbol: 'c',
    fix: /-fno-common/,
    provoke: elf({
      ...plain,
      symbols: [func('f'), { name: 'c', section: C.SHN_COMMON, type: C.STT_OBJECT }],
      relocations: [relocated('.text', 'c')],
    }),
    clean: elf({
      ...plain,
      sections: [text(), bss(4)],
      symbols: [func('f'), { name: 'c', section: '.bss', type: C.STT_OBJECT }],
      relocations: [relocated('.text', 'c')],
    }),
  },
  {
    code: 'absolute-symbol',
    severity: 'error',
    message: /'version' is global and in SHN_ABS/,
    provoke: elf({ ...plain, symbols: [func('f'), func('version', 4, C.SHN_ABS)] }, { profile: 'S' }),
    clean: elf(
      { ...plain, symbols: [func('f'), { ...func('version', 4, C.SHN_ABS), type: C.STT_NOTYPE }] },
      { profile: 'S' },
    ),
  },
  {
    code: 'symbol-without-data',
    severity: 'error',
    message: /'lost' lies in '\.hidden', which is not loaded/,
    provoke: () => file(patchHeader(hiddenSymbol(0), 2, 16, 0x10_0000)),
    clean: () => file(hiddenSymbol(0)),
  },
  {
    code: 'no-global-symbols',
    severity: 'error',
    message: /none of the 1 symbols is a global function or object/,
    provoke: elf({ ...plain, symbols: [{ ...func('f'), binding: C.STB_LOCAL }] }),
    clean: elf(plain),
  },
  {
    code: 'no-exports',
    severity: 'warning',
    message: /there is no \.exported_sym/,
    symbol: 'f',
    fix: /add LL_EXTENSION_SYMBOL\(f\)/,
    provoke: elf(plain),
    clean: elf(exports('f')),
  },
  {
    code: 'export-null',
    severity: 'warning',
    message: /entry 0 of \.exported_sym has the address 0/,
    section: '.exported_sym',
    provoke: () => {
      const plan = exporting(['f']);
      return file(buildElf({ ...plan, relocations: plan.relocations.slice(0, 1) }));
    },
    clean: elf(exports('f')),
  },
  {
    code: 'bad-export-size',
    severity: 'warning',
    message: /'\.exported_sym' has 12 bytes, an entry 8/,
    provoke: elf({ ...plain, sections: [text(), rodata([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], '.exported_sym')] }),
    clean: elf(exports('f')),
  },
  {
    code: 'repeated-export',
    severity: 'warning',
    message: /'f' is exported twice by this file/,
    provoke: elf(exports('f', 'f')),
    clean: elf(exports('f', 'g')),
  },
  {
    code: 'duplicate-export',
    severity: 'note',
    message: /first\.llext exports 'f' too/,
    provoke: () => pair(exports('f'), exports('f')),
    clean: () => pair(exports('f'), exports('g')),
  },
  {
    code: 'ambiguous-import',
    severity: 'warning',
    message: /'shared' is exported by first\.llext and second\.llext: that of first\.llext is taken/,
    provoke: () => ({
      files: [...pair(exports('shared'), exports('shared')).files, { name: 'third', bytes: buildElf(importing('shared')) }],
    }),
    clean: () => ({
      files: [...pair(exports('shared'), exports('g')).files, { name: 'third', bytes: buildElf(importing('shared')) }],
    }),
  },
  {
    code: 'export-shadowed',
    severity: 'warning',
    message: /the base image exports 'printk' too/,
    provoke: elf(exports('printk')),
    clean: elf(exports('print')),
  },
  {
    code: 'long-name',
    severity: 'warning',
    message: /'inter_ext_dependency' has 20 characters and becomes 'inter_ext_depen'/,
    provoke: () => ({ files: [{ name: 'inter_ext_dependency', bytes: built }] }),
    clean: () => ({ files: [{ name: 'inter_ext_depen', bytes: built }] }),
  },
  {
    code: 'name-collision',
    severity: 'error',
    message: /'inter_ext_depen2' and 'inter_ext_depen1' \(inter_ext_depen1\.llext\) are both 'inter_ext_depen'/,
    provoke: () => ({ files: ['inter_ext_depen1', 'inter_ext_depen2'].map((name) => ({ name, bytes: built })) }),
    clean: () => ({ files: ['inter_ext_1', 'inter_ext_2'].map((name) => ({ name, bytes: built })) }),
  },
  {
    code: 'too-many-dependencies',
    severity: 'warning',
    message: /it imports from 9 extensions; 1 are not counted/,
    provoke: () => dependent(9),
    clean: () => dependent(8),
  },
];

function slidBoard(): CheckBase {
  return withBoard(
    { exports: [{ name: 'printk', slid: 0x87b3_1052n, address: 0x0800_1001n }] },
    { exportBySlid: true },
  );
}

function hiddenSymbol(flags: number): Uint8Array {
  const hidden = { name: '.hidden', type: C.SHT_PROGBITS, flags, bytes: [1, 2, 3, 4] };
  return buildElf({ sections: [text(), hidden], symbols: [func('f'), func('lost', 0, '.hidden')] });
}

function dependent(count: number): CheckSetup {
  const names = Array.from({ length: count }, (_, i) => `part${i}`);
  const user: ElfPlan = {
    sections: [text(Array.from({ length: count * 4 }, () => 0))],
    symbols: [func('f'), ...names.map((name) => undefinedSymbol(name))],
    relocations: names.map((name, i) => ({ ...relocated('.text', name), offset: i * 4 })),
  };
  return {
    files: [
      ...names.map((name) => ({ name, bytes: buildElf(exports(name)) })),
      { name: 'user', bytes: buildElf(user) },
    ],
  };
}

const smallHeap = (bytes: number, config: Partial<LlextConfig> = {}): CheckBase =>
  withBoard({ heap: { address: 0x2000_5000n, bytes } }, config);

export const memoryCases: readonly CheckCase[] = [
  {
    code: 'heap-too-small',
    severity: 'error',
    message: /2000 bytes, 4-aligned, for region TEXT do not fit the heap of 2048 bytes: 3 KiB are needed/,
    fix: /CONFIG_LLEXT_HEAP_SIZE=3/,
    provoke: elf({ ...plain, sections: [code(2000)] }, { base: smallHeap(2048) }),
    clean: elf({ ...plain, sections: [code(2000)] }, { base: smallHeap(3072) }),
  },
  {
    code: 'heap-too-small-rounded',
    severity: 'error',
    message: /2048 bytes, 2048-aligned, for region TEXT do not fit .* without rounding 2/,
    provoke: elf({ ...plain, sections: [code(1100)] }, { base: smallHeap(3072, { armMpu: true, userspace: true }) }),
    clean: elf({ ...plain, sections: [code(1100)] }, { base: smallHeap(3072) }),
  },
  {
    code: 'heap-need',
    severity: 'note',
    message: /needs a heap of 1 KiB as configured \(without MPU rounding 1 KiB, with power-of-two MPU regions 1 KiB\)/,
    provoke: elf(plain),
    clean: elf(plain, { base: undefined }),
  },
  {
    code: 'userspace-without-mpu',
    severity: 'error',
    message: /CONFIG_USERSPACE is set/,
    provoke: elf(plain, { profile: 'S', base: withBoard({}, { userspace: true }) }),
    clean: elf(plain, { profile: 'V41', base: withBoard({}, { userspace: true }) }),
  },
  {
    code: 'mpu-rounding',
    severity: 'warning',
    message: /region TEXT has 1100 bytes and takes 2048, aligned to 2048: 948 are wasted/,
    provoke: elf({ ...plain, sections: [code(1100)] }, { base: mpu }),
    clean: elf({ ...plain, sections: [code(2000)] }, { base: mpu }),
  },
  {
    code: 'mpu-regions',
    severity: 'warning',
    message: /TEXT, DATA take 2 MPU regions, a domain has 1/,
    provoke: elf(
      { ...plain, sections: [text(), data([1, 2, 3, 4])] },
      { base: withBoard({ mpuRegions: 1 }, mpu.config) },
    ),
    clean: elf(
      { ...plain, sections: [text(), data([1, 2, 3, 4])] },
      { base: withBoard({ mpuRegions: 2 }, mpu.config) },
    ),
  },
];
