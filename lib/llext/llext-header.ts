/**
 * llext_load_elf_data (specification 1.2, 1.3): the checks of the file header, the section map, the section headers. Until
 * the newest version class, byte order and machine are not looked at: a file for another CPU is read as if it were ours.
 */
import {
  EM_386,
  EM_AARCH64,
  EM_ARC_COMPACT2,
  EM_ARM,
  EM_RISCV,
  EM_X86_64,
  ELFCLASS32,
  ELFCLASS64,
  ELFDATA2LSB,
  ELFDATA2MSB,
  ET_DYN,
  ET_REL,
} from '../elf/constants';
import { Errno } from '../errors';
import * as X from './context';
import type { LoadContext } from './context';
import { readEhdr } from './elf-records';
import type { Ehdr } from './elf-records';
import { sectMapEntrySize } from './layout';
import { llextPeek, readInto } from './loader';
import type { LlextConfig } from './types';

const EM_ARC_COMPACT = 93;
const EM_ARC_COMPACT3_64 = 253;
const EM_ARC_COMPACT3 = 255;

/** e_machine that the build accepts; undefined = all. */
function machinesOf({ arch, pointerSize }: LlextConfig): readonly number[] | undefined {
  switch (arch) {
    case 'arm':
      return [EM_ARM];
    case 'arm64':
      return [EM_AARCH64];
    case 'riscv':
      return [EM_RISCV];
    case 'x86':
      return [pointerSize === 4 ? EM_386 : EM_X86_64];
    case 'arc':
      return [EM_ARC_COMPACT2, EM_ARC_COMPACT, EM_ARC_COMPACT3, EM_ARC_COMPACT3_64];
    default:
      return undefined;
  }
}

/** llext_load_elf_data: the file header's checks, the section map, the section headers. */
export function loadElfData(context: LoadContext): number {
  const { subsystem, guest, ldr } = context;
  const hdr = readHeader(context);
  if (typeof hdr === 'number') return hdr;
  ldr.state.hdr = hdr;
  if (!hdr.magic) {
    X.log(subsystem, 'err', `Invalid ELF, magic does not match\n${hexdump(hdr.e_ident)}`);
    return -Errno.ENOEXEC;
  }
  const ret = checkBuild(context, hdr);
  if (ret !== 0) return ret;
  if (hdr.e_type === ET_REL) X.log(subsystem, 'dbg', 'Loading relocatable ELF');
  else if (hdr.e_type === ET_DYN) X.log(subsystem, 'dbg', 'Loading shared ELF');
  else {
    X.log(subsystem, 'err', `Unsupported ELF file type ${hdr.e_type.toString(16)}`);
    return -Errno.ENOEXEC;
  }
  if (hdr.e_shentsize !== subsystem.sizes.shdr) {
    X.log(subsystem, 'err', `Invalid section header size ${hdr.e_shentsize}`);
    return -Errno.ENOEXEC;
  }
  const count = hdr.e_shnum;
  X.setSectCnt(context, count);
  const mapSize = count * sectMapEntrySize(guest.pointerSize);
  ldr.state.sect_map = X.allocateMetadata(context, BigInt(mapSize), 'sect_map');
  if (ldr.state.sect_map === 0n) {
    X.log(subsystem, 'err', `Failed to allocate section map, size ${mapSize}`);
    return -Errno.ENOMEM;
  }
  X.addToAllocSize(context, BigInt(mapSize));
  for (let i = 0; i < count; i++) {
    X.setSectMemIdx(context, i, context.regions.COUNT);
    X.setSectOffset(context, i, 0n);
  }
  return loadSectionHeaders(context, hdr.e_shoff, count);
}

/** The newest version refuses what was not built for it. */
function checkBuild(context: LoadContext, hdr: Ehdr): number {
  const { subsystem, profile } = context;
  const { config } = subsystem;
  if (profile.identChecked) {
    const [EI_CLASS, EI_DATA] = [4, 5];
    const data = config.bigEndian === true ? ELFDATA2MSB : ELFDATA2LSB;
    if (hdr.e_ident[EI_DATA] !== data) {
      X.log(subsystem, 'err', `Unsupported ELF data encoding ${hdr.e_ident[EI_DATA]}`);
      return -Errno.ENOEXEC;
    }
    const elfClass = config.pointerSize === 8 ? ELFCLASS64 : ELFCLASS32;
    if (hdr.e_ident[EI_CLASS] !== elfClass) {
      X.log(subsystem, 'err', `Unsupported ELF class ${hdr.e_ident[EI_CLASS]}`);
      return -Errno.ENOEXEC;
    }
  }
  if (profile.machineChecked && machinesOf(config)?.includes(hdr.e_machine) === false) {
    X.log(subsystem, 'err', `Unsupported ELF machine ${hdr.e_machine}`);
    return -Errno.ENOEXEC;
  }
  return 0;
}

/** A line of LOG_HEXDUMP_ERR: 16 bytes, indented past the message's head. */
function hexdump(bytes: Uint8Array): string {
  const groups = [bytes.subarray(0, 8), bytes.subarray(8, 16)];
  const digits = groups.map((group) => Array.from(group, (byte) => byte.toString(16).padStart(2, '0')).join(' '));
  const isShown = (byte: number): boolean => byte >= 0x20 && byte < 0x7f;
  const text = groups.map((group) =>
    Array.from(group, (byte) => (isShown(byte) ? String.fromCharCode(byte) : '.')).join(''),
  );
  return `${' '.repeat(32)}${digits.join('  ')} |${text.join(' ')}`;
}

function readHeader(context: LoadContext): Ehdr | number {
  const { subsystem, guest, ldr } = context;
  const seek = ldr.seek(0n);
  if (seek !== 0) {
    X.log(subsystem, 'err', 'Failed to seek for ELF header');
    return seek;
  }
  const bytes = new Uint8Array(subsystem.sizes.ehdr);
  const read = readInto(ldr, bytes);
  if (read !== 0) {
    X.log(subsystem, 'err', 'Failed to read ELF header');
    return read;
  }
  return readEhdr(bytes, guest.pointerSize, guest.littleEndian);
}

function loadSectionHeaders(context: LoadContext, e_shoff: bigint, count: number): number {
  const { subsystem, guest, ldr } = context;
  const peeked = llextPeek(ldr, e_shoff);
  X.setSectHdrs(context, peeked);
  if (peeked !== 0n) return 0;
  const size = BigInt(count * subsystem.sizes.shdr);
  X.setSectHdrsOnHeap(context);
  const address = X.allocateMetadata(context, size, 'sect_hdrs');
  X.setSectHdrs(context, address);
  if (address === 0n) {
    X.log(subsystem, 'err', `Failed to allocate section headers, size ${size}`);
    return -Errno.ENOMEM;
  }
  const seek = ldr.seek(e_shoff);
  if (seek !== 0) {
    X.log(subsystem, 'err', 'Failed to seek for section headers');
    return seek;
  }
  const bytes = ldr.read(size);
  if (typeof bytes === 'number') {
    X.log(subsystem, 'err', 'Failed to read section headers');
    return bytes;
  }
  guest.write(address, bytes);
  return 0;
}
