/*
 * What the Debug Console calls: one function for each way in which arguments and results are passed. entry() makes the same
 * calls itself and keeps the results, which a session compares with its own.
 */
#include <zephyr/kernel.h>
#include <zephyr/llext/symbol.h>

#define NOINLINE __attribute__((noinline, noipa))
#ifdef __clang__
#undef NOINLINE
#define NOINLINE __attribute__((noinline))
#endif


enum color { RED, GREEN = 5, BLUE };

struct small { signed char tag; short number; };
struct pair { int left; int right; };
struct triple { int a, b, c; };
struct big { int values[6]; };
struct floats { float x, y; };
struct doubles { double x, y; };
struct mixed { double weight; int count; };
union either { int number; float real; };

struct state {
	int count;
	int (*handler)(int);
	struct pair pair;
	char name[8];
};

static NOINLINE int add(int a, int b) { return a + b; }
static NOINLINE int many(int a, int b, int c, int d, int e, int f, int g, int h, int i, int j)
{
	return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * i + 10 * j;
}
static NOINLINE long long wide(int a, long long b, int c, long long d) { return a + 10 * b + 100 * c + 1000 * d; }
static NOINLINE int narrow(signed char a, unsigned char b, short c, unsigned short d, _Bool e)
{
	return a + 1000 * b + 2 * c + 3 * d + 7 * e;
}
static NOINLINE float single(float a, int b, float c) { return a - (float)b * c; }
static NOINLINE double twice(double a, int b, double c) { return a * b - c; }
static NOINLINE double scattered(float a, double b, float c, double d, float e)
{
	return (double)a + 2 * b + 4 * (double)c + 8 * d + 16 * (double)e;
}
static NOINLINE double full(double a, double b, double c, double d, double e, double f, double g, double h, double i, float j)
{
	return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * i + 10 * (double)j;
}
static NOINLINE struct small make_small(int a, int b) { return (struct small){(signed char)a, (short)b}; }
static NOINLINE struct pair make_pair(int a, int b) { return (struct pair){a, b}; }
static NOINLINE struct big make_big(int a, struct pair b) { return (struct big){{a, b.left, b.right, 4, 5, 6}}; }
static NOINLINE struct floats make_floats(float a, float b) { return (struct floats){a, b}; }
static NOINLINE struct doubles make_doubles(double a, double b) { return (struct doubles){a, b}; }
static NOINLINE struct mixed make_mixed(double a, int b) { return (struct mixed){a, b}; }
static NOINLINE int take_small(struct small s, int a) { return s.tag + 10 * s.number + 100 * a; }
static NOINLINE int take_triple(int a, struct triple t, int b, struct pair p)
{
	return a + 2 * t.a + 3 * t.b + 4 * t.c + 5 * b + 6 * p.left + 7 * p.right;
}
static NOINLINE int take_big(int a, struct big b, int c) { return a + 10 * b.values[0] + 100 * b.values[5] + 1000 * c; }
static NOINLINE double take_floats(struct floats f, struct doubles d, struct mixed m)
{
	return (double)f.x + 2 * (double)f.y + 4 * d.x + 8 * d.y + 16 * m.weight + 32 * m.count;
}
static NOINLINE int take_union(union either e) { return e.number; }
static NOINLINE int sum(int count, ...)
{
	va_list list;
	int total = 0;

	va_start(list, count);
	for (int i = 0; i < count; i++) total += va_arg(list, int);
	va_end(list);
	return total;
}
static NOINLINE double sum_wide(const char *kinds, ...)
{
	va_list list;
	double total = 0;

	va_start(list, kinds);
	for (; *kinds; kinds++) {
		if (*kinds == 'd') total += va_arg(list, double);
		else if (*kinds == 'w') total += (double)va_arg(list, long long);
		else total += va_arg(list, int);
	}
	va_end(list);
	return total;
}
static NOINLINE int length(const char *text)
{
	int n = 0;

	while (text[n]) n++;
	return n;
}
static NOINLINE enum color next_color(enum color c) { return c == RED ? GREEN : BLUE; }
static NOINLINE float _Complex rotate(float _Complex z) { return __builtin_complex(-__imag__ z, __real__ z); }

int counter = 3;
struct state state;
static NOINLINE int twofold(int x) { return 2 * x; }
static NOINLINE int bump(int by) { counter += by; return counter; }
static NOINLINE void reset(struct state *s) { s->count = 0; s->name[0] = 'z'; }
static NOINLINE int area(const struct pair *p) { return p->left * p->right; }
static NOINLINE int *where(void) { return &counter; }
static NOINLINE int speak(int what) { printk("speaking %d\n", what); return what; }
static NOINLINE void *grab(int size) { return k_malloc((size_t)size); }
static NOINLINE int crash(int *at) { return *at; } // #CRASH
static NOINLINE void forever(void) { for (;;) counter++; }
static NOINLINE int deep(int n) { volatile char room[64]; room[n & 63] = (char)n; return n == 0 ? room[0] : deep(n - 1) + 1; }

struct results {
	int add, many, narrow, small, triple, big, either, sum, length;
	long long wide;
	float single;
	double twice, scattered, full, floats, sum_wide;
	struct big made_big;
	struct doubles made_doubles;
	struct mixed made_mixed;
} results;

static NOINLINE void stop(void) { counter += 4; }

int entry(int argument)
{
	int local = argument + 1;

	state = (struct state){7, twofold, {3, 4}, "abc"};
	results = (struct results){
		.add = add(2, 3),
		.many = many(1, 2, 3, 4, 5, 6, 7, 8, 9, 10),
		.narrow = narrow(-3, 250, -700, 60000, 1),
		.wide = wide(1, -2000000000000ll, 3, 4),
		.single = single(1.5f, 3, 0.25f),
		.twice = twice(1.25, 4, 0.5),
		.scattered = scattered(1.5f, 2.5, 3.5f, 4.5, 5.5f),
		.full = full(1, 2, 3, 4, 5, 6, 7, 8, 9, 10.5f),
		.small = take_small(make_small(-3, 40), 5),
		.triple = take_triple(1, (struct triple){2, 3, 4}, 5, make_pair(6, 7)),
		.big = take_big(1, make_big(2, (struct pair){3, 4}), 5),
		.floats = take_floats(make_floats(1.5f, 2.5f), make_doubles(3.5, 4.5), make_mixed(5.5, 6)),
		.either = take_union((union either){.number = 77}),
		.sum = sum(6, 1, 2, 3, 4, 5, 6),
		.sum_wide = sum_wide("idwid", 1, 2.5, 3ll, 4, 5.5),
		.length = length("four"),
		.made_big = make_big(2, (struct pair){3, 4}),
		.made_doubles = make_doubles(3.5, 4.5),
		.made_mixed = make_mixed(5.5, 6),
	};
	stop(); // #STOP
	local += (int)next_color(RED) + (int)(__real__ rotate(1.0f)) + bump(1) + area(&state.pair) + *where();
	if (argument == 99) {
		reset(&state);
		local += speak(1) + crash(&local) + deep(3);
		k_free(grab(8));
		forever();
	}
	return local;
}
LL_EXTENSION_SYMBOL(entry);
