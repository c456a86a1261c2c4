/**
 * Shared objects as the newest version loads them: one object linked by lld at 0 and loaded, and linked again at the
 * address of its image, with the values of its dynamic relocations written into the place. All bytes must be the same.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { ElfFile } from '../lib/elf/elf-file';
import type { LlextConfig } from '../lib/llext/types';
import { bench, image } from './support/load-bench';
import { requireTool, runTool } from './support/tools';

interface Suite {
  readonly name: string;
  readonly as: string;
  readonly asFlags: readonly string[];
  readonly emulation: string;
  readonly config: Partial<LlextConfig>;
  readonly word: string;
  readonly types: readonly string[];
}

const suites: readonly Suite[] = [
  {
    name: 'x86-64',
    as: 'as',
    asFlags: ['--64'],
    emulation: 'elf_x86_64',
    config: { arch: 'x86', pointerSize: 8 },
    word: '.quad',
    types: ['R_X86_64_RELATIVE', 'R_X86_64_64'],
  },
  {
    name: 'i386',
    as: 'as',
    asFlags: ['--32'],
    emulation: 'elf_i386',
    config: { arch: 'x86' },
    word: '.long',
    types: ['R_386_RELATIVE', 'R_386_32'],
  },
  {
    name: 'AArch64',
    as: 'aarch64-linux-gnu-as',
    asFlags: [],
    emulation: 'aarch64elf',
    config: { arch: 'arm64', pointerSize: 8 },
    word: '.xword',
    types: ['R_AARCH64_RELATIVE', 'R_AARCH64_ABS64'],
  },
  {
    name: 'Arm',
    as: 'arm-none-eabi-as',
    asFlags: ['-march=armv7-m', '-mthumb'],
    emulation: 'armelf',
    config: { arch: 'arm' },
    word: '.word',
    types: ['R_ARM_RELATIVE', 'R_ARM_ABS32'],
  },
  {
    name: 'RV64',
    as: 'riscv64-unknown-elf-as',
    asFlags: ['-march=rv64imac', '-mabi=lp64'],
    emulation: 'elf64lriscv',
    config: { arch: 'riscv', pointerSize: 8 },
    word: '.dword',
    types: ['R_RISCV_RELATIVE', 'R_RISCV_64'],
  },
];

const source = (word: string): string => `
  .text
  .global f
  .type f, %function
f:
  .space 16
  .data
  .balign 8
  ${word} local_text, local_data, local_data + 8, outside
  .hidden local_text
local_data:
  ${word} 0
  .text
local_text:
  .space 16
  .bss
  .space 16
`;

const outside = 0x2020_1234n;

for (const { name, as, asFlags, emulation, config, word, types } of suites) {
  test(`${name}: a shared object equals lld's at the address of its image`, (t) => {
    const assembler = requireTool(t, as);
    const lld = requireTool(t, 'ld.lld-14');
    if (assembler === undefined || lld === undefined) return;
    const folder = mkdtempSync(join(tmpdir(), 'reloc-dyn-'));
    try {
      const path = (file: string): string => join(folder, file);
      writeFileSync(path('a.s'), source(word));
      runTool(assembler, [...asFlags, path('a.s'), '-o', path('a.o')]);
      const link = (base: bigint, file: string): Buffer => {
        const script = `SECTIONS { . = 0x${base.toString(16)} + 0x1000; .text : { *(.text) } .data : { *(.data) } .bss : { *(.bss) }
          .dynsym : { *(.dynsym) } .dynstr : { *(.dynstr) } .rel.dyn : { *(.rel.dyn) } .rela.dyn : { *(.rela.dyn) }
          .hash : { *(.hash) } .gnu.hash : { *(.gnu.hash) } .dynamic : { *(.dynamic) } /DISCARD/ : { *(.note*) } }`;
        writeFileSync(path('a.ld'), script);
        const flags = ['-m', emulation, '-shared', '--hash-style=sysv', '--apply-dynamic-relocs', '-T', path('a.ld')];
        runTool(lld, [...flags, path('a.o'), '-o', path(file)]);
        return readFileSync(path(file));
      };
      const it = bench(image({ ...config, profile: 'S' }, { outside }));
      const { ret, log, extension } = it.load(link(0n, 'a.so'));
      assert.equal(ret, 0, log.filter((line) => !line.startsWith('<dbg>')).join('\n'));
      const sections = (extension?.sections ?? []).filter(({ region }) => region === 'TEXT' || region === 'DATA');
      assert.deepEqual(
        sections.map((section) => section.name),
        ['.text', '.data'],
      );
      const bias = sections[0].address - 0x1000n;
      const there = ElfFile.parse(link(bias, 'b.so'));
      for (const { name: sectionName, address, size } of sections) {
        const section = there.section(sectionName);
        assert.ok(section !== undefined);
        assert.equal(BigInt(section.sh_addr), address, sectionName);
        const expected = Buffer.from(there.sectionBytes(section));
        // What the file imports, the linker does not know.
        const wordSize = config.pointerSize ?? 4;
        if (sectionName === '.data') expected.set(little(outside, wordSize), 3 * wordSize);
        assert.equal(
          Buffer.from(it.target.memory.read(address, size)).toString('hex'),
          expected.toString('hex'),
          sectionName,
        );
      }
      const seen = it.events.flatMap((event) => (event.kind === 'relocation' ? [event.typeName] : []));
      for (const type of types) assert.ok(seen.includes(type), `${type} does not occur: ${seen.join(' ')}`);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}

function little(value: bigint, size: number): number[] {
  return Array.from({ length: size }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
}
