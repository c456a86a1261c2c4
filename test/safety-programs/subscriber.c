/* An extension that hands a function and a counter of its own to another one (mistakes.c), and is unloaded some time later. */
#include <zephyr/kernel.h>
#include <zephyr/llext/symbol.h>

void subscribe(int (*function)(int x), int *calls);

static int calls;

static int on_event(int x)
{
	calls++;
	return x * 3;
}

int join(void)
{
	subscribe(on_event, &calls);
	return calls;
}
LL_EXTENSION_SYMBOL(join);
