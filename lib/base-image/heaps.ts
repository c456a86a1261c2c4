/**
 * The heaps that the loader allocates from (specification 1.11): buffers of K_HEAP_DEFINE and SYS_MEM_BLOCKS_DEFINE by
 * their symbols or variables, or by the initial contents of struct k_heap, or the section that holds the one heap.
 */
import type { DebugInfo } from '../dwarf/debug-info';
import { SHN_UNDEF } from '../elf/constants';
import type { ElfFile } from '../elf/elf-file';
import type { BaseHeap } from './description';
import { staticObject, type StaticObject } from './debug-facts';
import type { ImageMemory } from './image-memory';

export const heapNames = [
  'llext_heap',
  'llext_instr_heap',
  'llext_data_heap',
  'llext_ext_heap',
  'llext_metadata_heap',
] as const;

/** Names of the buffers that the two macros define for a heap. */
const bufferNames = (heap: string): string[] => [`kheap_${heap}`, `_sys_mem_blocks_buf_${heap}`];
const HEAP_SECTION = '.llext_heap';

/** A variable by the symbol table, else by the debug information. */
export function imageObject(elf: ElfFile, debug: DebugInfo | undefined, name: string): StaticObject | undefined {
  const symbol = elf.symbols().find((candidate) => candidate.name === name && candidate.st_shndx !== SHN_UNDEF);
  if (symbol !== undefined) return { address: symbol.st_value, size: symbol.st_size };
  return staticObject(debug, name);
}

export function readHeaps(elf: ElfFile, memory: ImageMemory, debug: DebugInfo | undefined): BaseHeap[] {
  const found = heapNames.flatMap((name): BaseHeap[] => {
    const record = imageObject(elf, debug, name)?.address;
    const buffer = bufferNames(name)
      .map((candidate) => imageObject(elf, debug, candidate))
      .find((candidate) => candidate !== undefined);
    if (buffer !== undefined && buffer.size > 0) return [{ name, address: buffer.address, bytes: buffer.size, record }];
    const initial = record === undefined ? undefined : initialBuffer(memory, record);
    return initial === undefined ? [] : [{ name, ...initial, record }];
  });
  if (found.length > 0) return found;
  const section = elf.section(HEAP_SECTION);
  if (section === undefined || section.sh_size === 0) return [];
  return [{ name: 'llext_heap', address: section.sh_addr, bytes: section.sh_size, record: undefined }];
}

/** struct k_heap begins with struct sys_heap { heap, init_mem, init_bytes }. */
function initialBuffer(memory: ImageMemory, record: bigint): { address: bigint; bytes: number } | undefined {
  const word = BigInt(memory.pointerSize);
  const address = memory.word(record + word);
  const bytes = memory.word(record + 2n * word);
  if (address === undefined || bytes === undefined || address === 0n || bytes === 0n) return undefined;
  return memory.read(address, Number(bytes)) === undefined ? undefined : { address, bytes: Number(bytes) };
}
