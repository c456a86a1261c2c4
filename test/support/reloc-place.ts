/** One relocation at one place in host memory, by the rows of a CPU: what vectors and explanations are checked on. */
import { applyRelocation } from '../../lib/llext/reloc/apply';
import type { RelocationInput, RelocationMode, RelocationResult, Relocator } from '../../lib/llext/reloc/relocator';

export interface PlaceVector {
  readonly type: number;
  readonly before: readonly number[];
  readonly S: bigint;
  readonly A?: bigint;
  readonly P: bigint;
  readonly B?: bigint;
  readonly thumb?: boolean;
  readonly profile?: RelocationInput['profile'];
  readonly mode?: RelocationMode;
  readonly bigEndian?: boolean;
}

export function inputOf(vector: PlaceVector, pointerSize: 4 | 8, bytes: Uint8Array): RelocationInput {
  const { type, S, A = 0n, P, B = 0n, thumb = false, profile = 'V41', mode = 'exact', bigEndian = false } = vector;
  const place = { view: new DataView(bytes.buffer), at: 0, littleEndian: !bigEndian };
  return { mode, profile, pointerSize, place, type, S, A, P, B, thumb, symbol: 's' };
}

export function applyAt(
  relocator: Relocator,
  pointerSize: 4 | 8,
  vector: PlaceVector,
): RelocationResult & { readonly bytes: number[] } {
  const bytes = Uint8Array.from(vector.before);
  const result = applyRelocation(relocator, inputOf(vector, pointerSize, bytes));
  return { ...result, bytes: [...bytes] };
}
