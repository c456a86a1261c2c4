/**
 * llext_link of llext_link.c (specification 3.4, 4.1): applies the relocation sections in the order of the file, each
 * entry once. Up to 4.2 the first that fails ends it; later versions go on, to tell of all, and return the first error.
 * A shared object of the newest version is relocated by link-time addresses; before that, by section like everything
 * else, so that its dynamic relocations, which name no section, are skipped in silence.
 */
import { SHF_ALLOC, SHT_REL, SHT_RELA } from '../elf/constants';
import { Errno } from '../errors';
import * as X from './context';
import type { LoadContext } from './context';
import { archElfRelocate } from './arch-elf-relocate';
import type { RelocationPlace } from './arch-elf-relocate';
import type { Rela, Shdr } from './elf-records';
import { addressOfVma, isSharedObject } from './llext-dyn';
import { linkSectionFast } from './llext-link-fast';
import { RelocationReader } from './llext-link-read';
import { lookupSymbol, readSymbol } from './llext-link-symbol';
import { linkPlt } from './llext-link-plt';
import { symbolName } from './llext-symbols';

export function link(context: LoadContext): number {
  const count = X.sectCnt(context);
  const isXtensa = context.subsystem.config.arch === 'xtensa';
  const byVma = !isXtensa && isSharedObject(context) && context.profile.dynImage;
  let first = 0;
  for (let i = 0; i < count; i++) {
    X.spend(context);
    const section = X.sectionHeader(context, i);
    if (section.sh_type !== SHT_REL && section.sh_type !== SHT_RELA) continue;
    let ret = checkRelocationSection(context, i, section);
    if (ret !== 0) return first === 0 ? ret : first;
    if (isXtensa) ret = linkPlt(context, section);
    else if (byVma) ret = linkEntries(context, section, linkDynEntry);
    else {
      // Debug sections stay as they are.
      const target = X.sectionHeader(context, section.sh_info);
      const isProgram = (target.sh_flags & BigInt(SHF_ALLOC)) !== 0n;
      if (!isProgram && context.profile.skipsUnallocatedTargets) continue;
      ret = linkSection(context, i, section, target);
    }
    if (ret === 0) continue;
    if (byVma || !context.profile.collectsLinkErrors) return ret;
    if (first === 0) first = ret;
  }
  return first;
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

function linkSection(context: LoadContext, i: number, section: Shdr, target: Shdr): number {
  const { subsystem } = context;
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
  const linkOne = (relocation: Rela): number => linkSectionEntry(context, section, relocation, target);
  const fast = linkSectionFast(context, section, target, linkOne);
  if (fast !== undefined) return fast;
  // Whatever the entries patch, it may be the tables.
  context.linkSymbols = undefined;
  return linkEntries(context, section, (_, __, relocation) => linkOne(relocation));
}

type LinkEntry = (context: LoadContext, section: Shdr, relocation: Rela) => number;

/** 0, the error that ended it, or the first of those that did not. */
function linkEntries(context: LoadContext, section: Shdr, linkEntry: LinkEntry): number {
  const table = new RelocationReader(context, section);
  let first = 0;
  for (let j = 0n; j < table.count; j++) {
    const relocation = table.read(j);
    if (typeof relocation === 'number') return relocation;
    const ret = linkEntry(context, section, relocation);
    if (ret === 0) continue;
    if (!context.profile.collectsLinkErrors || linkEntry === linkDynEntry) return ret;
    if (first === 0) first = ret;
  }
  return first;
}

function linkSectionEntry(context: LoadContext, section: Shdr, relocation: Rela, target: Shdr): number {
  const { subsystem, guest } = context;
  const { r_offset } = relocation;
  if (r_offset >= target.sh_size && context.profile.relocationOffsetChecked) {
    const where = `section ${section.sh_info} of ${target.sh_size} bytes`;
    X.log(subsystem, 'err', `Relocation offset ${X.hashHex(r_offset)} is outside of ${where}`);
    return -Errno.ENOEXEC;
  }
  if (r_offset >= target.sh_size) {
    const where = `${X.sectionName(context, target)}, which has ${X.hashHex(target.sh_size)} bytes`;
    X.outOfBounds(context, 'write', () => `r_offset ${X.hashHex(r_offset)} of a relocation in ${where}`);
  }
  const P = guest.wrap(X.loadedSectPtr(context, section.sh_info) + r_offset);
  return linkEntry(context, section, relocation, { P, section: section.sh_info, offset: r_offset });
}

/** r_offset is an address of the file. */
function linkDynEntry(context: LoadContext, section: Shdr, relocation: Rela): number {
  const { subsystem } = context;
  const P = addressOfVma(context, relocation.r_offset);
  if (P === undefined) {
    X.log(subsystem, 'err', `Relocation address ${X.hashHex(relocation.r_offset)} is in no loaded region`);
    return -Errno.ENOEXEC;
  }
  const inside = context.placed.find(({ address, size }) => P >= address && P < address + BigInt(size));
  return linkEntry(context, section, relocation, {
    P,
    section: inside?.index ?? 0,
    offset: inside === undefined ? relocation.r_offset : P - inside.address,
  });
}

function linkEntry(context: LoadContext, section: Shdr, relocation: Rela, place: RelocationPlace): number {
  const { subsystem } = context;
  const { P } = place;
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
  return archElfRelocate(context, section, relocation, place);
}
