/**
 * Directed vectors: for every decoder row, what an instruction does from a given state, as native Unicorn executed it.
 * They are committed (test/fixtures/thumb-vectors*.json, one file an extension), so that the suite runs without Unicorn and on every engine.
 * Made anew by `npx tsx test/support/make-thumb-vectors.ts`.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Row } from '../../lib/emulator/arm/rows';
import { codeBase, dataBase, dataSize } from './lockstep';

export interface Vector {
  readonly row: string;
  readonly cpu: string;
  readonly code: readonly string[];
  /** r0..r12, sp, lr, then the xPSR's N Z C V Q and GE, then s0..s31 and fpscr; hexadecimal. */
  readonly before: readonly string[];
  /** The registers that are different afterwards. */
  readonly after: Readonly<Record<string, string>>;
  /** Bytes that are different afterwards: from the first to the last. */
  readonly memory?: { readonly at: string; readonly bytes: string };
}

export const vectorAddress = codeBase + 0x80;
/** Rows of the base architectures, and of each extension. */
export const vectorSets = ['base', 'dsp', 'fp'] as const;
export type VectorSet = (typeof vectorSets)[number];

export const vectorsPath = (set: VectorSet) =>
  join(__dirname, `../fixtures/thumb-vectors${set === 'base' ? '' : `-${set}`}.json`);

/** Rows of several profiles may share a name. */
export const rowKey = (row: Row) => `${row.name} [${row.bits}]`;

/** The data before every vector. */
export function vectorData(): Uint8Array {
  return new Uint8Array(dataSize).map((_, i) => (i * 7 + (i >> 8) * 13 + 3) & 0xff);
}

export function readVectors(): readonly Vector[] {
  return vectorSets.flatMap((set) => JSON.parse(readFileSync(vectorsPath(set), 'utf8')) as Vector[]);
}

/** First to last byte that differ. */
export function changedBytes(before: Uint8Array, after: Uint8Array): Vector['memory'] {
  const first = after.findIndex((byte, i) => byte !== before[i]);
  if (first < 0) return undefined;
  let last = after.length - 1;
  while (after[last] === before[last]) last--;
  const at = `0x${(dataBase + first).toString(16)}`;
  return { at, bytes: Buffer.from(after.subarray(first, last + 1)).toString('hex') };
}
