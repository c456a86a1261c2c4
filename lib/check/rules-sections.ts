/** Findings about sections and regions (specification 1.5 to 1.9, 4.9). */
import type { FindingRule } from './finding';

export const sectionRules = {
  'multiple-nobits': {
    severity: 'error',
    title: 'more than one section without data',
    explanation:
      'The BSS region takes one SHT_NOBITS section. A second one (.sbss, .noinit, .bss.name) makes the load fail with -ENOTSUP.',
    fix: 'build with -fno-data-sections -fno-common (RISC-V: -msmall-data-limit=0), or join them by `ld -r` with a script',
    specification: '1.3',
  },
  'region-flags-differ': {
    severity: 'error',
    title: 'sections of one region with different flags',
    explanation: 'Sections that go to one region must agree in SHF_WRITE, SHF_ALLOC and SHF_EXECINSTR, else -ENOEXEC.',
    fix: 'give the section the flags of its neighbours in its `section` attribute or directive',
    specification: '1.6',
  },
  'repeated-function-array': {
    severity: 'error',
    title: 'a function array in several sections',
    explanation:
      'There may be one section each of SHT_PREINIT_ARRAY, SHT_INIT_ARRAY and SHT_FINI_ARRAY; a second is "Region redefined", -ENOEXEC.',
    fix: 'join them by `ld -r` with a script, or use constructors without priorities',
    specification: '1.3',
  },
  'bad-function-array': {
    severity: 'error',
    title: 'malformed function array',
    explanation:
      'sh_entsize of init, fini and preinit arrays must be the size of a pointer and sh_size a multiple of it, else -ENOEXEC.',
    fix: 'let the compiler make the array (`__attribute__((constructor))`); `ld -r` of old linkers writes sh_entsize 0',
    specification: '1.3',
  },
  'function-outside-text': {
    severity: 'warning',
    title: 'a constructor or destructor outside of .text',
    explanation:
      'llext_bringup and llext_teardown run functions of the TEXT region only; another address in the array makes them return -EFAULT.',
    fix: 'put a function of the extension into the array that calls the other one',
    specification: '4.9',
  },
  'dyn-function-array': {
    severity: 'warning',
    title: 'function array in a shared object',
    explanation:
      'The entries of a shared object’s init array are relocated by dynamic relocations, which this version does not apply.',
    fix: 'build relocatable (CONFIG_LLEXT_TYPE_ELF_OBJECT or _RELOCATABLE), or without constructors',
    specification: '4.9',
  },
  'regions-overlap': {
    severity: 'error',
    title: 'regions interleave in the file',
    explanation:
      'A region reaches from its first section in the file to its last. Where sections of two regions alternate the regions overlap, and the load fails with -ENOEXEC.',
    fix: 'order the sections by `ld -r` with a script that lists .text*, .rodata*, .data* and .init_array one after another, or build without -ffunction-sections -fdata-sections (templates, inline functions and constructors of C++ have sections of their own whatever the flags)',
    specification: '1.6',
  },
  'region-swallows-sections': {
    severity: 'note',
    title: 'bytes between sections are loaded too',
    explanation: 'Everything that lies in the file between two sections of a region becomes part of it and takes heap.',
    fix: 'order the sections by `ld -r` with a script',
    specification: '1.6',
  },
  'dyn-addresses-differ': {
    severity: 'error',
    title: 'addresses and file offsets do not go together',
    explanation:
      'In a shared object two sections of a region must be as far apart in memory as in the file, else -ENOEXEC.',
    fix: 'link with -z noseparate-code or -z max-page-size=1 so that segments keep their distance',
    specification: '1.3',
  },
  'dyn-bad-alignment': {
    severity: 'error',
    title: 'address smaller than the padding',
    explanation:
      'The padding before a region of a shared object is taken off its address, which must not become negative: -ENOEXEC.',
    fix: 'link with -Ttext above the largest alignment',
    specification: '1.3',
  },
  'bad-alignment': {
    severity: { SEED: 'by-trial', V41: 'by-trial', V44: 'by-trial', S: 'error' },
    title: 'alignment is no power of two',
    explanation:
      'Older versions calculate padding with it all the same and place the region wrongly; S returns -ENOEXEC.',
    fix: 'correct the .align or .balign of the section',
    specification: '1.6',
  },
  'arm-exidx': {
    severity: 'error',
    title: 'unwind tables',
    explanation:
      '.ARM.exidx is allocated, belongs to no region, and has relocations: "Section not loaded in any memory region", -ENOEXEC.',
    fix: 'build with -fno-unwind-tables -fno-asynchronous-unwind-tables -fno-exceptions, or remove it with its relocations, which clang writes all the same: objcopy -R ".ARM.exidx*" -R ".rel.ARM.exidx*"',
    specification: '1.3',
  },
  'unmapped-relocated-section': {
    severity: 'error',
    title: 'relocations in a section that no region takes',
    explanation:
      'Regions take SHT_PROGBITS, SHT_NOBITS and the function arrays only; relocations to another allocated section are refused with -ENOEXEC.',
    fix: 'make the section SHT_PROGBITS (@progbits), or clear its alloc flag',
    specification: '1.3',
  },
  'section-dropped': {
    severity: 'warning',
    title: 'an allocated section is not loaded',
    explanation:
      'No region takes a section of this type, so its bytes are never in memory, although the program may count on them.',
    fix: 'make the section SHT_PROGBITS (@progbits), or remove it with objcopy',
    specification: '1.5',
  },
  'tls-section': {
    severity: 'warning',
    title: 'thread-local data',
    explanation:
      'Versions before S treat .tdata and .tbss as ordinary data that no thread has a copy of; S leaves them out.',
    fix: 'do without _Thread_local; build with -fno-stack-protector where a TLS canary causes it',
    specification: '1.5',
  },
  'over-aligned': {
    severity: 'note',
    title: 'large alignment',
    explanation:
      'The heap must find a free place of size plus alignment; what it skips in front of it may stay unusable for large blocks.',
    fix: 'lower the aligned attribute where nothing needs it',
    specification: '1.8',
  },
  'region-prepad': {
    severity: 'note',
    title: 'padding before a region',
    explanation:
      'A region starts at an aligned offset of the file: the bytes in front are part of it and of its address, zeros after a copy, the file’s own when it is used in place.',
    fix: 'nothing, unless addresses are compared: a section’s address is the region’s plus this padding',
    specification: '1.6',
  },
  'export-prepad': {
    severity: 'warning',
    title: 'padding before the export table',
    explanation:
      'The number of exports is the region’s size, padding included, by the size of an entry: entries are shifted or bogus.',
    fix: 'align .exported_sym to a pointer only, and order the sections so that it begins aligned',
    specification: '3.3',
  },
  'not-used-in-place': {
    severity: 'warning',
    title: 'misaligned in the file: copied',
    explanation:
      'A region is used inside of the file image only at an address of its alignment; else the loader warns "Cannot peek region" and takes heap for a copy.',
    fix: 'align the buffer that holds the file, and the section’s offset in it (`ld -r` with a script); with MPU or MMU rounding that is a whole block or page',
    specification: '1.8',
  },
  'noreloc-relocated': {
    severity: 'error',
    title: 'relocations in .llext.rodata.noreloc',
    explanation:
      'The region RODATA_NO_RELOC is for data that is used in place and never written; relocations in it are refused with -ENOEXEC.',
    fix: 'keep pointers out of .llext.rodata.noreloc, or use another section for this data',
    specification: '1.3',
  },
  'dyn-on-harvard': {
    severity: 'error',
    title: 'shared object on a Harvard machine',
    explanation: 'A shared object is loaded as one block, but code and data have heaps of their own here: -ENOTSUP.',
    fix: 'build relocatable: CONFIG_LLEXT_TYPE_ELF_OBJECT or CONFIG_LLEXT_TYPE_ELF_RELOCATABLE',
    specification: '1.3',
  },
  'constants-relocated': {
    severity: 'note',
    title: 'constants that relocation writes to',
    explanation:
      'Persistent storage shares only regions that nothing writes to. Relocations in read-only data cost a copy of the whole region on the heap.',
    fix: 'replace pointers in constant data by indices or offsets where memory is short',
    specification: '1.8',
  },
} as const satisfies Record<string, FindingRule>;
