/*
 * Macros as a debugger's user means them. Each list holds expressions, one a line; its element is what the compiler makes of the line, and a session stopped
 * at the mark behind it evaluates the text of the line.
 */
#include <zephyr/kernel.h>
#include <zephyr/llext/symbol.h>

#define LIMIT 10
#define EMPTY
#define TWICE LIMIT * 2
#define SQUARE(x) ((x) * (x))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define NOTHING() 7
#define JOIN(a, b) a##b
#define JOIN3(a, b, c) a ## b ## c
#define EXPANDED_JOIN(a, b) JOIN(a, b)
#define TEXT(x) #x
#define EXPANDED_TEXT(x) TEXT(x)
#define SELF SELF_VALUE + self
#define SELF_VALUE 100
#define PING(x) (x) + PONG
#define PONG 1 + PING
#define self 5
#define LAST(...) LAST_OF(__VA_ARGS__, 3, 2, 1)
#define LAST_OF(a, b, c, d, ...) d
#define SUM_OF(first, ...) sum_of(first, ##__VA_ARGS__, 0)
#define sum_of(a, b, ...) ((a) + (b))
#define NAMED(list...) LAST_OF(list, 30, 20, 10)
#define BIT(n) (1UL << (n))
#define FIELD_MASK (BIT(3) | BIT(5))
#define CONTAINER(pointer, type, member) ((type *)((char *)(pointer) - __builtin_offset(type, member)))
#define __builtin_offset(type, member) ((size_t)&((type *)0)->member)
#define CALL(f) f(3)
#define APPLY SQUARE
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define STEP 10
#include "macros.h"
#define GONE 1
#undef GONE

struct holder {
	int first;
	int second;
};

static int values[6] = {1, 2, 3, 4, 5, 6};
static struct holder holder = {11, 22};
int LIMIT10 = 99;

int entry(int what)
{
	int *inner = &holder.second;
	const long long early[] = {
		LIMIT, // #EARLY
		LIMIT EMPTY + EMPTY 1,
		TWICE + 1,
		SQUARE(LIMIT + 1),
		SQUARE(SQUARE(2)),
		MAX(what, MAX(3, LIMIT)),
		sizeof(TEXT((a, b))),
		NOTHING(),
		JOIN(LIM, IT),
		JOIN(1, 2) + JOIN(0x, ff),
		JOIN(, 4) + JOIN(5, ),
		JOIN3(1, 2, 3) + JOIN3(, 7, ),
		EXPANDED_JOIN(LIMIT, 0),
		sizeof(TEXT(LIMIT + "a\n")),
		sizeof(EXPANDED_TEXT(LIMIT   +  1)),
		TEXT( a  b )[1],
		SELF_VALUE + self,
		LAST(1, 2, 3, 9),
		LAST(1),
		SUM_OF(4),
		SUM_OF(4, 5),
		NAMED(1, 2),
		FIELD_MASK,
		BIT(31) >> 28,
		CONTAINER(inner, struct holder, second)->first,
		CALL(SQUARE),
		APPLY(4),
		COUNT(values),
		FROM_HEADER(1),
		SHADOWED,
		holder.second + values[LIMIT - 8],
	};
	long long total = early[what]; // #FIRST

#undef STEP
#define STEP 20
#undef LIMIT
#define LIMIT (-4)
#define SHADOWED_TOO SHADOWED
#undef SHADOWED
#define SHADOWED 2
	const long long late[] = {
		LIMIT, // #LATE
		FROM_HEADER(1),
		TWICE,
		SHADOWED + SHADOWED_TOO,
		SQUARE(LIMIT),
	};
	total += late[what]; // #SECOND
	return (int)total;
}
LL_EXTENSION_SYMBOL(entry);
