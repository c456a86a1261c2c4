/**
 * Numbers of the ELF specification (gABI, chapters 4 and 5) under their own names; relocation types
 * are in constants-<cpu>.ts, those of Arm here too. Only what some part of the product reads; tables of names for people are at the end.
 */

export * from './constants-arm';

export const EI_CLASS = 4;
export const EI_DATA = 5;
export const ELFCLASS32 = 1;
export const ELFCLASS64 = 2;
export const ELFDATA2LSB = 1;
export const ELFDATA2MSB = 2;

export const ET_NONE = 0;
export const ET_REL = 1;
export const ET_EXEC = 2;
export const ET_DYN = 3;
export const ET_CORE = 4;

export const EM_386 = 3;
export const EM_ARM = 40;
export const EM_X86_64 = 62;
export const EM_OPENRISC = 92;
export const EM_ARC_COMPACT = 93;
export const EM_XTENSA = 94;
export const EM_RX = 173;
export const EM_AARCH64 = 183;
export const EM_ARC_COMPACT2 = 195;
export const EM_RISCV = 243;

export const SHT_NULL = 0;
export const SHT_PROGBITS = 1;
export const SHT_SYMTAB = 2;
export const SHT_STRTAB = 3;
export const SHT_RELA = 4;
export const SHT_HASH = 5;
export const SHT_DYNAMIC = 6;
export const SHT_NOTE = 7;
export const SHT_NOBITS = 8;
export const SHT_REL = 9;
export const SHT_SHLIB = 10;
export const SHT_DYNSYM = 11;
export const SHT_INIT_ARRAY = 14;
export const SHT_FINI_ARRAY = 15;
export const SHT_PREINIT_ARRAY = 16;
export const SHT_GROUP = 17;
export const SHT_SYMTAB_SHNDX = 18;
export const SHT_ARM_EXIDX = 0x70000001;
export const SHT_ARM_ATTRIBUTES = 0x70000003;
export const SHT_RISCV_ATTRIBUTES = 0x70000003;

export const SHF_WRITE = 0x1;
export const SHF_ALLOC = 0x2;
export const SHF_EXECINSTR = 0x4;
export const SHF_MERGE = 0x10;
export const SHF_STRINGS = 0x20;
export const SHF_INFO_LINK = 0x40;
export const SHF_LINK_ORDER = 0x80;
export const SHF_GROUP = 0x200;
export const SHF_TLS = 0x400;
export const SHF_COMPRESSED = 0x800;

export const ELFCOMPRESS_ZLIB = 1;
export const ELFCOMPRESS_ZSTD = 2;

export const SHN_UNDEF = 0;
export const SHN_LORESERVE = 0xff00;
export const SHN_ABS = 0xfff1;
export const SHN_COMMON = 0xfff2;
export const SHN_XINDEX = 0xffff;

export const STB_LOCAL = 0;
export const STB_GLOBAL = 1;
export const STB_WEAK = 2;

export const STT_NOTYPE = 0;
export const STT_OBJECT = 1;
export const STT_FUNC = 2;
export const STT_SECTION = 3;
export const STT_FILE = 4;
export const STT_COMMON = 5;
export const STT_TLS = 6;

export const STV_DEFAULT = 0;
export const STV_INTERNAL = 1;
export const STV_HIDDEN = 2;
export const STV_PROTECTED = 3;

/** The value's name in a table such as elfTypes, or its number when the table has none. */
export function constantName(table: ReadonlyMap<number, string>, value: number): string {
  return table.get(value) ?? `0x${value.toString(16)}`;
}

export const elfTypes: ReadonlyMap<number, string> = new Map([
  [ET_NONE, 'ET_NONE'],
  [ET_REL, 'ET_REL'],
  [ET_EXEC, 'ET_EXEC'],
  [ET_DYN, 'ET_DYN'],
  [ET_CORE, 'ET_CORE'],
]);

export const machineNames: ReadonlyMap<number, string> = new Map([
  [EM_386, 'EM_386'],
  [EM_ARM, 'EM_ARM'],
  [EM_X86_64, 'EM_X86_64'],
  [EM_OPENRISC, 'EM_OPENRISC'],
  [EM_ARC_COMPACT, 'EM_ARC_COMPACT'],
  [EM_XTENSA, 'EM_XTENSA'],
  [EM_RX, 'EM_RX'],
  [EM_AARCH64, 'EM_AARCH64'],
  [EM_ARC_COMPACT2, 'EM_ARC_COMPACT2'],
  [EM_RISCV, 'EM_RISCV'],
]);

export const sectionTypes: ReadonlyMap<number, string> = new Map([
  [SHT_NULL, 'NULL'],
  [SHT_PROGBITS, 'PROGBITS'],
  [SHT_SYMTAB, 'SYMTAB'],
  [SHT_STRTAB, 'STRTAB'],
  [SHT_RELA, 'RELA'],
  [SHT_HASH, 'HASH'],
  [SHT_DYNAMIC, 'DYNAMIC'],
  [SHT_NOTE, 'NOTE'],
  [SHT_NOBITS, 'NOBITS'],
  [SHT_REL, 'REL'],
  [SHT_SHLIB, 'SHLIB'],
  [SHT_DYNSYM, 'DYNSYM'],
  [SHT_INIT_ARRAY, 'INIT_ARRAY'],
  [SHT_FINI_ARRAY, 'FINI_ARRAY'],
  [SHT_PREINIT_ARRAY, 'PREINIT_ARRAY'],
  [SHT_GROUP, 'GROUP'],
  [SHT_SYMTAB_SHNDX, 'SYMTAB_SHNDX'],
  [SHT_ARM_EXIDX, 'ARM_EXIDX'],
  [SHT_ARM_ATTRIBUTES, 'ARM_ATTRIBUTES'],
]);
