/**
 * Every way in which llext_load refuses a file (specification 1.3): the return code and Zephyr's message. The last test
 * walks the loader's sources: a message without a case here fails it.
 */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import * as C from '../lib/elf/constants';
import { Errno } from '../lib/errors';
import type { LlextLoader, LlextLoadParam } from '../lib/llext/loader';
import type { LlextStorage } from '../lib/llext/types';
import { buildElf, bss, data, func, patchHeader, text, undefinedSymbol } from './support/elf-builder';
import type { ElfPlan } from './support/elf-builder';
import { bench, errors, image } from './support/load-bench';
import { errorCases } from './support/profile-error-cases';
import type { Bench } from './support/load-bench';

interface Case {
  readonly title: string;
  readonly file: Uint8Array;
  readonly ret: number;
  /** The first message at error level. */
  readonly message: string | undefined;
  readonly storage?: LlextStorage;
  readonly peek?: boolean;
  readonly parm?: Partial<LlextLoadParam>;
  readonly logLevel?: number;
  /** A loader whose functions fail, in place of the buffer's. */
  readonly loader?: (loader: LlextLoader) => Partial<LlextLoader>;
  readonly heapBytes?: number;
  /** Allocations by purpose that fail. */
  readonly bench?: () => Bench;
}

const plain: ElfPlan = { sections: [text()], symbols: [func('f')] };
const good = buildElf(plain);

function bytesAt(file: Uint8Array, offset: number, ...bytes: number[]): Uint8Array {
  const copy = file.slice();
  copy.set(bytes, offset);
  return copy;
}

/** Section indices of `plain`. */
const SYMTAB = 2;
const [sh_offset, sh_size, sh_link, sh_addralign, sh_entsize] = [16, 20, 24, 32, 36];

function withRelocation(type: number, symbol: string | undefined, bytes: number[] = [0, 0, 0, 0]): Uint8Array {
  return buildElf({
    sections: [text(bytes)],
    symbols: [
      func('f'),
      undefinedSymbol('missing'),
      { name: 'c', value: 4, section: C.SHN_COMMON, type: C.STT_OBJECT },
    ],
    relocations: [{ target: '.text', offset: 0, type, symbol }],
  });
}

function failAt(call: number, name: 'seek' | 'read'): (loader: LlextLoader) => Partial<LlextLoader> {
  return (loader) => {
    let calls = 0;
    const fails = (): boolean => ++calls === call;
    if (name === 'seek') return { seek: (position) => (fails() ? -Errno.EIO : loader.seek(position)) };
    return { read: (length) => (fails() ? -Errno.EIO : loader.read(length)) };
  };
}

const initArray = { name: '.init_array', type: C.SHT_INIT_ARRAY, flags: C.SHF_ALLOC | C.SHF_WRITE, align: 4 };

const cases: readonly Case[] = [
  {
    title: 'prepare fails',
    file: good,
    loader: () => ({ prepare: () => -Errno.EIO }),
    ret: -Errno.EIO,
    message: 'llext: Failed to prepare the loader, ret -5',
  },
  {
    title: 'no seek to the header',
    file: good,
    loader: failAt(1, 'seek'),
    ret: -Errno.EIO,
    message: 'llext: Failed to seek for ELF header',
  },
  {
    title: 'no read of the header',
    file: good,
    loader: failAt(1, 'read'),
    ret: -Errno.EIO,
    message: 'llext: Failed to read ELF header',
  },
  {
    title: 'no seek to the section headers',
    file: good,
    peek: false,
    loader: failAt(2, 'seek'),
    ret: -Errno.EIO,
    message: 'llext: Failed to seek for section headers',
  },
  {
    title: 'no read of the section headers',
    file: good,
    peek: false,
    loader: failAt(2, 'read'),
    ret: -Errno.EIO,
    message: 'llext: Failed to read section headers',
  },
  {
    title: 'magic',
    file: bytesAt(good, 0, 0x7e),
    ret: -Errno.ENOEXEC,
    message: 'llext: Invalid ELF, magic does not match',
  },
  {
    title: 'ET_EXEC',
    file: buildElf({ ...plain, type: C.ET_EXEC }),
    ret: -Errno.ENOEXEC,
    message: 'llext: Unsupported ELF file type 2',
  },
  {
    title: 'e_shentsize',
    file: bytesAt(good, 46, 64),
    ret: -Errno.ENOEXEC,
    message: 'llext: Invalid section header size 64',
  },
  {
    title: 'no sections at all',
    file: bytesAt(good, 48, 0, 0),
    ret: -Errno.ENOMEM,
    message: 'llext: Failed to allocate section map, size 0',
  },
  {
    title: 'no room for the section headers',
    file: bytesAt(good, 48, 0x10, 0x0e),
    peek: false,
    ret: -Errno.ENOMEM,
    message: 'llext: Failed to allocate section headers, size 144000',
  },
  {
    title: 'stripped',
    file: buildElf({ ...plain, omit: ['.symtab'] }),
    ret: -Errno.ENOEXEC,
    message: 'llext: Some sections are missing or present multiple times!',
  },
  {
    title: 'one string table for both, as Clang writes it',
    file: buildElf({ ...plain, omit: ['.strtab'], sharedStrings: true }),
    ret: -Errno.ENOEXEC,
    message: 'llext: Some sections are missing or present multiple times!',
  },
  {
    title: 'symbol entries of another size',
    file: patchHeader(good, SYMTAB, sh_entsize, 24),
    ret: -Errno.ENOEXEC,
    message: 'llext: Invalid symbol table',
  },
  {
    title: 'half a symbol',
    file: patchHeader(good, SYMTAB, sh_size, 24),
    ret: -Errno.ENOEXEC,
    message: 'llext: Invalid symbol table',
  },
  {
    title: 'string table before its symbol table',
    file: patchHeader(
      buildElf({
        sections: [{ name: 'early', type: C.SHT_STRTAB, bytes: [0, 0x66, 0] }, text()],
        symbols: [func('f')],
      }),
      3,
      sh_link,
      1,
    ),
    ret: -Errno.ENOEXEC,
    message: 'llext: Some sections are missing or present multiple times!',
  },
  {
    title: 'strings do not fit the heap',
    file: patchHeader(good, 3, sh_size, 0x2_0000),
    ret: -Errno.ENOMEM,
    message: 'llext: Failed allocating 131072 bytes 1-aligned for region 6',
  },
  {
    title: 'a read fails while a region is copied',
    file: good,
    loader: failAt(2, 'read'),
    ret: -Errno.EIO,
    message: 'llext: Failed to copy ELF string sections, ret -5',
  },
  {
    title: 'a seek fails while a region is copied',
    file: good,
    loader: failAt(2, 'seek'),
    ret: -Errno.EIO,
    message: 'llext: Failed to copy ELF string sections, ret -5',
  },
  {
    title: 'init array of entries that are not pointers',
    file: buildElf({ ...plain, sections: [text(), { ...initArray, bytes: [0, 0, 0, 0], entsize: 8 }] }),
    ret: -Errno.ENOEXEC,
    message: 'llext: Invalid .init_array array in section 2',
  },
  {
    title: 'init array with half an entry',
    file: buildElf({ ...plain, sections: [text(), { ...initArray, bytes: [0, 0, 0, 0, 0, 0], entsize: 4 }] }),
    ret: -Errno.ENOEXEC,
    message: 'llext: Invalid .init_array array in section 2',
  },
  {
    title: 'two init arrays',
    file: buildElf({
      ...plain,
      sections: [text(), ...[1, 2].map((i) => ({ ...initArray, name: `.i${i}`, bytes: [0, 0, 0, 0], entsize: 4 }))],
    }),
    ret: -Errno.ENOEXEC,
    message: 'llext: Region 9 redefined',
  },
  {
    title: 'sections of one region with different flags',
    file: buildElf({
      ...plain,
      sections: [text(), { name: '.wx', flags: C.SHF_ALLOC | C.SHF_EXECINSTR | C.SHF_WRITE, bytes: [0, 0], align: 2 }],
    }),
    ret: -Errno.ENOEXEC,
    message: 'llext: Unsupported section flags 0x7 / 0x6 for .wx (region 0)',
  },
  {
    title: 'two NOBITS sections',
    file: buildElf({ ...plain, sections: [text(), bss(4), bss(8, '.noinit')] }),
    ret: -Errno.ENOTSUP,
    message: 'llext: Multiple SHT_NOBITS sections are not supported',
  },
  {
    title: 'ET_DYN: addresses do not go with offsets',
    file: buildElf({
      type: C.ET_DYN,
      sections: [{ ...text(), addr: 0x34 }, { ...text([0, 0, 0, 0], '.text2'), addr: 0x100 }, dynsym()],
    }),
    ret: -Errno.ENOEXEC,
    message: 'llext: Incompatible section addresses for .text2 (region 0)',
  },
  {
    title: 'ET_DYN: more padding than address',
    file: patchHeader(buildElf({ type: C.ET_DYN, sections: [text(), dynsym(4)] }), 1, sh_addralign, 64),
    ret: -Errno.ENOEXEC,
    message: 'llext: Bad section alignment in region 0',
  },
  {
    title: 'ET_DYN: address ranges overlap',
    file: buildElf({
      type: C.ET_DYN,
      sections: [{ ...text(), addr: 0x34 }, { ...data([1, 2, 3, 4]), addr: 0x34 }, dynsym()],
    }),
    ret: -Errno.ENOEXEC,
    message: 'llext: Region 0 VMA range (0x34-0x37) overlaps with 1 (0x34-0x37)',
  },
  {
    title: 'file ranges overlap',
    file: buildElf({ ...plain, sections: [text(), data([1, 2, 3, 4]), text([0, 0, 0, 0], '.text2')] }),
    ret: -Errno.ENOEXEC,
    message: 'llext: Region 0 ELF file range (0x34-0x3f) overlaps with 1 (0x38-0x3b)',
  },
  {
    title: 'a region does not fit the heap',
    file: buildElf({ ...plain, sections: [text(), bss(0x2_0000)] }),
    ret: -Errno.ENOMEM,
    message: 'llext: Failed allocating 131072 bytes 4-aligned for region 3',
  },
  {
    title: 'pre_located in temporary storage',
    file: good,
    parm: { pre_located: true },
    ret: -Errno.EFAULT,
    message: 'llext: Failed to copy ELF string sections, ret -14',
  },
  {
    title: 'a symbol name outside of the string table',
    file: patchSymbolName(good, 0x1000),
    ret: -Errno.ENOEXEC,
    message: 'llext: Invalid symbol name index 4096 in symbol 1',
  },
  {
    title: 'nothing global: an empty symbol table cannot be allocated',
    file: buildElf({ sections: [text()], symbols: [{ ...func('f'), binding: C.STB_LOCAL }] }),
    ret: -Errno.ENOMEM,
    message: 'llext: Failed to allocate extension symbol table, ret -12',
  },
  {
    title: 'a symbol in a section that is neither mapped nor in the file',
    file: buildElf({ sections: [text(), { name: '.note', bytes: [1] }], symbols: [func('f'), func('n', 0, '.note')] }),
    peek: false,
    ret: -Errno.ENOTSUP,
    message: 'llext: No data for section 2',
  },
  {
    title: 'SHT_RELA on Arm',
    file: buildElf({ ...plain, sections: [text(), { name: '.rela.text', type: C.SHT_RELA, entsize: 12, info: 1 }] }),
    ret: -Errno.ENOTSUP,
    message: 'llext: Found unsupported SHT_RELA section 2',
  },
  {
    title: 'relocation entries of another size',
    file: buildElf({ ...plain, sections: [text(), { name: '.rel.text', type: C.SHT_REL, entsize: 12, info: 1 }] }),
    ret: -Errno.ENOEXEC,
    message: 'llext: Invalid entry size 12 for SHT_REL section 2',
  },
  {
    title: 'relocations of a section that does not exist',
    file: buildElf({ ...plain, sections: [text(), { name: '.rel.x', type: C.SHT_REL, entsize: 8, info: 99 }] }),
    ret: -Errno.ENOEXEC,
    message: 'llext: Sanity checks failed for section 2 (info 99, size 0, entsize 8)',
  },
  {
    title: 'half a relocation',
    file: buildElf({
      ...plain,
      sections: [text(), { name: '.rel.text', type: C.SHT_REL, entsize: 8, info: 1, bytes: [0, 0, 0, 0] }],
    }),
    ret: -Errno.ENOEXEC,
    message: 'llext: Sanity checks failed for section 2 (info 1, size 4, entsize 8)',
  },
  {
    title: 'relocations of an allocated section in no region',
    file: buildElf({
      sections: [text(), { name: '.ARM.exidx', type: C.SHT_ARM_EXIDX, flags: C.SHF_ALLOC, bytes: [0, 0, 0, 0] }],
      symbols: [func('f')],
      relocations: [{ target: '.ARM.exidx', offset: 0, type: C.R_ARM_PREL31, symbol: 'f' }],
    }),
    ret: -Errno.ENOEXEC,
    message: 'llext: Section 2 not loaded in any memory region',
  },
  {
    title: 'undefined symbol',
    file: withRelocation(C.R_ARM_ABS32, 'missing'),
    ret: -Errno.ENODATA,
    message: 'llext: Undefined symbol with no entry in symbol table missing, offset 0, link section 3',
  },
  {
    title: 'undefined symbol, said by arch_elf_relocate',
    file: withRelocation(C.R_ARM_ABS32, 'missing'),
    logLevel: 2,
    ret: -Errno.ENODATA,
    message: 'llext: Undefined symbol with no entry in symbol table missing, offset 0, link section 3',
  },
  {
    title: 'common symbol',
    file: withRelocation(C.R_ARM_ABS32, 'c'),
    ret: -Errno.ENOEXEC,
    message: 'llext: cannot apply relocation: target symbol has unexpected section index 65522 (0xfff2)',
  },
  {
    title: 'unknown relocation',
    file: withRelocation(C.R_ARM_THM_JUMP19, 'f'),
    ret: -Errno.ENOEXEC,
    message: 'elf: unknown relocation: 51',
  },
  {
    title: 'seek to a relocation fails',
    file: withRelocation(C.R_ARM_ABS32, 'f'),
    loader: failAt(13, 'seek'),
    ret: -Errno.EIO,
    message: 'llext: Failed to link, ret -5',
  },
  {
    title: 'export table does not fit the heap',
    file: buildElf({
      sections: [text(), { ...data([0, 0, 0, 0, 0, 0, 0, 0]), name: '.exported_sym' }],
      symbols: [func('f')],
    }),
    bench: () => refusingBench('exp_tab'),
    ret: -Errno.ENOMEM,
    message: 'llext: Failed to export, ret -12',
  },
  {
    title: 'a region copied late does not fit',
    file: good,
    bench: () => refusingBench('region TEXT'),
    ret: -Errno.ENOMEM,
    message: 'llext: Failed allocating 4 bytes 4-aligned for region 0',
  },
  {
    title: 'no room for struct llext',
    file: good,
    bench: () => refusingBench('struct llext'),
    ret: -Errno.ENOMEM,
    message: 'llext: Not enough memory for extension metadata',
  },
];

function dynsym(link = 5): ElfPlan['sections'][number] {
  // Its link is the table of symbol names that the builder appends: .symtab, .strtab, .shstrtab.
  return { name: '.dynsym', type: C.SHT_DYNSYM, flags: 0, bytes: new Uint8Array(32), entsize: 16, align: 4, link };
}

function patchSymbolName(file: Uint8Array, st_name: number): Uint8Array {
  const copy = file.slice();
  const view = new DataView(copy.buffer);
  const header = view.getUint32(32, true) + SYMTAB * 40;
  view.setUint32(view.getUint32(header + sh_offset, true) + 16, st_name, true);
  return copy;
}

/** A target whose heap refuses one kind of allocation. */
function refusingBench(purpose: string): Bench {
  return bench(image(), [], purpose);
}

for (const { title, file, ret, message, storage, peek, parm, logLevel, loader, bench: makeBench } of cases) {
  test(`refused: ${title}`, () => {
    const it = makeBench?.() ?? bench(image(logLevel === undefined ? {} : { logLevel }));
    const result = it.load(file, { storage, peek, parm, loader });
    assert.equal(result.ret, ret, result.log.join('\n'));
    assert.equal(errors(result.log)[0], message);
    assert.equal(result.extension, undefined);
    assert.equal(it.target.llext.extensions().length, 0);
    // Nothing leaks: the heap is as it was made.
    const again = it.target.freeHeapBytes();
    assert.equal(again, bench(image()).target.freeHeapBytes());
  });
}

test('out of range, with Zephyr’s message and its empty line', () => {
  const it = bench(image({}, { far: 0x0800_1235n }));
  const file = buildElf({
    sections: [text([0xff, 0xf7, 0xfe, 0xff])],
    symbols: [func('f'), undefinedSymbol('far')],
    relocations: [{ target: '.text', offset: 0, type: C.R_ARM_THM_CALL, symbol: 'far' }],
  });
  const { ret, log } = it.load(file);
  assert.equal(ret, -Errno.ENOEXEC);
  const at = log.findIndex((line) => line.startsWith('<err> elf'));
  assert.match(log[at], /^<err> elf: sym 'far': relocation out of range \(0x201[0-9a-f]+ -> 0x8001235\)$/);
  assert.equal(log[at + 1], '');
});

test('every message at error level has a case', () => {
  const folder = join(import.meta.dirname, '..', 'lib', 'llext');
  const sources = readdirSync(folder).filter((name) => name.endsWith('.ts'));
  const inOtherVersions = errorCases.flatMap(({ outcomes }) => outcomes.map((outcome) => outcome[1]));
  const shown = [...cases.map(({ message }) => message ?? ''), ...inOtherVersions].join('\n');
  const others = [
    // Said after another message, or by the tests of init arrays and of the golden cases.
    'Failed to load basic ELF data',
    'Failed to find important ELF tables',
    'Failed to map ELF sections',
    'Failed to copy regions',
    'Failed to count exported ELF symbols',
    'Failed to copy symbols',
    'Could not find symbol ',
    'Failed to get function table',
    // By llext-api.test.ts and llext-api-memory.test.ts, each with a case.
    'Failed adding memory partition ',
    'Failed to get table size',
    'Failed to call init functions',
    'Failed to call de-init functions',
    'Page at ',
    // By reloc-xtensa.test.ts, each with a case.
    'PLT: ',
    'Offset ',
  ];
  const missing: string[] = [];
  for (const source of sources) {
    const code = readFileSync(join(folder, source), 'utf8');
    for (const [, message] of code.matchAll(/'err',\s*[`']([A-Za-z][^`'$\\]*)/g)) {
      const known = shown.includes(message.trim()) || others.some((other) => message.startsWith(other));
      if (!known) missing.push(`${source}: ${message}`);
    }
  }
  assert.deepEqual(missing, []);
});
