/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The scenario of the debugging page of Zephyr's documentation: a function in a section of its own, called through
 * test_entry, with one counter in .bss and one in .data. Set a breakpoint in detached_fn, press F5, look at the
 * call stack and at both counters.
 */
#include <zephyr/llext/symbol.h>
#include <zephyr/sys/printk.h>

static int bss_cnt;
static int data_cnt = 1;

__attribute__((section(".detach"), noinline)) void detached_fn(void)
{
	bss_cnt++; // #BP1
	data_cnt++;
	printk("bss_cnt = %d, data_cnt = %d\n", bss_cnt, data_cnt); // #BP2
}
LL_EXTENSION_SYMBOL(detached_fn);

void test_entry(void)
{
	bss_cnt++; // #BP3
	data_cnt++;
	detached_fn(); // #BP4
}
LL_EXTENSION_SYMBOL(test_entry);
