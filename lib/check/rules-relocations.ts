/** Findings about relocations (specification 4). */
import type { FindingRule } from './finding';

export const relocationRules = {
  'rela-on-arm': {
    severity: 'error',
    title: 'SHT_RELA on Arm',
    explanation:
      'The 32-bit Arm loader reads addends from the instructions (SHT_REL); relocation sections of type SHT_RELA are refused with -ENOTSUP.',
    fix: 'build with a toolchain for the Arm EABI, which writes SHT_REL',
    specification: '1.3',
  },
  'bad-relocation-section': {
    severity: 'error',
    title: 'malformed relocation section',
    explanation:
      'sh_entsize must fit the type, sh_size be a multiple of it, and sh_info name a section, else -ENOEXEC.',
    fix: 'build the file again; a tool has damaged it',
    specification: '4.1',
  },
  'unsupported-relocation': {
    severity: 'error',
    title: 'relocation type that Zephyr does not apply',
    explanation:
      'The CPU’s arch_elf_relocate knows a closed set of types; any other is "unknown relocation", -ENOEXEC.',
    fix: 'compile with other code generation options, or without hand-written assembly that needs this type',
    specification: '4.2',
  },
  'unsupported-got': {
    severity: 'error',
    title: 'needs a global offset table',
    explanation:
      'Position-independent code of a relocatable file goes through a GOT that nobody builds here: "unknown relocation", -ENOEXEC.',
    fix: 'build with -fno-pic -fno-pie',
    specification: '4.2',
  },
  'unsupported-tls': {
    severity: 'error',
    title: 'thread-local access',
    explanation: 'The relocation belongs to a thread-local storage model that the loader does not implement, -ENOEXEC.',
    fix: 'do without _Thread_local; build with -fno-stack-protector where a TLS canary causes it',
    specification: '4.2',
  },
  'riscv-align': {
    severity: 'error',
    title: 'linker relaxation',
    explanation: 'R_RISCV_ALIGN asks the linker to remove bytes, which a loader cannot: always -ENOEXEC.',
    fix: 'build with -mno-relax',
    specification: '4.4',
  },
  'unpaired-lo12': {
    severity: 'error',
    title: 'R_RISCV_PCREL_LO12 without its HI20',
    explanation:
      'The symbol of a PCREL_LO12 is the place of a PCREL_HI20 in the same relocation section; where there is none the load fails with -ENOEXEC.',
    fix: 'keep the auipc and its user in one section (hand-written assembly)',
    specification: '4.4',
  },
  'relocation-out-of-range': {
    severity: 'error',
    title: 'target out of reach',
    explanation:
      'The distance from the place to the symbol, with the addresses that the heap and the base image give, does not fit the instruction: -ENOEXEC.',
    fix: 'Arm: build with -mlong-calls; AArch64: -mcmodel=large; RISC-V: -mcmodel=medany and a heap near the base image',
    specification: '4.2',
  },
  'relocation-near-limit': {
    severity: 'warning',
    title: 'target nearly out of reach',
    explanation:
      'The branch reaches its target at the predicted address with less than an eighth of its range left; another heap address or load order may break it.',
    fix: 'Arm: build with -mlong-calls; AArch64: -mcmodel=large',
    specification: '4.2',
  },
  'relocation-outside-section': {
    severity: 'by-trial',
    title: 'relocation outside of its section',
    explanation:
      'Older versions do not check r_offset: they write into whatever lies behind the region, or fault. Newer ones return -ENOEXEC.',
    fix: 'build the file again; on shared objects of older versions build relocatable instead',
    specification: '4.1',
  },
  'relocation-differs-from-abi': {
    severity: 'warning',
    title: 'Zephyr relocates differently from the ABI',
    explanation:
      'The loader’s formula differs from the processor ABI’s for this relocation and value: the code does something else than when it is linked by ld.',
    fix: 'avoid the construct that needs this relocation, or the value that it cannot express',
    specification: '4',
  },
  'v4bx-rewritten': {
    severity: 'warning',
    title: 'BX becomes MOV PC',
    explanation:
      'R_ARM_V4BX marks a BX that a linker may rewrite for Armv4. Zephyr always rewrites it to MOV PC, Rm, which on cores before Armv7 does not change to Thumb state.',
    fix: 'build with -march=armv5t or newer, or pass through `ld -r`; the assembler writes these for Armv4 (--fix-v4bx) only',
    specification: '4.2',
  },
  'debug-relocations': {
    severity: { SEED: 'error', V41: 'absent', V44: 'absent', S: 'absent' },
    title: 'relocations of debug information',
    explanation:
      'The oldest version applies every relocation section, also those of sections that are not loaded, and fails.',
    fix: 'strip with --strip-debug, or compile without -g; keep the unstripped file for the debugger',
    specification: '4.1',
  },
  'dyn-relocations-skipped': {
    severity: { SEED: 'warning', V41: 'warning', V44: 'warning', S: 'absent' },
    title: 'dynamic relocations are skipped in silence',
    explanation:
      'The relocation sections of a shared object name no section (sh_info 0). Before S they are skipped: the load succeeds, and nothing is relocated.',
    fix: 'build relocatable: CONFIG_LLEXT_TYPE_ELF_OBJECT or CONFIG_LLEXT_TYPE_ELF_RELOCATABLE',
    specification: '4.1',
  },
  'bad-relocation-symbol': {
    severity: 'error',
    title: 'relocation against a symbol that is none',
    explanation:
      'The symbol’s section index is reserved or outside of the table, or the symbol’s index outside of the symbol table: -ENOEXEC.',
    fix: 'build the file again; a tool has damaged it',
    specification: '3.4',
  },
} as const satisfies Record<string, FindingRule>;
