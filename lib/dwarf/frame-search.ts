/**
 * The FDE of a function in a large .debug_frame (6.4.1), found by the bytes of the function's address and size instead of by going from
 * entry to entry: they stand as initial_location and address_range behind a length and the offset of a CIE, and what is taken for them
 * must have a CIE there.
 */
import { encodeInteger } from '../bytes';
import type { AddressRange } from './model';
import type { DwarfSections } from './sections';

const section = '.debug_frame';
/** Smaller ones are looked through in no time. */
const worthwhile = 0x20000;
/** Whoever asks for more frames is given what has been looked through. */
const mostSearches = 6;
/** Bytes of length and CIE_pointer. */
const before = 8;

export class FrameSearch {
  private searches = 0;

  constructor(private readonly sections: DwarfSections) {}

  /** So much has been looked through. */
  isWorthwhile(looked: number): boolean {
    const isLarge = this.sections.sizeOf(section) - looked >= worthwhile;
    return isLarge && this.sections.addressSize === 4 && this.searches < mostSearches;
  }

  /** Offsets of entries that look like FDEs of some code. */
  placesOf({ start, end }: AddressRange): readonly number[] {
    this.searches++;
    const { littleEndian } = this.sections;
    const size = this.sections.sizeOf(section);
    const found: number[] = [];
    const words = [start, end - start].map((word) => encodeInteger(word, 4, littleEndian));
    this.sections.search(section, Uint8Array.of(...words[0], ...words[1]), (at) => {
      if (at >= before) found.push(at - before);
    });
    return found.filter((place) => this.isFde(place, size));
  }

  private isFde(place: number, size: number): boolean {
    const length = this.word(place);
    const cie = this.word(place + 4);
    if (length % 4 !== 0 || length < before + 4 || place + 4 + length > size) return false;
    // Up to the sizes that version 4 has behind the augmentation.
    if (cie % 4 !== 0 || cie + 12 > size || this.word(cie + 4) !== 0xffffffff) return false;
    const { start, bytes } = this.sections.window(section, cie, cie + 12);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return isPlainCie(view, cie + 8 - start, this.sections.addressSize);
  }

  private word(at: number): number {
    const { littleEndian } = this.sections;
    const { start, bytes } = this.sections.window(section, at, at + 4);
    return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(at - start, littleEndian);
  }
}

/** From the version on: addresses of 4 bytes, and no augmentation that says how they are written. */
export function isPlainCie(view: DataView, at: number, addressSize: number): boolean {
  const version = view.getUint8(at);
  if (view.getUint8(at + 1) !== 0) return false;
  if (version === 1 || version === 3) return addressSize === 4;
  return version === 4 && view.getUint8(at + 2) === 4 && view.getUint8(at + 3) === 0;
}
