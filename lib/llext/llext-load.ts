/**
 * do_llext_load of llext_load.c in the 4.2 era (specification 1.2): the steps of one load in Zephyr's order, with its
 * return codes and messages. On the way out it keeps or frees exactly what Zephyr keeps or frees.
 * Region rules are in llext-map.ts, copying in llext-mem.ts, symbols in llext-symbols.ts, relocation in llext-link.ts.
 * Kept on purpose: e_machine, class and byte order are not checked.
 */
import { ET_DYN, ET_REL, SHT_DYNSYM, SHT_STRTAB, SHT_SYMTAB } from '../elf/constants';
import { Errno } from '../errors';
import * as X from './context';
import type { LoadContext, Subsystem } from './context';
import { emptyShdr, readEhdr } from './elf-records';
import type { Ehdr } from './elf-records';
import { sectMapEntrySize } from './layout';
import { llextPeek, readInto } from './loader';
import type { LlextLoader } from './loader';
import { link } from './llext-link';
import { mapSections } from './llext-map';
import { copyRegions, copyStrings, freeRegions } from './llext-mem';
import { adjustMmuPermissions } from './llext-partitions';
import { allocateSymtab, copySymbols, countExportSyms, exportSymbols } from './llext-symbols';

/** 0 or a negative errno. */
export function doLlextLoad(context: LoadContext): number {
  const { guest, subsystem, ldr } = context;
  guest.clear(context.ext, BigInt(subsystem.layout.sizeof));
  Object.assign(ldr.state, { sect_map: 0n, sect_cnt: 0, sect_hdrs: 0n, sect_hdrs_on_heap: false });
  const ret = runSteps(context);
  X.phase(context, 'finalize');
  finish(context, ret);
  ldr.finalize?.();
  return ret;
}

/** The first step that fails ends the load with its code. */
function runSteps(context: LoadContext): number {
  const { subsystem, parm } = context;
  const step = (announcement: string, run: () => number, failure: string): number => {
    X.log(subsystem, 'dbg', announcement);
    const ret = run();
    if (ret !== 0) X.log(subsystem, 'err', `${failure}, ret ${ret}`);
    return ret;
  };
  X.log(subsystem, 'dbg', 'Loading ELF data...');
  X.phase(context, 'prepare');
  const prepared = context.ldr.prepare?.() ?? 0;
  if (prepared !== 0) {
    X.log(subsystem, 'err', `Failed to prepare the loader, ret ${prepared}`);
    return prepared;
  }
  X.phase(context, 'load_elf_data');
  let ret = loadElfData(context);
  if (ret !== 0) {
    X.log(subsystem, 'err', `Failed to load basic ELF data, ret ${ret}`);
    return ret;
  }
  X.phase(context, 'find_tables');
  ret = step('Finding ELF tables...', () => findTables(context), 'Failed to find important ELF tables');
  if (ret !== 0) return ret;
  X.phase(context, 'copy_strings');
  ret = step('Allocate and copy strings...', () => copyStrings(context), 'Failed to copy ELF string sections');
  if (ret !== 0) return ret;
  // From here on section and symbol names can be read.
  X.phase(context, 'map_sections');
  ret = step('Mapping ELF sections...', () => mapSections(context), 'Failed to map ELF sections');
  if (ret !== 0) return ret;
  X.phase(context, 'copy_regions');
  ret = step('Allocate and copy regions...', () => copyRegions(context), 'Failed to copy regions');
  if (ret !== 0) return ret;
  // From here on every section has its final address.
  X.phase(context, 'copy_symbols');
  ret = step('Counting exported symbols...', () => countExportSyms(context), 'Failed to count exported ELF symbols');
  if (ret !== 0) return ret;
  ret = step(
    'Allocating memory for symbol table...',
    () => allocateSymtab(context),
    'Failed to allocate extension symbol table',
  );
  if (ret !== 0) return ret;
  ret = step('Copying symbols...', () => copySymbols(context), 'Failed to copy symbols');
  if (ret !== 0) return ret;
  if (parm.relocate_local) {
    X.phase(context, 'link');
    ret = step('Linking ELF...', () => link(context), 'Failed to link');
    if (ret !== 0) return ret;
  }
  X.phase(context, 'export_symbols');
  ret = exportSymbols(context);
  if (ret !== 0) {
    X.log(subsystem, 'err', `Failed to export, ret ${ret}`);
    return ret;
  }
  X.phase(context, 'permissions');
  if (!parm.pre_located) adjustMmuPermissions(context);
  return 0;
}

/** Frees what only loading needs; after a failure also what the extension would have kept. */
function finish(context: LoadContext, ret: number): void {
  const { subsystem, guest, ldr } = context;
  const { metadata } = subsystem.heaps;
  if (ret !== 0 || !context.parm.keep_section_info) freeInspectionData(subsystem, context.ext, ldr);
  const sym_tab = X.field(context, 'sym_tab');
  if (subsystem.config.logLevel < X.LOG_LEVEL_DBG || ret !== 0) freeTable(context, sym_tab);
  if (ret !== 0) {
    X.log(subsystem, 'dbg', `Failed to load extension: ${ret}`);
    freeRegions(subsystem, context.ext);
    freeTable(context, X.field(context, 'exp_tab'));
    if (X.sectHdrsOnHeap(context)) X.release(metadata, X.sectHdrs(context));
    return;
  }
  const alloc_size = guest.ptr(X.field(context, 'alloc_size'));
  const text = X.pointer(X.mem(context, context.regions.TEXT));
  const rodata = X.pointer(X.mem(context, context.regions.RODATA));
  X.log(subsystem, 'dbg', `Loaded llext: ${alloc_size} bytes in heap, .text at ${text}, .rodata at ${rodata}`);

  function freeTable({ guest: memory }: LoadContext, table: bigint): void {
    const syms = table + BigInt(memory.pointerSize);
    X.release(metadata, memory.ptr(syms));
    memory.setPtr(table, 0n);
    memory.setPtr(syms, 0n);
  }
}

/** llext_free_inspection_data */
export function freeInspectionData(subsystem: Subsystem, ext: bigint, ldr: LlextLoader): void {
  const { guest } = subsystem;
  if (ldr.state.sect_map === 0n) return;
  const alloc_size = X.field({ subsystem, ext }, 'alloc_size');
  const size = BigInt(ldr.state.sect_cnt * sectMapEntrySize(guest.pointerSize));
  guest.setPtr(alloc_size, guest.ptr(alloc_size) - size);
  X.release(subsystem.heaps.metadata, ldr.state.sect_map);
  ldr.state.sect_map = 0n;
}

/** llext_load_elf_data: the file header's checks, the section map, the section headers. */
function loadElfData(context: LoadContext): number {
  const { subsystem, guest, ldr } = context;
  const hdr = readHeader(context);
  if (typeof hdr === 'number') return hdr;
  ldr.state.hdr = hdr;
  if (!hdr.magic) {
    X.log(subsystem, 'err', `Invalid ELF, magic does not match\n${hexdump(hdr.e_ident)}`);
    return -Errno.ENOEXEC;
  }
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

/**
 * llext_find_tables: one forward pass that ends with the third hit. A string table is only recognised behind its
 * symbol table, and one table for both kinds of strings is never enough.
 */
function findTables(context: LoadContext): number {
  const { subsystem, ldr } = context;
  const { state } = ldr;
  const hdr = state.hdr;
  state.sects.forEach((_, i) => (state.sects[i] = emptyShdr()));
  const count = X.sectCnt(context);
  let strtabIndex = -1;
  let found = 0;
  for (let i = 0; i < count && found < 3; i++) {
    const section = X.sectionHeader(context, i);
    let region: number;
    if (section.sh_type === SHT_SYMTAB && hdr?.e_type === ET_REL) {
      X.log(subsystem, 'dbg', `symtab at ${i}`);
      region = context.regions.SYMTAB;
      strtabIndex = section.sh_link;
    } else if (section.sh_type === SHT_DYNSYM && hdr?.e_type === ET_DYN) {
      X.log(subsystem, 'dbg', `dynsym at ${i}`);
      region = context.regions.SYMTAB;
      strtabIndex = section.sh_link;
    } else if (section.sh_type === SHT_STRTAB && i === hdr?.e_shstrndx) {
      X.log(subsystem, 'dbg', `shstrtab at ${i}`);
      region = context.regions.SHSTRTAB;
    } else if (section.sh_type === SHT_STRTAB && i === strtabIndex) {
      X.log(subsystem, 'dbg', `strtab at ${i}`);
      region = context.regions.STRTAB;
    } else continue;
    state.sects[region] = section;
    X.setSectMemIdx(context, i, region);
    found++;
  }
  const symtab = state.sects[context.regions.SYMTAB];
  const tables = [symtab, state.sects[context.regions.STRTAB], state.sects[context.regions.SHSTRTAB]];
  if (tables.some((table) => table.sh_type === 0)) {
    X.log(subsystem, 'err', 'Some sections are missing or present multiple times!');
    return -Errno.ENOEXEC;
  }
  if (symtab.sh_entsize !== BigInt(subsystem.sizes.sym) || symtab.sh_size % symtab.sh_entsize !== 0n) {
    X.log(subsystem, 'err', 'Invalid symbol table');
    return -Errno.ENOEXEC;
  }
  return 0;
}
