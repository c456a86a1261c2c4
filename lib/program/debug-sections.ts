/**
 * Takes the .debug_* sections out of an ELF file and, for ET_REL, relocates them to link addresses.
 * An ET_REL may have several sections of one name (type units in COMDAT groups, each with its own .debug_info); they
 * are laid end to end as a linker would, and relocations against them are resolved into the joined section.
 */
import type { ByteSource } from '../byte-source';
import { decodeUnsigned, encodeInteger } from '../bytes';
import { supplementaryLinkSections } from '../dwarf/supplementary';
import { FormatError } from '../errors';
import { ET_REL, SHF_ALLOC, SHN_ABS, SHN_LORESERVE, SHT_NOBITS } from '../elf/constants';
import type { ElfFile, ElfRelocation, ElfSymbol, SectionHeader } from '../elf/elf-file';
import { debugRelocationType, type DebugRelocationType } from './debug-relocation-types';

export interface DebugSections {
  /** Of a linked file those that are not compressed are read where somebody looks. */
  readonly sections: ReadonlyMap<string, Uint8Array | ByteSource>;
  readonly problems: readonly string[];
}

const debugName = /^\.(debug_|zdebug_|eh_frame$)/;
/** Those that only tell of other files with debug information, or are in files without. */
const otherNames = new Set(['.eh_frame', ...supplementaryLinkSections]);

export function hasDebugSections(elf: ElfFile): boolean {
  return elf.sections.some(({ name }) => debugName.test(name) && !otherNames.has(name));
}

/** `linkAddress` gives the base of an allocated section of `elf`, by index. */
export function readDebugSections(elf: ElfFile, linkAddress: (index: number) => bigint | undefined): DebugSections {
  return new Reader(elf, linkAddress).read();
}

class Reader {
  private readonly problems: string[] = [];
  /** Where a debug section begins in the joined section of its name. */
  private readonly joinedOffset = new Map<number, number>();
  private readonly joined = new Map<string, Uint8Array>();
  private readonly untouched = new Map<string, ByteSource>();
  private symbols: readonly ElfSymbol[] | undefined;

  constructor(
    private readonly elf: ElfFile,
    private readonly linkAddress: (index: number) => bigint | undefined,
  ) {}

  read(): DebugSections {
    const groups = new Map<string, SectionHeader[]>();
    for (const section of this.elf.sections) {
      const isKept = debugName.test(section.name) || otherNames.has(section.name);
      if (!isKept || section.sh_type === SHT_NOBITS) continue;
      const name = section.name.replace(/^\.zdebug_/, '.debug_');
      groups.set(name, [...(groups.get(name) ?? []), section]);
    }
    const isRelocatable = this.elf.header.e_type === ET_REL;
    for (const [name, parts] of groups) {
      // Nothing is relocated in a linked file: its own bytes do.
      if (!isRelocatable && parts.length === 1) {
        const source = this.guard(() => this.elf.sectionSource(parts[0]));
        if (source !== undefined) this.untouched.set(name, source);
      } else this.join(name, parts);
    }
    if (isRelocatable) {
      for (const [name, parts] of groups) {
        for (const section of parts) this.guard(() => this.relocate(name, section));
      }
    }
    return {
      sections: new Map<string, Uint8Array | ByteSource>([...this.untouched, ...this.joined]),
      problems: this.problems,
    };
  }

  private join(name: string, sections: readonly SectionHeader[]): void {
    const parts = sections.flatMap((section) => {
      const bytes = this.guard(() => this.elf.sectionBytes(section));
      return bytes === undefined ? [] : [{ section, bytes }];
    });
    if (parts.length === 0) return;
    const total = parts.reduce((sum, { bytes }) => sum + bytes.length, 0);
    // A copy always: relocation must not change the file's own bytes.
    const contents = new Uint8Array(total);
    let offset = 0;
    for (const { section, bytes } of parts) {
      this.joinedOffset.set(section.index, offset);
      contents.set(bytes, offset);
      offset += bytes.length;
    }
    this.joined.set(name, contents);
  }

  /** A relocation that cannot be applied leaves its field as it was, and a problem. */
  private relocate(name: string, section: SectionHeader): void {
    const contents = this.joined.get(name);
    const base = this.joinedOffset.get(section.index);
    if (contents === undefined || base === undefined) return;
    const end = base + this.elf.sectionBytes(section).length;
    // P of a section that is not loaded counts from the section; .eh_frame is loaded.
    const place = this.linkAddress(section.index) ?? 0n;
    for (const relocation of this.elf.relocationsFor(section.index)) {
      this.guard(() => this.apply(contents, name, { base, end, place }, relocation));
    }
  }

  private apply(
    contents: Uint8Array,
    name: string,
    part: { base: number; end: number; place: bigint },
    relocation: ElfRelocation,
  ): void {
    const { machine, littleEndian } = { machine: this.elf.header.e_machine, littleEndian: this.elf.littleEndian };
    const type = debugRelocationType(machine, relocation.type);
    const at = part.base + Number(relocation.r_offset);
    if (type === undefined) {
      throw new FormatError('bad-opcode', name, at, `relocation type ${relocation.type} is not known here`);
    }
    if (type.operation === 'none') return;
    const S = this.symbolValue(relocation.symbolIndex, name, at);
    if (type.uleb === true)
      return applyUleb(contents, name, { at, end: part.end }, type, S + (relocation.addend ?? 0n));
    const size = Math.ceil(type.bits / 8);
    if (at + size > part.end) throw new FormatError('bad-offset', name, at);
    const field = new Field(contents, at, type.bits, littleEndian);
    const P = part.place + relocation.r_offset;
    switch (type.operation) {
      case 'absolute':
        field.value = S + (relocation.addend ?? field.value);
        break;
      case 'relative':
        field.value = S + (relocation.addend ?? field.value) - P;
        break;
      case 'add':
        field.value += S + (relocation.addend ?? 0n);
        break;
      case 'subtract':
        field.value -= S + (relocation.addend ?? 0n);
        break;
    }
  }

  /** S: in the joined section for debug sections, at the link address for loaded ones. */
  private symbolValue(index: number, section: string, at: number): bigint {
    this.symbols ??= this.elf.symbols();
    const symbol = this.symbols[index];
    if (symbol === undefined) throw new FormatError('bad-index', section, at, `symbol ${index} does not exist`);
    if (symbol.st_shndx === SHN_ABS) return symbol.st_value;
    const joined = this.joinedOffset.get(symbol.st_shndx);
    const isLoaded = ((this.elf.sections[symbol.st_shndx]?.sh_flags ?? 0) & SHF_ALLOC) !== 0;
    if (joined !== undefined && !isLoaded) return BigInt(joined) + symbol.st_value;
    // Undefined and common symbols have no address yet; 0 is what a linker leaves in debug sections for them.
    if (symbol.st_shndx === 0 || symbol.st_shndx >= SHN_LORESERVE) return 0n;
    return (this.linkAddress(symbol.st_shndx) ?? 0n) + symbol.st_value;
  }

  private guard<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      if (this.problems.length < 100 && !this.problems.includes(error.message)) this.problems.push(error.message);
      return undefined;
    }
  }
}

/** An integer field of a section; fields of fewer bits than their bytes keep the bits above. */
class Field {
  constructor(
    private readonly bytes: Uint8Array,
    private readonly at: number,
    private readonly bits: number,
    private readonly littleEndian: boolean,
  ) {}

  get value(): bigint {
    return BigInt.asUintN(this.bits, this.raw());
  }

  set value(value: bigint) {
    const kept = this.bits % 8 === 0 ? 0n : (this.raw() >> BigInt(this.bits)) << BigInt(this.bits);
    const size = Math.ceil(this.bits / 8);
    this.bytes.set(encodeInteger(kept | BigInt.asUintN(this.bits, value), size, this.littleEndian), this.at);
  }

  private raw(): bigint {
    const size = Math.ceil(this.bits / 8);
    return decodeUnsigned(this.bytes.subarray(this.at, this.at + size), this.littleEndian);
  }
}

/** Stores into a ULEB128 of unchanged length; SET comes first, SUB subtracts from it. */
function applyUleb(
  contents: Uint8Array,
  section: string,
  { at, end }: { at: number; end: number },
  type: DebugRelocationType,
  value: bigint,
): void {
  let old = 0n;
  let length = 0;
  for (;;) {
    if (at + length >= end || length === 10) throw new FormatError('bad-offset', section, at);
    const byte = contents[at + length];
    old |= BigInt(byte & 0x7f) << BigInt(7 * length);
    length++;
    if ((byte & 0x80) === 0) break;
  }
  let rest = BigInt.asUintN(7 * length, type.operation === 'subtract' ? old - value : value);
  for (let i = 0; i < length; i++) {
    contents[at + i] = Number(rest & 0x7fn) | (i < length - 1 ? 0x80 : 0);
    rest >>= 7n;
  }
}
