/**
 * The ELF reader against readelf and objcopy on committed files, and each FormatError that it throws.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { deflateSync as zlibSync } from 'node:zlib';
import { isCompressed } from '../lib/elf/compression';
import * as C from '../lib/elf/constants';
import { ElfFile } from '../lib/elf/elf-file';
import { relocationName } from '../lib/elf/relocation-names';
import { FormatError } from '../lib/errors';
import type { FormatErrorCode } from '../lib/errors';
import { buildElf, data, func, patchHeader, text } from './support/elf-builder';
import type { BuiltSection } from './support/elf-builder';
import { fixturePath } from './support/fixtures';
import { trimmedRoot } from './support/golden';
import { requireTool, runTool } from './support/tools';

const files = ['m3/data.elf', 'm3-pic-so/data.elf', 'm3-O0/initfini.elf', 'a7-arm/near.elf'].map((name) =>
  join(trimmedRoot, name),
);

test('sections, symbols and relocations as readelf shows them', (t) => {
  const readelf = requireTool(t, 'arm-none-eabi-readelf');
  if (readelf === undefined) return;
  for (const path of [...files, fixturePath('data', 'm3-O0')]) {
    const elf = ElfFile.parse(readFileSync(path));
    assert.deepEqual(sectionLines(elf), fromReadelf(runTool(readelf, ['-SW', path]), /^ +\[ *(\d+)\] (.*)$/), path);
    assert.deepEqual(symbolLines(elf), readelfSymbols(runTool(readelf, ['-sW', path]), elf), path);
    assert.deepEqual(relocationLines(elf), readelfRelocations(runTool(readelf, ['-rW', path])), path);
  }
});

const hex = (value: bigint | number, digits: number): string => value.toString(16).padStart(digits, '0');

function sectionLines(elf: ElfFile): string[] {
  return elf.sections.map((s) =>
    [s.index, s.name, hex(s.sh_addr, 8), hex(s.sh_offset, 6), hex(s.sh_size, 6), hex(s.sh_entsize, 2)].join(' '),
  );
}

function fromReadelf(output: string, pattern: RegExp): string[] {
  return output.split('\n').flatMap((line) => {
    const match = pattern.exec(line);
    if (match === null) return [];
    const fields = /^(.*?) +(\S+) +([0-9a-f]{8}) ([0-9a-f]{6}) ([0-9a-f]{6}) ([0-9a-f]{2}) /.exec(match[2]);
    // Section 0 has no name.
    if (fields === null) return [`${match[1]}  00000000 000000 000000 00`];
    const [, name, , addr, offset, size, entsize] = fields;
    return [[match[1], name.trim(), addr, offset, size, entsize].join(' ')];
  });
}

function symbolLines(elf: ElfFile): string[] {
  return elf.symbols().map((s) => [s.index, hex(s.st_value, 8), s.st_size, s.st_shndx, s.name].join(' ').trim());
}

function readelfSymbols(output: string, elf: ElfFile): string[] {
  const indices: Record<string, number> = { UND: C.SHN_UNDEF, ABS: C.SHN_ABS, COM: C.SHN_COMMON };
  // In a shared object readelf shows .dynsym first; the reader prefers .symtab.
  const tables = output.split(/^Symbol table /m).slice(1);
  const wanted = tables.find((table) => table.startsWith("'.symtab'")) ?? tables[0] ?? '';
  return wanted.split('\n').flatMap((line) => {
    const match = /^ +(\d+): ([0-9a-f]{8}) +(\d+|0x[0-9a-f]+) (\w+) +\w+ +\w+ +(\w+) ?(.*)$/.exec(line);
    if (match === null) return [];
    const [, index, value, size, type, section, name] = match;
    const shndx = indices[section] ?? Number(section);
    // readelf shows a section symbol under its section's name.
    const shown = type === 'SECTION' && elf.symbols()[Number(index)]?.name === '' ? '' : name;
    return [[index, value, Number(size), shndx, shown].join(' ').trim()];
  });
}

function relocationLines(elf: ElfFile): string[] {
  return elf.sections
    .filter(({ sh_type }) => sh_type === C.SHT_REL || sh_type === C.SHT_RELA)
    .flatMap((section) => elf.relocationsOf(section))
    .map(({ r_offset, type, symbolIndex }) => `${hex(r_offset, 8)} ${hex((symbolIndex << 8) | type, 8)}`);
}

function readelfRelocations(output: string): string[] {
  return [...output.matchAll(/^([0-9a-f]{8}) +([0-9a-f]{8}) R_ARM/gm)].map(([, offset, info]) => `${offset} ${info}`);
}

test('type names are readelf’s', (t) => {
  const readelf = requireTool(t, 'arm-none-eabi-readelf');
  if (readelf === undefined) return;
  for (const path of files) {
    const elf = ElfFile.parse(readFileSync(path));
    const output = runTool(readelf, ['-rW', path]);
    const shown = [...output.matchAll(/^[0-9a-f]{8} +[0-9a-f]{6}([0-9a-f]{2}) (R_ARM_\w+)/gm)];
    assert.ok(shown.length > 0);
    for (const [, type, name] of shown) {
      assert.equal(relocationName(elf.header.e_machine, parseInt(type, 16)), name);
    }
  }
});

for (const form of ['zlib-gabi', 'zlib-gnu', 'zstd']) {
  const option = `--compress-debug-sections=${form}`;
  test(`inflates ${option}`, (t) => {
    const objcopy = requireTool(t, 'arm-none-eabi-objcopy');
    if (objcopy === undefined) return;
    const folder = mkdtempSync(join(tmpdir(), 'elf-file-'));
    try {
      const path = fixturePath('data', 'm3-O0');
      runTool(objcopy, [option, path, join(folder, 'z.elf')]);
      const plain = ElfFile.parse(readFileSync(path));
      const packed = ElfFile.parse(readFileSync(join(folder, 'z.elf')));
      let inflated = 0;
      for (const section of packed.sections.filter(({ name }) => /^\.z?debug_/.test(name))) {
        const original = plain.section(section.name.replace('.zdebug_', '.debug_'));
        assert.ok(original !== undefined);
        assert.deepEqual(Buffer.from(packed.sectionBytes(section)), Buffer.from(plain.sectionBytes(original)));
        const raw = packed.bytes.subarray(section.sh_offset, section.sh_offset + section.sh_size);
        if (isCompressed(section, raw)) inflated++;
      }
      assert.ok(inflated > 0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}

test('64-bit and big-endian headers', () => {
  const file = new Uint8Array(64 + 2 * 64);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, C.ELFCLASS64, C.ELFDATA2MSB, 1]);
  view.setUint16(16, C.ET_REL);
  view.setUint16(18, C.EM_AARCH64);
  view.setBigUint64(40, 64n);
  view.setUint16(58, 64);
  view.setUint16(60, 2);
  view.setUint32(64 + 64 + 4, C.SHT_PROGBITS);
  view.setBigUint64(64 + 64 + 24, 16n);
  view.setBigUint64(64 + 64 + 32, 8n);
  const elf = ElfFile.parse(file);
  assert.deepEqual([elf.is64, elf.littleEndian, elf.header.e_machine], [true, false, C.EM_AARCH64]);
  assert.deepEqual([elf.sections[1].sh_offset, elf.sections[1].sh_size], [16, 8]);
  assert.equal(elf.sectionBytes(elf.sections[1]).length, 8);
});

// Every code that the reader throws.

const plain = buildElf({ sections: [text()], symbols: [func('f')] });

function compressed(ch_type: number, size: number, stream: Uint8Array): ElfFile {
  const header = new Uint8Array(12);
  new DataView(header.buffer).setUint32(0, ch_type, true);
  new DataView(header.buffer).setUint32(4, size, true);
  const section: BuiltSection = { name: '.debug_x', flags: C.SHF_COMPRESSED, bytes: [...header, ...stream] };
  return ElfFile.parse(buildElf({ sections: [section] }));
}

function contents(elf: ElfFile, name: string): Uint8Array {
  const section = elf.section(name);
  assert.ok(section !== undefined);
  return elf.sectionBytes(section);
}

function changed(offset: number, ...bytes: number[]): Uint8Array {
  const copy = plain.slice();
  copy.set(bytes, offset);
  return copy;
}

const refusals: readonly (readonly [string, FormatErrorCode, () => unknown])[] = [
  ['an empty file', 'not-elf', () => ElfFile.parse(new Uint8Array())],
  ['another magic', 'not-elf', () => ElfFile.parse(changed(1, 0x65))],
  ['a class of 3', 'unsupported-class', () => ElfFile.parse(changed(4, 3))],
  ['a byte order of 0', 'unsupported-encoding', () => ElfFile.parse(changed(5, 0))],
  ['half a header', 'truncated', () => ElfFile.parse(plain.slice(0, 40))],
  ['half a section header table', 'truncated', () => ElfFile.parse(plain.slice(0, -20))],
  ['section headers of 8 bytes', 'bad-size', () => ElfFile.parse(changed(46, 8))],
  ['a section beyond the end', 'truncated', () => contents(ElfFile.parse(patchHeader(plain, 1, 20, 99999)), '.text')],
  ['symbols of 8 bytes', 'bad-size', () => ElfFile.parse(patchHeader(plain, 2, 36, 8)).symbols()],
  ['symbols without strings', 'bad-index', () => ElfFile.parse(patchHeader(plain, 2, 24, 77)).symbols()],
  ['a symbol name outside of the strings', 'bad-string', () => ElfFile.parse(patchHeader(plain, 3, 20, 1)).symbols()],
  [
    'relocations of 4 bytes',
    'bad-size',
    () => {
      const rel = { name: '.rel.text', type: C.SHT_REL, entsize: 4, info: 1, bytes: [0, 0, 0, 0] };
      return ElfFile.parse(buildElf({ sections: [text(), rel] })).relocationsFor(1);
    },
  ],
  ['an unknown algorithm', 'bad-compression', () => contents(compressed(3, 4, Uint8Array.of(0, 0, 0, 0)), '.debug_x')],
  ['no Zstandard frame', 'bad-compression', () => contents(compressed(2, 4, Uint8Array.of(1, 2, 3, 4, 5)), '.debug_x')],
  ['no deflate stream', 'bad-compression', () => contents(compressed(1, 4, Uint8Array.of(1, 2, 3, 4, 5)), '.debug_x')],
  [
    'fewer bytes than said',
    'bad-compression',
    () => contents(compressed(1, 9, zlibSync(new Uint8Array(4))), '.debug_x'),
  ],
  [
    'more bytes than said',
    'bad-compression',
    () => contents(compressed(1, 3, zlibSync(new Uint8Array(4))), '.debug_x'),
  ],
  [
    'bytes whose check sum is another one',
    'bad-compression',
    () => contents(compressed(1, 4, Uint8Array.from(zlibSync(new Uint8Array(4))).with(-1, 9)), '.debug_x'),
  ],
  [
    'a deflate stream that ends too early',
    'bad-compression',
    () => contents(compressed(1, 4, zlibSync(new Uint8Array(4)).subarray(0, -4)), '.debug_x'),
  ],
  [
    'more than deflate can hold',
    'bad-size',
    () => contents(compressed(1, 2 ** 31, zlibSync(new Uint8Array(4))), '.debug_x'),
  ],
];

for (const [title, code, action] of refusals) {
  test(`refused: ${title}`, () => {
    assert.throws(action, (error) => error instanceof FormatError && error.code === code);
  });
}

test('names that cannot be read are noted, and the rest is usable', () => {
  const elf = ElfFile.parse(changed(50, 0, 0));
  assert.deepEqual(
    elf.problems.map(({ code }) => code),
    ['bad-index'],
  );
  assert.deepEqual(
    elf.sections.map(({ name }) => name),
    ['', '', '', '', ''],
  );
  const wild = ElfFile.parse(patchHeader(plain, 1, 0, 5000));
  assert.deepEqual(
    wild.problems.map(({ code }) => code),
    ['bad-string'],
  );
  const cut = ElfFile.parse(patchHeader(plain, 4, 16, 5000));
  assert.deepEqual(
    cut.problems.map(({ code }) => code),
    ['truncated'],
  );
});

test('many sections: the count and the index of the names are in section 0', () => {
  const file = buildElf({ sections: [text(), data([1])], symbols: [func('f')] });
  const view = new DataView(file.buffer);
  const [e_shoff, e_shnum, e_shstrndx] = [view.getUint32(32, true), view.getUint16(48, true), view.getUint16(50, true)];
  view.setUint16(48, 0, true);
  view.setUint16(50, C.SHN_XINDEX, true);
  view.setUint32(e_shoff + 20, e_shnum, true);
  view.setUint32(e_shoff + 24, e_shstrndx, true);
  const names = ElfFile.parse(file).sections.map(({ name }) => name);
  assert.deepEqual(names, ['', '.text', '.data', '.symtab', '.strtab', '.shstrtab']);
});
