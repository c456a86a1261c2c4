/**
 * What GCC and clang call without being asked: the run-time ABI of the Arm architecture (IHI 0043) and the names of
 * libgcc. Floating arguments are always in core registers here, whatever the float ABI of the extension.
 */
import { row, type ExportRow } from './export-row';

/** Suffixes of the memory functions that promise alignment, which makes no difference here. */
const alignments = ['', '4', '8'];

const memory: readonly ExportRow[] = alignments.flatMap((n) => [
  row(`void __aeabi_memcpy${n}(void *dest, const void *src, size_t n)`, 'copies n bytes', 'memcpy'),
  row(`void __aeabi_memmove${n}(void *dest, const void *src, size_t n)`, 'copies n bytes that may overlap', 'memmove'),
  row(`void __aeabi_memset${n}(void *dest, size_t n, int c)`, 'fills n bytes', '__aeabi_memset'),
  row(`void __aeabi_memclr${n}(void *dest, size_t n)`, 'clears n bytes', 'bzero'),
]);

const division: readonly ExportRow[] = [
  row('int __aeabi_idiv(int numerator, int denominator)', 'signed division'),
  row('int __divsi3(int a, int b)', 'signed division', '__aeabi_idiv'),
  row('int __modsi3(int a, int b)', 'signed remainder'),
  row('unsigned __aeabi_uidiv(unsigned numerator, unsigned denominator)', 'unsigned division'),
  row('unsigned __udivsi3(unsigned a, unsigned b)', 'unsigned division', '__aeabi_uidiv'),
  row('unsigned __umodsi3(unsigned a, unsigned b)', 'unsigned remainder'),
  row('int __aeabi_idivmod(int numerator, int denominator)', 'quotient in r0, remainder in r1'),
  row('unsigned __aeabi_uidivmod(unsigned numerator, unsigned denominator)', 'quotient in r0, remainder in r1'),
  row('long long __aeabi_ldivmod(long long n, long long d)', 'quotient in r0:r1, remainder in r2:r3'),
  row('uint64_t __aeabi_uldivmod(uint64_t n, uint64_t d)', 'quotient in r0:r1, remainder in r2:r3'),
  row('long long __divdi3(long long a, long long b)', 'signed 64-bit division'),
  row('long long __moddi3(long long a, long long b)', 'signed 64-bit remainder'),
  row('uint64_t __udivdi3(uint64_t a, uint64_t b)', 'unsigned 64-bit division'),
  row('uint64_t __umoddi3(uint64_t a, uint64_t b)', 'unsigned 64-bit remainder'),
  row('int __aeabi_idiv0(int return_value)', 'division by zero: gives back what the caller returns'),
  row('long long __aeabi_ldiv0(long long return_value)', 'division by zero: gives back what the caller returns'),
];

const wide: readonly ExportRow[] = [
  row('long long __aeabi_lmul(long long a, long long b)', '64-bit multiplication'),
  row('long long __muldi3(long long a, long long b)', '64-bit multiplication', '__aeabi_lmul'),
  row('long long __aeabi_llsl(long long a, int shift)', '64-bit shift left'),
  row('long long __ashldi3(long long a, int shift)', '64-bit shift left', '__aeabi_llsl'),
  row('long long __aeabi_llsr(uint64_t a, int shift)', '64-bit logical shift right'),
  row('long long __lshrdi3(uint64_t a, int shift)', '64-bit logical shift right', '__aeabi_llsr'),
  row('long long __aeabi_lasr(long long a, int shift)', '64-bit arithmetic shift right'),
  row('long long __ashrdi3(long long a, int shift)', '64-bit arithmetic shift right', '__aeabi_lasr'),
  row('int __aeabi_lcmp(long long a, long long b)', '-1, 0 or 1'),
  row('int __aeabi_ulcmp(uint64_t a, uint64_t b)', '-1, 0 or 1'),
  row('int __cmpdi2(long long a, long long b)', '0, 1 or 2'),
  row('int __ucmpdi2(uint64_t a, uint64_t b)', '0, 1 or 2'),
  row('long long __negdi2(long long a)', '64-bit negation'),
  row('int __aeabi_uread4(const void *address)', 'reads an unaligned word'),
  row('int __aeabi_uwrite4(int value, void *address)', 'writes an unaligned word'),
  row('long long __aeabi_uread8(const void *address)', 'reads an unaligned double word'),
  row('long long __aeabi_uwrite8(long long value, void *address)', 'writes an unaligned double word'),
];

const bits: readonly ExportRow[] = [
  row('int __clzsi2(unsigned a)', 'leading zeros of 32 bits'),
  row('int __clzdi2(uint64_t a)', 'leading zeros of 64 bits'),
  row('int __ctzsi2(unsigned a)', 'trailing zeros of 32 bits'),
  row('int __ctzdi2(uint64_t a)', 'trailing zeros of 64 bits'),
  row('int __ffssi2(unsigned a)', 'number of the lowest set bit, from 1'),
  row('int __ffsdi2(uint64_t a)', 'number of the lowest set bit, from 1'),
  row('int __popcountsi2(unsigned a)', 'set bits'),
  row('int __popcountdi2(uint64_t a)', 'set bits'),
  row('int __paritysi2(unsigned a)', 'parity of the set bits'),
  row('int __paritydi2(uint64_t a)', 'parity of the set bits'),
  row('int __clrsbsi2(int a)', 'redundant sign bits'),
  row('int __clrsbdi2(long long a)', 'redundant sign bits'),
  row('unsigned __bswapsi2(unsigned a)', 'reversed bytes'),
  row('uint64_t __bswapdi2(uint64_t a)', 'reversed bytes'),
];

/** __aeabi_fadd and __addsf3, __aeabi_dadd and __adddf3: one implementation each. */
function arithmetic(letter: 'f' | 'd', type: string, mode: string): ExportRow[] {
  const binary = (op: string, libgcc: string, doc: string): ExportRow[] => [
    row(`${type} __aeabi_${letter}${op}(${type} a, ${type} b)`, doc),
    row(`${type} __${libgcc}${mode}3(${type} a, ${type} b)`, doc, `__aeabi_${letter}${op}`),
  ];
  return [
    ...binary('add', 'add', 'addition'),
    ...binary('sub', 'sub', 'subtraction'),
    ...binary('mul', 'mul', 'multiplication'),
    ...binary('div', 'div', 'division'),
    row(`${type} __aeabi_${letter}rsub(${type} a, ${type} b)`, 'b - a'),
    row(`${type} __aeabi_${letter}neg(${type} a)`, 'negation'),
    row(`${type} __neg${mode}2(${type} a)`, 'negation', `__aeabi_${letter}neg`),
  ];
}

function comparisons(letter: 'f' | 'd', type: string, mode: string): ExportRow[] {
  const relations = ['eq', 'lt', 'le', 'ge', 'gt', 'un'];
  const pair = `(${type} a, ${type} b)`;
  return [
    ...relations.map((op) => row(`int __aeabi_${letter}cmp${op}${pair}`, `1 when a ${op} b, else 0`)),
    row(`void __aeabi_c${letter}cmpeq${pair}`, 'comparison result in the flags Z and C'),
    row(`void __aeabi_c${letter}cmple${pair}`, 'comparison result in the flags Z and C'),
    row(`void __aeabi_c${letter}rcmple${pair}`, 'comparison of b with a in the flags Z and C'),
    ...['eq', 'ne', 'lt', 'le', 'cmp'].map((op) =>
      row(`int __${op}${mode}2${pair}`, '-1, 0, 1; 1 unordered', `cmp${mode}`),
    ),
    ...['ge', 'gt'].map((op) => row(`int __${op}${mode}2${pair}`, '-1, 0, 1; -1 unordered', `gcmp${mode}`)),
    row(`int __unord${mode}2${pair}`, 'whether a or b is NaN', `__aeabi_${letter}cmpun`),
  ];
}

function conversions(letter: 'f' | 'd', type: string, mode: string): ExportRow[] {
  const both = (signature: string, libgcc: string, doc: string): ExportRow[] => {
    const first = row(signature, doc);
    return [first, row(signature.replace(first.name, libgcc), doc, first.name)];
  };
  return [
    ...both(`int __aeabi_${letter}2iz(${type} a)`, `__fix${mode}si`, 'to int, toward zero'),
    ...both(`unsigned __aeabi_${letter}2uiz(${type} a)`, `__fixuns${mode}si`, 'to unsigned, toward zero'),
    ...both(`long long __aeabi_${letter}2lz(${type} a)`, `__fix${mode}di`, 'to long long, toward zero'),
    ...both(`uint64_t __aeabi_${letter}2ulz(${type} a)`, `__fixuns${mode}di`, 'to unsigned long long, toward zero'),
    ...both(`${type} __aeabi_i2${letter}(int a)`, `__floatsi${mode}`, 'from int'),
    ...both(`${type} __aeabi_ui2${letter}(unsigned a)`, `__floatunsi${mode}`, 'from unsigned'),
    ...both(`${type} __aeabi_l2${letter}(long long a)`, `__floatdi${mode}`, 'from long long'),
    ...both(`${type} __aeabi_ul2${letter}(uint64_t a)`, `__floatundi${mode}`, 'from unsigned long long'),
  ];
}

const floating: readonly ExportRow[] = [
  ...arithmetic('f', 'float', 'sf'),
  ...comparisons('f', 'float', 'sf'),
  ...conversions('f', 'float', 'sf'),
  ...arithmetic('d', 'double', 'df'),
  ...comparisons('d', 'double', 'df'),
  ...conversions('d', 'double', 'df'),
  row('double __aeabi_f2d(float a)', 'float to double'),
  row('double __extendsfdf2(float a)', 'float to double', '__aeabi_f2d'),
  row('float __aeabi_d2f(double a)', 'double to float'),
  row('float __truncdfsf2(double a)', 'double to float', '__aeabi_d2f'),
  row('float __powisf2(float a, int b)', 'a to an integer power'),
  row('double __powidf2(double a, int b)', 'a to an integer power'),
];

/** __fp16 in its IEEE format, by the ABI's names and libgcc's. */
const half: readonly ExportRow[] = [
  row('float __aeabi_h2f(unsigned a)', 'half to float'),
  row('float __gnu_h2f_ieee(unsigned a)', 'half to float', '__aeabi_h2f'),
  row('unsigned __aeabi_f2h(float a)', 'float to half', 'to_half'),
  row('unsigned __gnu_f2h_ieee(float a)', 'float to half', 'to_half'),
  row('unsigned __aeabi_d2h(double a)', 'double to half', 'to_half'),
  row('unsigned __gnu_d2h_ieee(double a)', 'double to half', 'to_half'),
];

const other: readonly ExportRow[] = [
  ...['uqi', 'sqi', 'uhi', 'shi', 'si'].map((kind) =>
    row(`void __gnu_thumb1_case_${kind}(int index)`, 'switch: jumps by the table after the call'),
  ),
  ...[0, 1, 2].map((n) =>
    row(`int __aeabi_unwind_cpp_pr${n}(int state, void *ucbp, void *context)`, 'unwinding', '__aeabi_unwind_cpp_pr'),
  ),
];

export const eabiExports: readonly ExportRow[] = [
  ...memory,
  ...division,
  ...wide,
  ...bits,
  ...floating,
  ...half,
  ...other,
];
