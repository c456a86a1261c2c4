/**
 * Functions of a real base image that cannot work in a session: no kernel has booted, so there are no threads, no
 * scheduler, no timer interrupt and no initialised devices. They stop the session where they are called. All other
 * functions of the image run as the code that they are; one that reaches for a peripheral stops there.
 */
const patterns: readonly RegExp[] = [
  // Kernel objects and threads; initialisers only fill a structure.
  /^(z_impl_|z_vrfy_|z_mrsh_)?k_(?!\w*_init$)/,
  /^(z_impl_|z_vrfy_|z_mrsh_)?device_/,
  // What the scheduler and the timer are made of.
  /^z_(swap|do_swap|pend|unpend|ready|resched|sched|thread|time_slice|add_timeout|abort_timeout|timeout|tick_sleep|log)/,
  /^arch_(swap|switch|new_thread|thread|irq|cpu_idle|cpu_atomic_idle|sched)/,
  /^sys_(clock|mutex|sem|timepoint|work)/,
];

export function needsKernel(name: string): boolean {
  return patterns.some((pattern) => pattern.test(name));
}
