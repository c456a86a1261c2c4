/**
 * llext_find_tables (specification 1.4): the symbol table with its strings, and the table of section names. Up to 4.4
 * it is one forward pass that ends with the third hit: a string table is only recognised behind its symbol table, and one
 * table for both kinds of strings is never enough. The newest version does not depend on the order.
 */
import { ET_DYN, ET_REL, SHT_DYNSYM, SHT_NULL, SHT_STRTAB, SHT_SYMTAB } from '../elf/constants';
import { Errno } from '../errors';
import * as X from './context';
import type { LoadContext } from './context';
import { emptyShdr } from './elf-records';
import type { Shdr } from './elf-records';

export function findTables(context: LoadContext): number {
  const { subsystem, ldr, profile, regions } = context;
  const { state } = ldr;
  state.sects.forEach((_, i) => (state.sects[i] = emptyShdr()));
  const ret = profile.findTablesOrderIndependent ? findInAnyOrder(context) : findInOnePass(context);
  if (ret !== 0) return ret;
  const symtab = state.sects[regions.SYMTAB];
  const tables = [symtab, state.sects[regions.STRTAB], state.sects[regions.SHSTRTAB]];
  if (tables.some((table) => table.sh_type === SHT_NULL)) {
    X.log(subsystem, 'err', 'Some sections are missing or present multiple times!');
    return -Errno.ENOEXEC;
  }
  if (symtab.sh_entsize !== BigInt(subsystem.sizes.sym) || symtab.sh_size % symtab.sh_entsize !== 0n) {
    X.log(subsystem, 'err', 'Invalid symbol table');
    return -Errno.ENOEXEC;
  }
  return 0;
}

/** 'symtab' or 'dynsym', where the section is the one that goes with the file's type. */
function symbolTableKind({ ldr }: LoadContext, { sh_type }: Shdr): string | undefined {
  const e_type = ldr.state.hdr?.e_type;
  if (sh_type === SHT_SYMTAB && e_type === ET_REL) return 'symtab';
  return sh_type === SHT_DYNSYM && e_type === ET_DYN ? 'dynsym' : undefined;
}

function setTable(context: LoadContext, region: number, index: number, section: Shdr): void {
  context.ldr.state.sects[region] = section;
  X.setSectMemIdx(context, index, region);
}

function findInOnePass(context: LoadContext): number {
  const { subsystem, ldr, regions } = context;
  const count = X.sectCnt(context);
  const tables = 3;
  let strtabIndex = -1;
  let found = 0;
  for (let i = 0; i < count && found < tables; i++) {
    const section = X.sectionHeader(context, i);
    const kind = symbolTableKind(context, section);
    if (kind !== undefined) {
      X.log(subsystem, 'dbg', `${kind} at ${i}`);
      setTable(context, regions.SYMTAB, i, section);
      strtabIndex = section.sh_link;
    } else if (section.sh_type === SHT_STRTAB && i === ldr.state.hdr?.e_shstrndx) {
      X.log(subsystem, 'dbg', `shstrtab at ${i}`);
      setTable(context, regions.SHSTRTAB, i, section);
    } else if (section.sh_type === SHT_STRTAB && i === strtabIndex) {
      X.log(subsystem, 'dbg', `strtab at ${i}`);
      setTable(context, regions.STRTAB, i, section);
    } else continue;
    found++;
  }
  return 0;
}

/** The last symbol table wins. */
function findInAnyOrder(context: LoadContext): number {
  const { subsystem, ldr, regions, profile } = context;
  const count = X.sectCnt(context);
  let symtabIndex = -1;
  for (let i = 0; i < count; i++) {
    const kind = symbolTableKind(context, X.sectionHeader(context, i));
    if (kind === undefined) continue;
    X.log(subsystem, 'dbg', `${kind} at ${i}`);
    symtabIndex = i;
  }
  const names = ldr.state.hdr?.e_shstrndx ?? 0;
  if (names < count) setStringTable(context, regions.SHSTRTAB, names, 'shstrtab');
  if (symtabIndex < 0) return 0;
  const symtab = X.sectionHeader(context, symtabIndex);
  setTable(context, regions.SYMTAB, symtabIndex, symtab);
  if (symtab.sh_link >= count && profile.strtabIndexChecked) {
    X.log(subsystem, 'err', `Invalid string table index ${symtab.sh_link}`);
    return -Errno.ENOEXEC;
  }
  setStringTable(context, regions.STRTAB, symtab.sh_link, 'strtab');
  return 0;
}

function setStringTable(context: LoadContext, region: number, index: number, kind: string): void {
  const section = X.sectionHeader(context, index);
  if (section.sh_type !== SHT_STRTAB) return;
  X.log(context.subsystem, 'dbg', `${kind} at ${index}`);
  setTable(context, region, index, section);
}
