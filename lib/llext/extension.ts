/**
 * A loaded extension as the rest of the product sees it: a view of its struct llext in guest memory, read at each
 * access, and the places of its sections, which Zephyr forgets after loading and this loader keeps as plain data.
 */
import type { Subsystem } from './context';
import { readShdr } from './elf-records';
import type { Shdr } from './elf-records';
import { displayName } from './guest';
import { dependencies, extensionName } from './llext-list';
import type { MemPartition } from './llext-partitions';
import { symbolEntrySize } from './layout';
import type { InstanceId, PlacedSection, RegionName } from './types';

/** Everything the host remembers of one load; plain data, copied by snapshots. */
export interface ExtensionRecord {
  /** Counts loads of the session, never reused. */
  readonly id: number;
  readonly name: string;
  /** Address of struct llext. */
  readonly address: bigint;
  readonly sections: readonly PlacedSection[];
  /** CONFIG_USERSPACE: mem_parts, by region. */
  readonly partitions: ReadonlyMap<number, MemPartition>;
}

export interface SymbolEntry {
  readonly name: string;
  readonly nameAddress: bigint;
  readonly address: bigint;
}

export interface SymbolTable {
  readonly count: number;
  readonly address: bigint;
  readonly symbols: readonly SymbolEntry[];
}

/** A table's count is a word of guest memory: a program may have overwritten it. */
const longestTable = 65536;

export class LlextExtension {
  constructor(
    private readonly subsystem: Subsystem,
    readonly record: ExtensionRecord,
  ) {}

  get id(): number {
    return this.record.id;
  }

  get address(): bigint {
    return this.record.address;
  }

  get instance(): InstanceId {
    return { id: this.record.id, name: this.name, address: this.record.address };
  }

  get name(): string {
    return displayName(extensionName(this.subsystem, this.address));
  }

  /** Sections that are in a region, with their load addresses. */
  get sections(): readonly PlacedSection[] {
    return this.record.sections;
  }

  /** mem_parts by region, without the regions that have none. */
  get partitions(): ReadonlyMap<number, MemPartition> {
    return this.record.partitions;
  }

  /** enum llext_mem of the build that the extension is loaded into. */
  get regionNames(): readonly RegionName[] {
    return this.subsystem.regions.names;
  }

  /** Base address of every region, 0n where it has none; in the order of regionNames. */
  get mem(): readonly bigint[] {
    const { guest, layout } = this.subsystem;
    return this.regionNames.map((_, i) => guest.ptr(this.address + BigInt(layout.mem + i * guest.pointerSize)));
  }

  get memSize(): readonly bigint[] {
    const { guest, layout } = this.subsystem;
    return this.regionNames.map((_, i) => guest.ptr(this.address + BigInt(layout.mem_size + i * guest.pointerSize)));
  }

  get memOnHeap(): readonly boolean[] {
    const { guest, layout } = this.subsystem;
    return this.regionNames.map((_, i) => guest.u8(this.address + BigInt(layout.mem_on_heap + i)) !== 0);
  }

  get allocSize(): bigint {
    return this.subsystem.guest.ptr(this.address + BigInt(this.subsystem.layout.alloc_size));
  }

  get useCount(): number {
    return this.subsystem.guest.u32(this.address + BigInt(this.subsystem.layout.use_count));
  }

  /** Addresses of struct llext of the extensions that this one links to. */
  get dependency(): readonly bigint[] {
    return dependencies(this.subsystem, this.address);
  }

  /** 0 before 4.1, as if there were no headers: the loader kept them, and is gone. */
  get sectCnt(): number {
    const { guest, layout } = this.subsystem;
    return layout.sect_cnt === undefined ? 0 : guest.u32(this.address + BigInt(layout.sect_cnt));
  }

  get sectHdrs(): bigint {
    const { guest, layout } = this.subsystem;
    return layout.sect_hdrs === undefined ? 0n : guest.ptr(this.address + BigInt(layout.sect_hdrs));
  }

  get sectHdrsOnHeap(): boolean {
    const { guest, layout } = this.subsystem;
    return layout.sect_hdrs_on_heap !== undefined && guest.u8(this.address + BigInt(layout.sect_hdrs_on_heap)) !== 0;
  }

  /** Global functions and objects; empty unless the log level is DBG. */
  get symTab(): SymbolTable {
    return this.table(this.subsystem.layout.sym_tab);
  }

  /** What other extensions and llext_call_fn find. */
  get expTab(): SymbolTable {
    return this.table(this.subsystem.layout.exp_tab);
  }

  /** llext_section_headers, with names; undefined where the header table is no longer in memory. */
  sectionHeaders(): readonly (Shdr & { readonly name: string })[] | undefined {
    const { guest, sizes, regions, layout } = this.subsystem;
    if (layout.sect_hdrs === undefined) return undefined;
    const length = this.sectCnt * sizes.shdr;
    const table = guest.memory.readPrefix(this.sectHdrs, length);
    if (table.length < length) return undefined;
    const names = this.mem[regions.SHSTRTAB];
    return Array.from({ length: this.sectCnt }, (_, i) => {
      const bytes = table.subarray(i * sizes.shdr, (i + 1) * sizes.shdr);
      const section = readShdr(bytes, guest.pointerSize, guest.littleEndian);
      return { ...section, name: displayName(guest.shownString(names + BigInt(section.sh_name))) };
    });
  }

  /** The region's contents as they are now; what is not in memory is left out at the end. */
  regionBytes(index: number): Uint8Array {
    return this.subsystem.guest.memory.readPrefix(this.mem[index], Number(this.memSize[index]));
  }

  /** Whether an address is in the extension's code. */
  hasCodeAt(address: bigint): boolean {
    const { TEXT } = this.subsystem.regions;
    const base = this.mem[TEXT];
    return base !== 0n && address >= base && address < base + this.memSize[TEXT];
  }

  private table(offset: number): SymbolTable {
    const { guest } = this.subsystem;
    const word = BigInt(guest.pointerSize);
    const count = Math.min(Number(guest.ptr(this.address + BigInt(offset))), longestTable);
    const address = guest.ptr(this.address + BigInt(offset) + word);
    const symbols: SymbolEntry[] = [];
    for (let i = 0; i < count; i++) {
      const entry = address + BigInt(i * symbolEntrySize(guest.pointerSize));
      const nameAddress = guest.ptr(entry);
      symbols.push({
        name: displayName(guest.shownString(nameAddress)),
        nameAddress,
        address: guest.ptr(entry + word),
      });
    }
    return { count, address, symbols };
  }
}
