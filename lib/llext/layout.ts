/**
 * Byte offsets of the loader's structures in guest memory: struct llext of every version, struct llext_elf_sect_map,
 * struct llext_symbol (specification 2.1, 2.2). They are what a debugger of a real board finds in RAM, so the loader
 * keeps its state there and nowhere else. Offsets follow C's layout rules from the list of fields; where the sizes of
 * kernel structures matter (CONFIG_USERSPACE) they are parameters, because only the base image's DWARF knows them.
 */
import type { Profile } from './profile';

/** Field offsets of struct llext; the names are the fields'. Absent = this version or configuration has no such field. */
export interface LlextLayout {
  readonly sizeof: number;
  readonly llext_list: number;
  readonly mem_parts?: number;
  readonly mem_domain?: number;
  readonly name: number;
  readonly mem: number;
  readonly mem_on_heap: number;
  readonly mem_size: number;
  readonly alloc_size: number;
  readonly sym_tab: number;
  readonly exp_tab: number;
  readonly use_count: number;
  readonly dependency?: number;
  readonly sect_cnt?: number;
  readonly sect_hdrs?: number;
  readonly sect_hdrs_on_heap?: number;
  readonly mmu_permissions_set?: number;
  readonly mem_alloc_map?: number;
  readonly dyn_image?: number;
  readonly dyn_base?: number;
  readonly dyn_link?: number;
  readonly dyn_span?: number;
}

/** What CONFIG_USERSPACE puts in front of the name; both are aligned as pointers are. */
export interface UserspaceSizes {
  /** sizeof(struct k_mem_partition) */
  readonly memPartition: number;
  /** sizeof(struct k_mem_domain) */
  readonly memDomain: number;
}

export interface LayoutOptions {
  readonly structLayout: Profile['structLayout'];
  /** LLEXT_MEM_COUNT */
  readonly regionCount: number;
  /** LLEXT_MEM_PARTITIONS */
  readonly partitions: number;
  readonly userspace?: UserspaceSizes;
  /** mem_alloc_map is there. */
  readonly memAllocMap?: boolean;
}

/** LLEXT_MAX_NAME_LEN, without the terminating zero. */
export const LLEXT_MAX_NAME_LEN = 15;
/** LLEXT_MAX_DEPENDENCIES. */
export const LLEXT_MAX_DEPENDENCIES = 8;

const layoutOf42: LayoutOptions = { structLayout: 'V41', regionCount: 11, partitions: 4 };

/** Name, size, alignment. */
type Member = readonly [name: Exclude<keyof LlextLayout, 'sizeof'>, size: number, align: number];

function membersOf(word: 4 | 8, options: LayoutOptions): Member[] {
  const { structLayout, regionCount, partitions, userspace } = options;
  const members: Member[] = [['llext_list', word, word]];
  if (userspace !== undefined) {
    members.push(['mem_parts', partitions * userspace.memPartition, word], ['mem_domain', userspace.memDomain, word]);
  }
  members.push(['name', LLEXT_MAX_NAME_LEN + 1, 1], ['mem', regionCount * word, word], ['mem_on_heap', regionCount, 1]);
  // struct { int idx; struct { int num_blocks; void *memblk_ptr; } map[LLEXT_MEM_COUNT]; }
  if (options.memAllocMap === true) members.push(['mem_alloc_map', word + regionCount * 2 * word, word]);
  members.push(
    ['mem_size', regionCount * word, word],
    ['alloc_size', word, word],
    ['sym_tab', 2 * word, word],
    ['exp_tab', 2 * word, word],
    ['use_count', 4, 4],
  );
  if (structLayout === 'oldest') return members;
  members.push(
    ['dependency', LLEXT_MAX_DEPENDENCIES * word, word],
    ['sect_cnt', 4, 4],
    ['sect_hdrs', word, word],
    ['sect_hdrs_on_heap', 1, 1],
    ['mmu_permissions_set', 1, 1],
  );
  if (structLayout === 'dyn-image') {
    members.push(['dyn_image', word, word], ['dyn_base', word, word]);
    members.push(['dyn_link', word, word], ['dyn_span', word, word]);
  }
  return members;
}

/** Without options that of the 4.2 era without CONFIG_USERSPACE. */
export function llextLayout(pointerSize: 4 | 8, options: LayoutOptions = layoutOf42): LlextLayout {
  const roundUp = (offset: number, align: number): number => Math.ceil(offset / align) * align;
  let end = 0;
  const offsets = membersOf(pointerSize, options).map(([name, size, align]): [string, number] => {
    const offset = roundUp(end, align);
    end = offset + size;
    return [name, offset];
  });
  const sizeof = roundUp(end, pointerSize);
  return { sizeof, ...Object.fromEntries(offsets) } as unknown as LlextLayout;
}

/** sizeof(struct llext_elf_sect_map): an enum, then a size_t at pointer alignment. */
export function sectMapEntrySize(pointerSize: 4 | 8): number {
  return 2 * pointerSize;
}

/** sizeof(struct llext_symbol): name, address. */
export function symbolEntrySize(pointerSize: 4 | 8): number {
  return 2 * pointerSize;
}
