/* What the controls of a session are tried on: entry(what) does one thing for each value. */
#include <zephyr/kernel.h>
#include <zephyr/llext/symbol.h>

#define NOINLINE __attribute__((noinline))
#define FLAT static inline __attribute__((always_inline))

void k_panic(void);
void k_oops(void);
void abort(void);
void exit(int status);

enum level { LEVEL_LOW, LEVEL_HIGH = 7 };

struct small {
	signed char tag;
	short number;
};

struct pair {
	int left;
	int right;
};

struct big {
	int values[5];
};

struct point {
	float x;
	float y;
};

struct weight {
	double grams;
	int count;
};

static volatile int base = 40;
static volatile int trace;

static NOINLINE signed char give_char(void) { trace++; return (signed char)(-base); }
static NOINLINE unsigned short give_short(void) { trace++; return (unsigned short)(base * 1000); }
static NOINLINE int give_int(void) { trace++; return base + 2; }
static NOINLINE int64_t give_wide(void) { trace++; return -5000000000ll * base; }
static NOINLINE float give_float(void) { trace++; return (float)base / 16; }
static NOINLINE double give_double(void) { trace++; return (double)base / 32; }
static NOINLINE enum level give_level(void) { trace++; return base > 0 ? LEVEL_HIGH : LEVEL_LOW; }
static NOINLINE volatile int *give_pointer(void) { trace++; return base > 0 ? &base : &trace; }
static NOINLINE _Bool give_bool(void) { trace++; return base != 0; }
static NOINLINE struct small give_small(void) { trace++; return (struct small){-3, (short)(base * 10)}; }
static NOINLINE struct pair give_pair(void) { trace++; return (struct pair){base, -base}; }
static NOINLINE struct big give_big(void) { trace++; return (struct big){{base, 2, 3, 4, 5}}; }
static NOINLINE struct point give_point(void) { trace++; return (struct point){(float)base, 0.5f}; }
static NOINLINE struct weight give_weight(void) { trace++; return (struct weight){base + 0.25, 9}; }
static NOINLINE void give_nothing(void) { trace++; }

static NOINLINE int returns(void)
{
	int sum = give_char();

	sum += give_short();
	sum += give_int();
	sum += (int)give_wide();
	sum += (int)give_float();
	sum += (int)give_double();
	sum += give_level();
	sum += *give_pointer();
	sum += give_bool();
	sum += give_small().number;
	sum += give_pair().left;
	sum += give_big().values[0];
	sum += (int)give_point().x;
	sum += give_weight().count;
	give_nothing();
	return sum;
}

static NOINLINE int recurse(int depth)
{
	if (depth == 0) {
		return trace; // #BP_DEEP
	}
	return recurse(depth - 1) + 1;
}

static NOINLINE int twice(int value)
{
	return 2 * value; // #BP_TWICE
}

static NOINLINE int thrice(int value)
{
	return 3 * value; // #BP_THRICE
}

FLAT int scale(int value, int factor)
{
	trace = value; // #BP_SCALE
	return value * factor;
}

static NOINLINE int nested(int value)
{
	int sum = twice(value) + scale(value, 5) + thrice(value); // #BP_NESTED

	return sum; // #BP_SUM
}

static NOINLINE int leaf(int value)
{
	trace = value; // #BP_LEAF
	return value + base;
}

static NOINLINE int tail(int value)
{
	return leaf(value + 1); // #BP_TAIL
}

static NOINLINE int jumps(int value)
{
	int first = value + 1; // #BP_FIRST
	int second = first * 2; // #BP_SECOND

	trace = second;
	return first + second; // #BP_LAST
}

static NOINLINE int statements(int value)
{
	int a = value + 1; int b = a * 2; int c = twice(b); // #BP_STATEMENTS

	return a + b + c; // #BP_AFTER
}

static NOINLINE int again(int count, int *target, int64_t wide)
{
	int sum = count * 10; // #BP_AGAIN

	sum += (int)wide;
	*target = sum; // #BP_TARGET
	return sum;
}

int entry(int what)
{
	int target = 1;

	switch (what) {
	case 0:
		return returns(); // #BP_RETURNS
	case 1:
		return recurse(500);
	case 2:
		k_panic(); // #BP_PANIC
		break;
	case 3:
		k_oops(); // #BP_OOPS
		break;
	case 4:
		abort(); // #BP_ABORT
		break;
	case 5:
		exit(3); // #BP_EXIT
		break;
	case 6:
		printk("\x1b[31mred\x1b[0m and \x1b[1;4mbold\x1b[m\n"); // #BP_PRINT
		break;
	case 7:
		return nested(what);
	case 8:
		return tail(what); // #BP_CALL_TAIL
	case 9:
		return jumps(what);
	case 10:
		return statements(what);
	case 11:
		return again(what, &target, 4) + target;
	default:
		break;
	}
	return -1; // #BP_END
}
LL_EXTENSION_SYMBOL(entry);
