/**
 * Fields that more than one CPU has: whole words, and bits of a 16- or 32-bit instruction. A field says how many bytes
 * it touches and how a value goes in and comes out; formulas and ranges are the rows'.
 */
import type { Field, Place } from './relocator';

export function signExtend(value: number, width: number): number {
  return (value << (32 - width)) >> (32 - width);
}

const u32 = ({ view, at, littleEndian }: Place): number => view.getUint32(at, littleEndian);
const i32 = ({ view, at, littleEndian }: Place): number => view.getInt32(at, littleEndian);
const setU32 = ({ view, at, littleEndian }: Place, value: number): void => {
  view.setUint32(at, value, littleEndian);
};
const u16 = ({ view, at, littleEndian }: Place): number => view.getUint16(at, littleEndian);
const setU16 = ({ view, at, littleEndian }: Place, value: number): void => {
  view.setUint16(at, value, littleEndian);
};

/** Nothing is read or written. */
export const nothing: Field = { size: 0, text: '-', write: () => undefined };

export const word8: Field = {
  size: 1,
  text: '8 bits',
  read: ({ view, at }) => view.getInt8(at),
  write: ({ view, at }, value) => {
    view.setUint8(at, value);
  },
};

export const word16: Field = { size: 2, text: '16 bits', read: (place) => signExtend(u16(place), 16), write: setU16 };

export const word32: Field = { size: 4, text: '32 bits', read: i32, write: setU32 };

export const word64: Field = {
  size: 8,
  text: '64 bits',
  write: (place, value) => {
    place.view.setBigInt64(place.at, BigInt(value | 0), place.littleEndian);
  },
  read64: ({ view, at, littleEndian }) => view.getBigInt64(at, littleEndian),
  write64: ({ view, at, littleEndian }, value) => {
    view.setBigInt64(at, value, littleEndian);
  },
};

/** Bits of a 32-bit instruction: `encode` spreads a value over the bits of `mask`. */
export function bits32(text: string, mask: number, encode: (value: number) => number): Field {
  return {
    size: 4,
    text,
    write: (place, value) => {
      setU32(place, (u32(place) & ~mask) | (encode(value) & mask));
    },
  };
}

/** The same for a 16-bit instruction. */
export function bits16(text: string, mask: number, encode: (value: number) => number): Field {
  return {
    size: 2,
    text,
    write: (place, value) => {
      setU16(place, (u16(place) & ~mask) | (encode(value) & mask));
    },
  };
}

/** The same field, from which the addend of SHT_REL is read too. */
export function withAddend(field: Field, decode: (instruction: number) => number): Field {
  return { ...field, read: (place) => decode(i32(place)) };
}
