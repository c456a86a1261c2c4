/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A firmware that exports functions and data to extensions, as a Zephyr application with CONFIG_LLEXT does. Without the
 * kernel behind it: what would need one is here to show where a debug session without a board ends.
 */
#include "zephyr_llext.h"
#include "../firmware_api.h"

#define CONSOLE_DATA (*(volatile uint32_t *)0x40004000)

/* ---- what the kernel has ---- */

K_HEAP_DEFINE(llext_heap, CONFIG_LLEXT_HEAP_SIZE * 1024);
K_HEAP_DEFINE(_system_heap, 1024);

sys_slist_t llext_list;
/* Makes the debug information describe the structure. */
struct llext *llext_newest;
enum llext_mem llext_fullest = LLEXT_MEM_TEXT;

static const char banner[] __attribute__((used)) = "*** Booting Zephyr OS build v4.2.0 ***\n";

struct k_sem {
	unsigned int count;
	unsigned int limit;
};
struct k_thread *kernel_current;

int z_impl_k_sem_take(struct k_sem *sem, long timeout)
{
	if (sem->count > 0) {
		sem->count--;
		return 0;
	}
	return timeout == 0 ? -16 : kernel_current != NULL;
}

void printk(const char *format, ...)
{
	for (; *format != 0; format++) {
		CONSOLE_DATA = *format; /* a board has a console there */
	}
}

void *memcpy(void *to, const void *from, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		((char *)to)[i] = ((const char *)from)[i];
	}
	return to;
}

void *k_malloc(size_t size)
{
	static char pool[64];

	return size <= sizeof(pool) ? pool : NULL;
}

/* ---- what the application has ---- */

struct firmware_settings firmware_settings = {.gain = 3, .offset = -7, .name = "bench"};
unsigned int firmware_samples;
static const int table[4] = {10, 20, 30, 40};

static int clamp(int value, int limit)
{
	return value > limit ? limit : value; // #BP_CLAMP
}

int firmware_scale(int value)
{
	int scaled = value * firmware_settings.gain + firmware_settings.offset; // #BP_SCALE

	firmware_samples++;
	return clamp(scaled, 1000);
}

int firmware_look_up(unsigned int index)
{
	return table[index % 4];
}

void firmware_report(const char *what, int value)
{
	printk("firmware: %s is %d\n", what, value);
}

int firmware_sample_adc(void)
{
	volatile uint32_t *adc = (volatile uint32_t *)0x4001244c;

	return (int)*adc; // #BP_ADC
}

#ifndef CONFIG_BIG_ENDIAN /* its toolchain has no floating point */
float firmware_ratio(float part, float whole)
{
	return whole == 0.0f ? 0.0f : part / whole;
}
EXPORT_SYMBOL(firmware_ratio);
#endif

/* Not in this build. */
extern int firmware_update(void) __attribute__((weak));

EXPORT_SYMBOL(printk);
EXPORT_SYMBOL(memcpy);
EXPORT_SYMBOL(k_malloc);
EXPORT_SYMBOL(z_impl_k_sem_take);
EXPORT_SYMBOL(firmware_settings);
EXPORT_SYMBOL(firmware_samples);
EXPORT_SYMBOL(firmware_scale);
EXPORT_SYMBOL(firmware_look_up);
EXPORT_SYMBOL(firmware_report);
EXPORT_SYMBOL(firmware_sample_adc);
EXPORT_SYMBOL(firmware_update);
EXPORT_SYMBOL_NAMED(firmware_look_up, look_up);

/* ---- how it starts ---- */

void z_reset(void)
{
	llext_newest = NULL;
	for (;;) {
	}
}

#if defined(__arm__)
static const void *const vectors[2] __attribute__((section(".vectors"), used)) = {(void *)0x20001000, z_reset};
#endif
