/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A bare-metal host that runs extensions on a QEMU machine: the test suite's independent CPU and C library.
 * The extensions were linked by the loader under test against this program's own symbols, at the addresses that the
 * emulated target gave them; here they are copied into place, called, and what they printed, returned and left in
 * memory is reported on the semihosting console. printf and the run-time helpers are newlib's and libgcc's.
 */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct range {
	uint32_t source; /* offset from the job list */
	uint32_t address;
	uint32_t length;
};

/* What the test writes at JOBS: all fields little-endian words. */
struct job {
	char name[64];
	uint32_t entry;
	uint32_t stack;
	uint32_t arguments[4];
	uint32_t init_count;
	uint32_t init[8];
	uint32_t load_count;
	struct range load[8];
	uint32_t dump_count;
	struct range dump[8];
};

struct job_list {
	uint32_t magic;
	uint32_t count;
	struct job job[];
};

#define MAGIC 0x4c4c4558u
static const struct job_list *const jobs = (const struct job_list *)JOBS;

static uint32_t semihost(uint32_t operation, const void *argument)
{
	register uint32_t r0 __asm__("r0") = operation;
	register const void *r1 __asm__("r1") = argument;

	__asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
	return r0;
}

static void put(const char *text)
{
	semihost(4, text);
}

static void report(const char *format, ...)
{
	static char line[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	put(line);
}

/* ---- what extensions import and newlib does not have ---- */

int vprintk(const char *format, va_list ap)
{
	static char text[4096];
	int length = vsnprintf(text, sizeof(text), format, ap);

	put(text);
	return length;
}

void printk(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vprintk(format, ap);
	va_end(ap);
}

int _write(int file, const char *data, int length)
{
	(void)file;
	for (int i = 0; i < length; i++) {
		semihost(3, &data[i]);
	}
	return length;
}

void *k_malloc(size_t size)
{
	return malloc(size);
}

void k_free(void *block)
{
	free(block);
}

/* Time passes only where an extension waits: what the comparison needs is the arithmetic, not the clock. */
static int64_t uptime_us;

int64_t k_uptime_get(void)
{
	return uptime_us / 1000;
}

int32_t k_msleep(int32_t ms)
{
	uptime_us += (int64_t)ms * 1000;
	return 0;
}

void k_busy_wait(uint32_t us)
{
	uptime_us += us;
}

void *_sbrk(ptrdiff_t increment)
{
	extern char heap_start[];
	static char *end = heap_start;
	char *previous = end;

	end += increment;
	return previous;
}

void _exit(int status)
{
	(void)status;
	semihost(0x18, (const void *)0x20026);
	for (;;) {
	}
}

int _close(int file) { (void)file; return -1; }
int _fstat(int file, void *status) { (void)file; (void)status; return -1; }
int _isatty(int file) { (void)file; return 1; }
int _lseek(int file, int offset, int whence) { (void)file; (void)offset; (void)whence; return 0; }
int _read(int file, char *data, int length) { (void)file; (void)data; (void)length; return 0; }
int _kill(int process, int signal) { (void)process; (void)signal; return -1; }
int _getpid(void) { return 1; }

/* ---- running a job ---- */

/* Calls entry(arguments) with sp = stack and gives back r0; callee-saved registers hold a pattern meanwhile. */
uint32_t call_on_stack(uint32_t entry, uint32_t stack, const uint32_t *arguments);
__asm__(".thumb\n.syntax unified\n.thumb_func\n.global call_on_stack\n"
	"call_on_stack:\n"
	"	push {r4-r11, lr}\n"
	"	mov r12, r0\n"
	"	mov r4, sp\n"
	"	mov sp, r1\n"
	"	ldm r2, {r0-r3}\n"
	"	blx r12\n"
	"	mov sp, r4\n"
	"	pop {r4-r11, pc}\n");

static void dump(const struct range *range)
{
	const uint8_t *bytes = (const uint8_t *)range->address;

	report("@memory %08lx ", (unsigned long)range->address);
	for (uint32_t i = 0; i < range->length; i++) {
		report("%02x", bytes[i]);
	}
	put("\n");
}

static void run(const struct job *job)
{
	for (uint32_t i = 0; i < job->load_count; i++) {
		memcpy((void *)job->load[i].address, (const char *)jobs + job->load[i].source, job->load[i].length);
	}
	__asm__ volatile("dsb\n\tisb" ::: "memory");
	uptime_us = 0;
	report("@job %s\n", job->name);
	for (uint32_t i = 0; i < job->init_count; i++) {
		static const uint32_t none[4];

		call_on_stack(job->init[i], job->stack, none);
	}
	uint32_t result = call_on_stack(job->entry, job->stack, job->arguments);

	/* stdout is newlib's own buffer, printk's is not */
	fflush(stdout);
	report("\n@result %08lx\n", (unsigned long)result);
	for (uint32_t i = 0; i < job->dump_count; i++) {
		dump(&job->dump[i]);
	}
}

static void fault(void)
{
	report("\n@fault cfsr %08lx\n", *(volatile unsigned long *)0xe000ed28);
	_exit(1);
}

void reset(void)
{
	extern char bss_start[], bss_end[];

	memset(bss_start, 0, (size_t)(bss_end - bss_start));
	setvbuf(stdout, NULL, _IONBF, 0);
	if (jobs->magic == MAGIC) {
		for (uint32_t i = 0; i < jobs->count; i++) {
			run(&jobs->job[i]);
		}
		put("@end\n");
	} else {
		put("@no jobs\n");
	}
	_exit(0);
}

extern char stack_top[];
__attribute__((section(".vectors"), used)) static void *const vectors[16] = {
	stack_top, reset, fault, fault, fault, fault, fault,
};
