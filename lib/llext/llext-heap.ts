/**
 * llext_heap_init, llext_heap_init_harvard and llext_heap_uninit of llext_mem.c (specification 1.11): they are for builds
 * with CONFIG_LLEXT_HEAP_DYNAMIC, and each of the first two for one kind of CPU. Uninit does not free anything.
 */
import { Errno } from '../errors';
import type { Subsystem } from './context';
import { loadedExtensions } from './llext-list';
import type { HeapRange } from './types';

export function heapInit(subsystem: Subsystem, range: HeapRange): number {
  return subsystem.config.harvard === true ? -Errno.ENOSYS : initDynamic(subsystem, range, undefined);
}

export function heapInitHarvard(subsystem: Subsystem, instruction: HeapRange, data: HeapRange): number {
  return subsystem.config.harvard === true ? initDynamic(subsystem, data, instruction) : -Errno.ENOSYS;
}

function initDynamic({ heaps: { dynamic } }: Subsystem, data: HeapRange, instruction: HeapRange | undefined): number {
  if (dynamic === undefined) return -Errno.ENOSYS;
  if (dynamic.initialised) return -Errno.EEXIST;
  dynamic.init(data, instruction);
  return 0;
}

export function heapUninit(subsystem: Subsystem): number {
  const { dynamic } = subsystem.heaps;
  if (dynamic === undefined) return -Errno.ENOSYS;
  if (!dynamic.initialised) return -Errno.EEXIST;
  if (loadedExtensions(subsystem).length > 0) return -Errno.EBUSY;
  dynamic.uninit();
  return 0;
}
