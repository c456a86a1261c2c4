/**
 * struct llext as compilers lay it out: the fields of specification 2.1 written in C, compiled for 32 and 64 bit, and
 * every offset compared, with and without CONFIG_USERSPACE; and the offsets that the specification's table has.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { ElfFile } from '../lib/elf/elf-file';
import { llextLayout } from '../lib/llext/layout';
import type { LayoutOptions } from '../lib/llext/layout';
import { requireTool, runTool } from './support/tools';

const compilers: readonly (readonly [program: string, args: readonly string[], pointerSize: 4 | 8])[] = [
  ['arm-none-eabi-gcc', ['-mcpu=cortex-m3', '-mthumb'], 4],
  ['riscv64-unknown-elf-gcc', ['-march=rv32imac', '-mabi=ilp32'], 4],
  ['riscv64-unknown-elf-gcc', ['-march=rv64imac', '-mabi=lp64'], 8],
  ['aarch64-linux-gnu-gcc', [], 8],
];

const userspace = { memPartition: 16, memDomain: 120 };
const variants: Readonly<Record<string, LayoutOptions>> = {
  SEED: { structLayout: 'oldest', regionCount: 8, partitions: 4 },
  V41: { structLayout: 'V41', regionCount: 11, partitions: 4 },
  V44_MEMBLK: { structLayout: 'V41', regionCount: 11, partitions: 4, memAllocMap: true },
  S: { structLayout: 'dyn-image', regionCount: 11, partitions: 4 },
  S_VENEERS_MEMBLK: { structLayout: 'dyn-image', regionCount: 13, partitions: 6, memAllocMap: true },
  V41_USERSPACE: { structLayout: 'V41', regionCount: 11, partitions: 4, userspace },
  SEED_USERSPACE: { structLayout: 'oldest', regionCount: 8, partitions: 4, userspace },
};

/** Specification 2.1 in C; sizes that only the kernel knows are arrays of words. */
function declaration(name: string, options: LayoutOptions): string {
  const { regionCount: count, partitions, memAllocMap } = options;
  const later = options.structLayout !== 'oldest';
  return `struct ${name} {
  struct node llext_list;
  ${options.userspace ? `void *mem_parts[${partitions} * ${userspace.memPartition} / sizeof(void *)];` : ''}
  ${options.userspace ? `void *mem_domain[${userspace.memDomain} / sizeof(void *)];` : ''}
  char name[16];
  void *mem[${count}];
  bool mem_on_heap[${count}];
  ${memAllocMap ? `struct { int idx; struct { void *memblk_ptr; size_t num_blocks; } map[${count}]; } mem_alloc_map;` : ''}
  size_t mem_size[${count}];
  size_t alloc_size;
  struct { size_t sym_cnt; void *syms; } sym_tab;
  struct { size_t sym_cnt; void *syms; } exp_tab;
  unsigned int use_count;
  ${later ? 'struct node *dependency[8]; unsigned int sect_cnt; void *sect_hdrs;' : ''}
  ${later ? 'bool sect_hdrs_on_heap; bool mmu_permissions_set;' : ''}
  ${options.structLayout === 'dyn-image' ? 'void *dyn_image; uintptr_t dyn_base; uintptr_t dyn_link; size_t dyn_span;' : ''}
};`;
}

for (const [program, args, pointerSize] of compilers) {
  test(`${program} ${args.join(' ')}`, (t) => {
    const gcc = requireTool(t, program);
    if (gcc === undefined) return;
    const expected = Object.entries(variants).map(([name, options]) => {
      const { sizeof, ...fields } = llextLayout(pointerSize, options);
      return { name, options, sizeof, fields: Object.entries(fields) };
    });
    const tables = expected.map(({ name, options, fields }) => {
      const offsets = fields.map(([field]) => `__builtin_offsetof(struct ${name}, ${field})`);
      const all = [`sizeof(struct ${name})`, ...offsets].join(', ');
      return `${declaration(name, options)}\n__attribute__((section(".off.${name}"))) const unsigned int table_${name}[] = {${all}};`;
    });
    const includes = ['stdbool', 'stddef', 'stdint'].map((header) => `#include <${header}.h>`).join('\n');
    const folder = mkdtempSync(join(tmpdir(), 'layout-'));
    try {
      const source = join(folder, 'layout.c');
      writeFileSync(source, `${includes}\nstruct node { struct node *next; };\n${tables.join('\n')}\n`);
      runTool(gcc, [...args, '-ffreestanding', '-c', source, '-o', join(folder, 'layout.o')]);
      const elf = ElfFile.parse(readFileSync(join(folder, 'layout.o')));
      for (const { name, sizeof, fields } of expected) {
        const section = elf.section(`.off.${name}`);
        assert.ok(section);
        const bytes = elf.sectionBytes(section);
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
        const read = Array.from({ length: bytes.length / 4 }, (_, i) => view.getUint32(i * 4, true));
        assert.deepEqual([sizeof, ...fields.map(([, offset]) => offset)], read, name);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}

test('the offsets of the specification’s table', () => {
  const rows: readonly (readonly [4 | 8, string, readonly number[]])[] = [
    [4, 'SEED', [116, 0, 4, 20, 52, 60, 92, 96, 104, 112]],
    [8, 'SEED', [208, 0, 8, 24, 88, 96, 160, 168, 184, 200]],
    [4, 'V41', [188, 0, 4, 20, 64, 76, 120, 124, 132, 140, 144, 176, 180, 184, 185]],
    [8, 'V41', [352, 0, 8, 24, 112, 128, 216, 224, 240, 256, 264, 328, 336, 344, 345]],
  ];
  for (const [pointerSize, name, offsets] of rows) {
    assert.deepEqual(Object.values(llextLayout(pointerSize, variants[name])), offsets, `${name} ${pointerSize}`);
  }
});

test('CONFIG_USERSPACE shifts everything from the name on', () => {
  const plain = llextLayout(4, variants.V41);
  const shifted = llextLayout(4, variants.V41_USERSPACE);
  const shift = 4 * userspace.memPartition + userspace.memDomain;
  assert.equal(shifted.name - plain.name, shift);
  assert.equal(shifted.sizeof - plain.sizeof, shift);
  assert.equal(shifted.llext_list, 0);
});
