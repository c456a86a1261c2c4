/*
 * Work for the benchmark, freestanding: each kernel does `n` rounds and returns a checksum, which must be the same on every
 * engine. What compilers could compute themselves comes from seeds in memory.
 */
#include <stdint.h>
#include <stddef.h>

#define NOINLINE __attribute__((noinline))

static volatile uint32_t seed = 12345;

static uint32_t next_random(uint32_t *state)
{
	uint32_t x = *state;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	*state = x;
	return x;
}

void *memset(void *s, int c, size_t n)
{
	uint8_t *p = s;

	while (n-- > 0) {
		*p++ = (uint8_t)c;
	}
	return s;
}

void *memcpy(void *d, const void *s, size_t n)
{
	uint8_t *to = d;
	const uint8_t *from = s;

	if ((((uintptr_t)to | (uintptr_t)from) & 3) == 0) {
		for (; n >= 4; n -= 4, to += 4, from += 4) {
			*(uint32_t *)to = *(const uint32_t *)from;
		}
	}
	while (n-- > 0) {
		*to++ = *from++;
	}
	return d;
}

/* Integer arithmetic in registers. */
static uint32_t k_intloop(uint32_t n)
{
	uint32_t a = seed, b = 0;

	for (uint32_t i = 0; i < n * 2000; i++) {
		a = a * 1664525u + 1013904223u;
		b = (b ^ (a >> 7)) + i;
	}
	return b;
}

/* A table and bytes. */
static uint32_t crc_table[256];

static NOINLINE uint32_t crc32(const uint8_t *data, uint32_t size)
{
	uint32_t crc = ~0u;

	for (uint32_t i = 0; i < size; i++) {
		crc = crc_table[(crc ^ data[i]) & 0xff] ^ (crc >> 8);
	}
	return ~crc;
}

static uint8_t bytes[4096];

static void fill_bytes(void)
{
	uint32_t state = seed;

	for (uint32_t i = 0; i < sizeof(bytes); i++) {
		bytes[i] = (uint8_t)next_random(&state);
	}
}

static uint32_t k_crc32(uint32_t n)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;

		for (int bit = 0; bit < 8; bit++) {
			c = (c & 1) ? 0xedb88320u ^ (c >> 1) : c >> 1;
		}
		crc_table[i] = c;
	}
	fill_bytes();
	for (uint32_t i = 0; i < n; i++) {
		bytes[i & 4095] ^= (uint8_t)i;
		sum += crc32(bytes, 2048);
	}
	return sum;
}

/* Straight code of rotations and additions. */
static const uint32_t sha_k[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

#define ROR(x, n) (((x) >> (n)) | ((x) << (32 - (n))))

static NOINLINE void sha256_block(uint32_t h[8], const uint32_t block[16])
{
	uint32_t w[64], v[8];

	for (int i = 0; i < 16; i++) {
		w[i] = block[i];
	}
	for (int i = 16; i < 64; i++) {
		uint32_t s0 = ROR(w[i - 15], 7) ^ ROR(w[i - 15], 18) ^ (w[i - 15] >> 3);
		uint32_t s1 = ROR(w[i - 2], 17) ^ ROR(w[i - 2], 19) ^ (w[i - 2] >> 10);

		w[i] = w[i - 16] + s0 + w[i - 7] + s1;
	}
	for (int i = 0; i < 8; i++) {
		v[i] = h[i];
	}
	for (int i = 0; i < 64; i++) {
		uint32_t s1 = ROR(v[4], 6) ^ ROR(v[4], 11) ^ ROR(v[4], 25);
		uint32_t t1 = v[7] + s1 + ((v[4] & v[5]) ^ (~v[4] & v[6])) + sha_k[i] + w[i];
		uint32_t s0 = ROR(v[0], 2) ^ ROR(v[0], 13) ^ ROR(v[0], 22);
		uint32_t t2 = s0 + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));

		v[7] = v[6];
		v[6] = v[5];
		v[5] = v[4];
		v[4] = v[3] + t1;
		v[3] = v[2];
		v[2] = v[1];
		v[1] = v[0];
		v[0] = t1 + t2;
	}
	for (int i = 0; i < 8; i++) {
		h[i] += v[i];
	}
}

static uint32_t k_sha256(uint32_t n)
{
	uint32_t h[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
	uint32_t block[16];

	for (uint32_t i = 0; i < 16; i++) {
		block[i] = seed * (i + 1);
	}
	for (uint32_t i = 0; i < n * 8; i++) {
		block[i & 15] += i;
		sha256_block(h, block);
	}
	return h[0] ^ h[7];
}

/* Loads and stores, aligned and not. */
static uint8_t buffer[8192];

static uint32_t k_memcpy(uint32_t n)
{
	uint32_t sum = 0;

	fill_bytes();
	for (uint32_t i = 0; i < n; i++) {
		memcpy(buffer, bytes, 4096);
		memcpy(buffer + 4097, bytes + 1, 512 + (i & 63));
		sum += buffer[i & 8191] + buffer[4097 + (i & 511)];
	}
	return sum;
}

/* Recursion and comparisons through a pointer. */
static int32_t values[256];

typedef int (*compare_fn)(int32_t a, int32_t b);

static NOINLINE int ascending(int32_t a, int32_t b)
{
	return a < b ? -1 : a > b;
}

static NOINLINE void quicksort(int32_t *v, int low, int high, compare_fn compare)
{
	while (low < high) {
		int32_t pivot = v[(low + high) / 2];
		int i = low, j = high;

		while (i <= j) {
			while (compare(v[i], pivot) < 0) {
				i++;
			}
			while (compare(v[j], pivot) > 0) {
				j--;
			}
			if (i <= j) {
				int32_t t = v[i];

				v[i++] = v[j];
				v[j--] = t;
			}
		}
		quicksort(v, low, j, compare);
		low = i;
	}
}

static uint32_t k_sort(uint32_t n)
{
	uint32_t state = seed, sum = 0;

	for (uint32_t round = 0; round < n; round++) {
		for (int i = 0; i < 256; i++) {
			values[i] = (int32_t)next_random(&state) >> 8;
		}
		quicksort(values, 0, 255, ascending);
		sum += (uint32_t)values[round & 255];
	}
	return sum;
}

/* Nested loops. */
static int32_t left[24][24], right[24][24], product[24][24];

static uint32_t k_matmul(uint32_t n)
{
	uint32_t state = seed, sum = 0;

	for (int i = 0; i < 24; i++) {
		for (int j = 0; j < 24; j++) {
			left[i][j] = (int32_t)next_random(&state) >> 20;
			right[i][j] = (int32_t)next_random(&state) >> 20;
		}
	}
	for (uint32_t round = 0; round < n; round++) {
		left[round % 24][0] += (int32_t)round;
		for (int i = 0; i < 24; i++) {
			for (int j = 0; j < 24; j++) {
				int32_t dot = 0;

				for (int k = 0; k < 24; k++) {
					dot += left[i][k] * right[k][j];
				}
				product[i][j] = dot;
			}
		}
		sum += (uint32_t)product[round % 24][round % 7];
	}
	return sum;
}

/* Following pointers. */
struct node {
	struct node *next;
	uint32_t value;
};

static struct node nodes[512];

static uint32_t k_list(uint32_t n)
{
	uint32_t state = seed, sum = 0;
	struct node *head = NULL;

	for (int i = 0; i < 512; i++) {
		nodes[i].value = next_random(&state);
		nodes[i].next = head;
		head = &nodes[i];
	}
	for (uint32_t round = 0; round < n * 4; round++) {
		for (struct node *p = head; p != NULL; p = p->next) {
			sum += p->value;
			p->value ^= sum >> 3;
		}
	}
	return sum;
}

/* Small functions on strings. */
static NOINLINE size_t string_length(const char *s)
{
	const char *p = s;

	while (*p != '\0') {
		p++;
	}
	return (size_t)(p - s);
}

static NOINLINE int string_compare(const char *a, const char *b)
{
	while (*a != '\0' && *a == *b) {
		a++;
		b++;
	}
	return (unsigned char)*a - (unsigned char)*b;
}

static NOINLINE char *string_copy(char *d, const char *s)
{
	char *p = d;

	while ((*p++ = *s++) != '\0') {
	}
	return d;
}

static const char *const words[] = { "llext", "zephyr", "extension", "symbol", "relocation", "section", "export", "heap" };
static char text[64];

static uint32_t k_strops(uint32_t n)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < n * 64; i++) {
		const char *word = words[i & 7];

		string_copy(text, word);
		sum += (uint32_t)string_length(text);
		text[i & 3] ^= 1;
		sum = sum * 3 + (uint32_t)string_compare(text, word);
	}
	return sum;
}

/* Formatting: divisions, calls, a switch. */
static NOINLINE char *format_number(char *out, uint32_t value, uint32_t base, int width)
{
	char digits[12];
	int count = 0;

	do {
		uint32_t digit = value % base;

		digits[count++] = (char)(digit < 10 ? '0' + digit : 'a' + digit - 10);
		value /= base;
	} while (value != 0);
	while (width-- > count) {
		*out++ = ' ';
	}
	while (count > 0) {
		*out++ = digits[--count];
	}
	return out;
}

static NOINLINE char *format(char *out, const char *pattern, const uint32_t *arguments)
{
	for (; *pattern != '\0'; pattern++) {
		if (*pattern != '%') {
			*out++ = *pattern;
			continue;
		}
		switch (*++pattern) {
		case 'u':
			out = format_number(out, *arguments++, 10, 0);
			break;
		case 'd':
			if ((int32_t)*arguments < 0) {
				*out++ = '-';
				out = format_number(out, 0 - *arguments++, 10, 0);
			} else {
				out = format_number(out, *arguments++, 10, 0);
			}
			break;
		case 'x':
			out = format_number(out, *arguments++, 16, 0);
			break;
		case 'o':
			out = format_number(out, *arguments++, 8, 12);
			break;
		case 'c':
			*out++ = (char)*arguments++;
			break;
		case 's': {
			const char *s = (const char *)(uintptr_t)*arguments++;

			while (*s != '\0') {
				*out++ = *s++;
			}
			break;
		}
		case '%':
			*out++ = '%';
			break;
		default:
			*out++ = '?';
			break;
		}
	}
	*out = '\0';
	return out;
}

static char line[128];

static uint32_t k_fmt(uint32_t n)
{
	uint32_t state = seed, sum = 0;

	for (uint32_t i = 0; i < n * 16; i++) {
		uint32_t arguments[] = { i, next_random(&state), next_random(&state), 'a' + i % 26,
					 (uint32_t)(uintptr_t)words[i & 7], i * 7 };
		char *end = format(line, "%u: %d 0x%x %c %s %o %%", arguments);

		for (char *p = line; p < end; p++) {
			sum = sum * 31 + (uint8_t)*p;
		}
	}
	return sum;
}

static uint32_t (*const kernels[])(uint32_t n) = {
	k_intloop, k_crc32, k_sha256, k_memcpy, k_sort, k_matmul, k_list, k_strops, k_fmt,
};

NOINLINE __attribute__((used)) uint32_t bench_main(uint32_t kernel, uint32_t rounds)
{
	return kernels[kernel](rounds);
}

/* Under QEMU: what to do is at BENCH_PARAMETERS, the result goes out by semihosting. */
struct parameters {
	uint32_t kernel;
	uint32_t rounds;
};

static NOINLINE uint32_t semihosting(uint32_t operation, const void *argument)
{
#if defined(__arm__)
	register uint32_t r0 __asm__("r0") = operation;
	register const void *r1 __asm__("r1") = argument;

	__asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
	return r0;
#else
	register uint32_t a0 __asm__("a0") = operation;
	register const void *a1 __asm__("a1") = argument;

	__asm__ volatile(".option push\n.option norvc\n.balign 16\nslli zero, zero, 0x1f\nebreak\nsrai zero, zero, 7\n.option pop"
			 : "+r"(a0) : "r"(a1) : "memory");
	return a0;
#endif
}

__attribute__((used)) void start(void)
{
	const struct parameters *p = (const struct parameters *)BENCH_PARAMETERS;
	uint32_t sum = bench_main(p->kernel, p->rounds);
	static const uint32_t exit_reason[] = { 0x20026, 0 };
	char out[10];

	for (int i = 0; i < 8; i++) {
		out[i] = "0123456789abcdef"[(sum >> (28 - 4 * i)) & 15];
	}
	out[8] = '\n';
	out[9] = '\0';
	semihosting(0x04, out);
	semihosting(0x18, (const void *)(uintptr_t)exit_reason[0]);
	for (;;) {
	}
}

#if defined(__arm__)
extern uint32_t stack_top;

__attribute__((section(".vectors"), used)) static const void *const vectors[] = { &stack_top, start };
#else
__attribute__((naked, section(".vectors"), used)) void _start(void)
{
	__asm__ volatile("la sp, stack_top\nj start");
}
#endif
