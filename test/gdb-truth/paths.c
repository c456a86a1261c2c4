/* paths: line tables that jump back and forth: recursion that returns into its own line, loops, code of headers moved about */
#include "ext.h"

struct tree { const char *key; struct tree *kid[2]; int weight; };
static struct tree leafs[3] = { { "l", { 0, 0 }, 1 }, { "r", { 0, 0 }, 2 }, { "rr", { 0, 0 }, 4 } };
static struct tree root = { "root", { &leafs[0], &leafs[1] }, 8 };
static char text[8];

static NOINLINE int walk(const struct tree *t, int depth)
{
	if (!t)
		return depth;
	int left = walk(t->kid[0], depth + 1);
	int right = walk(t->kid[1], depth + 1);

	return t->weight + left * right;
}

static NOINLINE int letters(char *name, int n)
{
	int sum = 0;

	for (int i = 0; i < n + 2; i++)
		name[i] = (char)('a' + i);
	sum = name[n] + n;
	return sum + *name;
}

static NOINLINE int counted(int v)
{
	static int calls;
	const int *where = &calls;

	calls += v;
	return *where * 2;
}

int entry(int arg)
{
	u32 m = 1;
	int r = letters(text, arg);

	for (int i = 0; i < 2; i++) {
		m ^= rotate_left(m + (u32)i, 7);
		r += counted(i + arg);
	}
	root.kid[1]->kid[1] = &leafs[2];
	r += walk(&root, 0);
	printk("paths %d %x", r, m);
	return r;
}
EXPORT_SYMBOL(entry);
