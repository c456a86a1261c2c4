/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Imports what no base image exports. The load is refused, and the error lists every missing symbol with the
 * nearest names that exist.
 */
#include <zephyr/llext/symbol.h>
#include <zephyr/types.h>

void prinkt(const char *format, ...);
void *memcopy(void *to, const void *from, size_t size);
int gpio_pin_toggle_by_name(const char *name);

int entry(void)
{
	char copy[8];

	memcopy(copy, "abc", 4);
	prinkt("copied %s\n", copy);
	return gpio_pin_toggle_by_name("led0");
}
LL_EXTENSION_SYMBOL(entry);
