/* Stacks of its own: a thread of an extension with a stack in BSS, entered and left by switching sp, and a jump out of deep calls. */
#include <zephyr/kernel.h>
#include <zephyr/llext/symbol.h>
#include <zephyr/sys/printk.h>

#define NOINLINE __attribute__((noinline))
#define UNUSED __attribute__((unused))

struct context {
	uint32_t registers[10];
};

/* r4 to r11, sp, and where to go on, as setjmp keeps them. */
__attribute__((naked, noinline, returns_twice)) static int save(struct context *context UNUSED)
{
	__asm__ volatile("mov r1, sp\n stmia r0!, {r4-r11}\n stmia r0!, {r1, lr}\n movs r0, #0\n bx lr");
}

__attribute__((naked, noinline)) static void restore(struct context *context UNUSED, int value UNUSED)
{
	__asm__ volatile("ldmia r0!, {r4-r11}\n ldmia r0!, {r2, r3}\n mov sp, r2\n mov r0, r1\n bx r3");
}

/* Calls a function on another stack. */
__attribute__((naked, noinline)) static int on_stack(uint64_t *end UNUSED, int (*function)(int) UNUSED, int value UNUSED)
{
	__asm__ volatile("push {r4, lr}\n mov r4, sp\n mov sp, r0\n mov r0, r2\n blx r1\n mov sp, r4\n pop {r4, pc}");
}

static uint64_t stack_of_thread[64];
static struct context outside;

static NOINLINE int work(int value)
{
	volatile int frame[8];

	for (int i = 0; i < 8; i++) {
		frame[i] = value + i;
	}
	return value == 0 ? frame[7] : work(value - 1) + frame[value & 7];
}

static NOINLINE int thread(int value)
{
	printk("on a stack of its own: %d\n", work(value));
	return work(3);
}

static NOINLINE int deep(int level)
{
	volatile int frame[4] = {level, level, level, level};

	if (level == 0) {
		restore(&outside, 5);
	}
	return level < 0 ? 0 : deep(level - 1) + frame[level & 3];
}

/* What restore() gives: deep() does not return. */
static NOINLINE int escape(void)
{
	int left = save(&outside);

	return left == 0 ? deep(6) : left;
}

int entry(void)
{
	int left = escape();
	int sum = 0;

	for (int i = 0; i < 3; i++) {
		sum += on_stack(stack_of_thread + 64, thread, i) + work(2);
	}
	printk("left by %d: %d\n", left, sum);
	return sum;
}
LL_EXTENSION_SYMBOL(entry);
