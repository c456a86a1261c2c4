/** Cases of findings about imports, exports and names. */
import * as C from '../../lib/elf/constants';
import type { CheckBase } from '../../lib/check/base';
import type { FindingCode } from '../../lib/check/rules';
import { withBoard, file, elf, rodata, exporting, plain, exports, importing, relocated, built } from './check-case';
import type { CheckCase, CheckSetup } from './check-case';
import { bss, buildElf, func, patchHeader, text, undefinedSymbol } from './elf-builder';
import type { ElfPlan } from './elf-builder';

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
  missing('_Z6printkPKcz', 'undefined-symbol', /declare 'printk' in extern "C"/),
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
      files: [
        ...pair(exports('shared'), exports('shared')).files,
        { name: 'third', bytes: buildElf(importing('shared')) },
      ],
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
