/* calls2b: the other file */
#include "ext.h"
#include "calls2.h"

int shared_count = 40;
static int items = 7;

static FLAT u32 step(u32 h, const struct item *it)
{
	h = mix(h, (u32)it->key);
	h = mix(h, (u32)it->qty);
	return h;
}

int helper(struct item *it, int n)
{
	int local = scale(it->qty, n);

	if (it->tag == 'b')
		local = -local;
	items += local;
	return local + items;
}

u32 fold(const struct item *list, int n)
{
	u32 h = 5381;

	while (n-- > 0) {
		h = step(h, list);
		list++;
	}
	return h;
}
