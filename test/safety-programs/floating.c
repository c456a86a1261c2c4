/* Broken rules by multiple loads and stores of floating-point registers; entry(kind, address) runs into one. Built for the hard-float ABI. */
#include <zephyr/kernel.h>
#include <zephyr/llext/symbol.h>

void *malloc(size_t size);
void free(void *ptr);

/* Keeps the compiler from knowing what it could draw conclusions from. */
#define HIDE(x) __asm__ volatile("" : "+r"(x))
#define BEHIND() __asm__ volatile("" : : : "memory")
#define LOAD4(from) __asm__ volatile("vldmia %0, {s0-s3}" : : "r"(from) : "s0", "s1", "s2", "s3", "memory")
#define STORE4(to) __asm__ volatile("vstmia %0, {s0-s3}" : : "r"(to) : "memory")

static volatile int sink;
static const float constants[4] = {1.0f, 2.0f, 3.0f, 4.0f};

static __attribute__((noinline)) float *make(size_t size)
{
	float *block = malloc(size); // #ALLOCATION

	HIDE(block);
	return block;
}

int entry(int kind, float *address)
{
	float *block = make(16);
	const float *constant = constants;

	HIDE(constant);
	/* All four are written. */
	LOAD4(constant);
	switch (kind) {
	case 0:
		STORE4(block + 1); // #OVERFLOW
		break;
	case 1:
		LOAD4(block - 1); // #UNDERFLOW
		break;
	case 2:
		free(block);
		BEHIND();
		LOAD4(block); // #AFTER_FREE
		break;
	case 3:
		STORE4(constant); // #RODATA
		break;
	case 4:
		LOAD4(address); // #READ
		break;
	case 5: {
		float first;

		/* Copying what was never written is no use of it. */
		LOAD4(block);
		STORE4(block);
		__asm__ volatile("vldr %0, [%1]" : "=t"(first) : "r"(block) : "memory");
		if (first > 1.0f) sink = 1; // #BRANCH
		break;
	}
	case 6: {
		int index;

		__asm__ volatile("vldr s0, [%1]\n\tvcvt.s32.f32 s0, s0\n\tvmov %0, s0" : "=r"(index) : "r"(block) : "s0", "memory");
		sink = ((const int *)constant)[index & 3]; // #ADDRESS
		break;
	}
	case 7:
		/* What is stored is written. */
		STORE4(block);
		if (block[3] > 3.0f) {
			sink = 4;
		}
		break;
	}
	BEHIND();
	return sink;
}
LL_EXTENSION_SYMBOL(entry);
