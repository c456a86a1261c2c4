/* An extension beside another one: data of its own, an object that it exports, and functions that use what they are handed. */
#include <zephyr/kernel.h>
#include <zephyr/llext/symbol.h>

static volatile int secret = 0x5ec;
volatile int shared_counter = 7;

/* Its own data, and what is at an address. */
int neighbour_read(volatile int *from)
{
	return secret + *from; // #FROM
}
LL_EXTENSION_SYMBOL(neighbour_read);

int neighbour_copy(void *to, const void *from)
{
	memcpy(to, from, 4); // #COPY
	return secret;
}
LL_EXTENSION_SYMBOL(neighbour_copy);
LL_EXTENSION_SYMBOL(shared_counter);
