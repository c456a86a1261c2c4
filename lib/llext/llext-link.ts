/**
 * llext_link of llext_link.c in the 4.2 era (specification 3.4, 4.1): applies the relocation sections in the order of
 * the file, each entry once, and stops at the first that fails. Symbols are looked up in the base image, then in the
 * loaded extensions; one with the address 0 is not found, and weak is not special.
 */
import { SHF_ALLOC, SHT_REL, SHT_RELA } from '../elf/constants';
import { Errno } from '../errors';
import * as X from './context';
import type { LoadContext } from './context';
import { archElfRelocate } from './arch-elf-relocate';
import type { Rela, Shdr } from './elf-records';
import { readRela } from './elf-records';
import { lookupSymbol, readSymbol } from './llext-link-symbol';
import { linkPlt } from './llext-link-plt';
import { readInto } from './loader';
import { symbolName } from './llext-symbols';

export function link(context: LoadContext): number {
  const count = X.sectCnt(context);
  for (let i = 0; i < count; i++) {
    X.spend(context);
    const section = X.sectionHeader(context, i);
    if (section.sh_type !== SHT_REL && section.sh_type !== SHT_RELA) continue;
    let ret = checkRelocationSection(context, i, section);
    if (ret !== 0) return ret;
    if (context.subsystem.config.arch === 'xtensa') {
      ret = linkPlt(context, section);
      if (ret !== 0) return ret;
      continue;
    }
    // Debug sections stay as they are.
    const target = X.sectionHeader(context, section.sh_info);
    if ((target.sh_flags & BigInt(SHF_ALLOC)) === 0n) continue;
    ret = linkSection(context, i, section);
    if (ret !== 0) return ret;
  }
  return 0;
}

function checkRelocationSection(context: LoadContext, i: number, section: Shdr): number {
  const { subsystem } = context;
  const { sh_entsize, sh_info, sh_size } = section;
  if (section.sh_type === SHT_RELA && subsystem.config.arch === 'arm') {
    X.log(subsystem, 'err', `Found unsupported SHT_RELA section ${i}`);
    return -Errno.ENOTSUP;
  }
  const rela = section.sh_type === SHT_RELA;
  if (sh_entsize !== BigInt(rela ? subsystem.sizes.rela : subsystem.sizes.rel)) {
    X.log(subsystem, 'err', `Invalid entry size ${sh_entsize} for ${rela ? 'SHT_RELA' : 'SHT_REL'} section ${i}`);
    return -Errno.ENOEXEC;
  }
  if (sh_info >= X.sectCnt(context) || sh_size % sh_entsize !== 0n) {
    const facts = `info ${sh_info}, size ${sh_size}, entsize ${sh_entsize}`;
    X.log(subsystem, 'err', `Sanity checks failed for section ${i} (${facts})`);
    return -Errno.ENOEXEC;
  }
  return 0;
}

function linkSection(context: LoadContext, i: number, section: Shdr): number {
  const { subsystem, guest, ldr } = context;
  const count = section.sh_size / section.sh_entsize;
  const name = X.sectionName(context, section);
  X.log(
    subsystem,
    'dbg',
    `relocation section ${name} (${i}) acting on section ${section.sh_info} has ${count} relocations`,
  );
  if (X.sectMemIdx(context, section.sh_info) === context.regions.COUNT) {
    X.log(subsystem, 'err', `Section ${section.sh_info} not loaded in any memory region`);
    return -Errno.ENOEXEC;
  }
  // One local variable in Zephyr: SHT_REL leaves the addend alone, the file's end leaves everything.
  const bytes = new Uint8Array(subsystem.sizes.rela);
  for (let j = 0; BigInt(j) < count; j++) {
    X.spend(context);
    const seek = ldr.seek(guest.wrap(section.sh_offset + BigInt(j) * section.sh_entsize));
    if (seek !== 0) return seek;
    const read = readInto(ldr, bytes, Number(section.sh_entsize));
    if (read !== 0) return read;
    const relocation = readRela(bytes, guest.pointerSize, guest.littleEndian);
    const ret = linkEntry(context, section, relocation);
    if (ret !== 0) return ret;
  }
  return 0;
}

function linkEntry(context: LoadContext, section: Shdr, relocation: Rela): number {
  const { subsystem, guest } = context;
  const P = guest.wrap(X.loadedSectPtr(context, section.sh_info) + relocation.r_offset);
  const symbol = readSymbol(context, relocation.symbolIndex);
  if (typeof symbol === 'number') return symbol;
  // With messages at INF level the loader looks the symbol up once more, only to tell of it before it is used.
  if (subsystem.config.logLevel >= X.LOG_LEVEL_INF) {
    const name = symbolName(context, symbol);
    const S = lookupSymbol(context, section, relocation, symbol);
    if (typeof S === 'number') {
      X.log(subsystem, 'err', `Could not find symbol ${name}!`);
      return S;
    }
    const text = `${relocation.type} at ${X.hashHex(P)} with symbol ${name} (${X.hashHex(S)})`;
    X.log(subsystem, 'inf', `writing relocation type ${text}`);
  }
  return archElfRelocate(context, section, relocation, P);
}
