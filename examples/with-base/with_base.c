/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * An extension for a firmware of its own: it links against the export table of firmware/zephyr.elf, which launch.json
 * names in "base". Step into firmware_scale: it is the firmware's code.
 */
#include <zephyr/llext/symbol.h>
#include <zephyr/sys/printk.h>
#include "firmware_api.h"

static int last;

int entry(int value)
{
	int scaled = firmware_scale(value); // #BP1

	printk("%s: %d becomes %d\n", firmware_settings.name, value, scaled);
	firmware_report("the first entry", firmware_look_up(0));
	last = scaled + firmware_look_up(3);
	return last; // #BP2
}
LL_EXTENSION_SYMBOL(entry);

/* Without a board there is no converter to read: the session stops in the firmware. */
int sample(void)
{
	return firmware_sample_adc() + 1; // #BP3
}
LL_EXTENSION_SYMBOL(sample);

struct k_sem {
	unsigned int count;
	unsigned int limit;
};
extern int z_impl_k_sem_take(struct k_sem *sem, long timeout);

/* Nor is there a kernel that could make this thread wait. */
int wait(void)
{
	static struct k_sem sem = {0, 1};

	return z_impl_k_sem_take(&sem, -1); // #BP4
}
LL_EXTENSION_SYMBOL(wait);
