#ifndef CALLS2_H
#define CALLS2_H
struct item { int key; short qty; char tag; };
static inline int scale(int v, int by)
{
	int t = v * by;

	if (t > 1000)
		t = 1000;
	return t;
}
static FLAT u32 mix(u32 a, u32 b)
{
	u32 m = a ^ (b << 5);

	m += rotate_left(m, 7);
	return m;
}
int helper(struct item *it, int n);
u32 fold(const struct item *list, int n);
extern int shared_count;
#endif
