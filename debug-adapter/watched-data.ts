/**
 * What a data breakpoint watches, as the client keeps it: a dataId is the text of a DataPlace. Objects of file scope (and
 * static ones in functions) are named, so that they are found again in another load or another session; what lies in a frame is
 * only meant as long as that frame lives, which a number of this session stands for.
 */

/** Bits from the first byte of the place on. */
export interface BitRange {
  readonly bitOffset: number;
  readonly bitSize: number;
}

interface AnyPlace {
  /** As the user named it. */
  readonly text: string;
  /** Bytes. */
  readonly length: number;
  readonly bits?: BitRange;
}

export type DataPlace = AnyPlace &
  (
    | {
        readonly kind: 'static';
        /** Name of the extension; '' = the base image. */
        readonly module: string;
        /** The text is an expression that means the object at file scope. Else the symbol says where it is. */
        readonly isExpression: boolean;
        readonly symbol?: string;
        readonly offset?: number;
        /** Link address, for symbols of which there are several. */
        readonly link: string;
      }
    | { readonly kind: 'address'; readonly address: string }
    /** Number of a frame that dataBreakpointInfo has met. */
    | { readonly kind: 'frame'; readonly address: string; readonly frame: number }
  );

/** Larger ranges are a mistake more often than not, and their tables cost memory. */
export const longestWatch = 16 << 20;

export function dataIdOf(place: DataPlace): string {
  return JSON.stringify(place);
}

/** undefined: no dataId of this adapter. */
export function parseDataId(dataId: string): DataPlace | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(dataId);
  } catch {
    return undefined;
  }
  if (typeof parsed !== 'object' || parsed === null) return undefined;
  const fields = parsed as Record<string, unknown>;
  const { kind, text, length, bits } = fields;
  const isSized = typeof length === 'number' && Number.isInteger(length) && length > 0 && length <= longestWatch;
  if (typeof text !== 'string' || !isSized || !(bits === undefined || isBitRange(bits))) return undefined;
  const isAddress = (value: unknown): boolean => typeof value === 'string' && /^0x[0-9a-f]{1,8}$/.test(value);
  const isKnown =
    (kind === 'static' &&
      typeof fields['module'] === 'string' &&
      typeof fields['isExpression'] === 'boolean' &&
      isAddress(fields['link'])) ||
    (kind === 'address' && isAddress(fields['address'])) ||
    (kind === 'frame' && isAddress(fields['address']) && typeof fields['frame'] === 'number');
  return isKnown ? (parsed as DataPlace) : undefined;
}

function isBitRange(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { bitOffset, bitSize } = value as Record<string, unknown>;
  return typeof bitOffset === 'number' && typeof bitSize === 'number' && bitOffset >= 0 && bitSize > 0;
}

/** Whether the bits differ; `start`: of the bytes, counted from the place's first one. */
export function bitsDiffer({ bitOffset, bitSize }: BitRange, start: number, a: Uint8Array, b: Uint8Array): boolean {
  for (let bit = bitOffset; bit < bitOffset + bitSize; bit++) {
    const at = (bit >> 3) - start;
    if (at >= 0 && at < a.length && ((a[at] ^ b[at]) & (1 << (bit & 7))) !== 0) return true;
  }
  return false;
}
