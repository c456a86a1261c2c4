/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Functions that run before the entry function (preinit and init arrays) and after it (fini array).
 */
#include <zephyr/llext/symbol.h>
#include <zephyr/sys/printk.h>

typedef void (*init_fn)(void);

static int order[8];
static int count;
int number;

static void note(const char *what, int which)
{
	order[count++ % 8] = which;
	printk("%s\n", what); // #BP1
}

static void preinit(void)
{
	note("preinit", 1);
	number = 0x10;
}

__attribute__((constructor(200))) static void init_first(void)
{
	note("first init", 2); // #BP2
	number <<= 4;
}

__attribute__((constructor)) static void init_second(void)
{
	note("second init", 3);
	number |= 0x34;
}

__attribute__((destructor)) static void fini(void)
{
	note("fini", 5); // #BP3
	number = 0x1234;
}

static init_fn const preinit_table[] __attribute__((section(".preinit_array"), used)) = {preinit};

int entry(void)
{
	note("entry", 4); // #BP4
	return number;
}
LL_EXTENSION_SYMBOL(entry);
LL_EXTENSION_SYMBOL(number);
