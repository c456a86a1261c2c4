/**
 * Floating-point numbers of the target: IEEE 754 binary16, binary32, binary64, and binary128 and x87 extended
 * rounded to a JavaScript number.
 */
import { decodeUnsigned, encodeInteger } from '../bytes';

export interface FloatLayout {
  readonly exponentBits: number;
  readonly fractionBits: number;
  /** x87: the leading 1 is stored. */
  readonly explicitOne: boolean;
}

export function floatLayout(byteSize: number): FloatLayout {
  switch (byteSize) {
    case 2:
      return { exponentBits: 5, fractionBits: 10, explicitOne: false };
    case 4:
      return { exponentBits: 8, fractionBits: 23, explicitOne: false };
    case 8:
      return { exponentBits: 11, fractionBits: 52, explicitOne: false };
    case 10:
    case 12:
      return { exponentBits: 15, fractionBits: 64, explicitOne: true };
    default:
      return { exponentBits: 15, fractionBits: 112, explicitOne: false };
  }
}

export interface FloatParts {
  readonly negative: boolean;
  /** Biased. */
  readonly exponent: number;
  readonly fraction: bigint;
  readonly layout: FloatLayout;
}

export function floatParts(bytes: Uint8Array, littleEndian: boolean): FloatParts {
  const layout = floatLayout(bytes.length);
  const bits = decodeUnsigned(bytes, littleEndian);
  const fraction = BigInt.asUintN(layout.fractionBits, bits);
  const exponent = Number(BigInt.asUintN(layout.exponentBits, bits >> BigInt(layout.fractionBits)));
  const sign = (bits >> BigInt(layout.fractionBits + layout.exponentBits)) & 1n;
  return { negative: sign === 1n, exponent, fraction, layout };
}

export function decodeFloat(bytes: Uint8Array, littleEndian: boolean): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length === 4) return view.getFloat32(0, littleEndian);
  if (bytes.length === 8) return view.getFloat64(0, littleEndian);
  const { negative, exponent, fraction, layout } = floatParts(bytes, littleEndian);
  const largest = 2 ** layout.exponentBits - 1;
  const scaleBits = layout.explicitOne ? layout.fractionBits - 1 : layout.fractionBits;
  const mantissa = layout.explicitOne ? BigInt.asUintN(63, fraction) : fraction;
  const sign = negative ? -1 : 1;
  if (exponent === largest) return mantissa === 0n ? sign * Infinity : NaN;
  const bias = 2 ** (layout.exponentBits - 1) - 1;
  const whole = exponent === 0 || layout.explicitOne ? fraction : fraction | (1n << BigInt(layout.fractionBits));
  return sign * Number(whole) * 2 ** (Math.max(exponent, 1) - bias - scaleBits);
}

/** Rounds to the size; sizes other than 4 and 8 from the binary64 number. */
export function encodeFloat(value: number, byteSize: number, littleEndian: boolean): Uint8Array {
  const bytes = new Uint8Array(byteSize);
  const view = new DataView(bytes.buffer);
  if (byteSize === 4) view.setFloat32(0, value, littleEndian);
  else if (byteSize === 8) view.setFloat64(0, value, littleEndian);
  else return encodeWide(value, byteSize, littleEndian);
  return bytes;
}

function encodeWide(value: number, byteSize: number, littleEndian: boolean): Uint8Array {
  const layout = floatLayout(byteSize);
  const source = new DataView(new ArrayBuffer(8));
  source.setFloat64(0, value);
  const bits = source.getBigUint64(0);
  const exponent = Number((bits >> 52n) & 0x7ffn);
  const fraction = BigInt.asUintN(52, bits);
  const bias = 2 ** (layout.exponentBits - 1) - 1;
  const largest = 2 ** layout.exponentBits - 1;
  const one = layout.explicitOne ? 1n << BigInt(layout.fractionBits - 1) : 0n;
  const room = layout.explicitOne ? layout.fractionBits - 1 : layout.fractionBits;
  const scaled = room >= 52 ? fraction << BigInt(room - 52) : fraction >> BigInt(52 - room);
  let biased = exponent - 1023 + bias;
  let stored = scaled | one;
  if (exponent === 0x7ff || biased >= largest) {
    biased = largest;
    stored = one | (exponent === 0x7ff ? scaled : 0n);
  } else if (exponent === 0 || biased <= 0) {
    biased = 0;
    stored = 0n;
  }
  const sign = (bits >> 63n) << BigInt(layout.exponentBits + layout.fractionBits);
  const word = sign | (BigInt(biased) << BigInt(layout.fractionBits)) | stored;
  return encodeInteger(word, byteSize, littleEndian);
}
