/**
 * Virtual time: an instruction is one cycle of the 25 MHz clock, and sleeping or busy waiting skips cycles.
 * The same program therefore sees the same times in every run. The state is one number beside the machine's
 * instruction count; 2^53 cycles are eleven years.
 */
import { CYCLES_PER_SECOND, TICKS_PER_SECOND } from './memory-map';

export const CYCLES_PER_TICK = CYCLES_PER_SECOND / TICKS_PER_SECOND;
const CYCLES_PER_MICROSECOND = CYCLES_PER_SECOND / 1_000_000;

/** Plain record of the clock, part of a snapshot. */
export interface ClockState {
  /** Cycles that passed without instructions. */
  skippedCycles: number;
}

export class VirtualClock {
  constructor(
    readonly state: ClockState,
    private readonly instructionCount: () => number,
  ) {}

  get cycles(): number {
    return this.instructionCount() + this.state.skippedCycles;
  }

  get ticks(): number {
    return Math.floor(this.cycles / CYCLES_PER_TICK);
  }

  get milliseconds(): number {
    return Math.floor((this.ticks * 1000) / TICKS_PER_SECOND);
  }

  /** Nanoseconds since boot, for logs. */
  get nanoseconds(): number {
    return this.cycles * (1e9 / CYCLES_PER_SECOND);
  }

  busyWait(microseconds: number): void {
    this.state.skippedCycles += microseconds * CYCLES_PER_MICROSECOND;
  }

  /**
   * Lets `ticks` full ticks pass: as z_add_timeout does, the tick that is under way does not count, so that the
   * sleep ends at a tick border and is never shorter than asked.
   */
  sleepTicks(ticks: number): void {
    this.sleepUntilTick(this.ticks + ticks + 1);
  }

  sleepUntilTick(tick: number): void {
    const end = tick * CYCLES_PER_TICK;
    if (end > this.cycles) this.state.skippedCycles += end - this.cycles;
  }
}
