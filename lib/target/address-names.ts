/**
 * What lies at an address, for people: functions and objects of the base image, symbols and sections of the loaded
 * extensions (from the ELF and where the loader placed its sections), else the memory region.
 */
import { hex } from '../bytes';
import { STT_FUNC, STT_OBJECT } from '../elf/constants';
import type { ElfFile } from '../elf/elf-file';
import type { MachineMemory } from '../emulator/types';
import type { ImageSymbol } from '../kernel/guest-image';
import { demangle } from '../program/demangle';
import type { InstanceId, PlacedSection } from '../llext/types';

interface LoadedSymbol {
  readonly name: string;
  readonly address: number;
  readonly size: number;
  readonly isFunction: boolean;
}

interface LoadedNames {
  readonly instance: InstanceId;
  readonly sections: readonly PlacedSection[];
  /** By address, ascending. */
  readonly symbols: readonly LoadedSymbol[];
}

export interface NamedOffset {
  readonly name: string;
  readonly offset: number;
}

function loadedSymbols(elf: ElfFile, sections: readonly PlacedSection[]): LoadedSymbol[] {
  const placed = new Map(sections.map((section) => [section.index, Number(section.address)]));
  const symbols: LoadedSymbol[] = [];
  for (const symbol of elf.symbols()) {
    const base = placed.get(symbol.st_shndx);
    if (base === undefined || symbol.name === '') continue;
    if (symbol.type !== STT_FUNC && symbol.type !== STT_OBJECT) continue;
    // Bit 0 of a Thumb function's value is not part of its address.
    const value = Number(symbol.st_value) & (symbol.type === STT_FUNC ? ~1 : ~0);
    const isFunction = symbol.type === STT_FUNC;
    symbols.push({ name: symbol.name, address: base + value, size: symbol.st_size, isFunction });
  }
  return symbols.sort((a, b) => a.address - b.address);
}

export class AddressNames {
  private readonly loaded = new Map<number, LoadedNames>();

  /** `image`: the base image's symbols by address, ascending. */
  constructor(
    private readonly memory: MachineMemory,
    private readonly image: readonly ImageSymbol[],
  ) {}

  /** Function or object of the base image that holds the address. */
  baseSymbolAt(address: number): NamedOffset | undefined {
    const { image } = this;
    let [low, high] = [0, image.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (image[middle].address <= address) low = middle + 1;
      else high = middle;
    }
    const found = image.at(low - 1);
    if (low === 0 || found === undefined || address >= found.address + found.size) return undefined;
    return { name: found.name, offset: address - found.address };
  }

  add(instance: InstanceId, elf: ElfFile, sections: readonly PlacedSection[]): void {
    this.loaded.set(instance.id, { instance, sections, symbols: loadedSymbols(elf, sections) });
  }

  /** Name of the extension that has a section there. */
  ownerOf(address: number): string | undefined {
    for (const { instance, sections } of this.loaded.values()) {
      if (sections.some((entry) => holds(Number(entry.address), entry.size, address))) return instance.name;
    }
    return undefined;
  }

  /** Where the extension's functions begin. */
  functions(instanceId: number): number[] {
    const symbols = this.loaded.get(instanceId)?.symbols ?? [];
    return symbols.filter(({ isFunction }) => isFunction).map(({ address }) => address);
  }

  /** The extension's objects that others may import. One without a size reaches to the end of its section. */
  exportedObjects(instanceId: number, addresses: readonly number[]): { address: number; size: number }[] {
    const { symbols = [], sections = [] } = this.loaded.get(instanceId) ?? {};
    return addresses.flatMap((address) => {
      const symbol = symbols.find((one) => one.address === address);
      const section = sections.find((one) => holds(Number(one.address), one.size, address));
      if (symbol?.isFunction === true || section === undefined) return [];
      const size = symbol?.size ?? 0;
      return [{ address, size: size > 0 ? size : Number(section.address) + section.size - address }];
    });
  }

  remove(instanceId: number): void {
    this.loaded.delete(instanceId);
  }

  /** 'counter+4 in .bss of hello', '.text+12 of hello', 'printk of the base image'; undefined for plain memory. */
  describe(address: number): string | undefined {
    for (const { instance, sections, symbols } of this.loaded.values()) {
      const section = sections.find((entry) => holds(Number(entry.address), entry.size, address));
      if (section === undefined) continue;
      const symbol = symbols.find((entry) => holds(entry.address, entry.size, address));
      if (symbol === undefined) {
        return `${withOffset({ name: section.name, offset: address - Number(section.address) })} of ${instance.name}`;
      }
      const name = withOffset({ name: demangle(symbol.name), offset: address - symbol.address });
      return `${name} in ${section.name} of ${instance.name}`;
    }
    // Last, because a real image's heap is one of its objects.
    const host = this.baseSymbolAt(address);
    return host && `${withOffset(host)} of the base image`;
  }

  /** The memory region, or for an extension's section its region of the loader ('TEXT of hello'). */
  region(address: number): string {
    for (const { instance, sections } of this.loaded.values()) {
      const section = sections.find((entry) => holds(Number(entry.address), entry.size, address));
      if (section !== undefined) return `${section.region} of ${instance.name}`;
    }
    return this.memory.regionAt(address)?.name ?? 'nothing is mapped there';
  }
}

const holds = (start: number, size: number, address: number): boolean => address >= start && address < start + size;

function withOffset({ name, offset }: NamedOffset): string {
  return offset === 0 ? name : `${name}+${hex(offset)}`;
}
