/**
 * C library part of the export table (ISO C 7.19-7.24 and what GCC substitutes for it, such as putchar for printf).
 * Prototypes are data: argument passing, call log and fault messages are derived from them.
 */
import { row, type ExportRow } from './export-row';

const output: readonly ExportRow[] = [
  row('int printf(const char *format, ...)', 'prints formatted text'),
  row('int vprintf(const char *format, va_list args)', 'prints formatted text'),
  row('int fprintf(void *stream, const char *format, ...)', 'prints formatted text to a stream'),
  row('int vfprintf(void *stream, const char *format, va_list args)', 'prints formatted text to a stream'),
  row('int sprintf(char *str, const char *format, ...)', 'formats into a buffer'),
  row('int vsprintf(char *str, const char *format, va_list args)', 'formats into a buffer'),
  row('int snprintf(char *str, size_t size, const char *format, ...)', 'formats into a buffer of known size'),
  row('int vsnprintf(char *str, size_t size, const char *format, va_list args)', 'formats into a buffer of known size'),
  row('int puts(const char *s)', 'prints a line'),
  row('int putchar(int c)', 'prints one character'),
  row('int fputs(const char *s, void *stream)', 'prints text to a stream'),
  row('int fputc(int c, void *stream)', 'prints one character to a stream'),
  row('int putc(int c, void *stream)', 'prints one character to a stream', 'fputc'),
  row('size_t fwrite(const void *ptr, size_t size, size_t nitems, void *stream)', 'writes items to a stream'),
  row('int fflush(void *stream)', 'does nothing: output is not buffered'),
];

const memory: readonly ExportRow[] = [
  row('void *memcpy(void *dest, const void *src, size_t n)', 'copies n bytes'),
  row('void *memmove(void *dest, const void *src, size_t n)', 'copies n bytes that may overlap'),
  row('void *mempcpy(void *dest, const void *src, size_t n)', 'copies n bytes, returns their end'),
  row('void *memset(void *buf, int c, size_t n)', 'fills n bytes'),
  row('int memcmp(const void *m1, const void *m2, size_t n)', 'compares n bytes'),
  row('void *memchr(const void *s, int c, size_t n)', 'finds a byte'),
  row('void *memrchr(const void *s, int c, size_t n)', 'finds a byte from the end'),
  row('void bzero(void *buf, size_t n)', 'clears n bytes'),
];

const strings: readonly ExportRow[] = [
  row('size_t strlen(const char *s)', 'length of a string'),
  row('size_t strnlen(const char *s, size_t maxlen)', 'length of a string, at most maxlen'),
  row('char *strcpy(char *dest, const char *src)', 'copies a string'),
  row('char *stpcpy(char *dest, const char *src)', 'copies a string, returns its end'),
  row('char *strncpy(char *dest, const char *src, size_t n)', 'copies at most n characters, padded with NUL'),
  row('size_t strlcpy(char *dest, const char *src, size_t size)', 'copies a string into a buffer of known size'),
  row('char *strcat(char *dest, const char *src)', 'appends a string'),
  row('char *strncat(char *dest, const char *src, size_t n)', 'appends at most n characters'),
  row('size_t strlcat(char *dest, const char *src, size_t size)', 'appends to a string in a buffer of known size'),
  row('int strcmp(const char *s1, const char *s2)', 'compares strings'),
  row('int strncmp(const char *s1, const char *s2, size_t n)', 'compares at most n characters'),
  row('int strcasecmp(const char *s1, const char *s2)', 'compares strings without regard to case'),
  row('int strncasecmp(const char *s1, const char *s2, size_t n)', 'compares at most n characters without case'),
  row('int strcoll(const char *s1, const char *s2)', 'compares strings in the C locale', 'strcmp'),
  row('char *strchr(const char *s, int c)', 'finds a character'),
  row('char *strrchr(const char *s, int c)', 'finds a character from the end'),
  row('char *strstr(const char *s, const char *find)', 'finds a string'),
  row('size_t strspn(const char *s, const char *accept)', 'length of the prefix of accepted characters'),
  row('size_t strcspn(const char *s, const char *reject)', 'length of the prefix without rejected characters'),
  row('char *strpbrk(const char *s, const char *accept)', 'finds the first accepted character'),
  row('char *strtok_r(char *str, const char *sep, char **state)', 'next token of a string'),
];

const numbers: readonly ExportRow[] = [
  row('int atoi(const char *s)', 'reads a decimal number'),
  row('long atol(const char *s)', 'reads a decimal number'),
  row('long long atoll(const char *s)', 'reads a decimal number'),
  row('long strtol(const char *str, char **endptr, int base)', 'reads a signed number'),
  row('unsigned long strtoul(const char *str, char **endptr, int base)', 'reads an unsigned number'),
  row('long long strtoll(const char *str, char **endptr, int base)', 'reads a signed 64-bit number'),
  row('unsigned long long strtoull(const char *str, char **endptr, int base)', 'reads an unsigned 64-bit number'),
  row('int abs(int j)', 'absolute value'),
  row('long labs(long j)', 'absolute value'),
  row('long long llabs(long long j)', 'absolute value of 64 bits'),
  row('int rand(void)', 'next pseudo-random number, 0 .. 0x7fffffff'),
  row('void srand(unsigned int seed)', 'seeds rand'),
  row('int rand_r(unsigned int *seed)', 'next pseudo-random number of a seed'),
];

const classes: readonly ExportRow[] = [
  'isalnum isalpha isblank iscntrl isdigit isgraph islower isprint ispunct isspace isupper isxdigit',
].flatMap((names) =>
  names.split(' ').map((name) => row(`int ${name}(int c)`, `whether c is of class ${name.slice(2)} in the C locale`)),
);

const heap: readonly ExportRow[] = [
  row('int tolower(int c)', 'lower-case letter'),
  row('int toupper(int c)', 'upper-case letter'),
  row('void *malloc(size_t size)', 'allocates from the system heap'),
  row('void *calloc(size_t nmemb, size_t size)', 'allocates cleared memory from the system heap'),
  row('void *realloc(void *ptr, size_t size)', 'resizes an allocation'),
  row('void *aligned_alloc(size_t alignment, size_t size)', 'allocates aligned memory from the system heap'),
  row('void free(void *ptr)', 'frees an allocation'),
  row('void abort(void)', 'ends the program'),
  row('void exit(int status)', 'ends the program with a status'),
  row('void _exit(int status)', 'ends the program with a status', 'exit'),
];

export const libcExports: readonly ExportRow[] = [
  ...output,
  ...memory,
  ...strings,
  ...numbers,
  ...classes,
  ...heap,
].map((entry) => ({ ...entry, group: 'LIBC' }));
