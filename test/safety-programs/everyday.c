/*
 * What extensions do all day, written as their authors write it; nothing here may stop. entry() gives a sum of all results. Unlike clean.c
 * it hides nothing from the compiler: bit-fields, partly written structures, arrays of variable length, sorting with callbacks,
 * choices between a value and what was never written, jumps out of deep calls, helpers of the compiler's library.
 */
#include <zephyr/kernel.h>
#include <zephyr/llext/symbol.h>
#include <zephyr/sys/printk.h>

void *malloc(size_t size);
void *realloc(void *ptr, size_t size);
void free(void *ptr);
void *k_calloc(size_t count, size_t size);
void *k_realloc(void *ptr, size_t size);
int snprintf(char *str, size_t size, const char *format, ...);
int vsnprintf(char *str, size_t size, const char *format, va_list args);

#ifndef va_copy
#define va_copy(to, from) __builtin_va_copy(to, from)
#endif
#define NOINLINE __attribute__((noinline))

struct item {
	char tag;
	short rank;
	double weight;
	const char *name;
};

struct options {
	unsigned int a : 1, b : 2, c : 5;
	signed int d : 7;
	unsigned int e : 17;
	bool f : 1;
};

struct message {
	uint8_t kind;
	union {
		struct {
			uint16_t x, y;
		} point;
		uint32_t all;
		char text[12];
	} u;
};

struct big {
	char c;
	long long v;
	char d;
	int more[5];
};

struct flagged {
	bool ok;
	uint8_t code;
	uint16_t length;
};

static NOINLINE void sort_items(void *base, size_t count, size_t size, int (*compare)(const void *, const void *))
{
	char *at = base;

	for (size_t i = 1; i < count; i++) {
		for (size_t j = i; j > 0 && compare(at + (j - 1) * size, at + j * size) > 0; j--) {
			char item[size];

			memcpy(item, at + j * size, size);
			memcpy(at + j * size, at + (j - 1) * size, size);
			memcpy(at + (j - 1) * size, item, size);
		}
	}
}

/* Byte by byte, with what lies between the members. */
static NOINLINE void sort_bytes(void *base, size_t count, size_t size, int (*compare)(const void *, const void *))
{
	char *at = base;

	for (size_t i = 0; i < count; i++) {
		for (size_t j = i + 1; j < count; j++) {
			if (compare(at + i * size, at + j * size) <= 0) {
				continue;
			}
			for (size_t k = 0; k < size; k++) {
				char byte = at[i * size + k];

				at[i * size + k] = at[j * size + k];
				at[j * size + k] = byte;
			}
		}
	}
}

static int by_rank(const void *one, const void *other)
{
	return ((const struct item *)one)->rank - ((const struct item *)other)->rank;
}

static int by_name(const void *one, const void *other)
{
	return strcmp(((const struct item *)one)->name, ((const struct item *)other)->name);
}

static NOINLINE int sorting(void)
{
	static const char *const names[] = {"delta", "alpha", "echo", "bravo", "charlie"};
	struct item items[5];
	struct item *heap = malloc(sizeof(items));
	int sum = 0;

	for (int i = 0; i < 5; i++) {
		items[i].tag = (char)('a' + i);
		items[i].rank = (short)((i * 7) % 5);
		items[i].weight = i * 1.5;
		items[i].name = names[i];
		heap[i] = items[i];
	}
	sort_items(items, 5, sizeof(items[0]), by_rank);
	sort_bytes(heap, 5, sizeof(items[0]), by_name);
	for (int i = 0; i < 5; i++) {
		sum = sum * 3 + items[i].tag + heap[i].name[0] + (int)heap[i].weight;
	}
	free(heap);
	return sum;
}

static NOINLINE bool same(const struct options *x, const struct options *y)
{
	return x->a == y->a && x->b == y->b && x->c == y->c && x->d == y->d && x->f == y->f;
}

static NOINLINE void set(struct options *options, int n)
{
	options->a = n & 1;
	options->b = (n >> 1) & 3;
	options->c = n & 31;
	options->d = -n;
	options->f = n > 3;
}

/* Field e is never written. */
static NOINLINE int bits(void)
{
	struct options *heap = malloc(sizeof(*heap)), local;
	int sum = 0;

	set(heap, 5);
	set(&local, 5);
	sum += same(heap, &local) ? 100 : 0;
	local.d++;
	sum += same(heap, &local) ? 1000 : 0;
	heap->c ^= 3;
	sum += heap->c + local.d;
	free(heap);
	return sum;
}

static NOINLINE struct message make_message(int kind, int value)
{
	struct message message;

	message.kind = (uint8_t)kind;
	if (kind == 0) {
		message.u.point.x = (uint16_t)value;
		message.u.point.y = (uint16_t)(value + 1);
	} else if (kind == 1) {
		message.u.all = (uint32_t)value;
	} else {
		strcpy(message.u.text, "hey");
	}
	return message;
}

static NOINLINE int unions(void)
{
	struct message queue[4];
	int count = 0, sum = 0;

	for (int i = 0; i < 3; i++) {
		queue[count++] = make_message(i, 40 + i);
	}
	for (int i = 0; i < count; i++) {
		struct message message = queue[i];

		switch (message.kind) {
		case 0:
			sum += message.u.point.x * message.u.point.y;
			break;
		case 1:
			sum += (int)message.u.all;
			break;
		default:
			sum += message.u.text[0] + (int)strlen(message.u.text);
			break;
		}
	}
	return sum;
}

static NOINLINE int format(char *out, size_t size, const char *text, ...)
{
	va_list list, again;
	int length;

	va_start(list, text);
	va_copy(again, list);
	length = vsnprintf(out, size, text, list) * 100 + vsnprintf(NULL, 0, text, again);
	va_end(list);
	va_end(again);
	return length;
}

static NOINLINE int variadic(void)
{
	char text[64];

	return format(text, sizeof(text), "%c|%lld|%s|%5.2d|%x", 'q', 1234567890123LL, "str", 7, 255u) + text[3];
}

static NOINLINE int dynamic(int n)
{
	int table[n][n + 1];
	char *scratch = __builtin_alloca((size_t)n * 4);
	int sum = 0;

	for (int i = 0; i < n; i++) {
		scratch[i] = (char)i;
		for (int j = 0; j <= n; j++) {
			table[i][j] = i * j;
		}
	}
	for (int i = 0; i < n; i++) {
		sum += table[i][n] + scratch[i];
	}
	return n > 2 ? sum + dynamic(n - 1) : sum;
}

static NOINLINE int by_values(struct big one, char c, struct big other, long long more)
{
	return (int)(one.v + other.more[4] + c + more + other.d);
}

static NOINLINE struct big make_big(int n)
{
	struct big big;

	big.c = (char)n;
	big.v = n * 1000LL;
	big.d = 2;
	for (int i = 0; i < 5; i++) {
		big.more[i] = i;
	}
	return big;
}

static NOINLINE int big_structs(void)
{
	struct big one = make_big(3), two;
	struct big *heap = malloc(2 * sizeof(*heap));
	int result;

	memcpy(&two, &one, sizeof(two));
	heap[0] = two;
	memmove(&heap[1], &heap[0], sizeof(*heap));
	two = heap[1];
	result = by_values(two, 'c', heap[0], 5LL);
	free(heap);
	return result;
}

static NOINLINE bool get(int key, int *value)
{
	if (key == 4) {
		*value = 44;
		return true;
	}
	return false;
}

/* A compiler may look at the value before it knows whether there is one. */
static NOINLINE int choices(int n)
{
	int sum = 0;

	for (int i = 0; i < n; i++) {
		int value;
		bool have = get(i, &value);

		if (have && value > 3) {
			sum += value;
		}
		if (!have || value == 0) {
			sum++;
		}
		sum += have ? value : -1;
	}
	return sum;
}

static void *jump_buffer[5];

static NOINLINE void deeper(int n)
{
	volatile char room[40];

	room[n] = (char)n;
	if (n == 5) {
		__builtin_longjmp(jump_buffer, 1);
	}
	deeper(n + 1);
	room[n]++;
}

static NOINLINE int jumps(void)
{
	volatile int before = 3;
	char after[200];

	if (__builtin_setjmp(jump_buffer) == 0) {
		before = 4;
		deeper(0);
		return -1;
	}
	memset(after, 1, sizeof(after));
	return before + after[199];
}

static NOINLINE int helpers(long long a, unsigned long long b, double d, float f)
{
	long long quotient = a / 7, rest = a % 1000;
	unsigned long long right = b >> (int)(rest & 31), left = b << (int)(quotient & 15);
	double scaled = d * 2.5 + (double)(f / 3.0f);

	return (int)(quotient + rest) + (int)right + (int)(left >> 50) + (int)scaled + (f > 2.0f) + (d < 1e3) +
	       (int)(unsigned int)f + (int)(b / 12345u) + (int)(long long)d;
}

static NOINLINE int growing(void)
{
	char *text = NULL;
	size_t used = 0, room = 0;
	int *numbers = k_calloc(4, sizeof(int));
	int sum;

	for (int i = 0; i < 30; i++) {
		char part[12];
		size_t length = (size_t)snprintf(part, sizeof(part), "%d,", i * i);

		if (used + length + 1 > room) {
			room = room != 0 ? 2 * room : 16;
			text = realloc(text, room);
		}
		memcpy(text + used, part, length + 1);
		used += length;
	}
	numbers = k_realloc(numbers, 40 * sizeof(int));
	for (int i = 4; i < 40; i++) {
		numbers[i] = i;
	}
	sum = numbers[0] + numbers[39] + (int)strlen(text);
	k_free(numbers);
	free(text);
	return sum;
}

static NOINLINE uint32_t crc(const uint8_t *bytes, size_t count)
{
	uint32_t value = ~0u;

	while (count-- != 0) {
		value ^= *bytes++;
		for (int i = 0; i < 8; i++) {
			value = (value & 1) != 0 ? (value >> 1) ^ 0xedb88320u : value >> 1;
		}
	}
	return ~value;
}

static NOINLINE int packets(void)
{
	uint8_t packet[32];
	uint16_t half = 0x1234;
	uint32_t word = 0xdeadbeef, back;
	size_t length = 0;

	memcpy(packet, &half, sizeof(half));
	length += sizeof(half);
	memcpy(packet + length, &word, sizeof(word));
	length += sizeof(word);
	packet[length++] = 9;
	memcpy(&back, packet + 2, sizeof(back));
	return (int)(crc(packet, length) & 0xffff) + (back == word);
}

static NOINLINE struct flagged check(int n)
{
	struct flagged made;

	made.ok = (n & 1) != 0;
	if (made.ok) {
		made.code = (uint8_t)n;
		made.length = (uint16_t)(2 * n);
	}
	return made;
}

static NOINLINE int partly(void)
{
	int sum = 0;

	for (int i = 0; i < 6; i++) {
		struct flagged one = check(i), *copy = malloc(sizeof(*copy));

		*copy = one;
		if (copy->ok && copy->code > 2 && copy->length < 50) {
			sum += copy->length;
		}
		free(copy);
	}
	return sum;
}

static int (*const table[])(void) = {sorting, bits,  unions,  variadic, big_structs,
				     jumps,   growing, packets, partly};

int entry(int n)
{
	int sum = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(table); i++) {
		int result = table[i]();

		printk("%u: %d\n", i, result);
		sum += result;
	}
	printk("%d %d\n", dynamic(n), choices(2 * n));
	return sum + helpers(123456789012LL + n, 98765432109876ULL, 12.75, 3.5f);
}
LL_EXTENSION_SYMBOL(entry);
