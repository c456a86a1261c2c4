/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Printing functions that the base image exports.
 */
#ifndef EXAMPLES_ZEPHYR_SYS_PRINTK_H
#define EXAMPLES_ZEPHYR_SYS_PRINTK_H

#include <zephyr/types.h>

typedef __builtin_va_list va_list;
#define va_start(list, last) __builtin_va_start(list, last)
#define va_arg(list, type) __builtin_va_arg(list, type)
#define va_end(list) __builtin_va_end(list)

/* Returns nothing in Zephyr; declared alike. */
__attribute__((format(printf, 1, 2))) void printk(const char *format, ...);
void vprintk(const char *format, va_list arguments);
__attribute__((format(printf, 1, 2))) int printf(const char *format, ...);
__attribute__((format(printf, 3, 4))) int snprintf(char *text, size_t size, const char *format, ...);
int puts(const char *text);

#endif
