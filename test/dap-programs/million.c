/* An array that no view shows at once. */
#include <zephyr/kernel.h>
#include <zephyr/llext/symbol.h>

#define COUNT 1000000

static unsigned char many[COUNT];
static unsigned char table[1000][1000];

int entry(int what)
{
	for (int i = 0; i < COUNT; i += 1000) many[i] = (unsigned char)(i / 1000);
	many[COUNT - 1] = 77;
	table[999][998] = 33;
	return many[what] + table[what][what]; // #HERE
}
LL_EXTENSION_SYMBOL(entry);
