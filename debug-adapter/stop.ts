/**
 * A stopped program as requests see it: why it stopped, and its frames, unwound only as far as somebody asks. A client
 * asks for the first frame alone before it asks for the rest.
 */
import { type FrameInfo, unwindStack } from '../lib/dwarf/unwind';
import type { RegisterFile } from '../lib/query';
import type { TargetStop } from '../lib/target/target';
import type { Inferior } from './inferior';
import type { Returned } from './stepping';

export class Stop {
  private frames: readonly FrameInfo[] = [];
  private complete = false;
  /** Why the stack ends before its outermost frame. */
  problem: string | undefined;

  constructor(
    readonly inferior: Inferior,
    readonly cause: TargetStop,
    private registers: RegisterFile,
    /** Inlined calls at the pc that are not shown as entered. */
    private hiddenInlines: number,
    /** Set after a step out: whose result is in the registers. */
    readonly returned?: Returned,
  ) {}

  get registerFile(): RegisterFile {
    return this.registers;
  }

  get hidden(): number {
    return this.hiddenInlines;
  }

  /** At least the first `count` frames, if there are so many; `complete` when these are all. */
  async framesTo(count: number): Promise<{ frames: readonly FrameInfo[]; complete: boolean }> {
    if (!this.complete && this.frames.length < count) {
      const { unwindOptions } = this.inferior;
      const options = { ...unwindOptions, limit: count, hiddenInlines: this.hiddenInlines };
      const { frames, problem } = await this.inferior.query(unwindStack(this.registers, options));
      this.frames = frames.map((frame, level) => this.withStatementLine(frame, level, frames));
      this.complete = frames.length < count;
      if (this.complete) this.problem = problem;
    }
    return { frames: this.frames, complete: this.complete };
  }

  async frame(level: number): Promise<FrameInfo | undefined> {
    return (await this.framesTo(level + 1)).frames.at(level);
  }

  /**
   * Of several line table rows at one address the unwinder takes the last; users are shown the statement among them, as
   * breakpoints and steps have it. Frames that stand at an inlined call have the line of that call already.
   */
  private withStatementLine(frame: FrameInfo, level: number, frames: readonly FrameInfo[]): FrameInfo {
    const atCall = level === 0 ? this.hiddenInlines > 0 : frames[level - 1].frame === frame.frame;
    const position = atCall ? undefined : this.inferior.programAt(frame.lookupPc)?.sourceAt(frame.lookupPc);
    if (position === undefined) return frame;
    // A caller's column is that of the call.
    const { line, file } = frame.position ?? {};
    return level > 0 && position.line === line && position.file === file ? frame : { ...frame, position };
  }

  /** After registers have been written. */
  async refresh(): Promise<void> {
    const { programCounter } = this.inferior.unwindOptions.machine.registers;
    const pc = this.registers.get(programCounter);
    this.registers = await this.inferior.target.registerFile();
    if (this.registers.get(programCounter) !== pc) this.hiddenInlines = 0;
    this.forgetFrames();
  }

  /** What was unwound is wrong once registers or memory have been written. */
  forgetFrames(): void {
    this.frames = [];
    this.complete = false;
  }
}
