/**
 * Why a name that nothing provides is wanted: compilers, C++ and device macros import names that no programmer wrote,
 * and each kind has its own remedy (specification 9).
 */
import type { FindingCode } from './rules';

const unwinder =
  /^(?:_Unwind_|__cxa_|__gxx_personality|__gcc_personality|__aeabi_unwind_cpp_pr|_ZTVN10__cxxabiv1|_ZSt9terminate|_ZSt\d+__throw|__register_frame)/;
const stackProtector = /^__stack_chk_(?:fail|guard)$/;
/** Names of libgcc and of the run-time ABI for the Arm architecture. */
const helper =
  /^__(?:aeabi_|gnu_|(?:u?div|u?mod|u?divmod|mul|neg|ashl|ashr|lshr|clz|ctz|ffs|popcount|parity|bswap|cmp|ucmp)[sdt]i[234]?$|(?:add|sub|mul|div|neg|eq|ne|lt|le|gt|ge|unord)[sdt]f[23]$|fix(?:uns)?[sdt]f[sdt]i$|float(?:un)?[sdt]i[sdt]f$|extend[sdt]f[sdt]f2$|trunc[sdt]f[sdt]f2$|sync_|atomic_|clear_cache|riscv_(?:save|restore)_)/;
const device = /^__device_/;

const cLibrary = new Set(
  `abort abs acos acosf asctime asin asinf assert atan atan2 atan2f atanf atof atoi atol atoll bsearch calloc ceil ceilf clock
  cos cosf cosh ctime div exit exp exp2 expf fabs fabsf fclose feof ferror fflush fgetc fgets floor floorf fma fmax fmin fmod
  fmodf fopen fprintf fputc fputs fread free frexp fscanf fseek ftell fwrite getc getchar getenv gmtime isalnum isalpha isdigit
  islower isspace isupper isxdigit labs ldexp ldiv llabs localtime log log10 log2 logf longjmp lround lroundf malloc mbstowcs
  memccpy memchr memcmp memcpy memmem memmove memset mktime modf perror pow powf printf putc putchar puts qsort raise rand rand_r
  realloc rint round roundf sbrk _sbrk scanf setjmp setvbuf signal sin sinf sinh snprintf sprintf sqrt sqrtf srand sscanf stpcpy
  strcasecmp strcat strchr strcmp strcoll strcpy strcspn strdup strerror strftime strlen strncasecmp strncat strncmp strncpy
  strndup strnlen strpbrk strrchr strspn strstr strtod strtof strtok strtok_r strtol strtoll strtoul strtoull tan tanf tanh time
  tolower toupper trunc truncf ungetc usleep vfprintf vprintf vsnprintf vsprintf __errno __assert_func _impure_ptr _ctype_`
    .split(/\s+/)
    .filter((name) => name !== ''),
);

export function kindOfMissing(name: string, exportsDevices: boolean): FindingCode {
  if (name === '_GLOBAL_OFFSET_TABLE_') return 'unsupported-got';
  if (unwinder.test(name)) return 'undefined-unwinder';
  if (stackProtector.test(name)) return 'undefined-stack-protector';
  if (helper.test(name)) return 'undefined-compiler-helper';
  if (device.test(name) && !exportsDevices) return 'undefined-device';
  if (cLibrary.has(name)) return 'undefined-c-library';
  return 'undefined-symbol';
}
