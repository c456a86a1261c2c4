/**
 * What the extension prints, gathered to lines: one event a line, with the return address of the call that began it.
 * A line that is not finished yet is kept and given by flush(), at every stop of the target.
 *
 * The state of a snapshot is only how much was written. A machine that is set back writes the same again, and that is not
 * given again: what is beyond the furthest byte is.
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
  /** Bytes so far; a machine that is set back has written fewer. */
  written: number;
}

const NEWLINE = 10;

export class Console {
  /** The most bytes that were ever written: the others have been given, or are pending. */
  private furthest = 0;
  private pending: number[] = [];
  private stream: OutputStream = 'console';
  private callerPc = 0;
  private aside: Console | undefined;

  constructor(
    readonly state: ConsoleState,
    private readonly listener: (event: OutputEvent) => void,
  ) {}

  /** What is written from now on is no part of the program's output; undefined: it is again. */
  writeAside(listener: ((event: OutputEvent) => void) | undefined): void {
    this.aside?.flush();
    this.aside = listener && new Console({ written: 0 }, listener);
  }

  print(bytes: Uint8Array, stream: OutputStream, callerPc: number): void {
    if (this.aside !== undefined) return this.aside.print(bytes, stream, callerPc);
    const known = Math.min(bytes.length, Math.max(0, this.furthest - this.state.written));
    this.state.written += bytes.length;
    if (known === bytes.length) return;
    this.furthest = this.state.written;
    if (this.pending.length > 0 && this.stream !== stream) this.emit(this.pending.length);
    for (const byte of bytes.subarray(known)) {
      if (this.pending.length === 0) Object.assign(this, { stream, callerPc });
      this.pending.push(byte);
      if (byte === NEWLINE) this.emit(this.pending.length);
    }
  }

  /** From here on the program may write something else than it did before: it is given. */
  startAnew(): void {
    this.flush();
    this.pending = [];
    this.furthest = this.state.written;
  }

  /** Gives an unfinished line; the beginning of a UTF-8 sequence at its end waits for the rest. */
  flush(): void {
    const complete = this.pending.length - unfinishedCharacter(this.pending);
    if (complete > 0) this.emit(complete);
  }

  private emit(length: number): void {
    const text = decodeText(Uint8Array.from(this.pending.slice(0, length)));
    this.pending = this.pending.slice(length);
    this.listener({ text, stream: this.stream, callerPc: BigInt(this.callerPc) });
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
