/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The smallest useful extension. Press F5 in this file: it is loaded, linked and called on an emulated RISC-V hart.
 */
#include <zephyr/llext/symbol.h>
#include <zephyr/sys/printk.h>

static int greetings;
static const char *const names[] = {"Ada", "Grace", "Edsger"};

static int greet(const char *name, int number)
{
	greetings++;
	printk("Hello %s, you are number %d\n", name, number); // #BP1
	return greetings;
}

int entry(void)
{
	int total = 0; // #BP2

	for (int i = 0; i < 3; i++) {
		total += greet(names[i], i + 1); // #BP3
	}
	printk("%d greetings\n", greetings);
	return total; // #BP4
}
LL_EXTENSION_SYMBOL(entry);
