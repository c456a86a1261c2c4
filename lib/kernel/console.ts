/**
 * What the extension prints, gathered to lines: one event a line, with the return address of the call that began it.
 * A line that is not finished yet is kept and given by flush(), at every stop of the target. All of the state is a
 * plain record.
 */
import { decodeText } from '../bytes';
import type { OutputStream } from './host-call';

export interface OutputEvent {
  readonly text: string;
  readonly stream: OutputStream;
  /** Return address (bit 0 clear) of the call that printed the beginning of this text. */
  readonly callerPc: bigint;
}

export interface ConsoleState {
  pending: number[];
  stream: OutputStream;
  callerPc: number;
}

const NEWLINE = 10;

export class Console {
  constructor(
    readonly state: ConsoleState,
    private readonly listener: (event: OutputEvent) => void,
  ) {}

  print(bytes: Uint8Array, stream: OutputStream, callerPc: number): void {
    const { state } = this;
    if (state.pending.length > 0 && state.stream !== stream) this.emit(state.pending.length);
    for (const byte of bytes) {
      if (state.pending.length === 0) Object.assign(state, { stream, callerPc });
      state.pending.push(byte);
      if (byte === NEWLINE) this.emit(state.pending.length);
    }
  }

  /** Gives an unfinished line; the beginning of a UTF-8 sequence at its end waits for the rest. */
  flush(): void {
    const complete = this.state.pending.length - unfinishedCharacter(this.state.pending);
    if (complete > 0) this.emit(complete);
  }

  private emit(length: number): void {
    const { state } = this;
    const text = decodeText(Uint8Array.from(state.pending.slice(0, length)));
    state.pending = state.pending.slice(length);
    this.listener({ text, stream: state.stream, callerPc: BigInt(state.callerPc) });
  }
}

/** How many bytes at the end begin a UTF-8 sequence that is longer than what is there. */
function unfinishedCharacter(bytes: readonly number[]): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back];
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) {
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return length > back ? back : 0;
    }
  }
  return 0;
}
