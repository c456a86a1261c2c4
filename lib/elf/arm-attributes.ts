/**
 * Build attributes of Arm ELF files: what core and ABI the compiler was told (Addenda to the ABI for the Arm
 * Architecture, "Build attributes"). The section is a letter 'A' and vendor subsections; only "aeabi" and its
 * whole-file attributes (Tag_File) are read.
 */
import { ByteReader } from '../bytes';
import { FormatError } from '../errors';
import type { ElfFile } from './elf-file';

export const Tag_File = 1;
export const Tag_CPU_name = 5;
export const Tag_CPU_arch = 6;
export const Tag_CPU_arch_profile = 7;
export const Tag_ABI_VFP_args = 28;
const Tag_compatibility = 32;
const Tag_nodefaults = 64;

const SHT_ARM_ATTRIBUTES = 0x7000_0003;

/** Values by tag; numbers or strings as the tag has it. Empty without the section; a damaged one gives what came before. */
export function armAttributes(elf: ElfFile): ReadonlyMap<number, number | string> {
  const attributes = new Map<number, number | string>();
  const section = elf.sections.find(({ sh_type }) => sh_type === SHT_ARM_ATTRIBUTES);
  if (section === undefined) return attributes;
  try {
    const reader = new ByteReader(elf.sectionBytes(section), elf.littleEndian, section.name);
    if (!reader.atEnd && reader.u8() === 0x41) readVendors(reader, attributes);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
  }
  return attributes;
}

function readVendors(reader: ByteReader, attributes: Map<number, number | string>): void {
  while (!reader.atEnd) {
    const start = reader.offset;
    const length = reader.u32();
    if (length < 4) throw new FormatError('bad-size', reader.section, start);
    const vendor = reader.at(reader.offset, start + length);
    if (vendor.cstring() === 'aeabi') readScopes(vendor, attributes);
    reader.skip(length - 4);
  }
}

function readScopes(reader: ByteReader, attributes: Map<number, number | string>): void {
  while (!reader.atEnd) {
    const start = reader.offset;
    const tag = reader.ulebNumber();
    const length = reader.u32();
    const end = start + length;
    if (end <= reader.offset - 1) throw new FormatError('bad-size', reader.section, start);
    if (tag === Tag_File) {
      const scope = reader.at(reader.offset, end);
      while (!scope.atEnd) readAttribute(scope, attributes);
    }
    reader.skip(end - reader.offset);
  }
}

function readAttribute(reader: ByteReader, attributes: Map<number, number | string>): void {
  const tag = reader.ulebNumber();
  if (tag === Tag_compatibility) {
    attributes.set(tag, reader.ulebNumber());
    reader.cstring();
    return;
  }
  const isText = tag < Tag_compatibility ? tag === 4 || tag === Tag_CPU_name : tag !== Tag_nodefaults && tag % 2 === 1;
  attributes.set(tag, isText ? reader.cstring() : reader.ulebNumber());
}
