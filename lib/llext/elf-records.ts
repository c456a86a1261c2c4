/**
 * The ELF structures as the loader sees them: read from raw bytes of the build's width and byte order, whatever the
 * file says of itself (this version of Zephyr does not check EI_CLASS or EI_DATA, specification 1.3).
 * lib/elf is not used here: it would refuse files that Zephyr loads.
 */
import { ByteReader } from '../bytes';

export interface Ehdr {
  readonly e_ident: Uint8Array;
  /** The file begins with 7F 45 4C 46. */
  readonly magic: boolean;
  readonly e_type: number;
  readonly e_machine: number;
  readonly e_shoff: bigint;
  readonly e_shentsize: number;
  readonly e_shnum: number;
  readonly e_shstrndx: number;
}

/** Mutable: region descriptors are section headers that grow. sh_info then holds the prepad. */
export interface Shdr {
  sh_name: number;
  sh_type: number;
  sh_flags: bigint;
  sh_addr: bigint;
  sh_offset: bigint;
  sh_size: bigint;
  sh_link: number;
  sh_info: number;
  sh_addralign: bigint;
  sh_entsize: bigint;
}

export interface Sym {
  readonly st_name: number;
  readonly st_info: number;
  readonly st_shndx: number;
  readonly st_value: bigint;
}

export interface Rela {
  readonly r_offset: bigint;
  readonly type: number;
  readonly symbolIndex: number;
  /** 0 in SHT_REL. */
  readonly r_addend: bigint;
}

/** sizeof of the structures. */
export interface ElfSizes {
  readonly ehdr: number;
  readonly shdr: number;
  readonly sym: number;
  readonly rel: number;
  readonly rela: number;
}

const sizes32: ElfSizes = { ehdr: 52, shdr: 40, sym: 16, rel: 8, rela: 12 };
const sizes64: ElfSizes = { ehdr: 64, shdr: 64, sym: 24, rel: 16, rela: 24 };

export function elfSizes(pointerSize: 4 | 8): ElfSizes {
  return pointerSize === 4 ? sizes32 : sizes64;
}

export function emptyShdr(): Shdr {
  return {
    sh_name: 0,
    sh_type: 0,
    sh_flags: 0n,
    sh_addr: 0n,
    sh_offset: 0n,
    sh_size: 0n,
    sh_link: 0,
    sh_info: 0,
    sh_addralign: 0n,
    sh_entsize: 0n,
  };
}

export function readEhdr(bytes: Uint8Array, word: 4 | 8, littleEndian: boolean): Ehdr {
  const reader = new ByteReader(bytes, littleEndian);
  const magic = bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;
  const e_ident = reader.take8(16);
  const e_type = reader.u16();
  const e_machine = reader.u16();
  reader.skip(4 + 2 * word);
  const e_shoff = reader.unsigned(word);
  reader.skip(4 + 3 * 2);
  return {
    e_ident,
    magic,
    e_type,
    e_machine,
    e_shoff,
    e_shentsize: reader.u16(),
    e_shnum: reader.u16(),
    e_shstrndx: reader.u16(),
  };
}

export function readShdr(bytes: Uint8Array, word: 4 | 8, littleEndian: boolean): Shdr {
  const reader = new ByteReader(bytes, littleEndian);
  return {
    sh_name: reader.u32(),
    sh_type: reader.u32(),
    sh_flags: reader.unsigned(word),
    sh_addr: reader.unsigned(word),
    sh_offset: reader.unsigned(word),
    sh_size: reader.unsigned(word),
    sh_link: reader.u32(),
    sh_info: reader.u32(),
    sh_addralign: reader.unsigned(word),
    sh_entsize: reader.unsigned(word),
  };
}

/** The entries of a symbol table, one at a time: `index` chooses the entry that the fields are of. */
export class SymCursor implements Sym {
  private readonly view: DataView;
  private readonly entrySize: number;
  private at = 0;

  constructor(
    table: Uint8Array,
    private readonly word: 4 | 8,
    private readonly littleEndian: boolean,
  ) {
    this.view = new DataView(table.buffer, table.byteOffset, table.byteLength);
    this.entrySize = elfSizes(word).sym;
  }

  set index(index: number) {
    this.at = index * this.entrySize;
  }

  get st_name(): number {
    return this.view.getUint32(this.at, this.littleEndian);
  }

  get st_info(): number {
    return this.view.getUint8(this.at + (this.word === 4 ? 12 : 4));
  }

  get st_shndx(): number {
    return this.view.getUint16(this.at + (this.word === 4 ? 14 : 6), this.littleEndian);
  }

  get st_value(): bigint {
    if (this.word === 4) return BigInt(this.view.getUint32(this.at + 4, this.littleEndian));
    return this.view.getBigUint64(this.at + 8, this.littleEndian);
  }
}

export function readSym(bytes: Uint8Array, word: 4 | 8, littleEndian: boolean): Sym {
  return new SymCursor(bytes, word, littleEndian);
}

/** Of an Elf_Rela buffer in which an Elf_Rel may have left the addend zero. */
export function readRela(bytes: Uint8Array, word: 4 | 8, littleEndian: boolean): Rela {
  const reader = new ByteReader(bytes, littleEndian);
  const r_offset = reader.unsigned(word);
  const r_info = reader.unsigned(word);
  const r_addend = BigInt.asIntN(word * 8, reader.unsigned(word));
  if (word === 4) return { r_offset, type: Number(r_info & 0xffn), symbolIndex: Number(r_info >> 8n), r_addend };
  return { r_offset, type: Number(r_info & 0xffffffffn), symbolIndex: Number(r_info >> 32n), r_addend };
}
