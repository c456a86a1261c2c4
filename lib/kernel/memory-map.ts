/**
 * The one place with the addresses of the built-in base image, the same for every CPU: flash at 0x0800_0000 and RAM at
 * 0x2000_0000, where Cortex-M has them. Address 0 and everything else between is unmapped, so that a NULL pointer faults.
 *
 *   flash          base image: host functions (one slot each), the export table and its names
 *   kernel data    llext_list, errno, the FILE objects, struct k_heap of both heaps
 *   stack guard    4 KiB without any permission, below
 *   stack          of the thread that calls into the extension
 *   llext heap     CONFIG_LLEXT_HEAP_SIZE, launch attribute heapSize
 *   system heap    K_HEAP_MEM_POOL for k_malloc
 *   ELF buffers    file images that the buf loader reads, page after page, as extensions are loaded
 */
import type { CpuInfo } from '../arch';
import type { MemoryRegion, Permissions } from '../emulator/types';
import type { LlextConfig } from '../llext/types';

const KIB = 1024;
export const PAGE_SIZE = 4 * KIB;

export const FLASH_BASE = 0x0800_0000;
export const FLASH_SIZE = 64 * KIB;
/** Where the calling frame of the host is: llext_call_fn, and the address in it that the called function returns to. */
export const CALL_FN_ADDRESS = FLASH_BASE + 0x100;
export const CALL_FN_RETURN = CALL_FN_ADDRESS + 0x10;
export const CALL_FN_SIZE = 0x20;
/** First slot of the exported functions; slots are SLOT_SIZE bytes in the order of the export table. */
export const EXPORTS_BASE = FLASH_BASE + 0x1000;
export const SLOT_SIZE = 16;
/** struct llext_const_symbol entries and, after them, their names. */
export const EXPORT_TABLE = FLASH_BASE + 0x8000;

export const RAM_BASE = 0x2000_0000;
export const KERNEL_DATA_SIZE = 4 * KIB;
/** sys_slist_t llext_list: head, tail. */
export const LLEXT_LIST = RAM_BASE;
export const ERRNO = RAM_BASE + 0x10;
/** Objects of the base image that extensions may import start here. */
export const EXPORTED_OBJECTS = RAM_BASE + 0x20;
/** struct k_heap of the llext heap and of the system heap, and one FILE a stream. */
export const LLEXT_K_HEAP = RAM_BASE + 0x100;
export const SYSTEM_K_HEAP = RAM_BASE + 0x140;
export const FILES = RAM_BASE + 0x200;
export const FILE_SIZE = 16;

export const STACK_GUARD_BASE = RAM_BASE + KERNEL_DATA_SIZE;
export const STACK_GUARD_SIZE = 4 * KIB;
export const STACK_BASE = STACK_GUARD_BASE + STACK_GUARD_SIZE;
export const STACK_SIZE = 16 * KIB;
export const STACK_TOP = STACK_BASE + STACK_SIZE;

export const LLEXT_HEAP_BASE = STACK_TOP;
export const DEFAULT_HEAP_SIZE_KIB = 64;
/** Keeps everything of RAM inside the Armv7-M SRAM region 0x2000_0000 .. 0x3FFF_FFFF. */
export const MAX_HEAP_SIZE_KIB = 64 * KIB;
export const SYSTEM_HEAP_SIZE = 64 * KIB;

/** CONFIG_SYS_CLOCK_HW_CYCLES_PER_SEC; one instruction is one cycle. */
export const CYCLES_PER_SECOND = 25_000_000;
/** CONFIG_SYS_CLOCK_TICKS_PER_SEC, Zephyr's default for a tickless kernel. */
export const TICKS_PER_SECOND = 10_000;

const readWrite: Permissions = { read: true, write: true, execute: true };

/** [base, base + size) */
export interface MemoryBlock {
  readonly base: number;
  readonly size: number;
}

/** Where everything is that host and loader use in guest memory. */
export interface MemoryMap {
  readonly regions: readonly MemoryRegion[];
  /** The calling frame of the host: llext_call_fn, and the address in it that the called function returns to. */
  readonly callFn: { readonly address: number; readonly size: number; readonly returnAddress: number };
  readonly stack: MemoryBlock;
  readonly llextHeap: MemoryBlock;
  readonly systemHeap: MemoryBlock;
  /** First address that ELF buffers may take. */
  readonly elfBuffers: number;
  /** sys_slist_t llext_list: head, tail. */
  readonly llextList: number;
  readonly llextKHeap: number;
  readonly systemKHeap: number;
  readonly errno: number;
  /** FILE objects of stdin, stdout and stderr, FILE_SIZE bytes each. */
  readonly files: number;
}

/** RAM is executable throughout: without an MPU an Armv7-M core executes from its SRAM region. */
export function memoryMap(heapSizeKiB: number): MemoryMap {
  const heapSize = Math.ceil((heapSizeKiB * KIB) / PAGE_SIZE) * PAGE_SIZE;
  const systemHeap = LLEXT_HEAP_BASE + heapSize;
  const regions: MemoryRegion[] = [
    { name: 'flash', base: FLASH_BASE, size: FLASH_SIZE, permissions: { read: true, write: false, execute: true } },
    { name: 'kernel data', base: RAM_BASE, size: KERNEL_DATA_SIZE, permissions: readWrite },
    {
      name: 'stack guard',
      base: STACK_GUARD_BASE,
      size: STACK_GUARD_SIZE,
      permissions: { read: false, write: false, execute: false },
    },
    { name: 'stack', base: STACK_BASE, size: STACK_SIZE, permissions: readWrite },
    { name: 'llext heap', base: LLEXT_HEAP_BASE, size: heapSize, permissions: readWrite },
    { name: 'system heap', base: systemHeap, size: SYSTEM_HEAP_SIZE, permissions: readWrite },
  ];
  return {
    regions,
    callFn: { address: CALL_FN_ADDRESS, size: CALL_FN_SIZE, returnAddress: CALL_FN_RETURN },
    stack: { base: STACK_BASE, size: STACK_SIZE },
    llextHeap: { base: LLEXT_HEAP_BASE, size: heapSizeKiB * KIB },
    systemHeap: { base: systemHeap, size: SYSTEM_HEAP_SIZE },
    elfBuffers: systemHeap + SYSTEM_HEAP_SIZE,
    llextList: LLEXT_LIST,
    llextKHeap: LLEXT_K_HEAP,
    systemKHeap: SYSTEM_K_HEAP,
    errno: ERRNO,
    files: FILES,
  };
}

/** The loader's view of this machine: no MPU, page 32, messages down to debug level (so that sym_tab is kept). */
export function baseImageConfig({ pointerSize, arch }: Pick<CpuInfo, 'pointerSize' | 'arch'>): LlextConfig {
  return { pointerSize, arch, page: 32, armMpu: false, mmu: false, importAllGlobals: false, logLevel: 4 };
}
