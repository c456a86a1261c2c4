/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Everything that an extension can do wrong. The argument of entry chooses; the session stops before the faulting
 * instruction takes effect, and says which address, region and source line it is.
 */
#include <zephyr/llext/symbol.h>
#include <zephyr/sys/printk.h>

struct node {
	int value;
	struct node *next;
};

static struct node last = {3, NULL};
static struct node first = {1, &last};
static volatile int depth;

/* Walks one element too far. */
static int read_null(void)
{
	const struct node *node = &first;

	return node->next->next->value; // #BP1
}

static int undefined_instruction(void)
{
	__asm__ volatile(".inst.n 0xde00"); // #BP2
	return 0;
}

static int overflow_stack(int level)
{
	volatile char frame[256];

	frame[0] = (char)level;
	depth = level;
	return depth < 0 ? 0 : overflow_stack(level + 1) + frame[0]; // #BP3
}

/* The code of the base image is not writable. */
static int write_code(void)
{
	volatile int *code = (volatile int *)((uintptr_t)printk & ~3u);

	*code = 1; // #BP4
	return 0;
}

static int call_null(void)
{
	int (*volatile function)(void) = NULL;

	return function(); // #BP5
}

/* A load of two words needs an aligned address, on every Cortex-M. */
static int unaligned_pair(void)
{
	uintptr_t address = (uintptr_t)&first + 1;
	int low, high;

	__asm__ volatile("ldmia %2, {%0, %1}" : "=&l"(low), "=&l"(high) : "l"(address)); // #BP6
	return low + high;
}

int entry(int kind)
{
	printk("fault number %d follows\n", kind);
	switch (kind) {
	case 0:
		return read_null();
	case 1:
		return undefined_instruction();
	case 2:
		return overflow_stack(0);
	case 3:
		return write_code();
	case 4:
		return call_null();
	case 5:
		return unaligned_pair();
	default:
		printk("there is no fault %d\n", kind);
		return -1;
	}
}
LL_EXTENSION_SYMBOL(entry);
