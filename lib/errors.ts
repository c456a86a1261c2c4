/**
 * The two kinds of error that lib throws on bad input, and nothing else:
 * FormatError for malformed files, LlextError for what Zephyr's loader refuses (with Zephyr's errno).
 */

/** What is wrong with a file; a closed set, each with a test. */
export type FormatErrorCode =
  | 'not-elf'
  | 'unsupported-class'
  | 'unsupported-encoding'
  | 'truncated'
  | 'bad-offset'
  | 'bad-size'
  | 'bad-index'
  | 'bad-string'
  | 'leb128'
  | 'bad-compression'
  | 'bad-version'
  | 'bad-form'
  | 'bad-abbreviation'
  | 'bad-reference'
  | 'bad-opcode'
  | 'too-deep'
  | 'base-image'
  | 'unreadable'
  | 'file-changed';

const formatMessages: Record<FormatErrorCode, string> = {
  'not-elf': 'not an ELF file (no 7F 45 4C 46 at the start)',
  'unsupported-class': 'EI_CLASS is neither ELFCLASS32 nor ELFCLASS64',
  'unsupported-encoding': 'EI_DATA is neither ELFDATA2LSB nor ELFDATA2MSB',
  truncated: 'the data ends before the value that is read here',
  'bad-offset': 'an offset points outside of its section or file',
  'bad-size': 'a size does not fit its table or file',
  'bad-index': 'an index is outside of its table',
  'bad-string': 'a string offset is outside of its string table',
  leb128: 'a LEB128 number is too large',
  'bad-compression': 'the compressed section cannot be inflated',
  'bad-version': 'the version of this DWARF contribution is not known',
  'bad-form': 'a DW_FORM is unknown or not allowed here',
  'bad-abbreviation': 'an abbreviation code is not in its table',
  'bad-reference': 'a DIE reference points to no entry',
  'bad-opcode': 'an opcode is unknown here',
  'too-deep': 'structures are nested too deeply or refer to each other in a circle',
  'base-image': 'the file is not a base image that can be used',
  unreadable: 'the bytes cannot be read',
  'file-changed': 'the file was changed while it was in use: what is not read yet is lost; start the session again',
};

/** A malformed file: what, in which section, at which byte offset of it. */
export class FormatError extends Error {
  constructor(
    readonly code: FormatErrorCode,
    readonly section: string,
    readonly offset: number,
    detail?: string,
  ) {
    super(`${section || 'file'}+0x${offset.toString(16)}: ${detail ?? formatMessages[code]}`);
    this.name = 'FormatError';
  }
}

/** Zephyr's errno values as its libc numbers them; functions return them negated. */
export const Errno = {
  ENOENT: 2,
  EIO: 5,
  ENOEXEC: 8,
  ENOMEM: 12,
  EFAULT: 14,
  EBUSY: 16,
  EEXIST: 17,
  EINVAL: 22,
  ENOSPC: 28,
  ERANGE: 34,
  ENODATA: 61,
  ENOSYS: 88,
  ENOTSUP: 134,
} as const;

export type ErrnoName = keyof typeof Errno;

/** 'ENOEXEC' for 8 or -8; undefined when Zephyr's loader has no such number. */
export function errnoName(value: number): ErrnoName | undefined {
  return (Object.keys(Errno) as ErrnoName[]).find((name) => Errno[name] === Math.abs(value));
}

/** What Zephyr's loader refuses. `errno` is Zephyr's positive number. */
export class LlextError extends Error {
  constructor(
    readonly errno: number,
    message: string,
  ) {
    super(message);
    this.name = 'LlextError';
  }
}
