/** Cases of findings about the file as a whole: headers, tables, ABI, the trial itself. */
import * as C from '../../lib/elf/constants';
import {
  withBoard,
  file,
  elf,
  plain,
  patched,
  sectionOffset,
  built,
  codeSection,
  TEXT,
  SYMTAB,
  SHSTRTAB,
} from './check-case';
import type { CheckCase } from './check-case';
import { compile } from './check-compiler';
import { buildElf, func, patchHeader, text } from './elf-builder';

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
    severity: 'error',
    message: /the loader writes \d+ bytes of padding before a region/,
    provoke: () => file(patchHeader(patchHeader(built, SHSTRTAB, 28, 100), SHSTRTAB, 8, C.SHF_ALLOC)),
    clean: elf(plain),
  },
  {
    code: 'load-refused',
    severity: 'error',
    message: /Failed allocating \d+ bytes 4-aligned for region 0 \(-ENOMEM\)/,
    // Too large for a dozen trials, which would have told how much heap it takes.
    provoke: elf({ ...plain, sections: [codeSection(9 << 20)] }),
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
