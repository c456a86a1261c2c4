/**
 * Time, the kernel heap and the fatal ends of Zephyr, on virtual time and the system heap in guest memory.
 * There is one thread: a sleep lets time pass at once, and what can never be woken ends the program with the reason.
 */
import { decodeText } from '../../bytes';
import type { HostAbort, HostCall, HostImplementation, ImplementationTable } from '../host-call';
import { CYCLES_PER_SECOND, TICKS_PER_SECOND } from '../memory-map';

/** K_TICKS_FOREVER. */
const FOREVER = -1n;
const U32 = 2 ** 32;

const abort = (message: string): HostAbort => ({ kind: 'abort', message });

/** k_timeout_t below K_TICKS_FOREVER is an absolute tick: Z_TICK_ABS(t) = -2 - t. */
function sleep(call: HostCall): number | HostAbort {
  const timeout = call.i64(0);
  const { clock } = call.kernel;
  if (timeout === FOREVER) return abort(`${call.name}(K_FOREVER): the only thread would sleep forever`);
  if (timeout < FOREVER) clock.sleepUntilTick(Number(-2n - timeout));
  else if (timeout > 0n) clock.sleepTicks(Number(timeout));
  return 0;
}

const ceilingTicks = (count: number, perSecond: number): number => Math.ceil((count * TICKS_PER_SECOND) / perSecond);

function sleepFor(perSecond: number): HostImplementation {
  return (call) => {
    const ticks = ceilingTicks(Math.max(0, call.i32(0)), perSecond);
    if (ticks > 0) call.kernel.clock.sleepTicks(ticks);
    return 0;
  };
}

function timeoutEnd(call: HostCall): bigint {
  const timeout = call.i64(0);
  if (timeout === FOREVER) return 0x7fff_ffff_ffff_ffffn;
  return timeout < FOREVER ? -2n - timeout : BigInt(call.kernel.clock.ticks) + timeout;
}

const timeImplementations: ImplementationTable = {
  k_uptime_get: (call) => BigInt(call.kernel.clock.milliseconds),
  k_uptime_get_32: (call) => call.kernel.clock.milliseconds % U32,
  k_uptime_seconds: (call) => Math.floor(call.kernel.clock.ticks / TICKS_PER_SECOND),
  k_uptime_delta(call) {
    const name = call.parameter(0);
    const before = call.bytes(0, 8);
    call.checkWrite(0, 8);
    const view = new DataView(before.buffer, before.byteOffset);
    const now = BigInt(call.kernel.clock.milliseconds);
    const delta = now - view.getBigInt64(0, true);
    view.setBigInt64(0, now, true);
    call.memory.write(call.u32(0), before, name);
    return delta;
  },
  k_uptime_ticks: (call) => BigInt(call.kernel.clock.ticks),
  sys_clock_tick_get_32: (call) => call.kernel.clock.ticks % U32,
  k_cycle_get_32: (call) => call.kernel.clock.cycles % U32,
  k_cycle_get_64: (call) => BigInt(call.kernel.clock.cycles),
  sys_clock_hw_cycles_per_sec_runtime_get: () => CYCLES_PER_SECOND,
  sys_clock_timeout_end_calc: timeoutEnd,
  k_sleep: sleep,
  k_msleep: sleepFor(1000),
  k_usleep: sleepFor(1_000_000),
  k_busy_wait(call) {
    call.kernel.clock.busyWait(call.u32(0));
    return undefined;
  },
  k_yield: () => undefined,
};

const heapImplementations: ImplementationTable = {
  k_malloc: (call) => call.kernel.heap.kMalloc(call.u32(0)),
  k_calloc: (call) => call.kernel.heap.kCalloc(call.u32(0), call.u32(1)),
  k_realloc: (call) => call.kernel.heap.kRealloc(call.name, call.u32(0), call.u32(1)),
  k_aligned_alloc(call) {
    const align = call.u32(0);
    if (align < 4 || (align & (align - 1)) !== 0) {
      return { kind: 'misuse', message: `${call.name}: align ${align} is not a power of two of at least 4` };
    }
    return call.kernel.heap.kMalloc(call.u32(1), align);
  },
  k_free: (call) => call.kernel.heap.kFree(call.name, call.u32(0)),
  malloc: (call) => call.kernel.heap.malloc(call.u32(0)),
  calloc: (call) => call.kernel.heap.calloc(call.u32(0), call.u32(1)),
  realloc: (call) => call.kernel.heap.realloc(call.name, call.u32(0), call.u32(1)),
  aligned_alloc: (call) => call.kernel.heap.malloc(call.u32(1), call.u32(0)),
  free: (call) => call.kernel.heap.free(call.name, call.u32(0)),
};

/** enum k_fatal_error_reason. */
const fatalReasons = [
  'K_ERR_CPU_EXCEPTION',
  'K_ERR_SPURIOUS_IRQ',
  'K_ERR_STACK_CHK_FAIL',
  'K_ERR_KERNEL_OOPS',
  'K_ERR_KERNEL_PANIC',
];

const fatalReason = (reason: number): string => `fatal error ${reason}: ${fatalReasons[reason] ?? 'unknown reason'}`;

/** A message's text argument, however broken its pointer is. */
function textOf(call: HostCall, index: number): string {
  return call.u32(index) === 0 ? '' : decodeText(call.string(index));
}

const fatalImplementations: ImplementationTable = {
  abort: () => abort('abort() was called'),
  exit: (call) => abort(`exit(${call.i32(0)}) was called`),
  k_panic: () => abort(fatalReason(4)),
  k_oops: () => abort(fatalReason(3)),
  k_fatal_halt: (call) => abort(fatalReason(call.u32(0))),
  z_fatal_error: (call) => abort(fatalReason(call.u32(0))),
  assert_post_action: (call) => abort(`ASSERTION FAIL at ${textOf(call, 0)}:${call.u32(1)}`),
  __assert_func(call) {
    const [file, func, expression] = [textOf(call, 0), textOf(call, 2), textOf(call, 3)];
    return abort(`assertion "${expression}" failed: file "${file}", line ${call.i32(1)}, function: ${func}`);
  },
  __assert_no_args: () => abort('assertion failed'),
  __stack_chk_fail: () => abort('stack smashing detected: the canary of a function was overwritten'),
  z_thread_abort: (call) => abort(`k_thread_abort(0x${call.u32(0).toString(16)}): the only thread ends`),
  z_impl_z_errno: (call) => call.kernel.map.errno,
};

export const kernelImplementations: ImplementationTable = {
  ...timeImplementations,
  ...heapImplementations,
  ...fatalImplementations,
};
