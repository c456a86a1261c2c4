/* What C programs do with memory that is not written in whole, and may: nothing here may stop. entry() gives a sum of all results. */
#include <zephyr/kernel.h>
#include <zephyr/llext/symbol.h>
#include <zephyr/sys/printk.h>

void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *ptr, size_t size);
void free(void *ptr);





int snprintf(char *str, size_t size, const char *format, ...);

#define HIDE(x) __asm__ volatile("" : "+r"(x))
#define ESCAPE(pointer) __asm__ volatile("" : : "r"(pointer) : "memory")

struct flags {
	unsigned int ready : 1;
	unsigned int mode : 3;
	unsigned int level : 12;
	unsigned int rest : 16;
};

struct padded {
	char tag;
	int value;
	short half;
};

struct list {
	struct list *next;
	struct padded item;
};

/* Read, modify, write of words of which other bits were never written. */
static __attribute__((noinline)) int bit_fields(void)
{
	struct flags flags;

	ESCAPE(&flags);
	flags.ready = 1;
	flags.mode = 5;
	flags.level = 100;
	if (flags.ready && flags.mode == 5) {
		return flags.level;
	}
	return -1;
}

static __attribute__((noinline)) struct padded make_padded(int value)
{
	struct padded made;

	ESCAPE(&made);
	made.tag = 'p';
	made.value = value;
	made.half = (short)(value * 2);
	return made;
}

static __attribute__((noinline)) int by_value(struct padded one, struct padded two)
{
	return one.value + two.half + one.tag;
}

static __attribute__((noinline)) int struct_copies(void)
{
	struct padded first = make_padded(20);
	struct padded second, third[3];

	ESCAPE(&third);
	second = first;
	third[1] = second;
	memcpy(&third[2], &third[1], sizeof(third[1]));
	ESCAPE(&third);
	return by_value(third[2], second);
}

/* Most of a buffer is never written; what is copied with it is not used. */
static __attribute__((noinline)) int partly_written(void)
{
	char *from = malloc(64);
	char to[64];
	int sum = 0;

	strcpy(from, "partly");
	memcpy(to, from, 64);
	ESCAPE(to);
	for (int i = 0; to[i] != 0; i++) {
		sum += to[i];
	}
	free(from);
	return sum;
}

/* A word at a time, beyond the end of the text but not of its words. */
static __attribute__((noinline)) size_t length_by_words(const char *text)
{
	const uint32_t *words = (const uint32_t *)text;
	size_t length = 0;

	for (;; words++, length += 4) {
		uint32_t word = *words;

		if ((word - 0x01010101u) & ~word & 0x80808080u) {
			break;
		}
	}
	while (text[length] != 0) {
		length++;
	}
	return length;
}

static __attribute__((noinline)) int word_strings(void)
{
	uint32_t room[8];
	char *text = (char *)room;

	ESCAPE(room);
	strcpy(text, "seventeen letters");
	return (int)(length_by_words(text) * 100 + strlen(text));
}

static __attribute__((noinline)) int sum_of(int count, ...)
{
	va_list list;
	int sum = 0;

	va_start(list, count);
	for (int i = 0; i < count; i++) {
		sum += va_arg(list, int);
	}
	va_end(list);
	return sum;
}

static __attribute__((noinline)) int formatted(void)
{
	char text[40];

	ESCAPE(text);
	return snprintf(text, sizeof(text), "%d %s %lld", 12, "words", 34LL) + (int)strlen(text);
}

/* Registers that the caller uses are saved and restored, written or not. */
static __attribute__((noinline)) int recursive(int n)
{
	int a = n * 3, b = n ^ 5, c = n + 7, d = n << 2, e = n | 9;

	HIDE(a);
	HIDE(b);
	HIDE(c);
	HIDE(d);
	HIDE(e);
	if (n == 0) {
		return 1;
	}
	return recursive(n - 1) + a + b + c + d + e;
}

static __attribute__((noinline)) int lists(void)
{
	struct list *head = NULL;
	int sum = 0;

	for (int i = 0; i < 10; i++) {
		struct list *one = malloc(sizeof(*one));

		one->item = make_padded(i);
		one->next = head;
		head = one;
	}
	while (head != NULL) {
		struct list *next = head->next;

		sum += head->item.value + head->item.half;
		free(head);
		head = next;
	}
	return sum;
}

static __attribute__((noinline)) int growing(void)
{
	int *numbers = malloc(4 * sizeof(int));
	int *zeros = calloc(8, sizeof(int));
	int sum = 0;

	for (int i = 0; i < 4; i++) {
		numbers[i] = i;
	}
	numbers = realloc(numbers, 16 * sizeof(int));
	for (int i = 4; i < 16; i++) {
		numbers[i] = i;
	}
	for (int i = 0; i < 16; i++) {
		sum += numbers[i] + zeros[i & 7];
	}
	free(numbers);
	free(zeros);
	return sum;
}

/* The low half of a word is written; the high half is masked away, shifted out, or stored back. */
static __attribute__((noinline)) int halves(void)
{
	union {
		uint32_t word;
		uint16_t half[2];
		uint8_t byte[4];
	} u;
	uint64_t wide;

	ESCAPE(&u);
	u.half[0] = 0x1234;
	if ((u.word & 0xff) == 0x34 && (uint16_t)u.word == 0x1234 && (u.word << 16) == 0x12340000u) {
		u.byte[2] = 1;
	}
	wide = ((uint64_t)u.word << 32) | 5;
	return (int)(wide & 0xff) + u.byte[2] + (int)(u.word & 0xffff);
}

static __attribute__((noinline)) int choose(unsigned int kind)
{
	switch (kind) {
	case 0:
		return 11;
	case 1:
		return 17;
	case 2:
		return 23;
	case 3:
		return 5;
	case 4:
		return 3;
	case 5:
		return 29;
	default:
		return -1;
	}
}

static __attribute__((noinline)) int sorted(void)
{
	int numbers[24];
	int count = 0;

	ESCAPE(numbers);
	for (int i = 0; i < 20; i++) {
		int value = (i * 7) % 13, at = count++;

		while (at > 0 && numbers[at - 1] > value) {
			numbers[at] = numbers[at - 1];
			at--;
		}
		numbers[at] = value;
	}
	return numbers[0] + numbers[19] * 10;
}

static int (*const table[])(void) = {bit_fields, struct_copies, partly_written, word_strings, formatted,
				     lists,      growing,       halves,         sorted};

int entry(void)
{
	int sum = 0;

	for (unsigned int i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		int result = table[i]();

		printk("%u: %d\n", i, result);
		sum += result;
	}
	sum += sum_of(6, 1, 2, 3, 4, 5, 6) + recursive(12);
	for (unsigned int i = 0; i < 7; i++) {
		sum += choose(i);
	}
	printk("sum %d\n", sum);
	return sum;
}
LL_EXTENSION_SYMBOL(entry);
