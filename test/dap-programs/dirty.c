/* Changes more and more memory, differently each time: first a recording with little room is thinned, then it loses its beginning. */
#include <zephyr/kernel.h>
#include <zephyr/llext/symbol.h>

#define PAGES 320
#define WORDS 1024

static unsigned int pages[PAGES][WORDS];
static volatile unsigned int batch;

static __attribute__((noinline)) void change(unsigned int seed, unsigned int count)
{
	for (unsigned int page = 0; page < count; page++) {
		for (int word = 0; word < WORDS; word++) {
			pages[page][word] = seed ^ (unsigned int)(word * 0x9e3779b1u);
		}
	}
}

int entry(int batches)
{
	for (batch = 0; batch < (unsigned int)batches; batch++) {
		unsigned int count = batch < 19 ? 16 + 16 * batch : PAGES;

		for (unsigned int i = 0; i < 10000 / count; i++) {
			change(batch * 1000 + i, count);
		}
		__asm__ volatile("nop"); // #BATCH
	}
	return (int)pages[3][5];
}
LL_EXTENSION_SYMBOL(entry);
