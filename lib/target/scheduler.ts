/**
 * Gives the event loop a turn between two slices of a run, so that a pause request is seen. Injected, because the
 * best way depends on where the adapter runs; setTimeout exists everywhere.
 */
export interface Scheduler {
  /** Resolves after other events had their turn. */
  yield(): Promise<void>;
  /** Milliseconds that only grow. */
  now(): number;
}

export const timerScheduler: Scheduler = {
  yield: () => new Promise((resolve) => setTimeout(resolve, 0)),
  now: () => performance.now(),
};
