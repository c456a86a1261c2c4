/**
 * Build attributes of RISC-V ELF files (psABI, "Attributes"): of the vendor "riscv" only Tag_RISCV_arch is read, the
 * instruction set that the compiler was told, such as rv32i2p0_m2p0_a2p0_c2p0.
 */
import { ByteReader } from '../bytes';
import { FormatError } from '../errors';
import type { ElfFile } from './elf-file';

const SHT_RISCV_ATTRIBUTES = 0x7000_0003;
const Tag_File = 1;
const Tag_RISCV_arch = 5;

/** Names of the extensions, lower case, without versions: 'i', 'm', 'zba'; undefined when the file does not say. */
export function riscvExtensions(elf: ElfFile): ReadonlySet<string> | undefined {
  const text = archAttribute(elf);
  const match = text === undefined ? null : /^rv(?:32|64|128)(.*)$/.exec(text.toLowerCase());
  if (match === null) return undefined;
  // Single letters may stand together in front; names of more letters follow an underscore.
  const names = match[1].split('_').flatMap((part) => {
    const name = part.replace(/\d+p\d+$|\d+$/, '');
    return /^[zsx]/.test(name) ? [name] : [...part.replace(/\d+p\d+|\d+/g, '')];
  });
  return new Set(names.filter((name) => name !== ''));
}

function archAttribute(elf: ElfFile): string | undefined {
  const section = elf.sections.find(({ sh_type }) => sh_type === SHT_RISCV_ATTRIBUTES);
  if (section === undefined) return undefined;
  try {
    const reader = new ByteReader(elf.sectionBytes(section), elf.littleEndian, section.name);
    if (reader.atEnd || reader.u8() !== 0x41) return undefined;
    return readVendors(reader);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return undefined;
  }
}

function readVendors(reader: ByteReader): string | undefined {
  while (!reader.atEnd) {
    const start = reader.offset;
    const length = reader.u32();
    if (length < 4) throw new FormatError('bad-size', reader.section, start);
    const vendor = reader.at(reader.offset, start + length);
    const found = vendor.cstring() === 'riscv' ? readScopes(vendor) : undefined;
    if (found !== undefined) return found;
    reader.skip(length - 4);
  }
  return undefined;
}

function readScopes(reader: ByteReader): string | undefined {
  while (!reader.atEnd) {
    const start = reader.offset;
    const tag = reader.ulebNumber();
    const length = reader.u32();
    const end = start + length;
    if (end <= reader.offset - 1) throw new FormatError('bad-size', reader.section, start);
    const scope = reader.at(reader.offset, end);
    while (tag === Tag_File && !scope.atEnd) {
      // Odd tags have strings, even ones numbers.
      const attribute = scope.ulebNumber();
      const value = attribute % 2 === 1 ? scope.cstring() : scope.ulebNumber();
      if (attribute === Tag_RISCV_arch && typeof value === 'string') return value;
    }
    reader.skip(end - reader.offset);
  }
  return undefined;
}
