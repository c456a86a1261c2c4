/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Executes single instructions from given states on a QEMU board and prints the state after each: the vectors that Unicorn has
 * executed, on a second CPU. The instruction runs on the process stack and is followed by SVC, whose handler takes the registers.
 */
#include <stdint.h>

struct vector {
	uint16_t code[4];
	/* r0..r12, sp, lr, APSR */
	uint32_t core[16];
	/* s0..s31, FPSCR */
	uint32_t floats[33];
	uint32_t dump, length;
};

struct list {
	uint32_t count;
	struct vector vector[];
};

#define list ((struct list *)JOBS)
#define PLACE 0x10080
#define DATA ((uint8_t *)0x20000000)
#define DATA_SIZE 0x4000

static void put(const char *text)
{
	register uint32_t r0 __asm__("r0") = 4;
	register const void *r1 __asm__("r1") = text;

	__asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}

static char line[2048];
static char *end;

static void digits(uint32_t value, int count)
{
	for (int i = count - 1; i >= 0; i--) {
		*end++ = "0123456789abcdef"[(value >> (4 * i)) & 15];
	}
}

uint32_t after[49], saved_sp;

void run(const struct vector *vector);
void handler(void);
__asm__(".thumb\n.syntax unified\n.thumb_func\n.global run\nrun:\n"
	"	push {r4-r11, lr}\n"
	"	add r1, r0, #8\n"
	"	add r2, r1, #64\n"
	"	vldm r2!, {s0-s31}\n"
	"	ldr r2, [r2]\n"
	"	vmsr fpscr, r2\n"
	"	ldr r2, [r1, #52]\n"
	"	msr psp, r2\n"
	"	movs r2, #2\n"
	"	msr control, r2\n"
	"	isb\n"
	"	ldr lr, [r1, #56]\n"
	"	ldr r2, [r1, #60]\n"
	"	msr APSR_nzcvqg, r2\n"
	"	ldm r1, {r0-r12}\n"
	"	ldr pc, =0x10081\n"
	".thumb_func\n.global handler\nhandler:\n"
	"	push {r4, lr}\n"
	"	ldr r0, =after + 16\n"
	"	stm r0, {r4-r11}\n"
	"	ldr r0, =after + 64\n"
	"	vstm r0!, {s0-s31}\n"
	"	vmrs r1, fpscr\n"
	"	str r1, [r0]\n"
	"	mrs r0, psp\n"
	"	bl frame\n"
	"	pop {r4, pc}\n"
	".thumb_func\nfinish:\n"
	"	movs r0, #0\n"
	"	msr control, r0\n"
	"	isb\n"
	"	pop {r4-r11, pc}\n.ltorg\n"
	".global finish\n");
extern void finish(void);

__attribute__((used)) void frame(uint32_t *stacked)
{
	after[0] = stacked[0];
	after[1] = stacked[1];
	after[2] = stacked[2];
	after[3] = stacked[3];
	after[12] = stacked[4];
	after[13] = (uint32_t)(stacked + 8) + (stacked[7] >> 9 & 1) * 4;
	after[14] = stacked[5];
	after[15] = stacked[7] & 0xf80f0000;
	stacked[6] = (uint32_t)finish & ~1u;
	stacked[7] = 1u << 24;
}

static void fault(void)
{
	put("@fault\n");
	__asm__ volatile("movs r0, #0x18\n\tldr r1, =0x20026\n\tbkpt 0xab");
}

void reset(void)
{
	*(volatile uint32_t *)0xe000ed88 = 0xf00000;
	/* Without automatic preservation the handler finds the registers as they are. */
	*(volatile uint32_t *)0xe000ef34 = 0;
	__asm__ volatile("dsb\n\tisb");
	for (uint32_t i = 0; i < list->count; i++) {
		const struct vector *vector = &list->vector[i];

		for (uint32_t k = 0; k < DATA_SIZE; k++) {
			DATA[k] = k * 7 + (k >> 8) * 13 + 3;
		}
		for (int k = 0; k < 4; k++) {
			((volatile uint16_t *)PLACE)[k] = vector->code[k];
		}
		__asm__ volatile("clrex\n\tdsb\n\tisb" ::: "memory");
		run(vector);
		end = line;
		for (int k = 0; k < 49; k++) {
			digits(after[k], 8);
			*end++ = ' ';
		}
		for (uint32_t k = 0; k < vector->length; k++) {
			digits(((uint8_t *)vector->dump)[k], 2);
		}
		*end++ = '\n';
		*end = 0;
		put(line);
	}
	put("@end\n");
	__asm__ volatile("movs r0, #0x18\n\tldr r1, =0x20026\n\tbkpt 0xab");
	for (;;) {
	}
}

extern char stack_top[];
__attribute__((section(".vectors"), used)) static void *const vectors[16] = {
	stack_top, reset, fault, fault, fault, fault, fault, 0, 0, 0, 0, handler,
};
