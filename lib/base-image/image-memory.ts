/**
 * A linked ELF's memory as it is before anything runs: allocated sections at their addresses, sections without file
 * contents as zeros, and for a position-independent one its relative relocations applied at load address 0.
 */
import { decodeText, decodeUnsigned, encodeInteger } from '../bytes';
import { EM_386, EM_AARCH64, EM_ARM, EM_RISCV, EM_X86_64, SHF_ALLOC, SHF_EXECINSTR, SHF_WRITE } from '../elf/constants';
import { SHT_NOBITS, SHT_NULL, SHT_REL, SHT_RELA } from '../elf/constants';
import type { ElfFile } from '../elf/elf-file';
import { FormatError } from '../errors';

export interface ImageSection {
  readonly name: string;
  readonly address: bigint;
  readonly size: number;
  readonly writable: boolean;
  readonly executable: boolean;
  /** undefined: zeros. */
  readonly bytes: Uint8Array | undefined;
}

/** R_*_RELATIVE: the word at the place is the load address plus the addend. */
const relativeTypes: ReadonlyMap<number, number> = new Map([
  [EM_ARM, 23],
  [EM_AARCH64, 1027],
  [EM_RISCV, 3],
  [EM_X86_64, 8],
  [EM_386, 8],
]);
/** Longer names than any C symbol. */
const LONGEST_NAME = 4096;

export class ImageMemory {
  /** By address; empty ones left out. */
  readonly sections: readonly ImageSection[];
  readonly pointerSize: 4 | 8;

  constructor(private readonly elf: ElfFile) {
    this.pointerSize = elf.is64 ? 8 : 4;
    this.sections = elf.sections
      .filter(({ sh_type, sh_flags, sh_size }) => sh_type !== SHT_NULL && (sh_flags & SHF_ALLOC) !== 0 && sh_size > 0)
      .map((section) => ({
        name: section.name,
        address: section.sh_addr,
        size: section.sh_size,
        writable: (section.sh_flags & SHF_WRITE) !== 0,
        executable: (section.sh_flags & SHF_EXECINSTR) !== 0,
        bytes: section.sh_type === SHT_NOBITS ? undefined : elf.sectionBytes(section).slice(),
      }))
      .sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
    this.relocate();
  }

  sectionAt(address: bigint): ImageSection | undefined {
    return this.sections.find(
      (section) => address >= section.address && address < section.address + BigInt(section.size),
    );
  }

  /** undefined: not all of it is inside of one section. */
  read(address: bigint, length: number): Uint8Array | undefined {
    const section = this.sectionAt(address);
    if (section === undefined) return undefined;
    const start = Number(address - section.address);
    if (start + length > section.size) return undefined;
    return section.bytes === undefined ? new Uint8Array(length) : section.bytes.subarray(start, start + length);
  }

  word(address: bigint): bigint | undefined {
    const bytes = this.read(address, this.pointerSize);
    return bytes && decodeUnsigned(bytes, this.elf.littleEndian);
  }

  /** A C string that ends inside of its section. */
  text(address: bigint): string | undefined {
    const section = this.sectionAt(address);
    if (section?.bytes === undefined) return undefined;
    const start = Number(address - section.address);
    const end = section.bytes.subarray(start, start + LONGEST_NAME).indexOf(0);
    return end < 0 ? undefined : decodeText(section.bytes.subarray(start, start + end));
  }

  /** Addresses of the first byte and behind the last one; 0n for an image without memory. */
  get extent(): { readonly start: bigint; readonly end: bigint } {
    let end = 0n;
    for (const { address, size } of this.sections) if (address + BigInt(size) > end) end = address + BigInt(size);
    return { start: this.sections.at(0)?.address ?? 0n, end };
  }

  private relocate(): void {
    const { elf, pointerSize } = this;
    const relative = relativeTypes.get(elf.header.e_machine);
    for (const table of elf.sections) {
      const isDynamic = (table.sh_flags & SHF_ALLOC) !== 0 && (table.sh_type === SHT_RELA || table.sh_type === SHT_REL);
      if (!isDynamic) continue;
      for (const { r_offset, type, addend } of elf.relocationsOf(table)) {
        // Without an addend it is in the place already.
        if (type !== relative || addend === undefined) continue;
        const place = this.read(r_offset, pointerSize);
        if (place === undefined) throw new FormatError('bad-offset', table.name, Number(r_offset));
        place.set(encodeInteger(BigInt.asUintN(pointerSize * 8, addend), pointerSize, elf.littleEndian));
      }
    }
  }
}
