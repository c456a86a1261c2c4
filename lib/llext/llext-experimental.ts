/**
 * llext_experimental.c: saving extensions over a loss of memory and bringing them back (specification 5).
 * The application copies every struct llext into one array and relinks the dependencies to the copies; afterwards the
 * structures are allocated anew and listed again. Regions must be where they were. Zephyr's flaws are kept: a dependency
 * on the last one restored is "out of range", as are those of extensions that were loaded meanwhile, and giving up then
 * frees twice, which is the machine's fault here.
 */
import { Errno, LlextError } from '../errors';
import * as X from './context';
import type { Subsystem } from './context';
import { LLEXT_MAX_DEPENDENCIES, LLEXT_MAX_NAME_LEN, sectMapEntrySize, symbolEntrySize } from './layout';
import * as list from './llext-list';
import type { LlextLoader } from './loader';
import type { AllocationPurpose } from './types';

/** llext_relink_dependency: `copies` is the address of an array of struct llext. */
export function relinkDependency(subsystem: Subsystem, copies: bigint, count: number): number {
  const copyAt = (i: number): bigint => copies + BigInt(i * subsystem.layout.sizeof);
  const nameOf = (ext: bigint): string => list.extensionName(subsystem, ext);
  for (let i = 0; i < count; i++) {
    for (const [j, dependency] of list.dependencies(subsystem, copyAt(i)).entries()) {
      const wanted = nameOf(dependency);
      const k = Array.from({ length: count }, (_, index) => nameOf(copyAt(index))).indexOf(wanted);
      if (k < 0) return -Errno.ENOENT;
      setDependency(subsystem, copyAt(i), j, copyAt(k));
      X.log(subsystem, 'dbg', `backup ${nameOf(copyAt(i))} depends on ${nameOf(copyAt(k))}`);
    }
  }
  return 0;
}

function setDependency({ guest, layout }: Subsystem, ext: bigint, index: number, dependency: bigint): void {
  if (layout.dependency === undefined || index >= LLEXT_MAX_DEPENDENCIES) return;
  guest.setPtr(ext + BigInt(layout.dependency + index * guest.pointerSize), dependency);
}

export interface RestoreResult {
  readonly ret: number;
  /** The new struct llext of each copy, in their order; 0n for what was freed again. */
  readonly extensions: readonly bigint[];
  /** What the machine did of which `ret` does not tell. */
  readonly fault?: LlextError;
}

/** llext_restore: `copies` are the addresses of the saved struct llext, in the order of their array. */
export function restore(
  subsystem: Subsystem,
  copies: readonly bigint[],
  loaders: readonly LlextLoader[],
): RestoreResult {
  const restoration = new Restoration(subsystem, copies, loaders);
  try {
    return { ret: restoration.run(), extensions: restoration.extensions };
  } catch (error) {
    if (!(error instanceof LlextError)) throw error;
    return { ret: restoration.ret, extensions: restoration.extensions, fault: error };
  }
}

class Restoration {
  ret = 0;
  readonly extensions: bigint[];
  private readonly maps: bigint[] = [];
  private readonly tables: bigint[] = [];
  private mapList = 0n;
  private tableList = 0n;
  private readonly word: bigint;

  constructor(
    private readonly subsystem: Subsystem,
    private readonly copies: readonly bigint[],
    private readonly loaders: readonly LlextLoader[],
  ) {
    this.extensions = [...copies];
    this.word = BigInt(subsystem.guest.pointerSize);
  }

  run(): number {
    const { subsystem, copies } = this;
    const listSize = this.word * BigInt(copies.length);
    this.mapList = this.allocate(listSize, 'list of section maps');
    if (this.mapList === 0n) return this.refuse(`cannot allocate list of maps of ${listSize}`);
    if (!this.allocateMaps() || !this.allocateTables()) return this.ret;
    if (!this.allocateStructs()) return this.ret;
    this.copyMaps();
    this.free(this.mapList);
    this.free(this.tableList);
    for (const ext of list.loadedExtensions(subsystem)) {
      if (!this.restoreDependencies(ext)) return this.giveUp();
    }
    return 0;
  }

  private allocateMaps(): boolean {
    for (const [i, copy] of this.copies.entries()) {
      const size = this.mapSize(copy);
      const map = this.allocate(size, 'sect_map');
      if (map === 0n) {
        this.refuse(`cannot allocate section map of ${size}`);
        this.freeMaps();
        return false;
      }
      this.maps.push(map);
      this.subsystem.guest.setPtr(this.mapList + BigInt(i) * this.word, map);
    }
    return true;
  }

  private allocateTables(): boolean {
    const exporting = this.copies.filter((copy) => this.exportCount(copy) !== 0n);
    const listSize = this.word * BigInt(exporting.length);
    this.tableList = this.allocate(listSize, 'list of exp_tabs');
    if (exporting.length === 0) return true;
    if (this.tableList === 0n) {
      this.refuse(`cannot allocate list of exported symbol tables of ${listSize}`);
      this.freeMaps();
      return false;
    }
    const { guest, layout } = this.subsystem;
    for (const copy of exporting) {
      const size = this.exportCount(copy) * BigInt(symbolEntrySize(guest.pointerSize));
      const table = this.allocate(size, 'exp_tab');
      if (table === 0n) {
        this.refuse(`cannot allocate exported symbol table of ${size}`);
        this.freeTables();
        return false;
      }
      const syms = guest.ptr(copy + BigInt(layout.exp_tab) + this.word);
      guest.write(table, guest.bytes(syms, Number(size)));
      this.tables.push(table);
    }
    return true;
  }

  private allocateStructs(): boolean {
    const { guest, layout } = this.subsystem;
    const tables = [...this.tables];
    for (const [i, copy] of this.copies.entries()) {
      const next = this.allocate(BigInt(layout.sizeof), 'struct llext');
      if (next === 0n) {
        this.refuse(`cannot allocate LLEXT of ${layout.sizeof}`);
        this.freeStructs();
        this.freeTables();
        return false;
      }
      guest.write(next, guest.bytes(copy, layout.sizeof));
      this.extensions[i] = next;
      const table = this.exportCount(next) === 0n ? undefined : tables.shift();
      if (table !== undefined) guest.setPtr(next + BigInt(layout.exp_tab) + this.word, table);
      list.appendExtension(this.subsystem, next);
    }
    return true;
  }

  private copyMaps(): void {
    const { guest } = this.subsystem;
    for (const [i, loader] of this.loaders.entries()) {
      const size = Number(this.mapSize(this.extensions[i]));
      guest.write(this.maps[i], guest.bytes(loader.state.sect_map, size));
      loader.state.sect_map = this.maps[i];
    }
  }

  /** Of any extension in the list, also of one that is not restored. */
  private restoreDependencies(ext: bigint): boolean {
    const { subsystem } = this;
    const first = this.copies[0];
    const last = this.copies[this.copies.length - 1];
    const nameOf = (other: bigint): string => list.extensionName(subsystem, other);
    for (const [j, dependency] of list.dependencies(subsystem, ext).entries()) {
      if (dependency < first || dependency >= last) {
        this.refuse('dependency out of range', Errno.EINVAL);
        return false;
      }
      const found = list.extensionByName(subsystem, nameOf(dependency).slice(0, LLEXT_MAX_NAME_LEN));
      setDependency(subsystem, ext, j, found);
      if (found === 0n) {
        this.refuse('dependency not found', Errno.EFAULT);
        return false;
      }
      X.log(subsystem, 'dbg', `restore ${nameOf(ext)} depends on ${nameOf(found)}`);
    }
    return true;
  }

  private giveUp(): number {
    this.freeStructs();
    this.freeTables();
    return this.ret;
  }

  /** sys_slist_remove without the node before: whatever was listed before one of them is lost with it. */
  private freeStructs(): void {
    const { subsystem } = this;
    for (const ext of list.loadedExtensions(subsystem)) {
      const i = this.extensions.indexOf(ext);
      if (i < 0) continue;
      list.removeHead(subsystem, ext);
      this.free(ext);
      this.extensions[i] = 0n;
    }
  }

  private freeTables(): void {
    for (const table of this.tables) this.free(table);
    this.free(this.tableList);
    this.freeMaps();
  }

  private freeMaps(): void {
    for (const map of this.maps) this.free(map);
    this.free(this.mapList);
  }

  private refuse(message: string, errno: number = Errno.ENOMEM): number {
    X.log(this.subsystem, 'err', message);
    this.ret = -errno;
    return this.ret;
  }

  private mapSize(ext: bigint): bigint {
    const { guest, layout } = this.subsystem;
    const count = layout.sect_cnt === undefined ? 0 : guest.u32(ext + BigInt(layout.sect_cnt));
    return BigInt(count * sectMapEntrySize(guest.pointerSize));
  }

  private exportCount(ext: bigint): bigint {
    const { guest, layout } = this.subsystem;
    return guest.ptr(ext + BigInt(layout.exp_tab));
  }

  private allocate(size: bigint, purpose: AllocationPurpose): bigint {
    return X.allocate(this.subsystem, this.subsystem.heaps.metadata, 0n, size, purpose, undefined);
  }

  private free(address: bigint): void {
    X.release(this.subsystem.heaps.metadata, address);
  }
}
