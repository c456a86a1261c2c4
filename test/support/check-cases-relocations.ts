/** Cases of findings about relocations. */
import * as C from '../../lib/elf/constants';
import * as R from '../../lib/elf/constants-arm';
import { withBoard, file, elf, plain, importing, calling, relocating, relocated, dynamic } from './check-case';
import type { CheckCase, CheckSetup } from './check-case';
import { compile } from './check-compiler';
import { func, text } from './elf-builder';

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
