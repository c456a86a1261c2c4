/* calls2: several files, inlined in inlined in loops, tail calls, recursion */
#include "ext.h"
#include "calls2.h"

static struct item items[3] = { { 1, 10, 'a' }, { 2, 20, 'b' }, { 3, -30, 'c' } };
static int even(int n);
static int odd(int n);

static FLAT int inner(int v)
{
	int w = v + 1;

	return w * w;
}

static FLAT int middle(int v, int n)
{
	int acc = 0;

	for (int i = 0; i < n; i++) {
		int got = inner(v + i);

		acc += got;
	}
	return acc;
}

static inline int outer(int v)
{
	return middle(v, 2) + middle(-v, 1);
}

static NOINLINE int even(int n)
{
	return n == 0 ? 1 : odd(n - 1);
}

static NOINLINE int odd(int n)
{
	return n == 0 ? 0 : even(n - 1);
}

static NOINLINE int hanoi(int n, char from, char to, char via)
{
	int moves;

	if (n == 0)
		return 0;
	moves = hanoi(n - 1, from, via, to);
	moves++;
	moves += hanoi(n - 1, via, to, from);
	return moves;
}

static NOINLINE int passes(struct item *it, int n)
{
	it->key += n;
	return helper(it, n);
}

static NOINLINE void nothing(void)
{
}

static NOINLINE int many(int a, int b, int c, int d, int e, int f, s64 g, short h)
{
	return a + b + c + d + e + f + (int)g + h;
}

int entry(int arg)
{
	int r = outer(arg);
	u32 m = 1;

	for (int i = 0; i < 2; i++) {
		m = mix(m, (u32)(arg + i));
		r += scale(r, i);
	}
	nothing();
	r += even(arg) + odd(arg + 1);
	r += hanoi(2, 'A', 'C', 'B');
	for (struct item *it = items; it < items + 3; it++)
		r += passes(it, arg);
	r += many(1, 2, 3, 4, 5, 6, 7ll, 8);
	m += fold(items, 3);
	shared_count++;
	printk("calls2 %d %x %d", r, m, shared_count);
	return r;
}
EXPORT_SYMBOL(entry);
