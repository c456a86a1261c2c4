/** Findings about the file as a whole: headers, tables, machine and ABI (specification 1.3, 1.4). */
import type { FindingRule } from './finding';

const notChecked = (severity: 'by-trial' | 'warning') =>
  ({ SEED: severity, V41: severity, V44: severity, S: 'error' }) as const;

export const fileRules = {
  'not-elf': {
    severity: 'error',
    title: 'not an ELF file',
    explanation: 'llext_load looks at the first four bytes; without 7F 45 4C 46 it returns -ENOEXEC.',
    fix: 'pass the object that the compiler or linker wrote, not a .bin, .hex or archive of it',
    specification: '1.3',
  },
  'not-loadable-type': {
    severity: 'error',
    title: 'neither relocatable nor shared',
    explanation: 'Only ET_REL and ET_DYN are extensions; executables and core files are refused with -ENOEXEC.',
    fix: 'build with -c, `ld -r` or -shared',
    specification: '1.3',
  },
  'bad-section-header-size': {
    severity: 'error',
    title: 'section headers of a wrong size',
    explanation: 'e_shentsize must be the size of Elf32_Shdr (40) or Elf64_Shdr (64), else -ENOEXEC.',
    fix: 'build the file again; a tool has damaged its header',
    specification: '1.3',
  },
  'no-sections': {
    severity: 'error',
    title: 'no section headers',
    explanation: 'With e_shnum 0 the section map has no bytes, and the heap gives nothing for that: -ENOMEM.',
    fix: 'do not strip section headers (`--strip-sections`); files of more than 65279 sections are not supported',
    specification: '1.3',
  },
  'wrong-class': {
    severity: notChecked('by-trial'),
    title: 'built for another address size',
    explanation:
      'Versions before S do not look at EI_CLASS: they read a file of the other class with the wrong structures, so that anything may come of it. S returns -ENOEXEC.',
    fix: 'build for the base image’s architecture',
    specification: '1.3',
  },
  'wrong-byte-order': {
    severity: notChecked('by-trial'),
    title: 'built for another byte order',
    explanation:
      'Versions before S do not look at EI_DATA: every number of such a file is read the wrong way round. S returns -ENOEXEC.',
    fix: 'build for the base image’s byte order (-mlittle-endian or -mbig-endian)',
    specification: '1.3',
  },
  'wrong-machine': {
    severity: notChecked('by-trial'),
    title: 'built for another machine',
    explanation:
      'Versions before S do not look at e_machine: the file loads, relocation numbers mean something else, and its first instruction is garbage to the CPU. S returns -ENOEXEC.',
    fix: 'build with the compiler of the base image’s architecture',
    specification: '1.3',
  },
  'truncated-file': {
    severity: 'by-trial',
    title: 'the file ends before its contents',
    explanation:
      'The buffer loader never fails: a read past the end gives what is left and reports success, so that the rest of the section keeps what memory had there.',
    fix: 'copy the file again and compare its size; raise the size of the buffer that it is read into',
    specification: '1.3',
  },
  'damaged-table': {
    severity: 'by-trial',
    title: 'a table cannot be read',
    explanation: 'A table of the file contradicts itself. Zephyr checks little of it and may read outside of the file.',
    fix: 'build the file again; a tool has damaged it',
    specification: '1.3',
  },
  'no-symbol-table': {
    severity: 'error',
    title: 'no symbol table',
    explanation:
      'ET_REL needs SHT_SYMTAB and ET_DYN needs SHT_DYNSYM; a file that was stripped of all is refused with -ENOEXEC.',
    fix: 'strip with --strip-debug or --strip-unneeded, not with --strip-all',
    specification: '1.4',
  },
  'missing-string-table': {
    severity: 'error',
    title: 'a string table is missing',
    explanation:
      'The symbol table’s sh_link and the header’s e_shstrndx must name sections of type SHT_STRTAB, else -ENOEXEC.',
    fix: 'build the file again, and strip with --strip-debug only',
    specification: '1.4',
  },
  'shared-string-table': {
    severity: { SEED: 'error', V41: 'error', V44: 'error', S: 'absent' },
    title: 'one string table for sections and symbols',
    explanation:
      'Clang writes section and symbol names into one table. Versions before S count the tables that they find and miss one: -ENOEXEC.',
    fix: 'pass the file through GNU `ld -r`, which writes two tables',
    specification: '1.4',
  },
  'string-table-before-symbols': {
    severity: { SEED: 'error', V41: 'error', V44: 'error', S: 'absent' },
    title: 'string table before its symbol table',
    explanation:
      'Versions before S look for tables in one pass and know the string table only after the symbol table: -ENOEXEC.',
    fix: 'pass the file through GNU `ld -r`, which orders the tables',
    specification: '1.4',
  },
  'bad-symbol-table': {
    severity: 'error',
    title: 'malformed symbol table',
    explanation:
      'sh_entsize must be the size of Elf32_Sym (16) or Elf64_Sym (24), and sh_size a multiple of it, else -ENOEXEC.',
    fix: 'build the file again; a tool has damaged it',
    specification: '1.3',
  },
  'bad-symbol-name': {
    severity: { SEED: 'warning', V41: 'error', V44: 'error', S: 'error' },
    title: 'symbol name outside of the string table',
    explanation:
      'st_name of every symbol must lie in the string table, else -ENOEXEC; the oldest version reads past the table.',
    fix: 'build the file again; a tool has damaged it',
    specification: '1.3',
  },
  'bad-section-name': {
    severity: { SEED: 'by-trial', V41: 'by-trial', V44: 'by-trial', S: 'error' },
    title: 'section name outside of the name table',
    explanation:
      'Older versions read the name from behind the table, outside of the region’s memory; newer ones return -ENOEXEC.',
    fix: 'build the file again; a tool has damaged it',
    specification: '1.3',
  },
  'float-abi-mismatch': {
    severity: 'warning',
    title: 'another floating-point calling convention',
    explanation:
      'The loader does not compare ABIs. Calls that pass floating-point values between base image and extension use other registers on either side and read garbage.',
    fix: 'compile the extension with the base image’s -mfloat-abi or -mabi',
    specification: '7.2',
  },
  'wrong-abi': {
    severity: 'warning',
    title: 'another ABI than the base image’s',
    explanation:
      'The loader does not look at e_flags or build attributes; code of another ABI version or with other register sets fails when it runs.',
    fix: 'compile the extension with the base image’s ABI options',
    specification: '7.2',
  },
  'instruction-set-mismatch': {
    severity: 'warning',
    title: 'instructions that the CPU does not have',
    explanation:
      'The build attributes name a CPU with instructions that the base image’s CPU lacks. The file loads; the first such instruction faults.',
    fix: 'compile with the base image’s -mcpu or -march, and with -mthumb for Cortex-M',
    specification: '7.2',
  },
  'out-of-bounds': {
    severity: 'by-trial',
    title: 'the loader leaves its memory',
    explanation:
      'A number of the file is not checked by this version: the loader reads or overwrites memory of somebody else, and goes on.',
    fix: 'do not load this file: build it again, or use a version of Zephyr that is hardened against it (#109875)',
    specification: '1.3',
  },
  'load-refused': {
    severity: 'error',
    title: 'llext_load refuses the file',
    explanation:
      'The loader, run on the file as the target would run it, returned an error that no other finding explains.',
    fix: 'follow the load with `llext explain --timeline FILE`; a file that no tool has damaged and that no other finding explains is worth a report',
    specification: '1.3',
  },
  'loader-faults': {
    severity: 'error',
    title: 'the loader itself would crash',
    explanation:
      'The loader follows numbers of the file that it does not check and accesses memory that is not there: the target faults inside of llext_load.',
    fix: 'do not load this file; build it again',
    specification: '1.3',
  },
} as const satisfies Record<string, FindingRule>;
