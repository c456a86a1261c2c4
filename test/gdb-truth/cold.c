/* cold: inlined calls of which a part lies apart, behind the code of others */
#include "ext.h"

static volatile int port;
static int errors;

static FLAT int check(int value)
{
	if (__builtin_expect(value < 0, 0)) {
		errors++;
		port = errors;
		value = -value;
		port = value;
	}
	port = value + 1;
	return value * 3;
}

static FLAT int outer(int value)
{
	int r = check(value);

	if (__builtin_expect(r > 100, 0)) {
		port = r;
		r = check(r - 200);
		port = -r;
	}
	return r + 1;
}

static NOINLINE int loop(int n)
{
	int sum = 0;

	for (int i = -1; i < n; i++) {
		sum += outer(i * 20);
		port = sum;
	}
	return sum;
}

int entry(int arg)
{
	int a = check(arg);

	port = a;
	a += check(-arg);
	port = a;
	a += loop(arg);
	return a + errors;
}
EXPORT_SYMBOL(entry);
