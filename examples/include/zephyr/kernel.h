/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Kernel and C library functions that the base image exports. In a Zephyr tree some of them are inline wrappers of
 * system calls; an extension calls them alike.
 */
#ifndef EXAMPLES_ZEPHYR_KERNEL_H
#define EXAMPLES_ZEPHYR_KERNEL_H

#include <zephyr/sys/printk.h>
#include <zephyr/types.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

void *k_malloc(size_t size);
void k_free(void *memory);
/* Milliseconds since boot. */
int64_t k_uptime_get(void);
int32_t k_msleep(int32_t milliseconds);
void k_busy_wait(uint32_t microseconds);

void *memcpy(void *to, const void *from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
int memcmp(const void *left, const void *right, size_t size);
void *memchr(const void *memory, int byte, size_t size);
size_t strlen(const char *text);
size_t strnlen(const char *text, size_t limit);
char *strcpy(char *to, const char *from);
char *strncpy(char *to, const char *from, size_t size);
char *strcat(char *to, const char *from);
char *strncat(char *to, const char *from, size_t size);
int strcmp(const char *left, const char *right);
int strncmp(const char *left, const char *right, size_t size);
char *strchr(const char *text, int character);
char *strrchr(const char *text, int character);
char *strstr(const char *text, const char *part);

#endif
