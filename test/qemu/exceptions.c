/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Exceptions, faults, priorities, the MPU, stack limits and floating-point contexts as a program sees them: one
 * line of text for each case, on the semihosting console. The emulator and QEMU run the same binary; their lines must
 * be equal. Nothing that may differ between implementations (cycles, EXC_RETURN with the Security Extension) is printed.
 */
#include <stdint.h>

#define REG(address) (*(volatile uint32_t *)(address))
#define ICSR REG(0xe000ed04)
#define AIRCR REG(0xe000ed0c)
#define CCR REG(0xe000ed14)
#define SHPR2 REG(0xe000ed1c)
#define SHPR3 REG(0xe000ed20)
#define SHCSR REG(0xe000ed24)
#define CFSR REG(0xe000ed28)
#define HFSR REG(0xe000ed2c)
#define MMFAR REG(0xe000ed34)
#define BFAR REG(0xe000ed38)
#define CPACR REG(0xe000ed88)
#define FPCCR REG(0xe000ef34)
#define ISER REG(0xe000e100)
#define ISPR REG(0xe000e200)
#define ICPR REG(0xe000e280)
#define IABR REG(0xe000e300)
#define IPR(n) (*(volatile uint8_t *)(0xe000e400 + (n)))
#define SYST_CSR REG(0xe000e010)
#define SYST_RVR REG(0xe000e014)
#define SYST_CVR REG(0xe000e018)
#define MPU_CTRL REG(0xe000ed94)
#define MPU_RNR REG(0xe000ed98)
#define MPU_RBAR REG(0xe000ed9c)
#define MPU_RASR REG(0xe000eda0)

#define ASM __asm__ volatile
#define NOTHING_THERE 0x90000000u

static void put(const char *text)
{
	register uint32_t r0 __asm__("r0") = 4;
	register const void *r1 __asm__("r1") = text;

	ASM("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}

static void hex(const char *name, uint32_t value)
{
	static char text[12];

	put(name);
	text[0] = '=';
	for (int i = 0; i < 8; i++) {
		text[1 + i] = "0123456789abcdef"[(value >> (28 - 4 * i)) & 15];
	}
	text[9] = ' ';
	text[10] = 0;
	put(text);
}

/* ---- what handlers do ---- */

/* Where a fault goes on; 0 = behind the instruction of two bytes. */
static volatile uint32_t resume_at;
static volatile uint32_t faults;

static uint32_t ipsr(void)
{
	uint32_t value;

	ASM("mrs %0, ipsr" : "=r"(value));
	return value;
}

__attribute__((used)) void fault_c(uint32_t *frame)
{
	uint32_t cfsr = CFSR;

	faults++;
	hex("exception", ipsr());
	hex("cfsr", cfsr);
	hex("hfsr", HFSR);
	if (cfsr & 0x80) {
		hex("mmfar", MMFAR);
	}
	if (cfsr & 0x8000) {
		hex("bfar", BFAR);
	}
	hex("xpsr", frame[7] & 0xff0001ff);
	CFSR = cfsr;
	HFSR = HFSR;
	frame[7] |= 1u << 24;
	frame[6] = resume_at ? resume_at : frame[6] + 2;
	resume_at = 0;
}

__attribute__((naked)) static void fault(void)
{
	ASM("tst lr, #4\n\tite eq\n\tmrseq r0, msp\n\tmrsne r0, psp\n\tpush {r4, lr}\n\tbl fault_c\n\tpop {r4, pc}");
}

static volatile uint32_t log_count, log_text[32];

static void note(uint32_t what)
{
	log_text[log_count++ & 31] = what;
}

static void show_log(const char *name)
{
	put(name);
	put(": ");
	for (uint32_t i = 0; i < log_count; i++) {
		hex("", log_text[i]);
	}
	put("\n");
	log_count = 0;
}

static volatile uint32_t svc_mode;

__attribute__((used)) void svc_c(uint32_t *frame)
{
	uint8_t number = ((uint8_t *)frame[6])[-2];

	note(0x5c000000 | number);
	note(((uint32_t)frame & 7) | ((frame[7] >> 9) & 1) << 4);
	switch (number) {
	case 1: /* privileged again */
		ASM("mrs r3, control\n\tbic r3, #1\n\tmsr control, r3\n\tisb" ::: "r3");
		break;
	case 2: /* a fault at SVCall's priority */
		ASM("udf #1");
		break;
	case 3: /* pends PendSV, which runs afterwards */
		ICSR = 1u << 28;
		note(ICSR & 0x1ff);
		break;
	}
	frame[0] += number;
}

__attribute__((naked)) static void svc(void)
{
	ASM("tst lr, #4\n\tite eq\n\tmrseq r0, msp\n\tmrsne r0, psp\n\tpush {r4, lr}\n\tbl svc_c\n\tpop {r4, pc}");
}

static void pendsv(void)
{
	note(0x9e000000 | (ICSR & 0x1ff));
}

static volatile uint32_t ticks;

static void systick(void)
{
	ticks++;
}

static volatile uint32_t irq_action;

static void irq(void)
{
	uint32_t number = ipsr() - 16;

	note(0x100 + number);
	if (irq_action == 1 && number == 0) {
		/* Pends a more urgent one and one that has to wait. */
		ISPR = 6;
		ASM("dsb\n\tisb");
		note(0x200 | (IABR & 15) << 4 | (ISPR & 15));
	}
#ifdef HAS_FP
	if (irq_action == 2) {
		note(0x300 | (FPCCR & 1));
		ASM("vmov s0, %0\n\tvmov s15, %0\n\tvmov s20, %0" ::"r"(0x11111111));
		note(0x310 | (FPCCR & 1));
	}
#endif
	if (irq_action == 3) {
		uint32_t control;

		ASM("mrs %0, control" : "=r"(control));
		note(0x400 | control);
	}
	note(0x180 + number);
}

/* ---- cases ---- */

static uint32_t buffer[64] __attribute__((aligned(256)));

/* Executes instructions of which one faults, and goes on behind them. %1: no memory is there, %2: 256 aligned bytes. */
#define TRY(name, text) \
	do { \
		put(name ": "); \
		ASM("adr.w r3, 1f\n\tstr r3, [%0]\n\t" text "\n\tb 2f\n\t.balign 4\n1:\n\tnop\n2:" ::"r"(&resume_at), \
		    "r"(NOTHING_THERE), "r"(buffer) \
		    : "r0", "r1", "r2", "r3", "r12", "lr", "cc", "memory"); \
		resume_at = 0; \
		hex("faults", faults); \
		put("\n"); \
		faults = 0; \
	} while (0)

static void fault_cases(void)
{
	SHCSR = 7u << 16;
	TRY("undefined", "udf #3");
	TRY("undefined in IT", "cmp r3, r3\n\tit eq\n\tudfeq #3");
	TRY("not undefined in IT", "cmp r3, r3\n\tit ne\n\tudfne #3");
	TRY("no coprocessor", "mrc p7, 0, r0, c0, c0");
	TRY("bus fault on load", "ldr r0, [%1]");
	TRY("bus fault on store", "str r0, [%1, #4]");
	TRY("bus fault on byte", "ldrb r0, [%1, #3]");
	TRY("bus fault on fetch", "orr r0, %1, #1\n\tbx r0");
	TRY("invalid state", "bic r0, r3, #1\n\tbx r0");
	TRY("execute never", "mov r0, #0xe0000000\n\torr r0, #1\n\tbx r0");
	TRY("unaligned allowed", "ldr r0, [%2, #1]");
	TRY("unaligned pair", "ldrd r0, r1, [%2, #4]\n\tadd r12, %2, #2\n\tldrd r0, r1, [r12]");
	CCR |= 1u << 3;
	TRY("unaligned", "ldr r0, [%2, #1]");
	TRY("unaligned half", "ldrh r0, [%2, #1]");
	CCR &= ~(1u << 3);
	TRY("division by zero gives 0", "movs r0, #1\n\tmovs r1, #0\n\tudiv r0, r0, r1");
	CCR |= 1u << 4;
	TRY("division by zero", "movs r0, #1\n\tmovs r1, #0\n\tsdiv r0, r0, r1");
	CCR &= ~(1u << 4);
	SHCSR = 0;
	TRY("usage fault escalates", "udf #3");
	TRY("bus fault escalates", "ldr r0, [%1]");
	SHCSR = 7u << 16;
	TRY("PRIMASK escalates", "cpsid i\n\tudf #3\n\tcpsie i");
	ASM("cpsie i");
	ASM("msr basepri, %0" ::"r"(0x40));
	TRY("BASEPRI does not", "udf #3");
	SHPR2 = 0;
	REG(0xe000ed18) = 0x808080;
	TRY("BASEPRI escalates", "udf #3");
	ASM("msr basepri, %0" ::"r"(0));
	REG(0xe000ed18) = 0;
}

static void call_cases(void)
{
	register uint32_t r0 __asm__("r0") = 100;

	ASM("svc #5" : "+r"(r0)::"memory");
	hex("svc", r0);
	show_log("");
	ASM("sub sp, #4\n\tsvc #6\n\tadd sp, #4" ::: "r0", "memory");
	show_log("svc, sp unaligned");
	SHPR3 = 0xff0000;
	ASM("svc #3" ::: "memory");
	show_log("PendSV after svc");
	ASM("cpsid i");
	ICSR = 1u << 28;
	ASM("isb");
	note(ICSR & 0x10000000);
	note((ICSR >> 12) & 0x1ff);
	ASM("cpsie i\n\tisb");
	note(ICSR & 0x10000000);
	show_log("PRIMASK holds PendSV");
	ASM("cpsid f");
	ICSR = 1u << 28;
	ASM("isb");
	note(1);
	ASM("cpsie f\n\tisb");
	show_log("FAULTMASK holds PendSV");
	put("fault in svc: ");
	ASM("svc #2" ::: "memory");
	show_log("");
	faults = 0;
	log_count = 0;
}

static void interrupt_cases(void)
{
	ISER = 0xf;
	IPR(0) = 0x80;
	IPR(1) = 0x40;
	IPR(2) = 0xc0;
	IPR(3) = 0x80;
	irq_action = 1;
	ISPR = 1;
	ASM("dsb\n\tisb");
	show_log("nested and tail-chained");
	irq_action = 0;
	ASM("cpsid i");
	ISPR = 0xf;
	ASM("dsb\n\tisb");
	note((ICSR >> 12) & 0x1ff);
	note((ICSR >> 22) & 1);
	ASM("cpsie i\n\tisb");
	show_log("by priority, then number");
	ASM("msr basepri, %0" ::"r"(0x80));
	ISPR = 0xf;
	ASM("dsb\n\tisb");
	note(0xba5e);
	ICPR = 8;
	ASM("msr basepri, %0\n\tisb" ::"r"(0));
	show_log("BASEPRI");
	AIRCR = 0x05fa0700;
	irq_action = 1;
	ISPR = 1;
	ASM("dsb\n\tisb");
	show_log("PRIGROUP without preemption");
	AIRCR = 0x05fa0000;
	REG(0xe000e180) = 2;
	ISPR = 2;
	ASM("dsb\n\tisb");
	note(ISPR & 2);
	ISER = 2;
	ASM("dsb\n\tisb");
	show_log("disabled");
	REG(0xe000ef00) = 3;
	ASM("dsb\n\tisb");
	show_log("STIR");
	irq_action = 0;
}

static void monitor_case(void)
{
	uint32_t failed;

	ASM("ldrex r1, [%1]\n\tstrex %0, r1, [%1]" : "=&r"(failed) : "r"(buffer) : "r1", "memory");
	note(failed);
	ASM("ldrex r1, [%1]\n\tsvc #9\n\tstrex %0, r1, [%1]" : "=&r"(failed) : "r"(buffer) : "r0", "r1", "memory");
	note(failed);
	ASM("ldrex r1, [%1]\n\tclrex\n\tstrex %0, r1, [%1]" : "=&r"(failed) : "r"(buffer) : "r1", "memory");
	note(failed);
	ASM("strex %0, r1, [%1]" : "=&r"(failed) : "r"(buffer) : "r1", "memory");
	note(failed);
	show_log("exclusive");
}

static void tick_case(void)
{
	SYST_RVR = 20000;
	SYST_CVR = 0;
	hex("count flag", (SYST_CSR >> 16) & 1);
	SYST_CSR = 7;
	while (ticks < 3) {
		ASM("wfi");
	}
	SYST_CSR = 4;
	SYST_CVR = 0;
	hex("value", SYST_CVR);
	hex("control", SYST_CSR);
	put("SysTick\n");
}

static uint32_t thread_stack[64] __attribute__((aligned(8)));

/* Runs code on the process stack, unprivileged when asked; svc #1 makes it privileged again. */
#define THREAD(control, text) \
	ASM("mrs r2, msp\n\tmov r3, %0\n\tmsr psp, r3\n\tmov r3, %1\n\tmsr control, r3\n\tisb\n\t" text \
	    "\n\tsvc #1\n\tmovs r3, #0\n\tmsr control, r3\n\tisb" ::"r"(thread_stack + 60), "r"(control), "r"(NOTHING_THERE), \
	    "r"(buffer), "r"(&resume_at) \
	    : "r0", "r1", "r2", "r3", "r12", "lr", "cc", "memory")

static void thread_cases(void)
{
	log_count = 0;
	THREAD(2, "svc #7");
	show_log("process stack");
	irq_action = 3;
	THREAD(3, "mov r0, #0x40\n\tmsr basepri, r0\n\tmsr primask, r0\n\tcpsid i\n\tmrs r0, basepri\n\tmrs r1, primask\n\t"
		  "str r0, [%3]\n\tstr r1, [%3, #4]\n\tsvc #8");
	note(buffer[0]);
	note(buffer[1]);
	irq_action = 0;
	show_log("unprivileged");
	put("unprivileged system register: ");
	THREAD(3, "adr.w r3, 1f\n\tstr r3, [%4]\n\tmovw r0, #0xed28\n\tmovt r0, #0xe000\n\tldr r1, [r0]\n\tb 1f\n\t.balign 4\n1:\n\tnop");
	show_log("");
}

/* ---- memory protection ---- */

static void region(uint32_t number, uint32_t base, uint32_t size_log2, uint32_t ap, uint32_t xn, uint32_t subregions)
{
	MPU_RNR = number;
#if defined(__ARM_ARCH_8M_MAIN__)
	MPU_RBAR = base | ap << 1 | xn;
	MPU_RASR = ((base + (1u << size_log2) - 1) & ~31u) | 1;
	(void)subregions;
#else
	MPU_RBAR = base;
	MPU_RASR = xn << 28 | ap << 24 | subregions << 8 | (size_log2 - 1) << 1 | 1;
#endif
}

#if defined(__ARM_ARCH_8M_MAIN__)
enum { NONE = 0, PRIV_RW = 0, RW = 1, PRIV_RO = 2, RO = 3 };
#else
enum { NONE = 0, PRIV_RW = 1, RW = 3, PRIV_RO = 5, RO = 6 };
#endif

static void mpu_cases(void)
{
	region(0, (uint32_t)buffer, 8, RO, 1, 0);
	MPU_CTRL = 5;
	ASM("dsb\n\tisb");
	hex("ctrl", MPU_CTRL);
	put("MPU\n");
	TRY("read only: load", "ldr r0, [%2]");
	TRY("read only: store", "str r0, [%2, #8]");
	TRY("read only: store of two", "strd r0, r1, [%2, #0xf8]");
	TRY("read only: push", "mov r12, %2\n\tstmia r12!, {r0, r1}");
	TRY("beside it", "str r0, [%2, #-4]\n\tldr r0, [%2, #0x100]");
	TRY("across its border", "ldr r0, [%2, #-2]");
	TRY("execute never", "orr r0, %2, #1\n\tbx r0");
	region(0, (uint32_t)buffer, 8, PRIV_RW, 1, 0);
	TRY("privileged", "str r0, [%2]");
	TRY("privileged: ldrt", "ldrt r0, [%2, #4]");
	TRY("privileged: strbt", "strbt r0, [%2, #5]");
	put("privileged: unprivileged load: ");
	/* No privileged default map for the thread: its code and stack need a region. */
	region(1, (uint32_t)buffer & 0xf0000000, 26, RW, 0, 0);
#if !defined(__ARM_ARCH_8M_MAIN__)
	/* the later region wins, so the buffer's has to be the later one */
	region(2, (uint32_t)buffer, 8, PRIV_RW, 1, 0);
	THREAD(3, "adr.w r3, 1f\n\tstr r3, [%4]\n\tldr r0, [%3]\n\tb 1f\n\t.balign 4\n1:\n\tnop");
	show_log("");
	region(2, (uint32_t)buffer, 8, NONE, 1, 0xfe);
	TRY("subregion", "ldr r0, [%2, #28]");
	TRY("other subregion", "ldr r0, [%2, #32]");
	MPU_RNR = 2;
	MPU_RASR = 0;
#else
	TRY("two regions", "ldr r0, [%2, #28]");
#endif
	MPU_RNR = 0;
	MPU_RASR = 0;
	TRY("background region", "ldr r0, [%1]");
	MPU_RNR = 1;
	MPU_RASR = 0;
	region(1, (uint32_t)buffer & 0xf0000000, 26, RW, 0, 0);
	MPU_CTRL = 1;
	ASM("dsb\n\tisb");
	TRY("no background region", "ldr r0, [%1]");
	ASM("cpsid f");
	TRY("FAULTMASK without HFNMIENA", "nop");
	ASM("cpsie f");
	MPU_CTRL = 0;
	ASM("dsb\n\tisb");
}

#if defined(__ARM_ARCH_8M_MAIN__)
static void limit_cases(void)
{
	uint32_t limit;

	ASM("msr psplim, %0" ::"r"((uint32_t)thread_stack + 132));
	ASM("mrs %0, psplim" : "=r"(limit));
	hex("psplim offset", limit - (uint32_t)thread_stack);
	put("process stack limit: ");
	THREAD(2, "adr.w r3, 1f\n\tstr r3, [%4]\n\tsub sp, #120\n\tb 1f\n\t.balign 4\n1:\n\tnop");
	show_log("");
	put("push: ");
	THREAD(2, "adr.w r3, 1f\n\tstr r3, [%4]\n\tsub sp, #80\n\tpush {r0-r8}\n\tb 1f\n\t.balign 4\n1:\n\tnop");
	show_log("");
	ASM("msr psplim, %0" ::"r"(0));
}
#endif

#ifdef HAS_FP
static void float_cases(void)
{
	uint32_t s0, s15, s20, control;

	CPACR = 0;
	ASM("dsb\n\tisb");
	TRY("FPU off", "vmov r0, s0");
	CPACR = 0xf00000;
	ASM("dsb\n\tisb");
	ASM("mrs %0, control" : "=r"(control));
	hex("control", control & 4);
	TRY("FPU on", "vmov s0, r0");
	ASM("mrs %0, control" : "=r"(control));
	hex("control", control & 4);
	put("\n");
	irq_action = 2;
	for (uint32_t lazy = 0; lazy < 2; lazy++) {
		FPCCR = 0x80000000 | lazy << 30;
		ASM("vmov s0, %0\n\tvmov s15, %1\n\tvmov s20, %0" ::"r"(0xabcd), "r"(0x1234));
		ISPR = 1;
		ASM("dsb\n\tisb");
		ASM("vmov %0, s0\n\tvmov %1, s15\n\tvmov %2, s20" : "=r"(s0), "=r"(s15), "=r"(s20));
		note(s0);
		note(s15);
		note(s20);
		show_log(lazy ? "lazy" : "eager");
	}
	irq_action = 0;
	ASM("vmov s0, %0" ::"r"(0x77));
	ISPR = 1;
	ASM("dsb\n\tisb\n\tvmov %0, s0" : "=r"(s0));
	note(s0);
	note(FPCCR & 1);
	show_log("handler without FP");
	ASM("mrs r0, control\n\tbic r0, #4\n\tmsr control, r0\n\tisb" ::: "r0");
	REG(0xe000ef3c) = 0x03000000;
	ASM("vmrs %0, fpscr" : "=r"(s0));
	hex("fpscr of a new context", s0 & 0x07c00000);
	put("\n");
}
#endif

void reset(void)
{
	fault_cases();
	call_cases();
	interrupt_cases();
	monitor_case();
	tick_case();
	thread_cases();
	mpu_cases();
#if defined(__ARM_ARCH_8M_MAIN__)
	limit_cases();
#endif
#ifdef HAS_FP
	float_cases();
#endif
	put("@end\n");
	ASM("movs r0, #0x18\n\tldr r1, =0x20026\n\tbkpt 0xab");
	for (;;) {
	}
}

extern char stack_top[];
__attribute__((section(".vectors"), used, aligned(128))) static void *const vectors[20] = {
	stack_top, reset, fault, fault, fault, fault, fault, 0, 0, 0, 0, svc, 0, 0, pendsv, systick, irq, irq, irq, irq,
};
