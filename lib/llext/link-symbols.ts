/**
 * The symbols of the file that is being linked, each looked up at most once (llext-link-fast.ts).
 */
import type { SymCursor } from './elf-records';

/** The file's symbols, and what this load knows of them. */
export interface LinkSymbols {
  readonly cursor: SymCursor;
  readonly count: number;
  readonly S32: Int32Array;
  readonly S64: BigInt64Array;
  readonly state: Uint8Array;
}
