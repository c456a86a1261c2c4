/* One broken rule of memory safety for each kind; entry(kind, address) runs into it. The marked line is where the session stops. */
#include <zephyr/kernel.h>
#include <zephyr/llext/symbol.h>
#include <zephyr/sys/printk.h>

void *malloc(size_t size);
void *realloc(void *ptr, size_t size);
void free(void *ptr);


/* Keeps the compiler from knowing what it could draw conclusions from. */
#define HIDE(x) __asm__ volatile("" : "+r"(x))
#define ESCAPE(pointer) __asm__ volatile("" : : "r"(pointer) : "memory")

/* Behind a call, so that it does not become a jump. */
#define BEHIND() __asm__ volatile("" : : : "memory")

static volatile int sink;
static int data_code[2] = {0x47704770, 0x47704770};
static const int constants[4] = {1, 2, 3, 4};

static __attribute__((noinline)) char *make(size_t size)
{
	char *block = malloc(size); // #ALLOCATION

	HIDE(block);
	return block;
}

static __attribute__((noinline)) void drop(char *block)
{
	free(block); // #FREE
	BEHIND();
}

static __attribute__((noinline)) int deeper(int level)
{
	volatile int frame[32];

	frame[level & 31] = level;
	return sink < 0 ? 0 : deeper(level + 1) + frame[level & 31]; // #STACK
}

static __attribute__((noinline)) int *returned(void)
{
	int local[4] = {1, 2, 3, 4};
	int *address = local;

	ESCAPE(local);
	HIDE(address);
	return address;
}

static __attribute__((noinline)) void heap_blocks(int kind)
{
	char *block = make(13);

	switch (kind) {
	case 0:
		block[13] = 1; // #OVERFLOW
		break;
	case 1:
		sink = block[-1]; // #UNDERFLOW
		break;
	case 2:
		block[3] = 3;
		drop(block);
		sink = block[3]; // #AFTER_FREE
		break;
	case 3: {
		char *moved = realloc(block, 200);

		ESCAPE(moved);
		block[0] = 1; // #AFTER_REALLOC
		break;
	}
	case 4:
		drop(block);
		free(block); // #DOUBLE_FREE
		break;
	case 5:
		free(block + 4); // #INVALID_FREE
		break;
	case 6:
		memset(block, 0, 14); // #HOST_OVERFLOW
		break;
	}
	BEHIND();
}

static __attribute__((noinline)) void unwritten(int kind)
{
	int local;
	int *heap = (int *)make(16);
	char text[8];

	ESCAPE(&local);
	ESCAPE(text);
	switch (kind) {
	case 10:
		if (local == 3) { // #LOCAL
			sink = 1;
		}
		break;
	case 11:
		if (heap[1] > 7) { // #HEAP
			sink = 1;
		}
		break;
	case 12:
		sink = constants[heap[2] & 3]; // #ADDRESS
		break;
	case 13:
		printk("%d\n", local); // #ARGUMENT
		break;
	case 14:
		text[0] = 'a';
		printk("%s\n", text); // #OUTPUT
		break;
	case 15:
		((void (*)(void))(uintptr_t)heap[3])(); // #TARGET
		break;
	case 16: {
		int copied[4];

		for (int i = 0; i < 4; i++) {
			copied[i] = heap[i];
			ESCAPE(copied);
		}
		if (copied[2] & 0x100) { // #COPIED
			sink = 1;
		}
		break;
	}
	}
	BEHIND();
}

int entry(int kind, volatile int *address)
{
	volatile int *constant = (volatile int *)constants;
	volatile uint16_t *text = (volatile uint16_t *)((uintptr_t)entry & ~1u);
	void (*function)(void) = (void (*)(void))((uintptr_t)data_code | 1u);

	HIDE(constant);
	HIDE(text);
	HIDE(function);
	switch (kind) {
	case 20:
		sink = *address; // #READ
		break;
	case 21:
		address[3] = 21; // #WRITE
		break;
	case 22:
		constant[1] = 5; // #RODATA
		break;
	case 23:
		text[0] = 0; // #TEXT
		break;
	case 24:
		function(); // #EXECUTE
		break;
	case 25:
		return deeper(0);
	case 26: {
		volatile int *dead = returned();

		sink = dead[2]; // #AFTER_RETURN
		break;
	}
	case 27: {
		char bytes[8] = {1, 2, 3, 4, 5, 6, 7, 8};
		volatile int *odd = (volatile int *)(bytes + 1);

		HIDE(odd);
		sink = *odd; // #MISALIGNED
		break;
	}
	default:
		if (kind < 10) {
			heap_blocks(kind);
		} else {
			unwritten(kind);
		}
		break;
	}
	return 0;
}
LL_EXTENSION_SYMBOL(entry);
