/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The fixed-width types that Zephyr's <zephyr/types.h> provides, made from the compiler's own macros, so that the
 * examples need no C library and their debug information names no file of a toolchain. As in Zephyr, 32 bits are an
 * int, whatever the compiler's own headers say.
 */
#ifndef EXAMPLES_ZEPHYR_TYPES_H
#define EXAMPLES_ZEPHYR_TYPES_H

typedef __INT8_TYPE__ int8_t;
typedef __INT16_TYPE__ int16_t;
typedef int int32_t;
typedef __INT64_TYPE__ int64_t;
typedef __UINT8_TYPE__ uint8_t;
typedef __UINT16_TYPE__ uint16_t;
typedef unsigned int uint32_t;
typedef __UINT64_TYPE__ uint64_t;
typedef __INTPTR_TYPE__ intptr_t;
typedef __UINTPTR_TYPE__ uintptr_t;
typedef __SIZE_TYPE__ size_t;

#ifndef __cplusplus
#define bool _Bool
#define true 1
#define false 0
#endif
#define NULL ((void *)0)

#endif
