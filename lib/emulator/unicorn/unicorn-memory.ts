/**
 * Guest memory that lies in Unicorn: every read and write is one of its calls. Which pages are mapped, with what
 * permissions, is known here, because unicorn.js cannot tell (mem_regions is not in its API).
 */
import type { MachineMemory, MemoryRegion, Permissions } from '../types';
import type { UnicornEngine } from './unicorn-api';

const pageSize = 4096;
const PROT_READ = 1;
const PROT_WRITE = 2;
const PROT_EXEC = 4;

export class UnicornMemory implements MachineMemory {
  private readonly mappedRegions: MemoryRegion[] = [];
  private readonly mappedPages = new Set<number>();

  constructor(
    private readonly engine: UnicornEngine,
    regions: readonly MemoryRegion[],
  ) {
    for (const region of regions) this.map(region);
  }

  get regions(): readonly MemoryRegion[] {
    return this.mappedRegions;
  }

  map(region: MemoryRegion): void {
    const { base, size, permissions } = region;
    if (base % pageSize !== 0 || size % pageSize !== 0 || size <= 0 || base < 0 || base + size > 2 ** 32) {
      throw new RangeError(`region '${region.name}' is not made of whole 4 KiB pages of the 4 GiB address space`);
    }
    this.mappedRegions.push(region);
    const protection = protectionOf(permissions);
    // In runs of pages that are all new or all mapped: Unicorn maps nothing twice.
    for (let at = base; at < base + size;) {
      const isMapped = this.mappedPages.has(at / pageSize);
      let end = at;
      while (end < base + size && this.mappedPages.has(end / pageSize) === isMapped) end += pageSize;
      if (isMapped) this.engine.mem_protect(at, end - at, protection);
      else this.engine.mem_map(at, end - at, protection);
      for (; at < end; at += pageSize) this.mappedPages.add(at / pageSize);
    }
  }

  regionAt(address: number): MemoryRegion | undefined {
    return this.mappedRegions.findLast(({ base, size }) => address >= base && address < base + size);
  }

  read(address: number, length: number): Uint8Array {
    const size = this.mappedLength(address, length);
    return size === 0 ? new Uint8Array() : Uint8Array.from(this.engine.mem_read(address, size));
  }

  peek(address: number, length: number): Uint8Array {
    return this.read(address, length);
  }

  write(address: number, bytes: Uint8Array): number {
    const size = this.mappedLength(address, bytes.length);
    if (size > 0) this.engine.mem_write(address, bytes.subarray(0, size));
    return size;
  }

  /** Unicorn does not tell what it has written: every page that can be. */
  dirtyPages(): readonly number[] {
    return [...this.mappedPages].filter((page) => this.regionAt(page * pageSize)?.permissions.write === true);
  }

  clearDirty(): void {
    // Nothing is kept: see dirtyPages.
  }

  private mappedLength(address: number, length: number): number {
    let end = address;
    while (end < address + length && this.mappedPages.has(Math.floor(end / pageSize))) {
      end = (Math.floor(end / pageSize) + 1) * pageSize;
    }
    return Math.min(length, end - address);
  }
}

function protectionOf({ read, write, execute }: Permissions): number {
  return (read ? PROT_READ : 0) | (write ? PROT_WRITE : 0) | (execute ? PROT_EXEC : 0);
}
