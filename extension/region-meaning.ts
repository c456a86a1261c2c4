/** What each region of an extension holds (enum llext_mem), in a few words. */
export const regionMeaning: Readonly<Record<string, string>> = {
  TEXT: 'code',
  DATA: 'initialised variables',
  RODATA: 'constants',
  BSS: 'variables that start as zero',
  EXPORT: 'table of exported symbols',
  SYMTAB: 'symbol table of the file',
  STRTAB: 'names of the symbols',
  SHSTRTAB: 'names of the sections',
  PREINIT: 'functions called before the constructors',
  INIT: 'constructors',
  FINI: 'destructors',
};
