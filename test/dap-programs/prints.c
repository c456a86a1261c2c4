/* Prints as many long lines as it is told, with nobody there to read them. */
#include <zephyr/kernel.h>
#include <zephyr/llext/symbol.h>

static volatile int printed;

int entry(int lines)
{
	for (int i = 0; i < lines; i++) {
		printk("%0900d\n", i); // #BP_LINE
		printed = i + 1;
	}
	return printed; // #BP_PRINTED
}
LL_EXTENSION_SYMBOL(entry);
