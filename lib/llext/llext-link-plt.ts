/**
 * llext_link_plt: Xtensa's own way of linking (specification 4.7), and arch_elf_relocate_local and _global, which only
 * Xtensa has. Up to 4.4 entries are only applied to a writable file image, at addresses found by file offset from .text;
 * the newest version patches the section where it was loaded. Errors skip the entry; 4.2 returns none of them.
 */
import {
  SHN_UNDEF,
  STB_GLOBAL,
  STB_LOCAL,
  STB_WEAK,
  STT_FUNC,
  STT_NOTYPE,
  STT_OBJECT,
  STT_SECTION,
} from '../elf/constants';
import { R_XTENSA_GLOB_DAT, R_XTENSA_JMP_SLOT, R_XTENSA_RELATIVE, R_XTENSA_SLOT0_OP } from '../elf/constants-xtensa';
import { Errno } from '../errors';
import { applyAt } from './arch-elf-relocate';
import { findBaseExport } from './base-exports';
import * as X from './context';
import type { LoadContext } from './context';
import type { Rela, Shdr, Sym } from './elf-records';
import { readSymbol } from './llext-link-symbol';
import { addDependency, findExtensionSym, findInTable } from './llext-list';
import { symbolName, symbolNameAddress } from './llext-symbols';
import { RelocationReader } from './llext-link-read';
import { findRow } from './reloc/apply';
import { xtensa } from './reloc/xtensa';

/** One entry of a relocation section. */
interface Entry {
  readonly section: Shdr;
  readonly relocation: Rela;
  readonly symbol: Sym;
  readonly P: bigint;
}

/** The first error, where the version returns one. */
export function linkPlt(context: LoadContext, section: Shdr): number {
  const { subsystem, profile } = context;
  const name = X.sectionName(context, section);
  const table = new RelocationReader(context, section);
  const { count } = table;
  const text = X.mem(context, context.regions.TEXT);
  const facts = `size ${section.sh_entsize} cnt ${count} text ${X.pointer(text)}`;
  X.log(subsystem, 'dbg', `Found ${name} in PLT ${section.sh_type} ${facts}`);
  let first = 0;
  for (let i = 0; BigInt(i) < count; i++) {
    const relocation = table.read(BigInt(i));
    if (typeof relocation === 'number') {
      X.spend(context);
      X.log(subsystem, 'err', `PLT: failed to read RELA #${i}, trying to continue`);
      if (first === 0) first = relocation;
      continue;
    }
    const ret = linkEntry(context, section, relocation, i);
    if (first === 0) first = ret;
  }
  return profile.pltReturnsErrors ? first : 0;
}

function linkEntry(context: LoadContext, section: Shdr, relocation: Rela, i: number): number {
  const { subsystem, ldr, regions } = context;
  const j = relocation.symbolIndex;
  const table = ldr.state.sects[regions.SYMTAB];
  const symbols = table.sh_size / table.sh_entsize;
  if (BigInt(j) >= symbols) {
    X.log(subsystem, 'wrn', `PLT: idx ${j} >= ${symbols}`);
    return 0;
  }
  const symbol = readSymbol(context, j);
  if (typeof symbol === 'number') {
    X.log(subsystem, 'err', `PLT: failed to read symbol table #${j} RELA #${i}, trying to continue`);
    return symbol;
  }
  const kind = symbol.st_info & 0xf;
  const isImport = kind === STT_NOTYPE && symbol.st_shndx === SHN_UNDEF;
  if (kind !== STT_FUNC && kind !== STT_SECTION && kind !== STT_OBJECT && !isImport) return 0;
  const P = placeOf(context, section, relocation);
  if (P === undefined) return 0;
  return linkSymbol(context, { section, relocation, symbol, P });
}

/** The sections whose entries have link-time addresses instead of offsets. */
const isDynamic = (name: string): boolean => name === '.rela.plt' || name === '.rela.dyn';

/** undefined = not applied, with the reason in the log. */
function placeOf(context: LoadContext, section: Shdr, { r_offset }: Rela): bigint | undefined {
  const { subsystem, guest, ldr, regions, profile } = context;
  if (profile.pltNeedsWritable && ldr.storage !== 'writable') {
    X.log(subsystem, 'err', 'PLT: cannot link read-only ELF file');
    return undefined;
  }
  if (isDynamic(X.sectionName(context, section))) {
    const region = ldr.state.sects.findIndex(
      ({ sh_addr, sh_size }) => sh_addr <= r_offset && sh_addr + sh_size > r_offset,
    );
    if (region < 0) {
      X.log(subsystem, 'err', `Offset ${X.hashHex(r_offset)} not found in ELF, trying to continue`);
      return undefined;
    }
    const { sh_addr, sh_offset } = ldr.state.sects[region];
    if (!profile.pltNeedsWritable) return guest.wrap(X.mem(context, region) + r_offset - sh_addr);
    return byFileOffset(r_offset - sh_addr + sh_offset);
  }
  const target = X.sectionHeader(context, section.sh_info);
  if (profile.relocationOffsetChecked && r_offset >= target.sh_size) {
    X.log(subsystem, 'wrn', `PLT: offset ${X.hashHex(r_offset)} is outside of section ${section.sh_info}`);
    return undefined;
  }
  if (profile.pltNeedsWritable) return byFileOffset(r_offset + target.sh_offset);
  // Nothing of the file is patched in this version: a section that was not loaded is left alone.
  if (X.sectMemIdx(context, section.sh_info) === regions.COUNT) return undefined;
  return guest.wrap(X.loadedSectPtr(context, section.sh_info) + r_offset);

  function byFileOffset(offset: bigint): bigint {
    return guest.wrap(X.mem(context, regions.TEXT) - ldr.state.sects[regions.TEXT].sh_offset + offset);
  }
}

function linkSymbol(context: LoadContext, entry: Entry): number {
  const { subsystem } = context;
  const { relocation, symbol, P } = entry;
  const name = symbolName(context, symbol);
  const binding = symbol.st_info >> 4;
  const isAbi = subsystem.config.mode === 'abi-correct';
  let ret = 0;
  if (binding === STB_GLOBAL || (binding === STB_WEAK && isAbi)) {
    const linkAddress = findGlobal(context, symbol);
    if (linkAddress === 0n && binding === STB_GLOBAL) {
      X.log(subsystem, 'wrn', `PLT: cannot find idx ${relocation.symbolIndex} name ${name}`);
      return -Errno.ENOENT;
    }
    ret = archElfRelocateGlobal(context, entry, linkAddress);
  } else if (binding === STB_LOCAL) ret = archElfRelocateLocal(context, entry);
  X.logLazily(subsystem, 'dbg', () => {
    const text = X.hashHex(context.ldr.state.sects[context.regions.TEXT].sh_offset);
    const offsets = `r-offset ${X.hashHex(relocation.r_offset)} .text offset ${text}`;
    return `symbol ${name} relocation @${X.pointer(P)} ${offsets} stb ${binding}`;
  });
  return ret;
}

/** Base image, then the extension itself, then the loaded ones. */
function findGlobal(context: LoadContext, symbol: Sym): bigint {
  const { subsystem, guest, profile } = context;
  const key = guest.cstring(symbolNameAddress(context, symbol));
  const builtin = findBaseExport(subsystem.exports, key, symbol.st_value);
  if (builtin !== 0n) return builtin;
  const own = findInTable(subsystem, X.field(context, 'sym_tab'), key);
  if (own !== 0n || !profile.interExtension) return own;
  const found = findExtensionSym(subsystem, key);
  if (found.address !== 0n) addDependency(subsystem, context.ext, found.ext);
  return found.address;
}

/** arch_elf_relocate_global */
export function archElfRelocateGlobal(context: LoadContext, entry: Entry, linkAddress: bigint): number {
  const { subsystem, guest } = context;
  if (entry.relocation.type === R_XTENSA_RELATIVE && guest.u32(entry.P) !== 0) {
    X.log(subsystem, 'wrn', `global: non-zero relative value ${X.hashHex(BigInt(guest.u32(entry.P)))}`, 'elf');
  }
  return relocate(context, entry, linkAddress);
}

/** arch_elf_relocate_local: S is the section's, or .text's address at link time. */
export function archElfRelocateLocal(context: LoadContext, entry: Entry): number {
  const { subsystem, ldr, regions, parm } = context;
  const { symbol } = entry;
  const loaded = (): bigint => X.loadedSectPtr(context, symbol.st_shndx);
  if (subsystem.config.mode === 'abi-correct') return relocate(context, entry, loaded() + symbol.st_value);
  if ((symbol.st_info & 0xf) !== STT_SECTION) return relocate(context, entry, ldr.state.sects[regions.TEXT].sh_addr);
  const section = X.sectionHeader(context, symbol.st_shndx);
  const isDetached = (): boolean =>
    parm.section_detached?.({ ...section, name: X.sectionName(context, section) }) === true;
  return relocate(context, entry, section.sh_addr !== 0n && !isDetached() ? section.sh_addr : loaded());
}

/** xtensa_elf_relocate */
function relocate(context: LoadContext, entry: Entry, address: bigint): number {
  const { subsystem, guest, parm } = context;
  const { section, relocation, symbol, P } = entry;
  const { type } = relocation;
  const place = { P, section: section.sh_info, offset: relocation.r_offset };
  const apply = (S: bigint): number => applyAt(context, { relocation, relocator: xtensa, symbol, S, place });
  if (findRow(xtensa, type, context.profile.profileName) === undefined) {
    X.log(subsystem, 'dbg', `Unsupported relocation type ${type}`, 'elf');
    return 0;
  }
  let ret = 0;
  if (type === R_XTENSA_RELATIVE) {
    if (!parm.pre_located) {
      const target = loadedAddress(context, BigInt(guest.u32(P)));
      if (target === undefined) {
        X.log(subsystem, 'err', `${X.hashHex(BigInt(guest.u32(P)))} not found in any of the sections`, 'elf');
        return -Errno.ENOENT;
      }
      ret = apply(target);
    }
  } else if (type === R_XTENSA_GLOB_DAT || type === R_XTENSA_JMP_SLOT) {
    if (symbol.st_info >> 4 !== STB_LOCAL) ret = apply(address);
  } else if (type === R_XTENSA_SLOT0_OP && subsystem.config.mode !== 'abi-correct') {
    // Whatever was looked up: only right for symbols that the file defines.
    ret = apply(guest.wrap(X.loadedSectPtr(context, symbol.st_shndx) + symbol.st_value));
  } else ret = apply(address);
  X.logLazily(
    subsystem,
    'dbg',
    () => {
      const word = guest.u32(P & ~3n);
      return `Applied relocation to ${X.hashHex(BigInt(word))} type ${type} at ${X.pointer(P)}`;
    },
    'elf',
  );
  return ret;
}

/** By the section headers: the first that has the address. */
function loadedAddress(context: LoadContext, vma: bigint): bigint | undefined {
  const count = X.sectCnt(context);
  for (let i = 0; i < count; i++) {
    X.spend(context);
    const { sh_addr, sh_size } = X.sectionHeader(context, i);
    if (sh_addr > vma || vma >= context.guest.wrap(sh_addr + sh_size)) continue;
    return context.guest.wrap(X.loadedSectPtr(context, i) + vma - sh_addr);
  }
  return undefined;
}
