/**
 * Small sources of every CPU, loaded, and linked by GNU ld (and lld) with the same sections at the same addresses. In
 * abi-correct mode all bytes are the linker's; in exact mode they differ in the types of the documented quirks only,
 * whose values are checked by the specification's formulas (reloc-tables.test.ts). Of RX there is no linker here.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { LlextConfig, LlextStorage } from '../lib/llext/types';
import { loadAndLink } from './support/ld-compare';
import { requireTool } from './support/tools';

interface Suite {
  readonly name: string;
  readonly as: string;
  readonly asFlags?: readonly string[];
  /** Each with its flags. */
  readonly linkers: readonly (readonly string[])[];
  readonly config: Partial<LlextConfig>;
  readonly storage?: LlextStorage;
  readonly externals: Readonly<Record<string, bigint>>;
  readonly source: string;
  /** What occurs. */
  readonly types: string;
  /** Types in which exact mode differs from the linker here. */
  readonly quirks: string;
  /** Types that only the ABI knows: exact mode refuses the file. */
  readonly isRefused?: boolean;
}

const riscvSource = (word: string, bits: string): string => `
  .option norelax
  .text
  .global f
  .type f, @function
f:
  lui a0, %hi(data_import+0x800)
  addi a0, a0, %lo(data_import+0x800)
  lw a1, %lo(data_import+4)(a0)
  sw a1, %lo(thing)(a0)
  call code_import
  tail near
  call near@plt
1: auipc a2, %pcrel_hi(thing+0x7fc)
  beqz a0, near
  lw a3, %pcrel_lo(1b)(a2)
  addi a4, a2, %pcrel_lo(1b)
  sw a3, %pcrel_lo(1b)(a2)
  .option norvc
  jal near
  beq a0, a1, near
  .option rvc
  c.j near
  c.beqz a0, near
  c.bnez a0, f
  .reloc ., R_RISCV_BRANCH, f
  .word 0x00b50063
  .reloc ., R_RISCV_JAL, f
  .word 0x000000ef
  .reloc ., R_RISCV_NONE, f
  .reloc ., R_RISCV_CALL, near
  auipc ra, 0
  .word 0x000080e7
  .global near
  .type near, @function
near:
  ret
  .data
  .balign 8
  .global thing
thing:
  ${word} f
  ${word} code_import
  .reloc ., R_RISCV_32, thing+3
  .word 0
  .reloc ., R_RISCV_32_PCREL, near
  .word 0
  .word f - near
  .short near - f
  .byte near - f
  .balign 8
  .reloc ., R_RISCV_ADD64, near
  .reloc ., R_RISCV_SUB64, f
  .dword 1
  .reloc ., R_RISCV_ADD32, near
  .reloc ., R_RISCV_SUB32, f
  .word 9
  .reloc ., R_RISCV_ADD16, near
  .reloc ., R_RISCV_SUB16, f
  .short 2
  .reloc ., R_RISCV_ADD8, near
  .reloc ., R_RISCV_SUB8, f
  .byte 3
  .reloc ., R_RISCV_SET8, near
  .byte 0
  .reloc ., R_RISCV_SET16, near
  .short 0
  .reloc ., R_RISCV_SET32, near
  .word 0
  .reloc ., R_RISCV_SET6, near+0x33
  .byte 0xc0
  .reloc ., R_RISCV_SUB6, near
  .byte 0xe5
  ${bits}
`;

const riscvTypes =
  '32 NONE HI20 LO12_I LO12_S CALL CALL_PLT PCREL_HI20 PCREL_LO12_I PCREL_LO12_S BRANCH JAL RVC_JUMP RVC_BRANCH 32_PCREL ' +
  'ADD8 ADD16 ADD32 ADD64 SUB8 SUB16 SUB32 SUB64 SET6 SET8 SET16 SET32 SUB6';

const suites: readonly Suite[] = [
  {
    name: 'RV32',
    as: 'riscv64-unknown-elf-as',
    asFlags: ['-march=rv32imac', '-mabi=ilp32'],
    linkers: [
      ['riscv64-unknown-elf-ld', '-m', 'elf32lriscv', '--no-relax'],
      ['ld.lld-14', '-m', 'elf32lriscv'],
    ],
    config: { arch: 'riscv' },
    externals: { code_import: 0x2000_4568n, data_import: 0x2000_4f00n },
    source: riscvSource('.word', ''),
    types: `${riscvTypes}`,
    quirks: 'SET6 SUB6',
  },
  {
    name: 'RV64',
    as: 'riscv64-unknown-elf-as',
    asFlags: ['-march=rv64imac', '-mabi=lp64'],
    linkers: [
      ['riscv64-unknown-elf-ld', '-m', 'elf64lriscv', '--no-relax'],
      ['ld.lld-14', '-m', 'elf64lriscv'],
    ],
    config: { arch: 'riscv', pointerSize: 8 },
    externals: { code_import: 0x2000_4568n, data_import: 0x2000_4f00n },
    source: riscvSource('.dword', ''),
    types: `64 ${riscvTypes}`,
    quirks: 'SET6 SUB6',
  },
  {
    name: 'AArch64',
    as: 'aarch64-linux-gnu-as',
    linkers: [['aarch64-linux-gnu-ld'], ['ld.lld-14', '-m', 'aarch64elf', '--no-relax']],
    config: { arch: 'arm64', pointerSize: 8 },
    externals: { code_import: 0x2001_4560n, data_import: 0x2001_8f20n, small: 0x1234n },
    source: `
  .text
  .global f
  .type f, %function
f:
  bl code_import
  b near
  b.eq near
  tbz x0, #3, near
  ldr x1, thing
  adr x2, thing
  adrp x3, data_import
  add x3, x3, :lo12:data_import
  ldrb w4, [x3, :lo12:data_import+3]
  ldrh w4, [x3, :lo12:data_import+2]
  ldr w4, [x3, :lo12:data_import+4]
  ldr x4, [x3, :lo12:data_import+8]
  ldr q4, [x3, :lo12:data_import+16]
  adrp x5, :pg_hi21_nc:data_import+0x5000
  movz x6, #:abs_g0:small
  movz x6, #:abs_g1:data_import
  movz x6, #:abs_g2:data_import
  movz x6, #:abs_g3:data_import
  movk x6, #:abs_g0_nc:data_import
  movk x6, #:abs_g1_nc:data_import
  movk x6, #:abs_g2_nc:data_import
  movz x7, #:abs_g0_s:small
  movz x7, #:abs_g1_s:data_import
  movz x7, #:abs_g2_s:data_import
  movz x8, #:prel_g0:near
  movk x8, #:prel_g0_nc:data_import
  movz x8, #:prel_g1:f - 0x20000
  movk x8, #:prel_g1_nc:data_import
  movz x8, #:prel_g2:f
  movk x8, #:prel_g2_nc:data_import
  movz x8, #:prel_g3:near
  .global near
  .type near, %function
near:
  ret
  .data
  .balign 8
thing:
  .xword f
  .xword data_import - .
  .word near
  .word near - .
  .hword small
  .hword near - .
`,
    types:
      'ABS64 ABS32 ABS16 PREL64 PREL32 PREL16 MOVW_UABS_G0 MOVW_UABS_G0_NC MOVW_UABS_G1 MOVW_UABS_G1_NC MOVW_UABS_G2 ' +
      'MOVW_UABS_G2_NC MOVW_UABS_G3 MOVW_SABS_G0 MOVW_SABS_G1 MOVW_SABS_G2 LD_PREL_LO19 ADR_PREL_LO21 ADR_PREL_PG_HI21 ' +
      'ADR_PREL_PG_HI21_NC ADD_ABS_LO12_NC LDST8_ABS_LO12_NC TSTBR14 CONDBR19 JUMP26 CALL26 LDST16_ABS_LO12_NC ' +
      'LDST32_ABS_LO12_NC LDST64_ABS_LO12_NC LDST128_ABS_LO12_NC MOVW_PREL_G0 MOVW_PREL_G0_NC MOVW_PREL_G1 MOVW_PREL_G1_NC ' +
      'MOVW_PREL_G2 MOVW_PREL_G2_NC MOVW_PREL_G3',
    quirks: 'MOVW_SABS_G0 MOVW_SABS_G1 MOVW_SABS_G2 MOVW_PREL_G0 MOVW_PREL_G1 MOVW_PREL_G2 MOVW_PREL_G3',
  },
  {
    name: 'x86-64',
    as: 'as',
    asFlags: ['--64'],
    linkers: [
      ['ld', '-m', 'elf_x86_64'],
      ['ld.lld-14', '-m', 'elf_x86_64'],
    ],
    config: { arch: 'x86', pointerSize: 8 },
    externals: { code_import: 0x2000_4568n, data_import: 0x2000_4f00n },
    source: `
  .text
  .global f
  .type f, @function
f:
  call code_import
  jmp near
  call near@PLT
  mov $data_import, %eax
  mov $data_import, %rax
  mov data_import(%rip), %rcx
  mov thing+8, %edx
  movabs $thing, %rdx
  ret
  .section .text.b, "ax"
  .data
thing:
  .quad f
  .quad code_import + 5
  .long near
  .long near - .
  .text
  .global near
  .type near, @function
near:
  ret
`,
    types: '64 PC32 PLT32 32 32S',
    quirks: '',
  },
  {
    name: 'x86-64, what only the ABI has',
    as: 'as',
    asFlags: ['--64'],
    linkers: [
      ['ld', '-m', 'elf_x86_64'],
      ['ld.lld-14', '-m', 'elf_x86_64'],
    ],
    config: { arch: 'x86', pointerSize: 8 },
    externals: {},
    source: `
  .text
  .global f
  .type f, @function
f:
  ret
  .data
  .reloc ., R_X86_64_NONE, f
  .quad f - .
`,
    types: 'NONE PC64',
    quirks: '',
    isRefused: true,
  },
  {
    name: 'i386',
    as: 'as',
    asFlags: ['--32'],
    linkers: [
      ['ld', '-m', 'elf_i386'],
      ['ld.lld-14', '-m', 'elf_i386'],
    ],
    config: { arch: 'x86' },
    externals: { code_import: 0x2000_4568n, data_import: 0x2000_4f00n },
    source: `
  .text
  .global f
  .type f, @function
f:
  call code_import
  jmp near
  mov $data_import+4, %eax
  mov thing+8, %edx
  ret
  .data
thing:
  .long f
  .long code_import + 5
  .long near - .
  .text
  .global near
  .type near, @function
near:
  ret
`,
    types: '32 PC32',
    quirks: '',
  },
  {
    name: 'i386, what only the ABI has',
    as: 'as',
    asFlags: ['--32'],
    linkers: [
      ['ld', '-m', 'elf_i386'],
      ['ld.lld-14', '-m', 'elf_i386'],
    ],
    config: { arch: 'x86' },
    externals: { code_import: 0x2000_4568n },
    source: `
  .text
  .global f
  .type f, @function
f:
  .reloc ., R_386_NONE, f
  call code_import@PLT
  ret
`,
    types: 'NONE PLT32',
    quirks: '',
    isRefused: true,
  },
  {
    name: 'ARC',
    as: 'arc-linux-gnu-as',
    asFlags: ['-mcpu=archs'],
    linkers: [['arc-linux-gnu-ld', '-m', 'arcelf']],
    config: { arch: 'arc' },
    externals: { code_import: 0x2000_4568n, data_import: 0x2000_4f00n },
    source: `
  .text
  .global f
  .type f, @function
f:
  bl code_import
  b near
  bl near
  mov r0, data_import + 8
  st r0, [thing]
  b code_import
  nop_s
  bl code_import + 8
  b code_import + 16
  .align 4
  .global near
  .type near, @function
near:
  j_s [blink]
  .data
  .align 4
  .global thing
thing:
  .word f
  .word data_import + 8
`,
    types: '32 32_ME S25H_PCREL S25W_PCREL',
    quirks: 'S25W_PCREL S25H_PCREL',
  },
  {
    name: 'OpenRISC',
    as: 'or1k-elf-as',
    linkers: [['or1k-elf-ld']],
    config: { arch: 'openrisc', bigEndian: true },
    externals: { code_import: 0x2000_4568n, data_import: 0x2000_cf00n },
    source: `
  .text
  .global f
  .type f, @function
f:
  l.movhi r3, hi(data_import)
  l.ori r3, r3, lo(data_import)
  l.movhi r3, ha(data_import)
  l.lwz r4, lo(data_import)(r3)
  l.sw lo(data_import)(r3), r4
  l.jal code_import
  l.nop
  l.bf near
  l.nop
  l.adrp r3, data_import
  l.lwz r4, po(data_import)(r3)
  l.sw po(data_import)(r3), r4
  .reloc ., R_OR1K_NONE, f
  .global near
  .type near, @function
near:
  l.jr r9
  l.nop
  .data
  .word f, data_import + 4, near - .
`,
    types: 'NONE HI_16_IN_INSN LO_16_IN_INSN AHI16 SLO16 INSN_REL_26 PCREL_PG21 LO13 SLO13 32 32_PCREL',
    quirks: '',
  },
  {
    name: 'Xtensa',
    as: 'xtensa-lx106-elf-as',
    asFlags: ['--no-transform'],
    linkers: [['xtensa-lx106-elf-ld', '--no-relax']],
    config: { arch: 'xtensa' },
    storage: 'writable',
    externals: { code_import: 0x2000_2568n, data_import: 0x2000_4f00n },
    source: `
  .text
  .align 4
.Lone:
  .word data_import + 4
.Ltwo:
  .word thing
  .global f
  .type f, @function
f:
  l32r a8, .Lone
  l32r a9, .Ltwo
  call0 near
  nop
  call0 near
  call0 near
  j near
  beqz a3, near
  beqi a3, 4, near
  ball a3, a4, near
  beqz.n a3, near
  call0 code_import
  nop
  .align 4
  .global near
  .type near, @function
near:
  ret
  .data
  .align 4
  .global thing
  .type thing, @object
thing:
  .word f, data_import
  .word .Lone
`,
    types: '32 SLOT0_OP',
    quirks: '32 SLOT0_OP',
  },
];

function names(list: string, prefix: string): string[] {
  return list
    .split(' ')
    .filter((name) => name !== '')
    .map((name) => `${prefix}${name}`)
    .sort();
}

const prefixes: Readonly<Record<string, string>> = {
  riscv: 'R_RISCV_',
  arm64: 'R_AARCH64_',
  xtensa: 'R_XTENSA_',
  arc: 'R_ARC_',
  openrisc: 'R_OR1K_',
};

for (const suite of suites) {
  for (const [linker, ...ldFlags] of suite.linkers) {
    test(`${suite.name}: equals ${linker} at the same addresses`, (t) => {
      const as = requireTool(t, suite.as);
      const ld = requireTool(t, linker);
      if (as === undefined || ld === undefined) return;
      const prefix = prefixes[suite.config.arch ?? ''] ?? (suite.config.pointerSize === 8 ? 'R_X86_64_' : 'R_386_');
      const common = { ...suite, as, asFlags: suite.asFlags ?? [], ld, ldFlags };
      const abi = loadAndLink({ ...common, config: { ...suite.config, mode: 'abi-correct' } });
      assert.deepEqual(abi.differences, [], 'abi-correct');
      const seen = new Set([...abi.types]);
      for (const type of names(suite.types, prefix)) assert.ok(seen.has(type), `${type} does not occur`);
      if (suite.isRefused === true) {
        assert.throws(() => loadAndLink(common), /unknown relocation/);
        return;
      }
      const exact = loadAndLink(common);
      assert.deepEqual([...exact.differingTypes].sort(), names(suite.quirks, prefix), 'exact');
    });
  }
}
