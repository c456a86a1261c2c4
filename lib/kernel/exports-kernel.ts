/**
 * Zephyr part of the export table: printk, the kernel heap, time, and the fatal ends. Extensions import the
 * implementations of system calls (z_impl_*), because the public names are inline functions of syscalls headers.
 */
import { row, type ExportRow } from './export-row';

const console: readonly ExportRow[] = [
  row('void printk(const char *fmt, ...)', 'prints formatted text on the console'),
  row('void vprintk(const char *fmt, va_list ap)', 'prints formatted text on the console'),
  row('int snprintk(char *str, size_t size, const char *fmt, ...)', 'formats into a buffer', 'snprintf'),
  row('int vsnprintk(char *str, size_t size, const char *fmt, va_list ap)', 'formats into a buffer', 'vsnprintf'),
  row('void k_str_out(char *c, size_t n)', 'prints n characters on the console'),
  row('void z_impl_k_str_out(char *c, size_t n)', 'prints n characters on the console', 'k_str_out'),
];

const heap: readonly ExportRow[] = [
  row('void *k_malloc(size_t size)', 'allocates from the system heap'),
  row('void *k_calloc(size_t nmemb, size_t size)', 'allocates cleared memory from the system heap'),
  row('void *k_realloc(void *ptr, size_t size)', 'resizes an allocation of the system heap'),
  row('void *k_aligned_alloc(size_t align, size_t size)', 'allocates aligned memory from the system heap'),
  row('void k_free(void *ptr)', 'frees an allocation of k_malloc'),
];

const time: readonly ExportRow[] = [
  row('int64_t k_uptime_get(void)', 'milliseconds since boot'),
  row('uint32_t k_uptime_get_32(void)', 'milliseconds since boot, low 32 bits'),
  row('uint32_t k_uptime_seconds(void)', 'seconds since boot'),
  row('int64_t k_uptime_delta(int64_t *reftime)', 'milliseconds since *reftime, which becomes now'),
  row('int64_t k_uptime_ticks(void)', 'ticks since boot'),
  row('int64_t z_impl_k_uptime_ticks(void)', 'ticks since boot', 'k_uptime_ticks'),
  row('int64_t sys_clock_tick_get(void)', 'ticks since boot', 'k_uptime_ticks'),
  row('uint32_t sys_clock_tick_get_32(void)', 'ticks since boot, low 32 bits'),
  row('uint32_t k_cycle_get_32(void)', 'cycle counter, low 32 bits'),
  row('uint32_t sys_clock_cycle_get_32(void)', 'cycle counter, low 32 bits', 'k_cycle_get_32'),
  row('uint64_t k_cycle_get_64(void)', 'cycle counter'),
  row('uint64_t sys_clock_cycle_get_64(void)', 'cycle counter', 'k_cycle_get_64'),
  row('int sys_clock_hw_cycles_per_sec_runtime_get(void)', 'cycles of one second'),
  row(
    'int z_impl_sys_clock_hw_cycles_per_sec_runtime_get(void)',
    'cycles of one second',
    'sys_clock_hw_cycles_per_sec_runtime_get',
  ),
  row('int64_t sys_clock_timeout_end_calc(k_timeout_t timeout)', 'the tick at which a timeout from now ends'),
  row('int k_sleep(k_timeout_t timeout)', 'sleeps; milliseconds left when woken early'),
  row('int z_impl_k_sleep(k_timeout_t timeout)', 'sleeps; milliseconds left when woken early', 'k_sleep'),
  row('int k_msleep(int ms)', 'sleeps milliseconds'),
  row('int k_usleep(int us)', 'sleeps microseconds, rounded up to ticks'),
  row('int z_impl_k_usleep(int us)', 'sleeps microseconds, rounded up to ticks', 'k_usleep'),
  row('void k_busy_wait(uint32_t usec_to_wait)', 'spins for microseconds'),
  row('void z_impl_k_busy_wait(uint32_t usec_to_wait)', 'spins for microseconds', 'k_busy_wait'),
  row('void k_yield(void)', 'lets other threads of the priority run'),
  row('void z_impl_k_yield(void)', 'lets other threads of the priority run', 'k_yield'),
];

const fatal: readonly ExportRow[] = [
  row('void k_panic(void)', 'fatal error K_ERR_KERNEL_PANIC'),
  row('void k_oops(void)', 'fatal error K_ERR_KERNEL_OOPS'),
  row('void k_fatal_halt(unsigned int reason)', 'halts the system'),
  row('void z_except_reason(unsigned int reason)', 'fatal error with a reason', 'z_fatal_error'),
  row('void z_fatal_error(unsigned int reason, const void *esf)', 'fatal error with a reason'),
  row('void assert_post_action(const char *file, unsigned int line)', 'end of a failed __ASSERT'),
  row('void assert_print(const char *fmt, ...)', 'message of a failed __ASSERT', 'printk'),
  row('void __assert_func(const char *file, int line, const char *func, const char *expr)', 'failed assert()'),
  row('void __assert_no_args(void)', 'failed assert() of a small build'),
  row('void __stack_chk_fail(void)', 'a stack canary was overwritten'),
  row('void z_thread_abort(void *thread)', 'ends a thread'),
  row('void z_impl_k_thread_abort(void *thread)', 'ends a thread', 'z_thread_abort'),
  row('int *z_impl_z_errno(void)', 'address of errno'),
  row('int *z_errno_wrap(void)', 'address of errno', 'z_impl_z_errno'),
  row('int *__errno(void)', 'address of errno', 'z_impl_z_errno'),
  row('int *__aeabi_errno_addr(void)', 'address of errno', 'z_impl_z_errno'),
];

export const kernelExports: readonly ExportRow[] = [...console, ...heap, ...time, ...fatal];
