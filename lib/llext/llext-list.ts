/**
 * The list of loaded extensions in guest memory (sys_slist_t llext_list: head, tail; struct llext begins with its node),
 * the symbol look-ups that walk it, and dependencies between extensions (specification 3.4, 3.5).
 */
import type { Subsystem } from './context';
import { LLEXT_MAX_DEPENDENCIES, LLEXT_MAX_NAME_LEN, symbolEntrySize } from './layout';

/** More than any target holds: a circle, or a list that a program has overwritten. */
const longestList = 4096;

/** Addresses of struct llext in list order. */
export function loadedExtensions({ guest, listAddress }: Subsystem): bigint[] {
  const list: bigint[] = [];
  for (let node = guest.ptr(listAddress); node !== 0n && list.length < longestList; node = guest.ptr(node)) {
    list.push(node);
  }
  return list;
}

/** sys_slist_append */
export function appendExtension({ guest, listAddress }: Subsystem, ext: bigint): void {
  const tailAddress = listAddress + BigInt(guest.pointerSize);
  const tail = guest.ptr(tailAddress);
  guest.setPtr(ext, 0n);
  if (tail === 0n) guest.setPtr(listAddress, ext);
  else guest.setPtr(tail, ext);
  guest.setPtr(tailAddress, ext);
}

/** sys_slist_remove of a node that is taken for the first: what was listed before it is lost. */
export function removeHead({ guest, listAddress }: Subsystem, ext: bigint): void {
  const tailAddress = listAddress + BigInt(guest.pointerSize);
  guest.setPtr(listAddress, guest.ptr(ext));
  if (guest.ptr(tailAddress) === ext) guest.setPtr(tailAddress, guest.ptr(listAddress));
  guest.setPtr(ext, 0n);
}

/** sys_slist_find_and_remove */
export function removeExtension(subsystem: Subsystem, ext: bigint): void {
  const { guest, listAddress } = subsystem;
  const list = loadedExtensions(subsystem);
  const position = list.indexOf(ext);
  if (position < 0) return;
  const next = guest.ptr(ext);
  guest.setPtr(position === 0 ? listAddress : list[position - 1], next);
  const tailAddress = listAddress + BigInt(guest.pointerSize);
  if (guest.ptr(tailAddress) === ext) guest.setPtr(tailAddress, position === 0 ? 0n : list[position - 1]);
  // sys_slist_remove leaves the node's own link at NULL.
  guest.setPtr(ext, 0n);
}

/**
 * strncmp(ext->name, name, LLEXT_MAX_NAME_LEN) == 0; 0n when no such extension is loaded. The oldest version compares
 * the terminating zero too, and so never finds a name that it has cut.
 */
export function extensionByName(subsystem: Subsystem, name: string): bigint {
  const wanted = name.slice(0, Number(subsystem.profile.nameBytesCompared));
  const found = loadedExtensions(subsystem).find((ext) => extensionName(subsystem, ext) === wanted);
  return found ?? 0n;
}

export function extensionName({ guest, layout }: Subsystem, ext: bigint): string {
  return guest.shownString(ext + BigInt(layout.name)).slice(0, LLEXT_MAX_NAME_LEN);
}

/** llext_find_sym of one table (struct llext_symtable at that address): the address, 0n when it is not there. */
export function findInTable(subsystem: Subsystem, table: bigint, name: string): bigint {
  const { guest } = subsystem;
  const count = guest.ptr(table);
  const syms = guest.ptr(table + BigInt(guest.pointerSize));
  for (let i = 0n; i < count; i++) {
    const entry = syms + i * BigInt(symbolEntrySize(guest.pointerSize));
    if (guest.shownString(guest.ptr(entry)) === name) return guest.ptr(entry + BigInt(guest.pointerSize));
  }
  return 0n;
}

/** llext_find_extension_sym: the first loaded extension that exports the name. */
export function findExtensionSym(subsystem: Subsystem, name: string): { address: bigint; ext: bigint } {
  for (const ext of loadedExtensions(subsystem)) {
    const address = findInTable(subsystem, ext + BigInt(subsystem.layout.exp_tab), name);
    if (address !== 0n) return { address, ext };
  }
  return { address: 0n, ext: 0n };
}

/** ext->dependency: dense, ends with the first NULL. */
export function dependencies({ guest, layout }: Subsystem, ext: bigint): bigint[] {
  const list: bigint[] = [];
  if (layout.dependency === undefined) return list;
  for (let i = 0; i < LLEXT_MAX_DEPENDENCIES; i++) {
    const dependency = guest.ptr(ext + BigInt(layout.dependency + i * guest.pointerSize));
    if (dependency === 0n) break;
    list.push(dependency);
  }
  return list;
}

/** llext_dependency_add: counts once; a ninth dependency is forgotten. */
export function addDependency(subsystem: Subsystem, ext: bigint, dependency: bigint): void {
  const { guest, layout } = subsystem;
  if (layout.dependency === undefined) return;
  const list = dependencies(subsystem, ext);
  if (list.includes(dependency) || list.length === LLEXT_MAX_DEPENDENCIES) return;
  guest.setPtr(ext + BigInt(layout.dependency + list.length * guest.pointerSize), dependency);
  addUse(subsystem, dependency, 1);
}

/** llext_dependency_remove_all */
export function removeDependencies(subsystem: Subsystem, ext: bigint): void {
  for (const dependency of dependencies(subsystem, ext)) addUse(subsystem, dependency, -1);
}

/** The new count. */
export function addUse({ guest, layout }: Subsystem, ext: bigint, change: number): number {
  const address = ext + BigInt(layout.use_count);
  const count = (guest.u32(address) + change) >>> 0;
  guest.setU32(address, count);
  return count;
}
