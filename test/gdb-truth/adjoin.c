/* adjoin: inlined calls that follow one another, and one line table's row for all of them (as GCC leaves rows out, PR 98780) */
#include "ext.h"

static volatile int port;

static FLAT void put(int value)
{
	port = value;
}

static FLAT void pulse(int value)
{
	put(value);
}

int entry(int arg)
{
	put(arg);
	put(arg);
	pulse(arg);
	put(arg);
	return port;
}
EXPORT_SYMBOL(entry);
