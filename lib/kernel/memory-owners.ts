/**
 * Whose memory is what, while memory safety is checked: regions of extensions, blocks that they got from the heap, what the base
 * image exports, shared memory. Tells the machine's shadow, and describes an address for people: which block or
 * region is nearest, who allocated and who freed it. Plain data; `state` is what a snapshot has to keep.
 */
import { hex } from '../bytes';
import type { MemorySafety } from '../emulator/safety/memory-safety';
import { Shadow } from '../emulator/safety/shadow';
import type { LlextExtension } from '../llext/extension';
import type { RegionName } from '../llext/regions';
import type { MemoryBlock } from './memory-map';

/** Something that happened to a block: which function did it, and the instruction that called it. */
export interface BlockEvent {
  readonly what: 'allocated' | 'freed';
  readonly by: string;
  readonly pc: number;
}

export interface HeapBlock {
  readonly address: number;
  readonly size: number;
  /** Absent for what was there when the checks began. */
  readonly allocated?: BlockEvent;
  readonly freed?: BlockEvent;
}

/** An object that others may import. */
interface ExportedObject {
  readonly address: number;
  readonly size: number;
}

interface OwnedRegion {
  readonly address: number;
  readonly size: number;
  /** 'TEXT of hello' */
  readonly name: string;
  readonly instance: number;
  readonly kind: 'code' | 'constants' | 'data';
}

/** Memory that extensions may use besides: launch attribute sharedMemory. */
export interface SharedMemory {
  readonly address: number;
  readonly size: number;
  readonly writable: boolean;
}

export interface OwnersState {
  blocks: ReadonlyMap<number, HeapBlock>;
  freed: readonly HeapBlock[];
  regions: readonly OwnedRegion[];
  unloaded: readonly OwnedRegion[];
  exported: ReadonlyMap<number, readonly ExportedObject[]>;
}

/** About what a copy of it takes. */
export const bytesOfOwners = ({ blocks, freed, regions, unloaded }: OwnersState): number =>
  80 * blocks.size + 8 * (freed.length + regions.length + unloaded.length);

/** What is known of an address. */
export interface Ownership {
  /** '1 byte behind the 16 bytes at 0x20007b2c that k_malloc gave'; undefined for memory that nobody spoke of. */
  readonly text: string | undefined;
  readonly events: readonly BlockEvent[];
}

const readOnlyRegions: ReadonlySet<RegionName> = new Set([
  'TEXT',
  'RODATA',
  'RODATA_NO_RELOC',
  'EXPORT',
  'PREINIT',
  'INIT',
  'FINI',
  'VENEER',
]);
const writableRegions: ReadonlySet<RegionName> = new Set(['DATA', 'BSS']);
const codeRegions: ReadonlySet<RegionName> = new Set(['TEXT', 'VENEER']);

/** Freed blocks that are remembered. */
const rememberedBlocks = 4096;
/** An address so near to a block is told by it. */
const nearBlock = 64;

const bytes = (count: number): string => (count === 1 ? '1 byte' : `${count} bytes`);
const holds = ({ address, size }: MemoryBlockLike, at: number): boolean => at >= address && at < address + size;

interface MemoryBlockLike {
  readonly address: number;
  readonly size: number;
}

export class MemoryOwners {
  private readonly blocks = new Map<number, HeapBlock>();
  private freed: HeapBlock[] = [];
  private regions: OwnedRegion[] = [];
  private unloaded: OwnedRegion[] = [];
  /** By instance. */
  private exported = new Map<number, readonly ExportedObject[]>();

  constructor(
    private readonly safety: MemorySafety,
    private readonly stack: MemoryBlock,
  ) {
    safety.isOthers = (address, pc) => this.isOthers(address, pc);
  }

  get state(): OwnersState {
    const { blocks, freed, regions, unloaded, exported } = this;
    return {
      blocks: new Map(blocks),
      freed: [...freed],
      regions: [...regions],
      unloaded: [...unloaded],
      exported: new Map(exported),
    };
  }

  /** As it was; the shadow is memory, and restored with it. */
  set state({ blocks, freed, regions, unloaded, exported }: OwnersState) {
    this.exported = new Map(exported);
    this.blocks.clear();
    for (const [address, block] of blocks) this.blocks.set(address, block);
    this.freed = [...freed];
    this.regions = [...regions];
    this.unloaded = [...unloaded];
  }

  share({ address, size, writable }: SharedMemory): void {
    if (writable) this.safety.own(address, size, true);
    else this.safety.ownReadOnly(address, size, false);
  }

  /** `exported`: its objects that others may import. */
  addExtension({ id, name, regionNames, mem, memSize }: LlextExtension, exported: readonly ExportedObject[]): void {
    this.exported.set(id, exported);
    regionNames.forEach((region, i) => {
      const [address, size] = [Number(mem[i]), Number(memSize[i])];
      if (size === 0 || address === 0) return;
      if (readOnlyRegions.has(region)) this.safety.ownReadOnly(address, size, codeRegions.has(region));
      else if (writableRegions.has(region)) this.safety.own(address, size, true);
      else return;
      const kind = codeRegions.has(region) ? 'code' : writableRegions.has(region) ? 'data' : 'constants';
      this.regions.push({ address, size, name: `${region} of ${name}`, instance: id, kind });
    });
    this.markPrivate();
  }

  /** To be called when the rules have changed: data of extensions beside each other are marked while that is a rule. */
  markPrivate(): void {
    const { safety, regions } = this;
    const data = regions.filter(({ kind }) => kind === 'data');
    const isAsked = safety.has('other-extension') && new Set(regions.map(({ instance }) => instance)).size > 1;
    const flag = isAsked ? Shadow.private : 0;
    for (const { address, size } of data) safety.shadow.change(address, size, Shadow.private, flag);
    for (const objects of this.exported.values()) {
      for (const { address, size } of objects) safety.shadow.change(address, size, Shadow.private, 0);
    }
  }

  /** Code that is no extension's may access everything. */
  private isOthers(address: number, pc: number): boolean {
    const by = this.regions.find((region) => region.kind === 'code' && holds(region, pc));
    const region = this.regions.find((one) => one.kind === 'data' && holds(one, address));
    return by !== undefined && region !== undefined && by.instance !== region.instance;
  }

  removeExtension(id: number): void {
    const gone = this.regions.filter(({ instance }) => instance === id);
    this.regions = this.regions.filter(({ instance }) => instance !== id);
    for (const { address, size } of gone) this.safety.disown(address, size);
    this.exported.delete(id);
    this.markPrivate();
    this.unloaded = [...gone, ...this.unloaded].slice(0, rememberedBlocks);
  }

  // --- The heap ------------------------------------------------------------------------------------------------------------

  allocated(address: number, size: number, allocated: BlockEvent): void {
    this.blocks.set(address, { address, size, allocated });
    this.safety.own(address, size, false);
    this.freed = this.freed.filter((block) => block.address >= address + size || block.address + block.size <= address);
  }

  isLive(address: number): boolean {
    return this.blocks.has(address);
  }

  /** A block that was there when the checks began. */
  adopt(address: number, size: number): void {
    this.blocks.set(address, { address, size });
    this.safety.own(address, size, true);
  }

  released(address: number, freed: BlockEvent): void {
    const block = this.blocks.get(address);
    if (block === undefined) return;
    this.blocks.delete(address);
    this.safety.disown(address, block.size);
    this.freed = [{ ...block, freed }, ...this.freed].slice(0, rememberedBlocks);
  }

  /** realloc: what of the old block was never written is not written in the new one either. */
  moved(from: number, to: number): void {
    const [old, block] = [this.blocks.get(from), this.blocks.get(to)];
    if (old === undefined || block === undefined) return;
    const kept = Math.min(old.size, block.size);
    this.safety.shadow.copyUndefined(from, to, kept);
    for (let at = kept; at < block.size; at++) this.safety.shadow.setUndefinedAt(to + at, 0xff);
  }

  // --- For people ------------------------------------------------------------------------------------------------------------

  describe(address: number): Ownership {
    const live = [...this.blocks.values()];
    const inside = live.find((block) => holds(block, address));
    if (inside) return this.blockText(inside, `in the ${blockName(inside)}`);
    const freed = this.freed.find((block) => holds(block, address));
    if (freed) return this.blockText(freed, `in the ${blockName(freed)}, which is freed`);
    const region = this.regions.find((one) => holds(one, address));
    if (region) return { text: region.name, events: [] };
    const unloaded = this.unloaded.find((one) => holds(one, address));
    if (unloaded) return { text: `${unloaded.name}, which is unloaded`, events: [] };
    const { base, size } = this.stack;
    if (address >= base && address < base + size) {
      return { text: 'below the stack pointer, where a function that has returned had its variables', events: [] };
    }
    return this.near(live, address) ?? { text: undefined, events: [] };
  }

  /** Where a value that was never written comes from. */
  describeOrigin(address: number): Ownership {
    const { base, size } = this.stack;
    if (address >= base && address < base + size) return { text: 'a variable on the stack', events: [] };
    return this.describe(address);
  }

  private near(live: readonly HeapBlock[], address: number): Ownership | undefined {
    const distance = ({ address: start, size }: HeapBlock): number =>
      address >= start ? address - (start + size) : start - address;
    const [block] = live.filter((one) => distance(one) < nearBlock).sort((a, b) => distance(a) - distance(b));
    if (block === undefined) return undefined;
    const isBehind = address >= block.address;
    const far = isBehind ? address - (block.address + block.size) : block.address - address;
    const where = isBehind ? (far === 0 ? 'right behind' : `${bytes(far)} behind`) : `${bytes(far)} before`;
    return this.blockText(block, `${where} the ${blockName(block)}`);
  }

  private blockText({ allocated, freed }: HeapBlock, text: string): Ownership {
    return { text, events: [allocated, freed].filter((event) => event !== undefined) };
  }
}

const blockName = ({ address, size }: HeapBlock): string => `block of ${bytes(size)} at ${hex(address, 8)}`;
