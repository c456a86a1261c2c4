/* What data breakpoints are tried on: every kind of object, written and read by code, by a function of the host, through pointers. */
#include <zephyr/kernel.h>
#include <zephyr/llext/symbol.h>

#define NOINLINE __attribute__((noinline))

struct bits {
	unsigned int low : 3;
	unsigned int middle : 7;
	signed int high : 9;
};

struct item {
	int id;
	short values[4];
	struct item *next;
};

static volatile int counter = 1;
static volatile struct bits bits;
static volatile int table[10];
static struct item items[2];
static char text[16];
static const char greeting[] = "hello";

static NOINLINE void bump(int by)
{
	counter += by; // #BUMP
}

static NOINLINE int once(void)
{
	static volatile int calls;

	calls++; // #CALLS
	return calls;
}

static NOINLINE void set_bits(void)
{
	bits.low = 5; // #LOW
	bits.high = -3; // #HIGH
	bits.middle = 100; // #MIDDLE
}

static NOINLINE void through(volatile int *where, int value)
{
	*where = value; // #THROUGH
}

static NOINLINE int sum_to(int last)
{
	volatile int sum = 0;

	for (int i = 1; i <= last; i++) { // #SUM
		sum += i; // #ADD
	}
	return sum;
}

static NOINLINE int frames(void)
{
	volatile int kept = 5;

	through(&kept, 6); // #KEPT
	through(&kept, 7);
	int result = sum_to(4) + kept; // #AFTER
	result += sum_to(2);
	return result;
}

static NOINLINE int deeper(int level)
{
	volatile int mine = level;

	if (level > 0) {
		deeper(level - 1);
	}
	mine += 10; // #MINE
	return mine;
}

int entry(int what)
{
	int result = 0;

	switch (what) { // #START
	case 0:
		for (int i = 0; i < 5; i++) {
			bump(i & 1);
		}
		break;
	case 1:
		set_bits();
		break;
	case 2:
		table[3] = 9; // #TABLE
		items[1].values[2] = 4; // #ITEM
		items[0].next = &items[1]; // #NEXT
		items[0].next->id = 8; // #ID
		memcpy(text, greeting, sizeof(greeting)); // #COPY
		result = table[3]; // #READ
		break;
	case 3:
		once();
		result = once();
		break;
	case 4:
		result = frames(); // #FRAMES
		break;
	case 5:
		result = deeper(3);
		break;
	case 6:
		for (int i = 0; i < 1000; i++) {
			bump(1);
		}
		break;
	}
	return result + counter;
}
LL_EXTENSION_SYMBOL(entry);
