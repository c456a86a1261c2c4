/**
 * Byte offsets of the loader's structures in guest memory, for both pointer widths: struct llext of the 4.2 era
 * without CONFIG_USERSPACE, struct llext_elf_sect_map, struct llext_symbol (specification 2.1, 2.2).
 * They are what a debugger of a real board finds in RAM, so the loader keeps its state there and nowhere else.
 */

/** Field offsets of struct llext; the names are the fields'. */
export interface LlextLayout {
  readonly sizeof: number;
  readonly llext_list: number;
  readonly name: number;
  readonly mem: number;
  readonly mem_on_heap: number;
  readonly mem_size: number;
  readonly alloc_size: number;
  readonly sym_tab: number;
  readonly exp_tab: number;
  readonly use_count: number;
  readonly dependency: number;
  readonly sect_cnt: number;
  readonly sect_hdrs: number;
  readonly sect_hdrs_on_heap: number;
  readonly mmu_permissions_set: number;
}

const layout32: LlextLayout = {
  sizeof: 188,
  llext_list: 0,
  name: 4,
  mem: 20,
  mem_on_heap: 64,
  mem_size: 76,
  alloc_size: 120,
  sym_tab: 124,
  exp_tab: 132,
  use_count: 140,
  dependency: 144,
  sect_cnt: 176,
  sect_hdrs: 180,
  sect_hdrs_on_heap: 184,
  mmu_permissions_set: 185,
};

const layout64: LlextLayout = {
  sizeof: 352,
  llext_list: 0,
  name: 8,
  mem: 24,
  mem_on_heap: 112,
  mem_size: 128,
  alloc_size: 216,
  sym_tab: 224,
  exp_tab: 240,
  use_count: 256,
  dependency: 264,
  sect_cnt: 328,
  sect_hdrs: 336,
  sect_hdrs_on_heap: 344,
  mmu_permissions_set: 345,
};

export function llextLayout(pointerSize: 4 | 8): LlextLayout {
  return pointerSize === 4 ? layout32 : layout64;
}

/** LLEXT_MAX_NAME_LEN, without the terminating zero. */
export const LLEXT_MAX_NAME_LEN = 15;
/** LLEXT_MAX_DEPENDENCIES. */
export const LLEXT_MAX_DEPENDENCIES = 8;

/** sizeof(struct llext_elf_sect_map): an enum, then a size_t at pointer alignment. */
export function sectMapEntrySize(pointerSize: 4 | 8): number {
  return 2 * pointerSize;
}

/** sizeof(struct llext_symbol): name, address. */
export function symbolEntrySize(pointerSize: 4 | 8): number {
  return 2 * pointerSize;
}
