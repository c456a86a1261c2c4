/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The part of a Zephyr build that an ELF reader meets: iterable sections, exports by name and by SLID,
 * and the structures of llext and of its heap. Kconfig values become absolute symbols when it is linked.
 */
#ifndef FIRMWARE_ZEPHYR_LLEXT_H
#define FIRMWARE_ZEPHYR_LLEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Entries of one type go to input sections that the linker sorts by name and puts between two symbols. */
#define STRUCT_SECTION_ITERABLE(type, name)                                                                            \
	struct type name __attribute__((section("._" #type ".static." #name "_"), used, aligned(__alignof__(struct type))))

struct llext_const_symbol {
	union {
		const char *const name;
		const uintptr_t slid;
	};
	const void *const addr;
};

#ifdef CONFIG_LLEXT_EXPORT_BUILTINS_BY_SLID
/* The names are for the script that computes the SLIDs after the link. */
#define EXPORT_SYMBOL_NAMED(symbol, as)                                                                                \
	static const char __attribute__((section("llext_exports_strtab"), used)) __llext_sym_name_##as[] = #as;        \
	const STRUCT_SECTION_ITERABLE(llext_const_symbol, __llext_sym_##as) = {                                        \
		.name = __llext_sym_name_##as, .addr = (const void *)&symbol}
#else
#define EXPORT_SYMBOL_NAMED(symbol, as)                                                                                \
	static const char __llext_sym_name_##as[] = #as;                                                               \
	const STRUCT_SECTION_ITERABLE(llext_const_symbol, __llext_sym_##as) = {                                        \
		.name = __llext_sym_name_##as, .addr = (const void *)&symbol}
#endif
#define EXPORT_SYMBOL(symbol) EXPORT_SYMBOL_NAMED(symbol, symbol)

typedef struct _snode {
	struct _snode *next;
} sys_snode_t;

typedef struct _slist {
	sys_snode_t *head;
	sys_snode_t *tail;
} sys_slist_t;

enum llext_mem {
	LLEXT_MEM_TEXT,
	LLEXT_MEM_DATA,
	LLEXT_MEM_RODATA,
	LLEXT_MEM_BSS,
	LLEXT_MEM_EXPORT,
	LLEXT_MEM_SYMTAB,
	LLEXT_MEM_STRTAB,
	LLEXT_MEM_SHSTRTAB,
	LLEXT_MEM_PREINIT,
	LLEXT_MEM_INIT,
	LLEXT_MEM_FINI,

	LLEXT_MEM_COUNT,
};

struct llext_symbol {
	const char *name;
	void *addr;
};

struct llext_symtable {
	size_t sym_cnt;
	struct llext_symbol *syms;
};

#define LLEXT_MEM_PARTITIONS (LLEXT_MEM_BSS + 1)

#ifdef CONFIG_USERSPACE
struct k_mem_partition {
	uintptr_t start;
	size_t size;
	uint32_t attr;
};

struct k_mem_domain {
	void *arch;
	struct k_mem_partition partitions[8];
	sys_slist_t mem_domain_q;
	uint8_t num_partitions;
};
#endif

struct llext {
	sys_snode_t llext_list;
#ifdef CONFIG_USERSPACE
	struct k_mem_partition mem_parts[LLEXT_MEM_PARTITIONS];
	struct k_mem_domain mem_domain;
#endif
	char name[16];
	void *mem[LLEXT_MEM_COUNT];
	bool mem_on_heap[LLEXT_MEM_COUNT];
	size_t mem_size[LLEXT_MEM_COUNT];
	size_t alloc_size;
	struct llext_symtable sym_tab;
	struct llext_symtable exp_tab;
	unsigned int use_count;
	struct llext *dependency[8];
	unsigned int sect_cnt;
	void *sect_hdrs;
	bool sect_hdrs_on_heap;
	bool mmu_permissions_set;
};

struct sys_heap {
	void *heap;
	void *init_mem;
	size_t init_bytes;
};

struct k_heap {
	struct sys_heap heap;
	void *wait_q[2];
	int lock;
};

#define K_HEAP_DEFINE(name, bytes)                                                                                     \
	char __attribute__((section(".noinit.kheap_buf_" #name), aligned(8))) kheap_##name[bytes];                     \
	STRUCT_SECTION_ITERABLE(k_heap, name) = {.heap = {.init_mem = kheap_##name, .init_bytes = bytes}}

#endif
