/**
 * Malformed ELF files out of good ones: each mutation is a few changes that know what they change (a field of a section
 * header, a symbol, a relocation, a byte of a section), so that most files get past the header's checks and reach the
 * steps behind them. Works on what the original's own headers say, of either class and byte order.
 */
import type { Random } from './random';

interface Section {
  /** Of its header, in the file. */
  readonly header: number;
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly size: number;
  readonly entsize: number;
}

const SHT_SYMTAB = 2;
const SHT_RELA = 4;
const SHT_NOBITS = 8;
const SHT_REL = 9;
const SHT_DYNSYM = 11;

/** Offset and bytes of the fields that are interesting to change, by class. */
const shdrFields = {
  32: { sh_name: [0, 4], sh_type: [4, 4], sh_flags: [8, 4], sh_addr: [12, 4], sh_offset: [16, 4], sh_size: [20, 4] },
  64: { sh_name: [0, 4], sh_type: [4, 4], sh_flags: [8, 8], sh_addr: [16, 8], sh_offset: [24, 8], sh_size: [32, 8] },
} as const;
const shdrTail = {
  32: { sh_link: [24, 4], sh_info: [28, 4], sh_addralign: [32, 4], sh_entsize: [36, 4] },
  64: { sh_link: [40, 4], sh_info: [44, 4], sh_addralign: [48, 8], sh_entsize: [56, 8] },
} as const;
const ehdrFields = {
  32: { class: [4, 1], data: [5, 1], e_type: [16, 2], e_machine: [18, 2], e_shoff: [32, 4], e_flags: [36, 4] },
  64: { class: [4, 1], data: [5, 1], e_type: [16, 2], e_machine: [18, 2], e_shoff: [40, 8], e_flags: [48, 4] },
} as const;
const ehdrTail = { 32: 46, 64: 58 } as const;

const sectionTypes = [0, 1, 2, 3, 4, 7, 8, 9, 11, 14, 15, 16, 17, 0x7000_0001, 0x7000_0003, 0xffff_ffff];
const alignments = [0, 1, 2, 3, 4, 8, 16, 64, 4096, 0x1_0000, 0x8000_0000, 0xffff_ffff];
const extremes = [0, 1, 0x7f, 0xff, 0xffff, 0x1_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_fff0, 0xffff_ffff];
const sectionIndices = [0, 1, 2, 3, 5, 9, 14, 0xff00, 0xfff1, 0xfff2, 0xffff];

export class ElfMutator {
  private readonly bits: 32 | 64;
  private readonly littleEndian: boolean;
  private readonly sections: readonly Section[];

  constructor(private readonly original: Uint8Array) {
    this.bits = original[4] === 2 ? 64 : 32;
    this.littleEndian = original[5] !== 2;
    this.sections = this.readSections();
  }

  /** A new file; the same random numbers make the same one. */
  mutate(random: Random): Uint8Array {
    let file: Uint8Array = this.original.slice();
    const changes = 1 + random.below(4);
    for (let i = 0; i < changes; i++) this.change(file, random);
    if (random.below(20) === 0) file = resize(file, random);
    return file;
  }

  private change(file: Uint8Array, random: Random): void {
    const choice = random.below(100);
    if (choice < 30) this.changeRelocation(file, random);
    else if (choice < 55) this.changeSymbol(file, random);
    else if (choice < 75) this.changeSectionHeader(file, random);
    else if (choice < 82) this.changeFileHeader(file, random);
    else if (choice < 97) this.changeContents(file, random);
    else file[random.below(file.length)] = random.below(256);
  }

  private changeRelocation(file: Uint8Array, random: Random): void {
    const tables = this.sections.filter(({ type, size }) => (type === SHT_REL || type === SHT_RELA) && size > 0);
    if (tables.length === 0) return;
    const table = random.pick(tables);
    const word = this.bits / 8;
    const entry = table.type === SHT_RELA ? word * 3 : word * 2;
    const at = table.offset + entry * random.below(Math.max(1, Math.floor(table.size / entry)));
    switch (random.below(table.type === SHT_RELA ? 4 : 3)) {
      case 0:
        this.put(file, at, word, random.below(2) === 0 ? random.below(256) : random.word());
        break;
      case 1:
        // r_info: the type, in its low byte or word.
        this.put(
          file,
          this.littleEndian ? at + word : at + 2 * word - 1,
          1,
          random.below(random.below(4) === 0 ? 256 : 64),
        );
        break;
      case 2:
        this.putSymbolIndex(file, at + word, random);
        break;
      default:
        this.put(file, at + 2 * word, word, random.word());
    }
  }

  private putSymbolIndex(file: Uint8Array, at: number, random: Random): void {
    const index = random.below(4) === 0 ? random.pick([0, 0xff, 0xffff, 0xff_ffff]) : random.below(24);
    if (this.bits === 64) this.put(file, this.littleEndian ? at + 4 : at, 4, index);
    else for (let i = 0; i < 3; i++) file[this.littleEndian ? at + 1 + i : at + 2 - i] = (index >> (8 * i)) & 0xff;
  }

  private changeSymbol(file: Uint8Array, random: Random): void {
    const table = this.sections.find(({ type }) => type === SHT_SYMTAB || type === SHT_DYNSYM);
    if (table === undefined) return;
    const entry = this.bits === 32 ? 16 : 24;
    const at = table.offset + entry * random.below(Math.max(1, Math.floor(table.size / entry)));
    const [value, info, shndx] = this.bits === 32 ? [4, 12, 14] : [8, 4, 6];
    switch (random.below(5)) {
      case 0:
        this.put(file, at, 4, random.below(3) === 0 ? random.word() : random.below(128));
        break;
      case 1:
        this.put(file, at + value, this.bits / 8, random.word());
        break;
      case 2:
        this.put(file, at + info, 1, (random.below(4) << 4) | random.below(7));
        break;
      case 3:
        this.put(file, at + shndx, 2, random.pick(sectionIndices));
        break;
      default:
        this.put(file, at + shndx, 2, random.below(this.sections.length + 2));
    }
  }

  private changeSectionHeader(file: Uint8Array, random: Random): void {
    if (this.sections.length === 0) return;
    const section = random.pick(this.sections);
    const fields = { ...shdrFields[this.bits], ...shdrTail[this.bits] };
    const name = random.pick(Object.keys(fields)) as keyof typeof fields;
    const [offset, bytes] = fields[name];
    this.put(file, section.header + offset, bytes, this.fieldValue(name, section, random));
  }

  private fieldValue(name: string, section: Section, random: Random): number {
    if (random.below(5) === 0) return random.pick(extremes);
    switch (name) {
      case 'sh_type':
        return random.pick(sectionTypes);
      case 'sh_flags':
        return (section.flags ^ (1 << random.below(12))) >>> 0;
      case 'sh_offset':
        return Math.max(0, section.offset + random.below(64) - 32);
      case 'sh_size':
        return Math.max(0, section.size + random.below(64) - 32);
      case 'sh_addralign':
        return random.pick(alignments);
      case 'sh_link':
      case 'sh_info':
        return random.below(this.sections.length + 2);
      case 'sh_entsize':
        return random.pick([0, 1, 4, 8, 12, 16, 24]);
      default:
        return random.word();
    }
  }

  private changeFileHeader(file: Uint8Array, random: Random): void {
    const fields = ehdrFields[this.bits];
    const tail = ehdrTail[this.bits];
    const choices: (readonly [number, number])[] = [...Object.values(fields), [tail, 2], [tail + 2, 2], [tail + 4, 2]];
    const [offset, bytes] = random.pick(choices);
    this.put(file, offset, bytes, random.below(2) === 0 ? random.below(20) : random.word());
  }

  private changeContents(file: Uint8Array, random: Random): void {
    const contents = this.sections.filter(({ type, size }) => type !== SHT_NOBITS && size > 0);
    if (contents.length === 0) return;
    const section = random.pick(contents);
    const at = section.offset + random.below(section.size);
    if (random.below(2) === 0) file[at] = random.below(256);
    else file[at] ^= 1 << random.below(8);
  }

  private readSections(): Section[] {
    const view = new DataView(this.original.buffer, this.original.byteOffset, this.original.byteLength);
    const word = (at: number): number =>
      this.bits === 32 ? view.getUint32(at, this.littleEndian) : Number(view.getBigUint64(at, this.littleEndian));
    const { e_shoff } = ehdrFields[this.bits];
    const fields = { ...shdrFields[this.bits], ...shdrTail[this.bits] };
    const start = word(e_shoff[0]);
    const count = view.getUint16(ehdrTail[this.bits] + 2, this.littleEndian);
    const entry = this.bits === 32 ? 40 : 64;
    return Array.from({ length: count }, (_, i) => start + i * entry)
      .filter((header) => header + entry <= this.original.length)
      .map((header) => ({
        header,
        type: view.getUint32(header + fields.sh_type[0], this.littleEndian),
        flags: word(header + fields.sh_flags[0]),
        offset: word(header + fields.sh_offset[0]),
        size: word(header + fields.sh_size[0]),
        entsize: word(header + fields.sh_entsize[0]),
      }))
      .filter(({ type, offset, size }) => type === SHT_NOBITS || offset + size <= this.original.length);
  }

  private put(file: Uint8Array, at: number, bytes: number, value: number): void {
    for (let i = 0; i < bytes; i++) {
      const place = at + (this.littleEndian ? i : bytes - 1 - i);
      // Sign extension of 32-bit extremes makes the extremes of 64 bits.
      if (place < file.length) file[place] = i < 4 ? (value >>> (8 * i)) & 0xff : value >= 0x8000_0000 ? 0xff : 0;
    }
  }
}

/** Cut short, or with bytes behind its end. */
function resize(file: Uint8Array, random: Random): Uint8Array {
  if (random.below(4) !== 0) return file.slice(0, random.below(file.length));
  const longer = new Uint8Array(file.length + 1 + random.below(256));
  longer.set(file);
  longer.fill(random.below(256), file.length);
  return longer;
}
