/**
 * Frames whose variables are watched. A frame is known by its canonical frame address and function; it ends when its caller goes on
 * with its own stack pointer, as gdb sees it, and with it end the data breakpoints on what was in it.
 */
import { unwindStack } from '../lib/dwarf/unwind';
import type { Frame } from '../lib/dwarf/unwind-frame';
import type { Inferior } from './inferior';
import type { SessionState } from './session-state';

export interface WatchedFrame {
  readonly number: number;
  readonly inferior: Inferior;
  /** Of its function. */
  readonly name: string;
  readonly cfa: bigint;
  readonly entry: bigint | undefined;
  /** Where it returns to; undefined when that is the host, which ends the run. */
  readonly caller: { readonly pc: bigint; readonly sp: bigint } | undefined;
}

export class WatchedFrames {
  private readonly known: WatchedFrame[] = [];

  constructor(private readonly session: Pick<SessionState, 'inferior'>) {}

  get(number: number): WatchedFrame | undefined {
    return this.known.at(number);
  }

  /** The frame that an address on the stack is in. */
  async ofAddress(address: bigint): Promise<WatchedFrame | undefined> {
    const { inferior } = this.session;
    if (inferior === undefined) return undefined;
    const { base, size } = inferior.target.kernel.image.map.stack;
    if (address < BigInt(base) || address >= BigInt(base + size)) return undefined;
    const frames = await this.physicalFrames(inferior);
    const level = frames.findIndex((frame) => (frame.cfa() ?? 0n) > address);
    if (level < 0) return undefined;
    const frame = frames[level];
    const cfa = frame.cfa() ?? 0n;
    const entry = entryOf(frame);
    const same = this.known.find((one) => one.inferior === inferior && one.cfa === cfa && one.entry === entry);
    if (same !== undefined) return same;
    const caller = frames.at(level + 1);
    const sp = caller?.registers.get(caller.machine.registers.stackPointer);
    const found: WatchedFrame = {
      number: this.known.length,
      inferior,
      name: frame.function === undefined ? (inferior.symbolText(frame.pc) ?? 'a function') : `${frame.function.name}()`,
      cfa,
      entry,
      caller: caller?.module === undefined || sp === undefined ? undefined : { pc: caller.pc, sp },
    };
    this.known.push(found);
    return found;
  }

  /** Whether it is on the stack of the stopped program. */
  async isAlive({ inferior, cfa, entry }: WatchedFrame): Promise<boolean> {
    if (inferior !== this.session.inferior) return false;
    const frames = await this.physicalFrames(inferior);
    return frames.some((frame) => frame.cfa() === cfa && entryOf(frame) === entry);
  }

  private async physicalFrames(inferior: Inferior): Promise<Frame[]> {
    const registers = await inferior.target.registerFile();
    const { frames } = await inferior.query(unwindStack(registers, inferior.unwindOptions));
    return [...new Set(frames.map(({ frame }) => frame))];
  }
}

function entryOf(frame: Frame): bigint | undefined {
  return frame.function && frame.module?.toLoad(frame.function.entryPc);
}
