/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Never ends by itself: press pause, look around, set `stop` to 1 in the Variables view, and continue.
 */
#include <zephyr/llext/symbol.h>
#include <zephyr/sys/printk.h>

static volatile int stop;
static unsigned int rounds;

static unsigned int mix(unsigned int value)
{
	return (value << 7 | value >> 25) ^ 0x9e3779b9u;
}

int entry(void)
{
	unsigned int value = 1;

	while (!stop) {
		value = mix(value); // #BP1
		rounds++;
	}
	printk("stopped after %u rounds\n", rounds);
	return (int)(value & 0xff);
}
LL_EXTENSION_SYMBOL(entry);
