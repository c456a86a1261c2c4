/*
 * Mistakes as authors of extensions make them; entry(kind, arg) makes one. The marked line is where the session stops, at every level of
 * optimisation that leaves the mistake in.
 */
#include <zephyr/kernel.h>
#include <zephyr/llext/symbol.h>
#include <zephyr/sys/printk.h>

/* Compilers warn of some of them. */
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wstringop-overflow"
#pragma GCC diagnostic ignored "-Wuse-after-free"
#pragma GCC diagnostic ignored "-Wdangling-pointer"
#pragma GCC diagnostic ignored "-Wfree-nonheap-object"
#pragma GCC diagnostic ignored "-Warray-bounds"
#endif

void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *ptr, size_t size);
void free(void *ptr);
void k_str_out(char *text, size_t size);

#define NOINLINE __attribute__((noinline))

struct node {
	struct node *next;
	int value;
	char name[12];
};

struct reading {
	uint32_t time;
	int value;
	uint8_t quality;
};

struct handler {
	const char *name;
	int (*run)(int x);
};

static int results[8];
static struct node *head;
static int *remembered;

static int twice(int x)
{
	return 2 * x;
}
/* Others might change it. */
struct handler handlers[] = {{"twice", twice}, {"none", NULL}};

static NOINLINE int squares(int n)
{
	int *out = malloc((size_t)n * sizeof(*out)); // #NUMBERS

	for (int i = 0; i <= n; i++) {
		out[i] = i * i; // #OFF_BY_ONE
	}
	return out[1];
}

static NOINLINE char *duplicate(const char *text)
{
	char *copy = malloc(strlen(text)); // #TEXT_ROOM

	strcpy(copy, text); // #STRCPY
	return copy;
}

static NOINLINE struct node *make_node(int value)
{
	struct node *node = malloc(sizeof(*node)); // #NODE

	memset(node, 0, sizeof(*node) + sizeof(int)); // #MEMSET
	node->value = value;
	return node;
}

static NOINLINE void add_node(int value)
{
	struct node *node = malloc(sizeof(*node)); // #LISTED

	node->next = head;
	node->value = value;
	head = node;
}

static NOINLINE void clear_list(void)
{
	for (struct node *node = head; node != NULL; node = node->next) { // #NEXT
		free(node); // #FREE_NODE
	}
}

static NOINLINE void drop(char *text)
{
	free(text); // #DROP
	printk("dropped\n");
}

static NOINLINE void drop_twice(void)
{
	char *text = malloc(10); // #TEXT

	text[0] = 'a';
	printk("%c\n", text[0]);
	drop(text);
	drop(text);
}

static NOINLINE void remember(int seed)
{
	int values[6];

	for (int i = 0; i < 6; i++) {
		values[i] = seed + i;
	}
	remembered = values;
	printk("%d\n", remembered[seed & 3]);
}

static NOINLINE int use_remembered(void)
{
	int value = remembered[2]; // #DANGLING

	results[0] = value;
	return value;
}

static NOINLINE void set_reading(struct reading *reading, int value)
{
	reading->time = 100;
	reading->value = value;
}

static NOINLINE void show_reading(void)
{
	struct reading reading;

	set_reading(&reading, 7);
	printk("%u %d %u\n", reading.time, reading.value, reading.quality); // #FIELD
	results[1] = reading.value;
}

static NOINLINE int select_mode(const struct reading *reading)
{
	if (reading->quality > 3) { // #FLAG
		printk("good\n");
	}
	return results[2];
}

static NOINLINE int walk(int depth)
{
	char path[4096];

	path[depth & 7] = (char)depth;
	printk("%d\n", path[depth & 7]);
	if (depth > 100) {
		return path[0];
	}
	return walk(depth + 1) + path[1]; // #RECURSION
}

static NOINLINE void capitalise(char *text)
{
	text[0] = (char)(text[0] - 'a' + 'A'); // #LITERAL
}

static NOINLINE int dispatch(int which, int x)
{
	return handlers[which].run(x) + 1; // #NULL_CALL
}

static NOINLINE uint32_t get_u32(const uint8_t *packet)
{
	return *(const volatile uint32_t *)(packet + 1); // #UNALIGNED
}

static NOINLINE void print_unterminated(void)
{
	char *text = malloc(6); // #NARROW

	strncpy(text, "too long a text", 6);
	printk("%s\n", text); // #UNTERMINATED
	free(text);
}

static NOINLINE int grow(int *list)
{
	int *bigger = realloc(list, 400); // #GROWN

	bigger[50] = 1;
	return list[0] + bigger[50]; // #STALE
}

static NOINLINE void send_reading(void)
{
	struct reading reading;

	set_reading(&reading, 3);
	reading.quality = 1;
	k_str_out((char *)&reading, sizeof(reading)); // #PADDING
	results[3] = 1;
}

static NOINLINE int last_index(const int *list, int count, int wanted)
{
	int i = count - 1;

	while (list[i] != wanted) { // #BEFORE_FIRST
		i--; // #OR_HERE
	}
	return i;
}

static NOINLINE void copy_out(int *to, int n)
{
	short *from = malloc((size_t)n * sizeof(short)); // #SHORTS

	for (int i = 0; i < n; i++) {
		from[i] = (short)i;
	}
	memcpy(to, from, (size_t)n * sizeof(int)); // #MEMCPY
	free(from);
}

static NOINLINE void free_static(void)
{
	free(results); // #FREE_STATIC
	results[4] = 1;
}

/* What another extension hands over, and forgets when it is unloaded. */
static int (*callback)(int x);
static int *counter;

void subscribe(int (*function)(int x), int *calls)
{
	callback = function;
	counter = calls;
}
LL_EXTENSION_SYMBOL(subscribe);

static NOINLINE int publish(int x)
{
	return callback(x) + 1; // #GONE_CALL
}

static NOINLINE int count(void)
{
	*counter += 1; // #GONE_DATA
	return *counter;
}

int entry(int kind, int arg)
{
	static uint8_t packet[8] = {1, 2, 3, 4, 5, 6, 7, 8};

	switch (kind) {
	case 0:
		return squares(arg);
	case 1:
		return duplicate("zephyr!")[0];
	case 2:
		return make_node(arg)->value;
	case 3:
		add_node(1);
		add_node(2);
		clear_list();
		return 0;
	case 4:
		drop_twice();
		return 0;
	case 5:
		remember(arg);
		return use_remembered();
	case 6:
		show_reading();
		return 0;
	case 7: {
		struct reading reading;

		set_reading(&reading, 1);
		return select_mode(&reading);
	}
	case 8:
		return walk(0);
	case 9:
		capitalise((char *)handlers[arg & 1].name);
		return 0;
	case 10:
		return dispatch(1, arg);
	case 11:
		return (int)get_u32(packet + (arg & ~3));
	case 12:
		print_unterminated();
		return 0;
	case 13: {
		int *list = malloc(16); // #SMALL

		list[0] = 3;
		return grow(list);
	}
	case 14:
		send_reading();
		return 0;
	case 15: {
		int *list = calloc(3, sizeof(int)); // #ZEROS

		return last_index(list, 3, arg);
	}
	case 16:
		copy_out(results, 7);
		return results[0];
	case 17:
		free_static();
		return 0;
	case 18:
		return publish(arg);
	case 19:
		return count();
	default:
		return -1;
	}
}
LL_EXTENSION_SYMBOL(entry);
