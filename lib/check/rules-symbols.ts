/** Findings about imports, exports and names (specification 1.1, 3). */
import type { FindingRule } from './finding';

export const symbolRules = {
  'undefined-symbol': {
    severity: 'error',
    title: 'nothing provides an import',
    explanation:
      'Neither the base image nor an extension loaded before exports this name: "Undefined symbol with no entry in symbol table", -ENODATA.',
    fix: 'correct the name, or add EXPORT_SYMBOL() for it to the base image',
    specification: '3.4',
  },
  'undefined-c-library': {
    severity: 'error',
    title: 'a C library function that is not exported',
    explanation:
      'The base image exports only what EXPORT_SYMBOL and CONFIG_LLEXT_EXPORT_SYMBOL_GROUP_LIBC list; the rest of the C library is not there for extensions: -ENODATA.',
    fix: 'add EXPORT_SYMBOL() for it to the base image (CONFIG_LLEXT_EXPORT_SYMBOL_GROUP_LIBC=y exports the usual ones), or link the function into the extension (`ld -r` with -lc or -lm)',
    specification: '3.1',
  },
  'undefined-compiler-helper': {
    severity: 'error',
    title: 'a helper function of the compiler',
    explanation:
      'The compiler calls this function of its runtime library for an operation that the CPU has no instruction for, and the base image does not export it: -ENODATA.',
    fix: 'link libgcc into the extension (`ld -r ... $(gcc -print-libgcc-file-name)`), or add EXPORT_SYMBOL() for it to the base image',
    specification: '9',
  },
  'undefined-unwinder': {
    severity: 'error',
    title: 'C++ exceptions or unwinding',
    explanation:
      'Exceptions and their tables need an unwinder and a C++ runtime, which base images do not export: -ENODATA.',
    fix: 'compile with -fno-exceptions -fno-rtti -fno-unwind-tables -fno-asynchronous-unwind-tables',
    specification: '9',
  },
  'undefined-stack-protector': {
    severity: 'error',
    title: 'stack protector',
    explanation:
      'Code built with a stack protector imports its canary and its failure function, which the base image exports only when it uses one itself: -ENODATA.',
    fix: 'compile the extension with -fno-stack-protector, or set CONFIG_STACK_CANARIES in the base image and export both symbols',
    specification: '9',
  },
  'undefined-device': {
    severity: 'error',
    title: 'a device that is not exported',
    explanation:
      'DEVICE_DT_GET becomes an import named __device_dts_ord_N, which the base image has only with CONFIG_LLEXT_EXPORT_DEVICES: -ENODATA.',
    fix: 'set CONFIG_LLEXT_EXPORT_DEVICES=y in the base image, and build the extension against its device tree',
    specification: '3.4',
  },
  'import-order': {
    severity: 'error',
    title: 'exported by an extension that is loaded later',
    explanation:
      'An extension is linked against what is loaded at that moment; what is loaded afterwards does not count: -ENODATA.',
    fix: 'load the exporting extension first',
    specification: '3.4',
  },
  'import-from-refused': {
    severity: 'error',
    title: 'exported by an extension that is refused',
    explanation: 'The extension that exports this name does not load itself, so that nothing provides it: -ENODATA.',
    fix: 'mend the exporting extension first',
    specification: '3.4',
  },
  'import-null': {
    severity: 'error',
    title: 'the export is NULL',
    explanation:
      'The base image has an entry of this name whose address is 0, as for a weak function or a system call that is not implemented; it counts as not found: -ENODATA.',
    fix: 'enable the driver or subsystem that implements it in the base image',
    specification: '3.1',
  },
  'weak-undefined': {
    severity: 'error',
    title: 'weak and undefined',
    explanation:
      'A linker gives an undefined weak symbol the address 0. Zephyr does not: where nothing provides it, the load fails with -ENODATA.',
    fix: 'give the weak symbol a definition in the extension, or export it from the base image',
    specification: '3.4',
  },
  'slid-mismatch': {
    severity: 'error',
    title: 'link by name against link by number',
    explanation:
      'With CONFIG_LLEXT_EXPORT_BUILTINS_BY_SLID the base image knows hashes instead of names, and the packaged extension must carry them in st_value; both sides must be built alike.',
    fix: 'package the extension with the base image’s llext_inject_slids step, or leave that step out for a base image without SLIDs',
    specification: '3.4',
  },
  'common-symbol': {
    severity: 'by-trial',
    title: 'common symbol',
    explanation:
      'SHN_COMMON asks a linker for space in .bss; a loader has none: a relocation against it is -ENOEXEC, and older versions read outside of the section table for it.',
    fix: 'build with -fno-common',
    specification: '3.4',
  },
  'absolute-symbol': {
    severity: { SEED: 'by-trial', V41: 'by-trial', V44: 'by-trial', S: 'error' },
    title: 'global symbol in no section',
    explanation:
      'A global function or object whose section index is no section (SHN_ABS, damaged): older versions read a section header outside of the table for it, S returns -ENOEXEC.',
    fix: 'make the symbol local or typeless (.type NOTYPE), or put it into a section',
    specification: '1.3',
  },
  'symbol-without-data': {
    severity: 'error',
    title: 'global symbol in a section that is not loaded',
    explanation:
      'A global function or object needs an address, but its section is neither in a region nor in the file image: "No data for section", -ENOTSUP.',
    fix: 'make its section allocated, or the symbol local',
    specification: '1.3',
  },
  'no-global-symbols': {
    severity: { SEED: 'by-trial', V41: 'by-trial', V44: 'by-trial', S: 'by-trial' },
    title: 'no global function or object',
    explanation: 'The table of global symbols would have 0 bytes, and the heap gives nothing for that: -ENOMEM.',
    fix: 'give at least one function or object external linkage',
    specification: '1.11',
  },
  'no-exports': {
    severity: 'warning',
    title: 'exports nothing',
    explanation:
      'Without .exported_sym nothing of the extension can be found or called: llext_find_sym returns NULL, llext_call_fn -ENOENT.',
    fix: 'add LL_EXTENSION_SYMBOL(name) for the entry function, compiled with -DLL_EXTENSION_BUILD; or set CONFIG_LLEXT_IMPORT_ALL_GLOBALS in the base image',
    specification: '3.3',
  },
  'export-null': {
    severity: 'warning',
    title: 'an export without address',
    explanation:
      'An entry of .exported_sym has no relocation for its address: it stays 0, and a symbol with address 0 counts as not found.',
    fix: 'define the symbol in this extension, or remove its LL_EXTENSION_SYMBOL',
    specification: '3.4',
  },
  'bad-export-size': {
    severity: 'warning',
    title: 'incomplete export table',
    explanation:
      'The number of exports is the size of .exported_sym by the size of two pointers, rounded down: the rest is ignored in silence.',
    fix: 'put nothing but LL_EXTENSION_SYMBOL into .exported_sym',
    specification: '3.3',
  },
  'repeated-export': {
    severity: 'warning',
    title: 'exported twice by one file',
    explanation: 'The export table has two entries of one name; a look-up finds the first.',
    fix: 'rename one of them (LL_EXTENSION_SYMBOL_NAMED)',
    specification: '3.3',
  },
  'duplicate-export': {
    severity: 'note',
    title: 'exported by an earlier extension too',
    explanation:
      'Extensions are searched in the order in which they were loaded: an export of the same name that comes later is never found by others, only through its own extension.',
    fix: 'nothing, unless others are to import it: then rename one of them (LL_EXTENSION_SYMBOL_NAMED)',
    specification: '3.4',
  },
  'ambiguous-import': {
    severity: 'warning',
    title: 'several extensions export an import',
    explanation: 'The first extension in the order of loading that exports the name is taken, whichever was meant.',
    fix: 'rename one of the exports (LL_EXTENSION_SYMBOL_NAMED), or load the one that is meant first',
    specification: '3.4',
  },
  'export-shadowed': {
    severity: 'warning',
    title: 'the base image exports the same name',
    explanation:
      'Imports are looked up in the base image first: another extension that imports this name gets the base image’s.',
    fix: 'rename the export (LL_EXTENSION_SYMBOL_NAMED)',
    specification: '3.4',
  },
  'long-name': {
    severity: 'warning',
    title: 'name longer than 15 characters',
    explanation:
      'Names are stored and compared in 15 characters (LLEXT_MAX_NAME_LEN); the rest is cut off without an error.',
    fix: 'load it under a shorter name',
    specification: '1.1',
  },
  'name-collision': {
    severity: 'error',
    title: 'a loaded extension has the same name',
    explanation:
      'Two names that agree in 15 characters are one extension: the second load returns the use count of the first, a positive number, and reads nothing.',
    fix: 'load it under a name that differs in its first 15 characters',
    specification: '1.1',
  },
  'too-many-dependencies': {
    severity: 'warning',
    title: 'more than 8 dependencies',
    explanation:
      'An extension records 8 others that it depends on; a ninth is not counted, and can be unloaded while it is in use.',
    fix: 'import from fewer extensions, or keep the others loaded',
    specification: '3.5',
  },
} as const satisfies Record<string, FindingRule>;
