/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * An extension whose imports another extension satisfies (see dep_base.c). The launch configuration loads both, in
 * order; step into dep_base_add to cross from one to the other.
 */
#include <zephyr/llext/symbol.h>
#include <zephyr/sys/printk.h>

extern int dep_base_total;
int dep_base_add(int amount);

static int calls;

int entry(int amount)
{
	calls++;
	int before = dep_base_total; // #BP1
	int after = dep_base_add(amount); // #BP2

	printk("dep_user: %d -> %d\n", before, after);
	return after - before; // #BP3
}
LL_EXTENSION_SYMBOL(entry);
