/**
 * A loader over a source that only goes forward, such as a serial line: not one of Zephyr's own, but what its loader
 * interface is for. llext_load reads the section headers, which are at a file's end, before the sections, so what has
 * gone by is kept in `history`; with less than the whole file a seek back to what is gone is -ENOTSUP.
 */
import { Errno } from '../errors';
import type { LlextLoader, LoaderState } from './loader';
import { newLoaderState } from './loader';

export interface StreamSource {
  /** 0 or a negative errno. */
  open?(): number;
  /** At most `length` further bytes; none = the end; or a negative errno. */
  next(length: number): Uint8Array | number;
  close?(): void;
}

export interface StreamLoaderOptions {
  /** Bytes behind the reading position that are kept; everything when absent. */
  readonly history?: number;
}

/** What is asked for at once while bytes are passed over. */
const chunkSize = 4096;

export class StreamLoader implements LlextLoader {
  readonly storage = 'temporary';
  readonly state: LoaderState = newLoaderState();
  /** The kept bytes; the first is the stream's byte `start`. */
  private kept: Uint8Array = new Uint8Array();
  private start = 0n;
  private position = 0n;
  private readonly history: number;

  constructor(
    private readonly source: StreamSource,
    options: StreamLoaderOptions = {},
  ) {
    this.history = options.history ?? Number.MAX_SAFE_INTEGER;
  }

  prepare(): number {
    this.kept = new Uint8Array();
    this.start = 0n;
    this.position = 0n;
    return this.source.open?.() ?? 0;
  }

  /** Bytes are not fetched before they are read, so that a seek alone never fails for the stream's end. */
  seek(position: bigint): number {
    if (position < this.start) return -Errno.ENOTSUP;
    this.position = position;
    return 0;
  }

  read(length: bigint): Uint8Array | number {
    const end = this.position + length;
    const fetched = this.fetchUpTo(end);
    if (fetched !== 0) return fetched;
    const from = Number(this.position - this.start);
    const bytes = this.kept.slice(from, from + Number(length));
    this.position = end;
    this.forget();
    return bytes;
  }

  finalize(): void {
    this.source.close?.();
  }

  /** -EIO when the stream ends before. */
  private fetchUpTo(end: bigint): number {
    const parts = [this.kept];
    let have = this.start + BigInt(this.kept.length);
    while (have < end) {
      const wanted = end - have < BigInt(chunkSize) ? Number(end - have) : chunkSize;
      const part = this.source.next(wanted);
      if (typeof part === 'number') return part;
      if (part.length === 0) break;
      parts.push(part);
      have += BigInt(part.length);
    }
    if (parts.length > 1) this.kept = joined(parts);
    return have < end ? -Errno.EIO : 0;
  }

  private forget(): void {
    const behind = Number(this.position - this.start) - this.history;
    if (behind <= 0) return;
    this.kept = this.kept.slice(behind);
    this.start += BigInt(behind);
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
