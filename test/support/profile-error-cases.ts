/**
 * The rows of specification 1.3 in every version: the defect, and what llext_load makes of it there. Messages that the
 * specification does not quote are this loader's own wording. Files are made by elf-builder, one defect each.
 */
import * as C from '../../lib/elf/constants';
import { Errno } from '../../lib/errors';
import type { LlextConfig } from '../../lib/llext/types';
import { bss, buildElf, data, func, patchHeader, text, undefinedSymbol } from './elf-builder';
import type { BuiltSection, ElfPlan } from './elf-builder';
import type { LoadOptions } from './load-bench';
import { sharedObject } from './profile-cases';

/** An errno and the first message at error level; 'loads'; or a fault of the machine itself. */
export type Outcome = readonly [errno: number, message: string] | 'loads';

export interface ErrorCase {
  /** The defect in the words of the table in specification 1.3. */
  readonly row: string;
  readonly file: Uint8Array;
  readonly config?: Partial<LlextConfig>;
  readonly options?: LoadOptions;
  readonly exports?: Readonly<Record<string, bigint>>;
  /** SEED, V41, V44, S. */
  readonly outcomes: readonly [Outcome, Outcome, Outcome, Outcome];
}

const { ENOEXEC, ENOTSUP, ENODATA, ENOMEM, EFAULT, EIO } = Errno;
const plain: ElfPlan = { sections: [text()], symbols: [func('f')] };
const good = buildElf(plain);
const [TEXT, SYMTAB] = [1, 2];
const [sh_name, sh_offset, sh_link, sh_info, sh_addralign, sh_entsize] = [0, 16, 24, 28, 32, 36];

function withByte(offset: number, ...bytes: number[]): Uint8Array {
  const copy = good.slice();
  copy.set(bytes, offset);
  return copy;
}

function always(errno: number, message: string): ErrorCase['outcomes'] {
  const outcome: Outcome = [errno, message];
  return [outcome, outcome, outcome, outcome];
}

function onlyS(errno: number, message: string): ErrorCase['outcomes'] {
  return ['loads', 'loads', 'loads', [errno, message]];
}

function since41(errno: number, message: string): ErrorCase['outcomes'] {
  const outcome: Outcome = [errno, message];
  return ['loads', outcome, outcome, outcome];
}

const withText = (...more: BuiltSection[]): Uint8Array => buildElf({ ...plain, sections: [text(), ...more] });

function relocated(type: number, symbol: string, target = '.text', offset = 0): Uint8Array {
  return buildElf({
    sections: [
      text([0xff, 0xf7, 0xfe, 0xff]),
      { name: '.ARM.exidx', type: C.SHT_ARM_EXIDX, flags: 2, bytes: [0, 0, 0, 0] },
    ],
    symbols: [func('f'), undefinedSymbol('missing'), undefinedSymbol('far'), { name: 'c', section: C.SHN_COMMON }],
    relocations: [{ target, offset, type, symbol }],
  });
}

/** st_name of the second symbol, which is local and of no type. */
function namedAt(st_name: number): Uint8Array {
  const file = buildElf({
    sections: [text()],
    symbols: [func('f'), { name: 'x', section: '.text', binding: C.STB_LOCAL }],
  });
  const view = new DataView(file.buffer);
  view.setUint32(view.getUint32(view.getUint32(32, true) + SYMTAB * 40 + sh_offset, true) + 32, st_name, true);
  return file;
}

const array = (name: string, entsize: number): BuiltSection => ({
  ...{ name, type: C.SHT_INIT_ARRAY, flags: C.SHF_ALLOC | C.SHF_WRITE, align: 4, bytes: [0, 0, 0, 0], entsize },
});

const dynsym: BuiltSection = {
  ...{ name: '.dynsym', type: C.SHT_DYNSYM, bytes: new Uint8Array(32), entsize: 16, align: 4, link: 5 },
};

const detachable = withText({ ...text([0x70, 0x47]), name: '.detach' });
const detach: LoadOptions = { parm: { section_detached: ({ name }) => name === '.detach' } };
const noreloc: BuiltSection = { name: '.llext.rodata.noreloc', flags: C.SHF_ALLOC, bytes: [0, 0, 0, 0], align: 4 };
const missingTables = 'llext: Some sections are missing or present multiple times!';

export const errorCases: readonly ErrorCase[] = [
  { row: 'magic', file: withByte(0, 0x7e), outcomes: always(ENOEXEC, 'llext: Invalid ELF, magic does not match') },
  { row: 'EI_DATA', file: withByte(5, 2), outcomes: onlyS(ENOEXEC, 'llext: Unsupported ELF data encoding 2') },
  { row: 'EI_CLASS', file: withByte(4, 2), outcomes: onlyS(ENOEXEC, 'llext: Unsupported ELF class 2') },
  { row: 'e_machine', file: withByte(18, 243), outcomes: onlyS(ENOEXEC, 'llext: Unsupported ELF machine 243') },
  {
    row: 'e_type not ET_REL/ET_DYN',
    file: buildElf({ ...plain, type: C.ET_EXEC }),
    outcomes: always(ENOEXEC, 'llext: Unsupported ELF file type 2'),
  },
  { row: 'e_shentsize', file: withByte(46, 64), outcomes: always(ENOEXEC, 'llext: Invalid section header size 64') },
  {
    row: 'allocation of sect_map fails',
    file: withByte(48, 0, 0),
    outcomes: always(ENOMEM, 'llext: Failed to allocate section map, size 0'),
  },
  {
    row: 'loader seek/read error',
    file: good,
    options: { loader: () => ({ seek: () => -EIO }) },
    outcomes: always(EIO, 'llext: Failed to seek for ELF header'),
  },
  { row: 'missing SYMTAB', file: buildElf({ ...plain, omit: ['.symtab'] }), outcomes: always(ENOEXEC, missingTables) },
  {
    row: 'one table for both kinds of strings',
    file: buildElf({ ...plain, omit: ['.strtab'], sharedStrings: true }),
    outcomes: [[ENOEXEC, missingTables], [ENOEXEC, missingTables], [ENOEXEC, missingTables], 'loads'],
  },
  {
    row: 'sym sh_entsize',
    file: patchHeader(good, SYMTAB, sh_entsize, 24),
    outcomes: always(ENOEXEC, 'llext: Invalid symbol table'),
  },
  {
    row: 'strtab index ≥ e_shnum',
    file: patchHeader(good, SYMTAB, sh_link, 99),
    outcomes: [
      [ENOEXEC, missingTables],
      [ENOEXEC, missingTables],
      [ENOEXEC, missingTables],
      [ENOEXEC, 'llext: Invalid string table index 99'],
    ],
  },
  {
    row: 'sh_name out of shstrtab',
    file: patchHeader(good, TEXT, sh_name, 0x1000),
    outcomes: [
      'loads',
      'loads',
      [ENOEXEC, 'llext: Invalid section name index 4096 in section 1'],
      [ENOEXEC, 'llext: Invalid section name index 4096 in section 1'],
    ],
  },
  {
    row: 'st_name ≥ strtab size',
    file: namedAt(0x1000),
    outcomes: since41(ENOEXEC, 'llext: Invalid symbol name index 4096 in symbol 2'),
  },
  {
    row: 'init array entsize',
    file: withText(array('.init_array', 8)),
    outcomes: since41(ENOEXEC, 'llext: Invalid .init_array array in section 2'),
  },
  {
    row: 'init array entsize 0',
    file: withText(array('.init_array', 0)),
    outcomes: [
      'loads',
      [ENOEXEC, 'llext: Invalid .init_array array in section 2'],
      [ENOEXEC, 'llext: Invalid .init_array array in section 2'],
      'loads',
    ],
  },
  {
    row: 'different W/A/X flags in one region',
    file: withText({ name: '.wx', flags: 7, bytes: [0, 0], align: 2 }),
    outcomes: since41(ENOEXEC, 'llext: Unsupported section flags 0x7 / 0x6 for .wx (region 0)'),
  },
  {
    row: 'second SHT_NOBITS',
    file: withText(bss(4), bss(4, '.noinit')),
    outcomes: since41(ENOTSUP, 'llext: Multiple SHT_NOBITS sections are not supported'),
  },
  {
    row: 'second init section',
    file: withText(array('.i1', 4), array('.i2', 4)),
    outcomes: since41(ENOEXEC, 'llext: Region 9 redefined'),
  },
  {
    row: 'ET_DYN: Δsh_addr ≠ Δsh_offset',
    file: buildElf({
      type: C.ET_DYN,
      sections: [{ ...text(), addr: 0x34 }, { ...text([0, 0, 0, 0], '.text2'), addr: 0x100 }, dynsym],
    }),
    // By names there is one .text, and the table of symbols is empty.
    outcomes: [
      [ENOMEM, 'llext: Failed to allocate extension symbol table, ret -12'],
      [ENOEXEC, 'llext: Incompatible section addresses for .text2 (region 0)'],
      [ENOEXEC, 'llext: Incompatible section addresses for .text2 (region 0)'],
      [ENOEXEC, 'llext: Incompatible section addresses for .text2 (region 0)'],
    ],
  },
  {
    row: 'ET_DYN: prepad > sh_addr',
    file: patchHeader(patchHeader(sharedObject(), TEXT, sh_addralign, 64), TEXT, 12, 0),
    outcomes: since41(ENOEXEC, 'llext: Bad section alignment in region 0'),
  },
  {
    row: 'sh_addralign not power of two',
    file: patchHeader(good, TEXT, sh_addralign, 3),
    outcomes: onlyS(ENOEXEC, 'llext: Invalid alignment 3 of section 1'),
  },
  {
    row: 'overlapping regions',
    file: withText(data([1, 2, 3, 4]), text([0, 0, 0, 0], '.text2')),
    outcomes: since41(ENOEXEC, 'llext: Region 0 ELF file range (0x34-0x3f) overlaps with 1 (0x38-0x3b)'),
  },
  {
    row: 'REL sh_info ≥ e_shnum',
    file: patchHeader(withText({ name: '.rel.x', type: C.SHT_REL, entsize: 8, info: 1 }), 2, sh_info, 99),
    outcomes: [
      [ENOEXEC, 'llext: Sanity checks failed for section 2 (info 99, size 0, entsize 8)'],
      [ENOEXEC, 'llext: Sanity checks failed for section 2 (info 99, size 0, entsize 8)'],
      [ENOEXEC, 'llext: Sanity checks failed for section 2 (info 99, size 0, entsize 8)'],
      [ENOEXEC, 'llext: Invalid target section 99 of relocation section 2'],
    ],
  },
  {
    row: 'detached but peek unsupported',
    file: detachable,
    options: { ...detach, peek: false },
    outcomes: onlyS(ENOTSUP, 'llext: Detached section 2 needs a loader with peek'),
  },
  {
    row: 'detached text not in instr memory',
    file: detachable,
    options: detach,
    config: { instructionMemory: [] },
    outcomes: onlyS(ENOEXEC, 'llext: Detached text section 2 is not in instruction memory'),
  },
  {
    row: '.llext.rodata.noreloc has relocations',
    file: buildElf({
      sections: [text(), noreloc],
      symbols: [func('f')],
      relocations: [{ target: noreloc.name, offset: 0, type: C.R_ARM_ABS32, symbol: 'f' }],
    }),
    config: { rodataNoReloc: true },
    outcomes: [
      [ENOEXEC, 'llext: Section 2 not loaded in any memory region'],
      'loads',
      'loads',
      [ENOEXEC, 'llext: Section 2 must not have relocations'],
    ],
  },
  {
    row: 'pre_located but a region cannot be peeked',
    file: good,
    options: { parm: { pre_located: true } },
    outcomes: since41(EFAULT, 'llext: Failed to copy ELF string sections, ret -14'),
  },
  {
    row: 'region allocation fails',
    file: withText(bss(0x2_0000)),
    outcomes: [
      [ENOMEM, 'llext: Failed allocating 131072 bytes 32-aligned for region 3'],
      [ENOMEM, 'llext: Failed allocating 131072 bytes 4-aligned for region 3'],
      [ENOMEM, 'llext: Failed allocating 131072 bytes 4-aligned for region 3'],
      [ENOMEM, 'llext: Failed allocating 131072 bytes 4-aligned for region 3'],
    ],
  },
  {
    row: 'USERSPACE without a known MPU rule',
    file: good,
    config: { userspace: true },
    outcomes: onlyS(ENOTSUP, 'llext: Failed to copy regions, ret -134'),
  },
  {
    row: 'global FUNC/OBJECT symbol with shndx ≥ sect_cnt',
    file: buildElf({ sections: [text()], symbols: [func('f'), func('c', 4, C.SHN_COMMON)] }),
    // Older versions read a header far behind the table; here there is other memory with zeros.
    outcomes: onlyS(ENOEXEC, 'llext: Invalid section index 65522 in symbol 2'),
  },
  {
    row: 'symbol’s section neither mapped nor peekable',
    file: buildElf({ sections: [text(), { name: '.note', bytes: [1] }], symbols: [func('f'), func('n', 0, '.note')] }),
    options: { peek: false },
    outcomes: always(ENOTSUP, 'llext: No data for section 2'),
  },
  {
    row: 'undefined symbol unresolved',
    file: relocated(C.R_ARM_ABS32, 'missing'),
    outcomes: always(
      ENODATA,
      'llext: Undefined symbol with no entry in symbol table missing, offset 0, link section 4',
    ),
  },
  {
    row: 'reloc symbol in SHN_COMMON',
    file: relocated(C.R_ARM_ABS32, 'c'),
    outcomes: always(
      ENOEXEC,
      'llext: cannot apply relocation: target symbol has unexpected section index 65522 (0xfff2)',
    ),
  },
  {
    row: 'reloc symbol in an unloaded section',
    file: buildElf({
      sections: [text(), { name: '.note', bytes: [1] }],
      symbols: [func('f'), { name: 'n', section: '.note' }],
      relocations: [{ target: '.text', offset: 0, type: C.R_ARM_ABS32, symbol: 'n' }],
    }),
    outcomes: onlyS(ENOEXEC, 'llext: cannot apply relocation: section 2 of the target symbol is not loaded'),
  },
  {
    row: 'reloc section entsize wrong',
    file: withText({ name: '.rel.text', type: C.SHT_REL, entsize: 12, info: 1 }),
    outcomes: always(ENOEXEC, 'llext: Invalid entry size 12 for SHT_REL section 2'),
  },
  {
    row: 'SHT_RELA on 32-bit ARM',
    file: withText({ name: '.rela.text', type: C.SHT_RELA, entsize: 12, info: 1 }),
    outcomes: always(ENOTSUP, 'llext: Found unsupported SHT_RELA section 2'),
  },
  {
    row: 'relocs target an SHF_ALLOC section that is not mapped',
    file: relocated(C.R_ARM_PREL31, 'f', '.ARM.exidx'),
    outcomes: always(ENOEXEC, 'llext: Section 2 not loaded in any memory region'),
  },
  {
    row: 'r_offset ≥ target section size',
    file: relocated(C.R_ARM_ABS32, 'f', '.text', 16),
    outcomes: onlyS(ENOEXEC, 'llext: Relocation offset 0x10 is outside of section 1 of 4 bytes'),
  },
  {
    row: 'unknown relocation',
    file: relocated(C.R_ARM_THM_JUMP19, 'f'),
    outcomes: always(ENOEXEC, 'elf: unknown relocation: 51'),
  },
  {
    row: 'ET_DYN on Harvard',
    file: sharedObject(),
    config: { harvard: true },
    outcomes: onlyS(ENOTSUP, 'llext: Shared ELF is not supported on Harvard architectures'),
  },
  {
    row: 'ET_DYN: r_offset in no loaded region',
    file: sharedObject([{ offset: 0x9000, type: C.R_ARM_RELATIVE }]),
    // Before images, .rel.dyn names section 0, which is skipped in silence; the oldest version does not skip it.
    outcomes: [
      [ENOEXEC, 'llext: Section 0 not loaded in any memory region'],
      'loads',
      'loads',
      [ENOEXEC, 'llext: Relocation address 0x9000 is in no loaded region'],
    ],
  },
  {
    row: 'ET_DYN: a relative address in no loaded region',
    file: sharedObject([{ offset: 0x1038, type: C.R_ARM_RELATIVE }]),
    outcomes: [
      [ENOEXEC, 'llext: Section 0 not loaded in any memory region'],
      'loads',
      'loads',
      [ENOEXEC, 'elf: 0x4030201 is in no loaded region'],
    ],
  },
  {
    row: 'ET_DYN: the image does not fit',
    file: patchHeader(sharedObject(), 2, 12, 0x10_0038),
    outcomes: onlyS(ENOMEM, 'llext: Failed allocating 1048584 bytes 4-aligned for the image'),
  },
];
