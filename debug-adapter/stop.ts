/**
 * A stopped program as requests see it: why it stopped, and its frames, unwound only as far as somebody asks. A client
 * asks for the first frame alone before it asks for the rest.
 */
import { type FrameInfo, unwindStack } from '../lib/dwarf/unwind';
import type { RegisterFile } from '../lib/query';
import type { TargetStop } from '../lib/target/target';
import type { Inferior } from './inferior';

export class Stop {
  private frames: readonly FrameInfo[] = [];
  private complete = false;
  /** Why the stack ends before its outermost frame. */
  problem: string | undefined;

  constructor(
    readonly inferior: Inferior,
    readonly cause: TargetStop,
    private readonly registers: RegisterFile,
    /** Inlined calls at the pc that are not shown as entered. */
    readonly hidden: number,
  ) {}

  /** At least the first `count` frames, if there are so many; `complete` when these are all. */
  async framesTo(count: number): Promise<{ frames: readonly FrameInfo[]; complete: boolean }> {
    if (!this.complete && this.frames.length < count) {
      const { unwindOptions } = this.inferior;
      const options = { ...unwindOptions, limit: count, hiddenInlines: this.hidden };
      const { frames, problem } = await this.inferior.query(unwindStack(this.registers, options));
      this.frames = frames;
      this.complete = frames.length < count;
      if (this.complete) this.problem = problem;
    }
    return { frames: this.frames, complete: this.complete };
  }

  async frame(level: number): Promise<FrameInfo | undefined> {
    return (await this.framesTo(level + 1)).frames.at(level);
  }

  /** What was unwound is wrong once registers or memory have been written. */
  forgetFrames(): void {
    this.frames = [];
    this.complete = false;
  }
}
