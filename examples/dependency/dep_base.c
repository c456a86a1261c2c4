/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * An extension that serves others: dep_user imports what is exported here, so it must be loaded first, and counts
 * as used until dep_user is unloaded.
 */
#include <zephyr/llext/symbol.h>
#include <zephyr/sys/printk.h>

int dep_base_total = 100;
static int calls;

int dep_base_add(int amount)
{
	calls++;
	dep_base_total += amount; // #BP1
	printk("dep_base: call %d adds %d\n", calls, amount);
	return dep_base_total;
}

LL_EXTENSION_SYMBOL(dep_base_total);
LL_EXTENSION_SYMBOL(dep_base_add);
