/**
 * A real base image in a machine: its sections at their addresses as they are before it boots, its llext heap and list
 * where it has them, and beside it the host's own memory.
 *
 *   image          sections in pages: read-only and executable, or RAM
 *   host code      llext_call_fn, from which extensions are called
 *   host data      errno, FILE objects, what the image lacks of llext_list and struct k_heap
 *   stack guard, stack, llext heap and system heap (where the image has none), ELF buffers
 *
 * Functions that the host implements are performed by it at the image's addresses, those that need a running kernel
 * stop the session, and all others run.
 */
import type { BaseHeap, BaseImageDescription } from '../base-image';
import { imageObject } from '../base-image/heaps';
import { ImageMemory, type ImageSection } from '../base-image/image-memory';
import { EM_ARM, SHN_UNDEF, STB_LOCAL, STT_FUNC, STT_OBJECT } from '../elf/constants';
import type { ElfFile } from '../elf/elf-file';
import type { MemoryRegion } from '../emulator/types';
import { baseFunctions } from './base-image';
import { callFnCode } from './call-fn';
import type { GuestImage, ImageSymbol } from './guest-image';
import { littleEndian } from './guest-memory';
import type { ServedFunction } from './host-calls';
import { NEEDS_KERNEL } from './host/base-image-calls';
import { needsKernel } from './kernel-dependent';
import { CALL_FN_SIZE, FILE_SIZE, PAGE_SIZE, STACK_GUARD_SIZE, STACK_SIZE, SYSTEM_HEAP_SIZE } from './memory-map';
import type { MemoryBlock, MemoryMap } from './memory-map';

const KIB = 1024;
const HOST_ALIGN = 0x10_0000;
/** Room that the host needs beside a heap of its own: the rest is for ELF buffers. */
const HOST_ROOM = 0x100_0000;
const ADDRESS_SPACE = 2 ** 32;
/** Where a Cortex-M executes from RAM; tried when the image leaves no room behind itself. */
const OTHER_PLACES = [0x2000_0000, 0x6000_0000, 0x1000_0000];
/** A k_heap that is smaller than this has no room for its own bookkeeping. */
const SMALLEST_HEAP = 256;
const STREAMS = 3;
const POINTER_SIZE = 4;

/** `base.elf` must be there, and its addresses below 4 GiB. `heapSizeKiB`: of an image without an llext heap. */
export function realImage(base: BaseImageDescription, elf: ElfFile, heapSizeKiB: number): GuestImage {
  const memory = new ImageMemory(elf);
  const host = hostMap(base, elf, memory, heapSizeKiB);
  const functions = imageFunctions(base, elf);
  return {
    map: host,
    config: base.config,
    exports: base.exports.map(({ name, slid, address }) => ({
      name: name ?? '',
      address: address ?? 0n,
      ...(slid === undefined ? {} : { slid }),
    })),
    served: servedFunctions(functions),
    symbols: namedSymbols(base, elf, memory, host),
    contents: [
      ...memory.sections.map(({ address, size, bytes }) => ({
        address: Number(address),
        bytes: bytes ?? new Uint8Array(size),
      })),
      { address: host.callFn.address, bytes: callFnCode(host.callFn, base.machine?.arch ?? 'arm') },
      ...streamPointers(elf, host),
    ],
  };
}

function hostMap(base: BaseImageDescription, elf: ElfFile, memory: ImageMemory, heapSizeKiB: number): MemoryMap {
  const regions = imageRegions(memory.sections);
  const places = new Places(hostStart(regions, heapSizeKiB * KIB));
  const code = places.take(PAGE_SIZE);
  const data = places.take(PAGE_SIZE);
  const guard = places.take(STACK_GUARD_SIZE);
  const stack = places.take(STACK_SIZE);
  const ownHeap = base.heaps.find(({ name }) => name === 'llext_heap');
  const llextHeap = ownHeap === undefined ? places.take(heapSizeKiB * KIB) : blockOf(ownHeap);
  const ownSystemHeap = systemHeap(elf);
  const system = ownSystemHeap?.block ?? places.take(SYSTEM_HEAP_SIZE);
  const fields = new Places(data.base, 16);
  const list = fields.take(16).base;
  const errno = fields.take(16).base;
  const files = fields.take(STREAMS * FILE_SIZE).base;
  const [llextRecord, systemRecord] = [fields.take(64).base, fields.take(64).base];
  const hostRegions: MemoryRegion[] = [
    { name: 'host code', ...pages(code), permissions: { read: true, write: false, execute: true } },
    { name: 'host data', ...pages(data), permissions: readWrite },
    { name: 'stack guard', ...pages(guard), permissions: { read: false, write: false, execute: false } },
    { name: 'stack', ...pages(stack), permissions: readWrite },
    ...(ownHeap === undefined ? [{ name: 'llext heap', ...pages(llextHeap), permissions: readWrite }] : []),
    ...(ownSystemHeap === undefined ? [{ name: 'system heap', ...pages(system), permissions: readWrite }] : []),
  ];
  return {
    regions: [...regions, ...hostRegions],
    callFn: { address: code.base + 0x100, size: CALL_FN_SIZE, returnAddress: code.base + 0x110 },
    stack,
    llextHeap,
    systemHeap: system,
    elfBuffers: places.next,
    llextList: base.listAddress === undefined ? list : Number(base.listAddress),
    llextKHeap: ownHeap?.record === undefined ? llextRecord : Number(ownHeap.record),
    systemKHeap: ownSystemHeap?.record ?? systemRecord,
    errno,
    files,
  };
}

/** stdin, stdout and stderr of the image are pointers: the host's functions know only its own FILE objects. */
function streamPointers(elf: ElfFile, { files }: MemoryMap): GuestImage['contents'] {
  return ['stdin', 'stdout', 'stderr'].flatMap((name, i) => {
    const pointer = imageObject(elf, undefined, name);
    if (pointer?.size !== POINTER_SIZE) return [];
    return [{ address: Number(pointer.address), bytes: littleEndian(files + i * FILE_SIZE, POINTER_SIZE) }];
  });
}

const readWrite = { read: true, write: true, execute: true };
const blockOf = ({ address, bytes }: BaseHeap): MemoryBlock => ({ base: Number(address), size: bytes });
const pages = ({ base, size }: MemoryBlock): MemoryBlock => ({ base, size: Math.ceil(size / PAGE_SIZE) * PAGE_SIZE });

/** Hands out addresses one after the other. */
class Places {
  constructor(
    public next: number,
    private readonly align: number = PAGE_SIZE,
  ) {}

  take(size: number): MemoryBlock {
    const base = this.next;
    this.next += Math.ceil(size / this.align) * this.align;
    return { base, size };
  }
}

/** K_HEAP_MEM_POOL's heap, from which k_malloc allocates. */
function systemHeap(elf: ElfFile): { block: MemoryBlock; record: number } | undefined {
  const buffer = imageObject(elf, undefined, 'kheap__system_heap');
  const record = imageObject(elf, undefined, '_system_heap');
  if (buffer === undefined || record === undefined || buffer.size < SMALLEST_HEAP) return undefined;
  return { block: { base: Number(buffer.address), size: buffer.size }, record: Number(record.address) };
}

/** Sections that share pages or follow each other, as far as both are RAM or both are not, are one region. */
function imageRegions(sections: readonly ImageSection[]): MemoryRegion[] {
  const regions: { names: string[]; base: number; end: number; writable: boolean }[] = [];
  for (const { name, address, size, writable } of sections) {
    const base = Math.floor(Number(address) / PAGE_SIZE) * PAGE_SIZE;
    const end = Math.ceil((Number(address) + size) / PAGE_SIZE) * PAGE_SIZE;
    const last = regions.at(-1);
    const sharesPage = last !== undefined && base < last.end;
    if (last !== undefined && (sharesPage || (base === last.end && writable === last.writable))) {
      last.names.push(name);
      last.end = Math.max(last.end, end);
      // A page with anything to write is RAM as a whole.
      last.writable ||= writable;
    } else {
      regions.push({ names: [name], base, end, writable });
    }
  }
  return regions.map(({ names, base, end, writable }) => ({
    name: `base image ${names.length === 1 ? names[0] : `${names[0]} .. ${names[names.length - 1]}`}`,
    base,
    size: end - base,
    permissions: { read: true, write: writable, execute: true },
  }));
}

/** Behind the image, or at the first of the other places that it leaves free. */
function hostStart(regions: readonly MemoryRegion[], heapSize: number): number {
  const room = HOST_ROOM + heapSize;
  const isFree = (start: number): boolean =>
    start + room <= ADDRESS_SPACE && regions.every(({ base, size }) => base >= start + room || base + size <= start);
  const ram = regions.filter(({ permissions }) => permissions.write).map(({ base, size }) => base + size);
  const behind = Math.ceil((Math.max(0, ...ram) + 1) / HOST_ALIGN) * HOST_ALIGN;
  return [behind, ...OTHER_PLACES].find(isFree) ?? behind;
}

interface ImageFunction {
  readonly name: string;
  readonly address: number;
}

/** Exported functions by any name, and the global functions of the symbol table: the image calls those itself. */
function imageFunctions({ exports }: BaseImageDescription, elf: ElfFile): ImageFunction[] {
  const functions = new Map<string, ImageFunction>();
  for (const symbol of functionSymbols(elf)) {
    if (symbol.binding !== STB_LOCAL) {
      functions.set(symbol.name, { name: symbol.name, address: codeAddress(elf, symbol.st_value) });
    }
  }
  for (const { name, address } of exports) {
    if (name === undefined || address === undefined || address === 0n) continue;
    functions.set(name, { name, address: codeAddress(elf, address) });
  }
  return [...functions.values()];
}

const functionSymbols = (elf: ElfFile) =>
  elf.symbols().filter(({ type, st_shndx, name }) => type === STT_FUNC && st_shndx !== SHN_UNDEF && name !== '');

/** Without the Thumb bit. */
const codeAddress = (elf: ElfFile, value: bigint): number =>
  Number(elf.header.e_machine === EM_ARM ? value & ~1n : value);

const hostRows = new Map(baseFunctions.map((row) => [row.name, row]));

function servedFunctions(functions: readonly ImageFunction[]): ServedFunction[] {
  const served = new Map<number, ServedFunction>();
  const add = ({ address }: ImageFunction, row: Omit<ServedFunction, 'address'>): void => {
    if (!served.has(address)) served.set(address, { ...row, address });
  };
  for (const found of functions) {
    const row = hostRows.get(found.name);
    if (row !== undefined) add(found, row);
  }
  for (const found of functions) {
    const { name } = found;
    if (needsKernel(name)) add(found, { name, signature: `void ${name}(void)`, implementation: NEEDS_KERNEL });
  }
  return [...served.values()];
}

/** Functions and objects of the symbol table, and exports of a stripped file; each reaches at most to the next one. */
function namedSymbols(
  base: BaseImageDescription,
  elf: ElfFile,
  memory: ImageMemory,
  map: MemoryMap,
): readonly ImageSymbol[] {
  const found = elf
    .symbols()
    .filter(
      ({ type, st_shndx, name }) => (type === STT_FUNC || type === STT_OBJECT) && st_shndx !== SHN_UNDEF && name !== '',
    )
    .map(({ name, type, st_value, st_size }) => ({
      name,
      address: type === STT_FUNC ? codeAddress(elf, st_value) : Number(st_value),
      size: st_size,
    }));
  const known = new Set(found.map(({ address }) => address));
  for (const { name, address } of base.exports) {
    if (name === undefined || address === undefined || address === 0n) continue;
    const section = memory.sectionAt(address);
    const at = section?.executable === true ? codeAddress(elf, address) : Number(address);
    if (!known.has(at)) found.push({ name, address: at, size: 0 });
  }
  found.push({ name: 'llext_call_fn', address: map.callFn.address, size: map.callFn.size });
  found.sort((a, b) => a.address - b.address);
  return found.map((symbol, i) => {
    if (symbol.size > 0) return symbol;
    const section = memory.sectionAt(BigInt(symbol.address));
    const sectionEnd = section === undefined ? symbol.address + 2 : Number(section.address) + section.size;
    let next = i + 1;
    while (next < found.length && found[next].address === symbol.address) next++;
    return { ...symbol, size: Math.min(found.at(next)?.address ?? sectionEnd, sectionEnd) - symbol.address };
  });
}
